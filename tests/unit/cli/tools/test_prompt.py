"""Questions at a terminal: a pasted block of commands does not answer them."""

import os
import pty
import re
import selectors
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.stacks import REPO, exchange, initialized, sent

_ASKED = b"[y/N] "
# A command that asks, unless its options say that it does not: the line after it in a pasted block would be its answer.
_ASKS = re.compile(
    r"\b(?:fatefed (?:peers add|trust rotate)|pulumi (?:up|destroy|refresh|cancel|import|stack rm))\b(?!.*(?: --yes| -y\b))"
    r"|^pulumi config set --secret\b(?!.* < )"
)
_PAGES = [REPO / "README.md", *sorted((REPO / "docs").rglob("*.md")), *sorted((REPO / "stacks").glob("*.md"))]


class Terminal:
    """A command at a terminal of its own, in which some input waits already."""

    def __init__(self, words: list[str], waiting: bytes) -> None:
        self._ours, theirs = pty.openpty()
        os.write(self._ours, waiting)
        self._process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=REPO, start_new_session=True)
        os.close(theirs)
        self.said = b""

    def until(self, text: bytes, seconds: float = 60) -> None:
        """Wait for what it prints."""
        end = time.monotonic() + seconds
        while text not in self.said and time.monotonic() < end:
            if not self._read():
                return

    def type(self, text: bytes) -> None:
        os.write(self._ours, text)

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._ours)
        return self._process.wait(60)

    def _read(self) -> bool:
        # Not select(), which takes no descriptor above 1023.
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._ours, selectors.EVENT_READ)
            if not waiting.select(60):
                return False
        try:
            found = os.read(self._ours, 4096)
        except OSError:  # the other end is closed
            return False
        self.said += found
        return bool(found)


@pytest.mark.parametrize("waiting", [b"", b"pulumi up\n", b"pulumi preview -s bank-a\npulumi up -s bank-a\n", b"pulumi up", b"y\n"])
def test_what_was_pasted_behind_a_command_does_not_answer_its_question(tmp_path: Path, waiting: bytes) -> None:
    bank = initialized(tmp_path / "bank", "bank-a", kind="party")
    words = [sys.executable, "-m", "cli", "peers", "add", str(sent(tmp_path, exchange())), "-C", str(bank.project.folder), "-s", bank.name]
    terminal = Terminal(words, waiting)
    terminal.until(_ASKED)
    assert _ASKED in terminal.said, terminal.said.decode()
    assert bank.load().plan.pending, "nothing is accepted before there is an answer"
    assert (b"ignored lines of a pasted block" in terminal.said) is waiting.endswith(b"\n")
    terminal.type(b"y\n")
    assert terminal.end() == 0, terminal.said.decode()
    assert not bank.load().plan.pending


def _blocks() -> list[tuple[str, list[str]]]:
    """Every block of shell commands of the documentation, as lines; a line that ends with a backslash goes on."""
    found = []
    for page in _PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            lines = [line for line in block.replace("\\\n", " ").splitlines() if line.strip() and not line.strip().startswith("#")]
            found.append((str(page.relative_to(REPO)), lines))
    return found


def test_a_command_that_asks_is_the_last_one_of_its_block() -> None:
    blocks = _blocks()
    assert len(blocks) > 10
    asking = [(page, line, lines[-1]) for page, lines in blocks for line in lines if _ASKS.search(line.partition(" #")[0])]
    assert len(asking) > 5
    assert [(page, line) for page, line, last in asking if line != last] == []
