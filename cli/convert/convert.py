"""One `cluster.yaml` into one stack file: rows, parts, and the check that the result loads."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version
from pydantic import ValidationError

from cli.convert.clusters import CHARTS, Choices, Cluster, ClusterKind, Reading
from cli.convert.compare import Fact, compare, lose_cores
from cli.convert.draft import Draft
from cli.convert.lookup import meant, parts_below, row_of
from cli.convert.parts.stack import PARTS, head
from cli.convert.rows.row import Key, Part, Row, Type
from cli.convert.rows.table import TABLE
from cli.convert.source import ClusterFile, Path_
from cli.convert.writer import stack_text
from federation.base.errors import FederationError, Problem
from federation.base.model_errors import problems_of
from federation.config.stack import StackSpec
from federation.peers.accepted import resolve
from federation.stack.load import LoadedStack, load_stack
from federation.stack.plan import check_stack
from federation.units.checked import CheckedStack

# What a unit cannot be without: a value here that this program refuses is an error, not a loss.
_REQUIRED = frozenset(
    {"organization", "federation", "namespace", "release", "computing", "storage", "algorithm", "device", "engines", "publish"}
)
# What a value of each type is in YAML, and in words.
_TYPES: dict[Type, tuple[tuple[type, ...], str]] = {
    "text": ((str, int, float), "a text"),
    "number": ((int,), "a whole number"),
    "flag": ((bool,), "true or false"),
    "list": ((list,), "a list"),
    "map": ((dict,), "a mapping"),
    "any": ((object,), ""),
}


@dataclass(frozen=True)
class Conversion:
    """A cluster, what became of it, and the stack file that was read back."""

    cluster: Cluster
    draft: Draft
    text: str
    loaded: LoadedStack
    carried: tuple[tuple[Path_, str], ...]
    facts: tuple[Fact, ...]


def convert(file: ClusterFile, choices: Choices) -> Conversion:
    """The stack file of a cluster. FederationError with everything that is wrong with the file."""
    cluster = _read(file, choices)
    keys = list(_keys_with_rows(file, cluster.kind, cluster.version, ()))
    draft = Draft()
    head(cluster, draft)
    for row, path, value in keys:
        _apply(row, path, value, cluster, draft)
    for row in TABLE:
        _apply_default(row, cluster, draft)
    for part in PARTS[cluster.kind]:
        part(cluster, draft)
    if draft.problems:
        raise FederationError(draft.problems)
    _settle(cluster, draft)
    _lose_unread(keys, draft)
    loaded = _load(cluster, stack_text(cluster, draft, stand_ins=True))
    lose_cores(cluster, draft, loaded.plan)
    _ask_for_ports(draft)
    text = stack_text(cluster, draft)
    carried = tuple(
        (path, row.how.becomes) for row, path, value in keys if row is not None and value not in _NOTHING and _is_carried(path, draft)
    )
    return Conversion(cluster, draft, text, loaded, carried, tuple(compare(cluster, draft, loaded.plan)))


# A key without a value is as good as absent.
_NOTHING: tuple[Any, ...] = (None, "", [], {})


def _read(file: ClusterFile, choices: Choices) -> Cluster:
    """What the file describes, once its values have the types that KubeFATE's charts have for them. FederationError with all problems."""
    reading = Reading(file, choices)
    cluster = reading.cluster()
    problems = reading.problems
    if reading.kind is not None:
        version = _LATEST if cluster is None else cluster.version
        for row, path, value in list(_keys_with_rows(file, reading.kind, version, ())):
            if row is not None and (problem := _wrong_type(file, row, path, value)):
                problems.append(problem)
            elif row is not None and row.type == "number" and isinstance(value, str) and value:
                file.correct(path, int(value))
        problems += _parents(file, reading.kind)
    if problems or cluster is None:
        raise FederationError(dict.fromkeys(problems))
    return cluster


_LATEST = Version("9999")


def _keys_with_rows(file: ClusterFile, kind: ClusterKind, version: Version, path: Path_) -> Iterator[tuple[Row | None, Path_, Any]]:
    """Every key of the file with its row; None for a key that KubeFATE does not have."""
    for child in file.children(path):
        value, row = file.get(*child), row_of(child, kind)
        if row is None and isinstance(value, dict | list) and value and meant(child, kind) is None:
            yield from _keys_with_rows(file, kind, version, child)
        elif (row is not None and row.knows(version)) or not parts_below(child, kind):
            yield row, child, value


def _ask_for_ports(draft: Draft) -> None:
    for path, put in draft.puts.items():
        if put.wanted is not None:
            draft.ask(f"fill in fate:{'.'.join(path)}: {put.wanted}")


def _lose_unread(keys: list[tuple[Row | None, Path_, Any]], draft: Draft) -> None:
    """A key that several are read with, and that none of the functions of `cli.convert.parts` has taken: it is not carried."""
    origins = {put.origin for put in draft.puts.values() if put.origin is not None}
    for row, path, value in keys:
        if row is None or not isinstance(row.how, Part) or value in _NOTHING or value is False or not _is_carried(path, draft):
            continue
        taken = any(one[: len(path)] == path or path[: len(one)] == one for one in origins)
        read = taken or any(path[: len(one)] == one for one in draft.read)
        beside = len(path) > 1 and any(one[:-1] == path[:-1] for one in origins)
        if not (read or beside or path[0] in _READ_FIRST):
            draft.lose(path, "nothing in this file made it take effect")


# What decides what the file is about: no value of the stack file need have it as its origin.
_READ_FIRST = frozenset(
    {"name", "chartName", "chartVersion", "partyId", "modules", "persistence", "backend", "imageTag", "device", "registry"}
)


