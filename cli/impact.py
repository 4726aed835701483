"""What a change does to running parties, for a review or for CI: the stack file against what is deployed, or against another file."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cli.engine import pulumi
from cli.project import Stack
from federation import naming
from federation.impact import SEVERITY, Effect
from federation.impact import stack_effects as effects_of
from federation.load import load_stack
from federation.plan import StackPlan
from federation.unit import COMPONENTS

# Exit status by severity; 1 and 2 are errors, as everywhere in fatefed.
EXITS = {0: 0, 1: 3, 2: 4}
_TYPES = frozenset(naming.COMPONENT_PACKAGE + component for component in COMPONENTS.values())
_SUMMARIES = {0: "nothing stops", 1: "pods restart, links are cut or the network opens", 2: "data is left behind"}


def stack_effects(stack: Stack, against: Path | None = None) -> tuple[Effect, ...]:
    """Every effect of a stack file. `against`: another stack file, with its descriptors beside it, instead of the deployed state."""
    loaded = stack.load()
    old = deployed(stack) if against is None else _facts(load_stack(against).plan)
    # The state holds JSON: what is compared with it is JSON too.
    return effects_of(old, json.loads(json.dumps(_facts(loaded.plan))), loaded.spec.organization)


def severity(found: Iterable[Effect]) -> int:
    """The worst of some effects."""
    return max((SEVERITY[effect.kind] for effect in found), default=0)


def markdown(found: tuple[Effect, ...], stack: str) -> str:
    """The effects for a merge request."""
    lines = [f"### {stack}: {_SUMMARIES[severity(found)]}", ""]
    if not found:
        return "\n".join([*lines, "No running party is affected."])
    lines += ["| unit | effect | what | pairs | who has to act |", "| --- | --- | --- | --- | --- |"]
    for effect in sorted(found, key=lambda effect: -SEVERITY[effect.kind]):
        cells = (effect.unit, effect.kind, effect.what, effect.affects or "none", effect.acts)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def deployed(stack: Stack) -> dict[str, Mapping[str, Any]]:
    """The facts that the state remembers, by unit; none of a stack that was never deployed."""
    deployment = json.loads(pulumi(stack, "stack", "export")).get("deployment") or {}
    resources = [resource for resource in deployment.get("resources") or [] if resource["type"] in _TYPES]
    return {resource["urn"].rpartition("::")[2]: resource.get("inputs") or {} for resource in resources}


def _facts(plan: StackPlan) -> dict[str, Mapping[str, Any]]:
    return {unit.key: unit.facts for unit in plan.units}
