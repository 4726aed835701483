"""The plan of one FATE party: Spark, Pulsar and HDFS, with nginx in front (FATE 1.x)."""

from typing import Any

from federation import naming
from federation.data import data_facts
from federation.live import LiveValue
from federation.manifests import Manifest, SecretPlan, ServicePort, config_map, internal_service, namespace, published_service
from federation.modules import cores, mebibytes, module_values, share
from federation.neighbours import exchange_addresses, party_nginx_target, party_ports, party_pulsar_address, peer_nginx_targets
from federation.peers import Peers
from federation.publishing import Outside, dialled, outside
from federation.releases import Release, catalogue
from federation.routes import NginxTarget, PulsarProxy, PulsarTarget, nginx_route_table, pulsar_route_table
from federation.scalars import PartyId
from federation.spec import Credential, ModuleSpec, PartySpec, Persistence, StackSpec
from federation.unit import ChartPlan, TlsPlan, UnitPlan, module_summary, pull_secret, pull_secret_names
from federation.values import Board, Database, PartyModules, PartyPorts, PartyValues, PulsarSettings, SecretKey, SparkSettings

# Pulsar tenant and topic lifetime that FATE's own deployments use; the tenant must be equal in all parties.
_TENANT, _TOPIC_TTL_MINUTES = "fl-tenant", 3
_BOARD_USER = "admin"


class _Party:
    """One party while it is planned: what several parts of the plan need."""

    def __init__(self, spec: StackSpec, party: PartyId, own: PartySpec) -> None:
        self.spec, self.id, self.own = spec, party, own
        self.key = naming.party_key(party)
        self.release: Release = catalogue()[own.release]
        self.ports = self.release.ports
        self.labels = naming.common_labels(spec.federation.name, party)
        self.public = party_ports(own)

    def live(self, service: str) -> str:
        return str(LiveValue(self.own.namespace, service, "clusterIP"))

    def pulsar(self) -> Outside:
        return outside(self.own.publish.pulsar, self.own.namespace, naming.PULSAR_PUBLIC, {"tls": dialled(self.public["tls"])})

    def nginx(self) -> Outside:
        ports = {name: dialled(self.public[name]) for name in ("http", "grpc")}
        return outside(self.own.publish.nginx, self.own.namespace, naming.NGINX_PUBLIC, ports)


def plan_party(spec: StackSpec, party: PartyId, own: PartySpec, peers: Peers) -> UnitPlan:
    """What is made for one party of this stack."""
    it = _Party(spec, party, own)
    secrets, keys = _secrets(it)
    values = _values(it, keys)
    return UnitPlan(
        key=it.key,
        kind="party",
        namespace=own.namespace,
        release=own.release,
        namespace_object=(namespace(own.namespace, it.labels),) if spec.cluster.makes_namespaces else (),
        services=_services(it),
        secrets=secrets,
        routes=_routes(it, peers),
        chart=ChartPlan("fate-party", own.namespace, values),
        descriptor=_descriptor(it),
        modules=module_summary(values.modules.plain()),
        access=_access(it),
        data=data_facts(own.namespace, values),
        allow_data_loss=own.allow_data_loss,
        tls=TlsPlan(f"{it.key}-certificate", f"{it.key}-key", f"{it.key}-ca", naming.server_name(party, spec.federation.domain)),
    )


def _services(it: _Party) -> tuple[Manifest, ...]:
    place = (it.own.namespace, it.labels)
    fateflow = [ServicePort("tcp-grpc", it.ports["fateflowGrpc"], "grpc"), ServicePort("tcp-http", it.ports["fateflowHttp"], "http")]
    nginx = [ServicePort("http", it.ports["nginxHttp"], "http"), ServicePort("grpc", it.ports["nginxGrpc"], "grpc")]
    publish = it.own.publish
    return (
        internal_service(naming.FATEFLOW_SERVICE, naming.FATEFLOW, it.key, *place, fateflow),
        internal_service(naming.NGINX_SERVICE, naming.NGINX, it.key, *place, nginx),
        published_service(naming.NGINX_PUBLIC, naming.NGINX, it.key, *place, [it.public["http"], it.public["grpc"]], publish.nginx),
        published_service(naming.PULSAR_PUBLIC, naming.PULSAR, it.key, *place, [it.public["tls"]], publish.pulsar),
    )


