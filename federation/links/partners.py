"""Which peers a unit of this stack exchanges connections with."""

from collections.abc import Iterable

from federation.config.units import AnyUnit
from federation.peers.accepted import Peer
from federation.peers.collaborations import may_talk


def is_partner(unit: AnyUnit, peer: Peer) -> bool:
    """Whether a unit and a peer would dial each other, were the peer routed: the hubs that the unit names; without any, its equals.

    Of a hub its members. Members and equals only when they may talk to each other.
    """
    if unit.spec.hubs:
        return peer.kind == unit.row.hub and peer.name in unit.spec.hubs
    return peer.kind == unit.row.equals and may_talk(unit.stack.collaborations, unit.party_id, peer.party_id or "")


def dials(own: Iterable[AnyUnit], peer: Peer) -> bool:
    """Whether one of these units would dial a peer, were it routed."""
    return any(is_partner(unit, peer) for unit in own)
