"""What stands around the exchange in its tests, on loopback addresses: TLS servers in place of the parties' Pulsar, a canary, clients."""

import socket
import socketserver
import ssl
import threading
from pathlib import Path
from typing import Any

from sandbox import pki

DOMAIN = "fraud.example"
PATIENCE = 5.0


class Server(socketserver.ThreadingTCPServer):
    """Counts the connections that reach it. With TLS it says whose it is, then echoes; without, it is an open door to anyone who asks."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], greeting: bytes, context: ssl.SSLContext | None = None) -> None:
        self.reached = 0
        self.greeting = greeting
        self.context = context
        super().__init__(address, _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self.socket.getsockname()[:2]
        return host, port

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept and count."""
        accepted = super().get_request()
        self.reached += 1
        return accepted

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Peers that leave in the middle are part of the tests."""

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        connection: socket.socket = self.request
        connection.settimeout(60)
        if self.server.context is not None:
            connection = self.server.context.wrap_socket(connection, server_side=True)
        connection.sendall(self.server.greeting)
        while data := connection.recv(4096):
            connection.sendall(data)


def pulsar(party: str, authority: pki.Authority, folder: Path) -> Server:
    """A party's server, with a certificate that the federation's CA signed for the party's name."""
    key, name = pki.new_key(), server_name(party)
    certificate = pki.issue(authority, key.public_key(), name, names=[name])
    return tls_server(party, pki.pem(certificate).decode(), pki.key_pem(key).decode(), folder)


def tls_server(party: str, certificate: str, key: str, folder: Path) -> Server:
    """A server that says whose it is, with this certificate (PEM), on a port of its own; its files are PARTY.cert.pem, PARTY.key.pem."""
    return Server(("127.0.0.1", 0), f"party {party}".encode(), server_context(party, certificate, key, folder))


def server_context(party: str, certificate: str, key: str, folder: Path) -> ssl.SSLContext:
    """What a server presents."""
    (folder / f"{party}.key.pem").write_text(key)
    (folder / f"{party}.cert.pem").write_text(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{party}.cert.pem", folder / f"{party}.key.pem")
    return context


def canary(port: int) -> Server:
    """A server that must stay unreached: on a port that tunnels may use, at an address that none leads to."""
    return Server(("127.0.0.2", port), b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ncanary")


def server_name(party: str) -> str:
    """What peers dial."""
    return f"{party}.{DOMAIN}"


class Tunnel:
    """An open connection to a party; its certificate was verified under the party's name. `trusted`: the CAs (PEM)."""

    def __init__(self, port: int, party: str, trusted: str) -> None:
        context = ssl.create_default_context(cadata=trusted)
        raw = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        try:
            self._tls = context.wrap_socket(raw, server_hostname=server_name(party))
        except BaseException:
            raw.close()
            raise
        self.greeting = self._tls.recv(100).decode()
        self.certificate = ssl.DER_cert_to_PEM_cert(self._tls.getpeercert(binary_form=True) or b"")

    def __enter__(self) -> "Tunnel":
        return self

    def __exit__(self, *_: object) -> None:
        self._tls.close()

    def echoes(self, text: str) -> bool:
        """Whether the other end sends this back."""
        self._tls.sendall(text.encode())
        got = b""
        while len(got) < len(text):
            data = self._tls.recv(4096)
            if not data:
                return False
            got += data
        return got == text.encode()


def refusal(port: int, name: str | None, request: bytes = b"") -> str | None:
    """How a TLS client that verifies nothing is refused; None when its handshake succeeds or is left hanging.

    `name`: the server name, if any; `request` is sent as soon as it can be.
    """
    try:
        answer(port, name, request)
    except (ssl.SSLError, ConnectionError) as error:
        return type(error).__name__
    return None


def answer(port: int, name: str | None, request: bytes) -> bytes:
    """What a request inside TLS gets back, without verification. SSLError or ConnectionError when the handshake fails."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw,
        context.wrap_socket(raw, server_hostname=name) as tls,
    ):
        return _ask(tls, request)


def plain_answer(port: int, request: bytes) -> bytes:
    """What a request without TLS gets back."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw:
        return _ask(raw, request)


def _ask(connection: socket.socket, request: bytes) -> bytes:
    """All that comes until the other side ends the connection, or says nothing more."""
    got = b""
    try:
        connection.sendall(request)
        while data := connection.recv(4096):
            got += data
    except (TimeoutError, ConnectionError, ssl.SSLError):
        return got
    return got
