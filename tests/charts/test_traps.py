"""One test for each trap of FATE's deployments (section 1 of the reference), by its number: handled here, whatever handles it elsewhere.

What needs more than one fact is tested where it is made; here stands the shortest fact that would break.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from federation.base.live import live_values
from federation.catalogue.releases import catalogue
from federation.config.units import party_units
from federation.links.native.tables import party_routes
from tests.charts.cases import EGGROLL, FILE_PULSAR, FILE_RABBITMQ, OSX, PARTY, STANDALONE_OSX, Case, container, mount
from tests.charts.test_configuration import properties, service_conf
from tests.support import configs
from tests.support.walk import config_texts, containers
from tests.unit.federation.units.party.test_combinations import refused
from tests.unit.federation.units.party.test_fate_2 import member

FATEFLOW = "StatefulSet/python/fateflow"


def routes(stack: configs.Case, folder: Path, unit: str = "party-9999") -> dict[str, str]:
    """Every route file of a unit."""
    planned = stack.load(folder).plan.unit(unit)
    return {name: text for manifest in planned.routes for name, text in manifest.fields["data"].items()}


@pytest.mark.parametrize(
    ("stack", "unit", "own"), [(configs.OSX_STAR, "party-9999", "9999"), (configs.OSX_EXCHANGE, "exchange", "default")], ids=str
)
def test_trap_1_osx_has_a_self_party_array(stack: configs.Case, unit: str, own: str, tmp_path: Path) -> None:
    assert json.loads(routes(stack, tmp_path, unit)["route_table.json"])["self_party"] == [own]
    assert "self.party" not in properties(config_texts(OSX.render())["osx-config/broker.properties"])


@pytest.mark.parametrize("case", [PARTY, EGGROLL, OSX, FILE_PULSAR], ids=str)
def test_trap_2_fateflow_knows_the_address_of_its_pod(case: Case, tmp_path: Path) -> None:
    assert service_conf(case, tmp_path)["fateflow"]["host"] == "10.0.0.7"


def test_trap_3_nginx_dials_ip_addresses_only(tmp_path: Path) -> None:
    table = yaml.safe_load(routes(configs.STAR_PARTY, tmp_path)["route_table.yaml"])
    hosts = [target["host"] for services in table.values() for targets in services.values() for target in targets]
    assert len(hosts) == 3
    assert all(live_values(host) or host.replace(".", "").isdigit() for host in hosts)


@pytest.mark.parametrize(("case", "engine"), [(FILE_PULSAR, "pulsar"), (FILE_RABBITMQ, "rabbitmq")], ids=str)
def test_trap_4_route_tables_lie_where_fate_2_reads_them(case: Case, engine: str) -> None:
    [script] = [found.spec["command"][-1] for found in containers(case.render()) if found.where == "StatefulSet/python/fill"]
    assert f"ln -sf /routes/{engine}/{engine}_route_table.yaml /filled/{engine}_route_table.yaml\n" in script
    assert mount(container(case, FATEFLOW), "/data/projects/fate/fate_flow/conf")[0]["name"] == "conf"


@pytest.mark.parametrize("release", ["1.11.2", "2.2.0"])
def test_trap_5_a_default_of_pulsar_has_domain_and_both_ports(release: str, tmp_path: Path) -> None:
    stack = configs.STAR_PARTY if release == "1.11.2" else member(configs.FILE_PULSAR, "star")
    default = yaml.safe_load(routes(stack, tmp_path)["pulsar_route_table.yaml"])["default"]
    assert default == {"proxy": "198.51.100.4:443", "domain": configs.DOMAIN, "brokerPort": 6650, "brokerSslPort": 6651}


def test_trap_6_no_table_of_rollsite_asks_for_tls_that_it_does_not_have(tmp_path: Path) -> None:
    assert "is_secure" not in routes(configs.ROLLSITE_MESH, tmp_path)["route_table.json"]
    warnings = configs.ROLLSITE_MESH.load(tmp_path).plan.warnings
    assert any("exchanges data without encryption, as FATE's Eggroll does" in warning for warning in warnings)


def test_trap_7_no_localfs_in_fate_2_and_stream_only_with_eggroll(tmp_path: Path) -> None:
    rows = [row for release in catalogue().values() if release.major == 2 for row in release.combinations]
    assert len(rows) == 21
    assert not [row for row in rows if row.storage == "LocalFS"]
    modes = {(row.computing, row.osx_mode) for row in rows if row.federation == "OSX"}
    assert modes == {("Eggroll", "stream"), ("Spark", "queue"), ("Standalone", "queue")}
    assert service_conf(STANDALONE_OSX, tmp_path)["federation"]["osx"]["mode"] == "queue"


def test_trap_8_traffic_server_may_connect_to_the_ports_of_its_routes(tmp_path: Path) -> None:
    found = routes(configs.EXCHANGE, tmp_path, "exchange")
    tunnels = {entry["tunnel_route"].rsplit(":", 1)[1] for entry in yaml.safe_load(found["sni.yaml"])["sni"]}
    [ports] = [line.split()[3:] for line in found["records.config"].splitlines() if "connect_ports" in line]
    assert tunnels == set(ports) == {"31001", "6651"}


def test_trap_9_pulsars_key_is_pkcs8(tmp_path: Path) -> None:
    [secret] = [secret for secret in configs.STAR_PARTY.load(tmp_path).plan.unit("party-9999").secrets if secret.name == "pulsar-cert"]
    assert secret.pkcs8 == {"broker.key-pk8.pem"}


def test_trap_10_each_node_of_eggroll_has_an_address_of_its_own() -> None:
    texts = config_texts(OSX.render())
    key = "eggroll.resourcemanager.nodemanager.host"
    assert f"{key}=${{POD_NAME}}.nodemanager\n" in texts["eggroll-config/nodemanager.properties"] + "\n"
    assert key not in texts["eggroll-config/eggroll.properties"]
    texts = config_texts(EGGROLL.render())
    assert f"{key}=${{POD_NAME}}.nodemanager\n" in texts["eggroll-config/nodemanager.properties"] + "\n"
    assert key not in texts["eggroll-config/eggroll.properties"]


def test_trap_11_replicators_of_two_parties_have_two_prefixes(tmp_path: Path) -> None:
    values: list[Any] = [unit.chart.values for unit in configs.MESH_OF_TWO.load(tmp_path).plan.units]
    assert sorted(value.pulsar.broker.replicator_prefix for value in values) == ["pulsar.repl.9998", "pulsar.repl.9999"]


def test_trap_12_no_release_takes_data_over_that_nobody_migrates() -> None:
    rows = catalogue()
    pairs = [(own, rows[source]) for own in rows.values() for source in own.upgrade_from]
    assert len(pairs) == 18
    assert all(own.major == source.major for own, source in pairs), "no SQL exists from 1.x to 2.x"


def test_trap_13_an_exchange_of_fate_2_is_osx() -> None:
    assert {name: rows.exchanges["OSX"] for name, rows in catalogue().items() if rows.major == 2} == dict.fromkeys(
        ("2.0.0", "2.1.0", "2.2.0"), ("osx",)
    )
    assert not [name for name, rows in catalogue().items() if rows.major == 2 and "rollsite" in rows.exchange]


def test_trap_14_fate_2_finds_pulsar_peers_by_a_corrected_file() -> None:
    [patch] = FILE_PULSAR.values["imagePatches"]
    assert patch["edits"] == [{"find": "int(party.party_id)", "replace": "str(party.party_id)"}]
    assert all(release.works("pulsarPeers") for release in catalogue().values())


def test_trap_15_keys_of_route_tables_are_numbers_in_yaml(tmp_path: Path) -> None:
    for number, (stack, name) in enumerate(
        ((configs.MESH, "pulsar_route_table.yaml"), (configs.RABBITMQ_MESH, "rabbitmq_route_table.yaml"))
    ):
        assert set(yaml.safe_load(routes(stack, tmp_path / str(number))[name])) == {9999, 10000}


def test_trap_16_party_ids_are_texts_in_2_numbers_in_1_and_texts_in_json(tmp_path: Path) -> None:
    for folder, case, party in (("1", PARTY, 9999), ("2", OSX, "9999")):
        (tmp_path / folder).mkdir()
        assert service_conf(case, tmp_path / folder)["party_id"] == party
    table = json.loads(routes(configs.OSX_MESH, tmp_path / "osx")["route_table.json"])["route_table"]
    assert set(table) == {"9999", "10000"}
    assert {type(hop["port"]) for services in table.values() for hops in services.values() for hop in hops} == {int}


def test_no_default_route_without_an_exchange(tmp_path: Path) -> None:
    loaded = configs.OSX_MESH.load(tmp_path)
    files = party_routes(party_units(loaded.spec)["9999"], loaded.peers, None)
    assert "default" not in json.loads(files["osx-route-table"]["route_table.json"])["route_table"]


def test_osx_takes_its_heap_from_the_memory_limit(tmp_path: Path) -> None:
    limits = {"requests": {"memory": "1Gi"}, "limits": {"cpu": "1", "memory": "2Gi"}}
    stack = configs.OSX_STAR.changed(lambda config: config["parties"]["9999"].update(modules={"osx": {"resources": limits}}))
    values: Any = stack.load(tmp_path).plan.unit("party-9999").chart.values
    assert (values.modules.osx.heap_mib, values.osx.direct_mib) == (1024, 819)


def test_a_mix_of_majors_is_refused(tmp_path: Path) -> None:
    case = configs.STAR_PARTY.with_peer("consortium", configs.exchange_descriptor(release="2.2.0"))
    assert "they cannot work on one job" in refused(case, tmp_path)[0].problem
