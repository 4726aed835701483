"""`fatefed status`, `doctor` and `support-bundle` on a real API server, with exactly the published viewer Role and no state."""

import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import pki
from sandbox.tools import tools_env
from sandbox.workspace import REPO, Workspace
from tests.engine.operators import DOMAIN, FEDERATION, HUB, STATIC_NODE_PORTS, give_secrets, operator, spark_party

pytestmark = pytest.mark.engine

NAMESPACE = "looked-after"
NODE_PORTS = STATIC_NODE_PORTS[-2:]


@dataclass(frozen=True)
class Viewer:
    """Someone with the stack's files and a viewer's token: no backend, no passphrase, no state."""

    folder: Path
    kubeconfig: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run fatefed as they would."""
        hidden = ("PULUMI_", "KUBECONFIG")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        environment = {**inherited, "PATH": tools_env()["PATH"], "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.folder)}
        command = [str(REPO / ".venv/bin/fatefed"), *arguments, "-s", "viewed"]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=200, check=False)

    def doctor(self) -> tuple[int, dict[str, dict[str, str]]]:
        """The exit status of doctor, and its rows by check."""
        done = self.run("doctor", "--json")
        assert done.stdout, done.stderr
        return done.returncode, {row["check"]: row for row in json.loads(done.stdout)["rows"]}

    def peer(self, *arguments: str) -> dict[str, dict[str, str]]:
        """The rows of doctor with a peer, by check. Nobody is at the peer's addresses."""
        done = self.run("doctor", *arguments, "--json", "--timeout", "15")
        assert done.stdout, done.stderr
        return {row["check"]: row for row in json.loads(done.stdout)["rows"]}


@dataclass(frozen=True)
class Lab:
    """The operator, the cluster's administrator, and the viewer of one stack that is up."""

    space: Workspace
    admin: Workspace
    viewer: Viewer
    passwords: dict[str, str]


@pytest.fixture(scope="module")
def lab(clusters: dict[str, Path], authority: pki.Authority, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("looked-after")
    kubeconfig = clusters["clinic-b"]
    boards = {"kind": "ingress", "domain": "viewed.example", "className": "nginx"}
    party = spark_party(NAMESPACE)
    nodes = {"type": "NodePort", "httpPort": NODE_PORTS[0], "advertise": {"host": "203.0.113.9"}}
    party["publish"] = {**party["publish"], "nginx": nodes}
    config = {"organization": "viewed", "federation": FEDERATION, "parties": {"9999": party}, "peers": {"hub": HUB}, "boards": boards}
    space = operator("viewed", folder, kubeconfig, config)
    passwords = give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    space.up()
    admin = Workspace("admin", folder / "admin", kubeconfig)
    admin.folder.mkdir()
    admin.run("kubectl", "apply", "-n", NAMESPACE, "-f", str(REPO / "docs" / "rbac" / "viewer.yaml"))
    ingress_class = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}}
    admin.run("kubectl", "apply", "-f", "-", stdin=json.dumps({**ingress_class, "spec": {"controller": "k8s.io/ingress-nginx"}}).encode())
    return Lab(space, admin, _viewer(space, admin, kubeconfig, folder / "viewer"), passwords)


def _viewer(space: Workspace, admin: Workspace, kubeconfig: Path, folder: Path) -> Viewer:
    (folder / "stacks").mkdir(parents=True)
    shutil.copy(space.folder / "Pulumi.yaml", folder)
    shutil.copy(space.stack_file, folder / "stacks")
    token = admin.run("kubectl", "create", "token", "fate-viewer", "-n", NAMESPACE).strip()
    given = yaml.safe_load(kubeconfig.read_text())
    own = folder / "kubeconfig"
    own.write_text(yaml.safe_dump(given | {"users": [{"name": user["name"], "user": {"token": token}} for user in given["users"]]}))
    return Viewer(folder, own)


