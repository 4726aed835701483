"""What a verb waits for, as the last line of a terminal, on standard error: from two seconds on, and gone before anything is printed."""

import sys
import threading
import time
from contextlib import suppress

from federation.base.errors import escaped

SECONDS = 2.0
_REFRESH_SECONDS = 0.25


class _Progress:
    """The line of one process. Verbs ask several servers at once, so any thread may say what it waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._what = ""
        self._end: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def begin(self, what: str) -> None:
        with self._lock:
            self._what = escaped(what)
            if self._thread is None and sys.stderr.isatty():
                self._end = threading.Event()
                self._thread = threading.Thread(target=self._show, args=(self._end, time.monotonic()), daemon=True)
                self._thread.start()

    def end(self) -> None:
        with self._lock:
            if self._end is not None and self._thread is not None:
                self._end.set()
                self._thread.join()
                self._thread = self._end = None

    def _show(self, end: threading.Event, began: float) -> None:
        if end.wait(SECONDS):
            return
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        console = Console(file=sys.stderr)
        spinner = Spinner("line", _line(self._what, SECONDS, console.width))
        # Rich shows nothing on a dumb terminal. A terminal that is gone, or lacks a letter, is no reason to end.
        with (
            suppress(OSError, UnicodeError),
            Live(spinner, console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False) as live,
        ):
            while not end.wait(_REFRESH_SECONDS):
                spinner.update(text=_line(self._what, time.monotonic() - began, console.width))
                live.refresh()


def _line(what: str, seconds: float, width: int) -> str:
    from rich.markup import escape

    waited = f" ({seconds:.0f} s)"
    return escape(f"{what[: width - len(waited) - 3]}{waited}")


_progress = _Progress()


def waits_for(what: str) -> None:
    """Say what the verb waits for now: a program, a server. Shown in a terminal alone, and only when the verb is quiet for long."""
    _progress.begin(what)


def waits_no_more() -> None:
    """Take the line away: something is printed, or the verb has ended."""
    _progress.end()
