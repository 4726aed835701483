"""Warnings about releases that a stack deploys: what the catalogue marks as uncertain."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from federation.base.errors import Finding, warning
from federation.catalogue.releases import UncertainRow
from federation.config.modules import ModuleSpec
from federation.manifests.modules import Variant
from federation.units.checked import PlannedStack
from federation.units.kinds.registry import kind_of


def release_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """A warning for each uncertain row that concerns a party or the exchange of this stack."""
    for unit in (unit for unit in stack.units if unit.row.program == "FATE"):
        kind, own = kind_of(unit), cast(Any, unit.spec)
        specs = kind.module_specs(unit)
        deployed = {name: specs[name] or ModuleSpec() for name in kind.deployed(unit)}
        variant = Variant(own.computing, own.algorithm, own.device) if unit.row.of_a_party else Variant()
        for row in stack.spec.catalogue[own.release].uncertain:
            if _concerns(row, deployed, variant):
                yield warning(stack.at(unit, "release"), f"{unit.title}, FATE {own.release}: {row.says}")


def _concerns(row: UncertainRow, deployed: Mapping[str, ModuleSpec], variant: Variant) -> bool:
    """Whether an uncertain row concerns this unit. A row about images does not when the stack names the images itself."""
    of_release = {name for name, spec in deployed.items() if spec.image.tag is None and spec.image.digest is None}
    return (
        (not row.modules or bool(of_release & set(row.modules)))
        and (not row.computing or variant.computing in row.computing)
        and (not row.suffixed or (variant.algorithm, variant.device) != ("Basic", "CPU"))
    )
