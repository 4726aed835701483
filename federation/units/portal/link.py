"""The links of Site Portals: to their party's FATE-Flow, and with an FML Manager in both directions; inside a stack by Services' names.

Nothing of it is in a file: both programs keep addresses in their databases, typed in once. So links make network policies, and
tell an operator what to type (output `access`).
"""

from typing import Any

from federation.base import naming
from federation.base.scalars import PartyId
from federation.catalogue.native import FML_MANAGER, SITE_PORTAL
from federation.catalogue.portal import portal_catalogue
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.stack import StackSpec
from federation.links.next_hops import Address, Neighbour, Pods, links
from federation.peers.accepted import Peer, Peers
from federation.peers.collaborations import may_talk


def fml_manager_of(spec: StackSpec, own: SitePortalSpec, peers: Peers) -> Address | None:
    """The FML Manager that a Site Portal registers with; None without one, and while it is not active."""
    if own.fml_manager == "local":
        return None if spec.fml_manager is None else _manager(spec.fml_manager)
    peer = None if own.fml_manager is None else peers.exchange(own.fml_manager, "fmlManager")
    return None if peer is None or not peer.routed else _remote(peer, FML_MANAGER.endpoint)


def site_portals_of(spec: StackSpec, peers: Peers) -> dict[PartyId, Address]:
    """The Site Portals that this stack's FML Manager calls, by party id."""
    found = {
        peer.party_id: _remote(peer, SITE_PORTAL.endpoint)
        for peer in peers.parties("sitePortal")
        if peer.routed and peer.party_id is not None
    }
    found |= {party: _portal(party, own) for party, own in spec.site_portal.items() if own.fml_manager == "local"}
    return {party: address for party, address in found.items() if may_talk(spec, None, party)}


def fateflow_of(spec: StackSpec, party: PartyId, own: SitePortalSpec) -> str:
    """host:port of the HTTP API of the party's FATE-Flow."""
    if own.fateflow is not None:
        return own.fateflow
    training = spec.parties[party]
    return f"{naming.inside(naming.FATEFLOW_SERVICE, training.namespace)}:{spec.catalogue[training.release].ports['fateflowHttp']}"


def portal_links(manager: Address | None, name: str | None) -> dict[str, Any]:
    """Whom a Site Portal dials, and where."""
    return links({}, None if manager is None else Neighbour({FML_MANAGER.endpoint: manager}), name)


def manager_links(portals: dict[PartyId, Address]) -> dict[str, Any]:
    """Whom an FML Manager dials, and where."""
    return links({party: Neighbour({SITE_PORTAL.endpoint: address}) for party, address in portals.items()}, None, None)


def _remote(peer: Peer, endpoint: str) -> Address:
    found = peer.descriptor.endpoints[endpoint]
    return Address(found.host, found.addresses, found.ports)


def _manager(own: FmlManagerSpec) -> Address:
    port = portal_catalogue()[own.release].ports["fmlManagerServer"]
    pods = Pods(own.namespace, naming.FML_MANAGER, naming.FML_MANAGER_SERVER, (port,))
    return Address(naming.inside(naming.FML_MANAGER_SERVER, own.namespace), (), {"tls": port}, pods)


def _portal(party: PartyId, own: SitePortalSpec) -> Address:
    port = portal_catalogue()[own.release].ports["frontendTls"]
    pods = Pods(own.namespace, naming.site_portal_key(party), naming.FRONTEND, (port,))
    return Address(naming.inside(naming.FRONTEND, own.namespace), (), {"tls": port}, pods)
