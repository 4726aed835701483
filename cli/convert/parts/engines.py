"""Engines that exist already: KubeFATE's `externalMysql*`, and the blocks under `python` of modules that are not deployed."""

from dataclasses import dataclass

from cli.convert.clusters import Cluster
from cli.convert.draft import Draft
from federation.base.errors import Problem
from federation.base.model_errors import has_path
from federation.config.stack import StackSpec


@dataclass(frozen=True)
class Existing:
    """An engine: KubeFATE's block of keys, each with its name here and KubeFATE's default; the first says where the engine is."""

    engine: str
    block: tuple[str, ...]
    keys: dict[str, tuple[str, object]]
    # Its own port that peers dial, when it is published.
    published: str | None = None


EXISTING = (
    Existing("spark", ("python", "spark"), {
        "master": ("master", "spark://spark-master:7077"), "cores_per_node": ("coresPerNode", 20), "nodes": ("nodes", 2),
        "driverHost": ("driverHost", "fateflow"), "driverHostType": ("driverHostType", None), "portMaxRetries": ("portMaxRetries", None),
        "driverStartPort": ("driverStartPort", None), "blockManagerStartPort": ("blockManagerStartPort", None),
        "pysparkPython": ("pysparkPython", None),
    }),
    Existing("hdfs", ("python", "hdfs"), {"name_node": ("nameNode", "hdfs://namenode:9000"), "path_prefix": ("pathPrefix", None)}),
    Existing("pulsar", ("python", "pulsar"), {
        "host": ("host", "pulsar"), "port": ("port", 6650), "ssl_port": ("tlsPort", 6651), "mng_port": ("managementPort", 8080),
        "cluster": ("cluster", "standalone"),
    }, "tlsPort"),
    Existing("rabbitmq", ("python", "rabbitmq"), {
        "host": ("host", "rabbitmq"), "port": ("port", 5672), "mng_port": ("managementPort", 15672), "user": ("user", "fate"),
    }, "port"),
)  # fmt: skip
_MYSQL = {
    "externalMysqlIp": ("host", None), "externalMysqlPort": ("port", 3306), "externalMysqlDatabase": ("database", "eggroll_meta"),
    "externalMysqlUser": ("user", "fate"),
}  # fmt: skip
# How much of an engine FATE-Flow plans with: KubeFATE's default is another one with each series of charts.
_COUNTS = ("cores_per_node", "nodes")
# What FATE 2.x has no key for.
_OF_FATE_1 = frozenset({"pathPrefix"})
# Not said where the driver is in the pod itself.
_POD = ("driverHost", "fateflow")


def engines(cluster: Cluster, draft: Draft) -> None:
    """Each engine that the party's combination needs."""
    if cluster.kind != "party":
        return
    _mysql(cluster, draft)
    for row in EXISTING:
        if row.engine in cluster.needed:
            _existing(cluster, draft, row)


def is_external(cluster: Cluster, row: Existing) -> bool:
    """Whether FATE-Flow used an engine that KubeFATE did not deploy: it is no module, or the block names another one."""
    where, (_, default) = next(iter(row.keys.items()))
    named = str(cluster.file.get(*row.block, where) or "")
    named = named.rstrip("/") if where == "name_node" else named
    return row.engine not in cluster.modules or named not in ("", default)


def _existing(cluster: Cluster, draft: Draft, row: Existing) -> None:
    if not is_external(cluster, row):
        _deployed(cluster, draft, row)
        return
    where, (_, default) = next(iter(row.keys.items()))
    if row.engine not in cluster.modules and cluster.file.get(*row.block, where) in (None, ""):
        key = ".".join((*row.block, where))
        draft.problems.append(
            Problem(
                cluster.file.place(("modules",)),
                f"{row.engine} is not in modules, and {key} names none: FATE-Flow would dial {default}, which nothing deploys",
                f"add {row.engine} to modules, or write its address at {key}",
            )
        )
        return
    for key, (target, default) in row.keys.items():
        path = (*row.block, key)
        value = None if path in draft.not_used else cluster.file.get(*path)
        default = cluster.default(".".join(path)) if key in _COUNTS else default
        given = value not in (None, "")
        if (key, value if given else default) == _POD:
            draft.read.add(path)
            continue
        if given and target in _OF_FATE_1 and not cluster.release.startswith("1."):
            draft.lose(path, f"FATE {cluster.release} has no such key, and ignored it: it writes below the root")
        elif given or default is not None:
            note = "" if given else "KubeFATE's default"
            value = value.rstrip("/") if target == "nameNode" and isinstance(value, str) else value
            draft.put(cluster.at(f"engines.{row.engine}.external.{target}"), value if given else default, path if given else None, note)
    if row.engine == "rabbitmq":
        _password(cluster, draft, "rabbitmq", "rabbitmq")
    if row.engine in cluster.modules:
        draft.lose(("modules", _place(cluster, row.engine)), f"FATE-Flow used the existing one ({'.'.join(row.block)}): nothing used this")
    if row.published is not None:
        _publish(cluster, draft, row)


