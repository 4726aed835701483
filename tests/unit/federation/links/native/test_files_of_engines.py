"""Route files of rollsite, of RabbitMQ and of slim parties: their exact text. What holds for all: test_files.py."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from federation.base.live import live_values
from federation.links.native.files import HostPort, rabbitmq_route_table, rollsite_route_table
from tests.support.configs import (
    RABBITMQ_BY_HAND,
    RABBITMQ_MESH,
    RABBITMQ_MESH_OF_TWO,
    RABBITMQ_MESH_SUSPENDED,
    ROLLSITE_BY_HAND,
    ROLLSITE_BY_HAND_EXCHANGE,
    ROLLSITE_EXCHANGE,
    ROLLSITE_LOCAL,
    ROLLSITE_MESH,
    ROLLSITE_MESH_OF_TWO,
    ROLLSITE_MESH_SUSPENDED,
    ROLLSITE_NODE_PORTS,
    ROLLSITE_STAR,
    ROLLSITE_SUSPENDED,
    ROLLSITE_SUSPENDED_EXCHANGE,
    SLIM_MESH,
    SLIM_STAR,
    SPARK_RABBITMQ,
    STAR_PARTY,
    Case,
    Config,
    exchange,
    node_port,
    party,
    party_descriptor,
    stack,
)


def files(case: Case, folder: Path, unit: str = "party-9999") -> dict[str, str]:
    """The route files of a unit: {file: text}."""
    routes = case.load(folder).plan.unit(unit).routes
    return {name: text for manifest in routes for name, text in manifest.fields["data"].items()}


def rollsite(case: Case, folder: Path, unit: str = "party-9999") -> dict[str, Any]:
    """The routes in rollsite's only file."""
    texts = files(case, folder, unit)
    assert list(texts) == ["route_table.json"]
    table = json.loads(texts["route_table.json"])
    assert set(table) == {"route_table", "permission"}
    return dict(table["route_table"])


OWN = """\
    "9999": {
      "default": [
        {
          "ip": "rollsite",
          "port": 9370
        }
      ],
      "fateflow": [
        {
          "ip": "fateflow",
          "port": 9360
        }
      ]
    }"""


def hop(name: str, ip: str, port: int) -> str:
    """An entry that leads to one address."""
    return f"""\
    "{name}": {{
      "default": [
        {{
          "ip": "{ip}",
          "port": {port}
        }}
      ]
    }}"""


def whole(*entries: str) -> str:
    """A route_table.json."""
    return '{\n  "route_table": {\n' + ",\n".join(entries) + '\n  },\n  "permission": {\n    "default_allow": true\n  }\n}\n'


TOMBSTONE = hop("default", "127.0.0.1", 1)


def test_a_party_of_a_star_with_rollsite_knows_itself_and_the_exchange(tmp_path: Path) -> None:
    assert files(ROLLSITE_STAR, tmp_path) == {"route_table.json": whole(OWN, hop("default", "198.51.100.4", 9370))}


def test_an_exchange_with_rollsite_leads_to_each_member_and_everyone_else_nowhere(tmp_path: Path) -> None:
    assert files(ROLLSITE_EXCHANGE, tmp_path, "exchange") == {
        "route_table.json": whole(hop("9999", "203.0.113.10", 30091), hop("10000", "203.0.113.20", 9370), TOMBSTONE)
    }


def test_a_party_of_a_mesh_with_rollsite_leads_to_each_peer_and_has_no_default(tmp_path: Path) -> None:
    assert files(ROLLSITE_MESH, tmp_path) == {"route_table.json": whole(OWN, hop("10000", "203.0.113.20", 9370))}


def test_a_suspended_member_of_rollsite_s_exchange_has_no_route(tmp_path: Path) -> None:
    assert files(ROLLSITE_SUSPENDED, tmp_path, "exchange") == {"route_table.json": whole(hop("9999", "203.0.113.10", 30091), TOMBSTONE)}


def test_a_suspended_peer_of_a_mesh_with_rollsite_has_no_route(tmp_path: Path) -> None:
    assert files(ROLLSITE_MESH_SUSPENDED, tmp_path) == {"route_table.json": whole(OWN)}


def test_a_suspended_exchange_with_rollsite_leaves_a_party_its_own_routes(tmp_path: Path) -> None:
    assert files(ROLLSITE_SUSPENDED_EXCHANGE, tmp_path) == {"route_table.json": whole(OWN)}


def test_a_pending_exchange_with_rollsite_leaves_a_party_its_own_routes(tmp_path: Path) -> None:
    case = ROLLSITE_STAR.with_entry("consortium", descriptor="peers/not-there.json")
    assert files(case, tmp_path) == {"route_table.json": whole(OWN)}


