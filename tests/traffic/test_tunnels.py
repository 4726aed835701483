"""Tunnels between parties with CAs of their own, through an exchange's real Traffic Server: real handshakes, and reloads under load.

What servers present and whom clients trust is what the program makes for the parties' Secret `pulsar-cert`; a TLS server stands in for each
Pulsar. Verification is OpenSSL's, the client's of each tunnel. Java, and so Pulsar itself, does less (docs/guides/trust.md).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from federation.pki.authority import Period, issue
from federation.stack.load import made_certificates
from tests.support.configs import STAR_PARTY, Case, Config, exchange, party, party_descriptor, stack
from tests.support.trust import ca, ca_key, load, secrets_of, server_key, trusting, with_ca
from tests.traffic.deployed import Container, TrafficServer, container, eventually, traffic_server
from tests.traffic.network import Server, Tunnel, refusal, server_context, server_name, tls_server

pytestmark = pytest.mark.traffic

TODAY = datetime.now(UTC).date()
RELOAD_SECONDS, HOSTS_SECONDS = 30.0, 5.0
ORGANIZATIONS = {"9999": "bank-a", "10000": "clinic-b", "10001": "hospital-c"}
# No stack accepts a peer at a loopback address, so peers publish names, and Traffic Server has a hosts file for them.
HOSTS = {party_id: f"pulsar.{organization}.example" for party_id, organization in ORGANIZATIONS.items()}
STREAM = 64 * 1024


@dataclass(frozen=True)
class Made:
    """What a party's stack puts into `pulsar-cert`: its server's certificate, and all CAs that it trusts."""

    certificate: str
    trusted: str


def made_for(party_id: str, folder: Path, states: dict[str, str]) -> Made:
    """Of one organization's stack in the star, which accepted these parties, in these states."""

    def own(config: Config) -> None:
        config["organization"] = ORGANIZATIONS[party_id]
        config["parties"] = {party_id: party(f"fate-{party_id}")}

    case = trusting(STAR_PARTY.changed(own), party_id)
    for other, state in states.items():
        case = case.with_peer(ORGANIZATIONS[other], with_ca(party_descriptor(other, ORGANIZATIONS[other])), state=state)
    loaded = load(case, folder / ORGANIZATIONS[party_id], TODAY)
    found = made_certificates(loaded, secrets_of(loaded))
    return Made(found[f"party-{party_id}-certificate"], found[f"party-{party_id}-ca"])


@dataclass(frozen=True)
class World:
    """Three brokers, and beside each TLS port a plaintext one, as Pulsar has it, which must stay unreached."""

    folder: Path
    made: dict[str, Made]
    brokers: dict[str, Server]
    plaintext: dict[str, Server]

    def exchange(self, *members: str) -> Container:
        """Traffic Server's container with these members."""
        case = Case("consortium", stack("consortium", exchange=exchange()))
        for party_id in members:
            organization, port = ORGANIZATIONS[party_id], self.brokers[party_id].address[1]
            descriptor = party_descriptor(party_id, organization, host=HOSTS[party_id], port=port)
            case = case.with_peer(organization, descriptor)
        return container(load(case, self.folder / "exchange", TODAY).plan.unit("exchange"))

    def tunnel(self, instance: TrafficServer, by: str, to: str) -> Tunnel:
        """One that a party opens to another, verified with what it trusts."""
        return Tunnel(instance.port, to, self.made[by].trusted)

    def answers(self, instance: TrafficServer, by: str, to: str) -> str | None:
        """Who answers through a verified tunnel; None when nobody does."""
        try:
            with self.tunnel(instance, by, to) as tunnel:
                return tunnel.greeting
        except OSError:
            return None

    def why_not(self, instance: TrafficServer, by: str, to: str) -> str:
        """Why a party refuses who answers to another's name; `accepted` if it does not."""
        try:
            with self.tunnel(instance, by, to):
                return "accepted"
        except OSError as error:
            return str(error)

    def reached(self) -> dict[str, int]:
        """How many connections came to each broker, and to all plaintext ports."""
        beside = sum(server.reached for server in self.plaintext.values())
        return {party_id: server.reached for party_id, server in self.brokers.items()} | {"plaintext": beside}

    @contextmanager
    def serving(self, given: Container, *members: str) -> Iterator[TrafficServer]:
        """Traffic Server, which finds these members' hosts."""
        with traffic_server(given, tuple(HOSTS.values())) as instance:
            instance.serve()
            for party_id in members:
                # Not asserted: the test itself says what is wrong then.
                eventually(lambda name=party_id: refusal(instance.port, server_name(name)) is None, HOSTS_SECONDS)  # type: ignore[misc]
            yield instance


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("tunnels")
    accepted = {
        "9999": {"10000": "active", "10001": "active"},
        "10000": {"9999": "active", "10001": "suspended"},
        "10001": {"9999": "active"},
    }
    made = {party_id: made_for(party_id, folder, states) for party_id, states in accepted.items()}
    brokers = {party_id: tls_server(party_id, found.certificate, server_key(party_id), folder) for party_id, found in made.items()}
    found = World(folder, made, brokers, {party_id: Server(("127.0.0.1", 0), b"an open broker") for party_id in made})
    yield found
    for server in (*found.brokers.values(), *found.plaintext.values()):
        server.close()


@pytest.fixture(scope="module")
def shared(world: World) -> Iterator[TrafficServer]:
    """A serving exchange with all three members, for tests that change nothing."""
    with world.serving(world.exchange("9999", "10000", "10001"), "9999", "10000", "10001") as instance:
        yield instance


