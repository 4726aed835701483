"""Properties of a conversion that hold for any cluster of KubeFATE, not only for those that somebody wrote.

The rules are said again here, from KubeFATE's charts, and not taken from the rows of the converter.
"""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as some

from cli.convert.lookup import row_of
from cli.convert.rows.table import TABLE
from federation.base.errors import FederationError
from tests.support.kubefate import BASES, Keys, Result, converted

P = "parties/9999"
_OLD, _NEW = ("v1.6.1", "v1.7.2", "v1.8.0"), ("v1.9.0", "v1.10.0", "v1.11.2")
_ENGINES = {"eggroll": ("Eggroll", "Eggroll", "Eggroll"), "spark_rabbitmq": ("Spark", "RabbitMQ", "HDFS"),
            "spark_pulsar": ("Spark", "Pulsar", "HDFS")}  # fmt: skip
_MODULES = {"eggroll": ["rollsite", "clustermanager", "nodemanager"], "spark_rabbitmq": ["spark", "hdfs", "nginx", "rabbitmq"],
            "spark_pulsar": ["spark", "hdfs", "nginx", "pulsar"]}  # fmt: skip
# What peers dial: the module, its key here, KubeFATE's key of each node port and the one here.
_DIALLED = {"eggroll": {"rollsite": {"nodePort": "port"}}, "spark_rabbitmq": {"rabbitmq": {"nodePort": "port"}},
            "spark_pulsar": {"pulsar": {"httpsNodePort": "port"}}}  # fmt: skip

ports = some.integers(30000, 32000)
types = some.sampled_from(["NodePort", "ClusterIP", "LoadBalancer"])
sub_paths = some.sampled_from([None, "", "mine"])
numbers = some.integers(1, 5)


def _maybe(strategy: some.SearchStrategy[Any]) -> some.SearchStrategy[Any]:
    return some.one_of(some.none(), strategy)


def _block(**keys: some.SearchStrategy[Any]) -> some.SearchStrategy[Keys]:
    """A block with some of these keys, or no block at all."""
    return _maybe(some.fixed_dictionaries({}, optional=keys)).map(lambda block: block or {})


_SIZE = some.just("2Gi")
members = some.lists(some.tuples(some.integers(1, 9998), some.integers(1, 250), ports), max_size=5, unique_by=lambda one: one[0])


@some.composite
def clusters(draw: Any) -> Keys:
    """A party with claims: charts from 1.6.1 on, each broker, any of the keys that the rules below speak of."""
    version, backend = draw(some.sampled_from((*_OLD, *_NEW))), draw(some.sampled_from(sorted(_ENGINES)))
    keys: Keys = {"name": "fate-9999", "namespace": "ns", "chartName": "fate", "chartVersion": version, "partyId": 9999}
    keys |= {"persistence": True, "modules": ["python", "mysql", "client", *_MODULES[backend]]}
    keys |= {"backend": backend} if version in _OLD else dict(zip(("computing", "federation", "storage"), _ENGINES[backend], strict=True))
    counted = {"count" if version in _OLD else "replicas": numbers}
    blocks = {
        "mysql": _block(subPath=sub_paths, size=_SIZE),
        "client": _block(subPath=sub_paths, size=_SIZE),
        "nodemanager": _block(subPath=sub_paths, size=_SIZE, **counted),
        "rollsite": _block(type=types, nodePort=ports),
        "rabbitmq": _block(type=types, nodePort=ports),
        "pulsar": _block(type=types, httpsNodePort=ports, size=_SIZE),
    }
    keys |= {name: found for name, block in blocks.items() if name in keys["modules"] and (found := draw(block))}
    if "nodemanager" in keys and version in _OLD:
        keys["nodemanager"].setdefault("count", draw(numbers))
    if "spark" in keys["modules"]:
        keys["spark"] = {"master": {}, "worker": draw(_block(replicas=numbers))}
    for party, last, port in draw(members):
        entry = {"partyId": party, "partyIp": f"192.0.2.{last}", "partyPort": port}
        if backend == "eggroll":
            keys.setdefault("rollsite", {}).setdefault("partyList", []).append(entry)
        elif backend == "spark_rabbitmq":
            keys.setdefault("rabbitmq", {}).setdefault("route_table", {})[party] = {"host": entry["partyIp"], "port": port}
            router = {"proxy": [{"host": entry["partyIp"], "http_port": port + 1}]}
            keys.setdefault("nginx", {}).setdefault("route_table", {})[party] = router
    return keys


