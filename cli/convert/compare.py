"""Before and after, for the operator to check: Services and ports, routes, claims and folders, replicas and cores.

"Before" is what KubeFATE's chart of that version made of the file (the rows of `defaults` and `claims`), "after" what the plan of the
written stack makes. Where KubeFATE let Kubernetes choose, only the old cluster knows: that is said, with no number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cli.convert.claims import claims_of, folder_of, names_of, node_managers
from cli.convert.clusters import Cluster
from cli.convert.defaults import chart_read
from cli.convert.draft import Draft
from cli.convert.lookup import row_of
from cli.convert.rows.row import ForType, Lost, PublishedPort, service_type
from cli.convert.source import Path_
from cli.convert.versions import suffix_of
from federation.stack.plan import StackPlan
from federation.units.unit import UnitPlan

Verdict = Literal["same", "differs", "unknown"]
CHOSEN = "chosen by Kubernetes"
_NONE = "none"


@dataclass(frozen=True)
class Fact:
    """One line of the comparison. `verdict`: unknown where only the old cluster knows what was, or the operator fills in the rest."""

    subject: str
    before: str
    after: str
    verdict: Verdict


@dataclass(frozen=True)
class ExposedPort:
    """A port that is dialled from outside its module: KubeFATE's key of the node port, the number inside, and the Services here."""

    module: str
    key: str
    port: int
    services: tuple[str, ...]
    name: str


EXPOSED_PORTS: tuple[ExposedPort, ...] = (
    ExposedPort("rollsite", "nodePort", 9370, ("rollsite-public", "osx-public", "rollsite", "osx"), "tcp-rollsite"),
    ExposedPort("lbrollsite", "nodePort", 9370, ("rollsite-public",), "tcp-rollsite"),
    ExposedPort("osx", "nodePort", 9370, ("osx-public", "osx"), "tcp-osx"),
    ExposedPort("nginx", "nodePort", 9390, ("nginx-public", "nginx"), "http"),
    ExposedPort("nginx", "httpNodePort", 9300, ("nginx-public", "nginx"), "http"),
    ExposedPort("nginx", "grpcNodePort", 9310, ("nginx-public", "nginx"), "grpc"),
    ExposedPort("rabbitmq", "nodePort", 5672, ("rabbitmq-public",), "tcp-rabbitmq"),
    ExposedPort("pulsar", "httpsNodePort", 6651, ("pulsar-public-tls",), "tls-port"),
    ExposedPort("python", "httpNodePort", 9380, ("fateflow-client",), "tcp-http"),
    ExposedPort("python", "grpcNodePort", 9360, ("fateflow-client",), "tcp-grpc"),
    ExposedPort("trafficServer", "nodePort", 443, ("traffic-server",), "443"),
    ExposedPort("servingProxy", "nodePort", 8869, ("serving-proxy-public", "serving-proxy"), "tcp-inter"),
)  # fmt: skip
# Modules with a number of pods: KubeFATE's key, and the module's name in the chart's values here.
# By kind of cluster: modules with a number of pods, and their names here.
_SCALED = {
    "party": {"spark.worker": "sparkWorker", "hdfs.datanode": "datanode", "nodemanager": "nodemanager"},
    "exchange": {"trafficServer": "trafficServer", "nginx": "nginx"},
}
_IN_VALUES = {"python": "fateflow", "hdfs.namenode": "namenode", "hdfs.datanode": "datanode"}
_OWN_FOLDERS = {"python": "logs, jobs, model-local-cache", "mysql": "mysql", "client": "client", "nodemanager": "nodemanager",
                "servingServer": "cache, model_cache", "servingRedis": "redis", "servingZookeeper": "zookeeper"}  # fmt: skip


def certainty(cluster: Cluster) -> str:
    """How sure a conversion is: on which chart its "before" rests."""
    suffix = suffix_of(str(cluster.file.text("chartVersion")))
    if suffix:
        return f"chart {cluster.chart} {cluster.file.text('chartVersion')} is not KubeFATE's own: it was read like v{cluster.version}"
    if not chart_read(cluster.chart, cluster.version):
        return f"chart {cluster.chart} v{cluster.version} was not there to be read: it was read like the one before it"
    return f"what KubeFATE made of the file is known from its chart {cluster.chart} v{cluster.version}"


def compare(cluster: Cluster, draft: Draft, plan: StackPlan) -> Iterator[Fact]:
    """Every fact of one conversion."""
    unit = plan.units[0]
    yield from _exposed_ports(cluster, draft, unit)
    yield from _routes(cluster, draft)
    yield from _claims(cluster, unit)
    yield from _replicas(cluster, unit)
    if (cores := _cores(cluster, unit)) is not None:
        before, after = cores
        yield _fact("cores that FATE-Flow shares among jobs", _product(before), _product(after))


def lose_cores(cluster: Cluster, draft: Draft, plan: StackPlan) -> None:
    """FATE-Flow's number of cores follows from the pods here: a file that says another one is told so."""
    cores, block = _cores(cluster, plan.units[0]), _cores_block(cluster)
    for key in ("cores_per_node", "nodes"):
        path = (*block, key)
        if cores is None or cluster.file.get(*path) in (None, "") or path in draft.not_used:
            continue
        before, after = cores
        if before == after:
            draft.lost.pop(path, None)
        else:
            draft.lost[path] = (
                f"FATE-Flow shares {_product(after)} cores among jobs, as its nodes here have them, and not {_product(before)}"
            )


def _fact(subject: str, before: str, after: str) -> Fact:
    unknown = CHOSEN in before or "FILL IN" in after
    return Fact(subject, before, after, "unknown" if unknown else "same" if before == after else "differs")


