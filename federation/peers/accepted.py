"""Peers as they were accepted: descriptor files checked against what fate:peers remembers (invariant 4 of the design)."""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from federation.base.errors import PlaceOf, Problem, of_each
from federation.base.hosts import published_elsewhere, typed_elsewhere
from federation.base.json_document import ASK, MAX_BYTES, Problems
from federation.base.scalars import PartyId, is_ip
from federation.base.yaml_file import is_below
from federation.catalogue.kinds import KINDS, Kind
from federation.catalogue.links import published
from federation.config.peers import PeerSpec
from federation.config.stack import FederationSpec
from federation.peers.descriptor import Departed, Descriptor, Endpoint, Membership, Published, digest
from federation.peers.signed import Received, receive
from federation.pki.authority import subject
from federation.pki.authority_form import authority_problems


@dataclass(frozen=True)
class Peer:
    """Another organization's party or exchange whose addresses are known and accepted; it may have been set to wait."""

    name: str
    descriptor: Published
    state: str
    # Of a signed one: the fingerprint of its key, and the last day of the accepted descriptor.
    key: str | None = None
    not_after: str | None = None
    reason: str | None = None
    previous_key: str | None = None
    # Of a blocked one: what is wrong with its descriptor file. Then only the stack file says which unit it is.
    unreadable: str | None = None

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.descriptor.kind

    @property
    def trains(self) -> bool:
        """Whether it is a party or an exchange, not one of FATE-Serving or a portal."""
        return KINDS[self.kind].program == "FATE"

    @property
    def party_id(self) -> PartyId | None:
        """The party's id; None for what belongs to no party."""
        return self.descriptor.party_id

    @property
    def by_hand(self) -> bool:
        """Whether it was typed here: its owner said nothing, or what he said is not there any more."""
        return not isinstance(self.descriptor, Descriptor)

    @property
    def routed(self) -> bool:
        """Whether routes lead to it."""
        return self.state == "active"


@dataclass(frozen=True)
class Peers:
    """All peers of a stack: accepted ones in any state, and those that were not accepted yet, each with the reason."""

    accepted: tuple[Peer, ...]
    pending: Mapping[str, str]
    problems: tuple[Problem, ...] = ()

    def exchange(self, name: str, kind: Kind = "exchange") -> Peer | None:
        """The accepted exchange, serving exchange or FML Manager of a name."""
        return next((peer for peer in self._of(kind) if peer.name == name), None)

    def parties(self, kind: Kind = "party") -> tuple[Peer, ...]:
        """Accepted parties, or their FATE-Servings or Site Portals, in the order of their ids."""
        return tuple(sorted(self._of(kind), key=lambda peer: int(peer.party_id or 0)))

    def _of(self, kind: Kind) -> Iterator[Peer]:
        yield from (peer for peer in self.accepted if peer.kind == kind)


def resolve(specs: Mapping[str, PeerSpec], federation: FederationSpec, folder: Path, place_of: PlaceOf) -> Peers:
    """Read and check every peer's descriptor. `folder` holds the stack file; nothing outside it is read.

    Of a peer whose entry did not parse nothing is known, but what is told of its fields.
    """
    accepted: list[Peer] = []
    pending: dict[str, str] = {}
    problems: list[Problem] = []
    for name, result in of_each(sorted(specs.items()), lambda item: [(item[0], _resolve(*item, federation, folder, place_of))]):
        match result:
            case Peer() as peer:
                accepted.append(peer)
            case str() as reason:
                pending[name] = reason
            case wrong:
                problems.extend(wrong)
    return Peers(tuple(accepted), pending, tuple(problems))


def read_descriptor(folder: Path, relative: str, place: str) -> Received | Problems | None:
    """A descriptor file below the folder: what it says, all that is wrong with it, or None when it is missing."""
    path, remedy = folder / relative, "keep descriptors in peers/ next to the stack file"
    if not is_below(relative, folder):
        return (Problem(place, f"{relative} is outside the folder of the stack file", remedy),)
    try:
        status = path.stat()
        # Reading a pipe would wait for ever.
        if not stat.S_ISREG(status.st_mode):
            return (Problem(place, f"{relative} cannot be read: it is not a regular file", "name the descriptor file"),)
        if status.st_size > MAX_BYTES:
            return (Problem(f"{place} ({relative})", "far larger than a descriptor", ASK),)
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return (Problem(place, f"{relative} cannot be read: {error.strerror}", "make it a readable file"),)
    return receive(content, f"{place} ({relative})")


