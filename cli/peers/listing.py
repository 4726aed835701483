"""Every peer of a stack, accepted or not: what it is, whose, its state, and how its descriptor is signed."""

from typing import Any

from cli.tools.page import Table
from federation.config.peers import PeerSpec
from federation.peers.accepted import Peer
from federation.stack.load import LoadedStack


def peers_data(loaded: LoadedStack) -> dict[str, dict[str, Any]]:
    """{name: {state, perhaps reason; of an accepted one kind, partyId, organization; of a signed one key, serial, notAfter}}."""
    states, entries = loaded.plan.states, loaded.spec.peers
    details = {peer.name: _details(peer, entries[peer.name]) for peer in loaded.peers.accepted if peer.name in states}
    return {name: {**details.get(name, {}), **state} for name, state in states.items()}


def _details(peer: Peer, entry: PeerSpec) -> dict[str, Any]:
    """What is known of an accepted peer, beside its state. `entry`: the peer's in the stack file."""
    unit = {"kind": peer.kind, "partyId": peer.party_id, "organization": peer.descriptor.organization}
    return unit | ({"key": entry.key, "serial": entry.accepted_serial, "notAfter": peer.not_after} if entry.key else {})


def peers_part(loaded: LoadedStack, *, signatures: bool = False) -> str | Table:
    """The same for a page: a line for each, or how to get one. `signatures`: with the key, the serial and the last day of each."""
    if not loaded.plan.states:
        return "no peers: `fatefed peers add FILE` accepts one"
    titles, rows = {peer.name: peer.descriptor.title.removeprefix("the ") for peer in loaded.peers.accepted}, []
    for name, peer in peers_data(loaded).items():
        signed = [str(peer.get(field) or "-") for field in ("serial", "notAfter", "key")] if signatures else []
        rows.append((name, titles.get(name, "-"), peer.get("organization", "-"), peer["state"], *signed, peer.get("reason", "")))
    return Table(("peer", "what", "organization", "state", *(("serial", "valid until", "key") if signatures else ()), "why"), rows)
