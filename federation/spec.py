"""What an organization writes: the stack configuration, one model per key under `fate:`.

Maps are keyed by stable names, never lists, because names become URNs. Rules that need more than one key are in
`federation.rules`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, Tag, model_validator

from federation.boards_spec import BoardsSpec, PartyBoardsSpec, ServingBoardsSpec
from federation.credential_spec import Credential, Credentials
from federation.engine_spec import EnginesSpec
from federation.model import BY_FORM, Model
from federation.module_spec import ExchangeModulesSpec, PartyModulesSpec
from federation.network_spec import NetworkPolicySpec
from federation.peer_spec import PeerSpec
from federation.portal_spec import (
    FmlManagerCredentials,
    FmlManagerModulesSpec,
    PortalEngines,
    SitePortalCredentials,
    SitePortalModulesSpec,
)
from federation.releases import Release, catalogue
from federation.scalars import (
    MAX_ADDRESSES,
    Cidr,
    Day,
    Digest,
    Domain,
    Fingerprint,
    Host,
    HostPort,
    IpAddress,
    Label,
    Name,
    NonEmpty,
    PartyId,
    Port,
    PortRange,
    Registry,
    Serial,
    Upstream,
    Word,
)
from federation.serving_spec import AdaptorsSpec, CacheSpec, ServingExchangeModulesSpec, ServingModulesSpec
from federation.trust_spec import CertificateIssuer, TrustSpec


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
    ranges: tuple[Cidr, ...] = Field(
        (),
        description="Address ranges of its pods, Services and nodes: no descriptor may name an address in one. Absent: not checked.",
    )
    node_port_range: PortRange = Field("30000-32767", description="The API server's --service-node-port-range.")

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
    addresses: tuple[IpAddress, ...] = Field(
        (), max_length=MAX_ADDRESSES, description="IP addresses of that host, for proxies that cannot resolve names."
    )


class Publication(Model):
    """How a Service, or an external engine, is reached from outside its cluster."""

    type: Literal["LoadBalancer", "NodePort", "ClusterIP", "External"] = Field(
        description="External: no Service is made, because the engine is an external one (engines.*.external)."
    )
    advertise: Advertise | None = Field(
        None, description="Needed for NodePort and External, where there is no Service with an outside address."
    )
    annotations: dict[str, str] = Field({}, description="Annotations of the Service, for load balancer controllers.")
    source_ranges: tuple[Cidr, ...] = Field((), description="LoadBalancer only: CIDRs that may connect.")
    load_balancer_ip: IpAddress | None = Field(None, alias="loadBalancerIP", description="LoadBalancer only: the address to ask for.")

    def port_of(self, purpose: str) -> int | None:
        """The port that was given for a purpose (tls, http, grpc, amqp); None: the release's own."""
        return None

    @model_validator(mode="after")
    def _a_node_port_says_where_its_nodes_are_reached(self) -> Self:
        if self.type == "NodePort" and self.advertise is None:
            raise ValueError(
                "type NodePort has no address of its own: add advertise: {host: ..., addresses: [...]} with the nodes' address"
            )
        return self

    @model_validator(mode="after")
    def _an_external_engine_says_where_peers_reach_it(self) -> Self:
        if self.type == "External" and self.advertise is None:
            raise ValueError("type External makes no Service: add advertise: {host: ...} with the address at which peers reach the engine")
        if self.type == "External" and self.annotations:
            raise ValueError("annotations are of a Service, and type External makes none: remove them")
        return self

    @model_validator(mode="after")
    def _only_a_load_balancer_filters_sources_and_asks_for_an_address(self) -> Self:
        for key, given in (("sourceRanges", self.source_ranges), ("loadBalancerIP", self.load_balancer_ip)):
            if given and self.type != "LoadBalancer":
                raise ValueError(f"{key} only works with type LoadBalancer, not {self.type}")
        return self


class PublishPort(Publication):
    """One published port: Pulsar (TLS), RabbitMQ, rollsite or OSX of a party; Traffic Server, rollsite or OSX of an exchange."""

    port: Port | None = Field(None, description="Port that peers dial; for NodePort the node port. Default: the release's own port.")

    def port_of(self, purpose: str) -> int | None:
        """The port, whatever it is for: there is one."""
        return self.port


class PublishNginx(Publication):
    """The published ports of FATE's nginx router."""

    http_port: Port | None = Field(None, description="HTTP port that peers dial; for NodePort the node port. Default 9300.")
    grpc_port: Port | None = Field(None, description="gRPC port that peers dial; for NodePort the node port. Default 9310.")

    def port_of(self, purpose: str) -> int | None:
        """The HTTP or the gRPC port."""
        return self.http_port if purpose == "http" else self.grpc_port


