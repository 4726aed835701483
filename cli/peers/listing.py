"""Every peer of a stack, accepted or not: what it is, whose, its state."""

from typing import Any

from cli.tools.page import Table
from federation.stack.load import LoadedStack


def peers_data(loaded: LoadedStack) -> dict[str, dict[str, Any]]:
    """{name: {state, perhaps reason; of an accepted one kind, partyId, organization}}."""
    accepted = {peer.name: peer for peer in loaded.peers.accepted}
    known = {name: accepted[name].descriptor for name in loaded.plan.states.keys() & accepted.keys()}
    facts = {name: {"kind": peer.kind, "partyId": peer.party_id, "organization": peer.organization} for name, peer in known.items()}
    return {name: {**facts.get(name, {}), **state} for name, state in loaded.plan.states.items()}


def peers_part(loaded: LoadedStack) -> str | Table:
    """The same for a page: a line for each, or how to get one."""
    if not loaded.plan.states:
        return "no peers: `fatefed peers add FILE` accepts one"
    accepted, rows = {peer.name: peer for peer in loaded.peers.accepted}, []
    for name, state in loaded.plan.states.items():
        peer = accepted.get(name)
        who = ("-", "-") if peer is None else (peer.descriptor.title.removeprefix("the "), peer.descriptor.organization)
        rows.append((name, *who, state["state"], state.get("reason", "")))
    return Table(("peer", "what", "organization", "state", "why"), rows)
