"""TLS with the very certificates of the deployed Secrets, under the names that peers dial."""

import base64
from pathlib import Path

import pytest

from sandbox.workspace import Workspace
from tests.engine.handshakes import handshake, server_context
from tests.engine.operators import DOMAIN, Federation

pytestmark = pytest.mark.engine


def test_a_peer_completes_a_handshake_with_each_pulsar_under_the_name_it_dials(federation: Federation, tmp_path: Path) -> None:
    served = {"9999": federation.bank, "10000": federation.clinic}
    for party, space in served.items():
        (peer,) = (other for other in served.values() if other is not space)
        server = _secret(space, f"fate-{party}", "pulsar-cert", tmp_path / party)
        trust = _secret(peer, f"fate-{_party(peer)}", "pulsar-cert", tmp_path / f"{party}-peer") / f"ca-{party}.cert.pem"
        assert (server / "broker.key-pk8.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----"), "Pulsar reads PKCS#8 only"
        context = server_context(server / "broker.cert.pem", server / "broker.key-pk8.pem")
        assert handshake(context, trust, f"{party}.{DOMAIN}") == "ok"
        assert "certificate" in handshake(context, trust, f"4711.{DOMAIN}"), "another party's name was accepted"


def _secret(space: Workspace, namespace: str, name: str, folder: Path) -> Path:
    folder.mkdir()
    data = space.kubectl("get", "secret", name, "-n", namespace)["data"]
    assert len(data) == 5, "certificate, key, and the CAs: all, and of each party"
    for key, value in data.items():
        (folder / key).write_bytes(base64.b64decode(value))
    return folder


def _party(space: Workspace) -> str:
    return {"bank-a": "9999", "clinic-b": "10000"}[space.organization]
