"""Published Services, and their endpoints in the descriptor; a marker stands for each address that only the cluster knows."""

from collections.abc import Mapping
from typing import Any

from federation.base.live import LiveValue
from federation.base.scalars import is_ip
from federation.catalogue.endpoints import PublishedService
from federation.config.publish import Publication
from federation.config.units import AnyUnit
from federation.manifests.objects import Manifest, ServicePort, published_service


def service_ports(published: PublishedService, publication: Publication, release_ports: Mapping[str, int]) -> dict[str, ServicePort]:
    """The ports of a published Service by purpose. The operator's port is the node port of a NodePort Service, else the Service port."""
    ports = {}
    for port in published.ports:
        chosen, own = publication.port_of(port.purpose), release_ports[port.default or port.own]
        if publication.type == "NodePort":
            ports[port.purpose] = ServicePort(port.name, own, port.target, chosen)
        else:
            ports[port.purpose] = ServicePort(port.name, chosen or own, port.target)
    return ports


def service(unit: AnyUnit, published: PublishedService) -> Manifest:
    """The Service of an endpoint."""
    publication = unit.spec.publish.of(published.endpoint)
    ports = list(service_ports(published, publication, unit.release.ports).values())
    return published_service(published.service, published.module, unit.key, unit.namespace, unit.labels, ports, publication)


def services(unit: AnyUnit) -> tuple[Manifest, ...]:
    """The Service of each endpoint of a unit."""
    return tuple(service(unit, published) for published in unit.published)


def descriptor(unit: AnyUnit, ports: Mapping[str, int] | None = None, **more: Any) -> dict[str, Any]:
    """The body of a unit's descriptor. `ports`: with those of external engines; absent: of the release. `more`: what only its kind says."""
    return {
        **unit.stack.federation.membership,
        "kind": unit.kind,
        "organization": unit.stack.organization,
        **({} if unit.party_id is None else {"partyId": unit.party_id}),
        "release": unit.spec.release,
        **more,
        "endpoints": {published.endpoint: _endpoint(unit, published, ports or unit.release.ports) for published in unit.published},
    }


def _endpoint(unit: AnyUnit, published: PublishedService, ports: Mapping[str, int]) -> dict[str, Any]:
    """The address of an endpoint in a descriptor: the advertised one, its load balancer's, or (ClusterIP) the cluster's own."""
    publication = unit.spec.publish.of(published.endpoint)
    if publication.advertise is not None:
        host, addresses = publication.advertise.host, publication.advertise.addresses
        addresses = addresses or ((host,) if is_ip(host) else ())
    else:
        host = str(LiveValue(unit.namespace, published.service, "loadBalancer" if publication.type == "LoadBalancer" else "clusterIP"))
        addresses = (host,)
    tls = {"tls": True, "serverName": unit.server_name} if published.tls else {"tls": False}
    dialled = {purpose: port.node_port or port.port for purpose, port in service_ports(published, publication, ports).items()}
    return {"host": host, "addresses": list(addresses), "ports": dialled, **tls}
