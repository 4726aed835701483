"""The rows: every key of KubeFATE's guide and of its charts, and what becomes of it.

Facts are in section 14 of the reference and in the configuration part of KubeFATE's guide. `docs/from-kubefate.md` repeats these rows.
"""

from collections.abc import Iterator

from cli.kubefate.clusters import Cluster
from cli.kubefate.rows import (
    ANY_SERVING,
    EVERY,
    EXCHANGE,
    PARTY,
    SERVING,
    SERVING_EXCHANGE,
    TRAINING,
    Condition,
    Follows,
    ForType,
    How,
    Kind,
    Lost,
    Part,
    Password,
    Row,
    Same,
    To,
    Type,
)


def _computing(*engines: str) -> Condition:
    def used(cluster: Cluster) -> str | None:
        return None if cluster.engines.get("computing") in engines else f"computing is {cluster.engines.get('computing')}"

    return used


def _federation(*engines: str) -> Condition:
    def used(cluster: Cluster) -> str | None:
        return None if cluster.engines.get("federation") in engines else f"federation is {cluster.engines.get('federation')}"

    return used


def _persistent(cluster: Cluster) -> str | None:
    return None if cluster.persistent else "persistence is not true, so KubeFATE made no claims"


_SPARK = _computing("Spark", "Spark_local")

_COMMON = (
    Row("name", Part("the stack's name, fate:organization", "the organization is yours to name: --organization"), EVERY),
    Row("namespace", To("namespace"), EVERY),
    Row("chartName", Part("the unit: fate:parties, fate:exchange, fate:serving or fate:servingExchange"), EVERY),
    Row("chartVersion", Part("release", "a release that is not deployed here becomes the nearest one, with a warning"), EVERY),
    Row("partyId", Part("the key under fate:parties", "an exchange has none: `exchange`, 0 or any other"), EVERY, "any"),
    Row("registry", Part("fate:images.registry", "charts 2.0 write no slash behind it and keep federatedai/"), EVERY),
    Row("pullPolicy", To("fate:images.pullPolicy"), EVERY),
    Row("imagePullSecrets[].name", Part("fate:images.pullSecret.kubernetesSecret", "one Secret; it must be in the namespace"), EVERY),
    Row("modules", Part("modules, and the engines", "required ones follow from the engines, optional ones are named"), EVERY, "list"),
    Row("persistence", Part("persistence", "false becomes `none`: data is lost with the pod"), EVERY, "flag"),
    Row("podSecurityPolicy.enabled", Lost("Kubernetes removed PodSecurityPolicy in 1.25; the Namespace asks for Pod Security `baseline`"),
        EVERY, "flag"),
    Row("skippedKeys", Follows("the check of this file", "it switched off KubeFATE's own check of key names"), EVERY, "list"),
)  # fmt: skip

_ENGINES = (
    Row("backend", Part("computing, federation, storage"), until="1.8"),
    Row("computing", Part("computing"), since="1.9"),
    Row("federation", Part("federation", "Eggroll is OSX in FATE 2.x"), since="1.9"),
    Row("storage", Part("storage", "LocalFS is File in FATE 2.x"), since="1.9"),
    Row("algorithm", To("algorithm"), since="1.9"),
    Row("device", Part("device", "absent: CPU here; the chart's own default is IPCL"), since="1.9"),
)


def module_rows(word: str, place: str, kinds: tuple[Kind, ...] = PARTY) -> Iterator[Row]:
    """The keys that every module has."""
    for key, kind in (("nodeSelector", "map"), ("affinity", "map"), ("tolerations", "list")):
        yield Row(f"{word}.{key}", To(f"{place}.{key}"), kinds, kind)  # type: ignore[arg-type]
    for part in ("requests", "limits"):
        what = Part(f"{place}.resources.{part}.*", "what is not said is the release's")
        yield Row(f"{word}.resources.{part}.*", what, kinds, "any")
    image = Part(f"{place}.image.repository", "only when it is another than FATE's own")
    yield Row(f"{word}.image", image, kinds, since="2.0")
    yield Row(f"{word}.imageTag", Part(f"{place}.image.tag", "only when it is another than the release's"), kinds, since="2.0")


