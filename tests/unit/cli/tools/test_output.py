"""Whoever reads the output of a verb may end first, and a disk may be full: no verb shows a traceback for that."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
import typer

from cli.main import app, main
from tests.support.stacks import initialized

READER_ENDED, UNWRITABLE, WRONG_USAGE = 141, 1, 2


def _closed_pipe() -> TextIO:
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


def _full_disk() -> TextIO:
    return open("/dev/full", "w")


BROKEN: list[tuple[Callable[[], TextIO], int, str]] = [
    (_closed_pipe, READER_ENDED, ""),
    (_full_disk, UNWRITABLE, "fatefed: standard output cannot be written: No space left on device\n"),
]


def _verbs(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", {})
    if not below:
        yield words, command
    for name, found in below.items():
        yield from _verbs(found, (*words, name))


VERBS = dict(_verbs(typer.main.get_command(app)))


def _needed(command: Any, folder: Path) -> list[str]:
    """Some value for all that a verb asks for, and the stack of the folder."""
    found: list[str] = []
    for parameter in command.params:
        value = "party" if parameter.name == "kind" else str(folder / "there-is-none")
        if parameter.required:
            found += [value] if parameter.param_type_name == "argument" else [parameter.opts[0], value]
    with_stack = any("--stack" in parameter.opts for parameter in command.params)
    return [*found, *(["-s", "bank-a", "-C", str(folder)] if with_stack else [])]


def _arguments(verb: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A verb about a new stack of a folder of its own, which is entered."""
    folder.mkdir()
    initialized(folder, "bank-a", kind="party")
    monkeypatch.chdir(folder)
    return [*verb, *_needed(VERBS[verb], folder), "--json"]


def test_every_verb_of_the_command_is_tried() -> None:
    assert len(VERBS) > 20
    assert {("init",), ("doctor",), ("convert", "kubefate"), ("releases", "list"), ("descriptor", "export")} <= VERBS.keys()


@pytest.mark.parametrize(("stream", "code", "said"), BROKEN, ids=["closed pipe", "full disk"])
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_the_help_of_a_verb_ends_quietly(
    verb: tuple[str, ...],
    stream: Callable[[], TextIO],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with stream() as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert main([*verb, "--help"]) == code
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(("stream", "code", "said"), BROKEN, ids=["closed pipe", "full disk"])
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_verb_that_prints_ends_quietly(
    verb: tuple[str, ...],
    stream: Callable[[], TextIO],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    expected = main(_arguments(verb, tmp_path / "first", monkeypatch))
    printed = capsys.readouterr().out
    arguments = _arguments(verb, tmp_path / "again", monkeypatch)
    with stream() as output:
        monkeypatch.setattr(sys, "stdout", output)
        found = main(arguments)
    assert found == (code if printed else expected)
    assert printed or expected == WRONG_USAGE, "with --json a verb prints, also when it fails"
    assert capsys.readouterr().err.endswith(said if printed else "")


def _process(arguments: list[str], **streams: Any) -> subprocess.CompletedProcess[str]:
    # Without a buffer, argparse itself swallows what --help cannot print.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run([sys.executable, "-m", "cli", *arguments], **streams, env=environment, text=True, check=False)


@pytest.mark.parametrize(("stream", "code", "said"), BROKEN, ids=["closed pipe", "full disk"])
def test_a_whole_process_ends_with_the_usual_status_and_no_word_of_python(stream: Callable[[], TextIO], code: int, said: str) -> None:
    for arguments in (["releases", "list"], ["releases", "list", "--help"], []):
        with stream() as output:
            done = _process(arguments, stdout=output, stderr=subprocess.PIPE)
        expected = (code, said) if arguments else (WRONG_USAGE, done.stderr)
        assert (done.returncode, done.stderr) == expected
        assert "Traceback" not in done.stderr


def test_errors_that_nobody_can_read_are_no_traceback_either() -> None:
    with _full_disk() as nowhere:
        done = _process(["check", "-s", "a b"], stdout=subprocess.PIPE, stderr=nowhere)
    assert (done.returncode, done.stdout) == (UNWRITABLE, "")
