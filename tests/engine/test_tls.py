"""TLS with the very certificates of the deployed Secrets, under the names that peers dial."""

import base64
import socket
import ssl
import threading
from pathlib import Path

import pytest

from sandbox.workspace import Workspace
from tests.engine.operators import DOMAIN, Federation

pytestmark = pytest.mark.engine


def test_a_peer_completes_a_handshake_with_each_pulsar_under_the_name_it_dials(federation: Federation, tmp_path: Path) -> None:
    served = {"9999": federation.bank, "10000": federation.clinic}
    for party, space in served.items():
        (peer,) = (other for other in served.values() if other is not space)
        server = _secret(space, f"fate-{party}", "pulsar-cert", tmp_path / party)
        trust = _secret(peer, f"fate-{_party(peer)}", "pulsar-cert", tmp_path / f"{party}-peer") / "ca.cert.pem"
        assert (server / "broker.key-pk8.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----"), "Pulsar reads PKCS#8 only"
        context = _server_context(server / "broker.cert.pem", server / "broker.key-pk8.pem")
        assert _handshake(context, trust, f"{party}.{DOMAIN}") == "ok"
        assert "certificate" in _handshake(context, trust, f"4711.{DOMAIN}"), "another party's name was accepted"


def _secret(space: Workspace, namespace: str, name: str, folder: Path) -> Path:
    folder.mkdir()
    data = space.kubectl("get", "secret", name, "-n", namespace)["data"]
    assert len(data) == 3
    for key, value in data.items():
        (folder / key).write_bytes(base64.b64decode(value))
    return folder


def _party(space: Workspace) -> str:
    return {"bank-a": "9999", "clinic-b": "10000"}[space.organization]


def _server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _handshake(server: ssl.SSLContext, trust: Path, name: str) -> str:
    """`ok`, or why the client refused."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=_serve, args=(server, theirs))
    thread.start()
    try:
        client = ssl.create_default_context(cafile=str(trust))
        with client.wrap_socket(ours, server_hostname=name) as tls:
            assert tls.recv(5) == b"hello"
        return "ok"
    except ssl.SSLError as error:
        return str(error)
    finally:
        ours.close()
        thread.join(10)


def _serve(context: ssl.SSLContext, connection: socket.socket) -> None:
    try:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.sendall(b"hello")
    except (ssl.SSLError, OSError):
        connection.close()
