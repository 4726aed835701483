"""Every object a stack would create, as files, without a cluster, a passphrase or Pulumi.

Secret values are `<redacted>`; addresses that exist only after an apply stay as `<known-after-up:...>`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.tools.errors import CommandError
from cli.tools.files import shown, write_atomic
from cli.tools.helm import helm_template
from cli.tools.yaml_objects import object_text
from federation.access.consoles import HOSTS_FILE
from federation.manifests.objects import SecretPlan
from federation.stack.plan import StackPlan
from federation.units.own_objects import CLUSTER_KINDS
from federation.units.unit import UnitPlan

CHARTS = Path(__file__).resolve().parents[2] / "charts"
MARKER = ".fatefed-render"
REDACTED = "<redacted>"
_CLUSTER = "_cluster"


def render(plan: StackPlan) -> dict[str, str]:
    """{`<namespace>/<kind>-<name>.yaml`: text} of every object. CommandError when helm is missing or refuses a chart."""
    files: dict[str, str] = {}
    for unit in plan.units:
        for document in _unit_objects(unit):
            path = _path(document)
            if path in files:
                raise CommandError(path, "two objects have this kind and name", "this is a bug: report it")
            files[path] = object_text(document)
    for file in plan.manifests:
        for document in file.documents():
            path = _path(document)
            if path in files:
                raise CommandError(path, f"is an object of this program and of fate:manifests.{file.name}", "choose another name")
            files[path] = object_text(document)
    return dict(sorted(files.items()))


def access_files(plan: StackPlan) -> dict[str, str]:
    """{`<namespace>/access.txt`: text} of every unit with consoles: how a person reaches them."""
    return {f"{unit.namespace}/access.txt": _access_text(unit) for unit in plan.units if unit.access}


def _access_text(unit: UnitPlan) -> str:
    lines = [f"Consoles of {unit.key}."]
    for name, console in unit.access.items():
        if name == HOSTS_FILE:
            lines += ["", "Without DNS entries for these names, add this line to the hosts file of each browser's machine:", console]
        else:
            lines += ["", f"{name}: {console['url']}", f"  from anywhere with kubectl: {console['portForward']}"]
            lines += [f"  type into its Site Configuration: {key} {value}" for key, value in console.get("siteConfiguration", {}).items()]
    return "\n".join(lines) + "\n"


def _unit_objects(unit: UnitPlan) -> Iterator[dict[str, Any]]:
    """The objects of one party or exchange, in the order they are made."""
    for manifest in (*unit.namespace_object, *unit.owner, *unit.services):
        yield manifest.document()
    for secret in unit.secrets:
        yield _secret(secret)
    for manifest in (*unit.routes, *unit.policies, *unit.certificates):
        yield manifest.document()
    for job in unit.jobs:
        yield from (job.files.document(), job.job.document())
    yield from chart_objects(unit)
    for manifest in unit.console_objects:
        yield manifest.document()


def chart_objects(unit: UnitPlan) -> Iterator[dict[str, Any]]:
    """The objects of a unit's chart. CommandError when helm is missing or refuses the chart."""
    chart = unit.chart
    for document in helm_template(CHARTS / chart.chart, chart.values.plain(), unit.key, chart.namespace):
        yield _redacted(_placed(document, chart.namespace))


def write_rendering(files: Mapping[str, str], out: Path) -> None:
    """Put the files into a folder that is new, empty, or an earlier rendering; what is stale there goes.

    CommandError for any other folder: nothing is written into it.
    """
    earlier = _earlier(out)
    # The marker comes first and names old and new files: an interrupted rendering is still recognised as one.
    _mark(out, {*earlier, *files})
    for path, text in files.items():
        write_atomic(out / path, text.encode())
    for path in sorted(earlier - files.keys(), reverse=True):
        (out / path).unlink(missing_ok=True)
        if (folder := (out / path).parent) != out and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    _mark(out, files.keys())


def _earlier(out: Path) -> set[str]:
    """The files of an earlier rendering, from its marker."""
    if not out.exists():
        return set()
    if not out.is_dir():
        raise CommandError(shown(out), "is not a folder", "name a new or empty folder with --out")
    if not (out / MARKER).is_file():
        if any(out.iterdir()):
            raise CommandError(shown(out), "holds other files", "name a new or empty folder with --out")
        return set()
    lines = (out / MARKER).read_text("utf-8").splitlines()
    inside = out.resolve()
    return {line for line in lines if line and not line.startswith("#") and (out / line).parent.resolve().parent == inside}


def _mark(out: Path, paths: Any) -> None:
    head = "# Written by `fatefed render`; the files it may overwrite or remove:\n"
    write_atomic(out / MARKER, (head + "".join(f"{path}\n" for path in sorted(paths))).encode())


def _path(document: Mapping[str, Any]) -> str:
    kind, metadata = document["kind"], document["metadata"]
    return f"{metadata.get('namespace', _CLUSTER)}/{kind.lower()}-{metadata['name']}.yaml"


def _placed(document: dict[str, Any], namespace: str) -> dict[str, Any]:
    """With its namespace, as the provider sets it."""
    if document["kind"] in CLUSTER_KINDS:
        return document
    return {**document, "metadata": {"namespace": namespace, **document["metadata"]}}


def _secret(secret: SecretPlan) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": secret.metadata,
        "type": secret.type,
        "stringData": dict.fromkeys(secret.sources, REDACTED),
    }


def _redacted(document: dict[str, Any]) -> dict[str, Any]:
    """No chart of ours makes a Secret; one that did would not be shown."""
    if document["kind"] != "Secret":
        return document
    return {key: dict.fromkeys(value, REDACTED) if key in ("data", "stringData") and value else value for key, value in document.items()}
