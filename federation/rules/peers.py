"""Rules about where peers are: elsewhere, and each at an address of its own."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from federation.base.errors import Place, Problem, of_each
from federation.base.hosts import canonical, known_outside, namespace_of, published_elsewhere, within
from federation.catalogue.endpoints import PublishedService
from federation.catalogue.kinds import KINDS
from federation.config.publish import Publication
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, units
from federation.links.publishing import service_ports
from federation.peers.accepted import Peer, Peers
from federation.units.checked import CheckedStack
from federation.units.kinds.registry import kind_of

Address = tuple[str, int]


def address_warnings(peers: Peers) -> Iterator[str]:
    """Peers of different owners at one address: one of them gets what is meant for the other."""
    first: dict[Address, Peer] = {}
    said: set[tuple[str, str]] = set()
    for peer in (peer for peer in peers.accepted if peer.routed):
        for address, port in sorted(_addresses(peer)):
            other = first.setdefault((address, port), peer)
            if other.key != peer.key and (other.name, peer.name) not in said:
                said.add((other.name, peer.name))
                yield f"peers {other.name} and {peer.name}, of different keys, are both at {address}:{port}: ask both whose it is"


def unused_warnings(spec: StackSpec, peers: Peers) -> Iterator[str]:
    """Exchanges in a mesh, where parties dial each other."""
    for peer in peers.accepted if spec.federation.topology == "mesh" else ():
        if peer.trains and not KINDS[peer.kind].of_a_party and peer.routed:
            remedy = "retire it, or set federation.topology to star and name it in parties.<id>.exchange"
            yield f"peer {peer.name} is an exchange, and a mesh has none: nothing of this stack dials it; {remedy}"


def advertise_warnings(spec: StackSpec) -> Iterator[str]:
    """Addresses of this stack that other organizations would refuse in its descriptors."""
    for unit in units(spec):
        for name, publication in unit.spec.publish.given.items():
            told = () if publication.advertise is None else (publication.advertise.host, *publication.advertise.addresses)
            for host in (host for host in dict.fromkeys(told) if not (published_elsewhere(host) and known_outside(host))):
                where = ".".join((*unit.path, "publish", name))
                yield f"{where} advertises {host}, which peers refuse in a descriptor: name an address, or a name that is known outside"


def peers_are_outside(stack: CheckedStack) -> Iterator[Problem]:
    """Names in a namespace of this stack; pods would search them there."""
    namespaces = dict(of_each(stack.units, lambda unit: [(unit.namespace, ".".join(unit.path))]))
    for peer in stack.peers.accepted:
        for name, endpoint in peer.descriptor.endpoints.items():
            if (owner := namespaces.get(namespace_of(endpoint.host) or "")) is not None:
                problem = f"its {name} is published as {endpoint.host}: pods would search it in the namespace of this stack's own {owner}"
                yield Problem(stack.place(("peers", peer.name)), problem, "ask the peer for an address, or another name")


def peers_are_beyond_the_cluster(stack: CheckedStack) -> Iterator[Problem]:
    """Addresses of the cluster; only an operator may mean a Service by its address."""
    ranges = [ipaddress.ip_network(text) for text in stack.spec.cluster.ranges]
    for peer in (peer for peer in stack.peers.accepted if not peer.by_hand):
        for name, endpoint in peer.descriptor.endpoints.items():
            for host in dict.fromkeys((endpoint.host, *endpoint.addresses)):
                if (inside := next((found for found in ranges if within(host, found)), None)) is not None:
                    problem = f"its {name} is published at {host}, in {inside} of this cluster (cluster.ranges)"
                    yield Problem(stack.place(("peers", peer.name)), problem, "ask the peer for its own address, or correct cluster.ranges")


def own_live_addresses(published: Mapping[str, Mapping[str, Any]], peers: Peers, place: Place) -> tuple[Problem, ...]:
    """Peers at an address that only the cluster knows. `published`: the endpoints of each unit, with their addresses filled in."""
    own = {
        (canonical(host), port): f"{unit}'s {name}"
        for unit, endpoints in published.items()
        for name, endpoint in endpoints.items()
        for host in (endpoint["host"], *endpoint.get("addresses", ()))
        for port in endpoint["ports"].values()
    }
    return tuple(_at_own_addresses(own, peers, place))


def peers_are_elsewhere(stack: CheckedStack) -> Iterator[Problem]:
    """A peer at an address and port that this stack publishes itself would make a proxy dial itself."""
    return _at_own_addresses(dict(of_each(stack.units, _own_addresses)), stack.peers, stack.place)


def _at_own_addresses(own: Mapping[Address, str], peers: Peers, place: Place) -> Iterator[Problem]:
    for peer in peers.accepted:
        for name in peer.descriptor.endpoints:
            for address, port in sorted(_addresses(peer, name) & own.keys()):
                yield Problem(
                    place(("peers", peer.name)),
                    f"its {name} is published at {address}:{port}, which is this stack's own {own[address, port]}",
                    "ask the peer for its own address, or correct yours",
                )


def _addresses(peer: Peer, name: str | None = None) -> set[Address]:
    endpoints = peer.descriptor.endpoints if name is None else {name: peer.descriptor.endpoints[name]}
    return {(canonical(host), port) for each in endpoints.values() for host in (each.host, *each.addresses) for port in each.ports.values()}


def _own_addresses(unit: AnyUnit) -> Iterator[tuple[Address, str]]:
    """What peers dial, as far as it is known before an apply, and the key that says so."""
    services, ports = _published(unit)
    for service in services:
        publication = unit.spec.publish.given.get(service.endpoint)
        if publication is not None:
            for port in service_ports(service, publication, ports).values():
                for host in _hosts(publication):
                    yield (canonical(host), port.node_port or port.port), ".".join((*unit.path, "publish", service.endpoint))


def _hosts(publication: Publication) -> tuple[str, ...]:
    if publication.advertise is not None:
        return (publication.advertise.host, *publication.advertise.addresses)
    return () if publication.load_balancer_ip is None else (publication.load_balancer_ip,)


def _published(unit: AnyUnit) -> tuple[tuple[PublishedService, ...], Mapping[str, int]]:
    """Its endpoints and the ports of its release; none of a release or engine that does not exist, which is a problem of its own."""
    kind = kind_of(unit)
    if unit.spec.release not in unit.releases:
        return (), {}
    ports = kind.ports(unit)
    return tuple(found for found in unit.published if all((port.default or port.own) in ports for port in found.ports)), ports
