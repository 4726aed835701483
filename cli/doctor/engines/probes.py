"""What the checks of engines ask over the network, in the words of their rows: an answer, or FailedError."""

import json
from base64 import b64decode, b64encode
from typing import Any

from cli.doctor import probe
from cli.doctor.questions import SECONDS
from cli.tools.errors import FailedError

_BYTES = 4 * 1024 * 1024  # of an answer; a name node with a thousand data nodes sends less
_REASONS = {
    "not resolved": "this machine cannot resolve that name",
    "refused": "nothing listens there",
    "closed": "the connection is closed without an answer",
    "no HTTP": "it does not speak HTTP",
    "no TLS": "it does not speak TLS",
}
_NOT_REACHED = "correct host and port, or open the way to it"


def resolves(host: str) -> str:
    """That this machine knows a name."""
    answer = _answer("", f"correct {host}, or let this machine's DNS know it", kind="dns", host=host, port=0)
    return ", ".join(answer["addresses"])


def reachable(host: str, port: int) -> str:
    """That a TCP connection can be made."""
    _answer(f"{host}:{port}: ", _NOT_REACHED, kind="tcp", host=host, port=port)
    return f"{host}:{port} accepts connections from this machine"


def get_json(host: str, port: int, path: str, credentials: tuple[str, str] | None = None) -> tuple[int, Any]:
    """The status and the JSON of an HTTP answer; None when it has none. FailedError without an answer."""
    headers = {"Accept": "application/json"}
    if credentials is not None:
        headers["Authorization"] = f"Basic {b64encode(':'.join(credentials).encode()).decode()}"
    request = {"kind": "http", "host": host, "port": port, "method": "GET", "path": path, "headers": headers, "bytes": _BYTES}
    answer = _answer(f"http://{host}:{port}: ", _NOT_REACHED, **request)
    try:
        return answer["status"], json.loads(answer["body"])
    except ValueError:
        return answer["status"], None


def tls_certificate(host: str, port: int, server_name: str) -> bytes:
    """The certificate (DER) that a server shows for a name. Whether it is trusted is not looked at."""
    remedy = "let the broker listen for TLS there, with a certificate of the party"
    return b64decode(_answer(f"{host}:{port}: ", remedy, kind="tls", host=host, port=port, name=server_name)["certificate"])


def _answer(place: str, remedy: str, **question: Any) -> dict[str, Any]:
    answer = probe.ask({"id": "", **question}, SECONDS)
    if "failed" in answer:
        reason = answer["failed"]["reason"]
        raise FailedError(f"{place}{_REASONS.get(reason, reason)}", remedy)
    return answer
