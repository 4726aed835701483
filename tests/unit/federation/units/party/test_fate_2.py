"""FATE 2.x: what is planned for its combinations, OSX's route tables, what is refused, and what a preview warns of."""

import itertools
import json
from functools import partial
from pathlib import Path

import pytest

from federation.base.errors import Problem
from federation.catalogue.releases import catalogue
from tests.support.configs import (
    EGGROLL_OSX,
    FILE_PULSAR,
    FILE_RABBITMQ,
    OSX_BY_HAND,
    OSX_EXCHANGE,
    OSX_LOCAL,
    OSX_MESH,
    OSX_MESH_SUSPENDED,
    OSX_STAR,
    OSX_SUSPENDED,
    OSX_SUSPENDED_EXCHANGE,
    SPARK_OSX,
    SPARK_PULSAR,
    SPARK_RABBITMQ,
    STANDALONE_OSX,
    STAR_PARTY,
    Case,
    Config,
    exchange,
    exchange_descriptor,
    party,
    party_descriptor,
    stack,
)
from tests.unit.federation.units.party.test_combinations import planned, refused, words

RELEASES = ["2.0.0", "2.1.0", "2.2.0"]
LEGAL = [
    EGGROLL_OSX, SPARK_OSX, SPARK_RABBITMQ, SPARK_PULSAR, FILE_RABBITMQ, FILE_PULSAR, STANDALONE_OSX,
]  # fmt: skip
# Reference 3.3 and 20.
SPARK = {"sparkMaster", "sparkWorker", "namenode", "datanode"}
MODULES = {
    "Eggroll OSX Eggroll": {"osx", "clustermanager", "nodemanager"},
    "Spark OSX HDFS": {"osx"} | SPARK,
    "Spark RabbitMQ HDFS": {"nginx", "rabbitmq"} | SPARK,
    "Spark Pulsar HDFS": {"nginx", "pulsar"} | SPARK,
    "Spark_local RabbitMQ File": {"nginx", "rabbitmq"},
    "Spark_local Pulsar File": {"nginx", "pulsar"},
    "Standalone OSX Standalone": {"osx"},
}
WORKER: Config = {"spark": {"worker": {"image": {"repository": "own/spark-worker", "tag": "py310"}}}}
PYTHON = "no Spark worker is published with Python 3.10, which FATE-Flow's image runs, and driver and workers need the same"


def member(engines: Config, topology: str = "mesh", release: str = "2.2.0", **changes: object) -> Case:
    """A party of FATE 2.x with these engines and the peer that it needs."""
    engine = engines["federation"]
    own = party(**engines, release=release, exchange="consortium" if topology == "star" else None) | changes
    if engines["computing"] == "Spark":
        own["modules"] = {**WORKER, **own.get("modules", {})}
    alone = Case(f"{words(engines)} in a {topology}", stack("bank-a", topology=topology, parties={"9999": own}))
    if topology == "star":
        return alone.with_peer("consortium", exchange_descriptor(engine=engine, release=release))
    return alone.with_peer("clinic-b", party_descriptor(engine=engine, release=release))


PLANS = [
    pytest.param(release, engines, topology, id=f"{release} {words(engines)} {topology}")
    for release, engines, topology in itertools.product(RELEASES, LEGAL, ("star", "mesh"))
    if (engines["federation"], topology) != ("RabbitMQ", "star")
]


def test_the_catalogue_holds_fate_2_x() -> None:
    assert list(catalogue())[-3:] == RELEASES
    for release in RELEASES:
        assert [words(row) for row in LEGAL] == [
            f"{row.computing} {row.federation} {row.storage}" for row in catalogue()[release].combinations
        ]


@pytest.mark.parametrize(("release", "engines", "topology"), PLANS)
def test_a_legal_combination_is_planned_with_the_modules_of_its_row(release: str, engines: Config, topology: str, tmp_path: Path) -> None:
    unit, values = planned(member(engines, topology, release), tmp_path)
    assert set(unit.modules) == {"fateflow", "mysql"} | MODULES[words(engines)]
    assert (values.release, unit.descriptor["release"], unit.descriptor["backends"]) == (release, release, engines)
    assert values.layout.fateflow.service_conf == "2"
    osx = engines["federation"] == "OSX"
    assert (values.engines.proxy, values.osx is not None, values.ports.osx) == (("osx", True, 9370) if osx else ("nginx", False, None))
    mode = ("stream" if engines["computing"] == "Eggroll" else "queue") if osx else None
    assert values.engines.osx_mode == mode, "stream only works with Eggroll, and is what a missing mode does not mean"
    if osx:
        assert [item.name for item in unit.services] == ["fateflow-client", "osx", "osx-public"]
        assert {item.name: list(item.fields["data"]) for item in unit.routes} == {"osx-route-table": ["route_table.json"]}
        assert (unit.tls, set(unit.descriptor["endpoints"])) == (None, {"osx"})


