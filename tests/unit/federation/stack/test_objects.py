"""The typed objects of a plan: names that never change, waits, secrets, scopes."""

from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from federation.base import naming
from federation.config.publish import PublishPort
from federation.manifests.objects import Manifest, ServicePort, namespace, published_service
from federation.stack.plan import StackPlan
from federation.units.unit import UnitPlan
from tests.support.configs import EVERY_CASE, EXCHANGE, LOCAL, NAMESPACED, NODE_PORTS, STAR_PARTY, Case, node_port

WAIT, SKIP = "pulumi.com/waitFor", "pulumi.com/skipAwait"


def manifests(plan: StackPlan) -> Iterator[Manifest]:
    """Every typed object but the Secrets."""
    for unit in plan.units:
        yield from (*unit.namespace_object, *unit.owner, *unit.services, *unit.routes, *unit.policies)


def outline(unit: UnitPlan) -> list[str]:
    """What a unit makes, beside its chart: `role: Kind namespace/name`."""
    objects = [
        f"{item.role}: {item.kind} {'/'.join(part for part in (item.namespace, item.name) if part)}"
        for item in (*unit.namespace_object, *unit.owner, *unit.services, *unit.routes, *unit.policies)
    ]
    return objects + [f"{secret.role}: Secret {secret.namespace}/{secret.name}" for secret in unit.secrets]


def test_the_objects_of_a_party_have_the_names_they_always_had(tmp_path: Path) -> None:
    assert outline(NODE_PORTS.load(tmp_path).plan.unit("party-9999")) == [
        "namespace: Namespace fate-9999",
        "owner: ConfigMap fate-9999/fate-owner",
        "fateflow-client: Service fate-9999/fateflow-client",
        "nginx: Service fate-9999/nginx",
        "nginx-public: Service fate-9999/nginx-public",
        "pulsar-public-tls: Service fate-9999/pulsar-public-tls",
        "pulsar-routes: ConfigMap fate-9999/pulsar-route-table",
        "nginx-routes: ConfigMap fate-9999/nginx-route-table",
        "policy-inside: NetworkPolicy fate-9999/fate-inside",
        "policy-default-deny: NetworkPolicy fate-9999/fate-default-deny",
        "policy-peers-nginx: NetworkPolicy fate-9999/fate-peers-nginx",
        "policy-peers-pulsar: NetworkPolicy fate-9999/fate-peers-pulsar",
        "policy-doctor: NetworkPolicy fate-9999/fate-doctor",
        "mysql-credentials: Secret fate-9999/mysql-credentials",
        "fateboard-credentials: Secret fate-9999/fateboard-credentials",
        "notebook-credentials: Secret fate-9999/notebook-credentials",
        "pulsar-cert: Secret fate-9999/pulsar-cert",
    ]


def test_the_objects_of_an_exchange_have_the_names_they_always_had(tmp_path: Path) -> None:
    assert [line for line in outline(EXCHANGE.load(tmp_path).plan.unit("exchange")) if " Secret " not in line] == [
        "namespace: Namespace fate-exchange",
        "owner: ConfigMap fate-exchange/fate-owner",
        "nginx: Service fate-exchange/nginx",
        "traffic-server: Service fate-exchange/traffic-server",
        "routes: ConfigMap fate-exchange/exchange-routes",
        "policy-inside: NetworkPolicy fate-exchange/fate-inside",
        "policy-default-deny: NetworkPolicy fate-exchange/fate-default-deny",
        "policy-peers-nginx: NetworkPolicy fate-exchange/fate-peers-nginx",
        "policy-peers-traffic-server: NetworkPolicy fate-exchange/fate-peers-traffic-server",
        "policy-doctor: NetworkPolicy fate-exchange/fate-doctor",
    ]


def test_the_secrets_of_a_stack_have_the_names_they_always_had(tmp_path: Path) -> None:
    assert NODE_PORTS.load(tmp_path).plan.secret_names == (
        "party-9999-ca",
        "party-9999-certificate",
        "party-9999-fateboard",
        "party-9999-key",
        "party-9999-mysql",
        "party-9999-mysql-root",
        "party-9999-notebook",
    )


