"""Questions to a server over the network, each with a limit of time and an answer in words."""

import json
import socket
import ssl
from base64 import b64encode
from http.client import HTTPConnection, HTTPException
from typing import Any

from cli.doctor.questions import SECONDS
from cli.tools.errors import FailedError

_BYTES = 4 * 1024 * 1024  # of an answer; a name node with a thousand data nodes sends less


def resolves(host: str) -> str:
    """That this machine knows a name."""
    try:
        return ", ".join(sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}))
    except OSError as error:
        raise FailedError(_reason(error), f"correct {host}, or let this machine's DNS know it") from None


def reachable(host: str, port: int) -> str:
    """That a TCP connection can be made."""
    try:
        with socket.create_connection((host, port), SECONDS):
            return f"{host}:{port} accepts connections from this machine"
    except OSError as error:
        raise FailedError(f"{host}:{port}: {_reason(error)}", "correct host and port, or open the way to it") from None


def get_json(host: str, port: int, path: str, credentials: tuple[str, str] | None = None) -> tuple[int, Any]:
    """The status and the JSON of an HTTP answer; None when it has none. FailedError without an answer."""
    headers = {"Accept": "application/json"}
    if credentials is not None:
        headers["Authorization"] = f"Basic {b64encode(':'.join(credentials).encode()).decode()}"
    connection = HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read(_BYTES)
    except (OSError, HTTPException) as error:
        raise FailedError(f"http://{host}:{port}: {_reason(error)}", "correct host and port, or open the way to it") from None
    finally:
        connection.close()
    try:
        return answer.status, json.loads(body)
    except ValueError:
        return answer.status, None


def tls_certificate(host: str, port: int, server_name: str) -> bytes:
    """The certificate (DER) that a server shows for a name. Whether it is trusted is not looked at."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), SECONDS) as plain, context.wrap_socket(plain, server_hostname=server_name) as wrapped:
            return wrapped.getpeercert(binary_form=True) or b""
    except OSError as error:
        raise FailedError(
            f"{host}:{port}: {_reason(error)}", "let the broker listen for TLS there, with a certificate of the party"
        ) from None


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:.0f} s"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, socket.gaierror):
        return "this machine does not know that name"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
