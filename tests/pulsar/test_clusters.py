"""What keeps Pulsar's clusters equal to the route table, beside a real broker, with real brokers of peers and real messages between them.

Brokers have the rendered configuration and the certificates that the program makes; the script is run by the rendered command. FATE-Flow is
a stand-in that makes the same calls, with a task's messages sent by FATE's own client library.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from federation.catalogue.releases import catalogue
from tests.pulsar.brokers import HOST, OWN_CLUSTER, TENANT, VERSION, Broker, FateFlow, broker, eventually
from tests.pulsar.deployed import Deployed, Keeper, Topic, deployed, keeper, publish
from tests.support.configs import MESH, Case, Config, party, party_descriptor
from tests.support.trust import trusting, with_ca

pytestmark = pytest.mark.pulsar

ORGANIZATIONS = {"9999": "bank-a", "10000": "clinic-b", "10001": "hospital-c"}
ADDRESSES = {"9999": "203.0.113.10", "10000": "203.0.113.20", "10001": "203.0.113.30"}
PEERS = ("10000", "10001")
JOBS = (f"job-{number}" for number in count(1))


def organization(own: str, ports: dict[str, int], states: dict[str, str]) -> Case:
    """The stack of one party in a mesh, with all others as its peers; `states`: of those that are not active."""

    def change(config: Config) -> None:
        config["organization"] = ORGANIZATIONS[own]
        config["parties"] = {own: party(f"fate-{own}", exchange=None)}
        config["peers"] = {}

    case = trusting(MESH.changed(change), own)
    for other, port in ports.items():
        if other != own:
            descriptor = party_descriptor(other, ORGANIZATIONS[other], host=ADDRESSES[other], port=port)
            case = case.with_peer(ORGANIZATIONS[other], with_ca(descriptor), state=states.get(other, "active"))
    return case


@dataclass
class World:
    """Party 9999's broker, FATE-Flow and route table, and two peers' brokers; `moved`: 10000's, somewhere else."""

    folder: Path
    brokers: dict[str, Broker]

    def __post_init__(self) -> None:
        self.table = self.folder / "routes" / "pulsar_route_table.yaml"
        self.table.parent.mkdir(exist_ok=True)
        self.flows = {name: FateFlow(found, name) for name, found in self.brokers.items()}

    @property
    def own(self) -> Broker:
        """The broker of party 9999."""
        return self.brokers["9999"]

    def deployed(self, *, moved: bool = False, **states: str) -> Deployed:
        """What 9999's stack deploys; `moved`: 10000 is somewhere else; `states`: such as of_10000="suspended"."""
        ports = {name: self.brokers["moved" if moved and name == "10000" else name].tls_port for name in ORGANIZATIONS}
        case = organization("9999", ports, {name.removeprefix("of_"): state for name, state in states.items()})
        return deployed(case, "9999", self.folder, dict.fromkeys(ADDRESSES.values(), HOST))

    def publish(self, given: Deployed) -> str:
        """The mounted files change; the route table."""
        return publish(self.table, given)

    @contextmanager
    def keeper(self, admin_port: int | None = None) -> Iterator[Keeper]:
        """The container beside 9999's broker."""
        with keeper(self.deployed(), self.folder, self.table, self.own, admin_port) as found:
            yield found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("pulsar")
    made = {own: deployed(organization(own, dict.fromkeys(ORGANIZATIONS, 6651), {}), own, folder / own, {}) for own in ORGANIZATIONS}
    with (
        broker(folder / "a", made["9999"].configuration, made["9999"].certificates) as own,
        broker(folder / "b", made["10000"].configuration, made["10000"].certificates) as clinic,
        broker(folder / "c", made["10001"].configuration, made["10001"].certificates) as hospital,
        broker(folder / "d", made["10000"].configuration, made["10000"].certificates) as moved,
    ):
        yield World(folder, {"9999": own, "10000": clinic, "10001": hospital, "moved": moved})


@contextmanager
def started(world: World, *parties: str) -> Iterator[str]:
    """A job of 9999 with these parties, all routes and clusters as they should be, and none of other tests."""
    name = next(JOBS)
    for cluster in world.own.clusters():
        world.own.done("DELETE", f"clusters/{cluster}")
    world.own.done("POST", f"tenants/{TENANT}", {"adminRoles": [], "allowedClusters": [OWN_CLUSTER]})
    routes = world.publish(world.deployed())
    with world.keeper() as keeper:
        assert eventually(lambda: world.own.clusters() == set(PEERS)), keeper.output
    world.flows["9999"].task(name, routes, *parties)
    for peer in (*PEERS, "moved"):
        world.flows[peer].receives(name)
    yield name
    world.own.done("POST", f"namespaces/{TENANT}/{name}/replication", [OWN_CLUSTER])


@pytest.fixture
def job(world: World) -> Iterator[str]:
    """A job with both peers: what a party sends goes to both brokers, as FATE has it."""
    with started(world, *PEERS) as name:
        yield name


