"""The values of our charts: one model per chart, every field required unless a feature may be absent.

The models write `charts/*/values.schema.json` and the example values (`python -m federation.stack.schemas`); the plan fills
them; templates only lay them out. Identifiers are strings: numbers cross Pulumi's wire as doubles, and Go templates
print a large double as 1e+06.
"""

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import Domain, Label, NonEmpty, PartnerCall, PartyId, Port
from federation.chart_values.engines import (
    EggrollSettings,
    Engines,
    HdfsSettings,
    OsxSettings,
    PulsarSettings,
    RabbitmqSettings,
    SparkSettings,
    StandaloneSettings,
)
from federation.chart_values.images import ImagePatch, Layout
from federation.chart_values.modules import Common, Container, Module, SecretKey

_PARTNER_CALLS = "Method and path of all that nginx passes on, `*` for one part of the path; present when nginx is deployed."


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


class RouteConfigMaps(Model):
    """ConfigMaps with route tables, by the proxy or engine that reads them; the plan creates it outside the chart."""

    pulsar: Label | None = Field(None, description="With pulsar_route_table.yaml and pulsar_trust.json.")
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
    partner_calls: tuple[PartnerCall, ...] | None = Field(None, description=_PARTNER_CALLS)
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
    partner_calls: tuple[PartnerCall, ...] | None = Field(None, description=_PARTNER_CALLS)
    modules: ExchangeModules
    osx: OsxSettings | None = None
    routes: Label = Field(
        description="ConfigMap with sni.yaml, records.config and route_table.yaml; or route_table.json for rollsite and OSX."
    )
