"""The federation twin: every route table of every proxy is executed, for each pair of parties, after each step of a federation's life.

What it must find is seeded here too: a twin that never complains would prove nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import pytest

from federation.base.errors import FederationError
from federation.catalogue.native import NATIVE
from tests.support.configs import (
    EGGROLL,
    EGGROLL_OSX,
    SLIM_RABBITMQ,
    SPARK_PULSAR,
    SPARK_RABBITMQ,
    Config,
    exchange,
    node_port,
    party,
    stack,
)
from tests.support.packets import Packet, Unit
from tests.support.twin import World, follow, unfilled

ENGINES: dict[str, Config] = {"Pulsar": SPARK_PULSAR, "RabbitMQ": SPARK_RABBITMQ, "Eggroll": EGGROLL, "OSX": EGGROLL_OSX}
DATA = {"Pulsar": "pulsar", "RabbitMQ": "rabbitmq", "Eggroll": "rollsite", "OSX": "osx"}
HUB = "consortium"


@dataclass(frozen=True)
class Kind:
    """A topology and a federation engine; `local`: the exchange and the first party are one stack."""

    topology: str
    engine: str
    local: bool = False

    def __str__(self) -> str:
        return f"{self.topology}-{self.engine}{'-local' if self.local else ''}"


STARS = [Kind("star", engine, local) for local in (False, True) for engine in ("Pulsar", "Eggroll", "OSX")]
MESHES = [Kind("mesh", engine) for engine in ("Pulsar", "RabbitMQ", "Eggroll", "OSX")]
every_kind = pytest.mark.parametrize("kind", [*STARS, *MESHES], ids=str)


class Life:
    """What the operators of one federation do, step by step."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind, self.world, self.hub = kind, World(folder), HUB
        if kind.topology == "star":
            parties = {"9999": self._party("9999", "local")} if kind.local else {}
            hub = exchange(federation=kind.engine)
            self.world.join(HUB, stack(HUB, exchange=hub, parties=parties))
            self.world.up(HUB)

    def _party(self, party_id: str, hub: str | None, **changes: object) -> Config:
        return party(f"fate-{party_id}", exchange=hub, **{**ENGINES[self.kind.engine], **changes})

    def join(self, name: str, *party_ids: str, **changes: object) -> None:
        """A new organization with its parties: it deploys, descriptors are exchanged, everyone runs `pulumi up`."""
        hub = self.hub if self.kind.topology == "star" else None
        parties = {party_id: self._party(party_id, hub, **changes) for party_id in party_ids}
        self.world.join(name, stack(name, topology=self.kind.topology, parties=parties))
        if hub is not None:
            organization = self.world.organizations[name]
            organization.case = organization.case.with_entry(hub, descriptor=f"peers/{hub}.json")
        self.world.up(name)
        self.tell(name)

    def tell(self, name: str) -> None:
        """Descriptors of an organization and of those it deals with change hands; everyone runs `pulumi up`."""
        others = [other for other in self.world.organizations if other != name]
        for other in [self.hub] if self.kind.topology == "star" and name != self.hub else others:
            self.world.hand_over(name, other)
            self.world.hand_over(other, name)
        self.world.up()

    def state(self, owner: str, peer: str, state: str) -> None:
        """An owner suspends or retires a peer, or takes it back."""
        self.world.change(owner, lambda config: config["peers"][peer].update(state=state))
        self.world.up(owner)

    def restart(self) -> None:
        """All pods start again."""
        for unit in self.world.units():
            unit.restart()

    def unit(self, name: str, key: str) -> Unit:
        """A deployed party or exchange."""
        return self.world.organizations[name].units[key]


def everyone(*parties: str) -> set[tuple[str, str]]:
    """Each ordered pair."""
    return set(permutations(parties, 2))


def towards(pairs: Iterable[tuple[str, str]], *targets: str) -> set[tuple[str, str]]:
    """The pairs that end at one of these."""
    return {pair for pair in pairs if pair[1] in targets}


def founded(kind: Kind, folder: Path) -> Life:
    """A federation of 9999 and 10000, linked."""
    life = Life(kind, folder)
    if not kind.local:
        life.join("bank-a", "9999")
    life.join("clinic-b", "10000")
    return life


