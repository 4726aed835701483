"""The release catalogue: what a FATE release consists of, as data. Adding a release adds a file, not code."""

from functools import cache
from importlib.resources import files

import yaml
from pydantic import Field

from federation.model import Model
from federation.scalars import Bytes, NonEmpty, Port, Tag, Word
from federation.values import Resources


class Combination(Model):
    """Engines that FATE accepts together, in FATE's words."""

    computing: Word
    federation: Word
    storage: Word

    def __str__(self) -> str:
        return f"{self.computing} + {self.federation} + {self.storage}"


class ClaimSize(Model):
    """Default size of a module's persistent volume claim."""

    size: Bytes


class SecurityRow(Model):
    """What differs from a non-root user without capabilities, and why."""

    run_as_user: int | None = None
    capabilities: tuple[str, ...] = ()
    reason: NonEmpty


class ModuleRow(Model):
    """One module of a release."""

    image: NonEmpty
    tag: Tag | None = Field(None, description="Absent when upstream publishes none: then the stack must name one.")
    optional: bool = False
    replicas: int = 1
    scales: bool = Field(False, description="Whether it may have more than one replica: others write data, or route, alone.")
    own_env: tuple[str, ...] = Field((), description="Variables that the chart sets, which the stack may not.")
    resources: Resources
    heap_percent: int | None = Field(None, ge=10, le=90, description="Share of the memory limit for the Java heap.")
    direct_percent: int | None = Field(None, ge=10, le=90, description="Share of the memory limit for direct memory.")
    claim: ClaimSize | None = None
    security: SecurityRow


class Release(Model):
    """One row of the catalogue."""

    release: NonEmpty
    combinations: tuple[Combination, ...]
    database_user: NonEmpty
    database_name: NonEmpty
    ports: dict[str, Port]
    modules: dict[str, ModuleRow]
    exchange: dict[str, ModuleRow]


@cache
def catalogue() -> dict[str, Release]:
    """Every release this program can deploy, by version."""
    rows = sorted(files("federation").joinpath("catalogue").iterdir(), key=lambda file: file.name)
    releases = [Release.model_validate(yaml.safe_load(row.read_text())) for row in rows if row.name.endswith(".yaml")]
    return {release.release: release for release in releases}