def _claim(word: str, place: str, *, sub_path: bool = True) -> Iterator[Row]:
    """The keys of a module's claim."""
    for key in ("existingClaim", "storageClass", "accessMode", "size", *(["subPath"] if sub_path else [])):
        yield Row(f"{word}.{key}", To(f"{place}.persistence.{key}"), used=(_persistent,))


def _service(word: str, place: str, ports: dict[str, str], kinds: tuple[Kind, ...] = PARTY) -> Iterator[Row]:
    """The Service of a module that peers do not dial."""
    yield Row(f"{word}.type", To(f"{place}.service.type"), kinds)
    for key, port in ports.items():
        yield Row(f"{word}.{key}", ForType(f"{place}.service.nodePorts.{port}", f"{word}.type", note="with type NodePort"), kinds, "number")


def _published(
    word: str, endpoint: str, ports: dict[str, tuple[str, int]], kinds: tuple[Kind, ...] = PARTY, kind: str = "ClusterIP"
) -> Iterator[Row]:
    """The Service that peers dial: type, and node ports with the numbers that KubeFATE takes without them."""
    yield Row(f"{word}.type", To(f"publish.{endpoint}.type"), kinds, absent=kind)
    for key, (port, default) in ports.items():
        target = ForType(f"publish.{endpoint}.{port}", f"{word}.type", default_type=kind, note="with type NodePort")
        yield Row(f"{word}.{key}", target, kinds, "number", absent=default)
    balanced = ForType(f"publish.{endpoint}.loadBalancerIP", f"{word}.type", "LoadBalancer", kind, "with type LoadBalancer")
    yield Row(f"{word}.loadBalancerIP", balanced, kinds)


_PEERS = "fate:peers.party-<id>"
_HUB = "fate:peers.exchange"
_STAR = "with it the topology is a star, else a mesh"


def _proxy(word: str, endpoint: str, kinds: tuple[Kind, ...]) -> Iterator[Row]:
    """Rollsite or OSX: one port for control and data."""
    yield from _published(word, endpoint, {"nodePort": ("port", 30091 if kinds == PARTY else 30001)}, kinds)
    yield Row(f"{word}.partyList[].partyId", Part(f"{_PEERS}.partyId", "unsigned: true"), kinds, "any")
    yield Row(f"{word}.partyList[].partyIp", Part(f"{_PEERS}.{endpoint}"), kinds)
    yield Row(f"{word}.partyList[].partyPort", Part(f"{_PEERS}.{endpoint}"), kinds, "number")
    if kinds == PARTY:
        yield Row(f"{word}.exchange.ip", Part(f"{_HUB}.{endpoint}", _STAR), kinds)
        yield Row(f"{word}.exchange.port", Part(f"{_HUB}.{endpoint}", _STAR), kinds, "number")
    else:
        upstream = Lost("an exchange here passes on to parties, not to another exchange")
        yield Row(f"{word}.exchange.ip", upstream, kinds)
        yield Row(f"{word}.exchange.port", upstream, kinds, "number")


_POLLING = Lost("parties are dialled, not polled: give each a reachable address")


def _rollsite(kinds: tuple[Kind, ...]) -> Iterator[Row]:
    yield from _proxy("rollsite", "rollsite", kinds)
    tls = Lost("KubeFATE publishes no TLS port of rollsite and never writes `is_secure`: the traffic was in plaintext all the same")
    yield Row("rollsite.enableTLS", tls, kinds, "flag")
    for key in ("enabled", "type", "server.ip", "server.port", "clientList[].partID", "concurrency"):
        yield Row(f"rollsite.polling.{key}", _POLLING, kinds, "any")


