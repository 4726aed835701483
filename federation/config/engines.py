"""Engines that exist already: what a party must know of each, to use it instead of a module of its own (FedLCM's fields)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from federation.base.model import Model
from federation.base.scalars import DatabaseName, Folder, Host, HostPort, NameNode, Port, ProgramPath, SparkMaster, UserName
from federation.config.credentials import Credential

Whole = Annotated[int, Field(strict=True, ge=1, le=100000)]


class ExternalMysql(Model):
    """A MySQL 8 or MariaDB server that exists, with an empty database and a user who has all rights in it."""

    host: Host
    port: Port = 3306
    database: DatabaseName = Field(description="Must exist; this program creates its tables. One for each party: parties do not share it.")
    user: UserName = Field(description="Needs ALL PRIVILEGES on the database.")
    password: Credential = Field(description="The user's password.")


class ExternalSpark(Model):
    """A Spark cluster that exists, with the Python and the FATE packages of the party's release on every node."""

    master: SparkMaster = Field(description="spark.master, such as spark://spark.bank-a.example:7077; more than one master with commas.")
    web_ui: HostPort | None = Field(None, description="The master's web UI, for `fatefed doctor`; default: the master's host, port 8080.")
    cores_per_node: Whole = Field(8, description="Cores of each worker that FATE-Flow's scheduler may use.")
    nodes: Whole = Field(1, description="Workers that FATE-Flow's scheduler may use.")
    pyspark_python: ProgramPath | None = Field(None, description="Path of the Python of the executors, when it is not `python3`.")
    dependent_distribution: bool = Field(
        False, description="FATE 1.x sends its Python packages to the executors, which need the same Python version."
    )
    driver_host: Host | None = Field(
        None, description="Where executors call back the driver in FATE-Flow's pod; absent: the pod's address, which they must reach."
    )
    driver_host_type: Literal["NodePort", "LoadBalancer", "ClusterIP"] | None = Field(
        None, description="Type of the Service behind driverHost, fateflow-sparkdriver. Default: NodePort."
    )
    driver_annotations: dict[str, str] = Field({}, description="Annotations of that Service, for load balancer controllers.")
    driver_start_port: Port = Field(31000, description="First port of drivers; each running task has one.")
    block_manager_start_port: Port = Field(31100, description="First port of the drivers' block managers.")
    port_max_retries: Annotated[int, Field(strict=True, ge=0, le=200)] = Field(
        30, description="How many further ports Spark tries after each first one; tasks at a time: this number plus one."
    )

    @model_validator(mode="after")
    def _a_service_needs_an_address(self) -> Self:
        if self.driver_host is None and (self.driver_host_type is not None or self.driver_annotations):
            raise ValueError("driverHostType and driverAnnotations are of the Service behind driverHost: add driverHost, or remove them")
        return self

    @model_validator(mode="after")
    def _port_ranges_do_not_meet(self) -> Self:
        last = max(self.driver_start_port, self.block_manager_start_port) + self.port_max_retries
        if abs(self.driver_start_port - self.block_manager_start_port) <= self.port_max_retries or last > 65535:
            raise ValueError(
                f"drivers use ports {self.driver_start_port}-{self.driver_start_port + self.port_max_retries}, block managers "
                f"{self.block_manager_start_port}-{self.block_manager_start_port + self.port_max_retries}: keep them apart, below 65536"
            )
        return self

    @property
    def service_type(self) -> str | None:
        """The type of the drivers' Service; None: there is none."""
        return None if self.driver_host is None else self.driver_host_type or "NodePort"

    @property
    def port_ranges(self) -> dict[str, range]:
        """The ports that drivers and their block managers may use, by the key that says where they begin."""
        count = self.port_max_retries + 1
        starts = {"driverStartPort": self.driver_start_port, "blockManagerStartPort": self.block_manager_start_port}
        return {key: range(start, start + count) for key, start in starts.items()}


class ExternalHdfs(Model):
    """An HDFS that exists, in which FATE's user (root) may write."""

    name_node: NameNode = Field(description="The active name node with its port, such as hdfs://namenode.bank-a.example:8020.")
    path_prefix: Folder | None = Field(
        None, description="Folder that FATE 1.x writes below, such as /fate; absent: the root. FATE 2.x has no such key."
    )
    web_ui: HostPort | None = Field(None, description="The name node's web address, for `fatefed doctor`; default: its host, port 9870.")


class ExternalPulsar(Model):
    """A Pulsar cluster that exists, which offers TLS with a certificate for the party, and lets FATE make tenants."""

    host: Host
    port: Port = Field(6650, description="Plaintext port, which FATE-Flow and its executors use.")
    tls_port: Port = Field(6651, description="TLS port, which peers use.")
    management_port: Port = Field(8080, description="Port of the admin API (REST).")
    cluster: UserName = Field("standalone", description="Pulsar's own name of the cluster.")


class ExternalRabbitmq(Model):
    """A RabbitMQ that exists, with the plugins management and federation."""

    host: Host
    port: Port = Field(5672, description="AMQP port.")
    management_port: Port = Field(15672, description="Port of the management API.")
    user: UserName = Field(description="Needs the tag administrator: FATE-Flow creates users, virtual hosts and policies.")
    password: Credential = Field(description="The user's password.")


class MysqlEngine(Model):
    """Which MySQL the party uses."""

    external: ExternalMysql


class SparkEngine(Model):
    """Which Spark the party uses."""

    external: ExternalSpark


class HdfsEngine(Model):
    """Which HDFS the party uses."""

    external: ExternalHdfs


class PulsarEngine(Model):
    """Which Pulsar the party uses."""

    external: ExternalPulsar


class RabbitmqEngine(Model):
    """Which RabbitMQ the party uses."""

    external: ExternalRabbitmq


class EnginesSpec(Model):
    """Engines that exist already, each on its own switch; what is absent is deployed as a module."""

    mysql: MysqlEngine | None = None
    spark: SparkEngine | None = None
    hdfs: HdfsEngine | None = None
    pulsar: PulsarEngine | None = None
    rabbitmq: RabbitmqEngine | None = None
