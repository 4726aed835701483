"""What FATE-Flow is told of the engines, in each combination."""

import re
from pathlib import Path

import pytest

from tests.charts.cases import (
    COMBINATIONS,
    EGGROLL,
    EGGROLL_2_4,
    EXTERNAL,
    EXTERNAL_RABBITMQ,
    EXTERNALS,
    PARTY,
    RABBITMQ,
    SLIM,
    SLIM_RABBITMQ,
    Case,
    Values,
    container,
    mount,
)
from tests.charts.test_configuration import PASSWORD, service_conf
from tests.support.walk import config_texts, of_kind

FATEFLOW = "StatefulSet/python/fateflow"
BASE = "/data/projects/fate"
SPARK_HOME = "/data/projects/spark-3.1.3-bin-hadoop3.2/"
PULSAR_CONF = {
    "host": "pulsar", "port": 6650, "mng_port": 8080, "topic_ttl": 3, "cluster": "standalone", "tenant": "fl-tenant", "mode": "replication",
    "route_table": "conf/pulsar_route_table/pulsar_route_table.yaml", "max_message_size": 1048576,
}  # fmt: skip
RABBITMQ_CONF = {
    "host": "rabbitmq", "port": 5672, "mng_port": 15672, "user": "fate", "password": PASSWORD, "mode": "replication",
    "route_table": "conf/rabbitmq_route_table/rabbitmq_route_table.yaml", "max_message_size": 1048576,
}  # fmt: skip
NGINX_CONF = {"host": "nginx", "http_port": 9300, "grpc_port": 9310}
HDFS_CONF = {"name_node": "hdfs://namenode:9000", "path_prefix": None}
EGGROLL_CONF = {"clustermanager": {"cores_per_node": 4, "nodes": 2}, "rollsite": {"host": "rollsite", "port": 9370}}


@pytest.mark.parametrize(
    ("case", "eggroll", "spark"),
    [
        (
            PARTY,
            {},
            {"spark": {"home": SPARK_HOME, "cores_per_node": 4, "nodes": 2}, "hdfs": HDFS_CONF, "pulsar": PULSAR_CONF, "nginx": NGINX_CONF},
        ),
        (
            RABBITMQ,
            {},
            {
                "spark": {"home": SPARK_HOME, "cores_per_node": 4, "nodes": 2},
                "hdfs": HDFS_CONF,
                "rabbitmq": RABBITMQ_CONF,
                "nginx": NGINX_CONF,
            },
        ),
        (SLIM, {}, {"spark": {"home": SPARK_HOME, "cores_per_node": 4, "nodes": 1}, "pulsar": PULSAR_CONF, "nginx": NGINX_CONF}),
        (
            SLIM_RABBITMQ,
            {},
            {"spark": {"home": SPARK_HOME, "cores_per_node": 4, "nodes": 1}, "rabbitmq": RABBITMQ_CONF, "nginx": NGINX_CONF},
        ),
        (EGGROLL, EGGROLL_CONF, {}),
        (EGGROLL_2_4, EGGROLL_CONF, {}),
        (
            EXTERNAL,
            {},
            {
                "spark": {"home": SPARK_HOME, "cores_per_node": 16, "nodes": 4},
                "hdfs": {"name_node": "hdfs://namenode.bank-a.example:8020", "path_prefix": "/fate"},
                "pulsar": PULSAR_CONF | {"host": "pulsar.bank-a.example", "port": 6660, "mng_port": 8088, "cluster": "bank-a"},
                "nginx": NGINX_CONF,
            },
        ),
        (
            EXTERNAL_RABBITMQ,
            {},
            {
                "spark": {"home": SPARK_HOME, "cores_per_node": 16, "nodes": 4},
                "hdfs": {"name_node": "hdfs://namenode.bank-a.example:8020", "path_prefix": "/fate"},
                "rabbitmq": RABBITMQ_CONF | {"host": "rabbitmq.bank-a.example", "port": 5673, "mng_port": 15673, "user": "fate_9999"},
                "nginx": NGINX_CONF,
            },
        ),
    ],
    ids=str,
)
def test_fateflow_is_told_of_the_engines_that_the_party_has_and_of_no_other(
    case: Case, eggroll: Values, spark: Values, tmp_path: Path
) -> None:
    conf = service_conf(case, tmp_path)
    assert (conf["fate_on_eggroll"], conf["fate_on_spark"]) == (eggroll, spark)


@pytest.mark.parametrize("case", [*COMBINATIONS, *EXTERNALS], ids=str)
def test_no_configuration_names_a_host_that_is_not_there(case: Case) -> None:
    hosts = {
        "clustermanager", "datanode", "fateboard", "fateflow", "mysql", "namenode", "nginx", "nodemanager", "notebook", "pulsar",
        "rabbitmq", "rollsite", "spark-client", "spark-master",
    }  # fmt: skip
    objects = case.render()
    there = {item["metadata"]["name"] for item in of_kind(objects, "Service")} | {"nginx", "rollsite"} & set(case.values["modules"])
    # An engine's name in default_engines is no host; where an external one is, the test above says.
    absent = hosts - there - {case.values["engines"]["federation"]}
    assert ("mysql" in there) is ("mysql" in case.values["modules"])
    assert absent
    named_there = re.compile(rf"(?:[:=@/]\s*|^|\s)\"?({'|'.join(sorted(absent))})\"?(?::\d+|\s*$|/)", re.M)
    texts = {place: text for place, text in config_texts(objects).items() if not place.endswith((".sh", ".sql", "enabled_plugins"))}
    assert texts
    found = {place: hit.group(1) for place, text in texts.items() if (hit := named_there.search(_without_comments(text)))}
    assert not found, found


def _without_comments(text: str) -> str:
    return re.sub(r"^\s*#.*$", "", text, flags=re.M)


def test_what_is_uploaded_to_a_slim_party_outlives_its_pod() -> None:
    mounted, _ = mount(container(SLIM.changed(lambda values: values["modules"]["fateflow"].pop("claim")), FATEFLOW), f"{BASE}/localfs")
    # fate_arch.common.data_utils.default_localfs_path
    assert mounted == {"name": "python-data", "mountPath": f"{BASE}/localfs", "subPath": "localfs"}
    for case in (PARTY, EGGROLL):
        assert not [found for found in container(case, FATEFLOW).spec["volumeMounts"] if found["mountPath"].endswith("/localfs")]