@every_kind
def test_after_each_step_every_pair_reaches_exactly_its_target_and_nobody_else(kind: Kind, tmp_path: Path) -> None:
    life = founded(kind, tmp_path)
    world, pairs = life.world, everyone("9999", "10000")
    assert not unfilled(world)
    assert world.faults(pairs) == []

    life.join("hospital-c", "10001", "777")  # two parties in one stack
    pairs = everyone("9999", "10000", "10001", "777")
    assert world.faults(pairs) == []

    # clinic-b moves: another network, another port. Until its descriptor is accepted, nobody reaches it.
    world.move("clinic-b")
    world.change("clinic-b", lambda config: config["parties"]["10000"]["publish"][DATA[kind.engine]].update(port=16651))
    world.up("clinic-b")
    assert world.faults(pairs - towards(pairs, "10000")) == []
    life.tell("clinic-b")
    assert world.faults(pairs) == []

    owners = [life.hub] if kind.topology == "star" else ["bank-a", "hospital-c"]
    peer = "clinic-b-10000"
    cut = pairs - towards(pairs, "10000")
    for state in ("pending", "suspended"):
        for owner in owners:
            life.state(owner, peer, state)
        assert world.faults(cut) == [], state
        life.restart()
        assert world.faults(cut) == [], state
        for owner in owners:
            life.state(owner, peer, "active")
        assert world.faults(pairs) == []

    for owner in owners:
        life.state(owner, peer, "retired")
    assert world.faults(cut) == []
    del world.organizations["clinic-b"]
    for owner in owners:
        world.change(owner, lambda config: config["peers"].pop(peer))
    world.up()
    assert world.faults(everyone("9999", "10001", "777"), strangers=("10000", "424242")) == []


@pytest.mark.parametrize("collaborations", [False, True], ids=["all", "collaborations"])
@pytest.mark.parametrize("kind", STARS, ids=str)
def test_a_party_of_a_star_severs_a_member_by_its_own_stack(kind: Kind, collaborations: bool, tmp_path: Path) -> None:
    """hospital-c alone suspends 10000: neither the exchange nor clinic-b is asked, and nobody else notices."""
    life = founded(kind, tmp_path)
    life.join("hospital-c", "10001", "777")
    world, peer = life.world, "clinic-b-10000"
    pairs = everyone("9999", "10000", "10001", "777")
    if collaborations:
        for name in world.organizations:
            world.change(name, lambda config: config.update(collaborations={"all": ["9999", "10000", "10001", "777"]}))
    world.hand_over("clinic-b", "hospital-c")
    world.up()
    assert world.faults(pairs) == []
    cut = pairs - {("10001", "10000"), ("777", "10000")}
    for state in ("suspended", "retired", "pending"):
        life.state("hospital-c", peer, state)
        assert world.faults(cut) == [], state
        life.restart()
        assert world.faults(cut) == [], state
        life.state("hospital-c", peer, "active")
        assert world.faults(pairs) == [], f"after {state}"


@pytest.mark.parametrize("heir", ["new-hub", "hospital-c"])
@pytest.mark.parametrize("kind", STARS, ids=str)
def test_an_exchange_moves_to_another_organization_and_no_pair_is_cut_at_any_step(kind: Kind, heir: str, tmp_path: Path) -> None:
    """`heir`: an organization that comes for it, or one that has a party already."""
    life = founded(kind, tmp_path)
    life.join("hospital-c", "10001")
    world, pairs = life.world, everyone("9999", "10000", "10001")
    assert world.faults(pairs) == []
    if heir == "new-hub":
        world.join(heir, stack(heir))
    world.change(heir, lambda config: config.update(exchange=exchange(federation=kind.engine)))
    world.up(heir)
    for step in follow(world, HUB, heir, peer=heir, hub="exchange", members="parties"):
        assert world.faults(pairs) == [], step


