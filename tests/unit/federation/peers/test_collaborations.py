"""Collaborations: only parties that share one get routes to each other; what a native link cannot enforce is said."""

from pathlib import Path
from typing import Any

import pytest

from federation.base.errors import FederationError
from federation.stack.load import load_stack
from tests.support.configs import EXCHANGE, MESH, ROLLSITE_STAR, STAR_PARTY, Case, party_descriptor
from tests.unit.federation.links.native.test_files import PARTY_NGINX, PARTY_PULSAR, TOMBSTONE, files
from tests.unit.federation.links.test_twin import MESHES, STARS, Kind, Life, every_kind, everyone, founded

DEFAULT_NOWHERE = "default:\n  proxy:\n    - host: 127.0.0.1\n      http_port: 1\n"


def together(case: Case, **collaborations: Any) -> Case:
    """The same stack with collaborations."""
    return case.changed(lambda config: config.update(collaborations=collaborations))


def collaborate(life: Life, **collaborations: list[str]) -> None:
    """Every organization writes the same collaborations and runs `pulumi up`."""
    for name in life.world.organizations:
        life.world.change(name, lambda config: config.update(collaborations=collaborations))
    life.world.up()


@every_kind
def test_only_pairs_that_share_a_collaboration_reach_each_other(kind: Kind, tmp_path: Path) -> None:
    life = founded(kind, tmp_path)
    life.join("hospital-c", "10001", "777")
    world, all_pairs = life.world, everyone("9999", "10000", "10001", "777")
    assert world.faults(all_pairs) == []
    collaborate(life, fraud=["9999", "10000"], scoring=["10000", "10001"])
    pairs = everyone("9999", "10000") | everyone("10000", "10001")
    assert world.faults(pairs) == []
    collaborate(life, fraud=["9999", "10000", "777"], scoring=["10001", "777"])
    pairs = everyone("9999", "10000", "777") | everyone("10001", "777")
    assert world.faults(pairs) == [], "what nginx remembers of former partners leads nowhere"
    for name in world.organizations:
        world.change(name, lambda config: config.pop("collaborations"))
    world.up()
    # nginx remembers that former strangers led nowhere; in a star that covers every party that a table names no more.
    if kind.topology == "star":
        life.restart()
    assert world.faults(all_pairs) == []


def test_a_party_of_a_star_names_its_partners_and_nobody_else(tmp_path: Path) -> None:
    texts = files(together(STAR_PARTY, fraud=["9999", "10000"], other=["10000", "10001"]).load(tmp_path).plan)["party-9999"]
    partner = '10000:\n  host: 10000.fraud.example\n  port: 6650\n  sslPort: 6651\n  proxy: "198.51.100.4:443"\n'
    assert texts["pulsar_route_table.yaml"] == PARTY_PULSAR + partner
    through = "10000:\n  fateflow:\n    - host: 198.51.100.5\n      http_port: 9300\n"
    assert texts["route_table.yaml"] == PARTY_NGINX + through + TOMBSTONE.replace("10000", "10001") + DEFAULT_NOWHERE


def test_a_party_of_a_star_with_rollsite_has_no_default_route(tmp_path: Path) -> None:
    text = files(together(ROLLSITE_STAR, fraud=["9999", "10000"]).load(tmp_path).plan)["party-9999"]["route_table.json"]
    assert '"10000": {\n      "default": [\n        {\n          "ip": "198.51.100.4",\n          "port": 9370\n' in text
    assert '"default": {' not in text.replace('"default": [', "")


def test_an_exchange_has_no_tunnel_for_a_member_of_no_collaboration(tmp_path: Path) -> None:
    case = EXCHANGE.with_peer("hospital-c", party_descriptor("10001", "hospital-c"))
    assert "10001.fraud.example" in files(case.load(tmp_path / "a").plan)["exchange"]["sni.yaml"]
    loaded = together(case, fraud=["9999", "10000"]).load(tmp_path / "b")
    texts = files(loaded.plan)["exchange"]
    assert "10001" not in texts["sni.yaml"]
    assert texts["sni.yaml"].count("fqdn") == 2
    assert texts["route_table.yaml"].endswith(TOMBSTONE.replace("10000", "10001"))
    assert "peer hospital-c (party 10001) is in no collaboration: it gets no route" in loaded.plan.warnings


