"""Real MariaDB, RabbitMQ and Docker registry on loopback, from Debian's packages; a missing one fails the test."""

import hashlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.1"
_START = 60.0  # seconds
ADMINISTRATOR, ADMINISTRATOR_PASSWORD = "fate", "the first one"


def program(name: str) -> str:
    """The path of a program of Debian's packages."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/lib/rabbitmq/bin")
    assert found is not None, f"{name} is missing: make servers"
    return found


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(check: Callable[[], Any], what: str, seconds: float = _START) -> None:
    """Waits until a check holds."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


@dataclass(frozen=True)
class DockerRegistry:
    """A running registry. `scheme`: with or without TLS; `authorization`: what pushing needs."""

    port: int
    context: ssl.SSLContext | None
    authorization: str = ""

    def push(self, repository: str, tag: str, *layers: bytes, platforms: int = 1) -> str:
        """An image of these layers, for several platforms an index of as many; its digest."""
        manifests = []
        for number in range(platforms):
            config = json.dumps({"architecture": f"arch{number}", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
            parts = [("application/vnd.oci.image.config.v1+json", config), *((f"{_OCI}.layer.v1.tar", layer) for layer in layers)]
            told = [{"mediaType": kind, "size": len(blob), "digest": self._blob(repository, blob)} for kind, blob in parts]
            manifest = {"schemaVersion": 2, "mediaType": f"{_OCI}.manifest.v1+json", "config": told[0], "layers": told[1:]}
            manifests.append(self._manifest(repository, tag, manifest))
        if platforms == 1:
            return manifests[0]["digest"]
        told = [one | {"platform": {"os": "linux", "architecture": f"arch{number}"}} for number, one in enumerate(manifests)]
        return self._manifest(repository, tag, {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": told})["digest"]

    def _manifest(self, repository: str, tag: str, manifest: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        for name in (tag, digest):
            self._call("PUT", f"/v2/{repository}/manifests/{name}", body, {"Content-Type": manifest["mediaType"]}, 201)
        return {"mediaType": manifest["mediaType"], "size": len(body), "digest": digest}

    def _blob(self, repository: str, blob: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        place = self._call("POST", f"/v2/{repository}/blobs/uploads/", b"", {}, 202)["Location"]
        parts = urlsplit(place)
        headers = {"Content-Type": "application/octet-stream"}
        self._call("PUT", f"{parts.path}?{parts.query}&digest={digest}", blob, headers, 201)
        return digest

    def _call(self, method: str, path: str, body: bytes, headers: dict[str, str], wanted: int) -> Message:
        connection = HTTPSConnection(HOST, self.port, context=self.context) if self.context else HTTPConnection(HOST, self.port)
        headers = headers | ({"Authorization": self.authorization} if self.authorization else {})
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        assert answer.status == wanted, (method, path, answer.status, said)
        return answer.headers


_OCI = "application/vnd.oci.image"


@contextmanager
def docker_registry(
    folder: Path, tls: tuple[Path, Path] | None = None, port: int | None = None, authorization: str = "", **settings: str
) -> Iterator[DockerRegistry]:
    """An empty registry; `tls`: files of certificate and key; `settings`: of its environment, after REGISTRY_."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    file = folder / "config.yml"
    file.write_text("version: 0.1\nlog: {accesslog: {disabled: true}}\n")
    environment = {"STORAGE_FILESYSTEM_ROOTDIRECTORY": str(folder / "data"), "STORAGE": "filesystem", "HTTP_ADDR": f"{HOST}:{port}"}
    context = None
    if tls is not None:
        environment |= {"HTTP_TLS_CERTIFICATE": str(tls[0]), "HTTP_TLS_KEY": str(tls[1])}
        context = ssl.create_default_context(cafile=str(tls[0]))
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    names = {f"REGISTRY_{name}": value for name, value in (environment | settings).items()}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program("docker-registry"), "serve", str(file)], stdout=log, stderr=log, env=os.environ | names)
        try:
            eventually(lambda: process.poll() is not None or _listens(port), "the registry listens")
            assert process.poll() is None, (folder / "log").read_text()
            yield DockerRegistry(port, context, authorization)
        finally:
            process.terminate()
            process.wait()


@dataclass(frozen=True)
class MariaDb:
    """A running server; root signs in on the socket without a password."""

    port: int
    socket: Path

    def sql(self, text: str, database: str = "") -> list[list[str]]:
        """What root gets for SQL: rows of columns."""
        command = [program("mysql"), "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch", "--skip-column-names", database]
        done = subprocess.run([part for part in command if part], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def accepts(self, user: str, password: str) -> bool:
        """Whether a user may sign in over TCP."""
        command = [program("mysql"), "--no-defaults", "--protocol=TCP", f"--host={HOST}", f"--port={self.port}", f"--user={user}"]
        command += ["--default-character-set=utf8mb4", "--execute=SELECT 1"]
        return subprocess.run(command, env={**os.environ, "MYSQL_PWD": password}, capture_output=True, check=False).returncode == 0


@contextmanager
def mariadb(folder: Path) -> Iterator[MariaDb]:
    """An empty MariaDB server."""
    # A socket's path has at most 107 bytes.
    server = MariaDb(free_port(), folder / "sock")
    data = folder / "data"
    install = [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db", *_as_root()], check=True, capture_output=True)
    arguments = [f"--datadir={data}", f"--bind-address={HOST}", f"--port={server.port}", f"--socket={server.socket}", *_as_root()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program("mariadbd"), "--no-defaults", *arguments], stdout=log, stderr=log)
        try:
            eventually(lambda: process.poll() is not None or _listens(server.port), "MariaDB listens")
            assert process.poll() is None, (folder / "log").read_text()
            yield server
        finally:
            process.terminate()
            process.wait(30)


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@dataclass(frozen=True)
class RabbitMq:
    """A running broker with the management API."""

    port: int
    admin_port: int

    def ask(self, path: str, user: str, password: str, method: str = "GET", body: str | None = None) -> int:
        """The status of an answer of the management API."""
        connection = HTTPConnection(HOST, self.admin_port, timeout=10)
        credentials = b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else body.encode(), headers)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def accepts(self, user: str, password: str) -> bool:
        """Whether a user may use the management API as administrator."""
        return self.ask("/api/users", user, password) == 200


@contextmanager
def rabbitmq(folder: Path, plugins: str = "rabbitmq_management,rabbitmq_federation,rabbitmq_federation_management") -> Iterator[RabbitMq]:
    """A broker with one administrator, as the chart makes it."""
    broker, distribution = RabbitMq(free_port(), free_port()), free_port()
    settings = {
        "listeners.tcp.1": f"{HOST}:{broker.port}",
        "management.tcp.ip": HOST,
        "management.tcp.port": broker.admin_port,
        "loopback_users": "none",
        "default_user": ADMINISTRATOR,
        "default_pass": ADMINISTRATOR_PASSWORD,
    }
    (folder / "rabbitmq.conf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    (folder / "enabled_plugins").write_text(f"[{plugins}].\n")
    places = {
        "HOME": folder,
        "RABBITMQ_NODENAME": f"test-{broker.port}@localhost",
        "RABBITMQ_DIST_PORT": distribution,
        "RABBITMQ_CONFIG_FILE": folder / "rabbitmq.conf",
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_LOG_BASE": folder / "log",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "enabled_plugins",
        "RABBITMQ_PID_FILE": folder / "pid",
        "ERL_EPMD_ADDRESS": HOST,
        "ERL_EPMD_PORT": free_port(),
    }
    environment = {**os.environ, **{name: str(value) for name, value in places.items()}}
    server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    assert Path(server).is_file(), "rabbitmq-server is missing: make servers"
    with (folder / "out").open("wb") as log:
        process = subprocess.Popen([server], env=environment, stdout=log, stderr=log)
        try:
            eventually(lambda: process.poll() is not None or broker.accepts(ADMINISTRATOR, ADMINISTRATOR_PASSWORD), "RabbitMQ answers")
            assert process.poll() is None, (folder / "out").read_text()
            yield broker
        finally:
            process.terminate()
            process.wait(60)
            subprocess.run([program("epmd"), "-kill"], env=environment, capture_output=True, check=False)
