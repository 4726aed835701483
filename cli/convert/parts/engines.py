"""Engines that exist already: KubeFATE's `externalMysql*`, and the blocks under `python` of modules that are not deployed."""

from collections.abc import Mapping

from cli.convert.clusters import Cluster
from cli.convert.draft import Draft
from cli.convert.rows.engines import ENGINES, EXTERNAL_MYSQL, Engine, EngineKey
from cli.convert.source import Path_
from federation.base.errors import Problem

# How much of an engine FATE-Flow plans with: KubeFATE's default is another one with each series of charts.
_COUNTS = ("cores_per_node", "nodes")
# What FATE 2.x has no key for.
_OF_FATE_1 = frozenset({"pathPrefix"})
# Not said where the driver is in the pod itself.
_POD = ("driverHost", "fateflow")


def engines(cluster: Cluster, draft: Draft) -> None:
    """Each engine that the party's combination needs."""
    _mysql(cluster, draft)
    for engine in ENGINES:
        if engine.name in cluster.needed:
            _existing(cluster, draft, engine)


def is_external(cluster: Cluster, engine: Engine) -> bool:
    """Whether FATE-Flow used an engine that KubeFATE did not deploy: it is no module, or the block names another one."""
    where, one = next(iter(engine.keys.items()))
    named = str(cluster.file.get(*engine.block, where) or "")
    named = named.rstrip("/") if where == "name_node" else named
    return engine.name not in cluster.modules or named not in ("", one.default)


def _existing(cluster: Cluster, draft: Draft, engine: Engine) -> None:
    if not is_external(cluster, engine):
        _deployed(cluster, draft, engine)
        return
    where, one = next(iter(engine.keys.items()))
    if engine.name not in cluster.modules and cluster.file.get(*engine.block, where) in (None, ""):
        key = ".".join((*engine.block, where))
        draft.problems.append(
            Problem(
                cluster.file.place_of(("modules",)),
                f"{engine.name} is not in modules, and {key} names none: FATE-Flow would dial {one.default}, which nothing deploys",
                f"add {engine.name} to modules, or write its address at {key}",
            )
        )
        return
    _put_keys(cluster, draft, engine.name, engine.block, engine.keys)
    if engine.name == "rabbitmq":
        put_entry(cluster, draft, "engines.rabbitmq.external", "rabbitmq")
    if engine.name in cluster.modules:
        draft.lose(cluster.place_of(engine.name), f"FATE-Flow used the existing one ({'.'.join(engine.block)}): nothing used this")
    if engine.published is not None:
        _publish(cluster, draft, engine)


def _put_keys(cluster: Cluster, draft: Draft, engine: str, block: Path_, keys: Mapping[str, EngineKey]) -> None:
    """Where an existing engine is: what the file says, else KubeFATE's default."""
    for key, one in keys.items():
        path = (*block, key)
        value = None if path in draft.not_used else cluster.file.get(*path)
        default = cluster.default(".".join(path)) if key in _COUNTS else one.default
        present = value not in (None, "")
        if (key, value if present else default) == _POD:
            draft.read.add(path)
        elif present and one.target in _OF_FATE_1 and not cluster.release.startswith("1."):
            draft.lose(path, f"FATE {cluster.release} has no such key, and ignored it: it writes below the root")
        elif present or default is not None:
            value = value.rstrip("/") if one.target == "nameNode" and isinstance(value, str) else value
            target = cluster.at(f"engines.{engine}.external.{one.target}")
            draft.put(target, value if present else default, path if present else None, "" if present else "KubeFATE's default")


_WHY_FIXED = {
    "path_prefix": "FATE-Flow reads and writes below the root of its own HDFS here: move existing data there (`hdfs dfs -mv`), or it is "
    "not found",
    "cluster": "the party's own Pulsar has one cluster, standalone",
    "driverHostType": "the driver of the party's own Spark runs in FATE-Flow's pod, inside the cluster: no Service is needed",
    "pysparkPython": "the images have one Python",
}  # fmt: skip
_FIXED = "the party's own engine is dialled where this program deploys it"
_FIXED_PORT = "the driver of the party's own Spark takes any port inside the cluster: a firewall between pods must let it pass"


def _deployed(cluster: Cluster, draft: Draft, engine: Engine) -> None:
    """The keys of an engine that KubeFATE deployed itself: KubeFATE passed them to FATE-Flow; here the values are fixed."""
    for key, one in engine.keys.items():
        path, value = (*engine.block, key), cluster.file.get(*engine.block, key)
        if value in (None, "", one.default) or (key == "name_node" and str(value).rstrip("/") == one.default):
            draft.read.add(path)
        elif key not in _COUNTS:
            why = _FIXED_PORT if key.endswith("StartPort") or key == "portMaxRetries" else _WHY_FIXED.get(key, _FIXED)
            draft.lose(path, why)


def _publish(cluster: Cluster, draft: Draft, engine: Engine) -> None:
    """Peers dial the engine where it is."""
    host = draft.puts.get(cluster.at(f"engines.{engine.name}.external.host"))
    port = draft.puts.get(cluster.at(f"engines.{engine.name}.external.{engine.published}"))
    if host is None or port is None:
        return
    at = f"publish.{engine.name}"
    draft.clear(cluster.at(at))
    draft.put(cluster.at(f"{at}.type"), "External", None, "no Service: the engine is elsewhere")
    draft.put(cluster.at(f"{at}.port"), port.value, port.origin)
    draft.put(cluster.at(f"{at}.advertise.host"), host.value, host.origin, "the address at which peers reach it")


def _mysql(cluster: Cluster, draft: Draft) -> None:
    if not cluster.file.get("externalMysqlIp"):
        for key in EXTERNAL_MYSQL:
            if cluster.file.get(key) not in (None, ""):
                draft.lose((key,), "without externalMysqlIp: the party has a MySQL of its own here")
        return
    _put_keys(cluster, draft, "mysql", (), EXTERNAL_MYSQL)
    put_entry(cluster, draft, "engines.mysql.external", "mysql")
    if "mysql" in cluster.modules:
        draft.lose(cluster.place_of("mysql"), "FATE-Flow used the existing one (externalMysqlIp): nothing used this")
    draft.warn("an existing MySQL keeps its data: a release that differs from the old one finds the old tables there")


def put_entry(cluster: Cluster, draft: Draft, account: str, slot: str) -> None:
    """The password of an account: its entry of fate:secrets."""
    draft.put(cluster.at(f"{account}.password.secret"), cluster.entry(slot), None, "an entry of fate:secrets")
