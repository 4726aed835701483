"""The federation as one stack sees it: organizations, their parties and exchanges, and what crosses each link."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from federation.base import naming
from federation.catalogue.endpoints import ANY
from federation.catalogue.kinds import KINDS, Kind
from federation.catalogue.links import engine_of
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, units
from federation.links.partners import is_partner
from federation.peers.accepted import Peer, Peers
from federation.peers.collaborations import may_talk
from federation.stack.plan import StackPlan


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
    """One plane of a link between two nodes, by key; its state is that of the peer, `active` between units of one stack.

    `plane`: control, data, or what else crosses; `carries`: by which protocol. `own` is a peer's exchange where this stack's unit reaches
    `other` through it.
    """

    own: str
    other: str
    plane: str
    carries: str
    tls: bool
    state: str


@dataclass(frozen=True)
class Topology:
    """The picture as data. Nodes in order: own units first, then peers by name."""

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
        return Node(_key(peer.name), descriptor.organization, title, "left", peer.state)
    engines = _engine(peer.kind, descriptor.endpoints) if descriptor.backends is None else ", ".join(descriptor.backends.plain().values())
    facts = f"{descriptor.release}, {engines}" if descriptor.release else f"{engines}, typed by hand"
    return Node(_key(peer.name), descriptor.organization, title, facts, _state(peer, plan))


def _key(peer: str) -> str:
    return f"peer-{peer}"


def _state(peer: Peer, plan: StackPlan) -> str:
    return "pending" if peer.name in plan.pending else peer.state


# Those that are drawn, in the order of their links.
_TITLES: dict[Kind, str] = {
    "serving": "FATE-Serving {}",
    "servingExchange": "serving exchange",
    "exchange": "exchange",
    "party": "party {}",
}


def _announced(name: str) -> Node:
    return Node(_key(name), name, "not accepted yet", "no descriptor", "pending")


def _edges(spec: StackSpec, peers: Peers, plan: StackPlan) -> Iterator[Edge]:
    states = {peer.name: _state(peer, plan) for peer in peers.accepted}
    own = sorted(_units(spec), key=lambda unit: list(_TITLES).index(unit.kind))
    # Two parties of this stack meet the same peers behind the same exchange.
    yield from dict.fromkeys(edge for unit in own for edge in _of_unit(unit, own, peers, states))


def _of_unit(unit: AnyUnit, own: list[AnyUnit], peers: Peers, states: dict[str, str]) -> Iterator[Edge]:
    if unit.row.program == "FATE-Serving" and unit.party_id in unit.stack.parties:
        yield Edge(unit.key, naming.party_key(unit.party_id), "models", "FATE-Flow to FATE-Serving's gRPC", False, "active")
    if unit.spec.hubs:
        yield from _through_hubs(unit, peers, states)
        return
    for other in own:
        if _are_linked(unit, other):
            yield from _link(unit, unit.key, other.key, "active")
    for peer in peers.accepted:
        if is_partner(unit, peer):
            yield from _link(unit, unit.key, _key(peer.name), states[peer.name])


def _through_hubs(unit: AnyUnit, peers: Peers, states: dict[str, str]) -> Iterator[Edge]:
    """A unit's links to its hubs, and on to the peers that it reaches through them; the stack's own hub draws its members itself."""
    for name in sorted(unit.spec.hubs):
        if name == "local":
            yield from _link(unit, unit.key, "" if unit.row.hub is None else KINDS[unit.row.hub].key, "active")
            continue
        hub = states.get(name, "pending")
        yield from _link(unit, unit.key, _key(name), hub)
        for peer in peers.accepted:
            if peer.kind == unit.row.equals and may_talk(unit.stack.collaborations, unit.party_id, peer.party_id or ""):
                yield from _link(unit, _key(name), _key(peer.name), states[peer.name] if hub == "active" else hub)


def _link(unit: AnyUnit, own: str, other: str, state: str) -> Iterator[Edge]:
    """An edge for each plane: the ports that members of a federation publish to each other or to their hub."""
    services = () if unit.row.equals is None else unit.links.of(unit.row.equals, getattr(unit.spec, "federation", ANY))
    for service in services:
        for port in service.ports:
            plane, _, carries = port.carries.partition(": ")
            yield Edge(own, other, plane, carries.removesuffix(", without TLS").removesuffix(", TLS"), service.tls, state)


def _are_linked(unit: AnyUnit, other: AnyUnit) -> bool:
    """Whether two units of one stack dial each other without a hub, and the first has the smaller id: each link is drawn once."""
    if unit.party_id is None or other.party_id is None or unit.row.equals != other.kind or other.spec.hubs:
        return False
    return int(unit.party_id) < int(other.party_id) and may_talk(unit.stack.collaborations, unit.party_id, other.party_id)
