"""What the catalogues hold: the releases of FATE and FATE-Serving that can be deployed, as tables and as data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.stackfile.first_kinds import RELEASE
from cli.tools.errors import CommandError
from cli.tools.files import shown
from cli.tools.page import Page, Table
from federation.base.errors import FederationError
from federation.catalogue.own import OwnRelease, read_release
from federation.catalogue.releases import ModuleRow, Release, catalogue
from federation.catalogue.serving import ServingRelease, serving_catalogue
from federation.stack.release_trial import trial_plans

Releases = Mapping[str, Release]
# Of which tests/engine/test_combinations.py applies stacks.
TESTED = frozenset({"1.11.2", "2.0.0", "2.2.0"})
_STATES = "tested: this project's tests apply it, without containers; planned only: they\nplan it and render its charts"


def list_data(releases: Releases) -> dict[str, Any]:
    """Every release: {"releases": [{release, own, combinations, variants}], "servings": [{release, fate}]}."""
    rows = [{**_outline(release), "own": release.release not in catalogue()} for release in releases.values()]
    return {"releases": rows, "servings": [{"release": row.release, "fate": list(row.fate)} for row in serving_catalogue().values()]}


def list_text(releases: Releases) -> Page:
    """Every release with its state, devices and algorithms; then every combination with the releases that have it; then FATE-Serving's."""
    known = [(_title(release), _state(release), "; ".join(_variants(release))) for release in releases.values()]
    having: dict[str, list[str]] = {}
    for release in releases.values():
        for combination in _combinations(release):
            having.setdefault(combination, []).append(release.release)
    servings = [(row.release, ", ".join(row.fate) or "none of these") for row in serving_catalogue().values()]
    return Page((
        Table(("release", "state", "device: algorithms"), known), "", _STATES, "",
        Table(("computing + federation + storage", "releases"), [(each, ", ".join(names)) for each, names in having.items()]), "",
        Table(("FATE-Serving", "with FATE"), servings),
    ))  # fmt: skip


def _state(release: Release) -> str:
    default = ["default"] if release.release == RELEASE else []
    return ", ".join([*default, "tested" if release.release in TESTED else "planned only"])


def show_data(name: str, releases: Releases) -> dict[str, Any]:
    """All of a release that a stack can see. CommandError for one that is in neither catalogue."""
    release = _release(name, releases)
    if isinstance(release, ServingRelease):
        modules = {module: _module(row) for module, row in release.modules.items()}
        return {"release": release.release, "fate": list(release.fate), "modules": modules, "ports": dict(release.ports)}
    return {
        **_outline(release),
        "upgradeFrom": list(release.upgrade_from),
        "exchanges": {engine: list(modules) for engine, modules in release.exchanges.items()},
        "modules": {name: _module(row) for name, row in release.modules.items()},
        "exchangeModules": {name: _module(row) for name, row in release.exchange.items()},
        "ports": dict(release.ports),
    }


def show_text(name: str, releases: Releases) -> Page:
    """All of a release that a stack can see, as tables. CommandError for one that is in neither catalogue."""
    release = _release(name, releases)
    ports = Table(("port", "number"), [(port, str(number)) for port, number in release.ports.items()])
    if isinstance(release, ServingRelease):
        fate = Table(("FATE-Serving", "with FATE"), [(release.release, ", ".join(release.fate) or "none of these")])
        return _tables({"": fate, "modules": _modules(release.modules, {}), "ports": ports})
    suffixes = _suffixes(release)
    exchanges = [(engine, ", ".join(modules)) for engine, modules in release.exchanges.items()]
    return _tables({
        "": Table(("combination", "modules"), [(str(row), ", ".join(row.modules)) for row in release.combinations]),
        "exchange": Table(("federation", "modules"), exchanges),
        "images": Table(("device: algorithms",), [(variant,) for variant in _variants(release)]),
        "modules of a party": _modules(release.modules, suffixes),
        "modules of an exchange": _modules(release.exchange, suffixes),
        "takes over data of": Table(("release",), [(source,) for source in release.upgrade_from or ("none",)]),
        "ports": ports,
    })  # fmt: skip


def _tables(tables: Mapping[str, Table]) -> Page:
    parts: list[str | Table] = []
    for title, table in tables.items():
        parts += ["", title, table] if title else [table]
    return Page(tuple(parts))


def _title(release: Release) -> str:
    return release.release if release.release in catalogue() else f"{release.release} (own)"


def check(path: Path) -> tuple[str, dict[str, Any]]:
    """What a file's release is good for, as text and as data. FederationError with all that is wrong with it."""
    read = read_release(path, shown(path))
    if not isinstance(read, OwnRelease):
        raise FederationError(read)
    release = read.release
    planned = trial_plans(release, shown(path))
    text = f"{shown(path)} is right: release {release.release}, {planned} combinations with their images planned\n"
    return text + "to use it, name the file under fate:releases", {"release": release.release, "planned": planned}


def _release(name: str, releases: Releases) -> Release | ServingRelease:
    release = releases.get(name) or serving_catalogue().get(name)
    if release is None:
        remedy = f"choose one of {', '.join(releases)}; of FATE-Serving {', '.join(serving_catalogue())}; -s STACK for those of a stack"
        raise CommandError(f"release {name}", "is not in the catalogue", remedy)
    return release


def _outline(release: Release) -> dict[str, Any]:
    return {
        "release": release.release,
        "combinations": [
            {"computing": row.computing, "federation": row.federation, "storage": row.storage, "modules": list(row.modules)}
            for row in release.combinations
        ],
        "variants": {row.device: list(row.algorithms) for row in release.variants},
    }


def _module(row: ModuleRow) -> dict[str, Any]:
    return {"image": row.image, "tag": row.tag, "suffixes": list(row.suffixes), "optional": row.optional, "replicas": row.replicas}


def _combinations(release: Release) -> list[str]:
    return [str(row) for row in release.combinations]


def _variants(release: Release) -> list[str]:
    return [f"{row.device}: {', '.join(row.algorithms)}" for row in release.variants]


def _modules(rows: Mapping[str, ModuleRow], suffixes: Mapping[str, str]) -> Table:
    return Table(("module", "image", "replicas"), [_image(name, row, suffixes) for name, row in rows.items()])


def _image(name: str, row: ModuleRow, suffixes: Mapping[str, str]) -> tuple[str, str, str]:
    image = row.image + "".join(text for kind, text in suffixes.items() if kind in row.suffixes)
    version = f"{image} (no version: the stack names one)" if row.tag is None else f"{image}:{row.tag}"
    return f"{name} (optional)" if row.optional else name, version, str(row.replicas)


def _suffixes(release: Release) -> dict[str, str]:
    """What may be appended to the name of an image, in the order in which it is: `[-spark]`, `[-nn|-all]`, `[-ipcl|-gpu]`."""
    algorithms = dict.fromkeys(f"-{word.lower()}" for row in release.variants for word in row.algorithms if word != "Basic")
    devices = [f"-{row.device.lower()}" for row in release.variants if row.device != "CPU"]
    return {"computing": "[-spark]", "algorithm": f"[{'|'.join(algorithms)}]", "device": f"[{'|'.join(devices)}]"}
