"""The route files of a party and of an exchange, by federation engine: {ConfigMap: {file: text}}."""

from collections.abc import Callable, Mapping

from federation.base import naming
from federation.base.live import LiveValue
from federation.base.scalars import PartyId, in_brackets
from federation.catalogue.native import SERVING_PROXY
from federation.config.units import ExchangeUnit, PartyUnit, ServingExchangeUnit, ServingUnit
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
    NextHop,
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

_BLACKHOLE = (NginxTarget(TOMBSTONE_HOST, TOMBSTONE_PORT),)
# What serving-server calls itself (serviceRoleName), and what peers' requests are addressed to.
_SERVING_ROLE = "serving"
_HOP_BLACKHOLE = {"default": HostPort(TOMBSTONE_HOST, TOMBSTONE_PORT)}


def party_routes(unit: PartyUnit, peers: Peers, tls: TlsPlan | None) -> RouteFiles:
    """The route files of a party: its own entry, and whom it dials for all others; and whom its Pulsar trusts."""
    others, exchange = next_hops(unit, peers)
    routes = {name: files(unit, others, exchange) for name, files in _PARTY[unit.spec.federation].items()}
    if tls is not None:
        routes[naming.PULSAR_ROUTES][naming.PULSAR_TRUST] = tls.clusters
    return routes | ({} if unit.spec.modules.lbrollsite is None else {naming.LBROLLSITE_ROUTES: _balanced(unit, peers)})


def exchange_routes(unit: ExchangeUnit, peers: Peers, tls: TlsPlan | None) -> RouteFiles:
    """The route files of an exchange: every member."""
    return {naming.EXCHANGE_ROUTES: _EXCHANGE[unit.spec.federation](unit, other_parties(unit, peers))}


def serving_routes(unit: ServingUnit, peers: Peers, tls: TlsPlan | None) -> RouteFiles:
    """The route file of a party's serving-proxy, in rollsite's format; it is read again every 10 s, and what is removed is forgotten.

    The party's own entry leads to its serving-server. Its `default`, which KubeFATE sends to the HTTP port of serving-proxy, is left
    out: no request has another role.
    """
    entries = grpc_hops(SERVING_PROXY.endpoint, *serving_hops(unit, peers))
    entries[unit.party] = {_SERVING_ROLE: HostPort(naming.SERVING_SERVER, unit.release.ports["servingServer"])}
    return _serving(entries)


def serving_exchange_routes(unit: ServingExchangeUnit, peers: Peers, tls: TlsPlan | None) -> RouteFiles:
    """The route file of a serving exchange: every member."""
    return _serving(grpc_hops(SERVING_PROXY.endpoint, *serving_exchange_hops(unit, peers)))


def _serving(entries: Mapping[str, Mapping[str, HostPort]]) -> RouteFiles:
    return {naming.SERVING_ROUTES: {"route_table.json": rollsite_route_table(entries)}}


def _nginx(unit: PartyUnit, others: Mapping[PartyId, NextHop], exchange: NextHop | None) -> dict[str, str]:
    ports = unit.release.ports
    fateflow = NginxTarget(_own(unit, naming.FATEFLOW_SERVICE), ports["fateflowHttp"])
    nginx = NginxTarget(_own(unit, naming.NGINX_SERVICE), ports["nginxHttp"])
    entries: dict[str, dict[str, tuple[NginxTarget, ...]]] = {unit.party: {"fateflow": (fateflow,), "proxy": (nginx,)}}
    entries |= {other: {"fateflow": _nginx_targets(hop)} for other, hop in others.items()}
    if exchange is not None:
        entries["default"] = {"proxy": _nginx_targets(exchange)}
    return {"route_table.yaml": nginx_route_table(entries)}


