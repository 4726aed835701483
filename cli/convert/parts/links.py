"""The peers of a cluster: `partyList`, both `route_table`s and `exchange` as peers written by hand; and its own published ports."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cli.convert.clusters import Cluster, listed
from cli.convert.draft import Draft
from cli.convert.source import Path_, plain
from federation.base.model_errors import has_path
from federation.base.scalars import HostPort, PartyId, is_ip
from federation.config.stack import StackSpec

PLACEHOLDER = "192.0.2.1"
_HUB = "exchange"
# The route for every party that no other route is for: a star's.
_DEFAULT = "default"
_MESH_OF_PULSAR = (
    "KubeFATE's Pulsar has a TLS port only with an exchange: in this mesh its brokers talk in plaintext (port, not sslPort), and here "
    "only in TLS. A mesh of Pulsar moves all at once: agree with every peer on a day and on how certificates are trusted; jobs with a "
    "peer that has not moved fail"
)
# The module of KubeFATE that holds an engine's one list of parties.
_LISTS = {"Eggroll": ("rollsite", "lbrollsite"), "OSX": ("osx", "rollsite")}
_ENDPOINTS = {"Eggroll": "rollsite", "OSX": "osx"}
# The block of FATE-Serving.
_SERVING = "servingProxy"


@dataclass(frozen=True)
class Address:
    """Where something is dialled, and the key that says so."""

    host: Any
    port: Any
    origin: Path_
    # The key of the port, beside that of the host.
    port_key: str = "port"

    @property
    def text(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"

    @property
    def entry(self) -> Path_:
        """The block that the address stands in: what is lost with it."""
        return self.origin[:-1]

    @property
    def missing(self) -> str | None:
        """The key that is not there."""
        if self.host in (None, ""):
            return self.origin[-1]
        return self.port_key if self.port in (None, "") else None


def party_links(cluster: Cluster, draft: Draft) -> None:
    """The topology and the peers of a party."""
    hub = _hub(cluster, draft)
    _topology(draft, bool(hub))
    _write_all(cluster, draft, hub, _members(cluster, draft, _partners))


def exchange_links(cluster: Cluster, draft: Draft) -> None:
    """The members of an exchange."""
    _topology(draft, star=True)
    _write_all(cluster, draft, {}, _members(cluster, draft, _tunnelled))


def serving_links(cluster: Cluster, draft: Draft) -> None:
    """The topology and the peers of a party's FATE-Serving."""
    exchange = _address(cluster, (_SERVING, "exchange"), "port")
    hub = {} if exchange is None else {_SERVING: exchange}
    _topology(draft, bool(hub))
    _write_all(cluster, draft, hub, _serving_members(cluster, draft))


def serving_exchange_links(cluster: Cluster, draft: Draft) -> None:
    """The members of an exchange of FATE-Serving."""
    if (exchange := _address(cluster, (_SERVING, "exchange"), "port")) is not None:
        draft.lose(exchange.entry, "an exchange here passes on to parties, not to another exchange")
    _topology(draft, star=True)
    _write_all(cluster, draft, {}, _serving_members(cluster, draft))


def _serving_members(cluster: Cluster, draft: Draft) -> Iterator[tuple[str, dict[str, Address]]]:
    """Other parties' FATE-Servings, which are dialled at one port."""
    return _whole({_SERVING: _party_list(cluster, draft, (_SERVING,))}, (_SERVING,), cluster, draft)


def _topology(draft: Draft, star: bool) -> None:
    draft.put(
        ("federation", "topology"), "star" if star else "mesh", None, "through an exchange" if star else "directly from party to party"
    )


def _write_all(cluster: Cluster, draft: Draft, hub: dict[str, Address], members: Iterator[tuple[str, dict[str, Address]]]) -> None:
    """The exchange of a star, or each other party."""
    if hub:
        _write(draft, _HUB, None, hub)
        if ("peers", _HUB, "unsigned") in draft.puts:
            draft.put(cluster.at("exchange"), _HUB, next(iter(hub.values())).origin, "a star: every other party is reached through it")
    for party, addresses in members:
        if hub:
            _lose(draft, party, addresses, "in a star everything goes through the exchange: its operator must know this party")
        else:
            _write(draft, f"party-{party}", party, addresses)


