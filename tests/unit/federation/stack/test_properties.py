"""Properties of routes that hold for any federation, not only for those that somebody thought of."""

import dataclasses
import tempfile
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import TypeAdapter, ValidationError

from federation.base.scalars import Host, in_brackets, is_ip
from federation.links.native.files import HostPort, PulsarProxy, PulsarTarget, pulsar_route_table, rabbitmq_route_table
from federation.peers.accepted import Peer, Peers
from federation.stack.load import LoadedStack
from federation.stack.plan import StackPlan, plan_stack
from tests.support.configs import (
    EXCHANGE,
    MESH,
    OSX_MESH,
    OSX_STAR,
    RABBITMQ_MESH,
    ROLLSITE_EXCHANGE,
    ROLLSITE_STAR,
    STAR_PARTY,
    Case,
    party_descriptor,
)
from tests.support.packets import ENGINES, PROXIES, Dial, Unit

BASES: list[Case] = [EXCHANGE, MESH, ROLLSITE_EXCHANGE, RABBITMQ_MESH, OSX_MESH]
_FOLDER = tempfile.TemporaryDirectory()
LOADED: list[LoadedStack] = [case.load(Path(_FOLDER.name) / str(number)) for number, case in enumerate(BASES)]
bases = some.sampled_from(range(len(BASES)))
STARS = {case.engine: case.load(Path(_FOLDER.name) / case.engine) for case in (STAR_PARTY, ROLLSITE_STAR, OSX_STAR)}
# A member: id, number in the network, state.
members = some.lists(
    some.tuples(some.integers(1, 9998), some.integers(1, 250), some.sampled_from(["active", "suspended", "retired"])),
    min_size=1,
    max_size=12,
    unique_by=(lambda member: member[0], lambda member: member[1]),
)


def planned(base: int, peers: list[Peer]) -> StackPlan:
    """The plan of a stack with these peers."""
    loaded = LOADED[base]
    return plan_stack(loaded.spec, Peers(tuple(peers), {}))


def peer(base: int, member: tuple[int, int, str]) -> Peer:
    """An accepted peer."""
    party, net, state = member
    descriptor = party_descriptor(str(party), f"m-{party}", host=f"203.0.113.{net}", nginx=f"198.51.100.{net}", engine=BASES[base].engine)
    return Peer(f"m-{party}", descriptor, state)


