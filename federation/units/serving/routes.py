"""The routes of serving-proxy: `route_table.json`, in rollsite's format. Read again every 10 s; what is removed is forgotten.

FATE-Serving's links are its own: whether a serving unit has an exchange does not depend on the topology of training.
"""

from collections.abc import Iterator

from federation.base import naming
from federation.base.scalars import PartyId
from federation.catalogue.endpoints import SERVING_PROXY
from federation.catalogue.serving import serving_catalogue
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec
from federation.links.native.files import HostPort, rollsite_route_table
from federation.links.native.tables import grpc_hops
from federation.links.next_hops import APART, NOWHERE, Address, Hops, Neighbour, Pods, remote, through
from federation.peers.accepted import Peers
from federation.peers.collaborations import may_talk

# What serving-server calls itself (serviceRoleName), and what peers' requests are addressed to.
_ROLE = "serving"


def serving_hops(spec: StackSpec, party: PartyId, own: ServingSpec, peers: Peers) -> Hops:
    """Whom the serving-proxy of a party dials: every peer, or the serving exchange."""
    if own.exchange is None:
        return _parties(spec, party, peers), None
    return through(_exchange_of(spec, own, peers), spec, party, spec.serving, peers.parties("serving"))


def serving_exchange_hops(spec: StackSpec, peers: Peers) -> Hops:
    """Whom a serving exchange dials: every member. No default, which KubeFATE points at the exchange itself."""
    return _parties(spec, None, peers), None


def route_files(hops: Hops, party: PartyId | None, own: ServingSpec | ServingExchangeSpec) -> dict[str, str]:
    """The route file for these hops; a party's own entry leads to its serving-server.

    Its own `default`, which KubeFATE sends to the HTTP port of serving-proxy, is left out: no request has another role.
    """
    entries = grpc_hops(SERVING_PROXY.endpoint, *hops)
    if party is not None:
        entries[party] = {_ROLE: HostPort(naming.SERVING_SERVER, serving_catalogue()[own.release].ports["servingServer"])}
    return {"route_table.json": rollsite_route_table(entries)}


def dialled(hops: Hops) -> Iterator[Address]:
    """Every address that serving-proxy dials, for a party or by default."""
    others, exchange = hops
    for hop in (*others.values(), *([] if exchange is None else [exchange])):
        yield from hop.endpoints.values() if hop.routed else ()


def _exchange_of(spec: StackSpec, own: ServingSpec, peers: Peers) -> Neighbour:
    if own.exchange == "local" and spec.serving_exchange is not None:
        return _inside(spec.serving_exchange, naming.SERVING_EXCHANGE)
    exchange = peers.exchange(own.exchange or "", "servingExchange")
    return NOWHERE if exchange is None else remote(exchange)


def _parties(spec: StackSpec, own: PartyId | None, peers: Peers) -> dict[PartyId, Neighbour]:
    found = {peer.party_id: remote(peer) for peer in peers.parties("serving") if peer.party_id is not None}
    found |= {party: _inside(given, naming.serving_key(party)) for party, given in spec.serving.items() if party != own}
    return {party: hop if may_talk(spec, own, party) else APART for party, hop in found.items()}


def _inside(unit: ServingSpec | ServingExchangeSpec, key: str) -> Neighbour:
    port = serving_catalogue()[unit.release].ports["servingProxyInter"]
    pods = Pods(unit.namespace, key, naming.SERVING_PROXY, (port,))
    return Neighbour({SERVING_PROXY.endpoint: Address(naming.inside(naming.SERVING_PROXY, unit.namespace), (), {"grpc": port}, pods)})