@pytest.fixture
def pair(world: World) -> Iterator[str]:
    """A job with 10000 alone."""
    with started(world, "10000") as name:
        yield name


def test_the_jars_are_of_the_version_that_a_release_deploys() -> None:
    assert catalogue()["1.11.2"].modules["pulsar"].tag == VERSION


def test_a_cluster_whose_route_is_unchanged_keeps_its_connection(world: World, job: str) -> None:
    topic = Topic(world.brokers, job, "10000", "10000")
    assert topic.passes("before", "10000")
    before = {peer: world.own.done("GET", f"clusters/{peer}") for peer in PEERS}
    connection = world.own.connection(job, topic.name, "10000")
    assert connection is not None
    assert f":{world.brokers['10000'].tls_port}]" in connection, "replication speaks TLS, with the program's certificates"
    with world.keeper() as keeper:
        alive = world.folder / "alive"
        assert eventually(alive.exists)
        looks = {alive.stat().st_mtime_ns}
        assert eventually(lambda: looks.add(alive.stat().st_mtime_ns) or len(looks) > 6)
        assert topic.passes("after", "10000")
        assert keeper.output == ""
    assert world.own.connection(job, topic.name, "10000") == connection
    assert {peer: world.own.done("GET", f"clusters/{peer}") for peer in PEERS} == before


@pytest.mark.parametrize("state", ["suspended", "retired"])
def test_a_peer_without_routes_gets_nothing_more_and_the_others_do_not_notice(world: World, job: str, state: str) -> None:
    topics = {peer: Topic(world.brokers, job, peer, peer) for peer in PEERS}
    assert all(topic.passes("before", peer) for peer, topic in topics.items())
    connection = world.own.connection(job, topics["10001"].name, "10001")
    with world.keeper() as keeper:
        world.publish(world.deployed(of_10000=state))
        assert eventually(lambda: world.own.allowed() == {"10001"}), keeper.output
        topics["10000"].send("a secret")
        assert topics["10000"].received("10000", 3) is None
        assert topics["10001"].passes("meanwhile", "10001")
    assert world.own.clusters() == world.own.replication(job) == {"10001"}
    assert world.own.connection(job, topics["10000"].name, "10000") is None
    assert connection is not None
    assert world.own.connection(job, topics["10001"].name, "10001") == connection
    assert "party 10000 has no route any more: its cluster is deleted" in keeper.output


def test_a_peer_that_comes_back_is_served_again_by_the_next_task(world: World, job: str) -> None:
    with world.keeper() as keeper:
        world.publish(world.deployed(of_10000="suspended"))
        assert eventually(lambda: world.own.allowed() == {"10001"})
        routes = world.publish(world.deployed())
        assert eventually(lambda: world.own.clusters() == set(PEERS)), keeper.output
        world.flows["9999"].task(job, routes, *PEERS)
        assert Topic(world.brokers, job, "10000", "10000").passes("again", "10000"), keeper.output
        assert world.own.clusters() == set(PEERS)


def test_what_waits_for_a_peer_that_moved_arrives_at_its_new_address(world: World, pair: str) -> None:
    topic = Topic(world.brokers, pair, "10000", "10000", "moved")
    assert topic.passes("before", "10000")
    with world.keeper() as keeper:
        world.publish(world.deployed(moved=True))
        assert eventually(lambda: "is unloaded" in keeper.output), keeper.output
        topic.send("first")
        topic.send("second")
        arrived = [topic.received("moved"), topic.received("moved")]
        # Pulsar delivers at least once: what it did not know yet to have arrived comes again.
        arrived += [topic.received("moved")] if arrived[0] == "before" else []
        assert arrived[-2:] == ["first", "second"], keeper.output
        assert topic.received("10000", 2) is None, "the old address got it"
        assert world.own.clusters() == set(PEERS)
        assert world.own.replication(pair) == {"10000"}
    moved = world.own.done("GET", "clusters/10000")
    assert moved["brokerServiceUrlTls"] == f"pulsar+ssl://{HOST}:{world.brokers['moved'].tls_port}"


def test_no_message_is_lost_while_a_peer_moves(world: World, pair: str) -> None:
    """A task sends without a pause; what is sent before, during and after arrives, here or there, in its order."""
    topic = Topic(world.brokers, pair, "10000", "10000", "moved")
    sent, stop = [], threading.Event()

    def send() -> None:
        while not stop.wait(0.02):
            topic.send(str(len(sent)))
            sent.append(str(len(sent)))

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        with world.keeper() as keeper:
            assert eventually(lambda: len(sent) > 20)
            world.publish(world.deployed(moved=True))
            assert eventually(lambda: "is unloaded" in keeper.output), keeper.output
            enough = len(sent) + 50
            assert eventually(lambda: len(sent) > enough)
            stop.set()
            sender.join(10)
            arrived = {at: list(iter(lambda at=at: topic.received(at, 3), None)) for at in ("10000", "moved")}  # type: ignore[misc]
    finally:
        stop.set()
    assert arrived["10000"]
    assert arrived["moved"]
    assert set(arrived["10000"]) | set(arrived["moved"]) >= set(sent)
    assert all(found == sorted(found, key=int) for found in arrived.values())


