"""The values of our charts: one model per chart, every field required unless a feature may be absent.

The models write `charts/*/values.schema.json` and the example values (`python -m federation.schemas`); the plan fills
them; templates only lay them out. Identifiers are strings: numbers cross Pulumi's wire as doubles, and Go templates
print a large double as 1e+06.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from federation.model import Model
from federation.pods import Affinity, HostAlias, Toleration, TopologySpread, Volume
from federation.scalars import Bytes, Cidr, Cpu, Devices, Domain, EnvName, IpAddress, Label, NonEmpty, PartyId, Port, SubPath, VolumeName

Whole = Annotated[int, Field(ge=1)]
Proxy = Literal["nginx", "rollsite", "osx"]
OsxMode = Literal["stream", "queue"]
EggrollVersion = Literal["2.4", "2.5", "3.0"]


class SecretKey(Model):
    """One value inside a Secret of the same namespace."""

    name: NonEmpty = Field(description="Name of the Secret.")
    key: NonEmpty = Field(description="Key inside the Secret.")


class Amounts(Model):
    """What a container asks for, or may use at most."""

    cpu: Cpu | None = Field(None, description="CPU, in cores or millicores.")
    memory: Bytes | None = Field(None, description="Memory.")
    gpu: Devices | None = Field(None, alias="nvidia.com/gpu", description="Number of NVIDIA GPUs; the device plugin must be installed.")


class Resources(Model):
    """A container's requests and limits."""

    requests: Amounts
    limits: Amounts

    @model_validator(mode="after")
    def _devices_are_not_shared(self) -> Self:
        if self.requests.gpu is not None and self.requests.gpu != self.limits.gpu:
            raise ValueError("Kubernetes wants as many nvidia.com/gpu in limits as in requests: write it in limits")
        return self

    @property
    def names_gpus(self) -> bool:
        """Whether a number of GPUs is written, which may be 0."""
        return self.limits.gpu is not None

    def with_gpus(self, count: int) -> "Resources":
        """The same with a number of GPUs."""
        gpus = {"gpu": str(count)} if count else {"gpu": None}
        return Resources(requests=self.requests.model_copy(update=gpus), limits=self.limits.model_copy(update=gpus))


class Claim(Model):
    """The persistent volume claim of one module."""

    storage_class: str | None = Field(None, description="Storage class; absent: the cluster's default.")
    access_mode: NonEmpty = Field(description="ReadWriteOnce or ReadWriteMany.")
    size: Bytes


class Security(Model):
    """How far a module's container is hardened; what differs from the strictest has its reason in the release catalogue."""

    run_as_user: int | None = Field(None, description="User id; absent: the image's own user, which is root in FATE's images.")
    capabilities: tuple[str, ...] = Field(description="Linux capabilities added after all are dropped.")


