"""What an organization writes: the stack configuration, one model per key under `fate:`.

Maps are keyed by stable names, never lists, because names become URNs. Rules that need more than one key are in
`federation.rules`.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from federation.model import Model
from federation.scalars import (
    Bytes,
    Cidr,
    Digest,
    Domain,
    EnvName,
    Host,
    HostPort,
    IpAddress,
    Label,
    Name,
    NonEmpty,
    PartyId,
    Port,
    Sha256,
    Tag,
)
from federation.values import Resources, Toleration


class FederationSpec(Model):
    """The federation this stack belongs to."""

    name: Name = Field(description="Name of the federation, the same in every member's stack.")
    domain: Domain = Field(description="Domain under which parties are named, such as fraud.example: <party>.<domain>.")
    topology: Literal["star", "mesh"] = Field(description="star: through an exchange; mesh: direct.")
    link: Literal["native"] = Field(description="How bytes cross between organizations; native: FATE's own proxies.")


class ClusterSpec(Model):
    """Which Kubernetes cluster, and with what rights."""

    context: NonEmpty | None = Field(None, description="Context of the kubeconfig; absent: its current one.")
    kubeconfig: NonEmpty | None = Field(None, description="Path of the kubeconfig file; absent: $KUBECONFIG or ~/.kube/config.")
    in_cluster: bool = Field(False, description="Use the service account of the pod that runs Pulumi.")
    scope: Literal["cluster", "namespaced"] = Field("cluster", description="namespaced: make no cluster-scoped object and read none.")
    create_namespaces: bool | None = Field(None, description="Default: true in scope cluster, false in scope namespaced.")
    node_port_range: Annotated[str, Field(pattern=r"^[0-9]{1,5}-[0-9]{1,5}$")] = Field(
        "30000-32767", description="The API server's --service-node-port-range."
    )

    @model_validator(mode="after")
    def _in_cluster_needs_no_kubeconfig(self) -> Self:
        if self.in_cluster and (self.context or self.kubeconfig):
            raise ValueError("inCluster uses the pod's service account: drop context and kubeconfig, or drop inCluster")
        return self

    @model_validator(mode="after")
    def _a_namespaced_stack_creates_no_namespaces(self) -> Self:
        if self.scope == "namespaced" and self.create_namespaces:
            raise ValueError("a Namespace is a cluster-scoped object: drop createNamespaces, or use scope: cluster")
        return self

    @model_validator(mode="after")
    def _a_node_port_range_begins_with_the_lower_port(self) -> Self:
        low, high = (int(part) for part in self.node_port_range.split("-"))
        if not 1 <= low <= high <= 65535:
            raise ValueError(f"nodePortRange {self.node_port_range} is not a range of ports such as 30000-32767")
        return self

    @property
    def makes_namespaces(self) -> bool:
        """Whether this stack creates the namespaces it deploys into."""
        return self.scope == "cluster" if self.create_namespaces is None else self.create_namespaces

    @property
    def node_ports(self) -> range:
        """The ports a NodePort Service may use."""
        low, high = (int(part) for part in self.node_port_range.split("-"))
        return range(low, high + 1)


class Advertise(Model):
    """What peers are told instead of the Service's own address (NAT, DMZ, load balancers in front)."""

    host: Host = Field(description="Host name or IP address that peers dial.")
    addresses: tuple[IpAddress, ...] = Field((), description="IP addresses of that host, for proxies that cannot resolve names.")


