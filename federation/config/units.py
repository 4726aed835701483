"""The units of a stack's configuration, and where each stands under `fate:`."""

from collections.abc import Iterator
from dataclasses import dataclass

from federation.base.scalars import PartyId
from federation.catalogue.kinds import KINDS, Kind, KindRow
from federation.config.exchange import ExchangeSpec
from federation.config.party import PartySpec
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec

UnitSpec = PartySpec | ExchangeSpec | ServingSpec | ServingExchangeSpec | SitePortalSpec | FmlManagerSpec


@dataclass(frozen=True)
class OwnUnit:
    """One unit of the stack, as the operator describes it; `party_id`: None of a hub."""

    kind: Kind
    party_id: PartyId | None
    spec: UnitSpec

    @property
    def row(self) -> KindRow:
        """What is true of its kind."""
        return KINDS[self.kind]

    @property
    def key(self) -> str:
        """Its key in outputs and logical names."""
        return self.row.key.format(party=self.party_id)

    @property
    def title(self) -> str:
        """What it is, for people: `party 9999`."""
        return self.row.title.format(party=self.party_id)

    @property
    def path(self) -> tuple[str, ...]:
        """Where the stack file describes it, below `fate:`."""
        return self.row.path_of(self.party_id)


def units(spec: StackSpec) -> Iterator[OwnUnit]:
    """Every unit of the stack, in the order of its plan."""
    if spec.exchange is not None:
        yield OwnUnit("exchange", None, spec.exchange)
    yield from (OwnUnit("party", party, own) for party, own in spec.parties_in_order)
    if spec.serving_exchange is not None:
        yield OwnUnit("servingExchange", None, spec.serving_exchange)
    yield from (OwnUnit("serving", party, own) for party, own in spec.servings_in_order)
    if spec.fml_manager is not None:
        yield OwnUnit("fmlManager", None, spec.fml_manager)
    yield from (OwnUnit("sitePortal", party, own) for party, own in spec.site_portals_in_order)
