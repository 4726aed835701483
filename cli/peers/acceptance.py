"""Whether a descriptor file may be accepted, by its signature and by what the stack remembers of its sender."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from federation.base.errors import Problem
from federation.base.scalars import is_fingerprint
from federation.config.peers import PeerSpec
from federation.config.stack import StackSpec
from federation.peers.accepted import Peer, Peers
from federation.peers.descriptor import digest
from federation.peers.signed import Received, Signature
from federation.pki.authority import short_fingerprint
from federation.pki.authority_form import day_problems, excludes_addresses
from federation.rules.descriptors import newcomer_problems, whereabouts_problems

# For clocks that disagree, and for days that begin elsewhere.
_SKEW = timedelta(days=1)
# From the first to the last day on which a file may be accepted: longer, and an old one with a stolen key is as good as the latest.
MOST_DAYS = 731
# From when on the owner of a file that is new here is asked whether it is still the latest.
_AGED_DAYS = 30


@dataclass(frozen=True)
class Terms:
    """What the operator says beside the file: today (UTC; None: no day matters), the fingerprint heard from the sender, no signature."""

    today: date | None = None
    key: str | None = None
    unsigned: bool = False
    # Host names without addresses are accepted.
    resolve: bool = False


def signature_problem(received: Received, name: str, peers: Mapping[str, PeerSpec], terms: Terms, place: str) -> Problem | None:
    """Why a file may not be accepted for the peer of a name; `peers`: what fate:peers says."""
    known = peers.get(name)
    signed = received.signature
    if signed is None:
        return _unsigned_problem(known, terms, place)
    if terms.unsigned:
        return Problem(place, "is signed", "drop --unsigned")
    return (
        _key_problem(signed, known, terms, place)
        or _replaced_key(signed, known, peers, place)
        or _date_problem(signed, terms, place)
        or _serial_problem(received, signed, known, place)
    )


def stack_problem(known: PeerSpec | None, place: str) -> Problem | None:
    """Why what another stack publishes may not be accepted for a peer: it would be an easier way in than the peer's key."""
    if known is None or known.key is None:
        return None
    remedy = "use its signed files; or, if the stack is yours, first remove key, previousKey and acceptedSerial from fate:peers"
    return Problem(place, f"is not signed, but this peer signs with {known.key}", remedy)


def own_name_problem(received: Received, spec: StackSpec, known: PeerSpec | None, place: str) -> Problem | None:
    """Why a file in the name of this stack's own organization may not be accepted: whoever signed it does not have its key."""
    signed, own = received.signature, None if spec.identity is None else spec.identity.key
    if received.descriptor.organization != spec.organization or signed is None or signed.key == own:
        return None
    if known is not None and known.key == signed.key:
        return None
    problem = f"is in the name of this stack's own organization, {spec.organization}, and signed with another key, {signed.key}"
    remedy = (
        "do not use an unknown sender's file; read another stack of yours with --from-stack, or give both stacks one key "
        "(fate:identity.key, fate:secrets.identity)"
    )
    return Problem(place, problem, remedy)


def not_as_accepted(spec: StackSpec, peer: Peer, accepted: Peer | None, terms: Terms, place: str) -> tuple[Problem, ...]:
    """What a descriptor is refused for, unless the accepted one of its peer has it, too: that one stays in force (invariant 4).

    `peer`: as it would be; `accepted`: as it is.
    """
    descriptor, today = peer.descriptor, terms.today
    had = set() if accepted is None else {each.problem for each in _against(spec, accepted, place)}
    known = () if accepted is None else accepted.descriptor.authorities
    problems = [
        each for each in _against(spec, peer, place, resolve=may_resolve(spec.peers.get(peer.name), terms)) if each.problem not in had
    ]
    for number, authority in enumerate(descriptor.authorities):
        for problem in () if today is None or authority in known else day_problems(authority, today):
            remedy = "ask the peer for a CA that is valid now; the peer removes an expired one with `fatefed trust rotate`"
            problems.append(Problem(f"{place} trust.authorities.{number}", f"CA {short_fingerprint(authority)} {problem}", remedy))
    return tuple(problems)


def _against(spec: StackSpec, peer: Peer, place: str, *, resolve: bool = False) -> Iterator[Problem]:
    yield from newcomer_problems(peer.descriptor, place)
    yield from whereabouts_problems(spec, peer, place, resolve=resolve)


def may_resolve(known: PeerSpec | None, terms: Terms) -> bool:
    """Whether the operator accepts a peer's names without addresses, now or before."""
    return terms.resolve or (known is not None and known.resolve)


def owners_of(key: str | None, others: Peers) -> tuple[Peer, ...]:
    """Other peers whose key it is, or was."""
    return tuple(peer for peer in others.accepted if key is not None and key in (peer.key, peer.previous_key))


