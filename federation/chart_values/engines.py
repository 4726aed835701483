"""Chart values of engines: how FATE-Flow reaches them, and what its scheduler believes of them."""

from typing import Annotated, Literal

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import Domain, Label, NonEmpty, Port
from federation.chart_values.modules import Resources, SecretKey, Whole

Proxy = Literal["nginx", "rollsite", "osx"]
OsxMode = Literal["stream", "queue"]
EggrollVersion = Literal["2.4", "2.5", "3.0"]
ClientCertificates = Literal["none", "shown", "required"]


class PulsarBroker(Model):
    """Settings of the module pulsar that differ from party to party."""

    certificate_secret: Label | None = Field(
        None,
        description="Secret with broker.cert.pem, broker.key-pk8.pem, ca.cert.pem (the CAs of all parties) and for each party, the own one "
        "too, ca-<party>.cert.pem (its CA); absent: no TLS.",
    )
    issued_secret: Label | None = Field(
        None, description="Secret of cert-manager with tls.crt and tls.key (PKCS#8), which are taken instead of the other one's."
    )
    client_certificates: ClientCertificates = Field(
        description="shown: the broker presents its certificate when it dials; required: it also refuses clients without one."
    )
    server_name: Domain | None = Field(
        None,
        description="The name in its certificate, by which its own clients then call it; others' certificates are then compared with the "
        "names that are dialled. Absent: each party has a CA of its own, and no names are compared.",
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
    """The size of Spark that FATE-Flow's scheduler assumes; workers have the same size."""

    master: NonEmpty = Field(description="spark.master: spark://HOST:PORT, or local[CORES] inside FATE-Flow's pod.")
    cores_per_worker: Whole
    memory_per_worker_mib: Whole | None = Field(None, description="Of the module's workers.")
    driver_memory_mib: Whole | None = Field(None, description="spark.driver.memory of a Spark in FATE-Flow's pod; default: Spark's.")
    workers: Whole
    python: NonEmpty | None = Field(None, description="spark.pyspark.python, of the executors of an external Spark.")
    dependent_distribution: bool | None = Field(None, description="Whether FATE's Python packages are sent to executors; default: no.")
    driver: SparkDriver | None = Field(None, description="Present when Spark is external.")


class EggrollSettings(Model):
    """The size of Eggroll that FATE-Flow's scheduler assumes; nodes have the same size."""

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
    """The size of its own pod that FATE-Flow's scheduler assumes; tasks run in it as processes."""

    cores: Whole
