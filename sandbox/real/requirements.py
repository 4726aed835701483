"""What a real node needs of the machine, and where its programs are."""

import os
import shutil
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from sandbox.errors import MissingRequirementsError
from sandbox.real import images, node
from sandbox.tools import tool_path

TOOLS = ("kubelet", "kube-proxy", "coredns", "kubectl")  # to build, beside those of the control plane
# program -> Debian package
_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
    "sysctl": "procps",
}
_BRIDGE_FILTER = Path("/proc/sys/net/bridge")
_PT_INTERP = 3  # elf.h
_CNI = ("bridge", "host-local", "loopback", "portmap")


def check() -> None:
    """MissingRequirementsError, in one sentence, unless this user and machine can have a real node."""
    lacks = [] if os.geteuid() == 0 else ["root"]
    missing = {package for program, package in _PROGRAMS.items() if _find(program) is None}
    packages = sorted(missing | set(_missing_plugins()) | set(_missing_busybox()))
    if packages:
        lacks.append(f"the Debian package{'s' * (len(packages) > 1)} {', '.join(packages)} (`make real-nodes` installs them)")
    if not _cgroups_will_do():
        lacks.append("cgroups of version 1")
    if not _BRIDGE_FILTER.is_dir():
        lacks.append("the kernel module br_netfilter (`modprobe br_netfilter` loads it)")
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


def _missing_busybox() -> Iterable[str]:
    return [] if is_static(images.BUSYBOX) else ["busybox-static"]


def is_static(program: Path) -> bool:
    """Whether a program runs in an image that has nothing else: an ELF file that names no interpreter."""
    try:
        with program.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return False
    if start[:4] != b"\x7fELF":
        return False
    wide, order = start[4] == 2, "<" if start[5] == 1 else ">"
    (table,) = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", start, 32 if wide else 28)
    size, count = struct.unpack_from(f"{order}HH", start, 54 if wide else 42)
    return _PT_INTERP not in {struct.unpack_from(f"{order}I", start, table + number * size)[0] for number in range(count)}
