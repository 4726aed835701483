"""Whom a real Pulsar believes, with the certificates that the program makes, and from when on it does not any more."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import yaml

from tests.pulsar.brokers import HOST, REFRESH_SECONDS, Broker, FateFlow, broker
from tests.pulsar.deployed import Deployed, Topic, deployed
from tests.support.configs import MESH, Case, Config, party, party_descriptor
from tests.support.trust import trusting, with_ca

pytestmark = pytest.mark.pulsar

ORGANIZATIONS = {"9999": "bank-a", "10000": "clinic-b"}
ADDRESSES = {"9999": "203.0.113.10", "10000": "203.0.113.20"}
JOBS = (f"trust-{number}" for number in count(1))
# After its certificates have changed, a broker looks at them with its next connections.
PATIENCE = 4.0 * REFRESH_SECONDS


def member(own: str, state: str = "active") -> Case:
    """The stack of one party; `state`: of the other one."""
    (other,) = set(ORGANIZATIONS) - {own}

    def change(config: Config) -> None:
        config["organization"] = ORGANIZATIONS[own]
        config["parties"] = {own: party(f"fate-{own}", exchange=None)}
        config["peers"] = {}

    descriptor = with_ca(party_descriptor(other, ORGANIZATIONS[other], host=ADDRESSES[other]))
    return trusting(MESH.changed(change), own).with_peer(ORGANIZATIONS[other], descriptor, state=state)


@dataclass
class Pair:
    """Both brokers, and the folder of 9999's."""

    folder: Path
    own: Path
    brokers: dict[str, Broker]

    def deployed(self, state: str) -> Deployed:
        """What 9999's stack deploys while 10000 is in this state."""
        return deployed(member("9999", state), "9999", self.folder, {})

    def mount(self, state: str) -> None:
        """The Secret of 9999's stack, as kubelet refreshes it; and the time that Pulsar takes to look."""
        for name, text in self.deployed(state).certificates.items():
            (self.own / f"{name}.new").write_text(text)
            (self.own / f"{name}.new").rename(self.own / name)
        time.sleep(PATIENCE)

    def routes(self, to: str) -> str:
        """A route table that leads to the other's broker, whatever its state: it is trust that is asked here."""
        return yaml.safe_dump({int(to): {"host": HOST, "port": 6650, "sslPort": self.brokers[to].tls_port, "proxy": ""}})

    def topic(self, by: str, to: str) -> Topic:
        """A new job by which one party sends to the other, and a new connection."""
        job = next(JOBS)
        for cluster in self.brokers[by].clusters():
            self.brokers[by].done("DELETE", f"clusters/{cluster}")
        FateFlow(self.brokers[by], by).task(job, self.routes(to), to)
        FateFlow(self.brokers[to], to).receives(job)
        return Topic(self.brokers, job, to, to, by=by)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("trust")
    made = {own: deployed(member(own), own, folder / own, {}) for own in ORGANIZATIONS}
    with (
        broker(folder / "a", made["9999"].configuration, made["9999"].certificates) as own,
        broker(folder / "b", made["10000"].configuration, made["10000"].certificates) as clinic,
    ):
        yield Pair(folder, folder / "a", {"9999": own, "10000": clinic})


def test_a_suspended_peer_s_broker_is_not_believed_any_more_and_one_that_is_back_is(pair: Pair) -> None:
    assert pair.topic("9999", "10000").passes("trusted", "10000")
    pair.mount("suspended")
    topic = pair.topic("9999", "10000")
    topic.send("to whom")
    assert topic.received("10000", 6) is None
    assert pair.brokers["9999"].connection(topic.job, topic.name, "10000") is None
    pair.mount("active")
    assert pair.topic("9999", "10000").passes("trusted again", "10000")


def test_what_a_suspended_peer_sends_is_taken_nobody_asks_for_its_certificate(pair: Pair) -> None:
    """A limit that docs/network.md tells: as in KubeFATE, brokers show certificates and ask for none."""
    pair.mount("suspended")
    try:
        assert pair.topic("10000", "9999").passes("from a suspended peer", "9999")
    finally:
        pair.mount("active")
