"""Rules that need chart values or images: checked with the others, for the units whose engines and release are known."""

from collections.abc import Iterator

from federation.base.errors import Place, Problem
from federation.config.stack import StackSpec
from federation.config.units import OwnUnit, units
from federation.units.kinds.registry import kind_of
from federation.units.patches import patch_problems


def broken_plan_rules(spec: StackSpec, place: Place) -> Iterator[Problem]:
    """Every problem with patches and digests."""
    for unit in _known(spec):
        if unit.spec.chart_values:
            values = kind_of(unit).values(spec, unit.party_id or "", unit.spec)
            yield from patch_problems(values, unit.spec.chart_values, place, (*unit.path, "chartValues"))
    yield from _digests_are_used(spec, place)


def named_images(spec: StackSpec) -> frozenset[str]:
    """The images of a stack by the names under which `fate:images.digests` pins them."""
    return frozenset(image.upstream for unit in _known(spec) for image in kind_of(unit).images(spec, unit.spec).values())


def _digests_are_used(spec: StackSpec, place: Place) -> Iterator[Problem]:
    known = sorted(named_images(spec))
    for upstream in sorted(spec.images.digests.keys() - set(known)) if known else ():
        yield Problem(
            place(("images", "digests", upstream)),
            f"no image of this stack is {upstream}",
            f"remove it, or name one of `fatefed images list`: {', '.join(known)}",
        )


def _known(spec: StackSpec) -> Iterator[OwnUnit]:
    return (unit for unit in units(spec) if kind_of(unit).has_plan(spec, unit.party_id or "", unit.spec))