class ServiceSettings(Model):
    """What an operator says of the Service of a module."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    node_ports: dict[str, Port] | None = Field(None, description="Node ports by the name of the Service's port.")
    load_balancer_ip: IpAddress | None = Field(None, alias="loadBalancerIP")
    source_ranges: tuple[Cidr, ...] | None = Field(None, description="CIDRs that may connect to the load balancer.")
    annotations: dict[str, str] | None = None


class Container(Model):
    """What a container runs: image, resources, hardening."""

    image: NonEmpty = Field(description="Whole image reference, with tag or digest.")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(None, description="Absent: the chart's imagePullPolicy.")
    resources: Resources
    security: Security


class Module(Container):
    """One workload of a party or an exchange. What an operator did not say is absent."""

    replicas: Whole
    node_selector: dict[str, str]
    tolerations: tuple[Toleration, ...]
    affinity: Affinity | None = None
    topology_spread_constraints: tuple[TopologySpread, ...] | None = None
    env: dict[EnvName, str] = Field(description="Extra environment variables.")
    annotations: dict[str, str] | None = Field(None, description="Extra annotations of its pods.")
    service_account_name: NonEmpty | None = None
    automount_service_account_token: Literal[True] | None = Field(None, description="Absent: no token is mounted.")
    priority_class_name: NonEmpty | None = None
    runtime_class_name: NonEmpty | None = None
    host_aliases: tuple[HostAlias, ...] | None = None
    volumes: dict[VolumeName, Volume] | None = Field(None, description="Extra volumes, mounted into the main container.")
    claim: Claim | None = Field(None, description="Claim template; without it and existingClaim: an emptyDir.")
    existing_claim: NonEmpty | None = Field(None, description="A claim that exists in the namespace, instead of a template.")
    sub_path: SubPath | None = Field(None, description="Folder of the claim, instead of the module's own.")
    service: ServiceSettings | None = Field(None, description="Settings of the module's Service.")
    heap_mib: Whole | None = Field(
        None, description="Java heap (-Xmx), or RabbitMQ's memory watermark; MiB, derived from the memory limit."
    )


class Common(Model):
    """What every object of a chart carries."""

    instance: Label = Field(description="app.kubernetes.io/instance, part of every selector.")
    labels: dict[str, str] = Field(description="Labels of every object; never part of a selector.")
    image_pull_policy: NonEmpty
    image_pull_secrets: tuple[Label, ...]


class PartyPorts(Model):
    """Ports of a party's modules, from the release catalogue; those of modules it does not have are absent."""

    fateflow_http: Port
    fateflow_grpc: Port
    fateboard: Port
    notebook: Port
    mysql: Port
    nginx_http: Port | None = None
    nginx_grpc: Port | None = None
    nginx_health: Port | None = None
    pulsar: Port | None = None
    pulsar_tls: Port | None = None
    pulsar_admin: Port | None = None
    pulsar_admin_tls: Port | None = None
    rabbitmq: Port | None = None
    rabbitmq_admin: Port | None = None
    clustermanager: Port | None = None
    nodemanager: Port | None = None
    rollsite: Port | None = None
    lbrollsite: Port | None = None
    osx: Port | None = None
    spark_master: Port | None = None
    spark_master_rest: Port | None = None
    spark_master_web: Port | None = None
    spark_worker_web: Port | None = None
    namenode: Port | None = None
    namenode_web: Port | None = None
    datanode: Port | None = None
    datanode_web: Port | None = None


class PartyModules(Model):
    """The modules of a party: those its combination of engines needs, and optional ones. What is absent is not deployed."""

    fateflow: Module
    mysql: Module | None = None
    nginx: Module | None = None
    pulsar: Module | None = None
    rabbitmq: Module | None = None
    spark_master: Module | None = None
    spark_worker: Module | None = None
    namenode: Module | None = None
    datanode: Module | None = None
    clustermanager: Module | None = None
    nodemanager: Module | None = None
    rollsite: Module | None = None
    lbrollsite: Module | None = None
    osx: Module | None = None
    fateboard: Module | None = None
    client: Module | None = None


class Database(Model):
    """FATE-Flow's MySQL database: of the module mysql, or of an external server."""

    host: NonEmpty
    port: Port
    name: NonEmpty
    user: NonEmpty
    password: SecretKey
    root_password: SecretKey | None = Field(None, description="Of the module mysql.")
    client: Container = Field(description="What init containers run that wait for the database.")


class Board(Model):
    """Sign-in of fateboard."""

    user: NonEmpty
    password: SecretKey


class PulsarBroker(Model):
    """Settings of the module pulsar that differ from party to party."""

    certificate_secret: Label | None = Field(
        None, description="Secret with broker.cert.pem, broker.key-pk8.pem, ca.cert.pem; absent: no TLS."
    )
    issued_secret: Label | None = Field(
        None, description="Secret of cert-manager with tls.crt and tls.key (PKCS#8), which are taken instead of the other one's."
    )
    replicator_prefix: NonEmpty = Field(
        description="Unique per party: with equal prefixes, producers of three parties collide (FATE#4695)."
    )
    direct_mib: Whole = Field(description="-XX:MaxDirectMemorySize, MiB, derived from the memory limit.")
    watcher: Resources | None = Field(
        None, description="Resources of the container that deletes clusters without routes; absent: none runs, and nothing deletes them."
    )


class PulsarSettings(Model):
    """How FATE-Flow uses Pulsar."""

    host: NonEmpty
    port: Port
    management_port: Port
    cluster: NonEmpty = Field(description="Pulsar's own name of the cluster.")
    tenant: NonEmpty = Field(description="Pulsar tenant, the same in every party of a federation.")
    topic_ttl_minutes: Whole
    broker: PulsarBroker | None = Field(None, description="Absent when Pulsar is external.")


