"""The exchange's Traffic Server: the files of the plan and of the chart, as deployed, with Debian's real Traffic Server on loopback.

Needs `apt-get install trafficserver`. What stands in docs/decisions/0010-exchange-without-certificate.md is shown here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from federation.units.unit import UnitPlan
from sandbox import pki
from tests.support.configs import Case, exchange, party_descriptor, stack
from tests.traffic.deployed import Container, TrafficServer, container, eventually, traffic_server
from tests.traffic.network import DOMAIN, Server, Tunnel, answer, canary, plain_answer, pulsar, refusal, server_name

pytestmark = pytest.mark.traffic

# At most; 3 to 9 s are usual, since Traffic Server itself looks only now and then whether a reload is wanted.
RELOAD_SECONDS = 30.0
HOSTS_SECONDS = 5.0
PARTIES = {"9999": "bank-a", "10000": "clinic-b", "10001": "old-clinic"}
# No stack accepts a peer at a loopback address, so peers publish names, and Traffic Server has a hosts file for them.
HOSTS = {party: f"pulsar.{organization}.example" for party, organization in PARTIES.items()}


@dataclass(frozen=True)
class World:
    """The federation's CA, a server of each party that may become a member, and a canary."""

    folder: Path
    authority: pki.Authority
    parties: dict[str, Server]
    canary: Server

    def case(self, *members: str) -> Case:
        """The consortium's stack with these members."""
        case = Case("consortium", stack("consortium", exchange=exchange()))
        for party in members:
            case = self.with_member(case, party)
        return case

    def with_member(self, case: Case, party: str, **entry: str) -> Case:
        """The same with one more member: 10001 typed by hand, all others by descriptor."""
        port = self.parties[party].address[1]
        if party == "10001":
            by_hand = {"unsigned": True, "partyId": party, "pulsar": f"{HOSTS[party]}:{port}", "nginx": "198.51.100.40:9300"}
            return case.with_entry(PARTIES[party], **by_hand, **entry)
        return case.with_peer(PARTIES[party], party_descriptor(party, PARTIES[party], host=HOSTS[party], port=port), **entry)

    def deployed(self, case: Case) -> Container:
        """What the stack's plan and its chart give to the container."""
        unit: UnitPlan = case.load(self.folder / "stacks").plan.unit("exchange")
        return container(unit)

    def reached(self) -> dict[str, int]:
        """How many connections came to each server so far."""
        return {party: server.reached for party, server in self.parties.items()} | {"canary": self.canary.reached}

    @contextmanager
    def instance(self, given: Container) -> Iterator[TrafficServer]:
        """Traffic Server, not started yet."""
        with traffic_server(given, tuple(HOSTS.values())) as instance:
            yield instance

    @contextmanager
    def serving(self, given: Container, *members: str) -> Iterator[TrafficServer]:
        """Traffic Server, started and serving these members."""
        with self.instance(given) as instance:
            self.start(instance, *members)
            yield instance

    def start(self, instance: TrafficServer, *members: str) -> None:
        """Start it, and wait until it serves and finds these members' hosts."""
        instance.serve()
        for party in members:
            # Not asserted: the test itself says what is wrong then.
            eventually(partial(self.greeting, instance, party), HOSTS_SECONDS)

    def open(self, instance: TrafficServer, party: str) -> Tunnel:
        """A verified tunnel."""
        return Tunnel(instance.port, party, pki.pem(self.authority.certificate).decode())

    def greeting(self, instance: TrafficServer, party: str) -> str | None:
        """Who answers to the party's name, through a verified tunnel; None when nobody does."""
        try:
            with self.open(instance, party) as tunnel:
                return tunnel.greeting
        except OSError:
            return None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("traffic")
    authority = pki.new_authority("traffic tests")
    parties = {party: pulsar(party, authority, folder) for party in PARTIES}
    made = World(folder, authority, parties, canary(parties["9999"].address[1]))
    yield made
    for server in (*parties.values(), made.canary):
        server.close()


@pytest.fixture(scope="module")
def shared(world: World) -> Iterator[TrafficServer]:
    """A serving exchange with the members 9999 and 10000, for tests that change nothing."""
    with world.serving(world.deployed(world.case("9999", "10000")), "9999", "10000") as instance:
        yield instance


