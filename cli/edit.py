"""Edits of a stack file as text: only the lines that change are touched; comments, order and spelling stay.

A YAML library that writes the whole file again would move comments. Here its nodes only tell where each value stands,
and the result is read again before anyone sees it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from cli.errors import CommandError
from federation.errors import FederationError
from federation.peer_spec import PeerSpec
from federation.source import StackSource

# What a peer typed by hand has, and a peer with a descriptor takes from there.
BY_HAND = frozenset(field.alias or name for name, field in PeerSpec.model_fields.items()) - {"descriptor", "state", "sha256"}
_PEERS = "fate:peers"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")


@dataclass(frozen=True)
class _Splice:
    """Replace text[start:end]."""

    start: int
    end: int
    text: str


def with_peer(text: str, name: str, fields: Mapping[str, str]) -> str:
    """The stack file with these fields of `fate:peers.<name>`, and without what was typed by hand for that peer.

    CommandError when the file is written in a way this cannot edit; then nothing is lost, and the remedy says what to type.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    expected = peers_with(StackSource(text, "").config(), name, fields)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        edited = _apply(text, _splices(text, _value(root, "config"), name, fields, expected["peers"], newline))
        right = StackSource(edited, "").config() == expected
    except (ValueError, LookupError, yaml.YAMLError, FederationError):
        right = False
    if not right:
        remedy = f"write this under fate:peers by hand: {_flow({name: dict(fields)})}"
        raise CommandError("the stack file", "is written in a way that cannot be edited safely", remedy)
    return edited


def peers_with(config: Mapping[str, Any], name: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The values under `fate:` with these fields of one peer."""
    peers: dict[Any, Any] = dict(config.get("peers") or {})
    key = next((key for key in peers if str(key) == name), name)
    before = peers.get(key) or {}
    peers[key] = {field: value for field, value in before.items() if field not in BY_HAND} | dict(fields)
    return {**config, "peers": peers}


def _splices(text: str, config: yaml.Node, name: str, fields: Mapping[str, str], peers: dict[Any, Any], newline: str) -> list[_Splice]:
    """The edits; the more of the peer is there already, the smaller they are."""
    found = _find(config, _PEERS)
    own = _column(config)
    if found is None:
        return [_lines_after(text, _end(config), [f"{own}{_PEERS}:", *_entry(f"{own}  ", name, fields)], newline)]
    key, value = found
    if _is_empty(value):
        new = _lines_after(text, max(key.end_mark.index, value.end_mark.index), _entry(f"{own}  ", name, fields), newline)
        return [_Splice(value.start_mark.index, value.end_mark.index, ""), new]
    if _is_flow(value):
        return [_Splice(value.start_mark.index, value.end_mark.index, _flow(peers))]
    peer = _find(value, name)
    if peer is None:
        return [_lines_after(text, _end(value), _entry(_column(value), name, fields), newline)]
    return _peer_splices(text, *peer, _column(value), fields, next(entry for key, entry in peers.items() if str(key) == name), newline)


def _peer_splices(
    text: str, key: yaml.Node, value: yaml.Node, column: str, fields: Mapping[str, str], entry: dict[str, Any], newline: str
) -> list[_Splice]:
    if _is_empty(value):
        new = _lines_after(text, max(key.end_mark.index, value.end_mark.index), _fields(f"{column}  ", fields), newline)
        return [_Splice(value.start_mark.index, value.end_mark.index, ""), new]
    if _is_flow(value):
        return [_Splice(value.start_mark.index, value.end_mark.index, _flow(entry))]
    pairs = {str(field.value): (field, content) for field, content in value.value}
    spans = {field: (content.start_mark.index, content.end_mark.index) for field, (_, content) in pairs.items()}
    replaced = [_Splice(*spans[field], _scalar(new)) for field, new in fields.items() if field in pairs]
    removed = [_whole_lines(text, *pair) for field, pair in pairs.items() if field in BY_HAND]
    added = _fields(_column(value), {field: new for field, new in fields.items() if field not in pairs})
    return [*replaced, *removed, *([_lines_after(text, _end(value), added, newline)] if added else [])]


def _apply(text: str, splices: list[_Splice]) -> str:
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.end), reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def _lines_after(text: str, position: int, lines: list[str], newline: str) -> _Splice:
    """Whole lines after the line of a position."""
    at = _line_end(text, position)
    lead = "" if at == 0 or text[at - 1] == "\n" else newline
    return _Splice(at, at, lead + "".join(f"{line}{newline}" for line in lines))


def _whole_lines(text: str, key: yaml.Node, value: yaml.Node) -> _Splice:
    """Without a key, its value and the comment behind them."""
    return _Splice(text.rfind("\n", 0, key.start_mark.index) + 1, _line_end(text, _pair_end(key, value)), "")


def _line_end(text: str, position: int) -> int:
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1


def _value(node: yaml.Node | None, key: str) -> yaml.Node:
    found = _find(node, key)
    if found is None or not isinstance(found[1], yaml.MappingNode) or _is_flow(found[1]):
        raise LookupError(key)
    return found[1]


def _find(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next(((k, v) for k, v in pairs if str(k.value) == key), None)


def _is_flow(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _is_empty(node: yaml.Node) -> bool:
    """Nothing, null or {}."""
    return not node.value if isinstance(node, yaml.MappingNode) else str(node.tag).endswith(":null")


def _column(node: yaml.Node) -> str:
    # A mapping with a tag or an anchor begins before its first key.
    first = node.value[0][0] if isinstance(node, yaml.MappingNode) and node.value else node
    return " " * int(first.start_mark.column)


def _end(node: yaml.Node) -> int:
    """Where the last value of a node ends; a block mapping's own end mark is after the comments that follow it."""
    if isinstance(node, yaml.MappingNode) and not _is_flow(node) and node.value:
        return max(_pair_end(key, value) for key, value in node.value)
    if isinstance(node, yaml.SequenceNode) and not _is_flow(node) and node.value:
        return max(_end(item) for item in node.value)
    # The end mark of a block scalar is at the beginning of the line after it.
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return int(node.end_mark.index) - (1 if block else 0)


def _pair_end(key: yaml.Node, value: yaml.Node) -> int:
    # An alias is the node of its anchor, which stands further up.
    return max(int(key.end_mark.index), _end(value))


def _entry(column: str, name: str, fields: Mapping[str, str]) -> list[str]:
    return [f"{column}{_scalar(name)}:", *_fields(f"{column}  ", fields)]


def _fields(column: str, fields: Mapping[str, str]) -> list[str]:
    return [f"{column}{field}: {_scalar(value)}" for field, value in fields.items()]


def _scalar(text: str) -> str:
    """As a YAML scalar that every reader takes for a string."""
    return text if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text else json.dumps(text)


def _flow(data: Any) -> str:
    if isinstance(data, dict):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(value)}" for key, value in data.items()) + "}"
    return _scalar(data) if isinstance(data, str) else json.dumps(data)
