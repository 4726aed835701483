"""TLS handshakes with certificates of a cluster, over a pair of sockets."""

import socket
import ssl
import threading
from pathlib import Path


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server with a certificate and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def handshake(server: ssl.SSLContext, trust: Path, name: str) -> str:
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
