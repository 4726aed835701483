"""One module's knobs, the same for every workload, and which modules a party and an exchange may have."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from federation.model import Model
from federation.scalars import Bytes, Digest, EnvName, NonEmpty, Tag
from federation.values import Resources, Toleration


class ImageSpec(Model):
    """Another image for one module."""

    repository: NonEmpty | None = Field(None, description="Registry, path and name, without tag.")
    tag: Tag | None = None
    digest: Digest | None = Field(None, description="Wins over tag.")


class ModuleSpec(Model):
    """One module's knobs; what is absent comes from the release catalogue."""

    image: ImageSpec = Field(ImageSpec(), description="Image override.")
    replicas: Annotated[int, Field(ge=1, le=100)] | None = None
    resources: Resources | None = Field(None, description="Requests and limits, replacing the release's.")
    node_selector: dict[str, str] = Field({}, description="Labels of the nodes its pods may run on.")
    tolerations: tuple[Toleration, ...] = Field((), description="Taints its pods tolerate.")
    env: dict[EnvName, str] = Field({}, description="Extra environment variables.")
    size: Bytes | None = Field(None, description="Size of the module's persistent volume claim.")


class SparkSpec(Model):
    """The Spark cluster of a party."""

    workers: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="Number of workers; FATE-Flow's scheduler is told the same."
    )
    master: ModuleSpec = ModuleSpec()
    worker: ModuleSpec = ModuleSpec()


class HdfsSpec(Model):
    """The HDFS of a party."""

    namenode: ModuleSpec = ModuleSpec()
    datanode: ModuleSpec = ModuleSpec()


class NodemanagerSpec(ModuleSpec):
    """Eggroll's nodes."""

    session_processors_per_node: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="Processors of a session on each node; FATE-Flow's scheduler is told the same. Default: the CPU limit."
    )


class PartyModulesSpec(Model):
    """The modules of a party: those of its engines are deployed anyway, fateboard and client when they are named."""

    @model_validator(mode="before")
    @classmethod
    def _a_module_without_settings_is_written_as_an_empty_map(cls, data: Any) -> Any:
        if isinstance(data, dict) and (empty := sorted(str(name) for name, value in data.items() if value is None)):
            raise ValueError(f"{', '.join(empty)}: has no value; write {{}} to deploy it with the release's settings, or remove the line")
        return data

    fateflow: ModuleSpec = ModuleSpec()
    mysql: ModuleSpec = ModuleSpec()
    nginx: ModuleSpec = ModuleSpec()
    pulsar: ModuleSpec = ModuleSpec()
    rabbitmq: ModuleSpec = ModuleSpec()
    clustermanager: ModuleSpec = ModuleSpec()
    nodemanager: NodemanagerSpec = Field(NodemanagerSpec(), description="Eggroll's nodes; replicas: how many.")
    rollsite: ModuleSpec = ModuleSpec()
    spark: SparkSpec = SparkSpec()
    hdfs: HdfsSpec = HdfsSpec()
    fateboard: ModuleSpec | None = None
    client: ModuleSpec | None = None


class ExchangeModulesSpec(Model):
    """The modules of an exchange: trafficServer and nginx for Pulsar, rollsite for Eggroll."""

    traffic_server: ModuleSpec = ModuleSpec()
    nginx: ModuleSpec = ModuleSpec()
    rollsite: ModuleSpec = ModuleSpec()