_ROLLSITES = (
    *_rollsite(PARTY),
    *_rollsite(EXCHANGE),
    *_proxy("osx", "osx", PARTY),
    *_proxy("osx", "osx", EXCHANGE),
    *_published("lbrollsite", "rollsite", {"nodePort": ("port", 30091)}),
    Row("lbrollsite.size", Lost("streams are not limited here")),
    Row("lbrollsite.exchangeList[].id", Follows("the place in the list"), type="any"),
    Row(
        "lbrollsite.exchangeList[].ip",
        Part(f"{_HUB}.rollsite", "an IP address; the others become `exchange-2`, ... in `modules.lbrollsite.exchanges`"),
    ),
    Row("lbrollsite.exchangeList[].port", Part(f"{_HUB}.rollsite"), type="number"),
)

_SIZING = Follows("modules.nodemanager", "one fact: nodes and processors of the node managers")

_PYTHON = (
    *_service("python", "modules.fateflow", {"httpNodePort": "tcp-http", "grpcNodePort": "tcp-grpc"}),
    Row("python.loadBalancerIP",
        ForType("modules.fateflow.service.loadBalancerIP", "python.type", "LoadBalancer", note="with type LoadBalancer")),
    Row("python.replicas", To("modules.fateflow.replicas"), type="number"),
    Row("python.serviceAccountName", To("modules.fateflow.serviceAccountName")),
    Row("python.logLevel", Same("INFO", "FATE-Flow logs at level INFO here")),
    Row("python.dependent_distribution", Lost("FATE's packages come with the images of Spark's workers"), type="flag"),
    Row("python.failedTaskAutoRetryTimes", Same("5", "no chart of KubeFATE hands it to FATE-Flow: its own default holds"), type="number"),
    Row("python.failedTaskAutoRetryDelay", Same("60", "no chart of KubeFATE hands it to FATE-Flow: its own default holds"), type="number"),
    *_claim("python", "modules.fateflow"),
    Row("python.claimName", Same("python-data", "the claim is called python-data"), used=(_persistent,)),
    Row("python.clustermanager.cores_per_node", _SIZING, type="number", used=(_computing("Eggroll"),)),
    Row("python.clustermanager.nodes", _SIZING, type="number", used=(_computing("Eggroll"),)),
)  # fmt: skip


def _deployed(*modules: str) -> Condition:
    def used(cluster: Cluster) -> str | None:
        return None if cluster.modules & set(modules) else f"none of {', '.join(modules)} is in modules"

    return used


def _engine(key: str, module: str, target: str, default: str, type_: Type = "text", condition: Condition | None = None) -> Row:
    """A key of `python` about an engine: a fixed value when the engine is deployed, else the existing engine's."""
    conditions = () if condition is None else (condition,)
    return Row(key, Part(f"engines.{module}.external.{target}", f"with {module} in modules: {default}"), type=type_, used=conditions)


_PULSAR, _RABBITMQ = _federation("Pulsar"), _federation("RabbitMQ")
_PULSAR_OR_RABBITMQ = _federation("Pulsar", "RabbitMQ")
_HDFS = _computing("Spark")
_HIVE = Lost("storage Hive is not deployed here")

