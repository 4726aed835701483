"""A packet model of FATE's proxies: it executes rendered route tables, from FATE-Flow of one party to whoever answers.

What each proxy does with a packet is one row of `PROXIES`; where the packets of a federation engine begin is one row of
`ENGINES`. Behaviour: reference sections 8.1 (rollsite), 8.3 (OSX), 10.1 (Pulsar), 10.2 (RabbitMQ), 10.3 (nginx), 11.3 (Traffic Server),
12.3 (FATE-Serving).
"""

import ipaddress
import json
import re
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from tests.support.helm import CHARTS
from tests.support.policies import Outside, Pod, Policy, passes

MAX_HOPS = 8
# FATE-Serving in the place of a federation engine: its link is its own.
SERVING = "Serving"
# Whose address a connection from another cluster comes from: nobody knows.
_SOMEWHERE = "192.0.2.200"


@dataclass(frozen=True)
class Packet:
    """The first bytes of a connection: whom they are for, and how they are spoken."""

    target: str
    plane: str
    wire: str
    server_name: str = ""


@dataclass(frozen=True)
class Delivered:
    """The packet reached the party's own FATE-Flow, broker or rollsite, which serves it."""


@dataclass(frozen=True)
class Dropped:
    """Nobody got the packet, and why."""

    reason: str


@dataclass(frozen=True)
class Dial:
    """The proxy opens a connection and hands the packet over."""

    host: str
    port: int
    packet: Packet


Step = Delivered | Dropped | Dial


_CLUSTERS = runpy.run_path(str(CHARTS / "fate-party" / "files" / "pulsar-clusters.py"))


@dataclass
class Unit:
    """One deployed party or exchange: its route files as its proxies see them, and what the proxies remember."""

    organization: str
    key: str
    namespace: str
    engine: str
    files: dict[str, str]
    ports: Mapping[str, int]
    nginx: dict[str, Any] = field(default_factory=dict)
    pulsar: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    # Whether the container runs that makes its Pulsar forget; an external Pulsar has none.
    watched: bool = True

    @property
    def party(self) -> str:
        """The id of the party it belongs to; empty for an exchange of either kind."""
        return found.group(1) if (found := re.fullmatch(r"(?:party|serving)-(\d+)", self.key)) else ""

    def load(self, files: dict[str, str]) -> None:
        """New route files arrive. nginx adds and changes entries, and forgets none before its restart."""
        self.files = files
        self.nginx |= {str(key): value for key, value in (_yaml(files.get("route_table.yaml", "")) or {}).items()}
        if self.watched and "pulsar_route_table.yaml" in files:
            self._forget_clusters(files["pulsar_route_table.yaml"])

    def restart(self) -> None:
        """The pods start again: only the files are known."""
        self.nginx = {}
        self.load(self.files)

    def _forget_clusters(self, text: str) -> None:
        """What the container beside Pulsar decides, by its own script (tests/pulsar shows that it is done)."""
        table = _CLUSTERS["read_table"](text, self.party)
        for party, (host, port, proxy) in list(self.pulsar.items()):
            url = f"pulsar+ssl://{host}:{port}", f"pulsar+ssl://{proxy}" if proxy else ""
            if url not in [way[1:] for way in _CLUSTERS["ways"](table, party)]:
                del self.pulsar[party]


def _service(unit: Unit, port: str, packet: Packet) -> Iterator[Step]:
    """FATE-Flow, a broker or serving-server: whatever arrives at the right port is for it."""
    yield Delivered() if port == packet.wire else Dropped(f"{packet.wire} at the {port} port of {unit.key}")


def _nginx(unit: Unit, port: str, packet: Packet) -> Iterator[Step]:
    if port != packet.wire:
        yield Dropped(f"{packet.wire} at nginx's {port} port")
        return
    known = packet.target in unit.nginx
    targets = unit.nginx[packet.target].get("fateflow") if known else unit.nginx.get("default", {}).get("proxy")
    if not targets:
        yield Dropped(f"nginx has no route to {packet.target}: 500")
        return
    # One of them at random: each must be right.
    for target in targets:
        dialled = target.get(f"{packet.wire}_port")
        if dialled is None or not _is_ip(str(target["host"])):
            yield Dropped("nginx cannot dial that: it goes on to 127.0.0.1:1")
        else:
            yield Dial(target["host"], dialled, packet)


