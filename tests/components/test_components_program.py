"""What a stack registers with the engine, seen through the program itself; no chart is rendered here (mocks never do)."""

import asyncio
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pulumi
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cli.tools.project import find_project
from cli.tools.state import deployed
from components import Unit, UnitArgs
from components.objects import Rendered
from federation.base.live import live_values
from federation.base.scalars import MANY_PEERS
from federation.pki.authority import authority_certificate
from tests.components.programs import run_program, secrets_for, traditional_key
from tests.components.recorder import Cluster, Registered, Run, Secret, cluster_ip, plain, secrets_in, unknown_in
from tests.support.configs import (
    BY_HAND_EXCHANGE,
    EVERY_CASE,
    EXCHANGE,
    LOCAL,
    MESH,
    NAMESPACED,
    NODE_PORTS,
    OSX_MESH,
    OSX_MESH_OF_TWO,
    OSX_STAR,
    PENDING,
    PORTAL_EXTERNAL,
    PORTAL_LOCAL,
    RABBITMQ_MESH,
    RABBITMQ_MESH_OF_TWO,
    ROLLSITE_EXCHANGE,
    ROLLSITE_LOCAL,
    ROLLSITE_MESH_OF_TWO,
    ROLLSITE_NODE_PORTS,
    ROLLSITE_STAR,
    SERVING_EXCHANGE,
    SERVING_LOCAL,
    SERVING_STAR,
    SERVING_WHOLE,
    SLIM_STAR,
    STAR_PARTY,
    Case,
    party_descriptor,
)
from tests.support.stacks import REPO

BALANCED = {
    f"{namespace}/{service}": f"203.0.113.{number}"
    for number, (namespace, service) in enumerate(
        (namespace, service)
        for namespace in ("fate-9998", "fate-9999", "fate-exchange")
        for service in (
            "nginx",
            "nginx-public",
            "pulsar-public-tls",
            "rabbitmq-public",
            "rollsite",
            "rollsite-public",
            "osx",
            "osx-public",
            "traffic-server",
        )
    )
}
RABBITMQ_BOARDS = RABBITMQ_MESH.changed(
    lambda config: config["parties"]["9999"].update(modules={"fateboard": {}, "client": {}}), "a mesh with RabbitMQ and boards"
)
BALANCED |= {
    f"{namespace}/serving-proxy-public": f"203.0.113.{200 + number}"
    for number, namespace in enumerate(("fate-serving-9998", "fate-serving-9999", "fate-serving-exchange"))
}
BALANCED |= {
    "fate-site-portal-9999/frontend-public": "203.0.113.210",
    "fate-fml-manager/fml-manager-server-public": "203.0.113.211",
}
CLUSTER = Cluster(balanced=BALANCED)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Program":
    """Runs stacks in a folder of this test."""
    return Program(tmp_path, monkeypatch)


class Program:
    """The program, ready to run a stack."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch, self.runs = folder, monkeypatch, 0

    def __call__(self, case: Case, cluster: Cluster = CLUSTER, secrets: dict[str, str] | None = None) -> Run:
        self.runs += 1
        return run_program(case, self.folder / str(self.runs), self.monkeypatch, cluster, secrets)


def numbers(data: Any) -> Any:
    """Data as it crosses the engine's wire, where every number is a double."""
    return json.loads(json.dumps(data), parse_int=float)


def test_a_party_registers_its_site_its_objects_and_one_chart(program: Program) -> None:
    run = program(NODE_PORTS)
    site, party = run.one("Site", "party-9999"), run.one("FateParty", "party-9999")
    assert run.children(site) == {
        ("Namespace", "party-9999-namespace"),
        ("ConfigMap", "party-9999-owner"),
        ("Service", "party-9999-fateflow-client"),
        ("Service", "party-9999-nginx"),
        ("Service", "party-9999-nginx-public"),
        ("Service", "party-9999-pulsar-public-tls"),
    }
    assert run.children(party) == {
        ("Secret", "party-9999-mysql-credentials"),
        ("Secret", "party-9999-fateboard-credentials"),
        ("Secret", "party-9999-notebook-credentials"),
        ("Secret", "party-9999-pulsar-cert"),
        ("ConfigMap", "party-9999-pulsar-routes"),
        ("ConfigMap", "party-9999-nginx-routes"),
        ("NetworkPolicy", "party-9999-policy-inside"),
        ("NetworkPolicy", "party-9999-policy-default-deny"),
        ("NetworkPolicy", "party-9999-policy-doctor"),
        ("NetworkPolicy", "party-9999-policy-peers-nginx"),
        ("NetworkPolicy", "party-9999-policy-peers-pulsar"),
        ("Chart", "party-9999"),
    }
    assert {resource.label for resource in run.resources} == {
        ("Units", "units"),
        ("kubernetes", "cluster-reader"),
        ("kubernetes", "cluster"),
        ("kubernetes", "cluster-retained"),
        ("ExternalExchange", "consortium"),
        site.label,
        party.label,
        *run.children(site),
        *run.children(party),
    }


