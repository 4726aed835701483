"""Who shares a collaboration with whom. Without any, all members of a federation do."""

from collections.abc import Iterator

from federation.base.scalars import PartyId
from federation.config.stack import Collaborations, StackSpec
from federation.peers.accepted import Peers


def may_talk(collaborations: Collaborations, own: PartyId | None, other: PartyId) -> bool:
    """Whether two parties share a collaboration; for an exchange (`own` None): whether the other one is in any."""
    if not collaborations:
        return True
    return any(other in members and (own is None or own in members) for members in collaborations.values())


def named(collaborations: Collaborations) -> frozenset[PartyId]:
    """Every party that a collaboration names."""
    return frozenset(party for members in collaborations.values() for party in members)


def groups(collaborations: Collaborations) -> tuple[tuple[PartyId, ...], ...]:
    """Who works together, each group once; empty: all members."""
    return tuple(sorted({tuple(sorted(members, key=int)) for members in collaborations.values()}))


def collaboration_warnings(spec: StackSpec, peers: Peers) -> Iterator[str]:
    """What is right, and still might not be meant."""
    if not spec.collaborations:
        return
    yield (
        "collaborations decide which routes this stack makes; FATE's native proxies do not check who sends, "
        "so the other members' stacks must have the same ones (docs/network.md)"
    )
    inside = named(spec.collaborations)
    for party, _ in spec.parties_in_order:
        if party not in inside:
            yield f"party {party} is in no collaboration: it has no route to anyone"
    for peer in peers.parties():
        if peer.routed and peer.party_id not in inside:
            yield f"peer {peer.name} (party {peer.party_id}) is in no collaboration: it gets no route"
    # A party of a star knows its exchange only: the others' ids tell it nothing.
    if spec.exchange is not None or spec.federation.topology == "mesh":
        known = {*spec.parties, *(peer.party_id for peer in peers.parties())}
        for name, members in sorted(spec.collaborations.items()):
            for party in sorted(set(members) - known, key=int):
                yield f"collaboration {name} names party {party}, which is neither a party nor an accepted peer of this stack: no route yet"
