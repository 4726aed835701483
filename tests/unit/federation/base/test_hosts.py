"""Which hosts a peer may publish: none that leads our proxies back to us, into our cluster or to our cloud's metadata."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from federation.base.errors import FederationError, Problem
from federation.base.hosts import known_outside
from federation.base.scalars import Cidr, Host, HostPort
from federation.config.stack import FederationSpec
from federation.peers.accepted import membership_problems
from federation.peers.descriptor import Descriptor
from federation.rules.descriptors import newcomer_problems
from tests.support.configs import (
    EXCHANGE,
    MESH,
    NODE_PORTS,
    OSX_EXCHANGE,
    ROLLSITE_EXCHANGE,
    ROLLSITE_MESH,
    SERVING_EXCHANGE,
    STAR_PARTY,
    Case,
    Config,
    exchange_descriptor,
    node_port,
    party_descriptor,
    serving_descriptor,
)

FRAUD = FederationSpec(name="fraud", domain="fraud.example", topology="star", link="native")
INSIDE = [
    "localhost", "rollsite", "nginx", "fate.localhost", "metadata.google.internal", "fate.corp.internal",
    "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "vault.vault.svc", "a.b.svc.bank.example",
    "dashboard.kube-system", "mysql.fate-9999", "mysql-0.mysql.fate-9999", "10-0-0-1.default.pod", "10-0-0-1.default.pod.cluster.local",
]  # fmt: skip
NOBODYS = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "255.255.255.255", "100.100.100.200", "168.63.129.16",
    "::", "::1", "fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:127.0.0.1", "0:0:0:0:0:ffff:7f00:1", "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254", "2002:7f00:1::", "2002:a9fe:a9fe::1", "::127.0.0.1", "::169.254.169.254", "::ffff:0:127.0.0.1",
    "64:ff9b:1::1", "64:ff9b:1:7f00:0:100::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1", "fec0::1", "feff::1", "100::1",
    "192.0.0.170", "192.0.0.192", "192.88.99.1", "100.96.0.96", "fd00:ec2::253", "fd20:ce::254",
]  # fmt: skip
OUTSIDE = [
    "203.0.113.9", "10.96.0.1", "192.168.4.4", "::203.0.113.9", "2002:cb00:7109::1", "2001:4860::1", "100.96.0.97", "192.0.1.1",
    "2001:db8::5", "::ffff:203.0.113.9", "fd12:3456::7", "fate.bank-a.example", "bank.com",
    "xn--bcher-kva.example", "fate.xn--p1ai", "1e3.example",
]  # fmt: skip
# Names that each network resolves for itself, or to whatever address stands in them.
OF_EACH_NETWORK = [
    "printer.local", "fate.hospital.local", "corp.lan", "fate.bank.corp", "nas.home", "router.home.arpa", "ipv4only.arpa", "fate.intranet",
    "a.private", "x.onion", "y.alt", "z.invalid", "localhost.localdomain", "metadata.tencentyun.com", "metadata.platformequinix.com",
    "instance-data.ec2.example", "wpad.corp", "wpad.bank.example", "isatap.bank.example", "localhost.bank.example",
    "10.0.0.5.nip.io", "a-10-0-0-5.sslip.io", "10.0.0.5.xip.io", "nip.io", "app.localtest.me", "7f000001.c0a80001.rbndr.us",
    "a.ns.pod.corp.example", "10-0-0-1.fate.pod.k8s.example",
]  # fmt: skip


def published(host: str) -> list[str]:
    """What is wrong with a descriptor whose OSX is at a host."""
    body = party_descriptor(engine="OSX").plain()
    body["endpoints"]["osx"] |= {"host": host, "addresses": []}
    return [found.problem for found in membership_problems(Descriptor.model_validate(body), FRAUD, "here")]


def problems(case: Case, folder: Path) -> list[Problem]:
    """What is wrong with a stack."""
    with pytest.raises(FederationError) as raised:
        case.load(folder)
    return list(raised.value.problems)


@pytest.mark.parametrize("host", [*INSIDE, *NOBODYS])
def test_a_stranger_does_not_point_our_proxies_inside(host: str) -> None:
    assert published(host) == [f"{host} is not an address of another organization"]


@pytest.mark.parametrize("host", OUTSIDE)
def test_what_is_known_outside_may_be_published(host: str) -> None:
    assert published(host) == []


@pytest.mark.parametrize("host", OF_EACH_NETWORK)
def test_a_newcomer_has_the_same_host_in_every_network(host: str) -> None:
    """Of an accepted peer it is a warning: tests/unit/cli/peers/test_acceptance.py."""
    body = party_descriptor(engine="OSX").plain()
    body["endpoints"]["osx"] |= {"host": host, "addresses": []}
    found = list(newcomer_problems(Descriptor.model_validate(body), "here"))
    assert [problem.problem for problem in found] == [f"{host} is not the same host in every network"]


@pytest.mark.parametrize("host", [*OUTSIDE, "pod.example.com", "local.example", "nip.io.example", "mynip.io", "corp.bank.example"])
def test_a_name_of_public_dns_is_one_in_every_network(host: str) -> None:
    assert known_outside(host)


@pytest.mark.parametrize("text", ["127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "1.2.3.4.5", "123"])
def test_what_resolvers_read_as_an_old_spelling_of_an_address_is_no_host(text: str) -> None:
    with pytest.raises(ValidationError, match="neither a host name"):
        TypeAdapter(Host).validate_python(text)
    with pytest.raises(ValidationError, match="neither a host name"):
        TypeAdapter(HostPort).validate_python(f"{text}:9370")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "169.254.169.254", "localhost", "rollsite", "fate.localhost"])
def test_what_an_operator_types_is_another_organizations_too(host: str, tmp_path: Path) -> None:
    (found,) = problems(ROLLSITE_MESH.with_entry("old", unsigned=True, partyId="10001", rollsite=f"{host}:9370"), tmp_path)
    assert found.place.endswith(" fate:peers.old.rollsite")
    assert found.problem == f"{host} is not an address of another organization"


@pytest.mark.parametrize("host", ["rollsite.other.svc", "rollsite.other.svc.cluster.local", "fate.corp.internal", "203.0.113.4"])
def test_an_operator_may_type_a_service_of_another_namespace(host: str, tmp_path: Path) -> None:
    """Two organizations in one cluster, as in a trial; a descriptor of such a one holds addresses."""
    loaded = ROLLSITE_MESH.with_entry("old", unsigned=True, partyId="10001", rollsite=f"{host}:9370").load(tmp_path)
    assert f'"{host}"' in str(loaded.plan.unit("party-9999").routes)


@pytest.mark.parametrize("host", ["rollsite.fate-9999", "rollsite.fate-9999.svc", "rollsite.fate-9999.svc.cluster.local"])
def test_nobody_is_in_a_namespace_of_this_stack(host: str, tmp_path: Path) -> None:
    (found,) = problems(ROLLSITE_MESH.with_entry("old", unsigned=True, partyId="10001", rollsite=f"{host}:9370"), tmp_path)
    assert found.place.endswith(" fate:peers.old")
    assert found.problem == f"its rollsite is published as {host}: pods would look it up in the namespace of this stack's own parties.9999"


@pytest.mark.parametrize(
    ("host", "inside"), [("10.96.0.1", True), ("::ffff:10.244.3.4", True), ("10.112.0.1", False), ("2001:db8::1", False)]
)
def test_no_descriptor_leads_to_the_addresses_of_this_cluster(host: str, inside: bool, tmp_path: Path) -> None:
    case = ROLLSITE_EXCHANGE.changed(lambda config: config.update(cluster={"ranges": ["10.96.0.0/12", "10.244.0.0/16"]}))
    case = case.with_peer("evil-corp", party_descriptor("10001", "evil-corp", host=host, engine="Eggroll"))
    typed = ROLLSITE_MESH.changed(lambda config: config.update(cluster={"ranges": ["10.96.0.0/12"]}))
    typed.with_entry("old", unsigned=True, partyId="10001", rollsite="10.96.0.7:9370").load(tmp_path / "typed")
    if not inside:
        case.load(tmp_path)
        return
    (found,) = problems(case, tmp_path)
    assert found.problem.startswith(f"its rollsite is published at {host}, in 10.")


def test_a_namespace_that_looks_like_a_domain_is_recognized(tmp_path: Path) -> None:
    case = ROLLSITE_EXCHANGE.changed(lambda config: config["exchange"].update(namespace="finance"))
    thief = party_descriptor("10001", "evil-corp", host="mysql.finance", engine="Eggroll")
    (found,) = problems(case.with_peer("evil-corp", thief), tmp_path)
    assert "in the namespace of this stack's own exchange" in found.problem


@pytest.mark.parametrize(
    ("host", "refused"),
    [("fate.corp.internal", True), ("fate.hospital.local", True), ("nginx", True), ("127.0.0.1", True), ("fate.bank-a.example", False)],
)
def test_what_no_peer_would_accept_is_named_where_it_is_advertised(host: str, refused: bool, tmp_path: Path) -> None:
    told = {**node_port(httpPort=30930), "advertise": {"host": host}}
    loaded = NODE_PORTS.changed(lambda config: config["parties"]["9999"]["publish"].update(nginx=told)).load(tmp_path)
    said = f"parties.9999.publish.nginx advertises {host}, which peers refuse in a descriptor"
    assert any(warning.startswith(said) for warning in loaded.plan.warnings) == refused


def advertised(unit: Callable[[Config], Config], endpoint: str, **said: object) -> Callable[[Config], object]:
    """A change of a configuration: what one endpoint of a unit tells peers, with the ports of its release."""
    return lambda config: unit(config)["publish"].update({endpoint: {"type": "LoadBalancer", **said}})


HERE = {"advertise": {"host": "203.0.113.77"}}
SELF: dict[str, tuple[Case, str]] = {
    "nginx of a party": (
        MESH.changed(advertised(lambda c: c["parties"]["9999"], "nginx", **HERE)).with_peer(
            "clinic-b", party_descriptor(nginx="203.0.113.77")
        ),
        "its nginx is published at 203.0.113.77:9300, which is this stack's own parties.9999.publish.nginx",
    ),
    "Pulsar of a party": (
        MESH.changed(advertised(lambda c: c["parties"]["9999"], "pulsar", **HERE)).with_peer(
            "clinic-b", party_descriptor(host="203.0.113.77")
        ),
        "its pulsar is published at 203.0.113.77:6651, which is this stack's own parties.9999.publish.pulsar",
    ),
    "a load balancer's own address": (
        MESH.changed(advertised(lambda c: c["parties"]["9999"], "pulsar", loadBalancerIP="203.0.113.77")).with_peer(
            "clinic-b", party_descriptor(host="203.0.113.77")
        ),
        "its pulsar is published at 203.0.113.77:6651, which is this stack's own parties.9999.publish.pulsar",
    ),
    "another spelling": (
        OSX_EXCHANGE.changed(advertised(lambda c: c["exchange"], "osx", advertise={"host": "2001:db8:0::77"})).with_peer(
            "clinic-b", party_descriptor(host="2001:db8::77", engine="OSX")
        ),
        "its osx is published at 2001:db8::77:9370, which is this stack's own exchange.publish.osx",
    ),
    "Traffic Server of an exchange": (
        EXCHANGE.changed(advertised(lambda c: c["exchange"], "trafficServer", **HERE)).with_peer(
            "clinic-b", party_descriptor(host="203.0.113.77", port=443)
        ),
        "its pulsar is published at 203.0.113.77:443, which is this stack's own exchange.publish.trafficServer",
    ),
    "serving-proxy of a serving exchange": (
        SERVING_EXCHANGE.changed(advertised(lambda c: c["servingExchange"], "servingProxy", **HERE)).with_peer(
            "clinic-b-serving", serving_descriptor(host="203.0.113.77")
        ),
        "its servingProxy is published at 203.0.113.77:8869, which is this stack's own servingExchange.publish.servingProxy",
    ),
}


@pytest.mark.parametrize(("case", "problem"), SELF.values(), ids=list(SELF))
def test_a_peer_at_an_address_that_this_stack_publishes_is_refused_at_default_ports_too(case: Case, problem: str, tmp_path: Path) -> None:
    assert problem in [found.problem for found in problems(case, tmp_path)]


def test_two_owners_at_one_address_are_a_warning(tmp_path: Path) -> None:
    """Whoever repeats a member's address gets, or loses, what is meant for that member."""
    twin = EXCHANGE.with_peer("evil-corp", party_descriptor("10001", "evil-corp"))
    said = "peers clinic-b and evil-corp, of different keys, are both at 203.0.113.20:6651: ask both owners whose address it is"
    assert [warning for warning in twin.load(tmp_path / "a").plan.warnings if "both at" in warning] == [said]
    away = EXCHANGE.with_peer("evil-corp", party_descriptor("10001", "evil-corp"), state="suspended")
    assert not [warning for warning in away.load(tmp_path / "b").plan.warnings if "both at" in warning]
    own = EXCHANGE.with_peer("clinic-b-2", party_descriptor("10001", "clinic-b"))
    assert not [warning for warning in own.load(tmp_path / "c").plan.warnings if "both at" in warning], "two parties behind one proxy"


