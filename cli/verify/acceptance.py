"""`fatefed verify`: FATE-Flow answers, makes a table, and runs a job with a peer; each row says what was seen, or who has to act."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Literal

from cli.data.csv_check import check_csv
from cli.data.sample import LABEL, SHARED, sample, sample_name
from cli.data.upload import NAMESPACE, Source, Table, upload
from cli.doctor.rows import Row
from cli.flow.client import NO_TABLE, OK, Flow, FlowUnreachable
from cli.flow.jobs import SUCCESS, Job, submitted, watched
from cli.tools.errors import CommandError
from cli.verify import dags
from cli.verify.diagnosis import Failure, Link, of_ended, of_late, of_refused, of_site

JobName = Literal["toy", "psi", "train"]
# Hetero SecureBoost of three trees reaches 0.956 on the sample, every time; one that learned nothing has 0.5.
AUC_FLOOR = 0.9
_PARTITIONS = 4


@dataclass(frozen=True)
class Result:
    """What was seen. `numbers`: of the job with the peer: seconds, shared people, AUC."""

    rows: tuple[Row, ...]
    numbers: Mapping[str, Any]


@dataclass
class Acceptance:
    """One run. `own`: the party that FATE-Flow must be; None: nobody said. `evidence`: what the broker says of its links for a job's id."""

    flow: Flow
    own: str | None
    to_peer: Callable[[str], Link] | None
    seconds: float
    evidence: Callable[[str], Sequence[str]]

    def run(self, job: JobName) -> Result:
        """Every row: of the own party, or (`to_peer`) of a job with a peer."""
        self._end, self._numbers = monotonic() + self.seconds, dict[str, Any]()
        return Result(tuple(self._rows(job)), self._numbers)

    def _rows(self, job: JobName) -> Iterator[Row]:
        try:
            site = self.flow.get("site/info/query")
            own = str(site.field("party_id")) if site.code == OK else ""
        except FlowUnreachable as error:
            fix = "you: `fatefed doctor` says how its pod is; your account needs docs/rbac/jobs.yaml in its namespace"
            yield Row("FATE-Flow answers", "failed", f"own FATE-Flow: {error}", fix)
            return
        if site.code != OK:
            yield _row("FATE-Flow answers", of_site(site))
            return
        if self.own not in (None, own):
            yield Row("FATE-Flow answers", "failed", f"it is party {own}, not {self.own}", "you: check --party, or --url")
            return
        yield Row(f"FATE-Flow of party {own} answers", "ok")
        try:
            yield from self._alone() if self.to_peer is None else self._with(self.to_peer(own), job)
        except FlowUnreachable as error:
            yield Row("FATE-Flow keeps answering", "failed", f"own FATE-Flow: {error}", "you: `fatefed doctor`: did its pod restart?")

    def _alone(self) -> Iterator[Row]:
        """A job of one party: an upload needs its database, its storage, and processes that compute."""
        yield self._uploaded("guest", replace=True)

    def _uploaded(self, role: str, *, replace: bool) -> Row:
        """The own sample, which is made unless it is there."""
        table, check = Table(NAMESPACE, sample_name(role)), f"a table is made of the sample of the {role}"
        answer = self.flow.get("table/query", namespace=table.namespace, name=table.name)
        if answer.code != NO_TABLE and not replace:
            return Row(f"table {table} is there", "ok")
        with TemporaryDirectory() as folder:
            file = Path(folder) / "sample.csv"
            file.write_text(sample(role))
            source = Source(file, check_csv(file, "id", LABEL[role]))
            try:
                made = upload(self.flow, source, table, _PARTITIONS, self._left(), replace=True)
            except CommandError as error:
                problem = error.problems[0]
                return Row(check, "failed", f"{problem.place}: {problem.problem}", f"you: {problem.remedy}")
        return Row(f"{check}: {made.rows} rows in {made.job.seconds:.0f} s", "ok")

    def _with(self, link: Link, name: JobName) -> Iterator[Row]:
        """A job of two parties; the own one is the guest."""
        if name != "toy":
            row = self._uploaded("guest", replace=False)
            yield row
            if row.state == "failed":
                return
        check = f"job {name} with {link}"
        answer = submitted(self.flow, getattr(dags, name)(link.own, link.peer))
        if answer.code != OK:
            yield _row(check, of_refused(answer, link))
            return
        down: list[str] = []
        job = watched(self.flow, answer.job_id, self._left(), lambda: down.extend(self.evidence(answer.job_id)))
        self._numbers |= {"job": job.id, "seconds": round(job.seconds, 1)}
        if job.late:
            yield _row(check, of_late(job, link, down))
        elif job.status != SUCCESS:
            yield _row(check, of_ended(job, link, None if name == "toy" else f"{NAMESPACE}/{sample_name('host')}"))
        else:
            yield Row(f"{check}: success in {job.seconds:.0f} s (job {job.id})", "ok")
            yield from self._results(job, name, link)

    def _results(self, job: Job, name: JobName, link: Link) -> Iterator[Row]:
        """What the job found out, which is known before."""
        if name in ("psi", "train"):
            shared = next(_values(self._metrics(job, link, dags.PSI), "intersect_count"), None)
            self._numbers["shared"] = shared
            yield _expected(f"the parties share {shared} people of the samples", shared == SHARED, f"{SHARED} are in both samples")
        if name == "train":
            auc = next(
                (value.get("val") for value in _maps(self._metrics(job, link, dags.EVALUATION)) if value.get("metric") == "auc"), None
            )
            self._numbers["auc"] = auc
            good = isinstance(auc, float) and auc >= AUC_FLOOR
            shown = f"{auc:.4f}" if isinstance(auc, float) else auc
            yield _expected(f"the model of both parties' columns has AUC {shown}", good, f"at least {AUC_FLOOR} is expected")

    def _metrics(self, job: Job, link: Link, task: str) -> Any:
        return self.flow.get("output/metric/query", job_id=job.id, role="guest", party_id=link.own, task_name=task).data

    def _left(self) -> float:
        return max(0.0, self._end - monotonic())


def _row(check: str, failure: Failure) -> Row:
    return Row(check, "failed", failure.problem, failure.fix)


def _expected(check: str, good: bool, otherwise: str) -> Row:
    fix = "both operators: delete the samples, and upload them again with `fatefed data upload --sample ROLE --replace`"
    return Row(check, "ok") if good else Row(check, "failed", otherwise, fix)


def _maps(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every map in a metric, at any depth."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict):
        yield value
    for one in inside:
        yield from _maps(one)


def _values(value: Any, key: str) -> Iterator[Any]:
    return (one[key] for one in _maps(value) if key in one)
