"""Which of a party's engines are external, what they replace, and where each engine is reached from inside the party."""

from collections.abc import Mapping
from typing import Any

from federation.catalogue.releases import Release
from federation.config.party import PartySpec
from federation.config.units import AnySpec, TrainingUnit

# The modules that an external engine stands in for.
REPLACED: dict[str, tuple[str, ...]] = {
    "mysql": ("mysql",),
    "spark": ("sparkMaster", "sparkWorker"),
    "hdfs": ("namenode", "datanode"),
    "pulsar": ("pulsar",),
    "rabbitmq": ("rabbitmq",),
}
# The ports that a release has a name for, and the field of an external engine that replaces each.
_PORTS: dict[str, dict[str, str]] = {
    "mysql": {"mysql": "port"},
    "pulsar": {"pulsar": "port", "pulsarTls": "tls_port", "pulsarAdmin": "management_port"},
    "rabbitmq": {"rabbitmq": "port", "rabbitmqAdmin": "management_port"},
}


def external_engines(own: AnySpec) -> dict[str, Any]:
    """The external engines of a party, none of another kind, by name: the models of `federation.config.engines`."""
    engines = {name: getattr(getattr(own, "engines", None), name, None) for name in REPLACED}
    return {name: engine.external for name, engine in engines.items() if engine is not None}


def replaced_modules(own: PartySpec) -> dict[str, str]:
    """The modules that are not deployed because an engine is external: {module: engine}."""
    return {module: engine for engine in external_engines(own) for module in REPLACED[engine]}


def engine_host(own: AnySpec, engine: str) -> str:
    """The host of an engine as the party dials it: the external one's, or the Service of its module."""
    external = external_engines(own).get(engine)
    return engine if external is None else str(external.host)


def engine_ports(unit: TrainingUnit) -> Mapping[str, int]:
    """The ports of the party's engines: the release's, and those of external engines in their place."""
    ports = dict(unit.release.ports)
    for engine, external in external_engines(unit.spec).items():
        ports |= {name: getattr(external, field) for name, field in _PORTS.get(engine, {}).items()}
    return ports


def engine_modules(own: PartySpec, release: Release) -> tuple[str, ...]:
    """The modules of the party's engines that are deployed, in the order of the release."""
    combination = release.combination(own.computing, own.federation, own.storage)
    replaced = replaced_modules(own)
    return () if combination is None else tuple(module for module in combination.modules if module not in replaced)
