"""How the route files and the network policies of two plans of a stack differ."""

import difflib
from dataclasses import dataclass

from federation.access.exposure import connection_changes
from federation.stack.plan import StackPlan


@dataclass(frozen=True)
class RouteChange:
    """One route file that would change, as a unified diff."""

    unit: str
    object: str
    file: str
    diff: str


@dataclass(frozen=True)
class ConnectionChange:
    """What network policies permit otherwise than before. `effect`: open or cut."""

    unit: str
    effect: str
    what: str


def connections(before: StackPlan, after: StackPlan) -> tuple[ConnectionChange, ...]:
    """What pods of the units that are in both may reach, and who reaches them."""
    old = {unit.key: unit.policies for unit in before.units}
    return tuple(
        ConnectionChange(unit.key, effect, what)
        for unit in after.units
        if unit.key in old
        for effect, what in connection_changes(old[unit.key], unit.policies)
    )


def route_changes(before: StackPlan, after: StackPlan) -> tuple[RouteChange, ...]:
    """Every route file that differs, in the order of units, objects and files."""
    old, new = _texts(before), _texts(after)
    return tuple(
        RouteChange(unit, name, file, _diff(old.get((unit, name, file), ""), new.get((unit, name, file), ""), f"{unit}/{name}/{file}"))
        for unit, name, file in dict.fromkeys([*old, *new])
        if old.get((unit, name, file)) != new.get((unit, name, file))
    )


def _texts(plan: StackPlan) -> dict[tuple[str, str, str], str]:
    return {
        (unit.key, manifest.name, file): text
        for unit in plan.units
        for manifest in unit.routes
        for file, text in sorted(manifest.fields["data"].items())
    }


def _diff(old: str, new: str, name: str) -> str:
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), f"now {name}", f"then {name}")
    return "".join(lines)
