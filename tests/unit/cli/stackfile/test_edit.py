"""Edits of a stack file touch only the lines of the peer, however the file is written."""

import difflib
import re
from pathlib import Path

import pytest
import yaml

from cli.stackfile.edit import BY_HAND, Scalar, peers_with, with_fields
from cli.stackfile.initialize import Answers, stack_text
from cli.stackfile.kinds import FIRST_STACKS, StackKind
from cli.tools.errors import CommandError
from federation.base.errors import FederationError
from federation.config.file import StackSource
from tests.support.stacks import EXAMPLES

FIELDS = {"descriptor": "peers/clinic-b.json", "sha256": "1" * 64, "state": "active"}
TAIL = "  # after the peers\n  fate:images: # all of them\n    registry: r # own\n  # the end\n# really\n"
LAYOUTS = {
    "no peers": "  fate:organization: a # who\n",
    "no peers, nothing but comments after": "  fate:organization: a # who\n\n  # after\n\n# end\n",
    "null": f"  fate:peers: # none\n{TAIL}",
    "tilde": f"  fate:peers: ~\n{TAIL}",
    "empty map": f"  fate:peers: {{}} # none yet\n{TAIL}",
    "another peer": f"  fate:peers:\n    x: # X\n      descriptor: peers/x.json # there\n\n{TAIL}",
    "another peer in flow style": f"  fate:peers:\n    x: {{descriptor: peers/x.json}} # there\n{TAIL}",
    "all peers in flow style": f"  fate:peers: {{x: {{descriptor: peers/x.json}}}} # there\n{TAIL}",
    "announced": "  fate:peers:\n    # B\n    clinic-b: # here\n      descriptor: peers/clinic-b.json # file\n"
    f"    # X\n    x: {{descriptor: x}}\n{TAIL}",
    "announced, last, in flow style": f"  fate:peers:\n    clinic-b: {{descriptor: peers/old.json}} # here\n{TAIL}",
    "announced, null": f"  fate:peers:\n    clinic-b: # here\n    # X\n    x: {{descriptor: x}}\n{TAIL}",
    "accepted": "  fate:peers:\n    clinic-b:\n      state: suspended # why\n      sha256: 'abc' # old\n"
    f'      descriptor: "peers/x.json"\n{TAIL}',
    "by hand": "  fate:peers:\n    clinic-b: # here\n      unsigned: true # mine\n      partyId: 10000\n      pulsar: h:1 # P\n"
    f"      nginx: 1.2.3.4:5\n{TAIL}",
    "by hand, with state": f"  fate:peers:\n    clinic-b:\n      unsigned: true\n      state: active # S\n      nginx: 1.2.3.4:5\n{TAIL}",
    "by hand, with rollsite": "  fate:peers:\n    clinic-b: # here\n      unsigned: true # mine\n      rollsite: h:1 # P\n"
    f"      partyId: 10000\n{TAIL}",
    "by hand, with RabbitMQ": "  fate:peers:\n    clinic-b: # here\n      unsigned: true # mine\n      rabbitmq: h:1 # P\n"
    f"      nginx: 1.2.3.4:5\n{TAIL}",
    "a tag and an anchor": f"  fate:peers: &p !!map\n    x: {{descriptor: d}}\n{TAIL}",
    "deep indentation": f"  fate:peers:\n          x:\n              descriptor: d\n{TAIL}",
    "a list before": f"  fate:list:\n  - a # A\n  - |\n    text\n    more\n{TAIL}",
    "a text before": f"  fate:peers:\n    x:\n      descriptor: |-\n        peers/x.json\n{TAIL}",
    "an alias": "  fate:anchor: &a {descriptor: d}\n  fate:peers:\n    x: *a\n  # end\n",
    "secrets after": "  fate:peers:\n    x: {descriptor: d}\n  fate:secrets:\n    k:\n      secure: v1:abc:def==\n"
    "encryptionsalt: v1:x:y==\n",
}


def with_peer(text: str, name: str, fields: dict[str, Scalar]) -> str:
    return with_fields(text, ("peers", name), fields, BY_HAND)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ending", ["", "\n"], ids=["open end", "newline"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "dos"])