def test_the_viewers_role_shows_everything_of_the_namespace_and_no_secret(lab: Lab) -> None:
    asking = ["kubectl", "--kubeconfig", str(lab.viewer.kubeconfig), "auth", "can-i"]
    for question in (("get", "secrets"), ("list", "configmaps"), ("create", "pods"), ("create", "pods/exec"), ("delete", "services")):
        assert lab.admin.attempt(*asking, *question, "-n", NAMESPACE).stdout.decode().strip() == "no", question
    code, rows = lab.viewer.doctor()
    unread = {check for check, row in rows.items() if row["state"] == "not readable"}
    assert (code, unread) == (0, {"default storage class", "ingress class nginx"})
    assert all("docs/rbac/viewer-cluster.yaml" in rows[check]["fix"] for check in unread)
    assert {row["state"] for check, row in rows.items() if check not in unread} == {"ok"}
    assert sum("module" in check for check in rows) == 10
    assert any(check.startswith("party-9999: Service pulsar-public-tls at ") for check in rows)
    assert f"party-9999: node port {NODE_PORTS[0]} of nginx-public" in rows

    status = json.loads(lab.viewer.run("status", "--json").stdout)["units"]["party-9999"]
    assert {module["state"] for module in status["modules"]} == {"ready"}
    assert {claim["state"] for claim in status["claims"]} == {"Bound"}
    assert {module["module"]: module["ready"] for module in status["modules"]}["datanode"] == "3/3"


def test_with_the_cluster_role_nothing_stays_unread(lab: Lab) -> None:
    lab.admin.run("kubectl", "apply", "-f", str(REPO / "docs" / "rbac" / "viewer-cluster.yaml"))
    account = f"--serviceaccount={NAMESPACE}:fate-viewer"
    lab.admin.run("kubectl", "create", "clusterrolebinding", "fate-viewer", "--clusterrole=fate-viewer", account)
    code, rows = lab.viewer.doctor()
    lab.admin.run("kubectl", "delete", "clusterrolebinding", "fate-viewer")
    assert (code, {row["state"] for row in rows.values()}) == (0, {"ok"})


