"""Rules that need chart values or images: for units whose engines and release are known."""

from collections.abc import Iterator

from federation.base.errors import Problem
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, units
from federation.units.checked import CheckedStack, of_every_unit
from federation.units.kinds.registry import kind_of
from federation.units.patches import patch_problems


@of_every_unit
def patches_fit(stack: CheckedStack, unit: AnyUnit) -> Iterator[Problem]:
    """Every problem with patches of chart values."""
    if unit.spec.chart_values and _has_plan(unit):
        values = kind_of(unit).values(unit)
        yield from patch_problems(values, unit.spec.chart_values, stack.place_of, (*unit.path, "chartValues"))


def named_images(spec: StackSpec) -> frozenset[str]:
    """The images of a stack by the names under which `fate:images.digests` pins them."""
    images = (kind_of(unit).images(unit) for unit in units(spec) if _has_plan(unit))
    return frozenset(image.upstream for of_unit in images for image in of_unit.values())


def digests_are_used(stack: CheckedStack) -> Iterator[Problem]:
    """A problem for each digest that belongs to no image of the stack."""
    known = sorted(named_images(stack.spec))
    for upstream in sorted(stack.spec.images.digests.keys() - set(known)) if known else ():
        yield Problem(
            stack.place_of(("images", "digests", upstream)),
            f"no image of this stack is {upstream}",
            f"remove it, or name one of `fatefed images list`: {', '.join(known)}",
        )


def _has_plan(unit: AnyUnit) -> bool:
    return kind_of(unit).has_plan(unit)
