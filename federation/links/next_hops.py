"""How one unit dials another: inside a stack by live cluster addresses, across organizations by descriptors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from federation.base import naming
from federation.base.live import LiveValue
from federation.base.scalars import PartyId, is_ip, is_ipv6
from federation.catalogue.endpoints import PublishedService
from federation.config.portal import SitePortalSpec
from federation.config.serving import ServingSpec
from federation.config.units import AnyUnit, OwnUnit, PartyUnit, TrainingUnit, exchange_unit, party_units
from federation.links import pairs
from federation.links.external_engines import engine_host, engine_ports, external_engines
from federation.links.publishing import service_ports
from federation.peers.accepted import Peer, Peers
from federation.peers.collaborations import may_talk, named
from federation.peers.descriptor import Endpoint


@dataclass(frozen=True)
class Pods:
    """The pods behind an endpoint of this stack: network policies select pods, not Services."""

    namespace: str
    instance: str
    module: str
    ports: tuple[int, ...]


@dataclass(frozen=True)
class Address:
    """The address that a proxy dials: a host, its IP addresses, and ports by purpose; `pods` when it is in this cluster."""

    host: str
    addresses: tuple[str, ...]
    ports: dict[str, int]
    pods: Pods | None = None


@dataclass(frozen=True)
class NextHop:
    """A party or an exchange as a route table needs it. Not routed: suspended, retired, or in no collaboration with the dialler.

    `why`: of a peer that is not routed its state, or what else keeps it apart.
    """

    endpoints: dict[str, Address]
    routed: bool = True
    why: str = ""


# A destination that must not be dialled; proxies that never forget a route get one that leads nowhere.
BLACKHOLE = NextHop({}, routed=False)
NOT_ALLOWED = NextHop({}, routed=False, why="no common collaboration")


def other_parties(unit: TrainingUnit, peers: Peers) -> dict[PartyId, NextHop]:
    """Every other party that the stack knows; one without a common collaboration gets a blackhole."""
    theirs = {peer.party_id: remote(peer) for peer in peers.parties() if peer.party_id is not None}
    parties = theirs | {party: _local(other) for party, other in party_units(unit.stack).items() if party != unit.party_id}
    return {party: hop if may_talk(unit.stack.collaborations, unit.party_id, party) else NOT_ALLOWED for party, hop in parties.items()}


# Next hops of a unit: one per named party, plus the default (None: there is no default route and never was).
Hops = tuple[dict[PartyId, NextHop], NextHop | None]


def next_hops(unit: PartyUnit, peers: Peers) -> Hops:
    """The next hops of a party: in a mesh each party itself, in a star its exchange."""
    if unit.stack.federation.topology == "mesh":
        return other_parties(unit, peers), None
    return through(_exchange_of(unit, peers), unit, unit.stack.parties, peers.parties())


def through(exchange: NextHop, unit: AnyUnit, inside: Iterable[PartyId], peers: Iterable[Peer]) -> Hops:
    """The next hops of a unit in a star: for each accepted peer the exchange or a blackhole, by default the exchange.

    A blocked peer has an entry, because the default would lead to it. A routed one has an entry, too, because nginx would
    remember a suspension that is over. With collaborations every partner is named, also those of this stack (`inside`), and
    the default is a blackhole: an exchange only sees the receiver of a packet.
    """
    groups, own = unit.stack.collaborations, unit.party
    partners = {*named(groups), *inside} if groups else set()
    known = dict.fromkeys(partners, exchange)
    known |= {peer.party_id: exchange if peer.routed else _blocked(peer) for peer in peers if peer.party_id is not None}
    others = {other: hop if may_talk(groups, own, other) else NOT_ALLOWED for other, hop in known.items() if other != own}
    return others, NOT_ALLOWED if groups else exchange


def _blocked(peer: Peer) -> NextHop:
    return NextHop({}, routed=False, why=peer.state)


def _exchange_of(unit: PartyUnit, peers: Peers) -> NextHop:
    """The next hop to a party's exchange, or to the lbrollsite in front of several; none while it is pending."""
    if unit.spec.modules.lbrollsite is None:
        return exchange_named(unit, unit.spec.exchange or "", peers) or BLACKHOLE
    behind = exchanges_behind(unit, peers)
    if not behind:
        return BLACKHOLE
    port = unit.release.ports["lbrollsite"]
    pods = Pods(unit.namespace, unit.key, naming.LBROLLSITE, (port,))
    front = Address(naming.LBROLLSITE_SERVICE, (), {"grpc": port}, pods)
    return NextHop({"rollsite": front}, any(exchange.routed for exchange in behind.values()))


def exchanges_behind(unit: PartyUnit, peers: Peers) -> dict[str, NextHop]:
    """The exchanges that a party's lbrollsite dials, by name, without pending ones; empty without lbrollsite."""
    names = () if unit.spec.modules.lbrollsite is None else unit.spec.exchanges
    exchanges = {name: exchange_named(unit, name, peers) for name in sorted(names)}
    return {name: exchange for name, exchange in exchanges.items() if exchange is not None}


