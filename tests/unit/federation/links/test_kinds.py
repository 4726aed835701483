"""What the row of a kind of link says is what the plans of its units have."""

import ast
from pathlib import Path
from typing import get_args

import pytest

from federation.base.naming import kebab_case
from federation.catalogue.kinds import KINDS, Kind
from federation.catalogue.links import LINKS, LinkName, ports_of, published
from federation.catalogue.native import NATIVE
from federation.config.units import units
from federation.links.external_engines import external_engines
from federation.links.kinds.registry import LINK_KINDS
from tests.support.configs import EVERY_CASE, Case
from tests.unit.test_layers import names_of_modules, sources


def test_each_kind_of_link_has_a_row_of_what_is_true_and_one_of_what_it_does() -> None:
    assert {*get_args(LinkName)} == LINKS.keys() == LINK_KINDS.keys()


@pytest.mark.parametrize("link", LINKS)
def test_each_kind_of_unit_publishes_something(link: LinkName) -> None:
    assert LINKS[link].published.keys() == {*get_args(Kind)}
    assert all(services for rows in LINKS[link].published.values() for services in rows.values())


def test_what_two_kinds_of_links_publish_alike_is_one_way_to_link_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = {kind: published(kind) for kind in KINDS}
    monkeypatch.setitem(LINKS, "another", NATIVE)  # type: ignore[arg-type]
    assert {kind: published(kind) for kind in KINDS} == alone
    assert all(alone.values())


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_a_module_of_the_unit_or_an_external_engine_dials_each_endpoint_of_its_neighbours(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path)
    asked = 0
    for unit in units(loaded.spec):
        plan = loaded.plan.unit(unit.key)
        external = external_engines(loaded.spec.parties[plan.party_id or ""]) if plan.kind == "party" else {}
        present = {*map(kebab_case, plan.modules), *external}
        for endpoint in {endpoint for endpoints in plan.links.values() for endpoint in endpoints}:
            assert loaded.spec.federation.links.dialler(unit.kind, endpoint) in present, (unit.key, endpoint)
            asked += 1
    assert asked or not any(plan.links for plan in loaded.plan.units)


def test_some_units_dial_their_neighbours(tmp_path: Path) -> None:
    """Or the test above would say nothing."""
    dialling = [unit for number, case in enumerate(EVERY_CASE) for unit in case.load(tmp_path / str(number)).plan.units if unit.links]
    assert len(dialling) > 20
    assert {unit.kind for unit in dialling} == KINDS.keys()


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_a_descriptor_has_the_ports_that_its_kind_publishes(case: Case, tmp_path: Path) -> None:
    found = [(unit.kind, name, body) for unit in case.load(tmp_path).plan.units for name, body in unit.descriptor["endpoints"].items()]
    assert found
    assert all(body["ports"].keys() == ports_of(kind, name).keys() for kind, name, body in found)


def test_only_the_registry_knows_the_folders_of_kinds_of_links() -> None:
    folders = tuple(f"federation.links.{link}." for link in LINKS)
    importers = {
        source.path.parent.name
        for source in sources("federation", "components", "cli")
        for name in names_of_modules(source.tree)
        if name.startswith(folders)
    }
    assert {"kinds"} < importers <= {*LINKS, "kinds"}


def test_the_kind_of_link_is_looked_up_in_two_places() -> None:
    """One for what is true without a stack, one for what a link does; the topology prints the word."""
    readers = [
        str(source)
        for source in sources("federation", "components", "cli")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr == "link"
    ]
    assert readers == ["federation/config/stack.py", "federation/links/kinds/registry.py", "federation/reports/topology.py"]
