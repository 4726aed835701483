"""`fatefed peers add --from-stack`: another stack of one's own instead of a file; pulumi is a small stand-in that takes notes."""

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from federation.config.file import StackSource
from federation.peers.descriptor import Descriptor, digest
from tests.support.stacks import exchange, initialized, party, sent, stand_in

OTHER = "organization/fate/clinic-b"
PULUMI = """
import json, pathlib, sys
home = pathlib.Path({home!r})
print(json.dumps(sys.argv[1:]), file=open(home / "asked.jsonl", "a"))
outputs = json.loads((home / "outputs.json").read_text())
said = outputs.get(sys.argv[sys.argv.index("--stack") + 1], "error: no stack named 'x' found")
if sys.argv[1:4] != ["stack", "output", "descriptors"]:
    sys.exit(f"not expected: {{sys.argv}}")
sys.exit(said) if isinstance(said, str) and said.startswith("error") else print(json.dumps(said))
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project folder of an exchange, entered; nobody is there to be asked."""
    initialized(tmp_path, "consortium", kind="exchange")
    stand_in(tmp_path, monkeypatch, PULUMI.format(home=str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    publish(tmp_path, {OTHER: {"party-10000": party()}})
    return tmp_path


def publish(home: Path, outputs: Mapping[str, object]) -> None:
    """What each stack has as its output `descriptors`; a text that begins with `error`: what pulumi says of it."""
    (home / "outputs.json").write_text(json.dumps(outputs))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of `peers add` on the exchange's stack."""
    return (main(["peers", "add", *arguments, "-s", "consortium"]), *capsys.readouterr())


def entry(home: Path) -> str:
    """The stack file."""
    return (home / "stacks" / "Pulumi.consortium.yaml").read_text()


def peers(home: Path) -> Any:
    """What it says of peers."""
    return StackSource(entry(home), "").config()["peers"]


def edit(home: Path, old: str, new: str) -> None:
    """Change the stack file."""
    assert entry(home).count(old) == 1
    (home / "stacks" / "Pulumi.consortium.yaml").write_text(entry(home).replace(old, new))


def everything(home: Path) -> dict[Path, bytes]:
    """Every file of the project, but for the notes of the stand-in."""
    return {path: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.name != "asked.jsonl"}


def accepted(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What was accepted without a question."""
    code, out, errors = run(capsys, *arguments, "--yes", "--json")
    assert (code, errors) == (0, "")
    return json.loads(out)


def test_a_stack_of_ones_own_is_reviewed_like_a_file_and_remembered_by_its_name(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, out, errors = run(capsys, "--from-stack", OTHER, "--yes")
    assert (code, errors) == (0, "")
    assert "peer clinic-b: party 10000 of clinic-b, federation fraud (fraud.example)" in out
    assert f"  not signed: read from unit party-10000 of stack {OTHER}; anyone who can write to this state backend can change it\n" in out
    assert "nothing proves who wrote it" not in out
    assert "first descriptor of clinic-b; it would be active" in out
    assert "+    tunnel_route: 198.51.100.20:6651" in out
    content = Descriptor.model_validate(party()).text().encode()
    assert (home / "stacks/peers/clinic-b.json").read_bytes() == content
    assert peers(home) == {
        "clinic-b": {
            "descriptor": "peers/clinic-b.json",
            "stack": OTHER,
            "unit": "party-10000",
            "state": "active",
            "unsigned": True,
            "sha256": digest(content),
        }
    }
    assert main(["check", "-s", "consortium"]) == 0


def test_only_the_output_descriptors_is_asked_for(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    accepted(capsys, "--from-stack", OTHER)
    (asked,) = [json.loads(line) for line in (home / "asked.jsonl").read_text().splitlines()]
    assert asked[:4] == ["stack", "output", "descriptors", "--json"]
    assert asked[asked.index("--stack") + 1] == OTHER
    assert "--show-secrets" not in asked


def test_the_review_as_data_says_where_it_was_read(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    before = everything(home)
    code, out, errors = run(capsys, "--from-stack", OTHER, "--json")
    found = json.loads(out)
    assert (code, "confirm with --yes to accept this descriptor" in errors) == (2, True)
    assert (found["stack"], found["unit"], found["key"], found["warnings"]) == (OTHER, "party-10000", None, [])
    assert everything(home) == before


def test_a_stack_is_read_again_by_the_name_of_its_peer(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    accepted(capsys, "--from-stack", OTHER, "--name", "clinic")
    assert run(capsys, "--name", "clinic")[1] == "peer clinic was accepted with this descriptor before; there is nothing to write\n"
    publish(home, {OTHER: {"party-10000": party(host="198.51.100.77"), "exchange": exchange("clinic-b")}})
    found = accepted(capsys, "--name", "clinic")
    assert {change["new"] for change in found["changes"]} == {"198.51.100.77"}
    assert (found["name"], found["unit"], found["state"]) == ("clinic", "party-10000", "active")
    assert "198.51.100.77" in (home / "stacks/peers/clinic.json").read_text()
    assert found["sha256"] in entry(home)


def test_a_peer_keeps_its_name_whether_one_names_it_or_its_stack(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    edit(home, "fate:peers: {}", f"fate:peers: {{west: {{stack: {OTHER}}}}}")
    assert accepted(capsys, "--from-stack", OTHER)["name"] == "west"
    assert accepted(capsys, "--from-stack", OTHER)["name"] == "west"


def test_a_peer_in_a_file_of_its_own_is_read_and_written_there(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    edit(home, "fate:peers: {}", "fate:peersFile: peers/all.yaml")
    file = home / "stacks/peers/all.yaml"
    file.parent.mkdir()
    file.write_text(f"west: # our other region\n  stack: {OTHER}\n")
    before = entry(home)
    found = accepted(capsys, "--name", "west")
    assert (found["stack"], found["unit"], entry(home) == before) == (OTHER, "party-10000", True)
    assert file.read_text().startswith(f"west: # our other region\n  stack: {OTHER}\n")
    assert yaml.safe_load(file.read_text())["west"]["sha256"] == found["sha256"]
    assert main(["check", "-s", "consortium"]) == 0


def test_the_state_of_a_peer_is_kept(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    accepted(capsys, "--from-stack", OTHER)
    edit(home, "state: active", "state: suspended # audit")
    publish(home, {OTHER: {"party-10000": party(host="198.51.100.77")}})
    found = accepted(capsys, "--name", "clinic-b")
    assert (found["state"], found["routes"]) == ("suspended", [])
    assert "state: suspended # audit\n" in entry(home)


def test_a_retired_peer_of_a_stack_is_remembered_without_its_file(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    accepted(capsys, "--from-stack", OTHER)
    assert main(["peers", "retire", "clinic-b", "-s", "consortium"]) == 0
    (home / "stacks/peers/clinic-b.json").unlink()
    assert main(["check", "-s", "consortium"]) == 0
    assert (peers(home)["clinic-b"]["stack"], str(peers(home)["clinic-b"]["partyId"])) == (OTHER, "10000")


def test_a_file_takes_the_place_of_a_stack_with_its_key(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    accepted(capsys, "--from-stack", OTHER)
    found = json.loads(run(capsys, str(sent(home, party())), "--json")[1])
    assert run(capsys, str(sent(home, party())), "--yes", "--key", found["key"])[0] == 0
    assert found["key"] in entry(home)
    assert peers(home)["clinic-b"].keys() == {"descriptor", "state", "key", "acceptedSerial", "sha256"}


def test_the_descriptor_of_another_stack_goes_beside_that_of_the_same_name(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "stacks/Pulumi.second.yaml").write_text(entry(home))
    accepted(capsys, "--from-stack", OTHER)
    publish(home, {OTHER: {"party-10000": party(host="198.51.100.77")}})
    assert main(["peers", "add", "--from-stack", OTHER, "--yes", "-s", "second"]) == 0
    assert "descriptor: peers/second/clinic-b.json" in (home / "stacks/Pulumi.second.yaml").read_text()
    assert "198.51.100.20" in (home / "stacks/peers/clinic-b.json").read_text()


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ("error: no stack named 'organization/fate/clinic-b' found", "is not in this state backend (no stack named"),
        ("error: organization name must be 'organization'", "is not in this state backend (organization name must be 'organization')"),
        ("error: current stack does not have output property 'descriptors'", "publishes no descriptor: it is not deployed"),
        ("error: incorrect passphrase", "the passphrase is not the one of this stack"),
        ({}, "publishes no descriptor: it is not deployed"),
        ("[secret]", "its output `descriptors` is a secret"),
        ({"party-10000": party(), "exchange": exchange()}, "publishes more than one descriptor: exchange, party-10000"),
        ({"party-10000": party(partyId="x")}, "a party id is a positive whole number"),
        ({"party-10000": party(mysqlPassword="canary")}, "mysqlPassword: looks like a secret"),
        ({"party-10000": party(federation={"name": "aml", "domain": "aml.example"})}, "is a descriptor of federation aml (aml.example)"),
        ({"exchange": exchange()}, "is the descriptor of this stack's own exchange"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "published",
)
def test_a_stack_that_publishes_nothing_fit_is_refused_with_a_remedy(
    capsys: pytest.CaptureFixture[str], home: Path, published: object, expected: str
) -> None:
    publish(home, {OTHER: published})
    before = everything(home)
    code, out, errors = run(capsys, "--from-stack", OTHER, "--yes")
    assert (code, out) == (1, "")
    assert f"stack {OTHER}" in errors
    assert expected in errors
    assert "remedy: " in errors
    assert "canary" not in errors
    assert everything(home) == before


def test_a_unit_is_chosen_when_there_are_several(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    publish(home, {OTHER: {"party-10000": party(), "party-10001": party(party_id="10001", host="198.51.100.21")}})
    assert "has no deployed unit party-7" in run(capsys, "--from-stack", OTHER, "--unit", "party-7", "--yes")[2]
    assert accepted(capsys, "--from-stack", OTHER, "--unit", "party-10001")["descriptor"]["partyId"] == "10001"
    # The name of its owner is taken by now.
    assert accepted(capsys, "--from-stack", OTHER, "--unit", "party-10000")["name"] == "clinic-b-10000"
    assert main(["check", "-s", "consortium"]) == 0


def test_a_peer_that_signs_is_not_taken_over_from_a_stack(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    key = json.loads(run(capsys, str(sent(home, party())), "--json")[1])["key"]
    assert run(capsys, str(sent(home, party())), "--yes", "--key", key)[0] == 0
    before = everything(home)
    code, _, errors = run(capsys, "--from-stack", OTHER, "--yes")
    assert code == 1
    assert f"is not signed, but this peer signs with {key}" in errors
    assert "first remove key, previousKey and acceptedSerial from fate:peers" in errors
    assert everything(home) == before


def test_another_unit_does_not_take_the_place_of_a_peer(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    accepted(capsys, "--from-stack", OTHER)
    publish(home, {OTHER: {"party-10000": party("clinic-c")}})
    assert "describes party 10000 of clinic-c, but peer clinic-b was accepted as" in run(capsys, "--name", "clinic-b", "--yes")[2]


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ((), 2, "name a descriptor FILE; or a stack with --from-stack; or a peer from a stack with --name"),
        (("sent.json", "--from-stack", OTHER), 2, "name a descriptor FILE or a stack, not both"),
        (("sent.json", "--unit", "exchange"), 2, "name a descriptor FILE or a stack, not both"),
        (("--from-stack", OTHER, "--key", "SHA256:x"), 2, "a descriptor from a stack has no signature"),
        (("--from-stack", OTHER, "--unsigned"), 2, "a descriptor from a stack has no signature"),
        (("--from-stack", "clinic-b"), 1, "--from-stack: 'clinic-b' is not the full name of a stack"),
        (("--from-stack", "--yes"), 2, "expected one argument"),
        (("--name", "nobody"), 1, "--name: there is no peer nobody"),
        (("--name", "typed"), 1, "--name: peer typed has no stack that could be read"),
    ],
)
def test_what_is_asked_for_must_make_sense(
    capsys: pytest.CaptureFixture[str], home: Path, arguments: tuple[str, ...], code: int, expected: str
) -> None:
    typed = "{unsigned: true, partyId: '10002', pulsar: '198.51.100.9:6651', nginx: '198.51.100.9:9300'}"
    edit(home, "fate:peers: {}", f"fate:peers: {{typed: {typed}}}")
    try:
        ended = main(["peers", "add", *arguments, "-s", "consortium"])
    except SystemExit as stopped:
        ended = int(stopped.code or 0)
    assert (ended, expected in capsys.readouterr().err) == (code, True)
    assert not (home / "asked.jsonl").exists()
