"""Stacks with many peers, each with a signed descriptor, for the benchmarks."""

from pathlib import Path

from tests.support.configs import EGGROLL, Case, digest, exchange, key_of, party, party_descriptor, signed_file, stack

# An nginx holds 500 routes, so that many members need another proxy.
EXCHANGE, MESH = "an exchange with rollsite", "a mesh with rollsite"


def written(folder: Path, kind: str, size: int, namespace: str = "bench") -> Path:
    """Write a stack `bench` of this kind (EXCHANGE or MESH) and its peers' files; the path of the stack file."""
    if kind == EXCHANGE:
        topology, own = "star", {"exchange": exchange(namespace, federation="Eggroll")}
    else:
        topology, own = "mesh", {"parties": {"9999": party(namespace, exchange=None, **EGGROLL)}}
    files, peers = {}, {}
    for number in range(size):
        name, host = f"member-{number}", f"203.0.{number // 250}.{number % 250 + 1}"
        content = signed_file(party_descriptor(str(20000 + number), name, host=host, engine="Eggroll"))
        files[f"peers/{name}.json"] = content
        accepted = {"sha256": digest(content), "key": key_of(name), "acceptedSerial": 1}
        peers[name] = {"descriptor": f"peers/{name}.json", "state": "active", **accepted}
    return Case("bench", stack("bench", topology=topology, **own, peers=peers), files).write(folder)
