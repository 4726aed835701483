"""What a change does to running parties, for a review or for CI: the stack file against what is deployed, or against another file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.tools.page import Page, Table
from cli.tools.project import Stack
from cli.tools.state import deployed
from federation.changes.effects import SEVERITY, Effect
from federation.changes.effects import stack_effects as effects_of
from federation.stack.load import LoadedStack, load_stack
from federation.stack.plan import StackPlan

# Exit status by severity; 1 and 2 are errors, as everywhere in fatefed.
EXITS = {0: 0, 1: 3, 2: 4}
_SUMMARIES = {0: "nothing stops", 1: "pods restart, links are cut or the network opens", 2: "data is left behind"}


@dataclass(frozen=True)
class Impact:
    """What a stack file does, and in sentences what of that only a preview sees."""

    effects: tuple[Effect, ...]
    unseen: tuple[str, ...] = ()


def stack_impact(stack: Stack, against: Path | None = None) -> Impact:
    """Every effect of a stack file. `against`: another stack file, with its descriptors beside it, instead of the deployed state."""
    loaded, other = stack.load(), None if against is None else load_stack(against)
    old = deployed(stack) if other is None else _recorded(other.plan)
    # The state holds JSON: what is compared with it is JSON too.
    effects = effects_of(old, json.loads(json.dumps(_recorded(loaded.plan))), loaded.spec.organization)
    return Impact(effects, tuple(_unseen(loaded, old.keys(), other)))


def _unseen(loaded: LoadedStack, known: Iterable[str], other: LoadedStack | None) -> Iterator[str]:
    """Certificates that the operator gave: their values are encrypted, and may be others than those of the units that are known.

    What stands in both files as it did, encrypted, is the same.
    """
    for unit in (unit for unit in loaded.plan.units if unit.key in known):
        entries = sorted({entry for certificate in unit.provided_certificates.values() for entry in certificate.all})
        written = [entry for entry in entries if other is None or loaded.source.encrypted(entry) != other.source.encrypted(entry)]
        if written:
            names = f"{', '.join(written)} of fate:secrets"
            whether = (
                f"whether {names} are the deployed ones" if other is None else f"{names} were written again: whether their values changed"
            )
            yield f"{unit.key}: {whether}, and what follows, `pulumi preview` says"


def severity(effects: Iterable[Effect]) -> int:
    """The worst of some effects."""
    return max((SEVERITY[effect.kind] for effect in effects), default=0)


def impact_text(impact: Impact, stack: str) -> Page:
    """The effects, in the plain form as Markdown for a merge request."""
    effects = impact.effects
    lines = [f"### {stack}: {_SUMMARIES[severity(effects)]}", ""]
    unseen = (
        ["", "Not seen here, where no secret is decrypted:", "", *(f"- {sentence}" for sentence in impact.unseen)] if impact.unseen else []
    )
    if not effects:
        return Page((*lines, "No running party is affected.", *unseen))
    ordered = sorted(effects, key=lambda effect: -SEVERITY[effect.kind])
    rows = [(effect.unit, effect.kind, effect.what, effect.affects or "none", effect.acts) for effect in ordered]
    table = Table(("unit", "effect", "what", "pairs", "who must act"), rows, markdown=True)
    return Page((*lines, table, *unseen))


def _recorded(plan: StackPlan) -> dict[str, Mapping[str, Any]]:
    return {unit.key: unit.recorded for unit in plan.units}
