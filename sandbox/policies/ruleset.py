"""Translates NetworkPolicy objects to nftables: a text for `nft -f` that replaces one table, and touches no other.

Packets are filtered where they are forwarded: after kube-proxy has replaced a Service's address by a pod's, and before a sender's
address is masqueraded. What the node itself sends is not forwarded, so its probes always pass. Packets of pods to the node itself
are filtered too: in the sandbox, the API server is there.
"""

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.policies.model import Direction, Object, Peer, Policy, PolicyError, Port, Rule, policy
from sandbox.policies.pods import IpAddress, Pod, is_peer, pods_with_addresses, selected
from sandbox.policies.ranges import Range, merged, of_network, without

TABLE = "inet sandbox-policies"
# Pods on one bridge could pass by their policies by way of addresses that nobody assigned.
_LINK_LOCAL = "ip6 saddr fe80::/10 counter drop"
_ALWAYS = ("ct state established,related accept", "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept")
_LONGEST_NAME = 100  # characters; nft 1.0 takes 128, and sets add some to the names of chains


@dataclass(frozen=True)
class _Family:
    """What differs between the versions of IP in nft's language."""

    version: int
    keyword: str
    type: str


@dataclass(frozen=True)
class _Side:
    """Which address of a packet is the isolated pod's and which its peer's."""

    own: str
    peer: str


_FAMILIES = (_Family(4, "ip", "ipv4_addr"), _Family(6, "ip6", "ipv6_addr"))
_SIDES: dict[Direction, _Side] = {"Egress": _Side("saddr", "daddr"), "Ingress": _Side("daddr", "saddr")}


def ruleset(policies: Iterable[Object], pods: Iterable[Object], namespaces: Iterable[Object], node: Object) -> str:
    """The table for the pods of a node. Arguments are objects of the API. PolicyError lists every policy that cannot be enforced."""
    labels = {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in namespaces}
    every_pod = sorted(pods_with_addresses(pods), key=lambda pod: (pod.namespace, pod.name))
    own = [pod for pod in every_pod if pod.node == node["metadata"]["name"]]
    table = _Table(every_pod, labels)
    parsed = _parsed(policies)
    for direction in _SIDES:
        table.isolate(direction, parsed, own)
    ranges = node["spec"].get("podCIDRs") or [cidr for cidr in [node["spec"].get("podCIDR")] if cidr]
    table.base(own, [ipaddress.ip_network(cidr) for cidr in ranges])
    return table.text()


def _parsed(policies: Iterable[Object]) -> list[Policy]:
    parsed, problems = [], []
    for item in sorted(policies, key=lambda item: (item["metadata"]["namespace"], item["metadata"]["name"])):
        try:
            parsed.append(policy(item))
        except PolicyError as error:
            problems.append(str(error))
    if problems:
        raise PolicyError("\n".join(problems))
    return parsed


