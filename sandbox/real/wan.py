"""The wide-area network between the clusters of a root folder: a network namespace of its own with a bridge. The host sees none of it."""

from pathlib import Path

from sandbox import processes
from sandbox.errors import SandboxError
from sandbox.real import box
from sandbox.state import Cluster

_NAME = ".wan"  # of its pid file and log in the root folder
_GATEWAY = "172.31.255.254"
_INTERFACE = "wan0"  # a node's end
_HOLDER = "/bin/sleep"


def start(root: Path) -> None:
    """Make it, or what is missing of it: an earlier start may have been interrupted."""
    if _pid(root) is None:
        box.launch(root, _NAME, [_HOLDER, "infinity"], root / f"{_NAME}.log", namespaces=["net"])
    _ip(root, "link", "set", "lo", "up")
    if " br0:" not in _ip(root, "-o", "link"):
        _ip(root, "link", "add", "br0", "type", "bridge")
    _ip(root, "address", "replace", f"{_GATEWAY}/16", "dev", "br0")
    _ip(root, "link", "set", "br0", "up")
    _inside(root, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.br0.send_redirects=0")


def stop(root: Path) -> None:
    """End it."""
    processes.stop([_pid_file(root)], grace=1.0)
    for log in root.glob(f"{_NAME}*.log"):
        log.unlink()


def connect(root: Path, cluster: Cluster) -> None:
    """Give a box its interface, and the network a route to the cluster's service addresses, unless they are there."""
    end = f"node{cluster.index}"
    inside, outside = f" {_INTERFACE}@" in box.run(cluster, "ip", "-o", "link"), f" {end}@" in _ip(root, "-o", "link")
    if not (inside and outside):
        # One end may lead to a box or a network that has ended: connections may keep its namespace for a minute.
        if inside:
            box.run(cluster, "ip", "link", "delete", _INTERFACE)
        if outside:
            _ip(root, "link", "delete", end)
        # Made with its ends in the two namespaces, so that none is ever the host's.
        # Its address is always the same, because the others remember it for a while.
        peer = ("peer", "name", _INTERFACE, "address", f"02:00:ac:1f:{cluster.index:02x}:0b", "netns", str(box.pid(cluster)))
        _ip(root, "link", "add", end, "master", "br0", "type", "veth", *peer)
    _ip(root, "link", "set", end, "master", "br0", "up")
    for words in (
        ("link", "set", "lo", "up"),
        ("address", "replace", f"{cluster.node_ip()}/16", "dev", _INTERFACE),
        ("link", "set", _INTERFACE, "up"),
        ("route", "replace", "default", "via", _GATEWAY, "dev", _INTERFACE),
    ):
        box.run(cluster, "ip", *words)
    _ip(root, "route", "replace", cluster.service_cidr, "via", cluster.node_ip())


def enter(root: Path) -> list[str]:
    """What to put before a command so that it runs in the network's namespace. SandboxError when the network does not run."""
    holder = _pid(root)
    if holder is None:
        raise SandboxError(f"the network between the clusters of {root} does not run", "run `sandbox up` again")
    return ["nsenter", "-t", str(holder), "-n", "--"]


def _ip(root: Path, *arguments: str) -> str:
    return _inside(root, "ip", *arguments)


def _inside(root: Path, *command: str) -> str:
    return box.checked([*enter(root), *command])


def _pid(root: Path) -> int | None:
    record = processes.read_record(_pid_file(root))
    return record.pid if record is not None and processes.alive(record) else None


def _pid_file(root: Path) -> Path:
    return root / f"{_NAME}.pid"