def test_pulsar_s_certificate_is_a_secret_with_the_files_pulsar_reads(tmp_path: Path) -> None:
    secrets = {secret.name: secret for secret in STAR_PARTY.load(tmp_path).plan.unit("party-9999").secrets}
    assert secrets["pulsar-cert"].sources == {
        "broker.cert.pem": "party-9999-certificate",
        "broker.key-pk8.pem": "party-9999-key",
        "ca.cert.pem": "party-9999-ca",
        "ca-9999.cert.pem": "party-9999-ca-of-9999",
    }
    assert secrets["pulsar-cert"].pkcs8 == {"broker.key-pk8.pem"}
    assert secrets["mysql-credentials"].sources == {"password": "party-9999-mysql", "root-password": "party-9999-mysql-root"}


def test_a_password_by_another_name_or_in_an_existing_secret_is_taken_from_there(tmp_path: Path) -> None:
    credentials = {"mysql": {"secret": "db"}, "mysqlRoot": {"kubernetesSecret": "own-db", "key": "root"}}
    plan = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(credentials=credentials)).load(tmp_path).plan
    unit = plan.unit("party-9999")
    assert {secret.name: dict(secret.sources) for secret in unit.secrets}["mysql-credentials"] == {"password": "db"}
    database: dict[str, Any] = unit.chart.values.plain()["database"]
    assert database["password"] == {"name": "mysql-credentials", "key": "password"}
    assert database["rootPassword"] == {"name": "own-db", "key": "root"}
    assert "party-9999-mysql" not in plan.secret_names


def test_a_registry_s_credentials_are_a_secret_of_each_unit(tmp_path: Path) -> None:
    case = LOCAL.changed(lambda config: config.update(images={"pullSecret": {"secret": "registry"}}))
    units = case.load(tmp_path).plan.units
    assert len(units) == 2
    for unit in units:
        (pull,) = [secret for secret in unit.secrets if secret.type == "kubernetes.io/dockerconfigjson"]
        assert (pull.namespace, dict(pull.sources)) == (unit.namespace, {".dockerconfigjson": "registry"})
        assert unit.chart.values.image_pull_secrets == (pull.name,)


def test_an_existing_pull_secret_is_named_and_not_made(tmp_path: Path) -> None:
    case = STAR_PARTY.changed(lambda config: config.update(images={"pullSecret": {"kubernetesSecret": "theirs"}}))
    unit = case.load(tmp_path).plan.unit("party-9999")
    assert unit.chart.values.image_pull_secrets == ("theirs",)
    assert not [secret for secret in unit.secrets if "dockerconfigjson" in secret.type]


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_no_two_objects_of_a_plan_share_a_name_or_a_role(case: Case, tmp_path: Path) -> None:
    plan = case.load(tmp_path).plan
    objects = [(m.kind, m.namespace, m.name) for m in manifests(plan)]
    objects += [("Secret", secret.namespace, secret.name) for unit in plan.units for secret in unit.secrets]
    assert len(objects) >= 3, "an exchange with rollsite: namespace, Service, routes"
    assert len(set(objects)) == len(objects)
    for unit in plan.units:
        roles = [(m.kind, m.role) for m in (*unit.services, *unit.routes)] + [("Secret", secret.role) for secret in unit.secrets]
        assert len(set(roles)) == len(roles)


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_a_service_is_awaited_only_for_an_address_that_is_published(case: Case, tmp_path: Path) -> None:
    plan = case.load(tmp_path).plan
    services = [item for item in manifests(plan) if item.kind == "Service"]
    assert services
    published = str([unit.descriptor for unit in plan.units])
    for service in services:
        reads = f"<known-after-up:{service.namespace}/{service.name}.loadBalancer>" in published
        expected = {WAIT: "jsonpath={.status.loadBalancer.ingress}"} if reads else {SKIP: "true"}
        assert {key: value for key, value in service.annotations.items() if key.startswith("pulumi.com/")} == expected, service.name


