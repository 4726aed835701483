"""A peer that left for good: what the stack file remembers of it is enough, so that its descriptor may go, and its id stays taken."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from federation.errors import FederationError
from federation.load import LoadedStack, load_stack
from federation.topology import topology_of
from tests.support.configs import CLINIC, EVERY_CASE, EXCHANGE, SERVING, Case, exchange_descriptor, key_of, party_descriptor, signed_file
from tests.support.stacks import project

LEFT: dict[str, Any] = {"state": "retired", "partyId": "10000", "key": key_of("clinic-b")}
WITH_FILES = [case for case in EVERY_CASE if any("descriptor" in entry for entry in case.config.get("peers", {}).values()) and case.files]


def retired(case: Case) -> Case:
    """The stack with every peer that has a descriptor retired."""
    for name, entry in case.config["peers"].items():
        if "descriptor" in entry:
            case = case.changed(lambda config, name=name: config["peers"][name].update(state="retired"))
    return case


def departed(case: Case, loaded: LoadedStack) -> Case:
    """The same by what is remembered alone, without any descriptor file."""
    for peer in loaded.peers.accepted:
        if not peer.by_hand:
            said = {"partyId": peer.party_id, "kind": None if peer.kind == "party" else peer.kind, "key": peer.key}
            case = case.with_entry(peer.name, state="retired", **{key: value for key, value in said.items() if value is not None})
    return Case(case.name, case.config, {path: text for path, text in case.files.items() if not path.startswith("peers/")})


def refused(case: Case, folder: Path) -> list[str]:
    """Every problem of a stack, with its remedy."""
    with pytest.raises(FederationError) as caught:
        load_stack(case.write(folder))
    return [f"{problem.problem}: {problem.remedy}" for problem in caught.value.problems]


@pytest.mark.parametrize("case", WITH_FILES, ids=str)
def test_without_its_file_a_retired_peer_makes_the_same_objects(case: Case, tmp_path: Path) -> None:
    before = retired(case).load(tmp_path / "file")
    after = departed(case, before).load(tmp_path / "alone")
    assert [peer.name for peer in after.plan.external] == [peer.name for peer in before.plan.external] != []
    assert after.plan.units == before.plan.units
    assert after.plan.states == before.plan.states
    drawn = [[node.key for node in topology_of(found.spec, found.peers, found.plan).nodes] for found in (before, after)]
    assert drawn[0] == drawn[1]


def test_without_file_and_entry_of_its_id_the_remedy_leads_out(tmp_path: Path) -> None:
    """Each step of it works: first what is said of an active peer, then of one that is retired already."""
    case = Case("gone", EXCHANGE.config, {path: text for path, text in EXCHANGE.files.items() if "clinic-b" not in path})
    (said,) = refused(case, tmp_path / "active")
    assert "the accepted descriptor peers/clinic-b.json is gone: restore the file; to part with the peer without it" in said
    assert "write peers.clinic-b.state: retired, and write peers.clinic-b.partyId" in said
    (said,) = refused(case.changed(lambda config: config["peers"]["clinic-b"].update(state="retired")), tmp_path / "retired")
    assert "restore the file, or write peers.clinic-b.partyId" in said
    loaded = case.changed(lambda config: config["peers"]["clinic-b"].update(state="retired", partyId="10000")).load(tmp_path / "left")
    assert loaded.plan.states["clinic-b"] == {"state": "retired"}


@pytest.mark.parametrize("name", ["clinic-b", "mallory"])
def test_nobody_else_takes_the_id_of_one_that_left(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under its own name or another, and with another key."""
    file = EXCHANGE.with_entry("clinic-b", **LEFT).write(project(tmp_path) / "stacks")
    before, offered = file.read_text(), tmp_path / "offered.json"
    offered.write_bytes(signed_file(party_descriptor("10000", "mallory", host="198.51.100.77"), signer="mallory"))
    words = ["peers", "add", str(offered), "--name", name, "--key", key_of("mallory"), "--yes", "-C", str(tmp_path), "-s", "consortium"]
    assert main(words) == 1
    errors = capsys.readouterr().err
    own, another = f"this retired peer has the key {key_of('clinic-b')}", "party id 10000 of peer mallory already belongs to peer clinic-b"
    assert (own if name == "clinic-b" else another) in errors
    assert file.read_text() == before


def test_its_own_descriptor_does_not_bring_it_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = EXCHANGE.with_entry("clinic-b", **LEFT).write(project(tmp_path) / "stacks")
    offered = tmp_path / "offered.json"
    offered.write_bytes(signed_file(CLINIC, serial=9))
    assert main(["peers", "add", str(offered), "--yes", "-C", str(tmp_path), "-s", "consortium"]) == 0, capsys.readouterr().err
    entry = yaml.safe_load(file.read_text())["config"]["fate:peers"]["clinic-b"]
    assert (entry["state"], entry["partyId"], entry["acceptedSerial"]) == ("retired", "10000", 9)
    (file.parent / "peers/clinic-b.json").unlink()
    assert load_stack(file).plan.states["clinic-b"] == {"state": "retired"}


