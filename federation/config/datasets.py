"""A party's data sets: folders with files that FATE-Flow reads."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from federation.base.model import Model
from federation.base.pods import ClaimVolume, CsiVolume, NfsVolume, Volume
from federation.base.scalars import DatasetName, MountPath, NonEmpty, SubPath

# What a data set may not be, and what to write instead.
_REFUSED = {
    "s3": "Kubernetes mounts no bucket by itself: install a CSI driver for it, and write its claim as existingClaim, or csi",
    "hostFolder": "hostFolder opens the node's files to the pod, which Pod Security refuses: write nfs, or existingClaim of a local volume",
    "hostPath": "hostPath opens the node's files to the pod, which Pod Security refuses: write nfs, or existingClaim of a local volume",
}
_SOURCES = "existingClaim, nfs, csi"
# What FATE-Flow's image and its node have there would be hidden, so that FATE-Flow does not start.
_OF_THE_IMAGE = ("/bin", "/data/projects", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr")


def _free(value: str) -> str:
    """A path that neither lies in a folder of the image nor holds one."""
    path = PurePosixPath("/", value.lstrip("/"))
    for folder in map(PurePosixPath, _OF_THE_IMAGE):
        if path.is_relative_to(folder) or folder.is_relative_to(path):
            raise ValueError(
                f"{value} would hide files of FATE-Flow's image ({folder}): write a folder of its own, such as /datasets/scans"
            )
    return value


class DatasetSpec(Model):
    """A folder that exists outside of FATE, and where FATE-Flow sees it."""

    existing_claim: NonEmpty | None = Field(None, description="A persistent volume claim of the party's namespace.")
    nfs: NfsVolume | None = None
    csi: CsiVolume | None = None
    path: Annotated[MountPath, AfterValidator(_free)] | None = Field(None, description="Where FATE-Flow sees it; absent: /datasets/NAME.")
    sub_path: SubPath | None = Field(None, description="File or folder of it, instead of all.")
    read_only: bool = Field(True, description="FATE-Flow cannot change it.")

    @model_validator(mode="before")
    @classmethod
    def _is_something_that_kubernetes_mounts(cls, data: Any) -> Any:
        if isinstance(data, dict) and (refused := next((key for key in _REFUSED if key in data), None)):
            raise ValueError(_REFUSED[refused])
        return data

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if [self.existing_claim, self.nfs, self.csi].count(None) != len(_SOURCES.split()) - 1:
            raise ValueError(f"name one of {_SOURCES}")
        return self


Datasets = dict[DatasetName, DatasetSpec]


def mount_path(name: str, dataset: DatasetSpec) -> str:
    """Where FATE-Flow sees a data set."""
    return dataset.path or f"/datasets/{name}"


def dataset_volumes(datasets: Datasets) -> dict[str, Volume]:
    """The data sets as volumes of FATE-Flow, by the volumes' names."""
    return {f"dataset-{name}": _volume(mount_path(name, dataset), dataset) for name, dataset in datasets.items()}


def _volume(path: str, dataset: DatasetSpec) -> Volume:
    claim = None if dataset.existing_claim is None else ClaimVolume(claim_name=dataset.existing_claim)
    return Volume(
        mount_path=path,
        sub_path=dataset.sub_path,
        read_only=dataset.read_only,
        persistent_volume_claim=claim,
        nfs=dataset.nfs,
        csi=dataset.csi,
    )
