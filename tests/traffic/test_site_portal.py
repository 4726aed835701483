"""The frontend of a Site Portal as it is deployed: real nginx with the rendered file, a server behind it that asks for a certificate.

Only places are other ones: folders, ports, and the address of the server. The images themselves do not run here.
"""

import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from federation.units.unit import UnitPlan
from sandbox import pki
from sandbox.state import free_port
from tests.support.configs import DOMAIN, PORTAL
from tests.support.helm import CHARTS, helm_template
from tests.support.walk import named
from tests.traffic.router import read_only

pytestmark = pytest.mark.traffic

HOST, PATIENCE = "127.0.0.1", 10.0
MANAGER, PORTAL_CLIENT = f"fmlmanager.client.{DOMAIN}", f"site-9999.client.{DOMAIN}"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")


class _Server(BaseHTTPRequestHandler):
    """Tells what it was asked, and by whom."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        received = len(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        subject = dict(field for part in self.connection.getpeercert()["subject"] for field in part)  # type: ignore[attr-defined]
        told = {"path": self.path, "by": subject["commonName"], "received": received, "headers": dict(self.headers)}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class Frontend:
    """A running frontend."""

    pages: int
    tls: int
    folder: Path
    authority: pki.Authority

    def browse(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """What a browser gets: status, and the server's words or the text of a page."""
        return _ask(http.client.HTTPConnection(HOST, self.pages, timeout=PATIENCE), method, path, body, headers)

    def call(self, name: str | None, path: str, authority: pki.Authority | None = None, organization: str = "") -> tuple[int, Any]:
        """What a caller with a certificate of this common name gets at the published port."""
        context = ssl.create_default_context(cadata=pki.pem(self.authority.certificate).decode())
        context.check_hostname = False
        if name is not None:
            context.load_cert_chain(*_certificate(self.folder, authority or self.authority, name, organization=organization))
        return _ask(http.client.HTTPSConnection(HOST, self.tls, timeout=PATIENCE, context=context), "POST", path, b"{}", {})


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Any]:
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    return response.status, json.loads(text) if text.startswith("{") else text


def _certificate(folder: Path, authority: pki.Authority, name: str, *names: str, organization: str = "") -> tuple[Path, Path]:
    key = pki.new_key()
    certificate = pki.issue(authority, key.public_key(), name, organization=organization, names=names or (DOMAIN,))
    files = folder / f"{abs(hash((name, organization)))}.crt", folder / f"{abs(hash((name, organization)))}.key"
    files[0].write_bytes(pki.pem(certificate))
    files[1].write_bytes(pki.key_pem(key))
    return files