def test_there_are_services_that_are_awaited_and_services_that_are_not(tmp_path: Path) -> None:
    annotations = {key for item in manifests(STAR_PARTY.load(tmp_path).plan) if item.kind == "Service" for key in item.annotations}
    assert annotations == {WAIT, SKIP}


def test_an_advertised_load_balancer_is_not_awaited(tmp_path: Path) -> None:
    said = {"type": "LoadBalancer", "advertise": {"host": "203.0.113.5"}, "annotations": {"cloud.example/internal": "true"}}
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(publish={"pulsar": said, "nginx": said}))
    services = {item.name: item for item in case.load(tmp_path).plan.unit("party-9999").services}
    assert services["pulsar-public-tls"].annotations == {"cloud.example/internal": "true", SKIP: "true"}
    assert services["pulsar-public-tls"].fields["spec"]["type"] == "LoadBalancer"


def test_an_operator_s_annotation_never_replaces_the_wait() -> None:
    publication = PublishPort(type="LoadBalancer", annotations={WAIT: "condition=Never"})
    service = published_service("pulsar", "pulsar", "party-1", "ns", {}, [ServicePort("tls", 6651, "tls-port")], publication)
    assert service.annotations[WAIT] == "jsonpath={.status.loadBalancer.ingress}"


def test_a_published_service_has_the_ports_peers_are_told(tmp_path: Path) -> None:
    services = {item.name: item.fields["spec"] for item in NODE_PORTS.load(tmp_path).plan.unit("party-9999").services}
    assert services["pulsar-public-tls"] == {
        "type": "NodePort",
        "selector": {"app.kubernetes.io/name": "pulsar", "app.kubernetes.io/instance": "party-9999"},
        "ports": [{"name": "tls-port", "port": 6651, "targetPort": "tls", "protocol": "TCP", "nodePort": 30651}],
    }
    assert [port["nodePort"] for port in services["nginx-public"]["ports"]] == [30930], "gRPC is not published"
    assert services["nginx"]["type"] == services["fateflow-client"]["type"] == "ClusterIP"


def test_source_ranges_of_a_load_balancer_are_those_of_the_stack(tmp_path: Path) -> None:
    said = {"type": "LoadBalancer", "sourceRanges": ["198.51.100.0/24"], "port": 7000}
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"]["publish"].update(pulsar=said))
    unit = case.load(tmp_path).plan.unit("party-9999")
    spec = next(item.fields["spec"] for item in unit.services if item.name == "pulsar-public-tls")
    assert spec["loadBalancerSourceRanges"] == ["198.51.100.0/24"]
    assert spec["ports"][0]["port"] == unit.descriptor["endpoints"]["pulsar"]["ports"]["tls"] == 7000
    assert "nodePort" not in spec["ports"][0]


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_a_namespaced_plan_has_no_cluster_scoped_object(case: Case, tmp_path: Path) -> None:
    def scoped(scope: str) -> StackPlan:
        return case.changed(lambda config: config.update(cluster={"scope": scope})).load(tmp_path / scope).plan

    everything, ours = list(manifests(scoped("cluster"))), list(manifests(scoped("namespaced")))
    assert [item.kind for item in everything if item.namespace is None] == ["Namespace"] * len(scoped("cluster").units)
    # What the stack did not make may have other pods, which it does not cut off.
    assert ours == [
        item for item in everything if item.kind != "Namespace" and item.role not in ("policy-default-deny", "policy-acme-solver")
    ]
    assert ours
    assert all(item.namespace for item in ours)


def test_a_stack_may_deploy_into_namespaces_that_exist(tmp_path: Path) -> None:
    case = STAR_PARTY.changed(lambda config: config.update(cluster={"createNamespaces": False}))
    assert case.load(tmp_path / "a").plan.unit("party-9999").namespace_object == ()
    assert NAMESPACED.load(tmp_path / "b").plan.unit("party-9999").namespace_object == ()
    assert len(STAR_PARTY.load(tmp_path / "c").plan.unit("party-9999").namespace_object) == 1


