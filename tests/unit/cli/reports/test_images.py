"""Images without digests are counted, and who asks a registry for one is told what stands in the way."""

import base64
import json
import socket
from pathlib import Path

import pytest

from cli.main import main
from cli.reports.images import Logins, pin, pins_text
from cli.tools.errors import FailedError
from cli.tools.registry import Reference, Registries, docker_config, docker_credentials
from federation.base.errors import FederationError
from federation.units.own_objects import images_of
from tests.support import stacks
from tests.support.configs import MESH, Case

DIGEST, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def warned(case: Case, folder: Path) -> list[str]:
    """What a preview says of images without digests."""
    return list(case.load(folder).plan.unpinned)


def test_one_sentence_counts_the_images_without_a_digest(tmp_path: Path) -> None:
    plan = MESH.load(tmp_path / "a").plan
    upstream = sorted({image.upstream for unit in plan.units for image in unit.images.values()})
    assert len(upstream) > 5
    [said] = warned(MESH, tmp_path / "b")
    assert said.startswith(f"{len(upstream)} images have no digest: ")
    assert "`fatefed images pin`" in said
    all_but = {name: DIGEST for name in upstream[1:]}
    [said] = warned(MESH.changed(lambda config: config.update(images={"digests": all_but})), tmp_path / "c")
    assert said.startswith("1 image has no digest: ")
    whole = {name: DIGEST for name in upstream}
    assert warned(MESH.changed(lambda config: config.update(images={"digests": whole})), tmp_path / "d") == []


def test_check_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = stacks.project(tmp_path)
    MESH.write(project / "stacks")
    stacks.stack(project, "bank-a", MESH.text())
    assert main(["check", "-s", "bank-a", "-C", str(project), "--json"]) == 0
    assert sum("no digest" in warning for warning in json.loads(capsys.readouterr().out)["warnings"]) == 1


POD = """apiVersion: v1
kind: Pod
metadata: {name: debug, namespace: fate-9999}
spec: {containers: [{name: a, image: "busybox:1.36"}]}
"""


def test_images_that_no_digest_of_the_stack_file_reaches_are_named(tmp_path: Path) -> None:
    case = MESH.with_file("extra/own.yaml", POD.encode()).changed(lambda config: config.update(manifests={"own": "extra/own.yaml"}))
    assert [*images_of(case.load(tmp_path / "a").plan.manifests[0].documents())] == ["busybox:1.36"]
    stack = stacks.of_case(tmp_path / "b", case)
    asked: list[str] = []

    def digest(reference: str) -> str:
        asked.append(reference)
        return DIGEST

    done = pin(stack, digest, update=False)
    assert done.beyond == ("busybox:1.36",)
    assert "busybox:1.36" not in asked
    assert set(done.written.values()) == {DIGEST}
    assert len(done.written) == len(asked) > 5
    assert "not pinned: busybox:1.36 is in a file of fate:manifests" in pins_text(done)
    moved = pin(stack, lambda _: OTHER, update=False)
    assert (moved.written, set(moved.moved.values())) == ({}, {OTHER})
    assert all("@" not in reference for reference in asked)


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag"),
    [
        ("mysql:8.0.28", "registry-1.docker.io", "library/mysql", "8.0.28"),
        ("federatedai/nginx:1.11.2-release", "registry-1.docker.io", "federatedai/nginx", "1.11.2-release"),
        ("docker.io/federatedai/nginx:1", "registry-1.docker.io", "federatedai/nginx", "1"),
        ("registry.example:5000/a/b/nginx:1", "registry.example:5000", "a/b/nginx", "1"),
        ("localhost/nginx:1", "localhost", "nginx", "1"),
    ],
)
def test_a_reference_leads_to_its_registry_as_docker_reads_it(text: str, host: str, repository: str, tag: str) -> None:
    found = Reference.read(text)
    assert (found.host, found.repository, found.tag) == (host, repository, tag)


