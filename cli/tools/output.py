"""What fatefed prints. Whoever reads it may end first (`| head`), and it may be sent to a full disk: neither is a defect of a verb."""

import os
import signal
import sys
from typing import TextIO

from cli.tools.progress import waits_no_more

# As a shell shows the end of any program whose reader ended before it.
READER_ENDED = 128 + signal.SIGPIPE
UNWRITABLE = 1


class OutputError(Exception):
    """The output cannot be written; `code`: the exit status that says so."""

    def __init__(self, stream: TextIO, error: OSError) -> None:
        super().__init__(f"standard {'error' if stream is sys.stderr else 'output'} cannot be written: {error.strerror}")
        self.code = READER_ENDED if isinstance(error, BrokenPipeError) else UNWRITABLE
        _abandon(stream)


def say(text: str, stream: TextIO | None = None, end: str = "\n") -> None:
    """Print a text at once (default: on standard output). OutputError when that is not possible.

    Letters that the stream's encoding lacks are spelled out.
    """
    waits_no_more()
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, end=end, flush=True)
    except OSError as error:
        raise OutputError(stream, error) from None


def flush_stdout() -> None:
    """Print what others left in the buffer of standard output. OutputError like `say`."""
    say("", end="")


def _abandon(stream: TextIO) -> None:
    """Let what is left in the buffer go nowhere: Python tries again when it ends, and would show a traceback."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
