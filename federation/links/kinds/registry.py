"""What each kind of link does with a stack: whoever needs something of a link asks the row of `fate:federation.link`.

A new kind is one more row here, and one in `federation.catalogue.links`, which says what is true without a stack. It has a folder of
its own beside `federation/links/native`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from federation.base import naming
from federation.catalogue.kinds import Kind
from federation.catalogue.links import LinkName
from federation.config.units import AnyUnit, PartyUnit
from federation.links.native.tables import exchange_routes, party_routes, serving_exchange_routes, serving_routes
from federation.links.routes import RouteFiles
from federation.manifests.objects import Manifest, config_map
from federation.peers.accepted import Peers
from federation.trust.plan import TlsPlan, tls_plan


@dataclass(frozen=True, kw_only=True)
class LinkKind:
    """What one kind of link does.

    `route_files`: the route files of a unit, by its kind; a kind without an entry keeps its peers' addresses elsewhere.
    `certificates`: what a party's link needs of certificates, if anything.
    """

    route_files: Mapping[Kind, Callable[[Any, Peers, TlsPlan | None], RouteFiles]]
    certificates: Callable[[PartyUnit, Peers, date | None], TlsPlan | None]


LINK_KINDS: Mapping[LinkName, LinkKind] = {
    "native": LinkKind(
        route_files={
            "party": party_routes,
            "exchange": exchange_routes,
            "serving": serving_routes,
            "servingExchange": serving_exchange_routes,
        },
        certificates=tls_plan,
    ),
}


def link_of(unit: AnyUnit) -> LinkKind:
    """The row of a unit's kind of link."""
    return LINK_KINDS[unit.stack.federation.link]


# Logical names are part of URNs: an exchange's is shorter than the others.
_ROLES = {naming.EXCHANGE_ROUTES: "routes"}


def route_maps(unit: AnyUnit, peers: Peers, tls: TlsPlan | None = None) -> tuple[Manifest, ...]:
    """The ConfigMaps with the route files of a unit; the logical name of `pulsar-route-table` is `pulsar-routes`."""
    files = link_of(unit).route_files[unit.kind](unit, peers, tls)
    named = {_ROLES.get(name, name.replace("-route-table", "-routes")): name for name in files}
    return tuple(config_map(role, name, unit.namespace, unit.labels, files[name]) for role, name in named.items())
