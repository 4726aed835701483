"""A node without Kubernetes: pods on a bridge, in network namespaces, with Services in the place of kube-proxy's, and hosts outside.

The kernel is the real one, so what a rule set lets pass here passes on a node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.policies.ruleset import ruleset
from tests.support.netns import Namespace, open_connections

Object = dict[str, Any]
NODE = {"metadata": {"name": "node-a"}, "spec": {"podCIDRs": ["10.50.0.0/24", "fd50::/64"]}}
NODE_ADDRESS = "10.200.0.10"
# Hosts outside: another cluster's node, from which its pods come, one of the same network, one of another.
OTHER_CLUSTER, NEIGHBOUR, FAR = "10.200.0.11", "10.200.0.12", "192.0.2.66"
PORTS, UDP_PORTS = (80, 443, 3306, 8080), (53,)
DNS_SERVICE, DB_SERVICE = "10.60.0.10", "10.60.0.20"


@dataclass(frozen=True)
class NodePod:
    """A pod: namespace, name, labels, and (name, protocol, number) of its ports."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    ports: Sequence[tuple[str, str, int]] = ()


class Node:
    """A node with these pods, numbered from 10.50.0.2 on, each listening on PORTS and UDP_PORTS."""

    def __init__(self, pods: Sequence[NodePod]) -> None:
        self.pods = list(pods)
        self.host, self.outside = Namespace(), Namespace()
        self.namespaces = [Namespace() for _ in pods]
        self._bridge()
        self._wan()
        self._services()
        for space in (self.host, *self.namespaces):
            space.listen(PORTS, UDP_PORTS)
        for address in (OTHER_CLUSTER, NEIGHBOUR, FAR):
            self.outside.listen(PORTS, UDP_PORTS, f"::ffff:{address}")

    def close(self) -> None:
        """Remove it."""
        for space in (*self.namespaces, self.outside, self.host):
            space.close()

    def address(self, name: str, version: int = 4) -> str:
        """A pod's address."""
        number = 2 + next(at for at, pod in enumerate(self.pods) if pod.name == name)
        return f"10.50.0.{number}" if version == 4 else f"fd50::{number}"

    def objects(self) -> list[Object]:
        """The pods, as the API server has them."""
        return [
            {
                "metadata": {"namespace": pod.namespace, "name": pod.name, "labels": dict(pod.labels)},
                "spec": {
                    "nodeName": "node-a",
                    "containers": [{"ports": [{"name": n, "protocol": p, "containerPort": c} for n, p, c in pod.ports]}],
                },
                "status": {"phase": "Running", "podIPs": [{"ip": self.address(pod.name)}, {"ip": self.address(pod.name, 6)}]},
            }
            for pod in self.pods
        ]

    def apply(self, policies: Sequence[Object], pods: Sequence[Object] | None = None) -> str:
        """Load the rule set of these policies, and return it."""
        names = {pod.namespace for pod in self.pods}
        namespaces = [{"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}} for name in names]
        text = ruleset(policies, self.objects() if pods is None else pods, namespaces, NODE)
        self.host.run("nft", "-f", "-", stdin=text)
        return text

    def remove_rules(self) -> None:
        """As before any policy."""
        self.host.run("nft", "-f", "-", stdin="add table inet sandbox-policies\ndelete table inet sandbox-policies\n")

    def opened(self, wanted: Sequence[tuple[str, str, int] | tuple[str, str, int, str]]) -> list[bool]:
        """Which connections open: (from, to, port[, protocol]), each end a pod, an address outside, or `node`."""
        return open_connections([self._connection(*one) for one in wanted])

    def _connection(self, source: str, target: str, port: int, protocol: str = "TCP") -> tuple[Namespace, str, tuple[str, int], str]:
        names = [pod.name for pod in self.pods]
        version = 6 if target.endswith("/6") else 4
        target = target.removesuffix("/6")
        address = self.address(target, version) if target in names else NODE_ADDRESS if target == "node" else target
        if source == "node":
            return self.host, "", (address, port), protocol
        if source in names:
            return self.namespaces[names.index(source)], "", (address, port), protocol
        return self.outside, source, (address, port), protocol

    def _bridge(self) -> None:
        self.host.run("ip", "link", "add", "cni0", "type", "bridge")
        for address in ("10.50.0.1/24", "fd50::1/64"):
            self.host.run("ip", "addr", "add", address, "dev", "cni0", *(["nodad"] if ":" in address else []))
        self.host.run("ip", "link", "set", "cni0", "up")
        for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding", "bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"):
            self.host.write(path, "1")
        for number, space in enumerate(self.namespaces, 2):
            self._link(space, f"veth{number}", "eth0", bridge=True)
            space.run("ip", "addr", "add", f"10.50.0.{number}/24", "dev", "eth0")
            space.run("ip", "addr", "add", f"fd50::{number}/64", "dev", "eth0", "nodad")
            space.run("ip", "route", "add", "default", "via", "10.50.0.1")
            self.host.run("bridge", "link", "set", "dev", f"veth{number}", "hairpin", "on")

    def _wan(self) -> None:
        self._link(self.outside, "wan0", "eth0", bridge=False)
        self.host.run("ip", "addr", "add", f"{NODE_ADDRESS}/24", "dev", "wan0")
        for address in (OTHER_CLUSTER, NEIGHBOUR):
            self.outside.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
        self.outside.run("ip", "addr", "add", f"{FAR}/32", "dev", "lo")
        self.host.run("ip", "route", "add", f"{FAR}/32", "via", OTHER_CLUSTER)
        for network in ("10.50.0.0/24", "10.60.0.0/16"):
            self.outside.run("ip", "route", "add", network, "via", NODE_ADDRESS)

    def _services(self) -> None:
        """What kube-proxy does for two Services, whose pods are `dns` and `db`; and the pods' addresses hidden from the outside."""
        self.host.run(
            "nft",
            "-f",
            "-",
            stdin=f"""
            table ip proxy {{
              chain services {{
                type nat hook prerouting priority dstnat;
                ip daddr {DNS_SERVICE} dnat to {self.address("dns")}
                ip daddr {{ {DB_SERVICE}, {NODE_ADDRESS} }} tcp dport 3306 dnat to {self.address("db")}
              }}
              chain hidden {{
                type nat hook postrouting priority srcnat;
                ip saddr 10.50.0.0/24 ip daddr != 10.50.0.0/24 masquerade
                ip daddr {self.address("db")} ip saddr != 10.50.0.0/24 masquerade
                ip saddr {self.address("db")} ip daddr {self.address("db")} masquerade
              }}
            }}""",
        )

    def _link(self, space: Namespace, here: str, there: str, *, bridge: bool) -> None:
        place = ["master", "cni0"] if bridge else []
        self.host.run("ip", "link", "add", here, *place, "type", "veth", "peer", "name", there, "netns", space.path)
        self.host.run("ip", "link", "set", here, "up")
        space.run("ip", "link", "set", there, "up")
