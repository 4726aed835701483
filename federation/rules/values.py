"""Rules that need chart values or images: checked with the others, for the units whose engines and release are known."""

from collections.abc import Iterator

from federation.base import naming
from federation.base.errors import Place, Problem
from federation.base.scalars import PartyId
from federation.catalogue.portal import portal_catalogue
from federation.catalogue.serving import serving_catalogue
from federation.config.exchange import ExchangeSpec
from federation.config.party import PartySpec
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec
from federation.peers.accepted import Peers
from federation.trust.plan import tls_plan
from federation.units.exchange.plan import exchange_images, exchange_values
from federation.units.party.secrets import party_secrets
from federation.units.party.values import party_images, party_values
from federation.units.patches import patch_problems
from federation.units.portal.plan import portal_images, portal_secrets, portal_tls, portal_values
from federation.units.serving.plan import serving_exchange_values, serving_images, serving_secrets, serving_values


def broken_plan_rules(spec: StackSpec, place: Place) -> Iterator[Problem]:
    """Every problem with patches and digests."""
    for party, own in _parties(spec):
        if own.chart_values:
            _, keys = party_secrets(spec, party, own, {}, tls_plan(spec, party, own, Peers((), {}), None))
            values = party_values(spec, party, own, naming.common_labels(spec.federation.name, party), keys)
            yield from patch_problems(values, own.chart_values, place, ("parties", party, "chartValues"))
    for exchange in _exchange(spec):
        if exchange.chart_values:
            values_of_exchange = exchange_values(spec, exchange, naming.common_labels(spec.federation.name, None))
            yield from patch_problems(values_of_exchange, exchange.chart_values, place, ("exchange", "chartValues"))
    for party, serving in _servings(spec):
        if serving.chart_values:
            _, keys = serving_secrets(party, serving, {})
            values_of_serving = serving_values(spec, party, serving, naming.common_labels(spec.federation.name, party), keys)
            yield from patch_problems(values_of_serving, serving.chart_values, place, ("serving", party, "chartValues"))
    for hub in _serving_exchange(spec):
        if hub.chart_values:
            values_of_hub = serving_exchange_values(spec, hub, naming.common_labels(spec.federation.name, None))
            yield from patch_problems(values_of_hub, hub.chart_values, place, ("servingExchange", "chartValues"))
    yield from _portal_patches(spec, place)
    yield from _digests_are_used(spec, place)


def _portal_patches(spec: StackSpec, place: Place) -> Iterator[Problem]:
    for at, party, own in _portals(spec):
        if own.chart_values:
            _, keys = portal_secrets(portal_tls(spec, party).key, own, {})
            values = portal_values(spec, party, own, naming.common_labels(spec.federation.name, party), keys)
            yield from patch_problems(values, own.chart_values, place, (*at, "chartValues"))


def named_images(spec: StackSpec) -> frozenset[str]:
    """The images of a stack by the names under which `fate:images.digests` pins them."""
    images = [image for _, own in _parties(spec) for image in party_images(spec, own).values()]
    images += [image for exchange in _exchange(spec) for image in exchange_images(spec, exchange).values()]
    units: list[ServingSpec | ServingExchangeSpec] = [*(own for _, own in _servings(spec)), *_serving_exchange(spec)]
    images += [image for own in units for image in serving_images(spec, own).values()]
    images += [image for _, _, portal in _portals(spec) for image in portal_images(spec, portal).values()]
    return frozenset(image.upstream for image in images)


def _digests_are_used(spec: StackSpec, place: Place) -> Iterator[Problem]:
    known = sorted(named_images(spec))
    for upstream in sorted(spec.images.digests.keys() - set(known)) if known else ():
        yield Problem(
            place(("images", "digests", upstream)),
            f"no image of this stack is {upstream}",
            f"remove it, or name one of `fatefed images list`: {', '.join(known)}",
        )


def _parties(spec: StackSpec) -> Iterator[tuple[PartyId, PartySpec]]:
    for party, own in spec.parties_in_order:
        release = spec.catalogue.get(own.release)
        if release is not None and release.combination(own.computing, own.federation, own.storage) is not None:
            yield party, own


def _exchange(spec: StackSpec) -> Iterator[ExchangeSpec]:
    own = spec.exchange
    release = None if own is None else spec.catalogue.get(own.release)
    if own is not None and release is not None and own.federation in release.exchanges:
        yield own


def _servings(spec: StackSpec) -> Iterator[tuple[PartyId, ServingSpec]]:
    """Those whose release is known, and their FATE-Flow."""
    for party, own in spec.servings_in_order:
        if own.release in serving_catalogue() and (own.fateflow is not None or party in {known for known, _ in _parties(spec)}):
            yield party, own


def _serving_exchange(spec: StackSpec) -> Iterator[ServingExchangeSpec]:
    own = spec.serving_exchange
    if own is not None and own.release in serving_catalogue():
        yield own


def _portals(spec: StackSpec) -> Iterator[tuple[tuple[str, ...], PartyId | None, SitePortalSpec | FmlManagerSpec]]:
    """Those whose release is known, and where they stand."""
    if spec.fml_manager is not None and spec.fml_manager.release in portal_catalogue():
        yield ("exchange", "fmlManager"), None, spec.fml_manager
    for party, own in spec.site_portals_in_order:
        if own.release in portal_catalogue():
            yield ("sitePortal", party), party, own
