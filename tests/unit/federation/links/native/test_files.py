"""Route files: their exact text, and what must hold for every stack (invariants 2 and 3 of the design)."""

import ipaddress
import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from federation.base.live import live_values
from federation.base.naming import PULSAR_TRUST
from federation.links.native.files import (
    TOMBSTONE_HOST,
    TOMBSTONE_PORT,
    NginxTarget,
    PulsarTarget,
    nginx_route_table,
    pulsar_route_table,
    records_config,
    sni,
)
from federation.links.next_hops import Address, dialled_host, tunnel_host
from federation.peers.accepted import Peer
from federation.stack.plan import StackPlan, plan_stack
from federation.units.unit import UnitPlan
from tests.support.configs import (
    BY_HAND,
    BY_HAND_EXCHANGE,
    CASES,
    CLINIC,
    DOMAIN,
    EVERY_CASE,
    EXCHANGE,
    LOCAL,
    MESH,
    MESH_OF_TWO,
    MESH_SUSPENDED,
    NAMED_NGINX,
    OSX_MESH,
    RABBITMQ_MESH,
    RETIRED,
    ROLLSITE_EXCHANGE,
    SERVING_EXCHANGE,
    STAR_PARTY,
    SUSPENDED,
    SUSPENDED_EXCHANGE,
    Case,
    Config,
    exchange,
    exchange_descriptor,
    node_port,
    party,
    party_descriptor,
)
from tests.support.trust import trusting

PARTY_PULSAR = """\
9999:
  host: pulsar
  port: 6650
  sslPort: 6651
  proxy: ""
"""
PARTY_NGINX = """\
9999:
  fateflow:
    - host: <known-after-up:fate-9999/fateflow-client.clusterIP>
      http_port: 9380
  proxy:
    - host: <known-after-up:fate-9999/nginx.clusterIP>
      http_port: 9300
"""


def files(plan: StackPlan) -> dict[str, dict[str, str]]:
    """Every route file: {unit: {file: text}}; without what stands beside Pulsar's (tests/unit/federation/trust/test_plan.py)."""
    found = {unit.key: {name: text for manifest in unit.routes for name, text in manifest.fields["data"].items()} for unit in plan.units}
    return {key: {name: text for name, text in texts.items() if name != PULSAR_TRUST} for key, texts in found.items()}


