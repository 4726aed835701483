"""Rules about the owner of a party: its FATE-Serving and its Site Portal must belong to the same organization."""

from collections.abc import Iterator

from federation.base.errors import Finding, Problem, warning
from federation.catalogue.kinds import Kind
from federation.config.units import ServingUnit, SitePortalUnit
from federation.peers.accepted import Peer
from federation.units.checked import CheckedStack, PlannedStack


def belongs_to_its_party(kind: Kind, name: str, stack: CheckedStack) -> Iterator[Problem]:
    """A party id may have one unit of this kind, which belongs to the party's owner: it predicts on its data, or acts for it."""
    owners = {unit.party_id: "this stack" for unit in stack.units if unit.kind == kind}
    own, parties = frozenset(stack.spec.parties), {peer.party_id: peer for peer in stack.peers.parties()}
    for peer in stack.peers.parties(kind):
        party, where = peer.party_id or "", stack.place_of(("peers", peer.name))
        if party in owners:
            yield Problem(where, f"party {party} already has the {name} of {owners[party]}", "keep one of them")
        owners.setdefault(party, f"peer {peer.name}")
        training = parties.get(party)
        owner = "this stack" if party in own else None if training is None else _another_owner(training, peer)
        if owner is not None:
            problem = f"is {peer.descriptor.title}, which belongs to {owner}"
            yield Problem(where, problem, f"ask both owners which one is party {party}, and keep that one")


def party_is_linked(purpose: str, stack: CheckedStack, unit: ServingUnit | SitePortalUnit) -> Iterator[Problem]:
    """The unit needs exactly one training party: this stack's party of the same id, or the address of another FATE-Flow."""
    where, here = stack.at(unit, "fateflow"), unit.party in stack.spec.parties
    if unit.spec.fateflow is not None and here:
        problem = f"party {unit.party} is in this stack, so its FATE-Flow needs no address"
        yield Problem(where, problem, "remove this line, or correct the party id")
    if unit.spec.fateflow is None and not here:
        problem = f"this stack has no party {unit.party} {purpose}"
        yield Problem(where, problem, "describe the party under fate:parties, or name the address of its FATE-Flow: fateflow: HOST:9380")


def _another_owner(training: Peer, serving: Peer) -> str | None:
    """The other owner of this party id, if any. The peers' states do not matter: an id stays bound to its key."""
    ours = frozenset({training.key, training.previous_key} - {None})
    theirs = frozenset({serving.key, serving.previous_key} - {None})
    if ours and theirs and not ours & theirs:
        return f"peer {training.name}, whose key is {training.key}, while this one is signed with {serving.key}"
    # A peer typed by hand has no organization; its name stands for it.
    named = not training.by_hand and not serving.by_hand
    return training.descriptor.organization if named and training.descriptor.organization != serving.descriptor.organization else None


def ownership_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """Warnings about units of one party that are not signed with the same key, so that no key proves a common owner."""
    parties = {peer.party_id: peer for peer in stack.peers.parties()}
    for other in (*stack.peers.parties("serving"), *stack.peers.parties("sitePortal")):
        training, where = parties.get(other.party_id), stack.place_of(("peers", other.name))
        if training is not None and (training.key is None) != (other.key is None):
            signed, unsigned = (training, other) if other.key is None else (other, training)
            yield warning(
                where,
                f"peers {signed.name} and {unsigned.name} are both of party {other.party_id}, but only {signed.name} is signed: "
                "no key proves that they have the same owner",
            )
        elif training is not None and training.key != other.key:
            new, old = (training, other) if training.previous_key == other.key else (other, training)
            text = f"peer {new.name} has a new key, {old.name} still the old one:"
            yield warning(where, text, f"accept a descriptor of {old.name} with the new one")