class Publication(Model):
    """How a Service is reached from outside its cluster."""

    type: Literal["LoadBalancer", "NodePort", "ClusterIP"]
    advertise: Advertise | None = Field(None, description="Needed for NodePort, where the Service itself has no outside address.")
    annotations: dict[str, str] = Field({}, description="Annotations of the Service, for load balancer controllers.")
    source_ranges: tuple[Cidr, ...] = Field((), description="LoadBalancer only: CIDRs that may connect.")

    @model_validator(mode="after")
    def _a_node_port_says_where_its_nodes_are_reached(self) -> Self:
        if self.type == "NodePort" and self.advertise is None:
            raise ValueError(
                "type NodePort has no address of its own: add advertise: {host: ..., addresses: [...]} with the nodes' address"
            )
        return self

    @model_validator(mode="after")
    def _only_a_load_balancer_filters_sources(self) -> Self:
        if self.source_ranges and self.type != "LoadBalancer":
            raise ValueError(f"sourceRanges only works with type LoadBalancer, not {self.type}")
        return self


class PublishTls(Publication):
    """A published TLS port: Pulsar of a party, Traffic Server of an exchange."""

    port: Port | None = Field(None, description="Port that peers dial; for NodePort the node port. Default: the release's own port.")


class PublishNginx(Publication):
    """The published ports of FATE's nginx router."""

    http_port: Port | None = Field(None, description="HTTP port that peers dial; for NodePort the node port. Default 9300.")
    grpc_port: Port | None = Field(None, description="gRPC port that peers dial; for NodePort the node port. Default 9310.")


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


class PartyModulesSpec(Model):
    """The modules of a party; fateboard and client are deployed when they are named."""

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
    spark: SparkSpec = SparkSpec()
    hdfs: HdfsSpec = HdfsSpec()
    fateboard: ModuleSpec | None = None
    client: ModuleSpec | None = None


class Persistence(Model):
    """Where a party's data lives."""

    storage_class: NonEmpty | None = Field(None, description="Storage class; absent: the cluster's default.")
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = "ReadWriteOnce"


class Credential(Model):
    """A secret by reference: an entry of fate:secrets, or a key of a Secret that already exists in the namespace."""

    secret: NonEmpty | None = Field(None, description="Name under fate:secrets.")
    kubernetes_secret: Label | None = Field(None, description="Name of a Secret that exists in the namespace.")
    key: NonEmpty | None = Field(None, description="Key inside kubernetesSecret.")

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if (self.secret is None) == (self.kubernetes_secret is None):
            raise ValueError("name either secret or kubernetesSecret")
        if (self.kubernetes_secret is None) != (self.key is None):
            raise ValueError("kubernetesSecret and key go together")
        return self


class Credentials(Model):
    """Where a party's passwords come from; absent: fate:secrets, under party-<id>-<slot>."""

    mysql: Credential | None = None
    mysql_root: Credential | None = None
    fateboard: Credential | None = None
    notebook: Credential | None = None


class PartyPublish(Model):
    """What a party publishes to its peers."""

    pulsar: PublishTls
    nginx: PublishNginx


class PartySpec(Model):
    """One FATE cluster of this organization."""

    namespace: Label = Field(description="A namespace of its own.")
    release: NonEmpty = Field(description="FATE release, one of the catalogue.")
    computing: NonEmpty = Field(description="FATE's computing engine: Spark.")
    federation: NonEmpty = Field(description="FATE's federation engine: Pulsar.")
    storage: NonEmpty = Field(description="FATE's storage engine: HDFS.")
    exchange: Name | None = Field(
        None, description="Name of the peer that is the exchange; `local` when this stack holds it; absent in a mesh."
    )
    persistence: Persistence | Literal["none"] = Field(description="`none` (data is lost with the pod), or {storageClass, accessMode}.")
    allow_data_loss: bool = Field(
        False, description="Allow changes of namespace, claims or data nodes that leave this party's data behind; for one `pulumi up`."
    )
    tls: Literal["provided"] = Field("provided", description="provided: key and certificates are given in fate:secrets.")
    modules: PartyModulesSpec = PartyModulesSpec()
    credentials: Credentials = Credentials()
    publish: PartyPublish


class ExchangeModulesSpec(Model):
    """The modules of an exchange."""

    traffic_server: ModuleSpec = ModuleSpec()
    nginx: ModuleSpec = ModuleSpec()


