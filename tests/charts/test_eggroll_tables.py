"""The tables of Eggroll that MySQL is made with, and the nodes of Eggroll 2.4."""

import re

import pytest

from tests.charts.cases import EGGROLL, EGGROLL_2_4, PARTY, RABBITMQ, SLIM, Case, container, mount
from tests.support.walk import config_texts, of_kind

# Reference 7.4: the columns besides created_at and updated_at.
TABLES = {
    "store_locator": "store_locator_id store_type namespace name path total_partitions partitioner serdes version status",
    "store_option": "store_option_id store_locator_id name data",
    "store_partition": "store_partition_id store_locator_id node_id partition_id status",
    "server_node": "server_node_id name server_cluster_id host port node_type status last_heartbeat_at",
    "session_main": "session_id name status tag total_proc_count active_proc_count",
    "session_option": "session_option_id session_id name data",
    "session_processor": "processor_id session_id server_node_id processor_type status tag command_endpoint transfer_endpoint pid",
}
TABLES_OF_2_5 = {
    "processor_resource": "id processor_id session_id server_node_id resource_type allocated extention status pid",
    "node_resource": "resource_id server_node_id resource_type total used pre_allocated allocated extention status",
    "session_ranks": "container_id session_id server_node_id global_rank local_rank",
}

eggroll_cases = pytest.mark.parametrize("case", [EGGROLL, EGGROLL_2_4], ids=str)


def tables(sql: str) -> dict[str, list[str]]:
    """The columns of each table that the SQL makes, in their order."""
    found: dict[str, list[str]] = {}
    statements = [text.strip() for text in re.sub(r"--.*", "", sql).split(";")]
    assert not statements.pop(), "something after the last semicolon"
    for statement in statements:
        # A column that is added when it is missing, or dropped when it is there; tests/servers runs it.
        if alter := re.search(r"'ALTER TABLE (\w+) ADD COLUMN (\w+) [A-Z0-9() ]+ AFTER (\w+)'", statement):
            columns = found[alter[1]]
            columns.insert(columns.index(alter[3]) + 1, alter[2])
            continue
        if drop := re.search(r"'ALTER TABLE (\w+) DROP COLUMN (\w+)'", statement):
            found[drop[1]].remove(drop[2])
            continue
        if re.match(r"PREPARE changed FROM @change|EXECUTE changed", statement):
            continue
        whole = re.fullmatch(
            r"CREATE TABLE IF NOT EXISTS (\w+) \(\n(.*)\n\) DEFAULT CHARACTER SET latin1 COLLATE latin1_swedish_ci", statement, re.S
        )
        assert whole, statement
        lines = [line.strip() for line in whole[2].split("\n")]
        assert all(line.endswith(",") for line in lines[:-1]), whole[1]
        assert not lines[-1].endswith(","), whole[1]
        assert whole[1] not in found
        found[whole[1]] = [line.split()[0] for line in lines if "INDEX" not in line.split()[:2]]
        for index in re.findall(r"INDEX \w+ \((.+)\)", whole[2]):
            columns = re.findall(r"(\w+)(?:\((\d+)\))?(?:, |$)", index)
            assert {name for name, _ in columns} <= set(found[whole[1]]), index
            assert sum(int(length or 0) for _, length in columns) <= 767, f"{index}: too long for MySQL"
    return found


@eggroll_cases
def test_mysql_makes_eggrolls_tables_in_the_partys_own_database(case: Case) -> None:
    sql = config_texts(case.render())["mysql-config/create-eggroll-meta-tables.sql"]
    times = ["created_at", "updated_at"]
    expected = {name: columns.split() + times for name, columns in TABLES.items()}
    if case is EGGROLL:
        expected |= {name: columns.split() + times for name, columns in TABLES_OF_2_5.items()}
        expected["session_ranks"] = TABLES_OF_2_5["session_ranks"].split()
        expected["session_processor"].insert(8, "processor_option")
    assert tables(sql) == expected
    # MySQL's image reads the file in the database that it is told to make.
    assert not re.search(r"(?i)\b(create database|use)\b", re.sub(r"--.*", "", sql))
    mounted, volume = mount(container(case, "StatefulSet/mysql/mysql"), "/docker-entrypoint-initdb.d")
    assert (volume["configMap"]["name"], "subPath" in mounted) == ("mysql-config", False)


@pytest.mark.parametrize("case", [PARTY, SLIM, RABBITMQ], ids=str)
def test_mysql_makes_no_tables_without_eggroll(case: Case) -> None:
    assert "mysql-config" not in {item["metadata"]["name"] for item in of_kind(case.render(), "ConfigMap")}
    assert [found["name"] for found in container(case, "StatefulSet/mysql/mysql").spec["volumeMounts"]] == ["data"]


@pytest.mark.parametrize("replicas", [1, 3])
def test_eggroll_2_4_is_told_of_every_node_by_its_stable_name(replicas: int) -> None:
    case = EGGROLL_2_4.changed(lambda values: values["modules"]["nodemanager"].update(replicas=replicas))
    sql = config_texts(case.render())["mysql-config/eggroll-server-nodes.sql"]
    nodes = [f"nodemanager-{index}.nodemanager" for index in range(replicas)]
    rows = re.findall(
        r"SELECT '([\w.-]+)', (\d+), '(\w+)', '(\w+)' FROM DUAL\s+WHERE NOT EXISTS \(SELECT 1 FROM server_node WHERE host = '\1'\);", sql
    )
    assert rows == [
        ("clustermanager", "4670", "CLUSTER_MANAGER", "HEALTHY"),
        *((node, "4671", "NODE_MANAGER", "HEALTHY") for node in nodes),
    ]
    assert re.findall(r"'LOSS' WHERE node_type = 'NODE_MANAGER' AND host NOT IN \((.+)\);", sql) == [
        ", ".join(f"'{node}'" for node in nodes)
    ]
    waiting = container(case, "Deployment/clustermanager/wait-for-mysql")
    _, volume = mount(waiting, "/config")
    assert volume["configMap"]["name"] == "mysql-config"
    assert "< /config/eggroll-server-nodes.sql" in waiting.spec["command"][-1]


def test_eggroll_2_5_is_told_of_no_node() -> None:
    assert [place for place in config_texts(EGGROLL.render()) if place.startswith("mysql-config/")] == [
        "mysql-config/create-eggroll-meta-tables.sql"
    ]
