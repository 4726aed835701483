"""The hub that a unit names, and rules about it: an exchange, serving exchange or FML Manager of this stack (`local`) or of a peer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from federation.base.errors import Problem
from federation.catalogue.kinds import KINDS, Kind
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, exchange_unit, fml_manager_unit, serving_exchange_unit, units
from federation.units.checked import CheckedStack


class NamedHub(NamedTuple):
    """A unit of the stack, and the peer that it names as its hub."""

    unit: str
    kind: Kind
    peer: str


def named_hubs(spec: StackSpec) -> Iterator[NamedHub]:
    """Every hub that a unit of the stack names and a peer holds."""
    for unit in units(spec):
        yield from (NamedHub(unit.key, unit.row.hub, name) for name in unit.spec.hubs if unit.row.hub is not None and name != "local")


def waiting_hubs(spec: StackSpec, pending: Mapping[str, str]) -> Iterator[tuple[NamedHub, str]]:
    """Each unit whose hub is pending, with the text of its warning. `pending`: the reason, by peer."""
    for hub in named_hubs(spec):
        if (reason := pending.get(hub.peer)) is not None:
            yield hub, f"{hub.unit} reaches no one through its {_noun(hub.kind)}: peer {hub.peer} is pending: {reason}"


def hub_is_described(stack: CheckedStack, kind: Kind, name: str, path: Sequence[str]) -> Iterator[Problem]:
    """A problem when neither this stack nor a peer has the hub. `path`: the key that names it."""
    where = stack.place_of(path)
    if name == "local":
        if _OWN[kind](stack.spec) is None:
            remedy = f"add it under fate:{'.'.join(KINDS[kind].path)}, or name the peer that holds it"
            yield Problem(where, f"this stack holds no {_noun(kind)}", remedy)
    elif name not in stack.spec.peers:
        known = ", ".join(sorted(stack.spec.peers)) or "none"
        yield Problem(where, f"there is no peer {name}", f"add it: `fatefed peers add FILE --name {name}`; known peers: {known}")


_OWN: Mapping[Kind, Callable[[StackSpec], AnyUnit | None]] = {
    "exchange": exchange_unit,
    "servingExchange": serving_exchange_unit,
    "fmlManager": fml_manager_unit,
}


def hub_is_of_its_kind(stack: CheckedStack, kind: Kind, name: str, path: Sequence[str]) -> Iterator[Problem]:
    """A problem when the peer is another kind of unit than the hub it is named as."""
    for peer in stack.peers.accepted if name != "local" else ():
        if peer.name == name and peer.kind != kind:
            problem = f"peer {name} is {KINDS[peer.kind].noun}, not {KINDS[kind].noun}"
            yield Problem(stack.place_of(path), problem, f"name the peer whose descriptor is {KINDS[kind].noun}'s")


def _noun(kind: Kind) -> str:
    return KINDS[kind].noun.split(" ", 1)[1]
