"""Consoles: which are shown under which names, how a person reaches them, and every way to describe them wrongly."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cli.reports.rendering import access_files
from federation.access.console_rows import CONSOLES
from federation.base.errors import FederationError, Problem
from federation.stack.load import check_secrets, expiry_warnings
from federation.units.unit import UnitPlan
from tests.support.configs import EXTERNAL, RABBITMQ_MESH, ROLLSITE_MESH, STAR_PARTY, Case, Config, party

INGRESS: Config = {"kind": "ingress", "domain": "bank-a.example"}
BOTH: Config = {"fateboard": {}, "client": {}}


def with_boards(boards: Config, base: Case = STAR_PARTY, /, **changes: Any) -> Case:
    """A party with fateboard and notebook in a stack that shows consoles; `changes` of the party."""

    def change(config: Config) -> None:
        config["boards"] = boards
        config["parties"]["9999"].update({"modules": BOTH, **changes})

    return base.changed(change)


def bank(case: Case, folder: Path) -> UnitPlan:
    return case.load(folder).plan.unit("party-9999")


def consoles(unit: UnitPlan) -> dict[str, Any]:
    """The consoles of the chart's values."""
    found: dict[str, Any] = unit.chart.values.plain().get("boards", {"consoles": {}})["consoles"]
    return found


def problems(case: Case, folder: Path) -> tuple[Problem, ...]:
    """The problems of a stack that must be wrong."""
    with pytest.raises(FederationError) as refused:
        case.load(folder)
    return refused.value.problems


def test_without_boards_consoles_are_reached_by_port_forward(tmp_path: Path) -> None:
    unit = bank(STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(modules=BOTH)), tmp_path)
    assert "boards" not in unit.chart.values.plain()
    assert dict(unit.access) == {
        "fateboard": {"url": "http://localhost:8080", "portForward": "kubectl -n fate-9999 port-forward service/fateboard 8080:8080"},
        "notebook": {"url": "http://localhost:20000", "portForward": "kubectl -n fate-9999 port-forward service/notebook 20000:20000"},
    }


def test_names_are_predictable_and_access_has_one_line_for_the_hosts_file(tmp_path: Path) -> None:
    case = with_boards({**INGRESS, "address": "203.0.113.7", "tls": {"kubernetesSecret": "wildcard"}})
    access = bank(case, tmp_path).access
    assert access["fateboard"] == {
        "url": "https://9999.fateboard.bank-a.example/",
        "host": "9999.fateboard.bank-a.example",
        "portForward": "kubectl -n fate-9999 port-forward service/fateboard 8080:8080",
    }
    assert access["notebook"]["url"] == "https://9999.notebook.bank-a.example/"
    assert access["hostsFile"] == "203.0.113.7 9999.fateboard.bank-a.example 9999.notebook.bank-a.example"


@pytest.mark.parametrize(
    ("address", "begins"),
    [
        (None, "<IP address of the ingress controller or gateway: say it as boards.address> 9999."),
        ("lb.bank-a.example", "<IP address of lb.bank-a.example> 9999."),
        ("2001:db8::7", "2001:db8::7 9999."),
    ],
)
def test_without_an_ip_address_the_line_says_what_to_put(address: str | None, begins: str, tmp_path: Path) -> None:
    boards = INGRESS if address is None else {**INGRESS, "address": address}
    assert bank(with_boards(boards), tmp_path).access["hostsFile"].startswith(begins)


def test_a_port_of_the_controller_stands_in_urls_only(tmp_path: Path) -> None:
    unit = bank(with_boards({**INGRESS, "port": 30443}), tmp_path)
    assert unit.access["fateboard"]["url"] == "http://9999.fateboard.bank-a.example:30443/"
    assert "30443" not in str(unit.chart.values.plain())


def test_only_consoles_with_a_sign_in_are_shown_by_default(tmp_path: Path) -> None:
    assert set(consoles(bank(with_boards(INGRESS), tmp_path))) == {"fateboard", "notebook"}
    without_notebook = with_boards(INGRESS, modules={"fateboard": {}})
    assert set(consoles(bank(without_notebook, tmp_path))) == {"fateboard"}


