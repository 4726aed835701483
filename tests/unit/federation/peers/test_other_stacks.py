"""What another stack publishes: which unit is taken, why none, and what a preview says when it is not what was accepted."""

import json
from pathlib import Path
from typing import Any

import pytest

from federation.peers.descriptor import Descriptor
from federation.peers.other_stacks import HIDDEN, UnitDescriptor, Unread, published_unit, source_warnings
from federation.stack.load import LoadedStack
from tests.support.configs import CLINIC, EXCHANGE, Case
from tests.support.stacks import exchange, party

OTHER = "organization/fate/clinic-b"


def of_stack(descriptor: Descriptor = CLINIC, **entry: Any) -> Case:
    """An exchange with a member whose descriptor was accepted from another stack."""
    return Case("an exchange", EXCHANGE.config).with_peer_file(
        "clinic-b", descriptor.text().encode(), **{"stack": OTHER, "unit": "party-10000", **entry}
    )


def without_peers(case: Case) -> Case:
    """The same with nobody else."""
    only = case.config["peers"]["clinic-b"]
    return case.changed(lambda config: config.update(peers={"clinic-b": only}))


def said(loaded: LoadedStack, published: object) -> list[str]:
    """The warnings of a preview of stack `hub`, when every stack has this output."""
    return list(source_warnings(loaded.spec, loaded.peers, lambda _stack: published, "hub"))


@pytest.fixture
def hub(tmp_path: Path) -> LoadedStack:
    """The exchange, loaded."""
    return without_peers(of_stack()).load(tmp_path)


def body(**changes: Any) -> dict[str, Any]:
    """What the clinic publishes, as the engine hands it over: numbers are doubles."""

    def doubles(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: doubles(value) for key, value in data.items()}
        return float(data) if isinstance(data, int) and not isinstance(data, bool) else data

    found: dict[str, Any] = doubles(CLINIC.plain() | changes)
    return found


def test_the_only_unit_needs_no_name() -> None:
    found = published_unit({"party-10000": body()}, None, OTHER)
    assert found == UnitDescriptor("party-10000", CLINIC)


def test_a_descriptor_is_the_same_file_whether_it_came_by_the_engine_or_by_hand() -> None:
    given = body()
    assert isinstance(given["schemaVersion"], float)
    found = published_unit({"party-10000": given}, "party-10000", OTHER)
    assert isinstance(found, UnitDescriptor)
    assert found.descriptor.text() == CLINIC.text()


@pytest.mark.parametrize(
    ("published", "unit", "problem", "remedy"),
    [
        (None, None, "publishes no descriptor: it is not deployed", "run `pulumi up` of that stack first"),
        ({}, "exchange", "publishes no descriptor: it is not deployed", "run `pulumi up` of that stack first"),
        ([], None, "publishes no descriptor: it is not deployed", "run `pulumi up` of that stack first"),
        (HIDDEN, None, "is a secret, but a descriptor never holds a secret", "find out which of its values is secret"),
        (Unread("unknown stack 'x'"), None, "cannot be read: unknown stack 'x'", "name it in full"),
        ({"exchange": {}, "party-1": {}}, None, "publishes more than one descriptor: exchange, party-1", "choose one with --unit"),
        ({"exchange": {}, "party-1": {}}, "party-2", "has no deployed unit party-2", "choose one of exchange, party-1"),
    ],
)
def test_a_stack_without_that_descriptor_is_explained(published: object, unit: str | None, problem: str, remedy: str) -> None:
    (found,) = published_unit(published, unit, OTHER)  # type: ignore[misc]
    assert found.place == f"stack {OTHER}"
    assert (problem in found.problem, remedy in found.remedy) == (True, True), found


@pytest.mark.parametrize(
    "wrong", [{"mysqlPassword": "x"}, {"partyId": None}, {"kind": "hub"}, float("nan"), {"endpoints": object()}, "[secret]", None]
)
def test_what_is_no_descriptor_is_a_problem_and_no_crash(wrong: Any) -> None:
    given = body(**wrong) if isinstance(wrong, dict) else wrong
    found = published_unit({"party-10000": given}, None, OTHER)
    assert isinstance(found, tuple)
    assert found
    assert all(f"output descriptors.party-10000 of stack {OTHER}" in problem.place for problem in found)


def test_the_same_descriptor_is_not_worth_a_word(hub: LoadedStack) -> None:
    assert [peer.name for peer in hub.peers.accepted] == ["clinic-b"]
    assert said(hub, {"party-10000": body()}) == []


