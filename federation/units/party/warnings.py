"""What a preview warns of, although it is legal: missing devices, patches, what only works inside, keys without effect."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from federation.base.errors import Finding, warning
from federation.config.modules import ModuleSpec
from federation.config.party import module_specs
from federation.config.publish import PublishNginx
from federation.config.units import PartyUnit, TrainingUnit
from federation.units.checked import PlannedStack, UnitWarn
from federation.units.module_rules import module_path
from federation.units.own_objects import ExtraManifests, images_of
from federation.units.party.values import device_of
from federation.units.patches import patched_keys
from federation.units.unit import UnitPlan

# job_cores of FATE-Flow's job_default_config.yaml. Seen with 2.2.0: "resource limit exceeded", and the job fails at once.
JOB_CORES = 4


def unpinned_images(units: Iterable[UnitPlan], manifests: Iterable[ExtraManifests]) -> Iterator[str]:
    """One sentence for all images whose tags alone say what runs."""
    references = {image.reference for unit in units for image in unit.images.values()}
    references |= {reference for file in manifests for reference in images_of(file.documents())}
    count = sum("@" not in reference for reference in references)
    if count:
        images = f"{count} image{'s have' if count > 1 else ' has'} no digest"
        yield f"{images}: anyone who can write to a registry decides what runs; `fatefed images pin` writes digests into the stack file"


def _in_the_clear(stack: PlannedStack, unit: PartyUnit) -> Iterator[Finding]:
    if not stack.spec.federation.links.tls(unit.spec.federation):
        text = f"party {unit.party} exchanges data without encryption, as FATE's {unit.spec.federation} does by itself:"
        yield warning(stack.at(unit, "federation"), text, "keep it inside a private network")


def _inside_only(stack: PlannedStack, unit: TrainingUnit) -> Iterator[Finding]:
    """Endpoints of a descriptor at an address that only its own cluster knows."""
    # An exchange of the same stack dials its parties inside the cluster.
    for endpoint, publication in unit.spec.publish.by_endpoint.items() if "local" not in unit.spec.hubs else ():
        if publication.type == "ClusterIP" and publication.advertise is None:
            path = (*unit.path, "publish", endpoint)
            text = f"{'.'.join(path)} can be dialled inside its own cluster only (type ClusterIP):"
            yield warning(stack.place_of(path), text, "add advertise, or another type")


def _without_effect(stack: PlannedStack, unit: TrainingUnit) -> Iterator[Finding]:
    nginx = unit.spec.publish.by_endpoint.get("nginx")
    if isinstance(nginx, PublishNginx) and nginx.grpc_port is not None:
        path = (*unit.path, "publish", "nginx", "grpcPort")
        text = f"{'.'.join(path)} has no effect: nginx publishes HTTP only, by which FATE-Flow calls its partners;"
        yield warning(stack.place_of(path), text, "remove it, and close the port in your firewall")


def _rotated(stack: PlannedStack, unit: PartyUnit) -> Iterator[Finding]:
    for slot in ("mysql", "rabbitmq"):
        credential = unit.spec.credentials.of(slot)
        if credential is not None and credential.previous is not None:
            text = f"party {unit.party}: credentials.{slot}.previous is still there:"
            again = f"run `fatefed secrets rotate {credential.entry}`" if credential.secret else "remove it"
            remedy = f"{again} once `pulumi up` has changed the password; a new deployment would wait for it"
            yield warning(stack.at(unit, "credentials", slot, "previous"), text, remedy)


def _patched(stack: PlannedStack, unit: TrainingUnit) -> Iterator[Finding]:
    if patch := unit.spec.chart_values:
        path = (*unit.path, "chartValues")
        yield warning(stack.place_of(path), f"{'.'.join(path)} changes what this program derived: {', '.join(patched_keys(patch))}")


def _too_small_for_a_job(stack: PlannedStack, unit: PartyUnit) -> Iterator[Finding]:
    size, module = _cores_for_jobs(stack.plans[unit.key].chart.values)
    if size < JOB_CORES:
        wanted = f"FATE-Flow fails a job that asks for more, and by default a job asks for {JOB_CORES}:"
        text = f"party {unit.party} has cores for jobs: {size}; {wanted}"
        path = (*unit.path, "modules", module)
        yield warning(stack.place_of(path), text, f"raise the CPU limit of {'.'.join(path)}, or write job_cores into every job")


def _cores_for_jobs(values: Any) -> tuple[float, str]:
    """What FATE-Flow's scheduler hands out, and the module whose CPU limit it is. An external Spark's size is what the stack says."""
    if values.eggroll is not None:
        return values.eggroll.processors_per_node * values.eggroll.nodes, "nodemanager"
    if values.standalone is not None:
        return values.standalone.cores, "fateflow"
    if values.spark is None or values.spark.driver is not None:
        return math.inf, ""
    return values.spark.cores_per_worker * values.spark.workers, "fateflow" if values.modules.spark_worker is None else "spark"


def _modules(stack: PlannedStack, unit: PartyUnit) -> Iterator[Finding]:
    deployed = stack.plans[unit.key].chart.values.modules.plain()
    for name, spec in module_specs(unit.spec).items():
        if name in deployed:
            path = (*unit.path, "modules", *module_path(name))
            yield from _unread(stack, unit, path, spec or ModuleSpec())
            yield from _without_device(stack, unit, path, name, spec or ModuleSpec(), deployed[name]["resources"])


def _unread(stack: PlannedStack, unit: PartyUnit, path: tuple[str, ...], spec: ModuleSpec) -> Iterator[Finding]:
    # fate_flow/runtime/system_settings.py of 2.2.0 reads LOG_LEVEL as a number; FATE_LOG_LEVEL is FATE 1.x's.
    if "FATE_LOG_LEVEL" in spec.env and unit.release.major == 2:
        text = f"{'.'.join(path)}.env.FATE_LOG_LEVEL has no effect in FATE {unit.spec.release}:"
        yield warning(stack.place_of((*path, "env", "FATE_LOG_LEVEL")), text, "set LOG_LEVEL to a number (10 for debug)")


def _without_device(
    stack: PlannedStack, unit: PartyUnit, path: tuple[str, ...], name: str, spec: ModuleSpec, resources: Mapping[str, Mapping[str, str]]
) -> Iterator[Finding]:
    where, asked = ".".join(path), device_of(name, unit.spec, unit.release)
    if asked.gpus and resources["limits"].get("nvidia.com/gpu", "0") == "0":
        yield warning(stack.place_of(path), f"{where} asks for no GPU, though the party's device is {unit.spec.device}")
    if asked.node_selector and spec.node_selector is not None and not asked.node_selector.keys() & spec.node_selector.keys():
        label = ", ".join(f"{key}: {value}" for key, value in asked.node_selector.items())
        text = f"{where}.nodeSelector replaces the one of device {unit.spec.device} ({label}):"
        yield warning(stack.place_of((*path, "nodeSelector")), text, "its nodes must match that label")


EXCHANGE_WARNINGS: tuple[UnitWarn, ...] = (_inside_only, _without_effect, _patched)
PARTY_WARNINGS: tuple[UnitWarn, ...] = (_in_the_clear, _inside_only, _without_effect, _rotated, _patched, _modules, _too_small_for_a_job)