_WHY_FIXED = {
    "path_prefix": "FATE-Flow reads and writes below the root of its own HDFS here: move existing data there (`hdfs dfs -mv`), or it is "
    "not found",
    "cluster": "the party's own Pulsar has one cluster, standalone",
    "driverHostType": "the driver of the party's own Spark runs in FATE-Flow's pod, inside the cluster: no Service is needed",
    "pysparkPython": "the images have one Python",
}  # fmt: skip
_FIXED = "the party's own engine is dialled where this program deploys it"
_FIXED_PORT = "the driver of the party's own Spark takes any port inside the cluster: a firewall between pods must let it pass"


def _deployed(cluster: Cluster, draft: Draft, row: Existing) -> None:
    """What is said of an engine that KubeFATE deployed itself: FATE-Flow was told it, and here it is fixed."""
    for key, (_, default) in row.keys.items():
        path, value = (*row.block, key), cluster.file.get(*row.block, key)
        if value in (None, "", default) or (key == "name_node" and str(value).rstrip("/") == default):
            draft.read.add(path)
        elif key not in _COUNTS:
            why = _FIXED_PORT if key.endswith("StartPort") or key == "portMaxRetries" else _WHY_FIXED.get(key, _FIXED)
            draft.lose(path, why)


def _publish(cluster: Cluster, draft: Draft, row: Existing) -> None:
    """Peers dial the engine where it is."""
    host = draft.puts.get(cluster.at(f"engines.{row.engine}.external.host"))
    port = draft.puts.get(cluster.at(f"engines.{row.engine}.external.{row.published}"))
    if host is None or port is None:
        return
    at = f"publish.{row.engine}"
    for path in [path for path in draft.puts if path[: len(cluster.at(at))] == cluster.at(at)]:
        del draft.puts[path]
    draft.put(cluster.at(f"{at}.type"), "External", None, "no Service: the engine is elsewhere")
    draft.put(cluster.at(f"{at}.port"), port.value, port.origin)
    draft.put(cluster.at(f"{at}.advertise.host"), host.value, host.origin, "the address at which peers reach it")


def _mysql(cluster: Cluster, draft: Draft) -> None:
    if not cluster.file.get("externalMysqlIp"):
        for key in _MYSQL:
            if cluster.file.get(key) not in (None, ""):
                draft.lose((key,), "without externalMysqlIp: the party has a MySQL of its own here")
        return
    for key, (target, default) in _MYSQL.items():
        value = cluster.file.get(key)
        given = value not in (None, "")
        draft.put(cluster.at(f"engines.mysql.external.{target}"), value if given else default, (key,) if given else None,
                  "" if given else "KubeFATE's default")  # fmt: skip
    _password(cluster, draft, "mysql", "mysql")
    if "mysql" in cluster.modules:
        draft.lose(("modules", _place(cluster, "mysql")), "FATE-Flow used the existing one (externalMysqlIp): nothing used this")
    draft.warn("an existing MySQL keeps its data: a release that differs from the old one finds the old tables there")


def _password(cluster: Cluster, draft: Draft, engine: str, slot: str) -> None:
    path = cluster.at(f"engines.{engine}.external.password.secret")
    if has_path(path, StackSpec):
        draft.put(path, cluster.entry(slot), None, "an entry of fate:secrets")


def _place(cluster: Cluster, word: str) -> str:
    return str(list(cluster.file.get("modules")).index(word))