@pytest.mark.parametrize(
    ("name", "base", "service"),
    [
        ("spark", STAR_PARTY, ("spark-client", 8080)),
        ("pulsar", STAR_PARTY, ("pulsar", 8080)),
        ("namenode", STAR_PARTY, ("namenode", 9870)),
        ("rabbitmq", RABBITMQ_MESH, ("rabbitmq", 15672)),
    ],
)
def test_a_console_with_weak_sign_in_is_shown_when_it_is_named_and_warned_of(
    name: str, base: Case, service: tuple[str, int], tmp_path: Path
) -> None:
    case = with_boards({**INGRESS, "consoles": {name: {}}}, base)
    shown = consoles(bank(case, tmp_path))
    assert {given: (row["service"], row["port"]) for given, row in shown.items()} == {name: service}
    assert shown[name]["host"] == f"9999.{name}.bank-a.example"
    warnings = case.load(tmp_path).plan.warnings
    assert any(
        f"console {name} of party 9999 is open to everyone who can reach its address" in warning and str(CONSOLES[name].risk) in warning
        for warning in warnings
    )
    assert not any(
        "is open to everyone who can reach its address" in warning for warning in with_boards(INGRESS, base).load(tmp_path).plan.warnings
    )


@pytest.mark.parametrize(
    ("boards", "clear"),
    [
        (INGRESS, True),
        ({**INGRESS, "tls": {"kubernetesSecret": "wildcard"}}, False),
        ({"kind": "httpRoute", "domain": "bank-a.example", "gateway": {"name": "web", "namespace": "gateways"}}, True),
        ({"kind": "httpRoute", "domain": "bank-a.example", "gateway": {"name": "web", "namespace": "gateways"}, "https": True}, False),
        ({"kind": "istio", "domain": "bank-a.example"}, True),
        ({"kind": "istio", "domain": "bank-a.example", "credentialName": "wildcard"}, False),
    ],
)
def test_consoles_without_tls_are_warned_of(boards: Config, clear: bool, tmp_path: Path) -> None:
    loaded = with_boards(boards).load(tmp_path)
    assert any("shows consoles without TLS" in warning for warning in loaded.plan.warnings) is clear
    assert loaded.plan.unit("party-9999").access["fateboard"]["url"].startswith("http:" if clear else "https:")


def test_boards_that_show_nothing_are_said(tmp_path: Path) -> None:
    warnings = with_boards(INGRESS, modules={}).load(tmp_path).plan.warnings
    assert [warning for warning in warnings if "boards" in warning] == [
        "fate:boards shows nothing: none of fateboard, client, servingAdmin is deployed"
    ]


def test_a_party_may_hide_a_console_rename_one_and_show_one_more(tmp_path: Path) -> None:
    own = {"fateboard": {"host": "board.bank-a.example"}, "notebook": "none", "spark": {"host": "tools.bank-a.example", "path": "/spark"}}
    unit = bank(with_boards(INGRESS, boards=own), tmp_path)
    assert {name: row["host"] + row["path"] for name, row in consoles(unit).items()} == {
        "fateboard": "board.bank-a.example/",
        "spark": "tools.bank-a.example/spark",
    }
    assert unit.access["spark"]["url"] == "http://tools.bank-a.example/spark"
    assert "host" not in unit.access["notebook"], "the notebook is deployed, but reached by port-forward only"


def test_annotations_of_a_party_win_over_the_consoles_and_these_over_all_boards(tmp_path: Path) -> None:
    boards = {
        **INGRESS,
        "annotations": {"a": "all", "b": "all", "c": "all"},
        "consoles": {"notebook": {"annotations": {"b": "x", "c": "x"}}},
    }
    unit = bank(with_boards(boards, boards={"notebook": {"annotations": {"c": "own"}}}), tmp_path)
    assert consoles(unit)["notebook"]["annotations"] == {"a": "all", "b": "x", "c": "own"}


ROUTES: Config = {
    "kind": "httpRoute",
    "domain": "bank-a.example",
    "gateway": {"name": "web", "namespace": "gateways", "sectionName": "https"},
    "annotations": {"a": "all"},
}
ISTIO: Config = {"kind": "istio", "domain": "bank-a.example"}


def custom(unit: UnitPlan) -> dict[str, dict[str, Any]]:
    """The custom resources that show consoles, as the cluster gets them: {Kind/name: object}."""
    return {f"{item.kind}/{item.name}": item.document() for item in unit.console_objects}