def _hub(cluster: Cluster, draft: Draft) -> dict[str, Address]:
    """The addresses of the exchange, by endpoint; empty without a whole one."""
    engine = cluster.engines["federation"]
    if engine in _ENDPOINTS:
        return _one_port_hub(cluster, draft, engine)
    control = _address(cluster, ("nginx", "exchange"), "httpPort") or _default_router(cluster)
    data = _address(cluster, ("pulsar", "exchange"), "port") or _default_broker(cluster)
    if engine == "RabbitMQ":
        if control is not None:
            draft.lose(control.entry, "FATE knows no star with RabbitMQ, in no release: peers are dialled directly")
        return {}
    if control is not None and data is not None:
        if str(cluster.version).startswith("1.5"):
            draft.warn(
                "Spark with an exchange was illegal in 1.5.0 (KubeFATE's guide); the release it becomes has one for Pulsar, and it is used"
            )
        return {"trafficServer": data, "nginx": control}
    for address in (control, data):
        if address is not None:
            draft.lose(
                address.entry,
                "half an exchange: a star with Pulsar needs both nginx.exchange and pulsar.exchange (or both `default` routes)",
            )
    return {}


def _default_router(cluster: Cluster) -> Address | None:
    """The exchange's nginx, as a route for every party that no other route is for."""
    path = ("nginx", "route_table", "default", "proxy")
    route = next(iter(listed(cluster.file.get(*path))), None)
    return None if route is None else Address(route.get("host"), route.get("http_port"), (*path, "0", "host"), "http_port")


def _default_broker(cluster: Cluster) -> Address | None:
    """The exchange's Traffic Server, as a route for every party that no other route is for."""
    path = ("pulsar", "route_table", "default", "proxy")
    proxy = str(cluster.file.get(*path) or "")
    return _split(proxy, path) if proxy else None


def _split(text: str, origin: Path_) -> Address:
    host, colon, port = text.rpartition(":")
    return Address(host if colon else text, port or None if colon else None, origin, "its port")


def _one_port_hub(cluster: Cluster, draft: Draft, engine: str) -> dict[str, Address]:
    endpoint = _ENDPOINTS[engine]
    words = [word for word in _LISTS[engine] if word in cluster.modules]
    for word in words:
        if word == "lbrollsite":
            if hub := _balanced_hub(cluster, draft, endpoint):
                return hub
            continue
        exchange = _address(cluster, (word, "exchange"), "port")
        if exchange is None:
            continue
        if word == "osx" and listed(cluster.file.get("osx", "partyList")):
            draft.lose(exchange.entry, "charts 2.0 ignored it, and osx.partyList names the parties: a mesh, as before")
            return {}
        if word == "osx":
            draft.warn("charts 2.0 ignored osx.exchange; here it takes effect: everything goes through it")
        return {endpoint: exchange}
    return {}


def _balanced_hub(cluster: Cluster, draft: Draft, endpoint: str) -> dict[str, Address]:
    """The exchanges behind lbrollsite: the first is the party's exchange, the others are named at the module."""
    word, module = "lbrollsite", cluster.place_of("lbrollsite")
    exchanges: list[Address] = []
    for number, entry in enumerate(listed(cluster.file.get(word, "exchangeList"))):
        address = Address(entry.get("ip"), entry.get("port"), (word, "exchangeList", str(number), "ip"))
        if is_ip(str(address.host)):
            exchanges.append(address)
        else:
            draft.lose(address.entry, f"{address.host!r} is a name, which lbrollsite does not resolve: write the exchange's IP address")
    if not exchanges:
        draft.lose(module, "it has no exchange before it: rollsite dials each party itself")
        return {}
    at = cluster.at("modules.lbrollsite")
    draft.put(at, {}, module, "a Deployment of its own")
    for number, address in enumerate(exchanges[1:], 2):
        _write(draft, f"{_HUB}-{number}", None, {endpoint: address})
    if more := [f"{_HUB}-{number}" for number in range(2, len(exchanges) + 1)]:
        draft.put((*at, "exchanges"), more, (word, "exchangeList"))
    # One pod in KubeFATE.
    for key in ("nodeSelector", "tolerations", "affinity"):
        if (placed := draft.puts.get((*cluster.at("modules.rollsite"), key))) is not None:
            draft.put((*at, key), placed.value, placed.origin)
    return {endpoint: exchanges[0]}


def _address(cluster: Cluster, path: Path_, port: str) -> Address | None:
    entry = plain(cluster.file.get(*path))
    return Address(entry["ip"], entry.get(port), (*path, "ip"), port) if entry.get("ip") else None


# Parties and their addresses, by endpoint.
_PartiesByEndpoint = dict[str, dict[str, Address]]


