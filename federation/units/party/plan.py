"""The plan of one FATE party, whatever its engines: the combination's row in the catalogue says which modules."""

from datetime import date
from typing import Any

from federation.access.consoles import access, console_objects, console_secret, shown_consoles
from federation.access.network_policy import doctor_policies, network_policies, party_ingress
from federation.base import naming
from federation.config.units import PartyUnit
from federation.links.external_engines import engine_ports
from federation.links.kinds.registry import link_of, route_maps
from federation.links.next_hops import blocked, exchanges_behind, links, next_hops
from federation.links.publishing import descriptor, service
from federation.manifests.modules import in_use
from federation.manifests.objects import Manifest, ServicePort, internal_service
from federation.peers.accepted import Peers
from federation.trust.plan import authorities_of
from federation.units.data import recorded_data
from federation.units.party.cert_manager import certificate_objects
from federation.units.party.jobs import party_jobs
from federation.units.party.secrets import party_secrets, provided_passwords
from federation.units.party.values import DATABASE_CLIENT, deployed_party_modules, party_images, party_values
from federation.units.patches import patched
from federation.units.portal.policies import fateflow_policies
from federation.units.serving.policies import training_policies
from federation.units.unit import ChartPlan, UnitPlan, module_summary, own_namespace


def plan_party(unit: PartyUnit, peers: Peers, today: date | None = None) -> UnitPlan:
    """The plan of one party of this stack."""
    tls = link_of(unit).certificates(unit, peers, today)
    secrets, keys = party_secrets(unit, tls)
    values = patched(party_values(unit, keys), unit.spec.chart_values)
    secrets += console_secret(unit, values.boards)
    deployed = deployed_party_modules(unit)
    consoles = shown_consoles(unit, deployed)
    running = {**values.modules.plain(), DATABASE_CLIENT: values.database.client.plain()}
    others, exchange = next_hops(unit, peers)
    hops, behind = [*others.values(), *([] if exchange is None else [exchange])], exchanges_behind(unit, peers)
    return UnitPlan(
        key=unit.key,
        kind=unit.kind,
        party_id=unit.party_id,
        namespace=unit.namespace,
        release=unit.spec.release,
        namespace_object=own_namespace(unit),
        services=_services(unit),
        secrets=secrets,
        routes=route_maps(unit, peers, tls),
        policies=(
            *network_policies(unit, hops, party_ingress(unit, deployed), behind.values() if "lbrollsite" in deployed else None),
            *training_policies(unit),
            *doctor_policies(unit, peers),
            *fateflow_policies(unit),
        ),
        certificates=certificate_objects(unit, tls),
        links=links(others, exchange, unit.spec.exchange, behind),
        blocked=blocked(others, exchange, unit.spec.exchange, behind),
        chart=ChartPlan("fate-party", unit.namespace, values),
        jobs=party_jobs(unit, values, keys),
        console_objects=console_objects(unit, consoles),
        descriptor=_descriptor(unit),
        modules=module_summary(values.modules.plain()),
        access=access(unit, consoles, deployed),
        images=in_use(party_images(unit), running),
        tls=tls,
        data=recorded_data(unit.spec, values, unit.release),
        allow_data_loss=unit.spec.allow_data_loss,
        provided=provided_passwords(unit.spec),
    )


def _services(unit: PartyUnit) -> tuple[Manifest, ...]:
    ports = unit.release.ports
    fateflow = [ServicePort("tcp-grpc", ports["fateflowGrpc"], "grpc"), ServicePort("tcp-http", ports["fateflowHttp"], "http")]
    settings = unit.spec.modules.fateflow.service
    made = [internal_service(naming.FATEFLOW_SERVICE, naming.FATEFLOW, unit.key, unit.namespace, unit.labels, fateflow, settings)]
    for published in unit.published:
        if unit.spec.publish.of(published.endpoint).type == "External":
            continue
        if published.internal is not None:
            inside = [ServicePort(port.name, ports[port.own], port.target) for port in published.ports]
            made.append(internal_service(published.internal, published.module, unit.key, unit.namespace, unit.labels, inside))
        made.append(service(unit, published))
    return tuple(made)


def _descriptor(unit: PartyUnit) -> dict[str, Any]:
    authorities, own = authorities_of(unit), unit.spec
    backends = {"computing": own.computing, "federation": own.federation, "storage": own.storage}
    trust = {"trust": {"authorities": list(authorities)}} if authorities else {}
    return {**descriptor(unit, engine_ports(unit), backends=backends), **trust}
