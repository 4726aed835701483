"""A NetworkPolicy as the enforcer reads it: every field of networking.k8s.io/v1, and an error for any other."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.errors import SandboxError
from sandbox.policies.ranges import Network

Direction = Literal["Ingress", "Egress"]
Object = Mapping[str, Any]
PROTOCOLS = ("TCP", "UDP", "SCTP")
_PEERS: dict[Direction, str] = {"Ingress": "from", "Egress": "to"}
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


class PolicyError(SandboxError):
    """A policy that the enforcer cannot enforce as it is written: the policy, the place in it, and what is wrong there."""


@dataclass(frozen=True)
class Selector:
    """A LabelSelector: labels that must be equal, and (key, operator, values) that must hold. Empty: selects everything."""

    labels: tuple[tuple[str, str], ...] = ()
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(labels.get(key) == value for key, value in self.labels) and all(_holds(one, labels) for one in self.expressions)


@dataclass(frozen=True)
class Peer:
    """Either a range of addresses with its exceptions, or pods. Without `namespaces`, pods of the policy's own namespace."""

    pods: Selector = Selector()
    namespaces: Selector | None = None
    network: Network | None = None
    exceptions: tuple[Network, ...] = ()


@dataclass(frozen=True, order=True)
class Port:
    """Ports first to last of a protocol, the port of that name in the pod that is connected to, or every port."""

    protocol: str = "TCP"
    first: int | None = None
    last: int | None = None
    name: str = ""


@dataclass(frozen=True)
class Rule:
    """What a rule allows. Without peers anyone, without ports every port of every protocol."""

    peers: tuple[Peer, ...]
    ports: tuple[Port, ...]


@dataclass(frozen=True)
class Policy:
    """A policy isolates the pods that it selects in each direction of `rules`, and allows there what a rule allows."""

    namespace: str
    name: str
    pods: Selector
    rules: Mapping[Direction, tuple[Rule, ...]]


def policy(item: Object) -> Policy:
    """PolicyError for a field or value that is not in the API as it is enforced here."""
    metadata = item["metadata"]
    here = f"NetworkPolicy {metadata['namespace']}/{metadata['name']}"
    _known(here, item, "apiVersion", "kind", "metadata", "spec")
    spec = item.get("spec") or {}
    _known(f"{here}: spec", spec, "podSelector", "policyTypes", "ingress", "egress")
    rules: dict[Direction, tuple[Rule, ...]] = {}
    for direction in _directions(here, spec):
        section = direction.lower()
        rules[direction] = tuple(_rule(f"{here}: {section}[{at}]", rule, direction) for at, rule in enumerate(spec.get(section) or []))
    return Policy(metadata["namespace"], metadata["name"], _selector(f"{here}: podSelector", spec.get("podSelector") or {}), rules)


def _directions(here: str, spec: Object) -> tuple[Direction, ...]:
    # The API server fills in the types of a policy without them: always Ingress, and Egress if the policy has such rules.
    named = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    if strange := set(named) - set(_PEERS):
        raise PolicyError(f"{here}: policyTypes: {min(strange)!r} is neither Ingress nor Egress")
    return tuple(direction for direction in _PEERS if direction in named)


def _rule(here: str, rule: Object, direction: Direction) -> Rule:
    side = _PEERS[direction]
    _known(here, rule, side, "ports")
    peers = tuple(_peer(f"{here}.{side}[{at}]", peer) for at, peer in enumerate(rule.get(side) or []))
    return Rule(peers, tuple(_port(f"{here}.ports[{at}]", port) for at, port in enumerate(rule.get("ports") or [])))


def _peer(here: str, peer: Object) -> Peer:
    _known(here, peer, "podSelector", "namespaceSelector", "ipBlock")
    pods, namespaces, block = (peer.get(field) for field in ("podSelector", "namespaceSelector", "ipBlock"))
    if block is None:
        if pods is None and namespaces is None:
            raise PolicyError(f"{here}: selects nothing; it needs podSelector, namespaceSelector or ipBlock")
        selected = None if namespaces is None else _selector(f"{here}.namespaceSelector", namespaces)
        return Peer(_selector(f"{here}.podSelector", pods or {}), selected)
    if pods is not None or namespaces is not None:
        raise PolicyError(f"{here}: ipBlock stands beside a selector; a peer has one or the other")
    _known(f"{here}.ipBlock", block, "cidr", "except")
    exceptions = tuple(_network(f"{here}.ipBlock.except[{at}]", cidr) for at, cidr in enumerate(block.get("except") or []))
    return Peer(network=_network(f"{here}.ipBlock.cidr", block.get("cidr")), exceptions=exceptions)


def _network(here: str, cidr: object) -> Network:
    try:
        return ipaddress.ip_network(str(cidr), strict=False)
    except ValueError as error:
        raise PolicyError(f"{here}: {cidr!r} is no range of addresses") from error


def _port(here: str, port: Object) -> Port:
    _known(here, port, "protocol", "port", "endPort")
    protocol, first, last = port.get("protocol") or "TCP", port.get("port"), port.get("endPort")
    if protocol not in PROTOCOLS:
        raise PolicyError(f"{here}.protocol: {protocol!r} is none of {', '.join(PROTOCOLS)}")
    if last is not None and not isinstance(first, int):
        raise PolicyError(f"{here}.endPort: needs a port that is a number")
    if isinstance(first, str):
        return Port(protocol, name=first)
    return Port(protocol, first, first if last is None else last)


def _selector(here: str, selector: Object) -> Selector:
    _known(here, selector, "matchLabels", "matchExpressions")
    expressions = tuple(_expression(f"{here}.matchExpressions[{at}]", one) for at, one in enumerate(selector.get("matchExpressions") or []))
    return Selector(tuple(sorted((selector.get("matchLabels") or {}).items())), expressions)


def _expression(here: str, expression: Object) -> tuple[str, str, tuple[str, ...]]:
    _known(here, expression, "key", "operator", "values")
    if expression["operator"] not in _OPERATORS:
        raise PolicyError(f"{here}.operator: {expression['operator']!r} is none of {', '.join(_OPERATORS)}")
    return expression["key"], expression["operator"], tuple(expression.get("values") or ())


def _holds(expression: tuple[str, str, tuple[str, ...]], labels: Mapping[str, str]) -> bool:
    key, operator, values = expression
    # NotIn also selects objects without the label, as the API defines it.
    return {
        "In": key in labels and labels[key] in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[operator]


def _known(here: str, value: Object, *fields: str) -> None:
    if strange := sorted(set(value) - set(fields)):
        raise PolicyError(f"{here}: the sandbox does not know the field {strange[0]!r}, so it cannot enforce this policy")
