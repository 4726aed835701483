"""Every peer of a stack, accepted or not: what it is, whose, its state, and how its descriptor is signed."""

from typing import Any

from cli.tools.page import Table
from federation.stack.load import LoadedStack


def peers_data(loaded: LoadedStack) -> dict[str, dict[str, Any]]:
    """{name: {state, perhaps reason; of an accepted one kind, partyId, organization; of a signed one key, serial, notAfter}}."""
    accepted = {peer.name: peer for peer in loaded.peers.accepted}
    facts = {name: _facts(loaded, name) for name in loaded.plan.states.keys() & accepted.keys()}
    return {name: {**facts.get(name, {}), **state} for name, state in loaded.plan.states.items()}


def _facts(loaded: LoadedStack, name: str) -> dict[str, Any]:
    """The details of an accepted peer, beside its state."""
    peer, entry = next(peer for peer in loaded.peers.accepted if peer.name == name), loaded.spec.peers[name]
    facts = {"kind": peer.kind, "partyId": peer.party_id, "organization": peer.descriptor.organization}
    return facts | ({"key": entry.key, "serial": entry.accepted_serial, "notAfter": peer.not_after} if entry.key else {})


def peers_part(loaded: LoadedStack, *, signatures: bool = False) -> str | Table:
    """The same for a page: a line for each, or how to get one. `signatures`: with the key, the serial and the last day of each."""
    if not loaded.plan.states:
        return "no peers: `fatefed peers add FILE` accepts one"
    titles, rows = {peer.name: peer.descriptor.title.removeprefix("the ") for peer in loaded.peers.accepted}, []
    for name, facts in peers_data(loaded).items():
        signed = [str(facts.get(field) or "-") for field in ("serial", "notAfter", "key")] if signatures else []
        rows.append((name, titles.get(name, "-"), facts.get("organization", "-"), facts["state"], *signed, facts.get("reason", "")))
    return Table(("peer", "what", "organization", "state", *(("serial", "valid until", "key") if signatures else ()), "why"), rows)
