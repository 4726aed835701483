"""What went wrong, where in the user's files, and what to do about it: all problems at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Of one message: more nobody reads.
SHOWN = 50


def escaped(text: str) -> str:
    """A text as one line of a terminal: escapes characters that could end the line, move the cursor or change the text direction.

    Keys, file names and values that somebody else chose must not look like lines of this program.
    """
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


@dataclass(frozen=True)
class Finding:
    """What an operator should know: its place (`stacks/Pulumi.bank-a.yaml:12 fate:parties.9999.release`), the problem, the remedy.

    A problem stops everything. A warning is one sentence, which names what it is about; its text may end in `:` or `;` before a remedy.
    """

    place: str
    problem: str
    remedy: str
    severity: Literal["problem", "warning"] = "problem"
    # Of a warning: what its operator decides before `pulumi up`; the others are to be known only.
    before_up: bool = False

    def __str__(self) -> str:
        if self.severity == "warning":
            return f"{self.problem} {self.remedy}".rstrip()
        # What an engine said may have several lines: none of them begins where one of ours does.
        problem = "\n    ".join(map(escaped, self.problem.splitlines()))
        return f"{escaped(self.place)}: {problem}\n    remedy: {escaped(self.remedy)}"


Problem = Finding


def warning(place: str, text: str, remedy: str = "", *, before_up: bool = False) -> Finding:
    """A warning."""
    return Finding(place, text, remedy, "warning", before_up)


class FederationError(Exception):
    """Every problem found before anything was touched."""

    def __init__(self, problems: Iterable[Problem], more: int = 0, *, where: str = "in the configuration; nothing was changed") -> None:
        """`more`: so many were counted, but not told. `where`: what has the problems, and what was not done because of them."""
        self.problems = tuple(problems)
        count = len(self.problems) + more
        head = f"{count} problem{'s' if count != 1 else ''} {escaped(where)}"
        lines = [f"  {number}. {problem}" for number, problem in enumerate(self.problems[:SHOWN], 1)]
        rest = [f"  and {count - len(lines)} more: correct these first"] if count > len(lines) else []
        super().__init__("\n".join([head, *lines, *rest]))


PlaceOf = Callable[[Sequence[str]], str]


class NotParsed(Exception):
    """What is read is written in the configuration, but wrong: nothing that rests on it can be said."""


def of_each(items: Iterable[Item], results_of: Callable[[Item], Iterable[Result]]) -> Iterator[Result]:
    """The results of each item. Where an item rests on what did not parse, its results end and those of the next begin."""
    for item in items:
        with suppress(NotParsed):
            yield from results_of(item)
