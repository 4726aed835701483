"""Which hosts can be another organization's: whoever sends a descriptor must not have our proxies dial us, or our cloud."""

import ipaddress
from functools import lru_cache

from federation.base.scalars import is_ip

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Addresses that are no other organization's. Rows of the IANA special-purpose registries, unless a source is named.
_NOBODYS = tuple(
    ipaddress.ip_network(text)
    for text in (
        # Of the machine or the link that dials, of groups, of nobody.
        *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "::1/128", "100::/64", "fe80::/10", "ff00::/8"),
        "fec0::/10",  # site-local, deprecated (RFC 3879)
        # They stand for an IPv4 address at a place that only their own network knows: local NAT64 (RFC 8215), Teredo (RFC 4380).
        *("64:ff9b:1::/48", "2001::/32"),
        # What clouds answer their virtual machines at: Azure, Alibaba, Volcengine, AWS, Google. Others' are link-local.
        *("168.63.129.16/32", "100.100.100.200/32", "100.96.0.96/32", "fd00:ec2::/32", "fd20:ce::254/128"),
    )
)
# IPv6 addresses that stand for an IPv4 address, and how far from the right it is: mapped and compatible (RFC 4291), translated
# (RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056). `::` and `::1` look like compatible ones, and are none.
_HOLDS_IPV4 = {
    ipaddress.IPv6Network("::ffff:0:0/96"): 0,
    ipaddress.IPv6Network("::ffff:0:0:0/96"): 0,
    ipaddress.IPv6Network("64:ff9b::/96"): 0,
    ipaddress.IPv6Network("2002::/16"): 80,
    ipaddress.IPv6Network("::/96"): 0,
}
_ITSELF = frozenset({ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1")})
# What ends a name that only its own machine, cluster or cloud resolves. `default` is a namespace that every cluster has.
_INSIDE = frozenset({"localhost", "internal", "svc", "pod", "default"})
# What ends a name that each network resolves for itself, or none: RFC 6762 (local; its appendix G: intranet, private, corp, home, lan),
# ICANN's name collisions (corp, home, mail), RFC 8375 and 9462 (arpa), 7686 (onion), 9476 (alt), 6761 (invalid); localdomain of /etc/hosts.
_PRIVATE = frozenset({"local", "lan", "corp", "home", "mail", "intranet", "private", "localdomain", "arpa", "onion", "alt", "invalid"})
# What begins a name that a network answers itself: loopback, clouds' metadata, web proxies and tunnels that machines look for.
_OF_EACH_NETWORK = frozenset({"localhost", "metadata", "instance-data", "wpad", "isatap"})
# Public domains whose names hold an address, or are at 127.0.0.1: by their own documentation.
_ANY_ADDRESS = ("nip.io", "sslip.io", "xip.io", "traefik.me", "localtest.me", "lvh.me", "vcap.me", "lacolhost.com", "rbndr.us", "1u.ms")


def published_elsewhere(host: str) -> bool:
    """Whether a host that a stranger publishes can be another organization's."""
    if is_ip(host):
        return _of_somebody(host)
    *labels, last = host.split(".")
    # A pod looks among its cluster's Services first: `vault.kube-system` is one, and no top-level domain has a digit or a dash.
    outside = last.startswith("xn--") or (last.isalpha() and len(last) > 1 and last not in _INSIDE)
    return bool(labels) and outside and "svc" not in labels and not host.endswith(".cluster.local")


def known_outside(host: str) -> bool:
    """Whether a host that is `published_elsewhere` is the same one in every network: a name of public DNS, or an address."""
    if is_ip(host):
        return True
    first, *labels = host.split(".")
    holds_any = any(host == domain or host.endswith(f".{domain}") for domain in _ANY_ADDRESS)
    # `10-0-0-1.NAMESPACE.pod.DOMAIN` is a pod in a cluster whose domain is not cluster.local.
    return not (first in _OF_EACH_NETWORK or (labels[-1:] and labels[-1] in _PRIVATE) or "pod" in labels[1:] or holds_any)


def typed_elsewhere(host: str) -> bool:
    """Whether a host that an operator typed can be another organization's; a Service in another namespace may be meant."""
    return _of_somebody(host) if is_ip(host) else "." in host and not host.endswith(".localhost")


# Addresses that each network uses for itself: private (RFC 1918, 4193), carriers' (RFC 6598), benchmarks' (RFC 2544, 5180).
_EACH_S_OWN = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7", "2001:2::/48")
)


def in_private_networks(host: str) -> bool:
    """Whether a host is an address that this cluster may have, too."""
    return is_ip(host) and any(_address(host) in network for network in _EACH_S_OWN)


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
    address: Ip = ipaddress.ip_address(text)
    for network, shift in _HOLDS_IPV4.items() if address.version == 6 and address not in _ITSELF else ():
        if address in network:
            return ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return address


def _of_somebody(address: str) -> bool:
    ip = _address(address)
    return not any(ip in network for network in _NOBODYS if network.version == ip.version)


_OWN_NAMES = frozenset({"localhost", "localhost.localdomain"})


def is_own(host: str) -> bool:
    """Whether a host is each pod itself."""
    return host in _OWN_NAMES or (is_ip(host) and (ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified))
