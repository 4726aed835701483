"""How parties reach each other with each of FATE's federation engines: what is published, and under which names.

One row per engine. A party or an exchange publishes one Service per endpoint; descriptors use the endpoint's name.
"""

from dataclasses import dataclass

from federation.base import naming
from federation.catalogue.kinds import Kind


@dataclass(frozen=True)
class PublishedPort:
    """One port of a published Service. Keys of the release's ports: `own` of the pod, `default` of the Service if it is another one."""

    purpose: str
    name: str
    target: str
    own: str
    default: str | None = None


@dataclass(frozen=True)
class PublishedService:
    """One endpoint: its Service, the pods behind it, and (`internal`) the Service that its own cluster dials instead."""

    endpoint: str
    service: str
    module: str
    ports: tuple[PublishedPort, ...]
    tls: bool = False
    internal: str | None = None


@dataclass(frozen=True)
class Link:
    """One federation engine. Without exchange services it knows no star."""

    party: tuple[PublishedService, ...]
    exchange: tuple[PublishedService, ...] = ()

    @property
    def tls(self) -> bool:
        """Whether parties exchange their data in TLS."""
        return any(service.tls for service in self.party)

    def of(self, kind: str) -> tuple[PublishedService, ...]:
        """What a party or an exchange publishes."""
        return self.party if kind == "party" else self.exchange

    def endpoints(self, kind: str) -> frozenset[str]:
        """The endpoints of a descriptor of a party or an exchange."""
        return frozenset(service.endpoint for service in self.of(kind))


# HTTP only: whoever reaches FATE-Flow's gRPC names any path of its API inside a message, where no proxy can judge it.
_NGINX_PORTS = (PublishedPort("http", "http", "http", "nginxHttp"),)
_NGINX = PublishedService("nginx", naming.NGINX_PUBLIC, naming.NGINX, _NGINX_PORTS, internal=naming.NGINX_SERVICE)
_PULSAR = PublishedService("pulsar", naming.PULSAR_PUBLIC, naming.PULSAR, (PublishedPort("tls", "tls-port", "tls", "pulsarTls"),), tls=True)
_RABBITMQ = PublishedService("rabbitmq", naming.RABBITMQ_PUBLIC, naming.RABBITMQ, (PublishedPort("amqp", "amqp", "amqp", "rabbitmq"),))
_ROLLSITE_PORTS = (PublishedPort("grpc", "tcp-rollsite", "grpc", "rollsite"),)
_ROLLSITE = PublishedService("rollsite", naming.ROLLSITE_PUBLIC, naming.ROLLSITE, _ROLLSITE_PORTS, internal=naming.ROLLSITE_SERVICE)
_OSX_PORTS = (PublishedPort("grpc", "tcp-osx", "grpc", "osx"),)
_OSX = PublishedService("osx", naming.OSX_PUBLIC, naming.OSX, _OSX_PORTS, internal=naming.OSX_SERVICE)
_TRAFFIC_SERVER = PublishedService(
    "trafficServer",
    naming.TRAFFIC_SERVER_SERVICE,
    naming.TRAFFIC_SERVER,
    (PublishedPort("tls", "443", "tls", "trafficServer", "trafficServerPublished"),),
    tls=True,
)
_EXCHANGE_NGINX = PublishedService("nginx", naming.NGINX_SERVICE, naming.NGINX, _NGINX_PORTS)
_EXCHANGE_ROLLSITE = PublishedService("rollsite", naming.ROLLSITE_SERVICE, naming.ROLLSITE, _ROLLSITE_PORTS)
_EXCHANGE_OSX = PublishedService("osx", naming.OSX_SERVICE, naming.OSX, _OSX_PORTS)

# RabbitMQ has no default route, so FATE knows no star with it (reference section 10.2).
LINKS: dict[str, Link] = {
    "Pulsar": Link(party=(_NGINX, _PULSAR), exchange=(_EXCHANGE_NGINX, _TRAFFIC_SERVER)),
    "RabbitMQ": Link(party=(_NGINX, _RABBITMQ)),
    "Eggroll": Link(party=(_ROLLSITE,), exchange=(_EXCHANGE_ROLLSITE,)),
    "OSX": Link(party=(_OSX,), exchange=(_EXCHANGE_OSX,)),
}


# FATE-Serving has one inter-party link, whatever engine its party was trained with.
SERVING_PROXY = PublishedService(
    "servingProxy",
    naming.SERVING_PROXY_PUBLIC,
    naming.SERVING_PROXY,
    (PublishedPort("grpc", "tcp-inter", "inter", "servingProxyInter"),),
    internal=naming.SERVING_PROXY,
)


# A Site Portal registers with an FML Manager, which calls it back.
SITE_PORTAL = PublishedService(
    "sitePortal",
    naming.FRONTEND_PUBLIC,
    naming.FRONTEND,
    (PublishedPort("tls", "https-frontend", "tls", "frontendTls"),),
    tls=True,
    internal=naming.FRONTEND,
)
FML_MANAGER = PublishedService(
    "fmlManager",
    naming.FML_MANAGER_PUBLIC,
    naming.FML_MANAGER_SERVER,
    (PublishedPort("tls", "https-fml-manager-server", "tls", "fmlManagerServer"),),
    tls=True,
    internal=naming.FML_MANAGER_SERVER,
)
# Kinds that publish the same whatever engine their parties were trained with.
_ALONE: dict[Kind, PublishedService] = {
    "serving": SERVING_PROXY,
    "servingExchange": SERVING_PROXY,
    "sitePortal": SITE_PORTAL,
    "fmlManager": FML_MANAGER,
}


def published(kind: Kind) -> list[tuple[PublishedService, ...]]:
    """What a unit of a kind may publish: one row for each way to link it."""
    if kind in _ALONE:
        return [(_ALONE[kind],)]
    return [link.of(kind) for link in LINKS.values() if link.of(kind)]


def endpoint_names(kind: Kind) -> list[frozenset[str]]:
    """Every set of endpoints that a descriptor of a kind may publish."""
    return [frozenset(service.endpoint for service in services) for services in published(kind)]


# Ports that older descriptors name, and nobody dials.
FORMER_PORTS: dict[str, frozenset[str]] = {"nginx": frozenset({"grpc"})}


def purposes(kind: Kind, endpoint: str) -> frozenset[str]:
    """The ports that an endpoint of a kind of unit may publish."""
    return frozenset(
        port.purpose for services in published(kind) for service in services if service.endpoint == endpoint for port in service.ports
    )


def engine_of(endpoints: frozenset[str], kind: str) -> str:
    """The federation engine whose endpoints a descriptor publishes. KeyError for endpoints of none."""
    for engine, link in LINKS.items():
        if link.endpoints(kind) == endpoints:
            return engine
    raise KeyError(f"no federation engine has the endpoints {sorted(endpoints)}")