def test_an_exchange_with_rollsite_and_a_party_in_one_stack_link_by_cluster_addresses(tmp_path: Path) -> None:
    hub, own = "<known-after-up:fate-exchange/rollsite.clusterIP>", "<known-after-up:fate-9999/rollsite.clusterIP>"
    for case in (ROLLSITE_LOCAL, ROLLSITE_NODE_PORTS):
        assert files(case, tmp_path / case.name / "a") == {"route_table.json": whole(OWN, hop("default", hub, 9370))}
        assert files(case, tmp_path / case.name / "b", "exchange") == {
            "route_table.json": whole(hop("9999", own, 9370), hop("10000", "203.0.113.20", 9370), TOMBSTONE)
        }


def test_two_parties_of_one_stack_in_a_mesh_with_rollsite_know_each_other(tmp_path: Path) -> None:
    for own, other in itertools.permutations(("9998", "9999")):
        table = rollsite(ROLLSITE_MESH_OF_TWO, tmp_path / own, f"party-{own}")
        assert list(table) == ["9998", "9999", "10000"]
        assert table[other] == {"default": [{"ip": f"<known-after-up:fate-{other}/rollsite.clusterIP>", "port": 9370}]}
        assert table[own]["default"] == [{"ip": "rollsite", "port": 9370}]


def test_a_member_of_rollsite_s_exchange_typed_by_hand_is_routed_by_what_was_typed(tmp_path: Path) -> None:
    assert files(ROLLSITE_BY_HAND, tmp_path, "exchange") == {
        "route_table.json": whole(hop("10001", "rollsite.old-clinic.example", 30101), TOMBSTONE)
    }


def test_an_exchange_with_rollsite_typed_by_hand_is_the_default_route(tmp_path: Path) -> None:
    assert files(ROLLSITE_BY_HAND_EXCHANGE, tmp_path) == {"route_table.json": whole(OWN, hop("default", "198.51.100.4", 30001))}


def test_an_exchange_with_rollsite_and_no_member_starts_and_leads_nowhere(tmp_path: Path) -> None:
    case = Case("an exchange", stack("consortium", exchange=exchange(federation="Eggroll")))
    assert files(case, tmp_path, "exchange") == {"route_table.json": whole(TOMBSTONE)}


EXCHANGES = [ROLLSITE_EXCHANGE, ROLLSITE_LOCAL, ROLLSITE_SUSPENDED, ROLLSITE_BY_HAND, ROLLSITE_NODE_PORTS]


@pytest.mark.parametrize("case", EXCHANGES, ids=str)
def test_an_exchange_with_rollsite_has_no_loop_and_no_default_but_the_tombstone(case: Case, tmp_path: Path) -> None:
    table = rollsite(case, tmp_path, "exchange")
    assert len(table) > 1
    assert table["default"] == {"default": [{"ip": "127.0.0.1", "port": 1}]}
    hops = [entry for party_id, roles in table.items() if party_id != "default" for entries in roles.values() for entry in entries]
    assert hops
    assert not [entry for entry in hops if entry["ip"] in ("rollsite", "127.0.0.1", "localhost")]
    assert not [live for live in live_values(table) if live.namespace == "fate-exchange"]
    # FATE-Flow's own role would make the exchange the end of a route: it has no FATE-Flow.
    assert not [party_id for party_id, roles in table.items() if set(roles) != {"default"}]


@pytest.mark.parametrize("case", [*EXCHANGES, ROLLSITE_STAR, ROLLSITE_MESH, ROLLSITE_MESH_OF_TWO], ids=str)
def test_rollsite_s_keys_are_texts_its_ports_numbers_and_each_list_has_one_hop(case: Case, tmp_path: Path) -> None:
    for unit in case.load(tmp_path / "plan").plan.units:
        for party_id, roles in rollsite(case, tmp_path / unit.key, unit.key).items():
            assert party_id == "default" or party_id.isdigit()
            for entries in roles.values():
                ((ip, port),) = [(entry.pop("ip"), entry.pop("port")) for entry in entries]
                assert isinstance(ip, str)
                assert isinstance(port, int)
                assert entries == [{}], "TLS and polling are not configured"


def test_a_new_member_of_rollsite_s_exchange_changes_its_route_object_only(tmp_path: Path) -> None:
    before = ROLLSITE_EXCHANGE.load(tmp_path / "a").plan.unit("exchange")
    added = party_descriptor("10001", "hospital-c", engine="Eggroll")
    after = ROLLSITE_EXCHANGE.with_peer("hospital-c", added).load(tmp_path / "b").plan.unit("exchange")
    assert before.routes != after.routes
    assert (before.services, before.secrets, before.chart, before.descriptor) == (
        after.services, after.secrets, after.chart, after.descriptor,
    )  # fmt: skip
    star = ROLLSITE_STAR.load(tmp_path / "c").plan.unit("party-9999")
    named = ROLLSITE_STAR.with_peer("hospital-c", added).load(tmp_path / "d").plan.unit("party-9999")
    assert replace(named, links=star.links) == star, "the default route leads to it"


