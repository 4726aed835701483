"""KubeFATE's chart versions and the releases they become: one row for each series that this program does not deploy itself."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from federation.catalogue.kinds import KINDS, Kind
from federation.catalogue.releases import catalogue
from federation.catalogue.serving import serving_catalogue

_VERSION = re.compile(r"v?([0-9]{1,4}\.[0-9]{1,4}(?:\.[0-9]{1,4})?)(?:[-+.]([A-Za-z][A-Za-z0-9.+-]*))?")
# Suffixes of KubeFATE's own packages: a later package of the same release.
_OWN_SUFFIXES = frozenset({"a", "b", "release"})
_PRE_RELEASE = re.compile(r"(?:alpha|beta|rc)\b", re.I)
# The first KubeFATE whose charts are read, by chart: the guide is that of 1.5.0, which deploys FATE-Serving 2.0.0.
OLDEST = {"fate": "1.5.0", "fate-exchange": "1.5.0", "fate-serving": "2.0.0"}


@dataclass(frozen=True)
class Series:
    """A series of chart versions, to which both ends belong."""

    first: str
    last: str

    @classmethod
    def read(cls, text: str) -> "Series":
        """A series as `str` writes it: `1.6.1`, or `1.5.0 to 1.8.x`."""
        first, _, last = text.partition(" to ")
        return cls(first, (last or first).replace(".x", ".99"))

    def __contains__(self, version: Version) -> bool:
        return Version(self.first) <= version <= Version(self.last)

    def __str__(self) -> str:
        return self.first if self.first == self.last else f"{self.first} to {self.last.replace('.99', '.x')}"


@dataclass(frozen=True)
class Target:
    """A series of chart versions, the release it becomes, and why."""

    series: Series
    release: str
    why: str


_DATA = "peers of this party must move with it, and data of the old release does not fit: start with empty claims, or migrate the database"
TARGETS = (
    Target(
        Series("1.5.0", "1.7.1"), "1.9.2", f"the oldest series that is deployed here, and KubeFATE has no upgrade from it either; {_DATA}"
    ),
    Target(Series("1.7.2", "1.8.99"), "1.9.2", f"the oldest series that is deployed here; {_DATA} (SQL of KubeFATE's upgrade manager)"),
    Target(Series("1.11.0", "1.11.0"), "1.11.1", "FATE 1.11.0 has no images of its own"),
    Target(Series("1.11.3", "1.11.99"), "1.11.2", f"the last 1.11 with published images, OLDER than yours; {_DATA}"),
)
SERVING_TARGETS = (
    Target(
        Series("2.0.0", "2.1.4"),
        "2.1.6",
        "the oldest series that is deployed here is 2.1.5; published models are read again from FATE-Flow",
    ),
)


# The catalogue of each program, and what versions that it lacks become.
_PROGRAMS: Mapping[str, tuple[Callable[[], Mapping[str, Any]], tuple[Target, ...]]] = {
    "FATE": (catalogue, TARGETS),
    "FATE-Serving": (serving_catalogue, SERVING_TARGETS),
}


def releases_of(kind: Kind) -> tuple[str, ...]:
    """The releases that a kind of cluster may become."""
    return tuple(_PROGRAMS[KINDS[kind].program][0]())


def version_of(text: str) -> Version | None:
    """The version in `v1.11.1-fedlcm-v0.3.0`; None when there is none."""
    match = _VERSION.fullmatch(text)
    return None if match is None else Version(match[1])


def suffix_of(text: str) -> str:
    """What follows the version, when it makes the chart another one than KubeFATE's: `fedlcm-v0.3.0` of `v1.11.1-fedlcm-v0.3.0`."""
    match = _VERSION.fullmatch(text)
    suffix = "" if match is None else match[2] or ""
    return "" if suffix in _OWN_SUFFIXES else suffix


def is_pre_release(text: str) -> bool:
    """Whether a chart version is that of an alpha or beta of FATE."""
    return _PRE_RELEASE.match(suffix_of(text)) is not None


def release_of(kind: Kind, version: Version) -> tuple[str, str] | None:
    """The release a chart version becomes, and why when it is another one; None when this program has none for it."""
    known = releases_of(kind)
    same = next((name for name in known if Version(name) == version), None)
    if same is not None:
        return same, ""
    return next(((row.release, row.why) for row in _PROGRAMS[KINDS[kind].program][1] if version in row.series), None)
