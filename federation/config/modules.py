"""One module's knobs, the same for every workload, and which modules a party and an exchange may have."""

from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import Field, model_validator

from federation.base.model import BY_FORM, Model
from federation.base.pods import Affinity, HostAlias, Toleration, TopologySpread, Volume
from federation.base.scalars import (
    Bytes,
    Digest,
    EnvName,
    IpAddress,
    Name,
    NonEmpty,
    Port,
    Repository,
    SourceRanges,
    SubPath,
    Tag,
    VolumeName,
    limits_of,
)
from federation.chart_values.modules import Resources

ChartValues = Annotated[dict[str, Any], Field(description="A patch of the chart's values, checked by its schema; null removes a value.")]


class ImageSpec(Model):
    """Another image for one module."""

    repository: Repository | None = Field(None, description="Registry, path and name, without tag.")
    tag: Tag | None = None
    digest: Digest | None = Field(None, description="The image to pull; it overrides the tag.")


class ModulePersistence(Model):
    """Where one module's data lives; what is absent comes from the party's persistence and the release."""

    storage_class: NonEmpty | None = Field(None, description="Storage class.")
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] | None = None
    size: Bytes | None = Field(None, description="Size of the claim.")
    existing_claim: NonEmpty | None = Field(None, description="A persistent volume claim of the namespace, instead of a new one.")
    sub_path: SubPath | None = Field(None, description="Folder of the claim, instead of the module's own.")

    @model_validator(mode="after")
    def _an_existing_claim_is_as_it_is(self) -> Self:
        if self.existing_claim is not None and (self.storage_class or self.access_mode or self.size):
            raise ValueError("existingClaim already has a class, an access mode and a size: remove storageClass, accessMode and size")
        return self


class ServiceSpec(Model):
    """The Service of a module inside its cluster. What peers reach is described under `publish`."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    node_ports: dict[NonEmpty, Port] = Field({}, description="Node ports by the name of the Service's port; absent: Kubernetes chooses.")
    load_balancer_ip: IpAddress | None = Field(None, alias="loadBalancerIP", description="LoadBalancer only: the address to ask for.")
    source_ranges: SourceRanges = Field((), description="LoadBalancer: CIDRs that may connect; or the word anyone, on purpose.")
    annotations: dict[str, str] = Field({}, description="Annotations of the Service.")

    @model_validator(mode="after")
    def _settings_fit_the_type(self) -> Self:
        if self.node_ports and self.type == "ClusterIP":
            raise ValueError("nodePorts needs type NodePort or LoadBalancer")
        if (self.load_balancer_ip or limits_of(self.source_ranges)) and self.type != "LoadBalancer":
            raise ValueError(f"loadBalancerIP and sourceRanges only work with type LoadBalancer, not {self.type}")
        return self


class ModuleSpec(Model):
    """One module's knobs; what is absent comes from the release catalogue."""

    image: ImageSpec = Field(ImageSpec(), description="Image override.")
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(None, description="Absent: that of fate:images.")
    replicas: Annotated[int, Field(ge=1, le=100)] | None = None
    resources: Resources | None = Field(None, description="Requests and limits, replacing the release's.")
    gpus: Annotated[int, Field(strict=True, ge=0, le=64)] | None = Field(
        None, description="NVIDIA GPUs of each of its pods; absent: what the party's device asks for."
    )
    node_selector: dict[str, str] | None = Field(
        None, description="Labels of the nodes its pods may run on; absent: what the party's device asks for."
    )
    tolerations: tuple[Toleration, ...] = Field((), description="Taints its pods tolerate.")
    affinity: Affinity | None = Field(None, description="nodeAffinity, podAffinity, podAntiAffinity, as Kubernetes writes them.")
    topology_spread_constraints: tuple[TopologySpread, ...] = Field((), description="How its pods are spread; topologyKey is enough.")
    env: dict[EnvName, str] = Field({}, description="Extra environment variables of its main container.")
    annotations: dict[str, str] = Field({}, description="Annotations of its pods.")
    service_account_name: NonEmpty | None = Field(None, description="A service account that exists in the namespace.")
    automount_service_account_token: bool = Field(False, description="Mount the account's token; needs serviceAccountName.")
    priority_class_name: NonEmpty | None = Field(None, description="A priority class that exists in the cluster.")
    runtime_class_name: NonEmpty | None = Field(None, description="A runtime class that exists in the cluster.")
    host_aliases: tuple[HostAlias, ...] = Field((), description="Lines of its pods' /etc/hosts.")
    volumes: dict[VolumeName, Volume] = Field({}, description="Extra volumes by name, mounted into its main container.")
    persistence: (
        Annotated[Annotated[Literal["none"], pydantic.Tag("Word")] | Annotated[ModulePersistence, pydantic.Tag("Map")], BY_FORM] | None
    ) = Field(None, description="`none` (data is lost with the pod), or what differs from the party's persistence.")
    service: ServiceSpec | None = Field(None, description="Its Service inside the cluster.")

    @model_validator(mode="after")
    def _gpus_are_counted_once(self) -> Self:
        if self.gpus is not None and self.resources is not None and self.resources.names_gpus:
            raise ValueError("gpus and nvidia.com/gpu in resources mean the same: write only one of them")
        return self

    @model_validator(mode="after")
    def _a_token_is_of_an_account_that_is_named(self) -> Self:
        if self.automount_service_account_token and self.service_account_name is None:
            raise ValueError(
                "automountServiceAccountToken would mount the token of the default account: name an account in serviceAccountName"
            )
        return self


class SparkSpec(Model):
    """The Spark cluster of a party."""

    workers: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="Number of workers; FATE-Flow's scheduler gets the same number."
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
        None, description="Processors of a session on each node; FATE-Flow's scheduler gets the same number. Default: the CPU limit."
    )


class LbrollsiteSpec(ModuleSpec):
    """The front of a party with several exchanges."""

    exchanges: tuple[Name, ...] = Field(
        (),
        description="Exchanges in addition to `exchange`, named like it; requests go to the one with the fewest connections.",
    )


class PartyModulesSpec(Model):
    """The modules of a party: those of its engines are deployed anyway, fateboard, client and lbrollsite when they are named."""

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
    lbrollsite: LbrollsiteSpec | None = Field(None, description="With Eggroll 2 in a star: between rollsite and several exchanges.")
    osx: ModuleSpec = ModuleSpec()
    spark: SparkSpec = SparkSpec()
    hdfs: HdfsSpec = HdfsSpec()
    fateboard: ModuleSpec | None = None
    client: ModuleSpec | None = None


class ExchangeModulesSpec(Model):
    """The modules of an exchange: trafficServer and nginx for Pulsar, rollsite for Eggroll, osx for OSX."""

    traffic_server: ModuleSpec = ModuleSpec()
    nginx: ModuleSpec = ModuleSpec()
    rollsite: ModuleSpec = ModuleSpec()
    osx: ModuleSpec = ModuleSpec()


class Persistence(Model):
    """Where a party's data lives."""

    storage_class: NonEmpty | None = Field(None, description="Storage class; absent: the cluster's default.")
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = "ReadWriteOnce"
