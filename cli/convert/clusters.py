"""What a `cluster.yaml` describes: a party, an exchange or serving; its chart, release, modules and engines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from packaging.version import Version
from pydantic import TypeAdapter, ValidationError

from cli.convert.defaults import default_of
from cli.convert.source import ClusterFile, Path_, plain
from cli.convert.versions import OLDEST, is_pre_release, release_of, releases_of, version_of
from federation.base.errors import Problem
from federation.base.scalars import Label, PartyId
from federation.catalogue.kinds import KINDS, KindRow
from federation.catalogue.releases import Release, catalogue

# The kinds of units that KubeFATE's charts deploy.
ClusterKind = Literal["party", "exchange", "serving", "servingExchange"]
# KubeFATE's word for the engines before 1.9. `spark`, the word up to 1.6.1, switches Spark on; the broker is the one that is deployed.
BACKENDS = {
    "eggroll": ("Eggroll", "Eggroll", "Eggroll"),
    "spark": ("Spark", "RabbitMQ", "HDFS"),
    "spark_rabbitmq": ("Spark", "RabbitMQ", "HDFS"),
    "spark_pulsar": ("Spark", "Pulsar", "HDFS"),
    "spark_local_rabbitmq": ("Spark_local", "RabbitMQ", "LocalFS"),
    "spark_local_pulsar": ("Spark_local", "Pulsar", "LocalFS"),
}
ENGINES = ("computing", "federation", "storage")
_WORDS = ("Eggroll", "Spark", "Spark_local", "Standalone", "OSX", "Pulsar", "RabbitMQ", "HDFS", "Hive", "LocalFS", "File")
# FATE 2.x renamed rollsite's engine and has no localfs: charts 2.0 with these words do not come up.
_WORDS_OF_2 = {("federation", "Eggroll"): "OSX", ("storage", "LocalFS"): "File"}
# Spark's executors of FATE 2.x do not find what Standalone stores.
_STORAGE_OF_SPARK = {("Spark_local", "storage", "Standalone"): "File"}
_WHY_ANOTHER = {"Standalone": "Spark of FATE 2.x does not read"}
_BROKERS = {"pulsar": "Pulsar", "rabbitmq": "RabbitMQ"}
# The federation engine of an exchange, by its module.
EXCHANGES = {"rollsite": "Eggroll", "osx": "OSX", "trafficServer": "Pulsar"}
_WORDS_OF_KUBEFATE = {"fateflow": "python", "sparkMaster": "spark", "sparkWorker": "spark", "namenode": "hdfs", "datanode": "hdfs"}
# Modules of FedLCM's private charts: Site Portal of a party, FML Manager of an exchange.
SITE_PORTAL = ("frontend", "sitePortalServer", "postgres")
FML_MANAGER = ("postgres", "fmlManagerServer")
# The modules of each chart.
CHARTS = {
    "fate": {"python", "mysql", "rollsite", "lbrollsite", "osx", "clustermanager", "nodemanager", "spark", "hdfs", "nginx", "rabbitmq",
             "pulsar", "fateboard", "client", *SITE_PORTAL},
    "fate-exchange": {"rollsite", "nginx", "trafficServer", "osx", *FML_MANAGER},
    "fate-serving": {"servingProxy", "servingRedis", "servingServer", "servingZookeeper", "servingAdmin"},
}  # fmt: skip


@dataclass(frozen=True)
class Choices:
    """What the command line says of every file."""

    organization: str | None = None
    federation: str = "fate"
    domain: str | None = None
    node_address: str | None = None
    release: str | None = None


@dataclass(frozen=True)
class Cluster:
    """One cluster of KubeFATE."""

    file: ClusterFile
    name: str
    namespace: str
    chart: str
    version: Version
    kind: ClusterKind
    modules: frozenset[str]
    release: str
    release_note: str
    party: str | None
    engines: dict[str, str]
    engine_notes: dict[str, str]
    choices: Choices

    @property
    def row(self) -> KindRow:
        """What is true of the kind of unit that it becomes."""
        return KINDS[self.kind]

    def at(self, target: str) -> Path_:
        """A target of a row as a path of the stack file: `fate:images.registry`, or below the unit."""
        if target.startswith("fate:"):
            return tuple(target.removeprefix("fate:").split("."))
        # Charts of 2.0 may still say rollsite where FATE 2.x has OSX.
        target = target.replace(".rollsite", ".osx") if self.engines.get("federation") == "OSX" else target
        return (*self.row.path_of(self.party or ""), *target.split("."))

    def entry(self, slot: str) -> str:
        """The name under fate:secrets of a password of this unit."""
        return f"{self.kind}-{self.party}-{slot}"

    def default(self, key: str) -> Any:
        """What KubeFATE takes when a key is absent; None: nothing."""
        row = default_of(self.chart, key, self.version)
        return None if row is None else row.block if self.file.get(*row.block_path) else row.absent

    def taken(self, key: str) -> Any:
        """The value of a key, or what KubeFATE takes without it."""
        value = self.file.get(*key.split("."))
        return self.default(key) if value in (None, "") else value

    @property
    def combination(self) -> str:
        """The engines, for people."""
        return _COMBINATIONS.get(self.kind, "FATE-Serving").format(**self.engines)

    @property
    def needed(self) -> frozenset[str]:
        """The modules, in KubeFATE's words, that the engines need or may have."""
        release, modules_of = catalogue().get(self.release), _MODULES_OF.get(self.kind)
        if release is None or modules_of is None:
            return self.modules
        names = modules_of(release, self.engines)
        words = {_WORDS_OF_KUBEFATE.get(name, name) for name in names}
        return frozenset(words | ({"rollsite"} if "osx" in words else set()))

    @property
    def unneeded(self) -> frozenset[str]:
        """Modules that are listed, and that the engines do not use."""
        return self.modules - self.needed - {*SITE_PORTAL, *FML_MANAGER} if self.needed else frozenset()

    def deploys(self, module: str) -> bool:
        """Whether a module is deployed, such as spark.worker: it is listed, and the engines use it."""
        return module.partition(".")[0] in self.modules - self.unneeded

    def place_of(self, module: str) -> Path_:
        """The key of a module that is listed."""
        return "modules", str(list(self.file.get("modules")).index(module))

    @property
    def persistent(self) -> bool:
        """Whether KubeFATE kept data in claims."""
        return self.file.get("persistence") is True


