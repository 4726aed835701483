"""A question to whoever sits at the terminal."""

import select
import sys
import termios

from cli.tools.output import say

# A pasted block comes in pieces: so long nothing more may have come.
_QUIET_SECONDS = 0.2


def says_yes(question: str) -> bool:
    """Whether the answer is yes. What was typed or pasted before the question is no answer to it."""
    if _dropped_lines():
        say("fatefed: ignored lines of a pasted block that were waiting at the terminal: run them after this", sys.stderr)
    say(f"{question} [y/N] ", end="")
    return input().strip().lower() in ("y", "yes")


def _dropped_lines() -> bool:
    """Drop all input that waits at the terminal. Whether there was any; False without a terminal."""
    if not sys.stdin.isatty():
        return False
    dropped = False
    while select.select([sys.stdin], [], [], _QUIET_SECONDS)[0]:
        dropped = True
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    # A line without its end is not seen as waiting.
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    return dropped
