"""From a module's row in the catalogue and the operator's knobs to the values of its chart."""

from dataclasses import dataclass

from federation.module_spec import ImageSpec, ModuleSpec
from federation.releases import ModuleRow
from federation.spec import ImagesSpec, Persistence
from federation.values import Claim, Module, Security

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}


def mebibytes(quantity: str) -> int:
    """A memory quantity in MiB, rounded down."""
    digits = quantity.rstrip("kKMGTPi")
    return int(float(digits) * _UNITS[quantity[len(digits) :]]) // 2**20


def cores(quantity: str) -> int:
    """A CPU quantity in whole cores, at least 1."""
    return max(1, int(quantity[:-1]) // 1000 if quantity.endswith("m") else int(float(quantity)))


@dataclass(frozen=True)
class Variant:
    """What the names of FATE's images depend on."""

    computing: str = ""
    algorithm: str = "Basic"
    device: str = "CPU"

    def suffix(self, kinds: tuple[str, ...]) -> str:
        """The suffix of an image's name (reference 2.2): `-spark`, then the algorithm, then the device."""
        parts = {
            "computing": "-spark" if self.computing in ("Spark", "Spark_local") else "",
            "algorithm": "" if self.algorithm == "Basic" else f"-{self.algorithm.lower()}",
            "device": "" if self.device == "CPU" else f"-{self.device.lower()}",
        }
        return "".join(parts[kind] for kind in ("computing", "algorithm", "device") if kind in kinds)


_PLAIN = Variant()


def image_reference(row: ModuleRow, override: ImageSpec, images: ImagesSpec, variant: Variant = _PLAIN) -> str:
    """The whole reference of a module's image: override, then `fate:images.registry`, then upstream's own."""
    upstream = row.image + variant.suffix(row.suffixes)
    repository = upstream if images.registry is None else f"{images.registry.rstrip('/')}/{upstream.rsplit('/', 1)[-1]}"
    repository = override.repository or repository
    if override.digest is not None:
        return f"{repository}@{override.digest}"
    return f"{repository}:{override.tag or row.tag}"


def module_values(
    row: ModuleRow,
    spec: ModuleSpec,
    images: ImagesSpec,
    persistence: Persistence | None = None,
    replicas: int | None = None,
    variant: Variant = _PLAIN,
) -> Module:
    """The chart values of one module. `persistence` None: its data lives in an emptyDir."""
    resources = spec.resources or row.resources
    claim = None
    if persistence is not None and row.claim is not None:
        claim = Claim(storage_class=persistence.storage_class, access_mode=persistence.access_mode, size=spec.size or row.claim.size)
    return Module(
        image=image_reference(row, spec.image, images, variant),
        replicas=replicas or spec.replicas or row.replicas,
        resources=resources,
        node_selector=spec.node_selector,
        tolerations=spec.tolerations,
        env=spec.env,
        security=Security(run_as_user=row.security.run_as_user, capabilities=row.security.capabilities),
        claim=claim,
        heap_mib=share(resources.limits.memory, row.heap_percent),
    )


def share(memory: str | None, percent: int | None) -> int | None:
    """A share of a memory limit in MiB; None without a limit or a share."""
    return None if memory is None or percent is None else max(1, mebibytes(memory) * percent // 100)
