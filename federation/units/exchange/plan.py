"""The plan of an exchange: Traffic Server and nginx for Pulsar, rollsite for Eggroll, or OSX."""

from datetime import date
from typing import Any

from federation.access.network_policy import doctor_policies, network_policies
from federation.base import naming
from federation.chart_values.fate import ExchangeModules, ExchangePorts, ExchangeValues
from federation.config.exchange import ExchangeSpec
from federation.config.modules import ModuleSpec
from federation.config.stack import StackSpec, server_name
from federation.config.units import OwnUnit
from federation.links.kinds.registry import route_maps
from federation.links.next_hops import links, other_parties, severed
from federation.links.publishing import endpoints, service, service_ports
from federation.manifests.modules import ImageUse, image_use, in_use, module_values, osx_settings
from federation.manifests.objects import Manifest, namespace
from federation.manifests.secrets import pull_secret, pull_secret_names
from federation.peers.accepted import Peers
from federation.peers.collaborations import groups
from federation.units.patches import patched
from federation.units.protection import is_protected
from federation.units.unit import ChartPlan, UnitPlan, module_summary


def plan_exchange(spec: StackSpec, own: ExchangeSpec, peers: Peers, today: date | None = None) -> UnitPlan:
    """What is made for the exchange of this stack."""
    labels = naming.common_labels(spec.federation.name, None)
    values = patched(exchange_values(spec, own, labels), own.chart_values)
    place = (own.namespace, labels)
    members = other_parties(spec, None, peers)
    return UnitPlan(
        key=naming.EXCHANGE,
        kind="exchange",
        party_id=None,
        namespace=own.namespace,
        release=own.release,
        namespace_object=(namespace(*place),) if spec.cluster.makes_namespaces else (),
        services=_services(spec, own, labels),
        secrets=pull_secret(spec, own.namespace, labels),
        routes=route_maps(spec, OwnUnit(spec, "exchange", None, own), labels, peers),
        policies=(
            *network_policies(spec, own, naming.EXCHANGE, labels, members.values()),
            *doctor_policies(spec, own, naming.EXCHANGE, labels, peers),
        ),
        links=links(members, None, None),
        severed=severed(members, None, None),
        groups=groups(spec),
        chart=ChartPlan("fate-exchange", own.namespace, values),
        descriptor=_descriptor(spec, own),
        modules=module_summary(values.modules.plain()),
        access={},
        images=in_use(exchange_images(spec, own), values.modules.plain()),
        tls=None,
        data={"namespace": own.namespace, "release": own.release},
        allow_data_loss=True,  # an exchange has no data
        protected=is_protected(own, peers, today),
    )


def exchange_images(spec: StackSpec, own: ExchangeSpec) -> dict[str, ImageUse]:
    """The images of an exchange's modules, by module."""
    release, given = spec.catalogue[own.release], exchange_module_specs(own)
    return {name: image_use(release.exchange[name], given[name].image, spec.images) for name in release.exchanges[own.federation]}


def exchange_values(spec: StackSpec, own: ExchangeSpec, labels: dict[str, str]) -> ExchangeValues:
    """The chart values of an exchange, without a patch."""
    release = spec.catalogue[own.release]
    given = exchange_module_specs(own)
    wanted = release.exchanges[own.federation]
    modules = {name: module_values(release.exchange[name], given[name], spec.images) for name in wanted}
    known = ExchangePorts.written_keys()
    return ExchangeValues(
        instance=naming.EXCHANGE,
        labels=labels,
        image_pull_policy=spec.images.pull_policy,
        image_pull_secrets=pull_secret_names(spec),
        release=own.release,
        domain=spec.federation.domain,
        ports=ExchangePorts.model_validate(
            {name: port for name, port in release.ports.items() if name in known and name.startswith(wanted)}
        ),
        partner_calls=_partner_calls(spec, release.major) if "nginx" in wanted else None,
        modules=ExchangeModules.model_validate(modules),
        osx=osx_settings(release.exchange["osx"], modules["osx"]) if "osx" in modules else None,
        routes=naming.EXCHANGE_ROUTES,
    )


def _partner_calls(spec: StackSpec, major: int) -> tuple[str, ...]:
    """Of every release that a member may have: those of one major version."""
    rows = (release for release in spec.catalogue.values() if release.major == major)
    return tuple(dict.fromkeys(call for release in rows for call in release.partner_calls))


def exchange_module_specs(own: ExchangeSpec) -> dict[str, ModuleSpec]:
    """What the operator says of each module, by its name in the catalogue."""
    given = own.modules
    return {"trafficServer": given.traffic_server, "nginx": given.nginx, "rollsite": given.rollsite, "osx": given.osx}


def _services(spec: StackSpec, own: ExchangeSpec, labels: dict[str, str]) -> tuple[Manifest, ...]:
    ports = spec.catalogue[own.release].ports
    made = []
    for published in spec.federation.links.of("exchange", own.federation):
        publication = own.publish.of(published.endpoint)
        dialled = service_ports(published, publication, ports)
        made.append(service(published, publication, dialled, naming.EXCHANGE, own.namespace, labels))
    return tuple(made)


def _descriptor(spec: StackSpec, own: ExchangeSpec) -> dict[str, Any]:
    ports = spec.catalogue[own.release].ports
    services = spec.federation.links.of("exchange", own.federation)
    return {
        **spec.federation.membership,
        "kind": "exchange",
        "organization": spec.organization,
        "release": own.release,
        "endpoints": endpoints(services, own.publish, own.namespace, ports, server_name(spec, None)),
    }
