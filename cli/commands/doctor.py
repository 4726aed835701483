"""The verbs that look at a stack's cluster: `status`, `doctor`, `support-bundle`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands import names
from cli.commands.reports import Auth, Ca
from cli.tools.errors import UsageError
from cli.tools.files import shown
from cli.tools.project import Stack
from cli.tools.verbs import FAILED, OK, Result

_INSIDE = "ask peers from a pod: makes a Job with FATE-Flow's image in the party's namespace, and deletes it (docs/rbac/doctor-job.yaml)"
_ENGINES = "ask the external engines instead, each question for at most 10 s: reads their passwords with `pulumi config get`"
_IMAGES = "ask the registries for every image instead, from this machine; nothing is pulled, and no row fails"
_LOGS = "also the last LINES lines of each pod; FATE's logs may name data sets and columns (default: none)"
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="for all questions together")]


def status(stack: Stack, timeout: Timeout = 30) -> Result:
    """Show what the stack has in its cluster: modules, claims, certificates, Services, endpoints, consoles; and its peers. Reads the stack
    file and its peers' descriptors, and the cluster by kubectl ($KUBECTL, else PATH); no state, no passphrase, no Secret.

    Example: `fatefed status -s bank-a`
    """
    from cli.commands.rows import look_at
    from cli.doctor.own.status import status_data, status_text

    snapshot = look_at(stack, timeout)
    return Result(status_text(snapshot), status_data(snapshot), OK if snapshot.reachable else FAILED)


def doctor(
    stack: Stack,
    peer: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PEER",
            help="ask about the links to these peers, by their names under fate:peers",
            autocompletion=names.peers,
            show_default=False,
        ),
    ] = None,
    peers: Annotated[bool, typer.Option("--peers", help="ask about the links to every active peer")] = False,
    in_cluster: Annotated[bool, typer.Option("--in-cluster", help=_INSIDE)] = False,
    engines: Annotated[bool, typer.Option("--engines", help=_ENGINES)] = False,
    images: Annotated[bool, typer.Option("--images", help=_IMAGES)] = False,
    auth: Auth = None,
    ca: Ca = None,
    timeout: Timeout = 30,
) -> Result:
    """Check the stack's own cluster: modules, claims, certificates, quotas, addresses, node ports, classes. With peers, the links to them
    instead: names, ports, TLS, routes there and back, clocks, releases, and the route files in the cluster; with --engines or --images the
    external engines, or the registries. Exit status 1 when a check failed; what may not be read is said and does not fail. Reads what
    `status` reads; docs/rbac/viewer.yaml suffices. No cluster is changed, unless you ask for a Job with --in-cluster.

    Example: `fatefed doctor consortium -s bank-a`
    """
    asks_peers = bool(peer) or peers
    if [engines, images, asks_peers].count(True) > 1:
        raise UsageError("ask one at a time: --engines, --images, or peers")
    if in_cluster and not asks_peers:
        raise UsageError("--in-cluster asks peers: name some, or add --peers")
    from cli.commands import rows as asked
    from cli.doctor.own.checks import own_rows
    from cli.doctor.own.preflight import examine
    from cli.doctor.rows import failed, rows_data, rows_text

    if engines:
        rows = asked.of_engines(stack)
    elif images:
        rows = asked.of_images(stack, auth, ca, timeout)
    elif asks_peers:
        rows = asked.of_peers(stack, peer or [], timeout, every=peers, in_cluster=in_cluster)
    else:
        rows = own_rows(asked.look_at(stack, timeout, examine))
    return Result(rows_text(rows), rows_data(rows), FAILED if failed(rows) else OK)


def support_bundle(
    stack: Stack,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="where to write it, such as bundle.tar.gz")],
    logs: Annotated[int, typer.Option(metavar="LINES", help=_LOGS, show_default=False)] = 0,
    timeout: Timeout = 120,
) -> Result:
    """Write an archive for whoever helps: configuration without secrets, rendered objects, status, doctor, events, versions; logs when
    asked. Reads what `status` reads and runs `helm template`; writes FILE only.

    Example: `fatefed support-bundle -s bank-a -o bundle.tar.gz`
    """
    from cli.doctor.own.bundle import bundle_files, write_bundle
    from cli.doctor.own.preflight import examine
    from cli.tools.kubectl import Cluster

    loaded = stack.load()
    cluster = Cluster(loaded.spec.cluster, stack.project.folder, timeout)
    files = bundle_files(examine(loaded, cluster, ("events",)), cluster, logs)
    write_bundle(files, output, f"support-{stack.name.rsplit('/', 1)[-1]}")
    text = f"written: {shown(output)}, {len(files)} files; read them before you send them"
    return Result(text, {"file": str(output), "files": sorted(files)})
