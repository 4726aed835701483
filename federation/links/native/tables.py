"""The route files of a party and of an exchange, by federation engine: {ConfigMap: {file: text}}."""

from collections.abc import Callable, Mapping

from federation.base import naming
from federation.base.live import LiveValue
from federation.base.scalars import PartyId, in_brackets
from federation.catalogue.native import SERVING_PROXY
from federation.catalogue.serving import serving_catalogue
from federation.config.exchange import ExchangeSpec
from federation.config.party import PartySpec
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec
from federation.links.external_engines import engine_host, engine_ports
from federation.links.hops_of_serving import serving_exchange_hops, serving_hops
from federation.links.native.files import (
    TOMBSTONE_HOST,
    TOMBSTONE_PORT,
    HostPort,
    NginxTarget,
    PulsarProxy,
    PulsarTarget,
    exchange_list,
    nginx_route_table,
    osx_route_table,
    pulsar_route_table,
    rabbitmq_route_table,
    records_config,
    rollsite_route_table,
    sni,
)
from federation.links.next_hops import (
    Address,
    Neighbour,
    dialled_host,
    exchanges_behind,
    next_hops,
    nginx_addresses,
    other_parties,
    tunnel_host,
)
from federation.links.routes import RouteFiles
from federation.peers.accepted import Peers
from federation.trust.plan import TlsPlan, checks_names

_NOWHERE = (NginxTarget(TOMBSTONE_HOST, TOMBSTONE_PORT),)
# What serving-server calls itself (serviceRoleName), and what peers' requests are addressed to.
_SERVING_ROLE = "serving"
_HOP_NOWHERE = {"default": HostPort(TOMBSTONE_HOST, TOMBSTONE_PORT)}


def party_routes(spec: StackSpec, party: PartyId, own: PartySpec, peers: Peers, tls: TlsPlan | None) -> RouteFiles:
    """The route files of a party: its own entry, and whom it dials for all others; and whom its Pulsar trusts."""
    others, exchange = next_hops(spec, party, own, peers)
    routes = {name: files(spec, party, own, others, exchange) for name, files in _PARTY[own.federation].items()}
    if tls is not None:
        routes[naming.PULSAR_ROUTES][naming.PULSAR_TRUST] = tls.clusters
    return routes | ({} if own.modules.lbrollsite is None else {naming.LBROLLSITE_ROUTES: _balanced(spec, own, peers)})


def exchange_routes(spec: StackSpec, _: PartyId, own: ExchangeSpec, peers: Peers, tls: TlsPlan | None) -> RouteFiles:
    """The route files of an exchange: every member."""
    return {naming.EXCHANGE_ROUTES: _EXCHANGE[own.federation](spec, own, other_parties(spec, None, peers))}


def serving_routes(spec: StackSpec, party: PartyId, own: ServingSpec, peers: Peers, tls: TlsPlan | None) -> RouteFiles:
    """The route file of a party's serving-proxy, in rollsite's format; it is read again every 10 s, and what is removed is forgotten.

    The party's own entry leads to its serving-server. Its `default`, which KubeFATE sends to the HTTP port of serving-proxy, is left
    out: no request has another role.
    """
    entries = grpc_hops(SERVING_PROXY.endpoint, *serving_hops(spec, party, own, peers))
    entries[party] = {_SERVING_ROLE: HostPort(naming.SERVING_SERVER, serving_catalogue()[own.release].ports["servingServer"])}
    return _serving(entries)


def serving_exchange_routes(spec: StackSpec, _: PartyId, own: ServingExchangeSpec, peers: Peers, tls: TlsPlan | None) -> RouteFiles:
    """The route file of a serving exchange: every member."""
    return _serving(grpc_hops(SERVING_PROXY.endpoint, *serving_exchange_hops(spec, peers)))


def _serving(entries: Mapping[str, Mapping[str, HostPort]]) -> RouteFiles:
    return {naming.SERVING_ROUTES: {"route_table.json": rollsite_route_table(entries)}}


