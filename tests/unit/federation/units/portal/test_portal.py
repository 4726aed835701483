"""Site Portal and FML Manager: their links, certificates and passwords, who may connect, and what is refused."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from federation.base import naming
from federation.base.errors import FederationError
from federation.catalogue.portal import portal_catalogue
from federation.catalogue.releases import catalogue
from federation.changes.effects import effects
from federation.chart_values.portal import PortalValues
from federation.manifests.objects import Manifest
from federation.reports.firewall import firewall_rows
from federation.stack.load import LoadedStack, check_secrets, expiry_warnings
from federation.stack.plan import StackPlan
from federation.units.data import lost_data
from sandbox import pki
from tests.support.configs import (
    DOMAIN,
    EGGROLL_OSX,
    FML_MANAGER,
    FML_MANAGER_SUSPENDED,
    LOCAL,
    PORTAL,
    PORTAL_ALONE,
    PORTAL_BY_HAND,
    PORTAL_CASES,
    PORTAL_EXTERNAL,
    PORTAL_LOCAL,
    POSTGRES,
    Case,
    Config,
    exchange_descriptor,
    external,
    fml_manager,
    party,
    party_descriptor,
    portal_descriptor,
    site_portal,
    stack,
)
from tests.unit.federation.units.serving.test_serving import pods, policies, problems, tcp

KEY, AT = "site-portal-9999", "sitePortal.9999"
SERVER, CLIENT = f"site-9999.server.{DOMAIN}", f"site-9999.client.{DOMAIN}"
MANAGER_SERVER, MANAGER_CLIENT = f"fmlmanager.server.{DOMAIN}", f"fmlmanager.client.{DOMAIN}"


def deployed(plan: StackPlan, unit: str = KEY) -> PortalValues:
    """The chart values of a unit."""
    values = plan.unit(unit).chart.values
    assert isinstance(values, PortalValues)
    return values


def edited(case: Case, **change: Any) -> Case:
    """A change of Site Portal 9999."""
    return case.changed(lambda config: config["sitePortal"]["9999"].update(change))


def test_the_catalogue_names_releases_of_fate_that_exist_and_images_with_a_tag() -> None:
    assert list(portal_catalogue()) == ["0.3.0"]
    release = portal_catalogue()["0.3.0"]
    assert set(release.fate) <= {name for name, row in catalogue().items() if row.major == release.fate_major}
    assert {name: row.tag for name, row in release.modules.items()} == {
        "frontend": "v0.3.0",
        "sitePortalServer": "v0.3.0",
        "fmlManagerServer": "v0.3.0",
        "postgres": "13.3",
    }


@pytest.mark.parametrize("case", PORTAL_CASES, ids=str)
def test_each_unit_has_its_modules_its_certificates_and_publishes_one_port(case: Case, tmp_path: Path) -> None:
    units = [unit for unit in case.load(tmp_path).plan.units if unit.chart.chart == "fate-portal"]
    assert units
    for unit in units:
        own = {"sitePortal": {"frontend", "sitePortalServer"}, "fmlManager": {"fmlManagerServer"}}[unit.kind]
        assert set(unit.modules) == own | (set() if case is PORTAL_EXTERNAL else {"postgres"})
        (certificates,) = [secret for secret in unit.secrets if secret.name.endswith("-cert")]
        assert set(certificates.sources) == {"server.crt", "server.key", "client.crt", "client.key", "ca.crt"}
        assert set(unit.provided) >= set(certificates.sources.values()), "secrets init would invent them"
        (service,) = unit.services
        assert [port["port"] for port in service.fields["spec"]["ports"]] == [8443], "pages and databases are not the peers' business"
        ((endpoint, body),) = unit.descriptor["endpoints"].items()
        assert (endpoint, body["tls"], body["ports"]) == (unit.kind, True, {"tls": 8443})


def _enforced(plan: StackPlan) -> dict[str, str]:
    """The Pod Security level that each unit's namespace enforces."""
    objects = {unit.key: unit.namespace_object[0].document() for unit in plan.units}
    return {key: item["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] for key, item in objects.items()}


def test_a_portals_namespace_admits_only_pods_that_cannot_be_root_as_long_as_its_own_cannot(tmp_path: Path) -> None:
    portal, manager = _enforced(PORTAL.load(tmp_path / "a").plan), _enforced(FML_MANAGER.load(tmp_path / "b").plan)
    assert (portal[KEY], manager[naming.FML_MANAGER]) == ("restricted", "restricted")
    assert (portal["party-9999"], manager["exchange"]) == ("baseline", "baseline"), "the images of FATE are root's"
    own = edited(PORTAL, chartValues={"modules": {"postgres": {"security": {"capabilities": ["CHOWN"]}}}})
    assert _enforced(own.load(tmp_path / "c").plan)[KEY] == "baseline", "an operator's own image needs more"


def test_names_in_certificates_are_fedlcms(tmp_path: Path) -> None:
    plan = PORTAL_LOCAL.load(tmp_path).plan
    portal, manager = plan.unit(KEY), plan.unit(naming.FML_MANAGER)
    assert portal.mutual is not None
    assert manager.mutual is not None
    assert (portal.mutual.server_name, portal.mutual.client_name) == (SERVER, CLIENT)
    assert (manager.mutual.server_name, manager.mutual.client_name) == (MANAGER_SERVER, MANAGER_CLIENT)
    assert portal.descriptor["endpoints"]["sitePortal"]["serverName"] == deployed(plan).tls.server_name == SERVER
    assert manager.descriptor["endpoints"]["fmlManager"]["serverName"] == deployed(plan, manager.key).tls.server_name == MANAGER_SERVER
    assert (deployed(plan).tls.caller, deployed(plan, manager.key).tls.caller) == (MANAGER_CLIENT, None)


def test_no_password_has_a_default_and_secrets_init_makes_them_all(tmp_path: Path) -> None:
    plan = PORTAL_LOCAL.load(tmp_path).plan
    made = {name for name in plan.secret_names if name.startswith((KEY, naming.FML_MANAGER)) and name not in plan.provided}
    assert made == {f"{KEY}-admin", f"{KEY}-user", f"{KEY}-postgres", "fml-manager-postgres"}
    accounts = deployed(plan).accounts
    assert accounts is not None
    assert accounts.plain() == {
        "admin": {"name": "site-portal-credentials", "key": "admin-password"},
        "user": {"name": "site-portal-credentials", "key": "user-password"},
    }


def test_what_is_typed_into_the_pages_is_told(tmp_path: Path) -> None:
    def told(case: Case) -> Config:
        found: Config = case.load(tmp_path / case.name).plan.outputs["access"][KEY]["sitePortal"]["siteConfiguration"]
        return found

    manager = {"fmlManagerServerName": MANAGER_SERVER}
    here = {"partyId": "9999", "fateFlow": "fateflow-client.fate-9999.svc:9380"}
    assert told(PORTAL) == {**here, "fmlManager": "https://203.0.113.32:8443", **manager}
    assert told(PORTAL_LOCAL) == {**here, "fmlManager": "https://fml-manager-server.fate-fml-manager.svc:8443", **manager}
    assert told(PORTAL_BY_HAND) == {**here, "fmlManager": "https://fml.consortium.example:8443", **manager}
    assert told(PORTAL_ALONE) == {"partyId": "9999", "fateFlow": "203.0.113.9:30097"}


def test_a_postgres_elsewhere_is_not_deployed_and_its_password_is_the_operators(tmp_path: Path) -> None:
    plan = PORTAL_EXTERNAL.load(tmp_path).plan
    found = deployed(plan).database
    assert (found.host, found.port, found.name, found.user, found.ssl_mode) == (
        POSTGRES["host"],
        5432,
        "portal_9999",
        "portal_9999",
        "require",
    )
    assert "db.bank-a.example" in plan.provided["portal-database"], "secrets init would invent it"
    assert f"{KEY}-postgres" not in plan.secret_names


def test_network_policies_let_the_server_reach_fateflow_and_the_fml_manager_and_nobody_else(tmp_path: Path) -> None:
    plan = PORTAL.load(tmp_path).plan
    own, server = policies(plan, KEY), pods("fate-site-portal-9999", KEY, "site-portal-server")
    fateflow = pods("fate-9999", "party-9999", "fateflow")
    assert set(own) == {"fate-inside", "fate-default-deny", "fate-peers-frontend", "fate-peers-site-portal-server"}
    assert own["fate-peers-frontend"]["ingress"] == [{"ports": tcp(8443)}], "the pages are not the peers' business"
    assert "egress" not in own["fate-peers-frontend"]
    assert own["fate-peers-site-portal-server"]["podSelector"] == server["podSelector"]
    assert own["fate-peers-site-portal-server"]["egress"] == [
        {"to": [fateflow], "ports": tcp(9380)},
        {"to": [{"ipBlock": {"cidr": "203.0.113.32/32"}}], "ports": tcp(8443)},
    ]
    training = policies(plan, "party-9999")["fate-site-portal"]
    assert training["podSelector"] == fateflow["podSelector"]
    assert training["ingress"] == [{"from": [server], "ports": tcp(9380)}]
    assert "fate-site-portal" not in policies(LOCAL.load(tmp_path / "without").plan, "party-9999")


def test_network_policies_let_an_fml_manager_call_active_site_portals(tmp_path: Path) -> None:
    def called(case: Case) -> list[Any]:
        found = policies(case.load(tmp_path / case.name).plan, naming.FML_MANAGER)["fate-peers-fml-manager-server"]
        assert found["ingress"] == [{"ports": tcp(8443)}]
        egress: list[Any] = found["egress"]
        return egress

    clinic = {"to": [{"ipBlock": {"cidr": "203.0.113.32/32"}}], "ports": tcp(8443)}
    others, (by_name,) = called(FML_MANAGER), called(FML_MANAGER_SUSPENDED)
    assert [place["ipBlock"]["cidr"] for place in by_name["to"]] == ["0.0.0.0/0", "::/0"]
    assert all("except" in place["ipBlock"] for place in by_name["to"])
    assert others == [by_name, clinic]
    assert called(PORTAL_LOCAL) == [{"to": [pods("fate-site-portal-9999", KEY, "frontend")], "ports": tcp(8443)}]


def test_a_suspended_fml_manager_is_not_dialled(tmp_path: Path) -> None:
    case = PORTAL.with_peer("consortium-fml-manager", portal_descriptor(None, "consortium"), state="suspended")
    plan = case.load(tmp_path).plan
    assert len(policies(plan, KEY)["fate-peers-site-portal-server"]["egress"]) == 1
    assert plan.unit(KEY).links == {}
    assert "fmlManager" not in plan.outputs["access"][KEY]["sitePortal"]["siteConfiguration"]


def test_consoles_are_opened_for_those_whom_the_stack_names(tmp_path: Path) -> None:
    plan = PORTAL.changed(lambda config: config.update(networkPolicy={"boards": {"namespaces": ["ingress"]}})).load(tmp_path).plan
    source = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}
    assert policies(plan, KEY)["fate-board-frontend"]["ingress"] == [{"from": [source], "ports": tcp(8080)}]


INGRESS: Config = {"kind": "ingress", "domain": "bank-a.example", "className": "nginx", "tls": {"kubernetesSecret": "wildcard"}}
HOST = "9999.frontend.bank-a.example"


def boarded(boards: Config, base: Case = PORTAL) -> Case:
    return base.changed(lambda config: config.update(boards=boards))


def test_the_pages_are_shown_under_a_predictable_name_by_an_ingress_of_the_chart(tmp_path: Path) -> None:
    unit = boarded(INGRESS, PORTAL_ALONE).load(tmp_path).plan.unit(KEY)
    boards = unit.chart.values.plain()["boards"]
    assert (boards["className"], boards["tlsSecret"]) == ("nginx", "wildcard")
    (console,) = boards["consoles"].values()
    assert (console["host"], console["service"], console["port"]) == (HOST, "frontend", 8080)
    assert unit.access["sitePortal"]["url"] == f"https://{HOST}/"
    assert unit.console_hosts == {"sitePortal": HOST}
    assert HOST in unit.access["hostsFile"]
    assert policies(boarded(INGRESS).load(tmp_path / "open").plan, KEY)["fate-board-frontend"]["ingress"] == [
        {"from": [{"namespaceSelector": {}}], "ports": tcp(8080)}
    ], "8443 is not the browsers' business"


@pytest.mark.parametrize(
    ("boards", "kinds"),
    [
        ({"kind": "httpRoute", "domain": "bank-a.example", "gateway": {"name": "web", "namespace": "gateways"}}, ["HTTPRoute"]),
        ({"kind": "istio", "domain": "bank-a.example"}, ["Gateway", "VirtualService"]),
    ],
    ids=["httpRoute", "istio"],
)
def test_the_pages_are_shown_by_custom_resources_beside_the_chart(boards: Config, kinds: list[str], tmp_path: Path) -> None:
    unit = boarded(boards, PORTAL_ALONE).load(tmp_path).plan.unit(KEY)
    assert [manifest.kind for manifest in unit.console_objects] == kinds
    assert HOST in str([manifest.fields for manifest in unit.console_objects])
    assert "boards" not in unit.chart.values.plain()
    assert boarded(boards, FML_MANAGER).load(tmp_path / "manager").plan.unit(naming.FML_MANAGER).console_objects == ()


def test_a_stack_that_names_other_consoles_does_not_show_the_pages(tmp_path: Path) -> None:
    modules = PORTAL.changed(lambda config: config["parties"]["9999"].update(modules={"fateboard": {}}))
    unit = boarded({**INGRESS, "consoles": {"fateboard": {}}}, modules).load(tmp_path / "other").plan.unit(KEY)
    assert "boards" not in unit.chart.values.plain()
    both = {**INGRESS, "consoles": {"fateboard": {}, "sitePortal": {"annotations": {"a": "b"}}}}
    (console,) = boarded(both, modules).load(tmp_path / "both").plan.unit(KEY).chart.values.plain()["boards"]["consoles"].values()
    assert console["annotations"] == {"a": "b"}


def test_pages_that_are_not_there_or_share_a_host_are_refused(tmp_path: Path) -> None:
    without = boarded({**INGRESS, "consoles": {"sitePortal": {}}}, LOCAL)
    assert [place for place, _, _ in problems(without, tmp_path / "without")] == ["boards.consoles.sitePortal"]
    modules = {"modules": {"fateboard": {}}, "boards": {"fateboard": {"host": HOST}}}
    shared = boarded(INGRESS, PORTAL.changed(lambda config: config["parties"]["9999"].update(modules)))
    ((place, problem, _),) = problems(shared, tmp_path / "shared")
    assert (place, f"{HOST}/ is already the address of fateboard of party 9999") == (AT, problem)


def test_the_certificate_of_consoles_is_for_the_pages_too(tmp_path: Path) -> None:
    loaded = boarded({**INGRESS, "tls": {"secret": "wildcard"}}, PORTAL_ALONE).load(tmp_path)
    authority = pki.new_authority("web")
    entries = given(loaded, pki.new_authority("federation"))
    for host, refused in (("*.frontend.bank-a.example", False), ("elsewhere.example", True)):
        key = pki.new_key()
        entries["wildcard-certificate"] = pki.pem(pki.issue(authority, key.public_key(), host, names=[host])).decode()
        entries["wildcard-key"] = pki.key_pem(key).decode()
        if refused:
            ((where, problem),) = refusals(loaded, entries)
            assert (where, HOST in problem) == ("secrets.wildcard-certificate", True)
        else:
            check_secrets(loaded, entries)


def test_an_external_postgres_and_a_fateflow_elsewhere_are_reached(tmp_path: Path) -> None:
    egress = policies(PORTAL_EXTERNAL.load(tmp_path / "external").plan, KEY)["fate-peers-site-portal-server"]["egress"]
    assert {"ports": tcp(5432)} in egress
    alone = policies(PORTAL_ALONE.load(tmp_path / "alone").plan, KEY)["fate-peers-site-portal-server"]["egress"]
    assert alone == [{"to": [{"ipBlock": {"cidr": "203.0.113.9/32"}}], "ports": tcp(30097)}]


def test_switched_off_there_is_no_network_policy(tmp_path: Path) -> None:
    plan = PORTAL_LOCAL.changed(lambda config: config.update(networkPolicy={"enabled": False})).load(tmp_path).plan
    assert [unit.policies for unit in plan.units] == [(), (), (), ()]


def _but_doctor_s(plan: StackPlan) -> tuple[Manifest, ...]:
    return tuple(manifest for manifest in plan.unit(naming.EXCHANGE).policies if manifest.role != "policy-doctor")


def test_switching_an_fml_manager_on_changes_nothing_of_the_exchange(tmp_path: Path) -> None:
    without = FML_MANAGER.changed(lambda config: config["exchange"].pop("fmlManager"))
    before, after = without.load(tmp_path / "before").plan, FML_MANAGER.load(tmp_path / "after").plan
    # But whom doctor may ask for the whole stack.
    hub, same = (replace(plan.unit(naming.EXCHANGE), policies=_but_doctor_s(plan)) for plan in (before, after))
    assert hub == same
    assert [unit.key for unit in after.units] == [naming.EXCHANGE, naming.FML_MANAGER]


def test_the_firewall_sheet_knows_both_directions(tmp_path: Path) -> None:
    def rows(case: Case, unit: str) -> list[tuple[str, str, tuple[str, ...], int]]:
        loaded = case.load(tmp_path / case.name)
        found = [row for row in firewall_rows(loaded.spec, loaded.peers, loaded.plan) if row.unit == unit]
        assert all("mutual TLS" in row.purpose for row in found)
        return [(row.direction, row.endpoint, row.hosts, row.port) for row in found]

    portal, manager = rows(PORTAL, KEY), rows(FML_MANAGER, naming.FML_MANAGER)
    assert [(row[0], row[1]) for row in portal] == [("in", "sitePortal"), ("out", "fmlManager")]
    assert portal[1][2:] == (("203.0.113.32",), 8443)
    assert [(row[0], row[1]) for row in manager] == [("in", "fmlManager"), ("out", "sitePortal"), ("out", "sitePortal")]
    assert sorted(row[2] for row in manager[1:]) == [("203.0.113.32",), ("portal.bank-a.example",)]


def test_data_that_an_edit_would_leave_behind_is_told(tmp_path: Path) -> None:
    before = edited(PORTAL, persistence={}).load(tmp_path / "before").plan.unit(KEY).data
    assert set(before["claims"]) == {"sitePortalServer", "postgres"}
    assert list(lost_data(before, before)) == []
    changes: dict[str, Config] = {
        "namespace": {"namespace": "elsewhere"},
        "persistence of sitePortalServer": {"persistence": "none"},
        "records its own module -> db.bank-a.example:5432/portal_9999: it would start empty": {"engines": external(postgres=POSTGRES)},
    }
    for said, change in changes.items():
        after = edited(PORTAL, **{"persistence": {}, **change}).load(tmp_path / said[:7]).plan.unit(KEY).data
        assert any(problem.startswith(said) for problem in lost_data(before, after)), said


def test_a_change_says_what_it_does(tmp_path: Path) -> None:
    before = PORTAL.load(tmp_path / "before").plan.unit(KEY).recorded
    assert set(before["links"]) == {"everyone through consortium-fml-manager"}
    after = edited(PORTAL, modules={"frontend": {"env": {"TZ": "UTC"}}}).load(tmp_path / "after").plan.unit(KEY).recorded
    (effect,) = effects(KEY, before, after)
    assert (effect.kind, "frontend" in effect.what, "sitePortalServer" in effect.what) == ("recreate", True, False)
    alone = PORTAL.changed(lambda config: config["sitePortal"]["9999"].pop("fmlManager")).load(tmp_path / "alone").plan.unit(KEY).recorded
    (cut,) = effects(KEY, before, alone)
    assert cut.kind == "cut"


def test_what_is_not_known_for_sure_is_said(tmp_path: Path) -> None:
    warnings = "\n".join(PORTAL_LOCAL.load(tmp_path / "local").plan.warnings)
    assert "the Site Portal of party 9999, FedLCM 0.3.0: no image of it ran" in warnings
    assert "the FML Manager, FedLCM 0.3.0: FedLCM is dormant since 2023" in warnings
    assert "FedLCM 0.3.0 is not known to work with FATE 1.11.2 (known: FATE" not in warnings
    assert "FedLCM 0.3.0 is not known to work with FATE 1.11.2 (known: 1.10.0, 1.11.1)" in warnings
    known = PORTAL.changed(lambda config: config["parties"]["9999"].update(release="1.11.1")).load(tmp_path / "known").plan
    assert not [warning for warning in known.warnings if "is not known to work" in warning]
    plain = edited(PORTAL_EXTERNAL, engines=external(postgres={**POSTGRES, "sslMode": "disable"})).load(tmp_path / "plain").plan
    assert [warning for warning in plain.warnings if "in plain text" in warning]
    own = edited(PORTAL, modules={"frontend": {"image": {"repository": "own/frontend", "tag": "1"}}}).load(tmp_path / "own").plan
    assert not [warning for warning in own.warnings if "no image of it ran" in warning]


def given(loaded: LoadedStack, authority: pki.Authority, **other: tuple[str, tuple[str, ...]]) -> dict[str, str]:
    """Every entry that the plan reads; `other`: certificates (common name, names) by unit and side that differ from what is right."""
    entries = dict.fromkeys(loaded.plan.secret_names, "a-password")
    for unit in loaded.plan.units:
        if unit.mutual is None:
            continue
        right = {"server": (unit.mutual.server_name, (unit.mutual.server_name, "localhost")), "client": (unit.mutual.client_name, ())}
        for side, (name, names) in {**right, **other}.items():
            key = pki.new_key()
            certificate = pki.issue(authority, key.public_key(), name, names=names or (name,), usages=(side,))  # type: ignore[arg-type]
            entries[f"{unit.key}-{side}-certificate"] = pki.pem(certificate).decode()
            entries[f"{unit.key}-{side}-key"] = pki.key_pem(key).decode()
        entries[f"{unit.key}-ca"] = pki.pem(authority.certificate).decode()
    return entries


def refusals(loaded: LoadedStack, entries: dict[str, str]) -> list[tuple[str, str]]:
    with pytest.raises(FederationError) as raised:
        check_secrets(loaded, entries)
    return [(problem.place.rpartition("fate:")[2], problem.problem) for problem in raised.value.problems]


def test_certificates_of_the_right_names_and_ca_are_accepted(tmp_path: Path) -> None:
    loaded = PORTAL_ALONE.load(tmp_path)
    check_secrets(loaded, given(loaded, pki.new_authority("federation")))


SERVER_AT, CLIENT_AT = f"secrets.{KEY}-server-certificate", f"secrets.{KEY}-client-certificate"


@pytest.mark.parametrize(
    ("other", "place", "said"),
    [
        ({"server": (SERVER, (SERVER,))}, SERVER_AT, "is not valid for localhost"),
        ({"server": ("other", ("other", "localhost"))}, SERVER_AT, f"is not valid for {SERVER}"),
        ({"client": ("site-10000.client.fraud.example", ())}, CLIENT_AT, f"is not {CLIENT}'s"),
    ],
)
def test_a_certificate_of_another_name_is_refused(other: Any, place: str, said: str, tmp_path: Path) -> None:
    loaded = PORTAL_ALONE.load(tmp_path)
    ((where, problem),) = refusals(loaded, given(loaded, pki.new_authority("federation"), **other))
    assert where == place
    assert said in problem


def test_certificates_for_the_wrong_use_of_another_ca_or_with_another_key_are_refused(tmp_path: Path) -> None:
    loaded, authority = PORTAL_ALONE.load(tmp_path), pki.new_authority("federation")
    right = given(loaded, authority)
    swapped = right | {f"{KEY}-client-key": right[f"{KEY}-server-key"]}
    assert refusals(loaded, swapped) == [(CLIENT_AT, "the private key does not belong to the certificate")]
    key = pki.new_key()
    wrong_use = pki.pem(pki.issue(authority, key.public_key(), CLIENT, names=[CLIENT], usages=["server"])).decode()
    used = right | {f"{KEY}-client-certificate": wrong_use, f"{KEY}-client-key": pki.key_pem(key).decode()}
    ((where, problem),) = refusals(loaded, used)
    assert (where, "for calling others" in problem) == (CLIENT_AT, True)
    stranger = right | {f"{KEY}-ca": pki.pem(pki.new_authority("stranger").certificate).decode()}
    assert [where for where, _ in refusals(loaded, stranger)] == [SERVER_AT, CLIENT_AT]
    missing = {name: value for name, value in right.items() if name != f"{KEY}-ca"}
    assert refusals(loaded, missing) == [(f"secrets.{KEY}-ca", f"secret {KEY}-ca is missing")]
    assert not [problem for entries in (swapped, used, stranger) for _, problem in refusals(loaded, entries) if "BEGIN" in problem]


@pytest.mark.parametrize("password", ["two words", "it's", "back\\slash"])
def test_a_database_password_that_the_program_would_cut_is_refused(password: str, tmp_path: Path) -> None:
    """It writes password=... into PostgreSQL's connection string, without quotes."""
    loaded = PORTAL_EXTERNAL.load(tmp_path)
    authority = pki.new_authority("federation")
    entries = {**given(loaded, authority), **_pulsar(loaded, authority), "portal-database": password}
    ((where, problem),) = refusals(loaded, entries)
    assert where == "secrets.portal-database"
    assert password not in problem
    accounts = given(PORTAL_ALONE.load(tmp_path / "alone"), authority) | {f"{KEY}-admin": password}
    check_secrets(PORTAL_ALONE.load(tmp_path / "again"), accounts)


def _pulsar(loaded: LoadedStack, authority: pki.Authority) -> dict[str, str]:
    """The certificate of the party."""
    key = pki.new_key()
    certificate = pki.issue(authority, key.public_key(), f"9999.{DOMAIN}", names=[f"9999.{DOMAIN}"])
    texts = {"certificate": pki.pem(certificate), "key": pki.key_pem(key), "ca": pki.pem(authority.certificate)}
    return {f"party-9999-{name}": text.decode() for name, text in texts.items() if f"party-9999-{name}" in loaded.plan.secret_names}


def test_an_expired_certificate_is_a_warning(tmp_path: Path) -> None:
    loaded = PORTAL_ALONE.load(tmp_path)
    entries, now = given(loaded, pki.new_authority("federation")), datetime.datetime.now(datetime.UTC)
    assert expiry_warnings(loaded, entries, now) == ()
    later = expiry_warnings(loaded, entries, now + datetime.timedelta(days=400))
    assert [name for name in (SERVER, CLIENT) for text in later if f"the certificate of {name} has expired" in text] == [SERVER, CLIENT]
    soon = expiry_warnings(loaded, entries, now + datetime.timedelta(days=350))
    assert [("expires on" in text, "peers refuse it" in text) for text in soon] == [(True, True), (True, True)]


def _portal(**change: Any) -> Callable[[Config], object]:
    return lambda config: config["sitePortal"]["9999"].update(change)


def _release(release: str) -> Callable[[Config], object]:
    def change(config: Config) -> None:
        config["parties"]["9999"] = party(**EGGROLL_OSX, release=release)

    return change


# What is wrong: (change, where, what is said, the remedy).
WRONG: dict[str, tuple[Callable[[Config], object], str, str, str]] = {
    "an unknown release": (_portal(release="0.2.0"), f"{AT}.release", "unknown release 0.2.0", "choose one of 0.3.0"),
    "a namespace of the party": (_portal(namespace="fate-9999"), f"{AT}.namespace", "already used by fate:parties.9999", "of its own"),
    "an address of the own party": (_portal(fateflow="192.0.2.1:9380"), f"{AT}.fateflow", "needs no address", "remove"),
    "no party": (lambda config: config.update(parties={}), f"{AT}.fateflow", "has no party 9999", "fateflow: HOST:9380"),
    "an unknown FML Manager": (_portal(fmlManager="hub"), f"{AT}.fmlManager", "there is no peer hub", "fatefed peers add FILE --name hub"),
    "no local FML Manager": (_portal(fmlManager="local"), f"{AT}.fmlManager", "holds no FML Manager", "fate:exchange.fmlManager"),
    "an exchange as FML Manager": (_portal(fmlManager="consortium"), f"{AT}.fmlManager", "is an exchange, not an FML", "FML Manager's"),
    "nothing published": (_portal(publish={}), f"{AT}.publish.sitePortal", "is missing", "publish it"),
    "published by somebody else": (
        _portal(publish={"sitePortal": {"type": "External", "advertise": {"host": "192.0.2.1"}}}),
        f"{AT}.publish.sitePortal.type",
        "a Service publishes it",
        "choose LoadBalancer",
    ),
    "two servers": (
        _portal(modules={"sitePortalServer": {"replicas": 2}}),
        f"{AT}.modules.sitePortalServer.replicas",
        "does not scale",
        "remove",
    ),
    "a variable of ours": (
        _portal(modules={"sitePortalServer": {"env": {"SITEPORTAL_INITIAL_ADMIN_PASSWORD": "admin"}}}),
        f"{AT}.modules.sitePortalServer.env.SITEPORTAL_INITIAL_ADMIN_PASSWORD",
        "is set by this program",
        "fate:secrets",
    ),
    "a PostgreSQL for nothing": (
        _portal(engines=external(postgres=POSTGRES), modules={"postgres": {}}),
        f"{AT}.modules.postgres",
        "is not deployed",
        "remove it",
    ),
    "a PostgreSQL in the pod": (
        _portal(engines=external(postgres={**POSTGRES, "host": "localhost"})),
        f"{AT}.engines.postgres.external.host",
        "means the pod itself",
        "write an address",
    ),
    "a password for nothing": (
        _portal(engines=external(postgres=POSTGRES), credentials={"postgres": {"secret": "x"}}),
        f"{AT}.credentials.postgres",
        "not deployed",
        "engines.postgres.external.password",
    ),
    "a password before": (
        _portal(credentials={"admin": {"secret": "new", "previous": "old"}}),
        f"{AT}.credentials.admin.previous",
        "no Job changes",
        "remove this line",
    ),
    "a database name with a blank": (
        _portal(engines=external(postgres={**POSTGRES, "database": "a b"})),
        f"{AT}.engines.postgres.external.database",
        "",
        "correct",
    ),
    "a patch of what is derived": (_portal(chartValues={"partyId": "1"}), f"{AT}.chartValues.partyId", "cannot be patched", "remove"),
    "a node port twice": (
        _portal(
            publish={"sitePortal": {"type": "NodePort", "port": 30843, "advertise": {"host": "203.0.113.9"}}},
            modules={"frontend": {"service": {"type": "NodePort", "nodePorts": {"http-frontend": 30843}}}},
        ),
        f"{AT}.modules.frontend.service.nodePorts.http-frontend",
        f"node port 30843 is already used by {AT}.publish.sitePortal",
        "choose another one",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_alone_with_place_problem_and_remedy(name: str, tmp_path: Path) -> None:
    change, where, said, remedy = WRONG[name]
    ((place, problem, help_),) = problems(PORTAL.changed(change), tmp_path)
    assert place == where
    assert said in problem
    assert remedy in help_


def test_fate_2_has_no_api_that_a_site_portal_calls(tmp_path: Path) -> None:
    case = PORTAL.changed(_release("2.2.0")).with_peer("consortium", exchange_descriptor(engine="OSX"))
    ((place, problem, _),) = problems(case, tmp_path)
    assert (place, problem) == (f"{AT}.release", "calls FATE-Flow's API of FATE 1.x, and party 9999 has FATE 2.2.0")


def test_an_fml_manager_is_checked_as_a_site_portal_is(tmp_path: Path) -> None:
    wrong = fml_manager("fate-exchange", release="1.0", publish={}, credentials={"postgres": {"secret": "a", "previous": "b"}})
    found = {place for place, _, _ in problems(FML_MANAGER.changed(lambda config: config["exchange"].update(fmlManager=wrong)), tmp_path)}
    at = "exchange.fmlManager"
    assert found == {f"{at}.namespace", f"{at}.release", f"{at}.publish.fmlManager", f"{at}.credentials.postgres.previous"}


def test_a_database_belongs_to_one_program(tmp_path: Path) -> None:
    shared = {"engines": external(postgres=POSTGRES)}
    case = PORTAL_LOCAL.changed(
        lambda config: (config["sitePortal"]["9999"].update(shared), config["exchange"]["fmlManager"].update(shared))
    )
    ((place, problem, _),) = problems(case, tmp_path)
    assert (place, problem) == ("exchange.fmlManager.engines.postgres", f"fate:{AT} uses this database already")


@pytest.mark.parametrize(
    ("name", "descriptor", "said"),
    [
        ("second", portal_descriptor("10000", "copycat"), "party 10000 already has the Site Portal of peer clinic-b-site-portal"),
        ("stranger", portal_descriptor("10001", "stranger"), None),
    ],
)
def test_a_party_has_one_site_portal(name: str, descriptor: Any, said: str | None, tmp_path: Path) -> None:
    case = FML_MANAGER.with_peer(name, descriptor)
    if said is None:
        assert len(case.load(tmp_path).plan.unit(naming.FML_MANAGER).links) == 3
        return
    found = [(place, problem) for place, problem, _ in problems(case, tmp_path)]
    assert (f"peers.{name}", said) in found


def test_a_site_portal_belongs_to_the_owner_of_its_party(tmp_path: Path) -> None:
    """Else a stranger would accept invitations in a party's name."""
    case = PORTAL_ALONE.with_peer("clinic-b", party_descriptor()).with_peer("stranger", portal_descriptor("10000", "stranger"))
    ((place, problem, _),) = problems(case, tmp_path)
    assert place == "peers.stranger"
    assert problem.startswith("is the Site Portal of party 10000, which belongs to peer clinic-b, whose key is SHA256:")
    same = PORTAL_ALONE.with_peer("clinic-b", party_descriptor())
    same.with_peer("clinic-b-site-portal", portal_descriptor()).load(tmp_path / "owner")
    own = same.changed(lambda config: config.update(parties={"9998": party("fate-9998")})).with_peer("consortium", exchange_descriptor())
    ((place, problem, _),) = problems(own.with_peer("ours", portal_descriptor("9998", "copycat")), tmp_path / "ours")
    assert (place, problem) == ("peers.ours", "is the Site Portal of party 9998, which belongs to this stack")


@pytest.mark.parametrize("name", [f"proxy.{DOMAIN}", f"9999.{DOMAIN}", f"site-10001.server.{DOMAIN}"])
def test_a_descriptor_under_another_name_is_refused(name: str, tmp_path: Path) -> None:
    """Else its owner could pass for another Site Portal."""
    body = portal_descriptor().plain()
    body["endpoints"]["sitePortal"]["serverName"] = name
    found = problems(FML_MANAGER.with_peer("clinic-b-site-portal", type(portal_descriptor()).model_validate(body)), tmp_path)
    assert [problem for _, problem, _ in found] == [f"serverName {name} instead of site-10000.server.{DOMAIN}"]


def test_two_portals_share_no_namespace(tmp_path: Path) -> None:
    both = {number: site_portal(fateflow="192.0.2.1:9380") for number in ("9998", "9999")}
    ((place, _, _),) = problems(Case("both", stack("bank-a", sitePortal=both)), tmp_path)
    assert place == "sitePortal.9999.namespace"
