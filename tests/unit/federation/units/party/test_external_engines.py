"""Engines that exist already: the module is gone, everything points outside, and peers learn where the engine is."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from federation.chart_values.fate import PartyValues
from federation.units.unit import UnitPlan
from tests.support.configs import (
    EXTERNAL,
    EXTERNAL_EGGROLL,
    EXTERNAL_LOCAL,
    EXTERNAL_RABBITMQ,
    HDFS,
    MYSQL,
    PULSAR,
    RABBITMQ_MESH_OF_TWO,
    ROLLSITE_STAR,
    SPARK,
    STAR_PARTY,
    Case,
    Config,
    external,
    outside,
)

KEY = "party-9999"


def unit(case: Case, folder: Path) -> UnitPlan:
    """The plan of party 9999."""
    return case.load(folder).plan.unit(KEY)


def values(case: Case, folder: Path) -> PartyValues:
    """Its chart values."""
    found = unit(case, folder).chart.values
    assert isinstance(found, PartyValues)
    return found


def routes(case: Case, folder: Path, key: str, file: str) -> Any:
    """A route file of a unit, read."""
    texts = {name: text for manifest in case.load(folder).plan.unit(key).routes for name, text in manifest.fields["data"].items()}
    return yaml.safe_load(texts[file])


# Each switch alone: the engine, what the party says of it, how else it is published, and the modules that go.
SWITCHES: list[tuple[Case, str, Config, Config, set[str]]] = [
    (STAR_PARTY, "mysql", MYSQL, {}, {"mysql"}),
    (STAR_PARTY, "spark", SPARK, {}, {"sparkMaster", "sparkWorker"}),
    (STAR_PARTY, "hdfs", HDFS, {}, {"namenode", "datanode"}),
    (STAR_PARTY, "pulsar", PULSAR, {"pulsar": outside()}, {"pulsar"}),
    (ROLLSITE_STAR, "mysql", MYSQL, {}, {"mysql"}),
]


@pytest.mark.parametrize(("case", "engine", "given", "publish", "gone"), SWITCHES)
def test_each_engine_is_a_switch_of_its_own(
    case: Case, engine: str, given: Config, publish: Config, gone: set[str], tmp_path: Path
) -> None:
    def switched(config: Config) -> None:
        config["parties"]["9999"]["engines"] = external(**{engine: given})
        config["parties"]["9999"]["publish"].update(publish)

    before, after = values(case, tmp_path / "before").plain(), values(case.changed(switched), tmp_path / "after").plain()
    assert set(before["modules"]) - set(after["modules"]) == gone
    assert set(after["modules"]) < set(before["modules"])
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    sections = {"mysql": {"database", "passwords"}, "spark": {"spark", "ports"}, "hdfs": {"hdfs", "ports"}, "pulsar": {"pulsar", "ports"}}
    assert changed == {"modules", *sections[engine]}


def test_mysql_points_outside_and_has_no_root(tmp_path: Path) -> None:
    database = values(EXTERNAL, tmp_path).database
    assert (database.host, database.port, database.name, database.user) == ("db.bank-a.example", 3306, "fate_9999", "fate_9999")
    assert database.root_password is None
    assert database.password.plain() == {"name": "mysql-credentials", "key": "password"}
    assert database.client == values(STAR_PARTY, tmp_path / "module").database.client
    secrets = {secret.name: dict(secret.sources) for secret in unit(EXTERNAL, tmp_path).secrets}
    assert secrets == {"mysql-credentials": {"password": "database"}}, "and no certificate: the broker's owner has it"


def test_the_password_of_an_external_engine_is_the_operators_to_give(tmp_path: Path) -> None:
    plan = EXTERNAL_RABBITMQ.load(tmp_path).plan
    assert plan.provided == {
        "database": "the password of user fate_9999 of mysql at db.bank-a.example:3306",
        "broker": "the password of user fate-9999 of rabbitmq at rabbitmq.bank-a.example:15670",
    }
    assert {"database", "broker"} < set(plan.secret_names)


def test_a_password_in_the_namespace_is_not_asked_for(tmp_path: Path) -> None:
    given = {**MYSQL, "password": {"kubernetesSecret": "ours", "key": "pw"}}
    case = EXTERNAL.changed(lambda config: config["parties"]["9999"]["engines"].update(external(mysql=given)))
    assert values(case, tmp_path).database.password.plain() == {"name": "ours", "key": "pw"}
    assert unit(case, tmp_path).secrets == ()
    assert case.load(tmp_path).plan.provided == {}


def test_fateflow_is_told_of_the_outside(tmp_path: Path) -> None:
    plain = values(EXTERNAL, tmp_path).plain()
    assert plain["hdfs"] == {"nameNode": "hdfs://namenode.bank-a.example:8020", "pathPrefix": "/fate"}
    assert plain["pulsar"] == {
        "host": "pulsar.bank-a.example", "port": 16650, "managementPort": 18080, "cluster": "bank-a", "tenant": "fl-tenant",
        "topicTtlMinutes": 3,
    }  # fmt: skip
    assert plain["spark"] == {
        "master": "spark://spark.bank-a.example:7077", "coresPerWorker": 16, "workers": 4,
        "driver": {
            "host": "203.0.113.9", "serviceType": "NodePort", "annotations": {}, "port": 31000, "blockManagerPort": 31100, "maxRetries": 30,
        },
    }  # fmt: skip


def test_drivers_have_fixed_ports_and_no_service_when_pods_are_reachable(tmp_path: Path) -> None:
    spark = {key: value for key, value in SPARK.items() if key != "driverHost"}
    case = EXTERNAL.changed(lambda config: config["parties"]["9999"]["engines"].update(external(spark=spark)))
    driver = values(case, tmp_path).plain()["spark"]["driver"]
    assert driver == {"annotations": {}, "port": 31000, "blockManagerPort": 31100, "maxRetries": 30}


def test_an_external_broker_is_published_without_a_service(tmp_path: Path) -> None:
    party = unit(EXTERNAL, tmp_path)
    assert {service.name for service in party.services} == {"fateflow-client", "nginx", "nginx-public"}
    assert party.tls is None
    assert party.descriptor["endpoints"]["pulsar"] == {
        "host": "203.0.113.40", "addresses": ["203.0.113.40"], "ports": {"tls": 16651}, "tls": True, "serverName": "9999.fraud.example",
    }  # fmt: skip


def test_the_port_that_peers_dial_may_be_another_one(tmp_path: Path) -> None:
    case = EXTERNAL.changed(lambda config: config["parties"]["9999"]["publish"]["pulsar"].update(port=443))
    assert unit(case, tmp_path).descriptor["endpoints"]["pulsar"]["ports"] == {"tls": 443}


def test_an_exchange_of_the_same_stack_dials_the_broker_itself(tmp_path: Path) -> None:
    assert routes(EXTERNAL_LOCAL, tmp_path, "exchange", "sni.yaml")["sni"][0] == {
        "fqdn": "9999.fraud.example", "tunnel_route": "pulsar.bank-a.example:16651",
    }  # fmt: skip
    own = routes(EXTERNAL_LOCAL, tmp_path, KEY, "pulsar_route_table.yaml")[9999]
    assert own == {"host": "pulsar.bank-a.example", "port": 16650, "sslPort": 16651, "proxy": ""}


def test_both_parties_of_a_mesh_find_an_external_rabbitmq(tmp_path: Path) -> None:
    found = {"host": "rabbitmq.bank-a.example", "port": 15670}
    for key in (KEY, "party-9998"):
        assert routes(EXTERNAL_RABBITMQ, tmp_path, key, "rabbitmq_route_table.yaml")[9999] == found
    assert routes(RABBITMQ_MESH_OF_TWO, tmp_path / "module", KEY, "rabbitmq_route_table.yaml")[9999] != found
    rabbitmq = values(EXTERNAL_RABBITMQ, tmp_path).plain()["rabbitmq"]
    password = {"name": "rabbitmq-credentials", "key": "password"}
    assert rabbitmq == {
        "host": "rabbitmq.bank-a.example", "port": 15670, "managementPort": 15672, "user": "fate-9999", "password": password,
    }  # fmt: skip


def test_eggroll_keeps_its_own_modules(tmp_path: Path) -> None:
    assert set(values(EXTERNAL_EGGROLL, tmp_path).plain()["modules"]) == {"fateflow", "clustermanager", "nodemanager", "rollsite"}


def test_who_waits_for_the_database_runs_what_the_module_runs(tmp_path: Path) -> None:
    mysql = {"image": {"tag": "8.0.36"}, "pullPolicy": "Always", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}
    found = values(STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(modules={"mysql": mysql})), tmp_path)
    assert found.modules.mysql is not None
    assert found.database.client.plain().items() <= found.modules.mysql.plain().items()
    assert found.database.client.plain().keys() == {"image", "imagePullPolicy", "resources", "security"}
