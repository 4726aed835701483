"""Every combination of engines of FATE 1.x comes up on a real engine and a real API server, and an edit changes only what it should."""

from pathlib import Path
from typing import Any

import pytest
from operators import DOMAIN, give_secrets, objects, operator

from sandbox import pki
from sandbox.workspace import Workspace

pytestmark = pytest.mark.engine

_PUBLISHED = {"type": "LoadBalancer"}
# (computing, federation, storage): what a party publishes, and what its exchange does; None: mesh only.
_COMBINATIONS: dict[tuple[str, str, str], tuple[tuple[str, ...], tuple[str, ...] | None]] = {
    ("Eggroll", "Eggroll", "Eggroll"): (("rollsite",), ("rollsite",)),
    ("Spark", "RabbitMQ", "HDFS"): (("rabbitmq", "nginx"), None),
    ("Spark_local", "Pulsar", "LocalFS"): (("pulsar", "nginx"), ("trafficServer", "nginx")),
    ("Spark_local", "RabbitMQ", "LocalFS"): (("rabbitmq", "nginx"), None),
}


@pytest.fixture(params=_COMBINATIONS, ids="-".join)
def party(request: pytest.FixtureRequest, clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path) -> Workspace:
    """A stack with one party of a combination, and its exchange where there is one."""
    space = operator("engines", tmp_path, clusters["bank-a"], _config(request.param))
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    space.set_secret("party-9999-rabbitmq", b"canary-rabbitmq")
    return space


def test_a_combination_comes_up_and_an_edit_changes_only_what_it_should(party: Workspace) -> None:
    party.up()
    assert set(party.up()) == {"unchanged"}
    namespace = party.json("pulumi", "stack", "output", "-s", "engines")["access"]["party-9999"]["notebook"]["portForward"].split()[2]
    workloads = party.kubectl("get", "deployments,statefulsets", "-n", namespace)["items"]
    lacking = [item["metadata"]["name"] for item in workloads if item["status"].get("readyReplicas", 0) != item["spec"]["replicas"]]
    assert len(workloads) >= 6
    assert not lacking
    exposed = party.run("kubectl", "get", "configmaps,deployments,statefulsets,pods", "-n", namespace, "-o", "json")
    assert "canary-" not in exposed

    party.run("pulumi", "config", "rm", "--path", "fate:parties.9999.modules.fateboard", "-s", "engines")
    gone = {name.rsplit("/", 1)[-1] for operation, _, name in objects(party.preview()) if operation == "delete"}
    assert gone == {"fateboard", "fateboard-config", "party-9999-fateboard-credentials"}
    assert {operation for operation, _, _ in objects(party.preview())} == {"delete"}


def test_more_eggroll_nodes_change_the_nodes_and_what_fateflow_believes(
    clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path
) -> None:
    config = _config(("Eggroll", "Eggroll", "Eggroll"))
    config["parties"]["9999"]["namespace"] = "eggroll-nodes"
    config["exchange"]["namespace"] = "eggroll-nodes-exchange"
    space = operator("engines", tmp_path, clusters["bank-a"], config)
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    space.up()
    space.run("pulumi", "config", "set", "--path", "fate:parties.9999.modules.nodemanager.replicas", "4", "-s", "engines")
    changed = {(operation, name.rsplit("/", 1)[-1]) for operation, _, name in objects(space.preview())}
    assert changed == {("update", "nodemanager"), ("update", "python-config"), ("update", "python")}


def _config(engines: tuple[str, str, str]) -> dict[str, Any]:
    computing, federation, storage = engines
    published, hub = _COMBINATIONS[engines]
    name = f"{computing}-{federation}".lower().replace("_", "-")
    party = {
        "namespace": f"engines-{name}",
        "release": "1.11.2",
        "computing": computing,
        "federation": federation,
        "storage": storage,
        "persistence": {},
        "modules": {"fateboard": {}, "client": {}},
        "publish": dict.fromkeys(published, _PUBLISHED),
    }
    topology = "mesh" if hub is None else "star"
    config: dict[str, Any] = {
        "organization": "engines",
        "federation": {"name": "fraud", "domain": DOMAIN, "topology": topology, "link": "native"},
        "parties": {"9999": party},
    }
    if hub is not None:
        party["exchange"] = "local"
        modules = {"trafficServer": {"image": {"tag": "checked-1"}}} if "trafficServer" in hub else {}
        config["exchange"] = {
            "namespace": f"exchange-{name}",
            "release": "1.11.2",
            "federation": federation,
            "modules": modules,
            "publish": dict.fromkeys(hub, _PUBLISHED),
        }
    return config
