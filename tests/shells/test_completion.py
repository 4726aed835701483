"""Completion in real shells, installed as an operator installs it, with TAB typed at a terminal."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.stacks import initialized

pytestmark = pytest.mark.shells
SHELLS = {"bash": ["bash", "-i"], "zsh": ["zsh", "-i"], "fish": ["fish", "-i"]}
# What is typed before TAB, and the word that it becomes.
TYPED = {
    "a verb": ("fatefed supp", "support-bundle"),
    "a verb of a group": ("fatefed peers sus", "suspend"),
    "an option": ("fatefed init party --compu", "--computing"),
    "a stack": ("fatefed check -s ban", "bank-a"),
    "a peer of the stack that is named": ("fatefed peers resume -s bank-a conso", "consortium"),
    "a peer of the only stack": ("fatefed doctor conso", "consortium"),
    "a release": ("fatefed releases show 1.10", "1.10.0"),
    "a module": ("fatefed logs spark-m", "spark-master"),
    "a console": ("fatefed open name", "namenode"),
    "a kind of stack": ("fatefed init exte", "external"),
}
_SECONDS = 60.0


class Terminal:
    """A terminal with a shell in it."""

    def __init__(self, process: int, descriptor: int) -> None:
        self._process, self._descriptor, self.screen = process, descriptor, ""

    def type(self, keys: str) -> None:
        """Press keys; what the screen showed before is forgotten."""
        self.screen = ""
        os.write(self._descriptor, keys.encode())

    def wait_for(self, text: str) -> None:
        """Until the screen shows a text, for a minute at most."""
        end = time.monotonic() + _SECONDS
        while text not in self.screen:
            assert select.select([self._descriptor], [], [], max(0, end - time.monotonic()))[0], f"no {text!r} on: {self.screen!r}"
            self.screen += re.sub(r"\x1b(\[[0-9;?]*[a-zA-Z]|[()].|[=>]|\][^\x07]*\x07)|\r", "", os.read(self._descriptor, 65536).decode())

    def ready(self) -> None:
        """Until the shell takes a command."""
        self.type("echo rea''dy\r")
        self.wait_for("ready\n")

    def end(self) -> None:
        """End the shell."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._descriptor)


@contextmanager
def terminal(shell: str, home: Path) -> Iterator[Terminal]:
    """A shell in the folder of a project, with a home of its own."""
    environment = {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TERM": "xterm", "LANG": "C.UTF-8"}
    process, descriptor = pty.fork()
    if process == 0:
        os.chdir(home / "project")
        os.execvpe(SHELLS[shell][0], SHELLS[shell], environment)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    opened = Terminal(process, descriptor)
    try:
        yield opened
    finally:
        opened.end()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a project in it, whose only stack has a peer."""
    folder = tmp_path_factory.mktemp("home")
    initialized(folder / "project", "bank-a", kind="party", peers=("consortium",))
    (folder / ".zshrc").touch()  # or zsh asks a newcomer what to put into it
    return folder


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_what_a_line_can_go_on_with(shell: str, home: Path) -> None:
    assert shutil.which(shell), f"install {shell}: make shells"
    with terminal(shell, home) as newcomer:
        newcomer.ready()
        newcomer.type("fatefed --install-completion\r")
        newcomer.wait_for("completion installed in")
    with terminal(shell, home) as operator:
        operator.ready()
        for what, (typed, word) in TYPED.items():
            assert word not in typed, what
            operator.type(f"{typed}\t")
            operator.wait_for(word)
            operator.type("\x15")
