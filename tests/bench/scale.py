"""Stacks with many peers, each with a signed descriptor, for the benchmarks."""

from datetime import date
from functools import cache
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation.peers.descriptor import Descriptor
from federation.pki.authority import authority_certificate
from tests.support.configs import (
    DOMAIN,
    EGGROLL,
    Case,
    digest,
    exchange,
    exchange_descriptor,
    key_of,
    party,
    party_descriptor,
    signed_file,
    stack,
)

# An nginx holds 500 routes, so that many members need another proxy.
EXCHANGE, MESH = "an exchange with rollsite", "a mesh with rollsite"
# Its nginx names each peer; beside the signature of each, its CA is checked.
TRUSTING = "a star with partyCa"


def written(folder: Path, kind: str, size: int, namespace: str = "bench") -> Path:
    """Write a stack `bench` of this kind (EXCHANGE, MESH or TRUSTING), its peers' file and descriptors; the path of the stack file."""
    if kind == EXCHANGE:
        topology, own = "star", {"exchange": exchange(namespace, federation="Eggroll")}
    elif kind == TRUSTING:
        trust = {"parties": {"9999": {"signing": "1", "authorities": {"1": _authority("9999")}}}}
        topology, own = "star", {"parties": {"9999": party(namespace, tls="partyCa", exchange="hub")}, "trust": trust}
    else:
        topology, own = "mesh", {"parties": {"9999": party(namespace, exchange=None, **EGGROLL)}}
    files, peers = {}, {}
    for body in [*(_member(number, kind) for number in range(size)), *([exchange_descriptor("hub")] if kind == TRUSTING else [])]:
        name, content = body.organization, signed_file(body)
        files[f"peers/{name}.json"] = content
        accepted = {"sha256": digest(content), "key": key_of(name), "acceptedSerial": 1}
        peers[name] = {"descriptor": f"peers/{name}.json", "state": "active", **accepted}
    # 1,000 do not fit into the configuration that Pulumi hands to the program.
    files["peers/bench.yaml"] = yaml.safe_dump(peers).encode()
    return Case("bench", stack("bench", topology=topology, **own, peersFile="peers/bench.yaml"), files).write(folder)


def _member(number: int, kind: str) -> Descriptor:
    party_id, host = str(20000 + number), f"203.0.{number // 250}.{number % 250 + 1}"
    if kind != TRUSTING:
        return party_descriptor(party_id, f"member-{number}", host=host, engine="Eggroll")
    plain = party_descriptor(party_id, f"member-{number}", host=host).plain()
    return Descriptor.model_validate(plain | {"trust": {"authorities": [_authority(party_id)]}})


def _authority(party_id: str) -> str:
    """The CA of a party; one key for all, which takes as long to check."""
    return authority_certificate(_ca_key(), party=party_id, domain=DOMAIN, today=date(2026, 1, 1), years=5)


@cache
def _ca_key() -> str:
    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
