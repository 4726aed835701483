"""Rules about one module's knobs: what it cannot have, said where it is written."""

from collections.abc import Iterator, Mapping

from federation.base.errors import Place, Problem
from federation.catalogue.portal import PortalRelease
from federation.catalogue.releases import ModuleRow, Release
from federation.catalogue.serving import ServingRelease
from federation.config.modules import ModulePersistence, ModuleSpec

# What stands in `modules` under one key, and which rows of the catalogue it is.
GROUPS = {"spark": ("sparkMaster", "sparkWorker"), "hdfs": ("namenode", "datanode")}
# Where in `modules` each row of the catalogue stands, when not under its own name.
_PATHS = {row: (group, row.removeprefix("spark").lower()) for group, rows in GROUPS.items() for row in rows}


def module_path(name: str) -> tuple[str, ...]:
    """Where a row of the catalogue stands under `modules`."""
    return _PATHS.get(name, (name,))


def broken_knobs(
    specs: Mapping[str, ModuleSpec | None],
    rows: Mapping[str, ModuleRow],
    release: Release | ServingRelease | PortalRelease,
    place: Place,
    at: tuple[str, ...],
) -> Iterator[Problem]:
    """Settings that a module cannot have."""
    for name, given in specs.items():
        if given is None or name not in rows:
            continue
        row, here = rows[name], (*at, "modules", *module_path(name))
        for variable in sorted(given.env.keys() & release.own_environment):
            problem = f"{variable} is set by this program"
            yield Problem(place((*here, "env", variable)), problem, "remove this line; passwords belong into fate:secrets")
        if name == "sparkWorker" and given.replicas is not None:
            yield Problem(place((*here, "replicas")), "Spark's workers are counted by modules.spark.workers", "write the number there")
        elif (given.replicas or 1) > 1 and not row.scales:
            problem = f"{name} works alone: {given.replicas} replicas would be {given.replicas} separate ones"
            yield Problem(place((*here, "replicas")), problem, "remove this line")
        if given.gpus and "device" not in row.suffixes:
            yield Problem(place((*here, "gpus")), f"{name} computes nothing on a GPU", "remove this line")
        yield from _volumes(given, row, place, here)
        yield from _persistence(name, given, row, place, here)
        yield from _service(name, given, row, place, here)


def _volumes(given: ModuleSpec, row: ModuleRow, place: Place, here: tuple[str, ...]) -> Iterator[Problem]:
    """Volumes at a place of the program's own, above one, or at the place of another volume."""
    taken: dict[str, str] = {}
    for volume, path in sorted((name, volume.mount_path) for name, volume in given.volumes.items()):
        where = place((*here, "volumes", volume, "mountPath"))
        if hidden := sorted(own for own in row.paths if own == path or own.startswith(f"{path}/")):
            yield Problem(where, f"{path} would hide {hidden[0]}, where this program mounts files", "choose another path")
        elif path in taken:
            yield Problem(where, f"{path} is taken by the volume {taken[path]}", "choose another path")
        taken.setdefault(path, volume)


def _persistence(name: str, given: ModuleSpec, row: ModuleRow, place: Place, here: tuple[str, ...]) -> Iterator[Problem]:
    if given.persistence is not None and row.claim is None:
        problem = f"{name} has no claim: its data lives as long as its pod"
        yield Problem(place((*here, "persistence")), problem, "remove it; a volume of your own is described under volumes")
        return
    replicas = given.replicas or row.replicas
    if isinstance(given.persistence, ModulePersistence) and given.persistence.existing_claim is not None and replicas > 1:
        yield Problem(
            place((*here, "persistence", "existingClaim")),
            f"{name} has {replicas} replicas, and each needs a claim of its own",
            "remove this line, or set replicas to 1",
        )


def _service(name: str, given: ModuleSpec, row: ModuleRow, place: Place, here: tuple[str, ...]) -> Iterator[Problem]:
    if given.service is None:
        return
    if row.service is None:
        yield Problem(
            place((*here, "service")),
            f"{name} has no Service that takes settings",
            "remove it; what peers reach is described under publish",
        )
        return
    if row.service.headless and given.service.type != "ClusterIP":
        problem = f"the pods of {name} are found one by one, which a Service of type {given.service.type} cannot do"
        yield Problem(place((*here, "service", "type")), problem, "remove this line; annotations are possible")
    for port in sorted(given.service.node_ports.keys() - set(row.service.ports)):
        yield Problem(
            place((*here, "service", "nodePorts", port)),
            f"the Service of {name} has no port {port}",
            f"choose one of {', '.join(row.service.ports)}",
        )