def _rollsite(unit: Unit, port: str, packet: Packet) -> Iterator[Step]:
    if packet.wire != "grpc":
        yield Dropped(f"{packet.wire} at rollsite")
        return
    if unit.party == packet.target and packet.plane == "data":
        yield Delivered()
        return
    whole = json.loads(unit.files["route_table.json"])
    table = whole["route_table"]
    entry = table.get(packet.target) or (table.get("default") if whole["permission"]["default_allow"] else None)
    role = {"control": "fateflow", "data": "default"}[packet.plane]
    hops = {} if entry is None else entry.get(role) or entry.get("default")
    yield Dial(hops[0]["ip"], hops[0]["port"], packet) if hops else Dropped(f"rollsite has no route to {packet.target}")


def _osx(unit: Unit, port: str, packet: Packet) -> Iterator[Step]:
    """Of several hops any may be taken. Without `self_party` no table is loaded; nothing reads `default_allow`."""
    if packet.wire != "grpc":
        yield Dropped(f"{packet.wire} at OSX")
        return
    whole = json.loads(unit.files["route_table.json"])
    if not isinstance(whole.get("self_party"), list):
        yield Dropped("OSX has no self_party and loads no table")
        return
    if packet.target in whole["self_party"] and packet.plane == "data":
        yield Delivered()
        return
    entry = whole["route_table"].get(packet.target) or whole["route_table"].get("default") or {}
    role = {"control": "fateflow", "data": "default"}[packet.plane]
    hops = entry.get(role) or entry.get("default")
    if not hops:
        yield Dropped(f"OSX has no route to {packet.target}")
    for hop in hops or ():
        yield Dial(hop["ip"], hop["port"], packet)


def _traffic_server(unit: Unit, port: str, packet: Packet) -> Iterator[Step]:
    if packet.wire != "tls":
        yield Dropped(f"{packet.wire} at Traffic Server: refused")
        return
    routes = {entry["fqdn"]: entry["tunnel_route"] for entry in _yaml(unit.files["sni.yaml"])["sni"]}
    if packet.server_name not in routes:
        yield Dropped(f"no tunnel for {packet.server_name}: remap_required")
        return
    host, _, target_port = routes[packet.server_name].rpartition(":")
    (allowed,) = re.findall(r"http\.connect_ports STRING (.*)", unit.files["records.config"])
    if target_port not in allowed.split():
        yield Dropped(f"port {target_port} is not in connect_ports")
    else:
        yield Dial(host, int(target_port), packet)


def _serving_proxy(unit: Unit, port: str, packet: Packet) -> Iterator[Step]:
    """rollsite's format and lookup; what it looks for is the role `serving`. Of several hops any may be taken."""
    if packet.wire != "grpc":
        yield Dropped(f"{packet.wire} at serving-proxy")
        return
    whole = json.loads(unit.files["route_table.json"])
    table = whole["route_table"]
    entry = table.get(packet.target) or (table.get("default") if whole["permission"]["default_allow"] else None) or {}
    hops = entry.get("serving") or entry.get("default")
    if not hops:
        yield Dropped(f"serving-proxy has no route to {packet.target}")
    for hop in hops or ():
        yield Dial(hop["ip"], hop["port"], packet)


# By the module that a Service selects: what it does with a packet at one of its ports.
PROXIES: dict[str, Callable[[Unit, str, Packet], Iterator[Step]]] = {
    "fateflow": _service,
    "nginx": _nginx,
    "rollsite": _rollsite,
    "osx": _osx,
    "traffic-server": _traffic_server,
    "pulsar": _service,
    "rabbitmq": _service,
    "serving-proxy": _serving_proxy,
    "serving-server": _service,
}

