"""`fatefed support-bundle`: one archive that says how a stack is doing, for whoever helps, without what looks like a secret."""

import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from cli.doctor.own.checks import own_rows
from cli.doctor.own.status import status_data, status_text
from cli.doctor.rows import rows_data, rows_text
from cli.doctor.snapshot import Snapshot, UnitView, name_of
from cli.reports.rendering import access_files, render
from cli.tools.errors import CommandError
from cli.tools.files import write_atomic
from cli.tools.kubectl import Cluster, Object
from cli.tools.page import Table
from cli.tools.redact import redacted_object, redacted_text
from cli.tools.text import one_line
from cli.tools.yaml_objects import object_text

_EVENTS = 500
_PACKAGES = ("fate-federation", "pulumi", "pulumi-kubernetes", "pydantic", "PyYAML", "cryptography")
_README = """Support bundle of a fate-federation stack.

versions.txt    programs and packages
stack.yaml      the stack's configuration, without fate:secrets
plan.json       units, modules, pending peers, warnings
rendered/       every object the stack would create, secrets as <redacted>
status.*        modules, claims, certificates, Services and consoles in the cluster
doctor.*        checks: state, problem, how to fix it
events/         the latest events of each namespace
logs/           the last lines of each pod, only with --logs

No Secret was read, no state, no passphrase. Values under names that say password, token, secret or key, credentials in
URLs, tokens and private keys are replaced by <redacted>, by their look: read the files before you send them.
It holds names, addresses and images of your organization.
"""


def bundle_files(snapshot: Snapshot, cluster: Cluster, logs: int) -> dict[str, str]:
    """The files of a bundle, redacted: {path: text}. `logs`: lines of each pod, 0 for none."""
    rows = own_rows(snapshot)
    # By their structure: the name of a secret is none, and helps.
    structured = {
        "stack.yaml": _configuration(snapshot),
        "plan.json": _json(_plan(snapshot)),
        "status.json": _json(status_data(snapshot)),
        "doctor.json": _json(rows_data(rows)),
    }
    texts = {"versions.txt": _versions(snapshot, cluster), "status.txt": str(status_text(snapshot)), "doctor.txt": rows_text(rows)}
    for view in snapshot.units:
        texts[f"events/{view.unit.namespace}.txt"] = _events(view)
        for pod in view.reading("pods").items if logs else ():
            texts[f"logs/{view.unit.namespace}/{name_of(pod)}.txt"] = cluster.logs(view.unit.namespace, name_of(pod), logs)
    clean = {path: redacted_text(text).rstrip("\n") + "\n" for path, text in texts.items()}
    return {"README.txt": _README, **structured, **clean, **_rendered(snapshot)}


def write_bundle(files: Mapping[str, str], out: Path, name: str) -> None:
    """Put the files into a .tar.gz below a folder of this name, readable by its owner only. CommandError when that is not possible."""
    packed, now = io.BytesIO(), int(time.time())
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in sorted(files.items()):
            content = text.encode()
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mtime, entry.mode = len(content), now, 0o600
            archive.addfile(entry, io.BytesIO(content))
    write_atomic(out, packed.getvalue(), mode=0o600)


def _versions(snapshot: Snapshot, cluster: Cluster) -> str:
    packages = {package: version(package) for package in _PACKAGES}
    programs = {
        "pulumi (program)": _output_of("pulumi", "version"),
        "helm": _output_of(os.environ.get("HELM") or "helm", "version", "--short"),
        "kubectl": cluster.client_version(),
        "Kubernetes": snapshot.kubernetes,
    }
    rows = [*packages.items(), ("Python", sys.version.split()[0]), ("system", platform.platform()), *programs.items()]
    return str(Table(("program", "version"), rows))


def _output_of(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        return "not found"
    try:
        done = subprocess.run([path, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "cannot be run"
    return one_line(done.stdout)


def _configuration(snapshot: Snapshot) -> str:
    """The stack file's values without fate:secrets, and without what is encrypted elsewhere."""
    values = {f"fate:{key}": value for key, value in snapshot.loaded.source.config().items()}
    return yaml.safe_dump(_without_ciphertext(redacted_object(values)), sort_keys=False, allow_unicode=True, width=10**6)


def _without_ciphertext(data: Any) -> Any:
    if isinstance(data, dict):
        return "<redacted>" if set(data) == {"secure"} else {key: _without_ciphertext(value) for key, value in data.items()}
    return [_without_ciphertext(item) for item in data] if isinstance(data, list) else data


def _plan(snapshot: Snapshot) -> dict[str, Any]:
    plan = snapshot.loaded.plan
    units = {
        unit.key: {"release": unit.release, "namespace": unit.namespace, "modules": dict(unit.modules), "descriptor": dict(unit.descriptor)}
        for unit in plan.units
    }
    peers = {peer.name: peer.state for peer in snapshot.loaded.peers.accepted}
    return {"organization": plan.organization, "units": units, "peers": peers, "pending": dict(plan.pending), "warnings": plan.warnings}


def _rendered(snapshot: Snapshot) -> dict[str, str]:
    plan = snapshot.loaded.plan
    try:
        objects = render(plan)
    except CommandError as error:
        return {"rendered/NOT-RENDERED.txt": redacted_text(f"{error}\n")}
    clean = {path: object_text(redacted_object(yaml.safe_load(text))) for path, text in objects.items()}
    return {f"rendered/{path}": text for path, text in {**clean, **access_files(plan)}.items()}


def _events(view: UnitView) -> str:
    reading = view.reading("events")
    if reading.state != "ok":
        return f"{reading.state}: {reading.reason}"
    latest = sorted(reading.items, key=_when)[-_EVENTS:]
    rows = [(_when(event), event.get("type", ""), event.get("reason", ""), _about(event), event.get("message", "")) for event in latest]
    return str(Table(("when", "type", "reason", "object", "message"), rows))


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def _about(event: Object) -> str:
    thing = event.get("involvedObject", {})
    return f"{thing.get('kind', '')}/{thing.get('name', '')}"


def _json(data: Any) -> str:
    return json.dumps(redacted_object(data), indent=2, sort_keys=True) + "\n"
