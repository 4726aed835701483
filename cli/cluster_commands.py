"""The verbs that look at a stack's cluster: from parsed arguments to what is printed and the exit status."""

import argparse

from cli.bundle import bundle_files, write_bundle
from cli.checks import Row, failed, rows_data, rows_text
from cli.cluster import Cluster
from cli.commands import FAILED, OK, Result, stack_of
from cli.doctor import own_rows
from cli.engine_checks import engine_password, engine_rows
from cli.files import shown
from cli.snapshot import Snapshot, look
from cli.status import status_data, status_text


def status(arguments: argparse.Namespace) -> Result:
    """`status`."""
    snapshot = _look(arguments)
    return Result(status_text(snapshot), status_data(snapshot), OK if snapshot.reachable else FAILED)


def doctor(arguments: argparse.Namespace) -> Result:
    """`doctor`, and with --engines the servers outside instead of the cluster."""
    rows = _engines(arguments) if arguments.engines else own_rows(_look(arguments))
    return Result(rows_text(rows), rows_data(rows), FAILED if failed(rows) else OK)


def support_bundle(arguments: argparse.Namespace) -> Result:
    """`support-bundle`."""
    stack = stack_of(arguments)
    loaded = stack.load()
    cluster = Cluster(loaded.spec.cluster, stack.project.folder, arguments.timeout)
    files = bundle_files(look(loaded, cluster, ("events",)), cluster, arguments.logs)
    write_bundle(files, arguments.output, f"support-{stack.name.rsplit('/', 1)[-1]}")
    text = f"written: {shown(arguments.output)}, {len(files)} files; read them before you send them"
    return Result(text, {"file": str(arguments.output), "files": sorted(files)})


def _engines(arguments: argparse.Namespace) -> list[Row]:
    stack = stack_of(arguments)
    rows = list(engine_rows(stack.load().spec, lambda credential: engine_password(stack, credential)))
    return rows or [Row("no party of this stack has an external engine", "ok")]


def _look(arguments: argparse.Namespace) -> Snapshot:
    stack = stack_of(arguments)
    loaded = stack.load()
    return look(loaded, Cluster(loaded.spec.cluster, stack.project.folder, arguments.timeout))
