"""Site Portal and FML Manager are told what their programs read, and see their certificates and data where they look for them."""

import re

import pytest

from tests.charts.cases import (
    FML_MANAGER,
    FML_MANAGER_EPHEMERAL,
    FML_MANAGER_POSTGRES_ELSEWHERE,
    FML_MANAGERS,
    PARTY,
    PORTAL,
    PORTAL_EPHEMERAL,
    PORTAL_POSTGRES_ELSEWHERE,
    PORTAL_SHOWN,
    PORTALS,
    SITE_PORTALS,
    Case,
    container,
    mount,
)
from tests.support.walk import config_texts, containers, environment, name_of, named

# The variables that FedLCM 0.3.0's programs read (their main, gorm and api packages; reference 15.8), of those that concern a deployment.
DATABASE = {"POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_SSLMODE"}
TLS = {"ENABLED", "PORT", "SERVER_CERT", "SERVER_KEY", "CLIENT_CERT", "CLIENT_KEY", "CA_CERT"}
PORTAL_READS = DATABASE | {f"SITEPORTAL_TLS_{name}" for name in TLS} | {
    "SITEPORTAL_TLS_COMMON_NAME", "SITEPORTAL_LOCALDATA_BASEDIR", "SITEPORTAL_INITIAL_ADMIN_PASSWORD", "SITEPORTAL_INITIAL_USER_PASSWORD",
}  # fmt: skip
MANAGER_READS = DATABASE | {f"FMLMANAGER_TLS_{name}" for name in TLS}
POSTGRES = {"StatefulSet/postgres", "Service/postgres"}
MANAGER = {"Deployment/fml-manager-server", "Service/fml-manager-server"}
SITE = {
    "Deployment/frontend", "Service/frontend", "ConfigMap/frontend-config", "StatefulSet/site-portal-server", "Service/site-portal-server",
}  # fmt: skip


def server(case: Case) -> str:
    """The container of the program itself."""
    if case in FML_MANAGERS:
        return "Deployment/fml-manager-server/fml-manager-server"
    kept = "claim" in case.values["modules"]["sitePortalServer"]
    return f"{'StatefulSet' if kept else 'Deployment'}/site-portal-server/site-portal-server"


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (PORTAL, SITE | POSTGRES),
        (PORTAL_POSTGRES_ELSEWHERE, SITE),
        (FML_MANAGER, MANAGER | POSTGRES),
        (FML_MANAGER_POSTGRES_ELSEWHERE, MANAGER),
    ],
    ids=str,
)
def test_the_set_of_objects(case: Case, expected: set[str]) -> None:
    assert {name_of(item) for item in case.render()} == expected


