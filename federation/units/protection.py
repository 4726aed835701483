"""Exchanges that others rely on: `pulumi destroy` of one is refused."""

from collections.abc import Iterator
from datetime import date

from federation.base.errors import Finding, caution
from federation.config.exchange import ExchangeSpec
from federation.config.serving import ServingExchangeSpec
from federation.config.units import exchange_unit, serving_exchange_unit
from federation.peers.accepted import Peers
from federation.units.checked import PlannedStack

Hub = ExchangeSpec | ServingExchangeSpec


def active_members(own: Hub, peers: Peers) -> tuple[str, ...]:
    """The parties of other organizations, or their FATE-Servings, that rely on an exchange of this stack."""
    return tuple(peer.name for peer in peers.parties("party" if isinstance(own, ExchangeSpec) else "serving") if peer.routed)


def is_protected(own: Hub, peers: Peers, today: date | None) -> bool:
    """Whether destroying an exchange is refused."""
    return bool(active_members(own, peers)) and not _may_be_destroyed(own, today)


def override_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """What an override allows, as long as it does."""
    hubs = (exchange_unit(stack.spec), serving_exchange_unit(stack.spec))
    for unit in (hub for hub in hubs if hub is not None):
        if (members := active_members(unit.spec, stack.ready)) and _may_be_destroyed(unit.spec, stack.today):
            path, until = (*unit.path, "allowDestroyUntil"), unit.spec.allow_destroy_until
            text = f"{unit.title} may be destroyed until {until}, although {', '.join(members)} rely on it ({'.'.join(path)})"
            yield caution(stack.place(path), text)


def _may_be_destroyed(own: Hub, today: date | None) -> bool:
    return today is not None and own.allow_destroy_until is not None and today.isoformat() <= own.allow_destroy_until
