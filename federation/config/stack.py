"""What an organization writes: the stack configuration, one model per key under `fate:`.

Maps are keyed by stable names, never lists, because names become URNs. Rules that need more than one key are in
`federation.rules.stack`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from federation.base.model import Model
from federation.base.scalars import Cidr, Domain, Fingerprint, Name, NonEmpty, PartyId, PortRange, Serial, Uid, UnitKey
from federation.catalogue.endpoints import LinkRow
from federation.catalogue.links import LINKS, LinkName
from federation.catalogue.releases import Release, catalogue
from federation.config.boards import BoardsSpec
from federation.config.exchange import ExchangeSpec
from federation.config.images import ImagesSpec
from federation.config.network import NetworkPolicySpec
from federation.config.party import PartySpec
from federation.config.peers import PeerSpec
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.trust import TrustSpec


class FederationSpec(Model):
    """The federation this stack belongs to."""

    name: Name = Field(description="Name of the federation, the same in every member's stack.")
    domain: Domain = Field(description="Domain under which parties are named, such as fraud.example: <party>.<domain>.")
    id: Uid | None = Field(
        None,
        description="Random id of the federation, which its founder made; a descriptor with another one is refused. Absent: not known yet; "
        "`fatefed peers add` writes the one that it learns.",
    )
    topology: Literal["star", "mesh"] = Field(description="star: through an exchange; mesh: direct.")
    link: LinkName = Field(description="How bytes cross between organizations; native: FATE's own proxies.")

    @property
    def links(self) -> LinkRow:
        """What is true of links of this kind."""
        return LINKS[self.link]

    @property
    def membership(self) -> dict[str, Any]:
        """The federation's fields in the body of each descriptor: with an id, the body has version 2 (docs/reference/descriptor.md)."""
        known = {} if self.id is None else {"id": self.id}
        return {"schemaVersion": 1 if self.id is None else 2, "federation": {"name": self.name, "domain": self.domain, **known}}


class ClusterSpec(Model):
    """Which Kubernetes cluster, and with what rights."""

    context: NonEmpty | None = Field(None, description="Context of the kubeconfig; absent: its current one.")
    kubeconfig: NonEmpty | None = Field(None, description="Path of the kubeconfig file; absent: $KUBECONFIG or ~/.kube/config.")
    in_cluster: bool = Field(False, description="Use the service account of the pod that runs Pulumi.")
    uid: Uid | None = Field(
        None,
        description="UID of that cluster's namespace kube-system (scope namespaced: of a namespace's ConfigMap kube-root-ca.crt). "
        "A preview refuses any other cluster; absent: any but the one where the stack was deployed first.",
    )
    scope: Literal["cluster", "namespaced"] = Field("cluster", description="namespaced: make no cluster-scoped object and read none.")
    create_namespaces: bool | None = Field(None, description="Default: true in scope cluster, false in scope namespaced.")
    ranges: tuple[Cidr, ...] = Field(
        (),
        description="Address ranges of its pods, Services and nodes: no descriptor may name an address in one. Absent: not checked.",
    )
    take_over: tuple[Name, ...] = Field(
        (),
        description="Namespaces that this stack takes over from the stack that deployed into them, whose state is lost or was moved; "
        "for one `pulumi up`.",
    )
    node_port_range: PortRange = Field("30000-32767", description="The API server's --service-node-port-range.")

    @model_validator(mode="after")
    def _in_cluster_needs_no_kubeconfig(self) -> Self:
        if self.in_cluster and (self.context or self.kubeconfig):
            raise ValueError("inCluster uses the pod's service account: remove context and kubeconfig, or remove inCluster")
        return self

    @model_validator(mode="after")
    def _a_namespaced_stack_creates_no_namespaces(self) -> Self:
        if self.scope == "namespaced" and self.create_namespaces:
            raise ValueError("a Namespace is a cluster-scoped object: remove createNamespaces, or use scope: cluster")
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


def _several(members: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({party for party in members if members.count(party) > 1}):
        raise ValueError(f"{', '.join(twice)} is written twice")
    if len(members) < 2:
        raise ValueError("a collaboration needs at least two parties")
    return members


def _some(collaborations: dict[str, Any]) -> dict[str, Any]:
    if not collaborations:
        raise ValueError("is empty, which could mean no one or everyone: name a collaboration, or remove the key to allow all members")
    return collaborations


# Who works together. A set of ids, written as a list; absent is not the same as empty.
Members = Annotated[tuple[PartyId, ...], Field(json_schema_extra={"minItems": 2, "uniqueItems": True}), AfterValidator(_several)]
Collaborations = Annotated[dict[Name, Members], AfterValidator(_some)]


class IdentitySpec(Model):
    """The organization's key, as `fatefed identity create` and `fatefed descriptor export` remember it. The private part is a secret."""

    key: Fingerprint = Field(description="Fingerprint of the public key, which peers compare.")
    serial: Serial | None = Field(None, description="Serial number of the last exported descriptor; the next one is higher.")


class ExportedSpec(Model):
    """The fields of a unit's last exported descriptor, as `fatefed descriptor export` writes them: a preview reports later changes."""

    key: Fingerprint | None = Field(None, description="Fingerprint of the key that signed it; absent: it is unsigned.")
    serial: Serial | None = Field(None, description="Its serial number.")
    fields: dict[NonEmpty, str] = Field(description="Its fields by path, such as endpoints.pulsar.host; of certificates fingerprints.")


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
        {}, description="Files with objects of your own, relative to the stack file, by name: `extra/monitoring.yaml`."
    )
    images: ImagesSpec = Field(ImagesSpec(), description="Registry and pull settings of every image.")
    trust: TrustSpec = Field(TrustSpec(), description="Lifetimes of certificates, and the CAs of parties with tls: partyCa or certManager.")
    identity: IdentitySpec | None = Field(None, description="The key that signs this organization's descriptors.")
    exported: dict[UnitKey, ExportedSpec] = Field(
        {}, description="Fields of the last exported descriptor of each unit, by unit; written by `fatefed descriptor export`."
    )

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