def test_an_endpoint_has_at_most_sixteen_addresses() -> None:
    body = party_descriptor().plain()
    for count, right in ((16, True), (17, False)):
        body["endpoints"]["nginx"]["addresses"] = [f"203.0.113.{number}" for number in range(count)]
        if right:
            assert len(Descriptor.model_validate(body).endpoints["nginx"].addresses) == count
            continue
        with pytest.raises(ValidationError, match="at most 16"):
            Descriptor.model_validate(body)


@pytest.mark.parametrize(
    "text", ["203.0.113.9", "203.0.113.0/255.255.255.0", "10.0.0.0/0.0.0.255", "203.0.113.9/24", "203.0.113.0/024", "::/", "/8"]
)
def test_what_kubernetes_takes_for_no_address_range_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is not an address range such as"):
        TypeAdapter(Cidr).validate_python(text)


@pytest.mark.parametrize("text", ["203.0.113.9/32", "0.0.0.0/0", "2001:db8::/32", "::1/128"])
def test_an_address_range_has_a_length(text: str) -> None:
    assert TypeAdapter(Cidr).validate_python(text) == text


def test_a_star_party_may_have_an_exchange_by_name(tmp_path: Path) -> None:
    named = exchange_descriptor(host="fate.consortium.example")
    assert "fate.consortium.example" in str(STAR_PARTY.with_peer("consortium", named).load(tmp_path).plan.unit("party-9999").routes)
