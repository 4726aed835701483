"""The table of kinds: names that never change, and hubs that know their members."""

from typing import get_args

import pytest

from federation.catalogue.kinds import KINDS, Kind


def test_each_kind_has_a_row() -> None:
    assert tuple(KINDS) == get_args(Kind)


def test_the_types_of_components_are_those_that_urns_hold() -> None:
    """Deployed stacks hold these: another name would delete a unit and make it anew."""
    assert [(row.component, row.external) for row in KINDS.values()] == [
        ("FateParty", "ExternalParty"),
        ("Exchange", "ExternalExchange"),
        ("FateServing", "ExternalServing"),
        ("ServingExchange", "ExternalServingExchange"),
        ("SitePortal", "ExternalSitePortal"),
        ("FmlManager", "ExternalFmlManager"),
    ]


def test_what_belongs_to_a_party_has_its_id_in_its_key_its_path_and_its_title() -> None:
    for row in KINDS.values():
        assert {"{party}" in text for text in (row.key, row.title, *row.path[-1:])} == {row.of_a_party}
    assert 0 < sum(row.of_a_party for row in KINDS.values()) < len(KINDS)


@pytest.mark.parametrize("kind", [kind for kind, row in KINDS.items() if row.hub is not None])
def test_a_hub_has_those_as_members_that_reach_others_through_it(kind: Kind) -> None:
    hub = KINDS[kind].hub
    assert hub is not None
    assert KINDS[hub].equals == kind
    assert KINDS[hub].hub is None
    assert KINDS[hub].program == KINDS[kind].program
