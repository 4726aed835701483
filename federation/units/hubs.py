"""The hub that a unit names: the exchange, serving exchange or FML Manager of this stack (`local`), or of a peer; and rules about it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from federation.base.errors import Paths, Problem
from federation.catalogue.kinds import KINDS, Kind
from federation.config.stack import StackSpec
from federation.config.units import units
from federation.peers.accepted import Peers


class NamedHub(NamedTuple):
    """A unit of the stack, and the peer that it names as its hub."""

    unit: str
    kind: Kind
    peer: str


def named_hubs(spec: StackSpec) -> Iterator[NamedHub]:
    """Every hub of others that a unit of the stack names."""
    for unit in units(spec):
        yield from (NamedHub(unit.key, unit.row.hub, name) for name in unit.spec.hubs if unit.row.hub is not None and name != "local")


def waiting_hubs(spec: StackSpec, pending: Mapping[str, str]) -> Iterator[tuple[NamedHub, str]]:
    """Each unit whose hub is pending, and what is said of it. `pending`: the reason, by peer."""
    for hub in named_hubs(spec):
        if (reason := pending.get(hub.peer)) is not None:
            yield hub, f"{hub.unit} reaches nobody through its {_noun(hub.kind)}: peer {hub.peer} is pending: {reason}"


def hub_is_described(spec: StackSpec, kind: Kind, name: str, where: str, left_out: Paths) -> Iterator[Problem]:
    """The hub that is named at a place is of this stack, or of one of its peers. `left_out`: see `federation.stack.plan.check_stack`."""
    path = KINDS[kind].path
    if name == "local":
        if path not in {unit.path for unit in units(spec)} and not {path[:length] for length in range(1, len(path) + 1)} & left_out:
            remedy = f"describe it under fate:{'.'.join(path)}, or name the peer that holds it"
            yield Problem(where, f"this stack holds no {_noun(kind)}", remedy)
    elif name not in spec.peers and not {("peers",), ("peers", name)} & left_out:
        known = ", ".join(sorted(spec.peers)) or "none"
        yield Problem(where, f"there is no peer {name}", f"add it: `fatefed peers add FILE --name {name}`; known peers: {known}")


def hub_is_of_its_kind(peers: Peers, kind: Kind, name: str, where: str) -> Iterator[Problem]:
    """The peer that is named as a hub is one."""
    for peer in peers.accepted if name != "local" else ():
        if peer.name == name and peer.kind != kind:
            problem = f"peer {name} is {KINDS[peer.kind].noun}, not {KINDS[kind].noun}"
            yield Problem(where, problem, f"name the peer whose descriptor is {KINDS[kind].noun}'s")


def _noun(kind: Kind) -> str:
    return KINDS[kind].noun.split(" ", 1)[1]
