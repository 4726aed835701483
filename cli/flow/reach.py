"""How FATE-Flow is reached: at a URL, or in its pod by `kubectl exec`.

`kubectl port-forward` cannot reach it: it dials loopback in the pod, and FATE-Flow listens at the pod's own address only.
"""

import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPS_PORT, HTTPConnection, HTTPSConnection
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import urlsplit

from cli.flow.client import Flow, FlowUnreachable
from cli.flow.party import OwnParty
from cli.tools.errors import UsageError
from cli.tools.kubectl import Ask, Cluster, Object
from federation.base.naming import INSTANCE, MODULE
from federation.units.unit import UnitPlan

_PORT = 9380
# How each scheme connects, and its port where a URL names none: a server with TLS is a proxy before FATE-Flow, which has none itself.
_SCHEMES: Mapping[str, tuple[type[HTTPConnection], int]] = {"http": (HTTPConnection, _PORT), "https": (HTTPSConnection, HTTPS_PORT)}
# Runs in the pod with FATE's own Python: what comes in goes to FATE-Flow, and its answer comes back. It ends when its caller has read
# all: a container runtime may lose the last output of a process that ends by itself (seen with containerd 1.6).
_RELAY = """
import os, socket, sys, threading
flow = socket.create_connection((os.environ["POD_IP"], int(sys.argv[1])))
def up():
    while True:
        data = os.read(0, 65536)
        if not data:
            return
        flow.sendall(data)
asks = threading.Thread(target=up, daemon=True)
asks.start()
while True:
    data = flow.recv(65536)
    if not data:
        break
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
asks.join(60)
os._exit(0)
"""


@dataclass(frozen=True)
class Reached:
    """FATE-Flow, and what is known of its party: None where only a URL is known. `cluster`: of its pod, when it was reached there."""

    flow: Flow
    own: OwnParty | None
    cluster: Cluster | None = None


def at_url(url: str) -> Flow:
    """FATE-Flow at an address such as http://127.0.0.1:9380. UsageError for what is none; it does not repeat a password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    kind, default = _SCHEMES.get(parts.scheme if host else "", (None, 0))
    if kind is None or host is None or port == 0 or parts.path.strip("/") or parts.query or parts.fragment or "@" in url:
        named = "" if "@" in url else f" {url}"
        raise UsageError(
            f"--url{named}: must be http://HOST:PORT, such as http://127.0.0.1:{_PORT}, or https://HOST:PORT, without user and path"
        )
    return Flow(lambda seconds: kind(host, port or default, timeout=seconds))


def in_cluster(cluster: Cluster, unit: UnitPlan, port: int) -> Flow:
    """FATE-Flow in its pod, which may be another one at each call."""
    return Flow(lambda seconds: _InPod(cluster, unit.namespace, running_pod(cluster, unit, "fateflow"), port, seconds))


def running_pod(cluster: Cluster, unit: UnitPlan, module: str) -> str:
    """The name of a pod of a module that runs and is not deleted, a ready one if there is one. FlowUnreachable without one."""
    ask = Ask("pods", unit.namespace)
    reading = cluster.read([ask])[ask]
    if reading.state != "ok":
        raise FlowUnreachable(cluster.explained(reading).reason)
    wanted = {INSTANCE: unit.key, MODULE: module}
    pods = [pod for pod in reading.items if wanted.items() <= pod["metadata"].get("labels", {}).items() and _runs(pod)]
    if not pods:
        raise FlowUnreachable(f"no pod of {module} runs in namespace {unit.namespace}")
    return str(max(pods, key=_is_ready)["metadata"]["name"])


def _runs(pod: Object) -> bool:
    """A pod that ends is Running until it is gone, and answers for some seconds."""
    return pod.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)


class _InPod(HTTPConnection):
    """One call, through the standard input and output of a process in the pod: nobody else on this machine can use it."""

    def __init__(self, cluster: Cluster, namespace: str, pod: str, port: int, seconds: float) -> None:
        super().__init__(pod, port, timeout=seconds)
        command = ["exec", "--stdin", "--namespace", namespace, pod, "--container", "fateflow", "--", "python", "-c", _RELAY, str(port)]
        self._command, self._cluster = command, cluster
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] = TemporaryFile()  # noqa: SIM115, closed with the connection
        self._answering = False

    def connect(self) -> None:
        """Start the process."""
        self.sock, there = socket.socketpair()
        self.sock.settimeout(self.timeout)
        with there:
            self._process = self._cluster.started(self._command, there, self._errors)

    def request(self, *args: Any, **options: Any) -> None:
        """Send a call; what kubectl says when it ends before all is sent."""
        with self._explained():
            super().request(*args, **options)

    def getresponse(self):  # type: ignore[no-untyped-def]
        """The answer; what kubectl says when there is none."""
        # FATE-Flow speaks HTTP/1.0, so that http.client closes a connection before its answer is read.
        self._answering = True
        try:
            with self._explained():
                return super().getresponse()
        finally:
            self._answering = False

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ConnectionError:
            if self._process is not None:
                self._process.wait()
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            raise FlowUnreachable(f"kubectl exec: {lines[-1] if lines else 'it ended without an answer'}") from None

    def close(self) -> None:
        """End the process."""
        super().close()
        if self._answering:
            return
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        self._errors.close()