def exchange_named(unit: PartyUnit, name: str, peers: Peers) -> NextHop | None:
    """An exchange by the name that a party has for it; None while it is pending."""
    if name == "local" and (own := exchange_unit(unit.stack)) is not None:
        return _local(own)
    peer = peers.exchange(name)
    return None if peer is None else remote(peer)


def remote(peer: Peer) -> NextHop:
    """The next hop to a peer, from its descriptor."""
    endpoints = {name: Address(e.host, e.addresses, e.ports) for name, e in peer.descriptor.endpoints.items()}
    return NextHop(endpoints, peer.routed, "" if peer.routed else peer.state)


def by_name(unit: AnyUnit, published: PublishedService) -> Address:
    """The address of an endpoint of this stack: the name of its Service."""
    ports = {port.purpose: unit.release.ports[port.own] for port in published.ports}
    pods = Pods(unit.namespace, unit.key, published.module, tuple(ports.values()))
    return Address(naming.inside(published.internal or published.service, unit.namespace), (), ports, pods)


def fateflow_of(unit: OwnUnit[ServingSpec | SitePortalSpec, Any]) -> str:
    """host:port of the HTTP API of the FATE-Flow that a FATE-Serving or a Site Portal belongs to."""
    if unit.spec.fateflow is not None:
        return unit.spec.fateflow
    training = party_units(unit.stack)[unit.party]
    return f"{naming.inside(naming.FATEFLOW_SERVICE, training.namespace)}:{training.release.ports['fateflowHttp']}"


def _local(unit: TrainingUnit) -> NextHop:
    return NextHop({service.endpoint: _inside(unit, service) for service in unit.published})


def _inside(unit: TrainingUnit, published: PublishedService) -> Address:
    if published.endpoint in external_engines(unit.spec):
        ports, host = engine_ports(unit), engine_host(unit.spec, published.endpoint)
        return Address(host, (host,) if is_ip(host) else (), {port.purpose: ports[port.own] for port in published.ports})
    release_ports = unit.release.ports
    pods = Pods(unit.namespace, unit.key, published.module, tuple(release_ports[port.own] for port in published.ports))
    host = str(LiveValue(unit.namespace, published.internal or published.service, "clusterIP"))
    if published.internal is not None:
        return Address(host, (host,), {port.purpose: release_ports[port.own] for port in published.ports}, pods)
    dialled = service_ports(published, unit.spec.publish.of(published.endpoint), release_ports)
    return Address(host, (host,), {purpose: port.port for purpose, port in dialled.items()}, pods)


def nginx_addresses(nginx: Address | Endpoint) -> tuple[str, ...]:
    """The addresses of another nginx that FATE's nginx can connect to: it resolves no names, and writes host:port without brackets."""
    return tuple(address for address in nginx.addresses if not is_ipv6(address))


def dialled_host(endpoint: Address | Endpoint) -> str:
    """The host that a proxy dials: of a name with addresses the first address, IPv4 before IPv6.

    Network policies allow those addresses only; the owner of a name, or an attacker of DNS, could change it later.
    """
    if is_ip(endpoint.host) or not endpoint.addresses:
        return endpoint.host
    return min(endpoint.addresses, key=is_ipv6)


def tunnel_host(pulsar: Address | Endpoint) -> str | None:
    """The address of a broker that Traffic Server can connect to: an IPv4 address, else its name; None without any (see `routes.sni`)."""
    return next((host for host in (dialled_host(pulsar), *pulsar.addresses, pulsar.host) if not is_ipv6(host)), None)


def by_name_only(endpoint: Address | Endpoint) -> bool:
    """Whether an endpoint has a name but no address: then DNS decides whom a proxy reaches."""
    return not endpoint.addresses and not is_ip(endpoint.host)


def links(
    others: Mapping[PartyId, NextHop], exchange: NextHop | None, name: str | None, behind: Mapping[str, NextHop] | None = None
) -> dict[str, Any]:
    """The addresses that a unit dials, by party id; an exchange is one entry for all parties behind it."""
    known = _by_name(others, exchange, name, behind)
    return {whom: _addresses(hop) for whom, hop in known.items() if hop.routed}


def blocked(
    others: Mapping[PartyId, NextHop], exchange: NextHop | None, name: str | None, behind: Mapping[str, NextHop] | None = None
) -> dict[str, str]:
    """Why a unit does not dial a party, by the names of `links`."""
    known = _by_name(others, exchange, name, behind)
    return {whom: hop.why for whom, hop in known.items() if not hop.routed and hop.why}


def _by_name(
    others: Mapping[PartyId, NextHop], exchange: NextHop | None, name: str | None, behind: Mapping[str, NextHop] | None
) -> dict[str, NextHop]:
    hubs = {} if exchange is None else behind or {str(name): exchange}
    return dict(sorted({**others, **{pairs.through(hub): hop for hub, hop in hubs.items()}}.items()))


def _addresses(hop: NextHop) -> dict[str, Any]:
    return {endpoint: [a.host, *a.addresses, sorted(a.ports.items())] for endpoint, a in sorted(hop.endpoints.items())}
