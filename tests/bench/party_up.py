"""First `pulumi up` of a party beside `helm install --wait` of its chart, by helm 3 and, where it is on PATH, helm 4.

Every run starts in an empty namespace of its own, and the order is turned round each time.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from federation.stack.load import load_stack
from sandbox import pki
from sandbox.workspace import REPO, Workspace
from tests.bench.report import Row
from tests.engine.operators import DOMAIN, FEDERATION, HUB, give_secrets, operator, spark_party

GOAL_SECONDS = 8.0


def measure(folder: Path, kubeconfig: Path, rounds: int) -> Iterable[Row]:
    """Seconds of one party's first `up`, and of each helm."""
    authority = pki.new_authority("bench", kind="rsa-2048")
    tried: dict[str, Callable[[Workspace], float]] = {"first `pulumi up` of a party": _pulumi}
    tried |= {f"`helm install --wait` of its chart, helm {major}": _installs(path) for major, path in _helms().items()}
    runs: dict[str, list[float]] = {name: [] for name in tried}
    for number in range(rounds):
        for order, name in enumerate(tried if number % 2 else reversed(tried)):
            space = prepared(folder / f"{number}-{order}", kubeconfig, f"bench-{number}-{order}", authority)
            runs[name].append(tried[name](space))
    ours, *helms = tried
    for name in helms:
        yield (beside := Row(name, "s", runs[name]))
        yield Row(ours, "s", runs[ours], beside, limit=GOAL_SECONDS)


def prepared(folder: Path, kubeconfig: Path, namespace: str, authority: pki.Authority) -> Workspace:
    """The stack of one party with Spark and Pulsar, with its secrets."""
    space = operator("bench", folder, kubeconfig, _config(namespace))
    give_secrets(space, authority, {"party-9999": f"9999.{DOMAIN}"})
    return space


def _helms() -> Mapping[int, str]:
    """By major version: 3, which this repository builds, and 4 where PATH has it."""
    found = {3: "helm"}
    for name in ("helm4", "helm"):
        if (path := shutil.which(name)) and subprocess.run([path, "version", "--short"], capture_output=True, check=False).stdout[
            :3
        ] == b"v4.":
            found[4] = path
    return found


def _pulumi(space: Workspace) -> float:
    begun = time.monotonic()
    space.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", "bench")
    return time.monotonic() - begun


def _installs(helm: str) -> Callable[[Workspace], float]:
    def install(space: Workspace) -> float:
        chart = load_stack(space.stack_file).plan.unit("party-9999").chart
        values = json.dumps(chart.values.plain()).encode()
        where = ("--create-namespace", "-n", chart.namespace, "-f", "-")
        begun = time.monotonic()
        space.run(helm, "install", "party", str(REPO / "charts" / chart.chart), "--wait", *where, stdin=values)
        return time.monotonic() - begun

    return install


def _config(namespace: str) -> dict[str, Any]:
    return {"organization": "bench", "federation": FEDERATION, "parties": {"9999": spark_party(namespace)}, "peers": {"hub": HUB}}
