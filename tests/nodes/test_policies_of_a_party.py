"""The policies that a party's stack makes, enforced for real pods: who reaches whom, as docs/guides/network.md says.

The pods have the labels of a party's modules, and listen on every port that the release knows.
"""

import json
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from federation.catalogue.releases import catalogue
from sandbox import processes
from sandbox.policies.ruleset import TABLE
from sandbox.real import box
from tests.nodes.conftest import IMAGE, Lab
from tests.support.configs import RABBITMQ_MESH, Config, party_descriptor
from tests.support.netns import Namespace, open_connections
from tests.support.policies import Pod, passes

pytestmark = pytest.mark.nodes

OWN, ELSEWHERE = "fate-9999", "elsewhere"
# Of the party, and their labels where the policies name them otherwise.
MODULES = ("fateflow", "mysql", "nginx", "rabbitmq", "fateboard", "spark-worker")
STRANGERS = (("stranger", OWN), ("mysql", ELSEWHERE))  # the second has a module's name, in a namespace of others
MYSQL, AMQP, HTTP, ANY = 3306, 5672, 9300, 41234
NGINX_NODE_PORT, MYSQL_NODE_PORT = 30300, 30306
Connection = tuple[str, str, int]
IN_FORCE = 10.0  # seconds; a change takes less than one on an idle machine
_AT_ONCE = 250  # connections; each holds a file


@dataclass
class Party:
    """The pods of a party in one cluster, and who calls from the other one."""

    lab: Lab
    addresses: dict[str, str]  # of pods, by namespace/name
    networks: dict[str, Namespace]
    peer: str  # the address that the party of the other cluster publishes
    ports: tuple[int, ...]  # every one that the release knows

    def opened(self, wanted: Sequence[Connection]) -> set[Connection]:
        """Which connections open: (pod, pod or address, port)."""
        found = set()
        for some in (wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE)):
            targets = [(self.networks[source], "", (self.addresses.get(to, to), port), "TCP") for source, to, port in some]
            found |= {one for one, opened in zip(some, open_connections(targets, patience=1.0), strict=True) if opened}
        return found

    def plan(self, folder: Path, state: str = "active", **network_policy: Any) -> list[Config]:
        """The policies that the stack makes, with this under fate:networkPolicy, while the peer is in that state."""
        own = self.lab.of("bank-a")
        ranges = [own.pod_cidr, own.service_cidr, f"{own.node_ip()}/32"]
        case = RABBITMQ_MESH.changed(lambda config: config.update(cluster={"ranges": ranges}, networkPolicy=network_policy))
        descriptor = party_descriptor(host=self.peer, nginx=self.peer, engine="RabbitMQ")
        unit = case.with_peer("clinic-b", descriptor, state=state).load(folder).plan.unit("party-9999")
        assert len(unit.policies) >= 5
        return [manifest.document() for manifest in unit.policies]


