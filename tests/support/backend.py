"""A `pulumi` for tests with a state backend of its own: a small program that remembers stacks, secrets and what `up` deployed."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.tools.project import Stack
from federation.base import naming
from federation.base.live import live_values, substitute
from federation.catalogue.kinds import KINDS
from federation.peers.descriptor import finish
from federation.stack.plan import StackPlan
from tests.support.stacks import stand_in

# As the real one does, `stack init` and `config set --secret` note what they do in the stack file, and `config set` never shows a value.
# A value that takes the place of another is encrypted to another text.
_PROGRAM = """
import hashlib, json, pathlib, re, sys
home = pathlib.Path({home!r})
kept = home / "backend.json"
state = json.loads(kept.read_text()) if kept.exists() else {{"stacks": [], "secrets": {{}}, "deployed": [], "log": []}}
arguments = sys.argv[1:]
state["log"].append([word for word in arguments])
name = next((after for word, after in zip(arguments, arguments[1:]) if word in ("--stack", "-s")), "")
file = home / "stacks" / f"Pulumi.{{name}}.yaml"

def ended(text="", code=0):
    kept.write_text(json.dumps(state))
    print(text, file=sys.stderr if code else sys.stdout)
    sys.exit(code)

if arguments[:2] == ["stack", "init"]:
    if name in state["stacks"]:
        ended(f"stack '{{name}}' already exists", 255)
    state["stacks"].append(name)
    file.write_text("encryptionsalt: v1:salt\\n" + file.read_text())
    ended()
if name not in state["stacks"]:
    ended(f"error: no stack named '{{name}}' found", 255)
if arguments[:2] == ["config", "set"]:
    entry = arguments[4].removeprefix("fate:secrets.")
    if "fate:secrets:" not in file.read_text():
        file.write_text(file.read_text() + "  fate:secrets:\\n")
    cipher = hashlib.sha256((value := sys.stdin.read()).encode()).hexdigest()[:8]
    if re.search(f"^    {{entry}}:", file.read_text(), re.M):
        line = f"    {{entry}}: {{{{secure: v1:x:{{cipher}}}}}}\\n"
        file.write_text(re.sub(f"^    {{entry}}: .*\\n", line, file.read_text(), flags=re.M))
    else:
        head, line, rest = file.read_text().partition("  fate:secrets:\\n")
        file.write_text(f"{{head}}{{line}}    {{entry}}: {{{{secure: v1:x:y}}}}\\n{{rest}}")
    state["secrets"][entry] = value
    ended()
if arguments[:2] == ["config", "get"]:
    ended(state["secrets"][arguments[3].removeprefix("fate:secrets.")])
if arguments[:3] == ["config", "rm", "--path"]:
    entry = arguments[3].removeprefix("fate:secrets.")
    file.write_text(re.sub(f"^    {{entry}}: .*\\n", "", file.read_text(), flags=re.M))
    del state["secrets"][entry]
    ended()
if arguments[:1] == ["up"]:
    state["deployed"].append(name)
    ended()
if arguments[:3] == ["stack", "output", "descriptors"] and name in state["deployed"]:
    ended((home / "descriptors.json").read_text())
if arguments[:2] == ["stack", "output"]:
    missing = arguments[2:3] not in ([], ["--json"])
    ended("error: current stack does not have output property" if missing else "{{}}", 255 if missing else 0)
if arguments[:2] == ["stack", "export"]:
    export = home / "export.json"
    ended(export.read_text() if export.exists() else "{{}}")
ended(f"not expected: {{arguments}}", 255)
"""


def backend(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put it on PATH, for the stacks of a project folder; the file with its memory."""
    stand_in(folder, monkeypatch, _PROGRAM.format(home=str(folder)))
    return folder / "backend.json"


def _resources(plan: StackPlan) -> Iterator[dict[str, Any]]:
    """What the state remembers of a deployed plan: its units and their Jobs."""
    for unit in plan.units:
        component = naming.COMPONENT_PACKAGE + KINDS[unit.kind].component
        yield {"type": component, "urn": f"urn::{unit.key}", "inputs": dict(unit.recorded)}
        for planned in unit.jobs:
            metadata = {"name": planned.job.name, "namespace": planned.job.namespace}
            yield {
                "type": "kubernetes:batch/v1:Job",
                "urn": f"urn::{planned.job.name}",
                "inputs": {"metadata": metadata, **planned.job.fields},
            }


def deploy(stack: Stack, *, host: str = "198.51.100.20") -> None:
    """`pulumi up`; the cluster gives every Service this address."""
    bodies = {unit.key: unit.descriptor for unit in stack.load().plan.units}
    whole = {key: finish(substitute(body, dict.fromkeys(live_values(body), host))).plain() for key, body in bodies.items()}
    (stack.project.folder / "descriptors.json").write_text(json.dumps(whole))
    (stack.project.folder / "export.json").write_text(json.dumps({"deployment": {"resources": [*_resources(stack.load().plan)]}}))
    subprocess.run(["pulumi", "up", "-s", stack.name], check=True)
