"""How a published Service is dialled: by its own cluster, and by peers; with markers where an address is live."""

from collections.abc import Iterable, Mapping
from typing import Any

from federation.base.live import LiveValue
from federation.base.scalars import is_ip
from federation.catalogue.endpoints import PublishedService
from federation.config.publish import Publication, Publish
from federation.manifests.objects import Manifest, ServicePort, published_service


def service_ports(published: PublishedService, publication: Publication, release_ports: Mapping[str, int]) -> dict[str, ServicePort]:
    """The ports of a published Service by purpose. For NodePort the given port is the node port, else the Service's own."""
    ports = {}
    for port in published.ports:
        given, own = publication.port_of(port.purpose), release_ports[port.default or port.own]
        if publication.type == "NodePort":
            ports[port.purpose] = ServicePort(port.name, own, port.target, given)
        else:
            ports[port.purpose] = ServicePort(port.name, given or own, port.target)
    return ports


def service(
    published: PublishedService,
    publication: Publication,
    ports: Mapping[str, ServicePort],
    instance: str,
    namespace: str,
    labels: Mapping[str, str],
) -> Manifest:
    """The Service of an endpoint."""
    return published_service(published.service, published.module, instance, namespace, labels, list(ports.values()), publication)


def endpoints(
    services: Iterable[PublishedService], publish: Publish, namespace: str, release_ports: Mapping[str, int], server_name: str
) -> dict[str, Any]:
    """The endpoints of a descriptor body."""
    found = {}
    for published in services:
        publication = publish.of(published.endpoint)
        dialled = service_ports(published, publication, release_ports)
        found[published.endpoint] = _endpoint(published, publication, namespace, dialled, server_name)
    return found


def _endpoint(
    published: PublishedService, publication: Publication, namespace: str, ports: Mapping[str, ServicePort], server_name: str
) -> dict[str, Any]:
    """What a descriptor says of an endpoint: an advertised address, its load balancer's, or (ClusterIP) the cluster's own."""
    if publication.advertise is not None:
        host, addresses = publication.advertise.host, publication.advertise.addresses
        addresses = addresses or ((host,) if is_ip(host) else ())
    else:
        host = str(LiveValue(namespace, published.service, "loadBalancer" if publication.type == "LoadBalancer" else "clusterIP"))
        addresses = (host,)
    tls = {"tls": True, "serverName": server_name} if published.tls else {"tls": False}
    dialled = {purpose: port.node_port or port.port for purpose, port in ports.items()}
    return {"host": host, "addresses": list(addresses), "ports": dialled, **tls}
