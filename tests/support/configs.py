"""Stack configurations for tests: small legal ones, written as real files and loaded as the program loads them."""

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.peers.descriptor import Descriptor, digest
from federation.peers.signed import sign
from federation.pki.identity import fingerprint, load_identity
from federation.stack.load import LoadedStack, load_stack

Config = dict[str, Any]
DOMAIN = "fraud.example"
RELEASE, RELEASE_2 = "1.11.2", "2.2.0"
# Combinations of engines, as a party names them.
EGGROLL: Config = {"computing": "Eggroll", "federation": "Eggroll", "storage": "Eggroll"}
SPARK_PULSAR: Config = {"computing": "Spark", "federation": "Pulsar", "storage": "HDFS"}
SPARK_RABBITMQ: Config = {"computing": "Spark", "federation": "RabbitMQ", "storage": "HDFS"}
SLIM_PULSAR: Config = {"computing": "Spark_local", "federation": "Pulsar", "storage": "LocalFS"}
SLIM_RABBITMQ: Config = {"computing": "Spark_local", "federation": "RabbitMQ", "storage": "LocalFS"}
# FATE 2.x only.
EGGROLL_OSX: Config = {"computing": "Eggroll", "federation": "OSX", "storage": "Eggroll"}
SPARK_OSX: Config = {"computing": "Spark", "federation": "OSX", "storage": "HDFS"}
STANDALONE_OSX: Config = {"computing": "Standalone", "federation": "OSX", "storage": "Standalone"}
FILE_PULSAR: Config = {"computing": "Spark_local", "federation": "Pulsar", "storage": "File"}
FILE_RABBITMQ: Config = {"computing": "Spark_local", "federation": "RabbitMQ", "storage": "File"}
# What each federation engine publishes.
PARTY_ENDPOINTS = {"Pulsar": ("pulsar", "nginx"), "RabbitMQ": ("rabbitmq", "nginx"), "Eggroll": ("rollsite",), "OSX": ("osx",)}
EXCHANGE_ENDPOINTS = {"Pulsar": ("trafficServer", "nginx"), "Eggroll": ("rollsite",), "OSX": ("osx",)}
PORTS = {
    "pulsar": {"tls": 6651},
    "rabbitmq": {"amqp": 5672},
    "trafficServer": {"tls": 443},
    "nginx": {"http": 9300},
    "rollsite": {"grpc": 9370},
    "osx": {"grpc": 9370},
}


