"""The calls that nginx passes on are those of FATE's source, and one list has them for party and exchange."""

import re
from pathlib import Path

import pytest

from federation.catalogue.releases import Release, catalogue
from federation.chart_values.fate import ExchangeValues, PartyValues
from tests.support.configs import EXCHANGE, FILE_PULSAR, MESH, OSX_STAR, RABBITMQ_MESH, RELEASE_2, ROLLSITE_STAR, STAR_PARTY, Case, Config
from tests.support.partner_calls import CLIENT_PATHS, calls_1, calls_2

CALLS = {1: calls_1(), 2: calls_2()}


def matching(release: Release, asked: str) -> list[str]:
    """The entries of a release's list that a request is one of."""
    return [call for call in release.partner_calls if re.fullmatch(re.escape(call).replace(r"\*", "[^/]+"), asked)]


@pytest.mark.parametrize("release", catalogue().values(), ids=lambda release: release.release)
def test_the_list_of_a_release_is_what_its_fateflow_asks_partners(release: Release) -> None:
    found = [matching(release, str(call)) for call in CALLS[release.major]]
    assert len(found) >= 18
    assert all(len(entries) == 1 for entries in found)
    # By `fatefed doctor` only.
    doctor = {"POST /v1/version/get"} if release.major == 1 else set()
    assert {entry for entries in found for entry in entries} == set(release.partner_calls) - doctor
    assert len(set(release.partner_calls)) == len(release.partner_calls)


@pytest.mark.parametrize("release", catalogue().values(), ids=lambda release: release.release)
@pytest.mark.parametrize("asked", CLIENT_PATHS)
def test_nothing_of_a_clients_is_in_a_list(release: Release, asked: str) -> None:
    assert matching(release, asked) == []


@pytest.mark.parametrize("case", [STAR_PARTY, MESH, RABBITMQ_MESH], ids=str)
def test_a_party_with_nginx_has_the_list_of_its_release(case: Case, tmp_path: Path) -> None:
    values = case.load(tmp_path).plan.unit("party-9999").chart.values
    assert isinstance(values, PartyValues)
    assert values.partner_calls == catalogue()["1.11.2"].partner_calls


def test_an_exchange_has_the_lists_of_every_release_that_its_members_may_have(tmp_path: Path) -> None:
    values = EXCHANGE.load(tmp_path).plan.unit("exchange").chart.values
    assert isinstance(values, ExchangeValues)
    assert values.partner_calls is not None
    assert set(values.partner_calls) == {call for row in catalogue().values() if row.major == 1 for call in row.partner_calls}


@pytest.mark.parametrize("case", [ROLLSITE_STAR, OSX_STAR], ids=str)
def test_a_party_without_nginx_has_no_list(case: Case, tmp_path: Path) -> None:
    values = case.load(tmp_path).plan.unit("party-9999").chart.values
    assert isinstance(values, PartyValues)
    assert values.modules.nginx is None
    assert values.partner_calls is None


def test_a_grpc_port_from_before_has_no_effect_and_is_said(tmp_path: Path) -> None:
    def ports(config: Config) -> None:
        config["parties"]["9999"]["publish"]["nginx"]["grpcPort"] = 9310

    before, after = STAR_PARTY.load(tmp_path / "a").plan, STAR_PARTY.changed(ports).load(tmp_path / "b").plan
    (said,) = set(after.warnings) - set(before.warnings)
    assert said.startswith("parties.9999.publish.nginx.grpcPort has no effect")
    assert before.units == after.units
    published = [manifest for manifest in after.unit("party-9999").services if manifest.name.startswith("nginx")]
    assert [[port["port"] for port in manifest.fields["spec"]["ports"]] for manifest in published] == [[9300], [9300]]


def test_a_party_of_fate_2_with_nginx_has_the_calls_of_fate_2(tmp_path: Path) -> None:
    case = MESH.changed(lambda config: (config.update(peers={}), config["parties"]["9999"].update(release=RELEASE_2, **FILE_PULSAR)))
    values = case.load(tmp_path).plan.unit("party-9999").chart.values
    assert isinstance(values, PartyValues)
    assert values.partner_calls == catalogue()[RELEASE_2].partner_calls
