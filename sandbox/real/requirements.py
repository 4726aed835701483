"""What a real node needs of the machine, and where its programs are."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from sandbox.errors import MissingRequirementsError
from sandbox.real import node
from sandbox.tools import tool_path

TOOLS = ("kubelet", "kube-proxy", "coredns", "kubectl")  # to build, beside those of the control plane
# program -> Debian package
_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "nft": "nftables",
    "busybox": "busybox-static",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
    "sysctl": "procps",
}
_CNI = ("bridge", "host-local", "loopback", "portmap")


def check() -> None:
    """MissingRequirementsError, in one sentence, unless this user and machine can have a real node."""
    lacks = [] if os.geteuid() == 0 else ["root"]
    packages = sorted({package for program, package in _PROGRAMS.items() if _find(program) is None} | set(_missing_plugins()))
    if packages:
        lacks.append(f"the Debian package{'s' * (len(packages) > 1)} {', '.join(packages)} (`make real-nodes` installs them)")
    if not _cgroups_will_do():
        lacks.append("cgroups of version 1")
    if lacks:
        raise MissingRequirementsError(f"`--nodes real` needs {' and '.join(lacks)}; `--nodes kwok` works without")


def executables() -> dict[str, Path]:
    """The executable of each process that only real nodes have."""
    python = Path(sys.executable)
    containerd = _find("containerd")
    assert containerd is not None  # noqa: S101  (see `check`)
    return {
        "box": python,
        "proxy": python,
        "policies": python,
        "containerd": containerd,
        **{name: tool_path(name) for name in ("kubelet", "kube-proxy", "coredns")},
    }


def _find(program: str) -> Path | None:
    # /usr/sbin is where Debian has some of them, and not on every root's PATH.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]) if os.environ.get("PATH") else ""
    program_path = shutil.which(program, path=path)
    return Path(program_path) if program_path else None


def _cgroups_will_do() -> bool:
    return Path("/sys/fs/cgroup/memory").is_dir()


def _missing_plugins() -> Iterable[str]:
    return ["containernetworking-plugins"] if not all((node.CNI_PLUGINS / name).exists() for name in _CNI) else []