def _given(block: Keys, key: str) -> Any:
    return None if block.get(key) in (None, "") else block[key]


@settings(max_examples=60, deadline=None)
@given(clusters())
def test_what_is_deployed_is_what_kubefate_s_chart_deployed(keys: Keys) -> None:
    result = converted(keys)
    for told in (_published(keys), _folders(keys), _claims(keys), _replicas(keys), _routes(keys)):
        wanted = dict(told)
        assert {path: result.at(path) for path in wanted} == wanted
    assert {fact.verdict for fact in result.done.facts if fact.subject.startswith(("claim of mysql", "claim of client", "pods of"))} == {
        "same"
    }


def _backend(keys: Keys) -> str:
    return next(name for name, modules in _MODULES.items() if modules == keys["modules"][3:])


def _published(keys: Keys) -> Iterator[tuple[str, Any]]:
    """Services and node ports: ClusterIP without a type; a node port without a number is Kubernetes' choice, left to be filled in."""
    for module, dialled in _DIALLED[_backend(keys)].items():
        block = keys.get(module, {})
        kind = _given(block, "type") or "ClusterIP"
        yield f"{P}/publish/{module}/type", kind
        for theirs, ours in dialled.items():
            yield f"{P}/publish/{module}/{ours}", _given(block, theirs) if kind == "NodePort" else None


def _folders(keys: Keys) -> Iterator[tuple[str, Any]]:
    """A folder is the module's own only when its block is absent; with a block it is `subPath`, or the root of the claim."""
    old = keys["chartVersion"] in _OLD
    for module in ("mysql", "client", "nodemanager"):
        if module in keys["modules"] and not (module == "nodemanager" and old):
            root = None if not keys.get(module) else "."
            yield f"{P}/modules/{module}/persistence/subPath", _given(keys.get(module, {}), "subPath") or root


def _claims(keys: Keys) -> Iterator[tuple[str, Any]]:
    """Up to 1.8 the claims have names of their own; later they are found by this program's names. MySQL's is named, for its password."""
    later = {"mysql": "data-mysql-0"}
    places = {"python": "fateflow", "mysql": "mysql", "client": "client", "pulsar": "pulsar"}
    for module, place in places.items():
        if module in keys["modules"]:
            yield f"{P}/modules/{place}/persistence/existingClaim", f"{module}-data" if keys["chartVersion"] in _OLD else later.get(module)


def _replicas(keys: Keys) -> Iterator[tuple[str, Any]]:
    """Two node managers or workers and three data nodes when nothing is said, one data node up to 1.8."""
    old = keys["chartVersion"] in _OLD
    if "nodemanager" in keys["modules"]:
        yield f"{P}/modules/nodemanager/replicas", _given(keys.get("nodemanager", {}), "count" if old else "replicas") or 2
    if "spark" in keys["modules"]:
        yield f"{P}/modules/spark/workers", _given(keys["spark"]["worker"], "replicas") or 2
        yield f"{P}/modules/hdfs/datanode/replicas", 1 if old else 3


def _routes(keys: Keys) -> Iterator[tuple[str, Any]]:
    """Every other party is dialled where the file says."""
    for entry in keys.get("rollsite", {}).get("partyList", []):
        yield f"peers/party-{entry['partyId']}/rollsite", f"{entry['partyIp']}:{entry['partyPort']}"
    for party, route in keys.get("rabbitmq", {}).get("route_table", {}).items():
        yield f"peers/party-{party}/rabbitmq", f"{route['host']}:{route['port']}"
        yield f"peers/party-{party}/nginx", f"{route['host']}:{route['port'] + 1}"