def test_party_ids_in_chart_values_and_routes_are_texts(tmp_path: Path) -> None:
    unit, values = planned(OSX_MESH, tmp_path)
    assert values.plain()["partyId"] == "9999"
    assert unit.modules["osx"]["image"] == "federatedai/osx:2.2.0-release"


def osx_table(case: Case, folder: Path, unit: str = "party-9999") -> Config:
    """OSX's table of a unit."""
    found = case.load(folder).plan.unit(unit)
    (routes,) = found.routes
    table: Config = json.loads(routes.fields["data"]["route_table.json"])
    assert table.pop("permission") == {"default_allow": True}
    return table


OWN = {"fateflow": [{"ip": "fateflow", "port": 9360}]}


def test_the_table_of_a_party_in_a_star_is_itself_and_the_exchange(tmp_path: Path) -> None:
    assert osx_table(OSX_STAR, tmp_path) == {
        "route_table": {"9999": OWN, "default": {"default": [{"ip": "198.51.100.4", "port": 9370}]}},
        "self_party": ["9999"],
    }


def test_the_table_of_a_party_in_a_mesh_is_itself_and_its_peers_without_a_default(tmp_path: Path) -> None:
    assert osx_table(OSX_MESH, tmp_path) == {
        "route_table": {"9999": OWN, "10000": {"default": [{"ip": "203.0.113.20", "port": 9370}]}},
        "self_party": ["9999"],
    }


def test_the_table_of_an_exchange_is_its_members_without_a_default(tmp_path: Path) -> None:
    assert osx_table(OSX_EXCHANGE, tmp_path, "exchange") == {
        "route_table": {
            "9999": {"default": [{"ip": "203.0.113.10", "port": 30091}]},
            "10000": {"default": [{"ip": "203.0.113.20", "port": 9370}]},
        },
        "self_party": ["default"],
    }


def test_a_party_of_this_stack_and_its_exchange_reach_each_other_by_cluster_ips(tmp_path: Path) -> None:
    hub = osx_table(OSX_LOCAL, tmp_path / "hub", "exchange")["route_table"]
    own = osx_table(OSX_LOCAL, tmp_path / "own")["route_table"]
    assert hub["9999"] == {"default": [{"ip": "<known-after-up:fate-9999/osx.clusterIP>", "port": 9370}]}
    assert own["default"] == {"default": [{"ip": "<known-after-up:fate-exchange/osx.clusterIP>", "port": 9370}]}


@pytest.mark.parametrize(
    ("case", "unit", "kept"),
    [
        (OSX_SUSPENDED, "exchange", {"9999"}),
        (OSX_MESH_SUSPENDED, "party-9999", {"9999"}),
        (OSX_SUSPENDED_EXCHANGE, "party-9999", {"9999"}),
    ],
    ids=str,
)
def test_whoever_is_suspended_has_no_entry_because_osx_reads_its_whole_table_anew(
    case: Case, unit: str, kept: set[str], tmp_path: Path
) -> None:
    assert set(osx_table(case, tmp_path, unit)["route_table"]) == kept


def test_a_member_typed_by_hand_is_reached_where_it_was_typed(tmp_path: Path) -> None:
    assert osx_table(OSX_BY_HAND, tmp_path, "exchange")["route_table"] == {
        "10001": {"default": [{"ip": "osx.old-clinic.example", "port": 30101}]}
    }


@pytest.mark.parametrize(("release", "reason"), [("2.1.0", "no Spark worker is published for it"), ("2.2.0", PYTHON)])
@pytest.mark.parametrize("engines", [SPARK_OSX, SPARK_RABBITMQ, SPARK_PULSAR], ids=words)
def test_spark_on_newer_releases_needs_an_image_of_the_stacks_own(engines: Config, release: str, reason: str, tmp_path: Path) -> None:
    case = member(engines, release=release, modules={"spark": {}})
    (problem,) = refused(case, tmp_path)
    assert problem.place == "parties.9999.modules.spark.worker.image"
    assert problem.problem.startswith(reason)
    assert problem.remedy == "name the tag or the digest of the image you checked: modules.spark.worker.image.digest"


