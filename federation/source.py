"""Files as the user wrote them, the stack file first: where each value stands, and keys written twice."""

import stat
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml

from federation.errors import FederationError, Problem

_MIB = 1024 * 1024
# What PyYAML raises, beside its own errors and ValueError, for what is not what its tag says: `!!timestamp x`, `!!bool x`, `!!int ""`.
MISTAGGED = (AttributeError, LookupError, TypeError)
# What is said of a document whose aliases would keep whoever walks it from ending, and what to do.
BOMB = ("its aliases (*) repeat far more than it holds", "write out what they stand for")


class YamlFile:
    """A YAML file that holds a mapping, with the line of every value. Raises FederationError when it does not hold one."""

    # How a file begins; said when it is no mapping.
    _BEGINNING = "write keys with their values"
    # What to do when it cannot be read.
    _UNREADABLE = "correct the path or the file"
    # In MiB: reading one takes some seconds.
    _LARGEST, _LARGER = 4, "it holds configuration only"

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        if len(text) > self._LARGEST * _MIB:
            raise FederationError([self._too_large(name)])
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            if is_bomb(root):
                raise FederationError([Problem(name, *BOMB)])
            # Before construction, which writes what is merged in (`<<`) beside the keys that win over it.
            self._twice = tuple(_repeated(root, ()))
            self._values = _plain(root)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise FederationError([_not_yaml(error, name)]) from None
        except MISTAGGED:
            raise FederationError([Problem(name, "not valid YAML: a value is not what its tag (!!) says", "leave out the tag")]) from None
        if root is not None and not isinstance(root, yaml.MappingNode):
            raise FederationError([Problem(name, "not a YAML mapping", self._BEGINNING)])
        self._root = root
        self._indexes: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = {}

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> Self:
        """The file at a path, shown to the user under a name. FederationError when it cannot be read."""
        shown = name or str(path)
        try:
            found = path.stat()
            # Reading a pipe would wait for ever, and what is far too large need not be read.
            if not stat.S_ISREG(found.st_mode):
                raise FederationError([Problem(shown, "cannot be read: it is no file", cls._UNREADABLE)])
            if found.st_size > cls._LARGEST * _MIB:
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

    def place(self, path: Sequence[str]) -> str:
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
            found = self._pair(node, part)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
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
        found = self._pair(node, key)
        return None if found is None else found[1]

    def _shown(self, line: int | None, path: str) -> str:
        shown = self.name if line is None else f"{self.name}:{line}"
        return f"{shown} {path}" if path else shown


