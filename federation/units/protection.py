"""Exchanges that members of other organizations rely on: `pulumi destroy` refuses to delete them."""

from collections.abc import Iterator
from datetime import date

from federation.base.errors import Finding, warning
from federation.config.units import ExchangeUnit, ServingExchangeUnit, exchange_unit, serving_exchange_unit
from federation.peers.accepted import Peers
from federation.units.checked import PlannedStack

Hub = ExchangeUnit | ServingExchangeUnit


def is_protected(hub: Hub, peers: Peers, today: date | None) -> bool:
    """Whether destroying an exchange is refused."""
    return bool(_active_members(hub, peers)) and not _may_be_destroyed(hub, today)


def override_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """The permission of an override, until it ends."""
    hubs = (exchange_unit(stack.spec), serving_exchange_unit(stack.spec))
    for hub in (hub for hub in hubs if hub is not None):
        if (members := _active_members(hub, stack.ready)) and _may_be_destroyed(hub, stack.today):
            key, until = f"{hub.kind}.allowDestroyUntil", hub.spec.allow_destroy_until
            text = f"{hub.title} may be destroyed until {until}, although {', '.join(members)} rely on it ({key})"
            yield warning(stack.at(hub, "allowDestroyUntil"), text)


def _active_members(hub: Hub, peers: Peers) -> tuple[str, ...]:
    """The parties of other organizations, or their FATE-Servings, that rely on an exchange of this stack."""
    return tuple(peer.name for peer in peers.parties(hub.row.equals or hub.kind) if peer.routed)


def _may_be_destroyed(hub: Hub, today: date | None) -> bool:
    until = hub.spec.allow_destroy_until
    return today is not None and until is not None and today.isoformat() <= until
