"""Whom a real Pulsar believes, with the certificates that the program makes, and from when on it does not any more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.pulsar.brokers import HOST, Broker, FateFlow, broker, eventually
from tests.pulsar.deployed import Deployed, Keeper, Topic, deployed, keeper, publish
from tests.pulsar.members import ADDRESSES, EXCHANGE, Between, between, member, signed_by
from tests.support.configs import DOMAIN

pytestmark = pytest.mark.pulsar

JOBS = (f"trust-{number}" for number in count(1))
SECRET = "SECRET tensor"
# How long a message is waited for that must not arrive.
REFUSED = 6.0


@dataclass
class World:
    """The brokers of 9999 and 10000, with who stands between them: the exchange of a star, or whoever reads along in a mesh."""

    folder: Path
    brokers: dict[str, Broker]
    hub: Between

    def deployed(self, star: bool = False, own: str = "9999", **stack: Any) -> Deployed:
        """What a party's stack deploys; all that it dials is at the one between."""
        (other,) = {"9999", "10000"} - {own}
        said = {"port": self.hub.port, **stack.pop(f"of_{other}", {})}
        addresses = {EXCHANGE: f"{HOST}:{self.hub.port}", **dict.fromkeys(ADDRESSES.values(), HOST)}
        return deployed(member(own, star=star, **{f"of_{other}": said}, **stack), own, self.folder, addresses)

    @contextmanager
    def keeper(self, given: Deployed, own: str = "9999") -> Iterator[Keeper]:
        """The container beside a party's broker; it has made clusters as they should be."""
        table = self.folder / "pulsar_route_table.yaml"
        publish(table, given)
        with keeper(given, self.folder, table, self.brokers[own]) as found:
            yield found

    def task(self, given: Deployed, by: str = "9999", to: str = "10000") -> Topic:
        """A new job by which one party sends to the other."""
        job = next(JOBS)
        FateFlow(self.brokers[by], by).task(job, given.routes, to)
        FateFlow(self.brokers[to], to).receives(job)
        return Topic(self.brokers, job, to, to, by=by)

    def forget(self, own: str = "9999") -> None:
        """The clusters of other tests, and the connections with them."""
        for cluster in self.brokers[own].clusters():
            self.brokers[own].done("DELETE", f"clusters/{cluster}")

    @contextmanager
    def linked(self, given: Deployed, by: str = "9999", to: str = "10000") -> Iterator[Topic]:
        """A new job, with new connections, and clusters as the container makes them."""
        self.forget(by)
        with self.keeper(given, by) as beside:
            assert eventually(lambda: to in self.brokers[by].clusters()), beside.output
            yield self.task(given, by, to)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("trust")
    made = {own: deployed(member(own), own, folder / own, {}) for own in ("9999", "10000")}
    with (
        broker(folder / "a", made["9999"].configuration, made["9999"].certificates) as own,
        broker(folder / "b", made["10000"].configuration, made["10000"].certificates) as clinic,
        between(folder) as hub,
    ):
        yield World(folder, {"9999": own, "10000": clinic}, hub)


TOPOLOGIES = pytest.mark.parametrize("star", [True, False], ids=["star", "mesh"])


@TOPOLOGIES
def test_a_cluster_as_fate_flow_makes_it_lets_nothing_out_until_its_party_s_ca_is_named(world: World, star: bool) -> None:
    given = world.deployed(star)
    world.hub.shows("", world.brokers["10000"].tls_port)
    world.forget()
    topic = world.task(given)
    topic.send("early")
    assert topic.received("10000", REFUSED) is None
    assert world.hub.names, "nobody was dialled"
    with world.keeper(given) as beside:
        assert topic.received("10000") == "early", beside.output
        assert "the cluster of party 10000" in beside.output


@TOPOLOGIES
def test_a_cluster_is_there_before_fate_flow_needs_it_so_that_no_job_waits(world: World, star: bool) -> None:
    given = world.deployed(star)
    world.hub.shows("", world.brokers["10000"].tls_port)
    with world.linked(given) as topic:
        assert topic.passes("at once", "10000")
    assert world.brokers["9999"].clusters() == {"10000", "10001"}


OF_SHOP = {
    "the certificate of another member": f"10001.{DOMAIN}",
    "a certificate for this party's name by the CA of another member": f"10000.{DOMAIN}",
}


@TOPOLOGIES
@pytest.mark.parametrize("name", OF_SHOP.values(), ids=list(OF_SHOP))
def test_another_member_does_not_pass_for_a_party(world: World, star: bool, name: str) -> None:
    """Not as the exchange either: shop-c's CA is trusted, its name constraints permit 10001 alone, and Java does not ask for them."""
    world.hub.shows(signed_by("10001", name), world.brokers["10000"].tls_port)
    with world.linked(world.deployed(star)) as topic:
        topic.send(SECRET)
        assert topic.received("10000", REFUSED) is None
        assert eventually(lambda: world.hub.names), "nobody was dialled"
        assert SECRET.encode() not in world.hub.read
        # The same job goes on when the true one is back.
        world.hub.shows("", world.brokers["10000"].tls_port)
        assert topic.received("10000", 30) == SECRET


@TOPOLOGIES
def test_a_party_whose_ca_is_not_known_gets_nothing(world: World, star: bool) -> None:
    """Suspended ones have no CA here either; in a star the default route would lead to it."""
    given = world.deployed(star)
    without = given.trust.replace('"10000", ', "")
    assert without != given.trust
    world.hub.shows("", world.brokers["10000"].tls_port)
    world.forget()
    with world.keeper(given) as beside:
        (world.folder / "pulsar_trust.json").write_text(without)
        topic = world.task(given)
        topic.send("to a stranger")
        assert topic.received("10000", REFUSED) is None
        # Accepted: its file comes when kubelet brings it, before or after the route table.
        world.brokers["9999"].mount({name: text for name, text in given.certificates.items() if name != "ca-10000.cert.pem"})
        publish(world.folder / "pulsar_route_table.yaml", given)
        assert topic.received("10000", REFUSED) is None
        world.brokers["9999"].mount(given.certificates)
        assert topic.received("10000", 60) == "to a stranger", beside.output
