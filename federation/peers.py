"""Peers as they were accepted: descriptor files checked against what fate:peers remembers (invariant 4 of the design)."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from federation import naming
from federation.descriptor import MAX_BYTES, Descriptor, Endpoint, Membership, digest, parse
from federation.errors import Problem
from federation.links import LINKS, engine_of
from federation.peer_spec import PeerSpec
from federation.scalars import PartyId, is_ip
from federation.spec import FederationSpec

Place = Callable[[Sequence[str]], str]


@dataclass(frozen=True)
class Peer:
    """Another organization's party or exchange whose addresses are known and accepted."""

    name: str
    descriptor: Descriptor
    state: str

    @property
    def party_id(self) -> PartyId | None:
        """The party's id; None for an exchange."""
        return self.descriptor.party_id

    @property
    def routed(self) -> bool:
        """Whether routes lead to it."""
        return self.state == "active"


@dataclass(frozen=True)
class Peers:
    """All peers of a stack: accepted ones, and those that get no routes yet, each with the reason."""

    accepted: tuple[Peer, ...]
    pending: Mapping[str, str]
    problems: tuple[Problem, ...] = ()

    def exchange(self, name: str) -> Peer | None:
        """The accepted exchange of a name."""
        return next((peer for peer in self.accepted if peer.name == name and peer.party_id is None), None)

    def parties(self) -> tuple[Peer, ...]:
        """Accepted parties in the order of their ids."""
        return tuple(sorted((p for p in self.accepted if p.party_id is not None), key=lambda p: int(p.party_id or 0)))


def resolve(specs: Mapping[str, PeerSpec], federation: FederationSpec, folder: Path, place: Place) -> Peers:
    """Read and check every peer's descriptor. `folder` holds the stack file; nothing outside it is read."""
    accepted: list[Peer] = []
    pending: dict[str, str] = {}
    problems: list[Problem] = []
    for name, spec in sorted(specs.items()):
        match _resolve(name, spec, federation, folder, place):
            case Peer() as peer:
                accepted.append(peer)
            case str() as reason:
                pending[name] = reason
            case found:
                problems.extend(found)
    return Peers(tuple(accepted), pending, tuple(problems))


def read_descriptor(folder: Path, relative: str, place: str) -> tuple[bytes, Descriptor] | tuple[Problem, ...] | None:
    """A descriptor file below the folder: its bytes and meaning, all that is wrong with it, or None when it is missing."""
    path = folder / relative
    try:
        below = not Path(relative).is_absolute() and path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name, a loop of links
        return (Problem(place, f"{relative!r} is not a path: {error}", "keep descriptors in peers/ beside the stack file"),)
    if not below:
        return (Problem(place, f"{relative} is outside the folder of the stack file", "keep descriptors in peers/ beside the stack file"),)
    try:
        if path.stat().st_size > MAX_BYTES:
            return (
                Problem(
                    f"{place} ({relative})", "far larger than a descriptor", "ask the peer for the output of `fatefed descriptor export`"
                ),
            )
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return (Problem(place, f"{relative} cannot be read: {error.strerror}", "make it a readable file"),)
    found = parse(content, f"{place} ({relative})")
    return (content, found) if isinstance(found, Descriptor) else found


def membership_problems(descriptor: Descriptor, federation: FederationSpec, place: str) -> tuple[Problem, ...]:
    """What keeps a descriptor out of this federation."""
    theirs, ours = descriptor.federation, federation
    if (theirs.name, theirs.domain) == (ours.name, ours.domain):
        return tuple(_endpoint_problems(descriptor, federation, place))
    return (
        Problem(
            place,
            f"is a descriptor of federation {theirs.name} ({theirs.domain}); this stack belongs to {ours.name} ({ours.domain})",
            "use the descriptor of this federation, or the stack of that one: one stack is one organization in one federation",
        ),
    )


# Whether an endpoint speaks TLS, by kind of unit.
_TLS = {kind: {s.endpoint: s.tls for link in LINKS.values() for s in link.of(kind)} for kind in ("party", "exchange")}


def _endpoint_problems(descriptor: Descriptor, federation: FederationSpec, place: str) -> Iterator[Problem]:
    """Endpoints under a name that is not theirs, or at an address that would lead back to whoever dials it."""
    party, domain = descriptor.party_id, federation.domain
    own_name = naming.proxy_name(domain) if party is None else naming.server_name(party, domain)
    for name, endpoint in descriptor.endpoints.items():
        at = f"{place} endpoints.{name}"
        if _TLS[descriptor.kind].get(name) and (not endpoint.tls or endpoint.server_name != own_name):
            said = f"serverName {endpoint.server_name}" if endpoint.tls else "no TLS"
            yield Problem(at, f"{said} instead of {own_name}", "ask the peer for the output of `fatefed descriptor export`")
        for address in filter(is_ip, dict.fromkeys((endpoint.host, *endpoint.addresses))):
            if (found := ipaddress.ip_address(address)).is_loopback or found.is_unspecified or found.is_link_local or found.is_multicast:
                yield Problem(at, f"{address} is no address of another organization", "ask the peer to correct publish.*.advertise")


def _resolve(name: str, spec: PeerSpec, federation: FederationSpec, folder: Path, place: Place) -> Peer | str | tuple[Problem, ...]:
    where = place(("peers", name, "descriptor"))
    if spec.descriptor is None:
        return Peer(name, _by_hand(name, spec, federation), spec.state)
    found = read_descriptor(folder, spec.descriptor, where)
    if found is None:
        if spec.sha256 is None:
            return f"{spec.descriptor} is not there yet: when it arrives, run `fatefed peers add {spec.descriptor} --name {name}`"
        return (
            Problem(
                where,
                f"the accepted descriptor {spec.descriptor} is gone",
                f"restore the file; to part with the peer, retire it first (peers.{name}.state), run `pulumi up`, then remove both",
            ),
        )
    match found:
        case (bytes() as content, Descriptor() as descriptor):
            if problems := membership_problems(descriptor, federation, f"{where} ({spec.descriptor})"):
                return problems
            if spec.sha256 is None:
                return f"{spec.descriptor} was not accepted yet: run `fatefed peers add {spec.descriptor} --name {name}`"
            if spec.sha256 != digest(content):
                return (
                    Problem(
                        where,
                        f"{spec.descriptor} changed since it was accepted",
                        f"check what changed, then run `fatefed peers add {spec.descriptor} --name {name}`",
                    ),
                )
            return Peer(name, descriptor, spec.state)
        case problems:
            return problems


def _by_hand(name: str, spec: PeerSpec, federation: FederationSpec) -> Descriptor:
    kind: Literal["party", "exchange"] = "exchange" if spec.party_id is None else "party"
    tls_name = naming.proxy_name(federation.domain) if spec.party_id is None else naming.server_name(spec.party_id, federation.domain)
    endpoints = {}
    for published in LINKS[engine_of(frozenset(spec.addresses), kind)].of(kind):
        host, _, port = spec.addresses[published.endpoint].rpartition(":")
        endpoints[published.endpoint] = Endpoint(
            host=host,
            addresses=(host,) if is_ip(host) else (),
            ports={published.ports[0].purpose: int(port)},
            tls=published.tls,
            server_name=tls_name if published.tls else None,
        )
    return Descriptor(
        schema_version=1,
        kind=kind,
        federation=Membership(name=federation.name, domain=federation.domain),
        organization=name,
        party_id=spec.party_id,
        endpoints=endpoints,
    )