def test_an_edit_says_what_it_should_and_changes_nothing_else(layout: str, ending: str, newline: str) -> None:
    text = ("# head\nconfig:\n" + LAYOUTS[layout].rstrip("\n") + ending).replace("\n", newline)
    edited = with_peer(text, "clinic-b", FIELDS)
    assert StackSource(edited, "").config() == peers_with(StackSource(text, "").config(), "clinic-b", FIELDS)
    assert _comments(text) - _comments(edited) <= ({"# mine", "# P"} if "unsigned" in text else set())
    tail = TAIL.strip("\n").replace("\n", newline)
    assert (tail in edited) == (tail in text and "fate:peers" in text)
    gone = [line for line in _gone(text, edited) if line.strip()]
    ours = r"clinic-b|sha256|descriptor|state|fate:peers|unsigned|partyId|pulsar|rabbitmq|rollsite|nginx"
    assert all(re.search(ours, line) for line in gone), gone
    assert edited.count("\r\n") == (edited.count("\n") if newline == "\r\n" else 0)
    assert with_peer(edited, "clinic-b", FIELDS) == edited


def test_a_comment_stays_with_what_it_is_about() -> None:
    edited = with_peer(f"config:\n{LAYOUTS['announced']}", "clinic-b", FIELDS)
    expected = LAYOUTS["announced"].replace("# file\n", f'# file\n      sha256: "{"1" * 64}"\n      state: active\n')
    assert edited == f"config:\n{expected}"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_only_get_lines(path: Path) -> None:
    text = path.read_text()
    for name in ("consortium", "bank-a", "newcomer"):
        edited = with_peer(text, name, {**FIELDS, "descriptor": f"peers/{name}.json"})
        assert _gone(text, edited) == []
        assert yaml.safe_load(edited)["config"]["fate:peers"][name]["sha256"] == "1" * 64


@pytest.mark.parametrize("kind", FIRST_STACKS)
def test_every_new_stack_file_can_be_edited(kind: StackKind) -> None:
    text = stack_text(Answers(kind=kind, organization="a"))
    fields = {**FIELDS, "descriptor": "peers/consortium.json"}
    edited = with_peer(text, "consortium", fields)
    assert StackSource(edited, "").config()["peers"]["consortium"] == fields  # type: ignore[index]
    assert all("fate:peers" in line or "192.0.2.10" in line or "unsigned" in line for line in _gone(text, edited))


@pytest.mark.parametrize("name", ["9999", "no", "1e3"])
def test_a_name_that_yaml_takes_for_something_else_is_quoted(name: str) -> None:
    for text in ("config:\n  fate:peers:\n    x: {descriptor: d}\n", "config:\n  fate:peers: {x: {descriptor: d}}\n", "config:\n  a: b\n"):
        assert name in yaml.safe_load(with_peer(text, name, FIELDS))["config"]["fate:peers"]


@pytest.mark.parametrize("text", ["", "config: {}\n", "config:\n", "config: {fate:peers: {}}\n", "- a\n"])
def test_a_file_that_cannot_be_edited_is_left_to_its_owner(text: str) -> None:
    with pytest.raises(FederationError) as raised:
        with_peer(text, "clinic-b", FIELDS)
    assert raised.value.problems[0].remedy


@pytest.mark.parametrize("endpoint", ["pulsar", "rabbitmq", "trafficServer", "nginx", "rollsite"])
def test_no_address_typed_by_hand_stays_beside_a_descriptor(endpoint: str) -> None:
    before = {"peers": {"clinic-b": {"unsigned": True, "partyId": "10000", endpoint: "h:1", "state": "active"}}}
    assert peers_with(before, "clinic-b", FIELDS)["peers"] == {"clinic-b": FIELDS}


def test_what_to_type_is_said_when_a_file_cannot_be_edited() -> None:
    with pytest.raises(CommandError, match=r"fate:peers by hand: \{clinic-b: \{descriptor: peers/clinic-b.json"):
        with_peer("config: {fate:organization: a}\n", "clinic-b", FIELDS)


def _gone(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[2:] for line in lines if line.startswith("- ")]


def _comments(text: str) -> set[str]:
    return set(re.findall(r"#[^\r\n]*", text))
