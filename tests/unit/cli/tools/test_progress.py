"""A verb that takes long says what it waits for, in a terminal only, and leaves nothing of that behind."""

import io
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.main import main
from cli.tools import progress
from cli.tools.output import say
from tests.support.every_verb import Lab

ERASE = "\x1b[2K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two seconds pass sooner, in a terminal that can move its cursor."""
    monkeypatch.setattr(progress, "SECONDS", 0.05)
    monkeypatch.setattr(progress, "_REFRESH_SECONDS", 0.01)
    monkeypatch.setenv("TERM", "xterm-256color")
    yield
    progress.waits_no_more()


def waited(monkeypatch: pytest.MonkeyPatch, errors: io.StringIO, what: str = "kubectl get pods", seconds: float = 0.5) -> str:
    """What stands on standard error after some seconds of waiting, and a word on it."""
    monkeypatch.setattr(sys, "stderr", errors)
    progress.waits_for(what)
    time.sleep(seconds)
    say("done", errors)
    return errors.getvalue()


def test_what_is_waited_for_is_shown_and_gone_before_anything_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = waited(monkeypatch, Terminal())
    assert "kubectl get pods (0 s)" in text
    assert text.rpartition(ERASE)[2].endswith("done\n")
    assert "kubectl" not in text.rpartition(ERASE)[2]


@pytest.mark.parametrize(("errors", "kind"), [(io.StringIO, "xterm"), (io.StringIO, "dumb"), (Terminal, "dumb")])
def test_nothing_is_shown_without_a_terminal_or_in_a_dumb_one(
    errors: type[io.StringIO], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert waited(monkeypatch, errors()) == "done\n"


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS", 5)
    assert waited(monkeypatch, Terminal(), seconds=0.05) == "done\n"


def test_a_name_from_elsewhere_is_no_markup_and_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = waited(monkeypatch, Terminal(), "[red]registry[/red] \x1b[2J\u202e")
    assert "[red]registry[/red] \\u001b[2J\\u202e" in text
    assert "\x1b[2J" not in text


def test_many_threads_share_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = Terminal()
    monkeypatch.setattr(sys, "stderr", errors)
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda number: (progress.waits_for(f"host {number}"), time.sleep(0.1)), range(16)):
            pass
    say("done", errors)
    assert "host 15 (0 s)" in errors.getvalue()
    assert "host" not in errors.getvalue().rpartition(ERASE)[2]


def test_a_verb_that_waits_for_kubectl_says_so_and_its_output_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = Lab(tmp_path / "lab")
    for name, value in lab.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(lab.folder / "project")
    assert main(["status", "-s", "bank-a"]) == 0
    plain, silent = capsys.readouterr()
    assert silent == ""
    errors = Terminal()
    monkeypatch.setattr(sys, "stderr", errors)
    assert main(["status", "-s", "bank-a"]) == 0
    assert capsys.readouterr().out == plain
    assert "kubectl get " in errors.getvalue()
    assert "kubectl" not in errors.getvalue().rpartition(ERASE)[2]
