"""`fatefed doctor` in a star, through a real Traffic Server: routes by server name there and back, and how each fault of them shows.

Needs `apt-get install trafficserver`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli.doctor.probe import ask as ask_one
from federation.peers.descriptor import Descriptor
from federation.units.unit import UnitPlan
from tests.support.configs import DOMAIN, Case, exchange, exchange_descriptor, party, party_descriptor, stack
from tests.support.peer_doctor import Answer, doctor
from tests.support.peer_servers import Nginx, Server, authority, fateflow, network, serve, serve_nginx, server_context
from tests.traffic.deployed import LOOPBACK, Container, TrafficServer, container, eventually, traffic_server

pytestmark = pytest.mark.traffic

PULSARS = {"9999": "pulsar.bank-a.example", "10000": "pulsar.clinic-b.example"}
EXCHANGE, NGINX = "exchange.example", "198.51.100.5"


@dataclass
class Star:
    """Two parties' Pulsars, and the consortium's nginx."""

    folder: Path
    until: ExitStack
    pulsars: dict[str, Server]
    nginx: dict[str, int]

    def member(self, party_id: str, organization: str, port: int | None = None) -> Descriptor:
        """The descriptor of a party."""
        own = port or self.pulsars[party_id].server_address[1]
        body = party_descriptor(party_id, organization, host=PULSARS[party_id], port=own).plain()
        return Descriptor.model_validate(body | {"trust": {"authorities": [authority(party_id)]}})

    def exchange(self, *members: str, **ports: int) -> Container:
        """The consortium's Traffic Server with these members; `ports`: where one of them is said to be."""
        case = Case("consortium", stack("consortium", exchange=exchange()))
        for organization, party_id in (("bank-a", "9999"), ("clinic-b", "10000")):
            if organization in members:
                case = case.with_peer(organization, self.member(party_id, organization, ports.get(organization)))
        unit: UnitPlan = case.load(self.folder / "consortium").plan.unit("exchange")
        return container(unit)

    def bank(self, port: int) -> Case:
        """The stack of bank-a, which trusts the consortium and the clinic."""
        hub = exchange_descriptor(host=EXCHANGE, nginx=NGINX).plain()
        hub["endpoints"]["trafficServer"]["ports"] = {"tls": port}
        hub["endpoints"]["nginx"]["ports"] = self.nginx
        own = party(tls="partyCa")
        trust = {"parties": {"9999": {"signing": "1", "authorities": {"1": authority("9999")}}}}
        case = Case("bank-a", stack("bank-a", parties={"9999": own}, trust=trust))
        return case.with_peer("consortium", Descriptor.model_validate(hub)).with_peer("clinic-b", self.member("10000", "clinic-b"))


Ask = Callable[[TrafficServer], Answer]


@pytest.fixture
def star(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Star]:
    with ExitStack() as until, network(monkeypatch, {EXCHANGE, NGINX}):
        pulsars = {party_id: Server(context=server_context(tmp_path, party_id)) for party_id in PULSARS}
        for server in pulsars.values():
            serve(server, until)
        nginx = Nginx({party_id: fateflow() for party_id in PULSARS})
        yield Star(tmp_path, until, pulsars, {"http": serve_nginx(nginx, until)})


