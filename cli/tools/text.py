"""Text for a terminal: nothing that moves its cursor."""

import difflib
import re
from collections.abc import Iterable

from federation.base.errors import escaped


def printable(text: str) -> str:
    """Escapes control and bidirectional characters, because messages may quote untrusted input."""
    return "\n".join(map(escaped, text.split("\n")))


# What colours a text: it moves nothing, and in the middle of a log it is noise.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def log_line(text: str) -> str:
    """A line of a program's log for a terminal: colours removed, tabs expanded, other control characters escaped."""
    return escaped(_COLOUR.sub("", text).expandtabs())


def guess(word: str, known: Iterable[str]) -> str:
    """A remedy for a name that is not known: the one that it resembles, and all that there are."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"{f'did you mean {close[0]!r}? ' if close else ''}name one of: {', '.join(names) or 'there is none'}"


def one_line(text: str) -> str:
    """A text on one line, without what moves a cursor."""
    return printable(" ".join(text.split()))