def test_a_route_leads_from_a_listener_of_the_gateway_to_a_console(tmp_path: Path) -> None:
    unit = bank(with_boards(ROUTES), tmp_path)
    assert [item.role for item in unit.console_objects] == ["fateboard-route", "notebook-route"], "logical names never change"
    assert "boards" not in unit.chart.values.plain()
    found = custom(unit)
    assert set(found) == {"HTTPRoute/fateboard", "HTTPRoute/client"}
    assert {item["apiVersion"] for item in found.values()} == {"gateway.networking.k8s.io/v1"}
    notebook = found["HTTPRoute/client"]
    assert (notebook["metadata"]["namespace"], notebook["metadata"]["annotations"]) == ("fate-9999", {"a": "all"})
    assert notebook["spec"] == {
        "parentRefs": [{"name": "web", "namespace": "gateways", "sectionName": "https"}],
        "hostnames": ["9999.notebook.bank-a.example"],
        "rules": [
            {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [{"name": "notebook", "port": 20000}]},
        ],
    }


def test_istios_gateway_serves_exactly_the_hosts_of_the_consoles(tmp_path: Path) -> None:
    hosts = ["9999.fateboard.bank-a.example", "9999.notebook.bank-a.example"]
    unit = bank(with_boards({**ISTIO, "credentialName": "wildcard"}), tmp_path)
    assert [item.role for item in unit.console_objects] == ["boards-gateway", "fateboard-route", "notebook-route"], (
        "logical names never change"
    )
    found = custom(unit)
    assert {item["apiVersion"] for item in found.values()} == {"networking.istio.io/v1beta1"}
    gateway = found["Gateway/party-9999-gateway"]["spec"]
    assert gateway["selector"] == {"istio": "ingressgateway"}
    assert gateway["servers"] == [
        {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": hosts, "tls": {"httpsRedirect": True}},
        {
            "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
            "tls": {"mode": "SIMPLE", "credentialName": "wildcard"},
            "hosts": hosts,
        },
    ]
    assert found["VirtualService/client"]["spec"] == {
        "gateways": ["party-9999-gateway"],
        "hosts": hosts[1:],
        "http": [
            {"match": [{"uri": {"prefix": "/"}}], "route": [{"destination": {"host": "notebook", "port": {"number": 20000}}}]},
        ],
    }


def test_istio_without_a_certificate_serves_plain_http_only(tmp_path: Path) -> None:
    [server] = custom(bank(with_boards(ISTIO), tmp_path))["Gateway/party-9999-gateway"]["spec"]["servers"]
    assert (server["port"]["protocol"], "tls" in server) == ("HTTP", False)


def test_consoles_that_share_a_host_are_one_host_of_istios_gateway(tmp_path: Path) -> None:
    own = {name: {"host": "tools.bank-a.example", "path": f"/{name}"} for name in ("fateboard", "notebook")}
    found = custom(bank(with_boards(ISTIO, boards=own), tmp_path))
    assert found["Gateway/party-9999-gateway"]["spec"]["servers"][0]["hosts"] == ["tools.bank-a.example"]
    assert found["VirtualService/client"]["spec"]["http"][0]["match"] == [{"uri": {"prefix": "/notebook"}}]


@pytest.mark.parametrize("boards", [ROUTES, ISTIO, INGRESS], ids=lambda boards: boards["kind"])
def test_a_party_without_consoles_has_no_object_for_them(boards: Config, tmp_path: Path) -> None:
    unit = bank(with_boards(boards, modules={}), tmp_path)
    assert (unit.console_objects, "boards" in unit.chart.values.plain(), dict(unit.access)) == ((), False, {})


def test_a_descriptor_holds_nothing_of_consoles(tmp_path: Path) -> None:
    boards = {**INGRESS, "address": "203.0.113.77", "domain": "consoles.bank-a.example"}
    with_them, without = with_boards(boards), with_boards({}).changed(lambda config: config.pop("boards"))
    assert bank(with_them, tmp_path).descriptor == bank(without, tmp_path).descriptor
    assert "203.0.113.77" in str(bank(with_them, tmp_path).access)


def test_the_rendering_says_how_consoles_are_reached(tmp_path: Path) -> None:
    files = access_files(with_boards({**INGRESS, "address": "203.0.113.7"}).load(tmp_path).plan)
    assert list(files) == ["fate-9999/access.txt"]
    text = files["fate-9999/access.txt"]
    assert "\nfateboard: http://9999.fateboard.bank-a.example/\n" in text
    assert text.endswith("\n203.0.113.7 9999.fateboard.bank-a.example 9999.notebook.bank-a.example\n")


WRONG: list[tuple[str, Config, Config, str, str]] = [
    ("no kind", {"domain": "bank-a.example"}, {}, "boards.kind", "kind is missing"),
    ("another kind", {"kind": "route", "domain": "bank-a.example"}, {}, "boards.kind", "'route' is none of ingress, httpRoute, istio"),
    ("no domain", {"kind": "ingress"}, {}, "boards.domain", "domain is missing"),
    ("an address as domain", {**INGRESS, "domain": "203.0.113.7"}, {}, "boards.domain", "is not a domain name"),
    (
        "a port in the domain",
        {**INGRESS, "domain": "bank-a.example:8443"},
        {},
        "boards.domain",
        "the browsers' port under boards.port",
    ),
    ("a wildcard", {**INGRESS, "domain": "*.bank-a.example"}, {}, "boards.domain", "is not a domain name"),
    ("capital letters", {**INGRESS, "domain": "Bank-A.example"}, {}, "boards.domain", "is not a domain name"),
    ("too long", {**INGRESS, "domain": ".".join(["a" * 60] * 4)}, {}, "boards.domain", "too long for a host name"),
    ("a port that is none", {**INGRESS, "port": 70000}, {}, "boards.port", "should be at most 65535"),
    ("another kind's key", {**INGRESS, "gateway": {}}, {}, "boards.gateway", "unknown key 'gateway'"),
    ("no gateway", {"kind": "httpRoute", "domain": "bank-a.example"}, {}, "boards.gateway", "gateway is missing"),
    ("two places of a certificate", {**INGRESS, "tls": {"secret": "a", "kubernetesSecret": "b"}}, {}, "boards.tls", "name either secret"),
    ("an unknown console", {**INGRESS, "consoles": {"fatebord": {}}}, {}, "boards.consoles.fatebord", "unknown key 'fatebord'"),
    ("a console without a value", {**INGRESS, "consoles": {"spark": None}}, {}, "boards.consoles", "spark: has no value"),
    (
        "nobody's console",
        {**INGRESS, "consoles": {"rabbitmq": {}}},
        {},
        "boards.consoles.rabbitmq",
        "no party of this stack deploys rabbitmq",
    ),
    ("not this party's", INGRESS, {"boards": {"rabbitmq": {}}}, "parties.9999.boards.rabbitmq", "party 9999 deploys no rabbitmq"),
    (
        "a path that is none",
        INGRESS,
        {"boards": {"fateboard": {"path": "x"}}},
        "parties.9999.boards.fateboard.path",
        "is not a path such as",
    ),
    (
        "a host with a port",
        INGRESS,
        {"boards": {"fateboard": {"host": "a.example:80"}}},
        "parties.9999.boards.fateboard.host",
        "boards.port",
    ),
    (
        "one host twice",
        INGRESS,
        {"boards": {"fateboard": {"host": "a.example"}, "notebook": {"host": "a.example"}}},
        "parties.9999.boards.notebook",
        "a.example/ is already the address of fateboard of party 9999",
    ),
    (
        "the name of another console",
        INGRESS,
        {"boards": {"notebook": {"host": "9999.fateboard.bank-a.example"}}},
        "parties.9999.boards.notebook",
        "is already the address of fateboard",
    ),
]


@pytest.mark.parametrize(("boards", "own", "field", "problem"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_mistake_is_told_at_its_place(boards: Config, own: Config, field: str, problem: str, tmp_path: Path) -> None:
    found = problems(with_boards(boards, **own), tmp_path)
    assert [(p.place.split(" fate:")[1], problem in p.problem) for p in found] == [(field, True)], found
    assert all(p.remedy for p in found)


@pytest.mark.parametrize("name", ["spark", "pulsar", "namenode"])
def test_an_engine_that_exists_elsewhere_has_no_console_here(name: str, tmp_path: Path) -> None:
    [problem] = problems(with_boards({**INGRESS, "consoles": {name: {}}}, EXTERNAL), tmp_path)
    assert (problem.place.split(" fate:")[1], "no party of this stack deploys" in problem.problem) == (f"boards.consoles.{name}", True)


def test_what_differs_for_a_party_needs_boards_to_differ_from(tmp_path: Path) -> None:
    case = with_boards({}, boards={"notebook": "none"}).changed(lambda config: config.pop("boards"))
    [problem] = problems(case, tmp_path)
    assert "fate:parties.9999.boards" in problem.place
    assert "add fate:boards with kind" in problem.remedy


def test_two_parties_may_not_share_a_host(tmp_path: Path) -> None:
    def change(config: Config) -> None:
        second = party("fate-9998", computing="Eggroll", federation="Eggroll", storage="Eggroll", exchange=None, modules={"fateboard": {}})
        config["parties"]["9998"] = {**second, "boards": {"fateboard": {"host": "board.bank-a.example"}}}
        config["parties"]["9999"]["boards"] = {"fateboard": {"host": "board.bank-a.example"}}

    [problem] = problems(with_boards(INGRESS, ROLLSITE_MESH).changed(change), tmp_path)
    assert "fate:parties.9999.boards.fateboard" in problem.place
    assert "is already the address of fateboard of party 9998" in problem.problem


TLS = {**INGRESS, "tls": {"secret": "consoles"}}


def certificate(names: list[str], age: int = 1, days: int = 100) -> tuple[str, str]:
    """A certificate for some names and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "consoles")])
    begins = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=age)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, begins, begins + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return made.public_bytes(serialization.Encoding.PEM).decode(), key.private_bytes(serialization.Encoding.PEM, *form).decode()


def given(case: Case, folder: Path, names: list[str], **dates: int) -> tuple[Any, dict[str, str]]:
    """The stack, and all its secrets: only those of the consoles are real."""
    loaded = case.load(folder)
    pem, key = certificate(names, **dates)
    # The party's own certificate has its own tests: here it is not asked for.
    passwords = {name: "x" for name in loaded.plan.secret_names}
    return loaded, {**passwords, "consoles-certificate": pem, "consoles-key": key}


def test_a_certificate_in_fate_secrets_becomes_a_secret_of_its_type(tmp_path: Path) -> None:
    plan = with_boards(TLS).load(tmp_path).plan
    [secret] = [secret for secret in plan.unit("party-9999").secrets if secret.name == "boards-tls"]
    assert (secret.type, dict(secret.sources)) == ("kubernetes.io/tls", {"tls.crt": "consoles-certificate", "tls.key": "consoles-key"})
    assert plan.unit("party-9999").chart.values.plain()["boards"]["tlsSecret"] == "boards-tls"
    assert {"consoles-certificate", "consoles-key"} <= plan.provided.keys(), "nobody may be told that `secrets init` makes them"


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["9999.fateboard.bank-a.example", "9999.notebook.bank-a.example"], []),
        (["*.fateboard.bank-a.example", "*.notebook.bank-a.example"], []),
        (["*.bank-a.example"], ["9999.fateboard.bank-a.example", "9999.notebook.bank-a.example"]),
        (["9999.fateboard.bank-a.example"], ["9999.notebook.bank-a.example"]),
    ],
)
def test_a_certificate_must_hold_the_name_of_every_console(names: list[str], missing: list[str], tmp_path: Path) -> None:
    loaded, secrets = given(with_boards(TLS, RABBITMQ_MESH), tmp_path, names)
    if not missing:
        check_secrets(loaded, secrets)
        return
    with pytest.raises(FederationError) as refused:
        check_secrets(loaded, secrets)
    assert [f"the certificate is not valid for {host}: it holds {', '.join(names)}" for host in missing] == [
        problem.problem for problem in refused.value.problems
    ]


def test_a_key_of_another_certificate_is_refused_and_not_quoted(tmp_path: Path) -> None:
    loaded, secrets = given(with_boards(TLS, RABBITMQ_MESH), tmp_path, ["*.fateboard.bank-a.example", "*.notebook.bank-a.example"])
    _, other = certificate(["a.example"])
    with pytest.raises(FederationError) as refused:
        check_secrets(loaded, {**secrets, "consoles-key": other})
    assert [problem.problem for problem in refused.value.problems] == ["the private key does not belong to the certificate"]
    with pytest.raises(FederationError) as refused:
        check_secrets(loaded, {**secrets, "consoles-key": "canary-key"})
    assert "canary-key" not in str(refused.value)


def test_an_expired_certificate_is_a_warning(tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    names = ["*.fateboard.bank-a.example", "*.notebook.bank-a.example"]
    loaded, secrets = given(with_boards(TLS, RABBITMQ_MESH), tmp_path, names, age=30, days=10)
    assert expiry_warnings(loaded, secrets, now) == (
        "the certificate of the consoles has expired (fate:secrets.consoles-certificate): browsers refuse it",
    )
    loaded, secrets = given(with_boards(TLS, RABBITMQ_MESH), tmp_path, names, age=1, days=11)
    (warning,) = expiry_warnings(loaded, secrets, now)
    assert warning.startswith(f"the certificate of the consoles expires on {(now + datetime.timedelta(days=10)).date()} (fate:secrets.")
    assert warning.endswith("browsers refuse it from then on")
    for days, said in ((30, 1), (31, 0)):
        loaded, secrets = given(with_boards(TLS, RABBITMQ_MESH), tmp_path, names, age=1, days=days + 1)
        assert len(expiry_warnings(loaded, secrets, now)) == said, f"{days} days before its end"
