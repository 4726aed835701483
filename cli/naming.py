"""The name a peer gets under `fate:peers` when the operator gives none."""

import os
from pathlib import Path

from cli.offers import Offer
from cli.peer_files import leads_to
from federation.descriptor import Descriptor, Published
from federation.envelope import Received
from federation.peer_spec import PeerSpec
from federation.peers import Peers, read_descriptor
from federation.spec import StackSpec

_SUFFIXES = {"serving": "serving", "servingExchange": "serving", "sitePortal": "site-portal", "fmlManager": "fml-manager"}


def peer_name(descriptor: Descriptor, offer: Offer, spec: StackSpec, known: Peers, folder: Path) -> str:
    """The peer that names this file or stack, or was accepted for this unit; else the organization; else organization and party id.

    For FATE-Serving, `<organization>-serving` in the organization's place; likewise for portals.
    """
    for name, peer in sorted(spec.peers.items()):
        if offer.file is None:
            named = peer.stack == offer.stack and peer.unit in (None, offer.unit)
        else:
            named = peer.descriptor is not None and leads_to(folder, peer.descriptor, offer.file)
        if named:
            return name
    accepted = {peer.name: peer.descriptor for peer in known.accepted} | _accepted_once(spec, known, folder)
    for name, other in accepted.items():
        if _same_unit(other, descriptor):
            return name
    # A peer that was announced under the organization's name is a party, or an exchange, of training.
    suffix = _SUFFIXES.get(descriptor.kind)
    name = descriptor.organization if suffix is None else f"{descriptor.organization}-{suffix}"
    if name not in accepted and _is_free(name, spec.peers, folder):
        return name
    return f"{name}-{descriptor.party_id or 'exchange'}"


def _accepted_once(spec: StackSpec, known: Peers, folder: Path) -> dict[str, Published]:
    """Descriptors that were accepted, of peers whose files are refused now."""
    in_force = {peer.name for peer in known.accepted}
    files = {n: p.descriptor for n, p in sorted(spec.peers.items()) if n not in in_force and p.sha256 is not None}
    read = {name: read_descriptor(folder, file, name) for name, file in files.items() if file is not None}
    return {name: found.descriptor for name, found in read.items() if isinstance(found, Received)}


def _same_unit(other: Published, descriptor: Descriptor) -> bool:
    # Nobody typed the organization of a peer: its party id tells who it is.
    typed_by_hand = not isinstance(other, Descriptor) and other.party_id is not None
    same_owner = typed_by_hand or other.organization == descriptor.organization
    return other.kind == descriptor.kind and other.party_id == descriptor.party_id and same_owner


def _is_free(name: str, peers: dict[str, PeerSpec], folder: Path) -> bool:
    """Not used, or announced for a file that never came."""
    peer = peers.get(name)
    return peer is None or (peer.descriptor is not None and not os.path.exists(folder / peer.descriptor))
