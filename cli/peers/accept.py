"""Accepting a peer's descriptor: first a review of who sent it, what it says and what it would change, then, when agreed, the edit.

`review` writes nothing; `accept` writes the descriptor file and a few lines of the file that remembers the peer.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.keys.identity import write_fields
from cli.peers.acceptance import (
    Terms,
    age,
    may_resolve,
    not_as_accepted,
    own_name_problem,
    owners_of,
    signature_problem,
    stack_problem,
    warnings_of,
)
from cli.peers.names import peer_name
from cli.peers.route_diff import ConnectionChange, RouteChange, connections, route_changes
from cli.peers.sources import DescriptorSource, StackOutput, load_descriptor
from cli.stackfile.edit import BY_HAND, Scalar, peers_with, with_fields
from cli.stackfile.peers import PeerEntry, holds, identifying, place_of
from cli.tools.errors import CommandError
from cli.tools.files import shown, write_atomic
from cli.tools.project import Stack
from federation.base.errors import FederationError, Problem
from federation.catalogue.own import own_releases
from federation.config.file import StackSource
from federation.config.peers import PeerSpec
from federation.config.stack import FederationSpec, StackSpec
from federation.config.units import units
from federation.links.next_hops import by_name_only
from federation.peers.accepted import Peer, Peers, membership_problems, resolve
from federation.peers.descriptor import Descriptor, FieldChange, Published, differences, digest
from federation.peers.signed import Received, Signature, receive
from federation.pki.authority import AuthoritySummary, authority_summary
from federation.stack.limits import config_warnings, oversized_config
from federation.stack.load import checked_plan, load_stack
from federation.stack.plan import plan_stack


@dataclass(frozen=True, kw_only=True)
class Review:
    """The consequences of accepting a descriptor, before anything is written."""

    stack: Stack
    name: str
    descriptor: Descriptor
    # None: unsigned, from another stack if `origin` names one. `known_key`: the peer's key was accepted before.
    signature: Signature | None
    origin: DescriptorSource
    known_key: bool
    sha256: str
    state: str
    # Relative to the folder of the stack file.
    path: str
    previous: Published | None
    changes: tuple[FieldChange, ...]
    routes: tuple[RouteChange, ...]
    # What network policies permit then and did not, or permit no more.
    connections: tuple[ConnectionChange, ...]
    # Other peers whose key it is; days since it was signed, when a day is known.
    key_of: tuple[str, ...]
    age: int | None
    warnings: tuple[str, ...]
    # The federation's id, when this stack knew none: it comes into the stack file.
    learned: str | None
    # The file that remembers the peer as it was read and as it would be; the descriptor's bytes.
    entry: PeerEntry
    before: bytes
    after: bytes
    content: bytes

    @property
    def unheard_key(self) -> str | None:
        """The key of who signed, when it was not accepted before: somebody has to compare it."""
        return None if self.signature is None or self.known_key else self.signature.key

    @property
    def needed(self) -> bool:
        """Whether accepting changes any file."""
        return self.learned is not None or self.before != self.after or not holds(self.stack.file.parent / self.path, self.content)

    def plain(self) -> dict[str, Any]:
        """As JSON-like data."""
        return {
            "name": self.name,
            "descriptor": self.descriptor.plain(),
            "key": None if self.signature is None else self.signature.key,
            "serial": None if self.signature is None else self.signature.serial,
            "notAfter": None if self.signature is None else self.signature.not_after,
            "notBefore": None if self.signature is None else self.signature.not_before,
            "ageDays": self.age,
            "keyOf": list(self.key_of),
            "authorities": [{"sha256": one.sha256, "subject": one.subject, "from": one.first, "to": one.last} for one in self.authorities],
            "stack": self.origin.stack,
            "unit": self.origin.unit,
            "sha256": self.sha256,
            "state": self.state,
            "path": self.path,
            "changes": [{"field": change.field, "old": change.old, "new": change.new} for change in self.changes],
            "routes": [{"unit": change.unit, "object": change.object, "file": change.file, "diff": change.diff} for change in self.routes],
            "connections": [{"unit": change.unit, "effect": change.effect, "what": change.what} for change in self.connections],
            "federationId": self.learned,
            "warnings": list(self.warnings),
        }

    @property
    def authorities(self) -> tuple[AuthoritySummary, ...]:
        """The CAs that data to and from the peer is trusted to."""
        return tuple(map(authority_summary, self.descriptor.authorities))


def review(stack: Stack, wanted: Path | StackOutput, name: str | None = None, terms: Terms | None = None) -> Review:
    """Read and check a descriptor for a stack. FederationError with everything that speaks against it."""
    terms = terms or Terms()
    folder = stack.file.parent
    source, spec = _read_stack(stack)
    origin = load_descriptor(wanted, name, spec.peers, stack)
    received = _checked(origin, spec)
    descriptor, content = received.descriptor, received.content
    known = resolve(spec.peers, spec.federation, folder, source.place_of)
    chosen, name = name, name or peer_name(descriptor, origin, spec, known, folder)
    own = next((peer for peer in known.accepted if peer.name == name), None)
    previous = None if own is None else own.descriptor
    _must_be_the_same_unit(name, descriptor, previous, origin.place)
    spec_before = spec.peers.get(name)
    wrong = signature_problem(received, name, spec.peers, terms, origin.place) if origin.file else stack_problem(spec_before, origin.place)
    wrong = wrong or own_name_problem(received, spec, spec_before, origin.place)
    if wrong is not None:
        raise FederationError([wrong])
    if refused := not_as_accepted(spec, Peer(name, descriptor, "active"), own, terms, origin.place):
        raise FederationError(refused)

    state = "active" if spec_before is None else spec_before.state
    entry = PeerEntry.of(stack, source, name)
    before = entry.file.read_bytes()
    path = place_of(origin.file, content, stack, name, (spec_before and spec_before.descriptor) or f"peers/{name}.json")
    fields = _fields_of(received, origin, path, spec_before, state)
    if may_resolve(spec.peers.get(name), terms) and any(map(by_name_only, descriptor.endpoints.values())):
        fields["resolve"] = True
    spec_after = _changed(source, name, fields).with_catalogue(spec.catalogue)
    others = _without(name, spec, stack, source)
    peer = _peer(name, received, spec_after.peers[name])
    peers_after = Peers(_sorted((*others.accepted, peer)), others.pending, others.problems)
    plan_after = checked_plan(spec_after, peers_after, source.place_of, terms.today)
    peers_before = others if own is None else Peers(_sorted((*others.accepted, own)), others.pending)
    if name in plan_after.pending and own is not None and own.routed:
        remedy = "ask the peer for a descriptor with addresses; the accepted one stays in force"
        raise CommandError(origin.place, f"would remove the routes to {name}: {plan_after.pending[name]}", remedy)
    after = entry.edited(before.decode(), fields, BY_HAND)
    learned = descriptor.federation.id if spec.federation.id is None else None
    if learned is not None:
        # Before anything is written: whether the stack file can be edited so.
        with_fields(stack.file.read_bytes().decode(), ("federation",), {"id": learned})
    config = source.engine_config if entry.elsewhere else StackSource(after, "").engine_config
    if refused := tuple(oversized_config(config, shown(stack.file))):
        raise FederationError(refused)
    plan_before = plan_stack(spec, peers_before, terms.today)
    pending = [f"peer {name} stays pending: {plan_after.pending[name]}"] if name in plan_after.pending else []
    # All that the next preview would say and the last one did not; that it waits is said already.
    doubts = [text for text in plan_after.warnings if text not in plan_before.warnings and f"peer {name} is pending: " not in text]
    signed = received.signature
    known_key = signed is not None and spec_before is not None and spec_before.key == signed.key
    return Review(
        stack=stack,
        name=name,
        descriptor=descriptor,
        signature=signed,
        origin=origin,
        known_key=known_key,
        sha256=digest(content),
        state=state,
        path=path,
        previous=previous,
        changes=() if previous is None else differences(previous, descriptor),
        routes=route_changes(plan_before, plan_after),
        connections=connections(plan_before, plan_after),
        key_of=tuple(peer.name for peer in owners_of(None if signed is None else signed.key, others)),
        age=None if signed is None or terms.today is None else age(signed, terms.today),
        warnings=(
            *pending,
            *([] if chosen else _announced_otherwise(name, descriptor, spec_before)),
            *doubts,
            *_without_id(spec.federation, descriptor),
            *([] if own is not None or name in known.pending else _unknown_before(name, spec.peers.get(name))),
            *(warnings_of(received, spec.organization, others, known_key, terms.today) if origin.stack is None else ()),
            *map(str, config_warnings(config)),
        ),
        learned=learned,
        entry=entry,
        before=before,
        after=after.encode(),
        content=content,
    )


def _fields_of(received: Received, origin: DescriptorSource, path: str, known: PeerSpec | None, state: str) -> dict[str, Scalar]:
    """The fields of an accepted descriptor in fate:peers."""
    source: dict[str, Scalar] = {} if origin.stack is None or origin.unit is None else {"stack": origin.stack, "unit": origin.unit}
    fields: dict[str, Scalar] = {"descriptor": path} | source | {"state": state}
    if (signed := received.signature) is None:
        fields["unsigned"] = True
    else:
        fields["key"] = signed.key
        if known is not None and known.sha256 is not None and known.key not in (None, signed.key):
            fields["previousKey"] = str(known.key)
        fields["acceptedSerial"] = signed.serial
    if state in ("suspended", "retired"):
        fields |= identifying(received.descriptor)
    return fields | {"sha256": digest(received.content)}


def _peer(name: str, received: Received, spec: PeerSpec) -> Peer:
    """The peer as it would be."""
    not_after = None if received.signature is None else received.signature.not_after
    return Peer(name, received.descriptor, spec.state, spec.key, not_after, spec.reason, spec.previous_key)


def accept(reviewed: Review) -> None:
    """Write what was reviewed: the descriptor file, then the peer's entry. CommandError when the entry's file changed meanwhile."""
    file = reviewed.entry.file
    if file.read_bytes() != reviewed.before:
        raise CommandError(shown(file), "changed while the descriptor was reviewed", "run the command again")
    target = reviewed.stack.file.parent / reviewed.path
    if not holds(target, reviewed.content):
        write_atomic(target, reviewed.content)
    if reviewed.after != reviewed.before:
        write_atomic(file.resolve(), reviewed.after)
    if reviewed.learned is not None:
        write_fields(reviewed.stack, ("federation",), {"id": reviewed.learned})


def _read_stack(stack: Stack) -> tuple[StackSource, StackSpec]:
    source = stack.source()
    try:
        spec = StackSpec.model_validate(source.config())
    except ValidationError:
        load_stack(stack.file, name=shown(stack.file))
        raise
    releases, problems = own_releases(spec.releases, stack.file.parent, source.place_of)
    if problems:
        raise FederationError(problems)
    return source, spec.with_catalogue(releases)


def _checked(origin: DescriptorSource, spec: StackSpec) -> Received:
    where = origin.place
    received = receive(origin.content, where)
    if isinstance(received, tuple):
        raise FederationError(received)
    descriptor = received.descriptor
    problems = list(membership_problems(descriptor, spec.federation, where))
    if descriptor.party_id in (spec.parties if descriptor.kind == "party" else {**spec.serving, **spec.site_portal, **spec.parties}):
        remedy = "import descriptors of other organizations only, or agree on another party id"
        problems.append(Problem(where, f"party {descriptor.party_id} is a party of this stack", remedy))
    own_hubs = {unit.kind for unit in units(spec) if unit.party_id is None}
    if descriptor.kind in own_hubs and descriptor.organization == spec.organization:
        remedy = "units of this stack name it `local`"
        problems.append(Problem(where, f"is the descriptor of this stack's own {descriptor.title.removeprefix('the ')}", remedy))
    if problems:
        raise FederationError(problems)
    return received


def _must_be_the_same_unit(name: str, descriptor: Descriptor, old: Published | None, where: str) -> None:
    """A name stands for one unit: else a descriptor of a stranger could take over the routes of a peer."""
    if old is None:
        return
    # What was typed by hand has no organization but the peer's name.
    was, now = (_unit(each) if isinstance(old, Descriptor) else each.title for each in (old, descriptor))
    if was != now:
        problem = f"describes {now}, but peer {name} was accepted as {was}"
        raise CommandError(where, problem, f"add it under another name with --name; if {name} left, `fatefed peers retire {name}`")


def _unit(unit: Published) -> str:
    return f"{unit.title} of {unit.organization}"


def _changed(source: StackSource, name: str, fields: dict[str, Scalar]) -> StackSpec:
    try:
        return StackSpec.model_validate(peers_with(source.config(), name, fields))
    except ValidationError:
        remedy = "use lower case letters, digits and dashes, at most 63"
        raise CommandError("--name", f"{name!r} cannot be the name of a peer", remedy) from None


def _without(name: str, spec: StackSpec, stack: Stack, source: StackSource) -> Peers:
    rest = {other: peer for other, peer in spec.peers.items() if other != name}
    return resolve(rest, spec.federation, stack.file.parent, source.place_of)


def _sorted(peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
    return tuple(sorted(peers, key=lambda peer: peer.name))


def _without_id(federation: FederationSpec, descriptor: Descriptor) -> list[str]:
    if federation.id is None or descriptor.federation.id is not None:
        return []
    return [
        f"it lacks the federation's id, {federation.id}: another federation may have the same name and domain; "
        "its owner learns the id by accepting a descriptor that has it, and exports again"
    ]


def _unknown_before(name: str, peer: PeerSpec | None) -> list[str]:
    if peer is None or peer.sha256 is None:
        return []
    return [f"the descriptor that was accepted for {name} is missing: the changes cannot be shown"]


def _announced_otherwise(name: str, descriptor: Descriptor, announced: PeerSpec | None) -> list[str]:
    """Nobody but the operator knows whom a name stands for that is not the organization's."""
    if announced is None or announced.sha256 is not None or name.startswith(descriptor.organization):
        return []
    return [f"this is {_unit(descriptor)}, and replaces the announced peer {name}: if that is wrong, choose another --name"]