@dataclass
class _Table:
    """The table as it grows: blocks of text, in the order of their first use."""

    pods: Sequence[Pod]
    namespaces: Mapping[str, Mapping[str, str]]
    sets: dict[str, str] = field(default_factory=dict)
    chains: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """In one transaction: the table of before is gone exactly when this one is there."""
        body = "\n".join([*self.sets.values(), *self.chains.values()])
        return f"add table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{\n{body}\n}}\n"

    def isolate(self, direction: Direction, policies: Sequence[Policy], own: Sequence[Pod]) -> None:
        """A chain per policy, one per combination of policies, and a map from each isolated pod's address to its combination's."""
        combinations: dict[tuple[str, ...], str] = {}
        verdicts: dict[IpAddress, str] = {}
        names = {id(one): self._policy(direction, one) for one in policies if direction in one.rules}
        for pod in own:
            applied = tuple(names[id(one)] for one in policies if direction in one.rules and selected(one, pod))
            if applied:
                chain = combinations.setdefault(applied, f"{direction.lower()}-{len(combinations)}")
                verdicts |= dict.fromkeys(pod.addresses, f"goto {chain}")
        for applied, chain in combinations.items():
            self._chain(chain, [*(f"jump {name}" for name in applied), "counter drop"])
        for family in _FAMILIES:
            elements = [
                f"{address} : {verdict}" for address, verdict in sorted(verdicts.items(), key=str) if address.version == family.version
            ]
            self._set(f"{direction.lower()}{family.version}", f"{family.type} : verdict", elements, kind="map")

    def base(self, own: Sequence[Pod], ranges: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> None:
        """The chains that the kernel calls, and what holds for every pod of the node."""
        outgoing, incoming = [*_ALWAYS, _LINK_LOCAL], list(_ALWAYS)
        for family in _FAMILIES:
            word, version = family.keyword, family.version
            mine = [address for pod in own for address in pod.addresses if address.version == version]
            self._set(f"pods{version}", family.type, map(str, mine))
            self._set(f"itself{version}", f"{family.type} . {family.type}", (f"{address} . {address}" for address in mine))
            self._set(f"node{version}", family.type, [str(one) for one in ranges if one.version == version], interval=True)
            for lines, side, direction in ((outgoing, "saddr", "egress"), (incoming, "daddr", "ingress")):
                # A pod reaches itself through a Service whatever its policies say.
                lines.append(f"{word} saddr . {word} daddr @itself{version} accept")
                # A pod that has just started, and whose address the API server does not know yet.
                lines.append(f"{word} {side} @node{version} {word} {side} != @pods{version} counter drop")
                lines.append(f"{word} {side} vmap @{direction}{version}")
        self._chain("from-pods", outgoing)
        self._chain("to-pods", incoming)
        for name, hook, priority, target in (
            ("egress", "forward", "filter - 2", "from-pods"),
            ("egress-to-node", "input", "filter - 2", "from-pods"),
            ("ingress", "forward", "filter - 1", "to-pods"),
        ):
            self._chain(name, [f"type filter hook {hook} priority {priority}; policy accept;", f"jump {target}"])

    def _policy(self, direction: Direction, one: Policy) -> str:
        """The chain of a policy: `accept` ends this direction and leaves the other to its own chain. Rules with equal ports are one."""
        name = _short(f"{direction.lower()}/{one.namespace}/{one.name}")
        by_ports: dict[tuple[Port, ...], list[Rule]] = {}
        for rule in one.rules[direction]:
            by_ports.setdefault(tuple(sorted(set(rule.ports), key=str)), []).append(rule)
        lines: list[str] = []
        for at, (ports, rules) in enumerate(by_ports.items()):
            anyone = any(not rule.peers for rule in rules)
            addresses = [] if anyone else self._addresses([peer for rule in rules for peer in rule.peers], one.namespace)
            for family in _FAMILIES:
                peers = ""
                if not anyone:
                    elements = [_range(family, pair) for version, pair in addresses if version == family.version]
                    if not elements:
                        continue
                    self._set(f"{name}/{at}-{family.version}", family.type, elements, interval=True)
                    peers = f"{family.keyword} {_SIDES[direction].peer} @{name}/{at}-{family.version} "
                else:
                    peers = f"meta nfproto ipv{family.version} "
                lines += [f"{peers}{match}accept" for match in self._ports(ports, family)]
        self._chain(name, lines)
        return name

    def _addresses(self, peers: Sequence[Peer], own_namespace: str) -> list[tuple[int, Range]]:
        """(IP version, range) of all peers together."""
        ranges: dict[int, list[Range]] = {4: [], 6: []}
        for peer in peers:
            if peer.network is not None:
                holes = [of_network(one) for one in peer.exceptions if one.version == peer.network.version]
                ranges[peer.network.version] += without(of_network(peer.network), holes)
                continue
            for pod in self.pods:
                if is_peer(peer, pod, own_namespace, self.namespaces):
                    for address in pod.addresses:
                        ranges[address.version].append((int(address), int(address)))
        return [(version, pair) for version, some in ranges.items() for pair in merged(some)]

    def _ports(self, ports: Sequence[Port], family: _Family) -> Iterator[str]:
        """What of nft's matches follow for a family: one that always holds when a rule names no ports."""
        if not ports:
            yield ""
        for protocol in dict.fromkeys(port.protocol.lower() for port in ports):
            mine = [port for port in ports if port.protocol.lower() == protocol]
            if any(port.first is None and not port.name for port in mine):
                yield f"meta l4proto {protocol} "
                continue
            if numbers := merged((port.first, port.last or port.first) for port in mine if port.first is not None):
                yield f"{protocol} dport {{ {', '.join(_pair(str(first), str(last)) for first, last in numbers)} }} "
            for name in sorted({port.name for port in mine if port.name}):
                yield f"{family.keyword} daddr . {protocol} dport @{self._named(name, protocol, family)} "

    def _named(self, name: str, protocol: str, family: _Family) -> str:
        """The set of (address, number) of every pod with a port of that name: which port is meant depends on the pod."""
        set_name = f"port/{protocol}/{name}-{family.version}"
        elements = [
            f"{address} . {number}"
            for pod in self.pods
            for own, own_protocol, number in sorted(pod.ports)
            for address in pod.addresses
            if own == name and own_protocol.lower() == protocol and address.version == family.version
        ]
        self._set(set_name, f"{family.type} . inet_service", elements)
        return set_name

    def _set(self, name: str, kinds: str, elements: Iterable[str], *, kind: str = "set", interval: bool = False) -> None:
        listed = ",\n      ".join(dict.fromkeys(elements))
        flags = "    flags interval\n" if interval else ""
        content = f"    elements = {{\n      {listed} }}\n" if listed else ""
        self.sets[name] = f"  {kind} {name} {{\n    type {kinds}\n{flags}{content}  }}"

    def _chain(self, name: str, lines: Iterable[str]) -> None:
        self.chains[name] = "\n".join([f"  chain {name} {{", *(f"    {line}" for line in lines), "  }"])


def _range(family: _Family, pair: Range) -> str:
    of = ipaddress.IPv4Address if family.version == 4 else ipaddress.IPv6Address
    return _pair(str(of(pair[0])), str(of(pair[1])))


def _pair(first: str, last: str) -> str:
    return first if first == last else f"{first}-{last}"


def _short(name: str) -> str:
    """A name of a chain, no longer than nft takes; two policies never share one."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 17]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
