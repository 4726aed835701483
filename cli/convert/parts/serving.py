"""FATE-Serving: where a party publishes its models, and serving clusters with their peers."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from cli.convert.clusters import Cluster
from cli.convert.draft import Draft
from cli.convert.parts.engines import put_entry
from cli.convert.parts.links import PLACEHOLDER
from cli.convert.source import Path_
from federation.base.scalars import HostPort

_ADAPTORS = "com.webank.ai.fate.serving.adaptor.dataaccess"
_REDIS = {"externalRedisIp": ("host", None), "externalRedisPort": ("port", 6379)}


def servings(cluster: Cluster, draft: Draft) -> None:
    """The address of serving-server, or of its registry."""
    host, port = cluster.file.get("servingIp"), cluster.file.get("servingPort")
    if host:
        _put_addresses(draft, cluster.at("servings.hosts"), [f"{host}:{port or 8000}"], ("servingIp",))
        draft.read.add(("servingPort",))
    elif port:
        draft.unused(("servingPort",), "there is no servingIp")
    zookeeper = ("serving", "zookeeper")
    for key in ("hosts", "use_acl", "user", "password"):
        if cluster.file.get(*zookeeper, key) not in (None, "") and cluster.file.get("serving", "useRegistry") is not True:
            draft.unused((*zookeeper, key), "serving.useRegistry is not true")
            draft.passwords.pop(cluster.entry("zookeeper"), None)
    hosts = cluster.file.get(*zookeeper, "hosts")
    if cluster.file.get("serving", "useRegistry") is not True:
        return
    addresses = [str(one) for one in (hosts if isinstance(hosts, list) else str(hosts or "").split(",")) if one]
    _put_addresses(draft, cluster.at("servings.zookeeper.hosts"), addresses, (*zookeeper, "hosts"))
    if cluster.file.get(*zookeeper, "use_acl") is True:
        draft.put(cluster.at("servings.zookeeper.user"), cluster.file.get(*zookeeper, "user") or "fate", (*zookeeper, "user"))
        put_entry(cluster, draft, "servings.zookeeper", "zookeeper")


def _put_addresses(draft: Draft, path: Path_, addresses: list[str], origin: Path_) -> None:
    try:
        TypeAdapter(list[HostPort]).validate_python(addresses)
    except ValidationError:
        draft.lose(origin, f"{', '.join(addresses)}: not host:port")
    else:
        if addresses:
            draft.put(path, addresses, origin)


def server(cluster: Cluster, draft: Draft) -> None:
    """FATE-Flow's address, and the features' adaptors."""
    fateflow = cluster.file.get("servingServer", "fateflow") or {}
    if fateflow.get("ip"):
        address = f"{fateflow['ip']}:{fateflow.get('port') or 9380}"
        draft.put(cluster.at("fateflow"), address, ("servingServer", "fateflow", "ip"))
    else:
        if fateflow.get("port"):
            draft.lose(("servingServer", "fateflow", "port"), "servingServer.fateflow.ip is missing")
        draft.put(
            cluster.at("fateflow"), f"{PLACEHOLDER}:9380", None, f"REPLACE {PLACEHOLDER}: the party's FATE-Flow, whose models are served"
        )
        draft.ask(f"name FATE-Flow of party {cluster.party}: fate:serving.{cluster.party}.fateflow, or describe the party in this stack")
    for key, target in (("singleAdaptor", "single"), ("batchAdaptor", "batch")):
        word: Any = cluster.file.get("servingServer", key)
        if word:
            name = str(word) if "." in str(word) else f"{_ADAPTORS}.{word}"
            draft.put(cluster.at(f"adaptors.{target}"), name, ("servingServer", key))


def redis(cluster: Cluster, draft: Draft) -> None:
    """The cache: an existing Redis, one that is deployed, or none."""
    external = cluster.file.get("externalRedisIp")
    local = (cluster.file.get("servingServer", "cacheType") or "local") == "local"
    if "servingRedis" in cluster.modules and (external or local):
        why = "FATE-Serving used the existing one (externalRedisIp)" if external else "results are kept in memory (cacheType local)"
        draft.lose(cluster.place_of("servingRedis"), f"{why}: nothing used this")
        for path in draft.below(cluster.at("modules.servingRedis")):
            if (origin := draft.puts[path].origin) is not None:
                draft.lose(origin, "servingRedis is not deployed here")
        draft.clear(cluster.at("modules.servingRedis"))
    if not external:
        if cluster.file.get("externalRedisPort"):
            draft.lose(("externalRedisPort",), "without externalRedisIp")
        return
    for key, (target, default) in _REDIS.items():
        value = cluster.file.get(key)
        draft.put(cluster.at(f"engines.redis.external.{target}"), value or default, (key,) if value else None)
    put_entry(cluster, draft, "engines.redis.external", "redis")
