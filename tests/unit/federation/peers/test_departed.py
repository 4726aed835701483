"""A peer that is severed: what the stack file says of it is enough, so that its descriptor may go or be damaged, and its id stays taken."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from federation.base.errors import FederationError
from federation.reports.topology import topology_of
from federation.stack.load import LoadedStack, load_stack
from tests.support.configs import (
    CLINIC,
    EVERY_CASE,
    EXCHANGE,
    SERVING,
    Case,
    exchange_descriptor,
    key_of,
    party_descriptor,
    serving_descriptor,
    signed_file,
)
from tests.support.stacks import project

LEFT: dict[str, Any] = {"state": "retired", "partyId": "10000", "key": key_of("clinic-b")}
WITH_FILES = [case for case in EVERY_CASE if any("descriptor" in entry for entry in case.config.get("peers", {}).values()) and case.files]


# What becomes of an accepted descriptor file, and how a warning says it.
HARM: dict[str, tuple[bytes | None, str]] = {
    "gone": (None, "is gone"),
    "empty": (b"", "changed since it was accepted, and is no longer a descriptor"),
    "cut off": (signed_file(CLINIC)[:200], "changed since it was accepted, and is no longer a descriptor"),
    "too large": (b" " * 300_000, "far larger than a descriptor"),
    "another descriptor of the same key": (signed_file(party_descriptor(port=32010), serial=7), "changed since it was accepted"),
    "another party's": (signed_file(party_descriptor("10001", "hospital-c")), "changed since it was accepted"),
    "signed with a stranger's key": (signed_file(CLINIC, signer="mallory"), "changed since it was accepted"),
}


def retired(case: Case, state: str = "retired") -> Case:
    """The stack with every peer that has a descriptor retired."""
    for name, entry in case.config["peers"].items():
        if "descriptor" in entry:
            case = case.changed(lambda config, name=name: config["peers"][name].update(state=state))
    return case


def suspended(case: Case, name: str = "clinic-b", **said: Any) -> Case:
    """The stack with a suspended peer, as `fatefed peers suspend` writes it."""
    return case.changed(lambda config: config["peers"][name].update(state="suspended", **(said or {"partyId": "10000"})))


def harmed(case: Case, content: bytes | None, *names: str) -> Case:
    """The stack with other content in the descriptor files of peers, or without them."""
    paths = {f"peers/{name}.json" for name in names or ("clinic-b",)}
    left = {path: text for path, text in case.files.items() if path not in paths}
    return Case(case.name, case.config, {**left, **({} if content is None else dict.fromkeys(paths, content))})


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
    assert "the accepted descriptor peers/clinic-b.json is gone: restore the file; to give the peer up without it" in said
    assert "write peers.clinic-b.state: suspended, or retired for good, and write peers.clinic-b.partyId" in said
    (said,) = refused(case.changed(lambda config: config["peers"]["clinic-b"].update(state="suspended")), tmp_path / "suspended")
    assert "restore the file; or write peers.clinic-b.partyId" in said
    assert "then it stays blocked without the file" in said
    assert suspended(case).load(tmp_path / "severed").plan.states["clinic-b"] == {"state": "suspended"}
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
        ({"state": "active", "partyId": "10000", "kind": "party", "unsigned": True}, "kind is only for a retired peer"),
        ({"state": "retired", "partyId": "10000", "kind": "exchange"}, "an exchange has no partyId"),
        ({"state": "retired", "kind": "serving"}, "FATE-Serving of a party has a partyId"),
        ({"state": "retired"}, "of one that is retired partyId or kind is enough"),
        ({"state": "suspended", "partyId": "10000"}, "name a descriptor file"),
        ({"state": "suspended", "kind": "serving", "descriptor": "peers/x.json"}, "FATE-Serving of a party has a partyId"),
        (
            {"partyId": "10000", "pulsar": "198.51.100.4:6651", "nginx": "198.51.100.4:9300", "descriptor": "peers/x.json"},
            "drop nginx, partyId",
        ),
    ],
    ids=["active", "an exchange with an id", "a serving without", "nothing", "suspended", "a suspended serving", "both ways"],
)
def test_what_is_remembered_is_said_whole(entry: dict[str, Any], said: str, tmp_path: Path) -> None:
    (problem,) = refused(EXCHANGE.with_entry("gone", **entry), tmp_path)
    assert said in problem


@pytest.mark.parametrize("case", WITH_FILES, ids=str)
def test_without_its_file_a_suspended_peer_makes_the_same_objects(case: Case, tmp_path: Path) -> None:
    before = retired(case, "suspended").load(tmp_path / "file")
    for peer in before.peers.accepted:
        if not peer.by_hand:
            said = {"partyId": peer.party_id, "kind": None if peer.kind == "party" else peer.kind}
            case = suspended(case, peer.name, **{key: value for key, value in said.items() if value is not None})
    names = [peer.name for peer in before.peers.accepted if not peer.by_hand]
    # With its file it is the same stack as without these lines.
    assert case.load(tmp_path / "said").plan == before.plan
    after = harmed(case, None, *names).load(tmp_path / "alone")
    assert after.plan.units == before.plan.units
    assert after.plan.states == before.plan.states
    lost = [warning for warning in after.plan.warnings if "stays blocked as" in warning]
    assert len(lost) == len(names) > 0
    # An end that only the file told is no longer known.
    assert [warning for warning in after.plan.warnings if warning not in lost] == [*before.plan.warnings]
    drawn = [[node.key for node in topology_of(found.spec, found.peers, found.plan).nodes] for found in (before, after)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("harm", HARM)
def test_a_harmed_file_of_a_suspended_peer_stops_nothing_and_opens_nothing(harm: str, tmp_path: Path) -> None:
    content, words = HARM[harm]
    before = suspended(EXCHANGE).load(tmp_path / "before")
    after = harmed(suspended(EXCHANGE), content).load(tmp_path / "after")
    assert after.plan.units == before.plan.units
    (unit,) = after.plan.units
    tables = yaml.safe_load(unit.routes[0].fields["data"]["route_table.yaml"])
    assert tables[10000]["fateflow"] == [{"host": "127.0.0.1", "http_port": 1}]
    assert "203.0.113.2" not in str([unit.routes for unit in after.plan.units]), "neither the accepted addresses nor those of the new file"
    (warning,) = [warning for warning in after.plan.warnings if warning not in before.plan.warnings]
    assert warning.startswith("peer clinic-b is suspended, and stays blocked as party 10000, as the stack file says: ")
    assert words in warning
    assert warning.endswith("restore the file before `fatefed peers resume clinic-b`")


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("state", ["active", "pending"])
def test_of_a_peer_that_is_not_severed_its_id_replaces_no_file(harm: str, state: str, tmp_path: Path) -> None:
    """An active one has routes by its file; whoever waits may come back any day."""
    case = EXCHANGE.changed(lambda config: config["peers"]["clinic-b"].update(state=state, partyId="10000"))
    (said,) = refused(harmed(case, HARM[harm][0]), tmp_path)
    assert HARM[harm][1] in said


@pytest.mark.parametrize("name", ["clinic-b", "mallory"])
@pytest.mark.parametrize("harm", ["gone", "signed with a stranger's key"])
def test_nobody_else_takes_the_id_of_a_suspended_peer_without_its_file(
    name: str, harm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = harmed(suspended(EXCHANGE), HARM[harm][0]).write(project(tmp_path) / "stacks")
    before, offered = file.read_text(), tmp_path / "offered.json"
    offered.write_bytes(signed_file(party_descriptor("10000", "mallory", host="198.51.100.77"), signer="mallory"))
    assert main(["peers", "add", str(offered), "--name", name, "--yes", "-C", str(tmp_path), "-s", "consortium"]) == 1
    errors = capsys.readouterr().err
    own, another = f"not with the accepted key {key_of('clinic-b')}", "party id 10000 of peer mallory already belongs to peer clinic-b"
    assert (own if name == "clinic-b" else another) in errors
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"partyId": "10001"}, "partyId: says party 10001, and its descriptor is that of party 10000"),
        ({"kind": "exchange"}, "partyId: says the exchange, and its descriptor is that of party 10000"),
        ({"kind": "serving", "partyId": "10000"}, "kind: says FATE-Serving of party 10000, and its descriptor is that of party 10000"),
    ],
    ids=["another id", "an exchange", "another kind"],
)
@pytest.mark.parametrize("state", ["active", "suspended"])
def test_what_an_entry_says_is_what_its_descriptor_says(said: dict[str, str], words: str, state: str, tmp_path: Path) -> None:
    """Else a damaged file would sever another party, and leave the id of this one to anybody."""
    case = EXCHANGE.changed(lambda config: config["peers"]["clinic-b"].update(state=state, **said))
    with pytest.raises(FederationError) as caught:
        load_stack(case.write(tmp_path))
    (problem,) = caught.value.problems
    assert words in f"{problem.place.rpartition('.')[2]}: {problem.problem}"


def test_suspending_writes_what_the_descriptor_says_and_coming_back_drops_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = EXCHANGE.with_peer("hub-b", exchange_descriptor("hub-b", host="198.51.100.70", nginx="198.51.100.71"))
    file = case.write(project(tmp_path) / "stacks")
    before = yaml.safe_load(file.read_text())["config"]["fate:peers"]
    command = ["-C", str(tmp_path), "-s", "consortium"]
    for name in ("clinic-b", "hub-b"):
        assert main(["peers", "suspend", name, *command]) == 0, capsys.readouterr().err
    entries = yaml.safe_load(file.read_text())["config"]["fate:peers"]
    assert entries["clinic-b"] == before["clinic-b"] | {"state": "suspended", "partyId": "10000"}
    assert entries["hub-b"] == before["hub-b"] | {"state": "suspended", "kind": "exchange"}

    # Without the file `check` goes on and says it; it does not come back until the file is there again.
    descriptor = file.parent / "peers/clinic-b.json"
    kept = descriptor.read_bytes()
    descriptor.write_bytes(kept[:100])
    capsys.readouterr()
    assert main(["check", *command]) == 0, capsys.readouterr().err
    assert "peer clinic-b is suspended, and stays blocked as party 10000" in capsys.readouterr().out
    suspended_text = file.read_text()
    assert main(["peers", "resume", "clinic-b", *command]) == 1
    assert "is no longer a descriptor" in capsys.readouterr().err
    assert file.read_text() == suspended_text
    descriptor.write_bytes(kept)
    for name in ("clinic-b", "hub-b"):
        assert main(["peers", "resume", name, *command]) == 0, capsys.readouterr().err
    back = {name: before[name] | {"state": "active"} for name in ("clinic-b", "hub-b")}
    assert yaml.safe_load(file.read_text())["config"]["fate:peers"] == before | back


def test_an_accepted_file_replaces_the_damaged_one_of_a_suspended_peer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its state stays, and what the entry says of it."""
    file = harmed(suspended(EXCHANGE), b"{}").write(project(tmp_path) / "stacks")
    offered = tmp_path / "offered.json"
    offered.write_bytes(signed_file(CLINIC, serial=2))
    command = ["-C", str(tmp_path), "-s", "consortium"]
    assert main(["peers", "add", str(offered), "--yes", *command]) == 0, capsys.readouterr().err
    entry = yaml.safe_load(file.read_text())["config"]["fate:peers"]["clinic-b"]
    assert (entry["state"], entry["partyId"], entry["acceptedSerial"]) == ("suspended", "10000", 2)
    assert not [warning for warning in load_stack(file).plan.warnings if "stays blocked" in warning]