class Publish(Model):
    """Published endpoints by name."""

    @property
    def given(self) -> dict[str, Publication]:
        """What is published, by endpoint."""
        fields = {(field.alias or name): getattr(self, name) for name, field in type(self).model_fields.items()}
        return {endpoint: publication for endpoint, publication in fields.items() if publication is not None}

    def of(self, endpoint: str) -> Publication:
        """The publication of an endpoint. KeyError when it is not given: `federation.rules` refuses that before."""
        return self.given[endpoint]


class Persistence(Model):
    """Where a party's data lives."""

    storage_class: NonEmpty | None = Field(None, description="Storage class; absent: the cluster's default.")
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = "ReadWriteOnce"


class PartyPublish(Publish):
    """What a party publishes: Pulsar: pulsar and nginx; RabbitMQ: rabbitmq and nginx; Eggroll: rollsite; OSX: osx."""

    pulsar: PublishPort | None = None
    rabbitmq: PublishPort | None = None
    nginx: PublishNginx | None = None
    rollsite: PublishPort | None = None
    osx: PublishPort | None = None


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
    algorithm: Literal["Basic", "NN", "ALL"] = Field("Basic", description="What FATE's images hold beside the basic algorithms.")
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
        description="With Pulsar. partyCa: a CA of its own, made by `fatefed trust init`; provided: key and certificates are given in "
        "fate:secrets; certManager: cert-manager signs, with a CA of the party's own. none: for engines whose links have no TLS.",
    )
    issuer: CertificateIssuer | None = Field(None, description="With tls: certManager: who signs. Absent otherwise.")
    engines: EnginesSpec = Field(EnginesSpec(), description="Engines that exist already, which are used instead of modules.")
    servings: ServingsSpec | None = Field(None, description="FATE-Serving elsewhere, or how this stack's own is found.")
    modules: PartyModulesSpec = PartyModulesSpec()
    credentials: Credentials = Credentials()
    boards: PartyBoardsSpec = Field(PartyBoardsSpec(), description="What is different from fate:boards for this party's consoles.")
    chart_values: dict[str, Any] = Field({}, description="A patch of the chart's values, checked by its schema; null removes a value.")
    publish: PartyPublish

    @property
    def exchanges(self) -> dict[str, tuple[str, ...]]:
        """The exchanges of a party of a star by name, each with the path of what names it; more than one only behind lbrollsite."""
        front = self.modules.lbrollsite
        more = () if front is None else front.exchanges
        found = {} if self.exchange is None else {self.exchange: ("exchange",)}
        return {**{name: ("modules", "lbrollsite", "exchanges", str(number)) for number, name in enumerate(more)}, **found}


class ExchangePublish(Publish):
    """What an exchange publishes: Pulsar: trafficServer and nginx; Eggroll: rollsite; OSX: osx."""

    traffic_server: PublishPort | None = None
    nginx: PublishNginx | None = None
    rollsite: PublishPort | None = None
    osx: PublishPort | None = None


class FmlManagerPublish(Publish):
    """What an FML Manager publishes: the port at which Site Portals register."""

    fml_manager: PublishPort | None = None


class FmlManagerSpec(Model):
    """FedLCM's FML Manager: through it the Site Portals of a federation invite each other into projects."""

    namespace: Label = Field(description="A namespace of its own.")
    release: NonEmpty = Field(description="Release of FedLCM.")
    persistence: Persistence | Literal["none"] = Field(
        description="`none` (projects are lost with the pod), or {storageClass, accessMode}."
    )
    allow_data_loss: bool = Field(
        False, description="Allow changes of namespace, claim or database that leave projects behind; for one `pulumi up`."
    )
    engines: PortalEngines = PortalEngines()
    modules: FmlManagerModulesSpec = FmlManagerModulesSpec()
    credentials: FmlManagerCredentials = FmlManagerCredentials()
    chart_values: dict[str, Any] = Field({}, description="A patch of the chart's values, checked by its schema; null removes a value.")
    publish: FmlManagerPublish


class ExchangeSpec(Model):
    """The hub of a star federation. It holds no key: TLS ends at the parties, and what has no tunnel is refused."""

    namespace: Label
    release: NonEmpty
    federation: Word = Field("Pulsar", description="The parties' federation engine: Pulsar, Eggroll (rollsite, FATE 1.x) or OSX (2.x).")
    allow_destroy_until: Day | None = Field(
        None, description="Last day (UTC) on which it may be destroyed although peers are active; `pulumi up` first, then `pulumi destroy`."
    )
    modules: ExchangeModulesSpec = ExchangeModulesSpec()
    fml_manager: FmlManagerSpec | None = Field(None, description="FML Manager beside it, for Site Portals; absent: none is deployed.")
    chart_values: dict[str, Any] = Field({}, description="A patch of the chart's values, checked by its schema; null removes a value.")
    publish: ExchangePublish


