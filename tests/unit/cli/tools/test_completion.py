"""Completion: the names of the stack that a half-typed line is about, none that a shell could run, and never an error."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.commands import names
from cli.tools.completion import offered, stacks
from tests.support.stacks import initialized, project


def line(**typed: Any) -> Any:
    """What Typer knows of a half-typed line."""
    return SimpleNamespace(params={"stack_name": None, "folder": None, **typed})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two stacks, entered; no pulumi."""
    initialized(tmp_path, "bank-a", kind="party", peers=("consortium",))
    initialized(tmp_path, "consortium", kind="exchange")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    return tmp_path


def test_names_are_those_of_the_stack_that_the_line_names(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bank, exchange = line(stack_name="bank-a"), line(stack_name="consortium")
    assert (names.peers(bank, ""), names.peers(exchange, "")) == (["consortium"], [])
    assert (names.units(bank, ""), names.units(exchange, "e")) == (["party-9999"], ["exchange"])
    assert names.modules(bank, "spark") == ["spark-master", "spark-worker"]
    assert names.modules(exchange, "") == ["nginx", "traffic-server"]
    assert names.consoles(bank, "n") == ["namenode", "notebook"]
    assert stacks(line(), "") == ["bank-a", "consortium"]
    elsewhere = project(home / "other")
    assert stacks(line(folder=elsewhere), "") == []
    monkeypatch.chdir(elsewhere)
    assert names.peers(line(stack_name="bank-a", folder=home), "") == ["consortium"]


def test_nothing_is_offered_where_no_stack_is_chosen_or_its_file_is_wrong(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert names.peers(line(), "") == [], "there are two"
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(file.read_text().replace("release: 1.11.2", "release: 0"))
    assert names.modules(line(stack_name="bank-a"), "") == []
    assert names.peers(line(stack_name="bank-a"), "") == ["consortium"], "peers can be read all the same"
    file.write_text("config: [")
    assert names.peers(line(stack_name="bank-a"), "") == []
    assert names.peers(line(folder=Path("/nowhere")), "") == []
    assert stacks(line(folder=Path("/nowhere")), "") == []
    assert tuple(capsys.readouterr()) == ("", "")


@pytest.mark.parametrize("name", ["a$(touch x)", "a\\$(touch x)", "a`x`", "a;x", "a x", "a'x", 'a"x', "a*", "-rf", "a\nb", "a:b", "a|x"])
def test_no_name_is_offered_that_a_shell_could_run(name: str) -> None:
    assert offered(["ab", name], "") == ["ab"]
