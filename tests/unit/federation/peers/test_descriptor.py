"""The descriptor: one class for export and import, canonical, and unable to hold a secret."""

import copy
import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from federation.base.json_document import MAX_BYTES
from federation.base.live import LiveValue, live_values, substitute
from federation.catalogue.kinds import KINDS
from federation.catalogue.links import published as published_services
from federation.catalogue.native import NATIVE
from federation.peers.descriptor import Descriptor, FieldChange, differences, digest, finish, parse
from federation.pki.authority import short_fingerprint
from tests.support.configs import (
    CLINIC,
    EVERY_CASE,
    EXCHANGE,
    LOCAL,
    NODE_PORTS,
    RABBITMQ_CLINIC,
    RABBITMQ_MESH,
    ROLLSITE_CLINIC,
    ROLLSITE_EXCHANGE,
    ROLLSITE_STAR,
    STAR_PARTY,
    Case,
    exchange_descriptor,
    portal_descriptor,
    serving_descriptor,
)
from tests.support.peer_servers import authority

PAGE = Path(__file__).resolve().parents[4] / "docs/reference/descriptor.md"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n"
SERVING_CLINIC, SERVING_HUB = serving_descriptor(), serving_descriptor(None, "consortium")
PORTAL_CLINIC, FML_MANAGER = portal_descriptor(), portal_descriptor(None, "consortium")
BOTH = [CLINIC, exchange_descriptor(), RABBITMQ_CLINIC, ROLLSITE_CLINIC]


def published(case: Case, folder: Path, address: str = "203.0.113.77") -> dict[str, Descriptor]:
    """The descriptors of a stack after an apply in which every live address was this one."""
    bodies = {unit.key: unit.descriptor for unit in case.load(folder).plan.units}
    return {key: finish(substitute(body, dict.fromkeys(live_values(body), address))) for key, body in bodies.items()}


