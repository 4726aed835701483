"""What the rules of a stack read, and how rules are run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from federation.base.errors import Finding, Place, of_each
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, units
from federation.peers.accepted import Peers


@dataclass(frozen=True)
class CheckedStack:
    """A stack with its peers as they were read. Of a configuration that is wrong somewhere it is what parsed (`federation.config.partial`).

    `today` (UTC): without it nothing is said of what ends.
    """

    spec: StackSpec
    peers: Peers
    place: Place
    today: date | None = None

    @property
    def units(self) -> tuple[AnyUnit, ...]:
        """Every unit of the stack, in the order of its plan."""
        return tuple(units(self.spec))


Rule = Callable[[CheckedStack], Iterator[Finding]]
# Of one kind of unit: the second argument is a unit of it.
UnitRule = Callable[[CheckedStack, Any], Iterator[Finding]]


def found_by(rules: Iterable[Callable[..., Iterator[Finding]]], *of: object) -> Iterator[Finding]:
    """What rules find, one after the other. One that comes to what did not parse ends there, and what it found before stands."""
    return of_each(rules, lambda rule: rule(*of))
