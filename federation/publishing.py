"""How a published Service is dialled: by its own cluster, and by peers; with markers where an address is live."""

from dataclasses import dataclass
from typing import Any

from federation.live import LiveValue
from federation.manifests import ServicePort
from federation.scalars import is_ip
from federation.spec import Publication, PublishNginx, PublishTls


@dataclass(frozen=True)
class Outside:
    """What peers are told: a host, its IP addresses, and ports by purpose."""

    host: str
    addresses: tuple[str, ...]
    ports: dict[str, int]

    def endpoint(self, server_name: str | None) -> dict[str, Any]:
        """The endpoint of a descriptor body."""
        tls = {"tls": False} if server_name is None else {"tls": True, "serverName": server_name}
        return {"host": self.host, "addresses": list(self.addresses), "ports": self.ports, **tls}


def outside(publication: Publication, namespace: str, service: str, ports: dict[str, int]) -> Outside:
    """The published address of a Service: advertised, of its load balancer, or (ClusterIP) of the cluster itself."""
    if publication.advertise is not None:
        host, addresses = publication.advertise.host, publication.advertise.addresses
        return Outside(host, addresses or ((host,) if is_ip(host) else ()), ports)
    live = str(LiveValue(namespace, service, "loadBalancer" if publication.type == "LoadBalancer" else "clusterIP"))
    return Outside(live, (live,), ports)


def tls_port(publication: PublishTls, target: str, name: str, own: int) -> ServicePort:
    """The port of a published TLS Service. `own` is the container's port, from the release."""
    if publication.type == "NodePort":
        return ServicePort(name, own, target, publication.port)
    return ServicePort(name, publication.port or own, target)


def nginx_ports(publication: PublishNginx, http: int, grpc: int) -> tuple[ServicePort, ServicePort]:
    """The ports of a published nginx Service."""
    if publication.type == "NodePort":
        return ServicePort("http", http, "http", publication.http_port), ServicePort("grpc", grpc, "grpc", publication.grpc_port)
    return ServicePort("http", publication.http_port or http, "http"), ServicePort("grpc", publication.grpc_port or grpc, "grpc")


def dialled(port: ServicePort) -> int:
    """The port a peer dials."""
    return port.node_port or port.port
