"""What a row of the conversion table is: a key of KubeFATE, where it means something, and what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Protocol

from packaging.version import Version

from cli.convert.clusters import Cluster, ClusterKind
from cli.convert.draft import Draft
from cli.convert.source import Path_

PARTY: tuple[ClusterKind, ...] = ("party",)
EXCHANGE: tuple[ClusterKind, ...] = ("exchange",)
SERVING: tuple[ClusterKind, ...] = ("serving",)
SERVING_EXCHANGE: tuple[ClusterKind, ...] = ("servingExchange",)
ANY_SERVING: tuple[ClusterKind, ...] = ("serving", "servingExchange")
TRAINING: tuple[ClusterKind, ...] = ("party", "exchange")
EVERY: tuple[ClusterKind, ...] = ("party", "exchange", "serving", "servingExchange")
# A condition says why KubeFATE did not use a key either; None: it did.
Condition = Callable[[Cluster], str | None]
# A value as this program writes it, and what became of it; LookupError with why it cannot be carried.
Translation = Callable[[Any, Cluster], tuple[Any, str]]
Type = Literal["text", "number", "flag", "list", "map", "any"]


@dataclass(frozen=True)
class Key:
    """A key of a cluster.yaml, with its value."""

    path: Path_
    value: Any
    # False: it is absent, and the value is what KubeFATE takes then.
    present: bool = True

    def put(self, target: Path_, draft: Draft, note: str) -> None:
        """Write the value to a place; one that nobody wrote gives way to any other."""
        if self.present:
            draft.put(target, self.value, self.path, note)
        elif self.value is not None:
            draft.default(target, self.value, "KubeFATE's default")


class How(Protocol):
    """What becomes of a key."""

    @property
    def becomes(self) -> str:
        """Where it goes, for people: a key below the unit, or one that begins with `fate:`; empty: nowhere."""

    @property
    def note(self) -> str:
        """How, or why not."""

    def apply(self, key: Key, cluster: Cluster, draft: Draft) -> None:
        """Put it into the draft."""


@dataclass(frozen=True)
class Row:
    """One key of KubeFATE. `*` in it stands for any key, `[]` for each item of a list."""

    key: str
    how: How
    kinds: tuple[ClusterKind, ...] = PARTY
    type: Type = "text"
    since: str = "1.5.0"
    until: str | None = None
    used: tuple[Condition, ...] = ()
    # What KubeFATE takes when the key is absent (cli/convert/defaults.py) is written: this program would do something else.
    default: bool = False
    secret: bool = False
    # Counts although its module is not deployed: FATE-Flow's route tables.
    anyway: bool = False

    @property
    def path(self) -> Path_:
        """The key as a pattern of parts; `[]` is a part of its own."""
        return tuple(self.key.replace("[]", ".[]").split("."))

    def knows(self, version: Version) -> bool:
        """Whether the charts of a version have this key."""
        return Version(self.since) <= version and (self.until is None or version < _after(self.until))


def _after(until: str) -> Version:
    """The first version after a series: 1.8 and 1.8.x end before 1.9."""
    major, minor = (int(part) for part in until.split(".")[:2])
    return Version(f"{major}.{minor + 1}")


@dataclass(frozen=True)
class To:
    """The value goes to another key, as it is or translated."""

    becomes: str
    note: str = ""
    translation: Translation | None = None

    def apply(self, key: Key, cluster: Cluster, draft: Draft) -> None:
        """Write it."""
        note = self.note
        if self.translation is not None:
            try:
                value, note = self.translation(key.value, cluster)
            except LookupError as error:
                draft.lose(key.path, str(error.args[0]))
                return
            key = replace(key, value=value)
        key.put(cluster.at(self.becomes), draft, note)


@dataclass(frozen=True)
class ForType:
    """A value that counts with a Service of one type only: a fixed node port, the address of a load balancer."""

    becomes: str
    type_key: str
    wanted: str = "NodePort"
    note: str = ""

    def apply(self, key: Key, cluster: Cluster, draft: Draft) -> None:
        """Write it, when the Service has that type. KubeFATE gives a LoadBalancer its node ports too."""
        kind = service_type(cluster, self.type_key)
        if kind == self.wanted or (self.wanted, kind) == ("NodePort", "LoadBalancer"):
            key.put(cluster.at(self.becomes), draft, self.note)
        elif key.present:
            draft.unused(key.path, f"{self.type_key} is {kind}")


def service_type(cluster: Cluster, key: str) -> str:
    """The type of a Service in KubeFATE, by its key; without one Kubernetes takes ClusterIP."""
    return str(cluster.taken(key) or "ClusterIP")


@dataclass(frozen=True)
class PublishedPort:
    """The node port that peers dial. Where KubeFATE let Kubernetes choose it, nobody but the old cluster knows it."""

    becomes: str
    type_key: str
    # The Service in KubeFATE, and the name of its port.
    service: str
    port: str
    note: str = "with type NodePort"

    def apply(self, key: Key, cluster: Cluster, draft: Draft) -> None:
        """Write it, or have it asked for."""
        kind, target = service_type(cluster, self.type_key), cluster.at(self.becomes)
        if kind == "NodePort" and key.value is None:
            ports = f"jsonpath='{{.spec.ports[?(@.name==\"{self.port}\")].nodePort}}'"
            command = f"kubectl -n {cluster.namespace} get service {self.service} -o {ports}"
            draft.want(target, f"what this prints before you delete the old cluster; Kubernetes chose it, and peers dial it: {command}")
        elif kind == "NodePort":
            key.put(target, draft, self.note)
        elif key.present and kind == "LoadBalancer":
            draft.lose(key.path, "Kubernetes chooses the node ports of a load balancer here: what sends to this one must learn the new one")
        elif key.present:
            draft.unused(key.path, f"{self.type_key} is {kind}")


@dataclass(frozen=True)
class Same:
    """What this program does anyway; another value cannot be carried."""

    becomes: ClassVar[str] = "(fixed)"
    value: Any
    note: str

    def apply(self, key: Key, cluster: Cluster, draft: Draft) -> None:
        """Report another value."""
        if str(key.value) != str(self.value):
            draft.lose(key.path, self.note)


@dataclass(frozen=True)
class Follows:
    """Nothing to write: it follows from something else."""

    source: str
    note: str = ""

    @property
    def becomes(self) -> str:
        """What it follows from."""
        return f"(follows from {self.source})"

    def apply(self, key: Key, cluster: Cluster, draft: Draft) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Lost:
    """A key that cannot be carried, and why."""

    becomes: ClassVar[str] = ""
    note: str
    # A value that means the same as leaving the key out.
    harmless: tuple[Any, ...] = (False,)

    def apply(self, key: Key, cluster: Cluster, draft: Draft) -> None:
        """Report it."""
        if key.value not in self.harmless:
            draft.lose(key.path, self.note)


@dataclass(frozen=True)
class Password:
    """A password: never written; the entry of fate:secrets that the operator gives."""

    entry: str
    note: str = ""

    @property
    def becomes(self) -> str:
        """The entry."""
        return f"fate:secrets.{self.entry}"

    def apply(self, key: Key, cluster: Cluster, draft: Draft) -> None:
        """Remember that there was one."""
        draft.password(cluster.entry(self.entry), key.path)


@dataclass(frozen=True)
class Part:
    """One of several keys that are read together by a function of `cli.convert.parts`."""

    becomes: str
    note: str = ""

    def apply(self, key: Key, cluster: Cluster, draft: Draft) -> None:
        """Nothing: the function does it."""
