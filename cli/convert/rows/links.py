"""Rows of what crosses between organizations: rollsite, OSX, nginx, brokers and Traffic Server, with their route tables."""

from collections.abc import Iterator

from cli.convert.clusters import Cluster, ClusterKind
from cli.convert.rows.engines import PULSAR, RABBITMQ
from cli.convert.rows.row import EXCHANGE, PARTY, Follows, How, Lost, Part, Password, PublishedPort, Row, Same, To, Type, service_type
from cli.convert.rows.shared import HUB, PEERS, STAR, claim_rows, published_rows


def _proxy(word: str, endpoint: str, kinds: tuple[ClusterKind, ...]) -> Iterator[Row]:
    """Rollsite or OSX: one port for control and data."""
    yield from published_rows(word, endpoint, word, {"nodePort": ("port", f"tcp-{word}")}, kinds)
    yield Row(f"{word}.partyList[].partyId", Part(f"{PEERS}.partyId", "unsigned: true"), kinds, "any")
    yield Row(f"{word}.partyList[].partyIp", Part(f"{PEERS}.{endpoint}"), kinds)
    yield Row(f"{word}.partyList[].partyPort", Part(f"{PEERS}.{endpoint}"), kinds, "number")
    if kinds == PARTY:
        yield Row(f"{word}.exchange.ip", Part(f"{HUB}.{endpoint}", STAR), kinds)
        yield Row(f"{word}.exchange.port", Part(f"{HUB}.{endpoint}", STAR), kinds, "number")
    else:
        upstream = Lost("an exchange here passes on to parties, not to another exchange")
        yield Row(f"{word}.exchange.ip", upstream, kinds)
        yield Row(f"{word}.exchange.port", upstream, kinds, "number")


_POLLING = Lost("this program connects to parties and does not poll: give each a reachable address")


def _rollsite(kinds: tuple[ClusterKind, ...]) -> Iterator[Row]:
    yield from _proxy("rollsite", "rollsite", kinds)
    tls = Lost("KubeFATE publishes no TLS port of rollsite and never writes `is_secure`: the traffic was in plaintext all the same")
    yield Row("rollsite.enableTLS", tls, kinds, "flag")
    for key in ("enabled", "type", "server.ip", "server.port", "clientList[].partID", "concurrency"):
        yield Row(f"rollsite.polling.{key}", _POLLING, kinds, "any")


PROXIES = (
    *_rollsite(PARTY),
    *_rollsite(EXCHANGE),
    *_proxy("osx", "osx", PARTY),
    *_proxy("osx", "osx", EXCHANGE),
    *published_rows("lbrollsite", "rollsite", "rollsite", {"nodePort": ("port", "tcp-rollsite")}),
    Row("lbrollsite.size", Lost("streams are not limited here")),
    Row("lbrollsite.exchangeList[].id", Follows("the place in the list"), type="any"),
    Row(
        "lbrollsite.exchangeList[].ip",
        Part(f"{HUB}.rollsite", "an IP address; the others become `exchange-2`, ... in `modules.lbrollsite.exchanges`"),
    ),
    Row("lbrollsite.exchangeList[].port", Part(f"{HUB}.rollsite"), type="number"),
)

_NO_GRPC = Lost("nginx publishes HTTP only, FATE-Flow's default protocol: over gRPC any client could call all of FATE-Flow's API")
_ROUTE_HOSTS = (("host", "text"), ("http_port", "number"), ("grpc_port", "number"), ("port", "number"))


def _nginx(kinds: tuple[ClusterKind, ...]) -> Iterator[Row]:
    yield from published_rows("nginx", "nginx", "nginx", {"httpNodePort": ("httpPort", "http")}, kinds, since="1.6.0")
    yield Row("nginx.grpcNodePort", _NO_GRPC, kinds, "number", since="1.6.0")
    old = PublishedPort("publish.nginx.httpPort", "nginx.type", "nginx", "9390", "with type NodePort; charts 1.5 had one port")
    yield Row("nginx.nodePort", old, kinds, "number", until="1.5", default=True)
    for what in ("proxy", "fateflow"):
        for key, kind in _ROUTE_HOSTS:
            if key == "grpc_port":
                note = "FATE-Flow's default protocol is HTTP; nginx dials no gRPC port"
                yield Row(f"nginx.route_table.*.{what}[].{key}", Follows("http_port", note), kinds, "number")
            else:
                note = "the peer's nginx; `fateflow` counts where there is no `proxy`; IP addresses only; `default`: the exchange"
                yield Row(f"nginx.route_table.*.{what}[].{key}", Part(f"{PEERS}.nginx", note), kinds, kind)  # type: ignore[arg-type]