def test_rollsite_s_table_is_the_same_in_any_order_of_its_input() -> None:
    entries = {key: {"fateflow": HostPort("f", 1), "default": HostPort("d", 2)} for key in ("default", "10000", "777", "9999")}
    texts = {
        rollsite_route_table({key: dict(reversed(entries[key].items())) for key in order}) for order in itertools.permutations(entries)
    }
    assert len(texts) == 1
    assert list(json.loads(texts.pop())["route_table"]) == ["777", "9999", "10000", "default"]


RABBITMQ_OWN = "9999:\n  host: rabbitmq\n  port: 5672\n"
NGINX_OWN = """\
9999:
  fateflow:
    - host: <known-after-up:fate-9999/fateflow-client.clusterIP>
      http_port: 9380
  proxy:
    - host: <known-after-up:fate-9999/nginx.clusterIP>
      http_port: 9300
"""
NGINX_CLINIC = """\
10000:
  fateflow:
    - host: 203.0.113.21
      http_port: 9300
"""
NGINX_NOWHERE = "10000:\n  fateflow:\n    - host: 127.0.0.1\n      http_port: 1\n"


@pytest.mark.parametrize("case", [RABBITMQ_MESH, SLIM_MESH], ids=str)
def test_a_party_of_a_mesh_with_rabbitmq_leads_to_each_peer_itself(case: Case, tmp_path: Path) -> None:
    assert files(case, tmp_path) == {
        "rabbitmq_route_table.yaml": RABBITMQ_OWN + "10000:\n  host: 203.0.113.20\n  port: 5672\n",
        "route_table.yaml": NGINX_OWN + NGINX_CLINIC,
    }


def test_a_suspended_peer_of_a_mesh_with_rabbitmq_keeps_a_tombstone_and_loses_its_broker(tmp_path: Path) -> None:
    assert files(RABBITMQ_MESH_SUSPENDED, tmp_path) == {
        "rabbitmq_route_table.yaml": RABBITMQ_OWN,
        "route_table.yaml": NGINX_OWN + NGINX_NOWHERE,
    }


def test_a_peer_with_rabbitmq_typed_by_hand_is_routed_by_what_was_typed(tmp_path: Path) -> None:
    assert files(RABBITMQ_BY_HAND, tmp_path) == {
        "rabbitmq_route_table.yaml": RABBITMQ_OWN + "10001:\n  host: rabbitmq.old-clinic.example\n  port: 30672\n",
        "route_table.yaml": NGINX_OWN + "10001:\n  fateflow:\n    - host: 198.51.100.40\n      http_port: 9300\n",
    }


def test_two_parties_of_one_stack_in_a_mesh_with_rabbitmq_know_each_other(tmp_path: Path) -> None:
    for own, other in itertools.permutations(("9998", "9999")):
        texts = files(RABBITMQ_MESH_OF_TWO, tmp_path / own, f"party-{own}")
        brokers = yaml.safe_load(texts["rabbitmq_route_table.yaml"])
        assert brokers == {
            int(own): {"host": "rabbitmq", "port": 5672},
            int(other): {"host": f"<known-after-up:fate-{other}/rabbitmq-public.clusterIP>", "port": 5672},
            10000: {"host": "203.0.113.20", "port": 5672},
        }
        nginx = yaml.safe_load(texts["route_table.yaml"])
        assert nginx[int(other)]["fateflow"][0]["host"] == f"<known-after-up:fate-{other}/nginx.clusterIP>"


@pytest.mark.parametrize("port", [None, 30672])
def test_inside_a_stack_rabbitmq_is_dialled_by_its_service_port(port: int | None, tmp_path: Path) -> None:
    publish: Config = {"nginx": {"type": "LoadBalancer"}, "rabbitmq": {"type": "LoadBalancer"} if port is None else node_port(port=port)}
    other = party("fate-9998", exchange=None, **SPARK_RABBITMQ, publish=publish)
    case = RABBITMQ_MESH.changed(lambda config: config["parties"].update({"9998": other}))
    assert yaml.safe_load(files(case, tmp_path)["rabbitmq_route_table.yaml"])[9998]["port"] == 5672


def test_rabbitmq_s_table_has_integer_keys_no_default_and_one_order() -> None:
    brokers = {key: HostPort("203.0.113.1", 5672) for key in ("10000", "777", "9999")}
    texts = {rabbitmq_route_table({key: brokers[key] for key in order}) for order in itertools.permutations(brokers)}
    assert len(texts) == 1
    assert list(yaml.safe_load(texts.pop())) == [777, 9999, 10000]


def test_a_slim_party_has_the_routes_of_its_federation_engine(tmp_path: Path) -> None:
    assert files(SLIM_STAR, tmp_path / "slim") == files(STAR_PARTY, tmp_path / "whole")
    assert files(SLIM_MESH, tmp_path / "slim-mesh") == files(RABBITMQ_MESH, tmp_path / "mesh")
