"""The values of our charts: one model per chart, every field required unless a feature may be absent.

The models write `charts/*/values.schema.json` and the example values (`python -m federation.schemas`); the plan fills
them; templates only lay them out. Identifiers are strings: numbers cross Pulumi's wire as doubles, and Go templates
print a large double as 1e+06.
"""

from typing import Annotated

from pydantic import Field

from federation.model import Model
from federation.scalars import Bytes, Cpu, Domain, Label, NonEmpty, PartyId, Port

Whole = Annotated[int, Field(ge=1)]


class SecretKey(Model):
    """One value inside a Secret of the same namespace."""

    name: NonEmpty = Field(description="Name of the Secret.")
    key: NonEmpty = Field(description="Key inside the Secret.")


class Amounts(Model):
    """What a container asks for, or may use at most."""

    cpu: Cpu | None = Field(None, description="CPU, in cores or millicores.")
    memory: Bytes | None = Field(None, description="Memory.")


class Resources(Model):
    """A container's requests and limits."""

    requests: Amounts
    limits: Amounts


class Toleration(Model):
    """A Kubernetes toleration."""

    key: str | None = None
    operator: str | None = Field(None, description="Equal or Exists.")
    value: str | None = None
    effect: str | None = Field(None, description="NoSchedule, PreferNoSchedule or NoExecute.")


class Claim(Model):
    """The persistent volume claim of one module."""

    storage_class: str | None = Field(None, description="Storage class; absent: the cluster's default.")
    access_mode: NonEmpty = Field(description="ReadWriteOnce or ReadWriteMany.")
    size: Bytes


class Security(Model):
    """How far a module's container is hardened; what differs from the strictest has its reason in the release catalogue."""

    run_as_user: int | None = Field(None, description="User id; absent: the image's own user, which is root in FATE's images.")
    capabilities: tuple[str, ...] = Field(description="Linux capabilities added after all are dropped.")


class Module(Model):
    """One workload of a party or an exchange."""

    image: NonEmpty = Field(description="Whole image reference, with tag or digest.")
    replicas: Whole
    resources: Resources
    node_selector: dict[str, str]
    tolerations: tuple[Toleration, ...]
    env: dict[str, str] = Field(description="Extra environment variables.")
    security: Security
    claim: Claim | None = Field(None, description="Persistent volume claim; absent: an emptyDir.")
    heap_mib: Whole | None = Field(None, description="Java heap (-Xmx), MiB, derived from the memory limit.")


class Common(Model):
    """What every object of a chart carries."""

    instance: Label = Field(description="app.kubernetes.io/instance, part of every selector.")
    labels: dict[str, str] = Field(description="Labels of every object; never part of a selector.")
    image_pull_policy: NonEmpty
    image_pull_secrets: tuple[Label, ...]


class PartyPorts(Model):
    """Ports of a Spark party with Pulsar, from the release catalogue."""

    fateflow_http: Port
    fateflow_grpc: Port
    fateboard: Port
    notebook: Port
    mysql: Port
    nginx_http: Port
    nginx_grpc: Port
    nginx_health: Port
    pulsar: Port
    pulsar_tls: Port
    pulsar_admin: Port
    pulsar_admin_tls: Port
    spark_master: Port
    spark_master_rest: Port
    spark_master_web: Port
    spark_worker_web: Port
    namenode: Port
    namenode_web: Port
    datanode: Port
    datanode_web: Port


class PartyModules(Model):
    """The modules of a Spark party with Pulsar and HDFS; an optional one that is absent is not deployed."""

    fateflow: Module
    mysql: Module
    nginx: Module
    pulsar: Module
    spark_master: Module
    spark_worker: Module
    namenode: Module
    datanode: Module
    fateboard: Module | None = None
    client: Module | None = None


class Database(Model):
    """FATE-Flow's MySQL database."""

    name: NonEmpty
    user: NonEmpty
    password: SecretKey
    root_password: SecretKey


class Board(Model):
    """Sign-in of fateboard."""

    user: NonEmpty
    password: SecretKey


class PulsarSettings(Model):
    """The broker's settings that differ from party to party."""

    certificate_secret: Label | None = Field(
        None, description="Secret with broker.cert.pem, broker.key-pk8.pem, ca.cert.pem; absent: no TLS."
    )
    replicator_prefix: NonEmpty = Field(
        description="Unique per party: with equal prefixes, producers of three parties collide (FATE#4695)."
    )
    tenant: NonEmpty = Field(description="Pulsar tenant, the same in every party of a federation.")
    topic_ttl_minutes: Whole
    direct_mib: Whole = Field(description="-XX:MaxDirectMemorySize, MiB, derived from the memory limit.")


class SparkSettings(Model):
    """What FATE-Flow's scheduler believes of the Spark cluster; the workers are sized by the same numbers."""

    cores_per_worker: Whole
    memory_per_worker_mib: Whole
    workers: Whole


class PartyValues(Common):
    """Values of charts/fate-party."""

    party_id: PartyId
    release: NonEmpty = Field(description="FATE release.")
    ports: PartyPorts
    modules: PartyModules
    database: Database
    board: Board | None = Field(None, description="Present when fateboard is deployed.")
    notebook_password: SecretKey | None = Field(None, description="Present when client is deployed.")
    pulsar: PulsarSettings
    spark: SparkSettings
    pulsar_routes: Label = Field(description="ConfigMap with pulsar_route_table.yaml.")
    nginx_routes: Label = Field(description="ConfigMap with route_table.yaml.")


class ExchangePorts(Model):
    """Container ports of an exchange, from the release catalogue."""

    traffic_server: Port
    nginx_http: Port
    nginx_grpc: Port
    nginx_health: Port


class ExchangeModules(Model):
    """The modules of an exchange for Pulsar federations."""

    traffic_server: Module
    nginx: Module


class ExchangeValues(Common):
    """Values of charts/fate-exchange."""

    release: NonEmpty
    domain: Domain
    ports: ExchangePorts
    modules: ExchangeModules
    routes: Label = Field(description="ConfigMap with sni.yaml, records.config and route_table.yaml.")
