"""A star as it is deployed: real brokers of two parties, the exchange's real Traffic Server between them, and FATE's own client.

Route tables, `sni.yaml`, `records.config`, brokers' configuration and certificates are what the three stacks deploy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.pulsar.brokers import HOST, TENANT, Broker, FateFlow, RefusedError, broker, eventually
from tests.pulsar.deployed import Deployed, Keeper, Topic, deployed, keeper, publish
from tests.support.configs import STAR_PARTY, Case, Config, exchange, exchange_descriptor, party, party_descriptor, stack
from tests.support.trust import load, trusting, with_ca
from tests.traffic.deployed import Container, TrafficServer, container, traffic_server

pytestmark = pytest.mark.pulsar

RELOAD_SECONDS = 30.0
ORGANIZATIONS = {"9999": "bank-a", "10000": "clinic-b"}
HOSTS = {party_id: f"pulsar.{organization}.example" for party_id, organization in ORGANIZATIONS.items()}
EXCHANGE = "198.51.100.4:443"
JOBS = (f"star-{number}" for number in count(1))


def member(own: str, state: str = "active", other_is: str = "active") -> Case:
    """The stack of a party of the star, which accepted the other one; states of the exchange, and of the other one."""
    (other,) = set(ORGANIZATIONS) - {own}

    def change(config: Config) -> None:
        config["organization"] = ORGANIZATIONS[own]
        config["parties"] = {own: party(f"fate-{own}")}

    case = trusting(STAR_PARTY.changed(change), own).with_peer("consortium", exchange_descriptor(), state=state)
    return case.with_peer(ORGANIZATIONS[other], with_ca(party_descriptor(other, ORGANIZATIONS[other])), state=other_is)


@dataclass
class Star:
    """Both brokers."""

    folder: Path
    brokers: dict[str, Broker]

    def routed(self, hub: TrafficServer, state: str = "active", other_is: str = "active") -> Deployed:
        """What 9999's stack deploys, with this Traffic Server as its exchange."""
        return deployed(member("9999", state, other_is), "9999", self.folder, {EXCHANGE: f"{HOST}:{hub.port}"})

    @contextmanager
    def exchange(self, *members: str) -> Iterator[TrafficServer]:
        """A Traffic Server that serves."""
        with traffic_server(self.hub(*members), tuple(HOSTS.values())) as instance:
            instance.serve()
            yield instance

    def hub(self, *members: str) -> Container:
        """What the exchange's stack deploys with these members."""
        case = Case("consortium", stack("consortium", exchange=exchange()))
        for name in members:
            descriptor = party_descriptor(name, ORGANIZATIONS[name], host=HOSTS[name], port=self.brokers[name].tls_port)
            case = case.with_peer(ORGANIZATIONS[name], descriptor)
        return container(load(case, self.folder / "exchange").plan.unit("exchange"))


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Star]:
    folder = tmp_path_factory.mktemp("star")
    made = {own: deployed(member(own), own, folder / own, {}) for own in ORGANIZATIONS}
    with (
        broker(folder / "a", made["9999"].configuration, made["9999"].certificates) as own,
        broker(folder / "b", made["10000"].configuration, made["10000"].certificates) as clinic,
    ):
        yield Star(folder, {"9999": own, "10000": clinic})


def started(star: Star, table: Path, given: Deployed) -> Topic:
    """A new job of both parties, by this route table."""
    own, name = star.brokers["9999"], next(JOBS)
    FateFlow(own, "9999").task(name, publish(table, given), "10000")
    FateFlow(star.brokers["10000"], "10000").receives(name)
    return Topic(star.brokers, name, "10000", "10000")


@contextmanager
def beside(star: Star, given: Deployed, folder: Path, table: Path) -> Iterator[Keeper]:
    """The container beside 9999's broker, which has made its clusters."""
    own = star.brokers["9999"]
    own.ask("DELETE", "clusters/10000")  # of another exchange, in the test before
    publish(table, given)
    with keeper(given, folder, table, own) as found:
        assert eventually(lambda: own.clusters() == {"10000"}), found.output
        yield found