# Names inside a party's namespace that route tables and FATE-Flow dial: (name, key of the release's ports): (module, port).
# tests/charts/test_names.py holds them against the rendered Services.
NAMES = {
    ("fateflow", "fateflowGrpc"): ("fateflow", "grpc"),
    ("fateflow", "fateflowHttp"): ("fateflow", "http"),
    ("nginx", "nginxHttp"): ("nginx", "http"),
    ("rollsite", "rollsite"): ("rollsite", "grpc"),
    ("osx", "osx"): ("osx", "grpc"),
    ("pulsar", "pulsarTls"): ("pulsar", "tls"),
    ("rabbitmq", "rabbitmq"): ("rabbitmq", "amqp"),
}
# The same of FATE-Serving; its own names are dialled with their namespace, too.
SERVING_NAMES = {
    ("serving-proxy", "servingProxyInter"): ("serving-proxy", "inter"),
    ("serving-proxy", "servingProxyIntra"): ("serving-proxy", "intra"),
    ("serving-server", "servingServer"): ("serving-server", "grpc"),
}


def _through_nginx(unit: Unit, target: str) -> Iterator[Step]:
    yield Dial("nginx", unit.ports["nginxHttp"], Packet(target, "control", "http"))


def _through_rollsite(unit: Unit, target: str) -> Iterator[Step]:
    for plane in ("control", "data"):
        yield Dial("rollsite", unit.ports["rollsite"], Packet(target, plane, "grpc"))


def _through_osx(unit: Unit, target: str) -> Iterator[Step]:
    for plane in ("control", "data"):
        yield Dial("osx", unit.ports["osx"], Packet(target, plane, "grpc"))


def _through_serving_proxy(unit: Unit, target: str) -> Iterator[Step]:
    yield Dial("serving-proxy", unit.ports["servingProxyIntra"], Packet(target, "serving", "grpc"))


def _to_pulsar(unit: Unit, target: str) -> Iterator[Step]:
    """FATE-Flow makes a cluster of each other party in its Pulsar, once; Pulsar dials what the entry says."""
    if target not in unit.pulsar:
        table = _yaml(unit.files["pulsar_route_table.yaml"])
        # FATE 1.x looks parties up by number.
        if (entry := table.get(int(target))) is not None:
            unit.pulsar[target] = (entry["host"].strip("[]"), entry["sslPort"], entry["proxy"])
        elif (entry := table.get("default")) is not None:
            unit.pulsar[target] = (f"{target}.{entry['domain']}", entry["brokerSslPort"], entry["proxy"])
        else:
            yield Dropped(f"FATE-Flow has no Pulsar of {target}")
            return
    name, port, proxy = unit.pulsar[target]
    host, _, proxy_port = proxy.rpartition(":")
    packet = Packet(target, "data", "tls", name)
    yield Dial(host, int(proxy_port), packet) if proxy else Dial(name, port, packet)


def _to_rabbitmq(unit: Unit, target: str) -> Iterator[Step]:
    entry = _yaml(unit.files["rabbitmq_route_table.yaml"]).get(int(target))
    missing = Dropped(f"FATE-Flow has no RabbitMQ of {target}")
    yield missing if entry is None else Dial(entry["host"].strip("[]"), entry["port"], Packet(target, "data", "amqp"))


# By federation engine: where the packets of a party begin.
ENGINES: dict[str, tuple[Callable[[Unit, str], Iterator[Step]], ...]] = {
    "Pulsar": (_through_nginx, _to_pulsar),
    "RabbitMQ": (_through_nginx, _to_rabbitmq),
    "Eggroll": (_through_rollsite,),
    "OSX": (_through_osx,),
    SERVING: (_through_serving_proxy,),
}


@dataclass(frozen=True)
class Outcome:
    """Where a packet ended: at a unit (organization, key), or nowhere, and the way it took."""

    plane: str
    wire: str
    at: tuple[str, str] | None
    reason: str
    way: tuple[str, ...]