def test_an_exchange_registers_its_site_its_routes_and_one_chart(program: Program) -> None:
    run = program(EXCHANGE)
    site, exchange = run.one("Site", "exchange"), run.one("Exchange", "exchange")
    assert run.children(site) == {
        ("Namespace", "exchange-namespace"),
        ("ConfigMap", "exchange-owner"),
        ("Service", "exchange-nginx"),
        ("Service", "exchange-traffic-server"),
    }
    assert {label for label in run.children(exchange) if label[0] != "Secret"} == {
        ("ConfigMap", "exchange-routes"),
        ("NetworkPolicy", "exchange-policy-inside"),
        ("NetworkPolicy", "exchange-policy-default-deny"),
        ("NetworkPolicy", "exchange-policy-doctor"),
        ("NetworkPolicy", "exchange-policy-peers-nginx"),
        ("NetworkPolicy", "exchange-policy-peers-traffic-server"),
        ("Chart", "exchange"),
        ("ActiveMembers", "exchange-has-active-members"),
    }


def test_what_members_rely_on_would_be_deleted_after_the_guard_is_asked(program: Program) -> None:
    """Pulumi deletes what depends on others first; of a chart's objects engine/test_life.py shows it."""
    run = program(EXCHANGE)
    deployed = {found.urn for found in run.resources if found.type.startswith("kubernetes:") and not found.remote}
    assert deployed
    assert run.one("ActiveMembers", "exchange-has-active-members").dependencies >= deployed


def test_fate_serving_registers_its_site_its_objects_and_one_chart(program: Program) -> None:
    run = program(SERVING_WHOLE)
    assert run.children(run.one("Site", "serving-9999")) == {
        ("Namespace", "serving-9999-namespace"),
        ("ConfigMap", "serving-9999-owner"),
        ("Service", "serving-9999-serving-proxy-public"),
    }
    assert run.children(run.one("FateServing", "serving-9999")) == {
        ("Secret", "serving-9999-serving-redis-credentials"),
        ("Secret", "serving-9999-serving-zookeeper-credentials"),
        ("Secret", "serving-9999-serving-admin-credentials"),
        ("ConfigMap", "serving-9999-serving-routes"),
        ("NetworkPolicy", "serving-9999-policy-inside"),
        ("NetworkPolicy", "serving-9999-policy-default-deny"),
        ("NetworkPolicy", "serving-9999-policy-peers-serving-proxy"),
        ("NetworkPolicy", "serving-9999-policy-registry"),
        ("NetworkPolicy", "serving-9999-policy-training"),
        ("Chart", "serving-9999"),
    }
    assert run.one("ExternalServing", "clinic-b-serving")


def test_a_serving_exchange_registers_its_site_its_routes_and_one_chart(program: Program) -> None:
    run = program(SERVING_EXCHANGE)
    exchange = run.one("ServingExchange", "serving-exchange")
    assert run.children(exchange) == {
        ("ConfigMap", "serving-exchange-serving-routes"),
        ("NetworkPolicy", "serving-exchange-policy-inside"),
        ("NetworkPolicy", "serving-exchange-policy-default-deny"),
        ("NetworkPolicy", "serving-exchange-policy-peers-serving-proxy"),
        ("Chart", "serving-exchange"),
        ("ActiveMembers", "serving-exchange-has-active-members"),
    }
    assert program(SERVING_STAR).one("ExternalServingExchange", "consortium-serving")


def test_portals_register_their_sites_their_objects_and_one_chart_each(program: Program) -> None:
    run = program(PORTAL_LOCAL)
    assert run.children(run.one("Site", "site-portal-9999")) == {
        ("Namespace", "site-portal-9999-namespace"),
        ("ConfigMap", "site-portal-9999-owner"),
        ("Service", "site-portal-9999-frontend-public"),
    }
    assert run.children(run.one("SitePortal", "site-portal-9999")) == {
        ("Secret", "site-portal-9999-postgres-credentials"),
        ("Secret", "site-portal-9999-site-portal-credentials"),
        ("Secret", "site-portal-9999-site-portal-cert"),
        ("NetworkPolicy", "site-portal-9999-policy-inside"),
        ("NetworkPolicy", "site-portal-9999-policy-default-deny"),
        ("NetworkPolicy", "site-portal-9999-policy-peers-frontend"),
        ("NetworkPolicy", "site-portal-9999-policy-peers-site-portal-server"),
        ("Chart", "site-portal-9999"),
    }
    assert run.children(run.one("FmlManager", "fml-manager")) == {
        ("Secret", "fml-manager-postgres-credentials"),
        ("Secret", "fml-manager-fml-manager-cert"),
        ("NetworkPolicy", "fml-manager-policy-inside"),
        ("NetworkPolicy", "fml-manager-policy-default-deny"),
        ("NetworkPolicy", "fml-manager-policy-peers-fml-manager-server"),
        ("Chart", "fml-manager"),
    }
    assert program(PORTAL_EXTERNAL).one("ExternalFmlManager", "consortium-fml-manager")


