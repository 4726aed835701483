"""Whose a namespace is, by its note and by what stands in it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from federation.units.namespace_owner import Occupants, foreign_owner, left_claims, names_of_ours, occupied
from federation.units.unit import UnitPlan
from tests.support.configs import EVERY_CASE, STAR_PARTY, Case

KEPT = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(persistence={"storageClass": "fast"}))


def unit_of(case: Case, folder: Path) -> UnitPlan:
    return case.load(folder).plan.unit("party-9999")


@pytest.fixture
def unit(tmp_path: Path) -> UnitPlan:
    """Party 9999 of bank-a."""
    return unit_of(STAR_PARTY, tmp_path)


def note(of: UnitPlan, /, **changes: Any) -> dict[str, str]:
    """What its own note says, changed; None takes a line away."""
    said = dict(of.owner[0].fields["data"]) | changes
    return {key: value for key, value in said.items() if value is not None}


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_every_unit_leaves_a_note_of_its_own_in_its_namespace(case: Case, tmp_path: Path) -> None:
    units = case.load(tmp_path).plan.units
    assert units
    for unit in units:
        [manifest] = unit.owner
        assert (manifest.kind, manifest.name, manifest.namespace) == ("ConfigMap", "fate-owner", unit.namespace)
        assert manifest.fields["data"]["unit"] == unit.key
        assert manifest.fields["data"]["organization"] == case.config["organization"]
    assert len({unit.namespace for unit in units}) == len(units)


KEY, OTHER = "SHA256:" + "A" * 43, "SHA256:" + "B" * 43


@pytest.mark.parametrize(
    ("mine", "theirs", "foreign"),
    [
        ({}, {}, False),
        ({}, {"stack": "other"}, True),
        ({}, {"organization": "other"}, True),
        ({"key": KEY}, {"key": KEY, "stack": "before-it-was-renamed"}, False),
        ({"key": KEY}, {"key": OTHER}, False),  # a key was replaced; of another state the preview knows nothing, and refuses
        ({"key": KEY}, {"key": OTHER, "stack": "other"}, True),
        ({"key": KEY}, {"stack": "other"}, True),
        ({}, {"key": KEY, "stack": "other"}, True),
        ({}, {"organization": None, "stack": None, "unit": None}, True),
    ],
)  # fmt: skip
def test_a_note_is_ones_own_by_the_key_or_by_the_names(unit: UnitPlan, mine: dict[str, str], theirs: dict[str, Any], foreign: bool) -> None:
    own = replace(unit.owner[0], fields={"data": note(unit, **mine)})
    why = foreign_owner(replace(unit, owner=(own,)), note(unit, **theirs))
    assert (why is not None) is foreign
    assert why is None or (unit.namespace in why[0] and "takeOver: [fate-9999]" in why[1])


def test_a_new_unit_does_not_come_where_its_own_note_is(unit: UnitPlan) -> None:
    why = occupied(unit, Occupants(note(unit)))
    assert why is not None
    assert "in use by stack bank-a of organization bank-a (party-9999)" in why[0]
    assert "pulumi whoami --verbose" in why[1]
    assert occupied(unit, Occupants(None, (), ("data-mysql-0",))) is None


def workload(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {key.replace("__", "/"): value for key, value in labels.items()}}}


def test_workloads_count_by_the_names_that_this_program_gives(unit: UnitPlan) -> None:
    found = names_of_ours(
        "deployments", [workload("grafana"), workload("nginx", owner="kubefate", heritage="Helm"), {"metadata": {"name": "python"}}]
    )
    assert found == ("deployment nginx of KubeFATE", "deployment python")
    why = occupied(unit, Occupants(None, found))
    assert why is not None
    assert "holds deployment nginx of KubeFATE, deployment python, which" in why[0]
    assert "docs/guides/from-kubefate.md" in why[1]


def test_claims_that_are_left_are_said_with_the_ways_out(tmp_path: Path) -> None:
    unit = unit_of(KEPT, tmp_path)
    assert left_claims(unit, Occupants(None, (), ("somebody-else-0", "data-mysql", "data-mysql-x", "my-data-mysql-0"))) is None
    said = left_claims(unit, Occupants(None, (), ("data-mysql-0", "dfs-datanode-0", "dfs-datanode-11", "somebody-else-0")))
    assert said is not None
    problem, remedy = said
    assert "party-9999 will start with the data on them: data-mysql-0, dfs-datanode-0, dfs-datanode-11" in problem
    for way in ("restore the stack file", "another namespace", "existingClaim", "delete pvc data-mysql-0 dfs-datanode-0 dfs-datanode-11`"):
        assert way in remedy
    assert "somebody-else-0" not in problem + remedy


def test_a_claim_that_is_named_on_purpose_is_no_surprise(tmp_path: Path) -> None:
    modules = {"mysql": {"persistence": {"existingClaim": "data-mysql-0"}}}
    named = KEPT.changed(lambda config: config["parties"]["9999"].update(modules=modules))
    assert "mysql" in unit_of(named, tmp_path).data["claims"]
    assert left_claims(unit_of(named, tmp_path), Occupants(None, (), ("data-mysql-0",))) is None


def test_taking_over_is_named_by_namespace_and_warned_of(tmp_path: Path) -> None:
    taking = STAR_PARTY.changed(lambda config: config.update(cluster={"takeOver": ["fate-9999"]}))
    loaded = taking.load(tmp_path)
    assert loaded.plan.unit("party-9999").owner[0].annotations == {"pulumi.com/patchForce": "true"}
    assert any("cluster.takeOver takes over namespace fate-9999" in warning for warning in loaded.plan.warnings)
    assert not unit_of(STAR_PARTY, tmp_path / "other").owner[0].annotations
