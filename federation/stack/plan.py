"""The plan of a stack: everything that is decided is decided here, in pure functions, before Pulumi is asked for anything.

A plan is frozen, plain and printable; live addresses stand in it as markers (`federation.base.live`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from federation.base.errors import Problem
from federation.base.scalars import is_ip
from federation.config.stack import StackSpec
from federation.config.units import units
from federation.links.next_hops import nginx_addresses, tunnel_host
from federation.links.partners import dials
from federation.peers.accepted import Peer, Peers, lost_warnings
from federation.peers.collaborations import collaboration_warnings
from federation.peers.descriptor import Endpoint
from federation.rules.consoles import board_warnings
from federation.rules.descriptors import doubt_warnings
from federation.rules.network import policy_warnings
from federation.rules.open_ports import opening_warnings
from federation.rules.peers import address_warnings, advertise_warnings, unused_warnings
from federation.rules.stack import broken_rules
from federation.rules.uncertain_facts import release_warnings
from federation.trust.plan import TlsPlan, renewal_due, trust_warnings
from federation.units.checked import CheckedStack
from federation.units.hubs import waiting_hubs
from federation.units.kinds.registry import kind_of
from federation.units.own_objects import ExtraManifests
from federation.units.party.warnings import cautions, unpinned_images
from federation.units.party_owner import ownership_warnings
from federation.units.portal.rules import portal_warnings
from federation.units.protection import exchange_warnings
from federation.units.serving.rules import serving_warnings, severed_warnings
from federation.units.unit import UnitPlan

# A descriptor or certificate that ends in so many days, or fewer, is named in every preview.
WARN_DAYS = 30


@dataclass(frozen=True)
class StackPlan:
    """What one organization's stack makes."""

    organization: str
    units: tuple[UnitPlan, ...]
    external: tuple[Peer, ...]
    pending: Mapping[str, str]
    warnings: tuple[str, ...] = field(default=())
    manifests: tuple[ExtraManifests, ...] = ()
    # The fingerprint of the organization's key.
    identity: str | None = None

    def unit(self, key: str) -> UnitPlan:
        """The unit of a key. KeyError without one."""
        return next(unit for unit in self.units if unit.key == key)

    @property
    def states(self) -> Mapping[str, Mapping[str, str]]:
        """Every peer's state in force, and why: independent of the day, so that a second `pulumi up` changes nothing."""
        found = {name: {"state": "pending", "reason": reason} for name, reason in self.pending.items()}
        found |= {peer.name: {"state": peer.state, **({"reason": peer.reason} if peer.reason else {})} for peer in self.external}
        return dict(sorted(found.items()))

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the stack puts out beside what only an apply knows."""
        return {
            "modules": {unit.key: dict(unit.modules) for unit in self.units},
            "access": {unit.key: dict(unit.access) for unit in self.units},
            "release": {unit.key: unit.release for unit in self.units},
            "renewalDue": {unit.key: renewal_due(unit.tls) for unit in self.units if unit.tls is not None and not unit.tls.provided},
            "peers": {name: dict(state) for name, state in self.states.items()},
            "pendingPeers": dict(self.pending),
            "identity": self.identity,
        }

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Every name under fate:secrets that this plan reads."""
        read = {name for unit in self.units for secret in unit.secrets for name in secret.sources.values()}
        made = {name for tls in self._tls for name in tls.made}
        return tuple(sorted((read - made).union(*(tls.needed for tls in self._tls))))

    @property
    def trust_names(self) -> frozenset[str]:
        """The names under fate:secrets that `fatefed trust init` writes: keys of parties with a CA of their own."""
        return frozenset(name for tls in self._tls if tls.own for name in tls.needed)

    @property
    def unpinned(self) -> tuple[str, ...]:
        """One sentence when images have no digest; not among the warnings, which tell of single things."""
        return tuple(unpinned_images(self.units, self.manifests))

    @property
    def _tls(self) -> tuple[TlsPlan, ...]:
        return tuple(unit.tls for unit in self.units if unit.tls is not None)

    @property
    def provided(self) -> Mapping[str, str]:
        """The names under fate:secrets that only the operator can give, each with what it is; all others are passwords."""
        given = {
            name: "the registry's credentials, a dockerconfigjson document" for unit in self.units for name in unit.pull_secret_sources
        }
        for certificate in filter(None, (unit.board_certificate for unit in self.units)):
            given[certificate["tls.crt"]] = "the PEM certificate of the consoles' hosts (then its intermediates)"
            given[certificate["tls.key"]] = "the PEM private key of the consoles' certificate"
        given |= {name: what for unit in self.units for name, what in unit.provided.items()}
        for tls in (tls for tls in self._tls if tls.provided):
            given[tls.certificate] = f"the PEM certificate for {tls.server_name} (then its intermediates)"
            given[tls.key] = f"the PEM private key for {tls.server_name}"
            given[tls.ca] = f"the PEM certificate of the federation's CA, for {tls.server_name}"
        return given


