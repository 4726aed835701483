"""Which objects the charts make, and what a change of values touches. The names are identity: a new name is a replacement."""

import pytest

from tests.charts.cases import (
    BALANCED,
    COMBINATIONS,
    EGGROLL,
    EGGROLL_2_4,
    EGGROLL_EPHEMERAL,
    EPHEMERAL,
    EXCHANGE,
    EXCHANGES,
    PARTY,
    PLACED,
    PLAINTEXT,
    RABBITMQ,
    RABBITMQ_KEPT,
    ROLLSITE_EXCHANGE,
    SLIM,
    SLIM_RABBITMQ,
    SMALL,
    Case,
    Values,
)
from tests.support.walk import Object, containers, environment, name_of, named, of_kind, workloads

# KubeFATE's names (reference 4.3).
PARTY_OBJECTS = {
    "StatefulSet/client", "StatefulSet/datanode", "StatefulSet/mysql", "StatefulSet/namenode", "StatefulSet/pulsar", "StatefulSet/python",
    "Deployment/fateboard", "Deployment/nginx", "Deployment/spark-master", "Deployment/spark-worker",
    "Service/datanode", "Service/fateboard", "Service/fateflow", "Service/mysql", "Service/namenode", "Service/notebook", "Service/pulsar",
    "Service/spark-client", "Service/spark-master", "Service/spark-worker-1",
    "ConfigMap/datanode-env", "ConfigMap/fateboard-config", "ConfigMap/namenode-config", "ConfigMap/namenode-env", "ConfigMap/nginx-config",
    "ConfigMap/pulsar-config", "ConfigMap/python-config", "ConfigMap/spark-worker-config",
}  # fmt: skip
OPTIONAL_OBJECTS = {"StatefulSet/client", "Service/notebook", "Deployment/fateboard", "Service/fateboard", "ConfigMap/fateboard-config"}
EXCHANGE_OBJECTS = {"Deployment/nginx", "Deployment/traffic-server", "ConfigMap/nginx-config", "ConfigMap/traffic-server-config"}
ROLLSITE_EXCHANGE_OBJECTS = {"Deployment/rollsite", "ConfigMap/rollsite-config"}

# Reference 4.4, by combination. Services, workloads, ConfigMaps; optional ones are in OPTIONAL_OBJECTS.
CORE = "Service/fateflow Service/fateflow-client Service/mysql StatefulSet/python StatefulSet/mysql"
CORE += " ConfigMap/python-config ConfigMap/mysql-config ConfigMap/pulsar-route-table ConfigMap/rabbitmq-route-table"
SPARK = "Service/spark-master Service/spark-client Service/spark-worker-1 Deployment/spark-master Deployment/spark-worker"
SPARK += (
    " ConfigMap/spark-worker-config Service/namenode Service/datanode StatefulSet/namenode StatefulSet/datanode ConfigMap/namenode-config"
)
SPARK += " ConfigMap/namenode-env ConfigMap/datanode-env"
NGINX = "Service/nginx Deployment/nginx ConfigMap/nginx-config"
WITH_PULSAR = "Service/pulsar StatefulSet/pulsar ConfigMap/pulsar-config"
WITH_RABBITMQ = "Service/rabbitmq Deployment/rabbitmq ConfigMap/rabbitmq-config"
WITH_EGGROLL = "Service/rollsite Service/clustermanager Service/nodemanager StatefulSet/nodemanager Deployment/clustermanager"
WITH_EGGROLL += " Deployment/rollsite ConfigMap/eggroll-config ConfigMap/rollsite-config ConfigMap/fluentd-config"
KUBEFATE = {
    PARTY.name: [CORE, SPARK, NGINX, WITH_PULSAR],
    RABBITMQ.name: [CORE, SPARK, NGINX, WITH_RABBITMQ],
    SLIM.name: [CORE, NGINX, WITH_PULSAR],
    SLIM_RABBITMQ.name: [CORE, NGINX, WITH_RABBITMQ],
    EGGROLL.name: [CORE, WITH_EGGROLL],
    EGGROLL_2_4.name: [CORE, WITH_EGGROLL],
}
# Made by the program, beside the chart. rollsite-config holds the route table only.
TYPED = {
    "Service/fateflow-client", "Service/nginx", "Service/rollsite", "ConfigMap/pulsar-route-table", "ConfigMap/rabbitmq-route-table",
    "ConfigMap/rollsite-config",
}  # fmt: skip
# docs/reference/kubefate-objects.md has the reasons: no SQL but Eggroll's, and a log sidecar that reads nothing.
ONLY_KUBEFATES = {"ConfigMap/mysql-config": [EGGROLL, EGGROLL_2_4], "ConfigMap/fluentd-config": list[Case]()}