class RabbitmqSettings(Model):
    """The broker, and its administrator, whom FATE-Flow signs in as; it need not be the same in other parties."""

    host: NonEmpty
    port: Port
    management_port: Port
    user: NonEmpty
    password: SecretKey


class HdfsSettings(Model):
    """How FATE-Flow uses HDFS."""

    name_node: NonEmpty = Field(description="hdfs://HOST:PORT")
    path_prefix: str


class SparkDriver(Model):
    """How executors of an external Spark reach the drivers in FATE-Flow's pod."""

    host: NonEmpty | None = Field(None, description="Address of the Service below; absent: the pod's own, and no Service.")
    service_type: Literal["NodePort", "LoadBalancer", "ClusterIP"] | None = None
    annotations: dict[str, str]
    port: Port
    block_manager_port: Port
    max_retries: Annotated[int, Field(ge=0)]


class SparkSettings(Model):
    """What FATE-Flow's scheduler believes of Spark; workers are sized by the same numbers."""

    master: NonEmpty = Field(description="spark.master: spark://HOST:PORT, or local[*] inside FATE-Flow's pod.")
    cores_per_worker: Whole
    memory_per_worker_mib: Whole | None = Field(None, description="Of the module's workers.")
    workers: Whole
    python: NonEmpty | None = Field(None, description="spark.pyspark.python, of the executors of an external Spark.")
    dependent_distribution: bool | None = Field(None, description="Whether FATE's Python packages are sent to executors; default: no.")
    driver: SparkDriver | None = Field(None, description="Present when Spark is external.")


class EggrollSettings(Model):
    """What FATE-Flow's scheduler believes of Eggroll; nodes are sized by the same numbers."""

    version: EggrollVersion = Field(
        description="2.4: nodes are rows that the database is made with; 2.5: nodes register themselves; 3.0: by a lasting name."
    )
    processors_per_node: Whole
    nodes: Whole


class Engines(Model):
    """FATE-Flow's default engines, in the words of service_conf.yaml, and the proxy of its control plane."""

    computing: NonEmpty
    federation: NonEmpty
    storage: NonEmpty
    proxy: Proxy
    osx_mode: OsxMode | None = Field(None, description="federation.osx.mode; present when the federation engine is OSX.")


class OsxSettings(Model):
    """OSX's own settings."""

    direct_mib: Whole = Field(description="-XX:MaxDirectMemorySize, MiB, derived from the memory limit.")


class StandaloneSettings(Model):
    """What FATE-Flow's scheduler believes of its own pod, where tasks run as processes."""

    cores: Whole


class ImageEdit(Model):
    """One replacement inside a file of an image; it must be there."""

    find: NonEmpty
    replace: str


class ImagePatch(Model):
    """A file of a module's image that an init container copies, edits and mounts over the original."""

    module: NonEmpty
    file: NonEmpty = Field(description="Absolute path.")
    edits: tuple[ImageEdit, ...]


class FateflowLayout(Model):
    """Where FATE-Flow's image keeps what the chart reaches into; paths below /data/projects/fate."""

    service_conf: Literal["1", "2"] = Field(description="Format of service_conf.yaml: FATE's major version.")
    conf: NonEmpty = Field(description="Folder of service_conf.yaml.")
    routes: Literal["folders", "links"] = Field(
        description="Route tables: folders of their own inside conf, or links from conf to mounted folders."
    )
    server: NonEmpty = Field(description="The program.")
    folders: dict[str, NonEmpty] = Field(description="Folders that are kept, by their name in the claim.")


class FateboardLayout(Model):
    """Where fateboard's image keeps its files; paths below /data/projects/fate."""

    home: NonEmpty
    ssh: NonEmpty = Field(description="Folder of ssh.properties, inside home.")
    start: tuple[NonEmpty, ...] = Field(description="Java's last arguments: what to start.")


class EggrollLayout(Model):
    """Java's last arguments for Eggroll's programs."""

    clustermanager: tuple[NonEmpty, ...]
    nodemanager: tuple[NonEmpty, ...]
    session: NonEmpty = Field(description="Name of the programs' session, -s.")


