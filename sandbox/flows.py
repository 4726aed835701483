"""Who talked to whom: bytes of every TCP connection that crosses a network namespace's bridge, counted by nftables.

Needs `nft` (Debian's nftables) and root; a table of our own, in a namespace of our own.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.real.box import checked

_TABLE = """\
table bridge flows {
  set seen { type ipv4_addr . ipv4_addr . inet_service . inet_service; size 262144; flags dynamic; counter; }
  chain arriving {
    type filter hook prerouting priority 0
    ip protocol tcp update @seen { ip saddr . ip daddr . tcp sport . tcp dport }
  }
}
"""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What a client sent to a server's port and got back, in bytes of IP packets, over all its connections."""

    client: str
    server: str
    port: int
    connections: int
    sent: int
    received: int


def count(namespace: Sequence[str]) -> None:
    """Start to count, unless it has begun. `namespace`: what enters the namespace with the bridge, such as `nsenter -t PID -n --`."""
    if "bridge flows" not in checked([*namespace, "nft", "list", "tables"]):
        checked([*namespace, "nft", _TABLE])


def flows(namespace: Sequence[str]) -> list[Flow]:
    """What has been counted so far, by client, server and port."""
    listed = json.loads(checked([*namespace, "nft", "-j", "list", "set", "bridge", "flows", "seen"]))["nftables"]
    elements = [one["elem"] for part in listed for one in part.get("set", {}).get("elem", ())]
    return _summed((*element["val"]["concat"], element["counter"]["bytes"]) for element in elements)


def _summed(packets: Iterable[tuple[str, str, int, int, int]]) -> list[Flow]:
    """`packets`: source, destination, their ports, bytes. A client's port is the higher one: Linux takes them from 32768 upwards."""
    sums: dict[tuple[str, str, int], list[int]] = {}
    connections: dict[tuple[str, str, int], set[int]] = {}
    for source, destination, source_port, destination_port, size in packets:
        to_server = source_port > destination_port
        key = (source, destination, destination_port) if to_server else (destination, source, source_port)
        sums.setdefault(key, [0, 0])[0 if to_server else 1] += size
        connections.setdefault(key, set()).add(source_port if to_server else destination_port)
    return [
        Flow(client=client, server=server, port=port, connections=len(connections[key]), sent=sent, received=received)
        for key, (sent, received) in sorted(sums.items())
        for client, server, port in [key]
    ]
