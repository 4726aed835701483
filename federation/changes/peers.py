"""What a stack with many peers records of them in one component, and what a change of that record says."""

import json
from collections.abc import Iterable, Iterator, Mapping

from federation.peers.accepted import Peer
from federation.peers.descriptor import digest


def peer_records(peers: Iterable[Peer]) -> dict[str, str]:
    """Each peer by name: what it is, its state, where it is reached, and a digest of its whole descriptor.

    As `party 9998, active, rollsite 203.0.113.5:9370, descriptor 1f0c2a9b`; a host name has its addresses behind it.
    """
    return {peer.name: ", ".join((peer.descriptor.title, peer.state, *_addresses(peer), _whole(peer))) for peer in peers}


def _whole(peer: Peer) -> str:
    return f"descriptor {digest(json.dumps(peer.descriptor.plain(), sort_keys=True).encode())[:8]}"


def _addresses(peer: Peer) -> Iterator[str]:
    for name, endpoint in sorted(peer.descriptor.endpoints.items()):
        others = [address for address in endpoint.addresses if address != endpoint.host]
        host = f"{endpoint.host} ({', '.join(others)})" if others else endpoint.host
        yield f"{name} {host}:{'/'.join(str(port) for _, port in sorted(endpoint.ports.items()))}"


def peer_changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The name of each peer that comes, goes or changes, and a sentence that says so. Both sides are records."""
    for name in sorted({*old, *new}):
        if name not in old:
            yield name, f"peer {name} comes: {new[name]}"
        elif name not in new:
            yield name, f"peer {name} goes: it was {old[name]}"
        elif old[name] != new[name]:
            yield name, f"peer {name} changes: it was {old[name]}; it is {new[name]}"