def tables(texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Every route table of a unit as data, {file: {party id or `default`: routes}}; Traffic Server's files are none."""
    found = {name: yaml.safe_load(text) or {} for name, text in texts.items() if name.endswith("route_table.yaml")}
    found |= {name: json.loads(text)["route_table"] for name, text in texts.items() if name == "route_table.json"}
    return {name: {str(key): routes for key, routes in table.items()} for name, table in found.items()}


def connect_ports(text: str) -> list[int]:
    """The ports that Traffic Server may connect to."""
    lines = [line.split() for line in text.splitlines() if "proxy.config.http.connect_ports " in line]
    assert len(lines) == 1, text
    assert lines[0][2] == "STRING", text
    return [int(port) for port in lines[0][3:]]


def test_a_party_of_a_star_knows_itself_and_the_exchange(tmp_path: Path) -> None:
    texts = files(STAR_PARTY.load(tmp_path).plan)["party-9999"]
    assert texts == {
        "pulsar_route_table.yaml": PARTY_PULSAR
        + """\
default:
  proxy: "198.51.100.4:443"
  domain: "fraud.example"
  brokerPort: 6650
  brokerSslPort: 6651
""",
        "route_table.yaml": PARTY_NGINX
        + """\
default:
  proxy:
    - host: 198.51.100.5
      http_port: 9300
""",
    }


def test_an_exchange_leads_to_each_member(tmp_path: Path) -> None:
    texts = files(EXCHANGE.load(tmp_path).plan)["exchange"]
    assert set(texts) == {"sni.yaml", "records.config", "route_table.yaml"}
    assert (
        texts["sni.yaml"]
        == """\
sni:
  - fqdn: 9999.fraud.example
    tunnel_route: 203.0.113.10:31001
  - fqdn: 10000.fraud.example
    tunnel_route: 203.0.113.20:6651
"""
    )
    assert (
        texts["route_table.yaml"]
        == """\
9999:
  fateflow:
    - host: 203.0.113.11
      http_port: 9300
10000:
  fateflow:
    - host: 203.0.113.21
      http_port: 9300
"""
    )


def test_a_stack_with_exchange_and_party_links_them_by_cluster_addresses(tmp_path: Path) -> None:
    texts = files(LOCAL.load(tmp_path).plan)
    assert (
        texts["exchange"]["sni.yaml"]
        == """\
sni:
  - fqdn: 9999.fraud.example
    tunnel_route: <known-after-up:fate-9999/pulsar-public-tls.clusterIP>:6651
  - fqdn: 10000.fraud.example
    tunnel_route: 203.0.113.20:6651
"""
    )
    assert (
        texts["exchange"]["route_table.yaml"]
        == """\
9999:
  fateflow:
    - host: <known-after-up:fate-9999/nginx.clusterIP>
      http_port: 9300
10000:
  fateflow:
    - host: 203.0.113.21
      http_port: 9300
"""
    )
    assert (
        texts["party-9999"]["pulsar_route_table.yaml"]
        == PARTY_PULSAR
        + """\
default:
  proxy: "<known-after-up:fate-exchange/traffic-server.clusterIP>:443"
  domain: "fraud.example"
  brokerPort: 6650
  brokerSslPort: 6651
"""
    )
    assert (
        texts["party-9999"]["route_table.yaml"]
        == PARTY_NGINX
        + """\
10000:
  fateflow:
    - host: <known-after-up:fate-exchange/nginx.clusterIP>
      http_port: 9300
default:
  proxy:
    - host: <known-after-up:fate-exchange/nginx.clusterIP>
      http_port: 9300
"""
    )


PEER_BY_ADDRESS = """\
10000:
  host: 203.0.113.20
  port: 6650
  sslPort: 6651
  proxy: ""
"""
# The name is asked for at that address, as by a proxy, and compared with the one in the certificate.
PEER_BY_NAME = """\
10000:
  host: 10000.fraud.example
  port: 6650
  sslPort: 6651
  proxy: "203.0.113.20:6651"
"""


@pytest.mark.parametrize(
    ("case", "peer"), [(MESH, PEER_BY_NAME), (trusting(MESH, "9999"), PEER_BY_ADDRESS)], ids=["one CA for all", "a CA for each"]
)
def test_a_party_of_a_mesh_leads_to_each_peer_itself(tmp_path: Path, case: Case, peer: str) -> None:
    assert files(case.load(tmp_path).plan)["party-9999"] == {
        "pulsar_route_table.yaml": PARTY_PULSAR + peer,
        "route_table.yaml": PARTY_NGINX
        + """\
10000:
  fateflow:
    - host: 203.0.113.21
      http_port: 9300
""",
    }


def test_two_parties_of_one_stack_in_a_mesh_know_each_other(tmp_path: Path) -> None:
    texts = files(MESH_OF_TWO.load(tmp_path).plan)
    assert set(texts) == {"party-9998", "party-9999"}
    for own, other in itertools.permutations(("9998", "9999")):
        pulsars = yaml.safe_load(texts[f"party-{own}"]["pulsar_route_table.yaml"])
        assert set(pulsars) == {9998, 9999, 10000}
        assert pulsars[int(other)]["proxy"] == f"<known-after-up:fate-{other}/pulsar-public-tls.clusterIP>:6651"
        assert pulsars[int(other)]["sslPort"] == 6651
        routes = yaml.safe_load(texts[f"party-{own}"]["route_table.yaml"])
        assert routes[int(other)]["fateflow"][0]["host"] == f"<known-after-up:fate-{other}/nginx.clusterIP>"


TOMBSTONE = """\
10000:
  fateflow:
    - host: 127.0.0.1
      http_port: 1
"""


@pytest.mark.parametrize("case", [SUSPENDED, RETIRED], ids=str)
def test_a_member_that_is_suspended_or_retired_keeps_a_tombstone_and_loses_its_tunnel(case: Case, tmp_path: Path) -> None:
    texts = files(case.load(tmp_path).plan)["exchange"]
    assert texts["route_table.yaml"].endswith(TOMBSTONE)
    assert texts["route_table.yaml"].count("127.0.0.1") == 1
    assert texts["sni.yaml"].count("fqdn") == 1
    assert "10000" not in texts["sni.yaml"]
    assert connect_ports(texts["records.config"]) == [31001]


def test_a_suspended_peer_of_a_mesh_keeps_a_tombstone_and_loses_its_broker(tmp_path: Path) -> None:
    texts = files(MESH_SUSPENDED.load(tmp_path).plan)["party-9999"]
    assert texts == {"pulsar_route_table.yaml": PARTY_PULSAR, "route_table.yaml": PARTY_NGINX + TOMBSTONE}


def test_a_suspended_exchange_leaves_a_party_its_own_routes_and_a_tombstone_in_nginx(tmp_path: Path) -> None:
    texts = files(SUSPENDED_EXCHANGE.load(tmp_path).plan)["party-9999"]
    tombstone = "default:\n  proxy:\n    - host: 127.0.0.1\n      http_port: 1\n"
    assert texts == {"pulsar_route_table.yaml": PARTY_PULSAR, "route_table.yaml": PARTY_NGINX + tombstone}


def test_a_member_typed_by_hand_is_routed_by_what_was_typed(tmp_path: Path) -> None:
    texts = files(BY_HAND.load(tmp_path).plan)["exchange"]
    assert texts["sni.yaml"] == "sni:\n  - fqdn: 10001.fraud.example\n    tunnel_route: broker.old-clinic.example:6651\n"
    assert texts["route_table.yaml"] == "10001:\n  fateflow:\n    - host: 198.51.100.40\n      http_port: 9300\n"


def test_an_exchange_typed_by_hand_is_the_default_route(tmp_path: Path) -> None:
    texts = files(BY_HAND_EXCHANGE.load(tmp_path).plan)["party-9999"]
    assert 'default:\n  proxy: "198.51.100.4:443"\n' in texts["pulsar_route_table.yaml"]
    assert texts["route_table.yaml"] == PARTY_NGINX + "default:\n  proxy:\n    - host: 198.51.100.5\n      http_port: 9300\n"


def test_a_member_whose_nginx_has_only_a_name_is_pending_with_the_remedy(tmp_path: Path) -> None:
    plan = NAMED_NGINX.load(tmp_path).plan
    assert set(plan.pending) == {"clinic-b"}
    assert "nginx.clinic-b.example, a name that FATE's nginx cannot resolve" in plan.pending["clinic-b"]
    assert "publish.nginx.advertise.addresses" in plan.pending["clinic-b"]
    assert plan.warnings == (f"peer clinic-b is pending: {plan.pending['clinic-b']}",)
    texts = files(plan)["exchange"]
    assert "9999" in texts["sni.yaml"]
    assert not [name for name, text in texts.items() if "clinic-b" in text], "half a route"
    assert "10000" not in texts["sni.yaml"]
    assert texts["route_table.yaml"].endswith(TOMBSTONE), "nginx may remember a route from before"


@pytest.mark.parametrize("case", [MESH, EXCHANGE, STAR_PARTY.with_peer("clinic-b", CLINIC)], ids=str)
def test_who_is_set_to_wait_is_as_unreachable_as_who_is_suspended(case: Case, tmp_path: Path) -> None:
    tables_of = {
        state: files(case.with_peer("clinic-b", CLINIC, state=state).load(tmp_path / state).plan) for state in ("pending", "suspended")
    }
    assert tables_of["pending"] == tables_of["suspended"]
    assert TOMBSTONE in str(tables_of["pending"]).replace("\\n", "\n")


def test_an_exchange_that_is_set_to_wait_is_no_default_any_more(tmp_path: Path) -> None:
    case = STAR_PARTY.with_peer("consortium", exchange_descriptor(), state="pending")
    plan = case.load(tmp_path / "pending").plan
    assert (set(plan.pending), plan.external) == ({"consortium"}, ())
    assert files(plan) == files(SUSPENDED_EXCHANGE.load(tmp_path / "suspended").plan)


@pytest.mark.parametrize(
    ("endpoint", "why"), [("pulsar", "which Traffic Server does not accept"), ("nginx", "which FATE's nginx does not accept")]
)
def test_a_member_with_ipv6_addresses_only_waits_and_leaves_the_others_alone(endpoint: str, why: str, tmp_path: Path) -> None:
    v6 = CLINIC.endpoints[endpoint].model_copy(update={"host": "2001:db8::5", "addresses": ("2001:db8::5",)})
    plan = EXCHANGE.with_peer("clinic-b", CLINIC.model_copy(update={"endpoints": {**CLINIC.endpoints, endpoint: v6}})).load(tmp_path).plan
    assert plan.pending["clinic-b"] == (
        f"its {endpoint} is published as 2001:db8::5, an IPv6 address, {why}: its owner should add an IPv4 address to "
        f"publish.{endpoint}.advertise.addresses and export the descriptor again"
    )
    texts = files(plan)["exchange"]
    assert yaml.safe_load(texts["sni.yaml"])["sni"] == [{"fqdn": "9999.fraud.example", "tunnel_route": "203.0.113.10:31001"}]
    assert texts["route_table.yaml"].endswith(TOMBSTONE)


def test_of_several_addresses_each_proxy_gets_those_that_it_takes(tmp_path: Path) -> None:
    both = {"host": "2001:db8::5", "addresses": ("2001:db8::5", "203.0.113.77")}
    published = {name: endpoint.model_copy(update=both) for name, endpoint in CLINIC.endpoints.items()}
    clinic = CLINIC.model_copy(update={"endpoints": published})
    plan = EXCHANGE.with_peer("clinic-b", clinic).load(tmp_path / "star").plan
    assert plan.pending == {}
    texts = files(plan)["exchange"]
    assert texts["sni.yaml"].endswith("    tunnel_route: 203.0.113.77:6651\n")
    assert texts["route_table.yaml"].endswith(TOMBSTONE.replace("127.0.0.1", "203.0.113.77").replace("http_port: 1", "http_port: 9300"))
    for number, (case, key, address) in enumerate(
        ((MESH, "proxy", "[2001:db8::5]:6651"), (trusting(MESH, "9999"), "host", "[2001:db8::5]"))
    ):
        mesh = files(case.with_peer("clinic-b", clinic).load(tmp_path / f"mesh-{number}").plan)["party-9999"]
        assert yaml.safe_load(mesh["pulsar_route_table.yaml"])[10000][key] == address


def test_a_typed_nginx_that_becomes_a_name_leads_nowhere(tmp_path: Path) -> None:
    case = BY_HAND.changed(lambda config: config["peers"]["old-clinic"].update(nginx="nginx.old-clinic.example:9300"))
    assert files(case.load(tmp_path).plan)["exchange"]["route_table.yaml"].endswith(TOMBSTONE.replace("10000", "10001"))


def test_a_member_typed_by_hand_with_a_named_nginx_is_told_where_to_write_the_address(tmp_path: Path) -> None:
    case = BY_HAND.changed(lambda config: config["peers"]["old-clinic"].update(nginx="nginx.old-clinic.example:9300"))
    assert case.load(tmp_path).plan.pending["old-clinic"].endswith("write an IPv4 address in peers.old-clinic.nginx")


def test_a_peer_that_this_stack_never_dials_may_have_a_name_only(tmp_path: Path) -> None:
    case = STAR_PARTY.with_peer("clinic-b", party_descriptor(nginx="nginx.clinic-b.example"))
    assert case.load(tmp_path).plan.pending == {}


def _reorder(config: Config, step: int) -> None:
    """Peers and parties in steps through their names: 1 as they are, -1 backwards, 2 every other one first."""
    for key in {"peers", "parties"} & set(config):
        names = list(config[key])
        names = names[::2] + names[1::2] if step == 2 else names[::step]
        config[key] = {name: config[key][name] for name in names}


@pytest.mark.parametrize("case", [case for case in CASES if len(case.config.get("peers", {})) > 0], ids=str)
def test_the_order_of_peers_and_parties_changes_no_byte(case: Case, tmp_path: Path) -> None:
    added = {name: party_descriptor(party_id, name, engine=case.engine) for name, party_id in (("added-b", "777"), ("added-a", "20000"))}
    more = case.with_peer("added-b", added["added-b"]).with_peer("added-a", added["added-a"])
    plans, orders = [], set()
    for number, step in enumerate((1, -1, 2)):
        shuffled = more.changed(partial(_reorder, step=step))
        orders.add(tuple(shuffled.config["peers"]))
        plans.append(shuffled.load(tmp_path / str(number)).plan)
    assert len(orders) == 3, "nothing was shuffled"
    assert any(files(plans[0]).values())
    assert files(plans[0]) == files(plans[1]) == files(plans[2])
    assert plans[0] == plans[1] == plans[2]
    assert len({repr(plan) for plan in plans}) == 1


def test_peers_are_known_by_name_and_their_parties_by_id(tmp_path: Path) -> None:
    peers = (
        EXCHANGE.with_peer("a-newer-one", party_descriptor("777", "newer"))
        .with_peer("zoo", party_descriptor("42", "zoo"))
        .load(tmp_path)
        .peers
    )
    assert [peer.name for peer in peers.accepted] == ["a-newer-one", "bank-a", "clinic-b", "zoo"]
    assert [peer.party_id for peer in peers.parties()] == ["42", "777", "9999", "10000"]


HOSPITAL = party_descriptor("10001", "hospital-c", host="203.0.113.30", nginx="203.0.113.31")


def changed_policies(old: UnitPlan, new: UnitPlan) -> list[str]:
    """The network policies that differ; the same ones are there before and after."""
    assert [(m.role, m.name) for m in old.policies] == [(m.role, m.name) for m in new.policies]
    return [m.name for m, n in zip(old.policies, new.policies, strict=True) if m != n]


def test_a_new_member_changes_only_the_route_and_policy_objects_of_the_exchange(tmp_path: Path) -> None:
    before = EXCHANGE.load(tmp_path / "before").plan
    after = EXCHANGE.with_peer("hospital-c", HOSPITAL).load(tmp_path / "after").plan
    (old,), (new,) = before.units, after.units
    assert old.routes != new.routes
    assert [(m.role, m.name) for m in old.routes] == [(m.role, m.name) for m in new.routes] == [("routes", "exchange-routes")]
    assert changed_policies(old, new) == ["fate-peers-nginx", "fate-peers-traffic-server", "fate-doctor"]
    assert replace(new, routes=old.routes, policies=old.policies, links=old.links) == old
    assert [peer.name for peer in after.external] == ["bank-a", "clinic-b", "hospital-c"]
    assert replace(after, units=before.units, external=before.external) == before


def test_a_new_member_is_an_entry_of_nginx_for_a_party_of_the_star(tmp_path: Path) -> None:
    before = STAR_PARTY.load(tmp_path / "before").plan
    after = STAR_PARTY.with_peer("clinic-b", CLINIC).load(tmp_path / "after").plan
    (old,), (new,) = before.units, after.units
    assert replace(new, routes=old.routes, links=old.links) == old
    texts, new_texts = files(before)["party-9999"], files(after)["party-9999"]
    assert new_texts["pulsar_route_table.yaml"] == texts["pulsar_route_table.yaml"], "the default says the same"
    entry = "10000:\n  fateflow:\n    - host: 198.51.100.5\n      http_port: 9300\n"
    assert new_texts["route_table.yaml"] == texts["route_table.yaml"].replace("default:\n", f"{entry}default:\n")
    assert before.external != after.external


@pytest.mark.parametrize("state", ["suspended", "retired"])
def test_a_member_severed_by_a_party_of_a_star_leads_nowhere_and_the_rest_to_the_exchange(state: str, tmp_path: Path) -> None:
    active = files(STAR_PARTY.with_peer("clinic-b", CLINIC).load(tmp_path / "before").plan)["party-9999"]
    texts = files(STAR_PARTY.with_peer("clinic-b", CLINIC, state=state).load(tmp_path / "after").plan)["party-9999"]
    nowhere = '10000:\n  host: 127.0.0.1\n  port: 1\n  sslPort: 1\n  proxy: ""\n'
    assert texts == {
        "pulsar_route_table.yaml": active["pulsar_route_table.yaml"].replace("default:\n", f"{nowhere}default:\n"),
        "route_table.yaml": active["route_table.yaml"].replace(
            "10000:\n  fateflow:\n    - host: 198.51.100.5\n      http_port: 9300\n", TOMBSTONE
        ),
    }
    assert texts != active


def test_a_new_peer_of_a_mesh_changes_only_route_and_policy_objects(tmp_path: Path) -> None:
    before = MESH.load(tmp_path / "before").plan
    after = MESH.with_peer("hospital-c", HOSPITAL).load(tmp_path / "after").plan
    (old,), (new,) = before.units, after.units
    assert all(a != b for a, b in zip(old.routes, new.routes, strict=True))
    assert changed_policies(old, new) == ["fate-peers-nginx", "fate-peers-pulsar", "fate-doctor"]
    assert replace(new, routes=old.routes, policies=old.policies, links=old.links) == old


def test_a_new_party_beside_the_exchange_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    case = LOCAL.changed(lambda config: config["parties"].update({"9998": party("fate-9998", exchange="local")}))
    before, after = LOCAL.load(tmp_path / "before").plan, case.load(tmp_path / "after").plan
    assert {unit.key for unit in after.units} - {unit.key for unit in before.units} == {"party-9998"}
    assert after.unit("party-9999") == before.unit("party-9999")
    old, new = before.unit("exchange"), after.unit("exchange")
    assert changed_policies(old, new) == ["fate-peers-nginx", "fate-peers-traffic-server"]
    assert replace(new, routes=old.routes, policies=old.policies, links=old.links) == old
    assert new.routes != old.routes


# A tombstone is there to lead nowhere: nginx's, and that of rollsite's exchange.
BLACKHOLE = ({"proxy": [{"host": "127.0.0.1", "http_port": 1}]}, {"default": [{"ip": "127.0.0.1", "port": 1}]})
DEFAULTS = {"Pulsar": ["pulsar_route_table.yaml", "route_table.yaml"], "Eggroll": ["route_table.json"], "OSX": ["route_table.json"]}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_there_is_a_default_route_only_to_an_active_exchange(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path)
    texts = files(loaded.plan)
    assert texts
    for unit, routes in texts.items():
        assert tables(routes)
        defaults = [name for name, table in tables(routes).items() if "default" in table and table["default"] not in BLACKHOLE]
        if unit == "exchange":
            assert defaults == [], "a default route of an exchange would be a loop"
            continue
        name = loaded.spec.parties[unit.removeprefix("party-")].exchange or ""
        local = name == "local" and loaded.spec.exchange is not None
        accepted = [peer.name for peer in loaded.peers.accepted if peer.party_id is None and peer.state == "active"]
        wanted = DEFAULTS[case.engine] if local or name in accepted else []
        assert sorted(defaults) == wanted, f"{unit} of {case}"


def test_the_cases_hold_parties_with_and_without_a_default_route(tmp_path: Path) -> None:
    found = {
        (case.engine, "default" in table)
        for number, case in enumerate(CASES)
        for unit, texts in files(case.load(tmp_path / str(number)).plan).items()
        for table in tables(texts).values()
        if unit != "exchange"
    }
    both = {(engine, default) for engine in ("Pulsar", "Eggroll", "OSX") for default in (True, False)}
    assert found == {*both, ("RabbitMQ", False)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_route_leads_to_a_party_that_this_federation_knows(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path)
    known = {*loaded.spec.parties, *(peer.party_id for peer in loaded.peers.accepted if peer.party_id)}
    seen = 0
    for unit, texts in files(loaded.plan).items():
        assert tables(texts)
        for name, table in tables(texts).items():
            ids = set(table) - {"default"}
            assert ids <= known, f"{unit} {name}"
            seen += len(ids)
        names = {entry["fqdn"] for entry in yaml.safe_load(texts.get("sni.yaml", "sni: []"))["sni"]}
        assert names <= {f"{party_id}.{DOMAIN}" for party_id in known}, unit
    assert seen, "no route at all"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_route_of_a_unit_leads_back_to_itself(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path)
    for unit in loaded.plan.units:
        texts = files(loaded.plan)[unit.key]
        foreign: list[Any] = [texts.get("sni.yaml", "")]
        for table in tables(texts).values():
            foreign += [routes for key, routes in table.items() if unit.key != f"party-{key}"]
        own = [live for live in live_values(foreign) if live.namespace == unit.namespace]
        assert not own, f"{unit.key} leads to its own {own}"
        assert not {service for service in ("rollsite", "osx", "pulsar", "rabbitmq", "nginx") if f"'{service}'" in str(foreign)}
        neighbours = len(loaded.plan.units) > 1 or any(peer.state == "active" for peer in loaded.plan.external)
        assert any(foreign) or not neighbours, "nothing to check"


@pytest.mark.parametrize("case", [case for case in CASES if case.engine not in ("Eggroll", "OSX")], ids=str)
def test_nginx_is_given_ip_addresses_only(case: Case, tmp_path: Path) -> None:
    hosts = [
        target["host"]
        for texts in files(case.load(tmp_path).plan).values()
        for services in (yaml.safe_load(texts["route_table.yaml"]) or {}).values()
        for targets in services.values()
        for target in targets
    ]
    assert hosts
    for host in hosts:
        assert live_values(host) or ipaddress.ip_address(host), host


@pytest.mark.parametrize("case", [case for case in CASES if "exchange" in case.config and case.engine == "Pulsar"], ids=str)
def test_traffic_server_may_connect_to_the_ports_of_its_tunnels_only(case: Case, tmp_path: Path) -> None:
    texts = files(case.load(tmp_path).plan)["exchange"]
    tunnels = [entry["tunnel_route"] for entry in yaml.safe_load(texts["sni.yaml"])["sni"]]
    assert tunnels
    assert connect_ports(texts["records.config"]) == sorted({int(tunnel.rsplit(":", 1)[1]) for tunnel in tunnels})


def test_connect_ports_are_sorted_and_named_once() -> None:
    assert connect_ports(records_config(4443, [31001, 6651, 31001])) == [6651, 31001]


def test_without_a_tunnel_traffic_server_may_connect_nowhere() -> None:
    assert connect_ports(records_config(4443, [])) == [TOMBSTONE_PORT]


def test_an_exchange_without_members_has_route_files_that_its_proxies_can_read(tmp_path: Path) -> None:
    texts = files(EXCHANGE.changed(lambda config: config.update(peers={})).load(tmp_path).plan)["exchange"]
    assert yaml.safe_load(texts["sni.yaml"]) == {"sni": []}
    assert texts["route_table.yaml"]
    assert yaml.safe_load(texts["route_table.yaml"]) is None


def test_route_texts_are_the_same_in_any_order_of_their_input() -> None:
    nginx = {key: {"fateflow": (NginxTarget("203.0.113.1", 9300),)} for key in ("10000", "9999", "default")}
    brokers = {key: PulsarTarget("203.0.113.1", 6650, 6651) for key in ("10000", "777", "9999")}
    names = {f"{key}.{DOMAIN}": "203.0.113.1:6651" for key in ("10000", "777", "9999")}
    for order in itertools.permutations(range(3)):
        assert nginx_route_table({k: nginx[k] for k in (list(nginx)[i] for i in order)}) == nginx_route_table(nginx)
        assert pulsar_route_table({k: brokers[k] for k in (list(brokers)[i] for i in order)}, None) == pulsar_route_table(brokers, None)
        assert sni({k: names[k] for k in (list(names)[i] for i in order)}) == sni(names)
    assert list(yaml.safe_load(nginx_route_table(nginx))) == [9999, 10000, "default"]
    assert list(yaml.safe_load(pulsar_route_table(brokers, None))) == [777, 9999, 10000]
    assert [entry["fqdn"] for entry in yaml.safe_load(sni(names))["sni"]] == [f"{key}.{DOMAIN}" for key in (777, 9999, 10000)]


def test_a_route_to_a_changed_port_changes_the_tunnel_and_the_allowed_ports(tmp_path: Path) -> None:
    moved = EXCHANGE.with_peer("clinic-b", party_descriptor(port=32010))
    before, after = files(EXCHANGE.load(tmp_path / "a").plan)["exchange"], files(moved.load(tmp_path / "b").plan)["exchange"]
    assert {name for name in before if before[name] != after[name]} == {"sni.yaml", "records.config"}
    assert connect_ports(after["records.config"]) == [31001, 32010]


def test_the_tombstone_is_an_address_where_nothing_listens() -> None:
    assert ipaddress.ip_address(TOMBSTONE_HOST).is_loopback
    assert TOMBSTONE_PORT == 1


def test_a_party_on_node_ports_is_dialled_inside_its_stack_by_service_ports(tmp_path: Path) -> None:
    local = party(exchange="local", publish={"pulsar": node_port(port=30651), "nginx": node_port(httpPort=30930)})
    case = LOCAL.changed(
        lambda config: config.update(
            parties={"9999": local},
            exchange=exchange(publish={"trafficServer": node_port(port=30443), "nginx": node_port(httpPort=30940)}),
        )
    )
    plan = case.load(tmp_path).plan
    texts = files(plan)
    assert "tunnel_route: <known-after-up:fate-9999/pulsar-public-tls.clusterIP>:6651\n" in texts["exchange"]["sni.yaml"]
    assert 'proxy: "<known-after-up:fate-exchange/traffic-server.clusterIP>:443"' in texts["party-9999"]["pulsar_route_table.yaml"]
    assert plan.unit("party-9999").descriptor["endpoints"]["pulsar"]["ports"] == {"tls": 30651}
    assert plan.unit("exchange").descriptor["endpoints"]["trafficServer"]["ports"] == {"tls": 30443}
    assert plan.unit("exchange").descriptor["endpoints"]["nginx"]["ports"] == {"http": 30940}


def _texts(plan: StackPlan) -> dict[tuple[str, str, str], str]:
    return {
        (unit.key, manifest.name, file): text
        for unit in plan.units
        for manifest in unit.routes
        for file, text in manifest.fields["data"].items()
    }


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_a_proxy_is_told_the_address_and_not_the_name_beside_it(case: Case, tmp_path: Path) -> None:
    """Policies let it dial the address; the name leads wherever its owner says later (DNS rebinding)."""
    loaded = case.load(tmp_path)
    named = [_named(peer) for peer in loaded.peers.accepted]
    plan = plan_stack(loaded.spec, replace(loaded.peers, accepted=tuple(named)))
    assert _texts(plan) == _texts(loaded.plan)
    if case in (STAR_PARTY, EXCHANGE, MESH, ROLLSITE_EXCHANGE, OSX_MESH, RABBITMQ_MESH, SERVING_EXCHANGE):
        assert named != list(loaded.peers.accepted)
        assert len({text for text in _texts(plan).values() if "203.0.113." in text or "198.51.100." in text}) >= 1


def _named(peer: Peer) -> Peer:
    """The same peer, published by a name beside each of its addresses."""
    endpoints = {
        name: endpoint.model_copy(update={"host": f"{name.lower()}.named.example"}) if endpoint.addresses else endpoint
        for name, endpoint in peer.descriptor.endpoints.items()
    }
    return replace(peer, descriptor=peer.descriptor.model_copy(update={"endpoints": endpoints}))


@pytest.mark.parametrize(
    ("host", "addresses", "dialled", "tunnel"),
    [
        ("a.example", (), "a.example", "a.example"),
        ("a.example", ("2001:db8::1", "192.0.2.1", "192.0.2.2"), "192.0.2.1", "192.0.2.1"),
        # Traffic Server takes no IPv6 address: then the name, which its policy keeps to that address.
        ("a.example", ("2001:db8::1",), "2001:db8::1", "a.example"),
        ("192.0.2.9", ("192.0.2.9", "192.0.2.1"), "192.0.2.9", "192.0.2.9"),
        ("2001:db8::9", ("2001:db8::9", "192.0.2.1"), "2001:db8::9", "192.0.2.1"),
        ("2001:db8::9", ("2001:db8::9",), "2001:db8::9", None),
    ],
)
def test_of_several_addresses_the_first_ipv4_one_is_dialled(
    host: str, addresses: tuple[str, ...], dialled: str, tunnel: str | None
) -> None:
    endpoint = Address(host, addresses, {"tls": 6651})
    assert (dialled_host(endpoint), tunnel_host(endpoint)) == (dialled, tunnel)
