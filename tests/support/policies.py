"""The semantics of NetworkPolicy, as Kubernetes documents them: whether rendered policies let one connection pass.

A pod that no policy selects for a direction is open in it; else one rule of one of its policies must match. Rules see pods
behind Services, never the Services' addresses.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Policy = Mapping[str, Any]


@dataclass(frozen=True)
class Pod:
    """A pod: its namespace and labels."""

    namespace: str
    labels: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, namespace: str, **labels: str) -> "Pod":
        """A pod of a module: of(namespace, name=..., instance=...)."""
        return cls(namespace, tuple((f"app.kubernetes.io/{key}", value) for key, value in sorted(labels.items())))


@dataclass(frozen=True)
class Outside:
    """An address that is no pod's."""

    address: str


Side = Pod | Outside


def passes(policies: Iterable[Policy], source: Side, target: Side, port: int, protocol: str = "TCP") -> bool:
    """Whether both ends allow a connection."""
    found = list(policies)
    return _open(found, "Egress", source, target, port, protocol) and _open(found, "Ingress", target, source, port, protocol)


def _open(policies: list[Policy], direction: str, own: Side, other: Side, port: int, protocol: str) -> bool:
    if isinstance(own, Outside):
        return True
    selected = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == own.namespace
        and direction in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], dict(own.labels))
    ]
    side = {"Ingress": "from", "Egress": "to"}[direction]
    return not selected or any(
        _ports(rule, port, protocol) and _peers(rule.get(side), other, own.namespace)
        for spec in selected
        for rule in spec.get(direction.lower(), [])
    )


def _ports(rule: Mapping[str, Any], port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    # An empty list of ports is every port, as an absent one is.
    return not ports or any(entry.get("protocol", "TCP") == protocol and _within(entry, port) for entry in ports)


def _within(entry: Mapping[str, Any], port: int) -> bool:
    first = entry.get("port", port)
    return bool(first <= port <= entry.get("endPort", first))


def _peers(peers: list[Mapping[str, Any]] | None, other: Side, namespace: str) -> bool:
    return not peers or any(_peer(peer, other, namespace) for peer in peers)


def _peer(peer: Mapping[str, Any], other: Side, namespace: str) -> bool:
    assert peer.keys() <= {"ipBlock", "namespaceSelector", "podSelector"}, peer
    assert peer, "an empty peer is not valid"
    if "ipBlock" in peer:
        assert peer.keys() == {"ipBlock"}, "ipBlock stands alone"
        if not isinstance(other, Outside):
            return False
        block = peer["ipBlock"]
        address = ipaddress.ip_address(other.address)
        excepted = any(address in ipaddress.ip_network(cidr) for cidr in block.get("except", []))
        return address in ipaddress.ip_network(block["cidr"]) and not excepted
    if isinstance(other, Outside):
        return False
    if "namespaceSelector" in peer:
        if not _selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other.namespace}):
            return False
    elif other.namespace != namespace:
        return False
    return _selects(peer.get("podSelector", {}), dict(other.labels))


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels", "matchExpressions"}, selector
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", "only what is rendered is modelled"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
