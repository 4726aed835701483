"""What an operator may get wrong about external engines: told with place, problem and remedy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from federation.base.errors import FederationError
from tests.support.configs import (
    EXTERNAL,
    EXTERNAL_RABBITMQ,
    HDFS,
    LOCAL,
    MYSQL,
    PULSAR,
    RABBITMQ,
    SPARK,
    STAR_PARTY,
    Case,
    Config,
    external,
    outside,
)

Change = Callable[[Config], object]


def engines(**given: Config) -> Change:
    """Party 9999 with these external engines."""
    return lambda config: config["parties"]["9999"].setdefault("engines", {}).update(external(**given))


def update(**changes: object) -> Change:
    """Party 9999 with other keys."""
    return lambda config: config["parties"]["9999"].update(changes)


def second_party(**changes: object) -> Change:
    """Another party beside 9999, with the same engines."""
    return lambda config: config["parties"].update({"9998": {**config["parties"]["9999"], "namespace": "fate-9998", **changes}})


def node_ports(config: Config) -> None:
    """Node ports that peers dial, among those of Spark's drivers."""
    advertise = {"host": "203.0.113.9"}
    nginx = {"type": "NodePort", "httpPort": 31005, "advertise": advertise}
    config["parties"]["9999"]["publish"]["nginx"] = nginx


def _fate_2(config: Config) -> None:
    """Release 2.0.0, whose storage has no path prefix."""
    config["parties"]["9999"]["release"] = "2.0.0"
    config["parties"]["9999"]["engines"]["hdfs"] = {"external": {"nameNode": HDFS["nameNode"]}}
    config["peers"]["consortium"] = {"unsigned": True, "trafficServer": "198.51.100.4:443", "nginx": "198.51.100.4:9300"}


OF_FATE_2 = EXTERNAL.changed(_fate_2, "a party of FATE 2.0.0 with external engines")

