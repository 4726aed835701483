"""What each kind of unit does: whoever asks a unit something asks its kind's row, so that nobody else tells kinds apart.

A new kind is one more row here, and one in `federation.catalogue.kinds`, which says what is true without a stack.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from federation.access.engine_policy import Way, ways_out
from federation.base import naming
from federation.base.scalars import PartyId
from federation.catalogue.endpoints import LinkRow, PublishedService
from federation.catalogue.kinds import Kind
from federation.catalogue.portal import portal_catalogue
from federation.catalogue.serving import serving_catalogue
from federation.chart_values.fate import PartyValues
from federation.chart_values.portal import PortalValues
from federation.chart_values.serving import ServingValues
from federation.config.exchange import ExchangeSpec
from federation.config.modules import ModuleSpec
from federation.config.party import PartySpec, module_specs
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec
from federation.config.units import AnyRelease, AnyUnit
from federation.links.external_engines import engine_ports
from federation.links.kinds.registry import link_of
from federation.manifests.modules import ImageUse
from federation.peers.accepted import Peers
from federation.units.checked import UnitRule
from federation.units.exchange.plan import exchange_images, exchange_module_specs, exchange_values, plan_exchange
from federation.units.party.engine_rules import EXCHANGE_RULES, PARTY_RULES
from federation.units.party.plan import plan_party
from federation.units.party.secrets import party_secrets
from federation.units.party.values import deployed_modules, party_images, party_values
from federation.units.patches import AnyValues
from federation.units.portal.plan import (
    Portal,
    plan_fml_manager,
    plan_site_portal,
    portal_images,
    portal_module_specs,
    portal_secrets,
    portal_tls,
    portal_values,
)
from federation.units.portal.plan import deployed_modules as deployed_of_a_portal
from federation.units.portal.policies import portal_ways
from federation.units.portal.rules import FML_MANAGER_RULES, SITE_PORTAL_RULES
from federation.units.serving.plan import deployed_modules as deployed_of_a_serving
from federation.units.serving.plan import (
    plan_serving,
    plan_serving_exchange,
    serving_exchange_values,
    serving_images,
    serving_module_specs,
    serving_secrets,
    serving_values,
)
from federation.units.serving.policies import serving_ways, training_ways
from federation.units.serving.rules import SERVING_EXCHANGE_RULES, SERVING_RULES
from federation.units.unit import UnitPlan

Spec = TypeVar("Spec")


@dataclass(frozen=True, kw_only=True)
class UnitKind(Generic[Spec]):
    """What one kind does with a unit's part of the stack file. The party id is that of the unit; a hub has none, and ignores it.

    `fits`: whether there is a plan, when the release is known. `values`: those of the chart, without a patch. `engine_ports`: its ports
    with those of external engines. `ways`: what it dials outside of the stack, beside peers. `rules`: about one unit by itself.
    """

    releases: Callable[[StackSpec], Mapping[str, AnyRelease]]
    module_specs: Callable[[Spec], Mapping[str, ModuleSpec | None]]
    deployed: Callable[[StackSpec, Spec], Collection[str]]
    services: Callable[[LinkRow, Spec], tuple[PublishedService, ...]]
    images: Callable[[StackSpec, Spec], Mapping[str, ImageUse]]
    values: Callable[[StackSpec, PartyId, Spec], AnyValues]
    plan: Callable[[StackSpec, PartyId, Spec, Peers, date | None], UnitPlan]
    ways: Callable[[StackSpec, PartyId, Spec], Iterable[Way]] = lambda *_: ()
    fits: Callable[[StackSpec, PartyId, Spec], bool] = lambda *_: True
    engine_ports: Callable[[StackSpec, Spec], Mapping[str, int]] | None = None
    rules: tuple[UnitRule, ...] = ()

    def ports(self, spec: StackSpec, own: Any) -> Mapping[str, int]:
        """The ports of a unit of a known release."""
        return self.releases(spec)[own.release].ports if self.engine_ports is None else self.engine_ports(spec, own)

    def has_plan(self, spec: StackSpec, party: PartyId, own: Any) -> bool:
        """Whether release and engines are known, and so images, values and plan; else that is a problem of its own."""
        return own.release in self.releases(spec) and self.fits(spec, party, own)


def _labels(spec: StackSpec, party: PartyId | None) -> dict[str, str]:
    return naming.common_labels(spec.federation.name, party)


def _party_fits(spec: StackSpec, party: PartyId, own: PartySpec) -> bool:
    return spec.catalogue[own.release].combination(own.computing, own.federation, own.storage) is not None


def _serving_fits(spec: StackSpec, party: PartyId, own: ServingSpec) -> bool:
    """Its FATE-Flow is known, whose address it is told."""
    return own.fateflow is not None or (party in spec.parties and UNIT_KINDS["party"].has_plan(spec, party, spec.parties[party]))


def _party_values(spec: StackSpec, party: PartyId, own: PartySpec) -> PartyValues:
    _, keys = party_secrets(spec, party, own, {}, link_of(spec).certificates(spec, party, own, Peers((), {}), None))
    return party_values(spec, party, own, _labels(spec, party), keys)


def _serving_values(spec: StackSpec, party: PartyId, own: ServingSpec) -> ServingValues:
    _, keys = serving_secrets(party, own, {})
    return serving_values(spec, party, own, _labels(spec, party), keys)


def _portal_values(spec: StackSpec, party: PartyId | None, own: Portal) -> PortalValues:
    _, keys = portal_secrets(portal_tls(spec, party).key, own, {})
    return portal_values(spec, party, own, _labels(spec, party), keys)


UNIT_KINDS: Mapping[Kind, UnitKind[Any]] = {
    "party": UnitKind[PartySpec](
        releases=lambda spec: spec.catalogue,
        fits=_party_fits,
        module_specs=module_specs,
        deployed=deployed_modules,
        services=lambda links, own: links.of("party", own.federation),
        engine_ports=engine_ports,
        images=party_images,
        values=_party_values,
        ways=lambda spec, party, own: (*ways_out(spec, own), *training_ways(spec, party, own)),
        plan=plan_party,
        rules=PARTY_RULES,
    ),
    "exchange": UnitKind[ExchangeSpec](
        releases=lambda spec: spec.catalogue,
        fits=lambda spec, _, own: own.federation in spec.catalogue[own.release].exchanges,
        module_specs=exchange_module_specs,
        deployed=lambda spec, own: spec.catalogue[own.release].exchanges[own.federation],
        services=lambda links, own: links.of("exchange", own.federation),
        images=exchange_images,
        values=lambda spec, _, own: exchange_values(spec, own, _labels(spec, None)),
        plan=lambda spec, _, own, peers, today: plan_exchange(spec, own, peers, today),
        rules=EXCHANGE_RULES,
    ),
    "serving": UnitKind[ServingSpec](
        releases=lambda spec: serving_catalogue(),
        fits=_serving_fits,
        module_specs=serving_module_specs,
        deployed=lambda spec, own: deployed_of_a_serving(own),
        services=lambda links, _: links.of("serving"),
        images=serving_images,
        values=_serving_values,
        ways=serving_ways,
        plan=lambda spec, party, own, peers, _: plan_serving(spec, party, own, peers),
        rules=SERVING_RULES,
    ),
    "servingExchange": UnitKind[ServingExchangeSpec](
        releases=lambda spec: serving_catalogue(),
        module_specs=serving_module_specs,
        deployed=lambda spec, own: deployed_of_a_serving(own),
        services=lambda links, _: links.of("servingExchange"),
        images=serving_images,
        values=lambda spec, _, own: serving_exchange_values(spec, own, _labels(spec, None)),
        plan=lambda spec, _, own, peers, today: plan_serving_exchange(spec, own, peers, today),
        rules=SERVING_EXCHANGE_RULES,
    ),
    "fmlManager": UnitKind[FmlManagerSpec](
        releases=lambda spec: portal_catalogue(),
        module_specs=portal_module_specs,
        deployed=lambda spec, own: deployed_of_a_portal(own),
        services=lambda links, _: links.of("fmlManager"),
        images=portal_images,
        values=lambda spec, _, own: _portal_values(spec, None, own),
        ways=lambda spec, _, own: portal_ways(own),
        plan=lambda spec, _, own, peers, today: plan_fml_manager(spec, own, peers),
        rules=FML_MANAGER_RULES,
    ),
    "sitePortal": UnitKind[SitePortalSpec](
        releases=lambda spec: portal_catalogue(),
        module_specs=portal_module_specs,
        deployed=lambda spec, own: deployed_of_a_portal(own),
        services=lambda links, _: links.of("sitePortal"),
        images=portal_images,
        values=_portal_values,
        ways=lambda spec, _, own: portal_ways(own),
        plan=lambda spec, party, own, peers, _: plan_site_portal(spec, party, own, peers),
        rules=SITE_PORTAL_RULES,
    ),
}


def kind_of(unit: AnyUnit) -> UnitKind[Any]:
    """The row of a unit's kind."""
    return UNIT_KINDS[unit.kind]
