"""How one unit dials another: inside a stack by live cluster addresses, across organizations by descriptors."""

from dataclasses import dataclass

from federation import naming
from federation.live import LiveValue
from federation.manifests import ServicePort
from federation.peers import Peer, Peers
from federation.publishing import nginx_ports, tls_port
from federation.releases import catalogue
from federation.routes import TOMBSTONE_HOST, TOMBSTONE_PORT, NginxTarget
from federation.spec import ExchangeSpec, PartySpec, StackSpec


@dataclass(frozen=True)
class ExchangeAddresses:
    """How a party dials its exchange."""

    nginx: tuple[NginxTarget, ...]
    # None for an exchange that gets no routes: only nginx must be told so, because it forgets a route at restart only.
    traffic_server: tuple[str, int] | None


def party_ports(own: PartySpec) -> dict[str, ServicePort]:
    """The published ports of a party by purpose: tls, http, grpc."""
    ports = catalogue()[own.release].ports
    tls = tls_port(own.publish.pulsar, "tls", "tls-port", ports["pulsarTls"])
    return {"tls": tls} | {port.name: port for port in nginx_ports(own.publish.nginx, ports["nginxHttp"], ports["nginxGrpc"])}


def exchange_ports(own: ExchangeSpec) -> dict[str, ServicePort]:
    """The published ports of an exchange by purpose: tls, http, grpc."""
    ports = catalogue()[own.release].ports
    tls = tls_port(own.publish.traffic_server, "tls", "443", ports["trafficServerPublished"])
    return {"tls": tls} | {port.name: port for port in nginx_ports(own.publish.nginx, ports["nginxHttp"], ports["nginxGrpc"])}


def party_nginx_target(own: PartySpec) -> NginxTarget:
    """How another unit of the same stack, hence the same cluster, dials a party's nginx."""
    ports = catalogue()[own.release].ports
    return NginxTarget(str(LiveValue(own.namespace, naming.NGINX_SERVICE, "clusterIP")), ports["nginxHttp"], ports["nginxGrpc"])


def party_pulsar_address(own: PartySpec) -> tuple[str, int]:
    """How another unit of the same stack dials a party's Pulsar: address and TLS port."""
    return str(LiveValue(own.namespace, naming.PULSAR_PUBLIC, "clusterIP")), party_ports(own)["tls"].port


def exchange_addresses(spec: StackSpec, name: str | None, peers: Peers) -> ExchangeAddresses | None:
    """How the parties of this stack dial their exchange; None while it is pending."""
    if name == "local" and spec.exchange is not None:
        ports = exchange_ports(spec.exchange)
        nginx, traffic_server = (
            str(LiveValue(spec.exchange.namespace, s, "clusterIP")) for s in (naming.NGINX_SERVICE, naming.TRAFFIC_SERVER_SERVICE)
        )
        return ExchangeAddresses((NginxTarget(nginx, ports["http"].port, ports["grpc"].port),), (traffic_server, ports["tls"].port))
    peer = peers.exchange(name or "")
    if peer is None:
        return None
    endpoint = peer.descriptor.endpoints["trafficServer"]
    return ExchangeAddresses(peer_nginx_targets(peer), (endpoint.host, endpoint.ports["tls"]) if peer.routed else None)


def peer_nginx_targets(peer: Peer) -> tuple[NginxTarget, ...]:
    """The addresses of a peer's nginx; a tombstone for a peer that gets no routes."""
    if not peer.routed:
        return (NginxTarget(TOMBSTONE_HOST, TOMBSTONE_PORT, TOMBSTONE_PORT),)
    endpoint = peer.descriptor.endpoints["nginx"]
    return tuple(NginxTarget(address, endpoint.ports["http"], endpoint.ports.get("grpc")) for address in endpoint.addresses)