def check_stack(stack: CheckedStack) -> tuple[Problem, ...]:
    """All that is wrong with a stack beside its single fields: its peers, and rules between its keys."""
    return (*stack.peers.problems, *broken_rules(stack))


def plan_stack(spec: StackSpec, peers: Peers, today: date | None = None) -> StackPlan:
    """The plan of a stack that `check_stack` found nothing wrong with.

    `today` (UTC) is for warnings, for the period of certificates that the program makes, and for exchange.allowDestroyUntil; no
    other object depends on it.
    """
    pending = {**peers.pending, **_set_to_wait(peers), **_without_addresses(spec, peers)}
    # Who waits is known: routes lead it nowhere, for it may have had some, and its party id is taken.
    known = tuple(replace(peer, state="pending") if peer.name in pending else peer for peer in peers.accepted)
    ready = replace(peers, accepted=known, pending=pending)
    planned = [kind_of(unit).plan(unit, ready, today) for unit in units(spec)]
    # First of all: who has no hub reaches nobody, and all else may look well.
    waiting = dict(waiting_hubs(spec, pending))
    others = pending.keys() - {hub.peer for hub in waiting}
    warnings = (*waiting.values(), *(f"peer {name} is pending: {pending[name]}" for name in sorted(others)))
    warnings += (
        *collaboration_warnings(spec, peers),
        *cautions(spec, {unit.key: unit for unit in planned}),
        *opening_warnings(spec),
        *policy_warnings(spec, ready),
        *board_warnings(spec),
    )
    warnings += tuple(release_warnings(spec))
    warnings += (
        *serving_warnings(spec),
        *severed_warnings(spec, peers),
        *portal_warnings(spec),
        *ownership_warnings(peers),
        *lost_warnings(peers),
        *address_warnings(ready),
        *doubt_warnings(spec, ready),
        *unused_warnings(spec, ready),
        *advertise_warnings(spec),
    )
    if today is not None:
        warnings += tuple(_expiring(ready, today))
        hubs = [hub for hub in (spec.exchange, spec.serving_exchange) if hub is not None]
        warnings += tuple(warning for hub in hubs for warning in exchange_warnings(hub, ready, today))
        warnings += tuple(warning for unit in planned if unit.tls is not None for warning in trust_warnings(spec, unit.tls, ready, today))
    key = None if spec.identity is None else spec.identity.key
    external = tuple(peer for peer in known if peer.name not in pending)
    return StackPlan(spec.organization, tuple(planned), external, pending, warnings, identity=key)


def _expiring(peers: Peers, today: date) -> Iterator[str]:
    """An accepted descriptor stays in force: its owner may be upgrading, or silent (invariant 4)."""
    for peer in peers.accepted:
        if peer.not_after is None or peer.state in ("retired", "pending"):
            continue
        days = (date.fromisoformat(peer.not_after) - today).days
        if days <= WARN_DAYS:
            expires = f"expires on {peer.not_after}" if days >= 0 else f"expired on {peer.not_after}"
            yield f"the descriptor of peer {peer.name} {expires}; its routes stay: ask its owner to export a new one"


def _set_to_wait(peers: Peers) -> dict[str, str]:
    """Accepted peers whose operator wants no routes to them yet, or not now."""
    return {peer.name: peer.reason or "its state is set to pending" for peer in peers.accepted if peer.state == "pending"}


def _without_addresses(spec: StackSpec, peers: Peers) -> dict[str, str]:
    """Peers that a proxy of this stack could not dial, each with the reason and the remedy."""
    found = {}
    for peer in peers.accepted:
        for name, endpoint in peer.descriptor.endpoints.items() if peer.routed and dials(spec, peer) else ():
            if (why := _undialable(spec, peer.name, name, endpoint)) is not None:
                remedy = (
                    f"write an IPv4 address in peers.{peer.name}.{name}"
                    if peer.by_hand
                    else f"its owner should add an IPv4 address to publish.{name}.advertise.addresses and export the descriptor again"
                )
                found[peer.name] = f"its {name} is published as {endpoint.host}, {why}: {remedy}"
    return found


def _undialable(spec: StackSpec, peer: str, name: str, endpoint: Endpoint) -> str | None:
    """Why the proxy that dials an endpoint of a peer cannot."""
    if name == "nginx" and not nginx_addresses(endpoint):
        return "an IPv6 address, which FATE's nginx does not take" if is_ip(endpoint.host) else "a name that FATE's nginx cannot resolve"
    if name == "pulsar" and spec.exchange is not None and tunnel_host(endpoint) is None:
        return "an IPv6 address, which Traffic Server does not take"
    fronted = (own.exchanges for own in spec.parties.values() if own.modules.lbrollsite is not None)
    if name == "rollsite" and not endpoint.addresses and any(peer in exchanges for exchanges in fronted):
        return "a name, and lbrollsite takes only IP addresses"
    return None
