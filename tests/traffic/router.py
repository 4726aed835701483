"""FATE's nginx as it is deployed: rendered files and start script with a real nginx and its Lua, and a FATE-Flow that keeps what arrives.

FATE's own Lua, which belongs to the image, is not here: that of the sandbox's test image stands for it.
"""

import os
import re
import shlex
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 15.0
LOOPBACK = "127.0.0.1"
_MODULES = [Path("/usr/lib/nginx/modules") / name for name in ("ndk_http_module.so", "ngx_http_lua_module.so")]
_HOME = "/data/projects/fate/proxy"
_LUA = Path(__file__).parents[2] / "sandbox/images/files/nginx/data/projects/fate/proxy/nginx/lua"


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Arrived:
    """One request that FATE-Flow got: its first line and headers as they came, and its body."""

    line: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class FateFlow:
    """A server that takes every request it can read from a connection, by Content-Length or in chunks, and says yes to each."""

    port: int
    arrived: list[Arrived] = field(default_factory=list)


@contextmanager
def fate_flow() -> Iterator[FateFlow]:
    """A running stand-in."""

    class Handler(socketserver.StreamRequestHandler):
        timeout = SECONDS

        def handle(self) -> None:
            while line := self.rfile.readline().decode("latin-1").rstrip("\r\n"):
                lines = iter(lambda: self.rfile.readline().decode("latin-1").rstrip("\r\n"), "")
                headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in lines)}
                found.arrived.append(Arrived(line, headers, self.rfile.read(int(headers.get("content-length", "0")))))
                answer = b'{"code": 0, "retcode": 0}'
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
                self.wfile.write(head.encode() + answer)

    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Handler) as server:
        server.daemon_threads = True
        found = FateFlow(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()


@dataclass
class Router:
    """A running nginx: the port that peers dial, the one of the probes, and its own words."""

    port: int
    health: int
    output: Path

    def ask(self, raw: bytes, port: int | None = None) -> bytes:
        """What it answers to these bytes, until it closes or is silent for a second."""
        with socket.create_connection((LOOPBACK, port or self.port), SECONDS) as connection:
            connection.sendall(raw)
            connection.settimeout(1.0)
            found = b""
            try:
                while more := connection.recv(65536):
                    found += more
            except (TimeoutError, ConnectionResetError):
                pass
            return found


@contextmanager
def router(folder: Path, files: Mapping[str, str], routes: str) -> Iterator[Router]:
    """A running nginx. `files`: those of the ConfigMap nginx-config; `routes`: its route_table.yaml, with addresses of this machine."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert nginx is not None, "nginx is missing: make traffic-server"
    assert all(module.exists() for module in _MODULES), "nginx's Lua module is missing: make traffic-server"
    home, temporary, mounted = folder / "proxy", folder / "tmp", folder / "config"
    for path in (home / "nginx/conf/modifiable", home / "nginx/lua", home / "nginx/logs", temporary, mounted, folder / "bin"):
        path.mkdir(parents=True)
    made = Router(free_port(), free_port(), folder / "output")
    moved = {_HOME: str(home), "/tmp/": f"{temporary}/", " /tmp ": f" {temporary} ", "/config/": f"{mounted}/"}
    moved |= {"listen 9300": f"listen {LOOPBACK}:{made.port}", "listen 9302": f"listen {LOOPBACK}:{made.health}"}
    for name, text in files.items():
        (mounted / name).write_text(re.sub("|".join(map(re.escape, moved)), lambda match: moved[match[0]], text))
    shutil.copytree(_LUA, home / "nginx/lua", dirs_exist_ok=True)
    (home / "nginx/conf/mime.types").write_text("types {}\n")
    (home / "nginx/conf/modifiable/route_table.yaml").write_text(routes)
    as_root = ["user root;"] if os.geteuid() == 0 else []
    head = [*(f"load_module {module};" for module in _MODULES), *as_root]
    (home / "nginx/conf/nginx.conf").write_text("\n".join([*head, (mounted / "nginx.conf").read_text()]))
    openresty = folder / "bin/openresty"
    openresty.write_text(f'#!/bin/sh\nexec {nginx} -p {home}/nginx/ -c conf/nginx.conf "$@"\n')
    openresty.chmod(0o755)
    with made.output.open("wb") as output:
        environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
        command = [*read_only(temporary, home / "nginx/logs"), "sh", str(mounted / "start.sh")]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + SECONDS
        while not (_listens(made.port) and _listens(made.health)):
            assert process.poll() is None, made.output.read_text()
            assert time.monotonic() < end, made.output.read_text()
            time.sleep(0.05)
        yield made
    finally:
        process.terminate()
        process.wait(SECONDS)


def read_only(*writable: Path) -> list[str]:
    """What runs a program with a root file system that it cannot write to, but for these folders: its emptyDirs."""
    binds = [f"mount --bind {shlex.quote(str(path))} {shlex.quote(str(path))}" for path in writable]
    script = " && ".join([*binds, "mount -o remount,bind,ro /", "! touch /read-only 2>/dev/null", 'exec "$@"'])
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--mount", "sh", "-c", script, "sh"]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
