"""Starting and stopping one organization's control plane. Every step may be interrupted and repeated."""

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import components, credentials, objects, processes
from sandbox.api import Api
from sandbox.errors import SandboxError
from sandbox.files import private_dir
from sandbox.state import COMPONENTS, Cluster, free_port, make_socket_folder, port_is_free

CLIENTS = ("kwok", "kube-scheduler", "kube-controller-manager")  # of the API server
READY_TIMEOUT = 90.0  # seconds; three clusters at once on 2 idle cores need 7
STOP_GRACE = 15.0  # seconds until SIGKILL; an API server with many watches may need 9
_POLL = 0.05  # seconds
_ATTEMPTS = 3  # ports to try when another program takes the free one first
_LOG_TAIL = 8  # lines shown of the log of a component that died


@dataclass(frozen=True, kw_only=True)
class Started:
    """What starting did: the components it started, and the seconds until the API server and all of it were ready."""

    cluster: Cluster
    components: tuple[str, ...]
    api_seconds: float
    ready_seconds: float


def start(cluster: Cluster, tools: Mapping[str, Path], cancelled: threading.Event) -> Started:
    """Start what does not run and wait until the cluster can be used. `tools` has the executable of every component.

    The port of the returned cluster has changed if another program had taken it. SandboxError, with the end of the log,
    when a component dies; also after READY_TIMEOUT and once `cancelled` is set.
    """
    begun = time.monotonic()
    starting = _Starting(cluster, tools, cancelled)
    starting.prepare()
    starting.reach_api()
    api_seconds = time.monotonic() - begun
    starting.reach_readiness()
    return Started(
        cluster=starting.cluster,
        components=tuple(dict.fromkeys(starting.started)),
        api_seconds=api_seconds,
        ready_seconds=time.monotonic() - begun,
    )


def running(cluster: Cluster, component: str) -> bool:
    """Whether the component that we started still runs."""
    return processes.alive(processes.read_record(cluster.pid_file(component)))


def stop_processes(run: Path) -> list[str]:
    """End the processes whose pid files lie in `run`, API server before etcd. Returns those that had been running."""
    ended: list[str] = []
    # An API server whose etcd has gone hangs in its shutdown.
    for together in (CLIENTS, ("kube-apiserver",), ("etcd",)):
        ended += processes.stop([run / f"{component}.pid" for component in together], STOP_GRACE)
    return ended


def missing(api: Api) -> list[str]:
    """What a cluster lacks that is about to be used; empty when it is ready."""
    lacks = []
    if api.get("/api/v1/namespaces/default/serviceaccounts/default") is None:
        lacks.append("default ServiceAccount")
    if api.get(f"{objects.STORAGE_CLASS_PATH}/{objects.STORAGE_CLASS}") is None:
        lacks.append("default StorageClass")
    if sum(_node_ready(node) for node in _items(api, objects.NODE_PATH)) < objects.NODES:
        lacks.append("ready nodes")
    return lacks


def _items(api: Api, path: str) -> list[objects.Object]:
    items: list[objects.Object] = (api.get(path) or {}).get("items", [])
    return items


def _node_ready(node: objects.Object) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    # A node keeps the not-ready taint for a moment after it became ready; pods would wait for that too.
    return ready and not node["spec"].get("taints")


@dataclass
class _Starting:
    """One attempt to start a cluster; `started` collects the components that were not running."""

    cluster: Cluster
    tools: Mapping[str, Path]
    cancelled: threading.Event
    started: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Make folders and keys, and stop components of another version than the tools'."""
        cluster = self.cluster
        for folder in (cluster.folder, cluster.run, cluster.folder / "log"):
            private_dir(folder)
        make_socket_folder(cluster.sockets)
        credentials.ensure_pki(cluster)
        for component in reversed(COMPONENTS):
            record = processes.read_record(cluster.pid_file(component))
            wanted = str(self.tools[component].resolve())
            if record is None or not processes.alive(record) or record.executable != wanted:
                processes.stop([cluster.pid_file(component)], STOP_GRACE)

    def reach_api(self) -> None:
        """Start etcd and the API server, on another port if theirs was taken, and wait for /readyz."""
        if not (running(self.cluster, "etcd") and running(self.cluster, "kube-apiserver")):
            # Clients that live through an outage back off for long, and a kwok that was still starting dies of it.
            processes.stop([self.cluster.pid_file(component) for component in CLIENTS], STOP_GRACE)
        for attempt in range(1, _ATTEMPTS + 1):
            self._settle_port()
            credentials.write_kubeconfigs(self.cluster)
            self._start("etcd")
            self._start("kube-apiserver")
            try:
                self._wait("the API server", Api(self.cluster).ready)
            except SandboxError:
                if attempt == _ATTEMPTS or not self._port_was_taken():
                    raise
            else:
                return

    def reach_readiness(self) -> None:
        """Start the API server's clients and wait until pods could run."""
        # Not earlier: started before the API server is ready, they back off for seconds.
        api = Api(self.cluster)
        self._start("kube-controller-manager")
        self._start("kube-scheduler")
        for path, item in objects.base_objects(self.cluster):
            api.apply(path, item)
        if not running(self.cluster, "kwok"):
            self._wait("namespace kube-node-lease", lambda: api.get("/api/v1/namespaces/kube-node-lease") is not None)
            # A new kwok would wait until the leases of the dead one run out (40 s).
            api.delete(objects.LEASES)
            self._start("kwok")
            # Pods that are bound before it holds the nodes would stay Pending for ever.
            self._wait("kwok to take the nodes", lambda: len(_items(api, objects.LEASES)) >= objects.NODES)
        self._wait("nodes, default ServiceAccount and StorageClass", lambda: not missing(api))

    def _settle_port(self) -> None:
        """Keep the port, or take another when the API server is down and someone else listens there."""
        if running(self.cluster, "kube-apiserver") or port_is_free(self.cluster.port):
            return
        self.cluster = dataclasses.replace(self.cluster, port=free_port(avoid=[self.cluster.port]))
        self.cluster.save()

    def _port_was_taken(self) -> bool:
        log = self.cluster.log("kube-apiserver")
        ended = not running(self.cluster, "kube-apiserver")
        return ended and log.exists() and "address already in use" in log.read_text(errors="replace")

    def _start(self, component: str) -> None:
        if running(self.cluster, component):
            return
        processes.spawn(
            [str(self.tools[component]), *components.arguments(self.cluster, component)],
            pid_file=self.cluster.pid_file(component),
            log=self.cluster.log(component),
            env=components.environment(),
        )
        self.started.append(component)

    def _wait(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        name = self.cluster.organization
        while not _holds(done):
            for component in COMPONENTS:
                if self.cluster.pid_file(component).exists() and not running(self.cluster, component):
                    raise SandboxError(f"{name}: {component} ended\n{_tail(self.cluster.log(component))}")
            if self.cancelled.is_set():
                raise SandboxError(f"{name}: interrupted while waiting for {what}")
            if time.monotonic() > deadline:
                hint = f"see {self.cluster.folder / 'log'}; `sandbox down {name}` and `up` start afresh"
                raise SandboxError(f"{name}: waited {READY_TIMEOUT:.0f} s for {what}", hint)
            time.sleep(_POLL)


def _holds(done: Callable[[], bool]) -> bool:
    try:
        return done()
    except OSError:  # the API server is restarting
        return False


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_LOG_TAIL:] if log.exists() else []
    return "\n".join(f"    {line}" for line in lines)
