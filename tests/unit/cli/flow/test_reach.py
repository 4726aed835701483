"""FATE-Flow in a pod: the relay that runs there is a process of this machine here; the server speaks HTTP/1.0, as FATE-Flow does."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import IO, Any, cast

import pytest

from cli.flow.client import Flow, FlowUnreachable
from cli.flow.reach import _InPod
from cli.tools.kubectl import Cluster

LONG = "x" * 3_000_000


class FateFlow(BaseHTTPRequestHandler):
    """Answers everything with much, and closes the connection then."""

    def do_GET(self) -> None:
        body = json.dumps({"code": 0, "message": "success", "data": LONG}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Here:
    """Runs what a pod should, on this machine."""

    def started(self, arguments: Sequence[str], both: Any, errors: IO[bytes]) -> "subprocess.Popen[bytes]":
        program = [sys.executable, *arguments[arguments.index("--") + 2 :]]
        return subprocess.Popen(program, stdin=both, stdout=both, stderr=errors, env={"POD_IP": "127.0.0.1"})


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), FateFlow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def in_pod(port: int) -> Flow:
    return Flow(lambda seconds: _InPod(cast(Cluster, Here()), "fate-9999", "python-0", port, seconds), seconds=20)


def test_a_long_answer_is_read_to_its_end(port: int) -> None:
    """http.client closes such a connection before it reads the answer; the process must live on until then."""
    assert in_pod(port).get("job/query").data == LONG


def test_a_process_that_ends_without_an_answer_is_reported_with_its_last_words(port: int) -> None:
    with pytest.raises(FlowUnreachable, match=r"kubectl exec: .*refused"):
        in_pod(1).get("job/query")
