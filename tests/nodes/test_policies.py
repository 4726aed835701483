"""Network policies as the sandbox enforces them, with real packets: pods in network namespaces on a bridge, filtered by the kernel.

Each test states all connections that may open, and tries all of them: what is not named must not open.
"""

import itertools
import random
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.support.node import DB_SERVICE, DNS_SERVICE, FAR, NEIGHBOUR, OTHER_CLUSTER, Node, NodePod, Object
from tests.support.policies import Outside, Pod, passes

pytestmark = pytest.mark.nodes

PODS = (
    NodePod("party", "flow", {"app": "flow", "tier": "inner"}, [("http", "TCP", 80)]),
    NodePod("party", "db", {"app": "db", "tier": "inner"}, [("mysql", "TCP", 3306)]),
    NodePod("party", "stranger", {"app": "stranger"}, [("http", "TCP", 8080)]),
    NodePod("other", "client", {"app": "flow"}, [("http", "TCP", 443)]),
    NodePod("kube-system", "dns", {"k8s-app": "kube-dns"}, [("dns", "UDP", 53)]),
)
NAMES = [pod.name for pod in PODS]
OUTSIDE = [OTHER_CLUSTER, NEIGHBOUR, FAR]
Pair = tuple[str, str]


@pytest.fixture(scope="module")
def made() -> Iterator[Node]:
    """A node with five pods in three namespaces."""
    node = Node(PODS)
    yield node
    node.close()


@pytest.fixture
def node(made: Node) -> Node:
    """The same node, with nothing denied: every connection of these tests opens."""
    made.remove_rules()
    return made


def policy(pods: Object | None = None, namespace: str = "party", name: str = "checked", **spec: Any) -> Object:
    """A policy for the pods with these labels, without for all."""
    selector = {"matchLabels": pods} if pods else {}
    return {"metadata": {"namespace": namespace, "name": name}, "spec": {"podSelector": selector, **spec}}


def open_pairs(node: Node, pairs: Sequence[Pair], port: int = 80, protocol: str = "TCP") -> set[Pair]:
    """Which of these (from, to) connect."""
    results = node.opened([(source, target, port, protocol) for source, target in pairs])
    return {pair for pair, opened in zip(pairs, results, strict=True) if opened}


TO_FLOW: list[Pair] = [(source, "flow") for source in [*NAMES, *OUTSIDE, "node"]]
FROM_FLOW: list[Pair] = [("flow", target) for target in [*NAMES, *OUTSIDE, "node"]]
EVERY: list[Pair] = [*TO_FLOW, *FROM_FLOW, ("db", "stranger"), ("client", "db"), (FAR, "db")]


def names(label: str) -> Object:
    """The selector of a namespace."""
    return {"matchLabels": {"kubernetes.io/metadata.name": label}}


def test_without_policies_every_connection_opens(node: Node) -> None:
    assert open_pairs(node, EVERY) == set(EVERY)
    node.apply([])
    assert open_pairs(node, EVERY) == set(EVERY)


