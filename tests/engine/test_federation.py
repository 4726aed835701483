"""Three organizations, three API servers, real `pulumi`: what the federation looks like after it was linked."""

import ipaddress
import json

import pytest
import yaml

from tests.engine.operators import DOMAIN, Federation, config_map, hand_over, objects, republish
from tests.support.stacks import REPO

pytestmark = pytest.mark.engine

NAMESPACES = {"consortium": "fate-exchange", "bank-a": "fate-9999", "clinic-b": "fate-10000"}


def test_first_previews_are_complete(federation: Federation) -> None:
    assert set(federation.first_previews) == {"consortium", "bank-a", "clinic-b"}
    for organization, text in federation.first_previews.items():
        assert "incomplete" not in text.lower(), organization
        assert "apps/v1:Deployment" in text, f"{organization}: the preview does not show the chart's workloads"


POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def test_importing_two_parties_changes_routes_and_network_policies_in_place(federation: Federation) -> None:
    assert sorted(objects(federation.linking)) == [
        ("update", "kubernetes:core/v1:ConfigMap", "exchange-routes"),
        ("update", POLICY, "exchange-policy-doctor"),
        ("update", POLICY, "exchange-policy-peers-nginx"),
        ("update", POLICY, "exchange-policy-peers-traffic-server"),
    ]
    before, after = federation.routes_uid
    assert before == after, "the ConfigMap was replaced"


def test_trusting_a_member_of_the_star_changes_one_secret_and_the_routes_in_place(federation: Federation) -> None:
    assert {name: sorted(objects(changes)) for name, changes in federation.trusting.items()} == {
        name: [
            ("update", "kubernetes:core/v1:ConfigMap", f"party-{party}-nginx-routes"),
            ("update", "kubernetes:core/v1:ConfigMap", f"party-{party}-pulsar-routes"),
            ("update", "kubernetes:core/v1:Secret", f"party-{party}-pulsar-cert"),
        ]
        for name, party in (("bank-a", "9999"), ("clinic-b", "10000"))
    }


def test_the_picture_in_readme_is_that_of_bank_a(federation: Federation) -> None:
    picture = federation.bank.run("fatefed", "topology", "-s", "bank-a")
    assert picture.count("<-->") == 4
    assert f"```mermaid\n{picture}```\n" in (REPO / "README.md").read_text("utf-8")


def test_every_module_is_ready(federation: Federation) -> None:
    for space in federation.all:
        workloads = space.kubectl("get", "deployments,statefulsets", "-n", NAMESPACES[space.organization])["items"]
        assert len(workloads) == (2 if space is federation.consortium else 10), [w["metadata"]["name"] for w in workloads]
        lacking = [w["metadata"]["name"] for w in workloads if w["status"].get("readyReplicas", 0) != w["spec"]["replicas"]]
        assert not lacking, f"{space.organization}: {lacking}"


def test_every_claim_of_a_party_is_bound(federation: Federation) -> None:
    for space in (federation.bank, federation.clinic):
        claims = space.kubectl("get", "pvc", "-n", NAMESPACES[space.organization])["items"]
        assert len(claims) == 8, "one of each data-bearing module, three of HDFS"
        assert {claim["status"]["phase"] for claim in claims} == {"Bound"}


def test_the_exchange_routes_exactly_to_the_published_addresses(federation: Federation) -> None:
    published = {party: _endpoints(space, f"party-{party}") for party, space in (("9999", federation.bank), ("10000", federation.clinic))}
    data = config_map(federation.consortium, "fate-exchange", "exchange-routes")
    tunnels = {entry["fqdn"]: entry["tunnel_route"] for entry in yaml.safe_load(data["sni.yaml"])["sni"]}
    assert tunnels == {
        f"{party}.{DOMAIN}": f"{endpoints['pulsar']['host']}:{endpoints['pulsar']['ports']['tls']}"
        for party, endpoints in published.items()
    }
    nginx = yaml.safe_load(data["route_table.yaml"])
    assert nginx == {int(party): {"fateflow": [_nginx_entry(endpoints["nginx"])]} for party, endpoints in published.items()}


