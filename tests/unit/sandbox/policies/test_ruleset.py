"""The text that nft gets: which addresses are in which set, and what is refused instead of let through. tests/nodes has the packets."""

import copy
import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.stack.load import load_stack
from sandbox.policies.model import PolicyError
from sandbox.policies.ranges import Range, merged, without
from sandbox.policies.ruleset import ruleset
from tests.support.configs import EVERY_CASE, Case
from tests.support.stacks import EXAMPLES

Object = dict[str, Any]
NODE = {"metadata": {"name": "node-a"}, "spec": {"podCIDRs": ["10.50.0.0/24"]}}
NAMESPACES = [{"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}} for name in ("party", "other")]
# Every field that a policy may have.
WHOLE: Object = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "whole", "namespace": "party"},
    "spec": {
        "podSelector": {"matchLabels": {"app": "db"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["inner"]}]},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {
                "from": [{"podSelector": {}, "namespaceSelector": {}}, {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.7/32"]}}],
                "ports": [{"protocol": "TCP", "port": 80, "endPort": 90}, {"port": "http"}],
            }
        ],
        "egress": [{"to": [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}], "ports": [{"protocol": "UDP"}]}],
    },
}


def pod(name: str, address: str | None, labels: Object | None = None, namespace: str = "party", **changes: Any) -> Object:
    """A pod of the node; `changes` of its spec."""
    spec = {"nodeName": "node-a", "containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]} | changes
    status = {"phase": "Running"} | ({} if address is None else {"podIP": address})
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels or {"app": name}}, "spec": spec, "status": status}


def policy(name: str = "checked", **spec: Any) -> Object:
    """A policy of the namespace `party` for all of its pods."""
    return {"metadata": {"name": name, "namespace": "party"}, "spec": {"podSelector": {}, **spec}}


def elements(text: str, name: str) -> list[str]:
    """What a set or map of the rule set holds."""
    found = re.search(rf"^  (?:set|map) {re.escape(name)} {{\n(.*?)^  }}", text, re.MULTILINE | re.DOTALL)
    assert found, f"no set {name} in\n{text}"
    listed = re.search(r"elements = {(.*)}", found[1], re.DOTALL)
    return [one.strip() for one in listed[1].split(",")] if listed else []


def chain(text: str, name: str) -> list[str]:
    """The rules of a chain."""
    found = re.search(rf"^  chain {re.escape(name)} {{\n(.*?)^  }}", text, re.MULTILINE | re.DOTALL)
    assert found, f"no chain {name} in\n{text}"
    return [line.strip() for line in found[1].splitlines()]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_policy_of_the_examples_is_enforced_whole(path: Path) -> None:
    policies = [manifest.document() for unit in load_stack(path).plan.units for manifest in unit.policies]
    assert len(policies) >= 3
    text = ruleset(policies, [], NAMESPACES, NODE)
    for one in policies:
        for direction in one["spec"]["policyTypes"]:
            rules = chain(text, f"{direction.lower()}/{one['metadata']['namespace']}/{one['metadata']['name']}")
            assert bool(rules) >= any(not (rule.get("from") or rule.get("to")) for rule in one["spec"][direction.lower()])


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_no_policy_of_any_case_has_a_field_that_would_be_ignored(case: Case, tmp_path: Path) -> None:
    policies = [manifest.document() for unit in case.load(tmp_path).plan.units for manifest in unit.policies]
    ruleset(policies, [], NAMESPACES, NODE)
    if policies:
        policies[-1]["spec"]["podSelector"]["matchFields"] = {}
        with pytest.raises(PolicyError, match="matchFields"):
            ruleset(policies, [], NAMESPACES, NODE)


def test_the_cases_have_policies(tmp_path: Path) -> None:
    with_policies = [case for at, case in enumerate(EVERY_CASE) if any(u.policies for u in case.load(tmp_path / str(at)).plan.units)]
    assert len(with_policies) > 10