# A pod reaches itself, and its own node reaches it, whatever policies say.
OWN = {("flow", "flow"), ("node", "flow")}
FROM: list[tuple[str, list[Object], set[str]]] = [
    ("nobody", [], set()),
    ("pods of the namespace with a label", [{"podSelector": {"matchLabels": {"app": "db"}}}], {"db"}),
    ("every pod of the namespace", [{"podSelector": {}}], {"db", "stranger"}),
    ("a namespace", [{"namespaceSelector": names("other")}], {"client"}),
    ("pods with a label in every namespace", [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "db"}}}], {"db"}),
    ("pods with a label in one namespace", [{"namespaceSelector": names("other"), "podSelector": {"matchLabels": {"app": "db"}}}], set()),
    ("pods in every namespace", [{"namespaceSelector": {}}], {"db", "stranger", "client", "dns"}),
    (
        "a label with one of some values",
        [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "x"]}]}}],
        {"db"},
    ),
    (
        "a label with none of some values",
        [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]}}],
        {"stranger"},
    ),
    (
        "a label with none of some values, or without it",
        [{"podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["x"]}]}}],
        {"db", "stranger"},
    ),
    ("a label that is there", [{"podSelector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}}], {"db"}),
    ("a label that is not there", [{"podSelector": {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}}], {"stranger"}),
    ("an address of another cluster", [{"ipBlock": {"cidr": f"{OTHER_CLUSTER}/32"}}], {OTHER_CLUSTER}),
    ("a range", [{"ipBlock": {"cidr": "10.200.0.0/24"}}], {OTHER_CLUSTER, NEIGHBOUR, "node"}),
    ("a range but for an address", [{"ipBlock": {"cidr": "10.200.0.0/24", "except": [f"{NEIGHBOUR}/32"]}}], {OTHER_CLUSTER, "node"}),
    ("everywhere but for a range", [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}], {FAR}),
    ("two peers", [{"podSelector": {"matchLabels": {"app": "db"}}}, {"ipBlock": {"cidr": f"{FAR}/32"}}], {"db", FAR}),
]


@pytest.mark.parametrize(("who", "peers", "expected"), FROM, ids=[row[0] for row in FROM])
@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_only_those_that_a_rule_names_may_connect(node: Node, direction: str, who: str, peers: list[Object], expected: set[str]) -> None:
    side, pairs = ("from", TO_FLOW) if direction == "Ingress" else ("to", FROM_FLOW)
    rules = [{side: peers}] if peers else []
    node.apply([policy({"app": "flow"}, policyTypes=[direction], **{direction.lower(): rules})])
    ends = {(one, "flow") if direction == "Ingress" else ("flow", one) for one in expected}
    own = OWN if direction == "Ingress" else {("flow", "flow")}
    assert open_pairs(node, pairs) == ends | own
    # The other direction, and pods that the policy does not select, are as they were.
    others = [pair for pair in EVERY if pair not in pairs]
    assert len(others) > 5
    assert open_pairs(node, others) == set(others)
    node.apply([policy({"app": "flow"}, policyTypes=[direction])])
    assert open_pairs(node, pairs) == own, "without the rule, what it allowed is closed"
    node.apply([])
    assert open_pairs(node, EVERY) == set(EVERY), "without the policy, nothing is"


PORTS: list[tuple[str, list[Object], dict[str, set[int]]]] = [
    ("a number", [{"port": 80}], {"flow": {80}, "db": {80}}),
    ("two numbers", [{"port": 80}, {"protocol": "TCP", "port": 3306}], {"flow": {80, 3306}, "db": {80, 3306}}),
    ("a range", [{"port": 81, "endPort": 3306}], {"flow": {443, 3306}, "db": {443, 3306}}),
    ("a name, which is another number in another pod", [{"port": "http"}], {"flow": {80}, "stranger": {8080}, "client": {443}}),
    ("a name that one pod has", [{"port": "mysql"}], {"db": {3306}}),
    ("a name of another protocol", [{"port": "dns"}], {}),
    ("a protocol", [{"protocol": "TCP"}], {"flow": {80, 443, 3306, 8080}, "db": {80, 443, 3306, 8080}}),
    ("another protocol", [{"protocol": "UDP"}], {}),
]


@pytest.mark.parametrize(("which", "ports", "expected"), PORTS, ids=[row[0] for row in PORTS])
@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_only_the_ports_that_a_rule_names_are_open(
    node: Node, direction: str, which: str, ports: list[Object], expected: dict[str, set[int]]
) -> None:
    node.apply([policy(namespace=pod, policyTypes=[direction], **{direction.lower(): [{"ports": ports}]}) for pod in ("party", "other")])
    wanted = [
        ("dns" if direction == "Ingress" else "stranger" if target == "flow" else "flow", target, port)
        for target in ("flow", "db", "stranger", "client")
        for port in (80, 443, 3306, 8080)
    ]
    found = {(target, port) for (_, target, port), opened in zip(wanted, node.opened(wanted), strict=True) if opened}
    everywhere = not any(isinstance(one.get("port"), str) for one in ports)
    allowed = {
        (target, port) for target in ("flow", "db", "stranger", "client") for port in expected.get("flow" if everywhere else target, set())
    }
    assert found == allowed


def test_policies_add_up_and_none_takes_away_what_another_allows(node: Node) -> None:
    closed = policy(name="closed", policyTypes=["Ingress", "Egress"])
    first = policy({"app": "flow"}, name="first", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "db"}}}]}])
    second = policy({"tier": "inner"}, name="second", ingress=[{"from": [{"ipBlock": {"cidr": f"{FAR}/32"}}]}])
    node.apply([closed, first, second])
    # db may not send: `closed` isolates it for egress, and no policy allows it any.
    assert open_pairs(node, TO_FLOW) == {(FAR, "flow"), *OWN}
    node.apply([closed, first, second, policy({"app": "db"}, name="third", policyTypes=["Egress"], egress=[{}])])
    assert open_pairs(node, TO_FLOW) == {(FAR, "flow"), ("db", "flow"), *OWN}


