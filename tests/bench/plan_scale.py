"""Reading and planning a stack with 10, 100 and 1,000 peers (400 where nginx names each), each with a signed descriptor.

Each run is a process of its own; its peak memory stands beside it.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from sandbox.workspace import REPO
from tests.bench.report import Row
from tests.bench.scale import EXCHANGE, MESH, TRUSTING, written

GOAL_SECONDS, GOAL_MIB = 1.0, 200
SIZES = {EXCHANGE: (10, 100, 1000), MESH: (10, 100, 1000), TRUSTING: (10, 100, 400)}


def measure(folder: Path, _kubeconfig: object, rounds: int) -> Iterable[Row]:
    """Seconds and MiB, by size."""
    for kind, sizes in SIZES.items():
        smallest = None
        for size in sizes:
            file = written(folder / f"{kind.split()[1]}-{size}", kind, size)
            runs = [_measured(file) for _ in range(rounds)]
            name = f"read and plan {kind}, {size:,} peers"
            yield (row := Row(name, "s", [run["seconds"] for run in runs], smallest, limit=GOAL_SECONDS))
            smallest = smallest or row
            yield Row(f"plan alone {kind}, {size:,} peers", "s", [run["planned"] for run in runs])
            yield Row(name, "MiB", [run["mib"] for run in runs], limit=GOAL_MIB)


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
    _child(Path(sys.argv[1]))