def _pulsar(unit: PartyUnit, others: Mapping[PartyId, NextHop], exchange: NextHop | None) -> dict[str, str]:
    ports, mine, others = unit.release.ports, engine_ports(unit), _beyond(others, exchange)
    brokers = {unit.party: PulsarTarget(engine_host(unit.spec, "pulsar"), mine["pulsar"], mine["pulsarTls"])}
    # The plaintext port of a peer is not published; the replicator uses TLS, so that number is never dialled.
    direct, named = _routed(others, "pulsar"), _routed(others, "trafficServer")
    if checks_names(unit):
        # A certificate holds a name, not an address: the peer's own address stands where that of a proxy would, and the name is asked for.
        direct, named = {}, {**direct, **named}
    brokers |= {other: PulsarTarget(dialled_host(a), ports["pulsar"], a.ports["tls"]) for other, a in direct.items()}
    brokers |= {
        other: PulsarTarget(
            naming.server_name(other, unit.stack.federation.domain), ports["pulsar"], ports["pulsarTls"], _host_port(a, "tls")
        )
        for other, a in named.items()
    }
    default = None
    if exchange is not None and exchange.routed:
        tunnel = exchange.endpoints["trafficServer"]
        default = PulsarProxy(dialled_host(tunnel), tunnel.ports["tls"], unit.stack.federation.domain, ports["pulsar"], ports["pulsarTls"])
        brokers |= {other: PulsarTarget(TOMBSTONE_HOST, TOMBSTONE_PORT, TOMBSTONE_PORT) for other in _blocked(others)}
    return {"pulsar_route_table.yaml": pulsar_route_table(brokers, default)}


def _rabbitmq(unit: PartyUnit, others: Mapping[PartyId, NextHop], exchange: NextHop | None) -> dict[str, str]:
    brokers = {unit.party: HostPort(engine_host(unit.spec, "rabbitmq"), engine_ports(unit)["rabbitmq"])}
    brokers |= {other: HostPort(dialled_host(a), a.ports["amqp"]) for other, a in _routed(others, "rabbitmq").items()}
    return {"rabbitmq_route_table.yaml": rabbitmq_route_table(brokers)}


def _rollsite(unit: PartyUnit, others: Mapping[PartyId, NextHop], exchange: NextHop | None) -> dict[str, str]:
    ports = unit.release.ports
    mine = {"fateflow": HostPort("fateflow", ports["fateflowGrpc"]), "default": HostPort("rollsite", ports["rollsite"])}
    return {"route_table.json": rollsite_route_table({unit.party: mine, **grpc_hops("rollsite", others, exchange)})}


def _balanced(unit: PartyUnit, peers: Peers) -> dict[str, str]:
    dialled = {name: hop.endpoints["rollsite"] for name, hop in exchanges_behind(unit, peers).items() if hop.routed}
    servers = {name: [HostPort(in_brackets(host), a.ports["grpc"]) for host in a.addresses] for name, a in dialled.items()}
    return {"exchanges.conf": exchange_list(servers)}


def _osx(unit: PartyUnit, others: Mapping[PartyId, NextHop], exchange: NextHop | None) -> dict[str, str]:
    mine = {"fateflow": HostPort("fateflow", unit.release.ports["fateflowGrpc"])}
    return {"route_table.json": osx_route_table({unit.party: mine, **grpc_hops("osx", others, exchange)}, unit.party)}


def _traffic_server_exchange(unit: ExchangeUnit, members: Mapping[PartyId, NextHop]) -> dict[str, str]:
    pulsars = _routed(members, "pulsar")
    domain = unit.stack.federation.domain
    tunnels = {naming.server_name(party, domain): _tunnel(address) for party, address in pulsars.items()}
    return {
        "sni.yaml": sni(tunnels),
        "records.config": records_config(unit.release.ports["trafficServer"], (a.ports["tls"] for a in pulsars.values())),
        "route_table.yaml": nginx_route_table({party: {"fateflow": _nginx_targets(member)} for party, member in members.items()}),
    }