def test_a_connection_needs_both_ends(node: Node) -> None:
    out = policy({"app": "flow"}, name="out", policyTypes=["Egress"], egress=[{"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]}])
    into = policy(
        {"app": "db"}, name="in", policyTypes=["Ingress"], ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "stranger"}}}]}]
    )
    pairs = [("flow", "db"), ("stranger", "db"), ("flow", "stranger")]
    node.apply([out])
    assert open_pairs(node, pairs) == {("flow", "db"), ("stranger", "db")}
    node.apply([into])
    assert open_pairs(node, pairs) == {("stranger", "db"), ("flow", "stranger")}
    node.apply([out, into])
    assert open_pairs(node, pairs) == {("stranger", "db")}


def test_policies_see_pods_behind_services_and_the_true_address_of_who_calls(node: Node) -> None:
    node.apply([policy({"app": "db"}, policyTypes=["Ingress"], ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "flow"}}}]}])])
    assert node.opened([("flow", DB_SERVICE, 3306), ("stranger", DB_SERVICE, 3306), ("client", DB_SERVICE, 3306)]) == [True, False, False]
    # A node port: the node replaces the caller's address only after the filter.
    callers = [(source, "node", 3306) for source in OUTSIDE]
    assert node.opened(callers) == [False, False, False]
    node.apply([policy({"app": "db"}, policyTypes=["Ingress"], ingress=[{"from": [{"ipBlock": {"cidr": f"{OTHER_CLUSTER}/32"}}]}])])
    assert node.opened(callers) == [True, False, False]
    # Through its own Service a pod reaches itself.
    node.apply([policy({"app": "db"}, policyTypes=["Ingress", "Egress"])])
    assert node.opened([("db", DB_SERVICE, 3306), ("flow", DB_SERVICE, 3306)]) == [True, False]


def test_names_are_resolved_through_the_address_of_a_service(node: Node) -> None:
    ask = [("flow", DNS_SERVICE, 53, "UDP"), ("flow", "client", 53, "UDP"), (FAR, "flow", 53, "UDP")]
    assert node.opened(ask) == [True, True, True]
    node.apply([policy(policyTypes=["Ingress", "Egress"])])
    assert node.opened(ask) == [False, False, False]
    dns = {"to": [{"namespaceSelector": names("kube-system")}], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    node.apply([policy(policyTypes=["Ingress", "Egress"], egress=[dns])])
    assert node.opened(ask) == [True, False, False]


def test_a_pod_that_may_not_leave_does_not_reach_its_node_which_reaches_the_pod(node: Node) -> None:
    node.apply([policy(policyTypes=["Ingress", "Egress"])])
    # The API server is on the node, at the port of a Service that kube-proxy leads there.
    assert open_pairs(node, [("flow", "node"), ("client", "node"), ("node", "flow")], 443) == {("client", "node"), ("node", "flow")}


def test_a_pod_whose_address_is_not_known_yet_reaches_nothing_and_is_reached_by_its_node_only(node: Node) -> None:
    starting = [item for item in node.objects() if item["metadata"]["name"] != "flow"]
    node.apply([], starting)
    assert open_pairs(node, EVERY) == set(EVERY) - set(TO_FLOW) - set(FROM_FLOW) | OWN


def test_ipv6_is_filtered_like_ipv4(node: Node) -> None:
    pairs = [("db", "flow/6"), ("stranger", "flow/6"), ("client", "flow/6"), ("node", "flow/6")]
    assert open_pairs(node, pairs) == set(pairs)
    node.apply(
        [policy({"app": "flow"}, ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "db"}}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}]}])]
    )
    assert open_pairs(node, pairs) == {("db", "flow/6"), ("node", "flow/6")}
    node.apply([policy({"app": "flow"}, ingress=[{"from": [{"ipBlock": {"cidr": "::/0", "except": [f"{node.address('db', 6)}/128"]}}]}])])
    assert open_pairs(node, pairs) == {("stranger", "flow/6"), ("client", "flow/6"), ("node", "flow/6")}


def test_pods_do_not_reach_each_other_by_addresses_that_nobody_assigned(node: Node) -> None:
    words = node.namespaces[NAMES.index("flow")].run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link").split()
    link_local = words[words.index("inet6") + 1].partition("/")[0]
    wanted = [("client", f"{link_local}%eth0", 80)]
    assert node.opened(wanted) == [True]
    node.apply([])
    assert node.opened(wanted) == [False]