def test_every_engine_has_a_mesh_and_those_with_a_default_route_a_star(tmp_path: Path) -> None:
    """FATE's route table of RabbitMQ has no default, so natively it is mesh only: a star with it cannot even be planned."""
    assert {kind.engine for kind in MESHES} == set(NATIVE.engines)
    assert {kind.engine for kind in STARS} == set(filter(NATIVE.star, NATIVE.engines)) == set(NATIVE.engines) - {"RabbitMQ"}
    life = Life(Kind("mesh", "RabbitMQ"), tmp_path)
    life.join("bank-a", "9999")
    life.world.change("bank-a", lambda config: config["federation"].update(topology="star"))
    with pytest.raises(FederationError, match="topology to mesh"):
        life.world.up("bank-a")


@pytest.mark.parametrize("watched", [True, False])
def test_pulsar_keeps_an_address_that_it_was_told_once_unless_the_container_beside_it_forgets(watched: bool, tmp_path: Path) -> None:
    """An external Pulsar has no such container: there the route table is right, and Pulsar still dials where the peer was."""
    life = founded(Kind("mesh", "Pulsar"), tmp_path)
    life.unit("bank-a", "party-9999").watched = watched
    pairs = everyone("9999", "10000")
    assert life.world.faults(pairs) == []
    life.world.move("clinic-b")
    life.world.up("clinic-b")
    life.tell("clinic-b")
    found = life.world.faults(pairs)
    stale = "9999 -> 10000: data (tls) bank-a/party-9999/pulsar: nobody listens at 198.18.2."
    assert [line.startswith(stale) for line in found] == ([] if watched else [True])


@every_kind
def test_node_ports_and_advertised_names_are_dialled_as_published(kind: Kind, tmp_path: Path) -> None:
    life = founded(kind, tmp_path)
    ports = {"nginx": node_port(httpPort=30930), DATA[kind.engine]: node_port(port=30651)}
    publish = {name: ports[name] for name in ([DATA[kind.engine], *(["nginx"] if kind.engine in ("Pulsar", "RabbitMQ") else [])])}
    publish[DATA[kind.engine]]["advertise"] = {"host": "fate.hospital-c.example", "addresses": ["203.0.113.77"]}
    life.join("hospital-c", "10001", publish=publish)
    assert life.world.faults(everyone("9999", "10000", "10001")) == []


def test_slim_and_whole_parties_of_one_engine_reach_each_other(tmp_path: Path) -> None:
    life = founded(Kind("mesh", "RabbitMQ"), tmp_path)
    life.join("hospital-c", "10001", **SLIM_RABBITMQ)
    assert life.world.faults(everyone("9999", "10000", "10001")) == []


@pytest.mark.parametrize(("policies", "watched"), [(True, True), (True, False), (False, True), (False, False)])
def test_policies_and_the_container_beside_pulsar_each_cut_what_it_remembers_of_a_suspended_peer(
    policies: bool, watched: bool, tmp_path: Path
) -> None:
    life = founded(Kind("mesh", "Pulsar"), tmp_path)
    life.unit("bank-a", "party-9999").watched = watched
    for name in ("bank-a", "clinic-b"):
        life.world.change(name, lambda config: config.update(networkPolicy={"enabled": policies}))
    life.world.up()
    assert life.world.faults(everyone("9999", "10000")) == []
    life.state("bank-a", "clinic-b-10000", "suspended")
    found = life.world.faults({("10000", "9999")})
    delivered = "9999 -> 10000: data (tls) bank-a/party-9999/pulsar > clinic-b/party-10000/pulsar: delivered to ('clinic-b', 'party-10000')"
    assert found[:1] == ([] if policies or watched else [delivered])


def relayed(life: Life, name: str, target: str) -> set[tuple[str, str] | None]:
    """Where packets for a target end that a stranger sends to everything an organization publishes."""
    network = life.world.network()
    doors = [(place, unit, port) for place, (unit, _, port) in network.outside.items() if unit.organization == name]
    assert doors
    ends = set()
    for (host, dialled), unit, port in doors:
        for plane in ("control", "data"):
            packet = Packet(target, plane, port, f"{target}.fraud.example")
            ends |= {outcome.at for outcome in network.strangers(host, dialled, packet) if unit.organization == name}
    return ends


