"""Which hosts can be another organization's: whoever sends a descriptor must not have our proxies dial us, or our cloud."""

import ipaddress
from functools import lru_cache

from federation.scalars import is_ip

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Of the machine or the link that dials, of groups, of nobody; then what clouds answer their virtual machines at.
_NOBODYS = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "::1/128", "fe80::/10", "ff00::/8"),
        *("168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128"),
    )
)
# IPv6 addresses that stand for an IPv4 address, and how far from the right it is (RFC 4291, 6052, 3056).
_HOLDS_IPV4 = {ipaddress.IPv6Network("::ffff:0:0/96"): 0, ipaddress.IPv6Network("64:ff9b::/96"): 0, ipaddress.IPv6Network("2002::/16"): 80}
# What ends a name that only its own machine, cluster or cloud resolves. `default` is a namespace that every cluster has.
_INSIDE = frozenset({"localhost", "internal", "svc", "pod", "default"})


def published_elsewhere(host: str) -> bool:
    """Whether a host that a stranger publishes can be another organization's."""
    if is_ip(host):
        return _of_somebody(host)
    *labels, last = host.split(".")
    # A pod looks among its cluster's Services first: `vault.kube-system` is one, and no top-level domain has a digit or a dash.
    outside = last.startswith("xn--") or (last.isalpha() and len(last) > 1 and last not in _INSIDE)
    return bool(labels) and outside and "svc" not in labels and not host.endswith(".cluster.local")


def typed_elsewhere(host: str) -> bool:
    """Whether a host that an operator typed can be another organization's; a Service in another namespace may be meant."""
    return _of_somebody(host) if is_ip(host) else "." in host and not host.endswith(".localhost")


def nobodys(version: int) -> tuple[str, ...]:
    """The address ranges of IPv4 or IPv6 in which no other organization is."""
    return tuple(str(network) for network in _NOBODYS if network.version == version)


def canonical(host: str) -> str:
    """One spelling for each address."""
    return str(_address(host)) if is_ip(host) else host


def within(host: str, network: Network) -> bool:
    """Whether a host is an address in a range."""
    return is_ip(host) and _address(host) in network


def namespace_of(host: str) -> str | None:
    """The namespace in whose Services a pod would search a name, if any are there."""
    labels = host.split(".")
    if is_ip(host) or len(labels) < 2:
        return None
    return labels[labels.index("svc") - 1] if "svc" in labels else labels[-1]


@lru_cache(maxsize=8192)
def _address(text: str) -> Ip:
    """An address; of one that stands for an IPv4 address, that."""
    found: Ip = ipaddress.ip_address(text)
    for network, shift in _HOLDS_IPV4.items() if found.version == 6 else ():
        if found in network:
            return ipaddress.IPv4Address(int(found) >> shift & 0xFFFFFFFF)
    return found


def _of_somebody(address: str) -> bool:
    found = _address(address)
    return not any(found in network for network in _NOBODYS if network.version == found.version)
