"""Edits of a stack file as text: only the lines that change are touched; comments, order and spelling stay.

A YAML library that writes the whole file again would move comments. Here its nodes only tell where each value stands,
and the result is read again before anyone sees it.
"""

import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from cli.tools.errors import CommandError
from federation.base.errors import FederationError
from federation.base.yaml_file import YamlFile
from federation.config.peers import PeerSpec

Scalar = str | int | bool
Path = tuple[str, ...]
_ACCEPTED = frozenset({"descriptor", "state", "reason", "key", "previousKey", "acceptedSerial", "sha256"})
# What a peer typed by hand has, and a peer with a descriptor takes from there.
BY_HAND = frozenset(field.alias or name for name, field in PeerSpec.model_fields.items()) - _ACCEPTED
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
UNSAFE = "cannot be edited safely by a program"


@dataclass(frozen=True)
class _Splice:
    """Replace text[start:end]."""

    start: int
    end: int
    text: str


def peers_with(config: Mapping[str, Any], name: str, fields: Mapping[str, Scalar]) -> dict[str, Any]:
    """The values under `fate:` with these fields of one peer, and without what was typed by hand for it."""
    return config_with(config, ("peers", name), fields, BY_HAND)


def with_fields(text: str, path: Path, fields: Mapping[str, Scalar], drop: frozenset[str] = frozenset()) -> str:
    """The stack file with these fields of the mapping at `fate:<path>`, which is made if need be, and without those to drop.

    CommandError when the file is written in a way this cannot edit; then nothing is lost, and the remedy says what to type.
    """
    remedy = f"write this under fate:{path[0]} by hand: {_flow(_nest(path[1:], fields))}"
    try:
        _value(yaml.compose(text, Loader=yaml.SafeLoader), "config")
    except (LookupError, yaml.YAMLError):
        raise CommandError("the stack file", UNSAFE, remedy) from None
    return _edited(text, "the stack file", ("config", f"fate:{path[0]}", *path[1:]), fields, drop, remedy)


def with_entry(text: str, place: str, path: Path, fields: Mapping[str, Scalar], drop: frozenset[str] = frozenset()) -> str:
    """Any YAML file with these fields of the mapping at a path of its keys; `place` names it. CommandError like `with_fields`."""
    return _edited(text, place, path, fields, drop, f"write this by hand: {_flow(_nest(path, fields))}")


def _nest(path: Path, fields: Mapping[str, Scalar]) -> dict[str, Any]:
    inner: dict[str, Any] = dict(fields)
    for key in reversed(path):
        inner = {key: inner}
    return inner