class ServingCredentials(Model):
    """Where FATE-Serving's passwords come from; absent: fate:secrets, under serving-<id>-<slot>."""

    redis: Credential | None = None
    zookeeper: Credential | None = None
    admin: Credential | None = None

    def of(self, slot: str) -> Credential | None:
        """What was given for a slot."""
        return {"redis": self.redis, "zookeeper": self.zookeeper, "admin": self.admin}[slot]


class ExternalRedis(Model):
    """A Redis that exists already."""

    host: Host
    port: Port = 6379
    password: Credential


class RedisEngine(Model):
    """Redis from elsewhere: the module is then not deployed."""

    external: ExternalRedis


class ServingEngines(Model):
    """Engines of FATE-Serving that exist already."""

    redis: RedisEngine | None = None


class ServingPublish(Publish):
    """What FATE-Serving, or its exchange, publishes."""

    serving_proxy: PublishPort | None = None


class ServingSpec(Model):
    """FATE-Serving of one party: predictions with the models that the party trained."""

    namespace: Label = Field(description="A namespace of its own.")
    release: NonEmpty = Field(description="FATE-Serving release, one of the catalogue.")
    fateflow: HostPort | None = Field(
        None, description="HTTP address of the party's FATE-Flow; absent: the party of this id in this stack."
    )
    exchange: Name | None = Field(
        None, description="Name of the peer that is the serving exchange; `local` when this stack holds it; absent: directly to peers."
    )
    persistence: Persistence | Literal["none"] = Field(description="`none` (models are lost with the pod), or {storageClass, accessMode}.")
    allow_data_loss: bool = Field(False, description="Allow changes of namespace or claims that leave models behind; for one `pulumi up`.")
    cache: CacheSpec = CacheSpec()
    adaptors: AdaptorsSpec = AdaptorsSpec()
    engines: ServingEngines = ServingEngines()
    modules: ServingModulesSpec = ServingModulesSpec()
    credentials: ServingCredentials = ServingCredentials()
    boards: ServingBoardsSpec = Field(ServingBoardsSpec(), description="What is different from fate:boards for its pages.")
    chart_values: dict[str, Any] = Field({}, description="A patch of the chart's values, checked by its schema; null removes a value.")
    publish: ServingPublish


class ServingExchangeSpec(Model):
    """The hub between the FATE-Servings of parties: a serving-proxy alone."""

    namespace: Label
    release: NonEmpty = Field(description="FATE-Serving release, one of the catalogue.")
    allow_destroy_until: Day | None = Field(
        None, description="Last day (UTC) on which it may be destroyed although peers are active; `pulumi up` first, then `pulumi destroy`."
    )
    modules: ServingExchangeModulesSpec = ServingExchangeModulesSpec()
    chart_values: dict[str, Any] = Field({}, description="A patch of the chart's values, checked by its schema; null removes a value.")
    publish: ServingPublish


class SitePortalPublish(Publish):
    """What a Site Portal publishes: the port at which an FML Manager calls."""

    site_portal: PublishPort | None = None


class SitePortalSpec(Model):
    """FedLCM's Site Portal of one party: data, projects and jobs in a browser."""

    namespace: Label = Field(description="A namespace of its own.")
    release: NonEmpty = Field(description="Release of FedLCM.")
    fateflow: HostPort | None = Field(
        None, description="HTTP address of the party's FATE-Flow; absent: the party of this id in this stack."
    )
    fml_manager: Name | None = Field(
        None, description="Name of the peer that is the FML Manager; `local` when this stack's exchange has it; absent: none."
    )
    persistence: Persistence | Literal["none"] = Field(
        description="`none` (uploads, projects and accounts are lost with the pod), or {storageClass, accessMode}."
    )
    allow_data_loss: bool = Field(
        False, description="Allow changes of namespace, claims or database that leave data behind; for one `pulumi up`."
    )
    engines: PortalEngines = PortalEngines()
    modules: SitePortalModulesSpec = SitePortalModulesSpec()
    credentials: SitePortalCredentials = SitePortalCredentials()
    chart_values: dict[str, Any] = Field({}, description="A patch of the chart's values, checked by its schema; null removes a value.")
    publish: SitePortalPublish


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

    registry: Registry | None = Field(None, description="Registry and path that replace the upstream ones.")
    pull_secret: PullSecret | None = None
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    digests: dict[Upstream, Digest] = Field({}, description="Digests by upstream's repository:tag (`fatefed images list`).")


