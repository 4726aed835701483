"""Starting a cluster with a real node."""

import datetime
import math
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from sandbox import components, controlplane, objects, processes
from sandbox.api import Api
from sandbox.errors import SandboxError
from sandbox.policies.enforcer import APPLIED
from sandbox.real import box, images, node, wan
from sandbox.state import Cluster

_PROXY = Path(__file__).with_name("proxy.py")
_OWN_ARGUMENTS = ("containerd", "policies", "kubelet", "kube-proxy")


@dataclass
class RealStarting(controlplane.Starting):
    """The same in a box, with containerd, kubelet and kube-proxy, and a proxy on the host's loopback to its API server."""

    say: Callable[[str], None] = field(kw_only=True)
    imports: list["Future[None]"] = field(default_factory=list)  # of the images that a node needs, and of all others

    servers: ClassVar[tuple[str, ...]] = ("etcd", "kube-apiserver", "proxy")
    clients: ClassVar[tuple[str, ...]] = ("kubelet", "kube-proxy", "policies", *controlplane.CLIENTS)
    agents: ClassVar[tuple[str, ...]] = ("kwok", "policies", "kube-proxy", "kubelet")

    def prepare(self) -> None:
        """Also make the box, and start containerd in it, which gets its images while the API server starts."""
        super().prepare()
        cluster = self.cluster
        node.write_files(cluster, images.PAUSE)
        if not controlplane.running(cluster, "box"):
            # It is in the network namespace of a box that has ended, and keeps that alive.
            processes.stop([cluster.pid_file("proxy")], controlplane.STOP_GRACE)
        self.start("box")
        wan.connect(cluster.folder.parent, cluster)
        base = images.make_base(self.tools["coredns"], self.say)
        self.start("containerd")
        worker = ThreadPoolExecutor(max_workers=1)
        self.imports = [worker.submit(self._import, archives) for archives in (base, images.built())]
        worker.shutdown(wait=False)

    def reach_readiness(self) -> None:
        """Also wait for the images: a pod whose image is not there yet would back off."""
        base, others = self.imports
        base.result()
        super().reach_readiness()
        others.result()

    def objects(self) -> list[tuple[str, objects.Object]]:
        """Also CoreDNS."""
        return objects.base_objects(self.cluster, images.coredns())

    def missing(self, api: Api) -> list[str]:
        """Also the rules of network policies, CoreDNS, and kubelet's word on every pod: until it has looked, a status is that of before."""
        if lacks := super().missing(api):
            return lacks
        deployment = api.get(f"{objects.DNS_PATH}/coredns") or {}
        lacks += [] if _enforced(self.cluster) else ["network policies"]
        lacks += [] if deployment.get("status", {}).get("readyReplicas") else ["CoreDNS"]
        since = box.since(self.cluster)
        return [*lacks, *(pod["metadata"]["name"] for pod in controlplane.items(api, objects.POD_PATH) if _older(pod, since))]

    def spawn(self, component: str) -> None:
        """Start the process of a component, in the box unless it is the box or the proxy."""
        cluster = self.cluster
        if component == "box":
            box.start(cluster)
        elif component == "proxy":
            processes.spawn(
                [sys.executable, "-I", "-S", str(_PROXY), str(cluster.port), str(box.pid(cluster)), str(cluster.port)],
                pid_file=cluster.pid_file(component),
                log=cluster.log(component),
                env=components.environment(),
            )
        else:
            arguments = node.arguments if component in _OWN_ARGUMENTS else components.arguments
            box.spawn(cluster, component, [str(self.tools[component]), *arguments(cluster, component)])

    def _import(self, archives: list[Path]) -> None:
        self.wait("containerd", self._containerd_answers)
        images.import_missing(self.cluster, archives, self.say)

    def _containerd_answers(self) -> bool:
        try:
            box.ctr(self.cluster, "version")
        except SandboxError:
            return False
        return True


def _enforced(cluster: Cluster) -> bool:
    """Whether the process that runs has applied a rule set. That of an earlier process may be older than the policies."""
    log = cluster.log("policies")  # each process has a new one
    return log.exists() and APPLIED in log.read_text(errors="replace")


def _older(pod: objects.Object, since: float) -> bool:
    """Whether a container of the pod is said to run since an earlier life of the node."""
    running = [status["state"].get("running") for status in pod.get("status", {}).get("containerStatuses", [])]
    starts = [datetime.datetime.fromisoformat(one["startedAt"]).timestamp() for one in running if one]
    return any(start < math.floor(since) for start in starts)  # startedAt counts seconds
