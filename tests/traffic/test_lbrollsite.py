"""lbrollsite before two exchanges, with a real nginx: the rendered configuration and the chart's own start script.

Needs `apt-get install nginx-light`. Exchanges are played by nginx too: HTTP/2 without TLS, as gRPC is; each says its name.
"""

import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.configs import BALANCED
from tests.support.helm import CHARTS, helm_template
from tests.support.walk import named
from tests.traffic.router import read_only

pytestmark = pytest.mark.traffic
SECONDS = 15.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until(what: str, done: object) -> None:
    end = time.monotonic() + SECONDS
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end, what
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Front:
    """A running lbrollsite, and the file that names its exchanges."""

    port: int
    exchanges: dict[str, int]
    routes: Path
    process: subprocess.Popen[bytes]
    output: Path

    def list(self, *names: str) -> None:
        """Another list, as kubelet brings it: renamed into place."""
        lines = [f"server 127.0.0.1:{self.exchanges[name]};  # {name}\n" for name in names] or ["server 127.0.0.1:1;\n"]
        self.replace("".join(lines))

    def replace(self, text: str) -> None:
        """The file with this text."""
        following = self.routes.with_suffix(".new")
        following.write_text(text)
        following.rename(self.routes)

    def ask(self, body: Path | None = None) -> str:
        """Who answers a stream; the status, when nobody does."""
        data = [] if body is None else ["--data-binary", f"@{body}"]
        command = [
            "curl",
            "-s",
            "-o",
            "-",
            "-w",
            " %{http_code}",
            "--http2-prior-knowledge",
            "-X",
            "POST",
            *data,
            f"http://127.0.0.1:{self.port}/push",
        ]
        answer, status = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rsplit(" ", 1)
        return answer.strip() if status == "200" else status

    def told(self, text: str) -> int:
        """How often something was said."""
        return self.output.read_text().count(text)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    assert Path(nginx).exists(), "nginx is missing: apt-get install nginx-light"
    running: list[subprocess.Popen[bytes]] = []
    exchanges = {}
    try:
        for name in ("one", "two"):
            exchanges[name] = free_port()
            running.append(_exchange(nginx, name, exchanges[name], tmp_path / name))
        port, routes = free_port(), tmp_path / "exchanges.conf"
        output = tmp_path / "output"
        unit = BALANCED.load(tmp_path / "stack").plan.unit("party-9999")
        text = named(helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain()), "ConfigMap", "lbrollsite-config")["data"][
            "nginx.conf"
        ]
        home, replaced = tmp_path / "home", text
        for old, new in (("/tmp/nginx", str(home)), ("listen 9390", f"listen 127.0.0.1:{port}"), ("/routes/exchanges.conf", str(routes))):
            assert old in replaced
            replaced = replaced.replace(old, new)
        (tmp_path / "nginx.conf").write_text(replaced)
        settings = {"NGINX": nginx, "CONFIG": str(tmp_path / "nginx.conf"), "LIST": str(routes), "HOME_DIR": str(home), "INTERVAL": "0.2"}
        made = Front(port, exchanges, routes, None, output)  # type: ignore[arg-type]
        made.list("one", "two")
        home.mkdir()
        made.process = subprocess.Popen(
            [*read_only(home), "sh", str(CHARTS / "fate-party/files/lbrollsite.sh")],
            env={"PATH": "/usr/bin:/bin", **settings}, stdout=output.open("wb"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        running.append(made.process)
        wait_until("lbrollsite does not listen", lambda: listens(port))
        yield made
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(SECONDS)


def _exchange(nginx: str, name: str, port: int, folder: Path) -> subprocess.Popen[bytes]:
    (folder / "logs").mkdir(parents=True)
    behind = free_port()
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/logs/error.log; events {{}}\n"
        f"http {{ {temporary} access_log off; client_max_body_size 0; client_body_buffer_size 16m;\n"
        # The proxy between reads a stream to its end before it answers.
        f"server {{ listen 127.0.0.1:{port} http2; location / {{ proxy_pass http://127.0.0.1:{behind}; }} }}\n"
        f'server {{ listen 127.0.0.1:{behind}; location / {{ return 200 "{name}\\n"; }} }} }}\n'
    )
    process = subprocess.Popen([nginx, "-p", f"{folder}/", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    wait_until(f"exchange {name} does not listen", lambda: listens(port))
    return process


def test_streams_are_spread_over_the_exchanges(front: Front) -> None:
    assert set(Counter(front.ask() for _ in range(10))) == {"one", "two"}


def test_a_stream_of_any_size_passes(front: Front, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(5 * 2**20))
    assert front.ask(tmp_path / "large") in ("one", "two"), "KubeFATE's limit is 2 MB"


def test_an_exchange_that_leaves_the_list_gets_no_stream_and_one_that_comes_back_does(front: Front) -> None:
    front.list("two")
    wait_until("the list is not loaded", lambda: front.told("reloaded") == 1)
    wait_until("an old worker still answers", lambda: {front.ask() for _ in range(6)} == {"two"})
    front.list("one", "two")
    wait_until("the list is not loaded", lambda: front.told("reloaded") == 2)
    wait_until("the exchange that came back gets nothing", lambda: {front.ask() for _ in range(6)} == {"one", "two"})


def test_an_exchange_that_is_down_is_passed_over(front: Front) -> None:
    front.exchanges["one"] = free_port()
    front.list("one", "two")
    wait_until("the list is not loaded", lambda: front.told("reloaded") == 1)
    wait_until("an old worker still answers", lambda: {front.ask() for _ in range(6)} == {"two"})


def test_without_an_exchange_in_force_nobody_answers(front: Front) -> None:
    front.list()
    wait_until("the list is not loaded", lambda: front.told("reloaded") == 1)
    wait_until("an old worker still answers", lambda: front.ask() == "502")


def test_a_list_that_nginx_refuses_changes_nothing(front: Front) -> None:
    front.replace("server nonsense nonsense;\n")
    wait_until("nothing is said", lambda: front.told("it keeps the old one") == 1)
    assert front.ask() in ("one", "two")


def test_it_stops_when_it_is_asked_to(front: Front) -> None:
    front.process.send_signal(signal.SIGTERM)
    assert front.process.wait(SECONDS) == 0
    wait_until("nginx is left behind", lambda: not listens(front.port))