def test_a_party_dials_only_itself_and_its_exchange(federation: Federation) -> None:
    exchange = _endpoints(federation.consortium, "exchange")
    for party, other, space in ((9999, 10000, federation.bank), (10000, 9999, federation.clinic)):
        nginx = yaml.safe_load(config_map(space, f"fate-{party}", "nginx-route-table")["route_table.yaml"])
        pulsar = yaml.safe_load(config_map(space, f"fate-{party}", "pulsar-route-table")["pulsar_route_table.yaml"])
        assert (set(nginx), set(pulsar)) == ({party, other, "default"}, {party, "default"})
        assert nginx["default"] == {"proxy": [_nginx_entry(exchange["nginx"])]}
        assert nginx[other] == {"fateflow": [_nginx_entry(exchange["nginx"])]}
        assert pulsar["default"]["proxy"] == f"{exchange['trafficServer']['host']}:{exchange['trafficServer']['ports']['tls']}"
        hosts = [target["host"] for services in nginx.values() for targets in services.values() for target in targets]
        assert len(hosts) == 4
        for host in hosts:
            ipaddress.ip_address(host)


def test_a_second_up_changes_nothing(federation: Federation) -> None:
    for space in federation.all:
        assert space.preview() == [], space.organization
        counts = space.up()
        assert set(counts) == {"unchanged"}, f"{space.organization}: {counts}"


def test_no_password_leaves_secrets(federation: Federation) -> None:
    assert len(federation.passwords) == 8
    for space in federation.all:
        exposed = json.dumps(space.kubectl("get", "configmaps,deployments,statefulsets,services,pods", "-A"))
        state = space.run("pulumi", "stack", "export", "-s", space.organization)
        outputs = space.run("pulumi", "stack", "output", "--json", "-s", space.organization)
        files = "".join(path.read_text() for path in (space.folder / "stacks").rglob("*.*"))
        for name, value in federation.passwords.items():
            for where, text in (("objects", exposed), ("state", state), ("outputs", outputs), ("files", files)):
                assert value not in text, f"{name} is readable in {space.organization}'s {where}"
        for text in (exposed, state, outputs, files):
            assert "PRIVATE KEY" not in text
    secret = federation.bank.kubectl("get", "secret", "mysql-credentials", "-n", "fate-9999")
    assert "password" in secret["data"]


def test_a_changed_port_of_a_peer_updates_its_routes_and_the_policy_of_who_dials_it(federation: Federation) -> None:
    space = federation.clinic
    space.run("pulumi", "config", "set", "--path", "fate:parties.10000.publish.pulsar.port", "16651", "-s", "clinic-b")
    changes = objects(space.preview())
    assert changes == [("update", "kubernetes:core/v1:Service", "party-10000-pulsar-public-tls")]
    republish(space)
    hand_over(space, federation.consortium)
    assert sorted(objects(federation.consortium.preview())) == [
        ("update", "kubernetes:core/v1:ConfigMap", "exchange-routes"),
        ("update", POLICY, "exchange-policy-doctor"),
        ("update", POLICY, "exchange-policy-peers-traffic-server"),
    ]
    federation.consortium.up()
    data = config_map(federation.consortium, "fate-exchange", "exchange-routes")
    assert ":16651" in data["sni.yaml"]
    assert "16651" in data["records.config"]


def _endpoints(space, unit):  # type: ignore[no-untyped-def]
    return space.json("pulumi", "stack", "output", "-s", space.organization)["endpoints"][unit]


def _nginx_entry(endpoint):  # type: ignore[no-untyped-def]
    (address,) = endpoint["addresses"]
    return {"host": address, "http_port": endpoint["ports"]["http"]}
