"""The firewall sheet as a network team wants it: a table to read, CSV for a spreadsheet, Markdown for a ticket."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cli.tools.page import Page, Table, markdown
from cli.tools.project import Stack
from cli.tools.pulumi import pulumi
from federation.reports.firewall import FirewallRow, filled, firewall_rows

_HEAD = ("direction", "unit", "from", "service", "to", "port", "protocol", "purpose", "opened by")


def firewall_sheet(stack: Stack, *, live: bool = False) -> tuple[FirewallRow, ...]:
    """The rows of a stack; `live`: with the addresses that its last `pulumi up` was given."""
    loaded = stack.load()
    rows = firewall_rows(loaded.spec, loaded.peers, loaded.plan)
    return filled(rows, _endpoints(stack)) if live else rows


def _endpoints(stack: Stack) -> Mapping[str, Mapping[str, Any]]:
    endpoints = json.loads(pulumi(stack, "stack", "output", "--json")).get("endpoints", {})
    return endpoints if isinstance(endpoints, dict) else {}


def _cells(row: FirewallRow) -> tuple[str, ...]:
    """The fields of a row, which come in the order of `_HEAD`."""
    return tuple(", ".join(value) if isinstance(value, tuple) else str(value) for value in vars(row).values())


def _table(rows: Iterable[FirewallRow]) -> Page:
    return Page((Table(_HEAD, [_cells(row) for row in rows]),))


def _csv(rows: Iterable[FirewallRow]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_HEAD, *(_cells(row) for row in rows)])
    return text.getvalue().rstrip("\n")


def _markdown(rows: Iterable[FirewallRow]) -> str:
    return markdown(_HEAD, map(_cells, rows))


FORMATS: dict[str, Callable[[Iterable[FirewallRow]], str | Page]] = {"table": _table, "csv": _csv, "markdown": _markdown}
