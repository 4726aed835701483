"""`pulumi preview` of a deployed party in which nothing changed, beside that of a program with one ConfigMap: processor time, memory."""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox import pki
from sandbox.files import private_dir
from sandbox.workspace import REPO, Workspace
from tests.bench.party_up import prepared
from tests.bench.report import Row

# What is kept; issue 13 asks for 1.5, and docs/reference/performance.md says why it is more.
GOAL = 2.5
_PREVIEW = ("pulumi", "preview", "--non-interactive", "--color", "never", "-s")
_PROGRAM = """import pulumi_kubernetes as k8s

k8s.core.v1.ConfigMap("one", metadata={"name": "one", "namespace": "default"}, data={"a": "b"})
"""


def measure(folder: Path, kubeconfig: Path, rounds: int) -> Iterable[Row]:
    """Rounds of one preview each, the order turned round each time."""
    spaces = (
        _one(folder / "one", kubeconfig),
        prepared(folder / "party", kubeconfig, "bench-unchanged", pki.new_authority("bench", kind="rsa-2048")),
    )
    for space in spaces:
        space.up()
        _preview(space)  # compiles modules
    runs: dict[str, list[dict[str, Any]]] = {space.organization: [] for space in spaces}
    for number in range(rounds):
        for space in spaces if number % 2 else reversed(spaces):
            runs[space.organization].append(_preview(space))
    for figure, unit in (("cpu", "s of CPU"), ("seconds", "s")):
        one, party = ([run[figure] for run in runs[space.organization]] for space in spaces)
        beside = Row("preview of one ConfigMap", unit, one)
        yield beside
        yield Row("preview of an unchanged party", unit, party, beside, limit_ratio=GOAL if figure == "cpu" else None)
    for name, space in zip(("preview of one ConfigMap", "preview of an unchanged party"), spaces, strict=True):
        yield Row(name, "MiB", [_preview(space, "--memory")["mib"]])


def _one(folder: Path, kubeconfig: Path) -> Workspace:
    space = Workspace("one", folder, kubeconfig)
    for name in ("", "stacks", "state", "pulumi-home"):
        private_dir(folder / name)
    project = {"name": "one", "runtime": {"name": "python", "options": {"virtualenv": str(REPO / ".venv")}}, "stackConfigDir": "stacks"}
    (folder / "Pulumi.yaml").write_text(json.dumps(project))
    (folder / "__main__.py").write_text(_PROGRAM)
    (folder / "passphrase").write_text("of a stack without secrets")
    space.run("pulumi", "stack", "init", "one")
    return space


def _preview(space: Workspace, *options: str) -> dict[str, Any]:
    command = (sys.executable, str(REPO / "tests/bench/usage.py"), *options, *_PREVIEW, space.organization)
    found: dict[str, Any] = json.loads(space.run(*command))
    if not re.search(r"^Resources:\n +\d+ unchanged$", found["printed"], re.M):
        raise SystemExit(f"{space.organization}: something changes: {found['printed']}")
    return found