def test_components_have_the_types_they_always_had(program: Program) -> None:
    types = {resource.type for resource in program(LOCAL).resources} | {resource.type for resource in program(STAR_PARTY).resources}
    assert types == {
        "pulumi:providers:kubernetes",
        "fate:federation:Site",
        "fate:federation:FateParty",
        "fate:federation:Exchange",
        "fate:federation:ActiveMembers",
        "fate:federation:Units",
        "fate:federation:ExternalParty",
        "fate:federation:ExternalExchange",
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:Service",
        "kubernetes:core/v1:Secret",
        "kubernetes:core/v1:ConfigMap",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "kubernetes:helm.sh/v4:Chart",
    }


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_fatefed_plan_finds_the_facts_of_every_unit_where_the_program_leaves_them(
    case: Case, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = [{"urn": resource.urn, "type": resource.type, "inputs": resource.inputs} for resource in program(case).resources]
    exported = json.dumps({"deployment": {"resources": resources}}, default=repr)
    monkeypatch.setattr("cli.tools.state.pulumi", lambda *_: exported)
    units = case.load(tmp_path / "loaded").plan.units
    assert deployed(find_project(REPO).stack("bank-a")) == {unit.key: json.loads(json.dumps(unit.recorded)) for unit in units}


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_every_object_belongs_to_a_component_and_what_is_retained_to_a_provider_of_its_own(case: Case, program: Program) -> None:
    run = program(case)
    components = {resource.urn for resource in run.resources if resource.type.startswith("fate:federation:")}
    objects = [resource for resource in run.resources if resource.type.startswith("kubernetes:")]
    assert len(objects) >= 4, "an exchange with rollsite: namespace, Service, routes, chart"
    assert {resource.label for resource in objects if resource.parent not in components} == set()
    names = {False: "cluster", True: "cluster-retained"}
    providers = {retained: f"{run.one('kubernetes', name).urn}::{name}-id" for retained, name in names.items()}
    assert {resource.label: resource.provider for resource in objects} == {
        resource.label: providers[resource.retained] for resource in objects
    }
    assert len({resource.urn for resource in run.resources}) == len(run.resources), "a name is used twice"


def test_the_providers_of_objects_change_config_maps_and_secrets_in_place(program: Program) -> None:
    case = STAR_PARTY.changed(lambda config: config.update(cluster={"context": "bank-a", "kubeconfig": "/keys/bank-a"}))
    run = program(case)
    reading = {"context": "bank-a", "kubeconfig": "/keys/bank-a", "clusterIdentifier": "known by its UID"}
    assert run.one("kubernetes", "cluster-reader").inputs == reading
    in_place = reading | {"enableConfigMapMutable": "true", "enableSecretMutable": "true"}
    assert run.one("kubernetes", "cluster").inputs == in_place
    assert run.one("kubernetes", "cluster-retained").inputs == in_place | {"upsertExistingObjects": "true"}


def test_an_object_that_is_there_already_is_created_over_only_by_a_stack_that_takes_a_namespace_over(program: Program) -> None:
    """A renamed resource would otherwise update the live object, and its deletion under the old name would delete it."""
    taking = STAR_PARTY.changed(lambda config: config.update(cluster={"takeOver": ["fate-9999"]}))
    upserts = [program(case).one("kubernetes", "cluster").inputs.get("upsertExistingObjects") for case in (STAR_PARTY, taking)]
    assert upserts == [None, "true"]


def test_the_path_in_kubeconfig_of_one_operator_is_not_in_the_state_for_the_next(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/alice/.kube/config")
    providers = program(STAR_PARTY).of("kubernetes")
    assert [provider.inputs["kubeconfig"] for provider in providers] == ["", "", ""]


def test_a_cluster_is_recognised_by_what_the_rights_of_a_stack_allow_to_read(program: Program) -> None:
    assert program(STAR_PARTY).one("Units", "units").inputs["cluster"] == {"kube-system": "UID of kube-system"}
    place = "fate-9999/kube-root-ca.crt"
    assert program(NAMESPACED).one("Units", "units").inputs["cluster"] == {place: f"UID of {place}"}


@pytest.mark.parametrize("case", [STAR_PARTY, NAMESPACED], ids=str)
def test_a_cluster_that_does_not_answer_stops_the_program_before_it_is_asked_for_any_object(
    case: Case, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    with pytest.raises(pulumi.RunError, match=r"cannot be used; nothing was changed: there is no file /nowhere/config") as raised:
        program(case, Cluster(answers=False))
    assert "UNREACHABLE" not in str(raised.value)


def test_another_cluster_than_the_one_that_is_named_stops_the_program(program: Program) -> None:
    case = STAR_PARTY.changed(lambda config: config.update(cluster={"uid": "5f3c1e0a-7b1d-4c55-9a3e-2f6d8c4b7a10"}))
    with pytest.raises(pulumi.RunError, match=r"kube-system has the UID UID of kube-system there, and fate:cluster\.uid is 5f3c1e0a"):
        program(case)


@pytest.mark.parametrize(
    "case",
    [NODE_PORTS, LOCAL, NAMESPACED, ROLLSITE_NODE_PORTS, RABBITMQ_MESH, SLIM_STAR, SERVING_WHOLE, SERVING_LOCAL, PORTAL_LOCAL],
    ids=str,
)
def test_a_chart_gets_exactly_the_values_of_the_plan_and_nothing_secret_or_unknown(case: Case, program: Program, tmp_path: Path) -> None:
    plan = case.load(tmp_path / "plan").plan
    for cluster in (CLUSTER, Cluster(preview=True)):
        run = program(case, cluster)
        charts = run.of("Chart")
        assert {chart.name for chart in charts} == {unit.key for unit in plan.units}
        for chart in charts:
            unit = plan.unit(chart.name)
            assert chart.inputs["values"] == numbers(unit.chart.values.plain())
            assert not secrets_in(chart.inputs)
            assert not unknown_in(chart.inputs), "a chart with an unknown value shows nothing in a preview"
            assert not live_values(chart.inputs["values"])
            assert chart.inputs["namespace"] == unit.namespace
            assert Path(chart.inputs["chart"]).name == unit.chart.chart
            assert (Path(chart.inputs["chart"]) / "Chart.yaml").is_file()
            assert chart.remote


def test_a_chart_s_values_are_plain_data_and_no_output(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def recorded(token: str, name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions) -> Rendered:
        given.append(inputs["values"])
        return Rendered(token, name, inputs, opts)

    monkeypatch.setattr("components.unit.Rendered", recorded)
    program(LOCAL)
    assert len(given) == 2
    for values in given:
        assert json.loads(json.dumps(values)) == values


def test_secrets_are_marked_before_any_component_sees_them(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    marks: dict[str, asyncio.Future[bool]] = {}

    class Spy(Unit):
        def __init__(self, args: UnitArgs, opts: pulumi.ResourceOptions | None = None) -> None:
            marks.update({name: asyncio.ensure_future(value.is_secret()) for name, value in args.secrets.items()})
            super().__init__(args, opts)

    monkeypatch.setattr("components.unit.Unit", Spy)
    program(STAR_PARTY)
    assert {name: mark.result() for name, mark in marks.items()} == dict.fromkeys(marks, True)
    assert len(marks) == 6


def test_a_chart_comes_after_the_objects_its_pods_mount_and_the_policies_that_hold_for_them(program: Program) -> None:
    run = program(NODE_PORTS)
    urns = {resource.urn: resource.label for resource in run.resources}
    needs = {urns[urn] for urn in run.one("Chart", "party-9999").dependencies}
    mounted = {label for label in run.children(run.one("FateParty", "party-9999")) if label[0] in ("Secret", "ConfigMap")}
    assert len(mounted) == 6
    policies = {label for label in run.children(run.one("FateParty", "party-9999")) if label[0] == "NetworkPolicy"}
    assert policies, "no pod starts before the policies that hold for it"
    assert needs == mounted | policies | {("Namespace", "party-9999-namespace"), ("ConfigMap", "party-9999-owner")}


def test_a_certificate_of_cert_manager_comes_before_the_pods_that_mount_it(program: Program) -> None:
    asked = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(tls="certManager", issuer={"name": "party-9999-ca"}))
    today = date(2026, 11, 22)
    key = ec.derive_private_key(20200202, ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    made = authority_certificate(key, party="9999", domain="fraud.example", today=today, years=5)
    case = asked.changed(lambda config: config.update(trust={"parties": {"9999": {"signing": "1", "authorities": {"1": made}}}}))
    run = program(case)
    certificate = run.one("Certificate", "party-9999-pulsar-certificate")
    assert certificate.type == "kubernetes:cert-manager.io/v1:Certificate"
    assert certificate.parent == run.one("FateParty", "party-9999").urn
    assert run.one("Namespace", "party-9999-namespace").urn in certificate.dependencies
    assert certificate.urn in run.one("Chart", "party-9999").dependencies
    inputs = plain(certificate.inputs)
    assert inputs["metadata"]["annotations"] == {"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "120"}
    assert inputs["spec"]["issuerRef"] == {"name": "party-9999-ca", "kind": "Issuer", "group": "cert-manager.io"}
    assert (secrets_in(certificate.inputs), unknown_in(certificate.inputs)) == ([], False), "a preview shows all of it"
    assert set(plain(run.one("Secret", "party-9999-pulsar-cert").inputs)["stringData"]) == {"ca.cert.pem", "ca-9999.cert.pem"}


def test_every_object_comes_after_its_namespace(program: Program) -> None:
    run = program(LOCAL)
    namespaces = {plain(item.inputs)["metadata"]["name"]: item.urn for item in run.of("Namespace")}
    inside = [item for item in run.resources if item.label[0] in ("Service", "Secret", "ConfigMap", "NetworkPolicy")]
    assert len(inside) > 14
    for item in inside:
        assert namespaces[item.inputs["metadata"]["namespace"]] in item.dependencies, item.label


def test_a_destroyed_or_renamed_stack_keeps_its_namespaces_and_with_them_the_data(program: Program) -> None:
    run = program(LOCAL)
    assert {item.name for item in run.of("Namespace")} == {"exchange-namespace", "party-9999-namespace"}
    assert {item.label[0] for item in run.resources if item.retained} == {"Namespace"}
    assert all(item.retained for item in run.of("Namespace"))


def test_a_namespaced_stack_registers_no_namespace(program: Program) -> None:
    run = program(NAMESPACED)
    assert run.of("Namespace") == []
    assert len(run.of("Service")) == 4


@pytest.mark.parametrize("case", [NODE_PORTS, LOCAL, ROLLSITE_NODE_PORTS, RABBITMQ_BOARDS], ids=str)
def test_every_value_of_a_secret_is_secret_and_stands_nowhere_else(case: Case, program: Program, tmp_path: Path) -> None:
    run, values = program(case), set(secrets_for(case, tmp_path / "names").values())
    found = run.of("Secret")
    assert found
    for secret in found:
        data = secret.inputs["stringData"]
        assert isinstance(data, Secret) or all(isinstance(value, Secret) for value in data.values()), secret.label
        assert plain(data), secret.label
        assert "data" not in secret.inputs
    elsewhere = [item.inputs for item in run.resources if item.label[0] != "Secret"]
    text = json.dumps([elsewhere, run.outputs, run.exports], default=str)
    assert not [value for value in values if value.splitlines()[0] in text]
    assert len(values) >= 4


def test_secrets_are_filled_from_their_entries_and_keys_are_converted_for_pulsar(program: Program) -> None:
    run = program(NODE_PORTS)
    contents = {secret.inputs["metadata"]["name"]: plain(secret.inputs["stringData"]) for secret in run.of("Secret")}
    key, given = contents["pulsar-cert"].pop("broker.key-pk8.pem"), "value-of-party-9999-ca\n"
    assert contents == {
        "mysql-credentials": {"password": "value-of-party-9999-mysql", "root-password": "value-of-party-9999-mysql-root"},
        "fateboard-credentials": {"password": "value-of-party-9999-fateboard"},
        "notebook-credentials": {"password": "value-of-party-9999-notebook"},
        "pulsar-cert": {"broker.cert.pem": "value-of-party-9999-certificate", **dict.fromkeys(("ca.cert.pem", "ca-9999.cert.pem"), given)},
    }
    assert traditional_key().startswith("-----BEGIN EC PRIVATE KEY-----")
    assert key.startswith("-----BEGIN PRIVATE KEY-----")


def test_a_registry_s_credentials_reach_a_secret_of_their_type(program: Program) -> None:
    case = STAR_PARTY.changed(lambda config: config.update(images={"pullSecret": {"secret": "registry"}}))
    secret = program(case).one("Secret", "party-9999-fate-registry")
    assert secret.inputs["type"] == "kubernetes.io/dockerconfigjson"
    assert plain(secret.inputs["stringData"]) == {".dockerconfigjson": "value-of-registry"}


def files(run: Run) -> dict[str, str]:
    """Every route file, {ConfigMap/file: text}."""
    maps = [item for item in run.of("ConfigMap") if item.inputs["metadata"]["name"] != "fate-owner"]
    return {f"{item.inputs['metadata']['name']}/{name}": text for item in maps for name, text in item.inputs["data"].items()}


def test_route_files_hold_the_addresses_the_cluster_gave(program: Program) -> None:
    texts = files(program(LOCAL))
    assert f"tunnel_route: {cluster_ip('fate-9999/pulsar-public-tls')}:6651\n" in texts["exchange-routes/sni.yaml"]
    assert f"host: {cluster_ip('fate-9999/nginx')}\n" in texts["exchange-routes/route_table.yaml"]
    assert f'proxy: "{cluster_ip("fate-exchange/traffic-server")}:443"\n' in texts["pulsar-route-table/pulsar_route_table.yaml"]
    assert f"host: {cluster_ip('fate-9999/fateflow-client')}\n" in texts["nginx-route-table/route_table.yaml"]
    assert f"host: {cluster_ip('fate-exchange/nginx')}\n" in texts["nginx-route-table/route_table.yaml"]
    assert not [name for name, text in texts.items() if live_values(text)]


def test_rollsite_s_routes_hold_the_addresses_the_cluster_gave(program: Program) -> None:
    texts = files(program(ROLLSITE_LOCAL))
    assert set(texts) == {"exchange-routes/route_table.json", "rollsite-route-table/route_table.json"}
    hub = json.loads(texts["exchange-routes/route_table.json"])["route_table"]
    assert hub["9999"] == {"default": [{"ip": cluster_ip("fate-9999/rollsite"), "port": 9370}]}
    own = json.loads(texts["rollsite-route-table/route_table.json"])["route_table"]
    assert own["default"] == {"default": [{"ip": cluster_ip("fate-exchange/rollsite"), "port": 9370}]}
    assert not live_values(texts)


@pytest.mark.parametrize(
    ("case", "file", "service"),
    [
        (RABBITMQ_MESH_OF_TWO, "rabbitmq-route-table/rabbitmq_route_table.yaml", "rabbitmq-public"),
        (ROLLSITE_MESH_OF_TWO, "rollsite-route-table/route_table.json", "rollsite"),
        (OSX_MESH_OF_TWO, "osx-route-table/route_table.json", "osx"),
    ],
    ids=str,
)
def test_parties_of_one_stack_find_each_other_in_a_mesh(case: Case, file: str, service: str, program: Program) -> None:
    run = program(case)
    for own, other in (("9998", "9999"), ("9999", "9998")):
        (text,) = [
            text
            for item in run.of("ConfigMap")
            for name, text in item.inputs["data"].items()
            if (item.inputs["metadata"]["namespace"], f"{item.inputs['metadata']['name']}/{name}") == (f"fate-{own}", file)
        ]
        assert cluster_ip(f"fate-{other}/{service}") in text
        assert cluster_ip(f"fate-{own}/{service}") not in text


def test_a_party_with_rollsite_registers_its_site_its_objects_and_one_chart(program: Program) -> None:
    run = program(ROLLSITE_STAR)
    assert run.children(run.one("Site", "party-9999")) == {
        ("Namespace", "party-9999-namespace"),
        ("ConfigMap", "party-9999-owner"),
        ("Service", "party-9999-fateflow-client"),
        ("Service", "party-9999-rollsite"),
        ("Service", "party-9999-rollsite-public"),
    }
    assert run.children(run.one("FateParty", "party-9999")) == {
        ("Secret", "party-9999-mysql-credentials"),
        ("ConfigMap", "party-9999-rollsite-routes"),
        ("NetworkPolicy", "party-9999-policy-inside"),
        ("NetworkPolicy", "party-9999-policy-default-deny"),
        ("NetworkPolicy", "party-9999-policy-doctor"),
        ("NetworkPolicy", "party-9999-policy-peers-rollsite"),
        ("Chart", "party-9999"),
    }


def test_a_party_with_rabbitmq_registers_its_site_its_objects_and_one_chart(program: Program) -> None:
    run = program(RABBITMQ_MESH)
    assert run.children(run.one("Site", "party-9999")) == {
        ("Namespace", "party-9999-namespace"),
        ("ConfigMap", "party-9999-owner"),
        ("Service", "party-9999-fateflow-client"),
        ("Service", "party-9999-nginx"),
        ("Service", "party-9999-nginx-public"),
        ("Service", "party-9999-rabbitmq-public"),
    }
    assert run.children(run.one("FateParty", "party-9999")) == {
        ("Secret", "party-9999-mysql-credentials"),
        ("Secret", "party-9999-rabbitmq-credentials"),
        ("ConfigMap", "party-9999-rabbitmq-routes"),
        ("ConfigMap", "party-9999-nginx-routes"),
        ("NetworkPolicy", "party-9999-policy-inside"),
        ("NetworkPolicy", "party-9999-policy-default-deny"),
        ("NetworkPolicy", "party-9999-policy-doctor"),
        ("NetworkPolicy", "party-9999-policy-peers-nginx"),
        ("NetworkPolicy", "party-9999-policy-peers-rabbitmq"),
        ("Chart", "party-9999"),
    }


@pytest.mark.parametrize(
    ("case", "endpoint", "service", "ports"),
    [
        (ROLLSITE_STAR, "rollsite", "rollsite-public", {"grpc": 9370}),
        (OSX_STAR, "osx", "osx-public", {"grpc": 9370}),
        (RABBITMQ_MESH, "rabbitmq", "rabbitmq-public", {"amqp": 5672}),
    ],
    ids=str,
)
def test_the_endpoint_of_each_engine_is_published_with_its_load_balancer(
    case: Case, endpoint: str, service: str, ports: dict[str, int], program: Program
) -> None:
    found = program(case).exports["descriptors"]["party-9999"]["endpoints"][endpoint]
    address = BALANCED[f"fate-9999/{service}"]
    assert found == {"host": address, "addresses": [address], "ports": ports, "tls": False}


def test_the_first_preview_shows_markers_and_no_blank(program: Program) -> None:
    run = program(LOCAL, Cluster(preview=True))
    for item in (*run.of("ConfigMap"), *run.of("Service"), *run.of("Secret")):
        assert not unknown_in(item.inputs), item.label
    texts = files(run)
    assert "host: <known-after-up:fate-9999/nginx.clusterIP>\n" in texts["exchange-routes/route_table.yaml"]
    assert "tunnel_route: <known-after-up:fate-9999/pulsar-public-tls.clusterIP>:6651\n" in texts["exchange-routes/sni.yaml"]
    assert not [name for name, text in texts.items() if "host: \n" in text or "None" in text or ": :" in text]
    assert not unknown_in(run.exports)
    host = run.exports["descriptors"]["party-9999"]["endpoints"]["pulsar"]["host"]
    assert host == "<known-after-up:fate-9999/pulsar-public-tls.loadBalancer>"


def test_a_preview_and_an_up_register_the_same_objects(program: Program) -> None:
    preview, up = program(LOCAL, Cluster(preview=True)), program(LOCAL)
    assert {item.urn for item in preview.resources} == {item.urn for item in up.resources}

    def metadata(run: Run) -> dict[str, Any]:
        return {item.urn: item.inputs.get("metadata") for item in run.resources}

    assert metadata(preview) == metadata(up)


def test_a_second_run_registers_the_same_bytes(program: Program) -> None:
    def recorded(run: Run) -> dict[str, Any]:
        return {item.urn: (plain(item.inputs), item.dependencies) for item in run.resources}

    first, second = program(LOCAL), program(LOCAL)
    assert recorded(first) == recorded(second)
    assert first.exports == second.exports


def test_what_is_published_is_what_the_load_balancers_gave(program: Program) -> None:
    run = program(STAR_PARTY)
    endpoints = run.exports["endpoints"]["party-9999"]
    address = BALANCED["fate-9999/pulsar-public-tls"]
    assert (endpoints["pulsar"]["host"], endpoints["pulsar"]["addresses"]) == (address, [address])
    assert run.exports["descriptors"]["party-9999"]["endpoints"] == endpoints
    assert not live_values(run.exports)


@pytest.mark.parametrize(
    ("case", "own", "theirs"),
    [
        (EXCHANGE, "trafficServer", "pulsar"),
        (EXCHANGE, "nginx", "nginx"),
        (ROLLSITE_EXCHANGE, "rollsite", "rollsite"),
        (MESH, "pulsar", "pulsar"),
        (OSX_MESH, "osx", "osx"),
    ],
    ids=str,
)
def test_a_peer_at_an_address_that_the_cluster_gave_to_this_stack_gets_no_route(
    program: Program, case: Case, own: str, theirs: str
) -> None:
    (unit,) = case.load(program.folder / "planned").plan.units
    ours = program(case).exports["endpoints"][unit.key][own]
    stranger = party_descriptor("10066", "stranger", engine=case.engine)
    endpoint = stranger.endpoints[theirs]
    taken = {
        "host": ours["host"],
        "addresses": tuple(ours["addresses"]),
        "ports": dict.fromkeys(endpoint.ports, min(ours["ports"].values())),
    }
    thief = stranger.model_copy(update={"endpoints": {**stranger.endpoints, theirs: endpoint.model_copy(update=taken)}})
    with pytest.raises(pulumi.RunError, match=rf"fate:peers.stranger: its {theirs} is published at .* this stack's own {unit.key}'s {own}"):
        program(case.with_peer("stranger", thief))
    assert program(case.with_peer("stranger", stranger)).exports["endpoints"][unit.key][own] == ours


def test_a_load_balancer_with_a_host_name_publishes_no_address(program: Program) -> None:
    names = {place: f"lb-{number}.cloud.example" for number, place in enumerate(BALANCED)}
    endpoint = program(STAR_PARTY, Cluster(by_name=names)).exports["endpoints"]["party-9999"]["nginx"]
    assert endpoint["host"] == names["fate-9999/nginx-public"]
    assert endpoint["addresses"] == []


def test_a_load_balancer_without_an_address_stops_an_up_and_says_what_to_do(program: Program) -> None:
    with pytest.raises(pulumi.RunError, match=r"Service fate-9999/[a-z-]+ has no loadBalancer yet: run `pulumi refresh`"):
        program(STAR_PARTY, Cluster())


def test_an_advertised_load_balancer_needs_no_address_of_its_own(program: Program) -> None:
    said = {"type": "LoadBalancer", "advertise": {"host": "203.0.113.200"}}
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(publish={"pulsar": said, "nginx": said}))
    assert program(case, Cluster()).exports["endpoints"]["party-9999"]["pulsar"]["host"] == "203.0.113.200"


def test_a_site_publishes_the_address_of_each_service(program: Program) -> None:
    run = program(STAR_PARTY)
    found = run.outputs_of(run.one("Site", "party-9999"))["addresses"]
    assert found == {
        "<known-after-up:fate-9999/fateflow-client.clusterIP>": cluster_ip("fate-9999/fateflow-client"),
        "<known-after-up:fate-9999/nginx.clusterIP>": cluster_ip("fate-9999/nginx"),
        "<known-after-up:fate-9999/nginx-public.clusterIP>": cluster_ip("fate-9999/nginx-public"),
        "<known-after-up:fate-9999/nginx-public.loadBalancer>": BALANCED["fate-9999/nginx-public"],
        "<known-after-up:fate-9999/pulsar-public-tls.clusterIP>": cluster_ip("fate-9999/pulsar-public-tls"),
        "<known-after-up:fate-9999/pulsar-public-tls.loadBalancer>": BALANCED["fate-9999/pulsar-public-tls"],
    }


def test_a_unit_publishes_its_descriptor_and_the_digest_of_its_routes(program: Program) -> None:
    run = program(LOCAL)
    for kind, name in (("FateParty", "party-9999"), ("Exchange", "exchange")):
        outputs = run.outputs_of(run.one(kind, name))
        assert plain(outputs["descriptor"]) == numbers(run.exports["descriptors"][name])
        assert outputs["routeRevision"] == run.exports["routeRevision"][name]
    data = {"data": run.one("ConfigMap", "exchange-routes").inputs["data"]}
    assert (
        run.exports["routeRevision"]["exchange"] == hashlib.sha256(json.dumps({"routes": data}, sort_keys=True).encode()).hexdigest()[:16]
    )


def test_a_provided_ca_of_the_party_alone_is_published_and_nothing_else_of_its_secrets(program: Program) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    authority = authority_certificate(key, party="9999", domain="fraud.example", today=date(2026, 1, 1), years=5)
    secrets = secrets_for(STAR_PARTY, program.folder / "names") | {"party-9999-ca": authority}
    run = program(STAR_PARTY, secrets=secrets)
    body = run.exports["descriptors"]["party-9999"]
    assert body["trust"] == {"authorities": [authority]}
    assert not [name for name, value in secrets.items() if value.strip() in str(body) and name != "party-9999-ca"]
    assert "trust" not in program(STAR_PARTY).exports["descriptors"]["party-9999"]


def test_peers_are_visible_and_own_no_object(program: Program) -> None:
    run = program(EXCHANGE)
    peers = run.of("ExternalParty")
    assert {peer.name for peer in peers} == {"bank-a", "clinic-b"}
    for peer in peers:
        assert run.children(peer) == set()
    outputs = run.outputs_of(run.one("ExternalParty", "clinic-b"))
    assert outputs["state"] == "active"
    assert outputs["descriptor"]["partyId"] == "10000"
    assert run.of("ExternalExchange") == []


def test_an_exchange_typed_by_hand_is_visible_too(program: Program) -> None:
    run = program(BY_HAND_EXCHANGE)
    assert run.outputs_of(run.one("ExternalExchange", "consortium"))["descriptor"]["kind"] == "exchange"


def test_the_outputs_are_maps_by_unit(program: Program) -> None:
    run = program(LOCAL)
    by_unit = {"descriptors", "endpoints", "routeRevision", "modules", "access", "release"}
    assert set(run.exports) == by_unit | {"pendingPeers", "peers", "identity", "renewalDue"}
    for name in by_unit:
        assert set(run.exports[name]) == {"exchange", "party-9999"}, name
    assert run.exports["release"] == {"exchange": "1.11.2", "party-9999": "1.11.2"}
    assert run.exports["pendingPeers"] == {}
    assert run.exports["peers"] == {"clinic-b": {"state": "active"}}
    assert run.exports["modules"]["exchange"]["trafficServer"] == {"image": "federatedai/trafficserver:9.2.0", "replicas": 1}


def test_a_preview_prints_one_line_of_what_the_state_remembers_and_every_line_of_an_object(program: Program) -> None:
    resources = program(LOCAL).resources
    remembering = {item.label for item in resources if item.type.startswith("fate:federation:") and item.inputs}
    assert remembering == {("Units", "units")} | {
        (kind, key) for key, unit in (("party-9999", "FateParty"), ("exchange", "Exchange")) for kind in ("Site", unit)
    }
    assert {item.label for item in resources if item.hidden == ("*",)} == remembering
    assert {item.hidden for item in resources if item.label not in remembering} == {()}


def test_a_pending_peer_is_an_output_and_a_warning_and_no_component(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    run = program(PENDING)
    assert set(run.exports["pendingPeers"]) == {"consortium"}
    [pending, images] = warnings
    assert "fatefed peers add" in pending
    assert "no digest" in images
    assert run.of("ExternalExchange") == []


def test_a_new_member_changes_routes_and_policies_and_no_other_registered_object(program: Program) -> None:
    from tests.support.configs import party_descriptor

    def recorded(run: Run) -> dict[str, Registered]:
        return {item.urn: item for item in run.resources}

    before = recorded(program(EXCHANGE))
    joined = party_descriptor("10001", "hospital-c", host="203.0.113.30", nginx="203.0.113.31")
    after = recorded(program(EXCHANGE.with_peer("hospital-c", joined)))
    assert {after[urn].label for urn in after if after[urn] != before.get(urn)} == {
        ("ConfigMap", "exchange-routes"),
        ("NetworkPolicy", "exchange-policy-doctor"),
        ("NetworkPolicy", "exchange-policy-peers-nginx"),
        ("NetworkPolicy", "exchange-policy-peers-traffic-server"),
        ("Exchange", "exchange"),
        ("ExternalParty", "hospital-c"),
    }
    assert set(before) < set(after)


def test_a_unit_remembers_the_facts_that_the_next_preview_compares(program: Program) -> None:
    plan = program(EXCHANGE).one("Exchange", "exchange")
    assert plan.inputs["links"].keys() == {"9999", "10000"}
    assert plan.inputs["modules"].keys() == {"trafficServer", "nginx"}
    assert "192.0.2" not in str(plan.inputs), "digests, no addresses"


def test_a_wrong_stack_is_refused_before_anything_is_registered(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr("components.cluster.k8s.Provider", lambda *args, **_options: registered.append(args[0]))
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(release="9.9.9"))
    with pytest.raises(pulumi.RunError, match=r"unknown release 9\.9\.9") as caught:
        program(case, secrets={})
    assert "stacks/Pulumi.bank-a.yaml:" in str(caught.value)
    assert registered == []


def test_missing_secrets_are_refused_before_anything_is_registered(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr("components.cluster.k8s.Provider", lambda *args, **_options: registered.append(args[0]))
    with pytest.raises(pulumi.RunError, match="5 problems in the configuration"):
        program(STAR_PARTY, secrets={})
    assert registered == []


def test_a_misspelt_section_of_the_stack_file_stops_the_program(program: Program) -> None:
    case = STAR_PARTY.changed(lambda config: config.update(imagse={}))
    with pytest.raises(pulumi.RunError, match="unknown key 'imagse'"):
        program(case, secrets={})


def test_a_stack_remembers_the_data_of_its_units_before_all_else(program: Program, tmp_path: Path) -> None:
    case = LOCAL.changed(lambda config: config["parties"]["9999"].update(persistence={}))
    run = program(case)
    units = run.one("Units", "units")
    planned = {unit.key: unit.data for unit in case.load(tmp_path).plan.units}
    assert planned.keys() == {"exchange", "party-9999"}
    assert units.inputs == numbers(planned) | {"cluster": {"kube-system": "UID of kube-system"}}
    assert {name: run.one("Site", name).inputs for name in planned} == numbers(planned)
    kinds = [resource.label[0] for resource in run.resources]
    providers = [run.resources.index(run.one("kubernetes", name)) for name in ("cluster-reader", "cluster", "cluster-retained")]
    assert kinds.count("kubernetes") == len(providers)
    assert providers[0] < kinds.index("Units") < min(providers[1:])
    assert max(providers) < kinds.index("Namespace")
    assert kinds.index("Units") < kinds.index("Site") < kinds.index("Exchange")


def test_many_peers_stand_in_one_component_and_few_in_one_each(program: Program) -> None:
    def members(count: int) -> Case:
        peers = {f"member-{n}": {"partyId": str(20000 + n), "unsigned": True, "rollsite": f"198.51.100.{n + 1}:9370"} for n in range(count)}
        return ROLLSITE_EXCHANGE.changed(lambda config: config.update(peers=peers))

    few, many = program(members(MANY_PEERS)), program(members(MANY_PEERS + 1))
    assert len(few.of("ExternalParty")) == MANY_PEERS
    assert few.of("ExternalPeers") == []
    assert many.of("ExternalParty") == []
    inputs = many.one("ExternalPeers", "external-peers").inputs["peers"]
    assert len(inputs) == MANY_PEERS + 1
    assert inputs["member-0"].startswith("party 20000, active, rollsite 198.51.100.1:9370, descriptor ")
