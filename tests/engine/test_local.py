"""One organization that holds the exchange and a party of its own: one `pulumi up` links them, without a descriptor file."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, FEDERATION, PUBLISHED, config_map, give_secrets, objects, operator, spark_party

pytestmark = pytest.mark.engine


def both(suffix: str) -> dict[str, object]:
    """An exchange and party 9999, which uses it."""
    return {
        "organization": "alone",
        "federation": FEDERATION,
        "exchange": {
            "namespace": f"exchange-{suffix}",
            "release": "1.11.2",
            "modules": {"trafficServer": {"image": {"tag": "checked-1"}}},
            "publish": {"trafficServer": PUBLISHED, "nginx": PUBLISHED},
        },
        "parties": {"9999": spark_party(f"party-{suffix}", exchange="local")},
    }


@pytest.fixture
def alone(request: pytest.FixtureRequest, clusters: dict[str, Path], authority: pki.Authority, tmp_path: Path) -> Workspace:
    space = operator("alone", tmp_path, clusters["consortium"], both(request.node.name.split("_")[1]))
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    return space


def test_one_up_converges_and_the_second_changes_nothing(alone: Workspace) -> None:
    alone.up()
    assert set(alone.up()) == {"unchanged"}
    exchange = config_map(alone, "exchange-one", "exchange-routes")
    services = {s["metadata"]["name"]: s["spec"]["clusterIP"] for s in alone.kubectl("get", "services", "-n", "party-one")["items"]}
    assert yaml.safe_load(exchange["sni.yaml"]) == {
        "sni": [{"fqdn": f"9999.{DOMAIN}", "tunnel_route": f"{services['pulsar-public-tls']}:6651"}]
    }
    hub = alone.kubectl("get", "service", "nginx", "-n", "exchange-one")["spec"]["clusterIP"]
    party = yaml.safe_load(config_map(alone, "party-one", "nginx-route-table")["route_table.yaml"])
    assert party["default"]["proxy"] == [{"host": hub, "http_port": 9300}]


def test_sigint_during_up_leaves_a_stack_that_the_next_up_completes(alone: Workspace) -> None:
    environment = {**alone.variables(), "PWD": str(alone.folder), "HOME": str(alone.folder)}
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", "alone"]
    with subprocess.Popen(command, cwd=alone.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        _wait_for_first_object(alone)
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=300)
    assert running.returncode != 0, f"the update was over before it could be interrupted:\n{output.decode()[-2000:]}"
    alone.up()
    assert alone.preview() == []
    lacking = [
        workload["metadata"]["name"]
        for workload in alone.kubectl("get", "deployments,statefulsets", "-n", "party-sigint")["items"]
        if workload["status"].get("readyReplicas", 0) != workload["spec"]["replicas"]
    ]
    assert not lacking


def _wait_for_first_object(space: Workspace) -> None:
    for _ in range(600):
        if space.attempt("kubectl", "get", "configmap", "exchange-routes", "-n", "exchange-sigint").returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError("nothing was created within 30 s")


_GUARDED = {
    "release": ("1.11.1", "release 1.11.2 -> 1.11.1: 1.11.1 cannot read data of 1.11.2"),
    "namespace": ("elsewhere", "it would start empty"),
    "persistence": ("none", "would start empty; its claims stay, unused"),
    "modules.client.persistence": ("none", "persistence of client -> none: it would start empty"),
    "modules.mysql.persistence.size": ("50Gi", "Kubernetes cannot change the claims"),
    "modules.mysql.persistence.subPath": ("elsewhere", "it would start with the data there"),
    "modules.mysql.persistence.existingClaim": ("elsewhere", "it would start with the data there"),
    "modules.hdfs.datanode.replicas": ("1", "blocks of the removed ones become unreachable"),
}


def test_guarded_edits_are_refused_in_the_preview_and_touch_nothing(alone: Workspace) -> None:
    alone.up()
    before, text = _uids(alone), alone.stack_file.read_text()
    assert len(before) > 20
    for path, (value, said) in _GUARDED.items():
        alone.run("pulumi", "config", "set", "--path", f"fate:parties.9999.{path}", value, "-s", "alone")
        for verb in (("preview",), ("up", "--yes", "--skip-preview")):
            done = alone.attempt("pulumi", *verb, "--non-interactive", "--color", "never", "-s", "alone")
            printed = (done.stdout + done.stderr).decode()
            assert done.returncode != 0, path
            assert said in printed, printed
            assert "allowDataLoss" in printed
        assert _uids(alone) == before, path
        # The API server itself refuses another claim template in place, whatever the operator allows.
        if not path.endswith((".size", ".existingClaim")):
            alone.run("pulumi", "config", "set", "--path", "fate:parties.9999.allowDataLoss", "true", "-s", "alone")
            assert objects(alone.preview()), f"{path}: what the operator allowed is still refused"
        alone.stack_file.write_text(text)


def _uids(space: Workspace) -> dict[str, str]:
    found = space.kubectl("get", "statefulsets,deployments,services,configmaps,pvc", "-n", "party-guarded")["items"]
    return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"]["uid"] for item in found}
