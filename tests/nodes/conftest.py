"""Three clusters with real nodes, and what the host looked like before them. Needs root and `make real-nodes`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import build, cluster, state, tools
from sandbox.images.archive import Image, write_archive, write_layer
from sandbox.real import box, requirements
from sandbox.state import COMPONENTS
from tests.nodes.host import Host, processes_of

REPOSITORY = Path(__file__).parents[2]
ORGANIZATIONS = ("bank-a", "clinic-b", "consortium")
IMAGE = "sandbox.invalid/busybox:1"


@dataclass
class Lab:
    """Clusters of one root folder, driven by the command."""

    root: Path
    before: Host
    seconds: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)

    def sandbox(self, *arguments: str) -> str:
        done = self.try_sandbox(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def try_sandbox(self, *arguments: str, prefix: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess[str]:
        command = [*prefix, sys.executable, "-m", "sandbox", "--root", str(self.root), *arguments]
        env = os.environ | self.environment | variables
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, env=env, timeout=180)

    def of(self, organization: str) -> state.Cluster:
        found = state.load(self.root, organization)
        assert found is not None
        return found

    def kubectl(self, organization: str, *arguments: str, text: str = "") -> str:
        command = [str(tools.tool_path("kubectl")), "--kubeconfig", str(cluster.kubeconfig(self.root, organization)), *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=90)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, organization: str, *arguments: str) -> Any:
        return json.loads(self.kubectl(organization, "get", *arguments, "-o", "json"))

    def apply(self, organization: str, *objects: dict[str, Any]) -> None:
        self.kubectl(organization, "apply", "-f", "-", text=yaml.safe_dump_all(objects))

    def in_pod(self, organization: str, pod: str, script: str) -> str:
        return self.sandbox("exec", organization, pod, "--", "sh", "-c", script)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three clusters that serve their names from volumes. Nothing that `sandbox images` built on this machine is imported."""
    tools.ensure((*COMPONENTS, *requirements.TOOLS), print)
    cache = tmp_path_factory.mktemp("cache")
    (cache / "fate-federation").mkdir()
    (cache / "fate-federation" / "tools").symlink_to(build.cache_folder())
    made = Lab(root=tmp_path_factory.mktemp("real"), before=Host.now(), environment={"XDG_CACHE_HOME": str(cache)})
    try:
        begun = time.monotonic()
        made.sandbox("up", "--nodes", "real", *ORGANIZATIONS)
        made.seconds = time.monotonic() - begun
        archive = busybox(cache)
        for name in ORGANIZATIONS:
            box.import_image(made.of(name), archive)
            made.apply(name, *web())
            made.kubectl(name, "rollout", "status", "statefulset/web", "--timeout=60s")
        yield made
    finally:
        made.sandbox("down")
        assert processes_of(made.root) == {}


def busybox(folder: Path) -> Path:
    """An image of Debian's busybox."""
    applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    files: dict[str, Path | bytes | str] = {"bin/busybox": Path("/bin/busybox"), "tmp/.keep": b""}
    files |= {f"bin/{applet}": "busybox" for applet in applets if applet != "busybox"}
    write_layer(folder / "busybox.layer", files, {"bin/busybox": 0o755, "tmp": 0o1777})
    write_archive(folder / "busybox.tar", Image(name=IMAGE, command=("sh",)), [folder / "busybox.layer"])
    return folder / "busybox.tar"


def web() -> list[dict[str, Any]]:
    """A server of its own name that may do as little as our charts' pods, with a volume, and a load balancer before it."""
    script = (
        "trap exit TERM; echo started; [ -e /data/index.html ] || hostname > /data/index.html; busybox httpd -f -p 8080 -h /data & wait"
    )
    container = {
        "name": "web",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    pod = {"runAsNonRoot": True, "runAsUser": 1001, "fsGroup": 1001, "seccompProfile": {"type": "RuntimeDefault"}}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    labels = {"app": "web"}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "web"},
            "spec": {
                "serviceName": "web",
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"securityContext": pod, "containers": [container]}},
                "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"type": "LoadBalancer", "selector": labels, "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}]},
        },
    ]
