"""`fatefed data upload`: a file becomes a table of FATE-Flow that jobs read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import replace as replace_
from pathlib import Path
from typing import Any

from cli.data.csv_check import Columns
from cli.flow.client import NO_TABLE, OK, Answer, Flow, FlowUnreachable
from cli.flow.jobs import SUCCESS, Job, watched
from cli.tools.errors import CommandError
from cli.tools.progress import waits_for
from cli.tools.text import one_line

# Of tables, where nobody chooses another one: FATE's namespace, not one of Kubernetes.
NAMESPACE = "fatefed"
_LONGEST_REASON = 600
_LOGS = "`fatefed logs fateflow` says why"


@dataclass(frozen=True)
class Table:
    """A table by FATE's two names."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Source:
    """What becomes a table: a file of this machine, or (None) one at `server_path` in FATE-Flow's pod, which was not read."""

    file: Path | None
    columns: Columns
    server_path: str = ""


@dataclass(frozen=True)
class Uploaded:
    """A table that was made. `replaced`: one of its name was deleted before."""

    table: Table
    rows: int
    job: Job
    replaced: bool = False


def upload(flow: Flow, source: Source, table: Table, partitions: int, seconds: float, *, replace: bool = False) -> Uploaded:
    """Let FATE-Flow make a table, and wait for it. CommandError when one is there already and shall not be replaced, or when it fails."""
    before = _count(flow, table)
    if before is not None and not replace:
        raise CommandError(
            f"table {table}",
            f"exists, with {before} rows; nothing was sent",
            "add --replace to replace it, or choose another name with --as",
        )
    if before is None:
        return _made(flow, source, table, partitions, seconds)
    # FATE-Flow makes no table over another one, and renames none.
    _must(f"table {table}", flow.post("table/delete", {"namespace": table.namespace, "name": table.name}))
    try:
        return replace_(_made(flow, source, table, partitions, seconds), replaced=True)
    except FlowUnreachable as error:
        (problem,) = unreachable(error).problems
    except CommandError as error:
        (problem,) = error.problems
    gone = f"the table that was there, with {before} rows, is deleted"
    raise CommandError(problem.place, f"{problem.problem}; {gone}", problem.remedy)


def _made(flow: Flow, source: Source, table: Table, partitions: int, seconds: float) -> Uploaded:
    meta, place = _meta(source.columns), f"upload to {table}"
    if source.file is None:
        waits_for(f"FATE-Flow begins to read {source.server_path}")
        body = {"file": source.server_path, "head": True, "partitions": partitions, "extend_sid": True, "meta": meta}
        answer = flow.post("data/component/upload", {**body, "namespace": table.namespace, "name": table.name})
    else:
        fields = {"head": "True", "partitions": str(partitions), "extend_sid": "True", "meta": json.dumps(meta)}
        fields |= {"namespace": table.namespace, "name": table.name}
        answer = flow.send("data/component/upload/file", fields, source.file, _shown_progress(source.file))
    job = _ended(watched(flow, _must(place, answer).job_id, seconds))
    rows = _count(flow, table)
    if rows is None or (source.file is not None and rows != source.columns.rows):
        sent = f", and the file has {source.columns.rows}" if source.file is not None else ""
        raise CommandError(f"table {table}", f"has {rows or 'no'} rows after job {job.id}{sent}", _LOGS)
    return Uploaded(table, rows, job)


def _count(flow: Flow, table: Table) -> int | None:
    """How many rows a table has, as FATE-Flow says; None: there is none."""
    answer = flow.get("table/query", namespace=table.namespace, name=table.name)
    return None if answer.code == NO_TABLE else int(_must(f"table {table}", answer).field("count"))


def _shown_progress(file: Path) -> Callable[[int], None]:
    size = file.stat().st_size

    def sent(done: int) -> None:
        waits_for(f"sending {file.name}: {done * 100 // size} %" if done < size else f"{file.name} is sent; FATE-Flow begins its job")

    return sent


def _meta(columns: Columns) -> Mapping[str, Any]:
    """What FATE-Flow must know of the columns (MetaParam of its component `upload`)."""
    meta: dict[str, Any] = {
        "delimiter": ",",
        "dtype": "float32",
        "input_format": "dense",
        "match_id_name": columns.id,
        "match_id_range": 0,
        "sample_id_name": columns.id,
        "tag_value_delimiter": ":",
        "tag_with_value": False,
        "weight_type": "float32",
    }
    if columns.label is not None:
        meta |= {"label_name": columns.label, "label_type": "int32" if columns.label_is_whole else "float32"}
    return meta


def _ended(job: Job) -> Job:
    """A job that made a table."""
    if job.late:
        raise CommandError(
            f"job {job.id}", f"was {job.status} after {job.seconds:.0f} s, and is stopped", f"allow more with --timeout; {_LOGS}"
        )
    if job.status != SUCCESS:
        reason = next((f": {task.name}: {one_line(task.error)[-_LONGEST_REASON:]}" for task in job.tasks if task.error), "")
        remedy = _LOGS if reason else f"`fatefed check` warns of a party that has too few cores for a job; else {_LOGS}"
        raise CommandError(f"job {job.id}", f"ended as {job.status}{reason or ' before any task said why'}", remedy)
    return job


def _must(place: str, answer: Answer) -> Answer:
    """An answer that says yes."""
    if answer.code != OK:
        raise CommandError(place, f"FATE-Flow answers {answer.code}: {one_line(answer.message)[-_LONGEST_REASON:]}", _LOGS)
    return answer


def unreachable(error: FlowUnreachable) -> CommandError:
    """The problem of a FATE-Flow that does not answer."""
    return CommandError(
        "FATE-Flow", str(error), "`fatefed doctor` says how its pod is; your account needs docs/rbac/jobs.yaml in its namespace"
    )
