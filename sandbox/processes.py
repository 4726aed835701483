"""Long-lived processes known by pid files that prove which process they mean.

A pid file has three lines: pid, start time (clock ticks since boot, field 22 of /proc/PID/stat) and executable path.
A process is ours only while all three still agree, so a recycled pid is never signalled.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError

# The shell writes the pid file about itself and then becomes the program (same pid, same start time): there is no
# moment at which the program runs without a pid file, even if the command that starts it is killed.
_LAUNCH = """
pid_file=$1; shift
read -r stat < /proc/$$/stat
started=$(echo "${stat##*) }" | cut -d ' ' -f 20)
printf '%s\\n' "$$" "$started" "$1" > "$pid_file.new" && mv -- "$pid_file.new" "$pid_file" && exec "$@"
"""
_START_TIME = 22 - 3  # fields after the command name are counted from 3 (proc(5))
_PID_FILE_WAIT = 10.0  # seconds; a shell and mv take milliseconds
_children: list[subprocess.Popen[bytes]] = []  # held so that a child that dies early is reaped quietly


@dataclass(frozen=True, kw_only=True)
class ProcessRecord:
    """What a pid file says. `start_ticks` counts clock ticks since boot."""

    pid: int
    start_ticks: int
    executable: str


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Proportional and resident set size, MiB. Resident counts shared pages in full."""

    pss_mib: float
    rss_mib: float


def fields_after_name(stat: str) -> list[str]:
    """Fields 3 and up of /proc/PID/stat; the command name before them may hold spaces and parentheses."""
    return stat.rpartition(")")[2].split()


def parse_record(text: str) -> ProcessRecord | None:
    """None when `text` is no complete pid file."""
    lines = text.splitlines()
    if len(lines) != 3 or not lines[0].isdecimal() or not lines[1].isdecimal() or not lines[2].startswith("/"):
        return None
    return ProcessRecord(pid=int(lines[0]), start_ticks=int(lines[1]), executable=lines[2])


def read_record(pid_file: Path) -> ProcessRecord | None:
    """None when the pid file is missing or damaged."""
    try:
        return parse_record(pid_file.read_text(errors="replace"))
    except FileNotFoundError:
        return None


def start_ticks(stat: str) -> int:
    """When the process of a /proc/PID/stat started."""
    return int(fields_after_name(stat)[_START_TIME])


def write_record(pid_file: Path, record: ProcessRecord) -> None:
    """Write the pid file, in one step."""
    draft = pid_file.with_name(f"{pid_file.name}.new")
    draft.write_text(f"{record.pid}\n{record.start_ticks}\n{record.executable}\n")
    draft.replace(pid_file)


def alive(record: ProcessRecord | None) -> bool:
    """Whether the very process of the record still runs. One that has ended but was not reaped does not."""
    if record is None or record.pid <= 1:
        return False
    proc = Path("/proc", str(record.pid))
    try:
        started = start_ticks((proc / "stat").read_text(errors="replace"))
        executable = os.readlink(proc / "exe")
    except OSError:  # ended; a process that was not reaped yet has no executable any more
        return False
    return started == record.start_ticks and executable.removesuffix(" (deleted)") == record.executable


def send(record: ProcessRecord, number: signal.Signals) -> bool:
    """Signal the process of the record; False when it no longer runs. The pid cannot be recycled in between."""
    try:
        handle = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return False
    try:
        # The handle is taken first: what is verified after that is what the handle means.
        if not alive(record):
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def spawn(argv: Sequence[str], *, pid_file: Path, log: Path, env: Mapping[str, str]) -> ProcessRecord:
    """Start a process in a session of its own, so that neither this command's end nor Ctrl-C ends it.

    `argv[0]` is an absolute path. The previous log is kept beside the new one. SandboxError when it did not start.
    """
    program = os.path.realpath(argv[0])
    pid_file.unlink(missing_ok=True)
    keep_previous(log)
    command = ["/bin/sh", "-c", _LAUNCH, "sandbox", str(pid_file), program, *argv[1:]]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=pid_file.parent,
            env=dict(env),
            start_new_session=True,
        )
    _children.append(child)
    deadline = time.monotonic() + _PID_FILE_WAIT
    while (record := read_record(pid_file)) is None or not alive(record):
        if child.poll() is not None or time.monotonic() > deadline:
            raise SandboxError(f"{Path(program).name} did not start", f"see {log}")
        time.sleep(0.002)
    return record


def keep_previous(log: Path) -> None:
    """Make room for a new log; the old one stays beside it."""
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))


def stop(pid_files: Sequence[Path], grace: float) -> list[str]:
    """End the processes of some pid files together: SIGTERM, after `grace` seconds SIGKILL. Removes the pid files.

    Returns the names (file stems) of those that had been running.
    """
    running = {path: record for path in pid_files if (record := read_record(path)) and send(record, signal.SIGTERM)}
    left = _wait(running, grace)
    for record in left.values():
        send(record, signal.SIGKILL)
    if stuck := _wait(left, grace=10.0):
        raise SandboxError(f"still running after SIGKILL: {', '.join(path.stem for path in stuck)}")
    for path in pid_files:
        path.unlink(missing_ok=True)
    return [path.stem for path in running]


def _wait(records: Mapping[Path, ProcessRecord], grace: float) -> dict[Path, ProcessRecord]:
    deadline = time.monotonic() + grace
    left = dict(records)
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = {path: record for path, record in left.items() if alive(record)}
    return left


def memory(pid: int) -> Memory:
    """Zero when the process is gone. Source: /proc/PID/smaps_rollup."""
    sizes = {"Pss:": 0, "Rss:": 0}
    try:
        lines = Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        words = line.split()
        if words and words[0] in sizes:
            sizes[words[0]] = int(words[1])
    return Memory(pss_mib=sizes["Pss:"] / 1024, rss_mib=sizes["Rss:"] / 1024)


def uptime(record: ProcessRecord) -> float:
    """Seconds since the process started."""
    booted = float(Path("/proc/uptime").read_text().split()[0])
    return booted - record.start_ticks / os.sysconf("SC_CLK_TCK")
