"""Running what a Job of a plan runs: its own files and command, with its own environment, in a folder instead of a pod."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from federation.manifests.jobs import JobPlan


def run(plan: JobPlan, folder: Path, secrets: Mapping[str, str], **instead: str) -> subprocess.CompletedProcess[str]:
    """The Job, once. `secrets`: {SECRET/KEY: value}; `instead`: where the test's server is, instead of the planned one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in plan.files.fields["data"].items():
        (folder / name).write_text(text)
    (container,) = plan.job.fields["spec"]["template"]["spec"]["containers"]
    (mounted,) = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "files"]
    environment = {"PATH": os.environ["PATH"], "TRIES": "2"}
    for entry in container["env"]:
        key = entry.get("valueFrom", {}).get("secretKeyRef")
        environment[entry["name"]] = entry["value"] if key is None else secrets[f"{key['name']}/{key['key']}"]
    assert instead.keys() <= environment.keys(), "the Job has no such setting"
    command = [part.replace(f"{mounted}/", f"{folder}/") for part in container["command"]]
    return subprocess.run(command, env={**environment, **instead}, capture_output=True, text=True, timeout=120, check=False)
