"""Links by FATE's own proxies and brokers: what parties and exchanges publish, by federation engine."""

from federation.base import naming
from federation.catalogue.endpoints import ANY, LinkRow, Probe, PublishedPort, PublishedService

# Their message holds the path, so that they cannot be told to pass on less.
_WHOLE_API = "call all of FATE-Flow's API{whose}, without a password: read files of its pod, run code there, stop every job"
_PARTNERS_CALLS = "send FATE-Flow{whose} what partners send it"
_PASSED_ON = Probe("grpc", "everyone")

# HTTP only: whoever reaches FATE-Flow's gRPC names any path of its API inside a message, where no proxy can judge it.
_HTTP = PublishedPort("http", "http", "http", "nginxHttp", "control: FATE-Flow's HTTP, without TLS", Probe("http", "everyone", ipv4=True))
_NGINX = PublishedService("nginx", naming.NGINX_PUBLIC, naming.NGINX, (_HTTP,), exposes=_PARTNERS_CALLS, internal=naming.NGINX_SERVICE)
_PULSAR = PublishedService(
    "pulsar",
    naming.PULSAR_PUBLIC,
    naming.PULSAR,
    (PublishedPort("tls", "tls-port", "tls", "pulsarTls", "data: Pulsar to Pulsar, TLS", Probe("tls", "owner")),),
    exposes="open connections to Pulsar",
    tls=True,
)
_RABBITMQ = PublishedService(
    "rabbitmq",
    naming.RABBITMQ_PUBLIC,
    naming.RABBITMQ,
    (PublishedPort("amqp", "amqp", "amqp", "rabbitmq", "data: RabbitMQ's AMQP, without TLS", Probe("amqp", "nobody")),),
    exposes="try passwords at RabbitMQ, whose traffic is not encrypted",
)
_GRPC_OF_ROLLSITE = PublishedPort("grpc", "tcp-rollsite", "grpc", "rollsite", "data and control: rollsite's gRPC, without TLS", _PASSED_ON)
_ROLLSITE = PublishedService(
    "rollsite",
    naming.ROLLSITE_PUBLIC,
    naming.ROLLSITE,
    (_GRPC_OF_ROLLSITE,),
    exposes=_WHOLE_API,
    internal=naming.ROLLSITE_SERVICE,
)
_GRPC_OF_OSX = PublishedPort("grpc", "tcp-osx", "grpc", "osx", "data and control: OSX's gRPC, without TLS", _PASSED_ON)
_OSX = PublishedService("osx", naming.OSX_PUBLIC, naming.OSX, (_GRPC_OF_OSX,), exposes=_WHOLE_API, internal=naming.OSX_SERVICE)
_TUNNEL = PublishedPort(
    "tls",
    "443",
    "tls",
    "trafficServer",
    "data: Pulsar's TLS, passed on by server name",
    Probe("sni", "everyone"),
    default="trafficServerPublished",
)
_TRAFFIC_SERVER = PublishedService(
    "trafficServer",
    naming.TRAFFIC_SERVER_SERVICE,
    naming.TRAFFIC_SERVER,
    (_TUNNEL,),
    exposes="open connections to Pulsar{whose}",
    tls=True,
)
_EXCHANGE_NGINX = PublishedService("nginx", naming.NGINX_SERVICE, naming.NGINX, (_HTTP,), exposes=_PARTNERS_CALLS)
_EXCHANGE_ROLLSITE = PublishedService("rollsite", naming.ROLLSITE_SERVICE, naming.ROLLSITE, (_GRPC_OF_ROLLSITE,), exposes=_WHOLE_API)
_EXCHANGE_OSX = PublishedService("osx", naming.OSX_SERVICE, naming.OSX, (_GRPC_OF_OSX,), exposes=_WHOLE_API)

# FATE-Serving has one inter-party link, whatever engine its party was trained with.
_REQUESTS = "requests for predictions: serving-proxy's gRPC, without TLS"
SERVING_PROXY = PublishedService(
    "servingProxy",
    naming.SERVING_PROXY_PUBLIC,
    naming.SERVING_PROXY,
    (PublishedPort("grpc", "tcp-inter", "inter", "servingProxyInter", _REQUESTS, Probe("grpc", "nobody")),),
    exposes="ask for predictions of every model{whose}",
    internal=naming.SERVING_PROXY,
)

# A Site Portal registers with an FML Manager, which calls it back.
_CALLS = "invitations, jobs and their state from an FML Manager: HTTPS, mutual TLS"
SITE_PORTAL = PublishedService(
    "sitePortal",
    naming.FRONTEND_PUBLIC,
    naming.FRONTEND,
    (PublishedPort("tls", "https-frontend", "tls", "frontendTls", _CALLS, Probe("tls", "owner")),),
    exposes="try client certificates at the Site Portal",
    tls=True,
    internal=naming.FRONTEND,
)
_REGISTRATIONS = "registrations, projects and jobs from Site Portals: HTTPS, mutual TLS"
FML_MANAGER = PublishedService(
    "fmlManager",
    naming.FML_MANAGER_PUBLIC,
    naming.FML_MANAGER_SERVER,
    (PublishedPort("tls", "https-fml-manager-server", "tls", "fmlManagerServer", _REGISTRATIONS, Probe("tls", "owner")),),
    exposes="try client certificates at the FML Manager",
    tls=True,
    internal=naming.FML_MANAGER_SERVER,
)

NATIVE = LinkRow(
    published={
        "party": {"Pulsar": (_NGINX, _PULSAR), "RabbitMQ": (_NGINX, _RABBITMQ), "Eggroll": (_ROLLSITE,), "OSX": (_OSX,)},
        # RabbitMQ has no default route, so it cannot be used in a star (reference section 10.2).
        "exchange": {"Pulsar": (_EXCHANGE_NGINX, _TRAFFIC_SERVER), "Eggroll": (_EXCHANGE_ROLLSITE,), "OSX": (_EXCHANGE_OSX,)},
        "serving": {ANY: (SERVING_PROXY,)},
        "servingExchange": {ANY: (SERVING_PROXY,)},
        "sitePortal": {ANY: (SITE_PORTAL,)},
        "fmlManager": {ANY: (FML_MANAGER,)},
    },
    egress={
        ("party", "trafficServer"): naming.PULSAR,
        ("exchange", "pulsar"): naming.TRAFFIC_SERVER,
        ("sitePortal", "fmlManager"): naming.SITE_PORTAL_SERVER,
        ("fmlManager", "sitePortal"): naming.FML_MANAGER_SERVER,
    },
    needs={"Pulsar": "pulsarPeers"},
)