def _of_a_party(release: Release, engines: Mapping[str, str]) -> tuple[str, ...]:
    """The modules of engines, and the optional ones; none for engines that the release is not deployed with."""
    combination = release.combination(*(engines[engine] for engine in ENGINES))
    optional = (name for name, row in release.modules.items() if row.optional and row.federation in (None, engines["federation"]))
    return () if combination is None else (*combination.modules, *optional)


_MODULES_OF: Mapping[str, Callable[[Release, Mapping[str, str]], tuple[str, ...]]] = {
    "party": _of_a_party,
    "exchange": lambda release, engines: release.exchanges.get(engines["federation"], ()),
}
# The engines, for people.
_COMBINATIONS = {"party": "{computing} + {federation} + {storage}", "exchange": "an exchange for {federation}"}


# The engines of a unit, and what is to be said of each.
_Engines = tuple[dict[str, str], dict[str, str]]


class Reading:
    """What a file describes: the cluster, or the problems that keep it from being understood, all at once."""

    def __init__(self, file: ClusterFile, choices: Choices) -> None:
        self.file, self.choices = file, choices
        self.problems: list[Problem] = []
        # Known as soon as chart and modules are.
        self.kind: ClusterKind | None = None

    def cluster(self) -> Cluster | None:
        """The cluster; None when there are problems."""
        if (other := _another_kind_of_file(self.file)) is not None:
            self.problems.append(other)
            return None
        name = self._label("name", "the cluster's name")
        namespace = self._label("namespace", "its Kubernetes namespace")
        chart = self._chart()
        version = self._version(chart)
        modules = self._modules(chart)
        if not chart or not modules:
            if "python" in modules:
                self._party("party")
            return None
        self.kind = _kind(chart, modules)
        party = self._party(self.kind)
        if version is None:
            return None
        release, note = self._release(self.kind, version)
        engines, notes = self._engines(self.kind, version, modules, release)
        if self.problems:
            return None
        return Cluster(self.file, name, namespace, chart, version, self.kind, modules, release, note, party, engines, notes, self.choices)

    def missing(self, key: str, remedy: str) -> None:
        """A key that is not there, or that is there in other letters."""
        other = next((path[0] for path in self.file.children(()) if path[0].lower() == key.lower()), None)
        if other is None:
            self.problem(key, f"{key} is missing", remedy)
        else:
            self.problem(other, f"{key} is missing: names of keys are exact, and KubeFATE ignores {other!r}", f"write {key}")

    def problem(self, key: str, problem: str, remedy: str) -> None:
        """Something wrong with a key."""
        self.problems.append(Problem(self.file.place_of((key,)), problem, remedy))

    def _label(self, key: str, what: str) -> str:
        value = self.file.get(key)
        if value in (None, ""):
            self.missing(key, f"add it: {what}")
            return ""
        try:
            return str(TypeAdapter(Label).validate_python(value if isinstance(value, str) else str(value)))
        except ValidationError:
            self.problem(key, f"{value!r} is no name of Kubernetes", "lower case letters, digits and dashes, at most 63")
            return ""

    def _chart(self) -> str:
        chart = self.file.get("chartName")
        if chart in (None, ""):
            self.missing("chartName", f"one of {', '.join(CHARTS)}")
        elif not isinstance(chart, str) or chart not in CHARTS:
            self.problem("chartName", f"unknown chart {chart!r}", f"one of {', '.join(CHARTS)}")
        else:
            return chart
        return ""

    def _version(self, chart: str) -> Version | None:
        text = self.file.text("chartVersion")
        if text in (None, ""):
            self.missing("chartVersion", "add it, such as v1.11.2")
            return None
        version = version_of(str(text))
        if version is None:
            self.problem("chartVersion", f"{text!r} is not a version", "write it as KubeFATE does, such as v1.11.2")
        elif chart and version < Version(OLDEST[chart]):
            self.problem("chartVersion", f"{text} is older than v{OLDEST[chart]}", "charts before KubeFATE 1.5.0 are not read")
            return None
        return version

    def _modules(self, chart: str) -> frozenset[str]:
        modules = self.file.get("modules")
        if modules in (None, "", []):
            self.missing("modules", "list what is deployed")
            return frozenset()
        if not isinstance(modules, list):
            self.problem("modules", "modules is not a list", "list what is deployed")
            return frozenset()
        known: set[str] = CHARTS.get(chart, set())
        for number, word in enumerate(modules):
            if chart and (not isinstance(word, str) or word not in known):
                place = self.file.place_of(("modules", str(number)))
                self.problems.append(Problem(place, f"chart {chart} has no module {word!r}", f"its modules are {', '.join(sorted(known))}"))
        return frozenset(word for word in modules if isinstance(word, str))

    def _party(self, kind: ClusterKind) -> str | None:
        value = self.file.get("partyId")
        if not KINDS[kind].of_a_party:
            return None
        if value in (None, ""):
            self.missing("partyId", "add the number that the federation knows this party by")
            return None
        try:
            return str(TypeAdapter(PartyId).validate_python(value))
        except ValidationError:
            problem = f"{value!r} is not a party id: a positive whole number of at most 10 digits"
            self.problem(
                "partyId", problem, "give the number that the federation knows this party by; only an exchange is called `exchange`"
            )
            return None

    def _release(self, kind: ClusterKind, version: Version) -> tuple[str, str]:
        if self.choices.release is not None:
            if self.choices.release not in releases_of(kind):
                self.problem("chartVersion", f"unknown release {self.choices.release}", f"--release: one of {', '.join(releases_of(kind))}")
            return self.choices.release, "chosen with --release"
        release_and_note = release_of(kind, version)
        if release_and_note is None:
            self.problem(
                "chartVersion",
                f"release {version} is not deployed by this program",
                f"choose with --release: {', '.join(releases_of(kind))}",
            )
            return "", ""
        text, (release, note) = str(self.file.text("chartVersion")), release_and_note
        if not note and is_pre_release(text):
            note = f"{text} is a release of its own before {release}; its data does not fit: start with empty claims"
        return release, note

    def _engines(self, kind: ClusterKind, version: Version, modules: frozenset[str], release: str) -> _Engines:
        readers = {"party": self._party_engines, "exchange": self._exchange_engine}
        return readers[kind](version, modules, release) if kind in readers else ({}, {})

    def _party_engines(self, version: Version, modules: frozenset[str], release: str) -> _Engines:
        words = dict(zip(ENGINES, BACKENDS["eggroll"], strict=True))
        notes: dict[str, str] = {}
        if version < Version("1.9"):
            words |= self._backend(modules)
        else:
            words |= {engine: self._word(engine) or words[engine] for engine in ENGINES}
        if release.startswith("2."):
            for engine, word in list(words.items()):
                new = _WORDS_OF_2.get((engine, word)) or _STORAGE_OF_SPARK.get((words["computing"], engine, word))
                if new is not None:
                    words[engine] = new
                    notes[engine] = f"was {word}, which {_WHY_ANOTHER.get(word, 'FATE 2.x does not have')}"
        return words, notes

    def _backend(self, modules: frozenset[str]) -> dict[str, str]:
        backend = self.file.get("backend") or "eggroll"
        if str(backend).lower() not in BACKENDS:
            self.problem("backend", f"unknown backend {backend!r}", f"one of {', '.join(BACKENDS)}")
            return {}
        words = dict(zip(ENGINES, BACKENDS[str(backend).lower()], strict=True))
        if str(backend).lower() == "spark":
            words["federation"] = self._broker(modules) or words["federation"]
        return words

    def _broker(self, modules: frozenset[str]) -> str | None:
        """The broker of a party whose `backend` only says spark: the one that is deployed, else the one that is spoken of."""
        deployed = [engine for word, engine in _BROKERS.items() if word in modules]
        spoken_of = [engine for word, engine in _BROKERS.items() if self.file.get(word) or self.file.get("python", word)]
        brokers = deployed or spoken_of
        if len(brokers) == 1:
            return brokers[0]
        what = "with Pulsar and RabbitMQ: each job chose one" if brokers else "without a broker: neither pulsar nor rabbitmq is in modules"
        self.problem("backend", f"spark {what}", "write spark_pulsar or spark_rabbitmq here: this program deploys one for all jobs")
        return None

    def _word(self, engine: str) -> str | None:
        value = self.file.get(engine)
        if value in (None, ""):
            return None
        canonical = next((word for word in _WORDS if word.lower() == str(value).lower()), None)
        if canonical is None:
            self.problem(engine, f"unknown engine {value!r}", f"one of {', '.join(_WORDS)}")
        return canonical

    def _exchange_engine(self, version: Version, modules: frozenset[str], release: str) -> _Engines:
        engines = sorted({EXCHANGES[module] for module in modules & EXCHANGES.keys()})
        if not engines:
            self.problem("modules", "an exchange of nginx alone carries no data", "add trafficServer (Pulsar), or rollsite (Eggroll)")
        elif len(engines) > 1:
            remedy = "make a file with a namespace of its own for each engine: [nginx, trafficServer], and [rollsite]"
            self.problem("modules", f"an exchange for {' and '.join(engines)} in one: here each is a unit of its own", remedy)
        elif engines == ["Eggroll"] and release.startswith("2."):
            return {"federation": "OSX"}, {"federation": "was rollsite, which FATE 2.x does not have"}
        return {"federation": engines[0]} if len(engines) == 1 else {}, {}