def test_a_token_that_is_no_more_and_a_port_where_nobody_listens_are_said_in_time(lab: Lab, tmp_path: Path) -> None:
    given = yaml.safe_load(lab.viewer.kubeconfig.read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"https://127.0.0.1:{free.getsockname()[1]}"
        faults: dict[str, dict[str, Any]] = {
            "refused": {**given, "clusters": [{**one, "cluster": {**one["cluster"], "server": closed}} for one in given["clusters"]]},
            "logged in": {**given, "users": [{**user, "user": {"token": "none"}} for user in given["users"]]},
        }
        for said, config in faults.items():
            kubeconfig = tmp_path / "kubeconfig"
            kubeconfig.write_text(yaml.safe_dump(config))
            began = time.monotonic()
            code, rows = Viewer(lab.viewer.folder, kubeconfig).doctor()
            assert time.monotonic() - began < 30
            [(check, row)] = rows.items()
            assert (code, check, row["state"]) == (1, "cluster answers", "failed")
            assert said in row["problem"]


def test_the_route_files_of_a_real_cluster_have_the_revision_of_the_output_until_someone_edits_them(lab: Lab) -> None:
    outputs = lab.space.json("pulumi", "stack", "output", "-s", "viewed")
    check = f"party-9999: route files are as planned, routeRevision {outputs['routeRevision']['party-9999']}"
    assert lab.viewer.peer("hub")[check]["state"] == "ok"
    stale = json.dumps({"data": {"route_table.yaml": "# no routes yet\n"}})
    before = lab.admin.kubectl("get", "configmap", "nginx-route-table", "-n", NAMESPACE)["data"]
    lab.admin.run("kubectl", "patch", "configmap", "nginx-route-table", "-n", NAMESPACE, "--patch", stale)
    row = lab.viewer.peer("hub")["party-9999: route files"]
    lab.admin.run("kubectl", "patch", "configmap", "nginx-route-table", "-n", NAMESPACE, "--patch", json.dumps({"data": before}))
    assert (row["state"], row["fix"].startswith("here: run `pulumi up --refresh`")) == ("failed", True)
    assert "route_table.yaml" in row["problem"]
    assert lab.viewer.peer("hub")[check]["state"] == "ok"


def test_the_job_of_doctor_is_admitted_with_its_role_only_and_does_not_stay(lab: Lab) -> None:
    asked = "the questions run inside the cluster"
    row = lab.viewer.peer("hub", "--in-cluster")[asked]
    assert "cannot create resource" in row["problem"]
    assert "docs/rbac/doctor-job.yaml" in row["fix"]

    lab.admin.run("kubectl", "apply", "-n", NAMESPACE, "-f", str(REPO / "docs" / "rbac" / "doctor-job.yaml"))
    account = f"--serviceaccount={NAMESPACE}:fate-viewer"
    lab.admin.run("kubectl", "create", "rolebinding", "fate-doctor", "--role=fate-doctor", account, "-n", NAMESPACE)
    row = lab.viewer.peer("hub", "--in-cluster")[asked]
    lab.admin.run("kubectl", "delete", "rolebinding", "fate-doctor", "-n", NAMESPACE)
    # The pod was admitted and ended; the sandbox has no kubelet that could show what it printed.
    assert re.match(r"what pod fate-doctor-[0-9a-f]{8}-\w+ says cannot be read: ", row["problem"]), row
    left = [job for job in lab.admin.kubectl("get", "jobs", "-n", NAMESPACE)["items"] if job["metadata"]["name"].startswith("fate-doctor")]
    assert left == []


def test_a_bundle_of_the_viewer_holds_no_secret(lab: Lab, tmp_path: Path) -> None:
    done = lab.viewer.run("support-bundle", "-o", str(tmp_path / "bundle.tar.gz"), "--logs", "20")
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / "bundle.tar.gz") as archive:
        files = {member.name: (archive.extractfile(member) or pytest.fail(member.name)).read().decode() for member in archive.getmembers()}
    assert sum("/rendered/" in name for name in files) > 30
    assert any(name.endswith(f"events/{NAMESPACE}.txt") and "SuccessfulCreate" in text for name, text in files.items())
    assert len(lab.passwords) == 4
    stored = lab.admin.kubectl("get", "secrets", "-n", NAMESPACE)["items"]
    encoded = [value for secret in stored for value in secret.get("data", {}).values()]
    assert len(encoded) >= 7
    # `secure:` of the stack file is not there either, encrypted as it is.
    forbidden = [*lab.passwords.values(), *encoded, "secure:", "encryptionsalt", "PRIVATE KEY-----\nM"]
    assert not [(name, word[:12]) for name, text in files.items() for word in forbidden if word in text]


