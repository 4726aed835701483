"""A namespace has one owner: a second stack is refused before it touches anything, and nothing that another stack made is ever deleted."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, FEDERATION, HUB, PUBLISHED, STATIC_NODE_PORTS, give_secrets, operator, spark_party

pytestmark = pytest.mark.engine

NAMESPACE = "owned-exchange"
KINDS = "services,networkpolicies,deployments,configmaps"


def exchange(organization: str, **cluster: Any) -> dict[str, Any]:
    """A stack that is an exchange, in one and the same namespace whoever owns it."""
    return {
        "organization": organization,
        "federation": FEDERATION,
        "cluster": cluster,
        "exchange": {
            "namespace": NAMESPACE,
            "release": "1.11.2",
            "modules": {"trafficServer": {"image": {"tag": "checked-1"}}},
            "publish": {"trafficServer": PUBLISHED, "nginx": PUBLISHED},
        },
    }


@pytest.fixture
def first(clusters: dict[str, Path], tmp_path: Path) -> Iterator[Workspace]:
    """An exchange that is deployed."""
    space = operator("first", tmp_path, clusters["consortium"], exchange("first"))
    space.up()
    yield space
    space.attempt("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", "-s", "first")


def live(space: Workspace) -> dict[str, str]:
    """The objects in the namespace, by their UIDs."""
    items = space.kubectl("get", KINDS, "-n", NAMESPACE)["items"]
    found = {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in items}
    assert len(found) > 6
    return found


def changed(space: Workspace, config: dict[str, Any]) -> None:
    """Another configuration of a stack that has no secrets."""
    space.stack_file.write_text(yaml.safe_dump({"config": {f"fate:{key}": value for key, value in config.items()}}))


def said(space: Workspace, *command: str) -> tuple[int, str]:
    """The exit status of a command of Pulumi, and all that it says."""
    done = space.attempt("pulumi", *command, "--non-interactive", "--color", "never", "-s", space.organization)
    return done.returncode, (done.stdout + done.stderr).decode()


def refused(space: Workspace, *command: str) -> str:
    """What a command says that fails, though nothing was made or recorded by it."""
    code, text = said(space, *command)
    assert code != 0, text
    assert "Traceback" not in text
    state = json.loads(space.run("pulumi", "stack", "export", "-s", space.organization))
    recorded = [found for found in state["deployment"].get("resources", []) if found["type"].startswith("kubernetes:")]
    assert [found["type"] for found in recorded if not found.get("external")] == [], "only what was read"
    return text


PREVIEW, UP = ("preview",), ("up", "--yes", "--skip-preview")


def test_a_second_stack_is_refused_in_check_preview_and_up_and_its_destroy_deletes_nothing(first: Workspace, tmp_path: Path) -> None:
    before = live(first)
    second = operator("second", tmp_path, first.kubeconfig, exchange("second"))
    for command in (PREVIEW, UP):
        text = refused(second, *command)
        assert f"fate:exchange: namespace {NAMESPACE} belongs to stack first of organization first (exchange)" in text
        assert "give exchange a namespace of its own" in text
    checked = second.attempt("fatefed", "check", "--live", "-s", "second")
    assert checked.returncode == 1
    assert f"namespace {NAMESPACE} belongs to stack first" in checked.stderr.decode()
    assert said(second, "destroy", "--yes", "--skip-preview")[0] == 0
    assert live(first) == before
    assert first.preview() == []


def test_without_kubectl_the_api_server_refuses_the_second_stack(first: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = live(first)
    second = operator("second", tmp_path, first.kubeconfig, exchange("second"))
    monkeypatch.setenv("KUBECTL", str(tmp_path / "missing"))
    assert f"whose namespace {NAMESPACE} is, is not known: kubectl cannot be run" in said(second, *PREVIEW)[1]
    code, text = said(second, *UP)
    assert code != 0
    # Providers before 4.29.0 apply the note, newer ones create it.
    applied, created = r"Server-Side Apply field conflict[\s\S]*\.data\.stack", r'configmaps "fate-owner" already exists'
    assert re.search(f"{applied}|{created}", text), text
    assert "Service" not in text, "the note comes before all else"
    said(second, "destroy", "--yes", "--skip-preview")
    assert live(first) == before


def test_the_same_stack_in_another_backend_is_refused_until_it_takes_the_namespace_over(first: Workspace, tmp_path: Path) -> None:
    before = live(first)
    again = operator("first", tmp_path / "elsewhere", first.kubeconfig, exchange("first"))
    for command in (PREVIEW, UP):
        text = refused(again, *command)
        assert (
            f"namespace {NAMESPACE} is in use by stack first of organization first (exchange), which is not in the state of this backend"
            in text
        )
        assert "pulumi whoami --verbose" in text
    changed(again, exchange("first", takeOver=[NAMESPACE]))
    again.up()
    assert live(first) == before, "taken over as they are"
    changed(again, exchange("first"))
    again.up()
    assert again.preview() == []


def test_another_stack_takes_a_namespace_over_on_purpose_and_the_one_before_is_refused(first: Workspace, tmp_path: Path) -> None:
    heir = operator("heir", tmp_path, first.kubeconfig, exchange("heir", takeOver=[NAMESPACE]))
    heir.up()
    code, text = said(first, *PREVIEW)
    assert code != 0
    assert f"namespace {NAMESPACE} belongs to stack heir of organization heir (exchange)" in text
    changed(heir, exchange("heir"))
    assert said(heir, "destroy", "--yes", "--skip-preview")[0] == 0


def test_objects_of_a_version_without_notes_are_no_free_place_and_their_owner_gets_a_note(first: Workspace, tmp_path: Path) -> None:
    first.run("kubectl", "delete", "configmap", "fate-owner", "-n", NAMESPACE)
    second = operator("second", tmp_path, first.kubeconfig, exchange("second"))
    text = refused(second, *PREVIEW)
    assert f"namespace {NAMESPACE} holds deployment nginx of pulumi" in text
    assert "give exchange a namespace of its own" in text
    first.run("pulumi", "up", "--refresh", "--yes", "--skip-preview", "--non-interactive", "-s", "first")
    assert first.kubectl("get", "configmap", "fate-owner", "-n", NAMESPACE)["data"]["stack"] == "first"


def test_a_namespace_is_free_again_when_its_stack_was_destroyed(first: Workspace, tmp_path: Path) -> None:
    first.run("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", "-s", "first")
    assert first.kubectl("get", "namespace", NAMESPACE)["status"]["phase"] == "Active"
    second = operator("second", tmp_path, first.kubeconfig, exchange("second"))
    second.up()
    assert second.preview() == []
    assert said(second, "destroy", "--yes", "--skip-preview")[0] == 0


def test_in_scope_namespaced_a_second_stack_is_refused_too(first: Workspace, tmp_path: Path) -> None:
    second = operator("second", tmp_path, first.kubeconfig, exchange("second", scope="namespaced"))
    assert f"namespace {NAMESPACE} belongs to stack first" in refused(second, *PREVIEW)


def test_kubefates_namespace_is_refused(clusters: dict[str, Path], tmp_path: Path) -> None:
    space = operator("kubefated", tmp_path, clusters["consortium"], exchange("kubefated") | {"exchange": _elsewhere("kubefated")})
    labels = {"fateMoudle": "nginx", "owner": "kubefate", "cluster": "fate", "heritage": "Helm", "release": "fate-exchange"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "nginx", "image": "nginx"}]}}
    theirs = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "nginx", "namespace": "kubefated", "labels": labels},
        "spec": {"selector": {"matchLabels": {"fateMoudle": "nginx"}}, "template": pod},
    }
    space.run("kubectl", "create", "namespace", "kubefated")
    space.run("kubectl", "apply", "-f", "-", stdin=json.dumps(theirs).encode())
    assert "namespace kubefated holds deployment nginx of KubeFATE" in refused(space, *PREVIEW)


@pytest.mark.parametrize("holder", ["holder", "taken-port"], ids=["elsewhere", "in the unit's namespace"])
def test_a_node_port_of_anothers_service_is_refused_in_the_preview(holder: str, clusters: dict[str, Path], tmp_path: Path) -> None:
    port = STATIC_NODE_PORTS[-1]
    nodes = {"type": "NodePort", "port": port, "advertise": {"host": "203.0.113.9"}}
    unit = {"namespace": "taken-port", "release": "1.11.2", "federation": "Eggroll", "publish": {"rollsite": nodes}}
    space = operator("taken", tmp_path, clusters["consortium"], exchange("taken") | {"exchange": unit})
    space.run("kubectl", "create", "namespace", holder)
    space.run("kubectl", "create", "service", "nodeport", "holder", "-n", holder, "--tcp=80:80", f"--node-port={port}")
    try:
        text = refused(space, *PREVIEW)
        line = next(n for n, line in enumerate(space.stack_file.read_text().splitlines(), 1) if line.strip() == "fate:exchange:")
        assert f"Pulumi.taken.yaml:{line} fate:exchange: Service rollsite of exchange cannot get node port {port}: " in text
        assert f"Service {holder}/holder of this cluster has it" in text
        assert "choose another port" in text
    finally:
        space.run("kubectl", "delete", "service", "holder", "-n", holder)
    assert said(space, *PREVIEW)[0] == 0


def test_claims_of_an_earlier_deployment_are_said_in_the_preview(
    clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path
) -> None:
    config = {"organization": "later", "federation": FEDERATION, "parties": {"9999": spark_party("left-claims")}, "peers": {"hub": HUB}}
    space = operator("later", tmp_path, clusters["consortium"], config)
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    assert "claims that no deployment" not in said(space, *PREVIEW)[1]
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    space.run("kubectl", "create", "namespace", "left-claims")
    for name in ("data-mysql-0", "somebody-else-0"):
        item = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "left-claims"}, "spec": claim}
        space.run("kubectl", "apply", "-f", "-", stdin=json.dumps(item).encode())
    code, text = said(space, *PREVIEW)
    assert code == 0, text
    assert "party-9999: namespace left-claims has claims that no deployment of this state owns" in text
    assert "kubectl -n left-claims delete pvc data-mysql-0`" in text
    assert "somebody-else-0" not in text
    checked = space.attempt("fatefed", "check", "--live", "-s", "later")
    assert checked.returncode == 0
    assert "has claims that no deployment" in checked.stdout.decode()


def _elsewhere(namespace: str) -> dict[str, Any]:
    return {**exchange("any")["exchange"], "namespace": namespace}
