"""What KubeFATE takes for a key that a `cluster.yaml` does not have, by chart and version: facts of `charts.yaml`, with their sources."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from packaging.version import Version
from pydantic import BeforeValidator

from cli.convert.versions import Series
from federation.base.model import Model
from federation.base.yaml_file import FastLoader

Span = Annotated[Series, BeforeValidator(Series.read)]
FACTS = yaml.load(files("cli.convert").joinpath("charts.yaml").read_text("utf-8"), Loader=FastLoader)  # noqa: S506 - it is safe
CHARTS_READ: dict[str, list[str]] = FACTS["read"]


class Default(Model):
    """A default of a series of chart versions. None: no value, so Kubernetes or FATE decides."""

    chart: str
    key: str
    series: Span
    # Taken when the whole block is absent, and when the block is there without the key.
    absent: Any = None
    block: Any = None
    # The block, when it is not the first part of the key.
    within: str | None = None
    source: str = "values.yaml"

    @property
    def block_path(self) -> tuple[str, ...]:
        """The block whose absence decides."""
        return tuple((self.within or self.key.partition(".")[0]).split("."))


class BoardHost(Model):
    """The host name of each console's Ingress when the file names none."""

    chart: str
    series: Span
    host: str


DEFAULTS = tuple(Default(chart=chart, **row) for chart, rows in FACTS["defaults"].items() for row in rows)
BOARD_HOSTS = tuple(BoardHost(**row) for row in FACTS["hosts"])
_CONSOLES = {"client": "notebook", "servingProxy": "serving-proxy", "servingAdmin": "serving-admin"}


def board_host(chart: str, module: str, version: Version, party: str | None) -> str | None:
    """The name under which a module's console is shown without a word in the file."""
    host = next((row.host for row in BOARD_HOSTS if row.chart == chart and version in row.series), None)
    return None if host is None else host.format(party=party or "<partyId>", console=_CONSOLES.get(module, module))


@cache
def default_of(chart: str, key: str, version: Version) -> Default | None:
    """The row of a key in a version of a chart; None when KubeFATE has no default that matters here."""
    return next((row for row in DEFAULTS if (row.chart, row.key) == (chart, key) and version in row.series), None)


def chart_read(chart: str, version: Version) -> bool:
    """Whether that version of a chart was read for the rows."""
    return version in {Version(one) for one in CHARTS_READ[chart]}
