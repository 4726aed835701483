"""Every row of the conversion table has a fixture here: a key in a file, and what must become of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cli.convert.lookup import row_of
from cli.convert.rows.table import MODULES, TABLE
from tests.support.kubefate import BASES, Keys, converted, merged

P = "parties/9999"
NODE_PORT = "NodePort"


@dataclass(frozen=True)
class Fixture:
    """Keys that are added to a base, the one that is tried (the first), and what must become of it."""

    base: str
    keys: Keys
    # Paths of the stack file with their values; None: must be absent.
    becomes: dict[str, Any] = field(default_factory=dict)
    # Part of the reason why it is not carried, or why KubeFATE did not use it.
    lost: str | None = None
    unused: str | None = None
    # The entry of fate:secrets that it becomes.
    secret: str | None = None
    # Part of a warning.
    warned: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(next(iter(self.keys)).split("/"))

    def __str__(self) -> str:
        return f"{self.base}:{'.'.join(self.key)}"


def _fixtures() -> Iterator[Fixture]:
    yield from _common()
    yield from _common_of_others()
    yield from _modules()
    yield from _claims()
    yield from _party()
    yield from _engines()
    yield from _links()
    yield from _boards_and_servings()


def _common() -> Iterator[Fixture]:
    yield Fixture("eggroll", {"name": "org-1"}, {"organization": "org-1"})
    yield Fixture("eggroll", {"namespace": "ns-1"}, {f"{P}/namespace": "ns-1"})
    yield Fixture("eggroll", {"chartName": "fate"}, {f"{P}/namespace": "fate-9999", "exchange": None})
    yield Fixture("eggroll", {"chartVersion": "v1.10.0"}, {f"{P}/release": "1.10.0"})
    yield Fixture("eggroll", {"partyId": 10000}, {"parties/10000/release": "1.11.2", P: None})
    yield Fixture("eggroll", {"registry": "reg.example/fate/"}, {"images/registry": "reg.example/fate"})
    yield Fixture("eggroll", {"pullPolicy": "Always"}, {"images/pullPolicy": "Always"})
    secrets = [{"name": "one"}, {"name": "two"}]
    yield Fixture("eggroll", {"imagePullSecrets/0/name": None, "imagePullSecrets": secrets}, {"images/pullSecret/kubernetesSecret": "one"})
    yield Fixture("eggroll", {"imagePullSecrets/1/name": None, "imagePullSecrets": secrets}, lost="one pull secret")
    yield Fixture("eggroll", {"modules": ["mysql", "python", "rollsite", "clustermanager", "nodemanager", "nginx"]},
                  {f"{P}/modules/fateboard": None}, lost="does not use it")  # fmt: skip
    yield Fixture("eggroll", {"persistence": True}, {f"{P}/persistence": {}})
    yield Fixture("eggroll", {"persistence": False}, {f"{P}/persistence": "none"})
    yield Fixture("eggroll", {"podSecurityPolicy/enabled": True}, lost="1.25")
    yield Fixture("eggroll", {"podSecurityPolicy/enabled": False})
    yield Fixture("eggroll", {"skippedKeys": ["route_table"]})
    yield Fixture("old", {"backend": "eggroll"}, {f"{P}/computing": "Eggroll", f"{P}/federation": "Eggroll", f"{P}/storage": "Eggroll"})
    yield Fixture(
        "old-spark", {"backend": "spark_rabbitmq"}, {f"{P}/computing": "Spark", f"{P}/federation": "RabbitMQ", f"{P}/storage": "HDFS"}
    )
    yield Fixture("eggroll", {"backend": "spark"}, {f"{P}/computing": "Eggroll"}, unused="v1.11.2 does not know it")
    yield Fixture("pulsar", {"computing": "spark"}, {f"{P}/computing": "Spark"})
    yield Fixture("pulsar", {"federation": "Pulsar"}, {f"{P}/federation": "Pulsar"})
    yield Fixture("pulsar", {"storage": "HDFS"}, {f"{P}/storage": "HDFS"})
    yield Fixture("pulsar", {"algorithm": "NN"}, {f"{P}/algorithm": "NN"})
    yield Fixture("pulsar", {"device": "IPCL"}, {f"{P}/device": "IPCL"})
    yield Fixture("pulsar", {"device": None}, {f"{P}/device": None}, warned="default is IPCL")


def _common_of_others() -> Iterator[Fixture]:
    """The common keys of an exchange and of serving."""
    for base, unit in (("exchange", "exchange"), ("serving", "serving/9999"), ("serving-exchange", "servingExchange")):
        yield Fixture(base, {"name": "org-1"}, {"organization": "org-1"})
        yield Fixture(base, {"namespace": "ns-1"}, {f"{unit}/namespace": "ns-1"})
        yield Fixture(base, {"chartName": BASES[base]["chartName"]}, {f"{unit}/namespace": BASES[base]["namespace"], "parties": None})
        version, release = ("v1.9.1", "1.9.1") if base == "exchange" else ("v2.1.5", "2.1.5")
        yield Fixture(base, {"chartVersion": version}, {f"{unit}/release": release})
        party, at = ("exchange", unit) if base != "serving" else (10000, "serving/10000")
        yield Fixture(base, {"partyId": party}, {f"{at}/namespace": BASES[base]["namespace"]})
        yield Fixture(base, {"registry": "reg.example/fate"}, {"images/registry": "reg.example/fate"})
        yield Fixture(base, {"pullPolicy": "Never"}, {"images/pullPolicy": "Never"})
        keys = {"imagePullSecrets/0/name": None, "imagePullSecrets": [{"name": "one"}]}
        yield Fixture(base, keys, {"images/pullSecret/kubernetesSecret": "one"})
        yield Fixture(base, {"modules": BASES[base]["modules"]}, {f"{unit}/namespace": BASES[base]["namespace"]})
        yield Fixture(base, {"persistence": True}, {f"{unit}/persistence": {} if base == "serving" else None})
        yield Fixture(base, {"podSecurityPolicy/enabled": True}, lost="1.25")
        yield Fixture(base, {"skippedKeys": ["route_table"]})


# The base that deploys a module, and where its knobs must go: said again here, not taken from the table.
PLACES = {
    ("python", "party"): ("eggroll", f"{P}/modules/fateflow"),
    ("mysql", "party"): ("eggroll", f"{P}/modules/mysql"),
    ("rollsite", "party"): ("eggroll", f"{P}/modules/rollsite"),
    ("rollsite", "exchange"): ("exchange", "exchange/modules/rollsite"),
    ("lbrollsite", "party"): ("balanced", f"{P}/modules/rollsite"),
    ("osx", "party"): ("osx", f"{P}/modules/osx"),
    ("osx", "exchange"): ("osx-exchange", "exchange/modules/osx"),
    ("clustermanager", "party"): ("eggroll", f"{P}/modules/clustermanager"),
    ("nodemanager", "party"): ("eggroll", f"{P}/modules/nodemanager"),
    ("spark.master", "party"): ("pulsar", f"{P}/modules/spark/master"),
    ("spark.worker", "party"): ("pulsar", f"{P}/modules/spark/worker"),
    ("hdfs.namenode", "party"): ("pulsar", f"{P}/modules/hdfs/namenode"),
    ("hdfs.datanode", "party"): ("pulsar", f"{P}/modules/hdfs/datanode"),
    ("nginx", "party"): ("pulsar", f"{P}/modules/nginx"),
    ("nginx", "exchange"): ("hub", "exchange/modules/nginx"),
    ("rabbitmq", "party"): ("rabbitmq", f"{P}/modules/rabbitmq"),
    ("pulsar", "party"): ("pulsar", f"{P}/modules/pulsar"),
    ("fateboard", "party"): ("eggroll", f"{P}/modules/fateboard"),
    ("client", "party"): ("eggroll", f"{P}/modules/client"),
    ("trafficServer", "exchange"): ("hub", "exchange/modules/trafficServer"),
    ("servingProxy", "serving"): ("serving", "serving/9999/modules/servingProxy"),
    ("servingProxy", "servingExchange"): ("serving-exchange", "servingExchange/modules/servingProxy"),
    ("servingServer", "serving"): ("serving", "serving/9999/modules/servingServer"),
    ("servingRedis", "serving"): ("serving", "serving/9999/modules/servingRedis"),
    ("servingZookeeper", "serving"): ("serving", "serving/9999/modules/servingZookeeper"),
    ("servingAdmin", "serving"): ("serving", "serving/9999/modules/servingAdmin"),
}
TOLERATION = {"key": "fate", "operator": "Exists", "effect": "NoSchedule"}
TERMS = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]
AFFINITY = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": TERMS}}}


def _modules() -> Iterator[Fixture]:
    for (word, kind), (base, place) in PLACES.items():
        at = word.replace(".", "/")
        yield Fixture(
            base, {f"{at}/nodeSelector": {"kubernetes.io/arch": "amd64"}}, {f"{place}/nodeSelector": {"kubernetes.io/arch": "amd64"}}
        )
        yield Fixture(base, {f"{at}/tolerations": [TOLERATION]}, {f"{place}/tolerations": [TOLERATION]})
        yield Fixture(base, {f"{at}/affinity": AFFINITY}, {f"{place}/affinity": AFFINITY})
        yield Fixture(base, {f"{at}/resources/requests/cpu": "150m"}, {f"{place}/resources/requests/cpu": "150m"})
        yield Fixture(base, {f"{at}/resources/limits/cpu": "5m"}, {f"{place}/resources/requests/cpu": "5m"})
        yield Fixture(base, {f"{at}/resources/limits/memory": "30Gi"}, {f"{place}/resources/limits/memory": "30Gi"})
        yield Fixture(base, {f"{at}/resources/limits/ephemeral-storage": "1Gi"}, {f"{place}/resources": None}, lost="ephemeral-storage")
        images = {f"{at}/image": "mine/other", "chartVersion": "v2.0.0"}
        if kind == "party" and word in ("python", "mysql", "clustermanager", "nodemanager", "fateboard", "client", "osx"):
            yield Fixture("osx", images, {f"{place}/image/repository": "mine/other"})
            yield Fixture("osx", {f"{at}/imageTag": "mine-1"}, {f"{place}/image/tag": "mine-1"})
        elif kind in ("party", "exchange") and word != "osx":
            yield Fixture(base, {f"{at}/image": "mine/other"}, {f"{place}/image/repository": None}, unused="does not know it")
            yield Fixture(base, {f"{at}/imageTag": "mine-1"}, {f"{place}/image/tag": None if word != "trafficServer" else "replace-me"},
                          unused="does not know it")  # fmt: skip
        else:
            yield Fixture(base, {f"{at}/image": "mine/other"}, {f"{place}/image/repository": "mine/other"})
            yield Fixture(base, {f"{at}/imageTag": "mine-1"}, {f"{place}/image/tag": "mine-1"})


CLAIMS = ("python", "mysql", "nodemanager", "client", "hdfs.namenode", "hdfs.datanode", "pulsar")
SERVING_CLAIMS = ("servingServer", "servingRedis", "servingZookeeper")


def _claims() -> Iterator[Fixture]:
    values = {"storageClass": "fast", "accessMode": "ReadWriteMany", "size": "3Gi", "subPath": "mine", "existingClaim": "data"}
    for word in (*CLAIMS, *SERVING_CLAIMS):
        base, place = PLACES[word, "serving" if word in SERVING_CLAIMS else "party"]
        at = word.replace(".", "/")
        for key, value in values.items():
            if key == "subPath" and word in ("python", "hdfs.namenode", "hdfs.datanode", "pulsar"):
                continue
            if word in SERVING_CLAIMS and key not in ("subPath", "existingClaim"):
                continue
            alone = {"nodemanager": {"nodemanager/replicas": 1}, "hdfs.datanode": {"hdfs/datanode/replicas": 1}}.get(word, {})
            keys = {f"{at}/{key}": value, "persistence": True, **alone}
            if word == "mysql" and key in ("storageClass", "accessMode", "size"):
                yield Fixture(base, keys, {f"{place}/persistence/existingClaim": "data-mysql-0"}, lost="keeps its own")
            else:
                yield Fixture(base, keys, {f"{place}/persistence/{key}": value})
            yield Fixture(base, {f"{at}/{key}": value}, {f"{place}/persistence": None}, unused="persistence is not true")
    for word in ("nodemanager", "hdfs.datanode"):
        base, place = PLACES[word, "party"]
        keys = {f"{word.replace('.', '/')}/existingClaim": "data", "persistence": True}
        yield Fixture(base, keys, {f"{place}/persistence/existingClaim": None}, lost="its own claim")
    yield Fixture("eggroll", {"python/subPath": "mine", "persistence": True}, {f"{P}/modules/fateflow": None}, unused="fixed names")
    for word, kept in (("servingServer", False), ("servingRedis", True), ("servingZookeeper", True)):
        for key in ("storageClass", "accessMode", "size"):
            keys = {f"{word}/{key}": values[key], "persistence": True}
            place = f"serving/9999/modules/{word}/persistence"
            yield Fixture("serving", keys, {f"{place}/{key}": values[key] if kept else None}, lost=None if kept else "keeps its own")
            yield Fixture("serving", {f"{word}/{key}": values[key]}, {place: None}, unused="persistence is not true")


def _service(base: str, word: str, place: str, ports: dict[str, str]) -> Iterator[Fixture]:
    yield Fixture(base, {f"{word}/type": "LoadBalancer"}, {f"{place}/service/type": "LoadBalancer"})
    for key, port in ports.items():
        keys = {f"{word}/{key}": 30777, f"{word}/type": NODE_PORT}
        yield Fixture(base, keys, {f"{place}/service/nodePorts/{port}": 30777})
        yield Fixture(base, {f"{word}/{key}": 30777}, {f"{place}/service": None}, unused="is ClusterIP")


def _party() -> Iterator[Fixture]:
    fateflow = f"{P}/modules/fateflow"
    yield from _service("eggroll", "python", fateflow, {"httpNodePort": "tcp-http", "grpcNodePort": "tcp-grpc"})
    yield Fixture("eggroll", {"python/loadBalancerIP": "192.0.2.9", "python/type": "LoadBalancer"},
                  {f"{fateflow}/service/loadBalancerIP": "192.0.2.9"})  # fmt: skip
    yield Fixture("eggroll", {"python/loadBalancerIP": "192.0.2.9"}, {f"{fateflow}/service": None}, unused="is ClusterIP")
    yield Fixture("eggroll", {"python/replicas": 1}, {f"{fateflow}/replicas": 1})
    yield Fixture("eggroll", {"python/replicas": 3}, {f"{fateflow}/replicas": None}, lost="does not scale")
    yield Fixture("eggroll", {"python/serviceAccountName": "fate"}, {f"{fateflow}/serviceAccountName": "fate"})
    yield Fixture("eggroll", {"python/logLevel": "INFO"})
    yield Fixture("eggroll", {"python/logLevel": "DEBUG"}, lost="level INFO")
    yield Fixture("eggroll", {"python/dependent_distribution": True}, lost="packages")
    yield Fixture("eggroll", {"python/dependent_distribution": False})
    for key, default in (("failedTaskAutoRetryTimes", 5), ("failedTaskAutoRetryDelay", 60)):
        yield Fixture("eggroll", {f"python/{key}": default})
        yield Fixture("eggroll", {f"python/{key}": 7}, lost="its own default")
    yield Fixture("eggroll", {"python/claimName": "python-data", "persistence": True})
    yield Fixture("eggroll", {"python/claimName": "other", "persistence": True}, lost="python-data")
    yield Fixture("eggroll", {"python/clustermanager/cores_per_node": 4})
    yield Fixture(
        "eggroll",
        {"python/clustermanager/cores_per_node": 8},
        lost="shares 2 x 4 cores among jobs, as its nodes here have them, and not 2 x 8",
    )
    yield Fixture("eggroll", {"python/clustermanager/nodes": 8}, lost="and not 8 x 16")
    yield Fixture("pulsar", {"python/clustermanager/nodes": 8}, unused="computing is Spark")
    for word in ("mysql", "fateboard", "client"):
        yield from _service("eggroll", word, f"{P}/modules/{word}", {})
    for word in ("nodemanager", "clustermanager"):
        yield Fixture("eggroll", {f"{word}/type": "ClusterIP"}, {f"{P}/modules/{word}/service/type": "ClusterIP"})
        yield Fixture("eggroll", {f"{word}/type": "LoadBalancer"}, {f"{P}/modules/{word}/service": None}, lost="need a headless Service")
    for key, fixed, other in (("ip", "mysql", "db"), ("port", 3306, 3307), ("database", "eggroll_meta", "fate"), ("user", "fate", "app")):
        yield Fixture("eggroll", {f"mysql/{key}": fixed})
        yield Fixture("eggroll", {f"mysql/{key}": other}, lost="")
    yield Fixture("eggroll", {"mysql/password": "canary"}, secret="party-9999-mysql")
    yield Fixture("eggroll", {"clustermanager/mysqlServerTimezone": "UTC"})
    yield Fixture("eggroll", {"clustermanager/mysqlServerTimezone": "Asia/Shanghai"}, lost="UTC")
    yield Fixture("eggroll", {"nodemanager/replicas": 5}, {f"{P}/modules/nodemanager/replicas": 5})
    yield Fixture("eggroll", {"nodemanager/replicas": None}, {f"{P}/modules/nodemanager/replicas": 2})
    yield Fixture("old", {"nodemanager/count": 4}, {f"{P}/modules/nodemanager/replicas": 4})
    yield Fixture("eggroll", {"nodemanager/count": 4}, {f"{P}/modules/nodemanager/replicas": 2}, unused="does not know it")
    yield Fixture("eggroll", {"nodemanager/sessionProcessorsPerNode": 8}, {f"{P}/modules/nodemanager/sessionProcessorsPerNode": 8})
    yield Fixture("eggroll", {"nodemanager/sessionProcessorsPerNode": None}, {f"{P}/modules/nodemanager/sessionProcessorsPerNode": 2})
    yield Fixture("old", {"nodemanager/session-processors-per-node": 8}, {f"{P}/modules/nodemanager/sessionProcessorsPerNode": 8})
    for key in ("nodeSelector", "storageClass", "accessMode", "size"):
        yield Fixture("old", {f"nodemanager/list/0/{key}": "x", "nodemanager/list": [{key: "x"}]}, lost="all node managers are alike")
    entries = [{"name": "one", "sessionProcessorsPerNode": 3, "subPath": "one", "existingClaim": "one-data"}]
    for key in entries[0]:
        keys = {f"nodemanager/list/0/{key}": None, "nodemanager/list": entries, "persistence": True}
        own = {"existingClaim": "one-data", "subPath": "one"}
        yield Fixture("old", keys, {f"{P}/modules/nodemanager": {"replicas": 1, "sessionProcessorsPerNode": 3, "persistence": own}})
    tagged = {"imageTag": "1.5.0-release"}
    yield Fixture("old", tagged)
    yield Fixture("old", {"imageTag": "1.5.0-bank1"}, lost="build them again from 1.9.2")
    yield Fixture("eggroll", {"imageTag": "1.11.2-release"}, unused="does not know it")
    old_exchange = {"chartVersion": "v1.8.0"}
    yield Fixture("exchange", {"imageTag": "1.8.0-release", **old_exchange})
    yield Fixture("exchange", {"imageTag": "mine", **old_exchange}, lost="images of your own")
    for base in ("serving", "serving-exchange"):
        yield Fixture(base, {"imageTag": "2.0.4-release", "chartVersion": "v2.0.4"})
        yield Fixture(base, {"imageTag": "mine", "chartVersion": "v2.0.4"}, lost="images of your own")
    nn = {"python/enabledNN": True, "chartVersion": "v1.6.0"}
    yield Fixture("old", nn, {f"{P}/algorithm": "NN"})
    yield Fixture("old", {**nn, "python/enabledNN": False}, {f"{P}/algorithm": None})
    yield Fixture("old", {"python/enabledNN": True}, {f"{P}/algorithm": None}, unused="does not know it")
    for word in ("postgres", "frontend", "sitePortalServer"):
        keys = {f"{word}/size": "1Gi", "modules": [*BASES["eggroll"]["modules"], word]}
        yield Fixture("eggroll", keys, {"sitePortal": None}, lost="fate:sitePortal")
    yield Fixture("eggroll", {"client/notebook_hashed_password": "canary"}, secret="party-9999-notebook")
    yield Fixture("eggroll", {"fateboard/username": "admin"})
    yield Fixture("eggroll", {"fateboard/username": "root"}, lost="the user is admin")
    yield Fixture("eggroll", {"fateboard/password": "canary"}, secret="party-9999-fateboard")


def _engines() -> Iterator[Fixture]:
    yield Fixture("pulsar", {"spark/master/replicas": 1}, {f"{P}/modules/spark/master/replicas": 1})
    yield Fixture("pulsar", {"spark/worker/replicas": 7}, {f"{P}/modules/spark/workers": 7})
    yield Fixture("pulsar", {"spark/worker/replicas": None}, {f"{P}/modules/spark/workers": 2})
    yield Fixture("old-spark", {"spark/worker/replicas": None, "spark/worker/type": "ClusterIP"}, {f"{P}/modules/spark/workers": 1})
    yield Fixture("pulsar", {"spark/worker/replicas": None, "spark/worker": None}, {f"{P}/modules/spark/workers": 2})
    yield Fixture("pulsar", {"hdfs/datanode/replicas": 4}, {f"{P}/modules/hdfs/datanode/replicas": 4})
    yield Fixture("pulsar", {"hdfs/datanode/replicas": None}, {f"{P}/modules/hdfs/datanode/replicas": 3})
    yield from _service("pulsar", "spark/master", f"{P}/modules/spark/master", {"nodePort": "master"})
    yield from _service("pulsar", "hdfs/namenode", f"{P}/modules/hdfs/namenode", {"nodePort": "tcp-9000"})
    yield from _service("pulsar", "hdfs/datanode", f"{P}/modules/hdfs/datanode", {})
    yield Fixture("pulsar", {"spark/worker/type": "ClusterIP"}, {f"{P}/modules/spark/worker/service/type": "ClusterIP"})
    for node in ("master", "worker"):
        at, place = f"spark/{node}", f"{P}/modules/spark/{node}"
        yield Fixture("old-spark", {f"{at}/Image": "mine/spark"}, {f"{place}/image/repository": "mine/spark"})
        yield Fixture("old-spark", {f"{at}/Image": f"federatedai/spark-{node}"}, {f"{place}/image": None})
        yield Fixture("old-spark", {f"{at}/ImageTag": "mine-1"}, {f"{place}/image/tag": "mine-1"})
        yield Fixture("old-spark", {f"{at}/ImageTag": "1.5.0-release"}, {f"{place}/image": None})
        yield Fixture("old-spark", {f"{at}/cpu": "6"}, {f"{place}/resources/requests/cpu": "6", f"{place}/resources/limits/cpu": "6"})
        yield Fixture("old-spark", {f"{at}/memory": "1Gi"}, {f"{place}/resources/requests/memory": "1Gi"})
    external = {
        "python/spark/master": ("spark", "master", "spark://192.0.2.30:7077"),
        "python/spark/cores_per_node": ("spark", "coresPerNode", 16),
        "python/spark/nodes": ("spark", "nodes", 5),
        "python/spark/driverHost": ("spark", "driverHost", "192.0.2.40"),
        "python/spark/portMaxRetries": ("spark", "portMaxRetries", 20),
        "python/spark/driverStartPort": ("spark", "driverStartPort", 31500),
        "python/spark/blockManagerStartPort": ("spark", "blockManagerStartPort", 31900),
        "python/spark/pysparkPython": ("spark", "pysparkPython", "/usr/bin/python3.8"),
        "python/hdfs/name_node": ("hdfs", "nameNode", "hdfs://192.0.2.31:8020"),
        "python/hdfs/path_prefix": ("hdfs", "pathPrefix", "/fate"),
        "python/pulsar/host": ("pulsar", "host", "192.0.2.32"),
        "python/pulsar/port": ("pulsar", "port", 16650),
        "python/pulsar/ssl_port": ("pulsar", "tlsPort", 16651),
        "python/pulsar/mng_port": ("pulsar", "managementPort", 18080),
        "python/pulsar/cluster": ("pulsar", "cluster", "bank"),
    }
    for key, (engine, target, value) in external.items():
        yield Fixture("existing", {key: value}, {f"{P}/engines/{engine}/external/{target}": value})
    yield Fixture("existing", {"python/hdfs/path_prefix": "/fate", "chartVersion": "v2.0.0"},
                  {f"{P}/engines/hdfs/external/pathPrefix": None}, lost="FATE 2.0.0 has no such key")  # fmt: skip
    driver = {"python/spark/driverHostType": "LoadBalancer", "python/spark/driverHost": "192.0.2.40"}
    yield Fixture("existing", driver, {f"{P}/engines/spark/external/driverHostType": "LoadBalancer"})
    yield Fixture("existing", {"python/pulsar/ssl_port": 16651, "python/pulsar/host": "192.0.2.32"},
                  {f"{P}/publish/pulsar": {"type": "External", "port": 16651, "advertise": {"host": "192.0.2.32"}}})  # fmt: skip
    for key in ("exchange/ip", "route_table/10000/host"):
        yield Fixture("eggroll", {f"pulsar/{key}": "192.0.2.5"}, {"peers": None}, unused="federation is Eggroll")
    yield Fixture("eggroll", {"rabbitmq/route_table/10000/port": 1}, {"peers": None}, unused="federation is Eggroll")
    yield Fixture("existing", _first("pulsar/exchange/ip", STAR), {f"{P}/exchange": "exchange"})
    for key in ("cores_per_node", "nodes"):
        yield Fixture("pulsar", {f"python/spark/{key}": 9}, {f"{P}/engines": None}, lost="FATE-Flow shares 2 x 4 cores")
    for key in ("driverHost", "driverHostType", "portMaxRetries", "driverStartPort", "blockManagerStartPort", "pysparkPython"):
        value = 31000 if "port" in key.lower() else "x"
        yield Fixture("pulsar", {f"python/spark/{key}": value}, {f"{P}/engines": None}, lost="")
    yield Fixture("pulsar", {"python/spark/master": "spark://192.0.2.30:7077"},
                  {f"{P}/engines/spark/external/master": "spark://192.0.2.30:7077"})  # fmt: skip
    yield Fixture("pulsar", {"python/spark/home": "/data/spark"}, lost="images")
    yield Fixture("pulsar", {"python/pulsar/topic_ttl": 3})
    yield Fixture("pulsar", {"python/pulsar/topic_ttl": 30}, lost="3 minutes")
    yield Fixture("pulsar", {"python/pulsar/tenant": "fl-tenant"})
    yield Fixture("pulsar", {"python/pulsar/tenant": "bank"}, lost="EQUAL")
    old = {"chartVersion": "v1.6.0", "backend": "spark_pulsar", "modules": ["python", "mysql", "spark", "hdfs", "nginx", "pulsar"]}
    yield Fixture("old-spark", {"python/pulsar/route_table": "conf/mine.yaml", **old}, lost="from fate:peers")
    yield Fixture("old-spark", {"python/rabbitmq/route_table": "conf/mine.yaml"}, lost="from fate:peers")
    rabbitmq = {"host": "192.0.2.35", "port": 15673, "mng_port": 15674, "user": "flow"}
    names = {"mng_port": "managementPort"}
    for key, value in rabbitmq.items():
        keys = {f"python/rabbitmq/{key}": value}
        yield Fixture("existing-rabbitmq", keys, {f"{P}/engines/rabbitmq/external/{names.get(key, key)}": value})
    yield Fixture("existing-rabbitmq", {"python/rabbitmq/password": "canary"}, secret="party-9999-rabbitmq")
    for key, fixed, other in (("host", "nginx", "proxy"), ("http_port", 9300, 80), ("grpc_port", 9310, 81)):
        yield Fixture("pulsar", {f"python/nginx/{key}": fixed})
        yield Fixture("pulsar", {f"python/nginx/{key}": other}, lost="own nginx")
    for key, value in {"host": "h", "port": 10000, "auth_mechanism": "x", "username": "u", "password": "canary"}.items():
        yield Fixture("pulsar", {f"python/hive/{key}": value}, lost="Hive")
    mysql = {"Ip": ("host", "192.0.2.33"), "Port": ("port", 3307), "Database": ("database", "fate_1"), "User": ("user", "app")}
    for key, (target, value) in mysql.items():
        yield Fixture("existing", {f"externalMysql{key}": value}, {f"{P}/engines/mysql/external/{target}": value})
    yield Fixture("existing", {"externalMysqlPassword": "canary"}, {f"{P}/engines/mysql/external/password": {"secret": "party-9999-mysql"}},
                  secret="party-9999-mysql")  # fmt: skip


PEER = "peers/party-10000"
MEMBER = {"partyId": 10000, "partyIp": "192.0.2.10", "partyPort": 30101}
STAR = {
    "nginx/exchange/ip": "192.0.2.50",
    "nginx/exchange/httpPort": 30003,
    "pulsar/exchange/ip": "192.0.2.50",
    "pulsar/exchange/port": 30007,
}


def _first(key: str, keys: Keys) -> Keys:
    """These keys, with the one that is tried in front."""
    return {key: keys.get(key), **keys}


def _published(base: str, word: str, place: str, ports: dict[str, tuple[str, int | None]], default: str = "ClusterIP") -> Iterator[Fixture]:
    yield Fixture(base, {f"{word}/type": "LoadBalancer"}, {f"{place}/type": "LoadBalancer", f"{place}/port": None})
    yield Fixture(base, {f"{word}/type": None}, {f"{place}/type": default})
    for key, (port, usual) in ports.items():
        yield Fixture(base, {f"{word}/{key}": 30555, f"{word}/type": NODE_PORT}, {f"{place}/{port}": 30555, f"{place}/type": NODE_PORT})
        yield Fixture(base, {f"{word}/{key}": None, f"{word}/type": NODE_PORT}, {f"{place}/{port}": usual})
        yield Fixture(base, {f"{word}/{key}": 30555, f"{word}/type": "LoadBalancer"}, {f"{place}/{port}": None}, lost="Kubernetes chooses")
    balanced = {f"{word}/loadBalancerIP": "192.0.2.77", f"{word}/type": "LoadBalancer"}
    yield Fixture(base, balanced, {f"{place}/loadBalancerIP": "192.0.2.77"})


def _one_port(base: str, word: str, unit: str, endpoint: str) -> Iterator[Fixture]:
    yield from _published(base, word, f"{unit}/publish/{endpoint}", {"nodePort": ("port", None)})
    for key in MEMBER:
        keys = {f"{word}/partyList/0/{key}": None, f"{word}/partyList": [MEMBER]}
        yield Fixture(base, keys, {PEER: {"unsigned": True, "partyId": "10000", endpoint: "192.0.2.10:30101"}})


def _links() -> Iterator[Fixture]:
    yield from _one_port("eggroll", "rollsite", P, "rollsite")
    yield from _one_port("exchange", "rollsite", "exchange", "rollsite")
    yield from _one_port("osx", "osx", P, "osx")
    yield from _one_port("osx-exchange", "osx", "exchange", "osx")
    yield from _published("balanced", "lbrollsite", f"{P}/publish/rollsite", {"nodePort": ("port", None)})
    for base, word in (("eggroll", "rollsite"), ("osx", "osx")):
        hub = {f"{word}/exchange/ip": "192.0.2.50", f"{word}/exchange/port": 30001}
        star = {"peers/exchange": {"unsigned": True, word: "192.0.2.50:30001"}, f"{P}/exchange": "exchange", "federation/topology": "star"}
        for key in hub:
            yield Fixture(base, _first(key, hub), star)
    for base, word in (("exchange", "rollsite"), ("osx-exchange", "osx")):
        yield Fixture(base, {f"{word}/exchange/ip": "192.0.2.50"}, {"peers": None}, lost="not to another exchange")
        yield Fixture(base, {f"{word}/exchange/port": 30001}, {"peers": None}, lost="not to another exchange")
    for base in ("eggroll", "exchange"):
        yield Fixture(base, {"rollsite/enableTLS": True}, lost="plaintext all the same")
        yield Fixture(base, {"rollsite/enableTLS": False})
        for key, value in {"enabled": True, "type": "client", "server/ip": "x", "server/port": 1, "concurrency": 50}.items():
            yield Fixture(base, {f"rollsite/polling/{key}": value}, lost="does not poll")
        polled = {"rollsite/polling/clientList/0/partID": None, "rollsite/polling/clientList": [{"partID": 10000}]}
        yield Fixture(base, polled, lost="does not poll")
    yield Fixture("balanced", {"lbrollsite/size": "2M"}, lost="not limited")
    hubs = [{"id": 1, "ip": "192.0.2.50", "port": 30001}, {"id": 2, "ip": "192.0.2.51", "port": 30001}]
    for key in ("id", "ip", "port"):
        keys = {f"lbrollsite/exchangeList/0/{key}": None, "lbrollsite/exchangeList": hubs}
        yield Fixture("balanced", keys, {"peers/exchange/rollsite": "192.0.2.50:30001", f"{P}/exchange": "exchange"})
    both = {"peers/exchange-2/rollsite": "192.0.2.51:30001", f"{P}/modules/lbrollsite/exchanges": ["exchange-2"]}
    yield Fixture("balanced", {"lbrollsite/exchangeList/1/ip": None, "lbrollsite/exchangeList": hubs}, both)
    named = [{"id": 1, "ip": "hub.example", "port": 30001}, hubs[1]]
    keys = {"lbrollsite/exchangeList/0/ip": None, "lbrollsite/exchangeList": named}
    yield Fixture("balanced", keys, {"peers/exchange/rollsite": "192.0.2.51:30001"}, lost="does not resolve")
    placed = {"lbrollsite/nodeSelector": {"pool": "edge"}, "lbrollsite/exchangeList": hubs}
    yield Fixture("balanced", placed, {f"{P}/modules/{name}/nodeSelector": {"pool": "edge"} for name in ("rollsite", "lbrollsite")})
    yield from _nginx()
    yield from _brokers()
    yield from _hub()


def _nginx() -> Iterator[Fixture]:
    ports: dict[str, tuple[str, int | None]] = {"httpNodePort": ("httpPort", None)}
    yield from _published("pulsar", "nginx", f"{P}/publish/nginx", ports)
    for kind in ("pulsar", "hub"):
        yield Fixture(kind, {"nginx/grpcNodePort": 30198}, {}, lost="nginx publishes HTTP only")
    yield from _published("hub", "nginx", "exchange/publish/nginx", ports)
    default = {"type": NODE_PORT, "advertise": {"host": "192.0.2.1"}, "httpPort": 30003}
    yield Fixture("hub", {"nginx/type": None, "nginx": None}, {"exchange/publish/nginx": default})
    yield Fixture("old-spark", {"nginx/nodePort": 30193, "nginx/type": NODE_PORT}, {f"{P}/publish/nginx/httpPort": 30193})
    yield Fixture("hub", {"nginx/nodePort": 30193}, {"exchange/publish/nginx/httpPort": None}, unused="does not know it")
    yield Fixture("hub", {"nginx/replicas": 2}, {"exchange/modules/nginx/replicas": 2})
    for key in ("nginx/exchange/ip", "nginx/exchange/httpPort", "pulsar/exchange/ip", "pulsar/exchange/port"):
        hub = {"unsigned": True, "trafficServer": "192.0.2.50:30007", "nginx": "192.0.2.50:30003"}
        yield Fixture("pulsar", _first(key, STAR), {"peers/exchange": hub, f"{P}/exchange": "exchange"})
    yield Fixture("pulsar", {"nginx/exchange/grpcPort": 30008, **STAR}, {"peers/exchange/nginx": "192.0.2.50:30003"})
    yield Fixture("pulsar", {"nginx/exchange/ip": "192.0.2.50"}, {"peers": None, "federation/topology": "mesh"}, lost="half an exchange")
    yield Fixture(
        "rabbitmq", {"nginx/exchange/ip": "192.0.2.50"}, {"peers": None, "federation/topology": "mesh"}, lost="no star with RabbitMQ"
    )
    route = {"host": "192.0.2.10", "http_port": 30103, "grpc_port": 30108}
    brokers = {"rabbitmq/route_table/10000": {"host": "mq.example", "port": 30104}}
    tunnels = {"trafficServer/route_table/sni": [{"fqdn": "10000.fate.example", "tunnelRoute": "192.0.2.10:30109"}]}
    for base, others in (("rabbitmq", brokers), ("hub", tunnels)):
        for kind in ("proxy", "fateflow"):
            for key in route:
                keys = {f"nginx/route_table/10000/{kind}/0/{key}": None, f"nginx/route_table/10000/{kind}": [route], **others}
                yield Fixture(base, keys, {f"{PEER}/nginx": "192.0.2.10:30103"})
            old = {
                f"nginx/route_table/10000/{kind}/0/port": None,
                f"nginx/route_table/10000/{kind}": [{"host": "192.0.2.10", "port": 30103}],
            }
            yield Fixture(base, {**old, **others}, {f"{PEER}/nginx": "192.0.2.10:30103"}, warned="one port of nginx")
    named = {
        "nginx/route_table/10000/proxy/0/host": None,
        "nginx/route_table/10000/proxy": [{"host": "peer.example", "http_port": 1}],
        **brokers,
    }
    yield Fixture("rabbitmq", named, {"peers": None}, lost="does not resolve")


def _brokers() -> Iterator[Fixture]:
    router = {"nginx/route_table/10000/proxy": [{"host": "192.0.2.10", "http_port": 30103}]}
    yield from _published("rabbitmq", "rabbitmq", f"{P}/publish/rabbitmq", {"nodePort": ("port", None)})
    for key in ("default_user", "user"):
        yield Fixture("rabbitmq", {f"rabbitmq/{key}": "fate"})
        yield Fixture("rabbitmq", {f"rabbitmq/{key}": "other"}, lost="the user is fate")
    for key in ("default_pass", "password"):
        yield Fixture("rabbitmq", {f"rabbitmq/{key}": "canary"}, secret="party-9999-rabbitmq")
    route = {"host": "mq.example", "port": 30104}
    for key in route:
        keys = {f"rabbitmq/route_table/10000/{key}": None, "rabbitmq/route_table/10000": route, **router}
        yield Fixture(
            "rabbitmq", keys, {PEER: {"unsigned": True, "partyId": "10000", "rabbitmq": "mq.example:30104", "nginx": "192.0.2.10:30103"}}
        )
    half = {"rabbitmq/route_table/10000/host": None, "rabbitmq/route_table/10000": route}
    yield Fixture("rabbitmq", half, {"peers": None}, lost="half a peer")
    yield from _published("pulsar", "pulsar", f"{P}/publish/pulsar", {"httpsNodePort": ("port", None)})
    keys = {"pulsar/httpNodePort": 30094, "pulsar/httpsNodePort": 30099, "pulsar/type": NODE_PORT}
    yield Fixture("pulsar", keys, {f"{P}/publish/pulsar/port": 30099}, lost="plaintext port")
    yield Fixture("pulsar", {"pulsar/httpNodePort": 30094}, unused="pulsar.type is ClusterIP")
    yield Fixture("pulsar", {"pulsar/publicLB/enabled": True}, {f"{P}/publish/pulsar": {"type": "LoadBalancer"}})
    yield Fixture("pulsar", {"pulsar/publicLB/enabled": False}, {f"{P}/publish/pulsar/type": "ClusterIP"})
    yield Fixture("pulsar", {"pulsar/exchange/domain": "bank.example"}, {"federation/domain": "bank.example"})
    default = {"proxy": "192.0.2.50:30007", "domain": "bank.example", "brokerPort": 6650, "brokerSslPort": 6651}
    star = {"nginx/route_table/default/proxy": [{"host": "192.0.2.50", "http_port": 30003}]}
    for key in default:
        keys = {f"pulsar/route_table/default/{key}": None, "pulsar/route_table/default": default, **star}
        hub = {"unsigned": True, "trafficServer": "192.0.2.50:30007", "nginx": "192.0.2.50:30003"}
        yield Fixture("pulsar", keys, {"peers": {"exchange": hub}, "federation/domain": "bank.example", "federation/topology": "star"})
    target = {"host": "pulsar.example", "port": 30104, "sslPort": 30109, "proxy": ""}
    for key in target:
        keys = {f"pulsar/route_table/10000/{key}": None, "pulsar/route_table/10000": target, **router}
        yield Fixture("pulsar", keys, {f"{PEER}/pulsar": "pulsar.example:30109", f"{PEER}/nginx": "192.0.2.10:30103"})
    plain = {"pulsar/route_table/10000/host": None, "pulsar/route_table/10000": {"host": "p.example", "port": 30104}, **router}
    yield Fixture("pulsar", plain, {"peers": None}, lost="without sslPort")
    proxied = {"pulsar/route_table/10000/proxy": None, "pulsar/route_table/10000": {**target, "proxy": "x:1"}, **router}
    yield Fixture("pulsar", proxied, {"peers": None}, lost="behind a proxy")
    yield Fixture("pulsar", {"pulsar/env": [{"name": "PULSAR_TOKEN", "value": "canary"}]}, {f"{P}/modules/pulsar": None}, lost="password")
    yield Fixture("pulsar", {"pulsar/confs/brokerDeleteInactiveTopicsFrequencySeconds": 60}, lost="broker's settings")
    yield Fixture("pulsar", {"pulsar/confs/backlogQuotaDefaultLimitGB": 10}, lost="broker's settings")


def _hub() -> Iterator[Fixture]:
    yield from _published("hub", "trafficServer", "exchange/publish/trafficServer", {"nodePort": ("port", None)})
    yield Fixture("hub", {"trafficServer/replicas": 2}, {"exchange/modules/trafficServer/replicas": 2})
    tunnel = {"fqdn": "10000.bank.example", "tunnelRoute": "192.0.2.10:30109"}
    for key in tunnel:
        keys = {f"trafficServer/route_table/sni/0/{key}": None, "trafficServer/route_table/sni": [tunnel],
                "nginx/route_table/10000/fateflow": [{"host": "192.0.2.10", "http_port": 30103}]}  # fmt: skip
        yield Fixture("hub", keys, {"federation/domain": "bank.example", f"{PEER}/pulsar": "192.0.2.10:30109"})
    yield Fixture("hub", {"istio/enabled": True}, lost="no web pages")
    yield Fixture("hub", {"postgres/password": "canary", "modules": ["trafficServer", "nginx", "postgres"]}, lost="FML Manager")
    yield Fixture(
        "hub", {"fmlManagerServer/type": NODE_PORT, "modules": ["trafficServer", "nginx", "fmlManagerServer"]}, lost="FML Manager"
    )


def _boards_and_servings() -> Iterator[Fixture]:
    names = {"fateboard": "fateboard", "client": "notebook", "spark": "spark", "rabbitmq": "rabbitmq", "pulsar": "pulsar"}
    for word, console in names.items():
        base = "rabbitmq" if word == "rabbitmq" else "pulsar"
        host = {f"ingress/{word}/hosts": [{"name": f"p9999.{console}.bank.example", "path": "/x"}]}
        board = f"{P}/boards/{console}"
        shown = {"boards/kind": "ingress", "boards/domain": "bank.example", "boards/className": "nginx", f"boards/consoles/{console}": {}}
        yield Fixture(base, {f"ingress/{word}/hosts/0/name": None, **host}, {f"{board}/host": f"p9999.{console}.bank.example", **shown})
        yield Fixture(base, {f"ingress/{word}/hosts/0/path": None, **host}, {f"{board}/path": "/x"})
        yield Fixture(base, {f"ingress/{word}/annotations": {"a": "b"}, **host}, {f"{board}/annotations": {"a": "b"}})
        tls = {f"ingress/{word}/tls": [{"secretName": "board-tls", "hosts": ["p9999.bank.example"]}], **host}
        yield Fixture(base, {f"ingress/{word}/tls/0/secretName": None, **tls}, {"boards/tls/kubernetesSecret": "board-tls"})
        yield Fixture(base, {f"ingress/{word}/tls/0/hosts": None, **tls}, {"boards/tls/kubernetesSecret": "board-tls"})
    old = {"chartVersion": "v1.6.0", "modules": ["mysql", "python", "spark", "hdfs", "nginx", "pulsar", "fateboard", "client"]}
    hosts = {"fateboard": "fateboard", "client": "notebook", "sparkUI": "spark", "pulsarUI": "pulsar"}
    for key, console in hosts.items():
        keys = {f"host/{key}": f"{console}.fate.bank.example", **old}
        yield Fixture("old-spark", keys, {f"{P}/boards/{console}/host": f"{console}.fate.bank.example", "boards/kind": "ingress"})
    yield Fixture("old-spark", {"host/rabbitmqUI": "mq.bank.example", **old}, {"boards": None}, unused="rabbitmq is not deployed")
    yield Fixture(
        "old-spark", {"host/fateboard": "b.bank.example", **old, "chartVersion": "v1.6.1"}, {"boards": None}, unused="under ingress"
    )
    yield Fixture("eggroll", {"ingress/spark/hosts/0/name": None, "ingress/spark/hosts": [{"name": "s.example"}]}, {"boards": None},
                  unused="spark is not deployed")  # fmt: skip
    host = {"ingress/fateboard/hosts": [{"name": "p9999.fateboard.bank.example"}]}
    yield Fixture("pulsar", {"ingressClassName": "traefik", **host}, {"boards/className": "traefik"})
    yield Fixture("pulsar", {"istio/enabled": True, **host}, {"boards/kind": "istio", "boards/domain": "bank.example"})
    yield Fixture("pulsar", {"istio/enabled": False}, {"boards": None})
    address = {"servingIp": "192.0.2.60", "servingPort": 30095}
    for key in address:
        yield Fixture("eggroll", _first(key, address), {f"{P}/servings/hosts": ["192.0.2.60:30095"]})
    registry = {"serving/useRegistry": True, "serving/zookeeper/hosts": "zk.example:2181", "serving/zookeeper/use_acl": True,
                "serving/zookeeper/user": "flow", "serving/zookeeper/password": "canary"}  # fmt: skip
    at = f"{P}/servings"
    yield Fixture("eggroll", registry, {f"{at}/useRegistry": True})
    yield Fixture("eggroll", _first("serving/zookeeper/hosts", registry), {f"{at}/zookeeper/hosts": ["zk.example:2181"]})
    yield Fixture("eggroll", _first("serving/zookeeper/use_acl", registry), {f"{at}/zookeeper/user": "flow"})
    yield Fixture("eggroll", _first("serving/zookeeper/user", registry), {f"{at}/zookeeper/user": "flow"})
    yield Fixture("eggroll", _first("serving/zookeeper/password", registry), 
                  {f"{at}/zookeeper/password": {"secret": "party-9999-zookeeper"}},
                  secret="party-9999-zookeeper")  # fmt: skip
    yield Fixture("eggroll", {"serving/zookeeper/hosts": "zk.example:2181"}, {at: None}, unused="useRegistry is not true")
    yield from _serving()


def _serving() -> Iterator[Fixture]:
    s = "serving/9999"
    for base, unit in (("serving", s), ("serving-exchange", "servingExchange")):
        yield from _published(base, "servingProxy", f"{unit}/publish/servingProxy", {"nodePort": ("port", None)})
        for key in MEMBER:
            keys = {f"servingProxy/partyList/0/{key}": None, "servingProxy/partyList": [MEMBER]}
            yield Fixture(base, keys, {PEER: {"unsigned": True, "partyId": "10000", "servingProxy": "192.0.2.10:30101"}})
    exchange, lost = "serving-exchange", "shows nothing to browsers"
    yield Fixture(exchange, {"servingProxy/ingerssHost": "x.example", "chartVersion": "v2.0.0"}, lost=lost)
    yield Fixture(exchange, {"servingProxy/ingressHost": "x.example", "chartVersion": "v2.0.4"}, lost=lost)
    yield Fixture(exchange, {"ingressClassName": "traefik"}, lost=lost)
    yield Fixture(exchange, {"istio/enabled": True}, lost=lost)
    for word, page in (("servingProxy", "serving-proxy"), ("servingAdmin", "serving-admin")):
        host = f"p9999.{page}.bank.example"
        block = {f"ingress/{word}": {"annotations": {"a": "b"}, "hosts": [{"name": host, "path": "/x"}],
                                     "tls": [{"secretName": "t", "hosts": [host]}]}}  # fmt: skip
        board = f"{s}/boards/{word}"
        becomes = {
            "annotations": {f"{board}/annotations": {"a": "b"}},
            "hosts/0/name": {f"{board}/host": host, "boards/domain": "bank.example", f"boards/consoles/{word}": {}},
            "hosts/0/path": {f"{board}/path": "/x"},
            "tls/0/secretName": {"boards/tls/kubernetesSecret": "t"},
            "tls/0/hosts": {"boards/tls/kubernetesSecret": "t"},
        }
        for key, found in becomes.items():
            yield Fixture("serving", {f"ingress/{word}/{key}": None, **block}, found)
            yield Fixture(exchange, {f"ingress/{word}/{key}": None, **block}, lost=lost)
    proxy = {"ingress/servingProxy": {"hosts": [{"name": "p9999.serving-proxy.bank.example", "path": "/"}]}}
    yield Fixture("serving", {"ingressClassName": "traefik", **proxy}, {"boards/className": "traefik"})
    yield Fixture("serving", {"istio/enabled": True, **proxy}, {"boards/kind": "istio"})
    own = {"boards/kind": "ingress", "boards/className": "nginx", "boards/domain": "bank.example"}
    for key, version in (("ingerssHost", "v2.0.0"), ("ingressHost", "v2.0.4")):
        keys = {f"servingProxy/{key}": "9999.serving-proxy.bank.example", "chartVersion": version}
        yield Fixture("serving", keys, {f"{s}/boards/servingProxy/host": "9999.serving-proxy.bank.example", **own})
    yield Fixture("serving", {"servingProxy/ingerssHost": "x.example"}, {"boards": None}, unused="does not know it")
    keys = {"servingAdmin/ingressHost": "9999.serving-admin.bank.example", "chartVersion": "v2.0.4"}
    yield Fixture("serving", keys, {f"{s}/boards/servingAdmin/host": "9999.serving-admin.bank.example", **own})
    hub = {"servingProxy/exchange/ip": "192.0.2.50", "servingProxy/exchange/port": 30100}
    for key in hub:
        yield Fixture("serving", _first(key, hub), {"peers/exchange": {"unsigned": True, "servingProxy": "192.0.2.50:30100"},
                                                    f"{s}/exchange": "exchange"})  # fmt: skip
        yield Fixture("serving-exchange", _first(key, hub), {"peers": None}, lost="not to another exchange")
    server = f"{s}/modules/servingServer"
    yield Fixture("serving", {"servingServer/type": "LoadBalancer"}, {f"{server}/service/type": "LoadBalancer"})
    keys = {"servingServer/nodePort": 30777, "servingServer/type": NODE_PORT}
    yield Fixture("serving", keys, {f"{server}/service/nodePorts": {"tcp-serving-server": 30777}})
    yield Fixture("serving", {"servingServer/nodePort": 30777}, {f"{server}/service": {"type": "ClusterIP"}}, unused="is ClusterIP")
    usual = {"type": NODE_PORT, "nodePorts": {"tcp-serving-server": 30209}}
    yield Fixture("serving", {"servingServer/nodePort": None, "servingServer": None}, {f"{server}/service": usual})
    yield Fixture("serving", {"servingServer/loadBalancerIP": "192.0.2.77", "servingServer/type": "LoadBalancer"},
                  {f"{s}/modules/servingServer/service/loadBalancerIP": "192.0.2.77"})  # fmt: skip
    fateflow = {"servingServer/fateflow/ip": "192.0.2.9", "servingServer/fateflow/port": 30097}
    for key in fateflow:
        yield Fixture("serving", _first(key, fateflow), {f"{s}/fateflow": "192.0.2.9:30097"})
    yield Fixture("serving", {"servingServer/cacheSwitch": True}, {f"{s}/cache/remoteResults": True})
    yield Fixture("serving", {"servingServer/cacheType": "redis"}, {f"{s}/cache/type": "redis"})
    yield Fixture("serving", {"servingServer/cacheType": None}, {f"{s}/cache/type": "local"})
    package = "com.webank.ai.fate.serving.adaptor.dataaccess"
    yield Fixture("serving", {"servingServer/singleAdaptor": "MockAdapter"}, {f"{s}/adaptors/single": f"{package}.MockAdapter"})
    yield Fixture("serving", {"servingServer/batchAdaptor": "a.b.Mine"}, {f"{s}/adaptors/batch": "a.b.Mine"})
    yield Fixture("serving", {"servingServer/AdapterURL": "http://192.0.2.9/x"}, {f"{s}/adaptors/url": "http://192.0.2.9/x"})
    yield Fixture("serving", {"servingRedis/password": "canary"}, secret="serving-9999-redis")
    claims = {"servingZookeeper/storageClassName": "fast", "persistence": True}
    yield Fixture("serving", claims, {f"{s}/modules/servingZookeeper/persistence/storageClass": "fast"})
    yield Fixture("serving", {"servingAdmin/username": "admin"})
    yield Fixture("serving", {"servingAdmin/username": "root"}, lost="the user is admin")
    yield Fixture("serving", {"servingAdmin/password": "canary"}, secret="serving-9999-admin")
    yield Fixture("serving", {"externalRedisIp": "192.0.2.70"}, {f"{s}/engines/redis/external/host": "192.0.2.70"})
    redis = {"externalRedisPort": 6380, "externalRedisIp": "192.0.2.70"}
    yield Fixture("serving", redis, {f"{s}/engines/redis/external/port": 6380})
    yield Fixture("serving", {"externalRedisPassword": "canary", "externalRedisIp": "192.0.2.70"},
                  {f"{s}/engines/redis/external/password": {"secret": "serving-9999-redis"}}, secret="serving-9999-redis")  # fmt: skip


FIXTURES = tuple(_fixtures())
KINDS = {"exchange": "exchange", "osx-exchange": "exchange", "hub": "exchange", "serving": "serving", "serving-exchange": "servingExchange"}


def test_every_row_has_a_fixture_for_each_kind_of_cluster() -> None:
    rows = {(row.key, kind) for row in TABLE for kind in row.kinds}
    tried = {(row.key, kind) for fixture in FIXTURES if (row := row_of(fixture.key, kind := KINDS.get(fixture.base, "party"))) is not None}
    assert len(rows) > 500
    assert sorted(rows - tried) == []


def test_every_fixture_is_of_a_row() -> None:
    assert [str(fixture) for fixture in FIXTURES if row_of(fixture.key, KINDS.get(fixture.base, "party")) is None] == []


def test_the_places_of_modules_are_those_of_the_table() -> None:
    assert {(word, kind) for word, _, kinds in MODULES for kind in kinds} == set(PLACES)


@pytest.mark.parametrize("fixture", FIXTURES, ids=str)
def test_a_key_becomes_what_its_fixture_says(fixture: Fixture) -> None:
    result = converted(merged(BASES[fixture.base], fixture.keys))
    key, draft = "/".join(fixture.key), result.done.draft
    assert {path: result.at(path) for path in fixture.becomes} == fixture.becomes
    reasons = [reason for lost, reason in result.lost.items() if f"{key}/".startswith(f"{lost}/") or lost.startswith(f"{key}/")]
    if fixture.lost is not None:
        assert reasons
        assert any(fixture.lost in reason for reason in reasons)
    else:
        assert reasons == []
    assert (key in result.unused) == (fixture.unused is not None)
    assert fixture.unused is None or fixture.unused in result.unused[key]
    if fixture.secret is not None:
        assert fixture.secret in draft.passwords
    assert fixture.warned is None or any(fixture.warned in warning for warning in draft.warnings)
    assert "canary" not in result.done.text