def test_fate_serving_of_a_suspended_party_belongs_to_its_key_without_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    harmed(suspended(EXCHANGE), None).write(project(tmp_path) / "stacks")
    offered = tmp_path / "offered.json"
    words = ["-C", str(tmp_path), "-s", "consortium", "peers", "add", str(offered), "--name", "serving-b", "--yes"]
    for signer, status in (("mallory", 1), ("clinic-b", 0)):
        offered.write_bytes(signed_file(serving_descriptor("10000", signer), signer=signer))
        assert main([*words[4:], *words[:4], "--key", key_of(signer)]) == status, capsys.readouterr().err
        assert (key_of("clinic-b") in capsys.readouterr().err) == (status == 1)


@pytest.mark.parametrize(
    "said", [{"state": "active"}, {"state": "suspended"}, {"state": "suspended", "partyId": "10000"}, {"state": "retired"}]
)
def test_an_accepted_descriptor_without_its_sha256_is_an_error(said: dict[str, str], tmp_path: Path) -> None:
    """The peer would wait, and its routes go, for a line that was lost."""
    case = EXCHANGE.changed(lambda config: (config["peers"]["clinic-b"].pop("sha256"), config["peers"]["clinic-b"].update(said)))
    (problem,) = refused(case, tmp_path)
    assert "is missing, although a descriptor with the serial 1 was accepted: restore the line" in problem


def test_a_key_typed_before_its_file_comes_is_no_accepted_descriptor(tmp_path: Path) -> None:
    case = EXCHANGE.with_entry("new", descriptor="peers/new.json", key=key_of("clinic-b"))
    assert "new" in case.load(tmp_path).plan.pending


def test_a_damaged_file_is_restored_or_parted_with(tmp_path: Path) -> None:
    """What is wrong in it is nothing that its owner could correct."""
    case = Case("damaged", EXCHANGE.config, {**EXCHANGE.files, "peers/clinic-b.json": b"{}"})
    (said,) = refused(case, tmp_path / "active")
    assert (
        "peers/clinic-b.json changed since it was accepted, and is no longer a descriptor: schemaVersion is missing: restore the file"
        in said
    )
    assert "write peers.clinic-b.partyId" in said
    left = case.changed(lambda config: config["peers"]["clinic-b"].update(state="retired", partyId="10000"))
    assert left.load(tmp_path / "left").plan.states["clinic-b"] == {"state": "retired"}
