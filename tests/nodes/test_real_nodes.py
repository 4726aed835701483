"""A cluster with a real node runs containers, reaches the others of its root, survives a restart, and leaves the host as it was."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from sandbox import processes
from sandbox.real import box
from sandbox.state import REAL_COMPONENTS, free_port
from tests.nodes.conftest import IMAGE, ORGANIZATIONS, REPOSITORY, Lab
from tests.nodes.host import Host, processes_of

pytestmark = pytest.mark.nodes

START_LIMIT = 60.0  # seconds; on an idle machine it is 30, and 16 were measured
MEMORY_LIMIT = 0.8 * 1024  # MiB


def fetch(lab: Lab, organization: str, url: str) -> str:
    return lab.in_pod(organization, "web-0", f"timeout 5 wget -qO- {url}").strip()


def test_they_start_in_time_and_within_their_memory(lab: Lab) -> None:
    assert lab.seconds < START_LIMIT
    rows = json.loads(lab.sandbox("status", "--json"))
    assert [row["organization"] for row in rows] == list(ORGANIZATIONS)
    for row in rows:
        assert [part["name"] for part in row["components"] if part["up"]] == list(REAL_COMPONENTS)
        assert 100 < sum(part["pss_mib"] for part in row["components"]) < MEMORY_LIMIT


def test_kubelet_tells_of_its_own_node(lab: Lab) -> None:
    (node,) = lab.get("bank-a", "nodes")["items"]
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://")
    assert {"type": "InternalIP", "address": lab.of("bank-a").node_ip()} in node["status"]["addresses"]


def test_a_hardened_pod_writes_to_its_volume_and_its_log_is_read(lab: Lab) -> None:
    assert lab.in_pod("bank-a", "web-0", "cat /data/index.html; id -u").split() == ["web-0", "1001"]
    assert lab.sandbox("logs", "bank-a", "web-0").strip() == "started"


def test_a_pod_is_reached_from_the_host_by_port_forward(lab: Lab) -> None:
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "--root", str(lab.root), "port-forward", "bank-a", "pod/web-0", f"{port}:8080"]
    forward = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert forward.stdout is not None
        assert "Forwarding from" in forward.stdout.readline()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().read().strip() == b"web-0"
    finally:
        forward.terminate()
        forward.wait()


def test_names_of_services_resolve_and_other_names_do_not_exist(lab: Lab) -> None:
    assert fetch(lab, "bank-a", "http://web.default.svc.cluster.local") == "web-0"
    assert fetch(lab, "bank-a", "http://web") == "web-0"
    assert "NXDOMAIN" in lab.in_pod("bank-a", "web-0", "nslookup nowhere.example || true")


@pytest.mark.parametrize(("caller", "called"), [("bank-a", "clinic-b"), ("clinic-b", "bank-a"), ("consortium", "bank-a")])
def test_a_pod_reaches_another_cluster_by_load_balancer_and_by_node_port(lab: Lab, caller: str, called: str) -> None:
    mark = f"served by {called}"
    lab.in_pod(called, "web-0", f"echo '{mark}' > /data/mark.html")
    (address,) = lab.get(called, "service", "web")["status"]["loadBalancer"]["ingress"]
    assert fetch(lab, caller, f"http://{address['ip']}/mark.html") == mark
    assert fetch(lab, caller, f"http://{lab.of(called).node_ip()}:30080/mark.html") == mark


def test_a_killed_kubelet_is_started_again_and_containers_live_on(lab: Lab) -> None:
    before = lab.get("bank-a", "pod", "web-0")["status"]["containerStatuses"][0]["containerID"]
    record = processes.read_record(lab.of("bank-a").pid_file("kubelet"))
    assert record is not None
    assert processes.send(record, signal.SIGKILL)
    while processes.alive(record):
        time.sleep(0.01)
    assert "bank-a: degraded" in lab.sandbox("status")
    assert "started kubelet;" in lab.sandbox("up", "bank-a")
    assert lab.get("bank-a", "pod", "web-0")["status"]["containerStatuses"][0]["containerID"] == before
    lab.kubectl("bank-a", "run", "after", f"--image={IMAGE}", "--restart=Never", "--command", "--", "true")
    lab.kubectl("bank-a", "wait", "pod/after", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")


def test_a_node_restarts_with_its_data_while_its_api_server_goes_on(lab: Lab) -> None:
    lab.kubectl("bank-a", "wait", "--for=condition=Ready", "pod/web-0", "--timeout=30s")
    lab.in_pod("bank-a", "web-0", "echo kept > /data/index.html")
    server = processes.read_record(lab.of("bank-a").pid_file("kube-apiserver"))
    assert "started containerd, kubelet;" in lab.sandbox("restart-node", "bank-a")
    assert processes.read_record(lab.of("bank-a").pid_file("kube-apiserver")) == server
    lab.kubectl("bank-a", "wait", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", "pod/web-0", "--timeout=30s")
    lab.kubectl("bank-a", "wait", "--for=condition=Ready", "pod/web-0", "--timeout=30s")
    assert fetch(lab, "clinic-b", f"http://{lab.of('bank-a').node_ip()}:30080/") == "kept"


@pytest.mark.parametrize("pid_file", ["bank-a/run/box.pid", ".wan.pid"])
def test_a_killed_box_or_network_is_made_again(lab: Lab, pid_file: str) -> None:
    record = processes.read_record(lab.root / pid_file)
    assert record is not None
    assert processes.send(record, signal.SIGKILL)
    while processes.alive(record):
        time.sleep(0.01)
    lab.sandbox("up", "bank-a")
    lab.kubectl("bank-a", "wait", "--for=condition=Ready", "pod/web-0", "--timeout=30s")
    assert fetch(lab, "clinic-b", f"http://{lab.of('bank-a').node_ip()}:30080/") == "kept"


def test_a_cluster_with_real_nodes_is_not_made_one_of_kwok(lab: Lab) -> None:
    refused = lab.try_sandbox("up", "--nodes", "kwok", "bank-a")
    assert refused.returncode == 1
    assert "bank-a has nodes of kind real, not kwok" in refused.stderr


def test_a_user_without_root_is_told_so_in_one_sentence(lab: Lab) -> None:
    refused = lab.try_sandbox("up", "--nodes", "real", "other", prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    assert refused.returncode == 2
    assert refused.stderr == "sandbox: `--nodes real` needs root; `--nodes kwok` works without\n"
    assert not (lab.root / "other").exists()


def test_a_machine_without_the_packages_is_told_their_names_in_one_sentence(lab: Lab) -> None:
    refused = lab.try_sandbox("up", "--nodes", "real", "other", PATH="")
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert "needs the Debian packages containerd, iproute2, iptables" in line
    assert "(`make real-nodes` installs them); `--nodes kwok` works without" in line
    assert not (lab.root / "other").exists()


def test_the_host_is_as_it_was(lab: Lab) -> None:
    assert lab.before.sysctls, "the comparison would be vacuous"
    assert lab.before.differences(Host.now()) == {}
    cgroups = [folder for name in ORGANIZATIONS for folder in box.cgroups(lab.of(name).run)]
    assert cgroups, "the boxes have cgroups of their own"
    assert all(folder.is_dir() for folder in cgroups)
    assert len(processes_of(lab.root)) >= len(ORGANIZATIONS) * len(REAL_COMPONENTS), "else the search finds too few"
    lab.sandbox("down", "--keep")
    assert processes_of(lab.root) == {}
    assert lab.before.differences(Host.now()) == {}
    assert not [folder for folder in cgroups if folder.exists()]
    assert not [path for path in os.listdir(lab.root) if path.startswith(".wan")]
    lab.sandbox("up", *ORGANIZATIONS)
    assert fetch(lab, "clinic-b", f"http://{lab.of('bank-a').node_ip()}:30080/") == "kept"