def test_another_descriptor_is_named_field_by_field_with_the_command_that_accepts_it(hub: LoadedStack) -> None:
    endpoints = json.loads(json.dumps(CLINIC.plain()["endpoints"]))
    old, endpoints["pulsar"]["host"] = endpoints["pulsar"]["host"], "203.0.113.77"
    (warning,) = said(hub, {"party-10000": body(endpoints=endpoints, release="1.11.1")})
    assert f"peer clinic-b: stack {OTHER} publishes a descriptor that differs from the accepted one, which stays in force" in warning
    assert f"(endpoints.pulsar.host: {old} -> 203.0.113.77; release: 1.11.2 -> 1.11.1)" in warning
    assert warning.endswith("run `fatefed peers add --name clinic-b -s hub`")


def test_many_and_long_fields_leave_a_warning_readable(tmp_path: Path) -> None:
    everything = Descriptor.model_validate(
        party(
            endpoints={
                "pulsar": {
                    "host": "198.51.100.99",
                    "addresses": [f"198.51.100.{number}" for number in range(10, 20)],
                    "ports": {"tls": 6652},
                    "tls": True,
                    "serverName": "10000.fraud.example",
                },
                "nginx": {"host": "198.51.100.98", "addresses": ["198.51.100.98"], "ports": {"http": 9301, "grpc": 9311}, "tls": False},
            },
            backends={"computing": "Spark_local", "federation": "Pulsar", "storage": "LocalFS"},
            release="1.11.1",
            organization="clinic-c",
        )
    )
    (warning,) = said(without_peers(of_stack()).load(tmp_path), {"party-10000": everything.plain()})
    assert "endpoints.pulsar.addresses differs" in warning
    assert "; 2 more)" in warning
    assert warning.count("; ") == 8
    assert len(warning) < 1000


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        (None, "publishes no descriptor: it is not deployed"),
        (Unread("unknown stack"), "cannot be read: unknown stack"),
        ({"exchange": exchange()}, "has no deployed unit party-10000"),
        ({"party-10000": body(federation={"name": "aml", "domain": "aml.example"})}, "is a descriptor of federation aml (aml.example)"),
    ],
)
def test_what_cannot_be_accepted_leaves_the_accepted_one_in_force(hub: LoadedStack, published: object, expected: str) -> None:
    (warning,) = said(hub, published)
    assert warning.startswith(f"peer clinic-b: stack {OTHER} ")
    assert expected in warning
    assert "; its accepted descriptor stays in force: " in warning


@pytest.mark.parametrize(("state", "asked"), [("active", 1), ("suspended", 1), ("pending", 1), ("retired", 0)])
def test_a_retired_peer_is_not_asked_any_more(tmp_path: Path, state: str, asked: int) -> None:
    loaded = without_peers(of_stack(state=state)).load(tmp_path)
    assert len(said(loaded, None)) == asked


def test_a_stack_with_several_units_is_read_once(tmp_path: Path) -> None:
    second = Descriptor.model_validate(party("clinic-b", "10001", host="198.51.100.21"))
    case = without_peers(of_stack()).with_peer_file("clinic-c", second.text().encode(), stack=OTHER, unit="party-10001")
    loaded, asked = case.load(tmp_path), []

    def read(stack: str) -> object:
        asked.append(stack)
        return {"party-10000": body(), "party-10001": second.plain()}

    assert list(source_warnings(loaded.spec, loaded.peers, read, "hub")) == []
    assert asked == [OTHER]


def test_no_other_stack_is_read_for_peers_that_came_by_file(tmp_path: Path) -> None:
    loaded = EXCHANGE.load(tmp_path)
    assert loaded.peers.accepted

    def read(stack: str) -> object:
        raise AssertionError(stack)

    assert list(source_warnings(loaded.spec, loaded.peers, read, "hub")) == []


def test_a_stack_that_was_not_read_yet_leaves_its_peer_pending_with_the_command(tmp_path: Path) -> None:
    case = without_peers(of_stack()).changed(lambda config: config.update(peers={"clinic-b": {"stack": OTHER}}))
    loaded = case.load(tmp_path)
    assert loaded.peers.pending == {"clinic-b": f"stack {OTHER} was not read yet: run `fatefed peers add --name clinic-b`"}
    assert said(loaded, None) == []


def test_a_file_that_was_announced_for_a_stack_is_made_by_the_same_command(tmp_path: Path) -> None:
    peers = {"clinic-b": {"stack": OTHER, "descriptor": "peers/x.json"}}
    loaded = without_peers(of_stack()).changed(lambda config: config.update(peers=peers)).load(tmp_path)
    assert loaded.peers.pending == {"clinic-b": "peers/x.json is not there yet: to make it, run `fatefed peers add --name clinic-b`"}