def _wrong_type(file: ClusterFile, row: Row, path: Path_, value: Any) -> Problem | None:
    if value is None or value == "" or row.type == "any":
        return None
    types, words = _TYPES[row.type]
    number = row.type == "number" and isinstance(value, str) and value.isascii() and value.isdigit()
    wrong_flag = isinstance(value, bool) and row.type in ("text", "number")
    if number or (isinstance(value, types) and not wrong_flag):
        return None
    return Problem(file.place_of(path), f"is not {words}", "correct the value")


def _parents(file: ClusterFile, kind: ClusterKind, path: Path_ = ()) -> Iterator[Problem]:
    """A single value or a list where KubeFATE has a block of keys."""
    for child in file.children(path):
        value = file.get(*child)
        below = parts_below(child, kind)
        if not below or row_of(child, kind) is not None:
            continue
        wanted = list if below == {"[]"} else dict
        if value not in (None, "") and not isinstance(value, wanted):
            yield Problem(
                file.place_of(child), f"is not {'a list' if wanted is list else 'a block of keys'}", "write it as KubeFATE's guide does"
            )
        else:
            yield from _parents(file, kind, child)


def _apply(row: Row | None, path: Path_, value: Any, cluster: Cluster, draft: Draft) -> None:
    if value is None or value == "":
        return
    if row is None:
        word = meant(path, cluster.kind)
        draft.lose(path, "not a key of KubeFATE's charts" + ("" if word is None else f", which ignored it: did you mean {word}?"))
    elif (reason := _why_unused(row, cluster)) is not None:
        draft.unused(path, reason)
    else:
        row.how.apply(Key(path, value), cluster, draft)


def _apply_default(row: Row, cluster: Cluster, draft: Draft) -> None:
    if not row.default or cluster.kind not in row.kinds or cluster.file.get(*row.path) not in (None, ""):
        return
    if row.path[0] in cluster.modules and _why_unused(row, cluster) is None:
        row.how.apply(Key(row.path, cluster.default(row.key), present=False), cluster, draft)


def _why_unused(row: Row, cluster: Cluster) -> str | None:
    """Why KubeFATE did not use a key, if it did not."""
    first = row.path[0]
    if not row.knows(cluster.version):
        return f"chart {cluster.chart} v{cluster.version} does not know it"
    if first in ALL_MODULES and first not in cluster.modules and not row.anyway:
        return f"{first} is not in modules"
    if first in cluster.unneeded:
        return f"{cluster.combination} does not use {first}"
    return next((reason for condition in row.used if (reason := condition(cluster)) is not None), None)


ALL_MODULES = frozenset().union(*CHARTS.values())


def _is_carried(path: Path_, draft: Draft) -> bool:
    return not any(path[: len(other)] == other for other in (*draft.lost, *draft.not_used))


def _settle(cluster: Cluster, draft: Draft) -> None:
    """Drop what this program refuses, with its reason; FederationError when it is something that a unit must have."""
    for _ in range(len(draft.puts)):
        refused = list(_refused(draft))
        if not refused:
            return
        errors, reasons = [], dict[Path_, list[str]]()
        for path, problem in refused:
            culprits = _culprits(path, draft)
            if not culprits:
                errors.append(Problem(_place(path, cluster, draft), problem.problem, problem.remedy))
            for culprit in culprits:
                inside = ".".join(path[len(culprit) :])
                reasons.setdefault(culprit, []).append(f"{inside}: {problem.problem}" if inside else problem.problem)
        for culprit, texts in reasons.items():
            put = draft.puts.pop(culprit)
            if put.origin is not None:
                draft.lose(put.origin, "; ".join(dict.fromkeys(texts)))
        if errors:
            raise FederationError(dict.fromkeys(errors))


def _refused(draft: Draft) -> Iterator[tuple[Path_, Problem]]:
    """What is wrong with the draft, by path."""

    def place_of(path: Any) -> str:
        return json.dumps(list(path))

    config = draft.config()
    try:
        spec = StackSpec.model_validate(config)
    except ValidationError as error:
        problems = problems_of(error, StackSpec, place_of)
    else:
        peers = resolve(spec.peers, spec.federation, Path(), place_of)
        problems = check_stack(CheckedStack(spec, peers, place_of))
    for problem in problems:
        yield tuple(json.loads(problem.place)), problem


def _culprits(path: Path_, draft: Draft) -> list[Path_]:
    """The values that a problem is about: that at its path, else those below, else the nearest above. Empty: one of them is required."""
    if path[0] == "peers" and len(path) > 1:
        return list(draft.below(path[:2]))
    if _REQUIRED & set(path[:1] + path[2:3]):
        return []
    at_or_below = [path] if path in draft.puts else list(draft.below(path))
    above = [path[:length] for length in range(len(path) - 1, 0, -1) if path[:length] in draft.puts]
    return [one for one in at_or_below or above[:1] if not _REQUIRED & set(one[:1] + one[2:3])]


def _place(path: Path_, cluster: Cluster, draft: Draft) -> str:
    """Where in the cluster.yaml the reason of a problem stands."""
    for length in range(len(path), 0, -1):
        origins = [put.origin for target, put in draft.puts.items() if target[:length] == path[:length] and put.origin is not None]
        if origins:
            return cluster.file.place_of(origins[0])
    return cluster.file.name


def _load(cluster: Cluster, text: str) -> LoadedStack:
    """The stack as the program will read it. FederationError when it does not load: then nothing is written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"Pulumi.{cluster.name}.yaml"
        path.write_text(text, "utf-8")
        return load_stack(path, name=f"{path.name} (converted from {cluster.file.name})")