def membership_problems(descriptor: Descriptor, federation: FederationSpec, place: str) -> tuple[Problem, ...]:
    """The reasons to refuse a descriptor in this federation."""
    theirs, ours = descriptor.federation, federation
    if (theirs.name, theirs.domain) == (ours.name, ours.domain) and None not in (theirs.id, ours.id) and theirs.id != ours.id:
        remedy = (
            "if it belongs to another federation with the same name, do not use it; otherwise ask the founder for the id: "
            "all members have the same fate:federation.id"
        )
        return (Problem(place, f"belongs to the federation with the id {theirs.id}; this stack belongs to {ours.id}", remedy),)
    if (theirs.name, theirs.domain) == (ours.name, ours.domain):
        return (*_endpoint_problems(descriptor, federation, place), *_trust_problems(descriptor, federation, place))
    return (
        Problem(
            place,
            f"is a descriptor of federation {theirs.name} ({theirs.domain}); this stack belongs to {ours.name} ({ours.domain})",
            "use the descriptor of this federation, or a stack of that one: a stack is one organization in one federation",
        ),
    )


# Whether an endpoint speaks TLS, by kind of unit.
_TLS = {kind: {service.endpoint: service.tls for services in published(kind) for service in services} for kind in KINDS}


def _endpoint_problems(descriptor: Descriptor, federation: FederationSpec, place: str) -> Iterator[Problem]:
    """Endpoints under a name that is not theirs, or at an address that would lead back to whoever dials it."""
    party, domain = descriptor.party_id, federation.domain
    own_name = KINDS[descriptor.kind].server_name_of(party, domain)
    for name, endpoint in descriptor.endpoints.items():
        at = f"{place} endpoints.{name}"
        if _TLS[descriptor.kind].get(name) and (not endpoint.tls or endpoint.server_name != own_name):
            advertised = f"serverName {endpoint.server_name}" if endpoint.tls else "no TLS"
            yield Problem(at, f"{advertised} instead of {own_name}", ASK)
        for host in dict.fromkeys((endpoint.host, *endpoint.addresses)):
            if not published_elsewhere(host):
                yield Problem(at, f"{host} is not an address of another organization", "ask the peer to correct publish.*.advertise")


def _trust_problems(descriptor: Descriptor, federation: FederationSpec, place: str) -> Iterator[Problem]:
    """Authorities that could sign more than their own party's names: all peers' CAs are trusted side by side."""
    authorities, remedy = descriptor.authorities, "ask the peer for a CA made by `fatefed trust init`"
    problems = [
        Problem(f"{place} trust.authorities.{number}", problem, remedy)
        for number, authority in enumerate(authorities)
        for problem in authority_problems(authority, descriptor.party_id or "", federation.domain)
    ]
    yield from problems
    if not problems and len(set(map(subject, authorities))) < len(authorities):
        yield Problem(f"{place} trust.authorities", "have the same subject: readers cannot tell them apart", remedy)


def _resolve(name: str, spec: PeerSpec, federation: FederationSpec, folder: Path, place_of: PlaceOf) -> Peer | str | Problems:
    if spec.id_only:
        return Peer(name, _departed(name, spec, federation), spec.state, spec.key, None, spec.reason, spec.previous_key)
    if spec.descriptor is not None:
        peer = _by_descriptor(name, spec, spec.descriptor, federation, folder, place_of)
        return _as_the_stack_says(name, spec, peer, federation, place_of) if spec.identified and spec.sha256 is not None else peer
    if spec.stack is not None:
        return f"stack {spec.stack} was not read yet: run `fatefed peers add --name {name}`"
    if problems := tuple(_typed_problems(name, spec, place_of)):
        return problems
    return Peer(name, _by_hand(name, spec, federation), spec.state, reason=spec.reason)


def _by_descriptor(
    name: str, spec: PeerSpec, file: str, federation: FederationSpec, folder: Path, place_of: PlaceOf
) -> Peer | str | Problems:
    where, add = place_of(("peers", name, "descriptor")), f"`fatefed peers add {'' if spec.stack else f'{file} '}--name {name}`"
    if spec.sha256 is None and spec.accepted_serial is not None:
        problem = f"is missing, although a descriptor with the serial {spec.accepted_serial} was accepted"
        return (Problem(place_of(("peers", name, "sha256")), problem, f"restore the line from a copy of the stack file; or run {add}"),)
    received = read_descriptor(folder, file, where)
    if received is None:
        if spec.sha256 is None:
            return f"{file} is not there yet: {'to make it' if spec.stack else 'when it arrives'}, run {add}"
        return (Problem(where, f"the accepted descriptor {file} is gone", _without_file(name, spec, add)),)
    if isinstance(received, tuple):
        damaged = spec.sha256 is not None and received[0].place.startswith(f"{where} (") and not _is_still(folder / file, spec.sha256)
        problem = f"{file} changed since it was accepted, and is no longer a descriptor: {received[0].problem}"
        return (Problem(where, problem, _without_file(name, spec, add)),) if damaged else received
    if problems := membership_problems(received.descriptor, federation, f"{where} ({file})"):
        return problems
    if spec.sha256 is None:
        return f"{file} was not accepted yet: run {add}"
    if (different := _not_what_was_accepted(spec, received, add)) is not None:
        return (Problem(where, f"{file} {different[0]}", different[1]),)
    signed = received.signature
    key, not_after = (None, None) if signed is None else (signed.key, signed.not_after)
    return Peer(name, received.descriptor, spec.state, key, not_after, spec.reason, spec.previous_key)


