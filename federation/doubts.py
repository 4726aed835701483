"""What speaks against a descriptor, and is no reason to stop a federation that runs: refused in a new one, a warning of an accepted one.

An accepted peer keeps its routes until its operator severs it (invariant 4), so a rule that comes later does not reach back.
"""

from collections.abc import Iterator

from federation.authority import key_digest, short_fingerprint
from federation.authority_form import form_problems
from federation.descriptor import Published
from federation.errors import Problem
from federation.hosts import known_outside
from federation.peers import Peers
from federation.spec import StackSpec

_ANEW = "ask the peer for a descriptor with a CA made by `fatefed trust init`, or step by step by `fatefed trust rotate`"


def newcomer_problems(descriptor: Published, place: str) -> Iterator[Problem]:
    """What a descriptor is refused for, if what was accepted of its peer had it not already: sentences that hold what they are about."""
    for number, authority in enumerate(descriptor.authorities):
        for problem in form_problems(authority, descriptor.party_id or ""):
            yield Problem(f"{place} trust.authorities.{number}", f"CA {short_fingerprint(authority)}: {problem}", _ANEW)
    for name, endpoint in descriptor.endpoints.items():
        if not known_outside(endpoint.host):
            problem = f"{endpoint.host} is not one and the same host in every network"
            yield Problem(f"{place} endpoints.{name}", problem, "ask the peer to advertise an IP address, or a name in public DNS")


def doubt_warnings(spec: StackSpec, peers: Peers) -> Iterator[str]:
    """The same of peers that were accepted, of this stack's own CAs, and one key in the CAs of two parties."""
    for party, trust in sorted(spec.trust.parties.items(), key=lambda item: int(item[0])):
        for authority in trust.in_order:
            for problem in form_problems(authority, party):
                remedy = f"replace it with `fatefed trust rotate --party {party}`"
                yield f"the CA {short_fingerprint(authority)} of party {party}: {problem}; peers refuse it in a new descriptor: {remedy}"
    for peer in (peer for peer in peers.accepted if peer.routed and not peer.by_hand):
        for found in newcomer_problems(peer.descriptor, f"peer {peer.name}"):
            yield f"{found.place}: {found.problem}; accepted before, so it stays: {found.remedy}"
    yield from _shared_keys(spec, peers)


def _shared_keys(spec: StackSpec, peers: Peers) -> Iterator[str]:
    """Who has the key of a CA can be every party whose CA has it."""
    owners: dict[str, dict[str, str]] = {}
    own = [(party, f"party {party} of this stack", trust.in_order) for party, trust in spec.trust.parties.items()]
    theirs = [
        (peer.party_id or "", f"party {peer.party_id} (peer {peer.name})", peer.descriptor.authorities)
        for peer in peers.parties()
        if peer.routed
    ]
    for party, title, authorities in (*own, *theirs):
        for authority in authorities:
            owners.setdefault(key_digest(authority), {})[party] = title
    for titles in owners.values():
        if len(titles) > 1:
            shown = " and ".join(titles[party] for party in sorted(titles, key=int))
            yield f"the CAs of {shown} have one key: whoever has it can pass for all of them; ask their owners for a CA of each party's own"
