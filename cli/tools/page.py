"""What a verb prints for people: texts and tables. Their plain form, for pipes and files, does not depend on any terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cli.tools.text import one_line

GAP = "  "


@dataclass(frozen=True)
class Table:
    """A head and rows of as many cells, which may come from elsewhere. `markdown`: its plain form is a table of Markdown."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    markdown: bool = False

    @property
    def cells(self) -> list[list[str]]:
        """The head in capitals, then the rows; each cell on one line, without what moves a cursor."""
        return [[one_line(name).upper() for name in self.head], *([one_line(cell) for cell in row] for row in self.rows)]

    def __str__(self) -> str:
        return markdown(self.head, self.rows) if self.markdown else _columns(self.cells)


@dataclass(frozen=True)
class Page:
    """Texts and tables, one below the other."""

    parts: tuple[str | Table, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.parts))


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    names = [*head]
    lines = [names, ["---"] * len(names), *([one_line(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _columns(cells: Sequence[Sequence[str]]) -> str:
    """Columns of the width of their longest cell."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
