"""What the state of a whole stack knows: another cluster and another unit's namespace are refused, a unit that goes is told."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.workspace import Workspace
from tests.engine.operators import PUBLISHED, objects, operator

pytestmark = pytest.mark.engine

FEDERATION = {"name": "trials", "domain": "trials.example", "topology": "mesh", "link": "native"}
ROOT = Path(__file__).resolve().parents[2]
ENGINES = {"computing": "Standalone", "federation": "OSX", "storage": "Standalone", "tls": "none"}


def _party(namespace: str) -> dict[str, Any]:
    return {"namespace": namespace, "release": "2.2.0", **ENGINES, "persistence": {}, "publish": {"osx": PUBLISHED}}


@pytest.fixture(scope="module")
def first_update(clusters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """Two parties of one organization, deployed, and what the first `pulumi up` printed."""
    parties = {party: _party(f"impact-{party}") for party in ("9998", "9999")}
    config = {"organization": "bank-a", "federation": FEDERATION, "parties": parties}
    space = operator("bank-a", tmp_path_factory.mktemp("impact"), clusters["bank-a"], config)
    space.fatefed("secrets", "init")
    return space, printed(space, "up", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def bank(first_update: tuple[Workspace, str]) -> Workspace:
    """The two parties."""
    return first_update[0]


def printed(space: Workspace, *verb: str) -> str:
    """What pulumi prints for a verb that works, in the order in which a terminal shows it."""
    command = f"pulumi {' '.join(verb)} --non-interactive --color never -s {space.organization} 2>&1"
    return space.run("sh", "-c", command)


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


def test_the_first_update_alone_says_that_peers_need_the_descriptors(first_update: tuple[Workspace, str]) -> None:
    space, first = first_update
    said = [line.strip() for line in first.splitlines() if line.strip().startswith("next: ")]
    command = "fatefed descriptor export -s bank-a --unit {} -o FILE"
    assert sorted(said) == [
        f"next: run `{command.format(unit)}` and send the file to your peers; they accept it with `fatefed peers add`"
        for unit in ("party-9998", "party-9999")
    ]
    assert "Outputs:" not in first
    assert space.json("pulumi", "stack", "output", "-s", "bank-a")["endpoints"].keys() == {"party-9998", "party-9999"}
    for verb in (("preview",), ("up", "--yes", "--skip-preview")):
        assert "next: " not in printed(space, *verb)


def test_a_preview_shows_one_line_of_what_the_state_remembers_and_ends_with_what_the_change_does(bank: Workspace) -> None:
    def change(config: dict[str, Any]) -> None:
        config["fate:parties"]["9998"]["modules"] = {"fateflow": {"annotations": {"night": "yes"}}}

    text = edit(bank, change)
    try:
        lines = printed(bank, "preview", "--diff", "--suppress-outputs").splitlines()
        start = next(number for number, line in enumerate(lines) if "fate:federation:FateParty: (update)" in line)
        assert lines[start + 1].strip().endswith("fate:federation:FateParty::party-9998]")
        assert lines[start + 2].strip() == '~ ["*"] (hidden)'
        assert lines[start + 3].strip() == "~ kubernetes:apps/v1:StatefulSet: (update)"
        assert [line.strip() for line in lines if "night" in line] == ['+ night: "yes"']
        end = [line for line in lines[: lines.index("Resources:")] if line.strip()][-1]
        assert end.startswith("warning: party-9998: recreate: pods of fateflow restart, all at once; "), lines
        assert "[diff: ~modules]" in printed(bank, "preview"), "the plain preview names what changed"
    finally:
        bank.stack_file.write_text(text)
    assert bank.preview() == []


def test_the_same_cluster_by_another_path_and_host_name_changes_no_object(bank: Workspace, tmp_path: Path) -> None:
    before = uids(bank)
    assert len(before) > 20
    file = other_kubeconfig(bank, tmp_path, "localhost")
    nobody = tmp_path / "nothing-here"
    elsewhere = replace(bank, kubeconfig=Path(f"{nobody}:{file}"))
    assert elsewhere.preview() == [], "KUBECONFIG names several files, and no path of a machine is in the state"
    text = edit(bank, lambda config: config.update({"fate:cluster": {"kubeconfig": str(file)}}))
    try:
        assert objects(bank.preview()) == []
        bank.up()
        assert uids(bank) == before
    finally:
        bank.stack_file.write_text(text)
    bank.up()
    assert uids(bank) == before
    assert str(tmp_path) not in bank.run("pulumi", "stack", "export", "-s", "bank-a")


def test_a_kubeconfig_that_leads_to_another_cluster_is_refused_whatever_its_contexts_are_called(
    bank: Workspace, clusters: dict[str, Path]
) -> None:
    astray = replace(bank, kubeconfig=clusters["clinic-b"])
    here, there = (space.kubectl("get", "namespace", "kube-system")["metadata"]["uid"] for space in (bank, astray))
    for printed in refusals(astray):
        assert f"kube-system has the UID {there} there, and {here} where this stack is deployed" in printed
        assert f"to move the stack (docs/guides/state.md, Move to another cluster), set fate:cluster.uid: {there}" in printed
        assert "Traceback" not in printed
    assert uids(astray) == {}
    text = edit(bank, lambda config: config.update({"fate:cluster": {"uid": there}}))
    try:
        for printed in refusals(bank):
            assert f"kube-system has the UID {here} there, and fate:cluster.uid is {there}" in printed
            assert "Traceback" not in printed
        for printed in refusals(astray):
            assert (
                f"fate:parties.9999: kube-system had the UID {here}, and now {there}: its objects and data in the other cluster stay there"
                in printed
            )
            assert "parties.9999.allowDataLoss" in printed
        edit(bank, allow)
        moving = astray.run("pulumi", "preview", "--color", "never", "-s", "bank-a")
        assert f"warning: this stack moves to another cluster: kube-system had the UID {here}, and now {there}" in moving
    finally:
        bank.stack_file.write_text(text)
    assert bank.preview() == []
    assert set(bank.up()) == {"unchanged"}


def test_a_cluster_that_was_built_anew_gets_everything_again_and_the_state_from_before_can_be_had_back(
    bank: Workspace, clusters: dict[str, Path], tmp_path: Path
) -> None:
    anew = replace(bank, kubeconfig=clusters["clinic-b"])
    uid = anew.kubectl("get", "namespace", "kube-system")["metadata"]["uid"]
    here, state = uids(bank), tmp_path / "state.json"
    state.write_text(bank.run("pulumi", "stack", "export", "-s", "bank-a"))
    text = edit(bank, lambda config: (config.update({"fate:cluster": {"uid": uid}}), allow(config)))
    try:
        anew.run("pulumi", "refresh", "--yes", "-s", "bank-a")
        assert {operation for operation, _, _ in objects(anew.preview())} == {"create"}
        anew.up()
        edit(bank, lambda config: [party.pop("allowDataLoss") for party in config["fate:parties"].values()])
        assert set(anew.up()) == {"unchanged"}
        assert {name.split("/")[-1] for name in here} - {name.split("/")[-1] for name in uids(anew)} == set()
    finally:
        bank.stack_file.write_text(text)
        bank.run("pulumi", "stack", "import", "--file", str(state), "-s", "bank-a")
    assert bank.preview() == []
    assert uids(bank) == here


def test_a_party_in_the_namespace_of_another_one_is_refused_and_touches_nothing(bank: Workspace) -> None:
    before = uids(bank)

    def rename(config: dict[str, Any]) -> None:
        config["fate:parties"]["9997"] = config["fate:parties"].pop("9999") | {"allowDataLoss": True}

    text = edit(bank, rename)
    try:
        for printed in refusals(bank):
            assert "party-9997: namespace impact-9999 is party-9999's, with its objects and data" in printed
            assert "Traceback" not in printed
            registered = [line for line in printed.splitlines() if "kubernetes:" in line and "read kubernetes:" not in line]
            assert registered == []
        assert uids(bank) == before
        told = bank.attempt("fatefed", "plan", "-s", "bank-a")
        assert (told.returncode, "| party-9997 | data loss | refused: namespace impact-9999" in told.stdout.decode()) == (4, True)
    finally:
        bank.stack_file.write_text(text)
    assert bank.preview() == []


def exported(space: Workspace) -> None:
    """Export a party's descriptor. Without a key: a new one would change the note of the owner, too."""
    space.fatefed("descriptor", "export", "--unit", "party-9998", "--unsigned", "-o", str(space.folder / "exported.json"))


