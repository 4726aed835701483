"""The plan of an exchange: Traffic Server and nginx for Pulsar, rollsite for Eggroll, or OSX."""

from datetime import date

from federation.access.network_policy import doctor_policies, network_policies
from federation.base import naming
from federation.catalogue.ports import chart_ports
from federation.chart_values.fate import ExchangeModules, ExchangePorts, ExchangeValues
from federation.config.exchange import ExchangeSpec
from federation.config.modules import ModuleSpec
from federation.config.units import ExchangeUnit
from federation.links.kinds.registry import route_maps
from federation.links.next_hops import blocked, links, other_parties
from federation.links.publishing import descriptor, services
from federation.manifests.modules import ImageUse, in_use, module_images, module_values, osx_settings
from federation.manifests.secrets import pull_secret
from federation.peers.accepted import Peers
from federation.peers.collaborations import groups
from federation.units.patches import patched
from federation.units.protection import is_protected
from federation.units.unit import ChartPlan, UnitPlan, chart_head, module_summary, own_namespace


def plan_exchange(unit: ExchangeUnit, peers: Peers, today: date | None = None) -> UnitPlan:
    """The plan of this stack's exchange."""
    values = patched(exchange_values(unit), unit.spec.chart_values)
    members = other_parties(unit, peers)
    return UnitPlan(
        key=unit.key,
        kind=unit.kind,
        party_id=unit.party_id,
        namespace=unit.namespace,
        release=unit.spec.release,
        namespace_object=own_namespace(unit),
        services=services(unit),
        secrets=pull_secret(unit),
        routes=route_maps(unit, peers),
        policies=(
            *network_policies(unit, members.values()),
            *doctor_policies(unit, peers),
        ),
        links=links(members, None, None),
        blocked=blocked(members, None, None),
        groups=groups(unit.stack.collaborations),
        chart=ChartPlan("fate-exchange", unit.namespace, values),
        descriptor=descriptor(unit),
        modules=module_summary(values.modules.plain()),
        access={},
        images=in_use(exchange_images(unit), values.modules.plain()),
        tls=None,
        data={"namespace": unit.namespace, "release": unit.spec.release},
        allow_data_loss=True,  # an exchange has no data
        protected=is_protected(unit, peers, today),
    )


def exchange_images(unit: ExchangeUnit) -> dict[str, ImageUse]:
    """The images of an exchange's modules, by module."""
    release, specs = unit.release, exchange_module_specs(unit.spec)
    return module_images(release.exchange, {name: specs[name] for name in release.exchanges[unit.spec.federation]}, unit.stack.images)


def exchange_values(unit: ExchangeUnit) -> ExchangeValues:
    """The chart values of an exchange, without a patch."""
    release = unit.release
    specs = exchange_module_specs(unit.spec)
    wanted = release.exchanges[unit.spec.federation]
    modules = {name: module_values(release.exchange[name], specs[name], unit.stack.images) for name in wanted}
    return ExchangeValues(
        **chart_head(unit),
        domain=unit.stack.federation.domain,
        ports=chart_ports(ExchangePorts, wanted, release.ports),
        partner_calls=_partner_calls(unit) if "nginx" in wanted else None,
        modules=ExchangeModules.model_validate(modules),
        osx=osx_settings(release.exchange["osx"], modules["osx"]) if "osx" in modules else None,
        routes=naming.EXCHANGE_ROUTES,
    )


def _partner_calls(unit: ExchangeUnit) -> tuple[str, ...]:
    """The calls between FATE-Flows that nginx passes on: those of every release that a member may have, all of one major version."""
    rows = (release for release in unit.releases.values() if release.major == unit.release.major)
    return tuple(dict.fromkeys(call for release in rows for call in release.partner_calls))


def exchange_module_specs(own: ExchangeSpec) -> dict[str, ModuleSpec]:
    """The settings of each module in the stack file, by its name in the catalogue."""
    modules = own.modules
    return {"trafficServer": modules.traffic_server, "nginx": modules.nginx, "rollsite": modules.rollsite, "osx": modules.osx}
