"""Peers in a file of their own (`fate:peersFile`): moved there without a change of plan, read, edited and refused like any others."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from cli.peers.accept import accept, review
from cli.stackfile.edit import cut, with_entry
from cli.tools.errors import CommandError
from cli.tools.project import Stack, find_project
from federation.base.errors import FederationError
from federation.config.file import StackSource
from federation.stack.limits import CONFIG_BYTES, oversized_config
from federation.stack.load import load_stack
from tests.support.configs import CASES, EXCHANGE, MESH, Case, key_of
from tests.support.stacks import initialized, party, project, sent

HOSPITAL = party("hospital-c", "10001", "198.51.100.30")


@pytest.fixture
def consortium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """An exchange with two members, in a file of their own."""
    stack = initialized(tmp_path, "consortium", kind="exchange")
    for body in (party(), party("bank-a", "9999", "198.51.100.9")):
        accept(review(stack, sent(tmp_path, body)))
    stack.file.write_text(stack.file.read_text().replace("    clinic-b:\n", "    # the one by the river\n    clinic-b: # the hospital\n"))
    monkeypatch.chdir(tmp_path)
    assert main(["peers", "move", "-s", "consortium"]) == 0
    return stack


def own(stack: Stack) -> Path:
    return stack.file.parent / "peers/consortium.yaml"


def problem(stack: Stack) -> str:
    with pytest.raises(FederationError) as raised:
        stack.load()
    assert all(found.place and found.problem and found.remedy for found in raised.value.problems)
    return str(raised.value)


def test_moved_peers_take_their_comments_along_and_leave_one_line(consortium: Stack) -> None:
    text = consortium.file.read_text()
    assert "clinic-b" not in text
    assert "fate:peers:" not in text
    assert text.count("  fate:peersFile: peers/consortium.yaml\n") == 1
    moved = own(consortium).read_text()
    assert "# the one by the river\nclinic-b: # the hospital\n  descriptor: peers/clinic-b.json\n" in moved


@pytest.mark.parametrize("case", [case for case in CASES if case.config.get("peers")], ids=str)
def test_the_plan_stays_as_it_was(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = case.write(project(tmp_path) / "stacks")
    before = load_stack(file)
    assert before.spec.peers
    assert main(["peers", "move", "-s", case.config["organization"], "-C", str(tmp_path)]) == 0, capsys.readouterr()
    after = load_stack(file)
    assert (after.plan, after.peers.accepted) == (before.plan, before.peers.accepted)
    assert "peers" not in yaml.safe_load(file.read_text())["config"]


def test_the_engine_need_not_know_them(tmp_path: Path) -> None:
    file = MESH.write(project(tmp_path) / "stacks")
    before = load_stack(file)
    assert main(["peers", "move", "-s", "bank-a", "-C", str(tmp_path)]) == 0
    given = {key: value for key, value in MESH.config.items() if key != "peers"} | {"peersFile": "peers/bank-a.yaml"}
    assert load_stack(file, given).plan == before.plan


@pytest.mark.parametrize(("written", "given"), [(None, "peers/bank-a.yaml"), ("peers/bank-a.yaml", None), (5, "5")], ids=str)
def test_a_file_that_only_one_of_engine_and_stack_file_names_is_told(written: Any, given: str | None, tmp_path: Path) -> None:
    """Without a word every peer of the file would be gone, and with it every link."""
    apart = MESH.changed(lambda config: config.update(peersFile=written) if written else None)
    file = apart.changed(lambda config: config.pop("peers")).with_file("peers/bank-a.yaml", b"{}").write(tmp_path)
    with pytest.raises(FederationError) as raised:
        load_stack(file, {key: value for key, value in {**MESH.config, "peersFile": given}.items() if value is not None and key != "peers"})
    (problem,) = raised.value.problems
    assert problem.place.rpartition(" ")[2] == "fate:peersFile"
    assert "of the engine" in problem.problem


def test_peers_of_both_places_are_known(consortium: Stack, tmp_path: Path) -> None:
    typed = "  fate:peers:\n    typed: {unsigned: true, partyId: 10009, pulsar: pulsar.typed.example:6651, nginx: 198.51.100.99:9300}\n"
    consortium.file.write_text(consortium.file.read_text() + typed)
    assert set(consortium.load().spec.peers) == {"bank-a", "clinic-b", "typed"}


def test_a_new_peer_comes_to_the_file(consortium: Stack, tmp_path: Path) -> None:
    before, stack_text = own(consortium).read_text(), consortium.file.read_text()
    file = sent(tmp_path, HOSPITAL)
    found = review(consortium, file)
    assert "+  - fqdn: 10001.fraud.example" in "\n".join(change.diff for change in found.routes)
    accept(found)
    assert own(consortium).read_text().startswith(before)
    assert consortium.file.read_text() == stack_text
    assert consortium.load().spec.peers["hospital-c"].key == key_of("hospital-c")
    assert not review(consortium, file).needed


def test_a_peer_of_the_file_is_suspended_there(consortium: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack_text = consortium.file.read_text()
    assert main(["peers", "suspend", "clinic-b", "-s", "consortium", "--reason", "audit"]) == 0
    assert "-  - fqdn: 10000.fraud.example" in capsys.readouterr().out
    assert consortium.file.read_text() == stack_text
    assert "clinic-b: # the hospital" in own(consortium).read_text()
    assert consortium.load().plan.states["clinic-b"] == {"state": "suspended", "reason": "audit"}


def test_peers_that_came_to_the_stack_file_later_are_moved_too(consortium: Stack) -> None:
    typed = "  fate:peers:\n    typed: {unsigned: true, partyId: 10009, pulsar: pulsar.typed.example:6651, nginx: 198.51.100.99:9300}\n"
    consortium.file.write_text(consortium.file.read_text() + typed)
    before, plan = own(consortium).read_text(), consortium.load().plan
    assert main(["peers", "move", "-s", "consortium"]) == 0
    assert own(consortium).read_text().startswith(before)
    assert consortium.load().plan == plan
    assert consortium.file.read_text().count("peersFile") == 1
    assert "fate:peers:" not in consortium.file.read_text()


def test_a_problem_stands_at_its_line_of_the_file(consortium: Stack) -> None:
    own(consortium).write_text(own(consortium).read_text().replace("state: active", "state: asleep", 1))
    line = 1 + own(consortium).read_text().splitlines().index("  state: asleep")
    assert f"peers/consortium.yaml:{line} " in problem(consortium)


def test_what_is_written_twice_is_refused(consortium: Stack) -> None:
    own(consortium).write_text(own(consortium).read_text() + "bank-a: {unsigned: true}\n")
    consortium.file.write_text(consortium.file.read_text() + "  fate:peers:\n    clinic-b: {unsigned: true}\n")
    said = problem(consortium)
    assert "bank-a is written twice" in said
    assert "is also in stacks/peers/consortium.yaml" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda stack: own(stack).unlink(), "cannot be read"),
        (lambda stack: own(stack).write_text("- a\n"), "not a YAML mapping\n    remedy: write the peers by name"),
        (lambda stack: own(stack).write_text("a: [\n"), "not valid YAML"),
        (lambda stack: own(stack).write_bytes(b"\xff"), "is not UTF-8: byte 0xff"),
        (lambda stack: named(stack, "../../peers.yaml"), "is outside the folder of the stack file"),
        (lambda stack: named(stack, "/etc/hostname"), "is outside the folder of the stack file"),
        (lambda stack: named(stack, "[a]"), "fate:peersFile"),
    ],
    ids=["gone", "a list", "no YAML", "no text", "above", "absolute", "no name"],
)
def test_a_file_that_will_not_do_is_refused(consortium: Stack, change: Any, said: str) -> None:
    change(consortium)
    assert said in problem(consortium)


def named(stack: Stack, path: str) -> None:
    stack.file.write_text(stack.file.read_text().replace("peersFile: peers/consortium.yaml", f"peersFile: {path}"))


@pytest.mark.parametrize("text", ["config:\n  fate:peers: {}\n", "config:\n  fate:organization: a\n"])
def test_without_peers_nothing_is_moved(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project(tmp_path) / "stacks/Pulumi.a.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    assert main(["peers", "move", "-s", "a", "-C", str(tmp_path)]) == 1
    assert "has no peers to move" in capsys.readouterr().err
    assert file.read_text() == text


def test_a_file_that_is_there_already_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = MESH.with_file("peers/bank-a.yaml", b"mine: 1\n").write(project(tmp_path) / "stacks")
    before = file.read_bytes()
    assert main(["peers", "move", "-s", "bank-a", "-C", str(tmp_path)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (file.read_bytes(), (file.parent / "peers/bank-a.yaml").read_text()) == (before, "mine: 1\n")


BLOCK = "    x: # X\n      descriptor: d\n    # Y\n    y: {descriptor: d}\n"
SECTIONS = {
    "block": (f"  fate:peers:\n{BLOCK}", "x: # X\n  descriptor: d\n# Y\ny: {descriptor: d}\n"),
    "last": (f"  fate:peers:\n{BLOCK.rstrip()}", "x: # X\n  descriptor: d\n# Y\ny: {descriptor: d}\n"),
    "flow": ("  fate:peers: {x: {descriptor: d}, 'no': {descriptor: d}}\n", 'x: {descriptor: d}\n"no": {descriptor: d}\n'),
    "alias": ("  a:b: &a {x: {descriptor: d}}\n  fate:peers: *a\n", "x: {descriptor: d}\n"),
    "comment first": (f"  fate:peers: # all\n    # X\n{BLOCK}", "# X\nx: # X\n  descriptor: d\n# Y\ny: {descriptor: d}\n"),
}


@pytest.mark.parametrize("layout", SECTIONS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "dos"])
def test_a_section_is_cut_out_however_it_is_written(layout: str, newline: str) -> None:
    section, body = SECTIONS[layout]
    text = f"config:\n  fate:organization: a # who\n{section}".replace("\n", newline)
    rest, cut_out = cut(text, "peers", {"peersFile": "p.yaml"})
    assert cut_out == body.replace("\n", newline)
    assert rest.endswith(f"  fate:peersFile: p.yaml{newline}")
    assert f"  fate:organization: a # who{newline}" in rest
    assert StackSource(rest, "").config() == {"organization": "a", "peersFile": "p.yaml"}


def test_an_anchor_that_others_use_is_not_torn_away() -> None:
    with pytest.raises(CommandError, match="cannot be edited safely"):
        cut("config:\n  fate:peers:\n    x: &x {descriptor: d}\n  other:peers: *x\n", "peers", {})


@pytest.mark.parametrize(
    ("text", "start"), [("", ""), ("# none yet\n", "# none yet\n"), ("# none yet", "# none yet\n"), ("x: {a: b}", "x: {a: b}\n")]
)
def test_the_first_peer_comes_to_an_empty_file(text: str, start: str) -> None:
    assert with_entry(text, "p.yaml", ("clinic-b",), {"state": "active"}) == f"{start}clinic-b:\n  state: active\n"


def large(count: int) -> Case:
    """A stack file with many accepted peers, each as `fatefed peers add` writes it."""
    entry = {"descriptor": "peers/clinic-b.json", "state": "active", "key": key_of("x"), "acceptedSerial": 1, "sha256": "0" * 64}
    return Case("large", {**EXCHANGE.config, "peers": {f"member-{number}": dict(entry) for number in range(count)}})


def test_more_than_pulumi_can_carry_is_refused_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = large(700).write(project(tmp_path) / "stacks")
    organization = EXCHANGE.config["organization"]
    assert main(["check", "-s", organization, "-C", str(tmp_path)]) == 1
    assert "`fatefed peers move`" in capsys.readouterr().err
    assert main(["peers", "move", "-s", organization, "-C", str(tmp_path)]) == 0
    capsys.readouterr()
    main(["check", "-s", organization, "-C", str(tmp_path)])
    assert "bytes of configuration" not in capsys.readouterr().err
    assert len(StackSource.read(file).config()["peers"]) == 700  # type: ignore[arg-type]


def test_a_new_peer_that_pulumi_could_not_carry_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    EXCHANGE.write(project(tmp_path) / "stacks")
    stack = find_project(tmp_path).stack("consortium")
    size = len(json.dumps(StackSource.read(stack.file).engine_config))
    monkeypatch.setattr("federation.stack.limits.CONFIG_BYTES", size)
    file = sent(tmp_path, HOSPITAL)
    with pytest.raises(FederationError, match="fatefed peers move"):
        review(stack, file)
    assert main(["peers", "move", "-s", "consortium", "-C", str(tmp_path)]) == 0
    accept(review(stack, file))
    assert "hospital-c" in stack.load().spec.peers


def test_it_is_said_before_it_is_too_late(tmp_path: Path) -> None:
    file = MESH.write(tmp_path)
    assert not [warning for warning in load_stack(file).plan.warnings if "bytes" in warning]
    file.write_text(file.read_text() + f"  other:value: {'x' * 110_000}\n")
    (found,) = [warning for warning in load_stack(file).plan.warnings if "bytes" in warning]
    assert "`fatefed peers move`" in found


def test_the_size_is_that_of_the_variable() -> None:
    """Pulumi writes JSON in JSON: each quote of a value takes two bytes."""
    config = {
        "fate:organization": "a",
        "fate:peers": {"x": {"state": "active", "acceptedSerial": 1}},
        "fate:secrets": {"k": {"secure": "v1:x"}},
    }
    peers = r"{\"x\":{\"state\":\"active\",\"acceptedSerial\":1}}"
    variable = f'PULUMI_CONFIG={{"fate:organization":"a","fate:peers":"{peers}","fate:secrets":"{{\\"k\\":\\"\\"}}"}}'
    free = CONFIG_BYTES - len(variable) - 1
    pad = len(',"a:b":""')
    assert not list(oversized_config({**config, "a:b": "x" * (free - pad)}, "s.yaml"))
    assert list(oversized_config({**config, "a:b": "x" * (free - pad + 1)}, "s.yaml"))
