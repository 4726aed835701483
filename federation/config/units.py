"""The units of a stack's configuration: what each function that works for one unit is given."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from federation.base import naming
from federation.base.errors import of_each
from federation.base.scalars import PartyId
from federation.catalogue.endpoints import ANY, LinkRow, PublishedService
from federation.catalogue.kinds import KINDS, Kind, KindRow
from federation.catalogue.portal import PortalRelease, portal_catalogue
from federation.catalogue.releases import CombinationRow, Release
from federation.catalogue.serving import ServingRelease, serving_catalogue
from federation.config.exchange import ExchangeSpec
from federation.config.party import PartySpec
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec

AnySpec = PartySpec | ExchangeSpec | ServingSpec | ServingExchangeSpec | SitePortalSpec | FmlManagerSpec
AnyRelease = Release | ServingRelease | PortalRelease
Spec = TypeVar("Spec", bound=AnySpec, covariant=True)
Row = TypeVar("Row", bound=AnyRelease, covariant=True)


@dataclass(frozen=True)
class OwnUnit(Generic[Spec, Row]):
    """One unit of the stack, as the operator describes it, with what it stands in; `party_id`: None of a hub."""

    stack: StackSpec
    kind: Kind
    party_id: PartyId | None
    spec: Spec

    @property
    def row(self) -> KindRow:
        """What is true of its kind."""
        return KINDS[self.kind]

    @property
    def party(self) -> PartyId:
        """The party that it belongs to. ValueError of a hub."""
        if self.party_id is None:
            raise ValueError(f"{self.title} belongs to no party")
        return self.party_id

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

    @property
    def namespace(self) -> str:
        """Where its objects are."""
        return self.spec.namespace

    @property
    def labels(self) -> dict[str, str]:
        """The labels that all its objects have."""
        return naming.common_labels(self.stack.federation.name, self.party_id)

    @property
    def server_name(self) -> str:
        """The TLS server name of what it publishes."""
        return self.row.server_name_of(self.party_id, self.stack.federation.domain)

    @property
    def links(self) -> LinkRow:
        """What is true of the stack's kind of link."""
        return self.stack.federation.links

    @property
    def published(self) -> tuple[PublishedService, ...]:
        """Its endpoints; none with an engine without this kind of link."""
        return self.links.of(self.kind, getattr(self.spec, "federation", ANY))

    @property
    def releases(self) -> Mapping[str, Row]:
        """The releases that a unit of its kind may have, by version."""
        programs: dict[str, Any] = {"FATE": self.stack.catalogue, "FATE-Serving": serving_catalogue(), "FedLCM": portal_catalogue()}
        return cast(Mapping[str, Row], programs[self.row.program])

    @property
    def release(self) -> Row:
        """The row of its release in the catalogue. KeyError of an unknown one."""
        return self.releases[self.spec.release]


PartyUnit = OwnUnit[PartySpec, Release]
ExchangeUnit = OwnUnit[ExchangeSpec, Release]
TrainingUnit = OwnUnit[PartySpec | ExchangeSpec, Release]
ServingUnit = OwnUnit[ServingSpec, ServingRelease]
ServingExchangeUnit = OwnUnit[ServingExchangeSpec, ServingRelease]
AnyServingUnit = OwnUnit[ServingSpec | ServingExchangeSpec, ServingRelease]
ConsoleUnit = OwnUnit[PartySpec | ServingSpec, Release | ServingRelease]
SitePortalUnit = OwnUnit[SitePortalSpec, PortalRelease]
FmlManagerUnit = OwnUnit[FmlManagerSpec, PortalRelease]
PortalUnit = OwnUnit[SitePortalSpec | FmlManagerSpec, PortalRelease]
AnyUnit = OwnUnit[AnySpec, AnyRelease]


def combination_of(unit: PartyUnit) -> CombinationRow | None:
    """The row of a party's engines; None when its release is not deployed with them."""
    return unit.release.combination(unit.spec.computing, unit.spec.federation, unit.spec.storage)


def exchange_unit(stack: StackSpec) -> ExchangeUnit | None:
    """The exchange of a stack that holds one."""
    return None if stack.exchange is None else OwnUnit(stack, "exchange", None, stack.exchange)


def serving_exchange_unit(stack: StackSpec) -> ServingExchangeUnit | None:
    """The serving exchange of a stack that holds one."""
    return None if stack.serving_exchange is None else OwnUnit(stack, "servingExchange", None, stack.serving_exchange)


def fml_manager_unit(stack: StackSpec) -> FmlManagerUnit | None:
    """The FML Manager of a stack that holds one."""
    return None if stack.fml_manager is None else OwnUnit(stack, "fmlManager", None, stack.fml_manager)


def party_units(stack: StackSpec) -> dict[PartyId, PartyUnit]:
    """The parties of a stack, by number."""
    return {party: OwnUnit(stack, "party", party, spec) for party, spec in stack.parties_in_order}


def serving_units(stack: StackSpec) -> dict[PartyId, ServingUnit]:
    """The FATE-Servings of a stack, by number."""
    return {party: OwnUnit(stack, "serving", party, spec) for party, spec in stack.servings_in_order}


def site_portal_units(stack: StackSpec) -> dict[PartyId, SitePortalUnit]:
    """The Site Portals of a stack, by number."""
    return {party: OwnUnit(stack, "sitePortal", party, spec) for party, spec in stack.site_portals_in_order}


def units(stack: StackSpec) -> Iterator[AnyUnit]:
    """Every unit of the stack, in the order of its plan; those of which it did not parse whether they are there are none."""
    kinds: tuple[Callable[[], Iterable[AnyUnit | None]], ...] = (
        lambda: (exchange_unit(stack),),
        lambda: party_units(stack).values(),
        lambda: (serving_exchange_unit(stack),),
        lambda: serving_units(stack).values(),
        lambda: (fml_manager_unit(stack),),
        lambda: site_portal_units(stack).values(),
    )
    yield from filter(None, of_each(kinds, lambda of_kind: of_kind()))
