"""Small clusters of KubeFATE for tests: one for each combination and kind, to which a test adds keys."""

import copy
import itertools
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from cli.convert.clusters import Choices
from cli.convert.convert import Conversion, convert
from cli.convert.source import ClusterFile

Keys = dict[str, Any]
_CORE = ["mysql", "python"]
_CPU = {"algorithm": "Basic", "device": "CPU"}


def cluster(chart: str, version: str, modules: list[str], **keys: Any) -> Keys:
    """What every file has."""
    name = "fate-exchange" if chart == "fate-exchange" else "fate-9999"
    return {"name": name, "namespace": name, "chartName": chart, "chartVersion": version, "partyId": 9999, "modules": modules, **keys}


def engines(computing: str, federation: str, storage: str) -> Keys:
    """The engines since 1.9."""
    return {"computing": computing, "federation": federation, "storage": storage, **_CPU}


_EGGROLL = [*_CORE, "rollsite", "clustermanager", "nodemanager"]
_BALANCED = [*_CORE, "lbrollsite", "clustermanager", "nodemanager"]
_OSX = [*_CORE, "osx", "clustermanager", "nodemanager"]
_SPARK = [*_CORE, "spark", "hdfs", "nginx"]
_ELSEWHERE = {"spark": {"master": "spark://spark-master:7077"}, "hdfs": {"name_node": "hdfs://namenode:9000"}}
BASES: dict[str, Keys] = {
    "eggroll": cluster("fate", "v1.11.2", [*_EGGROLL, "fateboard", "client"], **engines("Eggroll", "Eggroll", "Eggroll")),
    "balanced": cluster("fate", "v1.11.2", [*_BALANCED], **engines("Eggroll", "Eggroll", "Eggroll")),
    "rabbitmq": cluster("fate", "v1.11.2", [*_SPARK, "rabbitmq"], **engines("Spark", "RabbitMQ", "HDFS")),
    "pulsar": cluster("fate", "v1.11.2", [*_SPARK, "pulsar", "fateboard", "client"], **engines("Spark", "Pulsar", "HDFS")),
    "slim": cluster("fate", "v1.11.2", [*_CORE, "nginx", "pulsar"], **engines("Spark_local", "Pulsar", "LocalFS")),
    "existing": cluster("fate", "v1.11.2", ["python", "nginx"], **engines("Spark", "Pulsar", "HDFS"), externalMysqlIp="192.0.2.33",
                        python={**_ELSEWHERE, "pulsar": {"host": "pulsar"}}),
    "existing-rabbitmq": cluster("fate", "v1.11.2", ["mysql", "python", "nginx"], **engines("Spark", "RabbitMQ", "HDFS"),
                                 python={**_ELSEWHERE, "rabbitmq": {"host": "rabbitmq"}}),
    "old": cluster("fate", "v1.5.0", _EGGROLL, backend="eggroll"),
    "old-spark": cluster("fate", "v1.5.0", [*_SPARK, "rabbitmq"], backend="spark"),
    "osx": cluster("fate", "v2.0.0", [*_OSX, "fateboard", "client"], **engines("Eggroll", "OSX", "Eggroll")),
    "exchange": cluster("fate-exchange", "v1.11.2", ["rollsite"]),
    "osx-exchange": cluster("fate", "v2.0.0", ["osx"]),
    "hub": cluster("fate-exchange", "v1.11.2", ["trafficServer", "nginx"]),
    "serving": cluster("fate-serving", "v2.1.6", ["servingProxy", "servingRedis", "servingServer", "servingZookeeper", "servingAdmin"],
                       servingServer={"cacheType": "redis", "fateflow": {"ip": "192.0.2.8", "port": 9380}}),
    "serving-exchange": cluster("fate-serving", "v2.1.6", ["servingProxy"]),
}  # fmt: skip


def merged(base: Keys, keys: Keys) -> Keys:
    """The base with these keys; a dotted key goes into blocks."""
    whole = copy.deepcopy(base)
    for dotted, value in keys.items():
        *above, last = dotted.split("/")
        node = whole
        for part in above:
            node = node.setdefault(part, {})
        node[last] = value
    return whole


def converted(keys: Keys, **choices: Any) -> "Result":
    """A conversion of these keys."""
    return converted_text(yaml.safe_dump(keys, sort_keys=False), **choices)


def converted_text(text: str, name: str = "cluster.yaml", **choices: Any) -> "Result":
    """A conversion of a file's text."""
    return Result(convert(ClusterFile(text, name), Choices(**choices)))


def filled(text: str, first: int = 32100) -> str:
    """A written file as an operator fills it in: a node port in the place of each `null`."""
    ports = itertools.count(first)
    return re.sub(r"(?i)(port): null", lambda found: f"{found[1]}: {next(ports)}", text)


@dataclass
class Result:
    """A conversion, and what can be asked of it."""

    done: Conversion
    config: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.config = {key.removeprefix("fate:"): value for key, value in yaml.safe_load(self.done.text)["config"].items()}

    def at(self, path: str) -> Any:
        """A value of the written file by its path with slashes; None without one."""
        node: Any = self.config
        for part in path.split("/"):
            node = node.get(part) if isinstance(node, dict) else None
        return node

    @property
    def lost(self) -> dict[str, str]:
        """What was not carried: reason by key, with slashes."""
        return {"/".join(path): reason for path, reason in self.done.draft.lost.items()}

    @property
    def unused(self) -> dict[str, str]:
        """What KubeFATE did not use."""
        return {"/".join(path): reason for path, reason in self.done.draft.not_used.items()}
