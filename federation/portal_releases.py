"""The catalogue of Site Portal and FML Manager: releases of FedLCM as data."""

from functools import cache
from importlib.resources import files

import yaml
from packaging.version import Version
from pydantic import Field

from federation.model import Model
from federation.releases import ModuleRow, UncertainRow, whole_row
from federation.scalars import NonEmpty, Port


class PortalRelease(Model):
    """One row of the catalogue."""

    release: NonEmpty
    fate: tuple[str, ...] = Field(description="Releases of FATE that they are deployed with.")
    fate_major: int = Field(description="The major version of FATE whose FATE-Flow they can talk to.")
    uncertain: tuple[UncertainRow, ...] = ()
    own_environment: frozenset[str] = Field(description="Variables that the chart sets, which a stack may not.")
    ports: dict[str, Port]
    modules: dict[str, ModuleRow]


@cache
def portal_catalogue() -> dict[str, PortalRelease]:
    """Every release of Site Portal and FML Manager that this program can deploy, by version."""
    folder = files("federation").joinpath("portal_catalogue")
    rows = {file.name.removesuffix(".yaml"): yaml.safe_load(file.read_text()) for file in folder.iterdir()}
    releases = [PortalRelease.model_validate(whole_row(rows, name)) for name in rows]
    return {row.release: row for row in sorted(releases, key=lambda row: Version(row.release))}
