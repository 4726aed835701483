"""A party with engines that exist already: what is not made, and what Spark is told."""

from pathlib import Path

import pytest

from tests.charts.cases import EGGROLL, EXTERNAL, EXTERNAL_EGGROLL, EXTERNAL_EGGROLL_2_4, EXTERNAL_RABBITMQ, PARTY, RABBITMQ, Case, Values
from tests.charts.test_configuration import service_conf
from tests.support.walk import config_texts, name_of, of_kind


def made(case: Case) -> set[str]:
    """The objects of a case."""
    return {name_of(item) for item in case.render()}


ENGINES = {
    "StatefulSet/mysql", "Service/mysql", "Deployment/spark-master", "Deployment/spark-worker", "Service/spark-master",
    "Service/spark-client", "Service/spark-worker-1", "ConfigMap/spark-worker-config", "StatefulSet/namenode", "StatefulSet/datanode",
    "Service/namenode", "Service/datanode", "ConfigMap/namenode-config", "ConfigMap/namenode-env", "ConfigMap/datanode-env",
}  # fmt: skip
PULSAR = {"StatefulSet/pulsar", "Service/pulsar", "ConfigMap/pulsar-config"}
BROKER = {"Deployment/rabbitmq", "Service/rabbitmq", "ConfigMap/rabbitmq-config"}


@pytest.mark.parametrize(
    ("case", "base", "gone"),
    [
        (EXTERNAL, PARTY, ENGINES | PULSAR),
        (EXTERNAL_RABBITMQ, RABBITMQ, ENGINES | BROKER),
        (EXTERNAL_EGGROLL, EGGROLL, {"StatefulSet/mysql", "Service/mysql", "ConfigMap/mysql-config"}),
    ],
    ids=str,
)
def test_nothing_of_a_replaced_module_is_made(case: Case, base: Case, gone: set[str]) -> None:
    assert made(base) - made(case) == gone
    assert made(case) - made(base) <= {"Service/fateflow-sparkdriver"}


def test_the_nodes_of_eggroll_2_4_are_still_written_into_an_external_database() -> None:
    texts = config_texts(EXTERNAL_EGGROLL_2_4.render())
    assert [place for place in texts if place.startswith("mysql-config/")] == ["mysql-config/eggroll-server-nodes.sql"]


@pytest.mark.parametrize("case", [EXTERNAL_EGGROLL, EXTERNAL_EGGROLL_2_4], ids=str)
def test_eggroll_uses_the_external_database(case: Case) -> None:
    line = "eggroll.resourcemanager.clustermanager.jdbc.url=jdbc:mysql://db.bank-a.example:3307/fate_9999?"
    assert line in config_texts(case.render())["eggroll-config/eggroll.properties"]


def defaults(case: Case) -> dict[str, str]:
    """spark-defaults.conf, read."""
    lines = config_texts(case.render())["python-config/spark-defaults.conf"].strip().splitlines()
    return dict(line.split(None, 1) for line in lines)


def test_spark_calls_back_at_the_published_ports(tmp_path: Path) -> None:
    assert defaults(EXTERNAL) == {
        "spark.master": "spark://spark.bank-a.example:7077",
        "spark.driver.host": "203.0.113.9",
        "spark.driver.bindAddress": "0.0.0.0",
        "spark.driver.port": "31000",
        "spark.blockManager.port": "31100",
        "spark.port.maxRetries": "3",
        "spark.pyspark.python": "/opt/fate/bin/python",
        "spark.pyspark.driver.python": "python",
    }
    assert service_conf(EXTERNAL, tmp_path)["dependent_distribution"] is True
    assert service_conf(PARTY, tmp_path)["dependent_distribution"] is False


def test_every_port_that_spark_may_try_is_published() -> None:
    (service,) = [item for item in EXTERNAL.render() if name_of(item) == "Service/fateflow-sparkdriver"]
    assert service["spec"]["type"] == "NodePort"
    ports = {port["name"]: (port["port"], port["targetPort"], port["nodePort"]) for port in service["spec"]["ports"]}
    # Spark tries the first port and maxRetries after it: four.
    assert ports == {
        **{f"spark-driver-port-{index}": (31000 + index,) * 3 for index in range(4)},
        **{f"spark-block-manager-port-{index}": (31100 + index,) * 3 for index in range(4)},
    }
    (fateflow,) = [item for item in of_kind(EXTERNAL.render(), "StatefulSet") if item["metadata"]["name"] == "python"]
    assert fateflow["spec"]["template"]["metadata"]["labels"].items() >= service["spec"]["selector"].items()


def test_a_load_balancer_for_drivers_has_its_annotations_and_no_node_ports() -> None:
    def change(values: Values) -> None:
        values["spark"]["driver"].update(serviceType="LoadBalancer", annotations={"lb.example/address": "203.0.113.9"})

    (service,) = [item for item in EXTERNAL.changed(change).render() if name_of(item) == "Service/fateflow-sparkdriver"]
    assert service["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true", "lb.example/address": "203.0.113.9"}
    assert len(service["spec"]["ports"]) == 8
    assert not [port for port in service["spec"]["ports"] if "nodePort" in port]


def test_drivers_whose_pod_is_reachable_need_no_service() -> None:
    case = EXTERNAL.changed(lambda values: [values["spark"]["driver"].pop(key) for key in ("host", "serviceType")])
    assert "Service/fateflow-sparkdriver" not in made(case)
    assert defaults(case)["spark.driver.host"] == "${POD_IP}"
