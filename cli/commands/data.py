"""The verbs about data and jobs of a running party: `data upload`, `verify`."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.commands import names
from cli.tools import verbs
from cli.tools.errors import UsageError
from cli.tools.project import Stack
from cli.tools.verbs import FAILED, OK, Result

if TYPE_CHECKING:
    from cli.flow.reach import Reached

_AS = "the table's name, which jobs read it by; of a sample it is sample-guest or sample-host"
_SAMPLE = "made-up data of guest or host instead of FILE, for `fatefed verify`"
_SERVER = "a file in FATE-Flow's pod instead of FILE, such as on a mounted data set; needs --id, and is not checked before"
_URL = "FATE-Flow's own address instead of its pod, such as http://127.0.0.1:9380 of a tunnel; needs no stack"
_PEER = "the id of another party, such as 10000: runs a job with it; without, only the own party is asked"
_JOB = "toy: numbers go both ways; psi: the people of both samples; train: a model of both samples"
Party = Annotated[str | None, typer.Option(metavar="ID", help="the party, when the stack has several", autocompletion=names.parties)]
Url = Annotated[str | None, typer.Option(metavar="URL", help=_URL)]


@contextmanager
def _reached(stack: Stack | None, party: str | None, url: str | None) -> Iterator["Reached"]:
    """FATE-Flow of a party. Says so when it does not answer."""
    from cli.data.upload import unreachable
    from cli.flow.client import FlowUnreachable
    from cli.flow.party import own_party
    from cli.flow.reach import Reached, at_url, in_cluster
    from cli.tools.kubectl import Cluster

    try:
        own = None
        if stack is not None:
            loaded = stack.load()
            own = own_party(loaded, party)
        if url is not None:
            yield Reached(at_url(url), own)
        elif stack is not None and own is not None:
            # Sending a file takes as long as it takes, and each call has a limit of its own.
            cluster = Cluster(loaded.spec.cluster, stack.project.folder, inf)
            yield Reached(in_cluster(cluster, own.unit, own.port), own, cluster)
        else:
            raise UsageError("name the stack with -s STACK, or FATE-Flow with --url URL")
    except FlowUnreachable as error:
        raise unreachable(error) from None


def upload(
    stack: Stack | None = None,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="a CSV with a header", show_default=False)] = None,
    name: Annotated[str | None, typer.Option("--as", metavar="NAME", help=_AS)] = None,
    party: Party = None,
    namespace: Annotated[str, typer.Option(metavar="NS", help="FATE's namespace of the table, no namespace of Kubernetes")] = "fatefed",
    id_column: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="the column of IDs (default: the first)")] = None,
    label: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="the column that a model shall predict; the guest's file has one")
    ] = None,
    partitions: Annotated[int, typer.Option(metavar="COUNT", help="parts that FATE works on at once", min=1)] = 4,
    sample: Annotated[Literal["guest", "host"] | None, typer.Option(help=_SAMPLE)] = None,
    server_path: Annotated[str | None, typer.Option(metavar="PATH", help=_SERVER)] = None,
    replace: Annotated[bool, typer.Option("--replace", help="delete a table of that name first")] = False,
    url: Url = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="for FATE-Flow's job")] = 900,
) -> Result:
    """Make a table of FATE-Flow from a file, so that jobs can read it: checks the file, sends it to FATE-Flow of FATE 2.x, waits for its
    job, and prints how many rows the table has. Sends nothing when the file has a problem, or a table of that name is there. Reads the
    stack file, and reaches FATE-Flow by `kubectl exec` (docs/rbac/jobs.yaml) or --url. No cluster is changed: FATE-Flow keeps the table.

    Example: `fatefed data upload patients.csv --as patients --label died --party 9999 -s hospital`
    """
    from cli.data import sample as samples
    from cli.data.csv_check import Columns, check_csv
    from cli.data.upload import Source, Table
    from cli.data.upload import upload as make

    if [file, sample, server_path].count(None) != 2:
        raise UsageError("name one thing to upload: FILE, --sample, or --server-path")
    if server_path is not None and id_column is None:
        raise UsageError("--server-path: name the column of IDs with --id, because the file is not read before")
    name = name or (samples.sample_name(sample) if sample else None)
    if name is None:
        raise UsageError("name the table with --as NAME")
    with ExitStack() as opened:
        if sample is not None:
            file = Path(opened.enter_context(TemporaryDirectory())) / f"{name}.csv"
            file.write_text(samples.sample(sample))
            id_column, label = "id", samples.LABEL[sample]
        columns = Columns(str(id_column), label) if file is None else check_csv(file, id_column, label)
        reached = opened.enter_context(_reached(stack, party, url))
        made = make(reached.flow, Source(file, columns, server_path or ""), Table(namespace, name), partitions, timeout, replace=replace)
    results = {"namespace": namespace, "name": name, "rows": made.rows, "job": made.job.id, "seconds": round(made.job.seconds, 1)}
    text = f"table {made.table}: {made.rows} rows (job {made.job.id}, {made.job.seconds:.0f} s)"
    return Result(text, {**results, "replaced": made.replaced})


def verify(
    stack: Stack | None = None,
    peer: Annotated[str | None, typer.Option(metavar="ID", help=_PEER)] = None,
    job: Annotated[Literal["toy", "psi", "train"], typer.Option(help=_JOB)] = "toy",
    party: Party = None,
    url: Url = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="for everything; a job that lasts longer is stopped")] = 900,
) -> Result:
    """Run real jobs of FATE 2.x, as an acceptance test. Without --peer: FATE-Flow answers, and makes a table of made-up data. With --peer:
    a job of both parties, in which the own one is the guest. For psi and train the peer's operator first runs `fatefed data upload --sample
    host`. Each row that fails names the hop and who has to act; exit status 1 then. Reads the stack file, and reaches FATE-Flow by
    `kubectl exec` (docs/rbac/jobs.yaml) or --url. No cluster is changed: FATE-Flow keeps the job and the sample.

    Example: `fatefed verify --peer 10000 --job train -s bank-a`
    """
    from pydantic import TypeAdapter, ValidationError

    from cli.doctor.rows import failed, rows_data, rows_text
    from cli.verify.acceptance import Acceptance
    from cli.verify.links import evidence_of, link_of
    from federation.base.scalars import PartyId

    if peer is not None:
        try:
            TypeAdapter(PartyId).validate_python(peer)
        except ValidationError:
            raise UsageError(f"--peer {peer}: must be the id of a party, such as 10000") from None
    with _reached(stack, party, url) as reached:
        link = link_of(stack, reached.own, peer)
        own = reached.own.id if reached.own else None
        results = Acceptance(reached.flow, own, link, timeout, evidence_of(reached)).run(job)
    return Result(rows_text(results.rows), {**rows_data(results.rows), "result": results.numbers}, FAILED if failed(results.rows) else OK)


DATA = verbs.group("data", "Bring data into FATE-Flow.", ("upload", upload))
