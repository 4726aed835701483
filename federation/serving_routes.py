"""The routes of serving-proxy: `route_table.json`, in rollsite's format. Read again every 10 s; what is removed is forgotten.

FATE-Serving's links are its own: whether a serving unit has an exchange does not depend on the topology of training.
"""

from typing import Any

from federation import naming
from federation.collaborations import may_talk
from federation.links import SERVING_PROXY
from federation.neighbours import Address, Neighbour, Pods, links
from federation.peers import Peer, Peers
from federation.routes import HostPort, rollsite_route_table
from federation.scalars import PartyId
from federation.serving_releases import serving_catalogue
from federation.spec import ServingExchangeSpec, ServingSpec, StackSpec

# What serving-server calls itself (serviceRoleName), and what peers' requests are addressed to.
_ROLE = "serving"
Hops = dict[str, Address]


def serving_hops(spec: StackSpec, party: PartyId, own: ServingSpec, peers: Peers) -> Hops:
    """Whom the serving-proxy of a party dials, by party id: every peer, or the serving exchange as `default`."""
    if own.exchange is None:
        return _parties(spec, party, peers)
    if own.exchange == "local" and spec.serving_exchange is not None:
        return {"default": _inside(spec.serving_exchange, naming.SERVING_EXCHANGE)}
    # None while it is pending. Suspended and retired ones are no default either.
    exchange = peers.exchange(own.exchange, "servingExchange")
    return {} if exchange is None or not exchange.routed else {"default": _remote(exchange)}


def serving_exchange_hops(spec: StackSpec, peers: Peers) -> Hops:
    """Whom a serving exchange dials: every member. No default, which KubeFATE points at the exchange itself."""
    return _parties(spec, None, peers)


def route_files(hops: Hops, party: PartyId | None, own: ServingSpec | ServingExchangeSpec) -> dict[str, str]:
    """The route file for these hops; a party's own entry leads to its serving-server.

    Its own `default`, which KubeFATE sends to the HTTP port of serving-proxy, is left out: no request has another role.
    """
    entries = {key: {"default": HostPort(hop.host, hop.ports["grpc"])} for key, hop in hops.items()}
    if party is not None:
        entries[party] = {_ROLE: HostPort(naming.SERVING_SERVER, serving_catalogue()[own.release].ports["servingServer"])}
    return {"route_table.json": rollsite_route_table(entries)}


def hop_links(hops: Hops, exchange: str | None) -> dict[str, Any]:
    """Whom a unit dials and where, by party id; `exchange`: what stands behind `default`."""
    neighbours = {party: Neighbour({SERVING_PROXY.endpoint: hop}) for party, hop in hops.items()}
    return links(neighbours, neighbours.pop("default", None), exchange)


def _parties(spec: StackSpec, own: PartyId | None, peers: Peers) -> Hops:
    found = {peer.party_id: _remote(peer) for peer in peers.parties("serving") if peer.routed and peer.party_id is not None}
    found |= {party: _inside(given, naming.serving_key(party)) for party, given in spec.serving.items() if party != own}
    return {party: hop for party, hop in found.items() if may_talk(spec, own, party)}


def _remote(peer: Peer) -> Address:
    endpoint = peer.descriptor.endpoints["servingProxy"]
    return Address(endpoint.host, endpoint.addresses, endpoint.ports)


def _inside(unit: ServingSpec | ServingExchangeSpec, key: str) -> Address:
    port = serving_catalogue()[unit.release].ports["servingProxyInter"]
    pods = Pods(unit.namespace, key, naming.SERVING_PROXY, (port,))
    return Address(naming.inside(naming.SERVING_PROXY, unit.namespace), (), {"grpc": port}, pods)