def test_pulsar_itself_keeps_the_connection_of_a_cluster_that_is_only_changed(world: World, pair: str) -> None:
    """Why the script deletes it and makes it again."""
    topic = Topic(world.brokers, pair, "10000", "10000", "moved")
    assert topic.passes("before", "10000")
    entry = world.own.done("GET", "clusters/10000")
    elsewhere = entry | {"brokerServiceUrlTls": f"pulsar+ssl://{HOST}:{world.brokers['moved'].tls_port}"}
    world.own.done("POST", "clusters/10000", elsewhere)
    assert topic.passes("after", "10000")
    assert topic.received("moved", 1) is None


def test_a_cluster_that_a_late_task_makes_by_an_old_table_is_deleted_again(world: World, job: str) -> None:
    old = world.table.read_text()
    with world.keeper() as keeper:
        world.publish(world.deployed(of_10000="suspended"))
        assert eventually(lambda: world.own.allowed() == {"10001"}), keeper.output
        world.flows["9999"].task(job, old, "10000")
        assert eventually(lambda: world.own.clusters() == world.own.replication(job) == world.own.allowed() == {"10001"}), keeper.output
        assert keeper.output.count("party 10000 has no route any more") == 2


def test_a_cluster_that_was_deleted_by_hand_is_made_again_for_the_jobs_that_use_it(world: World, job: str) -> None:
    """Also what a look leaves behind that was interrupted: the next start of the container looks at every namespace."""
    topic = Topic(world.brokers, job, "10000", "10000")
    assert topic.passes("before", "10000")
    world.own.done("DELETE", "clusters/10000")
    topic.send("meanwhile")
    with world.keeper() as keeper:
        assert topic.received("10000") == "meanwhile", keeper.output
    assert world.own.clusters() == set(PEERS)


@pytest.mark.parametrize(
    "broken",
    [lambda whole: "", lambda whole: whole[:-30], lambda whole: whole.replace("9999:", "4711:"), lambda whole: "[]\n", lambda whole: None],
    ids=["empty", "cut off", "of another party", "no table", "gone"],
)
def test_a_route_table_that_cannot_be_read_changes_nothing(world: World, job: str, broken: Callable[[str], str | None]) -> None:
    text = broken(world.table.read_text())
    if text is None:
        world.table.unlink()
    else:
        world.table.write_text(text)
    with world.keeper() as keeper:
        assert eventually(lambda: "Error" in keeper.output), "nothing was said"
        alive = world.folder / "alive"
        looks = {alive.stat().st_mtime_ns}
        assert eventually(lambda: looks.add(alive.stat().st_mtime_ns) or len(looks) > 4)
        assert len(keeper.output.splitlines()) == 1, "said once"
        assert world.own.clusters() == world.own.replication(job) == world.own.allowed() == set(PEERS)


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"trusted": ["../10000"]}', '{"trusted": 1}', None], ids=str)
def test_a_file_of_trust_that_cannot_be_read_changes_nothing(world: World, job: str, broken: str | None) -> None:
    file = world.table.with_name("pulsar_trust.json")
    before = {peer: world.own.done("GET", f"clusters/{peer}") for peer in PEERS}
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    with world.keeper() as keeper:
        assert eventually(lambda: "Error" in keeper.output), "nothing was said"
        assert {peer: world.own.done("GET", f"clusters/{peer}") for peer in PEERS} == before


def test_clusters_that_are_no_party_s_stay(world: World, job: str) -> None:
    others = {"analytics", "9999", "0815", "10002x"}
    for name in others:
        world.own.done("PUT", f"clusters/{name}", {"brokerServiceUrl": "pulsar://192.0.2.1:6650", "serviceUrl": "http://192.0.2.1:8080"})
    allowed = {"adminRoles": [], "allowedClusters": [OWN_CLUSTER, *PEERS, *others]}
    world.own.done("POST", f"tenants/{TENANT}", allowed)
    with world.keeper() as keeper:
        world.publish(world.deployed(of_10000="suspended"))
        assert eventually(lambda: "its cluster is deleted" in keeper.output), keeper.output
        assert eventually(lambda: world.own.allowed() == {"10001", *others}), keeper.output
    assert world.own.clusters() == {"10001", *others}


def test_it_waits_for_its_broker_and_ends_at_once_when_asked(world: World, job: str) -> None:
    with world.keeper(admin_port=1) as keeper:
        assert eventually(lambda: "ConnectionRefusedError" in keeper.output), keeper.output
        assert keeper.process.poll() is None
        keeper.process.terminate()
        assert keeper.process.wait(2) == 0