def test_an_ingress_leads_browsers_to_the_port_with_the_pages_and_changes_nothing_else() -> None:
    objects = PORTAL_SHOWN.render()
    assert [item for item in objects if item["kind"] != "Ingress"] == PORTAL.render()
    found = named(objects, "Ingress", "frontend")["spec"]
    assert found["tls"] == [{"secretName": "boards-tls", "hosts": ["10002.frontend.clinic-d.example"]}]
    backend = found["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "frontend", "port": {"number": 8080}}
    assert (PORTAL_SHOWN.chart / "templates/boards/ingress.yaml").read_text() == (PARTY.chart / "templates/boards/ingress.yaml").read_text()


@pytest.mark.parametrize("case", [PORTAL_EPHEMERAL, FML_MANAGER_EPHEMERAL], ids=str)
def test_without_claims_everything_is_a_deployment_as_fedlcm_s(case: Case) -> None:
    assert not [name_of(item) for item in case.render() if item["kind"] == "StatefulSet"]


@pytest.mark.parametrize("case", PORTALS, ids=str)
def test_the_programs_are_told_what_they_read_and_nothing_else(case: Case) -> None:
    found = environment(container(case, server(case)))
    extra = case.values["modules"]["fmlManagerServer" if case in FML_MANAGERS else "sitePortalServer"]["env"]
    assert set(found) - set(extra) == (MANAGER_READS if case in FML_MANAGERS else PORTAL_READS)
    database = case.values["database"]
    told = [found[f"POSTGRES_{name}"] for name in ("HOST", "PORT", "DB", "USER", "SSLMODE")]
    assert told == [database["host"], str(database["port"]), database["name"], database["user"], database["sslMode"]]
    assert found["POSTGRES_PASSWORD"] == {"secretKeyRef": database["password"]}


@pytest.mark.parametrize("case", SITE_PORTALS, ids=str)
def test_no_account_keeps_the_password_of_the_program(case: Case) -> None:
    """Without a variable it makes Admin with admin, and User with user."""
    found = environment(container(case, server(case)))
    for account in ("admin", "user"):
        assert found[f"SITEPORTAL_INITIAL_{account.upper()}_PASSWORD"] == {"secretKeyRef": case.values["accounts"][account]}


@pytest.mark.parametrize("case", PORTALS, ids=str)
def test_tls_is_always_on_with_the_unit_s_own_certificates(case: Case) -> None:
    found = container(case, server(case))
    name, folder = ("FMLMANAGER", "/var/lib/fml_manager/cert") if case in FML_MANAGERS else ("SITEPORTAL", "/var/lib/site-portal/cert")
    variables = environment(found)
    assert (variables[f"{name}_TLS_ENABLED"], variables[f"{name}_TLS_PORT"]) == ("true", "8443")
    _, volume = mount(found, folder)
    assert volume["secret"] == {"secretName": case.values["tls"]["secret"]}
    paths = {variables[f"{name}_TLS_{file}"] for file in TLS - {"ENABLED", "PORT"}}
    assert paths == {f"{folder}/{file}" for file in ("server.crt", "server.key", "client.crt", "client.key", "ca.crt")}
    if case in SITE_PORTALS:
        assert variables["SITEPORTAL_TLS_COMMON_NAME"] == case.values["tls"]["serverName"]


@pytest.mark.parametrize("case", SITE_PORTALS, ids=str)
def test_uploaded_data_is_where_the_server_looks_for_it(case: Case) -> None:
    found = container(case, server(case))
    folder = environment(found)["SITEPORTAL_LOCALDATA_BASEDIR"]
    kept = [(place["name"], place["subPath"]) for place in found.spec["volumeMounts"] if place["mountPath"] == folder]
    assert kept == [("site-portal-server-uploaded-data", "uploaded")]


@pytest.mark.parametrize("case", [case for case in PORTALS if "postgres" in case.values["modules"]], ids=str)
def test_postgres_makes_the_database_of_its_program_below_its_volume(case: Case) -> None:
    """A folder that kubelet makes belongs to root, and PostgreSQL starts on no folder of another user."""
    (found,) = [item for item in containers(case.render()) if item.where.endswith("/postgres/postgres")]
    variables = environment(found)
    database = case.values["database"]
    assert (variables["POSTGRES_DB"], variables["POSTGRES_USER"]) == (database["name"], database["user"])
    assert variables["POSTGRES_PASSWORD"] == {"secretKeyRef": database["password"]}
    (place,) = [place for place in found.spec["volumeMounts"] if place["name"] == "postgres-data"]
    assert variables["PGDATA"].startswith(f"{place['mountPath']}/")
    assert found.spec["readinessProbe"]["exec"]["command"][:4] == ["pg_isready", "-q", "-h", "127.0.0.1"], "not before it takes connections"


@pytest.mark.parametrize("case", SITE_PORTALS, ids=str)
def test_the_frontend_dials_the_server_by_its_service(case: Case) -> None:
    """What the file does is tried with real nginx: tests/traffic/test_site_portal.py."""
    objects = case.render()
    text = config_texts(objects)["frontend-config/nginx.conf"]
    service = named(objects, "Service", "site-portal-server")
    dialled = set(re.findall(r"proxy_pass (\S+?)/api/", text))
    assert dialled == {f"https://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"}
    assert len(re.findall(r"^\s*listen ", text, re.M)) == 2
    caller = case.values["tls"]["caller"].replace(".", "[.]")
    assert f"CN={caller}(" in text
    frontend = container(case, "Deployment/frontend/frontend")
    mounted = {place["mountPath"] for place in frontend.spec["volumeMounts"]}
    assert {"/config", "/tmp", "/var/lib/site-portal/cert"} == mounted
    assert set(re.findall(r"(/var/lib/[\w-]+/cert)/", text)) <= mounted
