"""The units of a stack's configuration, and where each stands under `fate:`."""

from collections.abc import Iterator

from federation.config.exchange import ExchangeSpec
from federation.config.party import PartySpec
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec

Unit = PartySpec | ExchangeSpec | ServingSpec | ServingExchangeSpec | SitePortalSpec | FmlManagerSpec


def units(spec: StackSpec) -> Iterator[tuple[tuple[str, ...], Unit]]:
    """Every unit of the stack and where it stands."""
    if spec.exchange is not None:
        yield ("exchange",), spec.exchange
    yield from ((("parties", party), own) for party, own in spec.parties_in_order)
    if spec.serving_exchange is not None:
        yield ("servingExchange",), spec.serving_exchange
    yield from ((("serving", party), own) for party, own in spec.servings_in_order)
    if spec.fml_manager is not None:
        yield ("exchange", "fmlManager"), spec.fml_manager
    yield from ((("sitePortal", party), own) for party, own in spec.site_portals_in_order)