def _route(key: str, how: How, type_: Type = "text") -> Row:
    """A key of FATE-Flow's route tables: it counts with its engine, deployed or not."""
    return Row(key, how, type=type_, used=(PULSAR if key.startswith("pulsar") else RABBITMQ,), anyway=True)


def opened(cluster: Cluster) -> str | None:
    """A node port of Pulsar counts when its Service opens node ports."""
    kind = service_type(cluster, "pulsar.type")
    return None if kind in ("NodePort", "LoadBalancer") else f"pulsar.type is {kind}"


# Pulsar's route to an exchange, which stands among those to parties: the form that KubeFATE itself writes from pulsar.exchange.
_BROKER_PORT = Follows("the exchange", "it finds the parties' brokers by name")
_DEFAULT_ROUTE: tuple[tuple[str, How, Type], ...] = (
    ("proxy", Part(f"{HUB}.trafficServer", STAR), "text"),
    ("domain", Part("fate:federation.domain", "absent: fate.org, or --domain"), "text"),
    ("brokerPort", _BROKER_PORT, "number"),
    ("brokerSslPort", _BROKER_PORT, "number"),
)
_PULSAR_CONF = Lost("the broker's settings are the program's: topics are dropped when they are not used")

LINKS = (
    *_nginx(PARTY),
    *_nginx(EXCHANGE),
    Row("nginx.exchange.ip", Part(f"{HUB}.nginx", STAR)),
    Row("nginx.exchange.httpPort", Part(f"{HUB}.nginx", STAR), type="number"),
    Row("nginx.exchange.grpcPort", Follows("nginx.exchange.httpPort", "FATE-Flow's default protocol is HTTP"), type="number"),
    Row("nginx.replicas", To("modules.nginx.replicas"), EXCHANGE, "number"),
    *published_rows("rabbitmq", "rabbitmq", "rabbitmq", {"nodePort": ("port", "tcp-rabbitmq")}),
    Row("rabbitmq.default_user", Same("fate", "the user is fate here; peers do not sign in with it")),
    Row("rabbitmq.default_pass", Password("rabbitmq"), secret=True),
    Row("rabbitmq.user", Same("fate", "the user is fate here; peers do not sign in with it")),
    Row("rabbitmq.password", Password("rabbitmq"), secret=True),
    _route("rabbitmq.route_table.*.host", Part(f"{PEERS}.rabbitmq")),
    _route("rabbitmq.route_table.*.port", Part(f"{PEERS}.rabbitmq"), "number"),
    *published_rows("pulsar", "pulsar", "pulsar", {"httpsNodePort": ("port", "https-port")}),
    Row("pulsar.httpNodePort", Lost("the broker's plaintext port is not published here: peers dial the TLS port"), type="number",
        used=(opened,)),
    Row("pulsar.publicLB.enabled", Part("publish.pulsar.type", "true: LoadBalancer, whatever pulsar.type says"), type="flag"),
    _route("pulsar.exchange.ip", Part(f"{HUB}.trafficServer", STAR)),
    _route("pulsar.exchange.port", Part(f"{HUB}.trafficServer", STAR), "number"),
    _route("pulsar.exchange.domain", Part("fate:federation.domain", "absent: fate.org, or --domain")),
    *(_route(f"pulsar.route_table.default.{key}", how, kind) for key, how, kind in _DEFAULT_ROUTE),
    _route("pulsar.route_table.*.host", Part(f"{PEERS}.pulsar")),
    _route("pulsar.route_table.*.port", Follows("sslPort", "brokers talk to each other in TLS here"), "number"),
    _route("pulsar.route_table.*.sslPort", Part(f"{PEERS}.pulsar", "needed: TLS only"), "number"),
    _route("pulsar.route_table.*.proxy", Part("a peer behind a proxy is not carried", "a star has one exchange for all peers")),
    Row("pulsar.env", Lost("a variable may hold a password: write it under modules.pulsar.env, or leave it out", ([],)), type="list",
        secret=True),
    Row("pulsar.confs.brokerDeleteInactiveTopicsFrequencySeconds", _PULSAR_CONF, type="number"),
    Row("pulsar.confs.backlogQuotaDefaultLimitGB", _PULSAR_CONF, type="any"),
    *claim_rows("pulsar", "modules.pulsar", sub_path=False),
    *published_rows("trafficServer", "trafficServer", "traffic-server", {"nodePort": ("port", "443")}, EXCHANGE),
    Row("trafficServer.replicas", To("modules.trafficServer.replicas"), EXCHANGE, "number"),
    Row("trafficServer.route_table.sni[].fqdn", Part(f"{PEERS}.partyId, fate:federation.domain", "<party id>.<domain>"), EXCHANGE),
    Row("trafficServer.route_table.sni[].tunnelRoute", Part(f"{PEERS}.pulsar"), EXCHANGE),
)  # fmt: skip
