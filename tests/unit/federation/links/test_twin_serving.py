"""The federation twin of FATE-Serving: the route tables of serving-proxies are executed after each step of a federation's life."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support.configs import Config, serving, serving_exchange, stack
from tests.support.packets import Unit
from tests.support.twin import World, follow

HUB = "consortium"
KINDS = ("star", "star-local", "mesh")
every_kind = pytest.mark.parametrize("kind", KINDS)


class Life:
    """Organizations with FATE-Servings; in a star one holds the serving exchange, which with `star-local` has a FATE-Serving too."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.world, self.hub = kind, World(folder), HUB
        if kind != "mesh":
            own = {"9999": self._serving("9999", "local")} if kind == "star-local" else {}
            self.world.join(HUB, stack(HUB, servingExchange=serving_exchange(), serving=own))
            self.world.up(HUB)

    def _serving(self, party: str, hub: str | None) -> Config:
        return serving(f"fate-serving-{party}", fateflow="203.0.113.9:9380", exchange=hub)

    def join(self, name: str, *parties: str) -> None:
        """A new organization: it deploys, descriptors are exchanged, everyone runs `pulumi up`."""
        hub = None if self.kind == "mesh" else f"{self.hub}-serving"
        self.world.join(name, stack(name, topology="mesh", serving={party: self._serving(party, hub) for party in parties}))
        if hub is not None:
            organization = self.world.organizations[name]
            organization.case = organization.case.with_entry(hub, descriptor=f"peers/{hub}.json")
        self.world.up(name)
        self.tell(name)

    def tell(self, name: str) -> None:
        """Descriptors of an organization and of those it deals with change hands."""
        others = [other for other in self.world.organizations if other != name]
        for other in others if self.kind == "mesh" or name == self.hub else [self.hub]:
            self.world.hand_over(name, other)
            self.world.hand_over(other, name)
        self.world.up()

    def faults(self, pairs: set[tuple[str, str]], *strangers: str) -> list[str]:
        """What is not as agreed between FATE-Servings."""
        return self.world.faults(pairs, ("424242", *strangers), serving=True)

    def unit(self, name: str, key: str) -> Unit:
        """A deployed FATE-Serving, or exchange."""
        return self.world.organizations[name].units[key]


def everyone(*parties: str) -> set[tuple[str, str]]:
    """Each ordered pair."""
    return set(permutations(parties, 2))


def founded(kind: str, folder: Path) -> Life:
    """FATE-Servings of 9999 and 10000, linked."""
    life = Life(kind, folder)
    if kind != "star-local":
        life.join("bank-a", "9999")
    life.join("clinic-b", "10000")
    return life


@every_kind
def test_after_each_step_every_request_reaches_exactly_its_target_and_nobody_else(kind: str, tmp_path: Path) -> None:
    life = founded(kind, tmp_path)
    world, pairs = life.world, everyone("9999", "10000")
    assert life.faults(pairs) == []

    life.join("hospital-c", "10001", "777")  # two in one stack
    pairs = everyone("9999", "10000", "10001", "777")
    assert life.faults(pairs) == []

    world.move("clinic-b")
    world.change("clinic-b", lambda config: config["serving"]["10000"]["publish"]["servingProxy"].update(port=18869))
    world.up("clinic-b")
    reached = {pair for pair in pairs if pair[1] != "10000"}
    assert life.faults(reached) == [], "until its descriptor is accepted nobody reaches it"
    life.tell("clinic-b")
    assert life.faults(pairs) == []

    owners = ["bank-a", "hospital-c"] if kind == "mesh" else [HUB]
    peer = World.peer_name("clinic-b", "serving-10000")
    for state, expected in (("suspended", reached), ("active", pairs), ("retired", reached)):
        for owner in owners:
            world.change(owner, lambda config, state=state: config["peers"][peer].update(state=state))
            world.up(owner)
        assert life.faults(expected) == [], state
    del world.organizations["clinic-b"]
    assert life.faults(everyone("9999", "10001", "777"), "10000") == []


@pytest.mark.parametrize("collaborations", [False, True], ids=["all", "collaborations"])
@pytest.mark.parametrize("kind", ["star", "star-local"])
def test_a_party_of_a_serving_star_severs_a_member_by_its_own_stack(kind: str, collaborations: bool, tmp_path: Path) -> None:
    """hospital-c alone suspends the FATE-Serving of 10000; nobody else is asked, or notices."""
    life = founded(kind, tmp_path)
    life.join("hospital-c", "10001", "777")
    world, peer = life.world, World.peer_name("clinic-b", "serving-10000")
    pairs = everyone("9999", "10000", "10001", "777")
    if collaborations:
        for name in world.organizations:
            world.change(name, lambda config: config.update(collaborations={"all": ["9999", "10000", "10001", "777"]}))
    world.hand_over("clinic-b", "hospital-c")
    world.up()
    assert life.faults(pairs) == []
    for state in ("suspended", "retired", "pending"):
        world.change("hospital-c", lambda config, state=state: config["peers"][peer].update(state=state))
        world.up("hospital-c")
        assert life.faults(pairs - {("10001", "10000"), ("777", "10000")}) == [], state
        world.change("hospital-c", lambda config: config["peers"][peer].update(state="active"))
        world.up("hospital-c")
        assert life.faults(pairs) == [], f"after {state}"