def outdated(space: Workspace, *command: str) -> list[str]:
    """What a command says of the exported descriptor."""
    done = space.attempt(*command, "-s", space.organization)
    said = (done.stdout + done.stderr).decode()
    lines = [line.strip() for line in said.splitlines()]
    return [line for line in lines if "exported descriptor" in line and line.startswith(("warning: ", "failed ", "first to fix: "))]


def move(space: Workspace, address: str) -> None:
    """Let the load balancer of the party have another address, as a cloud does."""
    status = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
    place = ("service", "osx-public", "-n", "impact-9998")
    space.run("kubectl", "patch", *place, "--subresource=status", "--type=merge", "-p", json.dumps(status))


def test_an_address_that_changed_makes_the_exported_descriptor_out_of_date_until_it_is_exported_again(bank: Workspace) -> None:
    preview, up = (("pulumi", verb, "--non-interactive", "--color", "never") for verb in ("preview", "up"))
    check, doctor = ("fatefed", "check"), ("fatefed", "doctor")
    text, old = bank.stack_file.read_text(), bank.kubectl("get", "service", "osx-public", "-n", "impact-9998")["spec"]["clusterIP"]
    try:
        for never_exported in (preview, check, doctor):
            assert outdated(bank, *never_exported) == []
        exported(bank)
        for up_to_date in (preview, check, doctor):
            assert outdated(bank, *up_to_date) == []
        assert bank.preview() == [], "what was exported is no object"
        move(bank, "203.0.113.77")
        row, verdict = outdated(bank, *doctor)
        assert row.split(maxsplit=1) == ["failed", "party-9998: the exported descriptor is up to date"]
        assert verdict.startswith("first to fix: party-9998: the exported descriptor is up to date; ")
        changes = f"endpoints.osx.addresses: {old} -> 203.0.113.77; endpoints.osx.host: {old} -> 203.0.113.77"
        assert f"it is out of date: {changes}" in bank.attempt(*doctor, "-s", "bank-a").stdout.decode()
        said = f"warning: party-9998: your exported descriptor is out of date ({changes}), and peers still use it: after `pulumi up`, "
        said += "run `fatefed descriptor export -s bank-a --unit party-9998 -o FILE` and send the file to your peers; "
        said += "they accept it with `fatefed peers add`"
        assert outdated(bank, *up, "--yes", "--skip-preview", "--refresh") == [said]
        for command in (preview, check):
            assert outdated(bank, *command) == [said]
        nightly = ("env", "STACK=bank-a", "sh", str(ROOT / "docs" / "jobs" / "nightly.sh"))
        found = bank.attempt(*nightly)
        assert (found.returncode, found.stdout.decode()) == (1, f"{said}\n")
        exported(bank)
        for command in (preview, check, doctor):
            assert outdated(bank, *command) == []
    finally:
        bank.stack_file.write_text(text)
        move(bank, old)
        bank.run(*up, "--yes", "--skip-preview", "--refresh", "-s", "bank-a")
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