@pytest.mark.parametrize("kind", MESHES, ids=str)
def test_a_party_of_a_mesh_relays_what_names_another_party(kind: Kind, tmp_path: Path) -> None:
    """A limit of FATE's native proxies, not of the routes: one table serves both directions (docs/guides/network.md)."""
    life = founded(kind, tmp_path)
    life.join("hospital-c", "10001")
    assert ("clinic-b", "party-10000") in relayed(life, "bank-a", "10000")
    assert relayed(life, "bank-a", "424242") <= {None, ("bank-a", "party-9999")}


@pytest.mark.parametrize("kind", [kind for kind in STARS if not kind.local], ids=str)
def test_nobody_is_relayed_to_a_stranger(kind: Kind, tmp_path: Path) -> None:
    life = founded(kind, tmp_path)
    assert relayed(life, HUB, "424242") == {None}
    assert relayed(life, HUB, "10000") == {("clinic-b", "party-10000")}, "an exchange is there to relay to its members"
    assert ("clinic-b", "party-10000") in relayed(life, "bank-a", "10000")


Seed = Callable[[Life], None]


def _edit(life: Life, name: str, key: str, file: str, old: str, new: str) -> None:
    unit = life.unit(name, key)
    assert old in unit.files[file], f"the fault cannot be seeded into {unit.files[file]}"
    unit.load(unit.files | {file: unit.files[file].replace(old, new)})


def _address(life: Life, name: str, module: str, port: str) -> str:
    """host:port of something published."""
    places = life.world.network().outside.items()
    (found,) = {f"{host}:{number}" for (host, number), (unit, m, p) in places if (unit.organization, m, p) == (name, module, port)}
    return found


def _self_route_of_an_exchange(life: Life) -> None:
    host, _, port = _address(life, HUB, "nginx", "http").rpartition(":")
    table = life.unit(HUB, "exchange").files["route_table.yaml"]
    entry = f"default:\n  proxy:\n    - host: {host}\n      http_port: {port}\n"
    _edit(life, HUB, "exchange", "route_table.yaml", table, table + entry)


def _self_route_of_a_rollsite_exchange(life: Life) -> None:
    host, _, port = _address(life, HUB, "rollsite", "grpc").rpartition(":")
    old = '"ip": "127.0.0.1",\n          "port": 1\n'
    _edit(life, HUB, "exchange", "route_table.json", old, f'"ip": "{host}",\n          "port": {port}\n')


def _default_without_exchange(life: Life) -> None:
    host, _, port = _address(life, "clinic-b", "nginx", "http").rpartition(":")
    table = life.unit("bank-a", "party-9999").files["route_table.yaml"]
    entry = f"default:\n  proxy:\n    - host: {host}\n      http_port: {port}\n"
    _edit(life, "bank-a", "party-9999", "route_table.yaml", table, table + entry)


def _foreign_port(life: Life) -> None:
    table = life.unit("bank-a", "party-9999").files["route_table.yaml"]
    _edit(life, "bank-a", "party-9999", "route_table.yaml", table, table.replace("http_port: 9300", "http_port: 9310"))


def _foreign_server_name(life: Life) -> None:
    text = life.unit(HUB, "exchange").files["sni.yaml"]
    swapped = text.replace("9999.", "SWAP.").replace("10000.", "9999.").replace("SWAP.", "10000.")
    _edit(life, HUB, "exchange", "sni.yaml", text, swapped)


def _missing_connect_port(life: Life) -> None:
    _edit(life, HUB, "exchange", "records.config", "connect_ports STRING 6651", "connect_ports STRING 443")


def _cluster_address_told_to_a_peer(life: Life) -> None:
    host = _address(life, "clinic-b", "rabbitmq", "amqp").rpartition(":")[0]
    _edit(life, "bank-a", "party-9999", "rabbitmq_route_table.yaml", host, "10.96.0.1")


def _quoted_party_id(life: Life) -> None:
    _edit(life, "bank-a", "party-9999", "rabbitmq_route_table.yaml", "10000:\n", '"10000":\n')