def objects_inside(value: Any) -> Iterator[Object]:
    """Every mapping with fields of the API: not labels, whose keys are free, and not metadata."""
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key not in ("matchLabels", "metadata"):
                yield from objects_inside(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects_inside(inner)


PLACES = len(list(objects_inside(WHOLE)))


@pytest.mark.parametrize("at", range(PLACES))
def test_a_field_that_is_not_enforced_is_an_error_wherever_it_is(at: int) -> None:
    assert PLACES >= 15
    changed = copy.deepcopy(WHOLE)
    ruleset([changed], [], NAMESPACES, NODE)
    list(objects_inside(changed))[at]["newField"] = {}
    with pytest.raises(PolicyError, match=r"^NetworkPolicy party/whole: ?.*does not know the field 'newField'"):
        ruleset([changed], [], NAMESPACES, NODE)


WRONG: list[tuple[Object, str]] = [
    ({"policyTypes": ["Ingress", "Sideways"]}, "policyTypes: 'Sideways'"),
    ({"ingress": [{"from": [{}]}]}, r"ingress\[0\].from\[0\]: selects nothing"),
    ({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}]}, "ipBlock stands beside a selector"),
    ({"ingress": [{}, {"from": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]}]}, r"ingress\[1\].from\[0\].ipBlock.cidr: '10.0.0.0/33'"),
    ({"ingress": [{"from": [{"ipBlock": {"cidr": "::/0", "except": ["x"]}}]}]}, r"except\[0\]: 'x'"),
    ({"ingress": [{"to": []}]}, "the field 'to'"),
    ({"ingress": [{"ports": [{"protocol": "ICMP"}]}]}, r"ports\[0\].protocol: 'ICMP'"),
    ({"ingress": [{"ports": [{"endPort": 90}]}]}, "endPort: needs a port"),
    ({"ingress": [{"ports": [{"port": "http", "endPort": 90}]}]}, "endPort: needs a port"),
    ({"podSelector": {"matchExpressions": [{"key": "a", "operator": "Like", "values": ["b"]}]}}, "operator: 'Like'"),
]


@pytest.mark.parametrize(("spec", "problem"), WRONG, ids=[row[1] for row in WRONG])
def test_a_value_that_is_not_understood_is_refused(spec: Object, problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        ruleset([policy(**spec)], [], NAMESPACES, NODE)


def test_all_problems_are_told_together() -> None:
    with pytest.raises(PolicyError) as raised:
        ruleset([policy("a", **WRONG[0][0]), policy("fine"), policy("b", **WRONG[1][0])], [], NAMESPACES, NODE)
    assert [line.split(":")[0] for line in str(raised.value).splitlines()] == ["NetworkPolicy party/a", "NetworkPolicy party/b"]


@pytest.mark.parametrize(
    ("spec", "directions"),
    [
        ({}, {"ingress"}),
        ({"ingress": [{}]}, {"ingress"}),
        ({"egress": [{}]}, {"ingress", "egress"}),
        ({"egress": []}, {"ingress"}),
        ({"policyTypes": ["Egress"]}, {"egress"}),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, {"egress"}),
        ({"policyTypes": ["Ingress", "Egress"]}, {"ingress", "egress"}),
    ],
)
def test_a_pod_is_isolated_in_the_directions_that_a_policy_has(spec: Object, directions: set[str]) -> None:
    text = ruleset([policy(**spec)], [pod("db", "10.50.0.2")], NAMESPACES, NODE)
    assert {one for one in ("ingress", "egress") if elements(text, f"{one}4")} == directions


def test_only_pods_of_the_node_with_an_address_of_their_own_are_isolated() -> None:
    ended = pod("ended", "10.50.0.5")
    ended["status"]["phase"] = "Succeeded"
    pods = [
        pod("db", "10.50.0.2"),
        pod("starting", None),
        pod("agent", "10.200.0.10", hostNetwork=True),
        pod("away", "10.51.0.2", nodeName="node-b"),
        ended,
    ]
    text = ruleset([policy(ingress=[{"from": [{"podSelector": {}}]}])], pods, NAMESPACES, NODE)
    assert elements(text, "ingress4") == ["10.50.0.2 : goto ingress-0"]
    # A pod of another node may connect; a pod in a node's network is the node.
    assert elements(text, "ingress/party/checked/0-4") == ["10.50.0.2", "10.51.0.2"]


