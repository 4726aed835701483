"""Eggroll and rollsite: what Java, Python and the scripts of their images read, and how the pods fit together."""

import configparser
import re
import subprocess
from pathlib import Path

import pytest

from tests.charts.cases import EGGROLL, EGGROLL_2_4, EXCHANGES, ROLLSITE_EXCHANGE, Case, Values, container, mount
from tests.charts.test_configuration import filled, properties, service_conf
from tests.support.walk import config_texts, containers, environment, name_of, named, of_kind

FATEFLOW = "StatefulSet/python/fateflow"
BASE = "/data/projects/fate"
CLUSTERMANAGER, NODEMANAGER = "Deployment/clustermanager/clustermanager", "StatefulSet/nodemanager/nodemanager"
ROLLSITE = "Deployment/rollsite/rollsite"

# Reference 7.3 and 8.1.
ROLLSITE_KEYS = {
    f"eggroll.rollsite.{key}"
    for key in (
        "coordinator", "host", "port", "party.id", "route.table.path", "route.table.key", "route.table.whitelist", "jvm.options",
        "push.max.retry", "push.long.retry", "push.batches.per.stream", "adapter.sendbuf.size",
    )
}  # fmt: skip
MANAGER = "eggroll.resourcemanager"
JDBC = f"{MANAGER}.clustermanager.jdbc"
EGGROLL_KEYS = ROLLSITE_KEYS | {
    f"{JDBC}.driver.class.name", f"{JDBC}.url", f"{JDBC}.username", f"{JDBC}.password", f"{JDBC}.password.decryptor",
    f"{JDBC}.password.decryptor.args", f"{MANAGER}.clustermanager.host", f"{MANAGER}.clustermanager.port", f"{MANAGER}.nodemanager.port",
    f"{MANAGER}.process.tag", "eggroll.bootstrap.root.script",
    *(f"{MANAGER}.bootstrap.egg_pair.{key}" for key in ("exepath", "venv", "pythonpath", "filepath", "ld_library_path")),
    *(f"{MANAGER}.bootstrap.egg_frame.{key}" for key in ("exepath", "javahome", "classpath", "mainclass", "jvm.options")),
    "eggroll.session.processors.per.node", "eggroll.session.start.timeout.ms", "eggroll.data.dir", "eggroll.logs.dir",
    "eggroll.core.grpc.channel.keepalive.timeout.sec", "eggroll.rollpair.transferpair.sendbuf.size", "arrow.enable_unsafe_memory_access",
    "hadoop.fs.defaultFS", "hadoop.dfs.nameservices", "hadoop.dfs.namenode.rpc-address.nn1", "hadoop.dfs.namenode.rpc-address.nn2",
}  # fmt: skip
KEYS_OF_2_5 = {
    f"{MANAGER}.nodemanager.containers.data.dir", "eggroll.container.deepspeed.python.exec",
    "eggroll.container.deepspeed.distributed.backend",
}  # fmt: skip

eggroll_cases = pytest.mark.parametrize("case", [EGGROLL, EGGROLL_2_4], ids=str)


def eggroll_properties(case: Case, config: str = "eggroll-config") -> str:
    return config_texts(case.render())[f"{config}/eggroll.properties"]


@eggroll_cases
def test_eggroll_properties_are_the_same_for_java_python_and_the_scripts(case: Case, tmp_path: Path) -> None:
    text = eggroll_properties(case)
    # As eggroll.core.session does, with interpolation.
    python = configparser.ConfigParser()
    python.read_string(text)
    found = dict(python["eggroll"])
    java = properties(text.removeprefix("[eggroll]\n"))
    assert {key.lower(): value for key, value in java.items()} == found
    assert set(java) == EGGROLL_KEYS | (KEYS_OF_2_5 if case is EGGROLL else set())
    # As egg_pair_bootstrap.sh does: grep takes any line with the key in it, so there must be one.
    (tmp_path / "eggroll.properties").write_text(text)
    function = """get_property() { property_value=`grep $2 $1 | awk -F '=' '{if($2!~/^#/) print $2}'`; echo "$property_value"; }"""
    keys = [key for key in java if "egg_pair" in key or key.endswith((".host", "manager.port", "logs.dir"))]
    assert len(keys) == 10
    for key in keys:
        run = ["bash", "-c", f"{function}\nget_property eggroll.properties {key}"]
        assert subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == f"{java[key]}\n", key


