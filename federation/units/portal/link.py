"""The links of Site Portals: to their party's FATE-Flow, and with an FML Manager in both directions; inside a stack by Services' names.

Nothing of it is in a file: both programs keep addresses in their databases, typed in once. So links make network policies, and
tell an operator what to type (output `access`).
"""

from typing import Any

from federation.base.scalars import PartyId
from federation.catalogue.native import FML_MANAGER, SITE_PORTAL
from federation.config.units import FmlManagerUnit, SitePortalUnit, fml_manager_unit, site_portal_units
from federation.links.next_hops import Address, NextHop, by_name, links, remote
from federation.peers.accepted import Peers
from federation.peers.collaborations import may_talk


def fml_manager_of(unit: SitePortalUnit, peers: Peers) -> Address | None:
    """The FML Manager that a Site Portal registers with; None without one, and while it is not active."""
    if unit.spec.fml_manager == "local":
        own = fml_manager_unit(unit.stack)
        return None if own is None else by_name(own, FML_MANAGER)
    peer = None if unit.spec.fml_manager is None else peers.exchange(unit.spec.fml_manager, "fmlManager")
    return None if peer is None or not peer.routed else remote(peer).endpoints[FML_MANAGER.endpoint]


def site_portals_of(unit: FmlManagerUnit, peers: Peers) -> dict[PartyId, Address]:
    """The Site Portals that an FML Manager calls, by party id."""
    addresses = {
        peer.party_id: remote(peer).endpoints[SITE_PORTAL.endpoint]
        for peer in peers.parties("sitePortal")
        if peer.routed and peer.party_id is not None
    }
    own = site_portal_units(unit.stack)
    addresses |= {party: by_name(portal, SITE_PORTAL) for party, portal in own.items() if portal.spec.fml_manager == "local"}
    return {party: address for party, address in addresses.items() if may_talk(unit.stack.collaborations, None, party)}


def portal_links(manager: Address | None, name: str | None) -> dict[str, Any]:
    """The targets of a Site Portal, and their addresses."""
    return links({}, None if manager is None else NextHop({FML_MANAGER.endpoint: manager}), name)


def manager_links(portals: dict[PartyId, Address]) -> dict[str, Any]:
    """The targets of an FML Manager, and their addresses."""
    return links({party: NextHop({SITE_PORTAL.endpoint: address}) for party, address in portals.items()}, None, None)
