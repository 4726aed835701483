"""The plan of a stack: everything that is decided is decided here, in pure functions, before Pulumi is asked for anything.

A plan is frozen, plain and printable; live addresses stand in it as markers (`federation.base.live`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from federation.base.errors import Finding, Problem
from federation.base.scalars import is_ip
from federation.config.stack import StackSpec
from federation.config.units import units
from federation.links.next_hops import nginx_addresses, tunnel_host
from federation.links.partners import dials
from federation.peers.accepted import Peer, Peers
from federation.peers.descriptor import Endpoint
from federation.rules.stack import broken_rules, warnings_of
from federation.trust.plan import TlsPlan, renewal_due
from federation.units.checked import CheckedStack, PlannedStack
from federation.units.kinds.registry import kind_of
from federation.units.own_objects import ExtraManifests
from federation.units.party.warnings import unpinned_images
from federation.units.unit import UnitPlan


@dataclass(frozen=True)
class StackPlan:
    """Everything that one organization's stack makes."""

    organization: str
    units: tuple[UnitPlan, ...]
    external: tuple[Peer, ...]
    pending: Mapping[str, str]
    # Warnings, each at its path below `fate:`: a plan does not depend on the file that it was read from.
    findings: tuple[Finding, ...] = ()
    manifests: tuple[ExtraManifests, ...] = ()
    # The fingerprint of the organization's key.
    identity: str | None = None

    def unit(self, key: str) -> UnitPlan:
        """The unit of a key. KeyError without one."""
        return next(unit for unit in self.units if unit.key == key)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings for its operator, a sentence each."""
        return tuple(map(str, self.findings))

    @property
    def states(self) -> Mapping[str, Mapping[str, str]]:
        """Every peer's state in force, and why: independent of the day, so that a second `pulumi up` changes nothing."""
        states = {name: {"state": "pending", "reason": reason} for name, reason in self.pending.items()}
        states |= {peer.name: {"state": peer.state, **({"reason": peer.reason} if peer.reason else {})} for peer in self.external}
        return dict(sorted(states.items()))

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs, without those that only an apply knows."""
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
    def data_passwords(self) -> Mapping[str, str]:
        """The names under fate:secrets of passwords that existing data holds: {name: what it is}."""
        return {name: what for unit in self.units for name, what in unit.data_passwords.items()}

    @property
    def provided(self) -> Mapping[str, str]:
        """The names under fate:secrets that only the operator can give, each with what it is; all others are passwords to be made."""
        entries = {
            name: "the registry's credentials, a dockerconfigjson document" for unit in self.units for name in unit.pull_secret_sources
        }
        for certificate in filter(None, (unit.console_certificate for unit in self.units)):
            entries[certificate["tls.crt"]] = "the PEM certificate of the consoles' hosts (then its intermediates)"
            entries[certificate["tls.key"]] = "the PEM private key of the consoles' certificate"
        entries |= {name: what for unit in self.units for name, what in {**unit.provided, **unit.data_passwords}.items()}
        for tls in (tls for tls in self._tls if tls.provided):
            entries[tls.certificate] = f"the PEM certificate for {tls.server_name} (then its intermediates)"
            entries[tls.key] = f"the PEM private key for {tls.server_name}"
            entries[tls.ca] = f"the PEM certificate of the federation's CA, for {tls.server_name}"
        return entries


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
    plans = {plan.key: plan for plan in planned}
    findings = tuple(warnings_of(PlannedStack(spec, peers, ".".join, today, ready=ready, plans=plans)))
    key = None if spec.identity is None else spec.identity.key
    external = tuple(peer for peer in known if peer.name not in pending)
    return StackPlan(spec.organization, tuple(planned), external, pending, findings, identity=key)


def _set_to_wait(peers: Peers) -> dict[str, str]:
    """Accepted peers that the operator keeps without routes for now."""
    return {peer.name: peer.reason or "its state is set to pending" for peer in peers.accepted if peer.state == "pending"}


def _without_addresses(spec: StackSpec, peers: Peers) -> dict[str, str]:
    """Peers that a proxy of this stack could not dial, each with the reason and the remedy."""
    reasons, own = {}, tuple(units(spec))
    for peer in peers.accepted:
        for name, endpoint in peer.descriptor.endpoints.items() if peer.routed and dials(own, peer) else ():
            if (why := _undialable(spec, peer.name, name, endpoint)) is not None:
                remedy = (
                    f"write an IPv4 address in peers.{peer.name}.{name}"
                    if peer.by_hand
                    else f"its owner should add an IPv4 address to publish.{name}.advertise.addresses and export the descriptor again"
                )
                reasons[peer.name] = f"its {name} is published as {endpoint.host}, {why}: {remedy}"
    return reasons


def _undialable(spec: StackSpec, peer: str, name: str, endpoint: Endpoint) -> str | None:
    """Why the proxy that dials an endpoint of a peer cannot."""
    if name == "nginx" and not nginx_addresses(endpoint):
        return "an IPv6 address, which FATE's nginx does not accept" if is_ip(endpoint.host) else "a name that FATE's nginx cannot resolve"
    if name == "pulsar" and spec.exchange is not None and tunnel_host(endpoint) is None:
        return "an IPv6 address, which Traffic Server does not accept"
    fronted = (own.exchanges for own in spec.parties.values() if own.modules.lbrollsite is not None)
    if name == "rollsite" and not endpoint.addresses and any(peer in exchanges for exchanges in fronted):
        return "a name, but lbrollsite accepts only IP addresses"
    return None
