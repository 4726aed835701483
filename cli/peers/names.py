"""The name a peer gets under `fate:peers` when the operator gives none."""

from collections.abc import Mapping
from pathlib import Path

from cli.peers.sources import DescriptorSource
from cli.stackfile.peers import leads_to
from federation.catalogue.kinds import Kind
from federation.config.peers import PeerSpec
from federation.config.stack import StackSpec
from federation.peers.accepted import Peers, read_descriptor
from federation.peers.descriptor import Descriptor, Published
from federation.peers.signed import Received
from federation.units.hubs import named_hubs

_SUFFIXES = {"serving": "serving", "servingExchange": "serving", "sitePortal": "site-portal", "fmlManager": "fml-manager"}


def peer_name(descriptor: Descriptor, origin: DescriptorSource, spec: StackSpec, known: Peers, folder: Path) -> str:
    """The peer that names this file or stack, or was accepted for this unit, or waits for it; else the organization; else
    organization and party id.

    For FATE-Serving, `<organization>-serving` in the organization's place; likewise for portals.
    """
    for name, peer in sorted(spec.peers.items()):
        if origin.file is None:
            named = peer.stack == origin.stack and peer.unit in (None, origin.unit)
        else:
            named = peer.descriptor is not None and leads_to(folder, peer.descriptor, origin.file)
        if named:
            return name
    accepted = {peer.name: peer.descriptor for peer in known.accepted} | _accepted_once(spec.peers, known, folder)
    for name, other in accepted.items():
        if _same_unit(other, descriptor):
            return name
    # A peer that was announced under the organization's name is a party, or an exchange, of training.
    suffix = _SUFFIXES.get(descriptor.kind)
    usual = descriptor.organization if suffix is None else f"{descriptor.organization}-{suffix}"
    if (announced := _announced(descriptor, usual, spec, folder)) is not None:
        return announced
    return usual if usual not in spec.peers else f"{usual}-{descriptor.party_id or 'exchange'}"


def _announced(descriptor: Descriptor, usual: str, spec: StackSpec, folder: Path) -> str | None:
    """The peer that waits for this unit: it has the usual name, or its file is there already, or it is the only hub that is awaited.

    Whether a file lies where the stack file says does not matter: another stack of the folder may have put it there.
    """
    wanted: dict[str, set[Kind]] = {}
    for hub in named_hubs(spec):
        wanted.setdefault(hub.peer, set()).add(hub.kind)
    fitting = {name: peer for name, peer in sorted(spec.peers.items()) if descriptor.kind in wanted.get(name, {descriptor.kind})}
    waiting = [name for name, peer in fitting.items() if _waits(peer)]
    if usual in waiting or (usual in fitting and _is_gone(fitting[usual], folder)):
        return usual
    for name in waiting:
        received = read_descriptor(folder, str(spec.peers[name].descriptor), name)
        if isinstance(received, Received) and _same_unit(received.descriptor, descriptor):
            return name
    awaited = [name for name in waiting if name in wanted]
    return awaited[0] if len(awaited) == 1 else None


def _waits(peer: PeerSpec) -> bool:
    """Whether it was announced, and nothing was accepted for it."""
    return peer.descriptor is not None and peer.stack is None and peer.sha256 is None and not peer.identified


def _accepted_once(peers: Mapping[str, PeerSpec], known: Peers, folder: Path) -> dict[str, Published]:
    """Descriptors that were accepted, of peers whose files are refused now."""
    in_force = {peer.name for peer in known.accepted}
    files = {n: p.descriptor for n, p in sorted(peers.items()) if n not in in_force and p.sha256 is not None}
    read = {name: read_descriptor(folder, file, name) for name, file in files.items() if file is not None}
    return {name: received.descriptor for name, received in read.items() if isinstance(received, Received)}


def _same_unit(other: Published, descriptor: Descriptor) -> bool:
    # Nobody typed the organization of a peer: its party id tells who it is.
    typed_by_hand = not isinstance(other, Descriptor) and other.party_id is not None
    same_owner = typed_by_hand or other.organization == descriptor.organization
    return other.kind == descriptor.kind and other.party_id == descriptor.party_id and same_owner


def _is_gone(peer: PeerSpec, folder: Path) -> bool:
    """Whether its descriptor file is not there any more."""
    return peer.descriptor is not None and not (folder / peer.descriptor).exists()