def names(objects: list[Object]) -> list[str]:
    return [name_of(item) for item in objects]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (PARTY, PARTY_OBJECTS),
        (SMALL, PARTY_OBJECTS - OPTIONAL_OBJECTS),
        (EPHEMERAL, PARTY_OBJECTS),
        (PLAINTEXT, PARTY_OBJECTS),
        (EXCHANGE, EXCHANGE_OBJECTS),
    ],
    ids=str,
)
def test_the_set_of_objects(case: Case, expected: set[str]) -> None:
    assert sorted(names(case.render())) == sorted(expected)


@pytest.mark.parametrize("case", COMBINATIONS, ids=str)
def test_a_combination_has_kubefates_objects_but_for_the_documented_ones(case: Case) -> None:
    kubefates = set(" ".join(KUBEFATE[case.name]).split())
    left_out = TYPED | {name for name, kept in ONLY_KUBEFATES.items() if case not in kept}
    assert kubefates & left_out
    assert set(names(case.render())) - OPTIONAL_OBJECTS == kubefates - left_out


def test_an_exchange_with_rollsite_has_nothing_of_traffic_server() -> None:
    assert set(names(ROLLSITE_EXCHANGE.render())) == ROLLSITE_EXCHANGE_OBJECTS


def test_lbrollsite_is_beside_rollsite_and_answers_as_kubefates_service_exchange() -> None:
    added = set(names(BALANCED.render())) - set(names(EGGROLL.render()))
    assert added == {"Deployment/lbrollsite", "ConfigMap/lbrollsite-config", "Service/exchange"}
    service = named(BALANCED.render(), "Service", "exchange")["spec"]
    assert service["selector"] == {"app.kubernetes.io/instance": "party-9999", "app.kubernetes.io/name": "lbrollsite"}
    assert [(port["port"], port["targetPort"]) for port in service["ports"]] == [(9390, "grpc")]


@pytest.mark.parametrize(
    ("case", "headless"),
    [(PARTY, {"fateflow", "spark-master", "spark-worker-1"}), (EGGROLL, {"fateflow", "clustermanager", "nodemanager"})],
    ids=str,
)
def test_headless_services_are_kubefates(case: Case, headless: set[str]) -> None:
    found = of_kind(case.render(), "Service")
    assert {item["metadata"]["name"] for item in found if item["spec"].get("clusterIP") == "None"} == headless


@pytest.mark.parametrize("case", [PARTY, EGGROLL, RABBITMQ_KEPT], ids=str)
def test_stateful_sets_name_existing_services(case: Case) -> None:
    objects = case.render()
    governed = {name_of(item): item["spec"]["serviceName"] for item in of_kind(objects, "StatefulSet")}
    assert governed["StatefulSet/python"] == "fateflow", "fateboard calls python-0.fateflow"
    assert {f"Service/{service}" for service in governed.values()} <= set(names(objects))


def test_claims_have_kubefates_names() -> None:
    found = of_kind([*PARTY.render(), *EGGROLL.render(), *RABBITMQ_KEPT.render()], "StatefulSet")
    claims = {item["metadata"]["name"]: [claim["metadata"]["name"] for claim in item["spec"]["volumeClaimTemplates"]] for item in found}
    assert claims == {
        "python": ["python-data"], "mysql": ["data"], "pulsar": ["pulsar-data"], "rabbitmq": ["rabbitmq-data"],
        "namenode": ["dfs"], "datanode": ["dfs"], "client": ["persistence"], "nodemanager": ["data-dir"],
    }  # fmt: skip


@pytest.mark.parametrize("case", [EPHEMERAL, EGGROLL_EPHEMERAL], ids=str)
def test_without_a_claim_the_data_is_in_an_empty_dir(case: Case) -> None:
    found = of_kind(case.render(), "StatefulSet")
    assert found
    for item in found:
        assert "volumeClaimTemplates" not in item["spec"], name_of(item)
        volumes = {volume["name"]: volume for volume in item["spec"]["template"]["spec"]["volumes"]}
        data = {"python-data", "data", "pulsar-data", "dfs", "persistence", "data-dir"} & set(volumes)
        assert [volumes[name] for name in data] == [{"name": name, "emptyDir": {}} for name in data], name_of(item)
        assert data, name_of(item)