def _secrets(it: _Party) -> tuple[tuple[SecretPlan, ...], dict[str, SecretKey]]:
    """The Secrets of a party, and where each password is found in the namespace."""
    slots = {"mysql": ("mysql-credentials", "password"), "mysqlRoot": ("mysql-credentials", "root-password")}
    if it.own.modules.fateboard is not None:
        slots["fateboard"] = ("fateboard-credentials", "password")
    if it.own.modules.client is not None:
        slots["notebook"] = ("notebook-credentials", "password")
    given: dict[str, Credential | None] = {
        "mysql": it.own.credentials.mysql,
        "mysqlRoot": it.own.credentials.mysql_root,
        "fateboard": it.own.credentials.fateboard,
        "notebook": it.own.credentials.notebook,
    }
    keys: dict[str, SecretKey] = {}
    sources: dict[str, dict[str, str]] = {}
    for slot, (name, key) in slots.items():
        credential = given[slot] or Credential(secret=default_secret(it.key, slot))
        if credential.kubernetes_secret is not None and credential.key is not None:
            keys[slot] = SecretKey(name=credential.kubernetes_secret, key=credential.key)
        elif credential.secret is not None:
            keys[slot] = SecretKey(name=name, key=key)
            sources.setdefault(name, {})[key] = credential.secret
    secrets = [SecretPlan(name, name, it.own.namespace, it.labels, "Opaque", found) for name, found in sources.items()]
    certificate = {"broker.cert.pem": f"{it.key}-certificate", "broker.key-pk8.pem": f"{it.key}-key", "ca.cert.pem": f"{it.key}-ca"}
    name = naming.PULSAR_CERTIFICATE
    secrets.append(SecretPlan(name, name, it.own.namespace, it.labels, "Opaque", certificate, frozenset({"broker.key-pk8.pem"})))
    return (*secrets, *pull_secret(it.spec, it.own.namespace, it.labels)), keys


def default_secret(key: str, slot: str) -> str:
    """The name under fate:secrets of a password that the stack does not name: `party-9999-mysql-root`."""
    return f"{key}-{''.join(f'-{letter.lower()}' if letter.isupper() else letter for letter in slot)}"


def _routes(it: _Party, peers: Peers) -> tuple[Manifest, ...]:
    place = (it.own.namespace, it.labels)
    own_nginx = NginxTarget(it.live(naming.NGINX_SERVICE), it.ports["nginxHttp"], it.ports["nginxGrpc"])
    own_fateflow = NginxTarget(it.live(naming.FATEFLOW_SERVICE), it.ports["fateflowHttp"], it.ports["fateflowGrpc"])
    nginx: dict[str, dict[str, tuple[NginxTarget, ...]]] = {it.id: {"fateflow": (own_fateflow,), "proxy": (own_nginx,)}}
    brokers = {it.id: PulsarTarget("pulsar", it.ports["pulsar"], it.ports["pulsarTls"])}
    default = None
    if it.spec.federation.topology == "mesh":
        nginx |= _direct_nginx(it, peers)
        brokers |= _direct_brokers(it, peers)
    elif (exchange := exchange_addresses(it.spec, it.own.exchange, peers)) is not None:
        nginx["default"] = {"proxy": exchange.nginx}
        if exchange.traffic_server is not None:
            default = PulsarProxy(*exchange.traffic_server, it.spec.federation.domain, it.ports["pulsar"], it.ports["pulsarTls"])
    return (
        config_map("pulsar-routes", naming.PULSAR_ROUTES, *place, {"pulsar_route_table.yaml": pulsar_route_table(brokers, default)}),
        config_map("nginx-routes", naming.NGINX_ROUTES, *place, {"route_table.yaml": nginx_route_table(nginx)}),
    )


def _direct_nginx(it: _Party, peers: Peers) -> dict[str, dict[str, tuple[NginxTarget, ...]]]:
    remote = {peer.party_id or "": {"fateflow": peer_nginx_targets(peer)} for peer in peers.parties()}
    local: dict[str, dict[str, tuple[NginxTarget, ...]]] = {
        other: {"fateflow": (party_nginx_target(own),)} for other, own in it.spec.parties.items() if other != it.id
    }
    return {**remote, **local}


