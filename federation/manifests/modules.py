"""From a module's row in the catalogue and the operator's knobs to the values of its chart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from federation.base.quantity import mebibytes
from federation.base.scalars import limits_of
from federation.catalogue.releases import ClaimRow, DeviceRow, ModuleRow
from federation.chart_values.engines import OsxSettings
from federation.chart_values.modules import Claim, Module, Resources, Security, ServiceSettings
from federation.config.images import ImagesSpec
from federation.config.modules import ImageSpec, ModulePersistence, ModuleSpec, Persistence, ServiceSpec


@dataclass(frozen=True)
class Variant:
    """What the names of FATE's images depend on."""

    computing: str = ""
    algorithm: str = "Basic"
    device: str = "CPU"

    def suffix(self, keys: tuple[str, ...]) -> str:
        """The suffix of an image's name (reference 2.2): `-spark`, then the algorithm, then the device."""
        suffixes = {
            "computing": "-spark" if self.computing in ("Spark", "Spark_local") else "",
            "algorithm": "" if self.algorithm == "Basic" else f"-{self.algorithm.lower()}",
            "device": "" if self.device == "CPU" else f"-{self.device.lower()}",
        }
        return "".join(suffix for key, suffix in suffixes.items() if key in keys)


_PLAIN, _NO_DEVICE = Variant(), DeviceRow(modules=())


@dataclass(frozen=True)
class ImageUse:
    """An image of a stack: where it comes from, and what its nodes pull."""

    upstream: str
    reference: str


def image_use(row: ModuleRow, override: ImageSpec, images: ImagesSpec, variant: Variant = _PLAIN) -> ImageUse:
    """A module's image: the override as it is; else upstream's, from `fate:images.registry` and with its digest.

    A digest of `fate:images` belongs to a tag, which stays for the reader; one of the override says all by itself.
    """
    source = override.repository or row.image + variant.suffix(row.suffixes)
    moved = images.registry is not None and override.repository is None
    repository = f"{images.registry.rstrip('/')}/{source.rsplit('/', 1)[-1]}" if images.registry is not None and moved else source
    if override.digest is not None:
        version = f"@{override.digest}" if override.tag is None else f":{override.tag}@{override.digest}"
        return ImageUse(f"{source}{version}", f"{repository}{version}")
    upstream = f"{source}:{override.tag or row.tag}"
    digest = f"@{images.digests[upstream]}" if upstream in images.digests else ""
    return ImageUse(upstream, f"{repository}:{override.tag or row.tag}{digest}")


def in_use(images: Mapping[str, ImageUse], modules: Mapping[str, Any]) -> dict[str, ImageUse]:
    """The images as chart values name them, after a patch; `modules`: {module: its plain values}."""
    return {
        name: image if modules[name]["image"] == image.reference else ImageUse(modules[name]["image"], modules[name]["image"])
        for name, image in images.items()
    }


def module_images(
    rows: Mapping[str, ModuleRow], deployed: Mapping[str, ModuleSpec], images: ImagesSpec, variant: Variant = _PLAIN
) -> dict[str, ImageUse]:
    """The image of each module that is deployed."""
    return {name: image_use(rows[name], spec.image, images, variant) for name, spec in deployed.items()}


def module_values(
    row: ModuleRow,
    spec: ModuleSpec,
    images: ImagesSpec,
    persistence: Persistence | None = None,
    replicas: int | None = None,
    variant: Variant = _PLAIN,
    device: DeviceRow = _NO_DEVICE,
) -> Module:
    """The chart values of one module. `persistence` None: its data lives in an emptyDir. `device`: what it asks of this module."""
    resources = _with_gpus(spec.resources or row.resources, spec.gpus, device.gpus)
    own = spec.persistence if isinstance(spec.persistence, ModulePersistence) else ModulePersistence()
    kept = row.claim if keeps_data(row, spec, persistence) else None
    return Module(
        image=image_use(row, spec.image, images, variant).reference,
        image_pull_policy=spec.pull_policy,
        replicas=replicas or spec.replicas or row.replicas,
        resources=resources,
        node_selector=device.node_selector if spec.node_selector is None else spec.node_selector,
        tolerations=spec.tolerations,
        affinity=spec.affinity,
        topology_spread_constraints=spec.topology_spread_constraints or None,
        env=spec.env,
        annotations=spec.annotations or None,
        service_account_name=spec.service_account_name,
        automount_service_account_token=spec.automount_service_account_token or None,
        priority_class_name=spec.priority_class_name,
        runtime_class_name=spec.runtime_class_name,
        host_aliases=spec.host_aliases or None,
        volumes=spec.volumes or None,
        security=Security(
            run_as_user=row.security.run_as_user,
            capabilities=row.security.capabilities,
            read_only_root=row.security.read_only_root or None,
        ),
        claim=_claim(kept, own, persistence) if kept is not None and own.existing_claim is None else None,
        existing_claim=own.existing_claim if kept is not None else None,
        sub_path=own.sub_path if kept is not None else None,
        service=_service(spec.service),
        heap_mib=share(resources.limits.memory, row.heap_percent),
    )


def keeps_data(row: ModuleRow, spec: ModuleSpec, persistence: Persistence | None) -> bool:
    """Whether a module's data outlives its pod: what it says itself, else its party (None: `none`), for modules that have a claim."""
    if row.claim is None or spec.persistence is not None:
        return row.claim is not None and spec.persistence != "none"
    return persistence is not None and not row.claim.on_request


def _with_gpus(resources: Resources, gpus: int | None, device: int) -> Resources:
    """The number that is given, else the one in resources, else the device's."""
    if gpus is None and resources.names_gpus:
        return resources
    count = device if gpus is None else gpus
    return resources.with_gpus(count) if count or gpus is not None else resources


def _claim(row: ClaimRow, own: ModulePersistence, party: Persistence | None) -> Claim:
    party = party or Persistence()
    return Claim(
        storage_class=own.storage_class or party.storage_class,
        access_mode=own.access_mode or party.access_mode,
        size=own.size or row.size,
    )


def _service(spec: ServiceSpec | None) -> ServiceSettings | None:
    if spec is None:
        return None
    return ServiceSettings(
        type=spec.type,
        node_ports=spec.node_ports or None,
        load_balancer_ip=spec.load_balancer_ip,
        source_ranges=limits_of(spec.source_ranges) or None,
        annotations=spec.annotations or None,
    )


def osx_settings(row: ModuleRow, module: Module) -> OsxSettings:
    """OSX's memory beside its heap."""
    return OsxSettings(direct_mib=share(module.resources.limits.memory, row.direct_percent) or 1024)


def share(memory: str | None, percent: int | None) -> int | None:
    """A share of a memory limit in MiB; None without a limit or a share."""
    return None if memory is None or percent is None else max(1, mebibytes(memory) * percent // 100)
