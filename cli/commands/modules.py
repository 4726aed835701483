"""The verbs about one module of a running stack: `logs`, `open`."""

import os
import sys
import webbrowser
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands import names
from cli.tools.errors import UsageError
from cli.tools.output import say
from cli.tools.project import Stack
from cli.tools.text import log_line, printable
from cli.tools.verbs import FAILED, OK, Result

if TYPE_CHECKING:
    from cli.doctor.own.logs import Module

_UNIT = "which unit, such as party-10000; needed when several have it"
_MODULE = "as `fatefed status` names it, or the stack file: fateflow, spark-worker, spark, ..."
_CONSOLE = "fateboard, notebook, spark, rabbitmq, pulsar, namenode, ...: what the stack has"
Unit = Annotated[str | None, typer.Option(metavar="UNIT", help=_UNIT, autocompletion=names.units)]


def logs(
    stack: Stack,
    module: Annotated[str, typer.Argument(metavar="MODULE", help=_MODULE, autocompletion=names.modules)],
    unit: Unit = None,
    tail: Annotated[int, typer.Option(metavar="LINES", help="how many lines of each container, the last ones; -1: all")] = 100,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="only what is newer, such as 10m or 2h")] = None,
    previous: Annotated[bool, typer.Option("--previous", help="of the containers before their last restart")] = False,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="go on with what comes, until Ctrl-C")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="for finding the pods")] = 30,
    as_json: bool = False,
) -> Result:
    """Print what a module's pods print, each line behind its pod and container. FATE's logs may name data sets and columns. Reads the stack
    file, and the cluster by kubectl ($KUBECTL, else PATH); writes nothing. Exit status 1 when no container has a line.

    Example: `fatefed logs fateflow -s bank-a --since 10m`
    """
    from cli.doctor.own.logs import find_module, read_logs
    from cli.tools.kubectl import Cluster

    if follow and as_json:
        raise UsageError("--follow never ends: drop it, or --json")
    loaded = stack.load()
    wanted = find_module(loaded, module, unit)
    options = [f"--tail={tail}", *([f"--since={since}"] if since else []), *(["--previous"] if previous else [])]
    cluster = Cluster(loaded.spec.cluster, stack.project.folder, timeout)
    lines = _written(map(log_line, read_logs(wanted, cluster, [*options, *(["--follow"] if follow else [])])))
    if as_json:
        kept = [*lines]
        return _logged(wanted, kept, some=bool(kept))
    some = False
    try:
        for line in lines:
            say(line)
            some = True
    except KeyboardInterrupt:
        if not follow:
            raise
    return _logged(wanted, [], some=some or follow)


def _logged(wanted: "Module", lines: list[str], *, some: bool) -> Result:
    data = {"unit": wanted.unit.key, "modules": list(wanted.components), "lines": lines}
    return Result("", data, OK if some else FAILED, "" if some else f"no container of {wanted} has a line")


def _written(lines: Iterable[str]) -> Iterator[str]:
    """What containers wrote. Why others have nothing, which stands behind no name of a pod, goes to standard error."""
    for line in lines:
        if line.startswith("[pod/"):
            yield line
        else:
            say(line, sys.stderr)


def open_console(
    stack: Stack,
    console: Annotated[str, typer.Argument(metavar="CONSOLE", help=_CONSOLE, autocompletion=names.consoles)],
    unit: Unit = None,
    only_print: Annotated[bool, typer.Option("--print", help="print the URL, or the command that forwards a port, and do nothing")] = False,
    as_json: bool = False,
) -> Result:
    """Open a console in the browser: at its URL when the stack publishes it (fate:boards), else through `kubectl port-forward` on loopback,
    until Ctrl-C. Prints the URL in any case, and starts a browser in a terminal only. Reads the stack file; writes nothing.

    Example: `fatefed open fateboard -s bank-a`
    """
    from cli.doctor.own.consoles import FORWARDED, find_console, forwarded
    from cli.tools.kubectl import Cluster

    loaded = stack.load()
    wanted = find_console(loaded, console, unit)
    data = {"console": wanted.name, "unit": wanted.unit.key, "url": wanted.url or wanted.local_url(), "published": wanted.url is not None}
    if wanted.url is not None:
        if not (only_print or as_json):
            _browse(wanted.url)
        return Result(wanted.url, {**data, "portForward": None})
    cluster = Cluster(loaded.spec.cluster, stack.project.folder, 0)
    command = cluster.typed(wanted.forward())
    if only_print or as_json:
        return Result(f"{command}\n{wanted.local_url()}", {**data, "portForward": command})
    say(f"{wanted.name} of {wanted.unit.key} is not published: kubectl forwards a port of this machine to it, until Ctrl-C", sys.stderr)
    try:
        for line in forwarded(wanted, cluster):
            reached = line.startswith(FORWARDED)
            say(printable(line), sys.stdout if reached else sys.stderr)
            if reached:
                _browse(line)
    except KeyboardInterrupt:
        say("", sys.stderr)
    return Result("", data)


def _browse(url: str) -> None:
    """Show a page in a browser with windows. Not without a terminal, nor in one of another machine: the URL is printed anyway."""
    windows = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    if windows and sys.stdout.isatty():
        webbrowser.open(url)