def _another_kind_of_file(file: ClusterFile) -> Problem | None:
    """A file of KubeFATE's world that is no cluster.yaml, and what to give instead."""
    give = "give the cluster.yaml that `kubefate cluster install -f` was given"
    if file.get("kind") is not None and file.get("apiVersion") is not None:
        inner = ("spec", "clusterSpec")
        what = f"is a resource of kind {file.get('kind')}"
        if file.get(*inner):
            return Problem(
                file.place_of(inner), f"{what}: the cluster is its spec.clusterSpec", "write what is below it to a file of its own"
            )
        return Problem(file.place_of(("kind",)), what, give)
    if isinstance(file.get("modules"), dict) and isinstance(file.get("image"), dict):
        return Problem(file.place_of(("modules",)), "is a file of values for helm, made from a cluster.yaml", give)
    return None


def _kind(chart: str, modules: frozenset[str]) -> ClusterKind:
    """A party, an exchange, or serving: KubeFATE tells them apart by what is deployed."""
    if chart == "fate-exchange":
        return "exchange"
    if chart == "fate-serving":
        return "serving" if "servingServer" in modules else "servingExchange"
    return "exchange" if modules <= EXCHANGES.keys() | {"nginx"} else "party"


def listed(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list; anything else is left to the check of types."""
    return [dict(plain(item)) for item in value] if isinstance(value, list) else []
