"""A `cluster.yaml` as its author wrote it: every value with its line. Anchors and merge keys are followed, bombs refused."""

import codecs
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from federation.base.errors import FederationError, Problem, escaped
from federation.base.yaml_file import MISTAGGED

Path_ = tuple[str, ...]
# The longest cluster.yaml of the field, with hundreds of parties, is below 100 KiB.
_MAX_BYTES = 1024 * 1024
_MAX_VALUES = 50_000
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Value:
    """A value, or a whole mapping or list, and the line of its key. `text`: a single value as it is written, without quotes."""

    data: Any
    line: int
    text: str | None = None


class ClusterFile:
    """One `cluster.yaml`. Raises FederationError when it is not one YAML mapping."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._values: dict[Path_, Value] = {}
        self._problems: list[Problem] = []
        self._read_nodes = 0
        self.data: dict[str, Any] = self._read(text)

    @classmethod
    def read(cls, path: Path, name: str) -> "ClusterFile":
        """The file at a path, shown to the user under a name. FederationError when it cannot be read."""
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise FederationError(
                    [Problem(name, "larger than 1 MiB", "give the cluster.yaml that `kubefate cluster install` was given")]
                )
            return cls(_decoded(path.read_bytes(), name), name)
        except OSError as error:
            raise FederationError(
                [Problem(name, f"cannot be read: {error.strerror or error}", "name a cluster.yaml of KubeFATE")]
            ) from None

    def place_of(self, path: Path_) -> str:
        """`cluster.yaml:12 rollsite.nodePort`; the line is that of the nearest key that exists."""
        shown = f"{self.name}:{self.line(path)}" if self._values else self.name
        return f"{shown} {dotted(path)}" if path else shown

    def line(self, path: Path_) -> int:
        """The line of a key, or of the nearest above it that exists."""
        while path and path not in self._values:
            path = path[:-1]
        return self._values[path].line if path else 1

    def get(self, *path: str) -> Any:
        """The value at a path; None when there is none."""
        value = self._values.get(path)
        return None if value is None else value.data

    def text(self, *path: str) -> str | None:
        """A single value as it is written: 1.10, which YAML takes for the number 1.1. None when there is none, or a block."""
        value = self._values.get(path)
        return None if value is None else value.text

    def correct(self, path: Path_, data: Any) -> None:
        """Put another value in the place of one that is there: a number that stood in quotes."""
        old = self._values[path]
        self._values[path] = Value(data, old.line, old.text)
        above: Any = self.data if len(path) == 1 else self._values[path[:-1]].data
        above[int(path[-1]) if isinstance(above, list) else path[-1]] = data

    def children(self, path: Path_) -> Iterator[Path_]:
        """The paths below a mapping or a list, in the order of the file."""
        data = self.data if not path else self.get(*path)
        keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
        yield from ((*path, str(key)) for key in keys)

    def _read(self, text: str) -> dict[str, Any]:
        try:
            documents = [one for one in yaml.compose_all(text, Loader=yaml.SafeLoader) if not _is_empty(one)]
            if len(documents) > 1:
                line = documents[1].start_mark.line + 1
                raise self._error(line, "holds more than one document", "give each cluster a file of its own")
            root = documents[0] if documents else None
            if not isinstance(root, yaml.MappingNode):
                raise self._error(
                    1, "is not a YAML mapping", "give a cluster.yaml of KubeFATE: name, namespace, chartName, chartVersion, ..."
                )
            data = self._build(root, (), ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._error(1 if mark is None else mark.line + 1, f"not valid YAML: {error.problem}", "correct the file") from None
        except (yaml.YAMLError, RecursionError) as error:
            raise FederationError([Problem(self.name, f"not valid YAML: {error}", "correct the file")]) from None
        if self._problems:
            raise FederationError(self._problems)
        return dict(data)

    def _build(self, node: yaml.Node, path: Path_, above: tuple[yaml.Node, ...]) -> Any:
        """The plain value of a node; remembers the line of everything below it."""
        self._count(node, above)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        inner = (*above, node)
        if isinstance(node, yaml.SequenceNode):
            return [self._child(item, item, (*path, str(number)), inner) for number, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            raise TypeError(node)
        built: dict[str, Any] = {}
        for key, value in self._pairs(node, path, inner).items():
            built[key] = self._child(*value, (*path, key), inner)
        return built

    def _count(self, node: yaml.Node, above: tuple[yaml.Node, ...]) -> None:
        """Refuse a file whose aliases make more of it than anyone would write."""
        self._read_nodes += 1
        if node in above:
            raise self._error(node.start_mark.line + 1, "an alias leads back to itself", "write the values out")
        if self._read_nodes > _MAX_VALUES:
            raise self._error(node.start_mark.line + 1, f"holds more than {_MAX_VALUES} values", "write a file without nested aliases")

    def _child(self, key: yaml.Node, value: yaml.Node, path: Path_, above: tuple[yaml.Node, ...]) -> Any:
        self._values[path] = Value(None, key.start_mark.line + 1)
        data = self._build(value, path, above)
        text = value.value if isinstance(value, yaml.ScalarNode) else None
        self._values[path] = Value(data, key.start_mark.line + 1, text)
        return data

    def _pairs(self, node: yaml.MappingNode, path: Path_, above: tuple[yaml.Node, ...]) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Key and value nodes by key: what is merged in (`<<`) counts for less than what is written here."""
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    self._count(source, above)
                    if not isinstance(source, yaml.MappingNode):
                        raise self._error(key.start_mark.line + 1, "<< does not name a mapping", "merge mappings only")
                    merged = {**self._pairs(source, path, (*above, source)), **merged}
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key.start_mark.line + 1, "a key is not a plain word", "correct the file")
            name = str(key.value)
            if name in own:
                problem = Problem(f"{self.name}:{key.start_mark.line + 1} {dotted((*path, name))}", "is written twice", "keep one of them")
                self._problems.append(problem)
            own[name] = (key, value)
        return {**merged, **own}

    def _scalar(self, node: yaml.ScalarNode, path: Path_) -> Any:
        try:
            value = yaml.SafeLoader("").construct_object(node)
            # Neither bytes nor half a surrogate pair can be written again.
            json.dumps(value, default=str if isinstance(value, date) else None, ensure_ascii=False).encode()
        except (yaml.YAMLError, ValueError, OverflowError, *MISTAGGED):
            self._problems.append(Problem(f"{self.name}:{node.start_mark.line + 1} {dotted(path)}", "is not a value", "correct the file"))
            return None
        return value

    def _error(self, line: int, problem: str, remedy: str) -> FederationError:
        return FederationError([Problem(f"{self.name}:{line}", problem, remedy)])


