"""Rules about the settings of one module: those that it cannot have."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from federation.base.errors import PlaceOf, Problem
from federation.catalogue.portal import PortalRelease
from federation.catalogue.releases import ModuleRow, Release
from federation.catalogue.serving import ServingRelease
from federation.config.modules import ModulePersistence, ModuleSpec
from federation.units.checked import run_rules

# Keys of `modules` that hold several modules: {key: {row of the catalogue: key below it}}.
GROUPS = {"spark": {"sparkMaster": "master", "sparkWorker": "worker"}, "hdfs": {"namenode": "namenode", "datanode": "datanode"}}
# The path below `modules` of rows of the catalogue that are not under their own name.
_PATHS = {row: (group, key) for group, rows in GROUPS.items() for row, key in rows.items()}


def module_path(name: str) -> tuple[str, ...]:
    """The path below `modules` of a row of the catalogue."""
    return _PATHS.get(name, (name,))


def broken_knobs(
    specs: Mapping[str, ModuleSpec | None],
    rows: Mapping[str, ModuleRow],
    release: Release | ServingRelease | PortalRelease,
    place_of: PlaceOf,
    at: tuple[str, ...],
) -> Iterator[Problem]:
    """A problem for each setting that its module cannot have. `specs`, `rows`: by name in the catalogue; `at`: the path of the unit."""
    for name, spec in specs.items():
        if spec is not None and name in rows:
            where = partial(_below, place_of, (*at, "modules", *module_path(name)))
            yield from run_rules((partial(_environment, release.own_environment), *_RULES), where, name, spec, rows[name])


# Makes the place of a key below a module's path.
At = Callable[..., str]


def _below(place_of: PlaceOf, path: tuple[str, ...], *keys: str) -> str:
    return place_of((*path, *keys))


def _environment(own: frozenset[str], at: At, name: str, spec: ModuleSpec, row: ModuleRow) -> Iterator[Problem]:
    for variable in sorted(spec.env.keys() & own):
        remedy = "remove this line; passwords belong in fate:secrets"
        yield Problem(at("env", variable), f"{variable} is set by this program", remedy)


def _replicas(at: At, name: str, spec: ModuleSpec, row: ModuleRow) -> Iterator[Problem]:
    replicas = spec.replicas
    if name == "sparkWorker" and replicas is not None:
        yield Problem(at("replicas"), "modules.spark.workers sets the number of Spark workers", "write the number there")
    elif (replicas or 1) > 1 and not row.scales:
        problem = f"{name} does not scale: {replicas} replicas would be {replicas} separate servers"
        yield Problem(at("replicas"), problem, "remove this line")


def _gpus(at: At, name: str, spec: ModuleSpec, row: ModuleRow) -> Iterator[Problem]:
    if spec.gpus and "device" not in row.suffixes:
        yield Problem(at("gpus"), f"{name} does not use a GPU", "remove this line")


def _volumes(at: At, name: str, spec: ModuleSpec, row: ModuleRow) -> Iterator[Problem]:
    paths = {volume: settings.mount_path for volume, settings in sorted(spec.volumes.items())}
    for volume, problem in clashes(paths, row):
        yield Problem(at("volumes", volume, "mountPath"), problem, "choose another path")


def clashes(paths: Mapping[str, str], row: ModuleRow) -> Iterator[tuple[str, str]]:
    """The volumes whose mount path hides one of the program's own mounts, or equals that of one before it; what is wrong with each."""
    taken: dict[str, str] = {}
    for volume, path in paths.items():
        if hidden := sorted(own for own in row.paths if own == path or own.startswith(f"{path}/")):
            yield volume, f"{path} would hide {hidden[0]}, where this program mounts files"
        elif path in taken:
            yield volume, f"{path} is taken by the volume {taken[path]}"
        taken.setdefault(path, volume)


def _persistence(at: At, name: str, spec: ModuleSpec, row: ModuleRow) -> Iterator[Problem]:
    if spec.persistence is not None and row.claim is None:
        problem = f"{name} has no claim: its data lives as long as its pod"
        yield Problem(at("persistence"), problem, "remove it, or add a volume under volumes")
        return
    replicas = spec.replicas or row.replicas
    if isinstance(spec.persistence, ModulePersistence) and spec.persistence.existing_claim is not None and replicas > 1:
        yield Problem(
            at("persistence", "existingClaim"),
            f"{name} has {replicas} replicas, and each needs its own claim",
            "remove this line, or set replicas to 1",
        )


def _service(at: At, name: str, spec: ModuleSpec, row: ModuleRow) -> Iterator[Problem]:
    service, known = spec.service, row.service
    if service is None:
        return
    if known is None:
        problem = f"{name} has no Service that takes settings"
        yield Problem(at("service"), problem, "remove it; for ports that peers dial use publish")
        return
    if known.headless and service.type != "ClusterIP":
        problem = f"the pods of {name} need a headless Service, which cannot be of type {service.type}"
        yield Problem(at("service", "type"), problem, "remove this line; only annotations can be set")
    for port in sorted(service.node_ports.keys() - set(known.ports)):
        where = at("service", "nodePorts", port)
        yield Problem(where, f"the Service of {name} has no port {port}", f"choose one of {', '.join(known.ports)}")


_RULES = (_replicas, _gpus, _volumes, _persistence, _service)