def requests(world: World) -> dict[str, bytes]:
    """What someone would ask of an open proxy. Both ports are in connect_ports."""
    (canary_host, port), member = world.canary.address, "{}:{}".format(HOSTS["9999"], world.parties["9999"].address[1])
    door = f"{canary_host}:{port}"
    lines = {
        "GET for the URL of another host": (f"GET http://{door}/", door),
        "GET with the Host of another": ("GET /", door),
        "CONNECT to another host": (f"CONNECT {door}", door),
        "CONNECT to a member": (f"CONNECT {member}", member),
    }
    asked = {kind: f"{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode() for kind, (line, host) in lines.items()}
    return {"nothing": b"", **asked}


def test_each_server_name_leads_to_its_own_party_and_its_certificate_arrives_unchanged(world: World, shared: TrafficServer) -> None:
    before = world.reached()
    for party in ("9999", "10000"):
        # The client has the federation's CA only: a certificate of the exchange, or of the other party, would not do.
        with world.open(shared, party) as tunnel:
            assert tunnel.greeting == f"party {party}"
            assert tunnel.echoes("data between parties " * 2000)
    assert world.reached() == before | {party: before[party] + 1 for party in ("9999", "10000")}


def test_a_member_by_name_and_address_is_reached_at_the_address_wherever_its_name_leads(world: World) -> None:
    """DNS rebinding: its owner lets the name lead elsewhere, once the descriptor is accepted."""
    name, (host, port) = "pulsar.rebound.example", world.parties["9999"].address
    assert world.canary.address == ("127.0.0.2", port)
    descriptor = party_descriptor("9999", "bank-a", port=port)
    (address,) = descriptor.endpoints["pulsar"].addresses
    named = descriptor.endpoints["pulsar"].model_copy(update={"host": name})
    descriptor = descriptor.model_copy(update={"endpoints": {**descriptor.endpoints, "pulsar": named}})
    given = world.deployed(world.case().with_peer("bank-a", descriptor))
    told = given.mounts["/config"]["sni.yaml"]
    assert f"tunnel_route: {address}:{port}\n" in told
    # This machine has no such address, and no stack accepts the one at which the test's server listens.
    with world.instance(given.with_file("/config", "sni.yaml", told.replace(address, host))) as instance:
        instance.resolve(name, world.canary.address[0])
        world.start(instance, "9999")
        before = world.canary.reached
        assert world.greeting(instance, "9999") == "party 9999"
        assert world.canary.reached == before
        # What the name would have done.
        instance.mount(given.with_file("/config", "sni.yaml", told.replace(address, name)))
        assert eventually(lambda: world.greeting(instance, "9999") is None and world.canary.reached > before, RELOAD_SECONDS)


NAMES = {
    "unknown": f"4711.{DOMAIN}",
    "of a party that is no member": server_name("10001"),
    "of the exchange": f"proxy.{DOMAIN}",
    "below a member's": f"x.9999.{DOMAIN}",
    "that begins with a member's": f"9999.{DOMAIN}.evil.example",
    "that ends with a member's": f"19999.{DOMAIN}",
    "with a letter for a member's dot": f"9999x{DOMAIN}",
    "absent": None,
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_server_name_without_a_tunnel_is_refused_whatever_is_asked(world: World, shared: TrafficServer, kind: str) -> None:
    before = world.reached()
    refused = {request: refusal(shared.port, NAMES[kind], asked) for request, asked in requests(world).items()}
    assert len(refused) == 5
    assert None not in refused.values(), refused
    assert world.reached() == before, "someone was reached"


def test_a_request_without_tls_gets_no_answer(world: World, shared: TrafficServer) -> None:
    before = world.reached()
    answers = {request: plain_answer(shared.port, asked) for request, asked in requests(world).items() if asked}
    assert len(answers) == 4
    # A TLS alert, or nothing.
    assert not [got for got in answers.values() if len(got) > 7 or b"HTTP" in got], answers
    assert world.reached() == before, "someone was reached"


def test_even_with_a_certificate_it_would_be_no_proxy(world: World) -> None:
    # As an operator might add one. Now each handshake succeeds, and remap_required is what remains.
    given = world.deployed(world.case("9999"))
    for name in ("cert.pem", "key.pem"):
        given = given.with_file("/config", name, (world.folder / f"10001.{name}").read_text())
    given = given.with_file("/config", "ssl_multicert.config", "dest_ip=* ssl_cert_name=cert.pem ssl_key_name=key.pem\n")
    with world.serving(given, "9999") as instance:
        before = world.reached()
        for kind in ("unknown", "absent"):
            answers = {request: answer(instance.port, NAMES[kind], asked)[:12] for request, asked in requests(world).items() if asked}
            assert len(answers) == 4
            assert all(got.startswith(b"HTTP/1.1 4") for got in answers.values()), answers
        assert world.reached() == before, "someone was reached"
        assert world.greeting(instance, "9999") == "party 9999"


def test_a_new_member_is_served_without_a_restart_and_open_tunnels_go_on(world: World) -> None:
    case = world.case("9999", "10000")
    with world.serving(world.deployed(case), "9999", "10000") as instance:
        pids, port = instance.processes(), str(world.parties["10001"].address[1])
        server = instance.server_pid()
        assert world.greeting(instance, "10001") is None
        assert port not in instance.record("http.connect_ports").split()

        with world.open(instance, "9999") as tunnel:
            assert tunnel.echoes("before")
            instance.mount(world.deployed(world.with_member(case, "10001")))
            assert eventually(lambda: tunnel.echoes("meanwhile") and world.greeting(instance, "10001") == "party 10001", RELOAD_SECONDS), (
                instance.output
            )
            assert tunnel.echoes("after")
        assert port in instance.record("http.connect_ports").split()
        assert instance.server_pid() == server
        assert "traffic_manager" in pids.values()
        assert {pid for pid, name in pids.items() if name != "sleep"} <= set(instance.processes()), "something was restarted"
        assert [world.greeting(instance, party) for party in ("9999", "10000")] == ["party 9999", "party 10000"]


def test_a_suspended_member_is_refused_after_the_reload(world: World) -> None:
    case = world.case("9999", "10000")
    with world.serving(world.deployed(case), "9999", "10000") as instance:
        server = instance.server_pid()
        with world.open(instance, "10000") as tunnel:
            instance.mount(world.deployed(world.with_member(case, "10000", state="suspended")))
            assert eventually(lambda: world.greeting(instance, "10000") is None, RELOAD_SECONDS), instance.output
            assert tunnel.echoes("suspending closes no open tunnel")
        before = world.reached()
        assert refusal(instance.port, server_name("10000")) is not None
        assert world.reached() == before, "a suspended member was reached"
        assert world.greeting(instance, "9999") == "party 9999"
        assert instance.record("http.connect_ports") == str(world.parties["9999"].address[1])
        assert instance.server_pid() == server


def test_a_tunnel_to_an_ipv6_address_would_end_traffic_server_for_everyone(world: World) -> None:
    """Why the plan never writes one. It takes what follows the first colon for the port, when somebody asks for that name."""
    given = world.deployed(world.case("9999", "10000"))
    text = given.mounts["/config"]["sni.yaml"]
    v6 = re.sub(r"(fqdn: 10000\..*\n    tunnel_route: ).*", r'\1"[2001:db8::5]:6651"', text)
    assert v6 != text
    with world.serving(given.with_file("/config", "sni.yaml", v6), "9999") as instance:
        assert world.greeting(instance, "9999") == "party 9999"
        server = instance.server_pid()
        assert world.greeting(instance, "10000") is None
        # Where it started as root, as in the container, its manager starts another one: until somebody asks again.
        assert eventually(lambda: server not in instance.processes(), RELOAD_SECONDS), "this version takes IPv6: so may the plan"
        assert "stoi" in instance.output


def test_an_exchange_without_members_starts_serves_nobody_and_gains_one(world: World) -> None:
    with world.serving(world.deployed(world.case())) as instance:
        server, before = instance.server_pid(), world.reached()
        refused = [refusal(instance.port, name, asked) for name in (server_name("9999"), None) for asked in requests(world).values()]
        assert len(refused) == 10
        assert None not in refused
        assert world.reached() == before, "someone was reached"

        instance.mount(world.deployed(world.case("9999")))
        assert eventually(lambda: world.greeting(instance, "9999") == "party 9999", RELOAD_SECONDS), instance.output
        assert instance.server_pid() == server


def test_the_probe_succeeds_only_while_it_serves_and_term_ends_it_all(world: World) -> None:
    with world.instance(world.deployed(world.case("9999"))) as instance:
        assert not instance.serving(), "before it starts"
        world.start(instance, "9999")
        running = instance.processes()
        assert {"sh", "traffic_manager"} <= set(running.values())
        with world.open(instance, "9999") as tunnel:
            assert tunnel.echoes("an open tunnel does not hold it up")
            assert instance.terminate(5) == 0, instance.output
        assert eventually(lambda: not instance.processes(), 1), instance.processes()
        assert not instance.serving(), "after it ended"
        assert not instance.listening()


def test_the_probe_fails_where_a_tcp_probe_would_not_see_that_nothing_is_served(world: World) -> None:
    broken = world.deployed(world.case("9999")).with_file("/config", "sni.yaml", "sni:\n  - fqdn: [\n")
    with world.instance(broken) as instance:
        instance.start()
        assert eventually(lambda: "sni.yaml failed to load" in instance.output, RELOAD_SECONDS), instance.output
        assert eventually(lambda: not instance.serving(), RELOAD_SECONDS), instance.output
        assert not eventually(instance.serving, 2), "it recovered"
        assert instance.listening()
