"""The blast radius: which pairs a change affects, how, and who has to act; and the status that CI reads."""

import json
from pathlib import Path
from typing import get_args

import pytest

from cli.impact import stack_effects
from cli.main import main
from cli.project import find_project
from federation.impact import Effect, effects
from federation.links import Kind
from federation.unit import COMPONENTS
from tests.support.configs import (
    CLINIC,
    EXCHANGE,
    MESH,
    NODE_PORTS,
    SERVING,
    SERVING_EXCHANGE,
    STAR_PARTY,
    Case,
    Config,
    node_port,
    party_descriptor,
)
from tests.support.stacks import project
from tests.unit.test_federation_trust import trusting, with_ca

HOSPITAL = party_descriptor("10001", "hospital-c", host="203.0.113.30", nginx="203.0.113.31")


def found(before: Case, after: Case, folder: Path) -> list[Effect]:
    """The effects of an edit on the one unit of a stack."""
    (old,), (new,) = (case.load(folder / str(number)).plan.units for number, case in enumerate((before, after)))
    # As the state returns it.
    return list(effects(new.key, json.loads(json.dumps(old.facts)), new.facts))


def told(before: Case, after: Case, folder: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Kind and pairs of each effect."""
    return [(effect.kind, effect.pairs) for effect in found(before, after, folder)]


def test_nothing_changed_affects_nobody(tmp_path: Path) -> None:
    assert told(NODE_PORTS, NODE_PORTS, tmp_path) == []


def test_a_new_member_is_a_reload_of_its_own_pair(tmp_path: Path) -> None:
    joined = EXCHANGE.with_peer("hospital-c", HOSPITAL)
    assert told(EXCHANGE, joined, tmp_path / "a") == [("reload", ("exchange <-> 10001",))]
    assert told(MESH, MESH.with_peer("hospital-c", HOSPITAL), tmp_path / "b") == [("reload", ("9999 <-> 10001",))]


def test_a_member_that_moved_is_a_reload_and_a_suspended_one_is_cut(tmp_path: Path) -> None:
    assert told(EXCHANGE, EXCHANGE.with_peer("clinic-b", party_descriptor(port=32010)), tmp_path / "a") == [
        ("reload", ("exchange <-> 10000",))
    ]
    suspended = EXCHANGE.changed(lambda config: config["peers"]["clinic-b"].update(state="suspended"))
    (effect,) = found(EXCHANGE, suspended, tmp_path / "b")
    assert (effect.kind, effect.pairs) == ("cut", ("exchange <-> 10000",))
    assert effect.acts == "this stack; the other side should suspend or retire exchange too"
    star = STAR_PARTY.with_peer("clinic-b", party_descriptor())
    severed = star.changed(lambda config: config["peers"]["clinic-b"].update(state="suspended"))
    assert told(star, severed, tmp_path / "c") == [("cut", ("9999 <-> 10000",))]


def test_a_restart_affects_every_pair_and_that_of_a_console_none(tmp_path: Path) -> None:
    def edit(module: str) -> Case:
        return NODE_PORTS.changed(
            lambda config: config["parties"]["9999"].update(modules={"fateboard": {}, "client": {}, module: {"image": {"tag": "other"}}})
        )

    (effect,) = found(NODE_PORTS, edit("nginx"), tmp_path / "a")
    assert (effect.kind, effect.what) == ("restart", "pods of nginx stop and start again")
    assert effect.pairs == ("9999 <-> everyone through consortium",)
    (effect,) = found(NODE_PORTS, edit("fateboard"), tmp_path / "b")
    assert (effect.kind, effect.pairs) == ("reload", ())


def test_another_published_port_cuts_until_the_peers_act(tmp_path: Path) -> None:
    def edit(config: Config) -> None:
        config["parties"]["9999"]["publish"]["pulsar"] = node_port(port=30777)

    (effect,) = found(NODE_PORTS, NODE_PORTS.changed(edit), tmp_path)
    assert effect.kind == "cut"
    assert "every peer accepts it" in effect.acts


def test_data_that_is_left_behind_is_said(tmp_path: Path) -> None:
    def edit(config: Config) -> None:
        config["parties"]["9999"].update(persistence="none", allowDataLoss=True)

    kinds = [effect.kind for effect in found(NODE_PORTS, NODE_PORTS.changed(edit), tmp_path)]
    assert kinds[0] == "data loss"
    assert "restart" in kinds


def test_another_release_is_said_beside_the_restarts_that_it_means(tmp_path: Path) -> None:
    def released(release: str) -> Case:
        return NODE_PORTS.changed(lambda config: config["parties"]["9999"].update(release=release))

    upgrade, restart, *_ = found(released("1.11.1"), released("1.11.2"), tmp_path / "a")
    assert upgrade.what.startswith("release 1.11.1 -> 1.11.2: end running jobs and dump the database before")
    assert (upgrade.kind, restart.kind, upgrade.pairs) == ("restart", "restart", restart.pairs)
    back = found(released("1.11.2"), released("1.11.1"), tmp_path / "b")
    assert [effect.kind for effect in back][:3] == ["data loss", "restart", "restart"]
    assert back[0].what.startswith("release 1.11.2 -> 1.11.1: 1.11.1 does not take over data of 1.11.2")


def test_a_unit_that_is_new_affects_nobody_and_one_that_goes_cuts_its_pairs(tmp_path: Path) -> None:
    facts = EXCHANGE.load(tmp_path).plan.unit("exchange").facts
    assert list(effects("exchange", None, facts)) == []
    (effect,) = effects("exchange", facts, None)
    assert (effect.kind, effect.pairs) == ("cut", ("exchange <-> 9999", "exchange <-> 10000"))


def test_an_authority_that_is_not_trusted_any_more_cuts_its_pair(tmp_path: Path) -> None:
    """In a star a member's descriptor gives trust alone: without this, its suspension would affect nobody."""
    star = trusting(STAR_PARTY, "9999").with_peer("clinic-b", with_ca(CLINIC))
    suspended = star.changed(lambda config: config["peers"]["clinic-b"].update(state="suspended"))
    (one,) = [effect for effect in found(star, suspended, tmp_path / "a") if "trusted" in effect.what]
    assert (one.kind, one.pairs) == ("cut", ("9999 <-> 10000",))
    (one,) = [effect for effect in found(suspended, star, tmp_path / "b") if "trusted" in effect.what]
    assert (one.kind, one.pairs) == ("reload", ("9999 <-> 10000",))


def test_an_exchange_that_moves_to_another_namespace_cuts_its_members(tmp_path: Path) -> None:
    def publish(config: Config) -> None:
        config["exchange"]["publish"] = {"trafficServer": node_port(port=30443), "nginx": node_port(httpPort=30930, grpcPort=30931)}

    before = EXCHANGE.changed(publish)
    (effect,) = found(before, before.changed(lambda config: config["exchange"].update(namespace="other")), tmp_path)
    assert (effect.kind, effect.pairs) == ("cut", ("exchange <-> 9999", "exchange <-> 10000"))
    assert effect.what.startswith("moves from namespace fate-exchange to other")


@pytest.mark.parametrize("case", [STAR_PARTY, EXCHANGE, SERVING, SERVING_EXCHANGE], ids=str)
def test_the_deployed_state_of_every_kind_of_unit_is_compared(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = case.load(tmp_path / "old").plan.units
    resources = [
        {"type": f"fate:federation:{COMPONENTS[unit.kind]}", "urn": f"urn:pulumi:s::p::t::{unit.key}", "inputs": unit.facts}
        for unit in units
    ]
    state = json.dumps({"deployment": {"resources": [{"type": "pulumi:pulumi:Stack", "urn": "urn:s"}, *resources]}})
    monkeypatch.setattr("cli.impact.pulumi", lambda stack, *command: state)
    stack = find_project(project(tmp_path)).stack(case.write(tmp_path / "stacks").stem.removeprefix("Pulumi."))
    assert stack_effects(stack) == ()
    other = json.dumps({"deployment": {"resources": [{**one, "inputs": {**one["inputs"], "links": {"77": "1"}}} for one in resources]}})
    monkeypatch.setattr("cli.impact.pulumi", lambda stack, *command: other)
    assert {effect.unit for effect in stack_effects(stack)} == {unit.key for unit in units}


def test_every_kind_of_unit_has_a_component() -> None:
    assert set(COMPONENTS) == set(get_args(Kind))


def test_facts_that_were_not_remembered_count_as_unchanged(tmp_path: Path) -> None:
    facts = STAR_PARTY.load(tmp_path).plan.unit("party-9999").facts
    assert list(effects("party-9999", {}, facts)) == []


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        (lambda config: None, 0),
        (lambda config: config["peers"].pop("clinic-b"), 3),
        (lambda config: config["exchange"].update(modules={"trafficServer": {"image": {"tag": "9.2.1"}}}), 3),
    ],
    ids=["nothing", "a peer less", "another image"],
)
def test_the_exit_status_tells_ci_whether_anything_stops(
    edit: object, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = EXCHANGE.write(project(tmp_path / "old") / "stacks")
    EXCHANGE.changed(edit).write(project(tmp_path / "new") / "stacks")  # type: ignore[arg-type]
    command = ["plan", "-s", "consortium", "-C", str(tmp_path / "new"), "--against", str(old)]
    assert main(command) == status
    text = capsys.readouterr().out
    assert text.startswith("### consortium: " + ("nothing stops" if status == 0 else "pods restart or links are cut"))
    assert main([*command, "--json"]) == status
    assert len(json.loads(capsys.readouterr().out)["effects"]) == (0 if status == 0 else 1)
