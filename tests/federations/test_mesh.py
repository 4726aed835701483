"""A mesh of three organizations that are in a star, too: real `pulumi up`, second stacks in the same projects and clusters."""

import json
from typing import Any

import pytest
import yaml

from sandbox.workspace import Workspace
from tests.engine.operators import config_map, hand_over, republish
from tests.federations.organizations import (
    MESH,
    PARTY,
    STAR,
    Organizations,
    configure,
    external,
    golden,
    listed,
    mesh_rerouted,
    rerouted,
    serial,
    service,
)

pytestmark = pytest.mark.engine

TABLES = {"nginx-route-table": "route_table.yaml", "rabbitmq-route-table": "rabbitmq_route_table.yaml"}


def tables(space: Workspace, party: str) -> dict[str, dict[str, Any]]:
    """Both route tables of a party, keys as texts."""
    found = {name: yaml.safe_load(config_map(space, f"trials-{party}", name)[file]) for name, file in TABLES.items()}
    return {name: {str(key): entry for key, entry in table.items()} for name, table in found.items()}


def test_each_first_preview_lists_exactly_the_objects_of_its_golden_list(both: Organizations) -> None:
    known: list[str] = []
    for name, party in MESH.items():
        expected = [*golden("mesh-party", stack=f"{name}-trials", party=party), *external("create", "Party", *known)]
        assert both.joins["trials", name].first == sorted(expected), name
        known.append(name)


def test_each_join_changes_the_routes_and_policies_of_all_members_and_of_nobody_else(both: Organizations) -> None:
    known: dict[str, str] = {}
    for name, party in MESH.items():
        join = both.joins["trials", name]
        created = external("create", "Party", name)
        assert join.accepting == {other: sorted([*created, *mesh_rerouted(their)]) for other, their in known.items()}, name
        assert join.after == {}, f"{name} deployed, all accepted it, and a stack of either federation is not done"
        known[name] = party


def test_every_party_of_the_mesh_leads_to_itself_and_the_two_others(both: Organizations) -> None:
    brokers = set()
    for name, party in MESH.items():
        found = tables(both.mesh[name], party)
        assert {table: set(entries) for table, entries in found.items()} == {key: set(MESH.values()) for key in TABLES}, "no default"
        brokers |= {(other, entry["host"]) for other, entry in found["rabbitmq-route-table"].items() if other != party}
    endpoints = {party: published(both.mesh[name], party) for name, party in MESH.items()}
    assert brokers == {(party, endpoint["host"]) for party, endpoint in endpoints.items()}
    assert len({host for _, host in brokers}) == 3


def published(space: Workspace, party: str) -> dict[str, Any]:
    """Where a party's RabbitMQ is reached."""
    found: dict[str, Any] = space.json("pulumi", "stack", "output", "-s", space.organization)["endpoints"][f"party-{party}"]["rabbitmq"]
    return found


def test_a_new_port_is_followed_by_each_member_that_accepts_it(both: Organizations) -> None:
    space = both.mesh["clinic-b"]
    configure(space, "parties.20000.publish.rabbitmq.port", "15673")
    assert listed(space) == ["update fate:federation:FateParty::party-20000", service("party-20000-rabbitmq-public")]
    republish(space)
    followers = {"bank-a": "9999", "hospital-c": "20001"}
    for name, party in followers.items():
        other = both.mesh[name]
        accepted = serial(other, "clinic-b")
        assert listed(other) == [], "nobody follows an address that was not accepted"
        hand_over(space, other, name="clinic-b")
        assert serial(other, "clinic-b") > accepted
        # nginx is published where it was: its route file and its policy stay.
        assert listed(other) == rerouted(PARTY, f"party-{party}", ("rabbitmq-routes",), ("rabbitmq",))
        other.up()
        assert tables(other, party)["rabbitmq-route-table"]["20000"]["port"] == 15673
    assert both.others() == {}


def test_one_side_alone_suspends_a_peer_and_takes_it_back(both: Organizations) -> None:
    space = both.mesh["bank-a"]
    before = {name: config_map(space, "trials-9999", name) for name in TABLES}
    space.fatefed("peers", "suspend", "hospital-c", "--reason", "audit")
    assert listed(space) == mesh_rerouted("9999")
    space.up()
    during = tables(space, "9999")
    assert set(during["rabbitmq-route-table"]) == {"9999", "20000"}
    assert during["nginx-route-table"]["20001"]["fateflow"][0]["host"] == "127.0.0.1", "nginx forgets entries at a restart only"
    assert both.others() == {}, "neither its peers nor its own stack in the star"
    assert "20001" in tables(both.mesh["clinic-b"], "20000")["rabbitmq-route-table"]
    space.fatefed("peers", "resume", "hospital-c")
    assert listed(space) == mesh_rerouted("9999")
    space.up()
    assert {name: config_map(space, "trials-9999", name) for name in TABLES} == before
    assert listed(space) == []


def test_an_organization_in_two_federations_has_two_stacks_that_share_a_cluster_and_no_object(both: Organizations) -> None:
    for name, party in MESH.items():
        stacks = {stack.organization: made(stack) for stack in (both.star[name], both.mesh[name])}
        (star, mesh) = stacks.values()
        assert min(len(star), len(mesh)) > 10
        assert not star & mesh
        assert {namespace for _, namespace, _ in star} == {f"fate-{STAR[name]}"}
        assert {namespace for _, namespace, _ in mesh} == {f"trials-{party}"}
        assert both.star[name].kubeconfig == both.mesh[name].kubeconfig
        workloads = both.mesh[name].kubectl("get", "deployments,statefulsets", "-A")["items"]
        ours = [item for item in workloads if item["metadata"]["namespace"] in (f"fate-{STAR[name]}", f"trials-{party}")]
        assert len(ours) == 7, "FATE-Flow and MySQL twice, OSX, RabbitMQ, nginx"
        assert [item["metadata"]["name"] for item in ours if item["status"].get("readyReplicas") != item["spec"]["replicas"]] == []


def made(space: Workspace) -> set[tuple[str, str, str]]:
    """Every object that a stack has, not one that it only reads: kind, namespace, name."""
    state = json.loads(space.run("pulumi", "stack", "export", "-s", space.organization))["deployment"]["resources"]
    managed = [resource for resource in state if resource["type"].startswith("kubernetes:") and not resource.get("external")]
    objects = [resource for resource in managed if "metadata" in resource.get("outputs", {})]
    places = [(resource["type"], resource["outputs"]["metadata"]) for resource in objects]
    return {(kind, metadata.get("namespace") or metadata["name"], metadata["name"]) for kind, metadata in places}


def test_a_descriptor_of_one_federation_is_no_peer_in_the_other(both: Organizations) -> None:
    sender, receiver = both.mesh["clinic-b"], both.star["bank-a"]
    file = receiver.folder / "stray.json"
    sender.fatefed("descriptor", "export", "-o", str(file))
    refused = receiver.attempt("fatefed", "peers", "add", str(file), "-s", "bank-a", "--yes", "--name", "stray")
    assert refused.returncode == 1
    assert b"is a descriptor of federation trials (trials.example); this stack belongs to fraud" in refused.stderr
