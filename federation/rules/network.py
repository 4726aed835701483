"""What to say of network policies: what they leave open."""

from collections.abc import Iterator

from federation.access.consoles import shown
from federation.access.engine_policy import Way
from federation.base.scalars import PartyId
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, party_units, units
from federation.links.next_hops import by_name_only
from federation.links.partners import is_partner
from federation.peers.accepted import Peer, Peers
from federation.units.kinds.registry import kind_of
from federation.units.party.values import deployed_modules


def policy_warnings(spec: StackSpec, peers: Peers) -> Iterator[str]:
    """What network policies leave open."""
    if not spec.network_policy.enabled:
        yield "network policies are off: every pod of the cluster reaches every port of every party and exchange"
        return
    if spec.network_policy.boards is None and any(shown(party, deployed_modules(party)) for party in party_units(spec).values()):
        yield (
            "consoles are open to every pod of the cluster: name the ingress controller's namespace (or its nodes' addresses) in "
            "networkPolicy.boards"
        )
    for party, ways in _ways(spec):
        named = sorted({way.engine for way in ways if way.host is not None and way.address is None})
        if named:
            yield (
                f"external {', '.join(named)} of party {party} {'are' if len(named) > 1 else 'is'} given by name: a network policy holds "
                "addresses only, so pods may dial those ports anywhere; an IP address as host narrows it"
            )
    for peer in peers.accepted:
        unit = next((unit for unit in units(spec) if peer.routed and is_partner(unit, peer)), None)
        if unit is not None and not _accepted(spec, peer):
            yield from _named_only(unit, peer)


def _named_only(unit: AnyUnit, peer: Peer) -> Iterator[str]:
    """The endpoints of a peer, which a unit dials, of which no address is known."""
    where = (
        "anywhere but in this cluster" if unit.stack.cluster.ranges else "anywhere, this cluster included (fate:cluster.ranges is absent)"
    )
    for name, endpoint in sorted(peer.descriptor.endpoints.items()):
        if by_name_only(endpoint):
            ports = " and ".join(str(port) for port in sorted(endpoint.ports.values()))
            remedy = (
                f"write an IP address in peers.{peer.name}.{name}"
                if peer.by_hand
                else f"its owner can add publish.{name}.advertise.addresses"
            )
            yield (
                f"peer {peer.name} publishes {name} as {endpoint.host} without addresses: a network policy holds no names, "
                f"so {unit.links.dialler(unit.kind, name)} may dial port {ports} {where}; {remedy}, "
                f"or accept the name: peers.{peer.name}.resolve: true"
            )


def _accepted(spec: StackSpec, peer: Peer) -> bool:
    """Whether the operator accepts the peer's names, and knows that none leads into this cluster."""
    return bool(spec.cluster.ranges) and peer.name in spec.peers and spec.peers[peer.name].resolve


def _ways(spec: StackSpec) -> Iterator[tuple[PartyId, tuple[Way, ...]]]:
    for unit in units(spec):
        if unit.party_id is not None:
            yield unit.party_id, tuple(kind_of(unit).ways(unit))