@eggroll_cases
def test_eggroll_knows_its_own_ports_hosts_and_size(case: Case, tmp_path: Path) -> None:
    found = properties(eggroll_properties(case).removeprefix("[eggroll]\n"))
    ports = case.values["ports"]
    assert (found[f"{MANAGER}.clustermanager.host"], int(found[f"{MANAGER}.clustermanager.port"])) == (
        "clustermanager",
        ports["clustermanager"],
    )
    assert int(found[f"{MANAGER}.nodemanager.port"]) == ports["nodemanager"]
    assert found[f"{JDBC}.url"].startswith(f"jdbc:mysql://mysql:{ports['mysql']}/{case.values['database']['name']}?")
    assert (found["eggroll.rollsite.host"], int(found["eggroll.rollsite.port"])) == ("rollsite", ports["rollsite"])
    assert found["eggroll.rollsite.party.id"] == found[f"{MANAGER}.process.tag"] == case.values["partyId"]
    manager = service_conf(case, tmp_path)["fate_on_eggroll"]["clustermanager"]
    assert manager["cores_per_node"] == int(found["eggroll.session.processors.per.node"]) == case.values["eggroll"]["processorsPerNode"]


@eggroll_cases
def test_replicas_of_the_node_manager_do_not_take_each_others_place(case: Case) -> None:
    # Trap 10: with one host for all, Eggroll 2.5's registry holds one node.
    assert f"{MANAGER}.nodemanager.host" not in eggroll_properties(case)
    assert named(case.render(), "StatefulSet", "nodemanager")["spec"]["serviceName"] == "nodemanager"
    assert named(case.render(), "Service", "nodemanager")["spec"]["clusterIP"] == "None"


