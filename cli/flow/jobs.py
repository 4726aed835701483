"""A job of FATE-Flow: submitted, watched until it ends or the time is over, and stopped when nobody waits for it any more."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cli.flow.client import OK, Answer, Flow, FlowUnreachable
from cli.tools.progress import waits_for

SUCCESS = "success"
_ENDED = frozenset({SUCCESS, "failed", "canceled", "timeout"})
_EVERY_SECONDS = 2.0


@dataclass(frozen=True)
class Task:
    """One task as the own FATE-Flow knows it. `status`: of all parties together; `own`: of this party; `error`: what its process said."""

    name: str
    status: str
    own: str
    error: str


@dataclass(frozen=True)
class Job:
    """A job that was watched. `status`: its last one; `late`: the time was over before it ended."""

    id: str
    status: str
    seconds: float
    tasks: tuple[Task, ...]
    late: bool = False


def submitted(flow: Flow, dag: Mapping[str, Any]) -> Answer:
    """FATE-Flow's answer to a new job; with code 0, `job_id` is its id."""
    return flow.post("job/submit", {"dag_schema": dag})


def watched(flow: Flow, job_id: str, seconds: float, before_stop: Callable[[], None] = lambda: None) -> Job:
    """Wait for the end of a job. One that lasts longer, or that Ctrl-C interrupts, is stopped; FlowUnreachable also stops waiting.

    `before_stop`: what is to be looked at while the late job still runs.
    """
    began = time.monotonic()
    try:
        while True:
            status, tasks = _status(flow, job_id), tasks_of(flow, job_id)
            waited = time.monotonic() - began
            if status in _ENDED:
                return Job(job_id, status, waited, tasks)
            if waited > seconds:
                before_stop()
                stop(flow, job_id)
                return Job(job_id, status, waited, tasks, late=True)
            running = ", ".join(task.name for task in tasks if task.status == "running")
            waits_for(f"job {job_id}: {status}{f', {running}' if running else ''}")
            time.sleep(_EVERY_SECONDS)
    except KeyboardInterrupt:
        stop(flow, job_id)
        raise


def stop(flow: Flow, job_id: str) -> None:
    """Stop a job at every party, as far as FATE-Flow answers: FATE lets a job without progress run for three days."""
    waits_for(f"stopping job {job_id}")
    with suppress(FlowUnreachable):
        flow.post("job/stop", {"job_id": job_id})


def tasks_of(flow: Flow, job_id: str) -> tuple[Task, ...]:
    """Its tasks, in the order in which they were made."""
    answer = flow.get("job/task/query", job_id=job_id)
    rows: Sequence[Mapping[str, Any]] = answer.data if answer.code == OK and isinstance(answer.data, list) else ()
    return tuple(Task(*(str(row.get(key) or "") for key in ("task_name", "status", "party_status", "error_report"))) for row in rows)


def _status(flow: Flow, job_id: str) -> str:
    """Of a job whose own parties have one status, that one; else the first that is not success."""
    answer = flow.get("job/query", job_id=job_id)
    if answer.code != OK or not isinstance(answer.data, list):
        return answer.message
    return next((status for row in answer.data if (status := str(row.get("status"))) != SUCCESS), SUCCESS)
