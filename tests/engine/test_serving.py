"""FATE-Serving on real API servers: linked to its training party both ways, to peers through a serving exchange and by descriptors."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.workspace import Workspace
from tests.engine.operators import FEDERATION, PUBLISHED, config_map, hand_over, objects, operator

pytestmark = pytest.mark.engine

_PARTY = {
    "namespace": "serving-training",
    "release": "1.11.2",
    "computing": "Eggroll",
    "federation": "Eggroll",
    "storage": "Eggroll",
    "exchange": "local",
    "persistence": {},
    "servings": {"useRegistry": True},
    "publish": {"rollsite": PUBLISHED},
}
_ADAPTORS = {"single": "com.bank.Single", "batch": "com.bank.Batch"}


def _serving(namespace: str, **more: Any) -> dict[str, Any]:
    publish = {"servingProxy": PUBLISHED}
    return {"namespace": namespace, "release": "2.1.6", "persistence": {}, "adaptors": _ADAPTORS, "publish": publish, **more}


@pytest.fixture
def whole(clusters: dict[str, Path], tmp_path: Path) -> Workspace:
    """A party, its FATE-Serving with every module, both exchanges, and a peer of the serving exchange that was typed by hand."""
    config = {
        "organization": "scoring",
        "federation": FEDERATION,
        "parties": {"9999": _PARTY},
        "exchange": {"namespace": "serving-rollsite", "release": "1.11.2", "federation": "Eggroll", "publish": {"rollsite": PUBLISHED}},
        "serving": {"9999": _serving("serving-own", exchange="local", modules={"servingZookeeper": {}, "servingAdmin": {}})},
        "servingExchange": {"namespace": "serving-hub", "release": "2.1.6", "publish": {"servingProxy": PUBLISHED}},
        "peers": {"clinic-b-serving": {"unsigned": True, "partyId": "10000", "servingProxy": "203.0.113.22:30096"}},
    }
    space = operator("scoring", tmp_path, clusters["bank-a"], config)
    space.fatefed("secrets", "init")
    return space


def test_fate_serving_comes_up_linked_both_ways_and_a_suspended_peer_touches_its_route_alone(whole: Workspace) -> None:
    whole.up()
    assert set(whole.up()) == {"unchanged"}
    for namespace, expected in {
        "serving-own": {"serving-server", "serving-proxy", "serving-redis", "serving-zookeeper", "serving-admin"},
        "serving-hub": {"serving-proxy"},
    }.items():
        workloads = whole.kubectl("get", "deployments,statefulsets", "-n", namespace)["items"]
        ready = {item["metadata"]["name"] for item in workloads if item["status"].get("readyReplicas", 0) == item["spec"]["replicas"]}
        assert ready == expected

    fateflow = yaml.safe_load(config_map(whole, "serving-training", "python-config")["service_conf.yaml"])
    assert fateflow["servings"] == {"hosts": ["serving-server.serving-own.svc:8000"]}
    assert (fateflow["use_registry"], fateflow["zookeeper"]["hosts"]) == (True, ["serving-zookeeper.serving-own.svc:2181"])
    server = config_map(whole, "serving-own", "serving-server-config")["serving-server.properties"]
    assert "\nmodel.transfer.url=http://fateflow-client.serving-training.svc:9380/v1/model/transfer\n" in server
    services = {item["metadata"]["name"] for item in whole.kubectl("get", "services", "-n", "serving-own")["items"]}
    assert {"serving-server", "serving-zookeeper", "serving-proxy", "serving-proxy-public"} <= services
    assert whole.kubectl("get", "service", "fateflow-client", "-n", "serving-training")["spec"]["ports"]

    secrets = whole.kubectl("get", "secrets", "-n", "serving-own")["items"]
    passwords = [base64.b64decode(value).decode() for secret in secrets for value in secret["data"].values()]
    assert len(passwords) == 3
    for namespace in ("serving-own", "serving-training"):
        shown = whole.run("kubectl", "get", "configmaps,deployments,statefulsets,pods", "-n", namespace, "-o", "json")
        assert not [password for password in passwords if password in shown]

    assert set(_routes(whole, "serving-hub")) == {"9999", "10000"}
    assert set(_routes(whole, "serving-own")) == {"9999", "default"}
    before = whole.kubectl("get", "deployment", "serving-proxy", "-n", "serving-hub")["metadata"]["generation"]
    whole.run("pulumi", "config", "set", "--path", "fate:peers.clinic-b-serving.state", "suspended", "-s", "scoring")
    changed = {(operation, name.rsplit("/", 1)[-1]) for operation, _, name in objects(whole.preview())}
    # Also that of the party's own FATE-Serving: else its default would lead to the suspended one, through the exchange.
    assert changed == {
        ("update", "serving-exchange-serving-routes"),
        ("update", "serving-exchange-policy-peers-serving-proxy"),
        # Beside each party and exchange `fatefed doctor` asks for the whole stack.
        ("update", "party-9999-policy-doctor"),
        ("update", "exchange-policy-doctor"),
        ("update", "serving-9999-serving-routes"),
    }
    whole.up()
    assert set(_routes(whole, "serving-hub")) == {"9999"}
    assert whole.kubectl("get", "deployment", "serving-proxy", "-n", "serving-hub")["metadata"]["generation"] == before


def test_a_descriptor_of_fate_serving_links_two_organizations(clusters: dict[str, Path], tmp_path: Path) -> None:
    spaces = {}
    for organization, party in (("bank-a", "9999"), ("clinic-b", "10000")):
        config = {
            "organization": organization,
            "federation": {**FEDERATION, "topology": "mesh"},
            "serving": {party: _serving(f"serving-direct-{party}", fateflow="203.0.113.9:30097", cache={"type": "local"})},
        }
        spaces[organization] = operator(organization, tmp_path, clusters[organization], config)
        spaces[organization].up()
    bank, clinic = spaces["bank-a"], spaces["clinic-b"]
    assert set(_routes(bank, "serving-direct-9999")) == {"9999"}
    hand_over(clinic, bank)
    changed = {(operation, name.rsplit("/", 1)[-1]) for operation, _, name in objects(bank.preview())}
    assert changed == {("update", "serving-9999-serving-routes"), ("update", "serving-9999-policy-peers-serving-proxy")}
    bank.up()
    service = clinic.kubectl("get", "service", "serving-proxy-public", "-n", "serving-direct-10000")
    address = service["status"]["loadBalancer"]["ingress"][0]["ip"]
    assert _routes(bank, "serving-direct-9999")["10000"] == {"default": [{"ip": address, "port": 8869}]}
    assert set(bank.up()) == {"unchanged"}


def _routes(space: Workspace, namespace: str) -> dict[str, Any]:
    document: dict[str, dict[str, Any]] = json.loads(config_map(space, namespace, "serving-route-table")["route_table.json"])
    return document["route_table"]
