"""`make bench`: reading and planning a stack with 10, 100 and 1,000 peers (400 where nginx names each), each with a signed descriptor.

Prints seconds (the best of three, each in a fresh process), their ratio to those of the smallest size, and the process's peak memory;
status 1 when the goal is missed.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.scale import EXCHANGE, MESH, TRUSTING, written

REPO = Path(__file__).resolve().parents[2]
GOAL_SECONDS, GOAL_MIB = 1.0, 200
SIZES = {EXCHANGE: (10, 100, 1000), MESH: (10, 100, 1000), TRUSTING: (10, 100, 400)}


def main() -> int:
    """Run the benchmark."""
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        for kind, sizes in SIZES.items():
            smallest = None
            for size in sizes:
                file = written(Path(folder) / f"{kind.split()[1]}-{size}", kind, size)
                runs = [_measured(file) for _ in range(3)]
                seconds, mib = min(run["seconds"] for run in runs), max(run["mib"] for run in runs)
                planned = min(run["planned"] for run in runs)
                smallest = smallest or seconds
                times = f"read and plan {seconds:6.3f} s  ratio {seconds / smallest:5.2f}  plan alone {planned:6.3f} s"
                print(f"{kind:26} {size:5} peers  {times}  {mib:4.0f} MiB", flush=True)
                missed |= seconds > GOAL_SECONDS or mib > GOAL_MIB
    print(f"goal: under {GOAL_SECONDS:.0f} s and {GOAL_MIB} MiB")
    return 1 if missed else 0


def _measured(file: Path) -> dict[str, float]:
    """One run in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "tests.bench.plan_scale", str(file)], check=True, capture_output=True, text=True, cwd=REPO)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _child(file: Path) -> None:
    from federation.catalogue.releases import catalogue
    from federation.stack.load import load_stack
    from federation.stack.plan import plan_stack

    catalogue()  # the program's own files, whatever the number of peers
    begun = time.perf_counter()
    loaded = load_stack(file)
    seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    plan_stack(loaded.spec, loaded.peers)
    planned = time.perf_counter() - begun
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "planned": planned, "mib": mib}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _child(Path(sys.argv[1]))
    else:
        sys.exit(main())
