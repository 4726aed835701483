"""Whom a real Pulsar believes, with the certificates that the program makes, and from when on it does not any more."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from cli.doctor.engines.probes import tls_certificate
from cli.doctor.probe import ask_all
from tests.pulsar.brokers import HOST, REFRESH_SECONDS, TENANT, Broker, FateFlow, broker, client, eventually
from tests.pulsar.deployed import Deployed, Keeper, Topic, deployed, keeper, publish
from tests.pulsar.members import ADDRESSES, EXCHANGE, Between, between, member, provided_certificate, provided_secrets, signed_by
from tests.support.configs import DOMAIN
from tests.support.trust import ca, server_key

pytestmark = pytest.mark.pulsar

JOBS = (f"trust-{number}" for number in count(1))
SECRET = "SECRET tensor"
# How long a message is waited for that must not arrive.
REFUSED = 6.0
STRICT = "tlsRequireTrustedClientCertOnConnect=true"


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
        given = provided_secrets(own) if stack.get("provided") else {}
        return deployed(member(own, star=star, **{f"of_{other}": said}, **stack), own, self.folder, addresses, given)

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


@contextmanager
def pair(folder: Path, **stack: Any) -> Iterator[World]:
    """Two brokers as their stacks deploy them, and who stands between."""
    made = {
        own: deployed(member(own, **stack), own, folder / own, {}, provided_secrets(own) if stack.get("provided") else {})
        for own in ("9999", "10000")
    }
    assert all((STRICT in given.configuration) == bool(stack.get("required")) for given in made.values())
    with (
        broker(folder / "a", made["9999"].configuration, made["9999"].certificates) as own,
        broker(folder / "b", made["10000"].configuration, made["10000"].certificates) as clinic,
        between(folder) as hub,
    ):
        yield World(folder, {"9999": own, "10000": clinic}, hub)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pair(tmp_path_factory.mktemp("trust")) as found:
        yield found


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


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same, and both require certificates."""
    with pair(tmp_path_factory.mktemp("strict"), required=True) as found:
        yield found


@TOPOLOGIES
def test_brokers_that_require_certificates_show_theirs_to_each_other(strict: World, star: bool) -> None:
    for by, to in (("9999", "10000"), ("10000", "9999")):
        strict.hub.shows("", strict.brokers[to].tls_port)
        with strict.linked(strict.deployed(star, own=by, required=True), by, to) as topic:
            assert topic.passes(f"from {by}", to)


def test_a_broker_that_requires_certificates_takes_those_of_one_that_does_not(strict: World, world: World) -> None:
    """So that members may go over to it one after another."""
    strict.hub.shows("", strict.brokers["10000"].tls_port)
    given = strict.deployed()
    assert STRICT not in given.configuration
    world.forget()
    table = world.folder / "pulsar_route_table.yaml"
    publish(table, given)
    with keeper(given, world.folder, table, world.brokers["9999"]) as beside:
        job = next(JOBS)
        FateFlow(world.brokers["9999"], "9999").task(job, given.routes, "10000")
        FateFlow(strict.brokers["10000"], "10000").receives(job)
        topic = Topic({"9999": world.brokers["9999"], "10000": strict.brokers["10000"]}, job, "10000", "10000")
        assert topic.passes("from one that asks for none", "10000"), beside.output


def outsider(port: int, **identity: str) -> Any:
    """A client that reached a published TLS port."""
    pulsar = client()
    shown = {"authentication": pulsar.AuthenticationTLS(identity["certificate"], identity["key"])} if identity else {}
    quiet = pulsar.ConsoleLogger(pulsar.LoggerLevel.Error)
    return pulsar.Client(
        f"pulsar+ssl://{HOST}:{port}", tls_allow_insecure_connection=True, operation_timeout_seconds=5, logger=quiet, **shown
    )