def test_a_connection_that_is_open_continues_and_a_new_one_obeys(node: Node) -> None:
    client = node.namespaces[NAMES.index("client")].inside(lambda: socket.create_connection((node.address("flow"), 80), 1))
    client.settimeout(1)
    node.apply([policy(policyTypes=["Ingress", "Egress"])])
    client.sendall(b"still here")
    assert client.recv(100) == b"still here"
    assert open_pairs(node, [("client", "flow")]) == set()


def test_a_thousand_peers_change_quickly_and_filter_as_one_does(node: Node) -> None:
    blocks = [{"ipBlock": {"cidr": f"10.{20 + at // 250}.{at % 250}.7/32"}} for at in range(1000)]
    rules = [{"from": [block], "ports": [{"port": 80}]} for block in [*blocks, {"ipBlock": {"cidr": f"{FAR}/32"}}]]
    text = node.apply([policy({"app": "flow"}, ingress=rules)])
    assert open_pairs(node, TO_FLOW) == {(FAR, "flow"), *OWN}
    (chain,) = (block for block in text.split("  chain ") if block.startswith("ingress/party/checked "))
    assert chain.count("accept") == 1, "one lookup, however many peers"


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_kernel_does_what_the_documentation_of_policies_says(node: Node, seed: int) -> None:
    """Random policies, against the model of their semantics in tests/support/policies.py, which other tests trust."""
    chance = random.Random(seed)
    policies = [drawn(chance, at) for at in range(chance.randint(2, 6))]
    node.apply(policies)
    ends = [*NAMES, *OUTSIDE]
    wanted = [
        (source, target, port, protocol)
        for source, target in itertools.permutations(ends, 2)
        if not {source, target} <= set(OUTSIDE)
        for port, protocol in ((80, "TCP"), (3306, "TCP"), (53, "UDP"))
    ]
    expected = [passes(policies, side(source), side(target), port, protocol) for source, target, port, protocol in wanted]
    assert {True, False} == set(expected), "a draw that decides nothing: choose another seed"
    found = node.opened(wanted)
    assert [one for one, a, b in zip(wanted, expected, found, strict=True) if a != b] == []


def side(name: str) -> Pod | Outside:
    """An end of a connection, as the model has it."""
    found = [pod for pod in PODS if pod.name == name]
    return Pod(found[0].namespace, tuple(found[0].labels.items())) if found else Outside(name)


def drawn(chance: random.Random, at: int) -> Object:
    """A policy with what chance chose."""
    labels = [{"matchLabels": {"app": app}} for app in ("flow", "db", "stranger")] + [{}, {"matchLabels": {"tier": "inner"}}]
    spaces = [{}, names("other"), names("party"), names("kube-system")]
    blocks = [
        {"cidr": f"{FAR}/32"},
        {"cidr": "10.200.0.0/24"},
        {"cidr": "10.200.0.0/16", "except": [f"{NEIGHBOUR}/32"]},
        {"cidr": "192.0.0.0/8", "except": ["192.0.2.64/30"]},
    ]

    def peer() -> Object:
        pods, spaces_of = {"podSelector": chance.choice(labels)}, {"namespaceSelector": chance.choice(spaces)}
        return chance.choice([pods, spaces_of, pods | spaces_of, {"ipBlock": chance.choice(blocks)}])

    def rule(side_of: str) -> Object:
        ports = chance.choice(
            [None, [], [{"port": 80}], [{"protocol": "UDP", "port": 53}], [{"port": 80, "endPort": 5000}, {"protocol": "UDP"}]]
        )
        peers = chance.choice([None, [peer()], [peer(), peer()], [peer(), peer()]])
        return ({} if ports is None else {"ports": ports}) | ({} if peers is None else {side_of: peers})

    types = chance.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"], ["Ingress", "Egress"]])
    sides = {"Ingress": "from", "Egress": "to"}
    rules = {one.lower(): [rule(sides[one]) for _ in range(chance.randint(0, 3))] for one in types}
    where = chance.choice(["party", "party", "party", "other", "kube-system"])
    return (
        policy(namespace=where, name=f"drawn-{at}", policyTypes=types, **rules) | {}
        if chance.random() < 0.5
        else {
            "metadata": {"namespace": where, "name": f"drawn-{at}"},
            "spec": {"podSelector": chance.choice(labels), "policyTypes": types, **rules},
        }
    )
