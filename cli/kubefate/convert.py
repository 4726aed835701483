"""One `cluster.yaml` into one stack file: rows, parts, and the check that the result loads."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.kubefate.clusters import CHARTS, Choices, Cluster, read_cluster
from cli.kubefate.draft import Draft
from cli.kubefate.lookup import parts_below, row_of
from cli.kubefate.parts import PARTS, head
from cli.kubefate.rows import Key, Row
from cli.kubefate.source import ClusterFile, Path_
from cli.kubefate.table import TABLE
from cli.kubefate.writer import stack_text
from federation.errors import FederationError, Problem
from federation.load import LoadedStack, load_stack
from federation.peers import resolve
from federation.plan import check_stack
from federation.problems import problems_of
from federation.spec import StackSpec

# What a unit cannot be without: a value here that this program refuses is an error, not a loss.
_REQUIRED = frozenset(
    {"organization", "federation", "namespace", "release", "computing", "storage", "algorithm", "device", "engines", "publish"}
)
_TYPES = {
    "text": (str, int, float),
    "number": (int,),
    "flag": (bool,),
    "list": (list,),
    "map": (dict,),
    "any": (object,),
}
_WORDS = {"text": "a text", "number": "a whole number", "flag": "true or false", "list": "a list", "map": "a mapping"}


@dataclass(frozen=True)
class Conversion:
    """A cluster, what became of it, and the stack file that was read back."""

    cluster: Cluster
    draft: Draft
    text: str
    loaded: LoadedStack
    carried: tuple[tuple[Path_, str], ...]


def convert(file: ClusterFile, choices: Choices) -> Conversion:
    """The stack file of a cluster. FederationError with everything that is wrong with the file."""
    cluster = read_cluster(file, choices)
    found = list(_found(cluster, ()))
    problems = [problem for row, path, value in found if row is not None and (problem := _wrong_type(file, row, path, value))]
    problems += list(_parents(file, cluster))
    if problems:
        raise FederationError(dict.fromkeys(problems))
    draft = Draft()
    head(cluster, draft)
    for row, path, value in found:
        _apply(row, path, value, cluster, draft)
    for row in TABLE:
        _apply_default(row, cluster, draft)
    for part in PARTS:
        part(cluster, draft)
    _settle(cluster, draft)
    text = stack_text(cluster, draft)
    carried = tuple((path, row.how.becomes) for row, path, _ in found if row is not None and _is_carried(path, draft))
    return Conversion(cluster, draft, text, _load(cluster, text), carried)


def _found(cluster: Cluster, path: Path_) -> Iterator[tuple[Row | None, Path_, Any]]:
    """Every key of the file with its row; None for a key that KubeFATE does not have."""
    for child in cluster.file.children(path):
        value, row = cluster.file.get(*child), row_of(child, cluster.kind)
        if row is None and isinstance(value, dict | list) and value:
            yield from _found(cluster, child)
        elif (row is not None and row.knows(cluster.version)) or not parts_below(child, cluster.kind):
            yield row, child, value


def _wrong_type(file: ClusterFile, row: Row, path: Path_, value: Any) -> Problem | None:
    if value is None or value == "" or row.type == "any":
        return None
    number = row.type == "number" and isinstance(value, str) and value.strip().isdigit()
    wrong_flag = isinstance(value, bool) and row.type in ("text", "number")
    if number or (isinstance(value, _TYPES[row.type]) and not wrong_flag):
        return None
    return Problem(file.place(path), f"is not {_WORDS[row.type]}", "correct the value")


def _parents(file: ClusterFile, cluster: Cluster, path: Path_ = ()) -> Iterator[Problem]:
    """A single value or a list where KubeFATE has a block of keys."""
    for child in file.children(path):
        value = file.get(*child)
        below = parts_below(child, cluster.kind)
        if not below or row_of(child, cluster.kind) is not None:
            continue
        wanted = list if below == {"[]"} else dict
        if value not in (None, "") and not isinstance(value, wanted):
            yield Problem(
                file.place(child), f"is not {'a list' if wanted is list else 'a block of keys'}", "write it as KubeFATE's guide does"
            )
        else:
            yield from _parents(file, cluster, child)


def _apply(row: Row | None, path: Path_, value: Any, cluster: Cluster, draft: Draft) -> None:
    if value is None or value == "":
        return
    if row is None:
        draft.lose(path, "not a key of KubeFATE's charts")
    elif (reason := _why_unused(row, cluster)) is not None:
        draft.unused(path, reason)
    else:
        row.how.apply(Key(path, _number(row, value)), cluster, draft)


def _apply_default(row: Row, cluster: Cluster, draft: Draft) -> None:
    if row.absent is None or cluster.kind not in row.kinds or cluster.file.get(*row.path) not in (None, ""):
        return
    if row.path[0] in cluster.modules and _why_unused(row, cluster) is None:
        row.how.apply(Key(row.path, row.absent, given=False), cluster, draft)


def _number(row: Row, value: Any) -> Any:
    return int(value) if row.type == "number" and isinstance(value, str) else value


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
        errors = []
        for path, problem in refused:
            culprits = _culprits(path, draft)
            if not culprits:
                errors.append(Problem(_place(path, cluster, draft), problem.problem, problem.remedy))
            for culprit in culprits:
                put = draft.puts.pop(culprit)
                if put.origin is not None:
                    draft.lose(put.origin, problem.problem)
        if errors:
            raise FederationError(dict.fromkeys(errors))


def _refused(draft: Draft) -> Iterator[tuple[Path_, Problem]]:
    """What is wrong with the draft, by path."""

    def place(path: Any) -> str:
        return json.dumps(list(path))

    config = draft.config()
    try:
        spec = StackSpec.model_validate(config)
    except ValidationError as error:
        problems = problems_of(error, StackSpec, place)
    else:
        peers = resolve(spec.peers, spec.federation, Path(), place)
        problems = check_stack(spec, peers, place)
    for problem in problems:
        yield tuple(json.loads(problem.place)), problem


def _culprits(path: Path_, draft: Draft) -> list[Path_]:
    """The values that a problem is about: that at its path, else those below, else the nearest above. Empty: one of them is required."""
    if path[0] == "peers" and len(path) > 1:
        return list(draft.below(path[:2]))
    if _REQUIRED & set(path[:1] + path[2:3]):
        return []
    found = [path] if path in draft.puts else list(draft.below(path))
    above = [path[:length] for length in range(len(path) - 1, 0, -1) if path[:length] in draft.puts]
    return [one for one in found or above[:1] if not _REQUIRED & set(one[:1] + one[2:3])]


def _place(path: Path_, cluster: Cluster, draft: Draft) -> str:
    """Where in the cluster.yaml the reason of a problem stands."""
    for length in range(len(path), 0, -1):
        origins = [put.origin for found, put in draft.puts.items() if found[:length] == path[:length] and put.origin is not None]
        if origins:
            return cluster.file.place(origins[0])
    return cluster.file.name


def _load(cluster: Cluster, text: str) -> LoadedStack:
    """The stack as the program will read it. FederationError when it does not load: then nothing is written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"Pulumi.{cluster.name}.yaml"
        path.write_text(text, "utf-8")
        return load_stack(path, name=f"{path.name} (converted from {cluster.file.name})")
