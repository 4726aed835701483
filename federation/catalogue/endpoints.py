"""What a row of a link kind is made of: the endpoints that units publish, and what peers, firewalls and doctor do with each.

A unit publishes one Service per endpoint; descriptors use the endpoint's name. The rows are in `federation.catalogue.links`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from federation.catalogue.kinds import Kind
from federation.catalogue.releases import Fix


@dataclass(frozen=True)
class Probe:
    """How `fatefed doctor PEER` asks a port, as plain data: `cli.doctor.links` has a function for each protocol.

    `protocol`: `sni` is a TLS handshake that a proxy passes on by the server name. `answers`: who has to answer: nobody in particular,
    the unit that publishes the port, or everyone who is reached through it. `ipv4`: routes name every IPv4 address, not one host.
    """

    protocol: Literal["http", "grpc", "tls", "sni", "amqp"]
    answers: Literal["nobody", "owner", "everyone"]
    ipv4: bool = False


@dataclass(frozen=True)
class PublishedPort:
    """One port of a published Service. Keys of the release's ports: `own` of the pod, `default` of the Service if it is another one.

    `carries`: what crosses there, for those who open firewalls.
    """

    purpose: str
    name: str
    target: str
    own: str
    carries: str
    probe: Probe
    default: str | None = None


@dataclass(frozen=True)
class PublishedService:
    """One endpoint: its Service, the pods behind it, and (`internal`) the Service that its own cluster dials instead.

    `exposes`: what whoever reaches it can do there; `{whose}` becomes ` of every member` at an exchange.
    """

    endpoint: str
    service: str
    module: str
    ports: tuple[PublishedPort, ...]
    exposes: str
    tls: bool = False
    internal: str | None = None


# The engine of what publishes the same whatever its parties were trained with.
ANY = ""
ByEngine = Mapping[str, tuple[PublishedService, ...]]


@dataclass(frozen=True)
class LinkRow:
    """What is true of a kind of link without a stack.

    `published`: what a unit of a kind publishes, by federation engine; an engine without an entry cannot be linked so.
    `egress`: which module dials an endpoint of a peer, by the dialling unit's kind, when it is not the module that publishes it elsewhere.
    `needs`: what a release must have right for routes to single peers, by federation engine.
    """

    published: Mapping[Kind, ByEngine]
    egress: Mapping[tuple[Kind, str], str] = field(default_factory=dict)
    needs: Mapping[str, Fix] = field(default_factory=dict)

    @property
    def engines(self) -> tuple[str, ...]:
        """The federation engines whose parties it links."""
        return tuple(self.published["party"])

    def of(self, kind: Kind, engine: str = ANY) -> tuple[PublishedService, ...]:
        """The endpoints of a unit; none for an engine without this kind of link."""
        return self.published.get(kind, {}).get(engine, ())

    def endpoints(self, kind: Kind, engine: str = ANY) -> frozenset[str]:
        """The endpoints of a unit's descriptor."""
        return frozenset(service.endpoint for service in self.of(kind, engine))

    def tls(self, engine: str) -> bool:
        """Whether parties exchange their data in TLS."""
        return any(service.tls for service in self.of("party", engine))

    def star(self, engine: str) -> bool:
        """Whether there is an exchange for an engine."""
        return bool(self.of("exchange", engine))

    def services(self) -> Iterator[PublishedService]:
        """Every endpoint of every kind of unit."""
        yield from (service for rows in self.published.values() for services in rows.values() for service in services)

    @cached_property
    def _modules(self) -> Mapping[str, str]:
        """The module that publishes an endpoint; asked for each address of many peers."""
        return {service.endpoint: service.module for service in self.services()}

    def dialler(self, kind: Kind, endpoint: str) -> str:
        """The module of a unit that dials an endpoint of its peers."""
        return self.egress.get((kind, endpoint), self._modules[endpoint])