def name_severed(own: Broker, job: str, routes: str) -> None:
    """A task of 9999 that names 10000, whose cluster may be deleted between two of its calls: Pulsar then forbids to use it."""
    try:
        FateFlow(own, "9999").task(job, routes, "10000")
    except RefusedError as error:
        if error.status != 403:
            raise


def test_messages_pass_through_traffic_server_until_a_party_suspends_the_exchange(star: Star, tmp_path: Path) -> None:
    own, table = star.brokers["9999"], tmp_path / "pulsar_route_table.yaml"
    with star.exchange("9999", "10000") as hub, beside(star, star.routed(hub), tmp_path, table) as found:
        topic = started(star, table, star.routed(hub))
        assert topic.passes("through the exchange", "10000"), found.output
        connection = own.connection(topic.job, topic.name, "10000")
        assert connection is not None
        assert f":{hub.port}]" in connection, "the exchange is passed by"
        # The exchange suspends 10000: what is open goes on, see docs/guides/peers.md.
        hub.mount(star.hub("9999"))
        assert eventually(lambda: "reloaded" in hub.output, RELOAD_SECONDS), hub.output
        assert topic.passes("through an open tunnel", "10000")
        assert own.connection(topic.job, topic.name, "10000") == connection
        # 9999 suspends the exchange: nothing is left of it in its broker.
        publish(table, star.routed(hub, "suspended"))
        assert eventually(lambda: own.clusters() == own.replication(topic.job) == own.allowed() == set()), found.output
        topic.send("to nobody")
        assert topic.received("10000", 3) is None


def test_a_member_that_one_party_severs_by_itself_gets_nothing_more_and_comes_back_for_the_next_job(star: Star, tmp_path: Path) -> None:
    """The exchange goes on to serve it; 9999's route table leads it nowhere, before the default route."""
    own, table = star.brokers["9999"], tmp_path / "pulsar_route_table.yaml"
    with star.exchange("9999", "10000") as hub, beside(star, star.routed(hub), tmp_path, table) as found:
        topic = started(star, table, star.routed(hub))
        assert topic.passes("before", "10000")
        severed = publish(table, star.routed(hub, other_is="suspended"))
        assert "default:" in severed
        assert eventually(lambda: own.clusters() == own.replication(topic.job) == own.allowed() == set()), found.output
        topic.send("to nobody")
        assert topic.received("10000", 3) is None
        # A task that names it makes a cluster that leads nowhere, which must not be in its way when it is back.
        name_severed(own, topic.job, severed)
        assert eventually(lambda: own.clusters() == set()), found.output
        publish(table, star.routed(hub))
        assert eventually(lambda: own.clusters() == {"10000"}), found.output
        assert started(star, table, star.routed(hub)).passes("after", "10000"), found.output


def test_a_job_goes_on_when_its_exchange_moves(star: Star, tmp_path: Path) -> None:
    """The new exchange is another organization's, at another address; the old one ends."""
    own, table = star.brokers["9999"], tmp_path / "pulsar_route_table.yaml"
    with star.exchange("9999", "10000") as new:
        with star.exchange("9999", "10000") as old, beside(star, star.routed(old), tmp_path, table) as found:
            topic = started(star, table, star.routed(old))
            assert topic.passes("through the old one", "10000")
            publish(table, star.routed(new))
            unloaded = f"namespace {TENANT}/{topic.job} is unloaded, for 10000"
            assert eventually(lambda: unloaded in found.output), found.output
            old.terminate(5)
        topic.send("through the new one")
        assert "through the new one" in (topic.received("10000"), topic.received("10000", 5))
        connection = own.connection(topic.job, topic.name, "10000")
        assert connection is not None
        assert f":{new.port}]" in connection
