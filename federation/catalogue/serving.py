"""The catalogue of FATE-Serving: its releases as data, and the releases of FATE that publish models to them."""

from functools import cache

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import NonEmpty, Port
from federation.catalogue.releases import ModuleRow, read_catalogue


class ServingRelease(Model):
    """One row of the catalogue."""

    release: NonEmpty
    fate: tuple[str, ...] = Field(description="Releases of FATE that it is deployed with.")
    model_transfer: NonEmpty = Field(description="Path under which FATE-Flow hands over models.")
    own_environment: frozenset[str] = Field(description="Variables that the chart sets, which a stack may not.")
    ports: dict[str, Port]
    modules: dict[str, ModuleRow]


@cache
def serving_catalogue() -> dict[str, ServingRelease]:
    """Every release of FATE-Serving that this program can deploy, by version."""
    return read_catalogue("serving", ServingRelease)
