"""The recorded state of each organization's cluster, and the paths of its files."""

import hashlib
import json
import os
import re
import socket
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from sandbox.errors import SandboxError
from sandbox.files import PRIVATE_DIR, private_dir, remove_tree, write_atomic

ROOT_VARIABLE = "FATE_SANDBOX_ROOT"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
# With real nodes. `box` is the namespaces' first process; all others but `proxy` run in the box.
REAL_COMPONENTS = ("box", "proxy", *COMPONENTS, "containerd", "policies", "kubelet", "kube-proxy")
Nodes = Literal["kwok", "real"]
NODE_KINDS: tuple[Nodes, ...] = get_args(Nodes)
MARKER = "cluster.json"  # only folders that hold it are ever deleted
MAX_CLUSTERS = 64  # 100.64.0.0/10 holds that many /16 for pods

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")  # what needs no escaping in a unix:// URL
_SHORT = "/tmp"  # noqa: S108  (make_socket_folder verifies whose the folder below it is)
_LONGEST_SOCKET = 107  # bytes; sun_path has 108 with its closing zero (unix(7))


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One organization's control plane. `index` gives it address ranges that no other cluster of the root has."""

    organization: str
    folder: Path
    index: int
    port: int
    sockets: Path
    nodes: Nodes = "kwok"

    @property
    def components(self) -> tuple[str, ...]:
        """Its processes."""
        return REAL_COMPONENTS if self.nodes == "real" else COMPONENTS

    @property
    def url(self) -> str:
        """The API server's."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def service_cidr(self) -> str:
        """ClusterIPs, and so LoadBalancer addresses."""
        return f"10.{96 + self.index}.0.0/16"

    @property
    def service_ip(self) -> str:
        """The ClusterIP of the service `kubernetes`: the first of the range."""
        return f"10.{96 + self.index}.0.1"

    @property
    def dns_ip(self) -> str:
        """The ClusterIP of the service `kube-dns`, where nodes are real."""
        return f"10.{96 + self.index}.0.10"

    @property
    def pod_cidr(self) -> str:
        """Pod addresses; each node takes a /24 of it."""
        return f"100.{64 + self.index}.0.0/16"

    def node_name(self, number: int = 1) -> str:
        """The name of a node; a real cluster has the first alone."""
        return f"{self.organization}-{number}"

    def node_ip(self, number: int = 1) -> str:
        """A node's address. With real nodes, the other clusters of the root reach it."""
        return f"172.31.{self.index}.{10 + number}"

    def node_pods(self, number: int = 1) -> str:
        """The addresses of a node's pods."""
        return f"100.{64 + self.index}.{number}.0/24"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's (group system:masters)."""
        return self.folder / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Folder of keys and certificates."""
        return self.folder / "pki"

    @property
    def run(self) -> Path:
        """Folder of pid files and of the components' kubeconfigs."""
        return self.folder / "run"

    def pid_file(self, component: str) -> Path:
        """Says which process the component is (see sandbox.processes)."""
        return self.run / f"{component}.pid"

    def log(self, component: str) -> Path:
        """What the component printed since it was started last."""
        return self.folder / "log" / f"{component}.log"

    def save(self) -> None:
        """Remember the cluster, before anything of it is made."""
        private_dir(self.folder)
        values = asdict(self) | {"folder": None, "sockets": str(self.sockets)}
        del values["folder"]
        write_atomic(self.folder / MARKER, json.dumps(values, indent=2) + "\n")


def default_root() -> Path:
    """$FATE_SANDBOX_ROOT, else .demo/sandbox of the repository."""
    chosen = os.environ.get(ROOT_VARIABLE)
    return Path(chosen).absolute() if chosen else Path(__file__).resolve().parent.parent / ".demo" / "sandbox"


def load(root: Path, organization: str) -> Cluster | None:
    """None when the organization has no cluster here; SandboxError when what is remembered is damaged."""
    folder = root / check_name(organization)
    try:
        values = json.loads((folder / MARKER).read_text())
        return Cluster(**(values | {"folder": folder, "sockets": Path(values["sockets"])}))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        hint = f"`sandbox down {organization}` removes it"
        raise SandboxError(f"{folder / MARKER} is damaged: {error}", hint) from error


def organizations(root: Path) -> list[str]:
    """The organizations that have a cluster, sorted."""
    return sorted(path.parent.name for path in root.glob(f"*/{MARKER}")) if root.is_dir() else []


def create(root: Path, organization: str, nodes: Nodes = "kwok") -> Cluster:
    """Remember a new cluster: smallest free index, a free port, a folder for sockets."""
    folder = root / check_name(organization)
    # A draft of the marker is what an `up` that was killed at once may have left.
    if folder.exists() and any(not path.name.startswith(f".{MARKER}.") for path in folder.iterdir()):
        raise SandboxError(f"{folder} exists and is no sandbox cluster", "choose another organization or --root")
    others = [other for name in organizations(root) if (other := load(root, name))]
    taken = {other.index for other in others}
    index = next((number for number in range(MAX_CLUSTERS) if number not in taken), None)
    if index is None:
        raise SandboxError(f"{root} holds {MAX_CLUSTERS} clusters already", "end one with `sandbox down ORG`")
    port = free_port(avoid=[other.port for other in others])
    cluster = Cluster(organization=organization, folder=folder, index=index, port=port, sockets=socket_folder(folder), nodes=nodes)
    cluster.save()
    return cluster


def check_name(organization: str) -> str:
    """The name itself; SandboxError unless it can be a folder and a kubeconfig context."""
    if not _NAME.fullmatch(organization):
        raise SandboxError(f"{organization!r} is no organization name", "use a-z, 0-9 and -, at most 40 characters")
    return organization


def free_port(avoid: Sequence[int] = ()) -> int:
    """A loopback TCP port that nobody listens on now and that is not in `avoid`."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in avoid:
            return port


def port_is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def socket_folder(folder: Path) -> Path:
    """Where etcd's sockets go: in the cluster's folder, or in a short one where that path is too long for a socket."""
    inside = folder / "run"
    if _can_hold_sockets(inside):
        return inside
    name = f"fate-sandbox-{os.getuid()}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    short = Path(os.environ.get("TMPDIR") or _SHORT) / name
    return short if _can_hold_sockets(short) else Path(_SHORT, name)


def _can_hold_sockets(folder: Path) -> bool:
    fits = len(os.fsencode(folder / "etcd-peer.sock")) <= _LONGEST_SOCKET
    return fits and _PLAIN_PATH.fullmatch(str(folder)) is not None


def make_socket_folder(path: Path) -> None:
    """Make it with mode 0700; SandboxError when someone else had made one of that name (a shared /tmp)."""
    path.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise SandboxError(f"{path} belongs to someone else", "set TMPDIR to a folder of your own")
    path.chmod(PRIVATE_DIR)


def forget(root: Path, organization: str) -> None:
    """Delete all files of an organization's cluster. Its processes have ended."""
    folder = root / check_name(organization)
    sockets = socket_folder(folder)
    if (cluster := _load_or_none(root, organization)) is not None:
        sockets = cluster.sockets
    if sockets != folder / "run" and sockets.name.startswith("fate-sandbox-") and sockets.is_dir():
        remove_tree(sockets, sockets.with_suffix(".trash"))
    remove_tree(folder, root / f".trash-{organization}")


def _load_or_none(root: Path, organization: str) -> Cluster | None:
    try:
        return load(root, organization)
    except SandboxError:
        return None
