"""A sandbox cluster behaves like a cluster, repairs itself and leaves nothing behind. The last test ends it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import cluster, processes, state, tools
from sandbox.state import COMPONENTS

pytestmark = pytest.mark.engine

REPOSITORY = Path(__file__).parents[2]
ORGANIZATION = "solo"
START_LIMIT = 10.0  # seconds; the promise for a built sandbox
MEMORY_LIMIT = 0.8 * 1024  # MiB RSS; the same


@dataclass
class Solo:
    """One organization's cluster, driven by the command."""

    root: Path
    start_seconds: float = 0.0

    def sandbox(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "sandbox", "--root", str(self.root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout

    def try_kubectl(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        kubeconfig = cluster.kubeconfig(self.root, ORGANIZATION)
        command = [str(tools.tool_path("kubectl")), "--kubeconfig", str(kubeconfig), *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)

    def kubectl(self, *arguments: str, given: str = "") -> str:
        done = self.try_kubectl(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, *objects: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(objects))

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def record(self, component: str) -> processes.ProcessRecord:
        found = processes.read_record(self.root / ORGANIZATION / "run" / f"{component}.pid")
        assert found is not None, f"{component} has no pid file"
        return found

    def kill(self, component: str) -> processes.ProcessRecord:
        record = self.record(component)
        assert processes.send(record, signal.SIGKILL), f"{component} does not run"
        while processes.alive(record):
            time.sleep(0.01)
        return record


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Solo]:
    tools.ensure((*tools.COMMANDS, *COMPONENTS), print)
    made = Solo(root=tmp_path_factory.mktemp("solo"))
    begun = time.monotonic()
    made.sandbox("up", ORGANIZATION)
    made.start_seconds = time.monotonic() - begun
    yield made
    made.sandbox("down")


def pod(name: str, **more: Any) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "none.invalid/main:1"}], **more},
    }


def workload(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    selector = {"selector": {"matchLabels": {"app": name}}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": selector | spec}


def test_it_starts_in_time_and_within_its_memory(solo: Solo) -> None:
    assert solo.start_seconds < START_LIMIT
    (found,) = json.loads(solo.sandbox("status", "--json"))
    assert [row["name"] for row in found["components"] if row["up"]] == list(COMPONENTS)
    rss = sum(row["rss_mib"] for row in found["components"])
    assert 100 < rss < MEMORY_LIMIT
    assert "already running" in solo.sandbox("up", ORGANIZATION)


def test_a_deployment_with_probes_and_init_containers_becomes_available(solo: Solo) -> None:
    template = pod("web", initContainers=[{"name": "fill", "image": "none.invalid/fill:1"}])
    template["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/", "port": 80}}
    solo.apply(workload("Deployment", "web", replicas=2, template=template))
    solo.kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    (first, second) = solo.get("pods", "-l", "app=web")["items"]
    assert {status["name"] for status in first["status"]["containerStatuses"]} == {"main"}
    assert first["status"]["podIP"] != second["status"]["podIP"]


def test_a_stateful_set_and_a_lone_claim_get_volumes_that_go_with_them(solo: Solo) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    claims = [{"metadata": {"name": "data"}, "spec": claim}]
    template = pod("db")
    template["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    solo.apply(
        workload("StatefulSet", "db", serviceName="db", template=template, volumeClaimTemplates=claims),
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "lone"}, "spec": claim},
    )
    solo.kubectl("rollout", "status", "statefulset/db", "--timeout=20s")
    solo.kubectl("wait", "pvc", "--all", "--for=jsonpath={.status.phase}=Bound", "--timeout=20s")
    bound = {volume["spec"]["claimRef"]["name"]: volume for volume in solo.get("pv")["items"]}
    assert set(bound) == {"data-db-0", "lone"}
    assert bound["lone"]["spec"]["storageClassName"] == "standard"
    solo.kubectl("delete", "pvc/lone", "--timeout=20s")
    solo.kubectl("wait", f"pv/{bound['lone']['metadata']['name']}", "--for=delete", "--timeout=20s")


def test_a_job_completes(solo: Solo) -> None:
    template = pod("migrate", restartPolicy="Never")
    solo.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"}, "spec": {"template": template}})
    solo.kubectl("wait", "job/migrate", "--for=condition=complete", "--timeout=20s")


