"""Asks servers over the network what they are, and judges nothing: questions and answers are plain data.

Also the whole program of the Job that asks from inside a cluster: `python -c TEXT JSON` prints the answers as JSON. So it needs the
standard library only, as old as Python 3.8, the one of FATE 1.x, and uses gRPC's library where it is: FATE-Flow's images have it.

A question: {id, kind: dns | tcp | tls | http | grpc | amqp, host, port}, for tls also `name` (SNI), for http `method`, `path`, `headers`
and perhaps `body` and `bytes` (of the answer, at most), for grpc perhaps a `call`: {name, message (base64), metadata}.
Its answer: {id, addresses, at, failed: {stage: dns | tcp | tls | answer | time, reason}} and, by kind, `certificate` (DER, base64),
`status`, `headers`, `body`, or `first` (the first bytes, in hex); of a call `message` (base64), or `said`, the message of its status,
or `uncalled`, why it was not made.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import socket
import ssl
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException, IncompleteRead
from typing import Any

BODY_BYTES = 16384
_MESSAGE_BYTES = 1024 * 1024  # FATE-Flow's answer inside a packet
_AT_ONCE = 32


def ask_all(questions: list[dict[str, Any]], seconds: float, each: float) -> list[dict[str, Any]]:
    """The answers that came within `seconds`, in the order of the questions; `each`: seconds for one step of one question."""
    waiting: queue.Queue[dict[str, Any]] = queue.Queue()
    answers: dict[str, dict[str, Any]] = {}
    for question in questions:
        waiting.put(question)

    def work() -> None:
        while True:
            try:
                question = waiting.get_nowait()
            except queue.Empty:
                return
            answers[question["id"]] = ask(question, each)

    # Daemons: neither a resolver nor a server that sends a byte now and then can be told to stop.
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(questions)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = {"failed": {"stage": "time", "reason": f"no answer within {seconds:.0f} s"}}
    in_time = dict(answers)
    return [in_time.get(question["id"], dict(late, id=question["id"])) for question in questions]


def ask(question: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The answer to one question."""
    answer: dict[str, Any] = {"id": question["id"]}
    stage = "dns"
    try:
        entries = socket.getaddrinfo(question["host"], question["port"], type=socket.SOCK_STREAM)
        answer["addresses"] = sorted({str(entry[4][0]) for entry in entries})
        if question["kind"] == "dns":
            return answer
        stage = "tcp"
        with socket.create_connection((question["host"], question["port"]), seconds) as connection:
            stage = "tls" if question["kind"] == "tls" else "answer"
            _KINDS[question["kind"]](connection, question, seconds, answer)
    except Exception as error:  # whatever a server sends, the other questions are answered
        answer["failed"] = {"stage": stage, "reason": _reason(error, seconds)}
    return answer


def _tcp(connection: socket.socket, question: dict[str, Any], seconds: float, answer: dict[str, Any]) -> None:
    """Nothing more: that the server accepts the connection is the answer."""


def _tls(connection: socket.socket, question: dict[str, Any], seconds: float, answer: dict[str, Any]) -> None:
    context = ssl.create_default_context()
    # Who signed it, for which name and until when, is judged where the peers' authorities are known.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(connection, server_hostname=question["name"]) as wrapped:
        answer["certificate"] = base64.b64encode(wrapped.getpeercert(binary_form=True) or b"").decode()
    answer["at"] = time.time()


def _http(connection: socket.socket, question: dict[str, Any], seconds: float, answer: dict[str, Any]) -> None:
    client = HTTPConnection(question["host"], question["port"], timeout=seconds)
    client.sock = connection
    client.request(question["method"], question["path"], question.get("body"), question["headers"])
    response = client.getresponse()
    answer["at"] = time.time()
    answer["status"] = response.status
    answer["headers"] = {name.lower(): value for name, value in response.getheaders()}
    answer["body"] = response.read(question.get("bytes", BODY_BYTES)).decode("utf-8", "replace")


def _amqp(connection: socket.socket, question: dict[str, Any], seconds: float, answer: dict[str, Any]) -> None:
    connection.sendall(b"AMQP\x00\x00\x09\x01")
    answer["first"] = _first(connection, 11).hex()


def _grpc(connection: socket.socket, question: dict[str, Any], seconds: float, answer: dict[str, Any]) -> None:
    """The first frame of HTTP/2 with prior knowledge (RFC 9113, 3.4), which is SETTINGS; then the call, where Python has gRPC's library."""
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SETTINGS_FRAME)
    head = _first(connection, 9)
    answer["first"] = head.hex()
    if "call" not in question or len(head) < 9 or head[3] != _SETTINGS:
        return
    # The Job's answers are all that its pod may print.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        import grpc
    except ImportError:
        answer["uncalled"] = "this Python has no grpcio"
        return
    address, port = connection.getpeername()[:2]
    target = f"ipv6:[{address}]:{port}" if connection.family == socket.AF_INET6 else f"ipv4:{address}:{port}"
    options = [("grpc.enable_http_proxy", 0), ("grpc.default_authority", "fate"), ("grpc.max_receive_message_length", _MESSAGE_BYTES)]
    call, begun = question["call"], time.monotonic()
    with grpc.insecure_channel(target, options) as channel:
        try:
            reply = channel.unary_unary(call["name"])(base64.b64decode(call["message"]), seconds, tuple(call["metadata"].items()))
            answer["message"] = base64.b64encode(reply).decode()
        except grpc.RpcError as error:
            # A proxy in between may say so, too, of whom it calls: then there is an answer, and its words name who did not.
            if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED and time.monotonic() - begun >= seconds:
                raise TimeoutError from None
            answer["said"] = error.details()


_SETTINGS = 4
_SETTINGS_FRAME = bytes([0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0])


def _first(connection: socket.socket, size: int) -> bytes:
    """What comes first, at most `size` bytes; an error when nothing comes."""
    got = b""
    while len(got) < size:
        try:
            more = connection.recv(size - len(got))
        except OSError:
            if not got:
                raise
            break
        if not more:
            break
        got += more
        connection.settimeout(0.2)  # the rest comes at once, or not at all
    return got


_KINDS = {"tcp": _tcp, "tls": _tls, "http": _http, "grpc": _grpc, "amqp": _amqp}
_SSL_REASONS = {
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "handshake refused",
    "TLSV1_UNRECOGNIZED_NAME": "handshake refused",
    "UNEXPECTED_EOF_WHILE_READING": "closed",
    "WRONG_VERSION_NUMBER": "no TLS",
    "RECORD_LAYER_FAILURE": "no TLS",
}


def _reason(error: Exception, seconds: float) -> str:
    """Why there is no answer, in a word that the judge knows, or in the system's own."""
    if isinstance(error, socket.gaierror):
        return "not resolved"
    if isinstance(error, (socket.timeout, TimeoutError)):  # two classes, before Python 3.10
        return f"no answer within {seconds:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError):
        return "closed"
    if isinstance(error, ssl.SSLError):
        return _SSL_REASONS.get(error.reason or "", "closed" if isinstance(error, ssl.SSLEOFError) else str(error.reason))
    if isinstance(error, IncompleteRead):
        return "closed"
    if isinstance(error, HTTPException):
        return "no HTTP"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]


if __name__ == "__main__":
    _request = json.loads(sys.argv[1])
    print(json.dumps(ask_all(_request["questions"], _request["seconds"], _request["each"])))
