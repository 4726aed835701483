"""The values that the charts are rendered with: the generated examples, other combinations of engines, and what an operator may change."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from federation.stack.load import load_stack
from tests.support import configs
from tests.support.helm import CHARTS, helm_template
from tests.support.walk import Container, Object, containers

Values = dict[str, Any]
# An uid as OpenShift gives them: printed carelessly, a number of this size becomes 1.00065e+09.
LARGE_UID = 1000650000


@dataclass(frozen=True)
class Case:
    """A chart with values."""

    name: str
    chart: Path
    values: Values

    def render(self) -> list[Object]:
        """What helm makes of it."""
        return helm_template(self.chart, self.values)

    def changed(self, change: Callable[[Values], None], name: str = "changed") -> "Case":
        """The same with a change of its values."""
        values = yaml.safe_load(yaml.safe_dump(self.values))
        change(values)
        return Case(name, self.chart, values)

    @property
    def has_claims(self) -> bool:
        """Whether any module keeps data."""
        return any("claim" in module for module in self.values["modules"].values())

    def __str__(self) -> str:
        return self.name


def _example(chart: str) -> Case:
    path = CHARTS / chart
    return Case(chart, path, yaml.safe_load((path / "example-values.yaml").read_text()))


def planned(name: str, stack: configs.Case, unit: str = "party-9999") -> Case:
    """A chart with the values that the program plans for a unit of a stack."""
    with tempfile.TemporaryDirectory() as folder:
        chart = load_stack(stack.write(Path(folder))).plan.unit(unit).chart
    return Case(name, CHARTS / chart.chart, chart.values.plain())


def _mesh(engines: configs.Config, **changes: Any) -> configs.Case:
    """A party of FATE 2.x with fateboard and client, in a mesh without peers."""
    party = {"release": configs.RELEASE_2, "persistence": {}, "modules": {"fateboard": {}, "client": {}}, "exchange": None, **changes}
    return configs.Case("a mesh", configs.stack("bank-a", topology="mesh", parties={"9999": configs.party(**engines, **party)}))


def _without_optional_modules(values: Values) -> None:
    for module in ("fateboard", "client"):
        del values["modules"][module]
    del values["board"], values["notebookPassword"]


def _without_persistence(values: Values) -> None:
    for module in values["modules"].values():
        module.pop("claim", None)


def _without_tls(values: Values) -> None:
    del values["pulsar"]["broker"]["certificateSecret"]


def _issued(values: Values) -> None:
    values["pulsar"]["broker"]["issuedSecret"] = "pulsar-cert-issued"


def _placed(values: Values) -> None:
    values["imagePullSecrets"] = ["registry", "second"]
    values["imagePullPolicy"] = "Always"
    for name, module in values["modules"].items():
        module["nodeSelector"] = {"pool": name.lower()}
        module["tolerations"] = [{"key": "dedicated", "operator": "Equal", "value": "fate", "effect": "NoSchedule"}]
        module["env"] = {"TZ": "Europe/Berlin", "NUMBER": "1000000"}
        module["security"] = {"runAsUser": LARGE_UID, "capabilities": ["SYS_NICE"], "readOnlyRoot": True}
        module["replicas"] = 2
    if "client" in values.get("database", {}):
        values["database"]["client"]["security"] = {"runAsUser": LARGE_UID, "capabilities": ["SYS_NICE"]}


def _large_identifier(values: Values) -> None:
    values["partyId"] = "1000000000"
    values["labels"]["federation.fate/party-id"] = "1000000000"


def _module(image: str, memory: str, replicas: int = 1, **more: Any) -> Values:
    """A module; the amount of memory tells modules of one image apart."""
    return {
        "image": image,
        "replicas": replicas,
        "resources": {"requests": {"cpu": "1", "memory": memory}, "limits": {"cpu": "4", "memory": memory}},
        "nodeSelector": {},
        "tolerations": [],
        "env": {},
        "security": {"capabilities": []},
        **more,
    }


def _without_modules(values: Values, *names: str) -> None:
    for name in names:
        del values["modules"][name]
        for port in [port for port in values["ports"] if port.startswith(name)]:
            del values["ports"][port]


def _rabbitmq(values: Values) -> None:
    _without_modules(values, "pulsar")
    del values["pulsar"], values["routes"]["pulsar"]
    values["engines"]["federation"] = "rabbitmq"
    values["ports"].update(rabbitmq=5672, rabbitmqAdmin=15672)
    image = "federatedai/rabbitmq:3.8.3-management"
    values["modules"]["rabbitmq"] = _module(image, "2Gi", heapMib=1228, security={"runAsUser": 999, "capabilities": []})
    password = {"name": "rabbitmq-credentials", "key": "password"}
    values["rabbitmq"] = {"host": "rabbitmq", "port": 5672, "managementPort": 15672, "user": "fate", "password": password}
    values["routes"]["rabbitmq"] = "rabbitmq-route-table"


def _slim(values: Values) -> None:
    _without_modules(values, "sparkMaster", "sparkWorker", "namenode", "datanode")
    del values["hdfs"]
    values["engines"]["storage"] = "localfs"
    values["layout"]["fateflow"]["folders"]["localfs"] = "localfs"
    values["spark"].update(master="local[4]", driverMemoryMib=2048, workers=1)


def _eggroll(values: Values) -> None:
    _without_modules(values, "nginx", "pulsar", "sparkMaster", "sparkWorker", "namenode", "datanode")
    del values["pulsar"], values["spark"], values["hdfs"]
    image = "federatedai/eggroll:1.11.2-release"
    values["modules"]["fateflow"]["image"] = "federatedai/fateflow:1.11.2-release"
    values["modules"].update(
        clustermanager=_module(image, "2Gi", heapMib=1433),
        nodemanager=_module(
            image, "9Gi", 2, heapMib=921, claim={"accessMode": "ReadWriteOnce", "size": "20Gi"}, security={"capabilities": ["SYS_PTRACE"]}
        ),
        rollsite=_module(image, "3Gi", heapMib=1024),
    )
    values["ports"].update(clustermanager=4670, nodemanager=4671, rollsite=9370)
    values["engines"] = {"computing": "eggroll", "federation": "eggroll", "storage": "eggroll", "proxy": "rollsite"}
    values["eggroll"] = {"version": "2.5", "processorsPerNode": 4, "nodes": 2}
    values["routes"] = {"rollsite": "rollsite-route-table"}


def _eggroll_2_4(values: Values) -> None:
    values["release"], values["partyIdInConfig"] = "1.11.1", False
    values["eggroll"]["version"] = "2.4"


def _kept_broker(values: Values) -> None:
    values["modules"]["rabbitmq"]["claim"] = {"accessMode": "ReadWriteOnce", "size": "10Gi"}


def _boards(**how: Any) -> Callable[[Values], None]:
    """Consoles, shown by Ingresses."""
    shown = {
        "fateboard": ("fateboard", "fateboard", "fateboard", 8080),
        "notebook": ("client", "client", "notebook", 20000),
        "spark": ("spark-master", "spark", "spark-client", 8080),
    }

    def change(values: Values) -> None:
        consoles = {
            name: {
                "component": component,
                "object": item,
                "service": service,
                "port": port,
                "host": f"9999.{name}.bank-a.example",
                "path": "/",
                "annotations": {"a": "1000000"} if name == "notebook" else {},
            }
            for name, (component, item, service, port) in shown.items()
        }
        values["boards"] = {"consoles": consoles, **how}

    return change


def _external_mysql(values: Values) -> None:
    _without_modules(values, "mysql")
    values["ports"]["mysql"] = 3306
    values["database"].update(host="db.bank-a.example", port=3307, name="fate_9999", user="fate_9999")
    del values["database"]["rootPassword"]


def _external(values: Values) -> None:
    """Everything that can be: MySQL, Spark, HDFS and Pulsar or RabbitMQ."""
    _external_mysql(values)
    _without_modules(values, "sparkMaster", "sparkWorker", "namenode", "datanode")
    driver = {"host": "203.0.113.9", "serviceType": "NodePort", "annotations": {}}
    driver |= {"port": 31000, "blockManagerPort": 31100, "maxRetries": 3}
    values["spark"] = {"master": "spark://spark.bank-a.example:7077", "coresPerWorker": 16, "workers": 4, "driver": driver}
    values["spark"] |= {"python": "/opt/fate/bin/python", "dependentDistribution": True}
    values["hdfs"] = {"nameNode": "hdfs://namenode.bank-a.example:8020", "pathPrefix": "/fate"}
    if "pulsar" in values:
        _without_modules(values, "pulsar")
        values["pulsar"].update(host="pulsar.bank-a.example", port=6660, managementPort=8088, cluster="bank-a")
        del values["pulsar"]["broker"]
    else:
        _without_modules(values, "rabbitmq")
        values["rabbitmq"].update(host="rabbitmq.bank-a.example", port=5673, managementPort=15673, user="fate_9999")


def _rollsite_exchange(values: Values) -> None:
    values["ports"] = {"rollsite": 9370}
    values["modules"] = {"rollsite": _module("federatedai/eggroll:1.11.2-release", "3Gi", heapMib=1024)}


def container_values(case: Case, container: Container) -> Values:
    """The values that say image, resources and hardening of a container."""
    if container.where.endswith("/wait-for-mysql"):
        return case.values["database"]["client"]  # type: ignore[no-any-return]
    module: Values = case.values["modules"][module_of(container)]
    # Beside Pulsar, in its image.
    return module | {"resources": case.values["pulsar"]["broker"]["watcher"]} if container.where.endswith("/clusters") else module


def _whole_serving(values: Values) -> None:
    claim = {"accessMode": "ReadWriteOnce", "size": "1Gi"}
    zookeeper = _module("zookeeper:3.7.2", "1Gi", heapMib=614, claim=claim, security={"runAsUser": 1000, "capabilities": []})
    values["modules"].update(
        servingZookeeper=zookeeper, servingAdmin=_module("federatedai/serving-admin:2.1.6-release", "3Gi", heapMib=716)
    )
    values["ports"].update(servingZookeeper=2181, servingAdmin=8350)
    values["registry"] = {"user": "fate", "password": {"name": "serving-zookeeper-credentials", "key": "password"}}
    values["admin"] = {"user": "admin", "password": {"name": "serving-admin-credentials", "key": "password"}}
    values["server"].update(remoteResults=True)


def _redis_elsewhere(values: Values) -> None:
    _without_modules(values, "servingRedis")
    values["server"]["redis"].update(host="redis.example", port=6380)


def _cache_in_memory(values: Values) -> None:
    _without_modules(values, "servingRedis")
    del values["server"]["redis"]


def _serving_exchange(values: Values) -> None:
    _without_modules(values, "servingRedis", "servingServer")
    del values["server"], values["partyId"], values["labels"]["federation.fate/party-id"]
    values["instance"] = "serving-exchange"


def _with_servings(values: Values) -> None:
    values["servings"] = {"hosts": ["serving-server.fate-serving-9999.svc:8000", "203.0.113.9:30095"]}


def _with_registry(values: Values) -> None:
    _with_servings(values)
    password = {"name": "serving-zookeeper-credentials", "key": "password"}
    values["servings"]["zookeeper"] = {"hosts": ["serving-zookeeper.fate-serving-9999.svc:2181"], "user": "fate", "password": password}


def _with_open_registry(values: Values) -> None:
    values["servings"] = {"hosts": [], "zookeeper": {"hosts": ["zookeeper.example:2181"]}}


def module_of(container: Container) -> str:
    """The module whose image, resources and hardening a container has."""
    workload, name = container.where.split("/")[1:]
    special = {"python": "fateflow", "spark-master": "sparkMaster", "spark-worker": "sparkWorker", "traffic-server": "trafficServer"}
    special |= {f"serving-{name}": f"serving{name.title()}" for name in ("server", "proxy", "redis", "zookeeper", "admin")}
    special |= {"site-portal-server": "sitePortalServer", "fml-manager-server": "fmlManagerServer"}
    return "mysql" if name == "wait-for-mysql" else special.get(workload, workload)


def _postgres_elsewhere(values: Values) -> None:
    _without_modules(values, "postgres")
    values["database"].update(host="db.example", port=5433, name="portal", user="portal", sslMode="require")


def _shown_pages(values: Values) -> None:
    shown = {"component": "frontend", "object": "frontend", "service": "frontend", "port": 8080, "path": "/", "annotations": {}}
    console = {**shown, "host": "10002.frontend.clinic-d.example"}
    values["boards"] = {"className": "nginx", "tlsSecret": "boards-tls", "consoles": {"sitePortal": console}}


def _fml_manager(values: Values) -> None:
    _without_modules(values, "frontend", "sitePortalServer")
    del values["accounts"], values["partyId"], values["labels"]["federation.fate/party-id"]
    security = {"runAsUser": 10000, "capabilities": []}
    values["modules"]["fmlManagerServer"] = _module("federatedai/fml-manager-server:v0.3.0", "512Mi", security=security)
    values["ports"]["fmlManagerServer"] = 8443
    values["instance"] = "fml-manager"
    values["database"].update(name="fml_manager", user="fml_manager")
    values["tls"] = {"secret": "fml-manager-cert", "serverName": "fmlmanager.server.fraud.example"}


PARTY = _example("fate-party")
EXCHANGE = _example("fate-exchange")
SMALL = PARTY.changed(_without_optional_modules, "party without fateboard and client")
EPHEMERAL = PARTY.changed(_without_persistence, "party without persistence")
PLAINTEXT = PARTY.changed(_without_tls, "party without TLS")
ISSUED = PARTY.changed(_issued, "party with a certificate of cert-manager")
PLACED = PARTY.changed(_placed, "party with placement")
LARGE = PARTY.changed(_large_identifier, "party with a large id")
EXCHANGE_PLACED = EXCHANGE.changed(_placed, "exchange with placement")

RABBITMQ = PARTY.changed(_rabbitmq, "Spark, RabbitMQ, HDFS")
RABBITMQ_KEPT = RABBITMQ.changed(_kept_broker, "RabbitMQ with a claim")
SLIM = PARTY.changed(_slim, "slim with Pulsar")
SLIM_RABBITMQ = RABBITMQ.changed(_slim, "slim with RabbitMQ")
EGGROLL = PARTY.changed(_eggroll, "Eggroll 2.5")
EGGROLL_2_4 = EGGROLL.changed(_eggroll_2_4, "Eggroll 2.4")
EGGROLL_PLACED = EGGROLL.changed(_placed, "Eggroll with placement")
EGGROLL_EPHEMERAL = EGGROLL.changed(_without_persistence, "Eggroll without persistence")
EGGROLL_LARGE = EGGROLL.changed(_large_identifier, "Eggroll with a large id")
RABBITMQ_PLACED = RABBITMQ_KEPT.changed(_placed, "RabbitMQ with placement")
EXTERNAL = PARTY.changed(_external, "external MySQL, Spark, HDFS, Pulsar")
EXTERNAL_RABBITMQ = RABBITMQ.changed(_external, "external MySQL, Spark, HDFS, RabbitMQ")
EXTERNAL_EGGROLL = EGGROLL.changed(_external_mysql, "Eggroll 2.5 with an external MySQL")
EXTERNAL_EGGROLL_2_4 = EGGROLL_2_4.changed(_external_mysql, "Eggroll 2.4 with an external MySQL")
ROLLSITE_EXCHANGE = EXCHANGE.changed(_rollsite_exchange, "exchange with rollsite")
ROLLSITE_EXCHANGE_PLACED = ROLLSITE_EXCHANGE.changed(_placed, "exchange with rollsite and placement")

INGRESS = PARTY.changed(_boards(className="nginx", tlsSecret="boards-tls"), "consoles by Ingress")
PLAIN_INGRESS = PARTY.changed(_boards(), "consoles by the default class, without TLS")
BOARDS = [INGRESS, PLAIN_INGRESS]
BALANCED = planned("Eggroll 2.5 with lbrollsite", configs.BALANCED)
BALANCED_PLACED = BALANCED.changed(_placed, "lbrollsite with placement")
# FATE 2.x, as it is planned.
_WORKER = {"fateboard": {}, "client": {}, "spark": {"worker": {"image": {"repository": "own/spark-worker", "tag": "2.2.0-py310"}}}}
OSX = planned("Eggroll 3 over OSX", _mesh(configs.EGGROLL_OSX))
OSX_2_0 = planned("Eggroll 3 over OSX, FATE 2.0.0", _mesh(configs.EGGROLL_OSX, release="2.0.0"))
OSX_EPHEMERAL = planned("Eggroll 3 over OSX without persistence", _mesh(configs.EGGROLL_OSX, persistence="none"))
OSX_PLACED = OSX.changed(_placed, "Eggroll 3 over OSX with placement")
OSX_LARGE = OSX.changed(_large_identifier, "Eggroll 3 over OSX with a large id")
SPARK_OSX = planned("Spark over OSX", _mesh(configs.SPARK_OSX, modules=_WORKER))
STANDALONE_OSX = planned("Standalone over OSX", _mesh(configs.STANDALONE_OSX))
SPARK_PULSAR_2 = planned("Spark, Pulsar, HDFS, FATE 2.0.0", _mesh(configs.SPARK_PULSAR, release="2.0.0"))
SPARK_RABBITMQ_2 = planned("Spark, RabbitMQ, HDFS, FATE 2.0.0", _mesh(configs.SPARK_RABBITMQ, release="2.0.0"))
FILE_PULSAR = planned("slim with Pulsar and files, FATE 2.2.0", _mesh(configs.FILE_PULSAR))
FILE_RABBITMQ = planned("slim with RabbitMQ and files, FATE 2.2.0", _mesh(configs.FILE_RABBITMQ))
OSX_EXCHANGE = planned("exchange with OSX", configs.OSX_EXCHANGE, "exchange")
OSX_EXCHANGE_PLACED = OSX_EXCHANGE.changed(_placed, "exchange with OSX and placement")
SERVED = PARTY.changed(_with_servings, "party with FATE-Serving")
REGISTERED = EGGROLL.changed(_with_registry, "party with FATE-Serving by zookeeper")
OPEN_REGISTRY = SLIM.changed(_with_open_registry, "party with a zookeeper elsewhere")
SERVING = _example("fate-serving")
SERVING_WHOLE = SERVING.changed(_whole_serving, "FATE-Serving with zookeeper and admin")
SERVING_EPHEMERAL = SERVING_WHOLE.changed(_without_persistence, "FATE-Serving without persistence")
SERVING_REDIS_ELSEWHERE = SERVING.changed(_redis_elsewhere, "FATE-Serving with Redis elsewhere")
SERVING_IN_MEMORY = SERVING.changed(_cache_in_memory, "FATE-Serving with its cache in memory")
SERVING_LARGE = SERVING.changed(_large_identifier, "FATE-Serving with a large id")
SERVING_EXCHANGE = SERVING.changed(_serving_exchange, "serving exchange")


def _pages(values: Values) -> None:
    consoles = {
        name: {
            "component": page,
            "object": page,
            "service": page,
            "port": port,
            "host": f"9999.{page}.bank-a.example",
            "path": "/",
            "annotations": {},
        }
        for name, page, port in (("servingProxy", "serving-proxy", 8059), ("servingAdmin", "serving-admin", 8350))
    }
    values["boards"] = {"className": "nginx", "tlsSecret": "boards-tls", "consoles": consoles}


SERVING_PAGES = SERVING_WHOLE.changed(_pages, "FATE-Serving with pages by Ingress")
SERVING_PLACED = SERVING_WHOLE.changed(_placed, "FATE-Serving with placement")
SERVING_EXCHANGE_PLACED = SERVING_EXCHANGE.changed(_placed, "serving exchange with placement")

PORTAL = _example("fate-portal")
PORTAL_EPHEMERAL = PORTAL.changed(_without_persistence, "Site Portal without persistence")
PORTAL_POSTGRES_ELSEWHERE = PORTAL.changed(_postgres_elsewhere, "Site Portal with PostgreSQL elsewhere")
PORTAL_LARGE = PORTAL.changed(_large_identifier, "Site Portal with a large id")
PORTAL_PLACED = PORTAL.changed(_placed, "Site Portal with placement")
PORTAL_SHOWN = PORTAL.changed(_shown_pages, "Site Portal by Ingress")
FML_MANAGER = PORTAL.changed(_fml_manager, "FML Manager")
FML_MANAGER_EPHEMERAL = FML_MANAGER.changed(_without_persistence, "FML Manager without persistence")
FML_MANAGER_POSTGRES_ELSEWHERE = FML_MANAGER.changed(_postgres_elsewhere, "FML Manager with PostgreSQL elsewhere")
FML_MANAGER_PLACED = FML_MANAGER.changed(_placed, "FML Manager with placement")

COMBINATIONS = [PARTY, RABBITMQ, SLIM, SLIM_RABBITMQ, EGGROLL, EGGROLL_2_4]
COMBINATIONS_2 = [OSX, OSX_2_0, SPARK_OSX, STANDALONE_OSX, SPARK_PULSAR_2, SPARK_RABBITMQ_2, FILE_PULSAR, FILE_RABBITMQ]
EXCHANGES = [EXCHANGE, ROLLSITE_EXCHANGE, OSX_EXCHANGE]
PLACEMENTS = [PLACED, RABBITMQ_PLACED, EGGROLL_PLACED, OSX_PLACED, EXCHANGE_PLACED, ROLLSITE_EXCHANGE_PLACED, OSX_EXCHANGE_PLACED]
PARTIES = [*COMBINATIONS, SMALL, EPHEMERAL, PLAINTEXT, ISSUED, LARGE, RABBITMQ_KEPT, EGGROLL_EPHEMERAL, EGGROLL_LARGE]
PARTIES += [PLACED, RABBITMQ_PLACED, EGGROLL_PLACED, *BOARDS, SERVED, REGISTERED, OPEN_REGISTRY]
EXTERNALS = [EXTERNAL, EXTERNAL_RABBITMQ, EXTERNAL_EGGROLL, EXTERNAL_EGGROLL_2_4]
PARTIES += [*EXTERNALS, BALANCED, BALANCED_PLACED]
PARTIES_2 = [*COMBINATIONS_2, OSX_EPHEMERAL, OSX_LARGE, OSX_PLACED]
SERVINGS = [
    SERVING,
    SERVING_WHOLE,
    SERVING_EPHEMERAL,
    SERVING_REDIS_ELSEWHERE,
    SERVING_IN_MEMORY,
    SERVING_LARGE,
    SERVING_PLACED,
    SERVING_PAGES,
]
SERVING_EXCHANGES = [SERVING_EXCHANGE, SERVING_EXCHANGE_PLACED]
PLACEMENTS += [SERVING_PLACED, SERVING_EXCHANGE_PLACED]
SITE_PORTALS = [PORTAL, PORTAL_EPHEMERAL, PORTAL_POSTGRES_ELSEWHERE, PORTAL_LARGE, PORTAL_PLACED, PORTAL_SHOWN]
FML_MANAGERS = [FML_MANAGER, FML_MANAGER_EPHEMERAL, FML_MANAGER_POSTGRES_ELSEWHERE, FML_MANAGER_PLACED]
PORTALS = [*SITE_PORTALS, *FML_MANAGERS]
PLACEMENTS += [PORTAL_PLACED, FML_MANAGER_PLACED]
ALL = [*PARTIES, *PARTIES_2, *EXCHANGES, EXCHANGE_PLACED, ROLLSITE_EXCHANGE_PLACED, OSX_EXCHANGE_PLACED, *SERVINGS, *SERVING_EXCHANGES]
ALL += PORTALS


def container(case: Case, where: str) -> Container:
    [found] = [found for found in containers(case.render()) if found.where == where]
    return found


def mount(found: Container, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The mount at a path, and its volume."""
    [mounted] = [mounted for mounted in found.spec["volumeMounts"] if mounted["mountPath"] == path]
    [volume] = [volume for volume in found.pod["volumes"] if volume["name"] == mounted["name"]]
    return mounted, volume
