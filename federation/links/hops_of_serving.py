"""Whom serving-proxy dials.

FATE-Serving's links are its own: whether a serving unit has an exchange does not depend on the topology of training.
"""

from collections.abc import Iterator

from federation.base import naming
from federation.base.scalars import PartyId
from federation.catalogue.kinds import Kind
from federation.catalogue.serving import serving_catalogue
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec
from federation.links.next_hops import APART, NOWHERE, Address, Hops, Neighbour, Pods, remote, through
from federation.peers.accepted import Peers
from federation.peers.collaborations import may_talk


def serving_hops(spec: StackSpec, party: PartyId, own: ServingSpec, peers: Peers) -> Hops:
    """Whom the serving-proxy of a party dials: every peer, or the serving exchange."""
    if own.exchange is None:
        return _parties(spec, party, peers), None
    return through(_exchange_of(spec, own, peers), spec, party, spec.serving, peers.parties("serving"))


def serving_exchange_hops(spec: StackSpec, peers: Peers) -> Hops:
    """Whom a serving exchange dials: every member. No default, which KubeFATE points at the exchange itself."""
    return _parties(spec, None, peers), None


def dialled(hops: Hops) -> Iterator[Address]:
    """Every address that serving-proxy dials, for a party or by default."""
    others, exchange = hops
    for hop in (*others.values(), *([] if exchange is None else [exchange])):
        yield from hop.endpoints.values() if hop.routed else ()


def _exchange_of(spec: StackSpec, own: ServingSpec, peers: Peers) -> Neighbour:
    if own.exchange == "local" and spec.serving_exchange is not None:
        return _inside(spec, "servingExchange", spec.serving_exchange, naming.SERVING_EXCHANGE)
    exchange = peers.exchange(own.exchange or "", "servingExchange")
    return NOWHERE if exchange is None else remote(exchange)


def _parties(spec: StackSpec, own: PartyId | None, peers: Peers) -> dict[PartyId, Neighbour]:
    found = {peer.party_id: remote(peer) for peer in peers.parties("serving") if peer.party_id is not None}
    found |= {party: _inside(spec, "serving", given, naming.serving_key(party)) for party, given in spec.serving.items() if party != own}
    return {party: hop if may_talk(spec, own, party) else APART for party, hop in found.items()}


def _inside(spec: StackSpec, kind: Kind, unit: ServingSpec | ServingExchangeSpec, key: str) -> Neighbour:
    """A unit of this stack: by the names of its Services, which serving-proxy resolves."""
    release_ports, found = serving_catalogue()[unit.release].ports, {}
    for service in spec.federation.links.of(kind):
        ports = {port.purpose: release_ports[port.own] for port in service.ports}
        pods = Pods(unit.namespace, key, service.module, tuple(ports.values()))
        found[service.endpoint] = Address(naming.inside(service.internal or service.service, unit.namespace), (), ports, pods)
    return Neighbour(found)
