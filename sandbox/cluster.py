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
from sandbox.state import COMPONENTS, Cluster

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
    state: Literal["up", "degraded", "down"]
    url: str
    port: int
    kubeconfig: Path
    components: tuple[ComponentStatus, ...]


def up(root: Path, organizations: Sequence[str], say: Say) -> list[Cluster]:
    """Bring up a control plane for each organization, all at once, and wait until they are ready.

    SandboxError, after all have been tried, with what kept each from starting.
    """
    for name in organizations:
        state.check_name(name)
    tools.ensure(COMPONENTS, say)
    executables = tools.control_plane()
    cancelled = threading.Event()
    with _exclusive(root, say):
        clusters = [state.load(root, name) or state.create(root, name) for name in dict.fromkeys(organizations)]
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


def status(root: Path, organizations: Sequence[str] = ()) -> list[ClusterStatus]:
    """How each control plane is (all when none is named). SandboxError for an organization that has none."""
    return [_status(_known(root, name)) for name in organizations or state.organizations(root)]


def kubeconfig(root: Path, organization: str) -> Path:
    """The administrator's kubeconfig; SandboxError when the organization has no cluster."""
    return _known(root, organization).kubeconfig


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
    stopped = f"stopped {', '.join(ended)}" if ended else "nothing was running"
    if not keep:
        state.forget(root, organization)
    say(f"{organization}: {stopped}; {'state kept' if keep else 'state deleted'}")


def _status(cluster: Cluster) -> ClusterStatus:
    rows = tuple(_component(cluster, name) for name in COMPONENTS)
    count = sum(row.up for row in rows)
    return ClusterStatus(
        organization=cluster.organization,
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
        done = controlplane.start(cluster, executables, cancelled)
    except SandboxError as error:
        return error
    except OSError as error:
        return SandboxError(f"{name}: {error}")
    if not done.components:
        say(f"{name}: already running at {done.cluster.url}")
        return done.cluster
    what = "all" if len(done.components) == len(COMPONENTS) else ", ".join(done.components)
    times = f"API server after {done.api_seconds:.1f} s, ready after {done.ready_seconds:.1f} s"
    say(f"{name}: started {what}; {times}; {done.cluster.url}")
    return done.cluster


@contextmanager
def _exclusive(root: Path, say: Say) -> Iterator[None]:
    """One `up` or `down` at a time in a root; a killed one leaves no lock behind."""
    private_dir(root)
    with locked(root / ".lock", lambda: say(f"waiting for another sandbox command in {root}")):
        yield
