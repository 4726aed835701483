"""The life of a peer: suspending, resuming and retiring it, as an edit of the stack file. `pulumi up` makes it so."""

from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from cli.edit import Scalar
from cli.errors import CommandError
from cli.files import shown
from cli.peer_files import PeerEntry
from cli.project import Stack
from cli.routes import RouteChange, route_changes
from federation.load import checked_plan
from federation.peer_spec import Reason
from federation.peers import resolve
from federation.plan import plan_stack

State = Literal["active", "suspended", "retired"]


@dataclass(frozen=True)
class StateChange:
    """A peer's new state, and the routes that `pulumi up` will change."""

    name: str
    before: str
    state: State
    routes: tuple[RouteChange, ...]
    # Whether the stack file was edited: not, when it says so already.
    written: bool


def set_state(stack: Stack, name: str, state: State, reason: str | None) -> StateChange:
    """Write a peer's state, and why, into the stack file. CommandError for a peer that is not known, or gone for good.

    The rest of the federation is not asked: one side alone can sever.
    """
    loaded = stack.load()
    spec = loaded.spec
    peer = spec.peers.get(name)
    if peer is None:
        known = ", ".join(sorted(spec.peers)) or "none"
        raise CommandError(f"{shown(stack.file)} fate:peers", f"there is no peer {name}", f"choose one of: {known}")
    if peer.state == "retired" and state != "retired":
        remedy = "a retired peer stays away; if it was a mistake, correct the state in the file by hand"
        raise CommandError(loaded.source.place(("peers", name, "state")), f"{name} is retired", remedy)
    try:
        TypeAdapter(Reason | None).validate_python(reason)
    except ValidationError:
        raise CommandError("--reason", "is not one line of at most 200 characters", "shorten it, or leave it out") from None
    fields: dict[str, Scalar] = {"state": state}
    if reason is not None:
        fields["reason"] = reason
    # A reason belongs to a state: it goes with it.
    drop = frozenset({"reason"}) if reason is None and peer.state != state else frozenset()
    changed = peer.model_copy(update={"state": state, "reason": reason})
    after = spec.model_copy(update={"peers": {**spec.peers, name: changed}})
    known_after = resolve(after.peers, after.federation, stack.file.parent, loaded.source.place)
    # To sever asks nobody's leave; what comes back must fit to all that is there by now.
    plan = checked_plan(after, known_after, loaded.source.place) if state == "active" else plan_stack(after, known_after)
    routes = route_changes(loaded.plan, plan)
    written = peer.state != state or (reason is not None and peer.reason != reason)
    if written:
        PeerEntry.of(stack, loaded.source, name).write(fields, drop)
    return StateChange(name, peer.state, state, routes, written)
