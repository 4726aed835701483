"""The federation as one stack sees it: organizations, their parties and exchanges, and the links of the stack's own units."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from federation.base import naming
from federation.catalogue.kinds import KINDS, Kind
from federation.catalogue.links import engine_of
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, units
from federation.links.partners import is_partner
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
    own = [_own(unit, plan) for unit in _units(spec)]
    # Site Portals and FML Managers carry no data of training or prediction.
    accepted = {peer.name: peer for peer in peers.accepted if peer.kind in _TITLES}
    others = [_peer(accepted[name], plan) if name in accepted else _announced(name) for name in sorted({*accepted, *peers.pending})]
    title = f"{spec.federation.name} ({spec.federation.domain}): {spec.federation.topology}, {spec.federation.link} links"
    return Topology(title, spec.organization, (*own, *others), tuple(_edges(spec, peers, plan)))


def _units(spec: StackSpec) -> list[AnyUnit]:
    return [unit for unit in units(spec) if unit.kind in _TITLES]


def _own(unit: AnyUnit, plan: StackPlan) -> Node:
    body = plan.unit(unit.key).descriptor
    engines = ", ".join(body["backends"].values()) if "backends" in body else _engine(unit.kind, body["endpoints"])
    return Node(unit.key, body["organization"], _TITLES[unit.kind].format(unit.party_id), f"{body['release']}, {engines}", "own")


def _engine(kind: Kind, endpoints: Collection[str]) -> str:
    return engine_of(frozenset(endpoints), kind) if KINDS[kind].program == "FATE" else "serving-proxy"


def _peer(peer: Peer, plan: StackPlan) -> Node:
    descriptor = peer.descriptor
    title = _TITLES[peer.kind].format(peer.party_id)
    if not descriptor.endpoints:
        return Node(f"peer-{peer.name}", descriptor.organization, title, "left", peer.state)
    engines = _engine(peer.kind, descriptor.endpoints) if descriptor.backends is None else ", ".join(descriptor.backends.plain().values())
    facts = f"{descriptor.release}, {engines}" if descriptor.release else f"{engines}, typed by hand"
    return Node(f"peer-{peer.name}", descriptor.organization, title, facts, "pending" if peer.name in plan.pending else peer.state)


# Those that are drawn, in the order of their links.
_TITLES: dict[Kind, str] = {
    "serving": "FATE-Serving {}",
    "servingExchange": "serving exchange",
    "exchange": "exchange",
    "party": "party {}",
}


def _announced(name: str) -> Node:
    return Node(f"peer-{name}", name, "not accepted yet", "no descriptor", "pending")


def _edges(spec: StackSpec, peers: Peers, plan: StackPlan) -> Iterator[Edge]:
    states = {peer.name: "pending" if peer.name in plan.pending else peer.state for peer in peers.accepted}
    own = sorted(_units(spec), key=lambda unit: list(_TITLES).index(unit.kind))
    for unit in own:
        carries = _carries(unit, plan)
        if unit.row.program == "FATE-Serving" and unit.party_id in spec.parties:
            yield Edge(unit.key, naming.party_key(unit.party_id), "models", "active")
        for name in sorted(unit.spec.hubs):
            local = name == "local"
            yield Edge(unit.key, _hub(unit) if local else f"peer-{name}", carries, "active" if local else states.get(name, "pending"))
        if unit.spec.hubs:
            continue
        yield from (Edge(unit.key, other.key, carries, "active") for other in own if _are_linked(unit, other))
        others = [peer.name for peer in peers.accepted if is_partner(unit, peer)]
        yield from (Edge(unit.key, f"peer-{name}", carries, states[name]) for name in others)


def _hub(unit: AnyUnit) -> str:
    """The key of the stack's own hub of a unit."""
    return "" if unit.row.hub is None else KINDS[unit.row.hub].key


def _carries(unit: AnyUnit, plan: StackPlan) -> str:
    if unit.row.program != "FATE":
        return _PREDICTIONS
    engine = _engine(unit.kind, plan.unit(unit.key).descriptor["endpoints"])
    return f"{engine}, TLS" if unit.links.tls(engine) else engine


def _are_linked(unit: AnyUnit, other: AnyUnit) -> bool:
    """Whether two units of one stack dial each other without a hub, and the first has the smaller id: each link is drawn once."""
    if unit.party_id is None or other.party_id is None or unit.row.equals != other.kind or other.spec.hubs:
        return False
    return int(unit.party_id) < int(other.party_id) and may_talk(unit.stack.collaborations, unit.party_id, other.party_id)
