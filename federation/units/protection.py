"""Exchanges that others rely on: `pulumi destroy` of one is refused."""

from collections.abc import Iterator
from datetime import date

from federation.config.exchange import ExchangeSpec
from federation.config.serving import ServingExchangeSpec
from federation.peers.accepted import Peers

Hub = ExchangeSpec | ServingExchangeSpec


def active_members(own: Hub, peers: Peers) -> tuple[str, ...]:
    """The parties of other organizations, or their FATE-Servings, that rely on an exchange of this stack."""
    return tuple(peer.name for peer in peers.parties("party" if isinstance(own, ExchangeSpec) else "serving") if peer.routed)


def is_protected(own: Hub, peers: Peers, today: date | None) -> bool:
    """Whether destroying an exchange is refused."""
    return bool(active_members(own, peers)) and not _may_be_destroyed(own, today)


def exchange_warnings(own: Hub, peers: Peers, today: date) -> Iterator[str]:
    """What an override allows, as long as it does."""
    what, key = ("exchange", "exchange") if isinstance(own, ExchangeSpec) else ("serving exchange", "servingExchange")
    if (members := active_members(own, peers)) and _may_be_destroyed(own, today):
        until = own.allow_destroy_until
        yield f"the {what} may be destroyed until {until}, although {', '.join(members)} rely on it ({key}.allowDestroyUntil)"


def _may_be_destroyed(own: Hub, today: date | None) -> bool:
    return today is not None and own.allow_destroy_until is not None and today.isoformat() <= own.allow_destroy_until
