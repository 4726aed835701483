"""The pods of a cluster as policies see them: labels, addresses, names of ports."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.policies.model import Object, Peer, Policy

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_ENDED = ("Succeeded", "Failed")  # their addresses may belong to other pods already


@dataclass(frozen=True)
class Pod:
    """A pod with an address of its own. `ports`: (name, protocol, number) of its containers."""

    namespace: str
    name: str
    node: str
    labels: Mapping[str, str]
    addresses: tuple[IpAddress, ...]
    ports: frozenset[tuple[str, str, int]]


def pods_with_addresses(items: Iterable[Object]) -> list[Pod]:
    """Pods that have an address now. A pod in the node's network has none of its own; policies do not apply to it."""
    owners: dict[IpAddress, Object] = {}
    for item in sorted(items, key=lambda item: str(item["metadata"].get("creationTimestamp"))):
        status, spec = item.get("status") or {}, item["spec"]
        if not spec.get("hostNetwork") and status.get("phase") not in _ENDED:
            # Of two that claim an address, the younger: the node gave it away when the older pod ended.
            owners |= dict.fromkeys(_addresses(status), item)
    by_pod: dict[int, tuple[Object, list[IpAddress]]] = {}
    for address, item in owners.items():
        by_pod.setdefault(id(item), (item, []))[1].append(address)
    return [_pod(item, tuple(addresses)) for item, addresses in by_pod.values()]


def selected(policy: Policy, pod: Pod) -> bool:
    """Whether a policy applies to a pod."""
    return pod.namespace == policy.namespace and policy.pods.matches(pod.labels)


def is_peer(peer: Peer, pod: Pod, own_namespace: str, namespaces: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether selectors of a policy in `own_namespace` name a pod. `namespaces`: labels by name."""
    if peer.namespaces is None:
        return pod.namespace == own_namespace and peer.pods.matches(pod.labels)
    return peer.namespaces.matches(namespaces.get(pod.namespace, {})) and peer.pods.matches(pod.labels)


def _addresses(status: Object) -> Iterator[IpAddress]:
    entries = [entry["ip"] for entry in status.get("podIPs") or [] if entry.get("ip")]
    yield from map(ipaddress.ip_address, entries or [address for address in [status.get("podIP")] if address])


def _pod(item: Object, addresses: tuple[IpAddress, ...]) -> Pod:
    metadata, spec = item["metadata"], item["spec"]
    labels = metadata.get("labels") or {}
    return Pod(metadata["namespace"], metadata["name"], spec.get("nodeName", ""), labels, addresses, frozenset(_ports(spec)))


def _ports(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    # An init container that is restarted always runs beside the others, and may listen.
    sidecars = [container for container in spec.get("initContainers") or [] if container.get("restartPolicy") == "Always"]
    for container in [*spec.get("containers", []), *sidecars]:
        for port in container.get("ports") or []:
            if port.get("name"):
                yield port["name"], port.get("protocol") or "TCP", port["containerPort"]
