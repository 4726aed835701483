"""Who shares a collaboration with whom. Without any, all members of a federation do."""

from federation.base.scalars import PartyId
from federation.config.stack import Collaborations


def may_talk(collaborations: Collaborations, own: PartyId | None, other: PartyId) -> bool:
    """Whether two parties share a collaboration; for an exchange (`own` None): whether the other one is in any."""
    if not collaborations:
        return True
    return any(other in members and (own is None or own in members) for members in collaborations.values())


def named(collaborations: Collaborations) -> frozenset[PartyId]:
    """Every party that a collaboration names."""
    return frozenset(party for members in collaborations.values() for party in members)


def groups(collaborations: Collaborations) -> tuple[tuple[PartyId, ...], ...]:
    """The groups of parties that work together, each once; empty: all members."""
    return tuple(sorted({tuple(sorted(members, key=int)) for members in collaborations.values()}))