def test_a_mesh_leads_strangers_nowhere(tmp_path: Path) -> None:
    loaded = together(MESH, other=["9999", "4711"]).load(tmp_path)
    assert files(loaded.plan)["party-9999"] == {"pulsar_route_table.yaml": PARTY_PULSAR, "route_table.yaml": PARTY_NGINX + TOMBSTONE}
    said = "collaboration other names party 4711, which is neither a party nor an accepted peer of this stack: no route yet"
    assert said in loaded.plan.warnings


def test_a_party_in_no_collaboration_is_told_so(tmp_path: Path) -> None:
    warnings = together(STAR_PARTY, other=["10000", "10001"]).load(tmp_path).plan.warnings
    assert "party 9999 is in no collaboration: it has no route to anyone" in warnings
    assert not [warning for warning in warnings if "neither a party nor an accepted peer" in warning], "a star's party knows no ids"


@pytest.mark.parametrize("kind", [kind for kind in (*STARS, *MESHES) if not kind.local], ids=str)
def test_a_native_link_does_not_check_who_sends_and_the_preview_says_so(kind: Kind, tmp_path: Path) -> None:
    """One member without the agreement, 10001, still reaches the others: its own stack is what keeps it from that."""
    life = founded(kind, tmp_path)
    life.join("hospital-c", "10001")
    names = [name for name in life.world.organizations if name != "hospital-c"]
    for name in names:
        life.world.change(name, lambda config: config.update(collaborations={"fraud": ["9999", "10000"]}))
        life.world.up(name)
    assert life.world.faults(everyone("9999", "10000") | {("10001", "9999"), ("10001", "10000")}) == []
    for name in names:
        assert "do not check the sender" in " ".join(life.world.organizations[name].plan.warnings)


@pytest.mark.parametrize(
    ("collaborations", "place", "problem"),
    [
        ({}, "fate:collaborations", "is empty, which could mean no one or everyone"),
        ({"fraud": ["9999"]}, "fate:collaborations.fraud", "a collaboration needs at least two parties"),
        ({"fraud": ["9999", 9999]}, "fate:collaborations.fraud", "9999 is written twice"),
        ({"fraud": ["9999", "x"]}, "fate:collaborations.fraud.1", "a party id is a positive whole number"),
        ({"Fraud!": ["9999", "10000"]}, "fate:collaborations.Fraud!", "is not a name of lower-case letters"),
    ],
)
def test_a_wrong_collaboration_is_refused(collaborations: dict[str, Any], place: str, problem: str, tmp_path: Path) -> None:
    file = together(STAR_PARTY, **collaborations).write(tmp_path)
    with pytest.raises(FederationError) as caught:
        load_stack(file)
    (found,) = caught.value.problems
    assert (found.place.split(" ")[1], problem in found.problem) == (place, True), str(found)


def test_an_empty_map_is_refused_also_when_the_engine_gives_the_values(tmp_path: Path) -> None:
    """The engine says nothing of an empty map, which is how the last collaboration would open everything."""
    file = together(STAR_PARTY).write(tmp_path)
    with pytest.raises(FederationError, match="could mean no one or everyone"):
        load_stack(file, {key: value for key, value in STAR_PARTY.config.items() if key != "collaborations"})


def test_ids_are_numbers_or_texts_in_any_order(tmp_path: Path) -> None:
    one, other = (
        files(together(STAR_PARTY, fraud=ids).load(tmp_path / str(number)).plan)
        for number, ids in enumerate((["9999", "10000", "777"], [777, 10000, 9999]))
    )
    assert one == other
