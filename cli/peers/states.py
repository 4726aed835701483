"""The life of a peer: suspending, resuming and retiring it, as an edit of the stack file. `pulumi up` makes it so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from cli.peers.route_diff import RouteChange, route_changes
from cli.stackfile.edit import Scalar
from cli.stackfile.peers import PeerEntry, identifying
from cli.tools.errors import CommandError
from cli.tools.files import shown
from cli.tools.project import Stack
from federation.base.errors import FederationError, Problem
from federation.base.scalars import Reason
from federation.config.file import StackSource
from federation.peers.accepted import read_descriptor, resolve
from federation.peers.descriptor import digest
from federation.peers.signed import Received
from federation.stack.load import LoadedStack, checked_plan

State = Literal["active", "suspended", "retired"]


@dataclass(frozen=True)
class StateChange:
    """A peer's new state, and the routes that `pulumi up` will change."""

    name: str
    before: str
    state: State
    # None: not known, because the stack file was wrong before, or is.
    routes: tuple[RouteChange, ...] | None
    # Whether the stack file was edited: not, when it says so already.
    written: bool
    # What keeps `pulumi up` from applying it.
    problems: tuple[Problem, ...] = ()


def set_state(stack: Stack, name: str, state: State, reason: str | None) -> StateChange:
    """Write a peer's state, and why, into the stack file. CommandError for a peer that is not known, or gone for good.

    The rest of the federation is not asked: one side alone can sever. So what is wrong elsewhere is told, but keeps nobody from
    suspending or retiring. Who comes back must fit to all that is there by now: else FederationError, and nothing is written.
    """
    source = StackSource.read(stack.file, shown(stack.file))
    entry = _entry(source, stack, name)
    before = str(entry.get("state", "active"))
    if before == "retired" and state != "retired":
        remedy = "a retired peer stays away; if it was a mistake, correct the state in the file by hand"
        raise CommandError(source.place_of(("peers", name, "state")), f"{name} is retired", remedy)
    try:
        TypeAdapter(Reason | None).validate_python(reason)
    except ValidationError:
        raise CommandError("--reason", "is not one line of at most 200 characters", "shorten it, or leave it out") from None
    fields: dict[str, Scalar] = {"state": state}
    if reason is not None:
        fields["reason"] = reason
    if state != "active":
        fields |= _which_unit(stack, source, name, entry)
    # A reason belongs to a state, and goes with it; who is back says by the descriptor which unit it is.
    drop = frozenset({"reason"}) if reason is None and before != state else frozenset()
    if state == "active" and "descriptor" in entry:
        drop |= {"partyId", "kind"}
    written = before != state or any(entry.get(field) != value for field, value in fields.items())
    loaded, problems = _loaded(stack)
    if state == "active":
        _must_fit(stack, loaded, problems, name)
    if written:
        PeerEntry.of(stack, source, name).write(fields, drop)
    after, problems = _loaded(stack)
    routes = None if loaded is None or after is None else route_changes(loaded.plan, after.plan)
    return StateChange(name, before, state, routes, written, problems)


def _entry(source: StackSource, stack: Stack, name: str) -> Mapping[str, Any]:
    """A peer's entry in the stack file, valid or not."""
    peers = source.config().get("peers")
    known = {str(key): value for key, value in peers.items()} if isinstance(peers, dict) else {}
    if name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise CommandError(f"{shown(stack.file)} fate:peers", f"there is no peer {name}", f"choose one of: {names}")
    entry = known[name]
    if not isinstance(entry, dict):
        raise CommandError(source.place_of(("peers", name)), "is not a map (key: value)", "write it again, or remove it")
    return entry


def _which_unit(stack: Stack, source: StackSource, name: str, entry: Mapping[str, Any]) -> dict[str, Scalar]:
    """Which unit it is, by the accepted descriptor: with that in the stack file the descriptor may go."""
    relative = entry.get("descriptor")
    if not isinstance(relative, str) or {"partyId", "kind"} & entry.keys():
        return {}
    received = read_descriptor(stack.file.parent, relative, source.place_of(("peers", name, "descriptor")))
    if not isinstance(received, Received) or digest(received.content) != entry.get("sha256"):
        return {}
    return identifying(received.descriptor)


def _loaded(stack: Stack) -> tuple[LoadedStack | None, tuple[Problem, ...]]:
    try:
        return stack.load(), ()
    except FederationError as error:
        return None, error.problems


def _must_fit(stack: Stack, loaded: LoadedStack | None, problems: tuple[Problem, ...], name: str) -> None:
    if loaded is None:
        raise FederationError(problems)
    back = loaded.spec.peers[name].model_copy(update={"state": "active"})
    spec = loaded.spec.model_copy(update={"peers": {**loaded.spec.peers, name: back}})
    peers = resolve(spec.peers, spec.federation, stack.file.parent, loaded.source.place_of)
    checked_plan(spec, peers, loaded.source.place_of)
