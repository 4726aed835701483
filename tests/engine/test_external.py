"""A party with engines that exist already comes up on a real engine and a real API server; passwords change with few objects."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, FEDERATION, HUB, PUBLISHED, STATIC_NODE_PORTS, give_secrets, objects, operator, spark_party

pytestmark = pytest.mark.engine

DRIVER_PORTS = {"driverStartPort": STATIC_NODE_PORTS[0], "blockManagerStartPort": STATIC_NODE_PORTS[10]}
ENGINES: dict[str, Any] = {
    "mysql": {"host": "db.bank-a.example", "database": "fate_9999", "user": "fate_9999", "password": {"secret": "database"}},
    "spark": {"master": "spark://spark.bank-a.example:7077", "driverHost": "203.0.113.9", "portMaxRetries": 5} | DRIVER_PORTS,
    "hdfs": {"nameNode": "hdfs://namenode.bank-a.example:8020", "pathPrefix": "/fate"},
    "pulsar": {"host": "pulsar.bank-a.example"},
}
EXTERNAL = {"type": "External", "advertise": {"host": "203.0.113.40"}}


def stack(namespace: str, **changes: Any) -> dict[str, Any]:
    """A stack with one party of a star."""
    return {"organization": "owner", "federation": FEDERATION, "peers": {"hub": HUB}, "parties": {"9999": spark_party(namespace) | changes}}


@pytest.fixture
def external(clusters: dict[str, Path], tmp_path: Path) -> Workspace:
    """A party with every engine outside that can be."""
    engines = {name: {"external": engine} for name, engine in ENGINES.items()}
    space = operator(
        "owner", tmp_path, clusters["bank-a"], stack("external", engines=engines, publish={"pulsar": EXTERNAL, "nginx": PUBLISHED})
    )
    for name in ("database", "party-9999-fateboard", "party-9999-notebook"):
        space.set_secret(name, f"canary-{name}".encode())
    return space


def test_a_party_with_external_mysql_spark_hdfs_and_pulsar_comes_up(external: Workspace) -> None:
    external.up()
    assert set(external.up()) == {"unchanged"}, "a finished Job does not run again"
    workloads = {item["metadata"]["name"]: item for item in external.kubectl("get", "deployments,statefulsets", "-n", "external")["items"]}
    assert set(workloads) == {"python", "nginx", "fateboard", "client"}
    (job,) = external.kubectl("get", "jobs", "-n", "external")["items"]
    assert (job["metadata"]["name"], job["status"]["succeeded"]) == ("database-schema", 1)
    started = min(item["metadata"]["creationTimestamp"] for item in workloads.values())
    assert job["status"]["completionTime"] <= started, "the tables come first"
    services = {item["metadata"]["name"]: item["spec"] for item in external.kubectl("get", "services", "-n", "external")["items"]}
    assert not {"mysql", "pulsar", "pulsar-public-tls", "namenode", "spark-master"} & set(services)
    assert {port["nodePort"] for port in services["fateflow-sparkdriver"]["ports"]} == {*range(30000, 30006), *range(30010, 30016)}
    outputs = external.json("pulumi", "stack", "output", "-s", "owner")
    assert outputs["endpoints"]["party-9999"]["pulsar"]["host"] == "203.0.113.40"
    seen = external.run("kubectl", "get", "configmaps,deployments,statefulsets,jobs,pods", "-n", "external", "-o", "json")
    assert "canary-" not in seen
    assert "canary-" not in json.dumps(outputs)

    external.run("pulumi", "config", "set", "--path", "fate:parties.9999.engines.mysql.external.port", "3307", "-s", "owner")
    refused = external.attempt("pulumi", "preview", "-s", "owner")
    assert refused.returncode != 0
    assert "database db.bank-a.example:3306/fate_9999 -> db.bank-a.example:3307/fate_9999" in (refused.stdout + refused.stderr).decode()


@pytest.fixture
def deployed(clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path) -> Workspace:
    """A party with its own MySQL, that is up."""
    space = operator("owner", tmp_path, clusters["bank-a"], stack("rotation"))
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    space.up()
    return space


def changes(space: Workspace) -> set[tuple[str, str]]:
    """What a preview would do to the cluster."""
    return {(operation, f"{kind.rsplit(':', 1)[-1]}/{name.rsplit('/', 1)[-1]}") for operation, kind, name in objects(space.preview())}


def set_credential(space: Workspace, slot: str, **credential: str) -> None:
    """Name the entry of a password."""
    for key, value in credential.items():
        space.run("pulumi", "config", "set", "--path", f"fate:parties.9999.credentials.{slot}.{key}", value, "-s", "owner")


def test_a_password_changes_in_its_server_and_its_readers_only(deployed: Workspace) -> None:
    deployed.set_secret("mysql-2", b"canary-second")
    set_credential(deployed, "mysql", secret="mysql-2")
    refused = deployed.attempt("pulumi", "preview", "-s", "owner")
    assert refused.returncode != 0, "without the previous one, nobody could change it in the server"
    said = (refused.stdout + refused.stderr).decode()
    assert "mysql-2: mysql would keep the old password" in said
    assert "canary-" not in said

    set_credential(deployed, "mysql", previous="party-9999-mysql")
    expected = {
        ("update", "Secret/party-9999-mysql-credentials"),
        ("create", "ConfigMap/party-9999-database-password-files"),
        ("create", "Job/party-9999-database-password"),
        ("update", "StatefulSet/python"),
    }
    assert {(operation, name.replace(":rotation/", "/")) for operation, name in changes(deployed)} == expected
    deployed.up()
    assert set(deployed.up()) == {"unchanged"}
    (job,) = deployed.kubectl("get", "jobs", "-n", "rotation")["items"]
    assert job["status"]["succeeded"] == 1

    deployed.run("pulumi", "config", "rm", "--path", "fate:parties.9999.credentials.mysql.previous", "-s", "owner")
    assert {operation for operation, _ in changes(deployed)} == {"update", "delete"}
    assert {name for operation, name in changes(deployed) if operation == "update"} == {"Secret/party-9999-mysql-credentials"}
    deployed.up()

    deployed.set_secret("board-2", b"canary-board")
    set_credential(deployed, "fateboard", secret="board-2")
    assert changes(deployed) == {("update", "Secret/party-9999-fateboard-credentials"), ("update", "Deployment/fateboard")}

    deployed.set_secret("mysql-2", b"canary-third")
    refused = deployed.attempt("pulumi", "preview", "-s", "owner")
    assert refused.returncode != 0
    assert "mysql-2: its value changed under the same name" in (refused.stdout + refused.stderr).decode()
