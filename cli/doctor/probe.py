"""Asks servers over the network what they are, and judges nothing: questions and answers are plain data.

Also the whole program of the Job that asks from inside a cluster: `python -c TEXT JSON` prints the answers as JSON. So it needs the
standard library only, as old as Python 3.8, the one of FATE 1.x.

A question: {id, kind: dns | tcp | tls | http | grpc | amqp, host, port}, for tls also `name` (SNI), for http `method`, `path`, `headers`
and perhaps `body` and `bytes` (of the answer, at most), for grpc perhaps a `call`: {from, to: parties, method, path, body, metadata}.
Its answer: {id, addresses, at, failed: {stage: dns | tcp | tls | answer | time, reason}} and, by kind, `certificate` (DER, base64),
`status`, `headers`, `body`, or `first` (the first bytes, in hex); of a call `body`, and `said`, the message of its status.
"""

from __future__ import annotations

import base64
import json
import queue
import socket
import ssl
import struct
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Any

BODY_BYTES = 16384
_AT_ONCE = 32


def ask_all(questions: list[dict[str, Any]], seconds: float, each: float) -> list[dict[str, Any]]:
    """The answers that came within `seconds`, in the order of the questions; `each`: seconds for one step of one question."""
    waiting: queue.Queue[dict[str, Any]] = queue.Queue()
    found: dict[str, dict[str, Any]] = {}
    for question in questions:
        waiting.put(question)

    def work() -> None:
        while True:
            try:
                question = waiting.get_nowait()
            except queue.Empty:
                return
            found[question["id"]] = ask(question, each)

    # Daemons: neither a resolver nor a server that sends a byte now and then can be told to stop.
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(questions)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = {"failed": {"stage": "time", "reason": f"no answer within {seconds:.0f} s"}}
    answers = dict(found)
    return [answers.get(question["id"], dict(late, id=question["id"])) for question in questions]


def ask(question: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The answer to one question."""
    answer: dict[str, Any] = {"id": question["id"]}
    stage = "dns"
    try:
        found = socket.getaddrinfo(question["host"], question["port"], type=socket.SOCK_STREAM)
        answer["addresses"] = sorted({str(entry[4][0]) for entry in found})
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
    """HTTP/2 with prior knowledge (RFC 9113, 3.4): its first answer, and with a `call` one unary call, as FATE-Flow makes it."""
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, b""))
    head = _first(connection, 9)
    answer["first"] = head.hex()
    if "call" not in question or len(head) < 9 or head[3] != _SETTINGS:
        return
    connection.settimeout(seconds)
    call = question["call"]
    fields = {":method": "POST", ":scheme": "http", ":path": _UNARY_CALL, ":authority": "fate", "te": "trailers"}
    fields.update({"content-type": "application/grpc"}, **call["metadata"])
    # HPACK's plainest form: each field as a literal that is not indexed (RFC 7541, 6.2.2).
    block = b"".join(b"\x00" + _hpack(name) + _hpack(value) for name, value in fields.items())
    message = _packet(call, int(seconds * 1000))
    connection.sendall(_frame(_HEADERS, 4, 1, block) + _frame(_DATA, 1, 1, b"\x00" + struct.pack(">I", len(message)) + message))
    told, said = _response(connection, head, time.monotonic() + seconds)
    # A message of gRPC has a byte (not compressed) and its length before it. The packet's body holds what FATE-Flow says.
    answer["body"] = _field(_field(told[5:], 2), 2).decode("utf-8", "replace") if told[:1] == b"\x00" else ""
    answer["said"] = said


_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GO_AWAY = 0, 1, 3, 4, 6, 7
_UNARY_CALL = "/com.webank.ai.eggroll.api.networking.proxy.DataTransferService/unaryCall"


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _response(connection: socket.socket, head: bytes, end: float) -> tuple[bytes, str]:
    """The data of the call's response, and the message of its status."""
    told, said = b"", ""
    while time.monotonic() < end:
        size, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:9], "big")
        payload = _exactly(connection, size)
        if kind in (_SETTINGS, _PING) and not flags & 1:
            connection.sendall(_frame(kind, 1, 0, payload if kind == _PING else b""))
        elif kind == _DATA and stream == 1:
            told += payload
        elif kind == _HEADERS and stream == 1:
            said = _status_message(payload) or said
        if kind in (_RESET, _GO_AWAY) or (stream == 1 and kind in (_DATA, _HEADERS) and flags & 1) or len(told) > BODY_BYTES:
            return told, said
        head = _exactly(connection, 9)
    raise TimeoutError


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


def _exactly(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            raise ConnectionResetError
        got += more
    return got


def _hpack(text: str) -> bytes:
    """A text of HPACK, not Huffman coded."""
    raw = text.encode()
    return (bytes([len(raw)]) if len(raw) < 127 else b"\x7f" + _varint(len(raw) - 127)) + raw


def _status_message(block: bytes) -> str:
    """`grpc-message` of a header block, where it is a plain literal: Netty and gRPC's own library write short ones so."""
    _, found, rest = block.partition(b"grpc-message")
    return rest[1 : 1 + rest[0]].decode("utf-8", "replace") if found and rest and rest[0] < 127 else ""


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + _varint(number >> 7)


def _message(*fields: tuple[int, bytes]) -> bytes:
    """A message of Protocol Buffers, of texts and messages."""
    return b"".join(_varint(number << 3 | 2) + _varint(len(value)) + value for number, value in fields)


def _packet(call: dict[str, Any], milliseconds: int) -> bytes:
    """`Packet` of FATE's proxy.proto: who asks whom for which path of FATE-Flow's HTTP API."""
    source, target = (_message((2, party.encode()), (3, b"fateflow")) for party in (call["from"], call["to"]))
    conf = _varint(1 << 3) + _varint(milliseconds)
    command = _message((1, call["path"].encode()))
    header = _message((2, source), (3, target), (4, command), (5, call["method"].encode()), (8, conf))
    return _message((1, header), (2, _message((1, call["path"].encode()), (2, call["body"].encode()))))


def _field(data: bytes, wanted: int) -> bytes:
    """A field of a message, when it is a text or a message; ValueError for what is no message."""
    place, found = 0, b""
    while place < len(data):
        key, place = _number(data, place)
        if key & 7 == 2:
            size, place = _number(data, place)
            found, place = (data[place : place + size] if key >> 3 == wanted else found), place + size
        elif key & 7 == 0:
            _, place = _number(data, place)
        else:
            raise ValueError("no message of FATE's proxy")
    return found


def _number(data: bytes, place: int) -> tuple[int, int]:
    number, shift = 0, 0
    while place < len(data):
        number |= (data[place] & 127) << shift
        place, shift = place + 1, shift + 7
        if data[place - 1] < 128:
            return number, place
    raise ValueError("a number without end")


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
    if isinstance(error, HTTPException):
        return "no HTTP"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]


if __name__ == "__main__":
    _given = json.loads(sys.argv[1])
    print(json.dumps(ask_all(_given["questions"], _given["seconds"], _given["each"])))
