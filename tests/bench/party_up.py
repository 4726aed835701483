"""`make bench`: `pulumi up` of one party against `helm install --wait` of the same chart, on one API server, A-B-B-A.

Every run starts in an empty namespace of its own. Prints seconds (minimum, median, maximum) and the ratio of medians.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from federation.stack.load import load_stack
from sandbox import cluster, pki, tools
from sandbox.state import COMPONENTS
from sandbox.workspace import REPO, Workspace
from tests.engine.operators import DOMAIN, FEDERATION, HUB, give_secrets, operator, spark_party

GOAL_SECONDS = 8.0


def main() -> int:
    """Run the benchmark; status 1 when the goal is missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    tools.ensure((*tools.CLIENT_TOOLS, *COMPONENTS), print)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "sandbox"
        cluster.up(root, ["bench"], print)
        try:
            pulumi, helm = _measure(Path(folder), cluster.kubeconfig(root, "bench"), rounds)
        finally:
            cluster.down(root, [], print)
    for name, seconds in (("pulumi up", pulumi), ("helm install --wait", helm)):
        print(f"{name:20} min {min(seconds):.2f}  median {statistics.median(seconds):.2f}  max {max(seconds):.2f} s  ({len(seconds)} runs)")
    print(f"ratio of medians {statistics.median(pulumi) / statistics.median(helm):.2f}; goal: pulumi up under {GOAL_SECONDS:.0f} s")
    return 0 if statistics.median(pulumi) < GOAL_SECONDS else 1


def _measure(folder: Path, kubeconfig: Path, rounds: int) -> tuple[list[float], list[float]]:
    authority = pki.new_authority("bench", kind="rsa-2048")
    pulumi: list[float] = []
    helm: list[float] = []
    for number in range(rounds):
        for order, (runs, run) in enumerate(((pulumi, _pulumi), (helm, _helm), (helm, _helm), (pulumi, _pulumi))):
            space = _prepared(folder / f"{number}-{order}", kubeconfig, f"bench-{number}-{order}", authority)
            runs.append(run(space))
            print(f"round {number + 1}/{rounds} {run.__name__[1:]:6} {runs[-1]:.2f} s", flush=True)
    return pulumi, helm


def _prepared(folder: Path, kubeconfig: Path, namespace: str, authority: pki.Authority) -> Workspace:
    space = operator("bench", folder, kubeconfig, _config(namespace))
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    return space


def _pulumi(space: Workspace) -> float:
    begun = time.monotonic()
    space.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", "bench")
    return time.monotonic() - begun


def _helm(space: Workspace) -> float:
    chart = load_stack(space.stack_file).plan.unit("party-9999").chart
    values = json.dumps(chart.values.plain()).encode()
    command = [
        "helm",
        "install",
        "party",
        str(REPO / "charts" / chart.chart),
        "--wait",
        "--create-namespace",
        "-n",
        chart.namespace,
        "-f",
        "-",
    ]
    begun = time.monotonic()
    space.run(*command, stdin=values)
    return time.monotonic() - begun


def _config(namespace: str) -> dict[str, Any]:
    return {"organization": "bench", "federation": FEDERATION, "parties": {"9999": spark_party(namespace)}, "peers": {"hub": HUB}}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.SubprocessError as error:
        sys.exit(f"bench: {error}")