def _nginx(
    spec: StackSpec, party: PartyId, own: PartySpec, others: Mapping[PartyId, Neighbour], exchange: Neighbour | None
) -> dict[str, str]:
    ports = spec.catalogue[own.release].ports
    fateflow = NginxTarget(_own(own, naming.FATEFLOW_SERVICE), ports["fateflowHttp"])
    nginx = NginxTarget(_own(own, naming.NGINX_SERVICE), ports["nginxHttp"])
    entries: dict[str, dict[str, tuple[NginxTarget, ...]]] = {party: {"fateflow": (fateflow,), "proxy": (nginx,)}}
    entries |= {other: {"fateflow": _nginx_targets(neighbour)} for other, neighbour in others.items()}
    if exchange is not None:
        entries["default"] = {"proxy": _nginx_targets(exchange)}
    return {"route_table.yaml": nginx_route_table(entries)}


def _pulsar(
    spec: StackSpec, party: PartyId, own: PartySpec, others: Mapping[PartyId, Neighbour], exchange: Neighbour | None
) -> dict[str, str]:
    ports, mine, others = spec.catalogue[own.release].ports, engine_ports(spec, own), _beyond(others, exchange)
    brokers = {party: PulsarTarget(engine_host(own, "pulsar"), mine["pulsar"], mine["pulsarTls"])}
    # The plaintext port of a peer is not published; the replicator uses TLS, so that number is never dialled.
    direct, named = _routed(others, "pulsar"), _routed(others, "trafficServer")
    if checks_names(spec, own):
        # A certificate holds a name, not an address: the peer's own address stands where that of a proxy would, and the name is asked for.
        direct, named = {}, {**direct, **named}
    brokers |= {other: PulsarTarget(dialled_host(a), ports["pulsar"], a.ports["tls"]) for other, a in direct.items()}
    brokers |= {
        other: PulsarTarget(naming.server_name(other, spec.federation.domain), ports["pulsar"], ports["pulsarTls"], _host_port(a, "tls"))
        for other, a in named.items()
    }
    default = None
    if exchange is not None and exchange.routed:
        tunnel = exchange.endpoints["trafficServer"]
        default = PulsarProxy(dialled_host(tunnel), tunnel.ports["tls"], spec.federation.domain, ports["pulsar"], ports["pulsarTls"])
        brokers |= {other: PulsarTarget(TOMBSTONE_HOST, TOMBSTONE_PORT, TOMBSTONE_PORT) for other in _severed(others)}
    return {"pulsar_route_table.yaml": pulsar_route_table(brokers, default)}


def _rabbitmq(
    spec: StackSpec, party: PartyId, own: PartySpec, others: Mapping[PartyId, Neighbour], exchange: Neighbour | None
) -> dict[str, str]:
    brokers = {party: HostPort(engine_host(own, "rabbitmq"), engine_ports(spec, own)["rabbitmq"])}
    brokers |= {other: HostPort(dialled_host(a), a.ports["amqp"]) for other, a in _routed(others, "rabbitmq").items()}
    return {"rabbitmq_route_table.yaml": rabbitmq_route_table(brokers)}


def _rollsite(
    spec: StackSpec, party: PartyId, own: PartySpec, others: Mapping[PartyId, Neighbour], exchange: Neighbour | None
) -> dict[str, str]:
    ports = spec.catalogue[own.release].ports
    mine = {"fateflow": HostPort("fateflow", ports["fateflowGrpc"]), "default": HostPort("rollsite", ports["rollsite"])}
    return {"route_table.json": rollsite_route_table({party: mine, **grpc_hops("rollsite", others, exchange)})}


def _balanced(spec: StackSpec, own: PartySpec, peers: Peers) -> dict[str, str]:
    dialled = {name: hop.endpoints["rollsite"] for name, hop in exchanges_behind(spec, own, peers).items() if hop.routed}
    servers = {name: [HostPort(in_brackets(host), a.ports["grpc"]) for host in a.addresses] for name, a in dialled.items()}
    return {"exchanges.conf": exchange_list(servers)}


def _osx(
    spec: StackSpec, party: PartyId, own: PartySpec, others: Mapping[PartyId, Neighbour], exchange: Neighbour | None
) -> dict[str, str]:
    mine = {"fateflow": HostPort("fateflow", spec.catalogue[own.release].ports["fateflowGrpc"])}
    return {"route_table.json": osx_route_table({party: mine, **grpc_hops("osx", others, exchange)}, party)}


def _traffic_server_exchange(spec: StackSpec, own: ExchangeSpec, members: Mapping[PartyId, Neighbour]) -> dict[str, str]:
    pulsars = _routed(members, "pulsar")
    domain = spec.federation.domain
    tunnels = {naming.server_name(party, domain): _tunnel(address) for party, address in pulsars.items()}
    return {
        "sni.yaml": sni(tunnels),
        "records.config": records_config(spec.catalogue[own.release].ports["trafficServer"], (a.ports["tls"] for a in pulsars.values())),
        "route_table.yaml": nginx_route_table({party: {"fateflow": _nginx_targets(member)} for party, member in members.items()}),
    }


