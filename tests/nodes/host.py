"""What real nodes must not change on the host."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

# The kernel's own, which change by themselves.
_VOLATILE = (
    "kernel/random/",
    "fs/dentry-state",
    "fs/inode-",
    "fs/file-nr",
    "fs/quota/",
    "kernel/ns_last_pid",
    "kernel/pty/nr",
    "net/netfilter/nf_conntrack_count",
)
_BOXES = "fate-sandbox-"  # cgroups of other boxes on this machine, too: a test asks for its own by their names
# What a node's programs call their folders. Other programs come and go on the same machine, and theirs are not compared.
_OF_NODES = re.compile("kube|k8s|containerd|cni|runc|netns|coredns|flexvolume|sandbox|^pods?$|^pod[0-9a-f-]+$|^containers$")
_FOLDERS = ("/run", "/var/lib", "/var/log", "/etc", "/opt")


@dataclass(frozen=True, kw_only=True)
class Host:
    """Each a sorted list of lines."""

    links: list[str]
    addresses: list[str]
    routes: list[str]
    rules: list[str]
    sysctls: list[str]
    mounts: list[str]
    cgroups: list[str]
    folders: list[str]
    name: list[str]

    @classmethod
    def now(cls) -> "Host":
        return cls(
            links=_lines("ip", "-o", "-br", "link"),
            addresses=_lines("ip", "-o", "-br", "address"),
            routes=_lines("ip", "route", "show", "table", "all"),
            rules=[*_lines("nft", "list", "ruleset"), *_lines("iptables-save"), *_lines("iptables-legacy-save")],
            sysctls=_sysctls(),
            mounts=sorted(line.split(" ", 2)[2] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
            cgroups=cgroups_of_nodes(Path("/sys/fs/cgroup")),
            folders=sorted(f"{folder}/{name}" for folder in _FOLDERS for name in os.listdir(folder) if _OF_NODES.search(name)),
            name=_lines("hostname"),
        )

    def differences(self, later: "Host") -> dict[str, tuple[set[str], set[str]]]:
        """What went and what came, for each kind that differs."""
        pairs = {one.name: (set(getattr(self, one.name)), set(getattr(later, one.name))) for one in fields(self)}
        return {name: (old - new, new - old) for name, (old, new) in pairs.items() if old != new}


def cgroups_of_nodes(root: Path) -> list[str]:
    """Those that a node's programs made outside the boxes. Others may go while this looks."""
    found = []
    for inside, folders, _ in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(_BOXES)]
        found += [os.path.join(inside, name) for name in folders if _OF_NODES.search(name)]
    return sorted(found)


def processes_of(root: Path) -> dict[int, str]:
    """The command lines of the processes that a root folder of clusters has, by their command line or their folder."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text(errors="replace").replace("\0", " ")
            if str(root) in command or Path(os.readlink(process / "cwd")).is_relative_to(root):
                found[int(process.name)] = command
        except OSError:  # it ended
            continue
    return found


def _lines(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return sorted(line for line in done.stdout.splitlines() if line and not line.startswith("#"))


def _sysctls() -> list[str]:
    values = []
    for path in _files(Path("/proc/sys")):
        name = str(path.relative_to("/proc/sys"))
        try:
            if not name.startswith(_VOLATILE) and path.stat().st_mode & 0o200:
                values.append(f"{name}={path.read_text(errors='replace').strip()}")
        except OSError:  # may be written, not read; or is gone
            continue
    return sorted(values)


def _files(root: Path) -> Iterator[Path]:
    for inside, _, names in os.walk(root):
        yield from (Path(inside, name) for name in names)
