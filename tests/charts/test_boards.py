"""The Ingresses that show consoles to browsers."""

from typing import Any

import pytest

from tests.charts.cases import BOARDS, INGRESS, PARTY, PLAIN_INGRESS, Case, Values
from tests.support.helm import HelmRefusedError
from tests.support.walk import Object, name_of, named, of_kind

CONSOLES = {"fateboard": ("fateboard", 8080), "client": ("notebook", 20000), "spark": ("spark-client", 8080)}
HOSTS = ["9999.fateboard.bank-a.example", "9999.notebook.bank-a.example", "9999.spark.bank-a.example"]


@pytest.mark.parametrize("case", BOARDS, ids=str)
def test_consoles_add_their_own_objects_and_change_no_other(case: Case) -> None:
    shown = case.render()
    added = [name_of(item) for item in shown if item not in PARTY.render()]
    expected = [f"Ingress/{name}" for name in CONSOLES]
    assert sorted(added) == sorted(expected)
    assert [item for item in shown if name_of(item) not in expected] == PARTY.render()


def test_without_the_section_there_is_none_of_them() -> None:
    assert PARTY.render()
    assert not of_kind(PARTY.render(), "Ingress")


@pytest.mark.parametrize("case", BOARDS, ids=str)
def test_every_console_leads_to_a_service_of_the_party(case: Case) -> None:
    objects = case.render()
    found = {item["metadata"]["name"]: _backend(item) for item in of_kind(objects, "Ingress")}
    assert found == CONSOLES
    for service, port in found.values():
        assert port in [given["port"] for given in named(objects, "Service", service)["spec"]["ports"]], service


def _backend(item: Object) -> tuple[str, int]:
    [rule] = item["spec"]["rules"]
    [path] = rule["http"]["paths"]
    service = path["backend"]["service"]
    return service["name"], service["port"]["number"]


def test_an_ingress_has_class_host_path_and_certificate() -> None:
    found = named(INGRESS.render(), "Ingress", "client")
    assert found["apiVersion"] == "networking.k8s.io/v1"
    assert found["metadata"]["annotations"] == {"a": "1000000", "pulumi.com/skipAwait": "true"}
    assert found["spec"]["ingressClassName"] == "nginx"
    assert found["spec"]["tls"] == [{"secretName": "boards-tls", "hosts": ["9999.notebook.bank-a.example"]}]
    [rule] = found["spec"]["rules"]
    assert (rule["host"], rule["http"]["paths"][0]["path"], rule["http"]["paths"][0]["pathType"]) == (HOSTS[1], "/", "Prefix")


def test_all_hosts_share_one_certificate() -> None:
    found = of_kind(INGRESS.render(), "Ingress")
    assert sorted(host for item in found for tls in item["spec"]["tls"] for host in tls["hosts"]) == HOSTS
    assert {tls["secretName"] for item in found for tls in item["spec"]["tls"]} == {"boards-tls"}


def test_an_ingress_without_class_and_certificate_names_neither() -> None:
    for item in (found := of_kind(PLAIN_INGRESS.render(), "Ingress")):
        assert set(item["spec"]) == {"rules"}, name_of(item)
    assert found


@pytest.mark.parametrize(("key", "value"), [("className", ""), ("path", ""), ("port", 0), ("service", None)])
def test_helm_refuses_what_the_schema_does_not_know(key: str, value: Any) -> None:
    def change(values: Values) -> None:
        (values["boards"] if key == "className" else values["boards"]["consoles"]["spark"])[key] = value

    with pytest.raises(HelmRefusedError):
        INGRESS.changed(change).render()
