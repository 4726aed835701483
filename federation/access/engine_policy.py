"""What crosses a stack's edge for engines and servers that are no part of it: from its pods to them, and from Spark's workers back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from federation.base.scalars import is_ip
from federation.config.units import AnySpec, TrainingUnit
from federation.links.external_engines import external_engines

Ports = tuple[int | range, ...]


@dataclass(frozen=True)
class EgressTarget:
    """Connections to one host of an engine or server; without a host: to machines whose addresses only the engine knows."""

    engine: str
    host: str | None
    ports: Ports

    @classmethod
    def to(cls, engine: str, address: str) -> "EgressTarget":
        """A server at host:port."""
        host, _, port = address.rpartition(":")
        return cls(engine, host, (int(port),))

    @property
    def address(self) -> str | None:
        """The host's address; None when the host is a name, which no policy can hold."""
        return self.host if self.host is not None and is_ip(self.host) else None


def egress_targets(unit: TrainingUnit) -> Iterator[EgressTarget]:
    """The targets of a unit's pods at its external engines."""
    for engine, external in external_engines(unit.spec).items():
        for host, ports in _TARGETS[engine](external, unit.release.ports):
            yield EgressTarget(engine, host, ports)


def driver_ports(own: AnySpec) -> Ports:
    """The ports at which workers of an external Spark call FATE-Flow's pod back; none with a Spark of its own."""
    spark = external_engines(own).get("spark")
    return () if spark is None else tuple(spark.port_ranges[key] for key in ("driverStartPort", "blockManagerStartPort"))


_Hosts = Iterator[tuple[str | None, Ports]]


def _server(external: Any, ports: Mapping[str, int]) -> _Hosts:
    yield external.host, (external.port,)


def _broker(external: Any, ports: Mapping[str, int]) -> _Hosts:
    yield external.host, (external.port, external.management_port)


def _hdfs(external: Any, ports: Mapping[str, int]) -> _Hosts:
    yield _host_port(external.name_node.removeprefix("hdfs://"))
    yield None, (ports["datanode"],)


def _spark(external: Any, ports: Mapping[str, int]) -> _Hosts:
    for master in external.master.removeprefix("spark://").split(","):
        yield _host_port(master)
    # Large results are fetched from the executors' block managers, which use the driver's ports.
    yield None, (external.port_ranges["blockManagerStartPort"],)


def _host_port(text: str) -> tuple[str | None, Ports]:
    host, _, port = text.rpartition(":")
    return host, (int(port),)


_TARGETS: dict[str, Callable[[Any, Mapping[str, int]], _Hosts]] = {
    "mysql": _server,
    "spark": _spark,
    "hdfs": _hdfs,
    "pulsar": _broker,
    "rabbitmq": _broker,
}