def _exposed_ports(cluster: Cluster, draft: Draft, unit: UnitPlan) -> Iterator[Fact]:
    for exposed in EXPOSED_PORTS:
        row = row_of((exposed.module, exposed.key), cluster.kind)
        if row is None or not row.knows(cluster.version) or not cluster.deploys(exposed.module):
            continue
        if isinstance(row.how, ForType | PublishedPort):
            target = cluster.at(row.how.becomes)
            put = draft.puts.get(target)
            after = _shown_service(unit, exposed, put is not None and put.wanted is not None)
            yield _fact(f"{exposed.module}, port {exposed.port}", _before(cluster, exposed), after)
        elif isinstance(row.how, Lost):
            yield _fact(f"{exposed.module}, port {exposed.port}", _before(cluster, exposed), _NONE)


def _before(cluster: Cluster, exposed: ExposedPort) -> str:
    kind = service_type(cluster, f"{exposed.module}.type")
    if exposed.module == "pulsar" and cluster.file.get("pulsar", "publicLB", "enabled") is True:
        kind = "LoadBalancer"
    dead = " without a listener: no pulsar.exchange, no TLS" if exposed.module == "pulsar" and not has_tls(cluster) else ""
    if kind != "NodePort":
        return f"{kind}{dead}"
    return f"NodePort {cluster.taken(f'{exposed.module}.{exposed.key}') or CHOSEN}{dead}"


def has_tls(cluster: Cluster) -> bool:
    """Whether KubeFATE gave Pulsar a TLS port: its charts do so only with an exchange."""
    return bool(cluster.file.get("pulsar", "exchange"))


def _shown_service(unit: UnitPlan, exposed: ExposedPort, asked: bool) -> str:
    for name in exposed.services:
        for service in unit.services:
            if service.name != name:
                continue
            spec: dict[str, Any] = service.fields["spec"]
            for port in spec["ports"]:
                if port["name"] == exposed.name or len(spec["ports"]) == 1:
                    node = "FILL IN" if asked else port.get("nodePort", CHOSEN)
                    return f"NodePort {node}" if spec["type"] == "NodePort" else str(spec["type"])
    return _NONE


def _routes(cluster: Cluster, draft: Draft) -> Iterator[Fact]:
    """Each address of a peer: what was not carried has none after."""
    shown: set[Path_] = set()
    for path, put in draft.puts.items():
        if path[0] == "peers" and len(path) == 3 and put.origin is not None:
            shown.add(put.origin)
            yield _fact(f"{path[1]} {path[2]}", str(put.value), str(put.value))
    for peer, origin, address in draft.unrouted:
        if origin not in shown:
            yield _fact(peer, address, _NONE)


def _claims(cluster: Cluster, unit: UnitPlan) -> Iterator[Fact]:
    if not cluster.row.of_a_party:
        return
    modules = unit.chart.values.plain()["modules"]
    for row in claims_of(cluster):
        values = modules.get(_IN_VALUES.get(row.module, row.module))
        mounted = cluster.persistent and (row.mounted or bool(cluster.file.get(row.module, "existingClaim")))
        before = f"{', '.join(names_of(cluster, row))}: {folder_of(cluster, row)}" if mounted else _NONE
        after = _NONE
        if values is not None and ("claim" in values or "existingClaim" in values):
            pods = range(values["replicas"]) if "N" in row.ours else range(1)
            ours = [row.ours.replace("N", str(number)) for number in pods]
            own = values.get("existingClaim")
            folder = values.get("subPath") or _OWN_FOLDERS.get(row.module, ".")
            after = f"{own or ', '.join(ours)}: {folder}"
        if (before, after) != (_NONE, _NONE):
            yield _fact(f"claim of {row.module}", before, after)


def _replicas(cluster: Cluster, unit: UnitPlan) -> Iterator[Fact]:
    modules = unit.chart.values.plain()["modules"]
    for module, name in _SCALED.get(cluster.kind, {}).items():
        if not cluster.deploys(module) or name not in modules:
            continue
        if module == "nodemanager" and cluster.version.major == 1 and cluster.version.minor < 9:
            before: Any = len(node_managers(cluster))
        else:
            before = cluster.taken(f"{module}.replicas")
        yield _fact(f"pods of {module}", str(1 if before is None else before), str(modules[name]["replicas"]))


def _cores_block(cluster: Cluster) -> Path_:
    return ("python", "clustermanager") if cluster.engines.get("computing") == "Eggroll" else ("python", "spark")


def _cores(cluster: Cluster, unit: UnitPlan) -> tuple[tuple[Any, Any], tuple[Any, Any]] | None:
    """Nodes and cores of each that FATE-Flow plans with, before and after; None where it does not plan with nodes."""
    values = unit.chart.values.plain()
    block = ".".join(_cores_block(cluster))
    engine = values.get("eggroll" if block.endswith("clustermanager") else "spark")
    if cluster.engines.get("computing") not in ("Eggroll", "Spark") or not engine:
        return None
    after = (engine.get("nodes", engine.get("workers")), engine.get("processorsPerNode", engine.get("coresPerWorker")))
    # Charts 2.0 write numbers of their own, whatever the file says.
    value_of = cluster.taken if cluster.version.major < 2 else cluster.default
    return (value_of(f"{block}.nodes"), value_of(f"{block}.cores_per_node")), after


def _product(cores: tuple[Any, Any]) -> str:
    nodes, each = cores
    return f"{nodes} x {each}" if nodes is not None and each is not None else "FATE-Flow's default"
