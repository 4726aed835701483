"""The release catalogue: what a FATE release consists of, as data. Adding a release adds a file, not code."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar

import yaml
from packaging.version import Version
from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import Bytes, ImageFile, NonEmpty, PartnerCall, Port, Tag, Word
from federation.base.yaml_file import FastLoader
from federation.chart_values.engines import EggrollVersion, OsxMode, Proxy
from federation.chart_values.images import Layout
from federation.chart_values.modules import Resources


class Combination(Model):
    """Engines that FATE accepts together, in FATE's words."""

    computing: Word
    federation: Word
    storage: Word

    def __str__(self) -> str:
        return f"{self.computing} + {self.federation} + {self.storage}"


class CombinationRow(Combination):
    """A combination of engines that a release is deployed with, and the modules it needs."""

    modules: tuple[str, ...]
    proxy: Proxy = Field(description="The proxy of FATE-Flow's control plane.")
    folders: dict[str, NonEmpty] = Field({}, description="Folders of FATE-Flow's that are kept because of these engines, like layout's.")
    osx_mode: OsxMode | None = Field(None, description="How tasks use OSX: stream with Eggroll, queue with any other computing engine.")
    engines: dict[Literal["computing", "federation", "storage"], Word] = Field(description="default_engines of service_conf.yaml.")


class VariantRow(Model):
    """The algorithms that FATE publishes images of for a device."""

    device: Literal["CPU", "IPCL", "GPU"]
    algorithms: tuple[Literal["Basic", "NN", "ALL"], ...]


class ClaimRow(Model):
    """A module's persistent volume claim."""

    size: Bytes = Field(description="Its size when the stack says none.")
    on_request: bool = Field(False, description="Made only when the module's own persistence asks: otherwise its data ends with the pod.")


class ServiceRow(Model):
    """The Service of a module that takes settings."""

    ports: tuple[str, ...] = Field(description="Names of its ports.")
    headless: bool = Field(False, description="Its pods are found one by one: it takes annotations only.")


class DeviceRow(Model):
    """The requirements of a device for the pods that compute with it."""

    modules: tuple[str, ...]
    node_selector: dict[str, str] = Field({})
    gpus: int = 0


class SecurityRow(Model):
    """What differs from a non-root user without capabilities, and why."""

    run_as_user: int | None = None
    capabilities: tuple[str, ...] = ()
    read_only_root: bool = Field(False, description="Whether it writes to its mounts only: then nothing else of it can be written.")
    reason: NonEmpty


class UncertainRow(Model):
    """A doubt about a release: each preview reports it for the parties and exchanges that it concerns."""

    says: NonEmpty
    modules: tuple[str, ...] = Field(
        (), description="Concerns units with one of these modules, when its image is the release's; empty: all."
    )
    computing: tuple[Word, ...] = Field((), description="Concerns parties with one of these computing engines; empty: all.")
    suffixed: bool = Field(False, description="Concerns parties whose algorithm or device puts a suffix to the images' names.")


Fix = Literal["pulsarPeers"]


class PatchRow(Model):
    """A wrong text in an image's file, and its replacement."""

    module: Literal["fateflow"] = Field(description="The module whose pods apply it; the only one whose template can.")
    file: ImageFile = Field(description="Absolute path inside the image.")
    find: NonEmpty = Field(description="Must be there: the pod does not start otherwise. Every occurrence is replaced.")
    replace: str
    reason: NonEmpty
    federation: Word | None = Field(None, description="Only for parties with this federation engine.")
    fixes: Fix | None = Field(None, description="What is broken without it.")


