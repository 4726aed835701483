"""The firewall sheet: every connection over the edge of a cluster, and no other."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.reports.firewall import FORMATS
from federation.reports.firewall import OUTSIDE, FirewallRow, filled, firewall_rows
from tests.support.configs import EVERY_CASE, EXCHANGE, EXTERNAL, LOCAL, MESH, MESH_SUSPENDED, NODE_PORTS, ROLLSITE_LOCAL, STAR_PARTY, Case
from tests.support.stacks import project

# Cases whose units dial an address: an empty sheet would hide a walk that finds nothing.
REACHING = {str(case) for case in (STAR_PARTY, EXCHANGE, MESH, EXTERNAL)}


def sheet(case: Case, folder: Path) -> tuple[FirewallRow, ...]:
    """The rows of a stack."""
    loaded = case.load(folder)
    return firewall_rows(loaded.spec, loaded.peers, loaded.plan)


def short(rows: tuple[FirewallRow, ...], direction: str) -> list[tuple[str, str, str, int]]:
    """Unit, service, first host and port of one direction."""
    return [(row.unit, row.endpoint, row.hosts[0], row.port) for row in rows if row.direction == direction]


def test_a_party_of_a_star_needs_its_exchange_only(tmp_path: Path) -> None:
    rows = sheet(NODE_PORTS, tmp_path)
    assert short(rows, "out") == [
        ("party-9999", "nginx", "198.51.100.5", 9300),
        ("party-9999", "trafficServer", "198.51.100.4", 443),
    ]
    assert short(rows, "in") == [
        ("party-9999", "nginx", "203.0.113.9", 30930),
        ("party-9999", "pulsar", "203.0.113.9", 30651),
    ]
    assert {row.source for row in rows if row.direction == "in"} == {"outgoing addresses of consortium"}
    assert {row.opened_by for row in rows if row.direction == "in"} == {"bank-a"}
    assert {row.opened_by for row in rows if row.direction == "out"} == {"bank-a (out), consortium (in)"}


def test_an_exchange_needs_every_member(tmp_path: Path) -> None:
    rows = sheet(EXCHANGE, tmp_path)
    assert short(rows, "out") == [
        ("exchange", "nginx", "203.0.113.11", 9300),
        ("exchange", "pulsar", "203.0.113.10", 31001),
        ("exchange", "nginx", "203.0.113.21", 9300),
        ("exchange", "pulsar", "203.0.113.20", 6651),
    ]
    assert {row.source for row in rows if row.direction == "in"} == {"outgoing addresses of bank-a, clinic-b"}
    assert "loadBalancer of Service fate-exchange/traffic-server, after `pulumi up`" in {host for row in rows for host in row.hosts}


def test_units_of_one_stack_need_no_firewall_between_them(tmp_path: Path) -> None:
    rows = sheet(LOCAL, tmp_path)
    assert {row.unit for row in rows if row.direction == "out"} == {"exchange"}
    assert {row.hosts[0] for row in rows if row.direction == "out"} == {"203.0.113.20", "203.0.113.21"}


def test_a_suspended_peer_and_a_stranger_have_no_row(tmp_path: Path) -> None:
    assert short(sheet(MESH_SUSPENDED, tmp_path / "a"), "out") == []
    assert len(short(sheet(MESH, tmp_path / "b"), "out")) == 2
    strangers = MESH.changed(lambda config: config.update(collaborations={"other": ["9999", "4711"]}))
    rows = sheet(strangers, tmp_path / "c")
    assert short(rows, "out") == []
    assert {row.source for row in rows} == {"outgoing addresses of its peers: none yet"}


def test_a_star_with_rollsite_has_one_port_each_way(tmp_path: Path) -> None:
    rows = sheet(ROLLSITE_LOCAL, tmp_path)
    assert {(row.endpoint, row.port) for row in rows} == {("rollsite", 9370)}


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_what_policies_let_out_and_what_the_sheet_says_is_the_same(case: Case, tmp_path: Path) -> None:
    """One asks the cluster, the other the network team: neither may know more."""
    loaded = case.load(tmp_path)
    sheet = {
        (row.unit, host, row.port)
        for row in firewall_rows(loaded.spec, loaded.peers, loaded.plan)
        for host in row.hosts
        if row.direction == "out" and host[0].isdigit() and row.source.startswith("nodes of")
    }
    if str(case) in REACHING:
        assert sheet
    policies = {
        (unit.key, place["ipBlock"]["cidr"].partition("/")[0], port["port"])
        for unit in loaded.plan.units
        for manifest in unit.policies
        if manifest.role != "policy-doctor"  # asks for all units what these dial
        for rule in manifest.fields["spec"].get("egress", [])
        for place in rule.get("to", [])
        if "except" not in place.get("ipBlock", {"except": []})  # what a name leaves open has no row
        for port in rule["ports"]
        if port["port"] != 53
    }
    assert sheet == policies


def test_an_external_broker_dials_by_itself(tmp_path: Path) -> None:
    rows = sheet(EXTERNAL, tmp_path)
    peers = [row for row in rows if row.direction == "out" and row.purpose.endswith("to consortium")]
    assert {(row.source, row.endpoint) for row in peers} == {
        ("external pulsar of party-9999", "trafficServer"),
        ("nodes of party-9999, or their NAT address", "nginx"),
    }


def test_engines_outside_of_the_stack_have_rows_and_spark_calls_back(tmp_path: Path) -> None:
    rows = sheet(EXTERNAL, tmp_path)
    assert {
        (row.endpoint, row.hosts, row.port)
        for row in rows
        if row.endpoint in OUTSIDE and row.opened_by == "bank-a" and row.direction == "out"
    } == {
        ("mysql", ("db.bank-a.example",), 3306),
        ("spark", ("spark.bank-a.example",), 7077),
        ("spark", ("every machine of the external spark",), "31100-31130"),
        ("hdfs", ("namenode.bank-a.example",), 8020),
        ("hdfs", ("every machine of the external hdfs",), 9866),
        ("pulsar", ("pulsar.bank-a.example",), 16650),
        ("pulsar", ("pulsar.bank-a.example",), 18080),
    }
    assert {(row.source, row.hosts, row.port) for row in rows if row.endpoint == "spark" and row.direction == "in"} == {
        ("workers of the external spark", ("203.0.113.9",), "31000-31030"),
        ("workers of the external spark", ("203.0.113.9",), "31100-31130"),
    }


def test_fate_serving_elsewhere_has_rows_and_a_name_is_warned_of(tmp_path: Path) -> None:
    case = STAR_PARTY.changed(
        lambda config: config["parties"]["9999"].update(servings={"hosts": ["192.0.2.7:8000", "serving.bank-a.example:8001"]})
    )
    rows = [row for row in sheet(case, tmp_path) if row.endpoint == "FATE-Serving"]
    assert [(row.direction, row.hosts, row.port) for row in rows] == [
        ("out", ("192.0.2.7",), 8000),
        ("out", ("serving.bank-a.example",), 8001),
    ]
    (warning,) = [text for text in case.load(tmp_path).plan.warnings if "configured by name" in text]
    assert warning.startswith("external FATE-Serving of party 9999 is configured by name")


def test_live_addresses_come_from_the_outputs(tmp_path: Path) -> None:
    outputs: dict[str, dict[str, Any]] = {"party-9999": {"nginx": {"host": "192.0.2.1", "addresses": ["192.0.2.1"], "ports": {}}}}
    rows = filled(sheet(STAR_PARTY, tmp_path), outputs)
    assert {row.hosts for row in rows if row.direction == "in" and row.endpoint == "nginx"} == {("192.0.2.1",)}
    assert {row.hosts[0][:12] for row in rows if row.direction == "in" and row.endpoint == "pulsar"} == {"loadBalancer"}
    assert [row for row in rows if row.direction == "out"] == [row for row in sheet(STAR_PARTY, tmp_path) if row.direction == "out"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the stack of an exchange."""
    EXCHANGE.write(project(tmp_path) / "stacks")
    return tmp_path


def test_the_table_has_a_line_for_each_row(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["firewall", "-s", "consortium", "-C", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["DIRECTION", "UNIT", "FROM", "SERVICE", "TO", "PORT", "PROTOCOL", "PURPOSE", "OPENED", "BY"]
    assert len(lines) == 1 + 2 + 4
    assert len({line.index("TCP") for line in lines[1:]}) == 1, "columns are aligned"


def test_csv_and_markdown_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(form: str) -> str:
        assert main(["firewall", "-s", "consortium", "-C", str(folder), "--format", form]) == 0
        return capsys.readouterr().out

    table = list(csv.reader(io.StringIO(told("csv"))))
    marked = [line.strip("| \n").split(" | ") for line in told("markdown").splitlines()]
    assert len(table) == 7
    assert set(marked.pop(1)) == {"---"}
    assert marked == table
    assert set(FORMATS) == {"table", "csv", "markdown"}


def test_json_holds_the_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["firewall", "-s", "consortium", "-C", str(folder), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 6
    assert rows[0].keys() == {"direction", "unit", "source", "endpoint", "hosts", "port", "protocol", "purpose", "openedBy"}