def test_a_claim_without_a_storage_class_takes_the_clusters_default() -> None:
    def classes(values: Values) -> None:
        values["modules"]["mysql"]["claim"] = {"storageClass": "fast", "accessMode": "ReadWriteMany", "size": "1Gi"}

    objects = PARTY.changed(classes).render()
    claim = named(objects, "StatefulSet", "mysql")["spec"]["volumeClaimTemplates"][0]["spec"]
    assert claim == {"accessModes": ["ReadWriteMany"], "storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}}
    assert "storageClassName" not in named(objects, "StatefulSet", "pulsar")["spec"]["volumeClaimTemplates"][0]["spec"]


def test_lost_and_found_is_removed_only_from_the_namenodes_own_disk() -> None:
    def initial(case: Case) -> set[str]:
        return {container.where for container in containers(case.render()) if container.init}

    assert initial(PARTY) - initial(EPHEMERAL) == {"StatefulSet/namenode/delete-lost-found"}


def test_deployments_of_one_writer_are_recreated() -> None:
    found = of_kind([item for case in (*COMBINATIONS, *EXCHANGES) for item in case.render()], "Deployment")
    assert {"nginx", "rabbitmq", "clustermanager", "rollsite"} <= {item["metadata"]["name"] for item in found}
    assert {item["spec"]["strategy"]["type"] for item in found} == {"Recreate"}


def _tenant(values: Values) -> None:
    values["pulsar"]["tenant"] = "another"


def _prefix(values: Values) -> None:
    values["pulsar"]["broker"]["replicatorPrefix"] = "pulsar.repl.another"


def _routes(values: Values) -> None:
    values["routes"]["nginx"] = "another"


def _heap(values: Values) -> None:
    values["modules"]["namenode"]["heapMib"] = 2000


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        (_tenant, {"ConfigMap/python-config", "StatefulSet/python", "StatefulSet/pulsar"}),
        (_prefix, {"ConfigMap/pulsar-config", "StatefulSet/pulsar"}),
        (_routes, {"Deployment/nginx"}),
        (_heap, {"StatefulSet/namenode"}),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_a_changed_value_restarts_what_reads_it_and_nothing_else(change: object, touched: set[str]) -> None:
    assert callable(change)
    before = {name_of(item): item for item in PARTY.render()}
    after = {name_of(item): item for item in PARTY.changed(change).render()}
    assert {name for name in before if before[name] != after[name]} == touched


def test_a_configuration_read_at_start_restarts_its_readers() -> None:
    found = [item for case in (*COMBINATIONS, *EXCHANGES, BALANCED) for item in workloads(case.render())]
    assert found
    checked = {name_of(item) for item in found if "checksum/config" in item["spec"]["template"]["metadata"].get("annotations", {})}
    assert checked == {
        "StatefulSet/python", "StatefulSet/pulsar", "StatefulSet/namenode", "StatefulSet/datanode",
        "Deployment/nginx", "Deployment/fateboard", "Deployment/spark-worker", "Deployment/traffic-server",
        "Deployment/clustermanager", "StatefulSet/nodemanager", "Deployment/rollsite", "Deployment/rabbitmq", "Deployment/osx",
        "Deployment/lbrollsite",
    }  # fmt: skip


def test_java_heaps_follow_the_values() -> None:
    def sizes(values: Values) -> None:
        for module in values["modules"].values():
            module["heapMib"] = 1234

    found = {container.where: container for container in containers(PARTY.changed(sizes).render())}
    direct = PARTY.values["pulsar"]["broker"]["directMib"]
    expected = {
        "StatefulSet/pulsar/pulsar": (
            "PULSAR_MEM",
            f"-Xms1234m -Xmx1234m -XX:MaxDirectMemorySize={direct}m",
        ),
        "StatefulSet/namenode/namenode": ("HDFS_NAMENODE_OPTS", "-Xmx1234m"),
        "StatefulSet/datanode/datanode": ("HDFS_DATANODE_OPTS", "-Xmx1234m"),
        "Deployment/spark-master/spark-master": ("SPARK_DAEMON_MEMORY", "1234m"),
        "Deployment/spark-worker/spark-worker": ("SPARK_DAEMON_MEMORY", "1234m"),
    }
    assert {where: (name, environment(found[where])[name]) for where, (name, _) in expected.items()} == expected
    assert "-Xmx1234m" in found["Deployment/fateboard/fateboard"].spec["command"]


def test_fateboard_knows_every_fateflow_pod() -> None:
    text = named(PLACED.render(), "ConfigMap", "fateboard-config")["data"]["application.properties"]
    assert "\nfateflow.url-list=http://python-0.fateflow:9380;http://python-1.fateflow:9380\n" in text