class ModuleRow(Model):
    """One module of a release."""

    image: NonEmpty
    suffixes: tuple[Literal["computing", "algorithm", "device"], ...] = Field((), description="What is appended to the image's name.")
    tag: Tag | None = Field(None, description="Absent when upstream publishes none: then the stack must name one.")
    unpublished: NonEmpty | None = Field(None, description="Why the stack must name the image, when there is no tag.")
    optional: bool = False
    federation: Word | None = Field(None, description="Of an optional module: only for parties with this federation engine.")
    topology: Literal["star"] | None = Field(None, description="Of an optional module: only for parties of a star.")
    replicas: int = 1
    scales: bool = Field(False, description="Whether it may have more than one replica: others write data, or route, alone.")
    resources: Resources
    heap_percent: int | None = Field(None, ge=10, le=90, description="Share of the memory limit for the Java heap.")
    direct_percent: int | None = Field(None, ge=10, le=90, description="Share of the memory limit for direct memory.")
    claim: ClaimRow | None = None
    watcher: Resources | None = Field(
        None,
        description="Pulsar: resources of the container that deletes clusters without routes. Needs python3 in the image; absent: none.",
    )
    paths: tuple[str, ...] = Field((), description="Where the chart mounts files into its main container, and a stack may not.")
    service: ServiceRow | None = Field(None, description="Absent: the module has none, or `publish` describes it.")
    security: SecurityRow


class Release(Model):
    """One row of the catalogue."""

    release: NonEmpty
    combinations: tuple[CombinationRow, ...]
    variants: tuple[VariantRow, ...]
    devices: dict[Literal["CPU", "IPCL", "GPU"], DeviceRow] = Field({}, description="Devices that need more than other images.")
    exchanges: dict[str, tuple[str, ...]] = Field(description="Modules of an exchange, by federation engine.")
    upgrade_from: tuple[NonEmpty, ...] = Field(
        description="Releases whose data this one takes over: as it is when tables have the same version, else with SQL that is known."
    )
    flow_tables: NonEmpty = Field(description="Version of FATE-Flow's tables: releases with the same one read each other's.")
    uncertain: tuple[UncertainRow, ...] = ()
    broken: dict[Fix, NonEmpty] = Field({}, description="What FATE itself gets wrong, unless a patch fixes it.")
    patches: tuple[PatchRow, ...] = ()
    eggroll: EggrollVersion
    party_id_in_config: bool
    layout: Layout
    own_environment: frozenset[str] = Field(description="Variables that the charts set, which a stack may not.")
    database_user: NonEmpty
    database_name: NonEmpty
    ports: dict[str, Port]
    partner_calls: tuple[PartnerCall, ...] = Field(
        description="What FATE-Flows of two parties ask each other: nginx passes on nothing else."
    )
    modules: dict[str, ModuleRow]
    exchange: dict[str, ModuleRow]

    def combination(self, computing: str, federation: str, storage: str) -> CombinationRow | None:
        """The row of a combination; None when the release is not deployed with it."""
        wanted = (computing, federation, storage)
        return next((row for row in self.combinations if (row.computing, row.federation, row.storage) == wanted), None)

    def works(self, fix: Fix) -> bool:
        """Whether something is right in this release, or made right by a patch."""
        return fix not in self.broken or any(patch.fixes == fix for patch in self.patches)

    @property
    def major(self) -> int:
        """The major version: parties of different ones have no protocol in common."""
        return Version(self.release).major


Row = TypeVar("Row", bound=Model)


@cache
def catalogue() -> dict[str, Release]:
    """Every release this program can deploy, by version."""
    return read_catalogue("fate", Release)


def read_catalogue(folder: str, row: type[Row]) -> dict[str, Row]:
    """The releases in a folder of this program, by version."""
    rows = built_in_rows(folder)
    return in_order({name: row.model_validate(whole_row(rows, name)) for name in rows})


def in_order(releases: Mapping[str, Row]) -> dict[str, Row]:
    """Releases by version, oldest first."""
    return dict(sorted(releases.items(), key=lambda item: Version(item[0])))


@cache
def built_in_rows(folder: str) -> Mapping[str, dict[str, Any]]:
    """The rows of a catalogue of this program's own as they are written, by version."""
    row_files = files("federation.catalogue").joinpath("rows", folder).iterdir()
    return {file.name.removesuffix(".yaml"): yaml.load(file.read_text(), FastLoader) for file in row_files}  # noqa: S506 - both are safe


def whole_row(rows: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A row with everything of its `base` that it does not say itself; what it sets to null, it does not have."""
    row = dict(rows[name])
    base = row.pop("base", None)
    return row if base is None else _merged(whole_row(rows, base), row)


def _merged(base: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merged(base[key], row[key]) for key in base.keys() & row.keys() if isinstance(base[key], dict) and row[key] is not None}
    return {key: value for key, value in {**base, **row, **both}.items() if value is not None}