@pytest.fixture
def ask(star: Star, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """What bank-a's `fatefed doctor clinic-b` says."""

    def run(instance: TrafficServer, peer: str = "clinic-b") -> Answer:
        return doctor(star.folder, star.bank(instance.port), monkeypatch, capsys, peer)

    return run


@contextmanager
def serving(given: Container, *served: str) -> Iterator[TrafficServer]:
    """Traffic Server, once it passes on these names."""
    with traffic_server(given, tuple(PULSARS.values())) as instance:
        instance.serve()
        for party_id in served:
            question = {"id": "", "kind": "tls", "host": LOOPBACK, "port": instance.port, "name": f"{party_id}.{DOMAIN}"}
            assert eventually(partial(_passes, question), 5), instance.output
        yield instance


def _passes(question: dict[str, Any]) -> bool:
    return "certificate" in ask_one(question, 2)


def route(party_id: str, instance: TrafficServer) -> str:
    """The check of a route by server name."""
    return f"clinic-b through consortium: SNI route of {party_id}.{DOMAIN} at {EXCHANGE}:{instance.port}"


def test_through_an_exchange_that_knows_both_every_row_is_ok(star: Star, ask: Any) -> None:
    with serving(star.exchange("bank-a", "clinic-b"), *PULSARS) as instance:
        answer = ask(instance)
        assert (answer.wrong, answer.code) == ({}, 0)
        checks = {row["check"] for row in answer.rows}
        assert {route("9999", instance), route("10000", instance)} <= checks
        assert {f"clinic-b through consortium: certificate of {party_id}.{DOMAIN} is signed by its CA" for party_id in PULSARS} <= checks
        assert len([check for check in checks if "HTTP route to party" in check]) == 2
        # Of the exchange itself only the way back is asked.
        answer = ask(instance, "consortium")
        assert (answer.wrong, answer.code) == ({}, 0)
        assert not [row for row in answer.rows if "10000" in row["check"]]

        star.pulsars["10000"].shutdown()
        star.pulsars["10000"].server_close()
        (check, row), *more = ask(instance).wrong.items()
        assert (check, more) == (route("10000", instance), [])
        assert row["problem"] == f"the exchange has an SNI entry for 10000.{DOMAIN}, but nothing answers behind it"
        assert row["fix"].startswith("clinic-b: is Pulsar up at the published address")


MISSING = {"of the peer": ("bank-a", "9999", "10000"), "of this stack's party": ("clinic-b", "10000", "9999")}


@pytest.mark.parametrize("whose", MISSING)
def test_a_missing_sni_entry_is_named_and_whose_it_is(star: Star, ask: Any, whose: str) -> None:
    member, served, missing = MISSING[whose]
    with serving(star.exchange(member), served) as instance:
        answer = ask(instance)
        (check, row), *more = answer.wrong.items()
        assert (check, more, answer.code) == (route(missing, instance), [], 1)
        assert row["problem"] == f"the exchange has no SNI entry for {missing}.{DOMAIN}"
        assert row["fix"].startswith(f"consortium: accept the descriptor of party {missing}")


def test_a_missing_sni_entry_of_kubefates_exchange_is_named_too(star: Star, ask: Any) -> None:
    # It has a certificate, and answers itself for what it does not pass on.
    server_context(star.folder, "9999", name=f"proxy.{DOMAIN}")
    text = (star.folder / "9999.pem").read_text()
    begin = text.index("-----BEGIN PRIVATE")
    given = star.exchange("bank-a").with_file("/config", "cert.pem", text[:begin]).with_file("/config", "key.pem", text[begin:])
    given = given.with_file("/config", "ssl_multicert.config", "dest_ip=* ssl_cert_name=cert.pem ssl_key_name=key.pem\n")
    with serving(given, "9999") as instance:
        (check, row), *more = ask(instance).wrong.items()
        assert (check, more) == (route("10000", instance), [])
        assert row["problem"] == f"the exchange has no SNI entry for 10000.{DOMAIN}"


def test_an_sni_entry_that_leads_to_another_party_is_named(star: Star, ask: Any) -> None:
    elsewhere = {"clinic-b": star.pulsars["9999"].server_address[1]}
    with serving(star.exchange("bank-a", "clinic-b", **elsewhere), *PULSARS) as instance:
        wrong = ask(instance).wrong
        row = wrong[f"clinic-b through consortium: certificate is for 10000.{DOMAIN}"]
        assert row["problem"] == f"it is for 9999.{DOMAIN}"
        assert "consortium: does its route lead to party 10000?" in row["fix"]
        assert wrong.keys() == {
            f"clinic-b through consortium: certificate is for 10000.{DOMAIN}",
            f"clinic-b through consortium: certificate of 10000.{DOMAIN} is signed by its CA",
        }