def attempts(found: Any, job: str) -> dict[str, Callable[[], Any]]:
    """What A02 of the security review got: it reads, lists, forges and writes elsewhere."""
    pulsar, topic = client(), f"persistent://{TENANT}/{job}/guest-9999-host-10000"
    first = {"initial_position": pulsar.InitialPosition.Earliest}
    return {
        "reads": lambda: found.subscribe(topic, "spy", **first).receive(5000).data(),
        "lists": lambda: found.subscribe(re.compile(f"persistent://{TENANT}/{job}/.*"), "spies", **first).receive(5000).data(),
        "forges": lambda: found.create_producer(f"persistent://{TENANT}/{job}/guest-10000-host-9999").send(b"forged"),
        "writes elsewhere": lambda: found.create_producer("persistent://public/default/junk").send(b"junk"),
    }


def refused(found: Any, job: str) -> set[str]:
    """The attempts that failed."""
    failed = set()
    try:
        for name, attempt in attempts(found, job).items():
            try:
                attempt()
            except client().PulsarException:
                failed.add(name)
    finally:
        with suppress(Exception):
            found.close()
    return failed


def job_of(world: World) -> str:
    """In which 9999 keeps something for 10000."""
    job = next(JOBS)
    FateFlow(world.brokers["9999"], "9999").receives(job)
    world.brokers["9999"].client.create_producer(f"persistent://{TENANT}/{job}/guest-9999-host-10000").send(SECRET.encode())
    return job


def test_who_has_no_certificate_reaches_a_broker_that_asks_for_none_and_gets_all(world: World) -> None:
    """Why `clientCertificates: required` is there; and that the attempts below are real ones."""
    assert refused(outsider(world.brokers["9999"].tls_port), job_of(world)) == set()


@pytest.mark.parametrize("shows", ["none", "of a party that is not trusted"])
def test_an_outsider_is_refused(strict: World, tmp_path: Path, shows: str) -> None:
    identity = {} if shows == "none" else shown(tmp_path, "10002")
    assert refused(outsider(strict.brokers["9999"].tls_port, **identity), job_of(strict)) == {
        "reads", "lists", "forges", "writes elsewhere",
    }  # fmt: skip


def shown(folder: Path, party: str) -> dict[str, str]:
    """A party's certificate and key, as files."""
    certificate, key = folder / "shown.pem", folder / "shown.key"
    certificate.write_text(signed_by(party, f"{party}.{DOMAIN}"))
    key.write_text(server_key(party))
    return {"certificate": str(certificate), "key": str(key)}


def test_an_accepted_member_is_let_in_whichever_party_it_says_it_is(strict: World, tmp_path: Path) -> None:
    """A limit (docs/guides/trust.md): Pulsar asks whether a caller is accepted, not whether it is the party whose topics it uses."""
    assert refused(outsider(strict.brokers["9999"].tls_port, **shown(tmp_path, "10001")), job_of(strict)) == set()


def test_doctor_sees_the_certificate_of_a_broker_that_requires_one(strict: World) -> None:
    """It has none to show, and must not call that a fault; both doctors ask this way."""
    port = strict.brokers["10000"].tls_port
    question = {"id": "1", "kind": "tls", "host": HOST, "port": port, "name": f"10000.{DOMAIN}"}
    (answer,) = ask_all([question], 10, 10)
    assert "failed" not in answer
    expected = x509.load_pem_x509_certificate((strict.brokers["10000"].folder / "broker.cert.pem").read_bytes())
    for found in (base64.b64decode(answer["certificate"]), tls_certificate(HOST, port, f"10000.{DOMAIN}")):
        assert x509.load_der_x509_certificate(found) == expected


