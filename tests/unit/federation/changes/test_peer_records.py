"""A stack with many peers: what it records of them, what a preview says of each, and files and policies that mean the same."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from federation.access.network_policy import _by_ports
from federation.base.errors import SHOWN
from federation.base.scalars import MANY_PEERS
from federation.changes.peers import peer_changes, peer_records
from federation.links.native.files import HostPort, rollsite_route_table
from federation.peers.accepted import Peer, Peers
from federation.stack.limits import _entries
from federation.stack.plan import StackPlan, plan_stack
from tests.support.configs import OSX_EXCHANGE, ROLLSITE_EXCHANGE, Case, party_descriptor


def planned(case: Case, count: int, folder: Path, engine: str = "Eggroll") -> StackPlan:
    """The plan of an exchange with this many members, of which one listens at another port and one has a name only."""
    loaded = case.load(folder)
    bodies = [party_descriptor(str(20000 + n), f"member-{n}", host=f"203.0.{n // 250}.{n % 250 + 1}", engine=engine) for n in range(count)]
    endpoint = next(iter(bodies[0].endpoints))
    changed = {0: {"ports": {"grpc": 9999}}, 1: {"host": "member.example", "addresses": ()}}
    for number, update in changed.items():
        other = bodies[number].endpoints[endpoint].model_copy(update=update)
        bodies[number] = bodies[number].model_copy(update={"endpoints": {endpoint: other}})
    peers = Peers(tuple(Peer(body.organization, body, "active") for body in bodies), {})
    return plan_stack(loaded.spec, replace(peers, problems=loaded.peers.problems))


def egress(plan: StackPlan, name: str) -> list[dict[str, Any]]:
    """The egress rules of one policy."""
    (found,) = [policy.fields["spec"]["egress"] for policy in plan.units[0].policies if policy.role == f"policy-{name}"]
    return found  # type: ignore[no-any-return]


def test_a_record_says_what_a_peer_is_its_state_and_where_it_is_reached() -> None:
    peer = Peer("clinic-b", party_descriptor(), "suspended")
    record = peer_records([peer])["clinic-b"]
    assert re.fullmatch(r"party 10000, suspended, nginx 203.0.113.21:9300, pulsar 203.0.113.20:6651, descriptor [0-9a-f]{8}", record)


def test_a_record_changes_with_the_addresses_behind_a_name_and_with_whatever_else_a_descriptor_says() -> None:
    def record(**changes: Any) -> str:
        body = party_descriptor()
        nginx = body.endpoints["nginx"].model_copy(update={"host": "fate.clinic-b.example", "addresses": changes.pop("addresses", ())})
        whole = body.model_copy(update={"endpoints": {**body.endpoints, "nginx": nginx}, **changes})
        return peer_records([Peer("clinic-b", whole, "active")])["clinic-b"]

    assert "nginx fate.clinic-b.example (203.0.113.21, 203.0.113.22):9300" in record(addresses=("203.0.113.21", "203.0.113.22"))
    assert len({record(), record(addresses=("203.0.113.21",)), record(addresses=("203.0.113.66",)), record(release="1.10.0")}) == 4


def test_each_peer_that_comes_goes_or_changes_is_named() -> None:
    old = {"bank-a": "party 9999, active", "bank-b": "party 9998, active", "bank-c": "party 9997, active"}
    new = {"bank-a": "party 9999, active", "bank-b": "party 9998, suspended", "bank-d": "party 9996, active"}
    assert dict(peer_changes(old, new)) == {
        "bank-b": "peer bank-b changes: it was party 9998, active; it is party 9998, suspended",
        "bank-c": "peer bank-c goes: it was party 9997, active",
        "bank-d": "peer bank-d comes: party 9996, active",
    }
    assert list(peer_changes(old, old)) == []


def test_of_thousands_of_changed_peers_fifty_are_named_and_the_rest_is_counted_by_what_happens_to_it() -> None:
    old = {f"bank-{n:04}": "party 1, active" for n in range(3000)}
    new = {name: "party 1, suspended" for name in list(old)[:2000]} | {f"clinic-{n}": "party 2, active" for n in range(7)}
    lines = list(peer_changes(old, new))
    assert [name for name, _ in lines] == [*sorted(old)[:SHOWN], sorted(old)[SHOWN - 1]]
    rest = "and 2957 more peers (1950 change, 7 come, 1000 go)"
    assert lines[-1][1] == f"{rest}: `pulumi preview --diff` shows each, under external-peers"
    just = {name: old[name] for name in sorted(old)[:SHOWN]}
    assert len(list(peer_changes({}, just))) == SHOWN, "nothing is counted when each is named"


@pytest.mark.parametrize(("case", "engine"), [(ROLLSITE_EXCHANGE, "Eggroll"), (OSX_EXCHANGE, "OSX")], ids=str)
def test_a_route_file_of_many_peers_is_shorter_and_says_the_same(case: Case, engine: str, tmp_path: Path) -> None:
    few, many = (planned(case, count, tmp_path / str(count), engine) for count in (MANY_PEERS - 1, MANY_PEERS + 1))
    texts = [plan.units[0].routes[0].fields["data"]["route_table.json"] for plan in (few, many)]
    tables = [json.loads(text) for text in texts]
    assert {key: value for key, value in tables[0].items() if key != "route_table"} == {
        key: value for key, value in tables[1].items() if key != "route_table"
    }
    assert tables[0]["route_table"].items() <= tables[1]["route_table"].items()
    assert [_entries(text) for text in texts] == [len(table["route_table"]) for table in tables]
    assert len(tables[1]["route_table"]) > MANY_PEERS
    assert len(texts[1]) < len(texts[0]) * 0.7


@pytest.mark.parametrize(("count", "form"), [(MANY_PEERS, "spread"), (MANY_PEERS + 1, "a line per party")], ids=str)
def test_a_route_file_counts_its_entries_to_which_the_default_route_belongs(count: int, form: str) -> None:
    entries = {str(10000 + n): {"default": HostPort("203.0.113.1", 9370)} for n in range(count - 1)}
    lines = rollsite_route_table({**entries, "default": entries["10000"]}).splitlines()
    assert ('    "default": {"default": [{"ip": "203.0.113.1", "port": 9370}]}' in lines) == (form == "a line per party")
    assert ('    "default": {' in lines) == (form == "spread")


def test_a_policy_towards_many_peers_has_a_rule_for_each_port_and_opens_nothing_more(tmp_path: Path) -> None:
    many = planned(ROLLSITE_EXCHANGE, MANY_PEERS + 20, tmp_path / "many")
    for name in ("peers-rollsite", "doctor"):
        rules = egress(many, name)
        assert len(rules) < 10, name
        apart = [{"cidr": f"203.0.0.{n + 1}/32"} for n in range(MANY_PEERS + 20) if n != 1]
        reached = {(json.dumps({"ipBlock": block}), 9999 if n == 0 else 9370) for n, block in enumerate(apart)}
        told = {(json.dumps(to), rule["ports"][0]["port"]) for rule in rules for to in rule.get("to", []) if "except" not in str(to)}
        assert reached <= told, name
        strangers = {where for where, port in told - reached if port in (9999, 9370)}
        assert strangers == set(), name


def test_a_rule_that_is_open_beyond_addresses_or_ports_stays_apart() -> None:
    ports = [{"protocol": "TCP", "port": 9370}]
    to = [{"ipBlock": {"cidr": f"203.0.113.{n}/32"}} for n in range(3)]
    anywhere = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}], "ports": ports}
    pods = {"to": [{"podSelector": {}}]}
    rules = [{"to": [to[0]], "ports": ports}, {"ports": ports}, anywhere, pods, {"to": [to[1], to[2]], "ports": ports}]
    assert _by_ports(rules) == [{"ports": ports}, anywhere, pods, {"to": to, "ports": ports}]


def test_a_peer_that_gives_addresses_at_last_cuts_nobody_else(tmp_path: Path) -> None:
    """The one that is known by name only opens its port to everywhere: what that opens and closes is said of it alone."""
    plan = planned(ROLLSITE_EXCHANGE, MANY_PEERS + 20, tmp_path)
    assert "203.0.0.3" not in json.dumps({k: v for k, v in plan.units[0].recorded.items() if k != "links"})
