"""What each kind of unit does, one row per kind: other modules ask the row, and never compare kinds.

A new kind is one more row here, and one in `federation.catalogue.kinds`, which holds what is true without a stack.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from federation.access.engine_policy import EgressTarget, egress_targets
from federation.catalogue.kinds import Kind
from federation.chart_values.fate import PartyValues
from federation.config.modules import ModuleSpec
from federation.config.party import module_specs
from federation.config.units import (
    AnyUnit,
    ExchangeUnit,
    FmlManagerUnit,
    PartyUnit,
    ServingExchangeUnit,
    ServingUnit,
    SitePortalUnit,
    combination_of,
    party_units,
)
from federation.links.external_engines import engine_ports
from federation.links.kinds.registry import link_of
from federation.manifests.modules import ImageUse
from federation.peers.accepted import Peers
from federation.units.checked import UnitRule, UnitWarn
from federation.units.exchange.plan import exchange_images, exchange_module_specs, exchange_values, plan_exchange
from federation.units.party.engine_rules import EXCHANGE_RULES, PARTY_RULES
from federation.units.party.plan import plan_party
from federation.units.party.secrets import party_secrets
from federation.units.party.values import deployed_party_modules, party_images, party_values
from federation.units.party.warnings import EXCHANGE_WARNINGS, PARTY_WARNINGS
from federation.units.patches import AnyValues
from federation.units.portal.plan import (
    deployed_portal_modules,
    plan_fml_manager,
    plan_site_portal,
    portal_images,
    portal_module_specs,
    portal_secrets,
    portal_values,
)
from federation.units.portal.policies import portal_targets
from federation.units.portal.rules import FML_MANAGER_RULES, PORTAL_WARNINGS, SITE_PORTAL_RULES
from federation.units.serving.modules import deployed_serving_modules, serving_module_specs
from federation.units.serving.plan import (
    plan_serving,
    plan_serving_exchange,
    serving_exchange_values,
    serving_images,
    serving_secrets,
    serving_values,
)
from federation.units.serving.policies import serving_targets, training_targets
from federation.units.serving.rules import SERVING_EXCHANGE_RULES, SERVING_RULES, SERVING_WARNINGS
from federation.units.unit import UnitPlan

Unit = TypeVar("Unit")


@dataclass(frozen=True, kw_only=True)
class UnitKind(Generic[Unit]):
    """What one kind does with a unit of it.

    `fits`: whether there is a plan, when the release is known. `values`: those of the chart, without a patch. `engine_ports`: its ports
    with those of external engines. `targets`: what it dials outside of the stack except peers. `rules`, `warnings`: about one unit.
    """

    module_specs: Callable[[Unit], Mapping[str, ModuleSpec | None]]
    deployed: Callable[[Unit], Collection[str]]
    images: Callable[[Unit], Mapping[str, ImageUse]]
    values: Callable[[Unit], AnyValues]
    plan: Callable[[Unit, Peers, date | None], UnitPlan]
    targets: Callable[[Unit], Iterable[EgressTarget]] = lambda _: ()
    fits: Callable[[Unit], bool] = lambda _: True
    ports: Callable[[Unit], Mapping[str, int]] = lambda unit: unit.release.ports  # type: ignore[attr-defined]
    rules: tuple[UnitRule, ...] = ()
    warnings: tuple[UnitWarn, ...] = ()

    def has_plan(self, unit: Any) -> bool:
        """Whether release and engines are known, so that images, values and a plan can be made. If not, another rule reports it."""
        return unit.spec.release in unit.releases and self.fits(unit)


def _serving_fits(unit: ServingUnit) -> bool:
    """Whether the address of its FATE-Flow is known, which its servers are configured with."""
    training = party_units(unit.stack).get(unit.party)
    return unit.spec.fateflow is not None or (training is not None and UNIT_KINDS["party"].has_plan(training))


def _party_values(unit: PartyUnit) -> PartyValues:
    _, keys = party_secrets(unit, link_of(unit).certificates(unit, Peers((), {}), None))
    return party_values(unit, keys)


UNIT_KINDS: Mapping[Kind, UnitKind[Any]] = {
    "party": UnitKind[PartyUnit](
        fits=lambda unit: combination_of(unit) is not None,
        module_specs=lambda unit: module_specs(unit.spec),
        deployed=deployed_party_modules,
        ports=engine_ports,
        images=party_images,
        values=_party_values,
        targets=lambda unit: (*egress_targets(unit), *training_targets(unit)),
        plan=plan_party,
        rules=PARTY_RULES,
        warnings=PARTY_WARNINGS,
    ),
    "exchange": UnitKind[ExchangeUnit](
        fits=lambda unit: unit.spec.federation in unit.release.exchanges,
        module_specs=lambda unit: exchange_module_specs(unit.spec),
        deployed=lambda unit: unit.release.exchanges[unit.spec.federation],
        images=exchange_images,
        values=exchange_values,
        plan=plan_exchange,
        rules=EXCHANGE_RULES,
        warnings=EXCHANGE_WARNINGS,
    ),
    "serving": UnitKind[ServingUnit](
        fits=_serving_fits,
        module_specs=lambda unit: serving_module_specs(unit.spec),
        deployed=lambda unit: deployed_serving_modules(unit.spec),
        images=serving_images,
        values=lambda unit: serving_values(unit, serving_secrets(unit)[1]),
        targets=serving_targets,
        plan=lambda unit, peers, _: plan_serving(unit, peers),
        rules=SERVING_RULES,
        warnings=SERVING_WARNINGS,
    ),
    "servingExchange": UnitKind[ServingExchangeUnit](
        module_specs=lambda unit: serving_module_specs(unit.spec),
        deployed=lambda unit: deployed_serving_modules(unit.spec),
        images=serving_images,
        values=serving_exchange_values,
        plan=plan_serving_exchange,
        rules=SERVING_EXCHANGE_RULES,
    ),
    "fmlManager": UnitKind[FmlManagerUnit](
        module_specs=lambda unit: portal_module_specs(unit.spec),
        deployed=lambda unit: deployed_portal_modules(unit.spec),
        images=portal_images,
        values=lambda unit: portal_values(unit, portal_secrets(unit)[1]),
        targets=lambda unit: portal_targets(unit.spec),
        plan=lambda unit, peers, _: plan_fml_manager(unit, peers),
        rules=FML_MANAGER_RULES,
        warnings=PORTAL_WARNINGS,
    ),
    "sitePortal": UnitKind[SitePortalUnit](
        module_specs=lambda unit: portal_module_specs(unit.spec),
        deployed=lambda unit: deployed_portal_modules(unit.spec),
        images=portal_images,
        values=lambda unit: portal_values(unit, portal_secrets(unit)[1]),
        targets=lambda unit: portal_targets(unit.spec),
        plan=lambda unit, peers, _: plan_site_portal(unit, peers),
        rules=SITE_PORTAL_RULES,
        warnings=PORTAL_WARNINGS,
    ),
}


def kind_of(unit: AnyUnit) -> UnitKind[Any]:
    """The row of a unit's kind."""
    return UNIT_KINDS[unit.kind]
