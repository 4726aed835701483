"""Chart values that every chart has: one workload's, and what every object carries."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from federation.base.model import Model
from federation.base.pods import Affinity, HostAlias, Toleration, TopologySpread, Volume
from federation.base.scalars import Bytes, Cidr, Cpu, Devices, EnvName, IpAddress, Label, NonEmpty, Port, SubPath, VolumeName

Whole = Annotated[int, Field(ge=1)]


class SecretKey(Model):
    """One value inside a Secret of the same namespace."""

    name: NonEmpty = Field(description="Name of the Secret.")
    key: NonEmpty = Field(description="Key inside the Secret.")


class Amounts(Model):
    """The resources that a container requests, or its limits."""

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
    read_only_root: Literal[True] | None = Field(None, description="Absent: the module writes outside of its mounts.")


class ServiceSettings(Model):
    """A module's Service in the stack file."""

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