# Values for the keys of the table, by the last part of the key; any other is a word.
_VALUES: dict[str, list[Any]] = {
    "type": ["NodePort", "ClusterIP", "LoadBalancer"], "size": ["3Gi"], "accessMode": ["ReadWriteOnce"], "nodeSelector": [{"a": "b"}],
    "affinity": [{"nodeAffinity": {}}], "tolerations": [[{"key": "a", "operator": "Exists"}]], "pullPolicy": ["Always"],
    "ip": ["192.0.2.7"], "host": ["192.0.2.8"], "partyIp": ["192.0.2.9"], "partyId": [10000], "loadBalancerIP": ["192.0.2.77"],
    "hosts": ["zk.example:2181"], "fqdn": ["10000.fate.org"], "tunnelRoute": ["192.0.2.10:30109"], "proxy": ["192.0.2.50:30007"],
    "domain": ["bank.example"], "replicas": [1, 2], "count": [1, 2], "master": ["spark://192.0.2.30:7077"], "cpu": ["1"],
    "name_node": ["hdfs://192.0.2.31:8020", "hdfs://namenode:9000/"], "secretName": ["board-tls"], "driverHost": ["192.0.2.40"],
    "driverHostType": ["NodePort"], "cacheType": ["redis", "local"], "requests": [{"cpu": "1"}], "path": ["/"], "memory": ["1Gi"],
}  # fmt: skip
_BY_TYPE: dict[str, list[Any]] = {"number": [30000, 30500, "31000"], "flag": [True, False], "list": [["x"]], "map": [{"a": "b"}]}
_HEAD = frozenset({"name", "namespace", "chartName", "chartVersion", "partyId", "modules", "persistence", "backend", "computing",
                   "federation", "storage", "device", "algorithm", "imagePullSecrets[].name", "skippedKeys"})  # fmt: skip
KINDS = {"eggroll": "party", "pulsar": "party", "rabbitmq": "party", "old": "party", "exchange": "exchange", "hub": "exchange",
         "serving": "serving", "serving-exchange": "servingExchange"}  # fmt: skip


@some.composite
def any_keys(draw: Any) -> Keys:
    """A base with some of the keys that the table has for its kind of cluster, with a value each."""
    base = draw(some.sampled_from(sorted(KINDS)))
    rows = [row for row in TABLE if KINDS[base] in row.kinds and row.key not in _HEAD]
    # The bases are everybody's.
    keys: Keys = {**copy.deepcopy(BASES[base]), "persistence": draw(some.booleans())}
    for row in draw(some.lists(some.sampled_from(rows), min_size=1, max_size=8, unique_by=lambda row: row.key)):
        last = row.path[-1] if row.path[-1] != "*" else row.path[-2]
        values = _VALUES.get(last) or _BY_TYPE.get(row.type) or ["word"]
        _write(keys, row.path, copy.deepcopy(draw(some.sampled_from(values))))
    return keys


def _write(keys: Keys, path: tuple[str, ...], value: Any) -> None:
    node: Any = keys
    for number, part in enumerate(path):
        last, name = number == len(path) - 1, {"*": "10000"}.get(part, part)
        if part == "[]":
            node.append({}) if not node else None
            node = node[0]
        elif last:
            if name == "10000" and path[-2] in ("requests", "limits"):
                name = "cpu"
            node[name] = value
        else:
            node = node.setdefault(name, [] if path[number + 1] == "[]" else {})
            if not isinstance(node, dict | list):
                assume(False)


@settings(max_examples=120, deadline=None)
@given(any_keys())
def test_every_key_with_a_value_is_carried_or_listed_and_not_both(keys: Keys) -> None:
    try:
        result = converted(keys)
    except FederationError:
        # A value that a unit cannot be without, or engines that do not go together: nothing was converted.
        assume(False)
        return
    carried = {path for path, _ in result.done.carried}
    leaves = list(_leaves(result, ()))
    assert len(leaves) >= 6
    wrong = []
    for path in leaves:
        told = sum(any(path[: len(one)] == one for one in group) for group in (carried, result.done.draft.lost, result.done.draft.not_used))
        # Of a list of modules single ones are listed, and the list as such is carried.
        if told != 1 and path[0] not in ("modules", "imagePullSecrets"):
            wrong.append((path, told))
    assert wrong == []


def _leaves(result: Result, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Keys with a value; a block that is one value of the table is one."""
    file = result.done.cluster.file
    for child in file.children(path):
        value = file.get(*child)
        if isinstance(value, dict | list) and value and row_of(child, result.done.cluster.kind) is None:
            yield from _leaves(result, child)
        elif value not in (None, "", [], {}):
            yield child
