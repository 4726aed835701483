"""What went wrong, where in the user's files, and what to do about it: all problems at once."""

from collections.abc import Iterable
from dataclasses import dataclass

# Of one message: more nobody reads.
SHOWN = 50


@dataclass(frozen=True)
class Problem:
    """One thing wrong: its place (`stacks/Pulumi.bank-a.yaml:12 fate:parties.9999.release`), the problem, the remedy."""

    place: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}\n    remedy: {self.remedy}"


class FederationError(Exception):
    """Every problem found before anything was touched."""

    def __init__(self, problems: Iterable[Problem], more: int = 0) -> None:
        """`more`: so many were counted, but not told."""
        self.problems = tuple(problems)
        count = len(self.problems) + more
        head = f"{count} problem{'s' if count != 1 else ''} in the configuration; nothing was changed"
        lines = [f"  {number}. {problem}" for number, problem in enumerate(self.problems[:SHOWN], 1)]
        rest = [f"  and {count - len(lines)} more: correct these first"] if count > len(lines) else []
        super().__init__("\n".join([head, *lines, *rest]))