def pod(name: str, namespace: str, labels: dict[str, str]) -> Config:
    """A pod that waits: the tests listen in its network."""
    container = {"name": "waits", "image": IMAGE, "command": ["sh", "-c", "trap exit TERM; sleep 1000000 & wait"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }


def labels_of(module: str) -> dict[str, str]:
    """As our charts label a module's pods."""
    return {"app.kubernetes.io/name": module, "app.kubernetes.io/instance": "party-9999"}


def service(name: str, namespace: str, selector: dict[str, str], *ports: Config) -> Config:
    """A Service with an address of its own outside the cluster."""
    spec = {"type": "LoadBalancer", "selector": selector, "ports": [{"name": f"port-{one['port']}", **one} for one in ports]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def network_of(lab: Lab, organization: str, namespace: str, name: str) -> tuple[Namespace, str]:
    """The network namespace and the address of a pod, from what the network plugins keep."""
    root = Path("/proc", str(box.pid(lab.of(organization))), "root")
    for path in (root / "var/lib/cni/results").iterdir():
        kept = json.loads(path.read_text())
        names = dict(kept.get("cniArgs") or [])
        if (names.get("K8S_POD_NAMESPACE"), names.get("K8S_POD_NAME")) == (namespace, name) and kept["result"].get("ips"):
            (inside,) = {one["sandbox"] for one in kept["result"]["interfaces"] if one.get("sandbox")}
            # /var/run is a link, which would be followed on the host.
            return Namespace(root / inside.replace("/var/run/", "run/").lstrip("/")), kept["result"]["ips"][0]["address"].partition("/")[0]
    raise AssertionError(f"{namespace}/{name} has no network")


@pytest.fixture(scope="module")
def party(lab: Lab) -> Iterator[Party]:
    """The pods of party 9999 at bank-a, whose peer is a server at clinic-b. Every test applies policies first."""
    own, release = lab.of("bank-a"), catalogue()["1.11.2"].ports
    lab.apply("clinic-b", service("peer", "default", {"app": "web"}, *({"port": port, "targetPort": 8080} for port in (HTTP, AMQP))))
    lab.apply("bank-a", *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (OWN, ELSEWHERE)))
    pods = [pod(name, OWN, labels_of(name)) for name in MODULES]
    pods += [pod("stranger", OWN, {"app": "stranger"}), pod("mysql", ELSEWHERE, labels_of("mysql"))]
    nginx = service("nginx", OWN, labels_of("nginx"), {"port": HTTP, "nodePort": NGINX_NODE_PORT})
    mysql = service("mysql", OWN, labels_of("mysql"), {"port": MYSQL, "nodePort": MYSQL_NODE_PORT})
    lab.apply("bank-a", *pods, nginx, mysql)
    for namespace in (OWN, ELSEWHERE):
        lab.kubectl("bank-a", "wait", "-n", namespace, "pod", "--all", "--for=condition=Ready", "--timeout=60s")
    lab.kubectl("clinic-b", "wait", "service/peer", "--for=jsonpath={.status.loadBalancer.ingress}", "--timeout=30s")
    (address,) = lab.get("clinic-b", "service", "peer")["status"]["loadBalancer"]["ingress"]
    made = Party(lab, {}, {}, address["ip"], tuple(sorted({*release.values(), ANY})))
    for name, namespace in [*((name, OWN) for name in MODULES), *STRANGERS]:
        key = f"{namespace}/{name}"
        made.networks[key], made.addresses[key] = network_of(lab, "bank-a", namespace, name)
        made.networks[key].listen(made.ports)
    made.networks["caller"], _ = network_of(lab, "clinic-b", "default", "web-0")
    made.networks["node"] = Namespace(Path("/proc", str(box.pid(own)), "ns/net"))
    yield made
    for network in made.networks.values():
        network.close()
    lab.kubectl("bank-a", "delete", "namespace", OWN, ELSEWHERE)
    lab.kubectl("clinic-b", "delete", "service", "peer")


@pytest.fixture
def policies(party: Party, tmp_path: Path) -> Iterator[list[Config]]:
    """The policies of the party's stack, in force; gone after the test."""
    made = party.plan(tmp_path)
    enforce(party, made)
    yield made
    party.lab.kubectl("bank-a", "delete", "networkpolicies", "-n", OWN, "--all")


def enforce(party: Party, made: list[Config]) -> None:
    """Apply policies, and wait until they are in force."""
    party.lab.apply("bank-a", *made)
    settle(party)


def settle(party: Party) -> None:
    """Wait until every policy of before is in force: one that selects no pod is made after them, and the node's rules name it."""
    name = f"marker-{time.monotonic_ns()}"
    spec = {"podSelector": {"matchLabels": {"marker": "none"}}, "policyTypes": ["Ingress"]}
    metadata = {"name": name, "namespace": ELSEWHERE}
    party.lab.apply("bank-a", {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec})
    deadline = time.monotonic() + IN_FORCE
    while f"ingress/{ELSEWHERE}/{name}" not in (rules := box.run(party.lab.of("bank-a"), "nft", "list", "table", *TABLE.split())):
        assert time.monotonic() < deadline, rules
        time.sleep(0.05)


def side(key: str) -> Pod:
    """A pod as the model of policies has it."""
    namespace, name = key.split("/")
    return Pod.of(namespace, app="stranger") if name == "stranger" else Pod.of(namespace, name=name, instance="party-9999")


PARTY = {f"{OWN}/{module}" for module in MODULES}
STRANGER, OTHERS_MYSQL = (f"{namespace}/{name}" for name, namespace in STRANGERS)


def test_without_policies_every_pod_reaches_every_port(party: Party) -> None:
    wanted = [(source, target, port) for source in party.addresses for target in party.addresses for port in (MYSQL, HTTP)]
    assert party.opened(wanted) == set(wanted)
    outside = [(f"{OWN}/fateflow", party.peer, HTTP), ("caller", party.lab.of("bank-a").node_ip(), MYSQL_NODE_PORT)]
    assert party.opened(outside) == set(outside)


def test_each_pod_reaches_exactly_what_the_policies_of_a_party_allow(party: Party, policies: list[Config]) -> None:
    wanted = [(source, to, port) for source in party.addresses for to in party.addresses if source != to for port in party.ports]
    assert len(wanted) > 500
    found = party.opened(wanted)
    assert found == {(source, to, port) for source, to, port in wanted if passes(policies, side(source), side(to), port)}
    # In words: pods of the party reach each other; others reach what it publishes, unless they may not leave their own namespace.
    inside = {(source, to, port) for source in PARTY for to in PARTY - {source} for port in party.ports}
    assert found == inside | {(OTHERS_MYSQL, f"{OWN}/nginx", HTTP), (OTHERS_MYSQL, f"{OWN}/rabbitmq", AMQP)}


def test_only_who_dials_a_peer_reaches_it_and_no_pod_reaches_the_api_server(party: Party, policies: list[Config]) -> None:
    own, other = party.lab.of("bank-a"), party.lab.of("clinic-b")
    places = [(party.peer, HTTP), (party.peer, AMQP), (other.node_ip(), 30080), (own.service_ip, 443), (own.node_ip(), own.port)]
    wanted = [(source, *place) for source in (*PARTY, STRANGER, OTHERS_MYSQL) for place in places]
    # The pod of another namespace reaches them all, so it is the policies that keep the others away.
    dialled = {(f"{OWN}/nginx", party.peer, HTTP), (f"{OWN}/rabbitmq", party.peer, AMQP)}
    assert party.opened(wanted) == dialled | {(OTHERS_MYSQL, *place) for place in places}


def test_a_caller_in_another_cluster_reaches_what_is_published_and_nothing_else(
    party: Party, policies: list[Config], tmp_path: Path
) -> None:
    node, caller = party.lab.of("bank-a").node_ip(), party.lab.of("clinic-b").node_ip()
    nginx, mysql, inside = ("caller", node, NGINX_NODE_PORT), ("caller", node, MYSQL_NODE_PORT), (OTHERS_MYSQL, f"{OWN}/nginx", HTTP)
    assert party.opened([nginx, mysql, inside]) == {nginx, inside}
    enforce(party, party.plan(tmp_path / "caller", publishedFrom=[f"{caller}/32"]))
    assert party.opened([nginx, mysql, inside]) == {nginx}
    enforce(party, party.plan(tmp_path / "another", publishedFrom=["192.0.2.0/24"]))
    assert party.opened([nginx, mysql, inside]) == set()


def test_pods_of_a_party_resolve_names_and_a_stranger_does_not(party: Party, policies: list[Config]) -> None:
    def resolved(namespace: str, name: str) -> bool:
        command = "timeout 3 nslookup web.default.svc.cluster.local"
        done = party.lab.try_sandbox("exec", "bank-a", "-n", namespace, name, "--", "sh", "-c", command)
        return done.returncode == 0 and party.lab.of("bank-a").service_cidr.rsplit(".", 2)[0] in done.stdout

    assert policies
    assert [resolved(OWN, name) for name in ("fateflow", "stranger")] == [True, False]
    assert resolved(ELSEWHERE, "mysql")


def test_the_node_reaches_its_pods_which_are_closed_to_others(party: Party, policies: list[Config]) -> None:
    """Probes come from there, and `kubectl port-forward`."""
    wanted = [("node", f"{OWN}/mysql", MYSQL), ("node", STRANGER, MYSQL), (OTHERS_MYSQL, f"{OWN}/mysql", MYSQL)]
    assert policies
    assert party.opened(wanted) == set(wanted[:2])


def test_a_suspended_peer_is_closed(party: Party, policies: list[Config], tmp_path: Path) -> None:
    wanted = [(f"{OWN}/nginx", party.peer, HTTP), (f"{OWN}/rabbitmq", party.peer, AMQP)]
    assert policies
    assert party.opened(wanted) == set(wanted)
    enforce(party, party.plan(tmp_path / "suspended", "suspended"))
    assert party.opened(wanted) == set()


def tries(party: Party, name: str, labels: Config, target: str) -> int:
    """How often a new pod of the namespace reaches a MySQL in its first ten tries, as fast as it can."""
    once = f"nc -w 1 {party.addresses[target]} {MYSQL} < /dev/null && echo reached"
    new = pod(name, OWN, labels)
    new["spec"]["restartPolicy"] = "Never"
    new["spec"]["containers"][0]["command"] = ["sh", "-c", f"for i in 1 2 3 4 5 6 7 8 9 10; do {once}; done; echo done"]
    party.lab.apply("bank-a", new)
    party.lab.kubectl("bank-a", "wait", "-n", OWN, f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    words = party.lab.sandbox("logs", "bank-a", "-n", OWN, name).split()
    assert words[-1] == "done"
    return words.count("reached")


def test_a_new_pod_is_filtered_from_its_first_packet(party: Party, policies: list[Config]) -> None:
    assert policies
    # Only the new pod's own policy keeps it from a pod that anyone may connect to.
    assert tries(party, "early-stranger", {"app": "stranger"}, OTHERS_MYSQL) == 0
    assert tries(party, "early-member", labels_of("fateflow"), f"{OWN}/mysql") == 10


def test_the_rules_stay_when_the_enforcer_is_killed_and_the_next_one_goes_on(party: Party, policies: list[Config]) -> None:
    wanted = [(f"{OWN}/fateflow", f"{OWN}/mysql", MYSQL), (STRANGER, f"{OWN}/mysql", MYSQL)]
    assert policies
    record = processes.read_record(party.lab.of("bank-a").pid_file("policies"))
    assert record is not None
    assert processes.send(record, signal.SIGKILL)
    while processes.alive(record):
        time.sleep(0.01)
    assert party.opened(wanted) == {wanted[0]}
    assert "bank-a: degraded" in party.lab.sandbox("status")
    party.lab.kubectl("bank-a", "delete", "networkpolicies", "-n", OWN, "--all")
    assert "started policies;" in party.lab.sandbox("up", "bank-a")
    assert party.opened(wanted) == set(wanted), "`up` waits until the new process has applied the policies of now"
    log = party.lab.of("bank-a").log("policies").read_text()
    assert "the rule set of an earlier run stays in force until" in log
    enforce(party, policies)
    assert party.opened(wanted) == {wanted[0]}