def _rollsite_exchange(spec: StackSpec, own: ExchangeSpec, members: Mapping[PartyId, Neighbour]) -> dict[str, str]:
    entries = grpc_hops("rollsite", members, None)
    # rollsite does not start without a default or an entry of its own (FATE#4634); to itself, as KubeFATE writes it, would be a loop.
    entries["default"] = _HOP_NOWHERE
    return {"route_table.json": rollsite_route_table(entries)}


def _osx_exchange(spec: StackSpec, own: ExchangeSpec, members: Mapping[PartyId, Neighbour]) -> dict[str, str]:
    # No default: FATE's guide points it to the exchange itself, where what is for an unknown party would go round until it times out.
    return {"route_table.json": osx_route_table(grpc_hops("osx", members, None), "default")}


def grpc_hops(endpoint: str, others: Mapping[PartyId, Neighbour], exchange: Neighbour | None) -> dict[str, dict[str, HostPort]]:
    """The next hops of rollsite, OSX and serving-proxy.

    They forget what is gone from the file: a party has an entry only where the default says something else.
    """
    others = _beyond(others, exchange)
    found = {other: _hop(address) for other, address in _routed(others, endpoint).items()}
    if exchange is not None and exchange.routed:
        found |= dict.fromkeys(_severed(others), _HOP_NOWHERE)
        found["default"] = _hop(exchange.endpoints[endpoint])
    return found


def _hop(address: Address) -> dict[str, HostPort]:
    return {"default": HostPort(dialled_host(address), address.ports["grpc"])}


_Writer = Callable[[StackSpec, PartyId, PartySpec, Mapping[PartyId, Neighbour], Neighbour | None], dict[str, str]]
_PARTY: dict[str, dict[str, _Writer]] = {
    "Pulsar": {naming.PULSAR_ROUTES: _pulsar, naming.NGINX_ROUTES: _nginx},
    "RabbitMQ": {naming.RABBITMQ_ROUTES: _rabbitmq, naming.NGINX_ROUTES: _nginx},
    "Eggroll": {naming.ROLLSITE_ROUTES: _rollsite},
    "OSX": {naming.OSX_ROUTES: _osx},
}
_EXCHANGE: dict[str, Callable[[StackSpec, ExchangeSpec, Mapping[PartyId, Neighbour]], dict[str, str]]] = {
    "Pulsar": _traffic_server_exchange,
    "Eggroll": _rollsite_exchange,
    "OSX": _osx_exchange,
}


def _host_port(address: Address, purpose: str) -> str:
    return f"{in_brackets(dialled_host(address))}:{address.ports[purpose]}"


def _tunnel(address: Address) -> str:
    """Where Traffic Server leads a tunnel."""
    return f"{tunnel_host(address)}:{address.ports['tls']}"


def _own(own: PartySpec, service: str) -> str:
    return str(LiveValue(own.namespace, service, "clusterIP"))


def _routed(parties: Mapping[PartyId, Neighbour], endpoint: str) -> dict[PartyId, Address]:
    return {
        party: neighbour.endpoints[endpoint] for party, neighbour in parties.items() if neighbour.routed and endpoint in neighbour.endpoints
    }


def _beyond(others: Mapping[PartyId, Neighbour], exchange: Neighbour | None) -> dict[PartyId, Neighbour]:
    """Those for whom the default route would be wrong: the entries of a proxy that forgets what is gone from its file."""
    return {party: neighbour for party, neighbour in others.items() if neighbour != exchange}


def _severed(others: Mapping[PartyId, Neighbour]) -> list[PartyId]:
    """Whom a default route must not lead to."""
    return [party for party, neighbour in others.items() if not neighbour.routed]


def _nginx_targets(neighbour: Neighbour) -> tuple[NginxTarget, ...]:
    """The addresses of an nginx; a tombstone for one that gets no routes, because nginx forgets entries at a restart only."""
    if not neighbour.routed:
        return _NOWHERE
    nginx = neighbour.endpoints["nginx"]
    return tuple(NginxTarget(address, nginx.ports["http"]) for address in nginx_addresses(nginx))