@dataclass(frozen=True)
class Case:
    """A stack: the values under `fate:`, and the files below its folder, such as peers' descriptors."""

    name: str
    config: Config
    files: Mapping[str, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def engine(self) -> str:
        """The federation engine of the stack's own units."""
        units = [*self.config.get("parties", {}).values(), *([self.config["exchange"]] if "exchange" in self.config else [])]
        (engine,) = {str(unit.get("federation", "Pulsar")) for unit in units}
        return engine

    def changed(self, change: Callable[[Config], object], name: str | None = None) -> "Case":
        """The same with a change of its configuration."""
        config = copy.deepcopy(self.config)
        change(config)
        return replace(self, name=name or self.name, config=config)

    def with_file(self, path: str, content: bytes) -> "Case":
        """The same with one more file."""
        return replace(self, files={**self.files, path: content})

    def with_peer(self, name: str, descriptor: Descriptor, **entry: Any) -> "Case":
        """The same with an accepted peer; `entry` changes what fate:peers says of it."""
        signed = {"key": key_of(descriptor.organization), "acceptedSerial": 1, "unsigned": None}
        return self.with_peer_file(name, signed_file(descriptor), **{**signed, **entry})

    def with_peer_file(self, name: str, content: bytes, **entry: Any) -> "Case":
        """The same with a peer whose accepted file has this content; unsigned, unless `entry` says otherwise."""
        path = f"peers/{name}.json"
        said = {"descriptor": path, "sha256": digest(content), "unsigned": True, **entry}
        return self.with_entry(name, **{key: value for key, value in said.items() if value is not None}).with_file(path, content)

    def with_entry(self, name: str, **entry: Any) -> "Case":
        """The same with an entry under fate:peers, and no file."""
        return self.changed(lambda config: config.setdefault("peers", {}).update({name: entry}))

    def text(self) -> str:
        """The stack file."""
        return yaml.dump({"config": {f"fate:{key}": value for key, value in self.config.items()}}, Dumper=yaml.CSafeDumper, sort_keys=False)

    def write(self, folder: Path) -> Path:
        """The stack file's path, after writing it and its other files."""
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        file = folder / f"Pulumi.{self.config.get('organization', 'stack')}.yaml"
        file.write_text(self.text())
        return file

    def load(self, folder: Path) -> LoadedStack:
        """The plan, by way of real files."""
        return load_stack(self.write(folder))


# The days on which descriptors of these tests may be accepted, whatever day it is.
SIGNED_FROM = datetime.now(UTC).date() - timedelta(days=10)
SIGNED_UNTIL = SIGNED_FROM + timedelta(days=365)


def identity_of(organization: str) -> str:
    """The private key of an organization in these tests, as PEM."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(organization.encode()).digest()).private_bytes(*form).decode()


def key_of(organization: str) -> str:
    """The fingerprint of an organization's key in these tests."""
    return fingerprint(load_identity(identity_of(organization)).public_key())


def signed_file(descriptor: Descriptor, *, serial: int = 1, days: tuple[str, str] | None = None, signer: str | None = None) -> bytes:
    """What the owner of a unit sends, by default signed ten days ago for a year; `signer`: another organization's key."""
    first, last = days or (SIGNED_FROM.isoformat(), SIGNED_UNTIL.isoformat())
    return sign(descriptor, identity_of(signer or descriptor.organization), serial, first, last)


def stack(organization: str, *, topology: str = "star", **sections: Any) -> Config:
    """A configuration with its organization and federation."""
    federation = {"name": "fraud", "domain": DOMAIN, "topology": topology, "link": "native"}
    return {"organization": organization, "federation": federation, **sections}


def party(namespace: str = "fate-9999", **changes: Any) -> Config:
    """One party behind load balancers; None as a value drops a key."""
    whole = {
        "namespace": namespace,
        "release": RELEASE_2 if changes.get("federation") == "OSX" else RELEASE,
        **SPARK_PULSAR,
        "exchange": "consortium",
        "persistence": "none",
        "publish": _balanced(PARTY_ENDPOINTS[changes.get("federation", "Pulsar")]),
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def exchange(namespace: str = "fate-exchange", **changes: Any) -> Config:
    """One exchange behind load balancers; None as a value drops a key."""
    engine = changes.get("federation", "Pulsar")
    whole = {
        "namespace": namespace,
        "release": RELEASE_2 if engine == "OSX" else RELEASE,
        "modules": {"trafficServer": {"image": {"tag": "9.2.0"}}} if engine == "Pulsar" else None,
        "publish": _balanced(EXCHANGE_ENDPOINTS[engine]),
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def serving(namespace: str = "fate-serving-9999", **changes: Any) -> Config:
    """FATE-Serving of a party behind a load balancer; None as a value drops a key."""
    whole = {
        "namespace": namespace,
        "release": "2.1.6",
        "persistence": "none",
        "adaptors": {"single": "com.bank.Single", "batch": "com.bank.Batch"},
        "publish": _balanced(("servingProxy",)),
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def serving_exchange(**changes: Any) -> Config:
    """A serving exchange behind a load balancer."""
    return {"namespace": "fate-serving-exchange", "release": "2.1.6", "publish": _balanced(("servingProxy",)), **changes}


def serving_descriptor(party_id: str | None = "10000", organization: str = "clinic-b", *, host: str = "203.0.113.22") -> Descriptor:
    """What the owner of a FATE-Serving, or without a party id of a serving exchange, exports."""
    head: Config = {"kind": "servingExchange"} if party_id is None else {"kind": "serving", "partyId": party_id}
    head["release"] = "2.1.6"
    endpoint = {"host": host, "addresses": _addresses(host), "ports": {"grpc": 8869}, "tls": False}
    return _descriptor(organization, head, {"servingProxy": endpoint})


def site_portal(namespace: str = "fate-site-portal-9999", **changes: Any) -> Config:
    """The Site Portal of a party behind a load balancer; None as a value drops a key."""
    whole = {"namespace": namespace, "release": "0.3.0", "persistence": "none", "publish": _balanced(("sitePortal",)), **changes}
    return {key: value for key, value in whole.items() if value is not None}


def fml_manager(namespace: str = "fate-fml-manager", **changes: Any) -> Config:
    """An FML Manager behind a load balancer; None as a value drops a key."""
    whole = {"namespace": namespace, "release": "0.3.0", "persistence": "none", "publish": _balanced(("fmlManager",)), **changes}
    return {key: value for key, value in whole.items() if value is not None}


def portal_descriptor(party_id: str | None = "10000", organization: str = "clinic-b", *, host: str = "203.0.113.32") -> Descriptor:
    """What the owner of a Site Portal, or without a party id of an FML Manager, exports."""
    head: Config = {"kind": "fmlManager"} if party_id is None else {"kind": "sitePortal", "partyId": party_id}
    head["release"] = "0.3.0"
    name = f"fmlmanager.server.{DOMAIN}" if party_id is None else f"site-{party_id}.server.{DOMAIN}"
    endpoint = {"host": host, "addresses": _addresses(host), "ports": {"tls": 8443}, "tls": True, "serverName": name}
    return _descriptor(organization, head, {"fmlManager" if party_id is None else "sitePortal": endpoint})


def _balanced(endpoints: tuple[str, ...]) -> Config:
    return {endpoint: {"type": "LoadBalancer", "sourceRanges": "anyone"} for endpoint in endpoints}


def node_port(**ports: int) -> Config:
    """A publication on node ports, advertised."""
    return {"type": "NodePort", **ports, "advertise": {"host": "203.0.113.9"}, "sourceRanges": "anyone"}


def party_descriptor(
    party_id: str = "10000",
    organization: str = "clinic-b",
    *,
    host: str = "203.0.113.20",
    nginx: str = "203.0.113.21",
    port: int | None = None,
    engine: str = "Pulsar",
    release: str | None = None,
) -> Descriptor:
    """What the owner of a party exports; an nginx given by name has no address. `port`: of the endpoint for data."""
    backends = {"Pulsar": SPARK_PULSAR, "RabbitMQ": SPARK_RABBITMQ, "Eggroll": EGGROLL, "OSX": EGGROLL_OSX}[engine]
    endpoints = _endpoints(PARTY_ENDPOINTS[engine], host, nginx, party_id, port)
    head = {"kind": "party", "partyId": party_id, "backends": backends, "release": release or _release(engine)}
    return _descriptor(organization, head, endpoints)


def exchange_descriptor(
    organization: str = "consortium",
    *,
    host: str = "198.51.100.4",
    nginx: str = "198.51.100.5",
    engine: str = "Pulsar",
    release: str | None = None,
) -> Descriptor:
    """What the owner of an exchange exports."""
    head = {"kind": "exchange", "release": release or _release(engine)}
    return _descriptor(organization, head, _endpoints(EXCHANGE_ENDPOINTS[engine], host, nginx, "proxy", None))


def _descriptor(organization: str, head: Config, endpoints: Config) -> Descriptor:
    federation = {"name": "fraud", "domain": DOMAIN}
    body = {"schemaVersion": 1, "federation": federation, "organization": organization, "endpoints": endpoints}
    return Descriptor.model_validate(body | head)


def _release(engine: str) -> str:
    return RELEASE_2 if engine == "OSX" else RELEASE


def _endpoints(names: tuple[str, ...], host: str, nginx: str, label: str, port: int | None) -> Config:
    found: Config = {}
    for name in names:
        at = nginx if name == "nginx" else host
        ports = PORTS[name] if port is None or name == "nginx" else dict.fromkeys(PORTS[name], port)
        tls = {"tls": True, "serverName": f"{label}.{DOMAIN}"} if "tls" in ports else {"tls": False}
        found[name] = {"host": at, "addresses": _addresses(at), "ports": ports, **tls}
    return found


def _addresses(host: str) -> list[str]:
    return [host] if host.replace(".", "").isdigit() else []


CLINIC = party_descriptor()
BANK = party_descriptor("9999", "bank-a", host="203.0.113.10", nginx="203.0.113.11", port=31001)

STAR_PARTY = Case("a party of a star", stack("bank-a", parties={"9999": party()})).with_peer("consortium", exchange_descriptor())
EXCHANGE = (
    Case("an exchange with two members", stack("consortium", exchange=exchange())).with_peer("bank-a", BANK).with_peer("clinic-b", CLINIC)
)
LOCAL = Case(
    "an exchange and a party in one stack",
    stack("bank-a", exchange=exchange(), parties={"9999": party(exchange="local")}),
).with_peer("clinic-b", CLINIC)
MESH = Case("a mesh", stack("bank-a", topology="mesh", parties={"9999": party(exchange=None)})).with_peer("clinic-b", CLINIC)
MESH_OF_TWO = MESH.changed(lambda config: config["parties"].update({"9998": party("fate-9998", exchange=None)}), "two parties in a mesh")
SUSPENDED = replace(EXCHANGE.with_peer("clinic-b", CLINIC, state="suspended"), name="an exchange with a suspended member")
RETIRED = replace(EXCHANGE.with_peer("clinic-b", CLINIC, state="retired"), name="an exchange with a retired member")
MESH_SUSPENDED = replace(MESH.with_peer("clinic-b", CLINIC, state="suspended"), name="a mesh with a suspended peer")
SUSPENDED_EXCHANGE = replace(
    STAR_PARTY.with_peer("consortium", exchange_descriptor(), state="suspended"), name="a party whose exchange is suspended"
)
BY_HAND = Case("an exchange with a member typed by hand", stack("consortium", exchange=exchange())).with_entry(
    "old-clinic", unsigned=True, partyId="10001", pulsar="broker.old-clinic.example:6651", nginx="198.51.100.40:9300"
)
BY_HAND_EXCHANGE = Case("a party whose exchange is typed by hand", stack("bank-a", parties={"9999": party()})).with_entry(
    "consortium", unsigned=True, trafficServer="198.51.100.4:443", nginx="198.51.100.5:9300"
)
NAMED_NGINX = replace(
    EXCHANGE.with_peer("clinic-b", party_descriptor(nginx="nginx.clinic-b.example")), name="a member whose nginx has a name only"
)
PENDING = Case("a party whose exchange is not there yet", stack("bank-a", parties={"9999": party()})).with_entry(
    "consortium", descriptor="peers/consortium.json"
)
NODE_PORTS = STAR_PARTY.changed(
    lambda config: config["parties"]["9999"].update(
        publish={"pulsar": node_port(port=30651), "nginx": node_port(httpPort=30930)},
        persistence={"storageClass": "fast"},
        modules={"fateboard": {}, "client": {}},
    ),
    "a party on node ports with every module",
)
NAMESPACED = STAR_PARTY.changed(lambda config: config.update(cluster={"scope": "namespaced"}), "a party in a namespace it was given")

ROLLSITE_CLINIC = party_descriptor(engine="Eggroll")
ROLLSITE_BANK = party_descriptor("9999", "bank-a", host="203.0.113.10", port=30091, engine="Eggroll")
ROLLSITE_STAR = Case("a party of a star with rollsite", stack("bank-a", parties={"9999": party(**EGGROLL)})).with_peer(
    "consortium", exchange_descriptor(engine="Eggroll")
)
SECOND_HUB = exchange_descriptor("consortium", host="198.51.100.9", engine="Eggroll")
BALANCED = ROLLSITE_STAR.with_peer("consortium-2", SECOND_HUB).changed(
    lambda config: config["parties"]["9999"].update(modules={"lbrollsite": {"exchanges": ["consortium-2"], "replicas": 2}}),
    "a party with rollsite before two exchanges",
)
ROLLSITE_EXCHANGE = (
    Case("an exchange with rollsite", stack("consortium", exchange=exchange(federation="Eggroll")))
    .with_peer("bank-a", ROLLSITE_BANK)
    .with_peer("clinic-b", ROLLSITE_CLINIC)
)
ROLLSITE_LOCAL = Case(
    "an exchange and a party with rollsite in one stack",
    stack("bank-a", exchange=exchange(federation="Eggroll"), parties={"9999": party(exchange="local", **EGGROLL)}),
).with_peer("clinic-b", ROLLSITE_CLINIC)
ROLLSITE_MESH = Case("a mesh with rollsite", stack("bank-a", topology="mesh", parties={"9999": party(exchange=None, **EGGROLL)})).with_peer(
    "clinic-b", ROLLSITE_CLINIC
)
ROLLSITE_MESH_OF_TWO = ROLLSITE_MESH.changed(
    lambda config: config["parties"].update({"9998": party("fate-9998", exchange=None, **EGGROLL)}), "two parties in a mesh with rollsite"
)
ROLLSITE_SUSPENDED = replace(
    ROLLSITE_EXCHANGE.with_peer("clinic-b", ROLLSITE_CLINIC, state="suspended"), name="an exchange with rollsite and a suspended member"
)
ROLLSITE_MESH_SUSPENDED = replace(
    ROLLSITE_MESH.with_peer("clinic-b", ROLLSITE_CLINIC, state="suspended"), name="a mesh with rollsite and a suspended peer"
)
ROLLSITE_SUSPENDED_EXCHANGE = replace(
    ROLLSITE_STAR.with_peer("consortium", exchange_descriptor(engine="Eggroll"), state="suspended"),
    name="a party whose exchange with rollsite is suspended",
)
ROLLSITE_BY_HAND = Case(
    "an exchange with rollsite and a member typed by hand", stack("consortium", exchange=exchange(federation="Eggroll"))
).with_entry("old-clinic", unsigned=True, partyId="10001", rollsite="rollsite.old-clinic.example:30101")
ROLLSITE_BY_HAND_EXCHANGE = Case(
    "a party whose exchange with rollsite is typed by hand", stack("bank-a", parties={"9999": party(**EGGROLL)})
).with_entry("consortium", unsigned=True, rollsite="198.51.100.4:30001")
RABBITMQ_CLINIC = party_descriptor(engine="RabbitMQ")
RABBITMQ_MESH = Case(
    "a mesh with RabbitMQ", stack("bank-a", topology="mesh", parties={"9999": party(exchange=None, **SPARK_RABBITMQ)})
).with_peer("clinic-b", RABBITMQ_CLINIC)
RABBITMQ_MESH_OF_TWO = RABBITMQ_MESH.changed(
    lambda config: config["parties"].update({"9998": party("fate-9998", exchange=None, **SLIM_RABBITMQ)}),
    "two parties in a mesh with RabbitMQ",
)
RABBITMQ_MESH_SUSPENDED = replace(
    RABBITMQ_MESH.with_peer("clinic-b", RABBITMQ_CLINIC, state="suspended"), name="a mesh with RabbitMQ and a suspended peer"
)
RABBITMQ_BY_HAND = Case(
    "a mesh with RabbitMQ and a peer typed by hand",
    stack("bank-a", topology="mesh", parties={"9999": party(exchange=None, **SPARK_RABBITMQ)}),
).with_entry("old-clinic", unsigned=True, partyId="10001", rabbitmq="rabbitmq.old-clinic.example:30672", nginx="198.51.100.40:9300")
SLIM_STAR = Case("a slim party of a star", stack("bank-a", parties={"9999": party(**SLIM_PULSAR)})).with_peer(
    "consortium", exchange_descriptor()
)
SLIM_MESH = Case(
    "a slim party of a mesh with RabbitMQ", stack("bank-a", topology="mesh", parties={"9999": party(exchange=None, **SLIM_RABBITMQ)})
).with_peer("clinic-b", RABBITMQ_CLINIC)
ROLLSITE_NODE_PORTS = ROLLSITE_LOCAL.changed(
    lambda config: (
        config["parties"]["9999"].update(publish={"rollsite": node_port(port=30091)}, modules={"fateboard": {}, "client": {}}),
        config["exchange"].update(publish={"rollsite": node_port(port=30001)}),
    ),
    "an exchange and a party with rollsite on node ports",
)

# Engines that exist already.
MYSQL: Config = {"host": "db.bank-a.example", "database": "fate_9999", "user": "fate_9999", "password": {"secret": "database"}}
SPARK: Config = {"master": "spark://spark.bank-a.example:7077", "coresPerNode": 16, "nodes": 4, "driverHost": "203.0.113.9"}
HDFS: Config = {"nameNode": "hdfs://namenode.bank-a.example:8020", "pathPrefix": "/fate"}
PULSAR: Config = {"host": "pulsar.bank-a.example", "port": 16650, "tlsPort": 16651, "managementPort": 18080, "cluster": "bank-a"}
RABBITMQ: Config = {"host": "rabbitmq.bank-a.example", "port": 15670, "user": "fate-9999", "password": {"secret": "broker"}}


def outside(**advertise: Any) -> Config:
    """A publication of an external engine."""
    return {"type": "External", "advertise": {"host": "203.0.113.40", **advertise}}


def external(**engines: Config) -> Config:
    """What a party says of engines that exist already."""
    return {name: {"external": engine} for name, engine in engines.items()}


EXTERNAL = STAR_PARTY.changed(
    lambda config: config["parties"]["9999"].update(
        engines=external(mysql=MYSQL, spark=SPARK, hdfs=HDFS, pulsar=PULSAR),
        publish={"pulsar": outside(), "nginx": {"type": "LoadBalancer"}},
    ),
    "a party with external MySQL, Spark, HDFS and Pulsar",
)
EXTERNAL_LOCAL = Case(
    "an exchange and a party with external engines in one stack",
    stack("bank-a", exchange=exchange(), parties={"9999": {**EXTERNAL.config["parties"]["9999"], "exchange": "local"}}),
).with_peer("clinic-b", CLINIC)
EXTERNAL_RABBITMQ = RABBITMQ_MESH_OF_TWO.changed(
    lambda config: config["parties"]["9999"].update(
        engines=external(rabbitmq=RABBITMQ, mysql=MYSQL), publish={"rabbitmq": outside(), "nginx": {"type": "LoadBalancer"}}
    ),
    "two parties in a mesh, one with an external RabbitMQ",
)
EXTERNAL_EGGROLL = ROLLSITE_STAR.changed(
    lambda config: config["parties"]["9999"].update(engines=external(mysql=MYSQL)), "a party with Eggroll and an external MySQL"
)
OSX_CLINIC = party_descriptor(engine="OSX")
OSX_BANK = party_descriptor("9999", "bank-a", host="203.0.113.10", port=30091, engine="OSX")
OSX_STAR = Case("a party of a star with OSX", stack("bank-a", parties={"9999": party(**EGGROLL_OSX)})).with_peer(
    "consortium", exchange_descriptor(engine="OSX")
)
OSX_EXCHANGE = (
    Case("an exchange with OSX", stack("consortium", exchange=exchange(federation="OSX")))
    .with_peer("bank-a", OSX_BANK)
    .with_peer("clinic-b", OSX_CLINIC)
)
OSX_LOCAL = Case(
    "an exchange and a party with OSX in one stack",
    stack("bank-a", exchange=exchange(federation="OSX"), parties={"9999": party(exchange="local", **EGGROLL_OSX)}),
).with_peer("clinic-b", OSX_CLINIC)
OSX_MESH = Case("a mesh with OSX", stack("bank-a", topology="mesh", parties={"9999": party(exchange=None, **EGGROLL_OSX)})).with_peer(
    "clinic-b", OSX_CLINIC
)
OSX_MESH_OF_TWO = OSX_MESH.changed(
    lambda config: config["parties"].update({"9998": party("fate-9998", exchange=None, **STANDALONE_OSX)}), "two parties in a mesh with OSX"
)
OSX_SUSPENDED = replace(
    OSX_EXCHANGE.with_peer("clinic-b", OSX_CLINIC, state="suspended"), name="an exchange with OSX and a suspended member"
)
OSX_MESH_SUSPENDED = replace(OSX_MESH.with_peer("clinic-b", OSX_CLINIC, state="suspended"), name="a mesh with OSX and a suspended peer")
OSX_SUSPENDED_EXCHANGE = replace(
    OSX_STAR.with_peer("consortium", exchange_descriptor(engine="OSX"), state="suspended"),
    name="a party whose exchange with OSX is suspended",
)
OSX_BY_HAND = Case("an exchange with OSX and a member typed by hand", stack("consortium", exchange=exchange(federation="OSX"))).with_entry(
    "old-clinic", unsigned=True, partyId="10001", osx="osx.old-clinic.example:30101"
)
OSX_BY_HAND_EXCHANGE = Case(
    "a party whose exchange with OSX is typed by hand", stack("bank-a", parties={"9999": party(**EGGROLL_OSX)})
).with_entry("consortium", unsigned=True, osx="198.51.100.4:30001")
SERVING = (
    Case("a party with FATE-Serving", stack("bank-a", parties={"9999": party()}, serving={"9999": serving()}))
    .with_peer("consortium", exchange_descriptor())
    .with_peer("clinic-b-serving", serving_descriptor())
)
SERVING_STAR = SERVING.changed(
    lambda config: config["serving"]["9999"].update(exchange="consortium-serving"), "a party with FATE-Serving in a star"
).with_peer("consortium-serving", serving_descriptor(None, "consortium", host="serving.consortium.example"))
SERVING_EXCHANGE = (
    Case("a serving exchange with two members", stack("consortium", servingExchange=serving_exchange()))
    .with_peer("bank-a-serving", serving_descriptor("9999", "bank-a", host="203.0.113.12"))
    .with_peer("clinic-b-serving", serving_descriptor())
)
SERVING_LOCAL = Case(
    "a serving exchange and two FATE-Servings in one stack",
    stack(
        "bank-a",
        servingExchange=serving_exchange(),
        serving={
            "9999": serving(exchange="local", fateflow="203.0.113.9:30097"),
            "9998": serving("fate-serving-9998", exchange="local", fateflow="fateflow.bank-a.example:9380"),
        },
    ),
).with_peer("clinic-b-serving", serving_descriptor())
SERVING_SUSPENDED = replace(
    SERVING_EXCHANGE.with_peer("clinic-b-serving", serving_descriptor(), state="suspended"), name="a serving exchange, a member suspended"
)
SERVING_RETIRED = replace(
    SERVING_EXCHANGE.with_peer("clinic-b-serving", serving_descriptor(), state="retired"), name="a serving exchange, a member retired"
)
SERVING_SUSPENDED_EXCHANGE = replace(
    SERVING_STAR.with_peer("consortium-serving", serving_descriptor(None, "consortium"), state="suspended"),
    name="FATE-Serving whose exchange is suspended",
)
SERVING_BY_HAND = replace(
    SERVING_EXCHANGE.with_entry("old-serving", unsigned=True, partyId="10001", servingProxy="serving.old-clinic.example:30096"),
    name="a serving exchange with a member typed by hand",
)
SERVING_WHOLE = SERVING.changed(
    lambda config: (
        config["serving"]["9999"].update(modules={"servingZookeeper": {}, "servingAdmin": {}}, persistence={"storageClass": "fast"}),
        config["parties"]["9999"].update(servings={"useRegistry": True}),
    ),
    "a party with FATE-Serving and its registry",
)

PORTAL = (
    Case(
        "a party with a Site Portal",
        stack("bank-a", parties={"9999": party()}, sitePortal={"9999": site_portal(fmlManager="consortium-fml-manager")}),
    )
    .with_peer("consortium", exchange_descriptor())
    .with_peer("consortium-fml-manager", portal_descriptor(None, "consortium"))
)
PORTAL_ALONE = Case(
    "a Site Portal on its own", stack("bank-a", sitePortal={"9999": site_portal(fateflow="203.0.113.9:30097", persistence={})})
)
POSTGRES: Config = {
    "host": "db.bank-a.example",
    "database": "portal_9999",
    "user": "portal_9999",
    "password": {"secret": "portal-database"},
}
PORTAL_EXTERNAL = PORTAL.changed(
    lambda config: config["sitePortal"]["9999"].update(engines=external(postgres=POSTGRES)),
    "a party with a Site Portal and an external PostgreSQL",
)
PORTAL_BY_HAND = (
    Case("a Site Portal whose FML Manager is typed by hand", PORTAL.config | {"peers": {}})
    .with_peer("consortium", exchange_descriptor())
    .with_entry("consortium-fml-manager", unsigned=True, fmlManager="fml.consortium.example:8443")
)
FML_MANAGER = (
    EXCHANGE.changed(lambda config: config["exchange"].update(fmlManager=fml_manager()), "an exchange with an FML Manager")
    .with_peer("bank-a-site-portal", portal_descriptor("9999", "bank-a", host="portal.bank-a.example"))
    .with_peer("clinic-b-site-portal", portal_descriptor())
)
FML_MANAGER_SUSPENDED = replace(
    FML_MANAGER.with_peer("clinic-b-site-portal", portal_descriptor(), state="suspended"), name="an FML Manager, a Site Portal suspended"
)
PORTAL_LOCAL = LOCAL.changed(
    lambda config: (
        config["exchange"].update(fmlManager=fml_manager()),
        config.update(sitePortal={"9999": site_portal(fmlManager="local")}),
    ),
    "an exchange with an FML Manager, and a party with a Site Portal, in one stack",
)

CASES = [
    STAR_PARTY,
    EXCHANGE,
    LOCAL,
    MESH,
    MESH_OF_TWO,
    SUSPENDED,
    RETIRED,
    MESH_SUSPENDED,
    SUSPENDED_EXCHANGE,
    BY_HAND,
    BY_HAND_EXCHANGE,
    NAMED_NGINX,
    PENDING,
    NODE_PORTS,
    NAMESPACED,
    ROLLSITE_STAR,
    ROLLSITE_EXCHANGE,
    ROLLSITE_LOCAL,
    ROLLSITE_MESH,
    ROLLSITE_MESH_OF_TWO,
    ROLLSITE_SUSPENDED,
    ROLLSITE_MESH_SUSPENDED,
    ROLLSITE_SUSPENDED_EXCHANGE,
    ROLLSITE_BY_HAND,
    ROLLSITE_BY_HAND_EXCHANGE,
    BALANCED,
    ROLLSITE_NODE_PORTS,
    RABBITMQ_MESH,
    RABBITMQ_MESH_OF_TWO,
    RABBITMQ_MESH_SUSPENDED,
    RABBITMQ_BY_HAND,
    SLIM_STAR,
    SLIM_MESH,
    EXTERNAL,
    EXTERNAL_LOCAL,
    EXTERNAL_RABBITMQ,
    EXTERNAL_EGGROLL,
    OSX_STAR,
    OSX_EXCHANGE,
    OSX_LOCAL,
    OSX_MESH,
    OSX_MESH_OF_TWO,
    OSX_SUSPENDED,
    OSX_MESH_SUSPENDED,
    OSX_SUSPENDED_EXCHANGE,
    OSX_BY_HAND,
    OSX_BY_HAND_EXCHANGE,
]
SERVING_CASES = [
    SERVING,
    SERVING_STAR,
    SERVING_EXCHANGE,
    SERVING_LOCAL,
    SERVING_SUSPENDED,
    SERVING_RETIRED,
    SERVING_SUSPENDED_EXCHANGE,
    SERVING_BY_HAND,
    SERVING_WHOLE,
]
PORTAL_CASES = [
    PORTAL,
    PORTAL_ALONE,
    PORTAL_EXTERNAL,
    PORTAL_BY_HAND,
    FML_MANAGER,
    FML_MANAGER_SUSPENDED,
    PORTAL_LOCAL,
]
EVERY_CASE = [*CASES, *SERVING_CASES, *PORTAL_CASES]
