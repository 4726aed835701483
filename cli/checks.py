"""What a check found out: rows of check, state, problem and how to fix it, as a table and as data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cli.cluster import Reading
from cli.show import printable, table

State = Literal["ok", "failed", "not readable"]


@dataclass(frozen=True)
class Row:
    """One check. What it says may come from a cluster or a peer: it is made printable when it is shown."""

    check: str
    state: State
    problem: str = ""
    fix: str = ""

    def plain(self) -> dict[str, str]:
        """The row as data."""
        return {"check": self.check, "state": self.state, "problem": self.problem, "fix": self.fix}


def not_read(check: str, reading: Reading, fix: str) -> Row | None:
    """A row when there is no answer to look at."""
    if reading.state == "ok":
        return None
    if reading.state == "not readable":
        return Row(check, "not readable", reading.reason, fix)
    return Row(check, "failed", reading.reason, "ask again; if it stays so, see what kubectl says")


def failed(rows: Iterable[Row]) -> bool:
    """Whether a check failed. What cannot be read is not known to be wrong."""
    return any(row.state == "failed" for row in rows)


def rows_data(rows: Iterable[Row]) -> dict[str, Any]:
    """The rows as data, and how many are in which state."""
    found = list(rows)
    return {"rows": [row.plain() for row in found], "summary": _counts(found)}


def rows_text(rows: Iterable[Row]) -> str:
    """A line for each check; below those that are not ok, the problem and how to fix it."""
    found = list(rows)
    width = max((len(row.state) for row in found), default=0)
    lines = []
    for row in found:
        lines.append(f"{row.state.ljust(width)}  {one_line(row.check)}")
        lines += [f"{' ' * width}    {word}{one_line(text)}" for word, text in (("", row.problem), ("fix: ", row.fix)) if text]
    return "\n".join([*lines, "", ", ".join(f"{count} {state}" for state, count in _counts(found).items())])


def foreign_table(rows: Sequence[Sequence[str]]) -> str:
    """A table of texts that come from elsewhere."""
    return table([[one_line(cell) for cell in row] for row in rows])


def one_line(text: str) -> str:
    """A text on one line, without what moves a cursor."""
    return printable(" ".join(text.split()))


def _counts(rows: list[Row]) -> dict[str, int]:
    states: tuple[State, ...] = ("ok", "failed", "not readable")
    return {state: sum(row.state == state for row in rows) for state in states}
