"""Pages as a terminal shows them: tables as wide as it is, and a colour for each word that is a state.

Only a terminal is given that; into a pipe or a file goes the plain form, which scripts read. https://no-color.org: NO_COLOR turns colours
off, FORCE_COLOR turns them on without a terminal, too. No colour says what its word does not say.
"""

import io
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from cli.tools.output import say
from cli.tools.page import GAP, Page, Table
from cli.tools.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_GOOD, _WARNS, _BAD, _DIM = "green", "yellow", "bold red", "dim"
# Words that lines begin with, up to the gap or colon behind them, and that are all of a cell.
STYLES: Mapping[str, str] = {
    **dict.fromkeys(("ok", "ready", "Bound", "signed", "active", "reload", "nothing failed"), _GOOD),
    **dict.fromkeys(("warning", "not readable", "pending", "suspended", "cut", "open", "rolling restart", "recreate"), _WARNS),
    **dict.fromkeys(("failed", "not ready", "absent", "not signed", "Lost", "data loss", "first to fix", "fatefed"), _BAD),
    **dict.fromkeys(("skipped", "retired"), _DIM),
    **dict.fromkeys(("fix", "remedy", "next"), "bold"),
}
_WORDS = "|".join(sorted(STYLES, key=len, reverse=True))
_PADDING = re.compile(r" +((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)
_LINE_START = re.compile(rf"^ *({_WORDS})(?=:|  |$)", re.MULTILINE)


def tell(page: str | Page) -> None:
    """Print for people on standard output. OutputError when that is not possible."""
    say(shown(page, sys.stdout))


def tell_error(text: str) -> None:
    """Print what went wrong on standard error, the first line as that. OutputError when that is not possible."""
    say(shown(text, sys.stderr, _BAD), sys.stderr)


def shown(page: str | Page, stream: TextIO, first: str = "") -> str:
    """A page as a stream takes it. `first`: the style of its first line."""
    width, coloured = (shutil.get_terminal_size().columns if stream.isatty() else None), has_colours(stream)
    if width is None and not coloured:
        return printable(str(page))
    from rich.console import Console  # costs 50 ms

    # Without a terminal the plain form is painted, and no line of it is wrapped.
    console = Console(
        file=io.StringIO(),
        force_terminal=coloured,
        color_system="standard" if coloured else None,
        width=width,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    for part in page.parts if isinstance(page, Page) and width else (str(page),):
        # A text has commands to copy: the terminal breaks its lines, so that they stay whole.
        console.print(_fitting(part, width or 0) if isinstance(part, Table) else _painted(part, first), soft_wrap=isinstance(part, str))
    return _PADDING.sub(r"\1", console.file.getvalue().removesuffix("\n"))  # type: ignore[attr-defined]


def has_colours(stream: TextIO) -> bool:
    """Whether colours are wanted on a stream."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and not is_dumb())


def is_dumb() -> bool:
    """Whether the terminal understands nothing but lines."""
    return os.environ.get("TERM", "dumb") in ("", "dumb", "unknown")


def _painted(text: str, first: str) -> "Text":
    from rich.text import Text

    made = Text(printable(text))
    made.stylize(first, 0, len(made.plain.partition("\n")[0]))
    for line in _LINE_START.finditer(made.plain):
        made.stylize(STYLES[line[1]], *line.span(1))
    return made


def _fitting(table: Table, width: int) -> "RenderableType":
    """Columns that share the width; where that would break a word, and so a host name, each row is a list of its own."""
    from rich.cells import cell_len

    columns = [*zip(*table.cells, strict=True)]
    least = [max(cell_len(word) for cell in column for word in cell.split() or [""]) for column in columns]
    whole = [max(map(cell_len, column)) for column in columns]
    room = width - len(GAP) * (len(columns) - 1)
    if sum(least) > room:
        return _lists(table, width)
    # As wide as their longest cell, but for the widest, which give way to each other.
    shares = ([min(most, max(word, limit)) for word, most in zip(least, whole, strict=True)] for limit in range(max(whole), -1, -1))
    return _grid(table.cells, next(share for share in shares if sum(share) <= room), heads=1)


def _lists(table: Table, width: int) -> "RenderableType":
    from rich.console import Group

    head, *rows = table.cells
    names = max(map(len, head))
    share = [names, max(1, width - names - len(GAP))]
    made = [_grid([[name, cell] for name, cell in zip(head, row, strict=True) if cell], share, heads=0) for row in rows]
    return Group(*[part for one in made for part in ("", one)][1:])


def _grid(cells: Sequence[Sequence[str]], widths: Sequence[int], *, heads: int) -> "RenderableType":
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid.grid(padding=(0, len(GAP), 0, 0))
    for width in widths:
        grid.add_column(width=width, overflow="fold")
    for number, row in enumerate(cells):
        # A Text is no markup: `[red]` in a name stays what it is.
        grid.add_row(*(Text(cell, "bold" if number < heads else STYLES.get(cell, "")) for cell in row))
    return grid