def _members(
    cluster: Cluster, draft: Draft, with_broker: Callable[[Cluster, Draft], _PartiesByEndpoint]
) -> Iterator[tuple[str, dict[str, Address]]]:
    """Other parties: id and addresses by endpoint. What is no party, or half of one, is lost."""
    engine = cluster.engines["federation"]
    one_port = _ENDPOINTS.get(engine)
    parties = with_broker(cluster, draft) if one_port is None else {one_port: _party_list(cluster, draft, _LISTS[engine])}
    yield from _whole(parties, tuple(parties), cluster, draft)


def _partners(cluster: Cluster, draft: Draft) -> _PartiesByEndpoint:
    """The next hops of a party with a broker; its default routes describe its exchange."""
    broker = cluster.engines["federation"].lower()
    parties = {broker: dict(_brokers(cluster, draft, broker)), "nginx": dict(_routers(cluster, draft, frozenset({_DEFAULT})))}
    if parties.get("pulsar") and not cluster.file.get("pulsar", "exchange"):
        draft.warn(_MESH_OF_PULSAR)
    return parties


def _tunnelled(cluster: Cluster, draft: Draft) -> _PartiesByEndpoint:
    """The members of an exchange for Pulsar."""
    return {"pulsar": dict(_tunnels(cluster, draft)), "nginx": dict(_routers(cluster, draft, frozenset()))}


def _whole(
    parties: dict[str, dict[str, Address]], wanted: tuple[str, ...], cluster: Cluster, draft: Draft
) -> Iterator[tuple[str, dict[str, Address]]]:
    """Parties with an address for each endpoint; the others are lost."""
    for party in dict.fromkeys(party for endpoint in wanted for party in parties[endpoint]):
        addresses = {endpoint: parties[endpoint][party] for endpoint in wanted if party in parties[endpoint]}
        lacking = [endpoint for endpoint in wanted if endpoint not in addresses]
        if party == cluster.party:
            draft.read |= {address.entry for address in addresses.values()}
            continue
        if wrong := _unfit(party, addresses):
            half = f"half a peer: {' and '.join(wrong)} of party {party} cannot be dialled"
            for endpoint, address in addresses.items():
                _lose(draft, party, {endpoint: address}, wrong.get(endpoint, half))
        elif lacking:
            _lose(draft, party, addresses, f"half a peer: party {party} has no {' and no '.join(lacking)} here")
        else:
            yield party, addresses


def _party_list(cluster: Cluster, draft: Draft, words: tuple[str, ...]) -> dict[str, Address]:
    addresses: dict[str, Address] = {}
    for word in words:
        for number, entry in enumerate(listed(cluster.file.get(word, "partyList")) if word in cluster.modules else []):
            address = Address(entry.get("partyIp"), entry.get("partyPort"), (word, "partyList", str(number), "partyIp"), "partyPort")
            party = str(entry.get("partyId") or "")
            if not party:
                draft.lose(address.entry, "partyId is missing")
            elif party in addresses:
                draft.lose(address.entry, f"party {party} is listed twice")
            else:
                addresses[party] = address
    return addresses


def _brokers(cluster: Cluster, draft: Draft, word: str) -> Iterator[tuple[str, Address]]:
    for party, route in plain(cluster.file.get(word, "route_table")).items():
        route, origin = plain(route), (word, "route_table", str(party), "host")
        key = "sslPort" if word == "pulsar" else "port"
        if str(party) == cluster.party or (word == "pulsar" and str(party) == _DEFAULT):
            draft.read.add(origin[:-1])
        elif word == "pulsar" and route.get("proxy"):
            draft.lose(origin[:-1], "a peer behind a proxy of its own is not dialled here: use a star")
        elif word == "pulsar" and route.get(key) is None:
            draft.lose(origin[:-1], "without sslPort: brokers talk to each other in TLS here, so ask the peer for its TLS port")
        else:
            yield str(party), Address(route.get("host"), route.get(key), origin, key)


def _routers(cluster: Cluster, draft: Draft, read: frozenset[str]) -> Iterator[tuple[str, Address]]:
    for party, route in plain(cluster.file.get("nginx", "route_table")).items():
        kind = "proxy" if listed(plain(route).get("proxy")) else "fateflow"
        path = ("nginx", "route_table", str(party), kind)
        if str(party) in read:
            continue
        for number, entry in enumerate(listed(plain(route).get(kind))):
            origin = (*path, str(number), "host")
            if number:
                draft.lose(origin[:-1], "a peer has one nginx here")
                continue
            if "http_port" not in entry and "port" in entry and str(party) != cluster.party:
                draft.warn(f"party {party}: charts 1.5 had one port of nginx; check that {entry['port']} is its HTTP port")
            yield str(party), Address(entry.get("host"), entry.get("http_port", entry.get("port")), origin, "http_port")


