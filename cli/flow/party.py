"""The own party whose FATE-Flow a verb talks to."""

from dataclasses import dataclass

from cli.tools.errors import CommandError
from cli.tools.text import guess
from federation.stack.load import LoadedStack
from federation.units.unit import UnitPlan

_MAJOR = 2  # FATE 1.x has another API


@dataclass(frozen=True)
class OwnParty:
    """A party of the stack, and the port at which its FATE-Flow answers in its pod."""

    unit: UnitPlan
    port: int

    @property
    def id(self) -> str:
        """Its party id."""
        return str(self.unit.party_id)


def own_party(loaded: LoadedStack, party: str | None) -> OwnParty:
    """The party of that id; None: the only one. CommandError without one, and for FATE 1.x."""
    parties = {str(unit.party_id): unit for unit in loaded.plan.units if unit.kind == "party"}
    if party is None and len(parties) != 1:
        remedy = f"name one with --party: {', '.join(sorted(parties))}" if parties else "run this for a stack with a party"
        raise CommandError("--party", f"this stack has {len(parties)} parties", remedy)
    chosen = party if party is not None else next(iter(parties))
    if chosen not in parties:
        raise CommandError(f"--party {chosen}", "this stack has no such party", guess(chosen, parties))
    unit = parties[chosen]
    release = loaded.spec.catalogue[unit.release]
    if release.major < _MAJOR:
        remedy = "use `flow` of the module `client` (docs/guides/running-jobs.md)"
        raise CommandError(f"party {chosen}", f"has FATE {unit.release}, and this verb speaks with FATE 2.x only", remedy)
    return OwnParty(unit, release.ports["fateflowHttp"])
