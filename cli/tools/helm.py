"""Rendering a chart with the real helm, without a cluster."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from cli.tools.errors import CommandError
from cli.tools.progress import waits_for
from federation.base.yaml_file import FastLoader

_TIMEOUT = 120.0  # seconds
# What helm says of the charts' link to their library, whatever happens.
_NOTE = "found symbolic link"


class _Loader(FastLoader):
    """As Kubernetes reads YAML: a date is a text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in FastLoader.yaml_implicit_resolvers.items()
}


def helm_template(chart: Path, values: dict[str, Any], release: str, namespace: str) -> list[dict[str, Any]]:
    """The objects of a chart. The helm is the one of the environment variable HELM, else of PATH.

    CommandError when there is none, or when it refuses the chart or the values.
    """
    command = [_helm(), "template", release, str(chart), "--namespace", namespace, "--include-crds", "--no-hooks", "--values", "-"]
    waits_for(f"helm template {release}")
    try:
        done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandError("helm", f"cannot be run: {error}", "name another one with HELM=PATH") from None
    if done.returncode != 0:
        output = "\n".join(line for line in done.stderr.splitlines() if _NOTE not in line).strip()
        raise CommandError(f"chart {chart.name} of {release}", f"helm refuses it: {output}", "correct the chart, or report it")
    return [document for document in yaml.load_all(done.stdout, Loader=_Loader) if document]


def _helm() -> str:
    program = os.environ.get("HELM") or shutil.which("helm")
    if not program:
        raise CommandError("helm", "not found on PATH", "install it (https://helm.sh/docs/intro/install/), or name it with HELM=PATH")
    return program
