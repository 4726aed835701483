"""The firewall sheet of a stack: every connection that crosses the edge of its cluster, for those who open firewalls."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from federation.access.engine_policy import EgressTarget, driver_ports
from federation.base.live import live_values
from federation.catalogue.links import ports_of
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, units
from federation.links.external_engines import external_engines
from federation.links.partners import is_partner
from federation.peers.accepted import Peer, Peers
from federation.stack.plan import StackPlan
from federation.units.kinds.registry import kind_of
from federation.units.unit import UnitPlan

# Engines and servers that a party uses but this program does not deploy.
OUTSIDE = {
    "mysql": "job history and metadata: MySQL",
    "spark": "computing: Spark, without TLS",
    "hdfs": "data tables: HDFS, without TLS",
    "pulsar": "data: FATE-Flow to its Pulsar, and its admin API",
    "rabbitmq": "data: FATE-Flow to its RabbitMQ, and its management API",
    "FATE-Serving": "models: FATE-Flow to FATE-Serving's gRPC, without TLS",
    "ZooKeeper": "registry of FATE-Serving",
    "FATE-Flow": "models and jobs: FATE-Flow's HTTP, for FATE-Serving or a Site Portal",
    "Redis": "cache of FATE-Serving",
    "PostgreSQL": "records of a Site Portal or an FML Manager",
    "adaptor": "features: the adaptor of FATE-Serving",
}
_CALL_BACK = "computing: Spark's workers call the driver in FATE-Flow's pod back"


@dataclass(frozen=True)
class FirewallRow:
    """One kind of connection.

    `hosts`: where it goes; for an address that only the cluster or an engine knows, the words for it. `port`: one, or a range
    `first-last`.
    """

    direction: Literal["in", "out"]
    unit: str
    source: str
    endpoint: str
    hosts: tuple[str, ...]
    port: int | str
    protocol: str
    purpose: str
    opened_by: str

    def plain(self) -> dict[str, Any]:
        """The row as JSON-like data."""
        data = asdict(self)
        return {"openedBy": data.pop("opened_by"), **data, "hosts": list(self.hosts)}


def firewall_rows(spec: StackSpec, peers: Peers, plan: StackPlan) -> tuple[FirewallRow, ...]:
    """Every row, by unit, direction and peer. Connections between units of one stack stay inside its cluster."""
    ready = [peer for peer in peers.accepted if peer.routed and peer.name not in plan.pending]
    return tuple(row for unit in units(spec) for row in _rows(unit, plan.unit(unit.key), ready))


def _rows(unit: AnyUnit, plan: UnitPlan, ready: list[Peer]) -> Iterator[FirewallRow]:
    partners = [peer for peer in ready if is_partner(unit, peer)]
    yield from _incoming(unit, plan, partners)
    yield from _outgoing(unit, partners)
    for target in kind_of(unit).targets(unit):
        yield from _along(unit, target)
    yield from _calling_back(unit)


def _incoming(unit: AnyUnit, plan: UnitPlan, partners: list[Peer]) -> Iterator[FirewallRow]:
    senders = sorted({peer.descriptor.organization for peer in partners})
    source = f"outgoing addresses of {', '.join(senders)}" if senders else "outgoing addresses of its peers: none yet"
    for endpoint, body in plan.descriptor["endpoints"].items():
        for purpose, port in sorted(body["ports"].items()):
            hosts, carries = _hosts(body["host"], body["addresses"]), ports_of(unit.kind, endpoint)[purpose].carries
            yield FirewallRow("in", unit.key, source, endpoint, hosts, port, "TCP", carries, unit.stack.organization)


def _outgoing(unit: AnyUnit, partners: list[Peer]) -> Iterator[FirewallRow]:
    external = external_engines(unit.spec)
    for peer in partners:
        organization = peer.descriptor.organization
        opened_by = f"{unit.stack.organization} (out), {organization} (in)"
        for endpoint, body in sorted(peer.descriptor.endpoints.items()):
            for purpose, port in sorted(body.ports.items()):
                hosts = _hosts(body.host, body.addresses)
                module = unit.links.dialler(unit.kind, endpoint)
                source = f"external {module} of {unit.key}" if module in external else f"nodes of {unit.key}, or their NAT address"
                carried = f"{ports_of(peer.kind, endpoint)[purpose].carries}; to {peer.name}"
                yield FirewallRow("out", unit.key, source, endpoint, hosts, port, "TCP", carried, opened_by)


def _along(unit: AnyUnit, target: EgressTarget) -> Iterator[FirewallRow]:
    """A connection with an engine or server outside of the stack, which the organization itself runs."""
    host, source = target.host or f"every machine of the external {target.engine}", f"nodes of {unit.key}, or their NAT address"
    for port in map(_port, target.ports):
        yield FirewallRow("out", unit.key, source, target.engine, (host,), port, "TCP", OUTSIDE[target.engine], unit.stack.organization)


def _calling_back(unit: AnyUnit) -> Iterator[FirewallRow]:
    """An external Spark's workers, which dial the driver."""
    for port in map(_port, driver_ports(unit.spec)):
        host, who = external_engines(unit.spec)["spark"].driver_host or "the address of FATE-Flow's pod", "workers of the external spark"
        yield FirewallRow("in", unit.key, who, "spark", (host,), port, "TCP", _CALL_BACK, unit.stack.organization)


def _port(port: int | range) -> int | str:
    return port if isinstance(port, int) else f"{port[0]}-{port[-1]}"


def _hosts(host: str, addresses: Iterable[str]) -> tuple[str, ...]:
    """Host and addresses, each once; a marker in words."""
    return tuple(dict.fromkeys(_words(text) for text in (host, *addresses)))


def _words(text: str) -> str:
    for live in live_values(text):
        return f"{live.field} of Service {live.namespace}/{live.service}, after `pulumi up`"
    return text


def filled(rows: Iterable[FirewallRow], endpoints: Mapping[str, Mapping[str, Any]]) -> tuple[FirewallRow, ...]:
    """The rows with what the stack's outputs say of its own addresses: {unit: {endpoint: {host, addresses, ports}}}."""
    return tuple(
        replace(row, hosts=_hosts(body["host"], body.get("addresses", ())))
        if row.direction == "in" and (body := endpoints.get(row.unit, {}).get(row.endpoint))
        else row
        for row in rows
    )
