"""What the row of a kind says of a unit is what the unit's plan has."""

from pathlib import Path
from typing import get_args

import pytest

from federation.catalogue.kinds import Kind
from federation.config.units import units
from federation.units.kinds.registry import UNIT_KINDS, kind_of
from tests.support.configs import EVERY_CASE, Case


def test_each_kind_has_a_row() -> None:
    assert UNIT_KINDS.keys() == {*get_args(Kind)}


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_the_row_of_a_unit_says_what_is_in_its_plan(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path)
    every = list(units(loaded.spec))
    assert every
    for unit in every:
        kind, plan = kind_of(unit), loaded.plan.unit(unit.key)
        assert (plan.kind, plan.party_id, plan.config_path) == (unit.kind, unit.party_id, ".".join(unit.path))
        assert kind.has_plan(unit)
        assert {service.endpoint for service in unit.published} == plan.descriptor["endpoints"].keys()
        ports = kind.ports(unit)
        assert all((port.default or port.own) in ports for service in unit.published for port in service.ports)
        assert plan.images.items() <= kind.images(unit).items()
        assert plan.modules.keys() == {*kind.deployed(unit)}
        assert plan.modules.keys() <= kind.module_specs(unit).keys()
