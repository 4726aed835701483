"""Every verb, with words that work: in terminals of 80 and 200 columns, into pipes, closed ones, and a full disk."""

import io
import json
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path
from typing import Any, TextIO

import pytest
from rich.cells import cell_len

from cli.main import main
from cli.tools import progress
from cli.tools.kubectl import Cluster
from tests.support.every_verb import BROKEN, FOREIGN, VERBS, Lab, arguments, verbs

KNOWN = dict(verbs())
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A project, and programs that answer."""
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def answers() -> dict[tuple[str, ...], Any]:
    """What kubectl answered before: a process for each question would take minutes."""
    return {}


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(lab: Lab, answers: dict[tuple[str, ...], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a verb on a project as it was; exit status, output and errors."""
    ask = Cluster._run

    def remembered(cluster: Cluster, words: list[str], *rest: Any, **more: Any) -> Any:
        if tuple(words) not in answers:
            answers[tuple(words)] = ask(cluster, words, *rest, **more)
        return answers[tuple(words)]

    monkeypatch.setattr(Cluster, "_run", remembered)
    # On a busy machine a verb may take longer than two seconds, and then says what it waits for (tools/test_progress.py).
    monkeypatch.setattr(progress, "SECONDS", 600.0)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def fresh(verb: str, stream: Callable[[], TextIO], errors: Callable[[], Any] = io.StringIO, *more: str, **variables: str) -> Any:
        monkeypatch.chdir(lab.fresh(tmp_path / str(len([*tmp_path.iterdir()]))))
        for name, value in {**lab.environment, "TERM": "xterm-256color", **variables}.items():
            monkeypatch.setenv(name, value)
        with stream() as output, errors() as said:
            monkeypatch.setattr(sys, "stdout", output)
            monkeypatch.setattr(sys, "stderr", said)
            code = main([*arguments(verb, lab.folder), *more])
            return code, output.getvalue() if isinstance(output, io.StringIO) else "", said.getvalue()

    return fresh


def widest(text: str) -> int:
    """How many columns a text takes."""
    return max(map(cell_len, COLOUR.sub("", text).splitlines()), default=0)


def words(text: str) -> set[str]:
    """The words of a page, without its colours and the lines of Markdown."""
    return {word.casefold() for word in COLOUR.sub("", text).split()} - {"|", "---"}


def test_every_verb_has_words_that_work() -> None:
    assert len(KNOWN) >= 30
    assert KNOWN.keys() == VERBS.keys(), "a new verb needs a row in tests/support/every_verb.py"
    assert sum(each.fits for each in VERBS.values()) > 5


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_fits_its_terminal_and_a_pipe_gets_no_colours(verb: str, run: Run) -> None:
    code, plain, said = run(verb, io.StringIO)
    assert (code, "Traceback" in plain + said) == (VERBS[verb].code, False), said
    assert plain or said
    assert "\x1b" not in plain + said
    for columns, no_color in (("80", ""), ("200", "1")):
        code, shown, said = run(verb, Terminal, Terminal, COLUMNS=columns, NO_COLOR=no_color)
        assert (code, "Traceback" in shown + said) == (VERBS[verb].code, False)
        assert not (no_color and "\x1b" in shown + said)
        if VERBS[verb].fits:
            assert widest(shown) <= int(columns)
            assert words(shown) == words(plain), "nothing is cut"


@pytest.mark.parametrize("verb", VERBS)
def test_with_json_a_verb_prints_one_document_also_when_it_fails(verb: str, run: Run) -> None:
    code, printed, _ = run(verb, io.StringIO, io.StringIO, "--json")
    assert code == VERBS[verb].code
    assert isinstance(json.loads(printed), dict | list)


@pytest.mark.parametrize(("stream", "status", "said"), BROKEN, ids=["closed pipe", "full disk"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_whose_output_nobody_takes_ends_quietly(verb: str, stream: Callable[[], TextIO], status: int, said: str, run: Run) -> None:
    code, _, errors = run(verb, stream)
    # A verb that failed has said so on standard error, and printed nothing.
    assert code == (status if VERBS[verb].code != 1 else 1)
    assert errors.endswith(said) or VERBS[verb].code == 1
    assert "Traceback" not in errors


@pytest.mark.parametrize(("stream", "status", "said"), BROKEN, ids=["closed pipe", "full disk"])
@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_ends_quietly(
    verb: str, stream: Callable[[], TextIO], status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with stream() as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert main([*verb.split(), "--help"]) == status
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_ends_with_an_example_that_its_options_allow(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*verb.split(), "--help"]) == 0
    last = capsys.readouterr().out.rstrip("\n").splitlines()[-1]
    example = re.fullmatch(r"Example: `fatefed (.+)`", last)
    assert example, last
    typed = shlex.split(example[1].partition(" > ")[0])
    assert typed[: len(verb.split())] == verb.split()
    KNOWN[verb].make_context("fatefed", typed[len(verb.split()) :])  # wrong usage raises


class Pty:
    """A real terminal of some columns; what a process prints on it."""

    def __init__(self, columns: int) -> None:
        self._own, self.other = pty.openpty()
        ioctl(self.other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self) -> str:
        """All that was printed, when nobody can print more."""
        os.close(self.other)
        parts = []
        try:
            while part := os.read(self._own, 65536):
                parts.append(part)
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(self._own)
        return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.mark.parametrize("language", ["C", "zh_CN.UTF-8"])
@pytest.mark.parametrize(("verb", "columns"), [("peers list", 80), ("firewall", 200), ("images pin", 80)])
def test_a_process_in_a_real_terminal_takes_its_width_whatever_the_language(verb: str, columns: int, language: str, lab: Lab) -> None:
    terminal = Pty(columns)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "COLUMNS", "NO_COLOR", "FORCE_COLOR"))}
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments(verb, lab.folder), "-C", str(lab.folder / "project")],
        stdin=subprocess.DEVNULL,
        stdout=terminal.other,
        stderr=terminal.other,
        env={**kept, **lab.environment, "TERM": "xterm", "LANG": language},
        check=False,
    )
    text = terminal.read()
    assert (done.returncode, "Traceback" in text) == (VERBS[verb].code, False)
    assert COLOUR.search(text)
    if VERBS[verb].fits:
        assert columns - 40 < widest(text) <= columns
    assert (FOREIGN.split()[0] in text) == (verb == "peers list")
