"""Rules about where peers are: elsewhere, and each at an address of its own."""

import ipaddress
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from federation.base.errors import Finding, PlaceOf, Problem, of_each, warning
from federation.base.hosts import canonical, known_outside, namespace_of, published_elsewhere, within
from federation.catalogue.endpoints import PublishedService
from federation.catalogue.kinds import KINDS
from federation.config.publish import Publication
from federation.config.units import AnyUnit
from federation.links.publishing import service_ports
from federation.peers.accepted import Peer, Peers
from federation.peers.collaborations import named
from federation.units.checked import CheckedStack, PlannedStack
from federation.units.hubs import waiting_hubs
from federation.units.kinds.registry import kind_of

Address = tuple[str, int]
# A descriptor or certificate that ends in so many days, or fewer, is named in every preview.
WARN_DAYS = 30


def pending_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """The pending peers, and the units that reach no peer until then."""
    waiting = dict(waiting_hubs(stack.spec, stack.ready.pending))
    yield from (warning(stack.place_of(("peers", hub.peer)), text) for hub, text in waiting.items())
    for name in sorted(stack.ready.pending.keys() - {hub.peer for hub in waiting}):
        yield warning(stack.place_of(("peers", name)), f"peer {name} is pending: {stack.ready.pending[name]}")


def collaboration_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """Warnings of valid collaborations that may not be intended."""
    spec, place = stack.spec, stack.place_of(("collaborations",))
    if not spec.collaborations:
        return
    yield warning(
        place,
        "collaborations decide which routes this stack makes; FATE's native proxies do not check the sender, "
        "so all members' stacks must have the same collaborations (docs/guides/network.md)",
    )
    inside = named(spec.collaborations)
    for party, _ in spec.parties_in_order:
        if party not in inside:
            yield warning(place, f"party {party} is in no collaboration: it has no route to anyone")
    for peer in stack.peers.parties():
        if peer.routed and peer.party_id not in inside:
            yield warning(place, f"peer {peer.name} (party {peer.party_id}) is in no collaboration: it gets no route")
    # A party of a star knows its exchange only: the others' ids tell it nothing.
    if spec.exchange is not None or spec.federation.topology == "mesh":
        known = {*spec.parties, *(peer.party_id for peer in stack.peers.parties())}
        for name, members in sorted(spec.collaborations.items()):
            for party in sorted(set(members) - known, key=int):
                text = (
                    f"collaboration {name} names party {party}, which is neither a party nor an accepted peer of this stack: no route yet"
                )
                yield warning(stack.place_of(("collaborations", name)), text)


def unreadable_file_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """Blocked peers whose descriptor file is no longer the accepted one."""
    for peer in stack.peers.accepted:
        if peer.unreadable is not None:
            yield warning(
                stack.place_of(("peers", peer.name)),
                f"peer {peer.name} is {peer.state}, and stays blocked as {peer.descriptor.title}, as the stack file says: "
                f"{peer.unreadable};",
                f"restore the file before `fatefed peers resume {peer.name}`",
            )


def address_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """Peers of different owners at one address: one of them receives the other's traffic."""
    first: dict[Address, Peer] = {}
    reported: set[tuple[str, str]] = set()
    for peer in (peer for peer in stack.ready.accepted if peer.routed):
        for address, port in sorted(_addresses(peer)):
            other = first.setdefault((address, port), peer)
            if other.key != peer.key and (other.name, peer.name) not in reported:
                reported.add((other.name, peer.name))
                text = f"peers {other.name} and {peer.name}, of different keys, are both at {address}:{port}:"
                yield warning(stack.place_of(("peers", peer.name)), text, "ask both owners whose address it is")


def unused_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """Exchanges in a mesh, where parties dial each other."""
    for peer in stack.ready.accepted if stack.spec.federation.topology == "mesh" else ():
        if peer.trains and not KINDS[peer.kind].of_a_party and peer.routed:
            text = f"peer {peer.name} is an exchange, but a mesh has none: this stack does not dial it;"
            remedy = "retire it, or set federation.topology to star and name it in parties.<id>.exchange"
            yield warning(stack.place_of(("peers", peer.name)), text, remedy)


def advertise_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """Addresses of this stack that other organizations would refuse in its descriptors."""
    for unit in stack.units:
        for name, publication in unit.spec.publish.by_endpoint.items():
            hosts = () if publication.advertise is None else (publication.advertise.host, *publication.advertise.addresses)
            for host in (host for host in dict.fromkeys(hosts) if not (published_elsewhere(host) and known_outside(host))):
                path = (*unit.path, "publish", name)
                text = f"{'.'.join(path)} advertises {host}, which peers refuse in a descriptor:"
                yield warning(stack.place_of(path), text, "name an address, or a name that resolves outside the cluster", before_up=True)