def _deployed(unit: UnitPlan) -> str:
    objects = helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain(), unit.namespace, unit.key)
    (container,) = named(objects, "Deployment", "frontend")["spec"]["template"]["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/config", "/var/lib/site-portal/cert", "/tmp"}
    assert container["command"] == ["nginx", "-c", "/config/nginx.conf", "-g", "daemon off;"]
    text: str = named(objects, "ConfigMap", "frontend-config")["data"]["nginx.conf"]
    return text


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frontend]:
    """Real nginx with the file of a planned Site Portal."""
    assert NGINX is not None, "nginx is missing: make traffic-server"
    folder = tmp_path_factory.mktemp("frontend")
    authority = pki.new_authority("federation")
    for place in ("cert", "html", "tmp"):
        (folder / place).mkdir()
    (folder / "html" / "index.html").write_text("the pages")
    for side, name, names in (("server", "site", ("localhost", f"site-9999.server.{DOMAIN}")), ("client", PORTAL_CLIENT, ())):
        for file, end in zip(_certificate(folder, authority, name, *names), ("crt", "key"), strict=True):
            file.rename(folder / "cert" / f"{side}.{end}")
    (folder / "cert" / "ca.crt").write_bytes(pki.pem(authority.certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "cert" / "ca.crt"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "cert" / "server.crt", folder / "cert" / "server.key")
    server = ThreadingHTTPServer((HOST, 0), _Server)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pages, tls = free_port(), free_port()
    text = _deployed(PORTAL.load(folder / "stack").plan.unit("site-portal-9999"))
    for there, here in {
        " /tmp/": f" {folder}/tmp/",
        "/var/lib/site-portal/cert/": f"{folder}/cert/",
        "/usr/share/nginx/html": f"{folder}/html",
        "site-portal-server:8443": f"{HOST}:{server.server_port}",
        "listen 8080;": f"listen {HOST}:{pages};",
        "listen 8443 ssl;": f"listen {HOST}:{tls} ssl;",
    }.items():
        assert there in text, there
        text = text.replace(there, here)
    (folder / "nginx.conf").write_text(text)
    with (folder / "log").open("wb") as log:
        # In its pod, nginx is nobody special from the start.
        settings = "daemon off;" + (" user root;" if os.getuid() == 0 else "")
        # The emptyDir alone can be written to.
        command = [*read_only(folder / "tmp"), NGINX, "-c", str(folder / "nginx.conf"), "-g", settings]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        running = Frontend(pages, tls, folder, authority)
        try:
            _wait(process, running)
            yield running
        finally:
            process.terminate()
            process.wait(PATIENCE)
            server.shutdown()


def _wait(process: subprocess.Popen[bytes], running: Frontend) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, (running.folder / "log").read_text()
        try:
            assert running.browse("/")[0] == 200
        except ConnectionError:
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


def test_browsers_get_the_pages_and_the_api_by_the_portal_s_own_certificate(frontend: Frontend) -> None:
    assert frontend.browse("/") == (200, "the pages")
    assert frontend.browse("/project-management/7") == (200, "the pages"), "the pages have paths of their own"
    status, told = frontend.browse("/api/v1/project/7?a=b", Authorization="Bearer token")
    assert (status, told["path"], told["by"]) == (200, "/api/v1/project/7?a=b", PORTAL_CLIENT)
    assert told["headers"]["Authorization"] == "Bearer token"


def test_a_data_set_larger_than_nginx_s_own_limit_is_uploaded(frontend: Frontend) -> None:
    data = b"x" * (3 * 2**20)
    status, told = frontend.browse("/api/v1/data", "POST", data)
    assert (status, told["received"]) == (200, len(data))


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/job/internal/create",
        "/api/v1/project/internal/invitation",
        "/api/v1/project/internal",
        "/api/v1/model/internal/event/create",
        "/api/v1/project//internal/invitation",
        "/api/v1/project/%69nternal/invitation",
        "/api/v1/project/7/../internal/invitation",
        "/api/v1/project/7/%2e%2e/internal/invitation",
        "//api/v1/./project/internal/invitation",
    ],
)
def test_a_browser_cannot_make_the_calls_of_an_fml_manager(frontend: Frontend, path: str) -> None:
    """The server takes them from anybody without a password; FedLCM's frontend passes them on."""
    status, _ = frontend.browse(path, "POST", b"{}")
    assert status == 403


def test_a_browser_s_words_about_its_certificate_are_not_passed_on(frontend: Frontend) -> None:
    claimed = {"X-SP-CLIENT-SDN": f"CN={MANAGER}", "X-SP-CLIENT-VERIFY": "SUCCESS", "X-SP-CLIENT-CERT": "mine"}
    _, told = frontend.browse("/api/v1/user", **claimed)
    assert not [name for name in told["headers"] if name.upper().startswith("X-SP-CLIENT")]


@pytest.mark.parametrize("path", ["/api/v1/project/internal/invitation", "/api/v1/job/internal/7/status", "/api/v1/status"])
def test_the_fml_manager_makes_its_calls(frontend: Frontend, path: str) -> None:
    status, told = frontend.call(MANAGER, path)
    assert (status, told["path"], told["by"]) == (200, path, PORTAL_CLIENT)
    assert (told["headers"]["X-SP-CLIENT-SDN"], told["headers"]["X-SP-CLIENT-VERIFY"]) == (f"CN={MANAGER}", "SUCCESS")


def test_the_common_name_may_stand_anywhere_in_the_subject(frontend: Frontend) -> None:
    assert frontend.call(MANAGER, "/api/v1/status", organization="consortium")[0] == 200


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/api/v1/user/login", "/api/v1/project", "/api/v1/job/7", "/api/v1/model/internal/event/create"]
)
def test_the_fml_manager_gets_nothing_else(frontend: Frontend, path: str) -> None:
    assert frontend.call(MANAGER, path)[0] == 404


@pytest.mark.parametrize(
    ("name", "organization"),
    [
        (f"site-10000.client.{DOMAIN}", ""),
        (f"x{MANAGER}", ""),
        (MANAGER.replace(".", "x"), ""),
        (f"{MANAGER}.evil", ""),
        (f"evil,CN={MANAGER}", ""),
        ("evil", f"x,CN={MANAGER}"),
    ],
)
def test_another_member_of_the_federation_is_no_fml_manager(frontend: Frontend, name: str, organization: str) -> None:
    assert frontend.call(name, "/api/v1/status", organization=organization)[0] == 403


def test_a_caller_without_a_certificate_of_the_federation_is_refused(frontend: Frontend) -> None:
    status, text = frontend.call(None, "/api/v1/status")
    assert status == 400
    assert re.search("No required SSL certificate", text)
    status, text = frontend.call(MANAGER, "/api/v1/status", pki.new_authority("stranger"))
    assert status == 400
    assert "certificate error" in text
