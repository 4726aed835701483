"""The container beside Pulsar that keeps its clusters equal to the route table: what it is given, and what its script may use."""

import ast
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from federation.links.native.files import TOMBSTONE_HOST, TOMBSTONE_PORT
from tests.charts.cases import EXTERNAL, PARTY, PLAINTEXT, RABBITMQ, Case
from tests.support import configs
from tests.support.helm import CHARTS
from tests.support.walk import containers, environment, named

SCRIPT = CHARTS / "fate-party" / "files" / "pulsar-clusters.py"
CLUSTERS = runpy.run_path(str(SCRIPT))
TABLES = [
    configs.STAR_PARTY, configs.MESH, configs.MESH_OF_TWO, configs.MESH_SUSPENDED, configs.LOCAL, configs.SUSPENDED_EXCHANGE,
    configs.PENDING, configs.BY_HAND_EXCHANGE, configs.EXTERNAL,
    configs.STAR_PARTY.changed(lambda config: config.update(collaborations={"fraud": ["9999", "10000"]}), "a party with a collaboration"),
]  # fmt: skip


def pod(case: Case) -> dict[str, Any]:
    """Pulsar's."""
    found: dict[str, Any] = named(case.render(), "StatefulSet", "pulsar")["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("case", [PARTY, PLAINTEXT], ids=str)
def test_it_reads_the_mounted_route_table_and_asks_the_broker_beside_it(case: Case) -> None:
    [container] = [found for found in containers(case.render()) if found.where == "StatefulSet/pulsar/clusters"]
    assert container.spec["command"] == [
        "python3", "/scripts/pulsar-clusters.py", "127.0.0.1:8080", "standalone", "9999", "fl-tenant", "/routes/pulsar_route_table.yaml",
        "/routes/pulsar_trust.json",
    ]  # fmt: skip
    assert environment(container) == {}, "it needs no password, and has none"
    mounts = {mount["mountPath"]: mount for mount in container.spec["volumeMounts"]}
    assert set(mounts) == {"/scripts", "/routes"}
    assert all(mount["readOnly"] and "subPath" not in mount for mount in mounts.values()), "a subPath would never be refreshed"
    volumes = {volume["name"]: volume for volume in pod(case)["volumes"]}
    assert volumes[mounts["/routes"]["name"]]["configMap"]["name"] == "pulsar-route-table"
    assert named(case.render(), "ConfigMap", "pulsar-config")["data"]["pulsar-clusters.py"].strip() == SCRIPT.read_text().strip()
    assert container.spec["resources"]["limits"]["memory"] == "64Mi", "not the broker's"
    assert container.spec["securityContext"]["runAsNonRoot"] is True


def test_its_probes_never_take_the_broker_away() -> None:
    """A pod is ready when all its containers are; a broker that does not answer must not make this one unready too."""
    main, beside = pod(PARTY)["containers"]
    assert main["name"] == "pulsar"
    assert beside["readinessProbe"]["exec"] == beside["livenessProbe"]["exec"]
    assert "httpGet" in main["readinessProbe"]


def test_it_is_where_the_broker_is_and_can_be_left_out() -> None:
    for case in (EXTERNAL, RABBITMQ):
        assert not [found.where for found in containers(case.render()) if found.where.endswith("/clusters")], case
    without = PARTY.changed(lambda values: values["pulsar"]["broker"].pop("watcher"))
    assert [container["name"] for container in pod(without)["containers"]] == ["pulsar"]


def test_the_script_is_of_python_3_8_and_imports_the_standard_library_only() -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 8))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert len(names) > 5
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("case", TABLES, ids=str)
def test_it_reads_each_table_as_fate_flow_does(case: configs.Case, tmp_path: Path) -> None:
    unit = case.load(tmp_path).plan.unit("party-9999")
    (text,) = [manifest.fields["data"]["pulsar_route_table.yaml"] for manifest in unit.routes if manifest.name == "pulsar-route-table"]
    wanted = {str(party): {key: str(value) for key, value in entry.items()} for party, entry in yaml.safe_load(text).items()}
    assert CLUSTERS["read_table"](text, "9999") == wanted


@pytest.mark.parametrize(
    ("party", "expected"),
    [
        ("10000", [("pulsar://h:6650", "pulsar+ssl://h:31001", "")]),
        ("10001", [("pulsar://10001.fraud.example:6650", "pulsar+ssl://10001.fraud.example:6651", "pulsar+ssl://x:443")]),
        ("10002", []),
    ],
)
def test_a_cluster_is_what_fate_flow_makes_of_an_entry(party: str, expected: list[tuple[str, str, str]]) -> None:
    entry = {"host": "h", "port": "6650", "sslPort": "31001", "proxy": ""}
    proxied = {"host": "10001.fraud.example", "port": "6650", "sslPort": "6651", "proxy": "x:443"}
    assert CLUSTERS["ways"]({"10000": entry, "10001": proxied}, party) == expected


def test_a_party_that_leads_nowhere_has_no_way_not_even_the_default() -> None:
    default = {"proxy": "x:443", "domain": "fraud.example", "brokerPort": "6650", "brokerSslPort": "6651"}
    nowhere = {"host": TOMBSTONE_HOST, "port": str(TOMBSTONE_PORT), "sslPort": str(TOMBSTONE_PORT), "proxy": ""}
    assert CLUSTERS["NOWHERE"] == (TOMBSTONE_HOST, str(TOMBSTONE_PORT))
    assert CLUSTERS["ways"]({"default": default, "10000": nowhere}, "10000") == []


def test_with_a_default_every_party_has_a_way_and_one_with_its_own_entry_has_two() -> None:
    """Stock FATE 2.x takes the default for all; neither way may be called stale."""
    default = {"proxy": "x:443", "domain": "fraud.example", "brokerPort": "6650", "brokerSslPort": "6651"}
    through = ("pulsar://10000.fraud.example:6650", "pulsar+ssl://10000.fraud.example:6651", "pulsar+ssl://x:443")
    assert CLUSTERS["ways"]({"default": default}, "10000") == [through]
    entry = {"host": "h", "port": "1", "sslPort": "2", "proxy": ""}
    assert CLUSTERS["ways"]({"default": default, "10000": entry}, "10000") == [("pulsar://h:1", "pulsar+ssl://h:2", ""), through]
