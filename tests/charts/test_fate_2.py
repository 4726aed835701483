"""FATE 2.x: OSX, Eggroll 3, service_conf.yaml and where the images look for things; against reference sections 5, 6.2, 7 and 8.3."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest

from tests.charts.cases import (
    COMBINATIONS_2,
    EGGROLL,
    FILE_PULSAR,
    FILE_RABBITMQ,
    OSX,
    OSX_2_0,
    OSX_EXCHANGE,
    SPARK_OSX,
    SPARK_PULSAR_2,
    SPARK_RABBITMQ_2,
    STANDALONE_OSX,
    Case,
    Values,
    container,
    mount,
)
from tests.charts.test_configuration import PASSWORD, filled, properties, service_conf
from tests.charts.test_eggroll_tables import TABLES, TABLES_OF_2_5, tables
from tests.support.walk import config_texts, containers, environment, name_of, named, of_kind

BASE = "/data/projects/fate"
FATEFLOW, BROKER = "StatefulSet/python/fateflow", "Deployment/osx/osx"
CLUSTERMANAGER, NODEMANAGER = "Deployment/clustermanager/clustermanager", "StatefulSet/nodemanager/nodemanager"
MANAGER = "eggroll.resourcemanager"
# Reference 6.2, but for what only parties with other engines have.
KEYS = {
    "party_id", "use_registry", "log_level", "encrypt", "fateflow", "database", "default_engines", "default_provider", "computing",
    "federation", "storage", "hook_module", "authentication", "model_store", "servings", "zookeeper",
}  # fmt: skip
SPARK_HOME = "/data/projects/spark-3.1.3-bin-hadoop3.2/"
NGINX_CONF = {"host": "nginx", "http_port": 9300, "grpc_port": 9310, "protocol": "http"}
HDFS_CONF = {"hdfs": {"name_node": "hdfs://namenode:9000"}}
PULSAR_CONF = {
    "host": "pulsar", "port": 6650, "mng_port": 8080, "topic_ttl": 3, "cluster": "standalone", "tenant": "fl-tenant", "mode": "replication",
    "max_message_size": 1048576,
}  # fmt: skip
RABBITMQ_CONF = {
    "host": "rabbitmq", "port": 5672, "mng_port": 15672, "user": "fate", "password": PASSWORD, "mode": "replication",
    "max_message_size": 1048576,
}  # fmt: skip
EGGROLL_CONF = {"eggroll": {"cores": 8, "nodes": 2, "host": "clustermanager", "port": 4670}}


def osx_conf(mode: str) -> Values:
    return {"osx": {"host": "osx", "port": 9370, "mode": mode}}


every_combination = pytest.mark.parametrize("case", COMBINATIONS_2, ids=str)
every_eggroll = pytest.mark.parametrize("case", [OSX, OSX_2_0], ids=str)
every_broker = pytest.mark.parametrize(
    "case", [case for case in (*COMBINATIONS_2, OSX_EXCHANGE) if "osx" in case.values["modules"]], ids=str
)


@every_combination
def test_service_conf_has_every_key_and_the_pods_own_values(case: Case, tmp_path: Path) -> None:
    conf, values = service_conf(case, tmp_path), case.values
    assert set(conf) == KEYS
    assert conf["party_id"] == values["partyId"] == "9999", "FATE 2.x wants a text"
    assert (conf["fateflow"]["host"], conf["fateflow"]["proxy_name"]) == ("10.0.0.7", values["engines"]["proxy"])
    assert conf["fateflow"]["proxy_name"] in conf["federation"], "FATE-Flow looks its proxy up there"
    assert (conf["database"]["engine"], conf["database"]["mysql"]["passwd"]) == ("mysql", PASSWORD)
    assert conf["default_engines"] == {kind: values["engines"][kind] for kind in ("computing", "federation", "storage")}
    assert conf["default_engines"]["computing"] in conf["computing"]


@pytest.mark.parametrize(
    ("case", "computing", "federation", "storage"),
    [
        (OSX, EGGROLL_CONF, osx_conf("stream"), {}),
        (OSX_2_0, EGGROLL_CONF, osx_conf("stream"), {}),
        (SPARK_OSX, {"spark": {"home": SPARK_HOME, "cores": 8}}, osx_conf("queue"), HDFS_CONF),
        (STANDALONE_OSX, {"standalone": {"cores": 4}}, osx_conf("queue"), {}),
        (SPARK_PULSAR_2, {"spark": {"home": SPARK_HOME, "cores": 8}}, {"pulsar": PULSAR_CONF, "nginx": NGINX_CONF}, HDFS_CONF),
        (SPARK_RABBITMQ_2, {"spark": {"home": SPARK_HOME, "cores": 8}}, {"rabbitmq": RABBITMQ_CONF, "nginx": NGINX_CONF}, HDFS_CONF),
        (FILE_PULSAR, {"spark": {"home": SPARK_HOME, "cores": 4}}, {"pulsar": PULSAR_CONF, "nginx": NGINX_CONF}, {}),
        (FILE_RABBITMQ, {"spark": {"home": SPARK_HOME, "cores": 4}}, {"rabbitmq": RABBITMQ_CONF, "nginx": NGINX_CONF}, {}),
    ],
    ids=str,
)
def test_fateflow_is_told_of_the_engines_that_the_party_has_and_of_no_other(
    case: Case, computing: Values, federation: Values, storage: Values, tmp_path: Path
) -> None:
    conf = service_conf(case, tmp_path)
    assert (conf["computing"], conf["federation"], conf["storage"]) == (computing, federation, storage)


@every_combination
def test_fateflow_has_no_variable_that_fate_2_does_not_read(case: Case) -> None:
    """FATE 2.x reads LOG_LEVEL, whose default is right, and no limit of uploads (grep of 2.2.0's own code)."""
    names = {entry["name"] for entry in container(case, FATEFLOW).spec["env"]}
    assert {"POD_IP", "FATE_PROJECT_BASE"} <= names
    assert not {name for name in names if name.startswith(("FATE_LOG", "FATE_FLOW_UPLOAD"))}


@every_combination
def test_fateflow_keeps_its_folders_where_fate_2_has_them(case: Case) -> None:
    kept = {
        found["mountPath"]: found["subPath"] for found in container(case, FATEFLOW).spec["volumeMounts"] if found["name"] == "python-data"
    }
    extra = {"file": {"localfs"}, "standalone": {"data"}}.get(case.values["engines"]["storage"], set())
    assert set(kept) == {
        *(f"{BASE}/fate_flow/{name}" for name in {"logs", "jobs", "model", "temps"} | extra),
        f"{BASE}/llm",
    }
    assert len(set(kept.values())) == len(kept), "two folders in one place"
    assert container(case, FATEFLOW).spec["command"] == ["python", "fate_flow/python/fate_flow/fate_flow_server.py"]
    assert mount(container(case, FATEFLOW), f"{BASE}/fate_flow/conf")[1]["emptyDir"]["medium"] == "Memory"


@pytest.mark.parametrize(("case", "engine"), [(FILE_PULSAR, "pulsar"), (FILE_RABBITMQ, "rabbitmq"), (SPARK_PULSAR_2, "pulsar")], ids=str)
def test_a_route_table_is_a_link_from_the_folder_that_fate_reads_to_one_that_kubelet_refreshes(case: Case, engine: str) -> None:
    [script] = [found.spec["command"][-1] for found in containers(case.render()) if found.where == "StatefulSet/python/fill"]
    [link] = re.findall(r"^ln -sf (\S+) (\S+)$", script, re.M)
    mounted, volume = mount(container(case, FATEFLOW), f"/routes/{engine}")
    assert link == (f"/routes/{engine}/{engine}_route_table.yaml", f"/filled/{engine}_route_table.yaml")
    assert "subPath" not in mounted
    assert volume["configMap"]["name"] == case.values["routes"][engine]
    assert "cp -R /data/projects/fate/fate_flow/conf/. /filled/" in script, "job_default_config.yaml and casbin's models are the image's"


@every_combination
def test_executors_of_fate_2_get_no_configuration(case: Case) -> None:
    assert "spark-worker-config" not in {item["metadata"]["name"] for item in of_kind(case.render(), "ConfigMap")}


@every_combination
def test_no_configuration_names_a_host_that_is_not_there(case: Case, tmp_path: Path) -> None:
    objects = case.render()
    there = {item["metadata"]["name"] for item in of_kind(objects, "Service")} | {"nginx", "osx"} & set(case.values["modules"])
    conf = service_conf(case, tmp_path)
    groups = [*conf["computing"].values(), *conf["federation"].values(), conf["database"]["mysql"]]
    hosts = {str(group["host"]) for group in groups if "host" in group}
    hosts |= {hosts for name in conf["storage"].values() for hosts in re.findall(r"//([\w.-]+):", name["name_node"])}
    assert {"mysql"} < hosts
    assert hosts <= there


@every_broker
def test_osx_finds_its_settings_and_its_table_in_one_folder_that_kubelet_refreshes(case: Case) -> None:
    found = container(case, BROKER)
    command = found.spec["command"]
    config = command[command.index("-c") + 1]
    mounted, volume = mount(found, f"{config}/broker")
    assert "subPath" not in mounted
    sources = [source["configMap"] for source in volume["projected"]["sources"]]
    routes = case.values["routes"]
    assert [source["name"] for source in sources] == ["osx-config", routes if isinstance(routes, str) else routes["osx"]]
    assert sources[0]["items"] == [{"key": "broker.properties", "path": "broker.properties"}]
    assert "items" not in sources[1], "the table's ConfigMap holds the table only"


@every_broker
def test_broker_properties_say_what_osx_reads_and_name_no_party(case: Case) -> None:
    found = properties(config_texts(case.render())["osx-config/broker.properties"])
    eggroll = {"eggroll.cluster.manager.ip", "eggroll.cluster.manager.port"} if "clustermanager" in case.values["modules"] else set()
    assert set(found) == {"grpc.port", "open.http.server", "deploy.mode", "mapped.file.dir"} | eggroll
    assert (found["grpc.port"], found["open.http.server"]) == ("9370", "false"), "OSX opens an HTTP port unless told otherwise"
    assert mount(container(case, BROKER), found["mapped.file.dir"])[1] == {"name": "mapped", "emptyDir": {}}


@every_broker
def test_osx_takes_its_memory_from_its_limit(case: Case) -> None:
    command = container(case, BROKER).spec["command"]
    heap, direct = case.values["modules"]["osx"]["heapMib"], case.values["osx"]["directMib"]
    assert [word for word in command if word.startswith("-X")] == [f"-Xmx{heap}m", f"-XX:MaxDirectMemorySize={direct}m"]
    assert heap + direct < 4096 == int(case.values["modules"]["osx"]["resources"]["limits"]["memory"].removesuffix("Gi")) * 1024


def test_the_charts_have_one_osx() -> None:
    party, exchange = (named(case.render(), "Deployment", "osx")["spec"]["template"]["spec"] for case in (OSX, OSX_EXCHANGE))
    assert party["containers"] != exchange["containers"], "memory of an exchange is its own"
    for spec in (party, exchange):
        spec["containers"][0].pop("resources")
        spec["volumes"][1]["projected"]["sources"].pop()
    assert party == exchange


def test_an_exchange_with_osx_has_nothing_else() -> None:
    assert {name_of(item) for item in OSX_EXCHANGE.render()} == {"Deployment/osx", "ConfigMap/osx-config"}


def eggroll_file(case: Case, name: str, folder: Path, **variables: str) -> dict[str, str]:
    """One of Eggroll's files as its program reads it, without the section that Java takes for a key."""
    text = config_texts(case.render())[f"eggroll-config/{name}"]
    (folder / name).mkdir()
    return properties(filled(text, folder / name, name, variables).removeprefix("[eggroll]\n"))


@every_eggroll
def test_only_the_cluster_manager_of_eggroll_3_gets_the_password_and_it_does_not_print_it(case: Case, tmp_path: Path) -> None:
    own = eggroll_file(case, "clustermanager.properties", tmp_path, MYSQL_PASSWORD="secret=1")
    everybodys = eggroll_file(case, "eggroll.properties", tmp_path)
    node = eggroll_file(case, "nodemanager.properties", tmp_path, POD_NAME="nodemanager-7")
    assert own == everybodys | {f"{MANAGER}.clustermanager.jdbc.password": "secret=1"}
    assert node == everybodys | {f"{MANAGER}.nodemanager.host": "nodemanager-7.nodemanager"}
    holders = {found.where for found in containers(case.render()) if "MYSQL_PASSWORD" in environment(found)}
    assert holders == {"StatefulSet/python/fill", "Deployment/clustermanager/fill", "StatefulSet/mysql/mysql"}
    logging = properties(config_texts(case.render())["eggroll-config/log4j2.properties"])
    # MetaInfo.init of Eggroll 3 logs every key with its value at level INFO.
    assert logging["logger.settings.name"] == "org.fedai.eggroll.core.config.MetaInfo"
    assert (logging["loggers"], logging["logger.settings.level"]) == ("settings", "WARN")


@every_eggroll
def test_each_node_of_eggroll_3_has_a_name_of_its_own_that_outlives_its_pod(case: Case) -> None:
    fill = container(case, "StatefulSet/nodemanager/fill")
    assert environment(fill) == {"POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}}}
    assert fill.spec["command"][-1].splitlines() == ["sh /config/fill.sh /config/nodemanager.properties /filled/eggroll.properties"]
    mounted, volume = mount(container(case, NODEMANAGER), f"{BASE}/eggroll/conf/eggroll.properties")
    assert (mounted["subPath"], list(volume)) == ("eggroll.properties", ["name", "emptyDir"])
    service = named(case.render(), "Service", "nodemanager")
    assert service["spec"]["clusterIP"] == "None", "else nodemanager-0.nodemanager is no name"


@every_eggroll
def test_eggroll_3_is_started_with_its_own_classes(case: Case) -> None:
    for where, module, port in ((CLUSTERMANAGER, "clustermanager", "4670"), (NODEMANAGER, "nodemanager", "4671")):
        command = container(case, where).spec["command"]
        assert command[command.index("-cp") :] == [
            "-cp", f"{BASE}/eggroll/lib/*", f"-Dmodule={module}", f"org.fedai.eggroll.{module}.Bootstrap",
            "-c", f"{BASE}/eggroll/conf/eggroll.properties", "-p", port, "-s", "EGGROLL_DAEMON",
        ]  # fmt: skip


@every_eggroll
def test_eggroll_3_reads_one_file_in_java_and_python(case: Case, tmp_path: Path) -> None:
    text = config_texts(case.render())["eggroll-config/eggroll.properties"]
    python = configparser.ConfigParser()
    python.read_string(text)
    java = eggroll_file(case, "eggroll.properties", tmp_path)
    assert {key.lower(): value for key, value in java.items()} == dict(python["eggroll"])
    assert java["eggroll.resourcemanager.process.tag"] == "9999"
    assert java["eggroll.session.processors.per.node"] == str(case.values["eggroll"]["processorsPerNode"])
    assert not [key for key in java if "login" in key], "the dashboard, with admin/admin, is not deployed"
    assert mount(container(case, FATEFLOW), f"{BASE}/eggroll/conf/eggroll.properties")[1]["configMap"]["name"] == "eggroll-config"


def test_the_tables_of_eggroll_3_are_those_of_its_version() -> None:
    sql = config_texts(OSX.render())["mysql-config/create-eggroll-meta-tables.sql"]
    times = ["created_at", "updated_at"]
    expected = {name: columns.split() + times for name, columns in (TABLES | TABLES_OF_2_5).items()}
    expected["session_ranks"] = TABLES_OF_2_5["session_ranks"].split()
    at = expected["store_locator"].index("partitioner")
    expected["store_locator"][at : at + 2] = ["key_serdes_type", "value_serdes_type", "partitioner_type"]
    expected["session_main"][3:3] = ["status_reason", "before_status"]
    expected["session_processor"][5:5] = ["before_status"]
    expected["session_processor"].insert(9, "processor_option")
    assert tables(sql) == expected


def test_what_runs_tasks_finds_fates_packages() -> None:
    def own(values: Values) -> None:
        values["modules"]["fateflow"]["env"] = {"PYTHONPATH": "/own"}

    path = ":".join(f"{BASE}/{part}" for part in ("fate/python", "fate_flow/python", "fate_client/python", "eggroll/python"))
    assert environment(container(OSX, FATEFLOW))["PYTHONPATH"] == environment(container(OSX, NODEMANAGER))["PYTHONPATH"] == path
    assert environment(container(OSX.changed(own), FATEFLOW))["PYTHONPATH"] == "/own"
    assert "PYTHONPATH" not in environment(container(EGGROLL, FATEFLOW)), "1.x images know theirs"


@pytest.mark.parametrize(
    ("case", "home", "start"),
    [
        (OSX, f"{BASE}/fate_board", ["-cp", f"{BASE}/fate_board/lib/*:{BASE}/fate_board/*", "org.fedai.fate.board.bootstrap.Bootstrap"]),
        (OSX_2_0, f"{BASE}/fateboard", ["-jar", "fateboard.jar"]),
        (EGGROLL, f"{BASE}/fateboard", ["-jar", "fateboard.jar"]),
    ],
    ids=str,
)
def test_fateboard_is_started_as_its_release_is(case: Case, home: str, start: list[str]) -> None:
    found = container(case, "Deployment/fateboard/fateboard")
    command: list[Any] = found.spec["command"]
    assert command[-len(start) :] == start
    assert f"-Dspring.config.location={home}/conf/application.properties" in command
    assert found.spec["workingDir"] == home
    assert mount(found, f"{home}/conf/application.properties")[0]["subPath"] == "application.properties"
