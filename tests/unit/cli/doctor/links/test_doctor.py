"""`fatefed doctor PEER` against real servers on loopback: a link that is well, and each fault, named with whoever has to act."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.doctor import probe
from cli.doctor.links.questions import Question, Target
from cli.main import main
from cli.tools.certificates import UnreadableError, read_certificate
from federation.base import naming
from federation.peers.descriptor import Descriptor
from tests.support import stacks
from tests.support.configs import (
    CLINIC,
    EXCHANGE,
    MESH,
    OSX_CLINIC,
    OSX_MESH,
    PORTAL,
    SERVING,
    SIGNED_UNTIL,
    STAR_PARTY,
    SUSPENDED_EXCHANGE,
    Case,
    exchange_descriptor,
    key_of,
    party_descriptor,
    portal_descriptor,
    serving_descriptor,
    signed_file,
)
from tests.support.kubectl import FORBIDDEN, FakeKubectl
from tests.support.peer_doctor import SECONDS, Answer, doctor
from tests.support.peer_servers import (
    BROKEN,
    Nginx,
    Server,
    authority,
    broken_context,
    closed,
    days_from_now,
    dead,
    fateflow,
    network,
    serve,
    serve_grpc,
    serve_nginx,
    server_context,
)

PULSAR, NGINX = "pulsar.clinic-b.example", "203.0.113.21"


@dataclass
class Clinic:
    """The peer: its servers, its published descriptor, and what bank-a's stack says of it."""

    folder: Path
    until: ExitStack
    hosts: set[str]
    nginx: Nginx = field(default_factory=lambda: Nginx({"10000": fateflow(), "9999": fateflow()}))
    ports: dict[str, dict[str, int]] = field(default_factory=dict)
    release: str = "1.11.2"
    host: str = PULSAR
    # What fate:peers says beside the descriptor; {"peers": True}: the case has its peer already.
    entry: dict[str, Any] = field(default_factory=dict)
    case: Case = MESH
    cluster: Callable[[FakeKubectl], object] = lambda kubectl: None

    def well(self) -> "Clinic":
        """Everything is up."""
        self.ports = {
            "pulsar": {"tls": serve(Server(context=server_context(self.folder, "10000")), self.until)},
            "nginx": {"http": serve_nginx(self.nginx, self.until)},
        }
        return self

    def pulsar(self, **certificate: Any) -> None:
        """Pulsar serves another certificate."""
        self.ports["pulsar"]["tls"] = serve(Server(context=server_context(self.folder, "10000", **certificate)), self.until)

    @property
    def descriptor(self) -> Descriptor:
        """What the clinic exported."""
        body = CLINIC.plain() | {"release": self.release, "trust": {"authorities": [authority("10000")]}}
        for name, ports in self.ports.items():
            body["endpoints"][name]["ports"] = ports
        body["endpoints"]["pulsar"] |= {"host": self.host, "addresses": []}
        return Descriptor.model_validate(body)


Ask = Callable[..., Answer]


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    with ExitStack() as until, network(monkeypatch, {PULSAR, NGINX}) as hosts:
        yield Clinic(tmp_path, until, hosts).well()


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs `fatefed doctor clinic-b` in bank-a's project."""

    def run(clinic: Clinic, *arguments: str) -> Answer:
        case = clinic.case if "peers" in clinic.entry else clinic.case.with_peer("clinic-b", clinic.descriptor, **clinic.entry)
        return doctor(tmp_path, case, monkeypatch, capsys, *(arguments or ("clinic-b",)), cluster=clinic.cluster)

    return run


@pytest.mark.parametrize("fault", BROKEN)
def test_a_certificate_of_which_a_part_cannot_be_read_is_one_failed_row(fault: str, clinic: Clinic, ask: Ask) -> None:
    clinic.ports["pulsar"]["tls"] = serve(Server(context=broken_context(clinic.folder, "10000", fault)), clinic.until)
    answer = ask(clinic)
    [(check, row)] = answer.wrong.items()
    assert check == f"clinic-b: TLS of 10000.fraud.example at {PULSAR}:{clinic.ports['pulsar']['tls']}"
    assert row["problem"].startswith("its certificate cannot be read: ")
    assert row["fix"] == "clinic-b: serve another one for 10000.fraud.example; clinic-b: which other server has this name?"
    assert answer.code == 1
    assert "clinic-b: HTTP route to party 9999" in str(answer.rows)


def test_a_server_that_shows_no_certificate_shows_one_that_cannot_be_read() -> None:
    for found in (b"", b"0", b"\x30\x82\xff\xff", bytes(200_000)):
        with pytest.raises(UnreadableError):
            read_certificate(found)


