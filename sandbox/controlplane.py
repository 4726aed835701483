"""Starting and stopping one organization's control plane. Every step may be interrupted and repeated."""

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from sandbox import components, credentials, objects, processes
from sandbox.api import Api
from sandbox.errors import SandboxError
from sandbox.files import private_dir
from sandbox.real import box
from sandbox.state import Cluster, free_port, make_socket_folder, port_is_free

CLIENTS = ("kwok", "kube-scheduler", "kube-controller-manager")  # of the API server
# A box that ends takes all that runs in it along.
_STOP_ORDER = (("kubelet", "kube-proxy", "policies", *CLIENTS), ("kube-apiserver",), ("etcd",), ("proxy", "containerd"), ("box",))
READY_TIMEOUT = 90.0  # seconds; three clusters at once on 2 idle cores need 7
STOP_GRACE = 15.0  # seconds until SIGKILL; an API server with many watches may need 9
CONTAINER_GRACE = 5.0  # seconds until SIGKILL
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


def start(starting: "Starting") -> Started:
    """Start what does not run and wait until the cluster can be used.

    The port of the returned cluster has changed if another program had taken it. SandboxError, with the end of the log,
    when a component dies; also after READY_TIMEOUT and once `cancelled` is set.
    """
    begun = time.monotonic()
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
    return runs(cluster.run, component)


def runs(run: Path, component: str) -> bool:
    """The same, of the cluster whose pid files lie in `run`."""
    return processes.alive(processes.read_record(run / f"{component}.pid"))


def stop_processes(run: Path) -> list[str]:
    """End the processes whose pid files lie in `run`, API server before etcd. Returns those that had been running."""
    ended: list[str] = []
    # An API server hangs in its shutdown when its etcd has gone, and while a container still watches.
    for together in _STOP_ORDER:
        if together == ("kube-apiserver",):
            box.end_containers(run, CONTAINER_GRACE)
        ended += processes.stop([run / f"{component}.pid" for component in together], STOP_GRACE)
    return ended


def items(api: Api, path: str) -> list[objects.Object]:
    """The objects of a collection."""
    listed: list[objects.Object] = (api.get(path) or {}).get("items", [])
    return listed


def _node_ready(node: objects.Object) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    # A node keeps the not-ready taint for a moment after it became ready; pods would wait for that too.
    return ready and not node["spec"].get("taints")


@dataclass
class Starting:
    """One attempt to start a cluster; `started` collects the components that were not running.

    `tools` has the executable of every component.
    """

    cluster: Cluster
    tools: Mapping[str, Path]
    cancelled: threading.Event
    started: list[str] = field(default_factory=list)

    servers: ClassVar[tuple[str, ...]] = ("etcd", "kube-apiserver")  # in the order of starting; the last listens on the host
    clients: ClassVar[tuple[str, ...]] = CLIENTS
    agents: ClassVar[tuple[str, ...]] = ("kwok",)  # of nodes, in the order of starting; the last renews their leases

    def prepare(self) -> None:
        """Make folders and keys, and stop components of another version than the tools'."""
        cluster = self.cluster
        for folder in (cluster.folder, cluster.run, cluster.folder / "log"):
            private_dir(folder)
        make_socket_folder(cluster.sockets)
        credentials.ensure_pki(cluster)
        for component in reversed(cluster.components):
            record = processes.read_record(cluster.pid_file(component))
            wanted = str(self.tools[component].resolve())
            if record is None or not processes.alive(record) or record.executable != wanted:
                processes.stop([cluster.pid_file(component)], STOP_GRACE)

    def reach_api(self) -> None:
        """Start etcd and the API server, on another port if theirs was taken, and wait for /readyz."""
        if not (running(self.cluster, "etcd") and running(self.cluster, "kube-apiserver")):
            # Clients that live through an outage back off for long, and a kwok that was still starting dies of it.
            processes.stop([self.cluster.pid_file(component) for component in self.clients], STOP_GRACE)
        for attempt in range(1, _ATTEMPTS + 1):
            self._settle_port()
            credentials.write_kubeconfigs(self.cluster)
            try:
                for component in self.servers:
                    self.start(component)
                self.wait("the API server", Api(self.cluster).ready)
            except SandboxError:
                if attempt == _ATTEMPTS or not self._port_was_taken():
                    raise
            else:
                return

    def reach_readiness(self) -> None:
        """Start the API server's clients and wait until pods could run."""
        # Not earlier: started before the API server is ready, they back off for seconds.
        api, nodes = Api(self.cluster), objects.NODES[self.cluster.nodes]
        self.start("kube-controller-manager")
        self.start("kube-scheduler")
        for path, item in self.objects():
            api.apply(path, item)
        *others, keeper = self.agents
        for component in others:
            self.start(component)
        if not running(self.cluster, keeper):
            self.wait("namespace kube-node-lease", lambda: api.get("/api/v1/namespaces/kube-node-lease") is not None)
            # A node is what it was before until its lease is new, and a new kwok would wait until those of a dead one run out (40 s).
            api.delete(objects.LEASES)
            self.start(keeper)
            # Pods that are bound before kwok holds the nodes would stay Pending for ever.
            self.wait(f"{keeper} to take the nodes", lambda: len(items(api, objects.LEASES)) >= nodes)
        self.wait("nodes, default ServiceAccount and StorageClass", lambda: not self.missing(api))

    def objects(self) -> list[tuple[str, objects.Object]]:
        """What the cluster starts with."""
        return objects.base_objects(self.cluster)

    def missing(self, api: Api) -> list[str]:
        """What the cluster lacks that is about to be used; empty when it is ready."""
        lacks = []
        if api.get("/api/v1/namespaces/default/serviceaccounts/default") is None:
            lacks.append("default ServiceAccount")
        if api.get(f"{objects.STORAGE_CLASS_PATH}/{objects.STORAGE_CLASS}") is None:
            lacks.append("default StorageClass")
        if sum(_node_ready(node) for node in items(api, objects.NODE_PATH)) < objects.NODES[self.cluster.nodes]:
            lacks.append("ready nodes")
        return lacks

    def _settle_port(self) -> None:
        """Keep the port, or take another when the API server is down and someone else listens there."""
        listener = self.servers[-1]
        if running(self.cluster, listener) or port_is_free(self.cluster.port):
            return
        processes.stop([self.cluster.pid_file(component) for component in self.servers[1:]], STOP_GRACE)
        self.cluster = dataclasses.replace(self.cluster, port=free_port(avoid=[self.cluster.port]))
        self.cluster.save()

    def _port_was_taken(self) -> bool:
        log = self.cluster.log(self.servers[-1])
        ended = not running(self.cluster, self.servers[-1])
        return ended and log.exists() and "address already in use" in log.read_text(errors="replace").lower()

    def start(self, component: str) -> None:
        """Start a component unless it runs."""
        if not running(self.cluster, component):
            self.spawn(component)
            self.started.append(component)

    def spawn(self, component: str) -> None:
        """Start the process of a component."""
        processes.spawn(
            [str(self.tools[component]), *components.arguments(self.cluster, component)],
            pid_file=self.cluster.pid_file(component),
            log=self.cluster.log(component),
            env=components.environment(),
        )

    def wait(self, what: str, done: Callable[[], bool]) -> None:
        """Wait until something holds. SandboxError when a component ends, after READY_TIMEOUT, and once `cancelled` is set."""
        deadline = time.monotonic() + READY_TIMEOUT
        name = self.cluster.organization
        while not _holds(done):
            for component in self.cluster.components:
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