def test_spark_on_2_0_0_has_published_workers(tmp_path: Path) -> None:
    unit, _ = planned(member(SPARK_PULSAR, release="2.0.0", modules={"spark": {}}), tmp_path)
    assert unit.modules["sparkWorker"]["image"] == "federatedai/spark-worker:2.0.0-release"


@pytest.mark.parametrize(("key", "word"), [("storage", "LocalFS"), ("federation", "Eggroll")])
def test_what_only_fate_1_x_has_is_refused(key: str, word: str, tmp_path: Path) -> None:
    engines = {"storage": {**FILE_PULSAR, "storage": "LocalFS"}, "federation": {**EGGROLL_OSX, "federation": "Eggroll"}}[key]
    publish = (
        {"rollsite": {"type": "LoadBalancer"}}
        if word == "Eggroll"
        else {"pulsar": {"type": "LoadBalancer"}, "nginx": {"type": "LoadBalancer"}}
    )
    alone = Case(
        "alone", stack("bank-a", topology="mesh", parties={"9999": party(**engines, release="2.2.0", exchange=None, publish=publish)})
    )
    (problem,) = refused(alone, tmp_path)
    assert problem.problem == f"release 2.2.0 is not deployed as {words(engines).replace(' ', ' + ')}"


def test_an_exchange_with_rollsite_is_none_of_fate_2(tmp_path: Path) -> None:
    case = Case("an exchange", stack("consortium", exchange=exchange(federation="Eggroll", release="2.2.0")))
    (problem,) = refused(case, tmp_path)
    assert problem == Problem("exchange.federation", "release 2.2.0 has no exchange for Eggroll", "choose one of: Pulsar, OSX")


def _update_exchange(config: Config, **changes: object) -> None:
    config["exchange"].update(changes)


@pytest.mark.parametrize(
    ("case", "place", "problem"),
    [
        (
            STAR_PARTY.with_peer("consortium", exchange_descriptor(release="2.2.0")),
            "peers.consortium",
            "is FATE 2.2.0, while parties.9999 of this stack is FATE 1.11.2",
        ),
        (
            member(FILE_PULSAR, "star").with_peer("consortium", exchange_descriptor(release="1.11.2")),
            "peers.consortium",
            "is FATE 1.11.2, while parties.9999 of this stack is FATE 2.2.0",
        ),
        (
            OSX_MESH.changed(lambda config: config["parties"].update({"9998": party("fate-9998", exchange=None, **SPARK_PULSAR)})),
            "parties.9999.federation",
            "uses OSX, while parties.9998.federation of this stack uses Pulsar",
        ),
        (
            member(FILE_PULSAR).changed(
                lambda config: config["parties"].update({"9998": party("fate-9998", exchange=None, **SPARK_PULSAR)})
            ),
            "parties.9999.release",
            "is FATE 2.2.0, while parties.9998 of this stack is FATE 1.11.2",
        ),
    ],
    ids=["a newer exchange", "an older exchange", "other engines", "two parties"],
)
def test_parties_and_exchanges_of_two_majors_are_refused(case: Case, place: str, problem: str, tmp_path: Path) -> None:
    found = {(item.place, item.problem.split(":")[0]) for item in refused(case, tmp_path)}
    assert (place, problem) in found


def test_a_suspended_peer_may_be_of_another_major(tmp_path: Path) -> None:
    case = STAR_PARTY.with_peer("consortium", exchange_descriptor(release="2.2.0"), state="suspended")
    assert case.load(tmp_path).plan.units


def said(case: Case, folder: Path) -> list[str]:
    """The warnings about releases."""
    return [warning for warning in case.load(folder).plan.warnings if ", FATE " in warning]