def test_an_answer_of_an_unforeseen_form_is_one_failed_row(clinic: Clinic, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(probe._KINDS, "http", lambda *given: given[-1].update(status="none"))
    answer = ask(clinic)
    nginx = f"{NGINX}:{clinic.ports['nginx']['http']}"
    [(check, row)] = answer.wrong.items()
    assert check == f"clinic-b: nginx {nginx}"
    assert re.fullmatch(r"an unexpected answer \(\w+ at \w+\.py:\d+\)", row["problem"])
    assert f"clinic-b: nginx {nginx} accepts connections" in str(answer.rows)
    assert "clinic-b: certificate is for 10000.fraud.example" in str(answer.rows)


def test_of_a_link_that_is_well_every_row_is_ok(clinic: Clinic, ask: Ask) -> None:
    answer = ask(clinic)
    assert answer.wrong == {}
    assert answer.code == 0
    ports = clinic.ports
    ended = days_from_now(30)
    pulsar, nginx = f"{PULSAR}:{ports['pulsar']['tls']}", f"{NGINX}:{ports['nginx']['http']}"
    assert [row["check"].rpartition(", routeRevision")[0] or row["check"] for row in answer.rows] == [
        "clinic-b: is accepted and active here",
        f"clinic-b: descriptor is valid until {SIGNED_UNTIL}",
        "clinic-b: release in its descriptor: 1.11.2",
        f"clinic-b: nginx {nginx} accepts connections",
        f"clinic-b: clock of nginx {nginx}",
        f"clinic-b: HTTP route to party 10000 at {nginx}",
        "clinic-b: release that FATE-Flow of party 10000 reports: 1.11.2",
        f"clinic-b: HTTP route to party 9999 at {nginx}",
        f"clinic-b: {PULSAR} resolves",
        f"clinic-b: {pulsar} is elsewhere",
        f"clinic-b: pulsar {pulsar} accepts connections",
        f"clinic-b: TLS of 10000.fraud.example at {pulsar}",
        "clinic-b: certificate of 10000.fraud.example is signed by its CA",
        "clinic-b: certificate is for 10000.fraud.example",
        f"clinic-b: certificate of 10000.fraud.example is valid today, until {ended}",
        "party-9999: route files are as planned",
    ]
    # FATE-Flow is asked for its release, and once for each way.
    assert sorted(clinic.nginx.asked) == [("POST", "/v1/version/get", "10000"), ("POST", "/v1/version/get", "9999")]


@dataclass(frozen=True)
class Fault:
    """What breaks, the check that names it, and words of the problem and of the remedy."""

    breaks: Callable[[Clinic], object]
    check: str
    problem: str
    fix: str


def _stale(kubectl: FakeKubectl) -> None:
    kubectl.answers["configmaps/fate-9999/nginx-route-table"]["data"]["route_table.yaml"] = "# no routes yet\n"


FAULTS = {
    "a wrong port": Fault(
        lambda clinic: clinic.ports["pulsar"].update(tls=closed()),
        "clinic-b: pulsar {pulsar} accepts connections",
        "nothing listens there",
        "clinic-b: is pulsar up, and is that its published port?",
    ),
    "a dead host": Fault(
        lambda clinic: clinic.ports["pulsar"].update(tls=dead(clinic.until)),
        "clinic-b: pulsar {pulsar} accepts connections",
        "no answer within 1 s",
        "clinic-b: is the host up, and does its firewall admit this side? here: is the way out open",
    ),
    "a name that does not resolve": Fault(
        lambda clinic: setattr(clinic, "host", "nowhere.invalid"),
        "clinic-b: nowhere.invalid resolves",
        "the name does not resolve here",
        "clinic-b: publish the name in DNS",
    ),
    "a certificate for another name": Fault(
        lambda clinic: clinic.pulsar(name="10001.fraud.example"),
        "clinic-b: certificate is for 10000.fraud.example",
        "it is for 10001.fraud.example",
        "clinic-b: serve one for 10000.fraud.example",
    ),
    "an expired certificate": Fault(
        lambda clinic: clinic.pulsar(days=(-20, -2)),
        "clinic-b: certificate of 10000.fraud.example is valid today",
        f"it ended on {days_from_now(-2)}",
        "clinic-b: renew it",
    ),
    "a certificate of tomorrow": Fault(
        lambda clinic: clinic.pulsar(days=(2, 20)),
        "clinic-b: certificate of 10000.fraud.example is valid today",
        f"it begins on {days_from_now(2)}",
        "clinic-b, here: check both clocks",
    ),
    "a foreign CA": Fault(
        lambda clinic: clinic.pulsar(signer="2"),
        "clinic-b: certificate of 10000.fraud.example is signed by its CA",
        "a CA that is not in the accepted descriptor signed it: CN=CA ",
        "clinic-b: serve a certificate of the published CA, or export the descriptor with the new CA; here: accept it",
    ),
    "a plain port where TLS is": Fault(
        lambda clinic: clinic.ports["pulsar"].update(tls=clinic.ports["nginx"]["http"]),
        "clinic-b: TLS of 10000.fraud.example at {pulsar}",
        "it does not speak TLS",
        "clinic-b: publish the TLS port of pulsar (Pulsar's is 6651",
    ),
    "another release": Fault(
        lambda clinic: setattr(clinic, "release", "1.9.2") or clinic.nginx.routes.update({"10000": fateflow("1.9.2")}),
        "clinic-b: release in its descriptor",
        "theirs is 1.9.2, here is 1.11.2",
        "clinic-b, here: agree on one release",
    ),
    "another release than published": Fault(
        lambda clinic: clinic.nginx.routes.update({"10000": fateflow("1.9.2")}),
        "clinic-b: release that FATE-Flow of party 10000 reports",
        "it says '1.9.2', the accepted descriptor says 1.11.2",
        "clinic-b: export the descriptor again; here: accept it",
    ),
    "FATE 2.x where 1.x was published": Fault(
        lambda clinic: clinic.nginx.routes.update({"10000": (200, {"code": 100, "message": "404 Not Found"})}),
        "clinic-b: release that FATE-Flow of party 10000 reports",
        "it is FATE 2.x, here is 1.11.2",
        "clinic-b, here: agree on one release",
    ),
    "a route here that is stale": Fault(
        lambda clinic: setattr(clinic, "cluster", _stale),
        "party-9999: route files",
        "not as planned: route_table.yaml; the cluster has revision ",
        "here: run `pulumi up --refresh`",
    ),
    "a route there that was never made": Fault(
        lambda clinic: clinic.nginx.routes.pop("9999"),
        "clinic-b: HTTP route to party 9999 at {nginx}",
        "its nginx has no route to party 9999 of this stack: it does not know it, or removed it",
        "here: send the descriptor (`fatefed descriptor export`); clinic-b: accept it",
    ),
    "suspended there": Fault(
        # The tombstone of a suspended peer leads to a closed port, which nginx answers with 502.
        lambda clinic: clinic.nginx.routes.update({"9999": (502, "<html>")}),
        "clinic-b: HTTP route to party 9999 at {nginx}",
        "its nginx has a route to party 9999 of this stack, but nothing answers behind it: suspended there",
        "clinic-b: is party 9999 suspended, or its descriptor out of date? here: are nginx and FATE-Flow up",
    ),
    "FATE-Flow is down there": Fault(
        lambda clinic: clinic.nginx.routes.update({"10000": (502, "<html>")}),
        "clinic-b: HTTP route to party 10000 at {nginx}",
        "its nginx has a route to party 10000, but nothing answers behind it",
        "clinic-b: is FATE-Flow up?",
    ),
    "another party's nginx": Fault(
        lambda clinic: clinic.nginx.routes.pop("10000"),
        "clinic-b: HTTP route to party 10000 at {nginx}",
        "its nginx has no route to party 10000",
        "clinic-b: is party 10000 accepted there",
    ),
    "a web server where nginx is": Fault(
        lambda clinic: clinic.ports["nginx"].update(http=serve_nginx(Nginx(dict.fromkeys(("10000", "9999"), (404, "none"))), clinic.until)),
        "clinic-b: HTTP route to party 10000 at {nginx}",
        "that is not FATE's nginx: HTTP 404 of server openresty/1.17.8.2",
        "clinic-b: publish nginx's HTTP port (9300)",
    ),
    "a clock that is wrong": Fault(
        lambda clinic: setattr(clinic.nginx, "clock", -300.0),
        "clinic-b: clock of nginx {nginx}",
        "s behind the one here",
        "clinic-b, here: compare both clocks with a time server",
    ),
    "a proxy that passes on less": Fault(
        lambda clinic: clinic.nginx.routes.update({"10000": (403, "<html>403</html>")}),
        "clinic-b: HTTP route to party 10000 at {nginx}",
        "its nginx does not forward FATE-Flow's calls",
        "clinic-b: is a proxy or another configuration before its nginx?",
    ),
    "suspended here": Fault(
        lambda clinic: clinic.entry.update(state="suspended", reason="audit until May"),
        "clinic-b: is accepted and active here",
        "it is suspended here: audit until May",
        "here: `fatefed peers resume clinic-b`",
    ),
    "retired here": Fault(
        lambda clinic: clinic.entry.update(state="retired"),
        "clinic-b: is accepted and active here",
        "it is retired here",
        "here: a retired peer cannot become active again",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_injected_fault_is_named_with_who_has_to_act(clinic: Clinic, ask: Ask, fault: str) -> None:
    said = FAULTS[fault]
    said.breaks(clinic)
    answer = ask(clinic)
    ports = clinic.ports
    words = {"pulsar": f"{clinic.host}:{ports['pulsar']['tls']}", "nginx": f"{NGINX}:{ports['nginx']['http']}"}
    check = said.check.format(**words)
    assert check in answer.wrong, list(answer.wrong.values())
    row = answer.wrong[check]
    assert row["state"] == "failed"
    assert said.problem in row["problem"]
    assert said.fix in row["fix"]
    assert answer.code == 1
    assert answer.seconds < SECONDS + 2
    # Nothing that is well is blamed: one fault is one row, or two where one server answers for two parties.
    assert len(answer.wrong) <= 2, list(answer.wrong)


def _advertises(clinic: Clinic, host: str, port: int, addresses: list[str] | None = None) -> None:
    """Bank-a's own Pulsar is at a host and port, by its own words."""
    given = {"type": "LoadBalancer", "port": port, "advertise": {"host": host, "addresses": addresses or []}}
    clinic.case = MESH.changed(lambda config: config["parties"]["9999"]["publish"].update(pulsar=given))


def _balances(clinic: Clinic, address: dict[str, str], port: int) -> None:
    """The cluster gave bank-a's Pulsar an address."""

    def given(kubectl: FakeKubectl) -> None:
        (service,) = [item for item in kubectl.answers["services/fate-9999"] if item["metadata"]["name"] == "pulsar-public-tls"]
        service["status"], service["spec"]["ports"] = {"loadBalancer": {"ingress": [address]}}, [{"port": port}]

    clinic.cluster = given


# How bank-a's own Pulsar comes to be where the peer's name leads, and by which words it is named.
OWN: dict[str, tuple[Callable[[Clinic, int], object], str]] = {
    "an address that it advertises": (
        lambda clinic, port: _advertises(clinic, "127.0.0.1", port),
        "what party-9999's pulsar advertises",
    ),
    "an address beside a name that it advertises": (
        lambda clinic, port: _advertises(clinic, "nowhere.invalid", port, ["127.0.0.1"]),
        "what party-9999's pulsar advertises",
    ),
    "a name that it advertises": (
        lambda clinic, port: clinic.hosts.add("pulsar.bank-a.example") or _advertises(clinic, "pulsar.bank-a.example", port),
        "what party-9999's pulsar advertises",
    ),
    "an address of its load balancer": (
        lambda clinic, port: _balances(clinic, {"ip": "127.0.0.1"}, port),
        "Service fate-9999/pulsar-public-tls here",
    ),
    "a name of its load balancer": (
        lambda clinic, port: clinic.hosts.add("balancer.cloud.example") or _balances(clinic, {"hostname": "balancer.cloud.example"}, port),
        "Service fate-9999/pulsar-public-tls here",
    ),
}


@pytest.mark.parametrize("own", OWN)
def test_a_peers_name_that_leads_to_this_stack_itself_is_named(clinic: Clinic, ask: Ask, own: str) -> None:
    makes, whose = OWN[own]
    port = clinic.ports["pulsar"]["tls"]
    makes(clinic, port)
    answer = ask(clinic)
    # What answers there is not asked any further: it is this stack's own.
    (row,) = answer.wrong.values()
    assert row["check"] == f"clinic-b: {PULSAR}:{port} is elsewhere"
    assert (row["state"], row["problem"]) == ("failed", f"it is at 127.0.0.1:{port}, {whose}: a proxy of this stack would dial itself")
    assert row["fix"].startswith(f"clinic-b: let {PULSAR} lead to pulsar there, or export the descriptor with another host; here: `fatefed")
    assert not [check for check in (row["check"] for row in answer.rows) if check.startswith(f"clinic-b: pulsar {PULSAR}")]
    assert answer.code == 1


@pytest.mark.parametrize("own", OWN)
def test_another_port_of_the_same_address_is_elsewhere(clinic: Clinic, ask: Ask, own: str) -> None:
    # As behind one address of a router, or on the nodes of one cluster.
    OWN[own][0](clinic, closed())
    answer = ask(clinic)
    assert (answer.wrong, answer.code) == ({}, 0)
    assert f"clinic-b: {PULSAR}:{clinic.ports['pulsar']['tls']} is elsewhere" in {row["check"] for row in answer.rows}


def test_whether_a_name_leads_elsewhere_is_not_known_without_ones_own_addresses(clinic: Clinic, ask: Ask) -> None:
    _advertises(clinic, "nowhere.invalid", 6651)
    clinic.cluster = lambda kubectl: kubectl.answers.update({"services/fate-9999": FORBIDDEN.format("services")})
    answer = ask(clinic)
    row = answer.wrong[f"clinic-b: {PULSAR}:{clinic.ports['pulsar']['tls']} is elsewhere"]
    assert row["state"] == "not readable"
    assert "nowhere.invalid, which party-9999's pulsar advertises, does not resolve" in row["problem"]
    assert "Services of namespace fate-9999 cannot be read" in row["problem"]
    # The peer is asked all the same.
    assert f"clinic-b: TLS of 10000.fraud.example at {PULSAR}:{clinic.ports['pulsar']['tls']}" in {row["check"] for row in answer.rows}
    assert answer.code == 0


def test_an_ended_descriptor_and_one_that_nobody_accepted_are_named(clinic: Clinic, ask: Ask, tmp_path: Path) -> None:
    ended = signed_file(clinic.descriptor, days=("2025-01-01", "2026-01-02"))
    clinic.case, clinic.entry = (
        MESH.with_peer_file("clinic-b", ended, unsigned=None, key=key_of("clinic-b"), acceptedSerial=1),
        {"peers": True},
    )
    answer = ask(clinic)
    assert answer.wrong["clinic-b: descriptor is valid until 2026-01-02"]["problem"] == "it ended"
    clinic.case = MESH.with_entry("clinic-b", descriptor="peers/clinic-b.json")
    (row,) = ask(clinic).wrong.values()
    assert row["problem"].startswith("pending: ")
    assert "fatefed peers add" in row["fix"]


ANSWERS = {party: (200, {"code": 0, "message": "success", "data": []}) for party in ("10000", "9999")}
# What OSX knows, and which check fails with which problem.
OSX_FAULTS: dict[str, tuple[dict[str, Any], dict[str, tuple[str, str]]]] = {
    "nothing": (ANSWERS, {}),
    "a route there that was never made": (
        {"10000": ANSWERS["10000"]},
        {
            "gRPC route to party 9999": (
                "FATE-Flow of party 9999 does not answer: no router info for 9999",
                "clinic-b: is this stack's descriptor",
            )
        },
    ),
    "FATE-Flow is down there": (
        {**ANSWERS, "10000": (502, "")},
        {
            "gRPC route to party 10000": (
                "FATE-Flow of party 10000 does not answer: io exception",
                "clinic-b: is party 10000 accepted there",
            )
        },
    ),
    "FATE-Flow hangs there": (
        {**ANSWERS, "10000": (504, "")},
        {
            "gRPC route to party 10000": (
                "FATE-Flow of party 10000 does not answer: party 10000: no answer in time",
                "clinic-b: is party 10000 accepted there",
            )
        },
    ),
    "a long answer there": ({**ANSWERS, "10000": (200, {**ANSWERS["10000"][1], "more": "x" * 40_000})}, {}),
    "FATE 1.x": (
        {**ANSWERS, "10000": fateflow()},
        {"release that FATE-Flow of party 10000 reports": ("it is FATE 1.x, here is 2.2.0", "clinic-b, here: agree on one release")},
    ),
}


def osx(clinic: Clinic, port: int) -> None:
    """The clinic is one of FATE 2.x, with OSX at a port."""
    body = OSX_CLINIC.plain()
    body["endpoints"]["osx"] |= {"ports": {"grpc": port}, "host": PULSAR, "addresses": []}
    clinic.case, clinic.entry = OSX_MESH.with_peer("clinic-b", Descriptor.model_validate(body)), {"peers": True}


@pytest.mark.parametrize("fault", OSX_FAULTS)
def test_osx_is_asked_over_grpc_there_and_back(clinic: Clinic, ask: Ask, fault: str) -> None:
    known, wrong = OSX_FAULTS[fault]
    port = serve_grpc(clinic.until, known)
    osx(clinic, port)
    answer = ask(clinic)
    said = {check.removeprefix("clinic-b: ").partition(" at ")[0]: row for check, row in answer.wrong.items()}
    assert said.keys() == wrong.keys()
    for check, (problem, fix) in wrong.items():
        assert said[check]["problem"].startswith(problem)
        assert said[check]["fix"].startswith(fix)
    checks = {row["check"] for row in answer.rows}
    assert {f"clinic-b: osx {PULSAR}:{port} {what}" for what in ("accepts connections", "speaks gRPC")} <= checks
    assert any(check.startswith("clinic-b: gRPC route to party 9999 at ") for check in checks)


# What listens where gRPC should: a greeting (None: HTTP), and what is said of it. A server of TLS sends an alert.
NO_GRPC = {
    "HTTP": (None, "HTTP/1 answers"),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x46", "TLS answers"),
    "silence": (b"", "no answer within 1 s"),
}


@pytest.mark.parametrize("what", NO_GRPC)
def test_something_else_where_osx_is(clinic: Clinic, ask: Ask, what: str) -> None:
    greeting, problem = NO_GRPC[what]
    port = clinic.ports["nginx"]["http"] if greeting is None else serve(Server(greeting), clinic.until)
    osx(clinic, port)
    (row,) = ask(clinic).wrong.values()
    assert row["check"] == f"clinic-b: osx {PULSAR}:{port} speaks gRPC"
    assert problem in row["problem"]
    assert row["fix"] == "clinic-b: publish the gRPC port of osx itself"


def test_without_a_cluster_the_routes_are_not_readable_and_the_peer_is_asked_all_the_same(clinic: Clinic, ask: Ask) -> None:
    def refuse(kubectl: FakeKubectl) -> None:
        for question in [one for one in kubectl.answers if one.startswith("configmaps/")]:
            kubectl.answers[question] = FORBIDDEN.format("configmaps")

    clinic.cluster = refuse
    answer = ask(clinic)
    (row,) = answer.wrong.values()
    assert (row["state"], answer.code) == ("not readable", 0)
    assert "docs/rbac/viewer.yaml in namespace fate-9999" in row["fix"]
    assert len(answer.rows) > 12


def test_every_active_peer_is_asked_with_peers_and_an_unknown_name_is_refused(
    clinic: Clinic, ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(clinic, "--peers")
    assert {row["check"].partition(":")[0] for row in answer.rows} == {"clinic-b", "party-9999"}
    assert main(["doctor", "clinic-x", "-s", "bank-a", "-C", str(tmp_path / "project")]) == 1
    assert "name one of: clinic-b" in capsys.readouterr().err
    assert main(["doctor", "clinic-b", "--engines", "-s", "bank-a", "-C", str(tmp_path / "project")]) == 2


def test_the_viewers_role_shows_exactly_the_config_maps_that_the_program_makes() -> None:
    _, role, _ = yaml.safe_load_all((stacks.REPO / "docs/rbac/viewer.yaml").read_text())
    (rule,) = [rule for rule in role["rules"] if "configmaps" in rule["resources"]]
    tables = {value for name, value in vars(naming).items() if name.endswith("_ROUTES")}
    assert len(tables) == 8
    files = {name for name in naming.CHART_OBJECTS if name.endswith(("-config", "-env"))}
    assert (set(rule["resourceNames"]), rule["verbs"], rule["resources"]) == (tables | files | {naming.OWNER}, ["get"], ["configmaps"])


def test_only_route_tables_are_read_of_configmaps_and_no_secret(clinic: Clinic, ask: Ask, tmp_path: Path) -> None:
    ask(clinic)
    asked = [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]
    kinds = {(call[1], call[2] if not call[2].startswith("--") else "") for call in asked}
    assert kinds == {("configmaps", "nginx-route-table"), ("configmaps", "pulsar-route-table"), ("services", "")}


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A place where the Job's pod finds the peer, in a process of its own: this test's folder, with what the pod was given."""
    (tmp_path / "site").mkdir()
    hosts = f"hosts, found = { ({PULSAR, NGINX})!r}, socket.getaddrinfo\n"
    patch = "socket.getaddrinfo = lambda host, *more, **options: found('127.0.0.1' if host in hosts else host, *more, **options)\n"
    (tmp_path / "site" / "sitecustomize.py").write_text("import socket\n" + hosts + patch)
    return tmp_path


def test_a_job_in_the_cluster_asks_the_same_with_least_rights_and_is_deleted(clinic: Clinic, ask: Ask, inside: Path) -> None:
    clinic.pulsar(name="10001.fraud.example")
    from_here, from_there = ask(clinic), ask(clinic, "clinic-b", "--in-cluster")
    assert [row["check"] for row in from_there.rows] == [row["check"] for row in from_here.rows]
    assert list(from_there.wrong) == ["clinic-b: certificate is for 10000.fraud.example"]

    job = json.loads((inside / "job.json").read_text())
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "federatedai/fateflow-spark:1.11.2-release"
    assert (pod["automountServiceAccountToken"], pod["restartPolicy"], "volumes" in pod) == (False, "Never", False)
    assert not {"env", "envFrom", "volumeMounts"} & container.keys()
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert container["resources"].keys() == {"requests", "limits"}
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"], job["spec"]["ttlSecondsAfterFinished"]) == (0, SECONDS, 60)
    # No Service and no NetworkPolicy of the party selects it.
    assert naming.INSTANCE not in job["spec"]["template"]["metadata"]["labels"]
    calls = [json.loads(line) for line in (inside / "asked").read_text().splitlines()]
    assert ["delete", "job", job["metadata"]["name"], "--namespace", "fate-9999"] in [call[:5] for call in calls]


def test_a_job_that_is_refused_or_whose_pod_does_not_start_is_said_and_deleted(clinic: Clinic, ask: Ask, inside: Path) -> None:
    refusal = FORBIDDEN.format("jobs.batch")
    clinic.cluster = lambda kubectl: kubectl.answers.update(create=refusal)
    answer = ask(clinic, "clinic-b", "--in-cluster")
    (row,) = answer.wrong.values()
    assert (answer.code, row["check"]) == (1, "the questions run inside the cluster")
    assert "is forbidden" in row["problem"]
    assert "docs/rbac/doctor-job.yaml in namespace fate-9999" in row["fix"]
    waiting = answer.skipped
    assert sorted(check.rpartition(":")[0] for check in waiting) == [f"clinic-b: nginx {NGINX}", f"clinic-b: pulsar {PULSAR}"]
    assert set(waiting.values()) == {"waits for: the questions run inside the cluster"}
    # What the files and the cluster say is there all the same.
    assert "clinic-b: release in its descriptor: 1.11.2" in {row["check"] for row in answer.rows}

    (inside / "asked").unlink()
    clinic.cluster = lambda kubectl: kubectl.answers.update(create={})
    answer = ask(clinic, "clinic-b", "--in-cluster")
    (row,) = answer.wrong.values()
    assert row["problem"] == "the Job's pod did not end in time: it has no pods"
    assert answer.seconds < SECONDS + 2
    assert [call[:2] for line in (inside / "asked").read_text().splitlines() if (call := json.loads(line))[0] == "delete"] == [
        ["delete", "job"]
    ]


def test_in_an_exchanges_namespace_the_job_has_the_image_of_its_release(clinic: Clinic, ask: Ask, inside: Path) -> None:
    clinic.case = EXCHANGE
    assert ask(clinic, "clinic-b", "--in-cluster").wrong == {}
    job = json.loads((inside / "job.json").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert (job["metadata"]["namespace"], container["image"]) == ("fate-exchange", "federatedai/fateflow:1.11.2-release")


def test_in_cluster_is_for_peers_only(clinic: Clinic, ask: Ask, tmp_path: Path) -> None:
    ask(clinic)
    assert main(["doctor", "--in-cluster", "-s", "bank-a", "-C", str(tmp_path / "project")]) == 2


def test_the_program_of_the_job_is_for_every_python_of_fates_images() -> None:
    text = inspect.getsource(probe)
    tree = ast.parse(text, feature_version=(3, 8))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    # gRPC's library is used where it is: the test below.
    assert {module.partition(".")[0] for module in modules} - {"grpc"} <= sys.stdlib_module_names
    assert "cli" not in modules
    # Annotations of later versions are text there.
    assert "__future__" in modules
    assert len(text) < 100_000, "an argument of a process has at most 128 KiB"


@pytest.mark.parametrize(("option", "answered"), [("-B", True), ("-S", False)], ids=["with grpcio", "without"])
def test_the_job_calls_over_grpc_where_its_python_can_and_says_where_it_cannot(clinic: Clinic, option: str, answered: bool) -> None:
    port = serve_grpc(clinic.until, ANSWERS)
    question = Question("clinic-b", "osx", "grpc", "127.0.0.1", port, Target("10000", "clinic-b", "", ()), "2", "9999")
    given = {"questions": [{"id": "1", **question.plain}], "seconds": 8, "each": 5}
    program = [sys.executable, option, "-c", inspect.getsource(probe), json.dumps(given)]
    # What the pod prints, errors with it, is read as one JSON document; a proxy of the environment is not for peers.
    environment = os.environ | {"http_proxy": "http://127.0.0.1:1", "grpc_proxy": "http://127.0.0.1:1"}
    done = subprocess.run(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, env=environment)
    (answer,) = json.loads(done.stdout)
    assert bytes.fromhex(answer["first"])[3] == 4
    assert ("message" in answer, "uncalled" in answer) == (answered, not answered)


def test_a_call_that_the_jobs_python_cannot_make_is_not_readable(clinic: Clinic, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    osx(clinic, serve_grpc(clinic.until, ANSWERS))
    monkeypatch.setitem(sys.modules, "grpc", None)
    answer = ask(clinic)
    calls = {check: row for check, row in answer.wrong.items() if "gRPC route" in check}
    assert len(calls) == 2
    assert {row["state"] for row in calls.values()} == {"not readable"}
    assert {row["problem"] for row in calls.values()} == {"not asked: this Python has no grpcio"}
    assert (answer.wrong.keys(), answer.code) == (calls.keys(), 0)


def test_a_peers_fate_serving_is_asked_over_grpc(clinic: Clinic, ask: Ask) -> None:
    body = serving_descriptor().plain()
    port = serve_grpc(clinic.until)
    body["endpoints"]["servingProxy"] |= {"ports": {"grpc": port}, "host": PULSAR, "addresses": []}
    peer = Descriptor.model_validate(body)
    clinic.case, clinic.entry = SERVING.with_peer("clinic-b-serving", peer), {"peers": True}
    answer = ask(clinic, "clinic-b-serving")
    checks = [row["check"] for row in answer.rows]
    assert (answer.wrong, answer.code) == ({}, 0)
    assert f"clinic-b-serving: servingProxy {PULSAR}:{port} speaks gRPC" in checks
    assert f"clinic-b-serving: release in its descriptor: {peer.release}" in checks
    assert [check.partition(":")[0] for check in checks if "route files" in check] == ["serving-9999"]


@pytest.mark.parametrize("right", [True, False], ids=["well", "another name"])
def test_an_fml_manager_is_asked_over_tls_for_its_own_name(clinic: Clinic, ask: Ask, right: bool) -> None:
    body = portal_descriptor(None, "consortium").plain()
    name = body["endpoints"]["fmlManager"]["serverName"]
    context = server_context(clinic.folder, "10000", name=name if right else "elsewhere.example")
    port = serve(Server(context=context), clinic.until)
    body["endpoints"]["fmlManager"] |= {"ports": {"tls": port}, "host": PULSAR, "addresses": []}
    peer = "consortium-fml-manager"
    clinic.case, clinic.entry = PORTAL.with_peer(peer, Descriptor.model_validate(body)), {"peers": True}
    answer = ask(clinic, peer)
    assert {check: row["problem"] for check, row in answer.wrong.items()} == (
        {} if right else {f"{peer}: certificate is for {name}": "it is for elsewhere.example"}
    )
    checks = {row["check"] for row in answer.rows}
    assert {f"{peer}: TLS of {name} at {PULSAR}:{port}", f"{peer}: fmlManager {PULSAR}:{port} accepts connections"} <= checks


def test_from_an_exchanges_stack_a_member_is_asked_directly_and_for_itself_only(clinic: Clinic, ask: Ask) -> None:
    clinic.case = EXCHANGE
    answer = ask(clinic)
    assert (answer.wrong, answer.code) == ({}, 0)
    assert [party for _, _, party in clinic.nginx.asked] == ["10000"]
    assert any(row["check"].startswith("clinic-b: TLS of 10000.fraud.example at ") for row in answer.rows)


def test_a_peer_that_nobody_here_dials_is_said_with_the_reason(clinic: Clinic, ask: Ask) -> None:
    clinic.case = MESH.changed(lambda config: config.update(collaborations={"fraud": ["9999", "10001"], "other": ["10000", "10001"]}))
    (row,) = ask(clinic).wrong.values()
    assert row["check"] == "clinic-b: a unit of this stack dials it"
    assert "no common collaboration" in row["problem"]
    assert "fate:collaborations" in row["fix"]

    clinic.case = Case("bank-a", SUSPENDED_EXCHANGE.config, SUSPENDED_EXCHANGE.files)
    (row,) = ask(clinic).wrong.values()
    assert (row["check"], row["problem"]) == ("clinic-b: exchange consortium is active here", "it is suspended")
    assert row["fix"].startswith("here: `fatefed peers resume consortium`")
    assert clinic.nginx.asked == []


HUB, HUBS_NGINX = "198.51.100.4", "198.51.100.5"


@pytest.fixture
def behind(clinic: Clinic) -> Clinic:
    """bank-a in a star: clinic-b and shop-c are behind the exchange consortium, whose nginx has routes to all."""
    clinic.hosts |= {HUB, HUBS_NGINX}
    body = exchange_descriptor().plain()
    routes = Nginx({party: fateflow() for party in ("9999", "10000", "10001")})
    body["endpoints"]["nginx"]["ports"] = {"http": serve_nginx(routes, clinic.until)}
    body["endpoints"]["trafficServer"]["ports"] = {"tls": closed()}
    clinic.nginx, clinic.entry = routes, {"peers": True}
    case = STAR_PARTY.with_peer("consortium", Descriptor.model_validate(body))
    for name, party in (("clinic-b", "10000"), ("shop-c", "10001")):
        case = case.with_peer(name, party_descriptor(party, name))
    clinic.case = case
    return clinic


def test_a_broken_exchange_is_one_row_and_the_peers_behind_it_wait_for_it(behind: Clinic, ask: Ask) -> None:
    answer = ask(behind, "--peers")
    [check] = answer.wrong
    assert re.fullmatch(rf"consortium: trafficServer {HUB}:\d+ accepts connections", check)
    step = check.removeprefix("consortium: ")
    assert answer.skipped == {f"{name} through consortium: {step}": f"waits for: {check}" for name in ("clinic-b", "shop-c")}
    assert "clinic-b through consortium: release that FATE-Flow of party 10000 reports: 1.11.2" in str(answer.rows)


def test_a_way_back_that_an_exchange_does_not_know_is_one_row_whoever_is_asked_for(behind: Clinic, ask: Ask) -> None:
    del behind.nginx.routes["9999"]
    answer = ask(behind, "shop-c", "clinic-b")
    [route] = [check for check in answer.wrong if "HTTP route" in check]
    assert route.startswith("shop-c through consortium: HTTP route to party 9999 at ")
    assert answer.skipped[route.replace("shop-c", "clinic-b")] == f"waits for: {route}"


def test_two_peers_whose_own_routes_are_missing_are_two_rows(behind: Clinic, ask: Ask) -> None:
    del behind.nginx.routes["10000"], behind.nginx.routes["10001"]
    routes = [check for check in ask(behind, "--peers").wrong if "HTTP route" in check]
    assert [check.partition(" at ")[0] for check in routes] == [
        "clinic-b through consortium: HTTP route to party 10000",
        "shop-c through consortium: HTTP route to party 10001",
    ]


def test_an_exchange_that_is_suspended_here_is_one_row_and_a_peer_that_nobody_dials_is_one_each(behind: Clinic, ask: Ask) -> None:
    case = behind.case
    peer = Descriptor.model_validate(exchange_descriptor().plain())
    behind.case = case.with_peer("consortium", peer, state="suspended")
    answer = ask(behind, "clinic-b", "shop-c")
    first = "clinic-b: exchange consortium is active here"
    assert [*answer.wrong] == [first]
    assert answer.skipped == {"shop-c: exchange consortium is active here": f"waits for: {first}"}
    behind.case = case.changed(lambda config: config.update(collaborations={"fraud": ["9999", "10002"], "other": ["10000", "10001"]}))
    assert [*ask(behind, "clinic-b", "shop-c").wrong] == [f"{name}: a unit of this stack dials it" for name in ("clinic-b", "shop-c")]


def test_that_the_time_is_over_is_said_once(behind: Clinic, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    late = {"failed": {"stage": "time", "reason": "not asked: the time is over"}}
    monkeypatch.setattr(probe, "ask_all", lambda questions, *_: [late for _ in questions])
    answer = ask(behind, "--peers")
    assert [*answer.wrong] == ["consortium: every question is asked in time"]
    assert [*answer.skipped] == [f"{name} through consortium: every question is asked in time" for name in ("clinic-b", "shop-c")]


def test_the_verdict_of_peers_is_one_line(behind: Clinic, ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ask(behind, "--peers")
    main(["doctor", "--peers", "-s", "bank-a", "-C", str(tmp_path / "project"), "--timeout", str(SECONDS)])
    last = capsys.readouterr().out.splitlines()[-1]
    wanted = rf"first to fix: consortium: trafficServer {HUB}:\d+ accepts connections; \d+ ok, 1 failed, 2 skipped, 0 not readable"
    assert re.fullmatch(wanted, last), last
