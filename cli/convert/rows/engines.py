"""Rows of what a party computes and stores with: FATE-Flow, its engines here or elsewhere, MySQL, Eggroll, Spark and HDFS."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.convert.clusters import Cluster
from cli.convert.rows.row import Condition, Follows, ForType, Lost, Part, Password, Row, Same, To, Type
from cli.convert.rows.shared import charts_to, claim_rows, engine, persistent, service_rows
from cli.convert.source import Path_

_EGGROLL, _SPARK = engine("computing", "Eggroll"), engine("computing", "Spark", "Spark_local")
_SIZING = Part("modules.nodemanager", "one fact: nodes and processors of the node managers; listed when the number of cores differs")


def _fixed_folders(cluster: Cluster) -> str | None:
    return f"chart {cluster.chart} v{cluster.version} keeps FATE-Flow's data in folders with fixed names"


FATEFLOW = (
    *service_rows("python", "modules.fateflow", {"httpNodePort": "tcp-http", "grpcNodePort": "tcp-grpc"}),
    Row("python.loadBalancerIP",
        ForType("modules.fateflow.service.loadBalancerIP", "python.type", "LoadBalancer", note="with type LoadBalancer")),
    Row("python.replicas", To("modules.fateflow.replicas"), type="number"),
    Row("python.serviceAccountName", To("modules.fateflow.serviceAccountName")),
    Row("python.logLevel", Same("INFO", "FATE-Flow logs at level INFO here")),
    Row("python.dependent_distribution", Lost("FATE's packages come with the images of Spark's workers"), type="flag"),
    Row("python.failedTaskAutoRetryTimes", Same("5", "no chart of KubeFATE hands it to FATE-Flow: its own default holds"), type="number"),
    Row("python.failedTaskAutoRetryDelay", Same("60", "no chart of KubeFATE hands it to FATE-Flow: its own default holds"), type="number"),
    *claim_rows("python", "modules.fateflow", sub_path=False),
    Row("python.subPath", Follows("the folders of FATE-Flow"), used=(_fixed_folders,)),
    Row("python.claimName", Same("python-data", "the claim is called python-data"), used=(persistent,)),
    Row("python.clustermanager.cores_per_node", _SIZING, type="number", since="1.6.1", until="1.11", used=(_EGGROLL,)),
    Row("python.clustermanager.nodes", _SIZING, type="number", since="1.6.1", until="1.11", used=(_EGGROLL,)),
)  # fmt: skip


PULSAR = engine("federation", "Pulsar")
RABBITMQ = engine("federation", "RabbitMQ")
_PULSAR_OR_RABBITMQ = engine("federation", "Pulsar", "RabbitMQ")
_HDFS = engine("computing", "Spark")
_OWN_TABLE = Lost("FATE-Flow reads the route table that this program writes from fate:peers")
_HIVE = Lost("storage Hive is not deployed here")


@dataclass(frozen=True)
class EngineKey:
    """A key about an engine: its name below `engines.<engine>.external`, and KubeFATE's default.

    `deployed`: what becomes of it when the engine is a module.
    """

    target: str
    default: object = None
    deployed: str = "fixed"
    type: Type = "text"
    until: str | None = None


@dataclass(frozen=True)
class Engine:
    """An engine of which FATE-Flow is told below `python`: its keys, of which the first says where it is, and when they count."""

    name: str
    used: Condition
    keys: dict[str, EngineKey]
    # Its own port that peers dial, when it is published.
    published: str | None = None

    @property
    def block(self) -> Path_:
        """Where its keys are."""
        return "python", self.name

    def rows(self) -> Iterator[Row]:
        """A row for each key: nothing to write when the engine is deployed, else where the existing one is."""
        for key, one in self.keys.items():
            how = Part(f"engines.{self.name}.external.{one.target}", f"with {self.name} in modules: {one.deployed}")
            yield Row(f"python.{self.name}.{key}", how, type=one.type, until=one.until, used=(self.used,))


_CORES = "follows from its workers and their limits; listed when the number of cores differs"
_BELOW_ROOT = "not carried: FATE-Flow writes below the root of its own HDFS"
ENGINES = (
    Engine("spark", _SPARK, {
        "master": EngineKey("master", "spark://spark-master:7077"),
        "cores_per_node": EngineKey("coresPerNode", 20, _CORES, "number", "1.11"),
        "nodes": EngineKey("nodes", 2, _CORES, "number", "1.11"),
        "driverHost": EngineKey("driverHost", "fateflow", "not used; `fateflow` means the pod's own address"),
        "driverHostType": EngineKey("driverHostType", None, "not used"),
        "portMaxRetries": EngineKey("portMaxRetries", None, "not used", "number"),
        "driverStartPort": EngineKey("driverStartPort", None, "not used", "number"),
        "blockManagerStartPort": EngineKey("blockManagerStartPort", None, "not used", "number"),
        "pysparkPython": EngineKey("pysparkPython", None, "not used"),
    }),
    Engine("hdfs", engine("computing", "Spark"), {
        "name_node": EngineKey("nameNode", "hdfs://namenode:9000"), "path_prefix": EngineKey("pathPrefix", None, _BELOW_ROOT),
    }),
    Engine("pulsar", PULSAR, {
        "host": EngineKey("host", "pulsar"),
        "port": EngineKey("port", 6650, type="number"),
        "ssl_port": EngineKey("tlsPort", 6651, type="number"),
        "mng_port": EngineKey("managementPort", 8080, type="number"),
        "cluster": EngineKey("cluster", "standalone", "fixed: standalone"),
    }, "tlsPort"),
    Engine("rabbitmq", RABBITMQ, {
        "host": EngineKey("host", "rabbitmq"),
        "port": EngineKey("port", 5672, type="number"),
        "mng_port": EngineKey("managementPort", 15672, type="number"),
        "user": EngineKey("user", "fate", "fixed: fate"),
    }, "port"),
)  # fmt: skip
ENGINES_ELSEWHERE = (
    *(row for one in ENGINES for row in one.rows()),
    Row("python.spark.home", Lost("Spark is where the images have it"), used=(_SPARK,)),
    Row("python.pulsar.topic_ttl", Same(3, "topics live 3 minutes here"), type="number", used=(PULSAR,)),
    Row("python.pulsar.tenant", Same("fl-tenant", "the tenant is fl-tenant here, and must be EQUAL in all parties"), used=(PULSAR,)),
    Row("python.rabbitmq.password", Password("rabbitmq"), used=(RABBITMQ,), secret=True),
    Row("python.pulsar.route_table", _OWN_TABLE, used=(PULSAR,), since="1.6.0", until="1.6"),
    Row("python.rabbitmq.route_table", _OWN_TABLE, used=(RABBITMQ,), until="1.6"),
    Row("python.nginx.host", Same("nginx", "FATE-Flow uses the party's own nginx"), used=(_PULSAR_OR_RABBITMQ,)),
    Row("python.nginx.http_port", Same(9300, "the party's own nginx listens on 9300"), type="number", used=(_PULSAR_OR_RABBITMQ,)),
    Row("python.nginx.grpc_port", Same(9310, "the party's own nginx listens on 9310"), type="number", used=(_PULSAR_OR_RABBITMQ,)),
    Row("python.hive.host", _HIVE, used=(_SPARK,)),
    Row("python.hive.port", _HIVE, type="number", used=(_SPARK,)),
    Row("python.hive.auth_mechanism", _HIVE, used=(_SPARK,)),
    Row("python.hive.username", _HIVE, used=(_SPARK,)),
    Row("python.hive.password", _HIVE, used=(_SPARK,), secret=True),
)

EXTERNAL_MYSQL = {
    "externalMysqlIp": EngineKey("host"),
    "externalMysqlPort": EngineKey("port", 3306, type="number"),
    "externalMysqlDatabase": EngineKey("database", "eggroll_meta"),
    "externalMysqlUser": EngineKey("user", "fate"),
}
_MYSQL_DATA = "with data taken over it must be the old one; KubeFATE's is fate_dev when none is given"

MYSQL = (
    *service_rows("mysql", "modules.mysql", {}),
    Row("mysql.ip", Same("mysql", "the Service is called mysql"), type="any"),
    Row("mysql.port", Same(3306, "MySQL listens on 3306"), type="number"),
    Row("mysql.database", Same("eggroll_meta", "the database is eggroll_meta here: existing data in another one is not found")),
    Row("mysql.user", Same("fate", "the user is fate here: with existing data, make it in MySQL with all rights on eggroll_meta")),
    Row("mysql.password", Password("mysql", _MYSQL_DATA), secret=True),
    *claim_rows("mysql", "modules.mysql"),
    *(Row(key, Part(f"engines.mysql.external.{one.target}"), type=one.type) for key, one in EXTERNAL_MYSQL.items()),
    Row("externalMysqlPassword", Password("mysql", "engines.mysql.external.password names the entry"), secret=True),
)

_NODE_KEYS = ("name", "nodeSelector", "subPath", "existingClaim", "storageClass", "accessMode", "size")
_GONE = "all node managers are alike here: nodemanager describes them"


# `nodemanager.list` names node managers one by one.
_LISTED = charts_to("1.6.0", "does not know it: count counts")
EGGROLL = (
    Row("clustermanager.mysqlServerTimezone", Lost("Eggroll reads MySQL's times as UTC", ("UTC",))),
    Row("nodemanager.replicas", To("modules.nodemanager.replicas"), type="number", since="1.9", default=True),
    Row("nodemanager.count", Part("modules.nodemanager.replicas", "and one for each of list"), type="number", until="1.8"),
    Row("nodemanager.sessionProcessorsPerNode", To("modules.nodemanager.sessionProcessorsPerNode"), type="number", default=True),
    Row("nodemanager.session-processors-per-node", To("modules.nodemanager.sessionProcessorsPerNode"), type="number", until="1.8"),
    Row(
        "nodemanager.list[].sessionProcessorsPerNode",
        Part("modules.nodemanager.sessionProcessorsPerNode", "when all are equal"),
        type="number",
        until="1.8",
        used=(_LISTED,),
    ),
    *(
        Row(
            f"nodemanager.list[].{key}",
            Part("modules.nodemanager.replicas", f"one node manager each, in addition to count; {_GONE}"),
            type="any",
            until="1.8",
            used=(_LISTED,),
        )
        for key in _NODE_KEYS
    ),
    *service_rows("nodemanager", "modules.nodemanager", {}),
    *claim_rows("nodemanager", "modules.nodemanager"),
    *service_rows("clustermanager", "modules.clustermanager", {}),
)


def _old_spark(word: str, place: str) -> Iterator[Row]:
    """Keys of Spark's nodes in the charts before 2.0: an image, and requests outside `resources`."""
    image = "only if it differs from FATE's own; upstream publishes those with their release"
    yield Row(f"{word}.Image", Part(f"{place}.image.repository", image), until="1.11")
    yield Row(f"{word}.ImageTag", Part(f"{place}.image.tag", image), until="1.11")
    for amount in ("cpu", "memory"):
        what = Part(f"{place}.resources.requests.{amount}", "a request; the limit is the release's, or higher")
        yield Row(f"{word}.{amount}", what, type="any", until="1.8")


SPARK_AND_HDFS = (
    Row("spark.master.replicas", To("modules.spark.master.replicas"), type="number"),
    Row("spark.worker.replicas", To("modules.spark.workers"), type="number", default=True),
    *service_rows("spark.master", "modules.spark.master", {"nodePort": "master"}),
    *service_rows("spark.worker", "modules.spark.worker", {}),
    *(row for name in ("master", "worker") for row in _old_spark(f"spark.{name}", f"modules.spark.{name}")),
    *service_rows("hdfs.namenode", "modules.hdfs.namenode", {"nodePort": "tcp-9000"}),
    *service_rows("hdfs.datanode", "modules.hdfs.datanode", {}),
    *claim_rows("hdfs.namenode", "modules.hdfs.namenode", sub_path=False),
    *claim_rows("hdfs.datanode", "modules.hdfs.datanode", sub_path=False),
    Row("hdfs.datanode.replicas", To("modules.hdfs.datanode.replicas"), type="number", default=True),
)
