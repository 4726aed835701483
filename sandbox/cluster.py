"""What the verbs `up`, `down` and `status` do, over all the organizations of a root folder."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox import controlplane, processes, state, tools
from sandbox.errors import SandboxError
from sandbox.files import locked, private_dir
from sandbox.real import box, requirements, wan
from sandbox.real.starting import RealStarting
from sandbox.state import COMPONENTS, Cluster, Nodes

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ComponentStatus:
    """One process of a control plane; zero sizes and uptime (seconds) when it is down."""

    name: str
    up: bool
    pid: int | None
    pss_mib: float
    rss_mib: float
    uptime: float


@dataclass(frozen=True, kw_only=True)
class ClusterStatus:
    """One organization's control plane."""

    organization: str
    nodes: Nodes
    state: Literal["up", "degraded", "down"]
    url: str
    port: int
    kubeconfig: Path
    components: tuple[ComponentStatus, ...]


def up(root: Path, organizations: Sequence[str], say: Say, nodes: Nodes | None = None) -> list[Cluster]:
    """Bring up a cluster for each organization, all at once, and wait until they are ready.

    `nodes` is what a new cluster has (kwok's unless told otherwise) and an older one must have. SandboxError, after all have been
    tried, with what kept each from starting.
    """
    for name in organizations:
        state.check_name(name)
    if nodes == "real":
        requirements.check()  # before a look into the root folder, which may be another user's
    real = _real(root, organizations, nodes)
    if real:
        requirements.check()
    tools.ensure((*COMPONENTS, *(requirements.TOOLS if real else ())), say)
    executables = tools.control_plane() | (requirements.executables() if real else {})
    cancelled = threading.Event()
    with _exclusive(root, say):
        clusters = [state.load(root, name) or state.create(root, name, nodes or "kwok") for name in dict.fromkeys(organizations)]
        if real:
            wan.start(root)
            for other in _running_boxes(root):  # an older network, which they were connected to, may have ended
                wan.connect(root, other)
        with ThreadPoolExecutor(max_workers=len(clusters)) as pool:
            tasks = [pool.submit(_start, cluster, executables, cancelled, say) for cluster in clusters]
            try:
                results = [task.result() for task in tasks]
            except BaseException:
                cancelled.set()  # else leaving the pool would wait until all are ready
                raise
    if problems := [str(result) for result in results if isinstance(result, SandboxError)]:
        raise SandboxError("\n".join(problems))
    return [result for result in results if isinstance(result, Cluster)]


def down(root: Path, organizations: Sequence[str], say: Say, *, keep: bool = False) -> None:
    """Stop the control planes (all when none is named), all at once, and delete their files unless `keep`."""
    for name in organizations:
        state.check_name(name)
    if not root.is_dir():
        say(f"nothing to stop: {root} does not exist")
        return
    with _exclusive(root, say):
        names = list(dict.fromkeys(organizations)) or state.organizations(root)
        if not names:
            say(f"nothing to stop in {root}")
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: _down(root, name, say, keep=keep), names))
        if not any(controlplane.runs(root / name / "run", "box") for name in state.organizations(root)):
            wan.stop(root)


def status(root: Path, organizations: Sequence[str] = ()) -> list[ClusterStatus]:
    """How each control plane is (all when none is named). SandboxError for an organization that has none."""
    return [_status(_known(root, name)) for name in organizations or state.organizations(root)]


def restart_node(root: Path, organization: str, say: Say) -> None:
    """Stop a real node and its containers at once, and start it again. Its control plane goes on."""
    cluster = _known(root, organization)
    if cluster.nodes != "real":
        raise SandboxError(f"{organization} has no real node", "only `sandbox up --nodes real` makes one")
    with _exclusive(root, say):
        processes.stop([cluster.pid_file("kubelet")], controlplane.STOP_GRACE)
        box.end_containers(cluster.run, grace=0)
        processes.stop([cluster.pid_file("containerd")], controlplane.STOP_GRACE)
    up(root, [organization], say)


