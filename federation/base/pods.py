"""Kubernetes' own shapes that an operator may give to a module's pods: placement, host aliases, volumes. Typed, so that a
misspelled key is refused where it is written. What is not said is not sent, but for a spread, which has defaults.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from federation.base.model import Model
from federation.base.scalars import Bytes, ExportPath, Host, IpAddress, Label, MountPath, NonEmpty, SubPath

Weight = Annotated[int, Field(strict=True, ge=1, le=100)]
Whole = Annotated[int, Field(strict=True, ge=1)]


class Toleration(Model):
    """A Kubernetes toleration."""

    key: str | None = None
    operator: Literal["Equal", "Exists"] | None = Field(None, description="Equal or Exists.")
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="NoSchedule, PreferNoSchedule or NoExecute."
    )
    toleration_seconds: Annotated[int, Field(strict=True, ge=0)] | None = Field(
        None, description="How long a NoExecute taint is tolerated; absent: for ever."
    )


class LabelRequirement(Model):
    """One condition on labels."""

    key: NonEmpty
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] | None = None


class LabelSelector(Model):
    """Which pods are meant."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[LabelRequirement, ...] | None = None


class NodeRequirement(Model):
    """One condition on a node."""

    key: NonEmpty
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: tuple[str, ...] | None = None


class NodeSelectorTerm(Model):
    """Conditions on a node that must all hold."""

    match_expressions: tuple[NodeRequirement, ...] | None = None
    match_fields: tuple[NodeRequirement, ...] | None = None


class NodeSelector(Model):
    """Terms of which one must hold."""

    node_selector_terms: Annotated[tuple[NodeSelectorTerm, ...], Field(min_length=1)]


class PreferredNodes(Model):
    """Nodes that are preferred."""

    weight: Weight
    preference: NodeSelectorTerm


class NodeAffinity(Model):
    """Nodes the pods must or should run on."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredNodes, ...] | None = None


class PodTerm(Model):
    """Pods that these pods should be near to, or far from."""

    topology_key: NonEmpty
    label_selector: LabelSelector | None = None
    namespaces: tuple[Label, ...] | None = None
    namespace_selector: LabelSelector | None = None


class WeightedPodTerm(Model):
    """A preference of a weight."""

    weight: Weight
    pod_affinity_term: PodTerm


class PodAffinity(Model):
    """Pods that these pods must or should be near to (or far from: podAntiAffinity)."""

    required_during_scheduling_ignored_during_execution: tuple[PodTerm, ...] | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodTerm, ...] | None = None


class Affinity(Model):
    """A Kubernetes affinity."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class TopologySpread(Model):
    """How a module's pods are spread: with its key alone, evenly over nodes or zones where that is possible."""

    topology_key: NonEmpty = Field(description="Label of nodes: kubernetes.io/hostname, topology.kubernetes.io/zone.")
    max_skew: Whole = Field(1, description="By how many pods the fullest may be ahead of the emptiest.")
    when_unsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"] = Field("ScheduleAnyway", description="Prefer, or insist.")
    label_selector: LabelSelector | None = Field(None, description="The pods that are counted; absent: the module's own.")
    min_domains: Whole | None = None
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    node_taints_policy: Literal["Honor", "Ignore"] | None = None


class HostAlias(Model):
    """A line of the pods' /etc/hosts."""

    ip: IpAddress
    hostnames: Annotated[tuple[Host, ...], Field(min_length=1)]


class KeyPath(Model):
    """One key of a ConfigMap or Secret, and the file it becomes."""

    key: NonEmpty
    path: SubPath


class ConfigMapVolume(Model):
    """Files from a ConfigMap of the namespace."""

    name: NonEmpty
    items: tuple[KeyPath, ...] | None = Field(None, description="Absent: every key.")
    optional: bool | None = Field(None, description="Start without it when it does not exist.")


class SecretVolume(Model):
    """Files from a Secret of the namespace."""

    secret_name: NonEmpty
    items: tuple[KeyPath, ...] | None = Field(None, description="Absent: every key.")
    optional: bool | None = Field(None, description="Start without it when it does not exist.")


class ClaimVolume(Model):
    """A persistent volume claim of the namespace."""

    claim_name: NonEmpty


class EmptyDirVolume(Model):
    """A folder that lives as long as the pod."""

    medium: Literal["Memory"] | None = Field(None, description="Memory: counts as the pod's memory.")
    size_limit: Bytes | None = None


class NfsVolume(Model):
    """A folder of an NFS server, which the node mounts."""

    server: Host
    path: ExportPath = Field(description="The exported folder.")


class SecretName(Model):
    """A Secret of the namespace."""

    name: NonEmpty


class CsiVolume(Model):
    """A folder that a CSI driver of the cluster mounts, without a claim."""

    driver: NonEmpty = Field(description="The driver's name, as `kubectl get csidrivers` lists it.")
    volume_attributes: dict[NonEmpty, str] | None = Field(None, description="What the driver wants to know, such as a bucket.")
    node_publish_secret_ref: SecretName | None = Field(None, description="The Secret with the driver's credentials.")
    read_only: bool | None = None


class Volume(Model):
    """One extra volume and where the module's main container sees it."""

    mount_path: MountPath
    sub_path: SubPath | None = Field(None, description="File or folder of the volume; such a mount is never refreshed.")
    read_only: bool | None = None
    config_map: ConfigMapVolume | None = None
    secret: SecretVolume | None = None
    persistent_volume_claim: ClaimVolume | None = None
    empty_dir: EmptyDirVolume | None = None
    nfs: NfsVolume | None = None
    csi: CsiVolume | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_node_s_own_files_stay_closed(cls, data: Any) -> Any:
        if isinstance(data, dict) and "hostPath" in data:
            raise ValueError("hostPath opens the node's files to the pod, which Pod Security refuses: use a persistentVolumeClaim")
        return data

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        sources = [self.config_map, self.secret, self.persistent_volume_claim, self.empty_dir, self.nfs, self.csi]
        if sum(source is not None for source in sources) != 1:
            raise ValueError("name one of configMap, secret, persistentVolumeClaim, emptyDir, nfs, csi")
        return self
