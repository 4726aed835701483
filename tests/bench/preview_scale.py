"""`pulumi preview` of a deployed rollsite exchange with 10, 100 and 1,000 peers, on a real engine and API server.

Two cases each: nothing changed, and one peer suspended. It fails when an unchanged stack previews a change, or a suspension previews
anything but the exchange's route table and its network policy.
"""

import time
from collections.abc import Iterable
from pathlib import Path

from sandbox.workspace import Workspace
from tests.bench.report import Row
from tests.bench.scale import EXCHANGE, written

SIZES = (10, 100, 1000)
ROUTES_AND_POLICIES = {"kubernetes:core/v1:ConfigMap", "kubernetes:networking.k8s.io/v1:NetworkPolicy"}


def measure(folder: Path, kubeconfig: Path, rounds: int) -> Iterable[Row]:
    """Seconds, by size: the first `up`, and both previews beside those of the smallest."""
    smallest: dict[str, Row] = {}
    for size in SIZES:
        for case, times in _times(folder / str(size), kubeconfig, size, rounds).items():
            yield (row := Row(f"{case}, exchange with {size:,} peers", "s", times, smallest.get(case)))
            smallest.setdefault(case, row)


def _times(folder: Path, kubeconfig: Path, size: int, rounds: int) -> dict[str, list[float]]:
    space = Workspace("bench", folder, kubeconfig)
    written(space.folder / "stacks", EXCHANGE, size, namespace=f"bench-{size}")
    space.prepare()
    begun = time.monotonic()
    space.up()
    up = time.monotonic() - begun
    unchanged: list[float] = []
    suspended: list[float] = []
    for _ in range(rounds):
        if changes := _timed(space, unchanged):
            raise SystemExit(f"{size} peers: an unchanged stack previews {changes}")
    space.fatefed("peers", "suspend", "member-0")
    for _ in range(rounds):
        changed = [kind for _, kind, _ in _timed(space, suspended) if kind.startswith("kubernetes:")]
        if not changed or not set(changed) <= ROUTES_AND_POLICIES:
            raise SystemExit(f"{size} peers: a suspension previews {changed}")
    return {"first `pulumi up`": [up], "preview, unchanged": unchanged, "preview, one suspended": suspended}


def _timed(space: Workspace, times: list[float]) -> list[tuple[str, str, str]]:
    begun = time.monotonic()
    changes = space.preview()
    times.append(time.monotonic() - begun)
    return changes
