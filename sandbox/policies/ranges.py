"""Sets of whole numbers (addresses, ports) as sorted, disjoint (first, last) pairs: nft refuses a set whose elements overlap."""

import ipaddress
from collections.abc import Iterable

Range = tuple[int, int]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same numbers, in as few ranges as possible."""
    result: list[Range] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], last))
        else:
            result.append((first, last))
    return result


def without(whole: Range, holes: Iterable[Range]) -> list[Range]:
    """The numbers of `whole` that are in none of the holes."""
    start, last = whole
    left: list[Range] = []
    for hole_first, hole_last in merged(holes):
        if start < hole_first and start <= last:
            left.append((start, min(hole_first - 1, last)))
        start = max(start, hole_last + 1)
    return [*left, (start, last)] if start <= last else left


def of_network(network: Network) -> Range:
    """Its addresses."""
    return int(network.network_address), int(network.broadcast_address)