def test_each_node_of_eggroll_2_5_registers_under_a_name_that_outlives_its_pod(tmp_path: Path) -> None:
    # NodeManagerMeta of Eggroll 2.5.3: host and port find the node's row, and with it its tables.
    text = config_texts(EGGROLL.render())["eggroll-config/nodemanager.properties"]
    own = properties(filled(text, tmp_path, "nodemanager.properties", {"POD_NAME": "nodemanager-7"}).removeprefix("[eggroll]\n"))
    everybodys = properties(eggroll_properties(EGGROLL).removeprefix("[eggroll]\n"))
    assert own == everybodys | {f"{MANAGER}.nodemanager.host": "nodemanager-7.nodemanager"}
    fill = container(EGGROLL, "StatefulSet/nodemanager/fill")
    assert environment(fill)["POD_NAME"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert fill.spec["command"][-1].splitlines() == [
        "sh /config/fill.sh /config/nodemanager.properties /filled/eggroll.properties",
        "sh /config/fill.sh /config/service_conf.yaml /filled/service_conf.yaml",
    ]
    _, sources = mount(fill, "/config")
    files = [item["path"] for source in sources["projected"]["sources"] for item in source["configMap"]["items"]]
    assert sorted(files) == ["fill.sh", "nodemanager.properties", "service_conf.yaml"]


def test_nodes_of_eggroll_2_4_are_known_by_their_rows_and_need_no_name() -> None:
    assert "eggroll-config/nodemanager.properties" not in config_texts(EGGROLL_2_4.render())
    command = container(EGGROLL_2_4, "StatefulSet/nodemanager/fill").spec["command"][-1]
    assert command.splitlines() == ["sh /config/fill.sh /config/service_conf.yaml /filled/service_conf.yaml"]


@eggroll_cases
def test_everybody_has_the_same_eggroll_properties_where_eggroll_looks(case: Case) -> None:
    for where in (CLUSTERMANAGER, NODEMANAGER, ROLLSITE, FATEFLOW):
        mounted, volume = mount(container(case, where), f"{BASE}/eggroll/conf/eggroll.properties")
        assert mounted["subPath"] == "eggroll.properties", where
        # A node of 2.5 has its name in it too.
        own = where == NODEMANAGER and case is EGGROLL
        assert volume["emptyDir"]["medium"] == "Memory" if own else volume["configMap"]["name"] == "eggroll-config", where
        checksums = named(case.render(), *where.split("/")[:2])["spec"]["template"]["metadata"]["annotations"]
        assert "checksum/config" in checksums, where


@eggroll_cases
def test_the_password_of_eggrolls_database_is_in_no_file_and_only_in_the_cluster_managers_environment(case: Case) -> None:
    # Eggroll 2.5 prints every key and value of the file at start, and its scripts print their environment.
    found = properties(eggroll_properties(case).removeprefix("[eggroll]\n"))
    assert "${" not in eggroll_properties(case)
    assert found[f"{JDBC}.password"] == ""
    # Rdb.scala: Class.forName(...).newInstance(), then the method with the arguments as texts.
    assert found[f"{JDBC}.password.decryptor"] == "org.apache.commons.lang3.SystemUtils#getEnvironmentVariable"
    variable, _ = found[f"{JDBC}.password.decryptor.args"].split(",")
    given = {
        found.where: environment(found)[variable]
        for found in containers(case.render())
        if not found.init and variable in environment(found)
    }
    password = {"secretKeyRef": case.values["database"]["password"]}
    assert given == {CLUSTERMANAGER: password, "StatefulSet/mysql/mysql": password}


@eggroll_cases
def test_rollsite_reads_its_routes_from_a_directory_that_kubelet_refreshes(case: Case) -> None:
    _rollsite_reads_routes(case, eggroll_properties(case), case.values["routes"]["rollsite"])


def test_the_exchanges_rollsite_reads_its_routes_from_a_directory_that_kubelet_refreshes() -> None:
    text = eggroll_properties(ROLLSITE_EXCHANGE, "rollsite-config")
    _rollsite_reads_routes(ROLLSITE_EXCHANGE, text, ROLLSITE_EXCHANGE.values["routes"])


def _rollsite_reads_routes(case: Case, text: str, config_map: str) -> None:
    found = container(case, ROLLSITE)
    path = re.findall(r"^eggroll\.rollsite\.route\.table\.path=(.+)$", text, re.M)[0]
    mounted, volume = mount(found, f"{BASE}/eggroll/{path}".removesuffix("/route_table.json"))
    assert path.endswith("/route_table.json")
    assert "subPath" not in mounted, "a subPath never changes, and rollsite reads the table every minute"
    assert volume["configMap"]["name"] == config_map
    assert found.pod["hostAliases"] == [{"ip": "127.0.0.1", "hostnames": ["rollsite"]}], "its own entry names rollsite"
    assert found.spec["workingDir"] == f"{BASE}/eggroll", "the path is relative"
    assert [port["name"] for port in found.spec["ports"]] == ["grpc"], "the published Service asks for this name"


def test_an_exchange_with_rollsite_knows_no_database_and_no_cluster_manager() -> None:
    objects = ROLLSITE_EXCHANGE.render()
    found = properties(eggroll_properties(ROLLSITE_EXCHANGE, "rollsite-config"))
    assert set(found) == ROLLSITE_KEYS
    assert found["eggroll.rollsite.party.id"] == "0", "no party can be 0"
    assert not [entry for item in containers(objects) for entry in item.spec.get("env", []) if "valueFrom" in entry]


@pytest.mark.parametrize("case", EXCHANGES, ids=str)
def test_an_exchange_has_what_its_modules_need_and_nothing_else(case: Case) -> None:
    assert {item["metadata"]["name"] for item in of_kind(case.render(), "Deployment")} == {
        {"trafficServer": "traffic-server"}.get(name, name) for name in case.values["modules"]
    }


@pytest.mark.parametrize(
    ("case", "where"), [(EGGROLL, CLUSTERMANAGER), (EGGROLL, NODEMANAGER), (EGGROLL, ROLLSITE), (ROLLSITE_EXCHANGE, ROLLSITE)]
)
def test_eggroll_logs_to_the_pods_log(case: Case, where: str) -> None:
    found = container(case, where)
    [option] = [word for word in found.spec["command"] if word.startswith("-Dlog4j.configurationFile=")]
    _, volume = mount(found, "/config")
    logging = properties(config_texts(case.render())[f"{volume['configMap']['name']}/log4j2.properties"])
    assert option == "-Dlog4j.configurationFile=/config/log4j2.properties"
    assert {value for key, value in logging.items() if key.startswith("appender.") and key.endswith(".type")} == {
        "Console",
        "PatternLayout",
    }
    assert logging["rootLogger.appenderRef.stdout.ref"] == logging["appender.console.name"]


def test_java_heaps_of_eggroll_follow_the_values() -> None:
    def sizes(values: Values) -> None:
        for module in values["modules"].values():
            module["heapMib"] = 1234

    for case, where in ((EGGROLL, CLUSTERMANAGER), (EGGROLL, NODEMANAGER), (EGGROLL, ROLLSITE), (ROLLSITE_EXCHANGE, ROLLSITE)):
        command = container(case.changed(sizes), where).spec["command"]
        assert [word for word in command if word.startswith("-Xmx")] == ["-Xmx1234m"], where


def test_ptrace_is_allowed_only_where_the_release_asks_for_it() -> None:
    asking = {
        found.where
        for found in containers(EGGROLL.render())
        if "SYS_PTRACE" in found.spec["securityContext"]["capabilities"].get("add", [])
    }
    assert asking == {NODEMANAGER, "StatefulSet/nodemanager/fill"}


def _nodes(values: Values) -> None:
    values["modules"]["nodemanager"]["replicas"] = 4
    values["eggroll"]["nodes"] = 4


@pytest.mark.parametrize(
    ("case", "touched"),
    [
        (EGGROLL, {"StatefulSet/nodemanager", "ConfigMap/python-config", "StatefulSet/python"}),
        (
            EGGROLL_2_4,
            {
                "StatefulSet/nodemanager",
                "ConfigMap/python-config",
                "StatefulSet/python",
                "ConfigMap/mysql-config",
                "Deployment/clustermanager",
            },
        ),
    ],
    ids=str,
)
def test_more_nodes_restart_no_node_and_no_database(case: Case, touched: set[str]) -> None:
    before = {name_of(item): item for item in case.render()}
    after = {name_of(item): item for item in case.changed(_nodes).render()}
    assert {name for name in before if before[name] != after[name]} == touched
    assert before["StatefulSet/nodemanager"]["spec"]["template"] == after["StatefulSet/nodemanager"]["spec"]["template"]
