"""What a peer runs, on loopback: servers with real TLS, HTTP, gRPC or silence; and a network that leads published addresses there."""

import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from federation.pki.authority import Period, authority_certificate, issue
from tests.support.configs import DOMAIN

LOOPBACK = "127.0.0.1"
SERVICE = "com.webank.ai.eggroll.api.networking.proxy.DataTransferService"
TODAY = datetime.now(UTC).date()


def pem(key: ec.EllipticCurvePrivateKey) -> str:
    """A private key."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form).decode()


@cache
def key(owner: str) -> str:
    """A private key of someone."""
    return pem(ec.generate_private_key(ec.SECP256R1()))


@cache
def authority(party: str, number: str = "1") -> str:
    """A CA of a party, as `fatefed trust init` makes it."""
    return authority_certificate(key(f"ca {party} {number}"), party=party, domain=DOMAIN, today=TODAY - timedelta(days=400), years=5)


def server_context(folder: Path, party: str, *, signer: str = "1", name: str = "", days: tuple[int, int] = (-1, 30)) -> ssl.SSLContext:
    """The TLS side of a party's Pulsar, with a certificate of its CA, as `pulumi up` makes it."""
    begins, ends = (TODAY + timedelta(days=number) for number in days)
    period = Period(begins, ends, ends)
    names = [name or f"{party}.{DOMAIN}"]
    leaf = issue(authority(party, signer), key(f"ca {party} {signer}"), key(f"server {party}"), party=party, names=names, period=period)
    file = folder / f"{party}.pem"
    file.write_text(leaf + key(f"server {party}"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


# What of a certificate's bytes is replaced so that OpenSSL still shows it, and by what; `end` stands for its last moment.
BROKEN: dict[str, tuple[str, str]] = {
    "a thirteenth month": ("end[2:4]", "3133"),
    "a date without digits": ("end[0:2]", "7878"),
    "a date without a zone": ("end[12:13]", "2b"),
    "a version that is none": ("a003020102", "a003020109"),
    "a truth that is neither": ("0101ff", "010101"),
}


def broken_context(folder: Path, party: str, fault: str) -> ssl.SSLContext:
    """The TLS side of a party's Pulsar, with a certificate that OpenSSL sends, and of which a part cannot be read."""
    server_context(folder, party)
    leaf = x509.load_pem_x509_certificate((folder / f"{party}.pem").read_bytes())
    der = broken(leaf, fault)
    file = folder / f"{party}-broken.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(der) + key(f"server {party}"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def broken(leaf: x509.Certificate, fault: str) -> bytes:
    """A certificate's bytes (DER) with a fault of `BROKEN`."""
    was, becomes = BROKEN[fault]
    der = leaf.public_bytes(serialization.Encoding.DER)
    if was.startswith("end["):
        end = leaf.not_valid_after_utc.strftime("%y%m%d%H%M%SZ").encode()
        first, last = map(int, was[4:-1].split(":"))
        old, new = end, end[:first] + bytes.fromhex(becomes) + end[last:]
    else:
        old, new = bytes.fromhex(was), bytes.fromhex(becomes)
    assert old in der
    return der.replace(old, new)


class Server(socketserver.ThreadingTCPServer):
    """Sends its greeting, in TLS if it has a context, then waits for the other side to leave."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, greeting: bytes = b"", context: ssl.SSLContext | None = None) -> None:
        self.greeting, self.context = greeting, context
        super().__init__((LOOPBACK, 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Those that leave in the middle are part of the tests."""


class _Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        connection: socket.socket = self.request
        connection.settimeout(20)
        if self.server.context is not None:
            connection = self.server.context.wrap_socket(connection, server_side=True)
        connection.sendall(self.server.greeting)
        while connection.recv(4096):
            pass


@dataclass
class Nginx:
    """FATE's nginx before FATE-Flow, over HTTP: by `dest-party-id` it answers with a status and a body; unknown parties are its 500."""

    routes: dict[str, tuple[int, Any]] = field(default_factory=dict)
    clock: float = 0.0
    server: str = "openresty/1.17.8.2"
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """What a server of the standard library needs."""
        nginx = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                party = self.headers.get("dest-party-id", "")
                nginx.asked.append((self.command, self.path, party))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, told = nginx.routes.get(party, (500, "<html>500</html>"))
                body = (told if isinstance(told, str) else json.dumps(told)).encode()
                self.send_response_only(status)
                self.send_header("Server", nginx.server)
                self.send_header("Date", formatdate(time.time() + nginx.clock, usegmt=True))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def fateflow(release: str = "1.11.2") -> tuple[int, Any]:
    """What FATE-Flow 1.x says at /v1/version/get."""
    return 200, {"retcode": 0, "retmsg": "success", "data": {"FATE": release, "API": "v1"}}


def serve(server: socketserver.BaseServer, until: ExitStack) -> int:
    """The port of a server that runs until the end of the test."""
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    until.callback(server.server_close)
    until.callback(server.shutdown)
    port: int = server.server_address[1]
    return port


def serve_nginx(nginx: Nginx, until: ExitStack) -> int:
    """The port of an nginx."""
    server = ThreadingHTTPServer((LOOPBACK, 0), nginx.handler())
    server.daemon_threads = True
    return serve(server, until)


def serve_grpc(until: ExitStack, routes: dict[str, Any] | None = None, packet: Any = None, seen: list[Any] | None = None) -> int:
    """The port of a real gRPC server, FATE's proxy before FATE-Flow: by the party a packet is for, what FATE-Flow says. Others are refused.

    `packet`: FATE's own class of messages, instead of the one below; `seen`: gets every packet.
    """
    known, kind = routes or {}, packet or packet_class()

    def unary_call(request: bytes, context: grpc.ServicerContext) -> bytes:
        asked = kind.FromString(request)
        if seen is not None:
            seen.append(asked)
        told = known.get(asked.header.dst.partyId)
        if told is None or asked.header.dst.role != "fateflow":
            context.abort(grpc.StatusCode.UNAVAILABLE, f"no router info for {asked.header.dst.partyId}")
        if told[0] == 504:
            context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, f"party {asked.header.dst.partyId}: no answer in time")
        if told[0] != 200:
            context.abort(grpc.StatusCode.UNAVAILABLE, "io exception")
        answer = kind()
        answer.header.operator, answer.body.key, answer.body.value = "x", asked.body.key, json.dumps(told[1]).encode()
        return bytes(answer.SerializeToString())

    handler = grpc.method_handlers_generic_handler(SERVICE, {"unaryCall": grpc.unary_unary_rpc_method_handler(unary_call)})
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((handler,))
    port: int = server.add_insecure_port(f"{LOOPBACK}:0")
    server.start()
    until.callback(lambda: server.stop(None).wait())
    return port


@cache
def packet_class() -> Any:
    """`Packet` of FATE's proxy.proto, as far as it is used. tests/runtime has FATE's own."""
    text, message = descriptor_pb2.FieldDescriptorProto.TYPE_STRING, descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
    raw, number = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES, descriptor_pb2.FieldDescriptorProto.TYPE_INT64
    messages: dict[str, list[tuple[int, str, Any, str]]] = {
        "Topic": [(1, "name", text, ""), (2, "partyId", text, ""), (3, "role", text, "")],
        "Command": [(1, "name", text, "")],
        "Conf": [(1, "overallTimeout", number, "")],
        "Metadata": [
            *[(2, "src", message, "Topic"), (3, "dst", message, "Topic"), (4, "command", message, "Command")],
            *[(5, "operator", text, ""), (8, "conf", message, "Conf")],
        ],
        "Data": [(1, "key", text, ""), (2, "value", raw, "")],
        "Packet": [(1, "header", message, "Metadata"), (2, "body", message, "Data")],
    }
    file = descriptor_pb2.FileDescriptorProto(name="proxy.proto", package="proxy", syntax="proto3")
    for name, fields in messages.items():
        added = file.message_type.add(name=name)
        for place, field_name, kind, target in fields:
            given = {"type_name": f".proxy.{target}"} if target else {}
            added.field.add(name=field_name, number=place, type=kind, label=1, **given)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("proxy.Packet"))


def dead(until: ExitStack) -> int:
    """A port whose packets get no answer, like those of a host that is off: its queue is full, and nobody accepts."""
    listener = until.enter_context(socket.socket())
    listener.bind((LOOPBACK, 0))
    listener.listen(0)
    port: int = listener.getsockname()[1]
    for _ in range(3):
        waiting = until.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex((LOOPBACK, port))
    return port


def closed() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def network(monkeypatch: pytest.MonkeyPatch, hosts: set[str]) -> Iterator[set[str]]:
    """Leads these hosts and addresses to loopback; all others the system resolves. No stack accepts a peer at a loopback address."""
    resolve: Callable[..., Any] = socket.getaddrinfo

    def found(host: str, *more: Any, **options: Any) -> Any:
        return resolve(LOOPBACK if host in hosts else host, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", found)
        yield hosts


def days_from_now(days: int) -> date:
    """A day."""
    return TODAY + timedelta(days=days)
