"""What keeps a descriptor that is well-formed out of a federation."""

from pathlib import Path

import pytest

from federation.base.errors import FederationError
from federation.config.stack import FederationSpec
from federation.peers.accepted import membership_problems
from federation.peers.descriptor import Descriptor
from federation.pki.certificates import last_moment
from sandbox import pki
from tests.support.configs import EXCHANGE, party_descriptor

FRAUD = FederationSpec(name="fraud", domain="fraud.example", topology="star", link="native")


def changed(endpoint: str, **fields: object) -> Descriptor:
    """The descriptor of party 10000 with other fields of one endpoint."""
    plain = party_descriptor("10000").plain()
    plain["endpoints"][endpoint] |= fields
    return Descriptor.model_validate(plain)


def problems(descriptor: Descriptor) -> list[str]:
    """What is wrong with it, place and problem."""
    return [f"{found.place}: {found.problem}" for found in membership_problems(descriptor, FRAUD, "d.json")]


def test_a_descriptor_of_this_federation_is_welcome() -> None:
    assert problems(party_descriptor("10000")) == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "224.0.0.1"])
def test_an_address_that_leads_back_to_the_caller_is_refused(address: str) -> None:
    assert problems(changed("nginx", addresses=[address])) == [
        f"d.json endpoints.nginx: {address} is not an address of another organization"
    ]
    assert problems(changed("pulsar", host=address, addresses=[address])) == [
        f"d.json endpoints.pulsar: {address} is not an address of another organization"
    ]


def test_another_partys_server_name_is_refused() -> None:
    (problem,) = problems(changed("pulsar", serverName="9999.fraud.example"))
    assert problem == "d.json endpoints.pulsar: serverName 9999.fraud.example instead of 10000.fraud.example"


def test_a_broker_without_tls_is_refused() -> None:
    (problem,) = problems(changed("pulsar", tls=False, serverName=None))
    assert problem == "d.json endpoints.pulsar: no TLS instead of 10000.fraud.example"


def test_a_certificate_expires_at_its_end() -> None:
    authority = pki.new_authority("ca")
    leaf = pki.issue(authority, pki.new_key().public_key(), "x", names=["x.example"], days=10)
    text, end = pki.pem(leaf).decode(), leaf.not_valid_after_utc
    assert last_moment(text) == end
    assert last_moment("no certificate") is None


def test_a_peer_at_this_stacks_own_address_and_port_is_refused(tmp_path: Path) -> None:
    """Its exchange would dial itself. Another port of the same host is another organization behind the same nodes."""
    for port, refused in ((30103, True), (30203, False)):
        own = {"type": "NodePort", "httpPort": port, "advertise": {"host": "198.51.100.20"}}
        case = EXCHANGE.changed(lambda config, own=own: config["exchange"]["publish"].update(nginx=own))
        case = case.with_peer("clinic-b", changed("nginx", host="198.51.100.20", addresses=["198.51.100.20"], ports={"http": 30103}))
        if not refused:
            case.load(tmp_path / "elsewhere")
            continue
        with pytest.raises(FederationError) as caught:
            case.load(tmp_path / "here")
        (problem,) = caught.value.problems
        assert problem.problem == "its nginx is published at 198.51.100.20:30103, which is this stack's own exchange.publish.nginx"
