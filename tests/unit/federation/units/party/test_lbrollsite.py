"""A party with several exchanges: lbrollsite stands between rollsite and all of them (KubeFATE's module of that name)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from federation.base.errors import FederationError
from federation.units.unit import UnitPlan
from tests.support.configs import (
    BALANCED,
    OSX_STAR,
    ROLLSITE_LOCAL,
    ROLLSITE_MESH,
    SECOND_HUB,
    STAR_PARTY,
    Case,
    Config,
    exchange_descriptor,
    party_descriptor,
)

Change = Callable[[Config], object]
FRONT = [{"ip": "exchange", "port": 9390}]


def unit(case: Case, folder: Path) -> UnitPlan:
    return case.load(folder).plan.unit("party-9999")


def files(case: Case, folder: Path) -> dict[str, str]:
    return {name: text for manifest in unit(case, folder).routes for name, text in manifest.fields["data"].items()}


def table(case: Case, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files(case, folder)["route_table.json"])["route_table"]
    return found


def modules(**given: Any) -> Change:
    return lambda config: config["parties"]["9999"].update(modules=given)


def state(name: str, state: str) -> Change:
    return lambda config: config["peers"][name].update(state=state)


def test_rollsite_dials_its_front_and_the_front_every_exchange(tmp_path: Path) -> None:
    assert table(BALANCED, tmp_path / "a")["default"] == {"default": FRONT}
    assert files(BALANCED, tmp_path / "b")["exchanges.conf"] == (
        "server 198.51.100.4:9370;  # consortium\nserver 198.51.100.9:9370;  # consortium-2\n"
    )


def test_an_exchange_that_is_suspended_leaves_the_list_and_nothing_else_changes(tmp_path: Path) -> None:
    before, after = unit(BALANCED, tmp_path / "a"), unit(BALANCED.changed(state("consortium-2", "suspended")), tmp_path / "b")
    assert files(BALANCED.changed(state("consortium-2", "suspended")), tmp_path / "c")["exchanges.conf"] == (
        "server 198.51.100.4:9370;  # consortium\n"
    )
    touched = {old.name for old, new in zip(before.routes, after.routes, strict=True) if old != new}
    touched |= {old.name for old, new in zip(before.policies, after.policies, strict=True) if old != new}
    assert touched == {"lbrollsite-route-table", "fate-peers-lbrollsite", "fate-doctor"}
    assert (before.chart, before.services) == (after.chart, after.services)


def test_without_an_exchange_in_force_there_is_no_way_out(tmp_path: Path) -> None:
    case = BALANCED.changed(state("consortium", "suspended")).changed(state("consortium-2", "suspended"))
    assert set(table(case, tmp_path / "a")) == {"9999"}
    # nginx does not start with an empty list.
    assert files(case, tmp_path / "b")["exchanges.conf"] == "server 127.0.0.1:1;\n"


def test_an_exchange_of_the_same_stack_is_dialled_inside_the_cluster(tmp_path: Path) -> None:
    case = ROLLSITE_LOCAL.with_peer("consortium-2", SECOND_HUB).changed(modules(lbrollsite={"exchanges": ["consortium-2"]}))
    assert files(case, tmp_path)["exchanges.conf"] == (
        "server 198.51.100.9:9370;  # consortium-2\nserver <known-after-up:fate-exchange/rollsite.clusterIP>:9370;  # local\n"
    )


def test_with_collaborations_partners_are_reached_through_the_front_and_nobody_else(tmp_path: Path) -> None:
    found = table(BALANCED.changed(lambda config: config.update(collaborations={"fraud": ["9999", "10000"]})), tmp_path)
    assert {party: roles["default"] for party, roles in found.items() if party != "9999"} == {"10000": FRONT}


def test_a_change_of_one_exchange_is_said_to_affect_its_pair(tmp_path: Path) -> None:
    links = unit(BALANCED, tmp_path).links
    assert sorted(links) == ["everyone through consortium", "everyone through consortium-2"]


def test_an_exchange_known_by_a_name_alone_is_pending_and_the_other_is_used(tmp_path: Path) -> None:
    named = exchange_descriptor("consortium", host="hub.example", engine="Eggroll")
    plan = BALANCED.with_peer("consortium-2", named).load(tmp_path / "a").plan
    assert plan.pending["consortium-2"].startswith("its rollsite is published as hub.example, a name, but lbrollsite accepts only IP")
    assert files(BALANCED.with_peer("consortium-2", named), tmp_path / "b")["exchanges.conf"] == (
        "server 198.51.100.4:9370;  # consortium\n"
    )


MISTAKES: list[tuple[Case, Change, str, str]] = [
    (STAR_PARTY, modules(lbrollsite={}), "modules.lbrollsite", "module lbrollsite is not part of Spark + Pulsar + HDFS"),
    (OSX_STAR, modules(lbrollsite={}), "modules.lbrollsite", "module lbrollsite is not part of Eggroll + OSX + Eggroll"),
    (ROLLSITE_MESH, modules(lbrollsite={}), "modules.lbrollsite", "lbrollsite is for exchanges, and a mesh has none"),
    (BALANCED, modules(lbrollsite={"exchanges": ["consortium"]}), "modules.lbrollsite.exchanges.0", "exchange consortium is named twice"),
    (BALANCED, modules(lbrollsite={"exchanges": ["third"]}), "modules.lbrollsite.exchanges.0", "there is no peer third"),
    (BALANCED, modules(lbrollsite={"exchanges": ["local"]}), "modules.lbrollsite.exchanges.0", "this stack holds no exchange"),
    (BALANCED, modules(lbrollsite={"service": {"type": "NodePort"}}), "modules.lbrollsite.service", "has no Service that takes settings"),
    (BALANCED, modules(rollsite={"replicas": 2}), "modules.rollsite.replicas", "rollsite does not scale"),
]


@pytest.mark.parametrize(("case", "change", "place", "problem"), MISTAKES)
def test_a_mistake_is_told(case: Case, change: Change, place: str, problem: str, tmp_path: Path) -> None:
    case.load(tmp_path)
    with pytest.raises(FederationError) as caught:
        case.changed(change).load(tmp_path)
    told = [p for p in caught.value.problems if p.place.endswith(f" fate:parties.9999.{place}")]
    assert any(problem in p.problem for p in told), caught.value.problems


def test_a_party_behind_it_is_no_exchange(tmp_path: Path) -> None:
    case = BALANCED.with_peer("clinic-b", party_descriptor(engine="Eggroll"))
    with pytest.raises(FederationError) as caught:
        case.changed(modules(lbrollsite={"exchanges": ["clinic-b"]})).load(tmp_path)
    assert any(problem.problem == "peer clinic-b is a party, not an exchange" for problem in caught.value.problems)