class StackSource(YamlFile):
    """A `Pulumi.<stack>.yaml` with the line of every value under `config:`, and the peers in the file that `fate:peersFile` names."""

    _BEGINNING = "begin with `config:`"
    _UNREADABLE = "check the stack's name and the folder"
    # Pulumi takes far less configuration (federation.limits); the rest are comments.
    _LARGEST, _LARGER = 1, "a stack file holds configuration only; hundreds of peers go to a file of their own: `fatefed peers move`"

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name)
        # Of a text alone it is not read.
        self.peers_file = PeersFile("", "")
        self._config = None if self._root is None else next((v for k, v in self._root.value if k.value == "config"), None)
        if self._config is not None and not isinstance(self._config, yaml.MappingNode) and self._values["config"] is not None:
            place = f"{name}:{self._config.start_mark.line + 1}"
            raise FederationError([Problem(place, "config: is not a mapping", "write the keys fate:... below it")])

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> Self:
        """The stack file at a path and its peers' file. FederationError when one of them cannot be read."""
        source = super().read(path, name)
        if source.peers_path is not None:
            source.peers_file = _read_peers(source.peers_path, path.parent, source)
        return source

    @property
    def peers_path(self) -> str | None:
        """What `fate:peersFile` names, relative to the folder of the stack file."""
        found = self._own_config.get("peersFile")
        return found if isinstance(found, str) and found else None

    def place(self, path: Sequence[str]) -> str:
        """`stacks/Pulumi.bank-a.yaml:12 fate:parties.9999.release`; the line is that of the nearest key that exists."""
        if len(path) > 1 and path[0] == "peers" and self.is_elsewhere(path[1]):
            return self.peers_file.place(path[1:])
        keys = [f"fate:{path[0]}", *path[1:]] if path else []
        return self._shown(self._line(self._config, keys), ".".join(keys))

    def duplicates(self) -> tuple[Problem, ...]:
        """Keys written twice, in the stack file or in the peers' file, and peers that stand in both."""
        own = self._own_config.get("peers")
        both = sorted(self.peers_file.values.keys() & set(map(str, own))) if isinstance(own, dict) else []
        twice = (Problem(self.place(("peers", name)), f"stands in {self.peers_file.name}, too", "keep one of them") for name in both)
        return (*super().duplicates(), *self.peers_file.duplicates(), *twice)

    def config(self) -> dict[str, object]:
        """The plain values under `fate:` keys; `secure:` values stay as they are, encrypted. Without fate:secrets."""
        return self.with_elsewhere(self._own_config)

    @property
    def engine_config(self) -> dict[str, Any]:
        """All that stands under `config:`, which Pulumi hands to the program."""
        return {str(key): value for key, value in (self.values.get("config") or {}).items()}

    def place_of_key(self, key: str) -> str:
        """Where a key stands under `config:`, whoever it belongs to."""
        return self._shown(self._line(self._config, (key,)), key)

    def with_elsewhere(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Values under `fate:`, those of the engine for instance, with the peers of the peers' file."""
        if not self.peers_file.values:
            return dict(config)
        own = config.get("peers") or {}
        return {**config, "peers": {**self.peers_file.values, **own}} if isinstance(own, dict) else dict(config)

    def is_elsewhere(self, peer: str) -> bool:
        """Whether a peer stands in the peers' file, or as a new one is to be written there."""
        own = self._own_config.get("peers")
        return self.peers_path is not None and not (isinstance(own, dict) and peer in map(str, own))

    @cached_property
    def _own_config(self) -> dict[str, Any]:
        values = self.engine_config.items()
        return {key.removeprefix("fate:"): value for key, value in values if key.startswith("fate:") and key != "fate:secrets"}

    def secret_names(self) -> frozenset[str]:
        """The names under fate:secrets."""
        node = self._step(self._config, "fate:secrets") if self._config is not None else None
        return frozenset(str(key.value) for key, _ in node.value) if isinstance(node, yaml.MappingNode) else frozenset()

    def encrypted(self, name: str) -> object:
        """An entry of fate:secrets as it is written; None without one."""
        found = self.engine_config.get("fate:secrets")
        return found.get(name) if isinstance(found, dict) else None

    def plain_secrets(self) -> tuple[Problem, ...]:
        """Entries of fate:secrets that are not encrypted: anyone who reads the file has them."""
        node = self._step(self._config, "fate:secrets") if self._config is not None else None
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        return tuple(
            Problem(
                self.place(("secrets", str(name.value))),
                "a secret in plain text",
                f"replace it by a new one: `pulumi config set --secret --path 'fate:secrets.{name.value}'`; the old one has been readable",
            )
            for name, value in entries
            if self._step(value, "secure") is None and name.value != "secure"
        )


class PeersFile(YamlFile):
    """What is remembered of peers, by name, in a file of their own: the value of fate:peers, which the engine need not carry."""

    _BEGINNING = "write the peers by name, as under fate:peers"
    _UNREADABLE = "restore it: it holds what was accepted of peers; for a stack without peers remove fate:peersFile"


def is_below(relative: str, folder: Path) -> bool:
    """Whether a path that a stack file names leads to something beside or below it."""
    try:
        return not Path(relative).is_absolute() and (folder / relative).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a NUL in the name, a loop of links
        return False


def _read_peers(relative: str, folder: Path, source: StackSource) -> PeersFile:
    path, place = folder / relative, source.place(("peersFile",))
    if not is_below(relative, folder):
        problem = f"{relative!r} is outside the folder of the stack file"
        raise FederationError([Problem(place, problem, "keep it beside or below the stack file, such as peers/<stack>.yaml")])
    return PeersFile.read(path, str(Path(source.name).parent / relative))


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


def _not_yaml(error: Exception, name: str) -> Problem:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    what = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
    return Problem(name if mark is None else f"{name}:{mark.line + 1}", f"not valid YAML: {what}", "correct the file")


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