class ExchangePublish(Model):
    """What an exchange publishes to its members."""

    traffic_server: PublishTls
    nginx: PublishNginx


class ExchangeSpec(Model):
    """The hub of a star federation. It holds no key: TLS ends at the parties, and what has no tunnel is refused."""

    namespace: Label
    release: NonEmpty
    modules: ExchangeModulesSpec = ExchangeModulesSpec()
    publish: ExchangePublish


class PeerSpec(Model):
    """Another organization's party or exchange: by its descriptor, or typed by hand with `unsigned: true`."""

    descriptor: NonEmpty | None = Field(None, description="Descriptor file, relative to the folder of this stack file.")
    state: Literal["active", "suspended", "retired"] = Field("active", description="suspended and retired peers get no routes.")
    sha256: Sha256 | None = Field(None, description="Digest of the accepted descriptor; written by `fatefed peers add`.")
    unsigned: bool = Field(False, description="True for a peer typed by hand (KubeFATE, FedLCM, AnsibleFATE).")
    party_id: PartyId | None = Field(None, description="By hand: the party's id; absent for an exchange.")
    pulsar: HostPort | None = Field(None, description="By hand, party: host:port of its Pulsar TLS port.")
    traffic_server: HostPort | None = Field(None, description="By hand, exchange: host:port of its Traffic Server.")
    nginx: HostPort | None = Field(None, description="By hand: IP:port of its nginx (HTTP).")

    @model_validator(mode="after")
    def _comes_by_file_or_by_hand(self) -> Self:
        typed = {"partyId": self.party_id, "pulsar": self.pulsar, "trafficServer": self.traffic_server, "nginx": self.nginx}
        present = sorted(name for name, value in typed.items() if value is not None)
        if self.descriptor is not None and (present or self.unsigned):
            raise ValueError(f"a peer with a descriptor takes its addresses from it: drop {', '.join(present or ['unsigned'])}")
        if self.descriptor is None and not self.unsigned:
            raise ValueError("name a descriptor file, or say unsigned: true and give the addresses by hand")
        if self.unsigned:
            self._require_addresses()
        return self

    def _require_addresses(self) -> None:
        party = self.party_id is not None
        needed = {"nginx": self.nginx, "pulsar" if party else "trafficServer": self.pulsar if party else self.traffic_server}
        if missing := sorted(name for name, value in needed.items() if value is None):
            kind = "party" if party else "exchange (no partyId)"
            raise ValueError(f"an unsigned {kind} also needs {' and '.join(missing)} as host:port")


class PullSecret(Model):
    """Where the registry's credentials come from: a dockerconfigjson in fate:secrets, or an existing Secret."""

    secret: NonEmpty | None = Field(None, description="Name under fate:secrets; its value is a dockerconfigjson document.")
    kubernetes_secret: Label | None = Field(None, description="Name of a Secret that exists in every namespace of this stack.")

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if (self.secret is None) == (self.kubernetes_secret is None):
            raise ValueError("name either secret or kubernetesSecret")
        return self


class ImagesSpec(Model):
    """One switch for every image of this stack."""

    registry: NonEmpty | None = Field(None, description="Registry and path that replace the upstream ones.")
    pull_secret: PullSecret | None = None
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"


class StackSpec(Model):
    """The whole configuration of one stack, without its secrets."""

    organization: Name = Field(description="Name of the organization that owns this stack.")
    federation: FederationSpec
    cluster: ClusterSpec = Field(ClusterSpec(), description="Which Kubernetes cluster, and with what rights.")
    parties: dict[PartyId, PartySpec] = Field({}, description="FATE clusters of this organization, by party id.")
    exchange: ExchangeSpec | None = Field(None, description="The federation's exchange, when this organization runs it.")
    peers: dict[Name, PeerSpec] = Field({}, description="Other organizations' parties and exchanges, by name.")
    images: ImagesSpec = Field(ImagesSpec(), description="Registry and pull settings of every image.")
