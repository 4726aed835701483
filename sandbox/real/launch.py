"""Starts a program in namespaces: `python -m sandbox.real.launch JSON`. Ends once the program runs and its pid file is there.

The program waits until its pid file is written, so that there is no moment at which it runs without one. Python's own module has
neither `setns` nor `unshare` before 3.12.
"""

import ctypes
import json
import os
import sys
from pathlib import Path

from sandbox import processes

# linux/sched.h
FLAGS = {"mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "pid": 0x20000000, "net": 0x40000000}
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000  # linux/mount.h
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Run as the arguments say: see sandbox.real.box.spawn."""
    order = json.loads(sys.argv[1])
    pid_file, argv = Path(order["pid_file"]), order["argv"]
    for folder in order["cgroups"]:
        Path(folder, "cgroup.procs").write_text(str(os.getpid()))
    proc = os.open("/proc", os.O_DIRECTORY)  # as the host sees it
    if order["enter"]:
        handles = [(os.open(f"/proc/{order['enter']}/ns/{name}", os.O_RDONLY), FLAGS[name]) for name in order["namespaces"]]
        for handle, flag in handles:
            _check(_libc.setns(handle, flag), "setns")
    else:
        _check(_libc.unshare(sum(FLAGS[name] for name in order["namespaces"])), "unshare")
    go, ready = os.pipe()
    failed, failing = os.pipe()  # closed by a successful exec
    child = os.fork()
    if child == 0:
        try:
            os.close(ready)
            os.setsid()
            if "mnt" in order["namespaces"] and not order["enter"]:
                _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount /")
                if "pid" in order["namespaces"]:
                    _check(_libc.mount(b"proc", b"/proc", b"proc", 0, None), "mount /proc")
            if os.read(go, 1):
                os.execve(argv[0], argv, order["environment"])  # noqa: S606
        except OSError as error:
            os.write(failing, str(error).encode())
        os._exit(1)
    os.close(failing)
    with open(os.open(f"{child}/stat", os.O_RDONLY, dir_fd=proc)) as stat:
        started = processes.start_ticks(stat.read())
    processes.write_record(pid_file, processes.ProcessRecord(pid=child, start_ticks=started, executable=os.path.realpath(argv[0])))
    os.write(ready, b"1")
    if problem := os.read(failed, 1000):
        sys.exit(f"{argv[0]}: {problem.decode()}")


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