def test_parties_that_accepted_each_other_meet_at_the_right_port_and_see_the_very_certificate(world: World, shared: TrafficServer) -> None:
    pairs = [("9999", "10000"), ("10000", "9999"), ("9999", "10001"), ("10001", "9999")]
    before = world.reached()
    for by, to in pairs:
        with world.tunnel(shared, by, to) as tunnel:
            assert tunnel.greeting == f"party {to}"
            assert tunnel.certificate == world.made[to].certificate
            assert tunnel.echoes("data between parties " * 2000)
    assert world.reached() == before | {to: before[to] + sum(1 for pair in pairs if pair[1] == to) for _, to in pairs}
    assert world.reached()["plaintext"] == 0


def test_who_did_not_accept_a_party_or_suspended_it_does_not_believe_its_certificate(world: World, shared: TrafficServer) -> None:
    for by, to in (("10000", "10001"), ("10001", "10000")):
        assert "unable to get local issuer certificate" in world.why_not(shared, by, to), (by, to)
    assert world.answers(shared, "9999", "10001") == "party 10001", "the exchange carries it; trust is each party's own"


def leaf(signer: str, subject: str, name: str, days: tuple[int, int] = (-1, 30)) -> str:
    """A certificate of 10000's server key, that a party's CA signed."""
    period = Period(*(TODAY + timedelta(days=day) for day in (*days, days[1])))
    return issue(ca(signer), ca_key(signer, "1"), server_key("10000"), party=subject, names=[server_name(name)], period=period)


@pytest.mark.parametrize(
    ("presented", "expected"),
    [
        (lambda: leaf("10000", "10000", "10000"), "accepted"),
        (lambda: leaf("10001", "10001", "10001"), "Hostname mismatch"),
        (lambda: leaf("10000", "10000", "10000", (-9, -5)), "certificate has expired"),
        (lambda: leaf("4711", "10000", "10000"), "unable to get local issuer certificate"),
        (lambda: leaf("10001", "10001", "10000"), "permitted subtree violation"),
        (lambda: leaf("10001", "10000", "10000"), "permitted subtree violation"),
        (lambda: leaf("10000", "10001", "10000"), "permitted subtree violation"),
    ],
    ids=[
        "right", "another party's", "expired", "of a foreign CA", "signed by another CA", "signed by another CA with our subject",
        "another party's subject",
    ],
)  # fmt: skip
def test_what_answers_to_a_party_s_name_is_accepted_only_with_its_own_ca_s_certificate(
    world: World, shared: TrafficServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, presented: Callable[[], str], expected: str
) -> None:
    broker = world.brokers["10000"]
    monkeypatch.setattr(broker, "context", server_context("10000", presented(), server_key("10000"), tmp_path))
    before = broker.reached
    assert expected in world.why_not(shared, "9999", "10000")
    assert broker.reached == before + 1, "the tunnel leads elsewhere"
    assert world.answers(shared, "10000", "9999") == "party 9999", "others are not concerned"


class Stream:
    """Bytes that go through one tunnel to and fro without a pause, until it is stopped; a byte that is lost or wrong ends it."""

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel, self._stopped = tunnel, threading.Event()
        self.carried, self.wrong = 0, ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                if not self._tunnel.echoes(f"{self.carried:016x}" * (STREAM // 16)):
                    raise OSError("other bytes came back, or none")
                self.carried += STREAM
                self._stopped.wait(0.02)
        except OSError as error:
            self.wrong = f"{type(error).__name__}: {error}"

    def goes_on(self) -> bool:
        """Whether it carries more within some seconds."""
        before = self.carried
        return eventually(lambda: self.wrong or self.carried > before + 2 * STREAM, 5) and not self.wrong

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        self._thread.join(10)


def ended(tunnel: Tunnel) -> bool:
    """Whether nothing comes back any more."""
    try:
        return not tunnel.echoes("is anybody there")
    except OSError:
        return True


def test_open_tunnels_carry_bytes_over_reloads_that_add_and_remove_members(world: World) -> None:
    """Three reloads by the chart's own script; the last one removes a member whose tunnel is open."""
    with world.serving(world.exchange("9999", "10000"), "9999", "10000") as instance:
        server = instance.server_pid()
        with world.tunnel(instance, "10000", "9999") as kept, world.tunnel(instance, "9999", "10000") as removed:
            streams = {"kept": Stream(kept), "removed": Stream(removed)}
            try:
                assert world.answers(instance, "9999", "10001") is None
                steps = [(("9999", "10000", "10001"), "10001"), (("9999", "10000"), None), (("9999", "10001"), "10001")]
                for number, (members, new) in enumerate(steps, start=1):
                    instance.mount(world.exchange(*members))
                    wanted = None if new is None else f"party {new}"
                    assert eventually(lambda wanted=wanted: world.answers(instance, "9999", "10001") == wanted, RELOAD_SECONDS), (  # type: ignore[misc]
                        members,
                        instance.output,
                    )
                    assert all(stream.goes_on() for stream in streams.values()), (members, {n: s.wrong for n, s in streams.items()})
                    assert instance.output.count("reloaded") == number
                assert eventually(lambda: world.answers(instance, "9999", "10000") is None, RELOAD_SECONDS), "removed, and still served"
                assert streams["removed"].goes_on(), "a reload ends no open tunnel, not even a removed member's"
                assert instance.server_pid() == server
            finally:
                for stream in streams.values():
                    stream.stop()
            assert {name: stream.wrong for name, stream in streams.items()} == {"kept": "", "removed": ""}
            assert min(stream.carried for stream in streams.values()) > 10 * STREAM
            assert removed.echoes("before it stops")
            instance.terminate(5)
            assert ended(removed), "what docs/guides/peers.md tells an operator who wants such a tunnel gone"
