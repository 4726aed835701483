"""What went wrong, where in the user's files, and what to do about it: all problems at once."""

from collections.abc import Iterable
from dataclasses import dataclass


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

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''} in the configuration; nothing was changed"
        super().__init__("\n".join([head, *(f"  {number}. {p}" for number, p in enumerate(self.problems, 1))]))
