"""Who is called a partner of a unit is whom its routes and policies lead to, whatever its kind."""

from pathlib import Path

import pytest

from federation.config.units import units
from federation.links.pairs import exchanges
from federation.links.partners import is_partner
from tests.support.configs import EVERY_CASE, STAR_PARTY, Case, Config, exchange_descriptor


def with_a_collaboration(config: Config) -> None:
    """The first two parties of the tests work together, and nobody else."""
    config["collaborations"] = {"trial": ["9999", "10000"]}


@pytest.mark.parametrize("collaborates", [False, True])
@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_the_active_partners_of_a_unit_are_those_that_it_dials(case: Case, collaborates: bool, tmp_path: Path) -> None:
    loaded = (case.changed(with_a_collaboration) if collaborates else case).load(tmp_path)
    ready = [peer for peer in loaded.peers.accepted if peer.routed and peer.name not in loaded.plan.pending]
    every = list(units(loaded.spec))
    assert [unit.key for unit in every] == [plan.key for plan in loaded.plan.units]
    for unit in every:
        dialled = loaded.plan.unit(unit.key).links
        partners = [peer for peer in ready if is_partner(unit, peer)]
        if unit.spec.hubs:
            # With collaborations every partner behind an exchange is named in its place.
            assert collaborates or {peer.name for peer in partners} == {*exchanges(dialled)} - {"local"}
        else:
            ours = {other.party_id for other in every if other.kind == unit.row.equals}
            assert {peer.party_id for peer in partners} == dialled.keys() - ours


def test_an_exchange_that_a_party_does_not_name_is_no_partner(tmp_path: Path) -> None:
    loaded = STAR_PARTY.with_peer("second", exchange_descriptor()).load(tmp_path)
    (party,) = units(loaded.spec)
    assert {peer.name: is_partner(party, peer) for peer in loaded.peers.accepted} == {"consortium": True, "second": False}
