"""The catalogue of Site Portal and FML Manager: releases of FedLCM as data."""

from functools import cache

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import NonEmpty, Port
from federation.catalogue.releases import ModuleRow, UncertainRow, read_catalogue


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
    return read_catalogue("portal", PortalRelease)
