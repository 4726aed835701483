"""What units publish to peers, by endpoint: how a Service, or an external engine, is reached from outside."""

from typing import Literal, Self

from pydantic import Field, model_validator

from federation.base.model import Model
from federation.base.scalars import MAX_ADDRESSES, Host, IpAddress, Port, SourceRanges, limits_of


class Advertise(Model):
    """The address that descriptors carry instead of the Service's own (NAT, DMZ, load balancers in front)."""

    host: Host = Field(description="Host name or IP address that peers dial.")
    addresses: tuple[IpAddress, ...] = Field(
        (), max_length=MAX_ADDRESSES, description="IP addresses of that host, for proxies that cannot resolve names."
    )


class Publication(Model):
    """How a Service, or an external engine, is reached from outside its cluster."""

    type: Literal["LoadBalancer", "NodePort", "ClusterIP", "External"] = Field(
        description="External: no Service is created, because the engine is external (engines.*.external)."
    )
    advertise: Advertise | None = Field(
        None, description="Needed for NodePort and External, where there is no Service with an outside address."
    )
    annotations: dict[str, str] = Field({}, description="Annotations of the Service, for load balancer controllers.")
    source_ranges: SourceRanges = Field((), description="LoadBalancer: CIDRs that may connect; any type: the word anyone, for no limit.")
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
            raise ValueError(
                "type External creates no Service: add advertise: {host: ...} with the address at which peers reach the engine"
            )
        if self.type == "External" and self.annotations:
            raise ValueError("annotations need a Service, and type External creates none: remove them")
        return self

    @model_validator(mode="after")
    def _only_a_load_balancer_filters_sources_and_asks_for_an_address(self) -> Self:
        for key, value in (("sourceRanges", limits_of(self.source_ranges)), ("loadBalancerIP", self.load_balancer_ip)):
            if value and self.type != "LoadBalancer":
                instead = "; limit node ports with networkPolicy.publishedFrom or a firewall, and write sourceRanges: anyone"
                hint = instead if (key, self.type) == ("sourceRanges", "NodePort") else ""
                raise ValueError(f"{key} only works with type LoadBalancer, not {self.type}{hint}")
        return self


class PublishPort(Publication):
    """One published port: Pulsar (TLS), RabbitMQ, rollsite or OSX of a party; Traffic Server, rollsite or OSX of an exchange."""

    port: Port | None = Field(None, description="Port that peers dial; for NodePort the node port. Default: the release's own port.")

    def port_of(self, purpose: str) -> int | None:
        """The port, whatever it is for: there is one."""
        return self.port


class PublishPulsar(PublishPort):
    """The published TLS port of a party's Pulsar."""

    client_certificates: Literal["required", "optional"] = Field(
        "optional",
        description="required: a broker that dials must present a certificate of a trusted party, so the broker refuses strangers and "
        "suspended peers; every active peer needs its own CA. optional: any client that reaches the port may read and write.",
    )

    @model_validator(mode="after")
    def _only_an_own_broker_asks_for_certificates(self) -> Self:
        if self.type == "External" and self.client_certificates == "required":
            raise ValueError("clientCertificates: an external Pulsar asks for certificates if its own configuration says so: remove it")
        return self


class PublishNginx(Publication):
    """The published port of FATE's nginx router."""

    http_port: Port | None = Field(None, description="HTTP port that peers dial; for NodePort the node port. Default 9300.")
    grpc_port: Port | None = Field(None, description="Without effect: nginx's gRPC port is no longer published. Remove it.")

    def port_of(self, purpose: str) -> int | None:
        """The HTTP port."""
        return self.http_port


class Publish(Model):
    """Published endpoints by name."""

    @property
    def by_endpoint(self) -> dict[str, Publication]:
        """The published ports, by endpoint."""
        return {endpoint: publication for endpoint, publication in self.by_key().items() if publication is not None}

    def of(self, endpoint: str) -> Publication:
        """The publication of an endpoint. KeyError when it is not given: `federation.rules.stack` refuses that before."""
        return self.by_endpoint[endpoint]


class PartyPublish(Publish):
    """What a party publishes: Pulsar: pulsar and nginx; RabbitMQ: rabbitmq and nginx; Eggroll: rollsite; OSX: osx."""

    pulsar: PublishPulsar | None = None
    rabbitmq: PublishPort | None = None
    nginx: PublishNginx | None = None
    rollsite: PublishPort | None = None
    osx: PublishPort | None = None


class ExchangePublish(Publish):
    """What an exchange publishes: Pulsar: trafficServer and nginx; Eggroll: rollsite; OSX: osx."""

    traffic_server: PublishPort | None = None
    nginx: PublishNginx | None = None
    rollsite: PublishPort | None = None
    osx: PublishPort | None = None


class FmlManagerPublish(Publish):
    """What an FML Manager publishes: the port at which Site Portals register."""

    fml_manager: PublishPort | None = None


class ServingPublish(Publish):
    """What FATE-Serving, or its exchange, publishes."""

    serving_proxy: PublishPort | None = None


class SitePortalPublish(Publish):
    """What a Site Portal publishes: the port at which an FML Manager calls."""

    site_portal: PublishPort | None = None
