"""The results of checks: rows of check, state, problem and fix, as a table and as data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cli.tools.kubectl import Reading
from cli.tools.text import one_line

# What makes an answer readable, in a namespace of the stack and outside.
ROLE = "apply docs/rbac/viewer.yaml in this namespace, or ask someone who may read it"
CLUSTER_ROLE = "apply docs/rbac/viewer-cluster.yaml, or ask the cluster's administrator"

State = Literal["failed", "not readable", "skipped", "ok"]
# As rows are shown: what is to be done first.
STATES: tuple[State, ...] = ("failed", "not readable", "skipped", "ok")
_AS_COUNTED: tuple[State, ...] = ("ok", "failed", "skipped", "not readable")


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


def skipped(check: str, cause: Row) -> Row:
    """A check that cannot be right before another one is: repeating its problem would hide which row to act on."""
    return Row(check, "skipped", f"waits for: {cause.check}")


def not_read(check: str, reading: Reading, fix: str) -> Row | None:
    """A row when there is no answer to look at."""
    if reading.state == "ok":
        return None
    if reading.state == "not readable":
        return Row(check, "not readable", reading.reason, fix)
    return Row(check, "failed", reading.reason, "ask again; if it persists, check with kubectl")


def failed(rows: Iterable[Row]) -> bool:
    """Whether a check failed. What cannot be read is not known to be wrong."""
    return any(row.state == "failed" for row in rows)


def rows_data(rows: Iterable[Row]) -> dict[str, Any]:
    """The rows as data, and how many are in which state."""
    ordered = _ordered(rows)
    return {"rows": [row.plain() for row in ordered], "summary": _counts(ordered), "verdict": _verdict(ordered)}


def rows_text(rows: Iterable[Row]) -> str:
    """A line for each check; below those that are not ok, the problem and how to fix it. The last line is the verdict."""
    ordered = _ordered(rows)
    width = max((len(row.state) for row in ordered), default=0)
    lines = []
    for row in ordered:
        lines.append(f"{row.state.ljust(width)}  {one_line(row.check)}")
        lines += [f"{' ' * width}    {word}{one_line(text)}" for word, text in (("", row.problem), ("fix: ", row.fix)) if text]
    return "\n".join([*lines, "", _verdict(ordered)])


def _ordered(rows: Iterable[Row]) -> list[Row]:
    """What failed first; in each state as they were found, where a cause comes before what follows from it."""
    return sorted(rows, key=lambda row: STATES.index(row.state))


def _verdict(ordered: Sequence[Row]) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in _counts(ordered).items())
    if not failed(ordered):
        return f"nothing failed: {counts}"
    return f"first to fix: {one_line(ordered[0].check)}; {counts}"


def _counts(rows: Iterable[Row]) -> dict[str, int]:
    states = [row.state for row in rows]
    return {state: states.count(state) for state in _AS_COUNTED}