# (stack, change, place, problem, remedy)
MISTAKES: list[tuple[Case, Change, str, str, str]] = [
    (STAR_PARTY, engines(rabbitmq=RABBITMQ), "engines.rabbitmq", "rabbitmq is not part of Spark + Pulsar + HDFS", "remove it"),
    (STAR_PARTY, engines(oracle=MYSQL), "engines.oracle", "unknown key 'oracle'", "known keys here: hdfs, mysql, pulsar, rabbitmq, spark"),
    (
        STAR_PARTY,
        engines(mysql={**MYSQL, "password": "geheim"}),
        "engines.mysql.external.password",
        "is not a map",
        "correct the value",
    ),
    (STAR_PARTY, engines(mysql={**MYSQL, "database": "a;b"}), "engines.mysql.external.database", "letters, digits and '_'", "correct"),
    (STAR_PARTY, engines(mysql={**MYSQL, "host": "localhost"}), "engines.mysql.external.host", "means the pod itself", "pods can reach"),
    (STAR_PARTY, engines(mysql={**MYSQL, "host": "127.0.0.2"}), "engines.mysql.external.host", "means the pod itself", "pods can reach"),
    (STAR_PARTY, engines(hdfs={"nameNode": "hdfs://cluster"}), "engines.hdfs.external.nameNode", "with its port", "correct the value"),
    (STAR_PARTY, engines(hdfs={**HDFS, "pathPrefix": "fate"}), "engines.hdfs.external.pathPrefix", "absolute path", "correct the value"),
    (STAR_PARTY, engines(spark={**SPARK, "master": "yarn"}), "engines.spark.external.master", "spark://", "correct the value"),
    (
        STAR_PARTY,
        engines(spark={**SPARK, "driverHost": "0.0.0.0"}),
        "engines.spark.external.driverHost",
        "means the pod itself",
        "pods can",
    ),
    (
        STAR_PARTY,
        engines(spark={"master": SPARK["master"], "driverHostType": "NodePort"}),
        "engines.spark.external",
        "driverHostType and driverAnnotations are of the Service",
        "correct the value",
    ),
    (
        STAR_PARTY,
        engines(spark={**SPARK, "blockManagerStartPort": 31030}),
        "engines.spark.external",
        "drivers use ports 31000-31030, block managers 31030-31060: keep them apart",
        "correct the value",
    ),
    (
        STAR_PARTY,
        engines(spark={**SPARK, "driverStartPort": 29990}),
        "engines.spark.external.driverStartPort",
        "29990 is outside the node port range 30000-32767",
        "choose another first port",
    ),
    (
        EXTERNAL,
        node_ports,
        "engines.spark.external.driverStartPort",
        "node ports 31000 to 31030: 31005 is already used by parties.9999.publish.nginx",
        "choose another first port",
    ),
    (EXTERNAL, update(modules={"mysql": {}}), "modules.mysql", "engines.mysql is external", "remove this module's settings"),
    (EXTERNAL, update(modules={"spark": {"workers": 3}}), "modules.spark", "engines.spark is external", "or engines.spark"),
    (EXTERNAL, update(credentials={"mysql": {"secret": "x"}}), "credentials.mysql", "no module mysql", "engines.mysql.external.password"),
    (EXTERNAL, update(credentials={"mysqlRoot": {"secret": "x"}}), "credentials.mysqlRoot", "no module mysql", "remove it"),
    (
        EXTERNAL,
        update(publish={"pulsar": {"type": "LoadBalancer"}, "nginx": {"type": "LoadBalancer"}}),
        "publish.pulsar.type",
        "no pod backs a Service of type LoadBalancer",
        "write External, with advertise.host",
    ),
    (
        EXTERNAL,
        update(publish={"pulsar": outside(), "nginx": outside()}),
        "publish.nginx.type",
        "nginx is deployed by this stack",
        "choose LoadBalancer, NodePort or ClusterIP",
    ),
    (
        EXTERNAL,
        update(publish={"pulsar": {"type": "External"}, "nginx": {"type": "LoadBalancer"}}),
        "publish.pulsar",
        "type External creates no Service: add advertise",
        "correct the value",
    ),
    (
        OF_FATE_2,
        engines(hdfs=HDFS),
        "engines.hdfs.external.pathPrefix",
        "FATE 2.0.0 has no path prefix: it writes below the root of hdfs://namenode.bank-a.example:8020",
        "remove this line, and let root write below /",
    ),
    (
        OF_FATE_2,
        engines(spark={**SPARK, "dependentDistribution": True}),
        "engines.spark.external.dependentDistribution",
        "FATE 2.0.0 does not send its packages",
        "install FATE's packages on the workers",
    ),
    (EXTERNAL, second_party(), "engines.mysql", "party 9998 already uses this database", "give each party its own database"),
    (EXTERNAL, second_party(), "engines.pulsar", "party 9998 already uses this broker", "give each party its own broker"),
    (EXTERNAL_RABBITMQ, second_party(), "engines.rabbitmq", "party 9998 already uses this broker", "its own broker"),
]


@pytest.mark.parametrize(("case", "change", "place", "problem", "remedy"), MISTAKES)
def test_a_mistake_is_told(case: Case, change: Change, place: str, problem: str, remedy: str, tmp_path: Path) -> None:
    case.load(tmp_path)
    with pytest.raises(FederationError) as caught:
        case.changed(change).load(tmp_path)
    told = [p for p in caught.value.problems if p.place.endswith(f" fate:parties.9999.{place}")]
    assert any(problem in p.problem and remedy in p.remedy for p in told), caught.value.problems
    assert "geheim" not in str(caught.value)


def test_an_exchange_has_no_external_engine(tmp_path: Path) -> None:
    case = LOCAL.changed(lambda config: config["exchange"]["publish"].update(nginx=outside()))
    with pytest.raises(FederationError, match="an exchange has no external engines"):
        case.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        second_party(engines=external(mysql={**MYSQL, "database": "other"}, pulsar={**PULSAR, "host": "other.bank-a.example"})),
        engines(spark={"master": SPARK["master"]}),
        engines(spark={**SPARK, "driverHostType": "ClusterIP", "driverStartPort": 7000, "blockManagerStartPort": 7100}),
        engines(spark={**SPARK, "master": "spark://a.example:7077,b.example:7077", "dependentDistribution": True}),
    ],
)
def test_what_is_right_is_not_refused(change: Change, tmp_path: Path) -> None:
    assert EXTERNAL.changed(change).load(tmp_path).plan.units
