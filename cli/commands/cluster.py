"""The verbs that look at a stack's cluster: from parsed arguments to what is printed and the exit status."""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cli.commands.stack import FAILED, OK, Result, registries_of, stack_of
from cli.doctor import probe
from cli.doctor.engines.checks import engine_password, engine_rows
from cli.doctor.images import image_rows
from cli.doctor.links.doctor import chosen, dialling_units, now, peer_rows
from cli.doctor.links.job import ask_in_cluster, asking_unit
from cli.doctor.links.own_addresses import own_addresses, own_asks
from cli.doctor.links.routes import route_questions, route_rows
from cli.doctor.own.bundle import bundle_files, write_bundle
from cli.doctor.own.checks import own_rows
from cli.doctor.own.preflight import examine
from cli.doctor.own.status import status_data, status_text
from cli.doctor.questions import SECONDS, guarded
from cli.doctor.rows import Row, failed, rows_data, rows_text
from cli.doctor.snapshot import Snapshot, look
from cli.reports.images import Logins
from cli.tools.errors import CommandError, UsageError
from cli.tools.files import shown
from cli.tools.kubectl import Ask, Cluster, Reading
from cli.tools.project import Stack
from federation.stack.load import LoadedStack

# Name, connection and answer each take their time.
_STEPS = 6


def status(arguments: argparse.Namespace) -> Result:
    """Show what the stack has in its cluster: modules, claims, certificates, Services, consoles. Reads the stack file and its peers'
    descriptors, and the cluster by kubectl ($KUBECTL, else PATH); no state, no passphrase, no Secret.
    """
    snapshot = _look(arguments)
    return Result(status_text(snapshot), status_data(snapshot), OK if snapshot.reachable else FAILED)


def doctor(arguments: argparse.Namespace) -> Result:
    """Check the stack's own cluster: modules, claims, certificates, quotas, addresses, node ports, classes. With peers, the links to them
    instead: names, ports, TLS, routes there and back, clocks, releases, and the route files in the cluster; with --engines or --images the
    external engines, or the registries. Exit status 1 when a check failed; what may not be read is said and does not fail. Reads what
    `status` reads; docs/rbac/viewer.yaml suffices. No cluster is changed, unless you ask for a Job with --in-cluster.
    """
    asks_peers = bool(arguments.peer) or arguments.peers
    if [arguments.engines, arguments.images, asks_peers].count(True) > 1:
        raise UsageError("ask one at a time: --engines, --images, or peers")
    if arguments.in_cluster and not asks_peers:
        raise UsageError("--in-cluster asks peers: name some, or add --peers")
    if arguments.engines:
        rows = _engines(arguments)
    elif arguments.images:
        rows = _images(arguments)
    else:
        rows = _peers(arguments) if asks_peers else own_rows(_look(arguments, examine))
    return Result(rows_text(rows), rows_data(rows), FAILED if failed(rows) else OK)


def support_bundle(arguments: argparse.Namespace) -> Result:
    """Write an archive for whoever helps: configuration without secrets, rendered objects, status, doctor, events, versions; logs when
    asked. Reads what `status` reads and runs `helm template`; writes FILE only.
    """
    stack = stack_of(arguments)
    loaded = stack.load()
    cluster = Cluster(loaded.spec.cluster, stack.project.folder, arguments.timeout)
    files = bundle_files(examine(loaded, cluster, ("events",)), cluster, arguments.logs)
    write_bundle(files, arguments.output, f"support-{stack.name.rsplit('/', 1)[-1]}")
    text = f"written: {shown(arguments.output)}, {len(files)} files; read them before you send them"
    return Result(text, {"file": str(arguments.output), "files": sorted(files)})


def _engines(arguments: argparse.Namespace) -> list[Row]:
    stack = stack_of(arguments)
    rows = list(engine_rows(stack.load().spec, lambda credential: engine_password(stack, credential)))
    return rows or [Row("no party of this stack has an external engine", "ok")]


def _images(arguments: argparse.Namespace) -> list[Row]:
    stack = stack_of(arguments)
    logins = Logins(stack, arguments.auth)
    logins.read()
    rows = image_rows(stack.load().plan, registries_of(arguments, logins.if_usable), arguments.timeout)
    left_out = logins.unusable
    return [*rows, *([] if left_out is None else [Row("logins for registries", "not readable", left_out.problem, left_out.fix)])]


def _peers(arguments: argparse.Namespace) -> list[Row]:
    """The links to peers, and the routes that lead there. The cluster is read while the servers are asked."""
    stack, end = stack_of(arguments), time.monotonic() + arguments.timeout
    loaded = stack.load()
    names = chosen(loaded, arguments.peer, every=arguments.peers)
    units = dialling_units(loaded, names)

    def ask_peers(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if arguments.in_cluster and questions:
            cluster = Cluster(loaded.spec.cluster, stack.project.folder, arguments.timeout)
            return ask_in_cluster(loaded, asking_unit(loaded), cluster, questions, arguments.timeout)
        return ask_from_here(questions)

    def ask_from_here(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return probe.ask_all(questions, end - time.monotonic(), min(SECONDS, arguments.timeout / _STEPS))

    def resolve(hosts: list[str]) -> dict[str, list[str]]:
        found = ask_from_here([{"id": host, "kind": "dns", "host": host, "port": 0} for host in hosts])
        return {answer["id"]: answer.get("addresses", []) for answer in found}

    with ThreadPoolExecutor(1) as pool:
        readings = pool.submit(_read, loaded, stack, [*route_questions(units), *own_asks(loaded)], arguments.timeout)
        rows = peer_rows(loaded, names, ask_peers, now, lambda answers: own_addresses(loaded, answers, readings.result(), resolve))
        routes = guarded("route files: everything is checked", route_rows(units, readings.result()))
        return [*rows, *routes] or [Row("no peer of this stack is active", "ok")]


def _read(loaded: LoadedStack, stack: Stack, asks: list[Ask], seconds: float) -> dict[Ask, Reading]:
    """The cluster's answers; that it does not answer is no fault of a peer."""
    try:
        found = Cluster(loaded.spec.cluster, stack.project.folder, seconds).read(asks)
    except CommandError as error:
        return dict.fromkeys(asks, Reading("not readable", reason=f"{error.problems[0].place}: {error.problems[0].problem}"))
    return {ask: Reading("not readable", reason=one.reason) if one.state == "failed" else one for ask, one in found.items()}


def _look(arguments: argparse.Namespace, ask: Callable[[LoadedStack, Cluster], Snapshot] = look) -> Snapshot:
    stack = stack_of(arguments)
    loaded = stack.load()
    return ask(loaded, Cluster(loaded.spec.cluster, stack.project.folder, arguments.timeout))