def test_a_registry_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        reference = f"127.0.0.1:{nobody.getsockname()[1]}/nginx:1"
        with pytest.raises(FailedError) as raised:
            Registries(lambda _: None).digest(reference)
    assert raised.value.problem.startswith(reference.partition("/")[0])
    assert "refused" in raised.value.problem


def test_credentials_come_from_the_entry_or_the_helper_of_a_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = base64.b64encode(b"user:a:b").decode()
    config = {
        "auths": {"https://index.docker.io/v1/": {"auth": encoded}, "r.example": {"username": "u", "password": "p"}, "empty.example": {}}
    }
    assert docker_credentials(config, "https://index.docker.io/v1/") == ("user", "a:b")
    assert docker_credentials(config, "r.example") == ("u", "p")
    assert docker_credentials(config, "empty.example") is None
    assert docker_credentials(config, "other.example") is None
    helper = tmp_path / "docker-credential-keys"
    helper.write_text("""#!/bin/sh\n[ "$1" = get ] && read host; echo "{\\"Username\\": \\"$host\\", \\"Secret\\": \\"s\\"}"\n""")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert docker_credentials({"credsStore": "keys", **config}, "r.example") == ("r.example", "s")
    assert docker_credentials({"credHelpers": {"r.example": "../bin/sh"}, **config}, "r.example") == ("u", "p")


def test_a_docker_configuration_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert docker_config(None) == {}
    for content in ("no json", "[]", json.dumps({"auths": []}) + "x", json.dumps({"auths": ["a"]})):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(FailedError) as raised:
            docker_config(None)
        assert raised.value.problem == f"{tmp_path}/config.json is no Docker configuration"


def test_a_pull_secret_that_pulumi_does_not_give_fails_every_image_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = MESH.changed(lambda config: config.update(images={"pullSecret": {"secret": "registry"}}))
    stack = stacks.of_case(tmp_path / "b", case)
    before = stack.file.read_bytes()
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    asked = tmp_path / "asked"
    stacks.stand_in(tmp_path, monkeypatch, f"import sys\nopen({str(asked)!r}, 'a').write('once ')\nsys.exit('error: no passphrase')\n")
    logins = Logins(stack, None)

    def digest(_: str) -> str:
        return str(logins("registry.example"))

    with pytest.raises(FederationError) as raised:
        pin(stack, digest, update=False)
    assert len(raised.value.problems) > 5
    assert all("fate:secrets.registry" in problem.problem for problem in raised.value.problems)
    assert stack.file.read_bytes() == before
    assert asked.read_text() == "once ", "pulumi takes seconds: no image waits for it again"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("nginx", Reference("docker.io", "library/nginx", "latest")),
        ("registry.example:5000/fate/nginx", Reference("registry.example:5000", "fate/nginx", "latest")),
        (f"registry.example:5000/fate/nginx:1@{DIGEST}", Reference("registry.example:5000", "fate/nginx", DIGEST)),
        (f"fate/nginx@{DIGEST}", Reference("docker.io", "fate/nginx", DIGEST)),
    ],
)
def test_a_reference_is_read_as_nodes_read_it(text: str, reference: Reference) -> None:
    assert Reference.read(text) == reference


def test_logins_that_cannot_be_read_are_remembered_and_nobody_signs_in(tmp_path: Path) -> None:
    project = stacks.project(tmp_path)
    logins = Logins(stacks.stack(project, "bank-a", MESH.text()), tmp_path / "absent.json")
    assert logins.if_usable("registry.example") is None
    assert logins.unusable is not None
    assert "absent.json cannot be read" in logins.unusable.problem


def test_doctor_asks_one_kind_of_server_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = stacks.project(tmp_path)
    stacks.stack(project, "bank-a", MESH.text())
    for asked in (["--engines", "--images"], ["--images", "--peers"], ["--images", "clinic-b"], ["--engines", "--peers"]):
        assert main(["doctor", *asked, "-s", "bank-a", "-C", str(project)]) == 2
        assert "ask one at a time: --engines, --images, or peers" in capsys.readouterr().err
