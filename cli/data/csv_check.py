"""A CSV file as FATE-Flow reads it: what FATE would refuse an hour later, or take for something else, is told with its line first.

A problem names line and column, never a value: messages go to logs and tickets, and the values are people's.
"""

import codecs
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.tools.files import shown
from federation.base.errors import SHOWN, FederationError, Problem

_BOM = codecs.BOM_UTF8.decode()
_WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class Columns:
    """What a file has: its ID column, its label and whether that is whole numbers, and how many rows."""

    id: str
    label: str | None
    label_is_whole: bool = True
    rows: int = 0


def check_csv(file: Path, id_column: str | None, label: str | None) -> Columns:
    """Read a whole file. `id_column`: None: its first one. FederationError with the first problems; nothing was sent."""
    problems: list[Problem] = []
    checker = _Checker(shown(file), id_column, label)
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            for problem in checker.problems(stream):
                problems.append(problem)
                if len(problems) == SHOWN:
                    break
    except UnicodeDecodeError as error:
        problems.append(Problem(shown(file), f"is not UTF-8 ({error.reason} at byte {error.start})", "save it as UTF-8"))
    except OSError as error:
        problems.append(Problem(shown(file), f"cannot be read: {error.strerror}", "check the path"))
    if problems:
        raise FederationError(problems, where=f"in {shown(file)}; nothing was sent")
    return Columns(checker.header[checker.id_index], label, checker.label_is_whole, checker.rows)


class _Checker:
    """Goes through a file once. FATE-Flow splits each line at every comma and knows no quotes."""

    def __init__(self, name: str, id_column: str | None, label: str | None) -> None:
        self._name, self._id, self._label = name, id_column, label
        self.header: list[str] = []
        self.id_index, self.rows, self.label_is_whole = 0, 0, True
        self._seen: dict[int, int] = {}

    def problems(self, lines: Iterator[str]) -> Iterator[Problem]:
        """Each problem, in the order of lines."""
        first = next(lines, "")
        wrong = [*self._of_header(first.rstrip())]
        yield from wrong
        if wrong:
            return
        for number, line in enumerate(lines, 2):
            yield from self._of_row(number, line.rstrip().split(","))
        if not self.rows:
            yield Problem(self._name, "has no row below its header", "a table needs rows")

    def _of_header(self, line: str) -> Iterator[Problem]:
        place = f"{self._name}:1"
        if line.startswith(_BOM):
            yield Problem(place, "begins with a byte order mark, which FATE-Flow takes for a part of the first name", "save it without BOM")
            return
        self.header = names = line.split(",")
        if numbers := [str(position) for position, name in enumerate(names, 1) if _is_number(name)]:
            yield Problem(place, f"looks like data, not names: column {numbers[0]} is a number", "the first line must name each column")
            return
        if empty := [str(position) for position, name in enumerate(names, 1) if not name.strip()]:
            yield Problem(place, f"column {', '.join(empty)} has no name", "the first line must name each column")
        if twice := sorted({name for name in names if names.count(name) > 1 and name.strip()}):
            yield Problem(place, f"names {', '.join(twice)} more than once", "give each column a name of its own")
        if odd := [name for name in names if name != name.strip() or '"' in name]:
            yield Problem(place, f"has quotes or blanks around a name: {', '.join(odd)}", "FATE-Flow keeps them: write names without")
        for option, column in (("--id", self._id), ("--label", self._label)):
            if column is not None and column not in names:
                yield Problem(place, f"has no column {column}, which {option} names", f"columns: {', '.join(names)}")
        if self._id is not None and self._id in names:
            self.id_index = names.index(self._id)
        if self._label is not None and self._label == names[self.id_index]:
            yield Problem(place, f"{self._label} cannot be both ID and label", "name another column with --id or --label")

    def _of_row(self, number: int, values: Sequence[str]) -> Iterator[Problem]:
        place = f"{self._name}:{number}"
        if len(values) != len(self.header):
            what = "is empty" if values == [""] else f"has {len(values)} values, and the header has {len(self.header)}"
            quotes = "; FATE-Flow splits at every comma, also between quotes" if any('"' in value for value in values) else ""
            yield Problem(place, f"{what}{quotes}", "write one value for each column")
            return
        self.rows += 1
        key = values[self.id_index]
        if not key.strip():
            yield Problem(place, f"has no ID in column {self.header[self.id_index]}", "each row needs one")
        elif key != key.strip() or '"' in key:
            yield Problem(
                place, "has quotes or blanks around its ID", "FATE-Flow keeps them, so that no ID of a peer is the same: write IDs without"
            )
        elif (before := self._seen.setdefault(hash(key), number)) != number:
            yield Problem(place, f"has the ID of line {before}", "each ID may stand in one row only")
        for name, value in zip(self.header, values, strict=True):
            if name == self.header[self.id_index]:
                continue
            if not _is_number(value):
                what = "is a text, or no finite number" if value.strip() else "is empty"
                yield Problem(place, f"column {name} {what}", "FATE-Flow reads numbers only: encode or fill it")
            elif name == self._label and not _is_whole(value):
                self.label_is_whole = False


def _is_number(text: str) -> bool:
    """Whether FATE computes with it: Python alone also reads 1_000, digits of other scripts, inf and nan."""
    try:
        return math.isfinite(float(text)) and "_" not in text and text.isascii()
    except ValueError:
        return False


def _is_whole(text: str) -> bool:
    """Whether a number fits into an int32, as which FATE-Flow reads a whole label."""
    return _WHOLE.fullmatch(text.strip()) is not None and -(2**31) <= int(text) < 2**31