Listener = tuple[Unit, str, str]


@dataclass
class Network:
    """Who listens where: outside, inside each cluster, and by name inside each namespace."""

    outside: dict[tuple[str, int], Listener] = field(default_factory=dict)
    clusters: dict[tuple[str, str, int], Listener] = field(default_factory=dict)
    names: dict[tuple[str, str, str, int], Listener] = field(default_factory=dict)
    # The network policies of each cluster, the container ports behind (module, port), and what names resolve to.
    policies: dict[str, list[Policy]] = field(default_factory=dict)
    container_ports: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    resolved: dict[str, str] = field(default_factory=dict)

    def listener(self, unit: Unit, host: str, port: int) -> Listener | None:
        """Who answers when a pod of the unit dials."""
        return (
            self.names.get((unit.organization, unit.key, host, port))
            or self.clusters.get((unit.organization, host, port))
            or self.outside.get((host, port))
        )

    def outcomes(self, unit: Unit, target: str) -> list[Outcome]:
        """Where everything that a party sends to another one ends."""
        return [
            outcome
            for begin in ENGINES[unit.engine]
            for step in begin(unit, target)
            for outcome in self._follow(unit, _OPENERS.get(begin, "fateflow"), step, Packet(target, "data", "?"), ())
        ]

    def strangers(self, host: str, port: int, packet: Packet) -> list[Outcome]:
        """Where a packet ends that somebody outside sends to a published address."""
        unit, module, name = self.outside[host, port]
        return [outcome for step in PROXIES[module](unit, name, packet) for outcome in self._follow(unit, module, step, packet, ())]

    def _lets(self, unit: Unit, module: str, listener: Listener, host: str, port: int) -> bool:
        """Whether the policies of both clusters let a pod of the unit reach a listener; inside a cluster they see pods only."""
        there, there_module, name = listener
        inside = self.container_ports[there.organization, there.key, there_module, name]
        source = Pod.of(unit.namespace, name=module, instance=unit.key)
        target = Pod.of(there.namespace, name=there_module, instance=there.key)
        if there.organization == unit.organization:
            return passes(self.policies[unit.organization], source, target, inside)
        out = passes(self.policies[unit.organization], source, Outside(self.resolved.get(host, host)), port)
        return out and passes(self.policies[there.organization], Outside(_SOMEWHERE), target, inside)

    def _follow(self, unit: Unit, module: str, step: Step, packet: Packet, way: tuple[str, ...]) -> Iterator[Outcome]:
        here = f"{unit.organization}/{unit.key}/{module}"
        if isinstance(step, Delivered):
            yield Outcome(packet.plane, packet.wire, (unit.organization, unit.key), "", (*way, here))
        elif isinstance(step, Dropped):
            yield Outcome(packet.plane, packet.wire, None, step.reason, (*way, here))
        else:
            yield from self._dial(unit, module, step, (*way, here))

    def _dial(self, unit: Unit, module: str, step: Dial, way: tuple[str, ...]) -> Iterator[Outcome]:
        packet = step.packet
        dropped = replace(Outcome(packet.plane, packet.wire, None, "", way))
        found = self.listener(unit, step.host, step.port)
        if len(way) >= MAX_HOPS:
            yield replace(dropped, reason="loop")
        elif found is None:
            yield replace(dropped, reason=f"nobody listens at {step.host}:{step.port}")
        elif not self._lets(unit, module, found, step.host, step.port):
            yield replace(dropped, reason=f"a network policy forbids {step.host}:{step.port}")
        else:
            there, next_module, port = found
            for following in PROXIES[next_module](there, port, packet):
                yield from self._follow(there, next_module, following, packet, way)


# Who opens the connection, when it is not FATE-Flow.
_OPENERS: dict[Callable[[Unit, str], Iterator[Step]], str] = {
    _to_pulsar: "pulsar",
    _to_rabbitmq: "rabbitmq",
    _through_serving_proxy: "serving-server",
}


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