def test_retiring_writes_what_the_descriptor_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A party's id, or what else it was; then the files may go."""
    case = EXCHANGE.with_peer("old-hub", exchange_descriptor("old-hub", host="198.51.100.70", nginx="198.51.100.71"))
    file = case.write(project(tmp_path) / "stacks")
    for name in ("clinic-b", "old-hub"):
        assert main(["peers", "retire", name, "-C", str(tmp_path), "-s", "consortium"]) == 0, capsys.readouterr().err
        (file.parent / f"peers/{name}.json").unlink()
    peers = yaml.safe_load(file.read_text())["config"]["fate:peers"]
    assert (peers["clinic-b"]["partyId"], "kind" in peers["clinic-b"]) == ("10000", False)
    assert (peers["old-hub"]["kind"], "partyId" in peers["old-hub"]) == ("exchange", False)
    states = load_stack(file).plan.states
    assert [states[name]["state"] for name in ("clinic-b", "old-hub")] == ["retired", "retired"]


def test_a_descriptor_that_was_never_accepted_says_nobodys_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever put it there could take an id by it."""
    case = EXCHANGE.with_file("peers/new.json", party_descriptor("31000", "new").text().encode()).with_entry(
        "new", descriptor="peers/new.json"
    )
    file = case.write(project(tmp_path) / "stacks")
    assert main(["peers", "retire", "new", "-C", str(tmp_path), "-s", "consortium"]) == 0, capsys.readouterr().err
    assert "partyId" not in yaml.safe_load(file.read_text())["config"]["fate:peers"]["new"]


def test_fate_serving_of_a_party_that_left_belongs_to_its_key(tmp_path: Path) -> None:
    case = SERVING.with_entry("old", state="retired", partyId="9998", key=key_of("clinic-b"))
    case = case.changed(
        lambda config: (
            config.update(identity={"key": key_of("bank-a")}),
            config["serving"].update({"9998": {**config["serving"]["9999"], "namespace": "other", "fateflow": "203.0.113.9:30097"}}),
        )
    )
    (said,) = refused(case, tmp_path)
    assert f"is party 9998 of old, {key_of('clinic-b')}, whose FATE-Serving is in this stack" in said


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"state": "active", "partyId": "10000", "kind": "party", "unsigned": True}, "kind is said only of a retired peer"),
        ({"state": "retired", "partyId": "10000", "kind": "exchange"}, "an exchange has no partyId"),
        ({"state": "retired", "kind": "serving"}, "FATE-Serving of a party has a partyId"),
        ({"state": "retired"}, "of one that is retired its partyId, or its kind, is enough"),
        ({"state": "active", "partyId": "10000", "descriptor": "peers/x.json"}, "drop partyId"),
    ],
    ids=["active", "an exchange with an id", "a serving without", "nothing", "back by hand"],
)
def test_what_is_remembered_is_said_whole(entry: dict[str, Any], said: str, tmp_path: Path) -> None:
    (problem,) = refused(EXCHANGE.with_entry("gone", **entry), tmp_path)
    assert said in problem


@pytest.mark.parametrize("state", ["active", "suspended", "retired"])
def test_an_accepted_descriptor_without_its_sha256_is_an_error(state: str, tmp_path: Path) -> None:
    """The peer would wait, and its routes go, for a line that was lost."""
    case = EXCHANGE.changed(lambda config: (config["peers"]["clinic-b"].pop("sha256"), config["peers"]["clinic-b"].update(state=state)))
    (said,) = refused(case, tmp_path)
    assert "is missing, although the descriptor with the serial 1 was accepted: restore the line" in said


def test_a_key_typed_before_its_file_comes_is_no_accepted_descriptor(tmp_path: Path) -> None:
    case = EXCHANGE.with_entry("new", descriptor="peers/new.json", key=key_of("clinic-b"))
    assert "new" in case.load(tmp_path).plan.pending


def test_a_damaged_file_is_restored_or_parted_with(tmp_path: Path) -> None:
    """What is wrong in it is nothing that its owner could correct."""
    case = Case("damaged", EXCHANGE.config, {**EXCHANGE.files, "peers/clinic-b.json": b"{}"})
    (said,) = refused(case, tmp_path / "active")
    assert "peers/clinic-b.json is not what was accepted, and no descriptor any more: schemaVersion is missing: restore the file" in said
    assert "write peers.clinic-b.partyId" in said
    left = case.changed(lambda config: config["peers"]["clinic-b"].update(state="retired", partyId="10000"))
    assert left.load(tmp_path / "left").plan.states["clinic-b"] == {"state": "retired"}
