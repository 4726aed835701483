"""The example stacks, rendered by `fatefed render` with the real helm."""

import json
from pathlib import Path

import pytest
import yaml

from cli.main import main
from cli.reports.rendering import render
from federation.stack.load import load_stack
from tests.support.configs import STAR_PARTY
from tests.support.helm import helm
from tests.support.stacks import EXAMPLES
from tests.support.walk import containers


@pytest.fixture(autouse=True)
def _real_helm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM", str(helm()))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_renders_as_it_is(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["render", "--config", str(path), "--out", str(out)]) == 0
    files = [file for file in out.rglob("*.yaml")]
    objects = [yaml.safe_load(file.read_text()) for file in files]
    kinds = {found["kind"] for found in objects}
    assert {"Namespace", "ConfigMap", "Service", "Deployment"} <= kinds
    units = load_stack(path).plan.units
    assert {found["metadata"]["namespace"] for found in objects if found["kind"] != "Namespace"} == {unit.namespace for unit in units}
    secrets = [value for found in objects if found["kind"] == "Secret" for value in found["stringData"].values()]
    assert len(secrets) == sum(len(secret.sources) for unit in units for secret in unit.secrets)
    assert set(secrets) <= {"<redacted>"}


def test_a_certificate_of_cert_manager_is_rendered_and_its_secret_is_not(tmp_path: Path) -> None:
    issuer = {"tls": "certManager", "issuer": {"name": "party-9999-ca"}}
    before = render(STAR_PARTY.load(tmp_path / "before").plan)
    after = render(STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(issuer)).load(tmp_path / "after").plan)
    assert set(after) - set(before) == {"fate-9999/certificate-pulsar-cert-issued.yaml"}
    changed = {path for path in before if before[path] != after[path]}
    pulsar = {"configmap-pulsar-config", "configmap-pulsar-route-table", "secret-pulsar-cert", "statefulset-pulsar"}
    assert changed == {f"fate-9999/{name}.yaml" for name in pulsar}
    assert yaml.safe_load(after["fate-9999/secret-pulsar-cert.yaml"])["stringData"] == {
        "ca.cert.pem": "<redacted>",
        "ca-9999.cert.pem": "<redacted>",
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_rendering_is_always_the_same(path: Path) -> None:
    assert render(load_stack(path).plan) == render(load_stack(path).plan)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_images_list_names_every_image_of_every_container_and_no_other(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, stack = path.parents[1], path.stem.removeprefix("Pulumi.")
    assert main(["images", "list", "-s", stack, "-C", str(folder), "--json"]) == 0
    listed = {image["reference"] for image in json.loads(capsys.readouterr().out)["images"]}
    objects = [yaml.safe_load(text) for text in render(load_stack(path).plan).values()]
    assert listed
    assert listed == {container.spec["image"] for container in containers(objects)}