def _several(members: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({party for party in members if members.count(party) > 1}):
        raise ValueError(f"{', '.join(twice)} is written twice")
    if len(members) < 2:
        raise ValueError("a collaboration is of at least two parties")
    return members


def _some(collaborations: dict[str, Any]) -> dict[str, Any]:
    if not collaborations:
        raise ValueError("is empty, which might mean nobody or everybody: name a collaboration, or remove the key for all members")
    return collaborations


# Who works together. A set of ids, written as a list; absent is not the same as empty.
Members = Annotated[tuple[PartyId, ...], Field(json_schema_extra={"minItems": 2, "uniqueItems": True}), AfterValidator(_several)]
Collaborations = Annotated[dict[Name, Members], AfterValidator(_some)]


class IdentitySpec(Model):
    """The organization's key, as `fatefed identity create` and `fatefed descriptor export` remember it. The private part is a secret."""

    key: Fingerprint = Field(description="Fingerprint of the public key, which peers compare.")
    serial: Serial | None = Field(None, description="Serial number of the last exported descriptor; the next one is higher.")


class StackSpec(Model):
    """The whole configuration of one stack, without its secrets."""

    organization: Name = Field(description="Name of the organization that owns this stack.")
    federation: FederationSpec
    cluster: ClusterSpec = Field(ClusterSpec(), description="Which Kubernetes cluster, and with what rights.")
    parties: dict[PartyId, PartySpec] = Field({}, description="FATE clusters of this organization, by party id.")
    exchange: ExchangeSpec | None = Field(None, description="The federation's exchange, when this organization runs it.")
    releases: tuple[NonEmpty, ...] = Field((), description="Files with releases of your own, relative to the folder of this stack file.")
    serving: dict[PartyId, ServingSpec] = Field({}, description="FATE-Serving of this organization's parties, by party id.")
    serving_exchange: ServingExchangeSpec | None = Field(None, description="The hub of FATE-Servings, when this organization runs it.")
    site_portal: dict[PartyId, SitePortalSpec] = Field({}, description="FedLCM's Site Portals of this organization's parties, by party id.")
    peers: dict[Name, PeerSpec] = Field({}, description="Other organizations' parties and exchanges, by name.")
    peers_file: NonEmpty | None = Field(
        None, description="A file with more of `peers`, relative to the folder of this stack file; `fatefed peers move` makes it."
    )
    collaborations: Collaborations = Field(
        {}, description="Ids of parties that work together, by name; only they get routes to each other. Absent: all members."
    )
    boards: BoardsSpec | None = Field(
        None, description="How browsers reach fateboard, notebook and other consoles; kind: ingress, httpRoute or istio."
    )
    network_policy: NetworkPolicySpec = Field(
        NetworkPolicySpec(), description="Network policies of every party and exchange; on by default."
    )
    manifests: dict[Name, NonEmpty] = Field(
        {}, description="Files with own objects, from the stack file, by name: `extra/monitoring.yaml`."
    )
    images: ImagesSpec = Field(ImagesSpec(), description="Registry and pull settings of every image.")
    trust: TrustSpec = Field(TrustSpec(), description="Lifetimes of certificates, and the CAs of parties with tls: partyCa or certManager.")
    identity: IdentitySpec | None = Field(None, description="The key that signs this organization's descriptors.")

    _catalogue: Mapping[str, Release] = PrivateAttr(default_factory=catalogue)

    @property
    def catalogue(self) -> Mapping[str, Release]:
        """The releases this stack can deploy, by version."""
        return self._catalogue

    def with_catalogue(self, releases: Mapping[str, Release]) -> Self:
        """The same with other releases: the program's, and those of `releases`."""
        changed = self.model_copy()
        changed._catalogue = releases
        return changed

    @property
    def parties_in_order(self) -> list[tuple[PartyId, PartySpec]]:
        """The parties by number: the engine hands maps over in another order than the file's."""
        return sorted(self.parties.items(), key=lambda item: int(item[0]))

    @property
    def servings_in_order(self) -> list[tuple[PartyId, ServingSpec]]:
        """FATE-Servings by number."""
        return sorted(self.serving.items(), key=lambda item: int(item[0]))

    @property
    def site_portals_in_order(self) -> list[tuple[PartyId, SitePortalSpec]]:
        """Site Portals by number."""
        return sorted(self.site_portal.items(), key=lambda item: int(item[0]))

    @property
    def fml_manager(self) -> FmlManagerSpec | None:
        """The FML Manager of this stack's exchange."""
        return None if self.exchange is None else self.exchange.fml_manager
