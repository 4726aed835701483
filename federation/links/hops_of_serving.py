"""The next hops of serving-proxy.

FATE-Serving's links are its own: whether a serving unit has an exchange does not depend on the topology of training.
"""

from collections.abc import Iterator

from federation.base.scalars import PartyId
from federation.config.units import AnyServingUnit, ServingExchangeUnit, ServingUnit, serving_exchange_unit, serving_units
from federation.links.next_hops import BLACKHOLE, NOT_ALLOWED, Address, Hops, NextHop, by_name, remote, through
from federation.peers.accepted import Peers
from federation.peers.collaborations import may_talk


def serving_hops(unit: ServingUnit, peers: Peers) -> Hops:
    """The next hops of a party's serving-proxy: every peer, or the serving exchange."""
    if unit.spec.exchange is None:
        return _parties(unit, peers), None
    return through(_exchange_of(unit, peers), unit, unit.stack.serving, peers.parties("serving"))


def serving_exchange_hops(unit: ServingExchangeUnit, peers: Peers) -> Hops:
    """The next hops of a serving exchange: every member. No default route, because KubeFATE's leads to the exchange itself."""
    return _parties(unit, peers), None


def dialled(hops: Hops) -> Iterator[Address]:
    """Every address that serving-proxy dials, for a party or by default."""
    others, exchange = hops
    for hop in (*others.values(), *([] if exchange is None else [exchange])):
        yield from hop.endpoints.values() if hop.routed else ()


def _exchange_of(unit: ServingUnit, peers: Peers) -> NextHop:
    if unit.spec.exchange == "local" and (own := serving_exchange_unit(unit.stack)) is not None:
        return _inside(own)
    exchange = peers.exchange(unit.spec.exchange or "", "servingExchange")
    return BLACKHOLE if exchange is None else remote(exchange)


def _parties(unit: AnyServingUnit, peers: Peers) -> dict[PartyId, NextHop]:
    hops = {peer.party_id: remote(peer) for peer in peers.parties("serving") if peer.party_id is not None}
    hops |= {party: _inside(other) for party, other in serving_units(unit.stack).items() if party != unit.party_id}
    return {party: hop if may_talk(unit.stack.collaborations, unit.party_id, party) else NOT_ALLOWED for party, hop in hops.items()}


def _inside(unit: AnyServingUnit) -> NextHop:
    """A unit of this stack: by the names of its Services, which serving-proxy resolves."""
    return NextHop({service.endpoint: by_name(unit, service) for service in unit.published})
