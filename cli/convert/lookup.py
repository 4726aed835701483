"""Finding the row of a key, and the keys that rows know below a path."""

from dataclasses import dataclass, field
from functools import cache

from cli.convert.rows.row import Row
from cli.convert.rows.table import TABLE
from cli.convert.source import Path_


@dataclass
class _Step:
    """A place in the keys of a kind of cluster: what may follow, and the row that ends here."""

    inner: dict[str, "_Step"] = field(default_factory=dict)
    row: Row | None = None

    def next(self, part: str) -> "_Step | None":
        """The step to a part: by name, as an item of a list, or as any key."""
        return self.inner.get(part) or (self.inner.get("[]") if part.isdigit() else None) or self.inner.get("*")


@cache
def _root(kind: str) -> _Step:
    root = _Step()
    for row in TABLE:
        if kind in row.kinds:
            step = root
            for part in row.path:
                step = step.inner.setdefault(part, _Step())
            step.row = row
    return root


def _step(path: Path_, kind: str) -> _Step | None:
    step: _Step | None = _root(kind)
    for part in path:
        step = None if step is None else step.next(part)
    return step


def row_of(path: Path_, kind: str) -> Row | None:
    """The row for a key in a kind of cluster."""
    step = _step(path, kind)
    return None if step is None else step.row


def parts_below(path: Path_, kind: str) -> frozenset[str]:
    """What may follow a path; `[]` for items of a list, `*` for any key."""
    step = _step(path, kind)
    return frozenset() if step is None else frozenset(step.inner)


def meant(path: Path_, kind: str) -> str | None:
    """The key that was meant by one that KubeFATE ignores: the same letters, in another case."""
    known = parts_below(path[:-1], kind)
    return None if path[-1] in known else next((word for word in sorted(known) if word.lower() == path[-1].lower()), None)
