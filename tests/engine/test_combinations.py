"""Combinations of engines come up on a real engine and a real API server, and an edit changes only what it should."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, give_secrets, objects, operator
from tests.support.combinations import COMBINATIONS, Row

pytestmark = pytest.mark.engine

_PUBLISHED = {"type": "LoadBalancer"}
_MESH_OF_TWO = ("2.2.0", "Eggroll", "OSX", "Eggroll")


@pytest.fixture(params=COMBINATIONS, ids="-".join)
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
    assert len(workloads) >= 5, "with Standalone: FATE-Flow, MySQL, OSX, fateboard and the notebook"
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
    config = _config(("1.11.2", "Eggroll", "Eggroll", "Eggroll"))
    config["parties"]["9999"]["namespace"] = "eggroll-nodes"
    config["exchange"]["namespace"] = "eggroll-nodes-exchange"
    space = operator("engines", tmp_path, clusters["bank-a"], config)
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    space.up()
    space.run("pulumi", "config", "set", "--path", "fate:parties.9999.modules.nodemanager.replicas", "4", "-s", "engines")
    changed = {(operation, name.rsplit("/", 1)[-1]) for operation, _, name in objects(space.preview())}
    assert changed == {("update", "nodemanager"), ("update", "python-config"), ("update", "python")}


def test_two_parties_of_a_mesh_with_osx_come_up_and_route_to_each_other(
    clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path
) -> None:
    config = _config(_MESH_OF_TWO)
    del config["exchange"], config["parties"]["9999"]["exchange"]
    config["federation"]["topology"] = "mesh"
    config["parties"] |= {party: {**config["parties"]["9999"], "namespace": f"osx-mesh-{party}"} for party in ("9998", "9999")}
    space = operator("engines", tmp_path, clusters["bank-a"], config)
    give_secrets(space, authority, {party: f"{party}.{DOMAIN}" for party in ("party-9998", "party-9999")})
    space.up()
    assert set(space.up()) == {"unchanged"}
    for own, other in (("9998", "9999"), ("9999", "9998")):
        found = space.kubectl("get", "configmap", "osx-route-table", "-n", f"osx-mesh-{own}")["data"]["route_table.json"]
        address = space.kubectl("get", "service", "osx", "-n", f"osx-mesh-{other}")["spec"]["clusterIP"]
        table = json.loads(found)
        assert table["self_party"] == [own]
        assert set(table["route_table"]) == {own, other}, "no default in a mesh"
        assert table["route_table"][other] == {"default": [{"ip": address, "port": 9370}]}


def _config(row: Row) -> dict[str, Any]:
    release, computing, federation, storage = row
    published, hub = COMBINATIONS[row]
    name = f"{computing}-{federation}-{release}".lower().replace("_", "-").replace(".", "-")
    party = {
        "namespace": f"engines-{name}",
        "release": release,
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
            "release": release,
            "federation": federation,
            "modules": modules,
            "publish": dict.fromkeys(hub, _PUBLISHED),
        }
    return config
