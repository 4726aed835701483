"""The federation as one stack sees it: organizations, their parties and exchanges, and the links of the stack's own units."""

from collections.abc import Iterator
from dataclasses import dataclass

from federation import naming
from federation.collaborations import may_talk
from federation.links import LINKS
from federation.peers import Peer, Peers
from federation.plan import StackPlan
from federation.spec import ExchangeSpec, PartySpec, StackSpec


@dataclass(frozen=True)
class Node:
    """One party or exchange. `state`: own, active, suspended, retired or pending; `facts`: release and engines, as far as known."""

    key: str
    organization: str
    title: str
    facts: str
    state: str


@dataclass(frozen=True)
class Edge:
    """A link between two nodes, by key; its state is that of the peer, `active` between units of one stack."""

    own: str
    other: str
    carries: str
    state: str


@dataclass(frozen=True)
class Topology:
    """What is drawn. Nodes in order: own units first, then peers by name."""

    federation: str
    organization: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def topology_of(spec: StackSpec, peers: Peers, plan: StackPlan) -> Topology:
    """The federation from a stack's point of view; peers of peers are not known here."""
    own = [_own(spec, key, given) for key, given in _units(spec)]
    accepted = {peer.name: peer for peer in peers.accepted if peer.trains}
    others = [_peer(accepted[name], plan) if name in accepted else _announced(name) for name in sorted({*accepted, *peers.pending})]
    title = f"{spec.federation.name} ({spec.federation.domain}): {spec.federation.topology}, {spec.federation.link} links"
    return Topology(title, spec.organization, (*own, *others), tuple(_edges(spec, peers, plan)))


def _units(spec: StackSpec) -> Iterator[tuple[str, PartySpec | ExchangeSpec]]:
    if spec.exchange is not None:
        yield naming.EXCHANGE, spec.exchange
    yield from ((naming.party_key(party), own) for party, own in spec.parties_in_order)


def _own(spec: StackSpec, key: str, given: PartySpec | ExchangeSpec) -> Node:
    if isinstance(given, PartySpec):
        facts = f"{given.release}, {given.computing}, {given.federation}, {given.storage}"
        return Node(key, spec.organization, f"party {key.removeprefix('party-')}", facts, "own")
    return Node(key, spec.organization, "exchange", f"{given.release}, {given.federation}", "own")


def _peer(peer: Peer, plan: StackPlan) -> Node:
    said = peer.descriptor
    title = "exchange" if peer.party_id is None else f"party {peer.party_id}"
    engines = said.engine if said.backends is None else f"{said.backends.computing}, {said.backends.federation}, {said.backends.storage}"
    facts = f"{said.release}, {engines}" if said.release else f"{engines}, typed by hand"
    return Node(f"peer-{peer.name}", said.organization, title, facts, "pending" if peer.name in plan.pending else peer.state)


def _announced(name: str) -> Node:
    return Node(f"peer-{name}", name, "not accepted yet", "no descriptor", "pending")


def _edges(spec: StackSpec, peers: Peers, plan: StackPlan) -> Iterator[Edge]:
    states = {peer.name: "pending" if peer.name in plan.pending else peer.state for peer in peers.accepted}
    for key, own in _units(spec):
        carries = f"{own.federation}, TLS" if LINKS[own.federation].tls else own.federation
        party = key.removeprefix("party-") if isinstance(own, PartySpec) else None
        if isinstance(own, PartySpec) and spec.federation.topology == "star":
            for name in sorted(own.exchanges):
                local = name == "local"
                yield Edge(key, naming.EXCHANGE if local else f"peer-{name}", carries, "active" if local else states.get(name, "pending"))
            continue
        for other, _ in spec.parties_in_order if party is not None else ():
            if party is not None and int(other) > int(party) and may_talk(spec, party, other):
                yield Edge(key, naming.party_key(other), carries, "active")
        for peer in peers.accepted:
            if peer.trains and peer.party_id is not None and may_talk(spec, party, peer.party_id):
                yield Edge(key, f"peer-{peer.name}", carries, states[peer.name])