@pytest.mark.parametrize(
    ("case", "warnings"),
    [
        (member(EGGROLL_OSX), []),
        (member(FILE_PULSAR), ["its nginx is the one of 2.0.0", "FATE's compose files for it know Eggroll only"]),
        (member(EGGROLL_OSX, release="2.1.0"), ["the tags of its images are not confirmed"]),
        (member(EGGROLL_OSX, release="2.0.0"), ["KubeFATE's chart installs the Python package cryptography"]),
        (
            member(EGGROLL_OSX, release="2.0.0", algorithm="NN"),
            ["KubeFATE's chart installs the Python package cryptography", "that its images for NN, IPCL and GPU are published"],
        ),
        (member(EGGROLL_OSX, modules={"client": {}}), ["FATE's compose files for it have no notebook"]),
        (member(EGGROLL_OSX, modules={"client": {"image": {"tag": "own"}}}), []),
        (STAR_PARTY, []),
    ],
    ids=["2.2.0", "slim", "2.1.0", "2.0.0", "NN", "notebook", "own notebook", "1.11.2"],
)
def test_a_preview_warns_of_what_is_uncertain_of_the_releases_that_are_deployed(case: Case, warnings: list[str], tmp_path: Path) -> None:
    found = said(case, tmp_path)
    assert len(found) == len(warnings)
    for warning, expected in zip(found, warnings, strict=True):
        assert warning.startswith(f"party 9999, FATE {case.config['parties']['9999']['release']}: {expected}")


def test_a_preview_warns_of_the_exchanges_release_too(tmp_path: Path) -> None:
    case = OSX_EXCHANGE.changed(partial(_update_exchange, release="2.1.0"))
    (warning,) = said(case, tmp_path)
    assert warning.startswith("the exchange, FATE 2.1.0: the tags of its images are not confirmed")


@pytest.mark.parametrize("release", catalogue().values(), ids=lambda release: release.release)
def test_a_release_takes_over_the_data_of_older_ones_of_its_major_only(release: object) -> None:
    rows = catalogue()
    own = rows[release.release]  # type: ignore[attr-defined]
    older = list(rows)[: list(rows).index(own.release)]
    assert set(own.upgrade_from) == {name for name in older if rows[name].major == own.major}


@pytest.fixture
def unpatched(monkeypatch: pytest.MonkeyPatch) -> str:
    """Release 2.2.0 without its patches."""
    rows = {name: row.model_copy(update={"patches": ()}) if row.major == 2 else row for name, row in catalogue().items()}
    monkeypatch.setattr("federation.config.stack.StackSpec.catalogue", property(lambda _: rows))
    return "2.2.0"


def test_a_native_mesh_with_pulsar_needs_the_patch(unpatched: str, tmp_path: Path) -> None:
    (problem,) = refused(member(FILE_PULSAR, release=unpatched), tmp_path)
    assert problem.place == "federation.topology"
    assert problem.problem.startswith(
        "routes of party 9999 to single peers have no effect in release 2.2.0: FATE 2.x looks a Pulsar peer up"
    )


def test_a_star_with_pulsar_and_collaborations_needs_the_patch_too(unpatched: str, tmp_path: Path) -> None:
    case = member(FILE_PULSAR, "star", release=unpatched)
    assert case.load(tmp_path / "all").plan.units, "a default route alone works"
    (problem,) = refused(case.changed(lambda config: config.update(collaborations={"pair": ["9999", "10000"]})), tmp_path / "some")
    assert problem.place == "collaborations"


@pytest.mark.parametrize("engines", [EGGROLL_OSX, FILE_RABBITMQ], ids=words)
def test_other_engines_need_no_patch(unpatched: str, engines: Config, tmp_path: Path) -> None:
    assert member(engines, release=unpatched).load(tmp_path).plan.units


@pytest.mark.parametrize(("engines", "count"), [(FILE_PULSAR, 1), (SPARK_PULSAR, 1), (FILE_RABBITMQ, 0), (EGGROLL_OSX, 0)], ids=str)
def test_a_patch_is_in_the_values_of_parties_that_need_it(engines: Config, count: int, tmp_path: Path) -> None:
    found = planned(member(engines), tmp_path)[1].image_patches
    assert len(found) == count
    for patch in found:
        assert [(edit.find, edit.replace) for edit in patch.edits] == [("int(party.party_id)", "str(party.party_id)")]


def test_every_patch_says_why() -> None:
    patches = [patch for release in catalogue().values() for patch in release.patches]
    assert len(patches) == 3
    assert all(len(patch.reason.split()) > 5 and patch.find != patch.replace for patch in patches)
