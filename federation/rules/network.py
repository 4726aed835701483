"""Warnings of network policies: the connections that they leave open."""

from collections.abc import Iterator

from federation.access.consoles import shown
from federation.base.errors import Finding, warning
from federation.config.units import AnyUnit, party_units
from federation.links.next_hops import by_name_only
from federation.links.partners import is_partner
from federation.peers.accepted import Peer
from federation.units.checked import PlannedStack
from federation.units.kinds.registry import kind_of


def policy_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """The connections that network policies leave open."""
    policy, place = stack.spec.network_policy, stack.place_of(("networkPolicy",))
    if not policy.enabled:
        yield warning(place, "network policies are off: every pod of the cluster reaches every port of every party and exchange")
        return
    if policy.boards is None and any(shown(unit, kind_of(unit).deployed(unit)) for unit in party_units(stack.spec).values()):
        yield warning(
            stack.place_of(("networkPolicy", "boards")),
            "consoles are open to every pod of the cluster:",
            "name the ingress controller's namespace (or its nodes' addresses) in networkPolicy.boards",
        )
    for unit in (unit for unit in stack.units if unit.row.of_a_party):
        targets = kind_of(unit).targets(unit)
        named = sorted({target.engine for target in targets if target.host is not None and target.address is None})
        if named:
            yield warning(
                stack.at(unit),
                f"external {', '.join(named)} of party {unit.party} {'are' if len(named) > 1 else 'is'} configured by name: "
                "a network policy holds addresses only, so pods may dial those ports anywhere;",
                "write an IP address as host to limit that",
            )
    for peer in stack.ready.accepted:
        dialler = next((unit for unit in stack.units if peer.routed and is_partner(unit, peer)), None)
        if dialler is not None and not _accepted(stack, peer):
            yield from _named_only(stack, dialler, peer)


def _named_only(stack: PlannedStack, unit: AnyUnit, peer: Peer) -> Iterator[Finding]:
    """The endpoints of a peer, which a unit dials, of which no address is known."""
    closed = stack.spec.cluster.ranges
    where = "anywhere outside this cluster" if closed else "anywhere, this cluster included (fate:cluster.ranges is absent)"
    for name, endpoint in sorted(peer.descriptor.endpoints.items()):
        if by_name_only(endpoint):
            ports = " and ".join(str(port) for port in sorted(endpoint.ports.values()))
            typed, advertised = f"write an IP address in peers.{peer.name}.{name}", f"its owner can add publish.{name}.advertise.addresses"
            yield warning(
                stack.place_of(("peers", peer.name)),
                f"peer {peer.name} publishes {name} as {endpoint.host} without addresses: a network policy cannot hold names, "
                f"so {unit.links.dialler(unit.kind, name)} may dial port {ports} {where};",
                f"{typed if peer.by_hand else advertised}, or accept the name: peers.{peer.name}.resolve: true",
            )


def _accepted(stack: PlannedStack, peer: Peer) -> bool:
    """Whether the operator accepts the peer's names, and knows that none leads into this cluster."""
    peers = stack.spec.peers
    return bool(stack.spec.cluster.ranges) and peer.name in peers and peers[peer.name].resolve
