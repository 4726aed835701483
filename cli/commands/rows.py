"""The rows of `doctor`: what a stack's cluster, its peers, engines and registries answer, put together."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cli.commands.reports import registries
from cli.doctor import probe
from cli.doctor.engines.checks import engine_password, engine_rows
from cli.doctor.images import image_rows
from cli.doctor.links.doctor import chosen, dialling_units, now, peer_rows
from cli.doctor.links.job import ask_in_cluster, asking_unit
from cli.doctor.links.own_addresses import own_addresses, own_asks
from cli.doctor.links.routes import route_questions, route_rows
from cli.doctor.questions import SECONDS, guarded
from cli.doctor.rows import Row
from cli.doctor.snapshot import Snapshot, look
from cli.reports.images import Logins
from cli.tools.errors import CommandError
from cli.tools.kubectl import Ask, Cluster, Reading
from cli.tools.progress import waits_for
from cli.tools.project import Stack
from federation.stack.load import LoadedStack

# Name, connection and answer each take their time.
_STEPS = 6


def of_engines(stack: Stack) -> list[Row]:
    """The external engines of the stack's parties."""
    rows = list(engine_rows(stack.load().spec, lambda credential: engine_password(stack, credential)))
    return rows or [Row("no party of this stack has an external engine", "ok")]


def of_images(stack: Stack, auth: Path | None, ca: Path | None, seconds: float) -> list[Row]:
    """The registries of the stack's images."""
    logins = Logins(stack, auth)
    logins.read()
    rows = image_rows(stack.load().plan, registries(ca, logins.if_usable), seconds)
    left_out = logins.unusable
    return [*rows, *([] if left_out is None else [Row("logins for registries", "not readable", left_out.problem, left_out.fix)])]


def of_peers(stack: Stack, peers: list[str], seconds: float, *, every: bool, in_cluster: bool) -> list[Row]:
    """The links to peers, and the routes that lead there. The cluster is read while the servers are asked."""
    end, loaded = time.monotonic() + seconds, stack.load()
    names = chosen(loaded, peers, every=every)
    units = dialling_units(loaded, names)

    def ask_peers(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if in_cluster and questions:
            cluster = Cluster(loaded.spec.cluster, stack.project.folder, seconds)
            return ask_in_cluster(loaded, asking_unit(loaded), cluster, questions, seconds)
        return ask_from_here(questions)

    def ask_from_here(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        waits_for("answers of peers")
        return probe.ask_all(questions, end - time.monotonic(), min(SECONDS, seconds / _STEPS))

    def resolve(hosts: list[str]) -> dict[str, list[str]]:
        answers = ask_from_here([{"id": host, "kind": "dns", "host": host, "port": 0} for host in hosts])
        return {answer["id"]: answer.get("addresses", []) for answer in answers}

    with ThreadPoolExecutor(1) as pool:
        readings = pool.submit(_read, loaded, stack, [*route_questions(units), *own_asks(loaded)], seconds)
        rows = peer_rows(loaded, names, ask_peers, now, lambda answers: own_addresses(loaded, answers, readings.result(), resolve))
        routes = guarded("route files: everything is checked", route_rows(units, readings.result()))
        return [*rows, *routes] or [Row("no peer of this stack is active", "ok")]


def _read(loaded: LoadedStack, stack: Stack, asks: list[Ask], seconds: float) -> dict[Ask, Reading]:
    """The cluster's answers; that it does not answer is no fault of a peer."""
    try:
        readings = Cluster(loaded.spec.cluster, stack.project.folder, seconds).read(asks)
    except CommandError as error:
        return dict.fromkeys(asks, Reading("not readable", reason=f"{error.problems[0].place}: {error.problems[0].problem}"))
    return {ask: Reading("not readable", reason=one.reason) if one.state == "failed" else one for ask, one in readings.items()}


def look_at(stack: Stack, seconds: float, ask: Callable[[LoadedStack, Cluster], Snapshot] = look) -> Snapshot:
    """What the stack has in its cluster."""
    loaded = stack.load()
    return ask(loaded, Cluster(loaded.spec.cluster, stack.project.folder, seconds))
