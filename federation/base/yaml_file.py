"""YAML files as the user wrote them: where each value stands, and keys written twice."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from yaml.composer import Composer

from federation.base.errors import FederationError, Problem

_MIB = 1024 * 1024

# What PyYAML also raises, besides ValueError, for a value that does not match its tag: `!!timestamp x`, `!!bool x`, `!!int ""`.
MISTAGGED = (AttributeError, LookupError, TypeError)

# Problem and remedy for a YAML alias bomb.
BOMB = ("its aliases (*) expand to far more than the file holds", "write the values out instead")


class YamlFile:
    """A YAML file that holds a mapping, with the line of every value. Raises FederationError when it does not hold one."""

    # How a file begins; said when it is no mapping.
    _BEGINNING = "write keys with their values"
    # What to do when it cannot be read.
    _UNREADABLE = "correct the path or the file"
    # In MiB: reading one takes some seconds.
    _LARGEST, _LARGER = 4, "the file should hold configuration only"

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        if len(text) > self._LARGEST * _MIB:
            raise FederationError([self._too_large(name)])
        try:
            root = compose(text)
            if is_bomb(root):
                raise FederationError([Problem(name, *BOMB)])
            # Before construction, which writes what is merged in (`<<`) beside the keys that win over it.
            self._twice = tuple(_repeated(root, ()))
            self._values = _plain(root)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise FederationError([_not_yaml(error, name)]) from None
        except MISTAGGED:
            raise FederationError([Problem(name, "not valid YAML: a value does not match its tag (!!)", "remove the tag")]) from None
        if root is not None and not isinstance(root, yaml.MappingNode):
            raise FederationError([Problem(name, "not a YAML mapping", self._BEGINNING)])
        self._root = root
        self._indexes: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = {}

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> Self:
        """The file at a path, shown to the user under a name. FederationError when it cannot be read."""
        shown = name or str(path)
        try:
            status = path.stat()
            # Reading a pipe would wait for ever, and what is far too large need not be read.
            if not stat.S_ISREG(status.st_mode):
                raise FederationError([Problem(shown, "cannot be read: it is not a regular file", cls._UNREADABLE)])
            if status.st_size > cls._LARGEST * _MIB:
                raise FederationError([cls._too_large(shown)])
            return cls(path.read_text("utf-8"), shown)
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            problem = f"is not UTF-8: byte 0x{error.object[error.start]:02x} ({error.reason})"
            raise FederationError([Problem(f"{shown}:{line}", problem, "save the file with the encoding UTF-8")]) from None
        except OSError as error:
            raise FederationError([Problem(shown, f"cannot be read: {error.strerror or error}", cls._UNREADABLE)]) from None

    @classmethod
    def _too_large(cls, name: str) -> Problem:
        return Problem(name, f"larger than {cls._LARGEST} MiB", cls._LARGER)

    @property
    def values(self) -> dict[str, Any]:
        """The plain values of the file."""
        return {str(key): value for key, value in (self._values or {}).items()}

    def place_of(self, path: Sequence[str]) -> str:
        """`releases/own.yaml:12 modules.fateflow.tag`; the line is that of the nearest key that exists."""
        return self._shown(self._line(self._root, path), ".".join(path))

    def duplicates(self) -> tuple[Problem, ...]:
        """Keys written twice in one mapping: YAML would silently keep the last."""
        return tuple(
            Problem(
                f"{self.name}:{key.start_mark.line + 1} {'.'.join(path).removeprefix('config.')}",
                f"{path[-1].removeprefix('fate:')} is written twice",
                "keep one of them",
            )
            for path, key in self._twice
        )

    def _line(self, node: yaml.Node | None, path: Sequence[str]) -> int | None:
        line = None
        for part in path:
            pair = self._pair(node, part)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        return line

    def _pair(self, node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | None:
        """Where a key is written, and its value; for an item of a list both are the item."""
        if isinstance(node, yaml.MappingNode):
            # The last one wins, as in the values: what is merged in (`<<`) stands before what is written here. A thousand peers are
            # looked up one by one, so the keys are remembered.
            if id(node) not in self._indexes:
                self._indexes[id(node)] = {str(k.value): (k, v) for k, v in node.value}
            return self._indexes[id(node)].get(key)
        if isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
            item: yaml.Node = node.value[int(key)]
            return item, item
        return None

    def _step(self, node: yaml.Node | None, key: str) -> yaml.Node | None:
        pair = self._pair(node, key)
        return None if pair is None else pair[1]

    def _shown(self, line: int | None, path: str) -> str:
        shown = self.name if line is None else f"{self.name}:{line}"
        return f"{shown} {path}" if path else shown


if yaml.__with_libyaml__:
    # Ten times as fast, but its errors say less and its depth has no limit: for files of this program and of helm, and for short ones.
    FastLoader = yaml.CSafeLoader

    class _Loader(Composer, yaml.CSafeLoader):
        """libyaml's parser below PyYAML's own composer: six times as fast as PyYAML alone.

        libyaml's composer would be faster still, but a document of 200,000 brackets ends the process: it does not count its depth.
        """

        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Composer.__init__(self)
else:
    FastLoader = yaml.SafeLoader  # type: ignore[misc,assignment]
    _Loader = yaml.SafeLoader  # type: ignore[misc,assignment]


def compose(text: str) -> yaml.Node | None:
    """The one document of a text, with the place of each node. yaml.YAMLError, ValueError or RecursionError when it holds none."""
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError:
        # PyYAML words its errors for people, and its words have remedies here.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    return root


def is_below(relative: str, folder: Path) -> bool:
    """Whether a path that a stack file names leads to something beside or below it."""
    try:
        return not Path(relative).is_absolute() and (folder / relative).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a NUL in the name, a loop of links
        return False


def _repeated(
    node: yaml.Node | None, path: tuple[str, ...], above: tuple[yaml.Node, ...] = ()
) -> Iterator[tuple[tuple[str, ...], yaml.Node]]:
    # A node below itself: YAML's aliases can do that.
    if not isinstance(node, yaml.MappingNode) or node in above:
        return
    seen: set[str] = set()
    for key, value in node.value:
        here = (*path, _meant(key))
        if here[-1] in seen:
            yield here, key
        seen.add(here[-1])
        yield from _repeated(value, here, (*above, node))


def _meant(key: yaml.Node) -> str:
    """A key as it is read: 0x270F is the party id 9999, and so is "9999"."""
    return str(_plain(key)) if str(key.tag).endswith(":int") else str(key.value)


# What PyYAML says of a common mistake, and what to do. A parser sees indentation that does not fit only by what follows.
_REMEDIES = (
    ("\\t", "replace the tab by blanks: YAML is indented by blanks only"),
    ("expected <block end>", "check the indentation of this line and of the one above: all keys of a map begin in the same column"),
    (
        "mapping values are not allowed here",
        "check the indentation of this line and of the one above, or write a text that holds `: ` in quotes",
    ),
    ("could not find expected ':'", "write `key: value` here, or check the indentation of this line and of the one above"),
    ("expected ',' or", "close the list with ] or the map with } where it ends"),
)


def _not_yaml(error: Exception, name: str) -> Problem:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    what = str(error.problem if isinstance(error, yaml.MarkedYAMLError) else error)
    remedy = next((remedy for sign, remedy in _REMEDIES if sign in what), "correct the file")
    return Problem(name if mark is None else f"{name}:{mark.line + 1}", f"not valid YAML: {what}", remedy)


def is_bomb(root: yaml.Node | None) -> bool:
    """Whether aliases of aliases make the document many times its own size: everything that walks it would never end."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = 1  # also for a node below itself
            pairs = [item for pair in node.value for item in pair] if isinstance(node, yaml.MappingNode) else node.value
            sizes[id(node)] = 1 + (0 if isinstance(node, yaml.ScalarNode) else sum(map(size, pairs)))
        return sizes[id(node)]

    return root is not None and size(root) > 1000 + 10 * len(sizes)


def _plain(root: yaml.Node | None) -> Any:
    """The values of a document. yaml.YAMLError, ValueError (dates) or RecursionError when it holds none."""
    return None if root is None else yaml.SafeLoader("").construct_document(root)