def test_a_suspended_peer_gets_nothing_and_sends_nothing_and_one_that_is_back_does(strict: World) -> None:
    active, suspended = (strict.deployed(required=True, of_10000={"state": state}) for state in ("active", "suspended"))
    sends = strict.deployed(own="10000", required=True)

    def arrives() -> bool:
        strict.hub.shows("", strict.brokers["9999"].tls_port)
        with strict.linked(sends, "10000", "9999") as topic:
            topic.send("from 10000")
            return topic.received("9999", REFUSED) == "from 10000"

    assert arrives()
    strict.brokers["9999"].mount(suspended.certificates)
    try:
        # A broker that has found new certificates takes them for its next connections.
        time.sleep(4 * REFRESH_SECONDS)
        assert not arrives()
        with strict.keeper(suspended) as beside:
            assert eventually(lambda: strict.brokers["9999"].clusters() == {"10001"}), beside.output
    finally:
        strict.brokers["9999"].mount(active.certificates)
    time.sleep(4 * REFRESH_SECONDS)
    assert arrives()


def test_a_ca_is_replaced_in_three_steps_without_a_message_lost(strict: World) -> None:
    """9999's. Each step is deployed, then accepted by 10000, as `fatefed trust rotate` says; messages pass in both directions."""
    one, two = ca("9999"), ca("9999", "2")
    steps: list[tuple[str, dict[str, Any]]] = [
        ("9999", {"signing": "1", "authorities": ("1", "2")}),
        ("10000", {"of_9999": {"authorities": [one, two]}}),
        ("9999", {"signing": "2", "authorities": ("1", "2")}),
        ("9999", {"signing": "2", "authorities": ("2",)}),
        ("10000", {"of_9999": {"authorities": [two]}}),
    ]
    for number, (own, stack) in enumerate(steps):
        given = strict.deployed(own=own, required=True, **stack)
        strict.brokers[own].mount(given.certificates)
        time.sleep(4 * REFRESH_SECONDS)
        for by, to in (("9999", "10000"), ("10000", "9999")):
            strict.hub.shows("", strict.brokers[to].tls_port)
            with strict.linked(strict.deployed(own=by, required=True), by, to) as topic:
                assert topic.passes(f"step {number} from {by}", to), (number, by)
    # Its own clients follow, too: a namespace is unloaded through the broker's TLS port.
    job = job_of(strict)
    strict.brokers["9999"].done("PUT", f"namespaces/{TENANT}/{job}/unload")
    for own in ("9999", "10000"):
        strict.brokers[own].mount(strict.deployed(own=own, required=True).certificates)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same, with certificates that one CA signed for all."""
    with pair(tmp_path_factory.mktemp("shared"), provided=True) as found:
        yield found


@TOPOLOGIES
def test_with_one_ca_for_all_the_name_tells_parties_apart(shared: World, star: bool) -> None:
    """As peers of KubeFATE have it: the certificate of another member is refused, for it is for another name."""
    shared.hub.shows(provided_certificate("10001"), shared.brokers["10000"].tls_port)
    shared.forget()
    given = shared.deployed(star, provided=True)
    with shared.keeper(given) as beside:
        topic = shared.task(given)
        topic.send(SECRET)
        assert topic.received("10000", REFUSED) is None
        assert eventually(lambda: f"10000.{DOMAIN}" in shared.hub.names), shared.hub.names
        assert SECRET.encode() not in shared.hub.read
        shared.hub.shows("", shared.brokers["10000"].tls_port)
        assert topic.received("10000", 30) == SECRET, beside.output
        # The broker's own clients call it by the name in its certificate.
        shared.brokers["9999"].done("PUT", f"namespaces/{TENANT}/{topic.job}/unload")
        assert topic.passes("after its namespace was unloaded", "10000")


def test_with_one_ca_for_all_who_has_its_key_is_everybody(shared: World) -> None:
    """A limit that docs/guides/trust.md tells."""
    shared.hub.shows(provided_certificate("10001", f"10000.{DOMAIN}"), shared.brokers["10000"].tls_port)
    shared.forget()
    given = shared.deployed(star=True, provided=True)
    with shared.keeper(given):
        topic = shared.task(given)
        assert topic.passes(SECRET, "10000")
        assert SECRET.encode() in shared.hub.read