def _decoded(data: bytes, name: str) -> str:
    """The text of a file: UTF-8, or UTF-16 with its mark, as KubeFATE reads them. FederationError when it is another encoding."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"is not {encoding.removesuffix('-sig').upper()}: byte 0x{data[error.start]:02x} ({error.reason})"
        raise FederationError([Problem(f"{name}:{line}", problem, "save the file with the encoding UTF-8")]) from None


def _is_empty(document: yaml.Node | None) -> bool:
    """Whether nothing stands between two lines `---`, or after the last one."""
    return document is None or (isinstance(document, yaml.ScalarNode) and document.value == "" and document.style is None)


def dotted(path: Path_) -> str:
    """A path as KubeFATE's documents write it, `rollsite.partyList[0].partyIp`, on one line: it stands in comments of a stack file, too."""
    parts = (f"[{part}]" if part.isdigit() and number and _is_list(path, number) else f".{part}" for number, part in enumerate(path))
    return escaped("".join(parts)[1:])


# Where a number is the key of a map, not the place in a list.
_MAPS_OF_PARTIES = frozenset({"route_table"})


def _is_list(path: Path_, number: int) -> bool:
    return path[number - 1] not in _MAPS_OF_PARTIES


def plain(data: Any) -> Mapping[str, Any]:
    """A mapping, or an empty one."""
    return data if isinstance(data, dict) else {}
