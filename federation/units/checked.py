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
    """A stack with its peers as read. When the configuration has errors, the parts of it that parsed (`federation.config.partial`).

    `place_of`: the place of a key, for findings. `today`: in UTC; without it no rule reports an expiry date.
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
    """A stack without problems, and its plan. `ready`: its peers, those that the plan waits for as pending; `plans`: by key of the unit."""

    ready: Peers
    plans: Mapping[str, UnitPlan]


Rule = Callable[[CheckedStack], Iterator[Finding]]
Warn = Callable[[PlannedStack], Iterator[Finding]]
# Rules about one kind of unit: the second argument is a unit of that kind.
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


# Turn a rule about one unit into a rule of the stack, which checks each unit.
of_every_unit, of_every_party = _of_units(units), _of_units(lambda spec: party_units(spec).values())
