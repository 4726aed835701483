"""What a stack with many peers records of them in one component, and what a change of that record says."""

from collections.abc import Iterable, Iterator, Mapping

from federation.peers.accepted import Peer


def peer_records(peers: Iterable[Peer]) -> dict[str, str]:
    """Each peer by name: what it is, its state, and where it is reached, as `party 9998, active, rollsite 203.0.113.5:9370`."""
    return {peer.name: ", ".join((peer.descriptor.title, peer.state, *_addresses(peer))) for peer in peers}


def _addresses(peer: Peer) -> Iterator[str]:
    for name, endpoint in sorted(peer.descriptor.endpoints.items()):
        yield f"{name} {endpoint.host}:{'/'.join(str(port) for _, port in sorted(endpoint.ports.items()))}"


def peer_changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The name of each peer that comes, goes or changes, and a sentence that says so. Both sides are records."""
    for name in sorted({*old, *new}):
        if name not in old:
            yield name, f"peer {name} comes: {new[name]}"
        elif name not in new:
            yield name, f"peer {name} goes: it was {old[name]}"
        elif old[name] != new[name]:
            yield name, f"peer {name} changes: it was {old[name]}; it is {new[name]}"