def warnings_of(received: Received, ours: str, others: Peers, known: bool, today: date | None) -> Iterator[str]:
    """Warnings to consider before accepting a file.

    `ours`: the stack's organization. `known`: the file's key is the accepted one of its peer.
    """
    signed, descriptor = received.signature, received.descriptor
    organization = descriptor.organization
    if organization == ours:
        yield f"it is in the name of this stack's own organization, {organization}"
    if signed is None:
        yield "it is not signed: nothing proves who wrote it; compare its sha256 with the sender over another channel"
        return
    for peer in others.accepted:
        if peer.descriptor.organization == organization and peer.key not in (None, signed.key):
            yield f"organization {organization} has another key here: peer {peer.name}, {peer.key}"
    for peer in owners_of(signed.key, others):
        if peer.descriptor.organization != organization:
            yield (
                f"its key is that of peer {peer.name} of {peer.descriptor.organization}: either both are one organization, "
                f"or {organization} did not sign this"
            )
    if not known and today is not None and (days := age(signed, today)) > _AGED_DAYS:
        yield (
            f"it was signed {days} days ago: ask its owner by phone whether serial {signed.serial} is the latest "
            "(`fatefed identity show` prints it); a later one may name another CA or address"
        )
    if descriptor.authorities and not all(map(excludes_addresses, descriptor.authorities)):
        yield "its CA may sign for IP addresses, as those made before fate-federation excluded them: the next rotation replaces it"


def age(signed: Signature, today: date) -> int:
    """Days since a file was signed."""
    return (today - date.fromisoformat(signed.not_before)).days


def _unsigned_problem(known: PeerSpec | None, terms: Terms, place: str) -> Problem | None:
    if known is not None and known.key is not None:
        return Problem(place, f"is not signed, but this peer signs with {known.key}", "ask the peer for a signed one: do not use this file")
    if terms.unsigned or (known is not None and known.unsigned):
        return None
    remedy = (
        "ask the peer for the output of `fatefed descriptor export`; or, if you compared the sha256 with its owner over another channel, "
        "add --unsigned"
    )
    return Problem(place, "is not signed", remedy)


def _key_problem(signed: Signature, known: PeerSpec | None, terms: Terms, place: str) -> Problem | None:
    if terms.key is not None and not is_fingerprint(terms.key):
        remedy = "write it in full, as its owner's `fatefed identity show` prints it: SHA256: and 43 letters and digits"
        return Problem("--key", f"{terms.key!r} is not a fingerprint", remedy)
    if terms.key is not None and terms.key != signed.key:
        return Problem(place, f"is signed with {signed.key}, not with {terms.key}", "do not use it: ask the sender which key is theirs")
    if known is None or known.key in (None, signed.key):
        return None
    if known.state == "retired":
        remedy = "a retired party id belongs to its key forever: agree on another id, and add it under another name with --name"
        return Problem(place, f"is signed with {signed.key}, but this retired peer has the key {known.key}", remedy)
    if terms.key is None:
        remedy = f"call the peer: if the key is new and it is theirs, accept it with --key {signed.key}; else do not use this file"
        return Problem(place, f"is signed with {signed.key}, not with the accepted key {known.key}", remedy)
    return None


def _replaced_key(signed: Signature, known: PeerSpec | None, peers: Mapping[str, PeerSpec], place: str) -> Problem | None:
    """A key that was replaced may be in wrong hands: it admits nobody any more."""
    if known is not None and known.key == signed.key:
        return None
    for name, peer in sorted(peers.items()):
        if peer.previous_key == signed.key:
            problem = f"is signed with {signed.key}, the key of peer {name} before {peer.key}"
            return Problem(place, problem, "ask the peer to export it again with its current key")
    return None


def _date_problem(signed: Signature, terms: Terms, place: str) -> Problem | None:
    if terms.today is None:
        return None
    begins, ends = date.fromisoformat(signed.not_before), date.fromisoformat(signed.not_after)
    if (ends - begins).days > MOST_DAYS:
        problem = f"may be accepted from {begins} to {ends}, which is more than {MOST_DAYS} days"
        return Problem(place, problem, "ask the peer to export it again, with fewer --days")
    if signed.not_after < terms.today.isoformat():
        return Problem(place, f"expired on {signed.not_after}", "ask the peer to export it again")
    if signed.not_before > (terms.today + _SKEW).isoformat():
        return Problem(place, f"is not valid before {signed.not_before}", "compare your clock with the peer's")
    return None


def _serial_problem(received: Received, signed: Signature, known: PeerSpec | None, place: str) -> Problem | None:
    if known is None or known.key != signed.key or known.accepted_serial is None:
        return None
    if signed.serial < known.accepted_serial:
        problem = f"its serial {signed.serial} is older than the accepted {known.accepted_serial}"
        return Problem(place, problem, "ask the peer for its latest one; if it lost count, it exports with --serial")
    if signed.serial == known.accepted_serial and known.sha256 not in (None, digest(received.content)):
        problem = f"its serial {signed.serial} was accepted with another content"
        return Problem(place, problem, "ask the peer to export it again: each export has its own serial")
    return None
