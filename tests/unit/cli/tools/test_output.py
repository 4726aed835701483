"""Whoever reads the output may end first, a disk may be full, and an encoding may lack a letter: no traceback shows for that."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import pytest

from cli.tools.output import say
from tests.support.every_verb import BROKEN, UNWRITABLE, full_disk

WRONG_USAGE = 2


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
    with full_disk() as nowhere:
        done = _process(["check", "-s", "a b"], stdout=subprocess.PIPE, stderr=nowhere)
    assert (done.returncode, done.stdout) == (UNWRITABLE, "")


def test_a_letter_that_the_encoding_lacks_is_spelled_out(tmp_path: Path) -> None:
    with open(tmp_path / "out", "w", encoding="gb2312") as output:
        say("维护 é \N{SNOWMAN}", output)
    assert (tmp_path / "out").read_bytes().decode("gb2312") == "维护 é \\u2603\n"