def _rollsite_exchange(unit: ExchangeUnit, members: Mapping[PartyId, NextHop]) -> dict[str, str]:
    entries = grpc_hops("rollsite", members, None)
    # rollsite does not start without a default or an entry of its own (FATE#4634); to itself, as KubeFATE writes it, would be a loop.
    entries["default"] = _HOP_BLACKHOLE
    return {"route_table.json": rollsite_route_table(entries)}


def _osx_exchange(unit: ExchangeUnit, members: Mapping[PartyId, NextHop]) -> dict[str, str]:
    # No default: FATE's guide points it to the exchange itself, where what is for an unknown party would go round until it times out.
    return {"route_table.json": osx_route_table(grpc_hops("osx", members, None), "default")}


def grpc_hops(endpoint: str, others: Mapping[PartyId, NextHop], exchange: NextHop | None) -> dict[str, dict[str, HostPort]]:
    """The next hops of rollsite, OSX and serving-proxy.

    They forget what is gone from the file: a party has an entry only where the default says something else.
    """
    others = _beyond(others, exchange)
    hops = {other: _hop(address) for other, address in _routed(others, endpoint).items()}
    if exchange is not None and exchange.routed:
        hops |= dict.fromkeys(_blocked(others), _HOP_BLACKHOLE)
        hops["default"] = _hop(exchange.endpoints[endpoint])
    return hops


def _hop(address: Address) -> dict[str, HostPort]:
    return {"default": HostPort(dialled_host(address), address.ports["grpc"])}


_Writer = Callable[[PartyUnit, Mapping[PartyId, NextHop], NextHop | None], dict[str, str]]
_PARTY: dict[str, dict[str, _Writer]] = {
    "Pulsar": {naming.PULSAR_ROUTES: _pulsar, naming.NGINX_ROUTES: _nginx},
    "RabbitMQ": {naming.RABBITMQ_ROUTES: _rabbitmq, naming.NGINX_ROUTES: _nginx},
    "Eggroll": {naming.ROLLSITE_ROUTES: _rollsite},
    "OSX": {naming.OSX_ROUTES: _osx},
}
_EXCHANGE: dict[str, Callable[[ExchangeUnit, Mapping[PartyId, NextHop]], dict[str, str]]] = {
    "Pulsar": _traffic_server_exchange,
    "Eggroll": _rollsite_exchange,
    "OSX": _osx_exchange,
}


def _host_port(address: Address, purpose: str) -> str:
    return f"{in_brackets(dialled_host(address))}:{address.ports[purpose]}"


def _tunnel(address: Address) -> str:
    """Where Traffic Server leads a tunnel."""
    return f"{tunnel_host(address)}:{address.ports['tls']}"


def _own(unit: PartyUnit, service: str) -> str:
    return str(LiveValue(unit.namespace, service, "clusterIP"))


def _routed(parties: Mapping[PartyId, NextHop], endpoint: str) -> dict[PartyId, Address]:
    return {party: hop.endpoints[endpoint] for party, hop in parties.items() if hop.routed and endpoint in hop.endpoints}


def _beyond(others: Mapping[PartyId, NextHop], exchange: NextHop | None) -> dict[PartyId, NextHop]:
    """Those for whom the default route would be wrong: the entries of a proxy that forgets what is gone from its file."""
    return {party: hop for party, hop in others.items() if hop != exchange}


def _blocked(others: Mapping[PartyId, NextHop]) -> list[PartyId]:
    """The parties that a default route must not lead to."""
    return [party for party, hop in others.items() if not hop.routed]


def _nginx_targets(hop: NextHop) -> tuple[NginxTarget, ...]:
    """The addresses of an nginx; a tombstone for one that gets no routes, because nginx forgets entries at a restart only."""
    if not hop.routed:
        return _BLACKHOLE
    nginx = hop.endpoints["nginx"]
    return tuple(NginxTarget(address, nginx.ports["http"]) for address in nginx_addresses(nginx))
