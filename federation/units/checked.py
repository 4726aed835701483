"""What the rules of a stack read, and how rules are run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, wraps
from typing import Any

from federation.base.errors import Finding, PlaceOf, of_each
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, party_units, units
from federation.peers.accepted import Peers
from federation.units.unit import UnitPlan


@dataclass(frozen=True)
class CheckedStack:
    """A stack with its peers as they were read. Of a configuration that is wrong somewhere it is what parsed (`federation.config.partial`).

    `today` (UTC): without it nothing is said of what ends.
    """

    spec: StackSpec
    peers: Peers
    place_of: PlaceOf
    today: date | None = None

    @cached_property
    def units(self) -> tuple[AnyUnit, ...]:
        """Every unit of the stack, in the order of its plan."""
        return tuple(units(self.spec))

    def at(self, unit: AnyUnit, *keys: str) -> str:
        """The place of a unit, or of a key below it."""
        return self.place_of((*unit.path, *keys))


@dataclass(frozen=True, kw_only=True)
class PlannedStack(CheckedStack):
    """A stack that nothing is wrong with, and its plan. `ready`: its peers, those that wait as pending; `plans`: of its units, by key."""

    ready: Peers
    plans: Mapping[str, UnitPlan]


Rule = Callable[[CheckedStack], Iterator[Finding]]
Warn = Callable[[PlannedStack], Iterator[Finding]]
# Of one kind of unit: the second argument is a unit of it.
UnitRule = Callable[[CheckedStack, Any], Iterator[Finding]]
UnitWarn = Callable[[PlannedStack, Any], Iterator[Finding]]


def run_rules(rules: Iterable[Callable[..., Iterator[Finding]]], *of: object) -> Iterator[Finding]:
    """The findings of rules, one rule after the other. A rule that reads a part that did not parse ends there; earlier findings count."""
    return of_each(rules, lambda rule: rule(*of))


def _of_units(units_of: Callable[[StackSpec], Iterable[Any]]) -> Callable[[UnitRule], Rule]:
    def of_each_unit(rule: UnitRule) -> Rule:
        @wraps(rule)
        def of_stack(stack: CheckedStack) -> Iterator[Finding]:
            return of_each(units_of(stack.spec), lambda unit: rule(stack, unit))

        return of_stack

    return of_each_unit


# Make a rule about one unit a rule of the stack, about each of them.
of_every_unit, of_every_party = _of_units(units), _of_units(lambda spec: party_units(spec).values())
