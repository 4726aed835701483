"""The federation as one stack sees it: organizations, their parties and exchanges, and the links of the stack's own units."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from federation.base import naming
from federation.catalogue.endpoints import LINKS
from federation.catalogue.kinds import Kind
from federation.config.exchange import ExchangeSpec
from federation.config.party import PartySpec
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec
from federation.peers.accepted import Peer, Peers
from federation.peers.collaborations import may_talk
from federation.stack.plan import StackPlan

_PREDICTIONS = "predictions"


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
    # Site Portals and FML Managers carry no data of training or prediction.
    accepted = {peer.name: peer for peer in peers.accepted if peer.kind in _TITLES}
    others = [_peer(accepted[name], plan) if name in accepted else _announced(name) for name in sorted({*accepted, *peers.pending})]
    title = f"{spec.federation.name} ({spec.federation.domain}): {spec.federation.topology}, {spec.federation.link} links"
    return Topology(title, spec.organization, (*own, *others), tuple(_edges(spec, peers, plan)))


Own = PartySpec | ExchangeSpec | ServingSpec | ServingExchangeSpec


def _units(spec: StackSpec) -> Iterator[tuple[str, Own]]:
    if spec.exchange is not None:
        yield naming.EXCHANGE, spec.exchange
    yield from ((naming.party_key(party), own) for party, own in spec.parties_in_order)
    if spec.serving_exchange is not None:
        yield naming.SERVING_EXCHANGE, spec.serving_exchange
    yield from ((naming.serving_key(party), serving) for party, serving in spec.servings_in_order)


def _own(spec: StackSpec, key: str, given: Own) -> Node:
    if isinstance(given, PartySpec):
        facts = f"{given.release}, {given.computing}, {given.federation}, {given.storage}"
        return Node(key, spec.organization, f"party {key.removeprefix('party-')}", facts, "own")
    if isinstance(given, ExchangeSpec):
        return Node(key, spec.organization, "exchange", f"{given.release}, {given.federation}", "own")
    title = "serving exchange" if isinstance(given, ServingExchangeSpec) else f"FATE-Serving {key.removeprefix('serving-')}"
    return Node(key, spec.organization, title, f"{given.release}, serving-proxy", "own")


def _peer(peer: Peer, plan: StackPlan) -> Node:
    said = peer.descriptor
    title = _TITLES[peer.kind].format(peer.party_id)
    if not said.endpoints:
        return Node(f"peer-{peer.name}", said.organization, title, "left", peer.state)
    if not peer.trains:
        engines = "serving-proxy"
    elif said.backends is None:
        engines = said.engine
    else:
        engines = f"{said.backends.computing}, {said.backends.federation}, {said.backends.storage}"
    facts = f"{said.release}, {engines}" if said.release else f"{engines}, typed by hand"
    return Node(f"peer-{peer.name}", said.organization, title, facts, "pending" if peer.name in plan.pending else peer.state)


_TITLES: dict[Kind, str] = {
    "party": "party {}",
    "exchange": "exchange",
    "serving": "FATE-Serving {}",
    "servingExchange": "serving exchange",
}


def _announced(name: str) -> Node:
    return Node(f"peer-{name}", name, "not accepted yet", "no descriptor", "pending")


def _edges(spec: StackSpec, peers: Peers, plan: StackPlan) -> Iterator[Edge]:
    states = {peer.name: "pending" if peer.name in plan.pending else peer.state for peer in peers.accepted}
    yield from _serving_edges(spec, peers, states)
    for key, own in _units(spec):
        if isinstance(own, ServingSpec | ServingExchangeSpec):
            continue
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


def _serving_edges(spec: StackSpec, peers: Peers, states: Mapping[str, str]) -> Iterator[Edge]:
    """FATE-Serving to its party, to its exchange, or to the FATE-Servings of others."""
    servings = [peer for peer in peers.accepted if peer.kind == "serving"]
    for party, own in spec.servings_in_order:
        key = naming.serving_key(party)
        if party in spec.parties:
            yield Edge(key, naming.party_key(party), "models", "active")
        if own.exchange is not None:
            local = own.exchange == "local"
            other = naming.SERVING_EXCHANGE if local else f"peer-{own.exchange}"
            yield Edge(key, other, _PREDICTIONS, "active" if local else states.get(own.exchange, "pending"))
            continue
        for other_party, its in spec.servings_in_order:
            if its.exchange is None and int(other_party) > int(party) and may_talk(spec, party, other_party):
                yield Edge(key, naming.serving_key(other_party), _PREDICTIONS, "active")
        for peer in servings:
            if may_talk(spec, party, peer.party_id or ""):
                yield Edge(key, f"peer-{peer.name}", _PREDICTIONS, states[peer.name])
    for peer in servings if spec.serving_exchange is not None else ():
        if may_talk(spec, None, peer.party_id or ""):
            yield Edge(naming.SERVING_EXCHANGE, f"peer-{peer.name}", _PREDICTIONS, states[peer.name])
