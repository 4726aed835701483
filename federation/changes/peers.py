"""What a stack with many peers records of them in one component, and what a change of that record says."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from federation.base.errors import SHOWN
from federation.peers.accepted import Peer
from federation.peers.descriptor import digest

# What a peer does between two records: the verb of many peers, and the sentence's end for one.
_CHANGES = {"comes": ("come", "{new}"), "goes": ("go", "it was {old}"), "changes": ("change", "it was {old}; it is {new}")}


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
    """The name of each peer that comes, goes or changes, and a sentence that says so: the first 50 by name, then how many more.

    Both sides are records.
    """
    changes = [(name, verb) for name in sorted({*old, *new}) if (verb := _verb(old.get(name), new.get(name))) is not None]
    for name, verb in changes[:SHOWN]:
        yield name, f"peer {name} {verb}: {_CHANGES[verb][1].format(old=old.get(name), new=new.get(name))}"
    if rest := Counter(verb for _, verb in changes[SHOWN:]):
        counts = ", ".join(f"{count} {_CHANGES[verb][0]}" for verb, count in sorted(rest.items()))
        # By the name of the last one, beside whose sentence it stands.
        yield changes[SHOWN - 1][0], f"and {rest.total()} more peers ({counts}): `pulumi preview --diff` shows each, under external-peers"


def _verb(old: str | None, new: str | None) -> str | None:
    """None when the peer stays as it is."""
    if old == new:
        return None
    return "comes" if old is None else "goes" if new is None else "changes"
