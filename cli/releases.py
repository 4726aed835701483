"""What the catalogue holds: the releases of FATE that can be deployed, as tables and as data."""

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cli.errors import CommandError
from cli.files import shown
from cli.show import table
from federation.errors import FederationError
from federation.own_releases import OwnRelease, read_release
from federation.release_trial import trial_plans
from federation.releases import ModuleRow, Release, catalogue


def list_data() -> dict[str, Any]:
    """Every release: {"releases": [{release, combinations, variants}]}."""
    return {"releases": [_outline(release) for release in catalogue().values()]}


def list_text() -> str:
    """Every release as a table: one row for each combination, beside them the devices with their algorithms."""
    rows = [("RELEASE", "COMPUTING + FEDERATION + STORAGE", "DEVICE: ALGORITHMS")]
    for release in catalogue().values():
        rows += zip_longest([release.release], _combinations(release), _variants(release), fillvalue="")
    return table(rows)


def show_data(name: str) -> dict[str, Any]:
    """All of a release that a stack can see. CommandError for one that is not in the catalogue."""
    release = _release(name)
    return {
        **_outline(release),
        "exchanges": {engine: list(modules) for engine, modules in release.exchanges.items()},
        "modules": {name: _module(row) for name, row in release.modules.items()},
        "exchangeModules": {name: _module(row) for name, row in release.exchange.items()},
        "ports": dict(release.ports),
    }


def show_text(name: str) -> str:
    """All of a release that a stack can see, as tables. CommandError for one that is not in the catalogue."""
    release = _release(name)
    combinations = [(str(row), ", ".join(row.modules)) for row in release.combinations]
    parts: dict[str, list[tuple[str, ...]]] = {
        "": [("COMBINATION", "MODULES"), *combinations],
        "exchange": [("FEDERATION", "MODULES"), *((engine, ", ".join(modules)) for engine, modules in release.exchanges.items())],
        "images": [("DEVICE: ALGORITHMS",), *((variant,) for variant in _variants(release))],
        "modules of a party": [("MODULE", "IMAGE", "REPLICAS"), *_images(release, release.modules)],
        "modules of an exchange": [("MODULE", "IMAGE", "REPLICAS"), *_images(release, release.exchange)],
        "ports": [("PORT", "NUMBER"), *((port, str(number)) for port, number in release.ports.items())],
    }
    return "\n\n".join("\n".join(part for part in (title, table(rows)) if part) for title, rows in parts.items())


def check(path: Path) -> tuple[str, dict[str, Any]]:
    """What a file's release is good for, as text and as data. FederationError with all that is wrong with it."""
    read = read_release(path, shown(path))
    if not isinstance(read, OwnRelease):
        raise FederationError(read)
    release = read.release
    planned = trial_plans(release, shown(path))
    text = f"{shown(path)} is right: release {release.release}, {planned} combinations with their images planned\n"
    return text + "to use it, name the file under fate:releases", {"release": release.release, "planned": planned}


def _release(name: str) -> Release:
    if name not in catalogue():
        raise CommandError(f"release {name}", "is not in the catalogue", f"choose one of {', '.join(catalogue())}")
    return catalogue()[name]


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


def _images(release: Release, rows: Mapping[str, ModuleRow]) -> Iterable[tuple[str, str, str]]:
    suffixes = _suffixes(release)
    for name, row in rows.items():
        image = row.image + "".join(text for kind, text in suffixes.items() if kind in row.suffixes)
        version = f"{image} (no version: the stack names one)" if row.tag is None else f"{image}:{row.tag}"
        yield f"{name} (optional)" if row.optional else name, version, str(row.replicas)


def _suffixes(release: Release) -> dict[str, str]:
    """What may be appended to the name of an image, in the order in which it is: `[-spark]`, `[-nn|-all]`, `[-ipcl|-gpu]`."""
    algorithms = dict.fromkeys(f"-{word.lower()}" for row in release.variants for word in row.algorithms if word != "Basic")
    devices = [f"-{row.device.lower()}" for row in release.variants if row.device != "CPU"]
    return {"computing": "[-spark]", "algorithm": f"[{'|'.join(algorithms)}]", "device": f"[{'|'.join(devices)}]"}