def test_an_address_belongs_to_the_younger_of_two_pods() -> None:
    old, young = pod("old", "10.50.0.2"), pod("young", "10.50.0.2")
    old["metadata"]["creationTimestamp"], young["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"
    only_old = policy() | {"spec": {"podSelector": {"matchLabels": {"app": "old"}}}}
    assert elements(ruleset([only_old], [young, old], NAMESPACES, NODE), "ingress4") == []
    assert elements(ruleset([only_old], [old], NAMESPACES, NODE), "ingress4") == ["10.50.0.2 : goto ingress-0"]


def test_pods_with_the_same_policies_share_a_chain_and_others_do_not() -> None:
    one = policy("one") | {"spec": {"podSelector": {"matchLabels": {"app": "db"}}}}
    pods = [pod("db", "10.50.0.2"), pod("db-2", "10.50.0.3", {"app": "db"}), pod("web", "10.50.0.4")]
    text = ruleset([policy("all"), one], pods, NAMESPACES, NODE)
    assert elements(text, "ingress4") == ["10.50.0.2 : goto ingress-0", "10.50.0.3 : goto ingress-0", "10.50.0.4 : goto ingress-1"]
    assert chain(text, "ingress-0") == ["jump ingress/party/all", "jump ingress/party/one", "counter drop"]
    assert chain(text, "ingress-1") == ["jump ingress/party/all", "counter drop"]


def test_a_named_port_is_what_each_pod_calls_so_also_a_sidecar() -> None:
    sidecar = {"restartPolicy": "Always", "ports": [{"name": "http", "containerPort": 9000}]}
    once = {"ports": [{"name": "http", "containerPort": 9999}]}
    pods = [pod("db", "10.50.0.2"), pod("web", "10.50.0.3", initContainers=[sidecar, once])]
    text = ruleset([policy(ingress=[{"ports": [{"port": "http"}]}])], pods, NAMESPACES, NODE)
    assert elements(text, "port/tcp/http-4") == ["10.50.0.2 . 8080", "10.50.0.3 . 8080", "10.50.0.3 . 9000"]


def test_a_named_port_has_the_protocol_of_its_rule() -> None:
    pods = [pod("dns", "10.50.0.2", containers=[{"ports": [{"name": "dns", "protocol": "UDP", "containerPort": 53}]}])]
    text = ruleset([policy(ingress=[{"ports": [{"port": "dns"}, {"protocol": "UDP", "port": "dns"}]}])], pods, NAMESPACES, NODE)
    assert elements(text, "port/tcp/dns-4") == []
    assert elements(text, "port/udp/dns-4") == ["10.50.0.2 . 53"]


def test_rules_with_equal_ports_are_one_lookup_and_ranges_do_not_overlap() -> None:
    blocks = [{"cidr": "192.0.2.0/24", "except": ["192.0.2.7/32"]}, {"cidr": "192.0.2.128/25"}, {"cidr": "198.51.100.0/24"}]
    rules = [{"from": [{"ipBlock": block}], "ports": [{"port": 80}]} for block in blocks]
    text = ruleset([policy(ingress=rules)], [pod("db", "10.50.0.2")], NAMESPACES, NODE)
    assert chain(text, "ingress/party/checked") == ["ip saddr @ingress/party/checked/0-4 tcp dport { 80 } accept"]
    expected = ["192.0.2.0-192.0.2.6", "192.0.2.8-192.0.2.255", "198.51.100.0-198.51.100.255"]
    assert elements(text, "ingress/party/checked/0-4") == expected


def test_the_order_of_objects_does_not_matter() -> None:
    policies = [WHOLE, policy("a"), policy("b", egress=[{}])]
    pods = [pod(f"pod-{at}", f"10.50.0.{at}", {"app": "db", "tier": "inner"}) for at in range(2, 12)]
    texts = set()
    for seed in range(5):
        for some in (policies, pods):
            random.Random(seed).shuffle(some)
        texts.add(ruleset(policies, pods, NAMESPACES, NODE))
    assert len(texts) == 1


def test_policies_with_long_names_keep_chains_of_their_own() -> None:
    long = "x" * 240
    text = ruleset([policy(f"{long}-a"), policy(f"{long}-b")], [pod("db", "10.50.0.2")], NAMESPACES, NODE)
    names = re.findall(r"jump (ingress/\S+)", text)
    assert len(set(names)) == 2
    assert max(map(len, names)) <= 100


def test_only_a_table_of_the_sandbox_is_replaced_and_in_one_transaction() -> None:
    text = ruleset([WHOLE], [pod("db", "10.50.0.2")], NAMESPACES, NODE)
    commands = [line for line in text.splitlines() if line and not line.startswith((" ", "}"))]
    table = "table inet sandbox-policies"
    assert commands == [f"add {table}", f"delete {table}", f"{table} {{"]


RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15)).map(lambda pair: (pair[0], sum(pair))), max_size=6)


def numbers(ranges: list[Range]) -> set[int]:
    """What the ranges hold."""
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(RANGES, RANGES)
def test_ranges_without_others_hold_exactly_what_is_left(ranges: list[Range], holes: list[Range]) -> None:
    left = merged(pair for whole in ranges for pair in without(whole, holes))
    assert numbers(left) == numbers(ranges) - numbers(holes)
    assert all(first <= last for first, last in left)
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(left)), "nft refuses elements that overlap"
