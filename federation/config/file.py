"""Files as the user wrote them, the stack file first: where each value stands, and keys written twice."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml

from federation.base.errors import FederationError, Problem
from federation.base.yaml_file import YamlFile, is_below


class StackSource(YamlFile):
    """A `Pulumi.<stack>.yaml` with the line of every value under `config:`, and the peers in the file that `fate:peersFile` names."""

    _BEGINNING = "begin with `config:`"
    _UNREADABLE = "check the stack's name and the folder"
    # Pulumi takes far less configuration (federation.stack.limits); the rest are comments.
    _LARGEST, _LARGER = 1, "a stack file holds configuration only; move hundreds of peers to their own file: `fatefed peers move`"

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
        path = self._own_config.get("peersFile")
        return path if isinstance(path, str) and path else None

    def place_of(self, path: Sequence[str]) -> str:
        """`stacks/Pulumi.bank-a.yaml:12 fate:parties.9999.release`; the line is that of the nearest key that exists."""
        if len(path) > 1 and path[0] == "peers" and self.is_elsewhere(path[1]):
            return self.peers_file.place_of(path[1:])
        keys = [f"fate:{path[0]}", *path[1:]] if path else []
        return self._shown(self._line(self._config, keys), ".".join(keys))

    def duplicates(self) -> tuple[Problem, ...]:
        """Keys written twice, in the stack file or in the peers' file, and peers that stand in both."""
        own = self._own_config.get("peers")
        both = sorted(self.peers_file.values.keys() & set(map(str, own))) if isinstance(own, dict) else []
        twice = (Problem(self.place_of(("peers", name)), f"is also in {self.peers_file.name}", "keep one of them") for name in both)
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
        secrets = self.engine_config.get("fate:secrets")
        return secrets.get(name) if isinstance(secrets, dict) else None

    def plain_secrets(self) -> tuple[Problem, ...]:
        """Entries of fate:secrets that are not encrypted: anyone who reads the file has them."""
        node = self._step(self._config, "fate:secrets") if self._config is not None else None
        if isinstance(node, yaml.ScalarNode | yaml.SequenceNode) and node.value:
            remedy = "remove it, and write each secret: `pulumi config set --secret --path 'fate:secrets.NAME'`"
            return (Problem(self.place_of(("secrets",)), "is not a map (key: value)", remedy),)
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        return tuple(
            Problem(
                self.place_of(("secrets", str(name.value))),
                "a secret in plain text",
                f"replace it with a new one: `pulumi config set --secret --path 'fate:secrets.{name.value}'`; "
                "anyone with the file could read the old one",
            )
            for name, value in entries
            if self._step(value, "secure") is None and name.value != "secure"
        )


def value_of(text: str | None) -> Any:
    """A value that the engine hands over as JSON; what is no JSON is a text, "" a key without a value, None an absent one."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


class PeersFile(YamlFile):
    """What is remembered of peers, by name, in a file of their own: the value of fate:peers, which the engine need not carry."""

    _BEGINNING = "write the peers by name, as under fate:peers"
    _UNREADABLE = "restore it: it records the accepted descriptors; if the stack has no peers, remove fate:peersFile"


def _read_peers(relative: str, folder: Path, source: StackSource) -> PeersFile:
    path, place = folder / relative, source.place_of(("peersFile",))
    if not is_below(relative, folder):
        problem = f"{relative!r} is outside the folder of the stack file"
        raise FederationError([Problem(place, problem, "keep it in the folder of the stack file, or below, such as peers/<stack>.yaml")])
    return PeersFile.read(path, str(Path(source.name).parent / relative))
