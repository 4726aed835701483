"""Rows of what a party computes and stores with: FATE-Flow, its engines here or elsewhere, MySQL, Eggroll, Spark and HDFS."""

from collections.abc import Iterator

from packaging.version import Version

from cli.convert.clusters import Cluster
from cli.convert.rows.row import Condition, Follows, ForType, Lost, Part, Password, Row, Same, To, Type
from cli.convert.rows.shared import claim_rows, computing, federation, persistent, service_rows

_SPARK = computing("Spark", "Spark_local")
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
    Row("python.clustermanager.cores_per_node", _SIZING, type="number", since="1.6.1", until="1.11", used=(computing("Eggroll"),)),
    Row("python.clustermanager.nodes", _SIZING, type="number", since="1.6.1", until="1.11", used=(computing("Eggroll"),)),
)  # fmt: skip


def _engine(
    key: str, module: str, target: str, default: str, type_: Type = "text", condition: Condition | None = None, until: str | None = None
) -> Row:
    """A key of `python` about an engine: a fixed value when the engine is deployed, else the existing engine's."""
    conditions = () if condition is None else (condition,)
    return Row(
        key, Part(f"engines.{module}.external.{target}", f"with {module} in modules: {default}"), type=type_, until=until, used=conditions
    )


PULSAR = federation("Pulsar")
RABBITMQ = federation("RabbitMQ")
_PULSAR_OR_RABBITMQ = federation("Pulsar", "RabbitMQ")
_HDFS = computing("Spark")
_CORES = "follows from its workers and their limits; listed when the number of cores differs"
_OWN_TABLE = Lost("FATE-Flow reads the route table that this program writes from fate:peers")
_HIVE = Lost("storage Hive is not deployed here")
ENGINES_ELSEWHERE = (
    _engine("python.spark.cores_per_node", "spark", "coresPerNode", _CORES, "number", _SPARK, until="1.11"),
    _engine("python.spark.nodes", "spark", "nodes", _CORES, "number", _SPARK, until="1.11"),
    Row("python.spark.home", Lost("Spark is where the images have it"), used=(_SPARK,)),
    _engine("python.spark.master", "spark", "master", "fixed", condition=_SPARK),
    _engine("python.spark.driverHost", "spark", "driverHost", "not used; `fateflow` means the pod's own address", condition=_SPARK),
    _engine("python.spark.driverHostType", "spark", "driverHostType", "not used", condition=_SPARK),
    _engine("python.spark.portMaxRetries", "spark", "portMaxRetries", "not used", "number", _SPARK),
    _engine("python.spark.driverStartPort", "spark", "driverStartPort", "not used", "number", _SPARK),
    _engine("python.spark.blockManagerStartPort", "spark", "blockManagerStartPort", "not used", "number", _SPARK),
    _engine("python.spark.pysparkPython", "spark", "pysparkPython", "not used", condition=_SPARK),
    _engine("python.hdfs.name_node", "hdfs", "nameNode", "fixed", condition=_HDFS),
    _engine(
        "python.hdfs.path_prefix", "hdfs", "pathPrefix", "not carried: FATE-Flow writes below the root of its own HDFS", condition=_HDFS
    ),
    _engine("python.pulsar.host", "pulsar", "host", "fixed", condition=PULSAR),
    _engine("python.pulsar.mng_port", "pulsar", "managementPort", "fixed", "number", PULSAR),
    _engine("python.pulsar.port", "pulsar", "port", "fixed", "number", PULSAR),
    _engine("python.pulsar.ssl_port", "pulsar", "tlsPort", "fixed", "number", PULSAR),
    _engine("python.pulsar.cluster", "pulsar", "cluster", "fixed: standalone", condition=PULSAR),
    Row("python.pulsar.topic_ttl", Same(3, "topics live 3 minutes here"), type="number", used=(PULSAR,)),
    Row("python.pulsar.tenant", Same("fl-tenant", "the tenant is fl-tenant here, and must be EQUAL in all parties"), used=(PULSAR,)),
    _engine("python.rabbitmq.host", "rabbitmq", "host", "fixed", condition=RABBITMQ),
    _engine("python.rabbitmq.mng_port", "rabbitmq", "managementPort", "fixed", "number", RABBITMQ),
    _engine("python.rabbitmq.port", "rabbitmq", "port", "fixed", "number", RABBITMQ),
    _engine("python.rabbitmq.user", "rabbitmq", "user", "fixed: fate", condition=RABBITMQ),
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

_MYSQL_DATA = "with data taken over it must be the old one; KubeFATE's is fate_dev when none is given"

MYSQL = (
    *service_rows("mysql", "modules.mysql", {}),
    Row("mysql.ip", Same("mysql", "the Service is called mysql"), type="any"),
    Row("mysql.port", Same(3306, "MySQL listens on 3306"), type="number"),
    Row("mysql.database", Same("eggroll_meta", "the database is eggroll_meta here: existing data in another one is not found")),
    Row("mysql.user", Same("fate", "the user is fate here: with existing data, make it in MySQL with all rights on eggroll_meta")),
    Row("mysql.password", Password("mysql", _MYSQL_DATA), secret=True),
    *claim_rows("mysql", "modules.mysql"),
    Row("externalMysqlIp", Part("engines.mysql.external.host")),
    Row("externalMysqlPort", Part("engines.mysql.external.port"), type="number"),
    Row("externalMysqlDatabase", Part("engines.mysql.external.database")),
    Row("externalMysqlUser", Part("engines.mysql.external.user")),
    Row("externalMysqlPassword", Password("mysql", "engines.mysql.external.password names the entry"), secret=True),
)

_NODE_KEYS = ("name", "nodeSelector", "subPath", "existingClaim", "storageClass", "accessMode", "size")
_GONE = "all node managers are alike here: nodemanager describes them"


def _nodes_in_lists(cluster: Cluster) -> str | None:
    """`nodemanager.list` names node managers one by one up to chart 1.6.0."""
    return None if cluster.version <= Version("1.6.0") else f"chart {cluster.chart} v{cluster.version} does not know it: count counts"


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
        used=(_nodes_in_lists,),
    ),
    *(
        Row(
            f"nodemanager.list[].{key}",
            Part("modules.nodemanager.replicas", f"one node manager each, beside count; {_GONE}"),
            type="any",
            until="1.8",
            used=(_nodes_in_lists,),
        )
        for key in _NODE_KEYS
    ),
    *service_rows("nodemanager", "modules.nodemanager", {}),
    *claim_rows("nodemanager", "modules.nodemanager"),
    *service_rows("clustermanager", "modules.clustermanager", {}),
)


def _old_spark(word: str, place: str) -> Iterator[Row]:
    """Keys of Spark's nodes in the charts before 2.0: an image, and requests outside `resources`."""
    image = "only when it is another than FATE's own; upstream publishes those with their release"
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
