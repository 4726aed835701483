"""`make bench`: `pulumi preview` of a deployed rollsite exchange with 10, 100 and 1,000 peers, on a real engine and API server.

Two cases each: nothing changed, and one peer suspended. Prints minimum, median and maximum of the rounds in seconds, and the ratio of
each size's median to that of the smallest. It fails when an unchanged stack previews a change, or a suspension previews anything but the
exchange's route table and its network policy.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox import cluster, tools
from sandbox.state import COMPONENTS
from sandbox.workspace import Workspace
from tests.bench.scale import EXCHANGE, written

SIZES = (10, 100, 1000)
ROUTES_AND_POLICIES = {"kubernetes:core/v1:ConfigMap", "kubernetes:networking.k8s.io/v1:NetworkPolicy"}


def main() -> int:
    """Run the benchmark; the argument is the number of rounds (3)."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    tools.ensure((*tools.CLIENT_TOOLS, *COMPONENTS), print)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "sandbox"
        cluster.up(root, ["bench"], print)
        try:
            measured = {size: _measure(Path(folder), cluster.kubeconfig(root, "bench"), size, rounds) for size in SIZES}
        finally:
            cluster.down(root, [], print)
    for case in ("unchanged", "one suspended"):
        smallest = statistics.median(measured[SIZES[0]][case])
        for size in SIZES:
            times = measured[size][case]
            middle = statistics.median(times)
            spread = f"min {min(times):.2f}  median {middle:.2f}  max {max(times):.2f} s"
            print(f"preview, {case:13} {size:5} peers  {spread}  ratio {middle / smallest:.2f}  ({len(times)} runs)")
    return 0


def _measure(folder: Path, kubeconfig: Path, size: int, rounds: int) -> dict[str, list[float]]:
    space = _deployed(folder / str(size), kubeconfig, size)
    times: dict[str, list[float]] = {"unchanged": [], "one suspended": []}
    for _ in range(rounds):
        changes = _timed(space, times["unchanged"])
        if changes:
            raise SystemExit(f"{size} peers: an unchanged stack previews {changes}")
    space.fatefed("peers", "suspend", "member-0")
    for _ in range(rounds):
        changes = [kind for _, kind, _ in _timed(space, times["one suspended"]) if kind.startswith("kubernetes:")]
        if not changes or not set(changes) <= ROUTES_AND_POLICIES:
            raise SystemExit(f"{size} peers: a suspension previews {changes}")
    return times


def _deployed(folder: Path, kubeconfig: Path, size: int) -> Workspace:
    """An exchange that was deployed with its peers, in a namespace of its own."""
    space = Workspace("bench", folder, kubeconfig)
    written(space.folder / "stacks", EXCHANGE, size, namespace=f"bench-{size}")
    space.prepare()
    begun = time.monotonic()
    space.up()
    print(f"{size} peers: up in {time.monotonic() - begun:.1f} s", flush=True)
    return space


def _timed(space: Workspace, times: list[float]) -> list[tuple[str, str, str]]:
    begun = time.monotonic()
    changes = space.preview()
    times.append(time.monotonic() - begun)
    return changes


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.SubprocessError as error:
        sys.exit(f"bench: {error}")
