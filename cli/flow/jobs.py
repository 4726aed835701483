"""A job of FATE-Flow: submitted, watched until it ends or the time is over, and stopped when nobody waits for it any more."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.flow.client import OK, Answer, Flow, FlowUnreachable
from cli.tools.progress import waits_for
from cli.tools.text import one_line

SUCCESS = "success"
_ENDED = frozenset({SUCCESS, "failed", "canceled", "timeout"})
# Each look starts kubectl and a process in the pod.
_EVERY_SECONDS = 5.0
# A pod that restarts, or a tunnel that is cut, is back sooner; the job runs on meanwhile.
_PATIENCE_SECONDS = 60.0
_LONGEST_REASON = 300


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
    """Wait for the end of a job. One that lasts longer, or that Ctrl-C interrupts, is stopped.

    FlowUnreachable when FATE-Flow says nothing of the job for a minute; the job is stopped then, if that can be done.
    `before_stop`: what is to be looked at while the late job still runs.
    """
    began, states = time.monotonic(), _states(flow, job_id)
    try:
        while True:
            status, tasks = next(states)
            waited = time.monotonic() - began
            if status in _ENDED:
                return Job(job_id, status, waited, tasks)
            if waited > seconds:
                before_stop()
                stop(flow, job_id)
                return Job(job_id, status, waited, tasks, late=True)
            running = ", ".join(task.name for task in tasks if task.status == "running")
            waits_for(f"job {job_id}: {status}{f', {running}' if running else ''}")
    except KeyboardInterrupt:
        stop(flow, job_id)
        raise


def stop(flow: Flow, job_id: str) -> bool:
    """Stop a job at every party: FATE lets a job without progress run for three days. Whether FATE-Flow says that it does."""
    waits_for(f"stopping job {job_id}")
    try:
        return flow.post("job/stop", {"job_id": job_id}).code == OK
    except FlowUnreachable:
        return False


def tasks_of(flow: Flow, job_id: str) -> tuple[Task, ...]:
    """Its tasks, in the order in which they were made."""
    answer = flow.get("job/task/query", job_id=job_id)
    rows: Sequence[Mapping[str, Any]] = answer.data if answer.code == OK and isinstance(answer.data, list) else ()
    return tuple(Task(*(str(row.get(key) or "") for key in ("task_name", "status", "party_status", "error_report"))) for row in rows)


def _states(flow: Flow, job_id: str) -> Iterator[tuple[str, tuple[Task, ...]]]:
    """A job's status and tasks, again and again. FlowUnreachable when FATE-Flow has not told them for too long."""
    silent_since: float | None = None
    while True:
        try:
            state = _status(flow, job_id), tasks_of(flow, job_id)
        except FlowUnreachable as error:
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > _PATIENCE_SECONDS:
                raise _lost(flow, job_id, error) from None
            waits_for(f"job {job_id}: {error}; asking again")
        else:
            silent_since = None
            yield state
        time.sleep(_EVERY_SECONDS)


def _lost(flow: Flow, job_id: str, last: FlowUnreachable) -> FlowUnreachable:
    """Of a job that FATE-Flow says nothing about; it is asked to stop it."""
    by_hand = f"it may still run at every party: stop it with `flow job stop -j {job_id}` in the module client"
    end = "it is stopped" if stop(flow, job_id) else by_hand
    return FlowUnreachable(f"nothing is known of job {job_id} for {_PATIENCE_SECONDS:.0f} s ({last}); {end}")


def _status(flow: Flow, job_id: str) -> str:
    """Of a job whose own parties have one status, that one; else the first that is not success. FlowUnreachable when none is told."""
    answer = flow.get("job/query", job_id=job_id)
    if answer.code != OK:
        raise FlowUnreachable(f"FATE-Flow answers {answer.code}: {one_line(answer.message)[:_LONGEST_REASON]}")
    if not isinstance(answer.data, list) or not answer.data:
        raise FlowUnreachable("FATE-Flow answers without the job")
    return next((status for row in answer.data if (status := str(row.get("status"))) != SUCCESS), SUCCESS)