def test_what_was_changed_by_hand_is_seen_and_the_remedy_that_is_named_works(lab: Lab) -> None:
    def kubectl(*arguments: str) -> None:
        lab.admin.run("kubectl", "-n", NAMESPACE, *arguments)

    kubectl("delete", "service", "mysql")
    kubectl("delete", "networkpolicy", "fate-peers-pulsar")
    kubectl("delete", "configmap", "nginx-config")
    kubectl("patch", "service", "fateflow-client", "--patch", json.dumps({"spec": {"type": "NodePort"}}))
    kubectl("patch", "configmap", "nginx-route-table", "--patch", json.dumps({"data": {"route_table.yaml": "# by hand\n"}}))
    kubectl("scale", "statefulset/datanode", "--replicas=2")
    kubectl("set", "image", "deployment/nginx", "nginx=elsewhere.example/nginx:1")
    expected = {
        "party-9999: Service mysql": "there is none",
        "party-9999: NetworkPolicy fate-peers-pulsar": "there is none",
        "party-9999: ConfigMap nginx-config": "there is none",
        "party-9999: Service fateflow-client": "not as planned: spec.type is NodePort, planned is ClusterIP",
        "party-9999: ConfigMap nginx-route-table": "not as planned: data.route_table.yaml differs",
        "party-9999: module datanode": "it has 2 replicas, planned are 3",
    }
    wrong = _failed(lab)
    assert {check: wrong[check]["problem"] for check in expected} == expected
    assert "spec.template.spec.containers.nginx.image is elsewhere.example/nginx:1" in wrong["party-9999: Deployment nginx"]["problem"]
    assert len(wrong) == 7
    assert all("`pulumi up --refresh`" in row["fix"] for row in wrong.values())

    lab.space.up()
    assert _failed(lab).keys() == wrong.keys(), "a plain `pulumi up` sees nothing of it"

    refresh = ["pulumi", "up", "--refresh", "--yes", "--skip-preview", "--non-interactive", "-s", "viewed"]
    refused = lab.space.attempt(*refresh)
    assert refused.returncode != 0
    assert b"conflict" in refused.stdout + refused.stderr
    fix = wrong["party-9999: module datanode"]["fix"]
    assert "kubectl (scale) set it" in fix
    [undo] = re.findall(r"`(kubectl -n \S+ scale [^`]+)`", fix)
    lab.admin.run(*undo.split())
    lab.space.run(*refresh)
    lab.admin.run("kubectl", "rollout", "status", "statefulset/datanode", "-n", NAMESPACE, "--timeout=120s")
    assert _failed(lab) == {}


def _failed(lab: Lab) -> dict[str, dict[str, str]]:
    return {check: row for check, row in lab.viewer.doctor()[1].items() if row["state"] == "failed"}


def test_injected_faults_are_each_named(lab: Lab) -> None:
    """Each of them in the cluster, not in the stack. The last test: it leaves them behind."""
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"requests.cpu": "1"}}}
    lab.admin.run("kubectl", "apply", "-n", NAMESPACE, "-f", "-", stdin=json.dumps(quota).encode())
    lab.admin.run("kubectl", "delete", "service", "nginx", "-n", NAMESPACE)
    lab.admin.run("kubectl", "delete", "ingress", "client", "-n", NAMESPACE)
    lab.admin.run("kubectl", "scale", "deployment/spark-worker", "--replicas=1", "-n", NAMESPACE)
    lab.admin.run("kubectl", "delete", "pod", "mysql-0", "-n", NAMESPACE)
    _until(lab, "mysql-0")
    code, rows = lab.viewer.doctor()
    wrong = {check.removeprefix("party-9999: "): row["problem"] for check, row in rows.items() if row["state"] == "failed"}
    assert code == 1
    assert wrong["quota small"].endswith("allowed 1")
    assert wrong["Service nginx"] == "there is none"
    assert wrong["Ingress client"] == "there is none"
    assert wrong["module spark-worker"] == "it has 1 replicas, planned are 2"
    waiting = rows["party-9999: module mysql"]
    assert (waiting["state"], waiting["problem"]) == ("skipped", "waits for: party-9999: quota small"), "it keeps the pod from coming back"
    assert len(wrong) == 4
    assert all(row["fix"] for row in rows.values() if row["state"] == "failed")
    lab.admin.run("kubectl", "delete", "resourcequota", "small", "-n", NAMESPACE)
    lab.admin.run("kubectl", "rollout", "status", "statefulset/mysql", "-n", NAMESPACE, "--timeout=120s")
    _, rows = lab.viewer.doctor()
    assert rows["party-9999: module mysql, 1 of 1 ready"]["state"] == "ok"


def _until(lab: Lab, pod: str) -> None:
    for _ in range(100):
        if not lab.admin.run("kubectl", "get", "pod", pod, "-n", NAMESPACE, "--ignore-not-found", "-o", "name"):
            return
        time.sleep(0.2)
    raise AssertionError(f"{pod} is still there")