class Layout(Model):
    """What differs inside the images of FATE's releases."""

    fateflow: FateflowLayout
    fateboard: FateboardLayout
    eggroll: EggrollLayout
    python_path: tuple[NonEmpty, ...] = Field(
        (), description="PYTHONPATH of what runs tasks, below /data/projects/fate; empty: the image's own."
    )


class RouteConfigMaps(Model):
    """ConfigMaps with route tables, by the proxy or engine that reads them; made beside the chart."""

    pulsar: Label | None = Field(None, description="With pulsar_route_table.yaml.")
    rabbitmq: Label | None = Field(None, description="With rabbitmq_route_table.yaml.")
    nginx: Label | None = Field(None, description="With route_table.yaml.")
    rollsite: Label | None = Field(None, description="With route_table.json.")
    lbrollsite: Label | None = Field(None, description="With exchanges.conf.")
    osx: Label | None = Field(None, description="With route_table.json.")


class ShownConsole(Model):
    """One web console that browsers reach by a name of its own."""

    component: NonEmpty = Field(description="app.kubernetes.io/component of its module.")
    object: Label = Field(description="Name of its Ingress.")
    service: Label
    port: Port = Field(description="Port of the Service.")
    host: Domain
    path: NonEmpty
    annotations: dict[str, str]


class Boards(Model):
    """How a party's consoles are shown by Ingresses."""

    class_name: NonEmpty | None = Field(None, description="ingressClassName; absent: the cluster's default.")
    tls_secret: Label | None = Field(None, description="Secret of this namespace with the certificate; absent: plain HTTP.")
    consoles: dict[str, ShownConsole]


class Zookeeper(Model):
    """The registry of FATE-Serving."""

    hosts: tuple[NonEmpty, ...]
    user: NonEmpty | None = Field(None, description="User of its ACL; absent: none is used.")
    password: SecretKey | None = None


class Servings(Model):
    """Where FATE-Flow publishes models: addresses of serving-servers, or (zookeeper) the registry that knows them."""

    hosts: tuple[NonEmpty, ...]
    zookeeper: Zookeeper | None = None


class PartyValues(Common):
    """Values of charts/fate-party. Sections of engines that a party does not have are absent."""

    party_id: PartyId
    release: NonEmpty = Field(description="FATE release.")
    party_id_in_config: bool = Field(description="Whether service_conf.yaml names the party: since 1.11.2.")
    layout: Layout
    image_patches: tuple[ImagePatch, ...] = Field(description="Files of images whose own text is wrong.")
    engines: Engines
    ports: PartyPorts
    modules: PartyModules
    database: Database
    board: Board | None = Field(None, description="Present when fateboard is deployed.")
    passwords: dict[str, NonEmpty] = Field(
        description="Which entry of fate:secrets a password is, by slot, when not the one by default: its readers restart with another one."
    )
    notebook_password: SecretKey | None = Field(None, description="Present when client is deployed.")
    pulsar: PulsarSettings | None = None
    rabbitmq: RabbitmqSettings | None = None
    hdfs: HdfsSettings | None = None
    spark: SparkSettings | None = None
    eggroll: EggrollSettings | None = None
    boards: Boards | None = Field(None, description="Present when a console is shown by an Ingress.")
    standalone: StandaloneSettings | None = None
    osx: OsxSettings | None = None
    servings: Servings | None = Field(None, description="Absent: models are not published.")
    routes: RouteConfigMaps


class ExchangePorts(Model):
    """Container ports of an exchange, from the release catalogue."""

    traffic_server: Port | None = None
    nginx_http: Port | None = None
    nginx_grpc: Port | None = None
    nginx_health: Port | None = None
    rollsite: Port | None = None
    osx: Port | None = None


class ExchangeModules(Model):
    """The modules of an exchange: Traffic Server and nginx for Pulsar, rollsite for Eggroll, or OSX."""

    traffic_server: Module | None = None
    nginx: Module | None = None
    rollsite: Module | None = None
    osx: Module | None = None


class ExchangeValues(Common):
    """Values of charts/fate-exchange."""

    release: NonEmpty
    domain: Domain
    ports: ExchangePorts
    modules: ExchangeModules
    osx: OsxSettings | None = None
    routes: Label = Field(
        description="ConfigMap with sni.yaml, records.config and route_table.yaml; or route_table.json for rollsite and OSX."
    )
