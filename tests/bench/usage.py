"""Runs a command, and prints as JSON what it printed, how long it took, and what it and all that it started used."""

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.1


def main() -> int:
    """The arguments: `--memory` (which takes processor time), and the command."""
    # Plugins that outlive pulumi become children of this process, and their processor time is counted.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    memory, command = "--memory" in sys.argv[1:2], [word for word in sys.argv[1:] if word != "--memory"]
    peak = [0]
    if memory:
        threading.Thread(target=_watch, args=(peak,), daemon=True).start()
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {"printed": done.stdout, "seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "mib": peak[0] / 1024}
    sys.stdout.write(json.dumps(found))
    sys.stderr.write(done.stderr)
    return done.returncode


def _watch(peak: list[int]) -> None:
    """The largest sum, in KiB, of what all processes below this one hold; pages that several share are counted once."""
    while True:
        peak[0] = max(peak[0], sum(map(_held, _below(os.getpid()))))
        time.sleep(_PAUSE)


def _below(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found = children.get(pid, [])
    for known in found:  # grows while it is walked
        found.extend(children.get(known, []))
    return found


def _held(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