@pytest.mark.parametrize("kind", ["star", "star-local"])
def test_who_shares_no_collaboration_is_not_reached_through_a_serving_exchange(kind: str, tmp_path: Path) -> None:
    life = founded(kind, tmp_path)
    life.join("hospital-c", "10001")
    for name in life.world.organizations:
        life.world.change(name, lambda config: config.update(collaborations={"fraud": ["9999", "10000"], "scoring": ["10000", "10001"]}))
    life.world.up()
    assert life.faults(everyone("9999", "10000") | everyone("10000", "10001")) == []


@pytest.mark.parametrize("kind", ["star", "star-local"])
def test_a_serving_exchange_moves_to_another_organization_and_no_pair_is_cut_at_any_step(kind: str, tmp_path: Path) -> None:
    life = founded(kind, tmp_path)
    world, pairs = life.world, everyone("9999", "10000")
    world.join("new-hub", stack("new-hub", servingExchange=serving_exchange()))
    world.up("new-hub")
    for step in follow(world, HUB, "new-hub", peer="new-hub-serving", hub="servingExchange", members="serving"):
        assert life.faults(pairs) == [], step


def test_training_and_serving_of_one_federation_are_links_of_their_own(tmp_path: Path) -> None:
    life = founded("mesh", tmp_path)
    assert life.world.parties() == {}
    assert set(life.world.parties(serving=True)) == {"9999", "10000"}


def _edit(life: Life, name: str, key: str, old: str, new: str) -> None:
    unit = life.unit(name, key)
    assert old in unit.files["route_table.json"], unit.files
    unit.load({"route_table.json": unit.files["route_table.json"].replace(old, new)})


def _address(life: Life, name: str) -> str:
    """Where an organization's serving-proxy is reached from outside."""
    (host,) = {host for (host, _), (unit, _, _) in life.world.network().outside.items() if unit.organization == name}
    return host


def _default_of_an_exchange_to_itself(life: Life) -> None:
    entry = f'"default": {{"default": [{{"ip": "{_address(life, HUB)}", "port": 8869}}]}}, '
    _edit(life, HUB, "serving-exchange", '"route_table": {', f'"route_table": {{{entry}')


def _another_partys_proxy(life: Life) -> None:
    _edit(life, HUB, "serving-exchange", _address(life, "bank-a"), _address(life, "clinic-b"))


def _the_port_for_applications(life: Life) -> None:
    _edit(life, "bank-a", "serving-9999", "8869", "8059")


def _own_entry_without_the_role(life: Life) -> None:
    _edit(life, "clinic-b", "serving-10000", '"serving"', '"servings"')


def _closed_way_out(life: Life) -> None:
    organization = life.world.organizations["bank-a"]
    unit = organization.plan.unit("serving-9999")
    (wanted,) = (manifest for manifest in unit.policies if manifest.name == "fate-peers-serving-proxy")
    spec: dict[str, Any] = wanted.fields["spec"]
    assert spec["egress"]
    closed = replace(wanted, fields={"spec": {**spec, "egress": []}})
    policies = tuple(closed if manifest is wanted else manifest for manifest in unit.policies)
    plan = replace(organization.plan, units=(replace(unit, policies=policies),))
    assert organization.loaded is not None
    organization.loaded = replace(organization.loaded, plan=plan)


SEEDS: list[tuple[Callable[[Life], None], str]] = [
    (_default_of_an_exchange_to_itself, "9999 -> 424242: loop: serving (grpc)"),
    (_another_partys_proxy, "10000 -> 9999: serving (grpc)"),
    (_the_port_for_applications, "9999 -> 10000: serving (grpc)"),
    (_own_entry_without_the_role, "9999 -> 10000: serving (grpc)"),
    (
        _closed_way_out,
        "9999 -> 10000: serving (grpc) bank-a/serving-9999/serving-server > bank-a/serving-9999/serving-proxy: a network policy",
    ),
]


@pytest.mark.parametrize(("seed", "fault"), SEEDS, ids=[seed.__name__ for seed, _ in SEEDS])
def test_a_seeded_fault_is_found(seed: Callable[[Life], None], fault: str, tmp_path: Path) -> None:
    life = founded("star", tmp_path)
    pairs = everyone("9999", "10000")
    assert life.faults(pairs) == []
    seed(life)
    found = life.faults(pairs)
    assert [line for line in found if line.startswith(fault)], found