def test_a_load_balancer_gets_an_address_of_the_clusters_own_range(solo: Solo) -> None:
    spec = {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]}
    solo.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    solo.kubectl("wait", "service/web", "--for=jsonpath={.status.loadBalancer.ingress}", "--timeout=20s")
    service = solo.get("service/web")
    assert service["status"]["loadBalancer"]["ingress"][0]["ip"] == service["spec"]["clusterIP"]
    assert service["spec"]["clusterIP"].startswith("10.96.")


def test_a_service_account_may_do_only_what_a_role_grants(solo: Solo) -> None:
    user = "--as=system:serviceaccount:default:default"
    refused = solo.try_kubectl("get", "secrets", user)
    assert refused.returncode != 0
    assert "cannot list resource" in refused.stderr
    solo.kubectl("create", "role", "reader", "--verb=list", "--resource=secrets")
    solo.kubectl("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:default")
    solo.kubectl("get", "secrets", user)


def test_kwok_may_not_read_secrets(solo: Solo) -> None:
    refused = solo.try_kubectl("auth", "can-i", "get", "secrets", "--as=sandbox:kwok")
    assert refused.stdout.strip() == "no"


def test_a_privileged_pod_is_refused_where_pod_security_is_restricted(solo: Solo) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    solo.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tight", "labels": labels}})
    one = {"apiVersion": "v1", "kind": "Pod", **pod("root")}
    one["metadata"]["name"] = "root"
    one["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    refused = solo.try_kubectl("create", "-n", "tight", "-f", "-", given=yaml.safe_dump(one))
    assert 'violates PodSecurity "restricted' in refused.stderr
    solo.kubectl("create", "-n", "default", "-f", "-", given=yaml.safe_dump(one))


@pytest.mark.parametrize("component", ["kube-scheduler", "kwok"])
def test_a_killed_component_is_started_again_and_works(solo: Solo, component: str) -> None:
    others = {name: solo.record(name) for name in COMPONENTS if name != component}
    killed = solo.kill(component)
    assert "degraded" in solo.sandbox("status")
    assert f"started {component}" in solo.sandbox("up", ORGANIZATION)
    assert solo.record(component).pid != killed.pid
    assert {name: solo.record(name) for name in others} == others, "only the dead one is started"
    solo.apply(workload("Deployment", f"after-{component}", template=pod(f"after-{component}")))
    solo.kubectl("rollout", "status", f"deployment/after-{component}", "--timeout=20s")


def test_data_outlives_a_killed_etcd_and_api_server(solo: Solo) -> None:
    solo.kubectl("create", "configmap", "kept", "--from-literal=a=b")
    solo.kill("kube-apiserver")
    solo.kill("etcd")
    assert "started all" in solo.sandbox("up", ORGANIZATION), "the API server's clients start afresh with it"
    assert solo.get("configmap/kept")["data"] == {"a": "b"}
    solo.apply(workload("Deployment", "after-outage", template=pod("after-outage")))
    solo.kubectl("rollout", "status", "deployment/after-outage", "--timeout=20s")


def test_what_an_interrupted_up_left_is_finished_by_the_next(solo: Solo) -> None:
    command = [sys.executable, "-m", "sandbox", "--root", str(solo.root), "up", "second"]
    interrupted = subprocess.Popen(command, cwd=REPOSITORY)
    pid_file = solo.root / "second" / "run" / "kube-apiserver.pid"
    while not pid_file.exists():
        assert interrupted.poll() is None, "it was to be interrupted midway"
        time.sleep(0.01)
    interrupted.kill()
    interrupted.wait()
    half = processes.read_record(pid_file)
    solo.sandbox("up", "second")
    assert processes.read_record(pid_file) == half, "what already runs is kept"
    first, second = (one["port"] for one in json.loads(solo.sandbox("status", "--json")))
    assert first != second
    assert "second: stopped" in solo.sandbox("down", "second")


def test_down_ends_every_process_and_deletes_the_state(solo: Solo) -> None:
    records = [solo.record(component) for component in COMPONENTS]
    assert all(processes.alive(record) for record in records)
    assert "state deleted" in solo.sandbox("down", ORGANIZATION)
    assert not any(processes.alive(record) for record in records)
    assert not (solo.root / ORGANIZATION).exists()
    assert state.organizations(solo.root) == []
    assert "nothing to stop" in solo.sandbox("down", ORGANIZATION)