def _direct_brokers(it: _Party, peers: Peers) -> dict[str, PulsarTarget]:
    brokers = {}
    for peer in peers.parties():
        if peer.routed and peer.party_id is not None:
            pulsar = peer.descriptor.endpoints["pulsar"]
            brokers[peer.party_id] = PulsarTarget(pulsar.host, it.ports["pulsar"], pulsar.ports["tls"])
    for other, own in it.spec.parties.items():
        if other != it.id:
            address, port = party_pulsar_address(own)
            brokers[other] = PulsarTarget(address, it.ports["pulsar"], port)
    return brokers


def _descriptor(it: _Party) -> dict[str, Any]:
    federation = it.spec.federation
    return {
        "schemaVersion": 1,
        "kind": "party",
        "federation": {"name": federation.name, "domain": federation.domain},
        "organization": it.spec.organization,
        "partyId": it.id,
        "release": it.own.release,
        "backends": {"computing": it.own.computing, "federation": it.own.federation, "storage": it.own.storage},
        "endpoints": {"pulsar": it.pulsar().endpoint(naming.server_name(it.id, federation.domain)), "nginx": it.nginx().endpoint(None)},
    }


def _access(it: _Party) -> dict[str, Any]:
    boards = {
        "fateboard": ("fateboard", "fateboard", it.own.modules.fateboard),
        "notebook": ("notebook", "notebook", it.own.modules.client),
    }
    return {
        name: {
            "url": f"http://localhost:{it.ports[port]}",
            "portForward": f"kubectl -n {it.own.namespace} port-forward service/{service} {it.ports[port]}:{it.ports[port]}",
        }
        for name, (service, port, deployed) in boards.items()
        if deployed is not None
    }


def _values(it: _Party, keys: dict[str, SecretKey]) -> PartyValues:
    pulsar_memory = (it.own.modules.pulsar.resources or it.release.modules["pulsar"].resources).limits.memory
    modules = _modules(it)
    worker = modules.spark_worker.resources.limits
    return PartyValues(
        instance=it.key,
        labels=it.labels,
        image_pull_policy=it.spec.images.pull_policy,
        image_pull_secrets=pull_secret_names(it.spec),
        party_id=it.id,
        release=it.own.release,
        ports=PartyPorts.model_validate({name: it.ports[name] for name in PartyPorts.model_json_schema()["properties"]}),
        modules=modules,
        database=Database(
            name=it.release.database_name, user=it.release.database_user, password=keys["mysql"], root_password=keys["mysqlRoot"]
        ),
        board=Board(user=_BOARD_USER, password=keys["fateboard"]) if "fateboard" in keys else None,
        notebook_password=keys.get("notebook"),
        pulsar=PulsarSettings(
            certificate_secret=naming.PULSAR_CERTIFICATE,
            replicator_prefix=f"pulsar.repl.{it.id}",
            tenant=_TENANT,
            topic_ttl_minutes=_TOPIC_TTL_MINUTES,
            direct_mib=share(pulsar_memory, it.release.modules["pulsar"].direct_percent) or 1024,
        ),
        spark=SparkSettings(
            cores_per_worker=cores(worker.cpu or "1"),
            # A tenth of a worker's memory is left to the worker process itself (Spark's own default overhead).
            memory_per_worker_mib=max(1, mebibytes(worker.memory or "2Gi") * 9 // 10),
            workers=modules.spark_worker.replicas,
        ),
        pulsar_routes=naming.PULSAR_ROUTES,
        nginx_routes=naming.NGINX_ROUTES,
    )


def _modules(it: _Party) -> PartyModules:
    rows, given, images = it.release.modules, it.own.modules, it.spec.images
    persistence = it.own.persistence if isinstance(it.own.persistence, Persistence) else None
    specs: dict[str, ModuleSpec | None] = {
        "fateflow": given.fateflow,
        "mysql": given.mysql,
        "nginx": given.nginx,
        "pulsar": given.pulsar,
        "sparkMaster": given.spark.master,
        "sparkWorker": given.spark.worker,
        "namenode": given.hdfs.namenode,
        "datanode": given.hdfs.datanode,
        "fateboard": given.fateboard,
        "client": given.client,
    }
    replicas = {"sparkWorker": given.spark.workers}
    return PartyModules.model_validate(
        {name: module_values(rows[name], spec, images, persistence, replicas.get(name)) for name, spec in specs.items() if spec is not None}
    )
