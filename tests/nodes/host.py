"""What real nodes must not change on the host."""

import subprocess
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
_OTHERS = "/fate-sandbox-"  # of other boxes on this machine, too: a test asks for its own by their names
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
            cgroups=sorted(str(path) for path in Path("/sys/fs/cgroup").rglob("*") if path.is_dir() and _OTHERS not in str(path)),
            folders=sorted(str(path) for folder in _FOLDERS for path in Path(folder).iterdir()),
            name=_lines("hostname"),
        )

    def differences(self, later: "Host") -> dict[str, tuple[set[str], set[str]]]:
        """What went and what came, for each kind that differs."""
        pairs = {one.name: (set(getattr(self, one.name)), set(getattr(later, one.name))) for one in fields(self)}
        return {name: (old - new, new - old) for name, (old, new) in pairs.items() if old != new}


def _lines(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return sorted(line for line in done.stdout.splitlines() if line and not line.startswith("#"))


def _sysctls() -> list[str]:
    values = []
    for path in sorted(Path("/proc/sys").rglob("*")):
        name = str(path.relative_to("/proc/sys"))
        if name.startswith(_VOLATILE) or not path.is_file() or not path.stat().st_mode & 0o200:
            continue
        try:
            values.append(f"{name}={path.read_text(errors='replace').strip()}")
        except OSError:  # may be written, not read
            continue
    return values
