"""The first process of a box: `init.py HOSTNAME READY`. Mounts what nodes write at fixed paths, then reaps until it is told to end.

Standard library only: it runs without the virtual environment's packages. All that it mounts goes with the namespaces.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

GRACE = 5.0  # seconds that containers have to end
# kubelet writes these, and they are the kernel's, not a namespace's: in the box they are plain files.
SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
OWN_SYSCTLS = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}  # of the network namespace
_OWN = Path("/run/sandbox")


def main() -> None:
    """Be the box's first process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})
    hostname, ready = sys.argv[1:]
    controllers = [line.split(":")[1] for line in Path("/proc/self/cgroup").read_text().splitlines()]
    socket.sethostname(hostname)
    mount("--make-rshared", "/")  # a peer group of the box's own: containerd sees what kubelet mounts, the host does not
    mount_folders()
    mount_cgroups([name for name in controllers if name])
    for name, value in SYSCTLS.items():
        pretend(Path("/proc/sys", name), value)
    for name, value in OWN_SYSCTLS.items():
        Path("/proc/sys", name).write_text(value)
    Path(ready).touch()
    while signal.sigwait({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}) == signal.SIGCHLD:
        reap()
    end_all()


def mount(*arguments: str | Path) -> None:
    """Call the command of that name."""
    subprocess.run(["/bin/mount", *map(str, arguments)], check=True)


def tmpfs(path: Path) -> None:
    """An empty folder in memory."""
    path.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", "mode=755", "sandbox", path)


def mount_folders() -> None:
    """Hide what the host has where nodes keep sockets, logs and plugins, without adding a folder to the host's."""
    tmpfs(Path("/run"))
    for name in ("lock", "sandbox/lib", "sandbox/upper", "sandbox/work"):
        Path("/run", name).mkdir(parents=True)
    mount("--rbind", "/var/lib", _OWN / "lib")
    layers = f"lowerdir={_OWN / 'lib'},upperdir={_OWN / 'upper'},workdir={_OWN / 'work'}"
    mount("-t", "overlay", "-o", layers, "sandbox", "/var/lib")
    for folder in ("/var/log", "/var/lib/cni", "/var/lib/kubelet"):
        tmpfs(Path(folder))
    for folder in ("pods", "containers"):
        Path("/var/log", folder).mkdir()


def mount_cgroups(controllers: list[str]) -> None:
    """Mount cgroups (version 1) anew: in this namespace, their roots are the box's own."""
    mount("-t", "sysfs", "sandbox", "/sys")
    tmpfs(Path("/sys/fs/cgroup"))
    for name in controllers:
        folder = Path("/sys/fs/cgroup", name.removeprefix("name="))
        folder.mkdir()
        mount("-t", "cgroup", "-o", f"none,{name}" if name.startswith("name=") else name, "cgroup", folder)


def pretend(path: Path, value: str) -> None:
    """Put a plain file over a sysctl."""
    own = _OWN / "sysctl" / path.relative_to("/proc/sys")
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(f"{value}\n")
    mount("--bind", own, path)


def reap() -> None:
    """Take leave of every process that has ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def end_all() -> None:
    """Ask every process of the box to end, also those of containers. The kernel ends what is left when this one does."""
    try:
        os.kill(-1, signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(path.name.isdecimal() and path.name != "1" for path in Path("/proc").iterdir()):
        reap()
        time.sleep(0.05)


if __name__ == "__main__":
    main()
