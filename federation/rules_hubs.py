"""Rules about the hub that a unit names: the exchange, serving exchange or FML Manager of this stack (`local`), or of a peer."""

from collections.abc import Iterator
from typing import Literal

from federation.errors import Problem
from federation.links import KINDS
from federation.own_units import units
from federation.peers import Paths, Peers
from federation.spec import StackSpec

Hub = Literal["exchange", "servingExchange", "fmlManager"]
# Where the stack describes a hub of its own.
_DESCRIBED: dict[Hub, tuple[str, ...]] = {
    "exchange": ("exchange",),
    "servingExchange": ("servingExchange",),
    "fmlManager": ("exchange", "fmlManager"),
}


def hub_is_described(spec: StackSpec, kind: Hub, name: str, where: str, left_out: Paths) -> Iterator[Problem]:
    """The hub that is named at a place is of this stack, or of one of its peers. `left_out`: see `federation.plan.check_stack`."""
    path = _DESCRIBED[kind]
    if name == "local":
        if path not in dict(units(spec)) and not {path[:length] for length in range(1, len(path) + 1)} & left_out:
            remedy = f"describe it under fate:{'.'.join(path)}, or name the peer that holds it"
            yield Problem(where, f"this stack holds no {_noun(kind)}", remedy)
    elif name not in spec.peers and not {("peers",), ("peers", name)} & left_out:
        known = ", ".join(sorted(spec.peers)) or "none"
        yield Problem(where, f"there is no peer {name}", f"add it: `fatefed peers add FILE --name {name}`; known peers: {known}")


def hub_is_of_its_kind(peers: Peers, kind: Hub, name: str, where: str) -> Iterator[Problem]:
    """The peer that is named as a hub is one."""
    for peer in peers.accepted if name != "local" else ():
        if peer.name == name and peer.kind != kind:
            problem = f"peer {name} is {KINDS[peer.kind]}, not {KINDS[kind]}"
            yield Problem(where, problem, f"name the peer whose descriptor is {KINDS[kind]}'s")


def _noun(kind: Hub) -> str:
    return KINDS[kind].split(" ", 1)[1]
