"""The kinds of links, by their word in `fate:federation.link`: one row each of what is true without a stack.

What a link does with a stack is in `federation.links.kinds.registry`. Descriptors may be of peers with any kind of link, so that
they are read by all rows.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from federation.catalogue.endpoints import ANY, LinkRow, PublishedPort, PublishedService
from federation.catalogue.kinds import Kind
from federation.catalogue.native import NATIVE

LinkName = Literal["native"]
LINKS: Mapping[LinkName, LinkRow] = {"native": NATIVE}
# Ports that older descriptors name, and nobody dials.
FORMER_PORTS: dict[str, frozenset[str]] = {"nginx": frozenset({"grpc"})}


def published(kind: Kind) -> list[tuple[PublishedService, ...]]:
    """What a unit of a kind may publish: one row for each way to link it. Kinds of links may have rows in common."""
    return list(dict.fromkeys(services for link in LINKS.values() for services in link.published.get(kind, {}).values()))


def endpoint_names(kind: Kind) -> list[frozenset[str]]:
    """Every set of endpoints that a descriptor of a kind may publish."""
    return [frozenset(service.endpoint for service in services) for services in published(kind)]


def ports_of(kind: Kind, endpoint: str) -> dict[str, PublishedPort]:
    """The ports that an endpoint of a kind of unit publishes, by purpose."""
    return {port.purpose: port for service in _of(kind) if service.endpoint == endpoint for port in service.ports}


def exposed(kind: Kind, endpoint: str) -> str:
    """What whoever reaches an endpoint of a kind of unit can do there."""
    return next(service.exposes for service in _of(kind) if service.endpoint == endpoint)


def engine_of(endpoints: frozenset[str], kind: Kind) -> str:
    """The federation engine whose endpoints a descriptor publishes. KeyError for endpoints of none."""
    for link in LINKS.values():
        for engine in link.published[kind]:
            if engine != ANY and link.endpoints(kind, engine) == endpoints:
                return engine
    raise KeyError(f"no federation engine has the endpoints {sorted(endpoints)}")


def _of(kind: Kind) -> Iterator[PublishedService]:
    yield from (service for services in published(kind) for service in services)
