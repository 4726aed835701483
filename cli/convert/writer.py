"""The draft as text: a stack file whose comments say where each value comes from, what changed and what is missing.

Spelled as Pulumi spells it, so that `pulumi config set` changes only what it is told: no blank lines, one space before a comment.
"""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import yaml

from cli.convert.clusters import Cluster
from cli.convert.draft import Draft, Put
from cli.convert.source import Path_, dotted

_WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z0-9./][A-Za-z0-9._/:-]*")
_SECTIONS = {
    "organization": "Who owns this stack, its cluster and its keys.",
    "federation": "The federation, in the same words in the stack of every member.",
    "parties": "The FATE cluster, by party id.",
    "exchange": "The exchange of the federation.",
    "serving": "FATE-Serving, by party id.",
    "servingExchange": "The serving exchange.",
    "peers": "Other organizations' clusters, typed by hand as KubeFATE had them. When a peer moves to this program too, accept its\n"
    "descriptor instead: `fatefed peers add FILE --name NAME`.",
    "boards": "How browsers reach the consoles.",
    "images": "For every image.",
}


def stack_text(cluster: Cluster, draft: Draft, *, stand_ins: bool = False) -> str:
    """The whole file. `stand_ins`: with a value in the place of each that must be filled in, so that the rest can be planned."""
    lines = list(_comments("", _head(cluster, draft)))
    lines.append("config:")
    config = draft.config()
    for number, key in enumerate(config):
        if number:
            lines.append("  #")
        lines += _comments("  ", _SECTIONS.get(key, "").splitlines())
        lines += _entry(_puts(draft, stand_ins), (key,), config[key], "  ", f"fate:{key}")
    return "\n".join(lines) + "\n"


def _head(cluster: Cluster, draft: Draft) -> Iterator[str]:
    """The first comment of the file."""
    what = {"party": f"party {cluster.party}", "exchange": "an exchange", "serving": f"FATE-Serving of party {cluster.party}"}
    yield (
        f"KubeFATE's cluster {cluster.name} (chart {cluster.chart} v{cluster.version}, {what.get(cluster.kind, 'a serving exchange')}), "
        f"converted from {_file_name(cluster)} by `fatefed convert kubefate`."
    )
    yield "Comments name the key that a value comes from. Secrets come under fate:secrets, encrypted; none was taken from that file."
    lines = {
        "Warnings:": draft.warnings,
        "To be done by hand before `pulumi up`:": draft.by_hand,
        "Not carried over:": [
            f"{dotted(path)} (line {cluster.file.line(path)}): {why}" for path, why in sorted_by_line(cluster, draft.lost)
        ],
        "Not used by KubeFATE either:": [f"{dotted(path)}: {why}" for path, why in sorted_by_line(cluster, draft.not_used)],
    }
    for title, texts in lines.items():
        if texts:
            yield ""
            yield title
            yield from (f"- {line}" for line in texts)


def sorted_by_line(cluster: Cluster, notes: Mapping[Path_, str]) -> list[tuple[Path_, str]]:
    """Keys with what is said of them, in the order of the file."""
    return sorted(notes.items(), key=lambda item: (cluster.file.line(item[0]), item[0]))


def _file_name(cluster: Cluster) -> str:
    return cluster.file.name.rsplit("/", 1)[-1]


def _comments(column: str, texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        hang = "  " if text.startswith("- ") else ""
        wrapped = textwrap.wrap(_one_line(text), _WIDTH, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False) or [""]
        yield from (f"{column}# {line}".rstrip() for line in wrapped)


def _one_line(text: str) -> str:
    """A comment cannot hold what ends a line or is not printable: it would stop being a comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _puts(draft: Draft, stand_ins: bool) -> dict[Path_, Put]:
    return {path: replace(put, wanted=None) for path, put in draft.puts.items()} if stand_ins else draft.puts


def _entry(puts: Mapping[Path_, Put], path: Path_, value: Any, column: str, key: str) -> Iterator[str]:
    """One key with its value, or with its block."""
    put = puts.get(path)
    comment, value = _comment_of(put), None if put is not None and put.wanted is not None else value
    head = f"{column}{key if key.startswith('fate:') else scalar(key)}:"
    if isinstance(value, dict) and value:
        yield from _with_comment(head, comment, column)
        for inner, inner_value in value.items():
            yield from _entry(puts, (*path, inner), inner_value, f"{column}  ", str(inner))
    else:
        yield from _with_comment(f"{head} {_flow(value)}", comment, column)


def _with_comment(line: str, comment: str, column: str) -> Iterator[str]:
    if not comment:
        yield line
    elif len(line) + len(comment) < _WIDTH:
        yield f"{line} # {_one_line(comment)}"
    else:
        yield from _comments(column, [comment])
        yield line


def _comment_of(put: Put | None) -> str:
    if put is None:
        return ""
    origin = "" if put.origin is None else dotted(put.origin)
    return "; ".join(part for part in (origin, put.note) if part)


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(str(key))}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    return scalar(value) if isinstance(value, str) else json.dumps(value)


@cache
def scalar(text: str) -> str:
    """A text that every reader of YAML takes for one."""
    return text if _PLAIN.fullmatch(text) and not text.endswith(":") and yaml.safe_load(text) == text else json.dumps(text)