def _edited(text: str, place: str, path: Path, fields: Mapping[str, Scalar], drop: frozenset[str], remedy: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    expected = config_with(YamlFile(text, "").values, path, fields, drop)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        edited = _apply(text, _splices(text, root, path, fields, drop, expected, newline))
        right = YamlFile(edited, "").values == expected
    except (ValueError, LookupError, yaml.YAMLError, FederationError):
        right = False
    if not right:
        raise CommandError(place, UNSAFE, remedy)
    return edited


def cut(text: str, key: str, instead: Mapping[str, Scalar]) -> tuple[str, str]:
    """The stack file with other fields in the place of `fate:<key>`, and the mapping that was there, with its comments, as a text.

    CommandError when the file is written in a way this cannot edit.
    """
    newline, values = "\r\n" if "\r\n" in text else "\n", YamlFile(text, "").values
    try:
        config = _value(yaml.compose(text, Loader=yaml.SafeLoader), "config")
        if (pair := _find(config, f"fate:{key}")) is None:
            raise LookupError(key)
        lines = _whole_lines(text, *pair)
        body = _body(text, *pair, values["config"][f"fate:{key}"], newline)
        new = "".join(f"{line}{newline}" for line in _fields(_column(config), {f"fate:{name}": value for name, value in instead.items()}))
        rest = text[: lines.start] + new + text[lines.end :]
        kept = {name: value for name, value in values["config"].items() if name != f"fate:{key}"}
        expected = {**values, "config": {**kept, **{f"fate:{name}": value for name, value in instead.items()}}}
        right = YamlFile(rest, "").values == expected and YamlFile(body, "").values == values["config"][f"fate:{key}"]
    except (ValueError, LookupError, yaml.YAMLError, FederationError):
        right = False
    if not right:
        raise CommandError("the stack file", UNSAFE, f"move the entries under fate:{key} by hand")
    return rest, body


def _body(text: str, key: yaml.Node, value: yaml.Node, plain: Mapping[str, Any], newline: str) -> str:
    """The lines of a mapping without their indentation; what has no lines of its own is written anew."""
    after = text[_line_end(text, int(key.end_mark.index)) : _line_end(text, _end(value))]
    if not isinstance(value, yaml.MappingNode) or _is_flow(value) or not after:
        return "".join(f"{_key(str(name))}: {_flow(fields)}{newline}" for name, fields in plain.items())
    lead = "" if after.endswith("\n") else newline
    return textwrap.dedent(after) + lead


def config_with(config: Mapping[str, Any], path: Path, fields: Mapping[str, Scalar], drop: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The values after the same edit."""
    if not path:
        return {key: value for key, value in config.items() if key not in drop or key in fields} | dict(fields)
    key = next((key for key in config if str(key) == path[0]), path[0])
    return {**config, key: config_with(config.get(key) or {}, path[1:], fields, drop)}


def _splices(
    text: str,
    root: yaml.Node | None,
    path: Path,
    fields: Mapping[str, Scalar],
    drop: frozenset[str],
    expected: Mapping[str, Any],
    newline: str,
) -> list[_Splice]:
    """The edits; the more of the mapping is there already, the smaller they are."""
    if root is None:  # nothing but comments
        return [_lines_after(text, len(text), _nested("", path, 0, fields), newline)]
    node, wanted = root, dict(expected)
    for depth, key in enumerate(path):
        pair = _find(node, key)
        wanted = next(value for name, value in wanted.items() if str(name) == key)
        if pair is None:
            return [_lines_after(text, _end(node), _nested(_column(node), path, depth, fields), newline)]
        head, value = pair
        if _is_empty(value):
            lines = _nested(f"{_column(node)}  ", path, depth + 1, fields)
            new = _lines_after(text, max(head.end_mark.index, value.end_mark.index), lines, newline)
            return [_Splice(value.start_mark.index, value.end_mark.index, ""), new]
        if _is_flow(value):
            return [_Splice(value.start_mark.index, value.end_mark.index, _flow(wanted))]
        node = value
    return _field_splices(text, node, fields, drop, newline)


def _field_splices(text: str, node: yaml.Node, fields: Mapping[str, Scalar], drop: frozenset[str], newline: str) -> list[_Splice]:
    pairs = {str(field.value): (field, content) for field, content in node.value}
    replaced = [_replaced(text, *pairs[field], field, new, newline) for field, new in fields.items() if field in pairs]
    removed = [_whole_lines(text, *pair) for field, pair in pairs.items() if field in drop and field not in fields]
    added = _fields(_column(node), {field: new for field, new in fields.items() if field not in pairs})
    return [*replaced, *removed, *([_lines_after(text, _end(node), added, newline)] if added else [])]


def _replaced(text: str, key: yaml.Node, value: yaml.Node, field: str, new: Scalar, newline: str) -> _Splice:
    if isinstance(value, yaml.ScalarNode) and value.style in ("|", ">"):
        lines = _fields(" " * int(key.start_mark.column), {field: new})
        whole = _whole_lines(text, key, value)
        return _Splice(whole.start, whole.end, "".join(f"{line}{newline}" for line in lines))
    return _Splice(value.start_mark.index, value.end_mark.index, _scalar(new))


def _nested(column: str, path: Path, depth: int, fields: Mapping[str, Scalar]) -> list[str]:
    """The lines of the mapping at a path, from the key at a depth on."""
    keys = path[depth:]
    heads = [f"{column}{'  ' * place}{_key(key)}:" for place, key in enumerate(keys)]
    return [*heads, *_fields(f"{column}{'  ' * len(keys)}", fields)]


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
    index = text.find("\n", position)
    return len(text) if index < 0 else index + 1


def _value(node: yaml.Node | None, key: str) -> yaml.Node:
    pair = _find(node, key)
    if pair is None or not isinstance(pair[1], yaml.MappingNode) or _is_flow(pair[1]):
        raise LookupError(key)
    return pair[1]


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


def _fields(column: str, fields: Mapping[str, Scalar]) -> list[str]:
    return [line for field, value in fields.items() for line in _field(column, _key(field), value)]


def _field(column: str, field: str, value: Scalar) -> list[str]:
    """One field; a text of several lines, such as a certificate, as they are."""
    if isinstance(value, str) and value.endswith("\n") and not value.endswith("\n\n"):
        return [f"{column}{field}: |", *(f"{column}  {line}" for line in value.splitlines())]
    return [f"{column}{field}: {_scalar(value)}"]


def _key(text: str) -> str:
    return text if text.startswith("fate:") else _scalar(text)


def _scalar(value: Scalar) -> str:
    """As a YAML scalar that every reader takes for the same value."""
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) and yaml.safe_load(value) == value else json.dumps(value)


def _flow(data: Any) -> str:
    if isinstance(data, dict):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(value)}" for key, value in data.items()) + "}"
    return _scalar(data) if isinstance(data, str) else json.dumps(data)