def _tunnels(cluster: Cluster, draft: Draft) -> Iterator[tuple[str, Address]]:
    for number, entry in enumerate(listed(cluster.file.get("trafficServer", "route_table", "sni"))):
        path = ("trafficServer", "route_table", "sni", str(number))
        party, _, domain = str(entry.get("fqdn", "")).partition(".")
        if domain != draft.puts["federation", "domain"].value:
            draft.lose(path, f"ends in {domain}, while the federation's domain is {draft.puts['federation', 'domain'].value}")
        else:
            yield party, _split(str(entry.get("tunnelRoute") or ""), (*path, "tunnelRoute"))


def _unfit(party: str, addresses: dict[str, Address]) -> dict[str, str]:
    """Why this is no peer that can be typed by hand, by endpoint; empty: it is one."""
    try:
        TypeAdapter(PartyId).validate_python(party)
    except ValidationError:
        return dict.fromkeys(addresses, f"{party!r} is not a party id")
    reasons = {endpoint: _undialled(endpoint, address) for endpoint, address in addresses.items()}
    return {endpoint: reason for endpoint, reason in reasons.items() if reason is not None}


def _undialled(endpoint: str, address: Address) -> str | None:
    if address.missing is not None:
        return f"{address.missing} is missing"
    try:
        TypeAdapter(HostPort).validate_python(address.text)
    except ValidationError:
        return f"{address.text!r} is not host:port"
    if endpoint == "nginx" and not is_ip(str(address.host)):
        return f"{address.host!r} is a name, which FATE's nginx does not resolve: write the peer's IP address"
    if not has_path(("peers", "x", endpoint), StackSpec):
        return f"peers with {endpoint} are not known to this program yet"
    return None


def _write(draft: Draft, name: str, party: str | None, addresses: dict[str, Address]) -> None:
    if wrong := _unfit(party or "1", addresses):
        for endpoint, address in addresses.items():
            _lose(draft, party, {endpoint: address}, wrong.get(endpoint, f"half an exchange: {' and '.join(wrong)} cannot be dialled"))
        return
    draft.put(("peers", name, "unsigned"), True, None, "typed by hand: from cluster.yaml only")
    if party is not None:
        draft.put(("peers", name, "partyId"), party, None)
    for endpoint, address in addresses.items():
        draft.put(("peers", name, endpoint), address.text, address.origin)


def _lose(draft: Draft, party: str | None, addresses: dict[str, Address], reason: str) -> None:
    for endpoint, address in addresses.items():
        draft.lose(address.entry, reason)
        draft.unrouted.append((f"{_HUB if party is None else f'party-{party}'} {endpoint}", address.origin, address.text))


def published(cluster: Cluster, draft: Draft) -> None:
    """Node ports are advertised under an address, which KubeFATE did not know."""
    if cluster.file.get("pulsar", "publicLB", "enabled") is True and cluster.at("publish.pulsar.type") in draft.puts:
        draft.put(cluster.at("publish.pulsar.type"), "LoadBalancer", ("pulsar", "publicLB", "enabled"))
        draft.puts.pop(cluster.at("publish.pulsar.port"), None)
    for path, put in list(draft.puts.items()):
        if path[-1] != "type" or path[-3:-2] != ("publish",):
            continue
        if put.value == "NodePort":
            _advertise(cluster, draft, path[:-1])
        elif put.value == "ClusterIP":
            draft.warn(f"{path[-2]} is published inside its own cluster only, as it was (type ClusterIP): peers elsewhere cannot dial it")


def _advertise(cluster: Cluster, draft: Draft, at: Path_) -> None:
    address = cluster.choices.node_address
    if address is None:
        draft.ask(
            f"replace {PLACEHOLDER} by the address at which peers reach your nodes (or convert with --node-address): KubeFATE has none"
        )
    note = f"REPLACE {PLACEHOLDER}: the address at which peers reach your nodes" if address is None else "--node-address"
    draft.put((*at, "advertise", "host"), address or PLACEHOLDER, None, note)
    if at[-1] == "nginx" and address is not None and not is_ip(address):
        draft.ask(f"nginx of peers resolves no names: add advertise.addresses under publish.nginx, the IP addresses of {address}")
