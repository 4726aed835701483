"""The plan of one FATE party, whatever its engines: the combination's row in the catalogue says which modules."""

from datetime import date
from typing import Any

from federation.access.consoles import access, board_objects, board_secret, shown_consoles
from federation.access.network_policy import doctor_policies, network_policies, party_doors
from federation.base import naming
from federation.base.scalars import PartyId
from federation.config.party import PartySpec
from federation.config.stack import StackSpec, server_name
from federation.config.units import OwnUnit
from federation.links.external_engines import engine_ports
from federation.links.kinds.registry import link_of, route_maps
from federation.links.next_hops import exchanges_behind, links, next_hops, severed
from federation.links.publishing import endpoints, service, service_ports
from federation.manifests.modules import in_use
from federation.manifests.objects import Manifest, ServicePort, internal_service, namespace
from federation.peers.accepted import Peers
from federation.trust.plan import authorities_of
from federation.units.data import data_facts
from federation.units.party.cert_manager import certificate_objects
from federation.units.party.jobs import party_jobs
from federation.units.party.secrets import party_secrets, provided_passwords
from federation.units.party.values import DATABASE_CLIENT, deployed_modules, party_images, party_values
from federation.units.patches import patched
from federation.units.portal.policies import fateflow_policies
from federation.units.serving.policies import training_policies
from federation.units.unit import ChartPlan, UnitPlan, module_summary


def plan_party(spec: StackSpec, party: PartyId, own: PartySpec, peers: Peers, today: date | None = None) -> UnitPlan:
    """What is made for one party of this stack."""
    key = naming.party_key(party)
    labels = naming.common_labels(spec.federation.name, party)
    tls = link_of(spec).certificates(spec, party, own, peers, today)
    secrets, keys = party_secrets(spec, party, own, labels, tls)
    values = patched(party_values(spec, party, own, labels, keys), own.chart_values)
    secrets += board_secret(spec, own.namespace, labels, values.boards)
    release, deployed = spec.catalogue[own.release], deployed_modules(spec, own)
    consoles = shown_consoles(spec, party, own, release.ports, deployed)
    running = {**values.modules.plain(), DATABASE_CLIENT: values.database.client.plain()}
    others, exchange = next_hops(spec, party, own, peers)
    hops, behind = [*others.values(), *([] if exchange is None else [exchange])], exchanges_behind(spec, own, peers)
    return UnitPlan(
        key=key,
        kind="party",
        party_id=party,
        namespace=own.namespace,
        release=own.release,
        namespace_object=(namespace(own.namespace, labels),) if spec.cluster.makes_namespaces else (),
        services=_services(spec, own, key, labels),
        secrets=secrets,
        routes=route_maps(spec, OwnUnit(spec, "party", party, own), labels, peers, tls),
        policies=(
            *network_policies(spec, own, key, labels, hops, party_doors(spec, own, deployed), behind.values()),
            *training_policies(spec, party, own, key, labels, naming.FATEFLOW),
            *doctor_policies(spec, own, key, labels, peers),
            *fateflow_policies(spec, party, own, key, labels),
        ),
        certificates=certificate_objects(spec, own, tls, labels),
        links=links(others, exchange, own.exchange, behind),
        severed=severed(others, exchange, own.exchange, behind),
        chart=ChartPlan("fate-party", own.namespace, values),
        jobs=party_jobs(spec, party, own, values, keys, labels),
        boards=board_objects(spec, key, own.namespace, labels, consoles),
        descriptor=_descriptor(spec, party, own),
        modules=module_summary(values.modules.plain()),
        access=access(spec, own.namespace, release.ports, consoles, deployed),
        images=in_use(party_images(spec, own), running),
        tls=tls,
        data=data_facts(own, values, release),
        allow_data_loss=own.allow_data_loss,
        provided=provided_passwords(own),
    )


def _services(spec: StackSpec, own: PartySpec, key: str, labels: dict[str, str]) -> tuple[Manifest, ...]:
    ports = spec.catalogue[own.release].ports
    fateflow = [ServicePort("tcp-grpc", ports["fateflowGrpc"], "grpc"), ServicePort("tcp-http", ports["fateflowHttp"], "http")]
    settings = own.modules.fateflow.service
    made = [internal_service(naming.FATEFLOW_SERVICE, naming.FATEFLOW, key, own.namespace, labels, fateflow, settings)]
    for published in spec.federation.links.of("party", own.federation):
        publication = own.publish.of(published.endpoint)
        if publication.type == "External":
            continue
        if published.internal is not None:
            inside = [ServicePort(port.name, ports[port.own], port.target) for port in published.ports]
            made.append(internal_service(published.internal, published.module, key, own.namespace, labels, inside))
        made.append(service(published, publication, service_ports(published, publication, ports), key, own.namespace, labels))
    return tuple(made)


def _descriptor(spec: StackSpec, party: PartyId, own: PartySpec) -> dict[str, Any]:
    authorities = authorities_of(spec, party, own)
    ports = engine_ports(spec, own)
    services = spec.federation.links.of("party", own.federation)
    return {
        **spec.federation.membership,
        "kind": "party",
        "organization": spec.organization,
        "partyId": party,
        "release": own.release,
        "backends": {"computing": own.computing, "federation": own.federation, "storage": own.storage},
        "endpoints": endpoints(services, own.publish, own.namespace, ports, server_name(spec, party)),
        **({"trust": {"authorities": list(authorities)}} if authorities else {}),
    }