_ENGINE_BLOCKS = (
    _engine("python.spark.cores_per_node", "spark", "coresPerNode", "follows from its workers' limits", "number", _SPARK),
    _engine("python.spark.nodes", "spark", "nodes", "follows from modules.spark.workers", "number", _SPARK),
    Row("python.spark.home", Lost("Spark is where the images have it"), used=(_SPARK,)),
    _engine("python.spark.master", "spark", "master", "fixed", condition=_SPARK),
    _engine("python.spark.driverHost", "spark", "driverHost", "not used; `fateflow` means the pod's own address", condition=_SPARK),
    _engine("python.spark.driverHostType", "spark", "driverHostType", "not used", condition=_SPARK),
    _engine("python.spark.portMaxRetries", "spark", "portMaxRetries", "not used", "number", _SPARK),
    _engine("python.spark.driverStartPort", "spark", "driverStartPort", "not used", "number", _SPARK),
    _engine("python.spark.blockManagerStartPort", "spark", "blockManagerStartPort", "not used", "number", _SPARK),
    _engine("python.spark.pysparkPython", "spark", "pysparkPython", "not used", condition=_SPARK),
    _engine("python.hdfs.name_node", "hdfs", "nameNode", "fixed", condition=_HDFS),
    _engine("python.hdfs.path_prefix", "hdfs", "pathPrefix", "not carried, as with FATE 2.x, which has no such key", condition=_HDFS),
    _engine("python.pulsar.host", "pulsar", "host", "fixed", condition=_PULSAR),
    _engine("python.pulsar.mng_port", "pulsar", "managementPort", "fixed", "number", _PULSAR),
    _engine("python.pulsar.port", "pulsar", "port", "fixed", "number", _PULSAR),
    _engine("python.pulsar.ssl_port", "pulsar", "tlsPort", "fixed", "number", _PULSAR),
    _engine("python.pulsar.cluster", "pulsar", "cluster", "fixed: standalone", condition=_PULSAR),
    Row("python.pulsar.topic_ttl", Same(3, "topics live 3 minutes here"), type="number", used=(_PULSAR,)),
    Row("python.pulsar.tenant", Same("fl-tenant", "the tenant is fl-tenant here, and must be EQUAL in all parties"), used=(_PULSAR,)),
    _engine("python.rabbitmq.host", "rabbitmq", "host", "fixed", condition=_RABBITMQ),
    _engine("python.rabbitmq.mng_port", "rabbitmq", "managementPort", "fixed", "number", _RABBITMQ),
    _engine("python.rabbitmq.port", "rabbitmq", "port", "fixed", "number", _RABBITMQ),
    _engine("python.rabbitmq.user", "rabbitmq", "user", "fixed: fate", condition=_RABBITMQ),
    Row("python.rabbitmq.password", Password("rabbitmq"), used=(_RABBITMQ,), secret=True),
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
_MYSQL = (
    *_service("mysql", "modules.mysql", {}),
    Row("mysql.ip", Same("mysql", "the Service is called mysql"), type="any"),
    Row("mysql.port", Same(3306, "MySQL listens on 3306"), type="number"),
    Row("mysql.database", Same("eggroll_meta", "the database is eggroll_meta here: existing data in another one is not found")),
    Row("mysql.user", Same("fate", "the user is fate here: with existing data, make it in MySQL with all rights on eggroll_meta")),
    Row("mysql.password", Password("mysql", _MYSQL_DATA), secret=True),
    *_claim("mysql", "modules.mysql"),
    Row("externalMysqlIp", Part("engines.mysql.external.host")),
    Row("externalMysqlPort", Part("engines.mysql.external.port"), type="number"),
    Row("externalMysqlDatabase", Part("engines.mysql.external.database")),
    Row("externalMysqlUser", Part("engines.mysql.external.user")),
    Row("externalMysqlPassword", Password("mysql", "engines.mysql.external.password names the entry"), secret=True),
)

_NODE_KEYS = ("name", "nodeSelector", "sessionProcessorsPerNode", "subPath", "existingClaim", "storageClass", "accessMode", "size")
_GONE = "one block of `nodemanager` describes all nodes since 1.9"
_EGGROLL = (
    Row("clustermanager.mysqlServerTimezone", Lost("Eggroll reads MySQL's times as UTC", ("UTC",))),
    Row("nodemanager.replicas", To("modules.nodemanager.replicas"), type="number", absent=2),
    Row("nodemanager.count", To("modules.nodemanager.replicas", "was count, KubeFATE's older word"), type="number", until="1.8"),
    Row("nodemanager.sessionProcessorsPerNode", To("modules.nodemanager.sessionProcessorsPerNode"), type="number", absent=4),
    Row("nodemanager.session-processors-per-node", To("modules.nodemanager.sessionProcessorsPerNode"), type="number", until="1.8"),
    *(Row(f"nodemanager.list[].{key}", Lost(_GONE), type="any", until="1.8") for key in _NODE_KEYS),
    *_service("nodemanager", "modules.nodemanager", {}),
    *_claim("nodemanager", "modules.nodemanager"),
    *_service("clustermanager", "modules.clustermanager", {}),
)


def _old_spark(word: str, place: str) -> Iterator[Row]:
    """Keys of Spark's nodes in the charts before 2.0: an image, and requests outside `resources`."""
    image = "only when it is another than FATE's own; upstream publishes those with their release"
    yield Row(f"{word}.Image", Part(f"{place}.image.repository", image), until="1.11")
    yield Row(f"{word}.ImageTag", Part(f"{place}.image.tag", image), until="1.11")
    for amount in ("cpu", "memory"):
        what = Part(f"{place}.resources.requests.{amount}", "a request; the limit is the release's, or higher")
        yield Row(f"{word}.{amount}", what, type="any", until="1.8")


_SPARKS = (
    Row("spark.master.replicas", To("modules.spark.master.replicas"), type="number"),
    Row("spark.worker.replicas", To("modules.spark.workers"), type="number", absent=2),
    *_service("spark.master", "modules.spark.master", {"nodePort": "master"}),
    *_service("spark.worker", "modules.spark.worker", {}),
    *(row for name in ("master", "worker") for row in _old_spark(f"spark.{name}", f"modules.spark.{name}")),
    *_service("hdfs.namenode", "modules.hdfs.namenode", {"nodePort": "tcp-9000"}),
    *_service("hdfs.datanode", "modules.hdfs.datanode", {}),
    *_claim("hdfs.namenode", "modules.hdfs.namenode", sub_path=False),
    *_claim("hdfs.datanode", "modules.hdfs.datanode", sub_path=False),
    Row("hdfs.datanode.replicas", To("modules.hdfs.datanode.replicas"), type="number", absent=3),
)

_CLIENT = (
    *_service("client", "modules.client", {}),
    *_claim("client", "modules.client"),
    Row("client.notebook_hashed_password", Password("notebook", "a new password: its hash is made in the pod"), secret=True),
    *_service("fateboard", "modules.fateboard", {}),
    Row("fateboard.username", Same("admin", "the user is admin here")),
    Row("fateboard.password", Password("fateboard"), secret=True),
)


_ROUTE_HOSTS = (("host", "text"), ("http_port", "number"), ("grpc_port", "number"), ("port", "number"))


def _nginx(kinds: tuple[Kind, ...], default: str, ports: tuple[int, int]) -> Iterator[Row]:
    http, grpc = ports
    yield from _published("nginx", "nginx", {"httpNodePort": ("httpPort", http), "grpcNodePort": ("grpcPort", grpc)}, kinds, default)
    old = ForType("publish.nginx.httpPort", "nginx.type", "NodePort", default, "with type NodePort; charts 1.5 had one port")
    yield Row("nginx.nodePort", old, kinds, "number", until="1.5")
    for what in ("proxy", "fateflow"):
        for key, kind in _ROUTE_HOSTS:
            if key == "grpc_port":
                note = "FATE-Flow's default protocol is HTTP; peers typed by hand have no gRPC port"
                yield Row(f"nginx.route_table.*.{what}[].{key}", Follows("http_port", note), kinds, "number")
            else:
                note = "the peer's nginx; `fateflow` counts where there is no `proxy`; IP addresses only"
                yield Row(f"nginx.route_table.*.{what}[].{key}", Part(f"{_PEERS}.nginx", note), kinds, kind)  # type: ignore[arg-type]


def _route(key: str, how: How, type_: Type = "text") -> Row:
    """A key of FATE-Flow's route tables: it counts with its engine, deployed or not."""
    return Row(key, how, type=type_, used=(_PULSAR if key.startswith("pulsar") else _RABBITMQ,), anyway=True)


_PULSAR_CONF = Lost("the broker's settings are the program's: topics are dropped when they are not used")
_LINKS = (
    *_nginx(PARTY, "ClusterIP", (30093, 30098)),
    *_nginx(EXCHANGE, "NodePort", (30003, 30008)),
    Row("nginx.exchange.ip", Part(f"{_HUB}.nginx", _STAR)),
    Row("nginx.exchange.httpPort", Part(f"{_HUB}.nginx", _STAR), type="number"),
    Row("nginx.exchange.grpcPort", Follows("nginx.exchange.httpPort", "FATE-Flow's default protocol is HTTP"), type="number"),
    Row("nginx.replicas", To("modules.nginx.replicas"), EXCHANGE, "number"),
    *_published("rabbitmq", "rabbitmq", {"nodePort": ("port", 30094)}),
    Row("rabbitmq.default_user", Same("fate", "the user is fate here; peers do not sign in with it")),
    Row("rabbitmq.default_pass", Password("rabbitmq"), secret=True),
    Row("rabbitmq.user", Same("fate", "the user is fate here; peers do not sign in with it")),
    Row("rabbitmq.password", Password("rabbitmq"), secret=True),
    _route("rabbitmq.route_table.*.host", Part(f"{_PEERS}.rabbitmq")),
    _route("rabbitmq.route_table.*.port", Part(f"{_PEERS}.rabbitmq"), "number"),
    *_published("pulsar", "pulsar", {"httpsNodePort": ("port", 30099)}),
    Row("pulsar.httpNodePort", Follows("pulsar.httpsNodePort", "the broker's plaintext port is not published here"), type="number"),
    Row("pulsar.publicLB.enabled", Part("publish.pulsar.type", "true: LoadBalancer, whatever pulsar.type says"), type="flag"),
    _route("pulsar.exchange.ip", Part(f"{_HUB}.trafficServer", _STAR)),
    _route("pulsar.exchange.port", Part(f"{_HUB}.trafficServer", _STAR), "number"),
    _route("pulsar.exchange.domain", Part("fate:federation.domain", "absent: fate.org, or --domain")),
    _route("pulsar.route_table.*.host", Part(f"{_PEERS}.pulsar")),
    _route("pulsar.route_table.*.port", Follows("sslPort", "brokers talk to each other in TLS here"), "number"),
    _route("pulsar.route_table.*.sslPort", Part(f"{_PEERS}.pulsar", "needed: TLS only"), "number"),
    _route("pulsar.route_table.*.proxy", Part("a peer behind a proxy is not carried", "a star has one exchange for all peers")),
    Row("pulsar.env", Lost("a variable may hold a password: write it under modules.pulsar.env, or leave it out", ([],)), type="list",
        secret=True),
    Row("pulsar.confs.brokerDeleteInactiveTopicsFrequencySeconds", _PULSAR_CONF, type="number"),
    Row("pulsar.confs.backlogQuotaDefaultLimitGB", _PULSAR_CONF, type="any"),
    *_claim("pulsar", "modules.pulsar", sub_path=False),
    *_published("trafficServer", "trafficServer", {"nodePort": ("port", 30007)}, EXCHANGE),
    Row("trafficServer.replicas", To("modules.trafficServer.replicas"), EXCHANGE, "number"),
    Row("trafficServer.route_table.sni[].fqdn", Part(f"{_PEERS}.partyId, fate:federation.domain", "<party id>.<domain>"), EXCHANGE),
    Row("trafficServer.route_table.sni[].tunnelRoute", Part(f"{_PEERS}.pulsar"), EXCHANGE),
)  # fmt: skip

_CONSOLES = {"fateboard": "fateboard", "client": "notebook", "spark": "spark", "rabbitmq": "rabbitmq", "pulsar": "pulsar"}
# Modules of FedLCM's private charts.
PORTAL = ("postgres", "fmlManagerServer")
PORTAL_NOTE = "describe FML Manager under fate:exchange.fmlManager (docs/site-portal.md)"
_PORTAL = Lost(PORTAL_NOTE, ())


_SERVING_PAGES = {"servingProxy": "servingProxy", "servingAdmin": "servingAdmin"}
_NO_PAGE = "an exchange of FATE-Serving shows nothing to browsers"


def _pages(kinds: tuple[Kind, ...]) -> Iterator[Row]:
    """Ingresses and Istio of the consoles of a party, or of its FATE-Serving."""
    yield Row("ingressClassName", Part("fate:boards.className", "absent: nginx, with an `ingress` block"), kinds)
    for word, console in _CONSOLES.items() if kinds == PARTY else _SERVING_PAGES.items():
        yield Row(f"ingress.{word}.annotations", Part(f"boards.{console}.annotations"), kinds, "map")
        yield Row(f"ingress.{word}.hosts[].name", Part(f"boards.{console}.host", "one host for each console"), kinds)
        yield Row(f"ingress.{word}.hosts[].path", Part(f"boards.{console}.path"), kinds)
        yield Row(f"ingress.{word}.tls[].secretName", Part("fate:boards.tls.kubernetesSecret", "one Secret for all consoles"), kinds)
        yield Row(f"ingress.{word}.tls[].hosts", Follows("hosts"), kinds, "list")
    yield Row("istio.enabled", Part("fate:boards.kind: istio"), kinds, "flag")


_SERVINGS = (
    Row("servingIp", Part("servings.hosts")),
    Row("servingPort", Part("servings.hosts"), type="number"),
    Row("serving.useRegistry", To("servings.useRegistry"), type="flag"),
    Row("serving.zookeeper.hosts", Part("servings.zookeeper.hosts", "with useRegistry"), type="any"),
    Row("serving.zookeeper.use_acl", Part("servings.zookeeper.user"), type="flag"),
    Row("serving.zookeeper.user", Part("servings.zookeeper.user", "with use_acl")),
    Row("serving.zookeeper.password", Password("zookeeper", "with use_acl"), secret=True),
)

_ADAPTORS = "com.webank.ai.fate.serving.adaptor.dataaccess."


def _serving_claim(word: str) -> Iterator[Row]:
    place = f"modules.{word}"
    for key in ("existingClaim", "storageClass", "accessMode", "size", "subPath"):
        yield Row(f"{word}.{key}", To(f"{place}.persistence.{key}"), SERVING, used=(_persistent,))


_SERVER_BALANCED = ForType(
    "modules.servingServer.service.loadBalancerIP", "servingServer.type", "LoadBalancer", "ClusterIP", "with type LoadBalancer"
)
_SERVING = (
    *_published("servingProxy", "servingProxy", {"nodePort": ("port", 30096)}, ANY_SERVING),
    Row("servingProxy.ingerssHost", Part("boards.servingProxy.host"), SERVING),
    Row("servingProxy.ingerssHost", Lost(_NO_PAGE), SERVING_EXCHANGE),
    Row("servingProxy.partyList[].partyId", Part(f"{_PEERS}.partyId"), ANY_SERVING, "any"),
    Row("servingProxy.partyList[].partyIp", Part(f"{_PEERS}.servingProxy"), ANY_SERVING),
    Row("servingProxy.partyList[].partyPort", Part(f"{_PEERS}.servingProxy"), ANY_SERVING, "number"),
    Row("servingProxy.exchange.ip", Part(f"{_HUB}.servingProxy"), ANY_SERVING),
    Row("servingProxy.exchange.port", Part(f"{_HUB}.servingProxy"), ANY_SERVING, "number"),
    *_service("servingServer", "modules.servingServer", {"nodePort": "tcp-serving-server"}, SERVING),
    Row("servingServer.loadBalancerIP", _SERVER_BALANCED, SERVING),
    Row("servingServer.fateflow.ip", Part("fateflow"), SERVING),
    Row("servingServer.fateflow.port", Part("fateflow"), SERVING, "number"),
    Row("servingServer.cacheSwitch", To("cache.remoteResults"), SERVING, "flag"),
    Row("servingServer.cacheType", To("cache.type"), SERVING, absent="local"),
    Row("servingServer.singleAdaptor", Part("adaptors.single", "a class without a package gets FATE-Serving's"), SERVING),
    Row("servingServer.batchAdaptor", Part("adaptors.batch", "a class without a package gets FATE-Serving's"), SERVING),
    Row("servingServer.AdapterURL", To("adaptors.url"), SERVING),
    *_serving_claim("servingServer"),
    *_serving_claim("servingRedis"),
    Row("servingRedis.password", Password("redis"), SERVING, secret=True),
    *_serving_claim("servingZookeeper"),
    Row("servingZookeeper.storageClassName", To("modules.servingZookeeper.persistence.storageClass"), SERVING, used=(_persistent,)),
    Row("servingAdmin.ingressHost", Part("boards.servingAdmin.host"), SERVING),
    Row("servingAdmin.username", Same("admin", "the user is admin here"), SERVING),
    Row("servingAdmin.password", Password("admin"), SERVING, secret=True),
    Row("externalRedisIp", Part("engines.redis.external.host"), SERVING),
    Row("externalRedisPort", Part("engines.redis.external.port"), SERVING, "number"),
    Row("externalRedisPassword", Password("redis", "engines.redis.external.password names the entry"), SERVING, secret=True),
    *_pages(SERVING),
    Row("ingressClassName", Lost(_NO_PAGE, ("", "nginx")), SERVING_EXCHANGE),
    *(
        Row(f"ingress.{word}.{key}", Lost(_NO_PAGE), SERVING_EXCHANGE, kind)  # type: ignore[arg-type]
        for word in ("servingProxy", "servingAdmin")
        for key, kind in (("annotations", "map"), ("hosts[].name", "text"), ("hosts[].path", "text"), ("tls[].secretName", "text"),
                          ("tls[].hosts", "list"))
    ),
    Row("istio.enabled", Lost(_NO_PAGE), SERVING_EXCHANGE, "flag"),
)  # fmt: skip

# Where each module's knobs go: the module's word in KubeFATE, its place, and the kinds of cluster that have it.
MODULES: tuple[tuple[str, str, tuple[Kind, ...]], ...] = (
    ("python", "modules.fateflow", PARTY),
    ("mysql", "modules.mysql", PARTY),
    ("rollsite", "modules.rollsite", TRAINING),
    ("lbrollsite", "modules.rollsite", PARTY),
    ("osx", "modules.osx", TRAINING),
    ("clustermanager", "modules.clustermanager", PARTY),
    ("nodemanager", "modules.nodemanager", PARTY),
    ("spark.master", "modules.spark.master", PARTY),
    ("spark.worker", "modules.spark.worker", PARTY),
    ("hdfs.namenode", "modules.hdfs.namenode", PARTY),
    ("hdfs.datanode", "modules.hdfs.datanode", PARTY),
    ("nginx", "modules.nginx", TRAINING),
    ("rabbitmq", "modules.rabbitmq", PARTY),
    ("pulsar", "modules.pulsar", PARTY),
    ("fateboard", "modules.fateboard", PARTY),
    ("client", "modules.client", PARTY),
    ("trafficServer", "modules.trafficServer", EXCHANGE),
    ("servingProxy", "modules.servingProxy", ANY_SERVING),
    ("servingServer", "modules.servingServer", SERVING),
    ("servingRedis", "modules.servingRedis", SERVING),
    ("servingZookeeper", "modules.servingZookeeper", SERVING),
    ("servingAdmin", "modules.servingAdmin", SERVING),
)

TABLE: tuple[Row, ...] = (
    *_COMMON,
    *_ENGINES,
    *(row for word, place, kinds in MODULES for row in module_rows(word, place, kinds)),
    *_PYTHON,
    *_ENGINE_BLOCKS,
    *_MYSQL,
    *_ROLLSITES,
    *_EGGROLL,
    *_SPARKS,
    *_LINKS,
    *_CLIENT,
    *_pages(PARTY),
    *_SERVINGS,
    *_SERVING,
    Row("istio.enabled", Lost("an exchange has no web pages"), EXCHANGE, "flag"),
    Row("postgres.*", _PORTAL, EXCHANGE, "any", secret=True),
    Row("fmlManagerServer.*", _PORTAL, EXCHANGE, "any", secret=True),
)