def kubeconfig(root: Path, organization: str) -> Path:
    """The administrator's kubeconfig; SandboxError when the organization has no cluster."""
    return _known(root, organization).kubeconfig


def _real(root: Path, organizations: Sequence[str], nodes: Nodes | None) -> bool:
    """Whether one of the clusters has a real node. SandboxError when one has other nodes than those that are asked for."""
    kinds = {name: known.nodes for name in organizations if (known := state.load(root, name)) is not None}
    for name, kind in kinds.items():
        if nodes not in (None, kind):
            raise SandboxError(
                f"{name} has nodes of kind {kind}, not {nodes}", f"`sandbox down {name}` deletes it, and then `up` makes another"
            )
    return nodes == "real" or "real" in kinds.values()


def _running_boxes(root: Path) -> list[Cluster]:
    clusters = [known for name in state.organizations(root) if (known := state.load(root, name)) is not None]
    return [cluster for cluster in clusters if controlplane.running(cluster, "box")]


def _known(root: Path, organization: str) -> Cluster:
    if (cluster := state.load(root, organization)) is None:
        raise SandboxError(f"{organization} has no cluster in {root}", f"run `sandbox up {organization}`")
    return cluster


def _down(root: Path, organization: str, say: Say, *, keep: bool) -> None:
    folder = root / organization
    if not (folder / state.MARKER).exists():
        say(f"{organization}: nothing to stop")
        return
    ended = controlplane.stop_processes(folder / "run")
    box.remove_cgroups(folder / "run")
    stopped = f"stopped {', '.join(ended)}" if ended else "nothing was running"
    if not keep:
        state.forget(root, organization)
    say(f"{organization}: {stopped}; {'state kept' if keep else 'state deleted'}")


def _status(cluster: Cluster) -> ClusterStatus:
    rows = tuple(_component(cluster, name) for name in cluster.components)
    count = sum(row.up for row in rows)
    return ClusterStatus(
        organization=cluster.organization,
        nodes=cluster.nodes,
        state="up" if count == len(rows) else "degraded" if count else "down",
        url=cluster.url,
        port=cluster.port,
        kubeconfig=cluster.kubeconfig,
        components=rows,
    )


def _component(cluster: Cluster, name: str) -> ComponentStatus:
    record = processes.read_record(cluster.pid_file(name))
    if record is None or not processes.alive(record):
        return ComponentStatus(name=name, up=False, pid=None, pss_mib=0, rss_mib=0, uptime=0)
    size = processes.memory(record.pid)
    age = processes.uptime(record)
    return ComponentStatus(name=name, up=True, pid=record.pid, pss_mib=size.pss_mib, rss_mib=size.rss_mib, uptime=age)


def _start(cluster: Cluster, executables: Mapping[str, Path], cancelled: threading.Event, say: Say) -> Cluster | SandboxError:
    """The started cluster, or why it did not start: one organization's trouble does not stop the others."""
    name = cluster.organization
    try:
        if cluster.nodes == "real":
            done = controlplane.start(RealStarting(cluster, executables, cancelled, say=say))
        else:
            done = controlplane.start(controlplane.Starting(cluster, executables, cancelled))
    except SandboxError as error:
        return error
    except OSError as error:
        return SandboxError(f"{name}: {error}")
    if not done.components:
        say(f"{name}: already running at {done.cluster.url}")
        return done.cluster
    what = "all" if len(done.components) == len(cluster.components) else ", ".join(done.components)
    times = f"API server after {done.api_seconds:.1f} s, ready after {done.ready_seconds:.1f} s"
    say(f"{name}: started {what}; {times}; {done.cluster.url}")
    return done.cluster


@contextmanager
def _exclusive(root: Path, say: Say) -> Iterator[None]:
    """One `up` or `down` at a time in a root; a killed one leaves no lock behind."""
    private_dir(root)
    with locked(root / ".lock", lambda: say(f"waiting for another sandbox command in {root}")):
        yield
