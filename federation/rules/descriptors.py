"""Rules about the content of descriptors: a problem in a new descriptor, a warning in an accepted one.

An accepted peer keeps its routes until the operator blocks it (invariant 4), so a later rule must not stop a running federation.
"""

from collections.abc import Iterator

from federation.base.errors import Finding, Problem, warning
from federation.base.hosts import in_private_networks, known_outside
from federation.config.stack import StackSpec
from federation.config.units import units
from federation.links.next_hops import by_name_only
from federation.links.partners import dials
from federation.peers.accepted import Peer
from federation.peers.descriptor import Published
from federation.pki.authority import key_digest, short_fingerprint
from federation.pki.authority_form import form_problems
from federation.units.checked import PlannedStack

_FIRST_USER_PORT, _HTTPS = 1024, 443
_ANEW = "ask the peer for a descriptor with a CA made by `fatefed trust init`, or step by step by `fatefed trust rotate`"


def newcomer_problems(descriptor: Published, place: str) -> Iterator[Problem]:
    """What a descriptor is refused for, if what was accepted of its peer had it not already: sentences that hold what they are about."""
    for number, authority in enumerate(descriptor.authorities):
        for problem in form_problems(authority, descriptor.party_id or ""):
            yield Problem(f"{place} trust.authorities.{number}", f"CA {short_fingerprint(authority)}: {problem}", _ANEW)
    for name, endpoint in descriptor.endpoints.items():
        if not known_outside(endpoint.host):
            problem = f"{endpoint.host} is not the same host in every network"
            yield Problem(f"{place} endpoints.{name}", problem, "ask the peer to advertise an IP address, or a name in public DNS")


def whereabouts_problems(spec: StackSpec, peer: Peer, place: str, *, resolve: bool) -> Iterator[Problem]:
    """The same of where a peer that this stack dials is. `resolve`: its names may lead wherever they do."""
    if not peer.routed or not dials(units(spec), peer):
        return
    for name, endpoint in peer.descriptor.endpoints.items():
        at = f"{place} endpoints.{name}"
        for host in dict.fromkeys((endpoint.host, *endpoint.addresses)) if not spec.cluster.ranges else ():
            if in_private_networks(host):
                problem = f"{host} is a private address, and may belong to this cluster"
                yield Problem(at, problem, "write the addresses of this cluster's pods, Services and nodes in fate:cluster.ranges")
        # FATE's nginx resolves no names: such a peer waits.
        if by_name_only(endpoint) and name != "nginx" and not resolve:
            problem = f"{endpoint.host} is a name without addresses: whoever controls the name decides where pods of this stack connect"
            remedy = f"ask the peer to add publish.{name}.advertise.addresses; or, if you trust the name, run `fatefed peers add --resolve`"
            yield Problem(at, problem, remedy)


def _low_ports(stack: PlannedStack, peer: Peer) -> Iterator[Finding]:
    """Ports of the machines' own services: a descriptor could make pods dial them."""
    for name, endpoint in peer.descriptor.endpoints.items() if dials(stack.units, peer) and not stack.spec.cluster.ranges else ():
        for port in (port for port in sorted(endpoint.ports.values()) if port < _FIRST_USER_PORT and port != _HTTPS):
            yield warning(
                stack.place_of(("peers", peer.name)),
                f"peer {peer.name} publishes {name} at port {port}, a port that system services use:",
                "ask its owner whether this is intended, or write this cluster's addresses in fate:cluster.ranges",
            )


def doubt_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """The same of peers that were accepted, of this stack's own CAs, and one key in the CAs of two parties."""
    for party, trust in sorted(stack.spec.trust.parties.items(), key=lambda item: int(item[0])):
        for authority in trust.in_order:
            for problem in form_problems(authority, party):
                text = f"the CA {short_fingerprint(authority)} of party {party}: {problem}; peers refuse it in a new descriptor:"
                yield warning(stack.place_of(("trust", "parties", party)), text, f"replace it with `fatefed trust rotate --party {party}`")
    for peer in (peer for peer in stack.ready.accepted if peer.routed and not peer.by_hand):
        title = f"peer {peer.name}"
        # That a name has no addresses is said with what its network policy leaves open (`federation.rules.network`).
        whereabouts = whereabouts_problems(stack.spec, peer, title, resolve=True)
        for finding in (*newcomer_problems(peer.descriptor, title), *whereabouts):
            text = f"{finding.place}: {finding.problem}; it was accepted before, so it stays:"
            yield warning(stack.place_of(("peers", peer.name)), text, finding.remedy)
        yield from _low_ports(stack, peer)
    yield from _shared_keys(stack)


def _shared_keys(stack: PlannedStack) -> Iterator[Finding]:
    """Two parties whose CAs have the same key: its holder can impersonate both."""
    owners: dict[str, dict[str, str]] = {}
    own = [(party, f"party {party} of this stack", trust.in_order) for party, trust in stack.spec.trust.parties.items()]
    theirs = [
        (peer.party_id or "", f"party {peer.party_id} (peer {peer.name})", peer.descriptor.authorities)
        for peer in stack.ready.parties()
        if peer.routed
    ]
    for party, title, authorities in (*own, *theirs):
        for authority in authorities:
            owners.setdefault(key_digest(authority), {})[party] = title
    for titles in owners.values():
        if len(titles) > 1:
            shown = " and ".join(titles[party] for party in sorted(titles, key=int))
            text = f"the CAs of {shown} share one key: its holder can impersonate all of them;"
            yield warning(stack.place_of(("trust",)), text, "ask each owner for its own CA")
