"""What the checks of engines ask a server, of servers on this machine that answer in every way."""

import json
import socket
from base64 import b64decode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from cli.doctor.engines.probes import get_json, reachable, resolves, tls_certificate
from cli.tools.errors import FailedError

LOOPBACK = "127.0.0.1"
# As many data nodes as make an answer far larger than what a peer may send.
NODES = {"nodes": [f"datanode-{number}.hdfs.example:9866" for number in range(20_000)]}


class Engine(BaseHTTPRequestHandler):
    """A web address of an engine: a large answer, an answer that is no JSON, and who is signed in."""

    def do_GET(self) -> None:
        """Answers by path."""
        signed_in = b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        bodies = {"/jmx": json.dumps(NODES), "/page": "<html>", "/whoami": json.dumps([signed_in, self.headers["Accept"]])}
        body = bodies.get(self.path, "{}").encode()
        self.send_response(200 if self.path in bodies else 404)
        if self.path == "/cut":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # One answer breaks off before its end.
        self.wfile.write(b"5\r\n{" if self.path == "/cut" else body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def engine() -> Iterator[int]:
    with ThreadingHTTPServer((LOOPBACK, 0), Engine) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port of this machine where nobody listens."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        yield held.getsockname()[1]


def test_an_answer_of_many_data_nodes_is_read_whole(engine: int) -> None:
    assert len(json.dumps(NODES)) > 500_000
    assert get_json(LOOPBACK, engine, "/jmx") == (200, NODES)


def test_an_answer_that_is_no_json_has_its_status_only(engine: int) -> None:
    assert get_json(LOOPBACK, engine, "/page") == (200, None)
    assert get_json(LOOPBACK, engine, "/elsewhere") == (404, {})


def test_a_user_signs_in_with_the_password_as_it_is(engine: int) -> None:
    assert get_json(LOOPBACK, engine, "/whoami", ("fate", "pass:wörd")) == (200, ["fate:pass:wörd", "application/json"])


def test_a_server_that_listens_is_reachable(engine: int) -> None:
    assert reachable(LOOPBACK, engine) == f"127.0.0.1:{engine} accepts connections from this machine"


def test_a_name_is_shown_with_its_addresses() -> None:
    assert "127.0.0.1" in resolves("localhost").split(", ")


def test_each_failure_is_told_with_its_place_and_a_remedy(engine: int, refusing: int) -> None:
    failures: list[tuple[Callable[[], object], str]] = [
        (lambda: reachable(LOOPBACK, refusing), f"{LOOPBACK}:{refusing}: nothing listens there"),
        (lambda: get_json(LOOPBACK, refusing, "/"), f"http://{LOOPBACK}:{refusing}: nothing listens there"),
        (lambda: tls_certificate(LOOPBACK, refusing, "x"), f"{LOOPBACK}:{refusing}: nothing listens there"),
        (lambda: get_json(LOOPBACK, engine, "/cut"), f"http://{LOOPBACK}:{engine}: the connection is closed without an answer"),
        (lambda: tls_certificate(LOOPBACK, engine, "x"), f"{LOOPBACK}:{engine}: it does not speak TLS"),
        (lambda: resolves("gone.invalid"), "this machine cannot resolve that name"),
    ]
    for asked, problem in failures:
        with pytest.raises(FailedError) as caught:
            asked()
        assert caught.value.problem == problem
        assert caught.value.fix