def test_a_namespace_is_admitted_by_pod_security() -> None:
    item = namespace("fate-1", {"a": "b"})
    assert item.document()["metadata"]["labels"] == {
        "a": "b",
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/warn": "baseline",
    }
    assert "namespace" not in item.metadata
    assert "annotations" not in item.metadata


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_every_object_carries_the_labels_of_its_unit(case: Case, tmp_path: Path) -> None:
    plan = case.load(tmp_path).plan
    assert plan.units
    for unit in plan.units:
        party = unit.key.rpartition("-")[2]
        own = {"federation.fate/party-id": party} if party.isdigit() else {}
        labels = {
            "app.kubernetes.io/part-of": "fate",
            "app.kubernetes.io/managed-by": "pulumi",
            "federation.fate/name": "fraud",
            **own,
        }
        carriers: list[Any] = [*unit.namespace_object, *unit.services, *unit.routes, *unit.secrets]
        assert len(carriers) >= 3
        for item in carriers:
            assert labels.items() <= item.labels.items(), item.name
        assert unit.chart.values.labels == labels


def test_a_selector_holds_no_release() -> None:
    assert naming.selector("pulsar", "party-9999") == {"app.kubernetes.io/name": "pulsar", "app.kubernetes.io/instance": "party-9999"}


def test_one_server_name_serves_certificate_descriptor_and_route(tmp_path: Path) -> None:
    unit = LOCAL.load(tmp_path).plan.unit("party-9999")
    exchange = LOCAL.load(tmp_path).plan.unit("exchange")
    name = naming.server_name("9999", "fraud.example")
    assert name == "9999.fraud.example"
    assert unit.tls is not None
    assert unit.tls.server_name == name
    assert unit.descriptor["endpoints"]["pulsar"]["serverName"] == name
    assert f"fqdn: {name}\n" in exchange.routes[0].fields["data"]["sni.yaml"]


def test_no_route_object_is_named_as_a_secret_and_none_holds_one(tmp_path: Path) -> None:
    plan = LOCAL.load(tmp_path).plan
    maps = [item for item in manifests(plan) if item.kind == "ConfigMap"]
    assert len(maps) == 5, "three of routes, and a note of each unit"
    text = str([item.document() for item in maps]) + str([unit.chart.values.plain() for unit in plan.units])
    assert not [name for name in plan.secret_names if name in text], "names under fate:secrets stay out of charts and ConfigMaps"


def test_a_plan_is_the_same_every_time_and_cannot_be_changed(tmp_path: Path) -> None:
    first, second = (STAR_PARTY.load(tmp_path / name).plan for name in ("first", "second"))
    assert first == second
    assert repr(first) == repr(second)
    with pytest.raises(FrozenInstanceError):
        first.organization = "other"  # type: ignore[misc]


def test_parties_are_planned_in_the_order_of_their_ids_after_the_exchange(tmp_path: Path) -> None:
    others = {
        number: {**LOCAL.config["parties"]["9999"], "namespace": f"fate-{number}", "publish": _ports(index)}
        for index, number in enumerate(("10000", "777"))
    }
    plan = LOCAL.changed(lambda config: (config["parties"].update(others), config.update(peers={}))).load(tmp_path).plan
    assert [unit.key for unit in plan.units] == ["exchange", "party-777", "party-9999", "party-10000"]


def _ports(index: int) -> dict[str, Any]:
    base = 30100 + 10 * index
    return {"pulsar": node_port(port=base), "nginx": node_port(httpPort=base + 1)}


def test_a_party_with_its_boards_says_how_to_reach_them(tmp_path: Path) -> None:
    access = NODE_PORTS.load(tmp_path / "all").plan.unit("party-9999").access
    assert access["fateboard"] == {
        "url": "http://localhost:8080",
        "portForward": "kubectl -n fate-9999 port-forward service/fateboard 8080:8080",
    }
    assert set(access) == {"fateboard", "notebook"}
    assert STAR_PARTY.load(tmp_path / "few").plan.unit("party-9999").access == {}
