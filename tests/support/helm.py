"""Rendering charts with the real helm."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sandbox.tools import tool_path

CHARTS = Path(__file__).resolve().parents[2] / "charts"


class HelmRefusedError(Exception):
    """What helm said when it refused a chart or its values."""


def helm() -> Path:
    """The helm of the environment variable HELM, else the one that the sandbox finds."""
    return Path(given) if (given := os.environ.get("HELM")) else tool_path("helm")


def helm_template(chart: Path, values: dict[str, Any], namespace: str = "fate", release: str = "party") -> list[dict[str, Any]]:
    """The objects a chart renders with exactly these values. HelmRefusedError when helm does not accept them."""
    text = _rendered(chart, json.dumps(values, sort_keys=True), namespace, release)
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


@cache
def _rendered(chart: Path, values: str, namespace: str, release: str) -> str:
    command = [str(helm()), "template", release, str(chart), "--namespace", namespace, "--values", "-"]
    run = subprocess.run(command, input=values, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise HelmRefusedError(run.stderr)
    return run.stdout