def paths(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything inside nested data."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path."""
    for part in path:
        data = data[part]
    return data


def altered(data: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """A copy with another value at a path."""
    data = copy.deepcopy(data)
    at(data, path[:-1])[path[-1]] = value
    return data


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_what_is_exported_is_imported_as_the_same_descriptor(case: Case, tmp_path: Path) -> None:
    descriptors = published(case, tmp_path)
    assert descriptors
    for descriptor in descriptors.values():
        again = parse(descriptor.text().encode(), "here")
        assert again == descriptor
        assert isinstance(again, Descriptor)
        assert again.text() == descriptor.text()
        assert not live_values(descriptor.text())


def test_an_exported_party_says_where_it_is_reached_and_what_it_runs(tmp_path: Path) -> None:
    assert published(STAR_PARTY, tmp_path)["party-9999"].plain() == {
        "schemaVersion": 1,
        "kind": "party",
        "federation": {"name": "fraud", "domain": "fraud.example"},
        "organization": "bank-a",
        "partyId": "9999",
        "release": "1.11.2",
        "backends": {"computing": "Spark", "federation": "Pulsar", "storage": "HDFS"},
        "endpoints": {
            "pulsar": {
                "host": "203.0.113.77",
                "addresses": ["203.0.113.77"],
                "ports": {"tls": 6651},
                "tls": True,
                "serverName": "9999.fraud.example",
            },
            "nginx": {"host": "203.0.113.77", "addresses": ["203.0.113.77"], "ports": {"http": 9300}, "tls": False},
        },
    }


def test_an_exported_exchange_has_no_party_id_and_no_engines(tmp_path: Path) -> None:
    body = published(EXCHANGE, tmp_path)["exchange"].plain()
    assert (body["kind"], body["organization"]) == ("exchange", "consortium")
    assert not {"partyId", "backends"} & set(body)
    assert body["endpoints"]["trafficServer"]["ports"] == {"tls": 443}


def test_an_exchange_imports_what_a_party_exported(tmp_path: Path) -> None:
    descriptor = published(STAR_PARTY, tmp_path / "bank")["party-9999"]
    texts = EXCHANGE.with_peer("bank-a", descriptor).load(tmp_path / "consortium").plan.unit("exchange").routes[0].fields["data"]
    assert "9999.fraud.example\n    tunnel_route: 203.0.113.77:6651\n" in texts["sni.yaml"]
    assert "9999:\n  fateflow:\n    - host: 203.0.113.77\n" in texts["route_table.yaml"]


def test_what_is_advertised_wins_over_the_address_of_the_service(tmp_path: Path) -> None:
    endpoints = published(NODE_PORTS, tmp_path)["party-9999"].endpoints
    assert (endpoints["pulsar"].host, endpoints["pulsar"].addresses) == ("203.0.113.9", ("203.0.113.9",))
    assert endpoints["pulsar"].ports == {"tls": 30651}
    assert endpoints["nginx"].ports == {"http": 30930}


def test_an_advertised_name_comes_with_the_advertised_addresses_only(tmp_path: Path) -> None:
    def advertise(*addresses: str) -> Case:
        said = {"type": "LoadBalancer", "advertise": {"host": "fate.bank-a.example", "addresses": list(addresses)}}
        return STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(publish={"pulsar": said, "nginx": said}))

    named = published(advertise(), tmp_path / "named")["party-9999"].endpoints["nginx"]
    assert (named.host, named.addresses) == ("fate.bank-a.example", ())
    both = published(advertise("203.0.113.5"), tmp_path / "both")["party-9999"].endpoints["nginx"]
    assert (both.host, both.addresses) == ("fate.bank-a.example", ("203.0.113.5",))


def test_a_load_balancer_with_a_host_name_gives_an_endpoint_without_addresses(tmp_path: Path) -> None:
    endpoints = published(STAR_PARTY, tmp_path, "lb-1.cloud.example")["party-9999"].endpoints
    assert {endpoint.host for endpoint in endpoints.values()} == {"lb-1.cloud.example"}
    assert {endpoint.addresses for endpoint in endpoints.values()} == {()}


def test_an_address_that_is_no_address_is_refused_when_the_descriptor_is_finished(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="neither a host name"):
        published(STAR_PARTY, tmp_path, "not an address")


def test_before_an_apply_the_addresses_are_markers(tmp_path: Path) -> None:
    body = LOCAL.load(tmp_path).plan.unit("exchange").descriptor
    assert live_values(body) == {
        LiveValue("fate-exchange", "nginx", "loadBalancer"),
        LiveValue("fate-exchange", "traffic-server", "loadBalancer"),
    }


def test_the_text_is_canonical() -> None:
    for descriptor in BOTH:
        plain = descriptor.plain()
        reversed_keys = json.loads(json.dumps(plain), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
        assert list(reversed_keys) != list(plain)
        assert Descriptor.model_validate(reversed_keys).text() == descriptor.text()
        assert descriptor.text() == json.dumps(plain, indent=2, sort_keys=True) + "\n"
        assert "null" not in descriptor.text()


def test_the_digest_is_the_sha256_of_the_file() -> None:
    content = CLINIC.text().encode()
    assert digest(content) == hashlib.sha256(content).hexdigest()
    assert digest(content) != digest(content + b"\n")


@pytest.mark.parametrize("descriptor", BOTH, ids=lambda descriptor: f"{descriptor.kind} {descriptor.engine}")
def test_no_field_can_hold_a_private_key(descriptor: Descriptor) -> None:
    plain = descriptor.plain()
    texts = [path for path in paths(plain) if isinstance(at(plain, path), str)]
    assert len(texts) > 8
    for path in texts:
        found = parse(json.dumps(altered(plain, path, PEM)).encode(), "here")
        assert isinstance(found, tuple), path
        assert [problem.problem for problem in found] == ["looks like a secret; a descriptor never holds one"], path
        assert "MIIE" not in str(found)


@pytest.mark.parametrize("descriptor", BOTH, ids=lambda descriptor: f"{descriptor.kind} {descriptor.engine}")
@pytest.mark.parametrize("secret", ["kubernetes/+aGVsbG8gd29ybGQ=" * 3, "two\nlines", "bel\x1b[31m", ""])
def test_no_field_can_hold_free_text(descriptor: Descriptor, secret: str) -> None:
    plain = descriptor.plain()
    texts = [path for path in paths(plain) if isinstance(at(plain, path), str)]
    assert len(texts) > 8
    held = [path for path in texts if isinstance(parse(json.dumps(altered(plain, path, secret)).encode(), "here"), Descriptor)]
    assert not held


@pytest.mark.parametrize("descriptor", BOTH, ids=lambda descriptor: f"{descriptor.kind} {descriptor.engine}")
@pytest.mark.parametrize("name", ["password", "apiKey", "private_key", "clientSecret", "token", "keytab"])
def test_no_mapping_can_hold_a_key_named_like_a_secret(descriptor: Descriptor, name: str) -> None:
    plain = descriptor.plain()
    mappings = [(), *(path for path in paths(plain) if isinstance(at(plain, path), dict))]
    assert len(mappings) >= 6
    for path in mappings:
        found = parse(json.dumps(altered(plain, (*path, name), "x")).encode(), "here")
        assert isinstance(found, tuple), path
        assert found[0].place == f"here {'.'.join(str(part) for part in (*path, name))}"
        assert "looks like a secret" in found[0].problem


@pytest.mark.parametrize("descriptor", BOTH, ids=lambda descriptor: f"{descriptor.kind} {descriptor.engine}")
def test_every_mapping_refuses_an_unknown_key(descriptor: Descriptor) -> None:
    plain = descriptor.plain()
    for path in [(), *(path for path in paths(plain) if isinstance(at(plain, path), dict))]:
        assert isinstance(parse(json.dumps(altered(plain, (*path, "extra"), 1)).encode(), "here"), tuple), path


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a newer schema": ({"schemaVersion": 3}, "is version 3 of the format, and this program reads version 2"),
    "a party without an id": (
        {"partyId": None},
        "a party, its FATE-Serving and its Site Portal have a partyId, an exchange of either kind",
    ),
    "an exchange with an id": (
        {"kind": "exchange"},
        "a party, its FATE-Serving and its Site Portal have a partyId, an exchange of either kind",
    ),
    "no endpoints": (
        {"endpoints": {}},
        "a party publishes exactly nginx and pulsar, or nginx and rabbitmq, or rollsite, or osx, not nothing",
    ),
    "an exchange's endpoints": (
        {"endpoints": exchange_descriptor().plain()["endpoints"]},
        "a party publishes exactly nginx and pulsar, or nginx and rabbitmq, or rollsite, or osx, not trafficServer and nginx",
    ),
    "an id that is not a number": ({"partyId": "x"}, "a party id is a positive whole number"),
    "an id of zero": ({"partyId": 0}, "a party id is a positive whole number"),
    "an id that is true": ({"partyId": True}, "is not text"),
    "a party without engines": ({"backends": None}, "only a party has backends"),
    "engines of other endpoints": (
        {"backends": {"computing": "Spark", "federation": "RabbitMQ", "storage": "HDFS"}},
        "publishes the endpoints of Pulsar, while backends.federation is RabbitMQ",
    ),
}


@pytest.mark.parametrize(("change", "problem"), WRONG.values(), ids=list(WRONG))
def test_a_descriptor_that_contradicts_itself_is_refused(change: dict[str, Any], problem: str) -> None:
    found = parse(json.dumps(CLINIC.plain() | change).encode(), "here")
    assert isinstance(found, tuple)
    assert any(problem in one.problem for one in found), found
    # Nobody may edit what another organization signed.
    assert {one.remedy.partition(" to ")[0] for one in found} <= {"ask the peer", "a newer format: update fatefed (this program)"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_descriptor_says_its_release(kind: str) -> None:
    """Rules about releases and owners cannot look at what is not said."""
    every = (CLINIC, exchange_descriptor(), SERVING_CLINIC, SERVING_HUB, PORTAL_CLINIC, FML_MANAGER)
    bodies = {descriptor.kind: descriptor.plain() for descriptor in every}
    assert isinstance(parse(json.dumps(bodies[kind]).encode(), "here"), Descriptor)
    found = parse(json.dumps({key: value for key, value in bodies[kind].items() if key != "release"}).encode(), "here")
    assert isinstance(found, tuple)
    assert [(problem.place, problem.problem) for problem in found] == [("here release", "release is missing")]


@pytest.mark.parametrize(
    "descriptor", [exchange_descriptor(), SERVING_CLINIC, SERVING_HUB, PORTAL_CLINIC, FML_MANAGER], ids=lambda each: each.kind
)
def test_only_a_party_names_engines(descriptor: Descriptor) -> None:
    found = parse(json.dumps(descriptor.plain() | {"backends": CLINIC.plain()["backends"]}).encode(), "here")
    assert isinstance(found, tuple)
    assert "only a party has backends" in found[0].problem


def test_the_page_names_each_kind_endpoint_and_port() -> None:
    """docs/reference/descriptor.md is the contract: what it leaves out, other implementations refuse."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    (kinds,) = (row[1] for row in rows if row[0] == "`kind`")
    assert kinds == ", ".join(f"`{kind}`" for kind in KINDS)
    said = {
        (row[0].strip("`"), kind.strip(), port)
        for row in rows
        if len(row) == 4
        for kind in row[1].split(",")
        for port in row[3].split(", ")
    }
    known = {
        (service.endpoint, kind, f"`{port.purpose}`")
        for kind in KINDS
        for services in published_services(kind)
        for service in services
        for port in service.ports
    }
    assert len(known) > 12
    assert said == known


def test_an_id_may_be_a_number_or_a_text() -> None:
    as_number = parse(json.dumps(CLINIC.plain() | {"partyId": 10000}).encode(), "here")
    assert as_number == CLINIC


def test_an_exported_party_with_rabbitmq_says_where_its_broker_is(tmp_path: Path) -> None:
    body = published(RABBITMQ_MESH, tmp_path)["party-9999"].plain()
    assert body["backends"] == {"computing": "Spark", "federation": "RabbitMQ", "storage": "HDFS"}
    address = {"host": "203.0.113.77", "addresses": ["203.0.113.77"]}
    assert body["endpoints"] == {
        "rabbitmq": {**address, "ports": {"amqp": 5672}, "tls": False},
        "nginx": {**address, "ports": {"http": 9300}, "tls": False},
    }


def test_exported_units_with_rollsite_publish_one_port(tmp_path: Path) -> None:
    party, hub = published(ROLLSITE_STAR, tmp_path / "a")["party-9999"], published(ROLLSITE_EXCHANGE, tmp_path / "b")["exchange"]
    rollsite = {"host": "203.0.113.77", "addresses": ["203.0.113.77"], "ports": {"grpc": 9370}, "tls": False}
    assert party.plain()["endpoints"] == hub.plain()["endpoints"] == {"rollsite": rollsite}
    assert party.plain()["backends"] == {"computing": "Eggroll", "federation": "Eggroll", "storage": "Eggroll"}
    assert (party.engine, hub.engine) == ("Eggroll", "Eggroll")


def test_an_exchange_imports_what_a_party_with_rollsite_exported(tmp_path: Path) -> None:
    descriptor = published(ROLLSITE_STAR, tmp_path / "bank", "lb-1.cloud.example")["party-9999"]
    (routes,) = ROLLSITE_EXCHANGE.with_peer("bank-a", descriptor).load(tmp_path / "consortium").plan.unit("exchange").routes
    table = json.loads(routes.fields["data"]["route_table.json"])["route_table"]
    assert table["9999"] == {"default": [{"ip": "lb-1.cloud.example", "port": 9370}]}, "rollsite resolves names"


@pytest.mark.parametrize(
    ("descriptor", "engine"),
    [
        (CLINIC, "Pulsar"),
        (RABBITMQ_CLINIC, "RabbitMQ"),
        (ROLLSITE_CLINIC, "Eggroll"),
        (exchange_descriptor(), "Pulsar"),
        (exchange_descriptor(engine="Eggroll"), "Eggroll"),
    ],
)
def test_the_endpoints_of_a_descriptor_tell_its_engine(descriptor: Descriptor, engine: str) -> None:
    assert descriptor.engine == engine
    assert parse(descriptor.text().encode(), "here") == descriptor


ENDPOINTS = {
    **CLINIC.plain()["endpoints"],
    **RABBITMQ_CLINIC.plain()["endpoints"],
    **ROLLSITE_CLINIC.plain()["endpoints"],
    **exchange_descriptor().plain()["endpoints"],
}
LEGAL_ENDPOINTS = {
    "party": [{"pulsar", "nginx"}, {"rabbitmq", "nginx"}, {"rollsite"}],
    "exchange": [{"trafficServer", "nginx"}, {"rollsite"}],
}


@pytest.mark.parametrize("descriptor", [CLINIC, exchange_descriptor()], ids=lambda descriptor: descriptor.kind)
def test_a_descriptor_has_the_endpoints_of_one_engine_and_no_others(descriptor: Descriptor) -> None:
    assert len(ENDPOINTS) == 5
    subsets = [set(names) for size in range(6) for names in itertools.combinations(ENDPOINTS, size)]

    def is_accepted(names: set[str]) -> bool:
        body = descriptor.plain() | {"endpoints": {name: ENDPOINTS[name] for name in names}}
        engines = [{"backends": body["backends"] | {"federation": engine}} for engine in NATIVE.engines] if "backends" in body else [{}]
        return any(isinstance(parse(json.dumps(body | said).encode(), "here"), Descriptor) for said in engines)

    accepted = [names for names in subsets if is_accepted(names)]
    legal = LEGAL_ENDPOINTS[descriptor.kind]
    assert len(accepted) == len(legal)
    assert all(names in accepted for names in legal)


@pytest.mark.parametrize(
    ("descriptor", "name", "ports", "right"),
    [
        (RABBITMQ_CLINIC, "rabbitmq", {"amqp": 5672}, True),
        (RABBITMQ_CLINIC, "rabbitmq", {"tls": 5671}, False),
        (RABBITMQ_CLINIC, "rabbitmq", {"amqp": 5672, "admin": 15672}, False),
        (RABBITMQ_CLINIC, "nginx", {"http": 9300}, True),
        (RABBITMQ_CLINIC, "nginx", {"http": 9300, "grpc": 9310}, True),
        (RABBITMQ_CLINIC, "nginx", {"grpc": 9310}, False),
        (ROLLSITE_CLINIC, "rollsite", {"grpc": 9370}, True),
        (ROLLSITE_CLINIC, "rollsite", {"http": 9370}, False),
        (ROLLSITE_CLINIC, "rollsite", {}, False),
        (exchange_descriptor(engine="Eggroll"), "rollsite", {"grpc": 9370, "tls": 9380}, False),
    ],
)
def test_an_endpoint_of_each_engine_has_its_own_ports(descriptor: Descriptor, name: str, ports: dict[str, int], right: bool) -> None:
    found = parse(json.dumps(altered(descriptor.plain(), ("endpoints", name, "ports"), ports)).encode(), "here")
    assert isinstance(found, Descriptor) == right


def test_a_grpc_port_of_nginx_from_before_is_read_and_dialled_by_nobody() -> None:
    before = parse(json.dumps(altered(CLINIC.plain(), ("endpoints", "nginx", "ports", "grpc"), 9310)).encode(), "here")
    assert before == CLINIC
    assert CLINIC.endpoints["nginx"].ports == {"http": 9300}


@pytest.mark.parametrize("ports", [{}, {"http": 9300}, {"tls": 6651, "admin": 8081}, {"tls": 0}, {"tls": 70000}])
def test_an_endpoint_has_the_ports_of_its_kind(ports: dict[str, int]) -> None:
    found = parse(json.dumps(altered(CLINIC.plain(), ("endpoints", "pulsar", "ports"), ports)).encode(), "here")
    assert isinstance(found, tuple)


def test_parsing_never_raises_whatever_the_bytes() -> None:
    whole = CLINIC.text().encode()
    contents = [whole[:length] for length in range(0, len(whole) - 2, 7)]
    contents += [b"", b"null", b"1", b'"text"', b"{}", b"[{}]", b"\xff\xfe", b"NaN", b'{"a": 1e999}', b"[" * 5000, b'{"a":' * 5000]
    contents += [b'{"a":' * depth + b"1" + b"}" * depth for depth in range(300, 1000, 50)]
    assert len(contents) > 50
    for content in contents:
        found = parse(content, "here")
        assert isinstance(found, tuple), content[:40]
        assert found
        assert all(problem.place.startswith("here") and problem.remedy for problem in found)


def test_what_is_far_larger_than_a_descriptor_is_not_even_read_as_json() -> None:
    content = CLINIC.text().encode() + b" " * MAX_BYTES
    found = parse(content, "here")
    assert isinstance(found, tuple)
    assert [problem.problem for problem in found] == [f"{len(content)} bytes is far more than a descriptor"]
    assert isinstance(parse(CLINIC.text().encode() + b" " * 1000, "here"), Descriptor)


def test_another_ca_is_told_by_its_fingerprint() -> None:
    old, new = authority("10000"), authority("10000", "2")
    before, after = (Descriptor.model_validate({**CLINIC.plain(), "trust": {"authorities": cas}}) for cas in ([old], [old, new]))
    first, second = short_fingerprint(old), short_fingerprint(new)
    assert first != second
    assert differences(before, after) == (FieldChange("trust.authorities", f"CA {first}", f"CA {first}, CA {second}"),)
