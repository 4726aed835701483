"""Rules about one module's knobs: what it cannot have, said where it is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from federation.base.errors import Place, Problem
from federation.catalogue.portal import PortalRelease
from federation.catalogue.releases import ModuleRow, Release
from federation.catalogue.serving import ServingRelease
from federation.config.modules import ModulePersistence, ModuleSpec
from federation.units.checked import found_by

# What stands in `modules` under one key: which rows of the catalogue it is, and under which key each stands there.
GROUPS = {"spark": {"sparkMaster": "master", "sparkWorker": "worker"}, "hdfs": {"namenode": "namenode", "datanode": "datanode"}}
# Where in `modules` each row of the catalogue stands, when not under its own name.
_PATHS = {row: (group, key) for group, rows in GROUPS.items() for row, key in rows.items()}


def module_path(name: str) -> tuple[str, ...]:
    """Where a row of the catalogue stands under `modules`."""
    return _PATHS.get(name, (name,))


@dataclass(frozen=True)
class _Knobs:
    """What the operator says of one module, at its path, and the module's row."""

    name: str
    given: ModuleSpec
    row: ModuleRow
    own_environment: frozenset[str]
    path: tuple[str, ...]
    place: Place

    def at(self, *keys: str) -> str:
        """The place of a key below."""
        return self.place((*self.path, *keys))


def broken_knobs(
    specs: Mapping[str, ModuleSpec | None],
    rows: Mapping[str, ModuleRow],
    release: Release | ServingRelease | PortalRelease,
    place: Place,
    at: tuple[str, ...],
) -> Iterator[Problem]:
    """Settings that a module cannot have."""
    for name, given in specs.items():
        if given is not None and name in rows:
            path = (*at, "modules", *module_path(name))
            yield from found_by(_RULES, _Knobs(name, given, rows[name], release.own_environment, path, place))


def _environment(module: _Knobs) -> Iterator[Problem]:
    for variable in sorted(module.given.env.keys() & module.own_environment):
        problem = f"{variable} is set by this program"
        yield Problem(module.at("env", variable), problem, "remove this line; passwords belong into fate:secrets")


def _replicas(module: _Knobs) -> Iterator[Problem]:
    name, replicas = module.name, module.given.replicas
    if name == "sparkWorker" and replicas is not None:
        yield Problem(module.at("replicas"), "Spark's workers are counted by modules.spark.workers", "write the number there")
    elif (replicas or 1) > 1 and not module.row.scales:
        problem = f"{name} works alone: {replicas} replicas would be {replicas} separate ones"
        yield Problem(module.at("replicas"), problem, "remove this line")


def _gpus(module: _Knobs) -> Iterator[Problem]:
    if module.given.gpus and "device" not in module.row.suffixes:
        yield Problem(module.at("gpus"), f"{module.name} computes nothing on a GPU", "remove this line")


def _volumes(module: _Knobs) -> Iterator[Problem]:
    """Volumes at a place of the program's own, above one, or at the place of another volume."""
    taken: dict[str, str] = {}
    for volume, path in sorted((name, volume.mount_path) for name, volume in module.given.volumes.items()):
        where = module.at("volumes", volume, "mountPath")
        if hidden := sorted(own for own in module.row.paths if own == path or own.startswith(f"{path}/")):
            yield Problem(where, f"{path} would hide {hidden[0]}, where this program mounts files", "choose another path")
        elif path in taken:
            yield Problem(where, f"{path} is taken by the volume {taken[path]}", "choose another path")
        taken.setdefault(path, volume)


def _persistence(module: _Knobs) -> Iterator[Problem]:
    given, row = module.given, module.row
    if given.persistence is not None and row.claim is None:
        problem = f"{module.name} has no claim: its data lives as long as its pod"
        yield Problem(module.at("persistence"), problem, "remove it; a volume of your own is described under volumes")
        return
    replicas = given.replicas or row.replicas
    if isinstance(given.persistence, ModulePersistence) and given.persistence.existing_claim is not None and replicas > 1:
        yield Problem(
            module.at("persistence", "existingClaim"),
            f"{module.name} has {replicas} replicas, and each needs a claim of its own",
            "remove this line, or set replicas to 1",
        )


def _service(module: _Knobs) -> Iterator[Problem]:
    name, service, row = module.name, module.given.service, module.row.service
    if service is None:
        return
    if row is None:
        problem = f"{name} has no Service that takes settings"
        yield Problem(module.at("service"), problem, "remove it; what peers reach is described under publish")
        return
    if row.headless and service.type != "ClusterIP":
        problem = f"the pods of {name} are found one by one, which a Service of type {service.type} cannot do"
        yield Problem(module.at("service", "type"), problem, "remove this line; annotations are possible")
    for port in sorted(service.node_ports.keys() - set(row.ports)):
        where = module.at("service", "nodePorts", port)
        yield Problem(where, f"the Service of {name} has no port {port}", f"choose one of {', '.join(row.ports)}")


_RULES = (_environment, _replicas, _gpus, _volumes, _persistence, _service)