def expiry_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """An accepted descriptor stays in force: its owner may be upgrading, or silent (invariant 4)."""
    for peer in stack.ready.accepted:
        if stack.today is None or peer.not_after is None or peer.state in ("retired", "pending"):
            continue
        days = (date.fromisoformat(peer.not_after) - stack.today).days
        if days <= WARN_DAYS:
            expires = f"expires on {peer.not_after}" if days >= 0 else f"expired on {peer.not_after}"
            text = f"the descriptor of peer {peer.name} {expires}; its routes stay:"
            yield warning(stack.place_of(("peers", peer.name)), text, "ask its owner to export a new one")


def peers_are_outside(stack: CheckedStack) -> Iterator[Problem]:
    """Peers whose host name would resolve inside a namespace of this stack."""
    namespaces = dict(of_each(stack.units, lambda unit: [(unit.namespace, ".".join(unit.path))]))
    for peer in stack.peers.accepted:
        for name, endpoint in peer.descriptor.endpoints.items():
            if (owner := namespaces.get(namespace_of(endpoint.host) or "")) is not None:
                problem = f"its {name} is published as {endpoint.host}: pods would look it up in the namespace of this stack's own {owner}"
                yield Problem(stack.place_of(("peers", peer.name)), problem, "ask the peer for an address, or another name")


def peers_are_beyond_the_cluster(stack: CheckedStack) -> Iterator[Problem]:
    """Descriptors with an address in `cluster.ranges`. An operator may type one by hand, to reach a Service."""
    ranges = [ipaddress.ip_network(text) for text in stack.spec.cluster.ranges]
    for peer in (peer for peer in stack.peers.accepted if not peer.by_hand):
        for name, endpoint in peer.descriptor.endpoints.items():
            for host in dict.fromkeys((endpoint.host, *endpoint.addresses)):
                if (inside := next((network for network in ranges if within(host, network)), None)) is not None:
                    problem = f"its {name} is published at {host}, in {inside} of this cluster (cluster.ranges)"
                    yield Problem(
                        stack.place_of(("peers", peer.name)), problem, "ask the peer for its own address, or correct cluster.ranges"
                    )


def own_live_addresses(published: Mapping[str, Mapping[str, Any]], peers: Peers, place_of: PlaceOf) -> tuple[Problem, ...]:
    """Peers at an address that only the cluster knows. `published`: the endpoints of each unit, with their addresses filled in."""
    own = {
        (canonical(host), port): f"{unit}'s {name}"
        for unit, endpoints in published.items()
        for name, endpoint in endpoints.items()
        for host in (endpoint["host"], *endpoint.get("addresses", ()))
        for port in endpoint["ports"].values()
    }
    return tuple(_at_own_addresses(own, peers, place_of))


def peers_are_elsewhere(stack: CheckedStack) -> Iterator[Problem]:
    """A peer at an address and port that this stack publishes itself would make a proxy dial itself."""
    return _at_own_addresses(dict(of_each(stack.units, _own_addresses)), stack.peers, stack.place_of)


def _at_own_addresses(own: Mapping[Address, str], peers: Peers, place_of: PlaceOf) -> Iterator[Problem]:
    for peer in peers.accepted:
        for name in peer.descriptor.endpoints:
            for address, port in sorted(_addresses(peer, name) & own.keys()):
                yield Problem(
                    place_of(("peers", peer.name)),
                    f"its {name} is published at {address}:{port}, which is this stack's own {own[address, port]}",
                    "ask the peer for its own address, or correct yours",
                )


def _addresses(peer: Peer, name: str | None = None) -> set[Address]:
    endpoints = peer.descriptor.endpoints if name is None else {name: peer.descriptor.endpoints[name]}
    return {(canonical(host), port) for each in endpoints.values() for host in (each.host, *each.addresses) for port in each.ports.values()}


def _own_addresses(unit: AnyUnit) -> Iterator[tuple[Address, str]]:
    """The addresses that peers connect to, as far as they are known before an apply, and the key that sets each."""
    services, ports = _published(unit)
    for service in services:
        publication = unit.spec.publish.by_endpoint.get(service.endpoint)
        if publication is not None:
            for port in service_ports(service, publication, ports).values():
                for host in _hosts(publication):
                    yield (canonical(host), port.node_port or port.port), ".".join((*unit.path, "publish", service.endpoint))


def _hosts(publication: Publication) -> tuple[str, ...]:
    if publication.advertise is not None:
        return (publication.advertise.host, *publication.advertise.addresses)
    return () if publication.load_balancer_ip is None else (publication.load_balancer_ip,)


def _published(unit: AnyUnit) -> tuple[tuple[PublishedService, ...], Mapping[str, int]]:
    """A unit's endpoints and the ports of its release; empty for an unknown release or engine, which another rule reports."""
    kind = kind_of(unit)
    if unit.spec.release not in unit.releases:
        return (), {}
    ports = kind.ports(unit)
    return tuple(service for service in unit.published if all((port.default or port.own) in ports for port in service.ports)), ports
