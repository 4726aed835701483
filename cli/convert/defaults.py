"""What KubeFATE takes for a key that a `cluster.yaml` does not have, by chart and version: one row for each series of versions.

KubeFATE renders `values-template.yaml` with the file, and helm lays the result over `values.yaml`. The template writes every key of a block
that the file has, empty where the file has none, and helm takes an empty value for "remove the default of values.yaml". So a default of
`values.yaml` holds only when the whole block is absent. Sources: both files of each chart at https://github.com/FederatedAI/KubeFATE, tags
v1.5.0 to v2.0.0 and the packages of branch gh-pages; rows that rest on a template name it. `docs/kubefate-defaults.md` shows the rows.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from packaging.version import Version

from cli.convert.versions import Series

FATE, EXCHANGE, SERVING = "fate", "fate-exchange", "fate-serving"
# Versions whose charts were read, by chart: what is between them is taken for the one before.
CHARTS_READ: dict[str, tuple[str, ...]] = {
    FATE: ("1.5.0", "1.5.1", "1.5.2", "1.5.3", "1.6.0", "1.6.1", "1.7.0", "1.7.1", "1.7.2", "1.8.0", "1.8.1", "1.9.0", "1.9.1", "1.9.2",
           "1.10.0", "1.11.1", "1.11.2", "2.0.0"),
    EXCHANGE: ("1.6.0", "1.6.1", "1.7.0", "1.7.1", "1.7.2", "1.8.0", "1.8.1", "1.9.0", "1.9.1", "1.9.2", "1.10.0", "1.11.1", "1.11.2"),
    SERVING: ("2.0.0", "2.0.4", "2.1.5", "2.1.6"),
}  # fmt: skip
_VALUES = "values.yaml"


@dataclass(frozen=True)
class Default:
    """A default of a series of chart versions. None: no value, so Kubernetes or FATE decides."""

    chart: str
    key: str
    series: Series
    # Taken when the whole block is absent, and when the block is there without the key.
    absent: Any
    block: Any
    # The block, when it is not the first part of the key.
    within: str | None = None
    source: str = _VALUES

    @property
    def block_path(self) -> tuple[str, ...]:
        """The block whose absence decides."""
        return tuple((self.within or self.key.partition(".")[0]).split("."))


OLD, NOW, _TWO, _EVER = Series("1.5.0", "1.8.99"), Series("1.9.0", "2.0.99"), Series("2.0.0", "2.0.99"), Series("1.5.0", "2.0.99")
_UNTIL_1_6_0, _FROM_1_6_0, _FROM_1_6_1 = Series("1.5.0", "1.6.0"), Series("1.6.0", "2.0.99"), Series("1.6.1", "2.0.99")
_SERVING_2_0_0, _SERVING_LATER = Series("2.0.0", "2.0.0"), Series("2.0.1", "2.1.99")
_COUNT = "values-template.yaml: `range .count | int | until`"
_EGGROLL = "templates/backends/eggroll/configmap.yaml"
_PLAN = "templates/core/fateflow/configmap.yaml"

DEFAULTS: tuple[Default, ...] = (
    *(Default(FATE, f"{module}.type", _EVER, "ClusterIP", "ClusterIP")
      for module in ("rollsite", "lbrollsite", "osx", "nginx", "rabbitmq", "pulsar")),
    *(Default(FATE, f"{module}.nodePort", _EVER, 30091, None) for module in ("rollsite", "lbrollsite", "osx")),
    Default(FATE, "nginx.nodePort", Series("1.5.0", "1.5.99"), 30093, None),
    Default(FATE, "nginx.httpNodePort", _FROM_1_6_0, 30093, None),
    Default(FATE, "nginx.grpcNodePort", _FROM_1_6_0, 30098, None),
    Default(FATE, "rabbitmq.nodePort", _EVER, 30094, None),
    Default(FATE, "pulsar.httpNodePort", _FROM_1_6_0, 30094, None),
    Default(FATE, "pulsar.httpsNodePort", _FROM_1_6_0, 30099, None),
    Default(FATE, "nodemanager.count", OLD, 2, 0, source=_COUNT),
    Default(FATE, "nodemanager.replicas", NOW, 2, 2),
    Default(FATE, "nodemanager.sessionProcessorsPerNode", OLD, 2, None),
    Default(FATE, "nodemanager.sessionProcessorsPerNode", Series("1.9.0", "1.10.99"), 2, 2, source=_EGGROLL),
    Default(FATE, "nodemanager.sessionProcessorsPerNode", Series("1.11.0", "2.0.99"), 4, 2, source=_EGGROLL),
    Default(FATE, "spark.worker.replicas", _UNTIL_1_6_0, 2, 1, within="spark.worker", source="templates/spark-worker.yaml"),
    Default(FATE, "spark.worker.replicas", _FROM_1_6_1, 2, 2, source="the template of the Deployment"),
    Default(FATE, "hdfs.datanode.replicas", OLD, 1, 1, source="a Deployment of one pod"),
    Default(FATE, "hdfs.datanode.replicas", NOW, 3, 3),
    Default(FATE, "python.clustermanager.cores_per_node", _UNTIL_1_6_0, 20, 20, source="templates/python-spark.yaml"),
    Default(FATE, "python.clustermanager.nodes", _UNTIL_1_6_0, 1, 1, source="templates/python-spark.yaml"),
    Default(FATE, "python.clustermanager.cores_per_node", Series("1.6.1", "1.11.99"), 16, 16, source=_PLAN),
    Default(FATE, "python.clustermanager.nodes", _FROM_1_6_1, 2, 2, source=_PLAN),
    Default(FATE, "python.clustermanager.cores_per_node", _TWO, 8, 8, source=f"{_PLAN}: 16 in all, whatever the file says"),
    Default(FATE, "python.spark.cores_per_node", _UNTIL_1_6_0, 20, None, within="python.spark"),
    Default(FATE, "python.spark.nodes", _UNTIL_1_6_0, 2, None, within="python.spark"),
    Default(FATE, "python.spark.cores_per_node", Series("1.6.1", "1.11.99"), 20, 20),
    Default(FATE, "python.spark.nodes", Series("1.6.1", "1.11.99"), 2, 2),
    Default(FATE, "python.spark.cores_per_node", _TWO, 32, 32, source=f"{_PLAN}: 32 in all, whatever the file says"),
    Default(FATE, "python.spark.nodes", _TWO, 1, 1, source=_PLAN),
    Default(FATE, "mysql.subPath", _EVER, "mysql", None),
    Default(FATE, "client.subPath", _FROM_1_6_1, "client", None),
    Default(FATE, "nodemanager.subPath", NOW, "nodemanager", None),
    *(Default(EXCHANGE, f"{module}.type", _EVER, "ClusterIP", "ClusterIP") for module in ("rollsite", "osx", "trafficServer")),
    Default(EXCHANGE, "rollsite.nodePort", _UNTIL_1_6_0, 30000, None),
    Default(EXCHANGE, "rollsite.nodePort", _FROM_1_6_1, 30001, None),
    Default(EXCHANGE, "osx.nodePort", _EVER, 30001, None),
    Default(EXCHANGE, "nginx.type", _EVER, "NodePort", "ClusterIP"),
    Default(EXCHANGE, "nginx.httpNodePort", _EVER, 30003, None),
    Default(EXCHANGE, "nginx.grpcNodePort", _EVER, 30008, None),
    Default(EXCHANGE, "trafficServer.nodePort", _UNTIL_1_6_0, 30000, None),
    Default(EXCHANGE, "trafficServer.nodePort", _FROM_1_6_1, 30007, None),
    Default(SERVING, "servingProxy.type", _SERVING_2_0_0, "NodePort", "NodePort", source="values-template.yaml"),
    Default(SERVING, "servingProxy.nodePort", _SERVING_2_0_0, 30110, None, source="values-template.yaml"),
    Default(SERVING, "servingProxy.type", _SERVING_LATER, "NodePort", "ClusterIP"),
    Default(SERVING, "servingProxy.nodePort", _SERVING_LATER, 30109, None),
    Default(SERVING, "servingServer.type", _SERVING_2_0_0, "ClusterIP", "ClusterIP", source="values-template.yaml"),
    Default(SERVING, "servingServer.type", _SERVING_LATER, "NodePort", "ClusterIP"),
    Default(SERVING, "servingServer.nodePort", _SERVING_LATER, 30209, None),
    Default(SERVING, "servingServer.cacheType", Series("2.0.0", "2.1.4"), "local", "local", source="FATE-Serving's own"),
    Default(SERVING, "servingServer.cacheType", Series("2.1.5", "2.1.99"), "redis", "local"),
)  # fmt: skip


# The host name of each console's Ingress when the file names none, by chart and series of versions.
BOARD_HOSTS = (
    (FATE, _UNTIL_1_6_0, "{party}.{console}.kubefate.net"),
    (FATE, Series("1.6.1", "1.6.1"), "{console}.kubefate.net"),
    (FATE, Series("1.7.0", "2.0.99"), "{console}.example.com"),
    (SERVING, Series("2.0.0", "2.1.4"), "{party}.{console}.kubefate.net"),
    (SERVING, Series("2.1.5", "2.1.99"), "{console}.example.com"),
)
_CONSOLES = {"client": "notebook", "servingProxy": "serving-proxy", "servingAdmin": "serving-admin"}


def board_host(chart: str, module: str, version: Version, party: str | None) -> str | None:
    """The name under which a module's console is shown without a word in the file."""
    name = next((name for of, series, name in BOARD_HOSTS if of == chart and version in series), None)
    return None if name is None else name.format(party=party or "<partyId>", console=_CONSOLES.get(module, module))


@cache
def default_of(chart: str, key: str, version: Version) -> Default | None:
    """The row of a key in a version of a chart; None when KubeFATE has no default that matters here."""
    return next((row for row in DEFAULTS if (row.chart, row.key) == (chart, key) and version in row.series), None)


def chart_read(chart: str, version: Version) -> bool:
    """Whether that version of a chart was read for the rows."""
    return version in {Version(one) for one in CHARTS_READ[chart]}
