"""The stack file as it grows: values with their origin, and everything that is to be said about the conversion."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cli.convert.source import Path_
from federation.base.errors import Problem
from federation.base.model_errors import has_path, keys_at
from federation.config.stack import StackSpec


@dataclass(frozen=True)
class Put:
    """A value of the stack file. `origin`: the key it came from, if any."""

    value: Any
    origin: Path_ | None = None
    note: str = ""
    # What the operator must write: nobody else knows it, so it is written as null, and the value here only stands in.
    wanted: str | None = None


@dataclass
class Draft:
    """What was decided so far. Paths of the stack file begin with the key under `fate:`."""

    puts: dict[Path_, Put] = field(default_factory=dict)
    lost: dict[Path_, str] = field(default_factory=dict)
    not_used: dict[Path_, str] = field(default_factory=dict)
    passwords: dict[str, Path_] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    # Keys and blocks that were read with others, and that no value names as its origin.
    read: set[Path_] = field(default_factory=set)
    # Addresses that are not dialled any more: the peer, the key and the address.
    problems: list[Problem] = field(default_factory=list)
    unrouted: list[tuple[str, Path_, str]] = field(default_factory=list)

    def put(self, path: Path_, value: Any, origin: Path_ | None = None, note: str = "") -> None:
        """Set a value. A key that this program does not have yet is lost."""
        if not has_path(path, StackSpec):
            if origin is not None:
                self.lose(origin, f"this program has no fate:{'.'.join(path)}")
            return
        self.puts[path] = Put(value, origin, note)

    def default(self, path: Path_, value: Any, note: str) -> None:
        """Set a value unless another key has set it."""
        if path not in self.puts:
            self.put(path, value, None, note)

    def want(self, path: Path_, what: str) -> None:
        """A node port that only the operator can say: `what` they must write there."""
        if path not in self.puts and has_path(path, StackSpec):
            taken = {put.value for put in self.puts.values() if isinstance(put.value, int)}
            stand_in = next(port for port in range(32767, 30000, -1) if port not in taken)
            self.puts[path] = Put(stand_in, None, f"FILL IN {what}", what)

    def lose(self, origin: Path_, reason: str) -> None:
        """A key that cannot be carried; one that KubeFATE did not use either is no loss."""
        if not any(origin[: len(other)] == other for other in self.not_used):
            self.lost.setdefault(origin, reason)

    def unused(self, origin: Path_, reason: str) -> None:
        """A key that KubeFATE did not use either."""
        self.not_used.setdefault(origin, reason)

    def password(self, entry: str, origin: Path_) -> None:
        """An entry of fate:secrets whose value the file held."""
        self.passwords.setdefault(entry, origin)

    def warn(self, text: str) -> None:
        """Something the operator must know."""
        if text not in self.warnings:
            self.warnings.append(text)

    def ask(self, text: str) -> None:
        """Something the operator must do."""
        if text not in self.by_hand:
            self.by_hand.append(text)

    def config(self) -> dict[str, Any]:
        """The values under `fate:`, as nested mappings in the order of the models' fields."""
        tree: dict[str, Any] = {}
        for path, put in self.puts.items():
            node = tree
            for part in path[:-1]:
                node = node.setdefault(part, {})
            if isinstance(put.value, dict) and isinstance(node.get(path[-1]), dict):
                node[path[-1]] |= put.value
            else:
                node[path[-1]] = put.value
        return _in_order(tree, ())

    def below(self, path: Path_) -> Iterator[Path_]:
        """The paths that were set at or below a path."""
        yield from (target for target in self.puts if target[: len(path)] == path)

    def clear(self, path: Path_) -> None:
        """Forget what was set at or below a path."""
        for target in list(self.below(path)):
            del self.puts[target]


def _in_order(tree: dict[str, Any], path: Path_) -> dict[str, Any]:
    """The mappings of the models in the order of their fields; maps as they were filled."""
    fields = {key: number for number, key in enumerate(keys_at(path, StackSpec))}
    keys = sorted(tree, key=lambda key: fields.get(key, 0))
    return {key: _in_order(tree[key], (*path, key)) if isinstance(tree[key], dict) else tree[key] for key in keys}
