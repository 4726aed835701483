"""A party's settings in the stack file."""

from typing import Annotated, Literal, Self

from pydantic import Field, Tag, model_validator

from federation.base.model import BY_FORM, Model
from federation.base.scalars import HostPort, Label, Name, NonEmpty, Word
from federation.config.boards import PartyBoardsSpec
from federation.config.credentials import Credential, Credentials
from federation.config.datasets import Datasets, dataset_volumes
from federation.config.engines import EnginesSpec
from federation.config.modules import ChartValues, ModuleSpec, PartyModulesSpec, Persistence
from federation.config.publish import PartyPublish
from federation.config.trust import CertificateIssuer


class ZookeeperSpec(Model):
    """The registry of a FATE-Serving that this stack does not hold."""

    hosts: Annotated[tuple[HostPort, ...], Field(min_length=1)] = Field(description="host:port of each server.")
    user: NonEmpty | None = Field(None, description="User of its ACL; absent: none is used.")
    password: Credential | None = Field(None, description="Password of that user.")

    @model_validator(mode="after")
    def _a_user_has_a_password(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together")
        return self


class ServingsSpec(Model):
    """Where FATE-Flow publishes models. The stack's own FATE-Serving of the same party id needs no address."""

    hosts: tuple[HostPort, ...] = Field(
        (), description="host:port of serving-servers elsewhere: their gRPC port, 8000 inside their cluster."
    )
    use_registry: bool = Field(False, description="Find serving-servers in zookeeper, and register models there.")
    zookeeper: ZookeeperSpec | None = Field(None, description="The registry, when FATE-Serving is elsewhere.")


class PartySpec(Model):
    """One FATE cluster of this organization."""

    namespace: Label = Field(description="A namespace of its own.")
    release: NonEmpty = Field(description="FATE release, one of the catalogue.")
    computing: Word = Field(description="FATE's computing engine: Eggroll, Spark, Spark_local, or with FATE 2.x Standalone.")
    federation: Word = Field(description="FATE's federation engine: Eggroll (rollsite, FATE 1.x), OSX (2.x), Pulsar or RabbitMQ.")
    storage: Word = Field(description="FATE's storage engine: Eggroll, HDFS, LocalFS (FATE 1.x), File or Standalone (2.x).")
    algorithm: Literal["Basic", "NN", "ALL"] = Field("Basic", description="What FATE's images hold in addition to the basic algorithms.")
    device: Literal["CPU", "IPCL", "GPU"] = Field("CPU", description="IPCL: Intel's Paillier library; GPU: NVIDIA.")
    exchange: Name | None = Field(
        None, description="Name of the peer that is the exchange; `local` when this stack holds it; absent in a mesh."
    )
    persistence: Annotated[Annotated[Literal["none"], Tag("Word")] | Annotated[Persistence, Tag("Map")], BY_FORM] = Field(
        description="`none` (data is lost with the pod), or {storageClass, accessMode}."
    )
    allow_data_loss: bool = Field(
        False,
        description="Allow changes of cluster, namespace, release, claims or data nodes that leave this party's data behind; "
        "for one `pulumi up`.",
    )
    tls: Literal["partyCa", "provided", "certManager", "none"] = Field(
        "provided",
        description="With Pulsar. partyCa: a CA of its own, made by `fatefed trust init`; provided: fate:secrets holds the key and "
        "certificates; certManager: cert-manager signs, with a CA of the party's own. none: for engines whose links have no TLS.",
    )
    issuer: CertificateIssuer | None = Field(None, description="With tls: certManager: the issuer. Absent otherwise.")
    engines: EnginesSpec = Field(EnginesSpec(), description="Existing engines to use instead of modules.")
    servings: ServingsSpec | None = Field(None, description="An external FATE-Serving, or how FATE-Flow finds this stack's own.")
    modules: PartyModulesSpec = PartyModulesSpec()
    datasets: Datasets = Field({}, description="Folders with files that FATE-Flow reads, by name: for `fatefed data upload --server-path`.")
    credentials: Credentials = Credentials()
    boards: PartyBoardsSpec = Field(PartyBoardsSpec(), description="What is different from fate:boards for this party's consoles.")
    chart_values: ChartValues = Field({})
    publish: PartyPublish

    @property
    def exchanges(self) -> dict[str, tuple[str, ...]]:
        """The exchanges of a party of a star by name, each with the path of what names it; more than one only behind lbrollsite."""
        front = self.modules.lbrollsite
        more = () if front is None else front.exchanges
        first = {} if self.exchange is None else {self.exchange: ("exchange",)}
        return {**{name: ("modules", "lbrollsite", "exchanges", str(number)) for number, name in enumerate(more)}, **first}

    @property
    def hubs(self) -> tuple[str, ...]:
        """The exchanges that it names; `local`: this stack's own."""
        return tuple(self.exchanges)


def with_datasets(own: PartySpec) -> ModuleSpec:
    """The settings of FATE-Flow, which alone reads files that users name: with the party's data sets as volumes."""
    fateflow = own.modules.fateflow
    return fateflow.model_copy(update={"volumes": {**fateflow.volumes, **dataset_volumes(own.datasets)}})


def module_specs(own: PartySpec) -> dict[str, ModuleSpec | None]:
    """The settings of each module in the stack file, by its name in the catalogue; None: an optional module that the file does not name."""
    modules = own.modules
    return {
        "fateflow": modules.fateflow,
        "mysql": modules.mysql,
        "nginx": modules.nginx,
        "pulsar": modules.pulsar,
        "rabbitmq": modules.rabbitmq,
        "clustermanager": modules.clustermanager,
        "nodemanager": modules.nodemanager,
        "rollsite": modules.rollsite,
        "lbrollsite": modules.lbrollsite,
        "osx": modules.osx,
        "sparkMaster": modules.spark.master,
        "sparkWorker": modules.spark.worker,
        "namenode": modules.hdfs.namenode,
        "datanode": modules.hdfs.datanode,
        "fateboard": modules.fateboard,
        "client": modules.client,
    }
