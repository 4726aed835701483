"""Edits that would leave a party's data behind are recognised, and no others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from federation.catalogue.releases import catalogue
from federation.units.data import lost_data
from tests.support.configs import HDFS, MYSQL, ROLLSITE_STAR, SPARK, STAR_PARTY, external

Change = Callable[[dict[str, Any]], Any]


def facts(tmp_path: Path, change: Change = lambda party: None) -> dict[str, Any]:
    """What is remembered of party 9999 after a change of its configuration."""
    kept = {"persistence": {}, "modules": {"fateboard": {}, "client": {}}}
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(kept))
    case = case.changed(lambda config: change(config["parties"]["9999"]))
    return dict(case.load(tmp_path).plan.unit("party-9999").data)


def lost(tmp_path: Path, change: Change) -> list[str]:
    """What a change loses."""
    return list(lost_data(facts(tmp_path / "old"), facts(tmp_path / "new", change)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda party: party.update(namespace="other"), "namespace fate-9999 -> other: it would start empty"),
        (lambda party: party.update(persistence="none"), "persistence of client -> none: it would start empty"),
        (lambda party: party.update(persistence={"storageClass": "fast"}), "claim of mysql: accessMode ReadWriteOnce, size 10Gi -> "),
        (
            lambda party: party["modules"].update(mysql={"persistence": {"size": "50Gi"}}),
            "claim of mysql: accessMode ReadWriteOnce, size 10Gi -> accessMode",
        ),
        (lambda party: party["modules"].update(mysql={"persistence": "none"}), "persistence of mysql -> none: it would start empty"),
        (
            lambda party: party["modules"].update(mysql={"persistence": {"existingClaim": "old"}}),
            "claim of mysql: accessMode ReadWriteOnce, size 10Gi -> existingClaim old: it would start with the data there",
        ),
        (
            lambda party: party["modules"].update(mysql={"persistence": {"subPath": "old"}}),
            "claim of mysql: accessMode ReadWriteOnce, size 10Gi -> accessMode ReadWriteOnce, size 10Gi, subPath old: it would start with",
        ),
        (lambda party: party["modules"].update(hdfs={"datanode": {"replicas": 1}}), "3 -> 1 HDFS data nodes"),
        (
            lambda party: party.update(engines=external(mysql=MYSQL)),
            "database the party's own module -> db.bank-a.example:3306/fate_9999: it would start empty there; its job history",
        ),
        (
            lambda party: party.update(engines=external(hdfs=HDFS)),
            "files the party's own module -> hdfs://namenode.bank-a.example:8020/fate: it would start empty there",
        ),
        (lambda party: party.update(computing="Spark_local", storage="LocalFS"), "storage HDFS -> LocalFS"),
    ],
)
def test_a_change_that_leaves_data_behind_is_told(tmp_path: Path, change: Change, said: str) -> None:
    found = lost(tmp_path, change)
    assert any(problem.startswith(said) for problem in found), found


@pytest.mark.parametrize(
    "change",
    [
        lambda party: None,
        lambda party: party["modules"].pop("client", None),
        lambda party: party["modules"].update(hdfs={"datanode": {"replicas": 5}}),
        lambda party: party["modules"].update(spark={"workers": 5}),
        lambda party: party.update(engines=external(spark=SPARK)),
        lambda party: party["publish"]["pulsar"].update(port=16651),
    ],
)
def test_a_change_that_keeps_the_data_is_not_told(tmp_path: Path, change: Change) -> None:
    assert lost(tmp_path, change) == []


def released(release: str, computing: str = "Spark") -> dict[str, Any]:
    """What is remembered of a party's release."""
    row = catalogue()[release]
    tables = {"FATE-Flow": row.flow_tables} | ({"Eggroll": row.eggroll} if computing == "Eggroll" else {})
    return {"release": release, "upgradeFrom": sorted(row.upgrade_from), "tables": tables}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.11.2", "1.11.1", "release 1.11.2 -> 1.11.1: 1.11.1 cannot read data of 1.11.2, but of 1.10.0, 1.9.0, 1.9.1, 1.9.2"),
        ("1.11.2", "2.0.0", "release 1.11.2 -> 2.0.0: 2.0.0 cannot read data of 1.11.2, but of no release"),
        ("1.10.0", "1.11.2", "release 1.10.0 -> 1.11.2: tables of FATE-Flow 1.9 -> 1.11, which this program does not change"),
    ],
)
def test_a_release_that_would_not_read_the_data_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    (problem,) = lost_data(facts(tmp_path) | released(old), facts(tmp_path) | released(new))
    assert problem.startswith(said)


def test_tables_of_eggroll_are_told_where_eggroll_is_deployed(tmp_path: Path) -> None:
    def change(computing: str) -> list[str]:
        return list(lost_data(facts(tmp_path) | released("1.11.1", computing), facts(tmp_path) | released("1.11.2", computing)))

    assert change("Spark") == []
    (problem,) = change("Eggroll")
    assert problem.startswith("release 1.11.1 -> 1.11.2: tables of Eggroll 2.4 -> 2.5, which this program does not change")


def test_a_party_remembers_the_release_of_its_data_and_other_images_are_none_of_it(tmp_path: Path) -> None:
    plain = facts(tmp_path / "plain")
    assert plain.items() >= released("1.11.2").items()
    eggroll = ROLLSITE_STAR.load(tmp_path / "eggroll").plan.unit("party-9999").data
    assert eggroll["tables"] == {"FATE-Flow": "1.11", "Eggroll": "2.5"}
    assert facts(tmp_path / "own", lambda party: party["modules"].update(fateflow={"image": {"tag": "1.11.3-release"}})) == plain


def test_a_party_that_gets_claims_loses_what_was_in_its_pods(tmp_path: Path) -> None:
    before = facts(tmp_path / "old", lambda party: party.update(persistence="none"))
    problems = list(lost_data(before, facts(tmp_path / "new")))
    modules = ["client", "datanode", "fateflow", "mysql", "namenode", "pulsar"]
    assert problems == [f"persistence of {module}: none -> claims: it would start empty" for module in modules]


def test_a_stack_from_before_these_facts_were_remembered_is_not_refused(tmp_path: Path) -> None:
    assert list(lost_data({}, facts(tmp_path))) == []


def test_fewer_eggroll_nodes_are_told(tmp_path: Path) -> None:
    old = {"eggrollNodes": 4.0}  # numbers come back from the engine as floats
    (problem,) = lost_data(old, facts(tmp_path) | {"eggrollNodes": 2})
    assert problem == "4 -> 2 Eggroll nodes: tables of the removed ones become unreachable"
