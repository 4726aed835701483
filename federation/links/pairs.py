"""Which pairs of parties a change affects: the first few, and how many more there are.

A hub (an exchange, an FML Manager) affects its members among each other; any other unit itself and those that it dials.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# The number of pairs that a message names: 1,000 members of an exchange are 499,500 pairs.
SHOWN = 10
_THROUGH = "everyone through "


@dataclass(frozen=True)
class Pairs:
    """The first pairs by name, and the number of further ones."""

    shown: tuple[str, ...] = ()
    more: int = 0


def through(exchange: str) -> str:
    """The name of the link that stands for everyone behind an exchange."""
    return f"{_THROUGH}{exchange}"


def exchanges(links: Collection[str]) -> list[str]:
    """The exchanges among links."""
    return sorted(link.removeprefix(_THROUGH) for link in links if link.startswith(_THROUGH))


def affected(unit: str, touched: Collection[str], members: Collection[str], groups: Sequence[Collection[str]] | None) -> Pairs:
    """The pairs with a member of `touched`. `groups`: of a hub, who may talk to whom; empty: all `members`; None: the unit is no hub."""
    if groups is None:
        names = [_pair(unit, other) for other in sorted(touched, key=by_number)]
        return Pairs(tuple(names[:SHOWN]), max(0, len(names) - SHOWN))
    every, moved = frozenset(members), frozenset(touched)
    within = every & moved
    if groups:
        numbers = {one: len(_partners(one, every, groups)) for one in moved}
        both = sum(len(_partners(one, within, groups)) for one in moved)
    else:  # counted, not listed: 10,000 members are 50 million pairs
        numbers = {one: len(every) - (one in every) for one in moved}
        both = sum(len(within) - (one in within) for one in moved)
    ordered = sorted(moved, key=by_number)
    named = [*_named(ordered, every, groups), *(_pair(unit, one) for one in ordered if not numbers[one])]
    total = sum(numbers.values()) - both // 2 + sum(not number for number in numbers.values())
    return Pairs(tuple(named[:SHOWN]), max(0, total - SHOWN))


def _partners(one: str, members: frozenset[str], groups: Sequence[Collection[str]]) -> frozenset[str]:
    among = members if not groups else members.intersection(other for group in groups if one in group for other in group)
    return among - {one}


def _named(ordered: Sequence[str], members: frozenset[str], groups: Sequence[Collection[str]]) -> Iterator[str]:
    """The first pairs, each once, the smaller id first."""
    seen: set[tuple[str, str]] = set()
    for one in ordered:
        for other in sorted(_partners(one, members, groups), key=by_number):
            low, high = sorted((one, other), key=by_number)
            if (low, high) not in seen:
                seen.add((low, high))
                yield f"{low} <-> {high}"
            if len(seen) == SHOWN:
                return


def _pair(unit: str, other: str) -> str:
    return f"{unit.removeprefix('party-')} <-> {other}"


def by_number(name: str) -> tuple[int, Any]:
    """A sort key: party ids by number, apart from all other names."""
    return (int(name), name) if name.isdigit() else (0, name)