def _as_the_stack_says(
    name: str, spec: PeerSpec, by_descriptor: Peer | str | Problems, federation: FederationSpec, place_of: PlaceOf
) -> Peer | str | Problems:
    """A peer of whom the stack file says which unit it is. Nothing of a suspended one's file is needed, so none that is wrong stops anyone.

    It is blocked as that unit and keeps its party id with the accepted key: nothing is read from a file that was not accepted.
    """
    match by_descriptor:
        case Peer() as peer if (peer.kind, peer.party_id) != (spec.what, spec.party_id):
            field = "kind" if peer.party_id == spec.party_id else "partyId"
            problem = f"says {_departed(name, spec, federation).title}, and its descriptor is that of {peer.descriptor.title}"
            return (Problem(place_of(("peers", name, field)), problem, "correct partyId and kind: the accepted descriptor names the unit"),)
        case tuple() as problems if spec.state == "suspended":
            descriptor = _departed(name, spec, federation)
            return Peer(name, descriptor, spec.state, spec.key, None, spec.reason, spec.previous_key, problems[0].problem)
    return by_descriptor


def _is_still(path: Path, sha256: str) -> bool:
    """Whether a file has the accepted content, as far as it was read: one that is far too large was not."""
    return path.stat().st_size > MAX_BYTES or digest(path.read_bytes()) == sha256


def _without_file(name: str, spec: PeerSpec, add: str) -> str:
    """The remedy without an accepted file, which is the only proof of who owns the party id."""
    written = f"write peers.{name}.partyId, its party's id (of an exchange peers.{name}.kind: exchange)"
    if spec.state == "retired":
        return f"restore the file, or {written}: then the file is no longer read"
    again = f", or read its stack again: {add}" if spec.stack else ""
    if spec.state == "suspended":
        return f"restore the file{again}; or {written}: then it stays blocked without the file"
    blocked = f"write peers.{name}.state: suspended, or retired for good"
    return f"restore the file{again}; to give the peer up without it, {blocked}, and {written}; keep this entry"


def _not_what_was_accepted(spec: PeerSpec, received: Received, add: str) -> tuple[str, str] | None:
    """How a file differs from what fate:peers remembers, and what to do. That its signature fits was checked when it was read."""
    again = f"check what changed, then run {add}"
    if spec.sha256 != digest(received.content):
        return "changed since it was accepted", again
    if received.signature is None:
        remedy = f"ask its owner for a signed one and run {add}; or set unsigned: true, if you compared its sha256 over another channel"
        return None if spec.unsigned else ("is not signed", remedy)
    if spec.unsigned:
        return "is signed, but its entry has unsigned: true", f"run {add}"
    if spec.key != received.signature.key:
        return f"is signed with the key {received.signature.key}, not with the accepted {spec.key or 'one: there is none'}", again
    if spec.accepted_serial != received.signature.serial:
        return f"has the serial {received.signature.serial}, not the accepted {spec.accepted_serial or 'one: there is none'}", again
    return None


def _typed_problems(name: str, spec: PeerSpec, place_of: PlaceOf) -> Iterator[Problem]:
    for endpoint, address in spec.addresses.items():
        host = address.rpartition(":")[0]
        if not typed_elsewhere(host):
            remedy = "write an address of the peer; a Service of this cluster as NAME.NAMESPACE.svc"
            yield Problem(place_of(("peers", name, endpoint)), f"{host} is not an address of another organization", remedy)


def _by_hand(name: str, spec: PeerSpec, federation: FederationSpec) -> Published:
    tls_name = KINDS[spec.what].server_name_of(spec.party_id, federation.domain)
    (services,) = (row for row in published(spec.what) if {service.endpoint for service in row} == set(spec.addresses))
    endpoints = {}
    for service in services:
        host, _, port = spec.addresses[service.endpoint].rpartition(":")
        endpoints[service.endpoint] = Endpoint(
            host=host,
            addresses=(host,) if is_ip(host) else (),
            ports={service.ports[0].purpose: int(port)},
            tls=service.tls,
            server_name=tls_name if service.tls else None,
        )
    return Published(endpoints=endpoints, **_typed_fields(name, spec, federation))


def _departed(name: str, spec: PeerSpec, federation: FederationSpec) -> Published:
    return Departed(endpoints={}, **_typed_fields(name, spec, federation))


def _typed_fields(name: str, spec: PeerSpec, federation: FederationSpec) -> dict[str, Any]:
    """The fields of a peer without a descriptor that both cases share; its name is used as the organization."""
    membership = Membership(name=federation.name, domain=federation.domain)
    return {"schema_version": 1, "kind": spec.what, "federation": membership, "organization": name, "party_id": spec.party_id}