@settings(max_examples=60, deadline=None)
@given(bases, members, some.randoms())
def test_no_byte_of_a_plan_depends_on_the_order_of_peers(base: int, given_members: list[tuple[int, int, str]], random: object) -> None:
    peers = [peer(base, member) for member in given_members]
    shuffled = list(peers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = planned(base, peers), planned(base, shuffled)
    assert one.units == other.units
    assert repr(one.units) == repr(other.units)


@settings(max_examples=60, deadline=None)
@given(bases, members)
def test_one_more_party_changes_routes_and_policies_and_nothing_else(base: int, given_members: list[tuple[int, int, str]]) -> None:
    *few, last = (peer(base, (party, net, "active")) for party, net, _ in given_members)
    (before,), (after,) = planned(base, few).units, planned(base, [*few, last]).units
    # An exchange is protected from its first member on; that is no object.
    same = {name: getattr(before, name) for name in ("routes", "policies", "links", "protected")}
    assert dataclasses.replace(after, **same) == before
    assert [m.name for m in after.routes] == [m.name for m in before.routes]
    assert [m.name for m in after.policies] == [m.name for m in before.policies]
    assert after.routes != before.routes
    assert after.links.keys() - before.links.keys() == {last.party_id}


@settings(max_examples=60, deadline=None)
@given(bases, members)
def test_a_route_leads_to_active_parties_only(base: int, given_members: list[tuple[int, int, str]]) -> None:
    (unit,) = planned(base, [peer(base, member) for member in given_members]).units
    texts = "".join(text for manifest in unit.routes for text in manifest.fields["data"].values())
    policies = repr(unit.policies)
    for _, net, state in given_members:
        for address in (f"203.0.113.{net}", f"198.51.100.{net}"):
            published = address.startswith("203") or BASES[base].engine in ("Pulsar", "RabbitMQ")
            routed = any(address == word.strip('",').rpartition(":")[0] or address == word.strip('",') for word in texts.split())
            assert routed == (state == "active" and published), address
            assert (f"'{address}/32'" in policies) == (state == "active" and published), address


def first_hops(unit: Unit, target: str) -> set[str]:
    """Every host that a party dials for another one, behind its own proxies."""
    steps = [step for begin in ENGINES[unit.engine] for step in begin(unit, target)]
    assert steps
    found = set()
    while steps:
        step = steps.pop()
        if isinstance(step, Dial) and step.host in PROXIES:
            steps += PROXIES[step.host](unit, step.packet.wire, step.packet)
        elif isinstance(step, Dial):
            found.add(step.host)
    return found


@settings(max_examples=60, deadline=None)
@given(
    some.sampled_from(sorted(STARS)),
    some.lists(some.integers(1, 9998), min_size=2, max_size=5, unique=True),
    some.lists(some.lists(some.sampled_from(["active", "suspended", "retired"]), min_size=5, max_size=5), min_size=1, max_size=4),
    some.booleans(),
)
def test_a_party_of_a_star_reaches_active_partners_by_its_exchange_and_nobody_else_whatever_was_before(
    engine: str, ids: list[int], phases: list[list[str]], collaborations: bool
) -> None:
    """The phases follow each other on one unit, whose nginx remembers; `collaborations` leave the last party out."""
    loaded = STARS[engine]
    partners = {str(party) for party in (ids[:-1] if collaborations else ids)}
    spec = loaded.spec.model_copy(update={"collaborations": {"fraud": ("9999", *sorted(partners))} if collaborations else {}})
    (own,), (hub,) = loaded.plan.units, loaded.peers.accepted
    exchange = {endpoint.host for endpoint in hub.descriptor.endpoints.values()}
    unit = Unit("bank-a", own.key, own.namespace, engine, {}, spec.catalogue[own.release].ports)
    for phase in phases:
        states = dict(zip(map(str, ids), phase, strict=False))
        known = (Peer(f"m-{party}", party_descriptor(party, f"m-{party}", engine=engine), state) for party, state in states.items())
        (after,) = plan_stack(spec, Peers((hub, *known), {})).units
        unit.load({file: text for manifest in after.routes for file, text in manifest.fields["data"].items()})
        for party, state in states.items():
            reached = first_hops(unit, party) - {"127.0.0.1"}
            assert reached == (exchange if state == "active" and party in partners else set()), f"{party} is {state}"
        assert first_hops(unit, "424242") - {"127.0.0.1"} == (set() if collaborations else exchange)


def _is_host(text: str) -> bool:
    try:
        TypeAdapter(Host).validate_python(text)
    except ValidationError:
        return False
    return True


# Names that YAML might take for something else, and addresses in every spelling; a name that ends in a number is no host.
hosts = some.one_of(
    some.from_regex(r"[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?){0,2}", fullmatch=True),
    some.sampled_from(["null", "true", "no", "y", "1e3", "1.e3", "0o7x", "2001-01-01", "12.e5x", "e", "on.e", "4-2", "1-0.e3"]),
    some.ip_addresses().map(str),
    some.ip_addresses(v=6).map(lambda address: address.exploded),
    some.sampled_from(["2001:db8::", "1:2:3:4:5:6:7:8", "::ffff:203.0.113.5", "fd00::1"]),
).filter(_is_host)


@settings(max_examples=300, deadline=None)
@given(hosts, some.integers(1, 65535))
def test_a_reader_of_yaml_finds_every_host_that_was_written(host: str, port: int) -> None:
    """FATE puts a host into a URL as it finds it, so an IPv6 address is in brackets."""
    target, broker, hub = PulsarTarget(host, 6650, port), HostPort(host, port), PulsarProxy(host, port, "fraud.example", 6650, 6651)
    assert yaml.safe_load(pulsar_route_table({"10000": target}, hub)) == {
        10000: {"host": in_brackets(host), "port": 6650, "sslPort": port, "proxy": ""},
        "default": {"proxy": f"{in_brackets(host)}:{port}", "domain": "fraud.example", "brokerPort": 6650, "brokerSslPort": 6651},
    }
    assert yaml.safe_load(rabbitmq_route_table({"10000": broker})) == {10000: {"host": in_brackets(host), "port": port}}


@settings(max_examples=100, deadline=None)
@given(hosts, some.lists(some.ip_addresses().map(str), max_size=3, unique=True), some.integers(1, 65535))
def test_whatever_one_member_publishes_the_exchange_s_files_stay_readable_for_all(host: str, addresses: list[str], port: int) -> None:
    """Neither nginx nor Traffic Server takes IPv6 addresses: such a member waits, and the others are served."""
    loaded, member = LOADED[0], party_descriptor("4711", "m-4711", engine="Pulsar")
    own = tuple(addresses) if not is_ip(host) else (host, *(address for address in addresses if address != host))
    given_endpoints = {
        name: endpoint.model_copy(update={"host": host, "addresses": own, "ports": dict.fromkeys(endpoint.ports, port)})
        for name, endpoint in member.endpoints.items()
    }
    odd = Peer("m-4711", member.model_copy(update={"endpoints": given_endpoints}), "active")
    spec = loaded.spec.model_copy(update={"peers": {**loaded.spec.peers, odd.name: next(iter(loaded.spec.peers.values()))}})
    plan = plan_stack(spec, Peers((*loaded.peers.accepted, odd), {}))
    files = {name: text for manifest in plan.units[0].routes for name, text in manifest.fields["data"].items()}
    tunnels = {entry["fqdn"]: entry["tunnel_route"] for entry in yaml.safe_load(files["sni.yaml"])["sni"]}
    assert {"9999.fraud.example": "203.0.113.10:31001", "10000.fraud.example": "203.0.113.20:6651"}.items() <= tunnels.items()
    usable = [address for address in own if ":" not in address]
    if usable:
        assert tunnels["4711.fraud.example"] == f"{host if host in usable else usable[0]}:{port}"
        assert plan.pending == {}
    else:
        assert plan.pending["m-4711"]
        assert "4711.fraud.example" not in tunnels
    entries = yaml.safe_load(files["route_table.yaml"])
    assert {9999, 10000, 4711} == entries.keys()
    assert [target["host"] for target in entries[4711]["fateflow"]] == (usable or ["127.0.0.1"])