def _another_partys_rollsite(life: Life) -> None:
    old, new = (_address(life, name, "rollsite", "grpc").rpartition(":")[0] for name in ("clinic-b", "hospital-c"))
    _edit(life, "bank-a", "party-9999", "route_table.json", old, new)


def _forbid(life: Life, name: str, key: str, policy: str, side: str) -> None:
    organization = life.world.organizations[name]
    unit = organization.plan.unit(key)
    (wanted,) = (manifest for manifest in unit.policies if manifest.name == policy)
    spec = wanted.fields["spec"]
    assert spec[side], "nothing to take away"
    closed = replace(wanted, fields={"spec": {**spec, side: []}})
    policies = tuple(closed if manifest is wanted else manifest for manifest in unit.policies)
    plan = replace(organization.plan, units=tuple(replace(u, policies=policies) if u is unit else u for u in organization.plan.units))
    assert organization.loaded is not None
    organization.loaded = replace(organization.loaded, plan=plan)


def _closed_way_out(life: Life) -> None:
    _forbid(life, "bank-a", "party-9999", "fate-peers-pulsar", "egress")


def _closed_way_in(life: Life) -> None:
    _forbid(life, "bank-a", "party-9999", "fate-peers-pulsar", "ingress")


def _self_route_of_an_osx_exchange(life: Life) -> None:
    host, _, port = _address(life, HUB, "osx", "grpc").rpartition(":")
    entry = f'"default": {{"default": [{{"ip": "{host}", "port": {port}}}]}}, '
    _edit(life, HUB, "exchange", "route_table.json", '"route_table": {', f'"route_table": {{{entry}')


def _no_self_party(life: Life) -> None:
    _edit(life, "bank-a", "party-9999", "route_table.json", '"self_party"', '"self.party"')


STAR_PULSAR, STAR_EGGROLL, STAR_OSX, MESH_PULSAR, MESH_RABBITMQ, MESH_EGGROLL, MESH_OSX = *STARS[:3], *MESHES
SEEDS: list[tuple[Kind, Seed, str]] = [
    (STAR_PULSAR, _self_route_of_an_exchange, "9999 -> 424242: loop: control (http)"),
    (STAR_EGGROLL, _self_route_of_a_rollsite_exchange, "10000 -> 424242: loop: data (grpc)"),
    (STAR_OSX, _self_route_of_an_osx_exchange, "9999 -> 424242: loop: control (grpc)"),
    (MESH_OSX, _no_self_party, "10000 -> 9999: data (grpc)"),
    (MESH_PULSAR, _default_without_exchange, "9999 -> 424242: through a third party: control (http)"),
    (STAR_PULSAR, _foreign_port, "9999 -> 10000: control (http)"),
    (MESH_RABBITMQ, _foreign_port, "9999 -> 10000: control (http)"),
    (STAR_PULSAR, _foreign_server_name, "9999 -> 10000: data (tls)"),
    (STAR_PULSAR, _missing_connect_port, "10000 -> 9999: data (tls)"),
    (MESH_RABBITMQ, _cluster_address_told_to_a_peer, "9999 -> 10000: data (amqp)"),
    (MESH_RABBITMQ, _quoted_party_id, "9999 -> 10000: data (?)"),
    (MESH_PULSAR, _closed_way_out, "9999 -> 10000: data (tls) bank-a/party-9999/pulsar: a network policy forbids"),
    (STAR_PULSAR, _closed_way_in, "10000 -> 9999: data (tls)"),
    (MESH_EGGROLL, _another_partys_rollsite, "9999 -> 10000: through a third party: control (grpc)"),
]


@pytest.mark.parametrize(("kind", "seed", "fault"), SEEDS, ids=[f"{kind}-{seed.__name__}" for kind, seed, _ in SEEDS])
def test_a_seeded_fault_is_found(kind: Kind, seed: Seed, fault: str, tmp_path: Path) -> None:
    life = founded(kind, tmp_path)
    life.join("hospital-c", "10001")
    pairs = everyone("9999", "10000", "10001")
    assert life.world.faults(pairs) == []
    seed(life)
    found = life.world.faults(pairs)
    assert [line for line in found if line.startswith(fault)], found
