"""Releases that a stack brings itself: rows of the catalogue in files of its own, checked before anything is planned with them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version
from pydantic import ValidationError

from federation.base.errors import FederationError, PlaceOf, Problem
from federation.base.model_errors import problems_of
from federation.base.yaml_file import YamlFile, is_below
from federation.catalogue.native import NATIVE
from federation.catalogue.releases import ModuleRow, Release, built_in_rows, catalogue, in_order, whole_row

Problems = tuple[Problem, ...]


@dataclass(frozen=True)
class OwnRelease:
    """A release from a file, and its row with all that comes from its base."""

    release: Release
    row: dict[str, Any]


def own_releases(paths: Sequence[str], folder: Path, place_of: PlaceOf) -> tuple[dict[str, Release], Problems]:
    """The built-in releases and those of files relative to a folder, by version, and all that is wrong with the files.

    A row's `base` is a release of the program, or of a file that stands earlier in the list.
    """
    rows, releases, problems = dict(built_in_rows("fate")), dict(catalogue()), list[Problem]()
    for number, relative in enumerate(paths):
        at = place_of(("releases", str(number)))
        if not is_below(relative, folder):
            problems.append(
                Problem(
                    at, f"{relative} is outside the folder of the stack file", "keep releases in the folder of the stack file, or below"
                )
            )
            continue
        read = read_release(folder / relative, relative, rows, frozenset(releases))
        if isinstance(read, OwnRelease):
            releases[read.release.release], rows[read.release.release] = read.release, read.row
        else:
            problems += [Problem(f"{at} ({problem.place})", problem.problem, problem.remedy) for problem in read]
    return in_order(releases), tuple(problems)


def read_release(
    path: Path, name: str, rows: Mapping[str, Any] | None = None, taken: frozenset[str] | None = None
) -> OwnRelease | Problems:
    """A file's release and its whole row, or all that is wrong with it. `rows`: those that it may be based on."""
    rows = built_in_rows("fate") if rows is None else rows
    taken = frozenset(catalogue()) if taken is None else taken
    try:
        source = YamlFile.read(path, name)
    except FederationError as error:
        return tuple(error.problems)
    row, base = source.values, source.values.get("base")
    if repeated := source.duplicates():
        return repeated
    if base is not None and base not in rows:
        return (
            Problem(
                source.place_of(("base",)),
                f"there is no release {base}",
                f"choose one of {', '.join(sorted(rows, key=Version))}, or write every key yourself",
            ),
        )
    whole = whole_row({**rows, name: row}, name)
    try:
        release = Release.model_validate(whole)
    except ValidationError as error:
        return problems_of(error, Release, source.place_of)
    problems = (*_named_rightly(release, taken, source.place_of), *_broken_references(release, taken, source.place_of))
    return problems or OwnRelease(release, whole)


def _named_rightly(release: Release, taken: frozenset[str], place_of: PlaceOf) -> Iterator[Problem]:
    try:
        Version(release.release)
    except InvalidVersion:
        yield Problem(place_of(("release",)), f"{release.release!r} is not a version", "write one such as 2.2.1 or 2.2.0+bank.1")
        return
    if release.release in taken:
        yield Problem(
            place_of(("release",)), f"release {release.release} exists already", f"choose another one, such as {release.release}+own"
        )


def _broken_references(release: Release, taken: frozenset[str], place_of: PlaceOf) -> Iterator[Problem]:
    """The references of a row that lead to nothing."""
    yield from _combinations(release, place_of)
    for engine, modules in release.exchanges.items():
        at = ("exchanges", engine)
        if not NATIVE.star(engine):
            yield Problem(place_of(at), f"there is no exchange for {engine}", f"choose of {', '.join(filter(NATIVE.star, NATIVE.engines))}")
            continue
        yield from _unknown(modules, release.exchange, place_of(at), "exchange")
        yield from _unknown(sorted(NATIVE.endpoints("exchange", engine)), modules, place_of(at), "the exchange's list")
    for key, rows in (("modules", release.modules), ("exchange", release.exchange)):
        yield from (problem for name, row in rows.items() for problem in _row(row, place_of((key, name))))
    yield from _unknown(release.upgrade_from, taken, place_of(("upgradeFrom",)), "the catalogue")
    if "Basic" not in {word for row in release.variants if row.device == "CPU" for word in row.algorithms}:
        yield Problem(place_of(("variants",)), "device CPU has no algorithm Basic", "add it: it is the default")
    for number, uncertain in enumerate(release.uncertain):
        yield from _unknown(uncertain.modules, release.modules, place_of(("uncertain", str(number))), "modules")


def _combinations(release: Release, place_of: PlaceOf) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, row in enumerate(release.combinations):
        at = place_of(("combinations", str(number)))
        if str(row) in seen:
            yield Problem(at, f"{row} is written twice", "keep one of them")
        seen.add(str(row))
        yield from _unknown(row.modules, release.modules, at, "modules")
        if row.federation not in NATIVE.engines:
            yield Problem(at, f"this program has no link for {row.federation}", f"choose one of {', '.join(NATIVE.engines)}")
            continue
        services = NATIVE.of("party", row.federation)
        yield from _unknown([*sorted(service.module for service in services), row.proxy], row.modules, at, "its modules")
        needed = {key for service in services for port in service.ports for key in (port.own, port.default) if key is not None}
        yield from _unknown(sorted(needed), release.ports, at, "ports")
        if set(row.engines) != {"computing", "federation", "storage"}:
            yield Problem(at, "engines must name all three", "write engines: {computing: ..., federation: ..., storage: ...}")
        if (row.engines.get("federation") == "osx") != (row.osx_mode is not None):
            yield Problem(at, "osxMode is only for the federation engine osx", "write osxMode: stream (Eggroll) or queue")


def _row(row: ModuleRow, at: str) -> Iterator[Problem]:
    if (row.tag is None) != (row.unpublished is not None):
        yield Problem(
            at, "a module has either a tag, or the reason why it has none", "write tag, or unpublished: why the stack must name an image"
        )


def _unknown(names: Sequence[str], known: Any, at: str, where: str) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield Problem(at, f"{name} is not in {where}", f"there are {', '.join(sorted(known))}")
