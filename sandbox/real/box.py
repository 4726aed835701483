"""The box of a cluster: namespaces of its own for network, mounts, processes, IPC, host name and cgroups, and its first process."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sandbox import processes
from sandbox.errors import SandboxError
from sandbox.files import write_atomic
from sandbox.state import Cluster

NAMESPACES = ("net", "mnt", "pid", "ipc", "uts", "cgroup")
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"  # in the box, whose /run is its own
IMAGE_NAMESPACE = "k8s.io"  # where containerd keeps what kubelet uses
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
_CGROUPS = Path("/sys/fs/cgroup")
_BESIDE = Path(__file__).parent
_READY_TIMEOUT = 20.0  # seconds
_READY = "box.ready"  # a file whose time is when the node's life began
_POLL = 0.02


def pid(cluster: Cluster) -> int:
    """The box's first process, as the host counts. SandboxError when the box does not run."""
    record = processes.read_record(cluster.pid_file("box"))
    if record is None or not processes.alive(record):
        raise SandboxError(f"{cluster.organization} has no running node", f"run `sandbox up --nodes real {cluster.organization}`")
    return record.pid


def enter(cluster: Cluster) -> list[str]:
    """What to put before a command so that it runs in the box: nsenter's command line."""
    return ["nsenter", "-t", str(pid(cluster)), "-n", "-m", "-p", "-i", "-u", "-C", "--"]


def run(cluster: Cluster, *command: str) -> str:
    """What a command prints that runs in the box. SandboxError when it fails."""
    return checked([*enter(cluster), *command])


def checked(command: Sequence[str]) -> str:
    """What a command prints. SandboxError, with its last words, when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if done.returncode:
        raise SandboxError(f"`{' '.join(command)}` ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def import_image(cluster: Cluster, archive: Path) -> None:
    """Give the node an image. Pods that use it need imagePullPolicy IfNotPresent."""
    ctr(cluster, "images", "import", str(archive))


def ctr(cluster: Cluster, *arguments: str) -> str:
    """What containerd's client prints."""
    return run(cluster, "ctr", "-a", CONTAINERD_SOCKET, "-n", IMAGE_NAMESPACE, *arguments)


def start(cluster: Cluster) -> None:
    """Make the namespaces and wait until their first process has mounted what it must."""
    ready = cluster.run / _READY
    ready.unlink(missing_ok=True)
    remove_cgroups(cluster.run)  # kubelet would ask for 3 s after each container that a killed box has left there
    folders = _own_cgroups(cluster)
    write_atomic(cluster.run / "cgroups", "".join(f"{folder}\n" for folder in folders))
    for folder in folders:
        _make_cgroup(folder)
    first = [sys.executable, "-I", "-S", str(_BESIDE / "init.py"), cluster.node_name(), str(ready)]
    launch(cluster.run, "box", first, cluster.log("box"), cgroups=folders, namespaces=NAMESPACES)
    deadline = time.monotonic() + _READY_TIMEOUT
    while not ready.exists():
        pid(cluster)
        if time.monotonic() > deadline:
            raise SandboxError(f"{cluster.organization}: the box was not ready in {_READY_TIMEOUT:.0f} s", f"see {cluster.log('box')}")
        time.sleep(_POLL)


def spawn(cluster: Cluster, component: str, argv: Sequence[str]) -> None:
    """Start a long-lived process in the box, with a pid file and a log like every component."""
    log = cluster.log(component)
    launch(cluster.run, component, argv, log, cgroups=cgroups(cluster.run), namespaces=NAMESPACES, enter=pid(cluster))


def since(cluster: Cluster) -> float:
    """When the node's life began (seconds since the epoch): no container is older."""
    return (cluster.run / _READY).stat().st_mtime


def end_containers(run_folder: Path, grace: float) -> None:
    """End every container: SIGTERM, after `grace` seconds SIGKILL, as the loss of power does at once. The node's life begins anew."""
    deadline = time.monotonic() + grace
    if grace:
        _kill(_in_containers(run_folder), signal.SIGTERM)
    while _in_containers(run_folder) and time.monotonic() < deadline:
        time.sleep(_POLL)
    shims = {number for number in _members(cgroups(run_folder)) if _executable(number).startswith("containerd-shim")}
    _kill(_in_containers(run_folder) | shims, signal.SIGKILL)
    with contextlib.suppress(FileNotFoundError):
        os.utime(run_folder / _READY)


def _in_containers(run_folder: Path) -> set[int]:
    return _members([folder / "kubepods" for folder in cgroups(run_folder)])


def _kill(numbers: set[int], signal_number: signal.Signals) -> None:
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal_number)


def _members(folders: Sequence[Path]) -> set[int]:
    """The processes of cgroups and of those below."""
    numbers: set[int] = set()
    for folder in folders:
        for inside, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):  # a cgroup that went meanwhile
                numbers |= {int(number) for number in Path(inside, "cgroup.procs").read_text().split()}
    return numbers


def _executable(number: int) -> str:
    try:
        return Path(os.readlink(f"/proc/{number}/exe")).name
    except OSError:
        return ""


def launch(
    run_folder: Path,
    name: str,
    argv: Sequence[str],
    log: Path,
    *,
    cgroups: Sequence[Path] = (),
    namespaces: Sequence[str],
    enter: int = 0,
) -> None:
    """Start a process in new namespaces, or in those of process `enter`. `argv[0]` is an absolute path."""
    processes.keep_previous(log)
    order = {
        "pid_file": str(run_folder / f"{name}.pid"),
        "argv": list(argv),
        "cgroups": [str(folder) for folder in cgroups],
        "namespaces": list(namespaces),
        "enter": enter,
        "environment": ENVIRONMENT,
    }
    command = [sys.executable, "-m", "sandbox.real.launch", json.dumps(order)]
    with log.open("wb") as output:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=run_folder, check=False)
    if done.returncode:
        raise SandboxError(f"{name} did not start: {log.read_text(errors='replace')[-300:].strip()}", f"see {log}")


def cgroups(run_folder: Path) -> list[Path]:
    """The box's cgroups, one in each hierarchy, as the host sees them."""
    try:
        return [Path(line) for line in (run_folder / "cgroups").read_text().splitlines()]
    except FileNotFoundError:
        return []


def remove_cgroups(run_folder: Path) -> None:
    """Remove the cgroups of a box that has ended."""
    for folder in cgroups(run_folder):
        for inside, _, _ in os.walk(folder, topdown=False):
            _remove(Path(inside))
    (run_folder / "cgroups").unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + 5.0
    while True:
        try:
            return folder.rmdir()
        except OSError:  # the kernel has not let go of the last process yet
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL)


def _own_cgroups(cluster: Cluster) -> list[Path]:
    """Below the caller's own cgroups, so that the caller's limits still hold."""
    name = f"fate-sandbox-{cluster.organization}-{hashlib.sha256(os.fsencode(cluster.folder)).hexdigest()[:8]}"
    rows = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    named = [(controllers.removeprefix("name=").split(",")[0], path) for _, controllers, path in rows if controllers]
    return [_CGROUPS / controller / path.lstrip("/") / name for controller, path in named]


def _make_cgroup(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    if (folder / "cpuset.cpus").exists():  # empty in a new one, and inherited only by those below
        for file in ("cpuset.cpus", "cpuset.mems"):
            (folder / file).write_text((folder.parent / file).read_text())
        (folder / "cgroup.clone_children").write_text("1")
