"""What the state of a whole stack knows: another cluster and another unit's namespace are refused, a unit that goes is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.workspace import Workspace
from tests.engine.operators import PUBLISHED, objects, operator

pytestmark = pytest.mark.engine

FEDERATION = {"name": "trials", "domain": "trials.example", "topology": "mesh", "link": "native"}
ENGINES = {"computing": "Standalone", "federation": "OSX", "storage": "Standalone", "tls": "none"}


def _party(namespace: str) -> dict[str, Any]:
    return {"namespace": namespace, "release": "2.2.0", **ENGINES, "persistence": {}, "publish": {"osx": PUBLISHED}}


@pytest.fixture(scope="module")
def bank(clusters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two parties of one organization, deployed."""
    parties = {party: _party(f"impact-{party}") for party in ("9998", "9999")}
    config = {"organization": "bank-a", "federation": FEDERATION, "parties": parties}
    space = operator("bank-a", tmp_path_factory.mktemp("impact"), clusters["bank-a"], config)
    space.fatefed("secrets", "init")
    space.up()
    return space


def edit(space: Workspace, change: Callable[[dict[str, Any]], object]) -> str:
    """Edit the stack file; what it was."""
    text = space.stack_file.read_text()
    document = yaml.safe_load(text)
    change(document["config"])
    space.stack_file.write_text(yaml.safe_dump(document))
    space.fatefed("secrets", "init")
    return text


def refusals(space: Workspace) -> list[str]:
    """What preview and up print, both of which fail."""
    found = []
    for verb in (("preview",), ("up", "--yes", "--skip-preview")):
        done = space.attempt("pulumi", *verb, "--non-interactive", "--color", "never", "-s", space.organization)
        assert done.returncode != 0, verb
        found.append((done.stdout + done.stderr).decode())
    return found


def uids(space: Workspace) -> dict[str, str]:
    """Every object of both parties."""
    kinds = "namespaces,statefulsets,deployments,services,configmaps,secrets,networkpolicies,persistentvolumeclaims"
    found = [item for item in space.kubectl("get", kinds, "-A")["items"] if "impact-" in str(item["metadata"])]
    return {
        "/".join((item["kind"], str(item["metadata"].get("namespace")), item["metadata"]["name"])): item["metadata"]["uid"]
        for item in found
    }


def other_kubeconfig(space: Workspace, folder: Path, host: str) -> Path:
    """A kubeconfig of the same cluster, by another host name."""
    file = folder / f"{host}.kubeconfig"
    file.write_text(space.kubeconfig.read_text().replace("127.0.0.1", host))
    return file


def allow(config: dict[str, Any]) -> None:
    """What an operator writes to leave data behind."""
    for party in config["fate:parties"].values():
        party["allowDataLoss"] = True


def test_another_cluster_is_refused_and_touches_nothing(bank: Workspace, tmp_path: Path) -> None:
    before = uids(bank)
    assert len(before) > 20
    file = other_kubeconfig(bank, tmp_path, "localhost")
    text = edit(bank, lambda config: config.update({"fate:cluster": {"kubeconfig": str(file)}}))
    try:
        for printed in refusals(bank):
            assert "cluster: the kubeconfig's current context -> kubeconfig " in printed
            assert "deletes it where it is now; its claims stay, unused" in printed
            assert "allowDataLoss" in printed
        assert uids(bank) == before
        told = bank.attempt("fatefed", "plan", "-s", "bank-a")
        assert told.returncode == 4
        # Why: Pulumi would replace every object, although the cluster is the same one by another host name.
        edit(bank, allow)
        operations = {operation for operation, _, _ in objects(bank.preview())}
        assert operations == {"replace"}
        # By the same address under another file name it would touch none.
        same = other_kubeconfig(bank, tmp_path, "127.0.0.1")
        edit(bank, lambda config: config.update({"fate:cluster": {"kubeconfig": str(same)}}))
        assert objects(bank.preview()) == []
    finally:
        bank.stack_file.write_text(text)
    assert bank.preview() == []


def test_a_party_in_the_namespace_of_another_one_is_refused_and_touches_nothing(bank: Workspace) -> None:
    before = uids(bank)

    def rename(config: dict[str, Any]) -> None:
        config["fate:parties"]["9997"] = config["fate:parties"].pop("9999") | {"allowDataLoss": True}

    text = edit(bank, rename)
    try:
        for printed in refusals(bank):
            assert "party-9997: namespace impact-9999 is party-9999's, with its objects and data" in printed
            assert "Traceback" not in printed
            assert "kubernetes:core" not in printed, "no object was registered"
        assert uids(bank) == before
        told = bank.attempt("fatefed", "plan", "-s", "bank-a")
        assert (told.returncode, "| party-9997 | data loss | refused: namespace impact-9999" in told.stdout.decode()) == (4, True)
    finally:
        bank.stack_file.write_text(text)
    assert bank.preview() == []


def test_a_party_that_is_removed_leaves_data_behind_and_the_preview_says_so(bank: Workspace) -> None:
    """Last: it is really removed."""
    claims = {name for name in uids(bank) if name.startswith(("PersistentVolumeClaim/impact-9999/", "Namespace/None/impact-9999"))}
    assert len(claims) == 3
    edit(bank, lambda config: config["fate:parties"].pop("9999"))
    said = "party-9999: data loss: is removed: the claims of fateflow, mysql stay in namespace impact-9999, unused"
    assert f"warning: {said}; affects 9999 <-> all its peers; to act: this stack" in bank.run(
        "pulumi", "preview", "--color", "never", "-s", "bank-a"
    )
    told = bank.attempt("fatefed", "plan", "-s", "bank-a")
    assert (told.returncode, said.replace("party-9999: data loss: ", "| party-9999 | data loss | ") in told.stdout.decode()) == (4, True)
    bank.up()
    assert {name for name in uids(bank) if "/impact-9999" in name and not name.startswith(("ConfigMap/impact-9999/kube-root",))} == claims
    assert bank.preview() == []
