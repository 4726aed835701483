"""`fatefed open`: where a browser reaches a console: at its URL when the stack publishes it, else through kubectl."""

import shlex
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cli.doctor.own.named import by_name
from cli.tools.kubectl import Cluster
from federation.access.console_rows import CONSOLES
from federation.access.consoles import port_forward
from federation.stack.load import LoadedStack
from federation.units.unit import UnitPlan

_LOOPBACK = "127.0.0.1"
# How the URL of a console begins that kubectl forwards.
FORWARDED = f"http://{_LOOPBACK}:"


@dataclass(frozen=True)
class Console:
    """A console of a unit. `url`: None when it is not published; `port`: of its Service, in the unit's namespace."""

    name: str
    unit: UnitPlan
    url: str | None
    service: str
    port: int

    def forward(self, local: int | None = None) -> list[str]:
        """The arguments of kubectl that bring it to this machine, on loopback only. `local`: its port here (0: any), else the Service's."""
        ports = f"{self.port if local is None else local or ''}:{self.port}"
        return ["port-forward", "--namespace", self.unit.namespace, f"--address={_LOOPBACK}", self.service, ports]

    def local_url(self, port: int | None = None) -> str:
        """Where it is while kubectl forwards."""
        return f"{FORWARDED}{self.port if port is None else port}"


def find_console(loaded: LoadedStack, word: str, unit: str | None) -> Console:
    """The console of that name. CommandError for a name that none has, or that several units have."""
    return by_name("console", word, unit, {one.key: consoles_of(loaded, one) for one in loaded.plan.units})


def consoles_of(loaded: LoadedStack, unit: UnitPlan) -> dict[str, Console]:
    """Every console of a unit by name: also those that are neither published nor offered, because they ask for no password."""
    release = loaded.spec.catalogue.get(unit.release)
    hidden = {
        name: {"portForward": port_forward(unit.namespace, row.service, release.ports[row.port])}
        for name, row in CONSOLES.items()
        if release is not None and row.module in unit.modules
    }
    offered = {name: way for name, way in unit.access.items() if isinstance(way, dict)}
    return {name: _console(name, unit, way) for name, way in {**hidden, **offered}.items()}


def _console(name: str, unit: UnitPlan, way: Mapping[str, str]) -> Console:
    service, ports = shlex.split(way["portForward"])[-2:]
    return Console(name, unit, way["url"] if "host" in way else None, service, int(ports.rpartition(":")[2]))


def forwarded(console: Console, cluster: Cluster) -> Iterator[str]:
    """Bring a console to this machine, at its Service's port where that is free: its URL first, then what kubectl says, until it ends."""
    lines = cluster.lines(console.forward(None if _is_free(console.port) else 0))
    for line in lines:
        # Forwarding from 127.0.0.1:8080 -> 8080
        address, _, _ = line.removeprefix("Forwarding from ").partition(" ")
        yield console.local_url(int(address.rpartition(":")[2])) if address.startswith(_LOOPBACK) else line


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True
