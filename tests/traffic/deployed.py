"""An exchange's Traffic Server as it is deployed, run with Debian's binaries.

The mounts are laid out as kubelet does it, and the command, the environment and the probe are the rendered pod's own.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import yaml

from federation.units.unit import UnitPlan
from sandbox.processes import fields_after_name
from tests.support.helm import CHARTS, helm_template
from tests.support.walk import named, of_kind

LOOPBACK = "127.0.0.1"
# Whom the rendered `admin.user_id` makes of traffic_server where it starts as root, as in the container. Debian's own default
# is root, as which it refuses to serve.
USER, GROUP = "nobody", "nogroup"
INSTALL = "Traffic Server is missing: apt-get install trafficserver"
START_SECONDS, PROBE_SECONDS = 20.0, 5.0
# Traffic Server looks at its hosts file once a second, and the first time a second after it began to serve.
HOSTS_FILE_SECONDS = 1.3
# A seventh of the chart's: the tests wait for it.
INTERVAL = "0.7"
_DIRECTORIES = {  # runroot.yaml, see `traffic_layout`
    "prefix": "/usr",
    "exec_prefix": "/usr",
    "includedir": "/usr/include",
    "libdir": "/usr/lib/trafficserver",
    "libexecdir": "/usr/lib/trafficserver/modules",
}


@dataclass(frozen=True)
class Container:
    """The container `traffic-server` of a rendered exchange; `mounts`: {mount path: {file name: text}}."""

    command: tuple[str, ...]
    probe: tuple[str, ...]
    env: Mapping[str, str]
    mounts: Mapping[str, Mapping[str, str]]

    def with_file(self, mount: str, name: str, text: str) -> "Container":
        """The same with another text of one file."""
        return replace(self, mounts={**self.mounts, mount: {**self.mounts[mount], name: text}})


def container(unit: UnitPlan) -> Container:
    """What the plan of an exchange and its chart, rendered by the real helm, give to the container."""
    objects = helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain(), unit.namespace, unit.key)
    maps = [*of_kind(objects, "ConfigMap"), *(manifest.document() for manifest in unit.routes)]
    texts: dict[str, dict[str, str]] = {item["metadata"]["name"]: item["data"] for item in maps}
    pod = named(objects, "Deployment", "traffic-server")["spec"]["template"]["spec"]
    (spec,) = pod["containers"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts: dict[str, dict[str, str]] = {}
    for mount in spec["volumeMounts"]:
        volume = volumes[mount["name"]]
        sources = volume["projected"]["sources"] if "projected" in volume else [volume]
        found = [
            (item["path"], texts[source["configMap"]["name"]][item["key"]]) for source in sources for item in source["configMap"]["items"]
        ]
        mounts[mount["mountPath"]] = dict(found)
    env = {entry["name"]: entry["value"] for entry in spec["env"]}
    return Container(tuple(spec["command"]), tuple(spec["readinessProbe"]["exec"]["command"]), env, mounts)


def eventually(holds: Callable[[], object], seconds: float) -> bool:
    """Whether it came to hold in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def free_port(wanted: int = 0) -> int:
    """The wanted port of the loopback address if it is free, else one that is."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            return free_port()
        port: int = probe.getsockname()[1]
        return port


@dataclass
class TrafficServer:
    """One instance with a directory of its own: not started, running or ended."""

    folder: Path
    given: Container
    hosts: tuple[str, ...]
    port: int = field(init=False)
    _env: dict[str, str] = field(init=False)
    _script: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        binary = shutil.which("traffic_manager")
        if binary is None:
            pytest.fail(INSTALL, pytrace=False)
        root = self.folder / "root"
        for name in ("run", "log", "cache", "mounts"):
            (root / name).mkdir(parents=True)
        # Like the image's: a directory full of the package's own files, over which the script installs the mounted ones.
        shutil.copytree("/etc/trafficserver", root / "etc")
        places = {"sysconfdir": "etc", "datadir": "cache", "cachedir": "cache", "localstatedir": ".", "runtimedir": "run", "logdir": "log"}
        own = {key: str(root / place) for key, place in places.items()}
        bin_folder = str(Path(binary).parent)
        (root / "runroot.yaml").write_text(yaml.safe_dump(_DIRECTORIES | own | {"bindir": bin_folder, "sbindir": bin_folder}))
        (root / "hosts").write_text("".join(f"{LOOPBACK} {host}\n" for host in self.hosts))
        self.port, listen = _listen(self.given.mounts["/config"]["records.config"])
        self._env = {
            "PATH": os.environ["PATH"],
            "TS_RUNROOT": str(root),
            "ATS_BIN": bin_folder,
            "ATS_CONFIG": str(root / "etc"),
            "INTERVAL": INTERVAL,
            # Traffic Server's own way to override a record; no file is changed. The folders are those of the run root.
            "PROXY_CONFIG_HTTP_SERVER_PORTS": listen,
            "PROXY_CONFIG_HOSTDB_HOST_FILE_PATH": str(root / "hosts"),
            "PROXY_CONFIG_SSL_SERVER_CERT_PATH": str(root / "etc"),
            "PROXY_CONFIG_SSL_SERVER_PRIVATE_KEY_PATH": str(root / "etc"),
            **{key: self._local(value) for key, value in self.given.env.items()},
        }
        self.mount(self.given)
        self._hand_over()

    def mount(self, given: Container) -> None:
        """Show the files of this container's mounts, as kubelet does when a ConfigMap has changed."""
        for path, files in given.mounts.items():
            _mount(Path(self._local(path)), files)

    def resolve(self, host: str, address: str) -> None:
        """Let one more name lead somewhere; to be said before it starts."""
        with (self.folder / "root" / "hosts").open("a") as hosts:
            hosts.write(f"{address} {host}\n")

    def start(self) -> None:
        """Run the container's command, in a session of its own."""
        with (self.folder / "output").open("wb") as output:
            self._script = subprocess.Popen(
                [self._local(word) for word in self.given.command],
                env=self._env,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def serve(self) -> None:
        """Start, and wait until it serves."""
        self.start()
        assert eventually(self.initialized, START_SECONDS), self.output
        assert eventually(self.serving, START_SECONDS), self.output
        time.sleep(HOSTS_FILE_SECONDS)

    def initialized(self) -> bool:
        """Whether traffic_server has read all its files and begins to accept.

        traffic_manager opens the port seconds before that, and the probe succeeds too. Version 9.2.9 crashed in three of 24 starts
        in which a client of a tunnel was waiting already; so nothing dials before.
        """
        log = self.folder / "root" / "log" / "diags.log"
        return log.exists() and "traffic server running" in log.read_text(errors="replace")

    def serving(self) -> bool:
        """Whether the container's readiness probe succeeds."""
        return self._run(*(self._local(word) for word in self.given.probe)).returncode == 0

    def listening(self) -> bool:
        """Whether the TLS port accepts connections, as a TCP probe would ask."""
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=2).close()
        except OSError:
            return False
        return True

    def record(self, name: str) -> str:
        """The value of a record, as the running Traffic Server has it."""
        run = self._run(f"{self._env['ATS_BIN']}/traffic_ctl", "config", "get", f"proxy.config.{name}")
        return run.stdout.decode().strip().partition(": ")[2]

    def processes(self) -> dict[int, str]:
        """Every living process of the session: {pid: name}."""
        return {} if self._script is None else _session(self._script.pid)

    @property
    def output(self) -> str:
        """What the script and Traffic Server wrote."""
        return (self.folder / "output").read_text(errors="replace")

    def server_pid(self) -> int:
        """The pid of traffic_server itself, which a restart would change."""
        (pid,) = (pid for pid, name in self.processes().items() if name.startswith("[TS_MAIN]") or name == "traffic_server")
        return pid

    def terminate(self, seconds: float) -> int:
        """The status of the script after TERM. TimeoutExpired when it takes longer."""
        assert self._script is not None
        self._script.terminate()
        return self._script.wait(seconds)

    def kill(self) -> None:
        """End what still runs of the session, and nothing else."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self._script is not None:
            self._script.wait(5)

    def _local(self, text: str) -> str:
        for path in self.given.mounts:
            if text == path or text.startswith(f"{path}/"):
                return f"{self.folder}/root/mounts{text}"
        return text

    def _run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, env=self._env, cwd="/", capture_output=True, timeout=PROBE_SECONDS, check=False)

    def _hand_over(self) -> None:
        if os.geteuid() != 0:
            return
        for path in (self.folder, *self.folder.rglob("*")):
            if "mounts" not in path.parts:
                shutil.chown(path, USER, GROUP)


@contextmanager
def traffic_server(given: Container, hosts: tuple[str, ...]) -> Iterator[TrafficServer]:
    """An instance that is not started yet; what remains of it in the end is killed. `hosts`: names of the loopback address."""
    # Not in pytest's folder: another user must get in, and a socket's path has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="fate-traffic-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        instance = TrafficServer(Path(folder), given, hosts)
        try:
            yield instance
        finally:
            instance.kill()


def _listen(records: str) -> tuple[int, str]:
    """The port to dial, and the rendered `server_ports` on the loopback address only, on another port where its own is busy."""
    found = re.search(r"^CONFIG proxy\.config\.http\.server_ports STRING (\d+)(:ssl)$", records, re.MULTILINE)
    assert found, f"one TLS port and no other is expected in:\n{records}"
    port = free_port(int(found[1]))
    return port, f"{port}{found[2]}:ip-in={LOOPBACK}"


def _mount(folder: Path, files: Mapping[str, str]) -> None:
    """A volume's files as kubelet writes them (AtomicWriter): all change at once, when the link `..data` is renamed."""
    folder.mkdir(exist_ok=True)
    data = folder / "..data"
    before = data.resolve() if data.is_symlink() else None
    version = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    version.chmod(0o755)
    for name, text in files.items():
        (version / name).write_text(text)
    (folder / "..data_tmp").symlink_to(version.name)
    (folder / "..data_tmp").rename(data)
    for name in files:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    if before is not None:
        shutil.rmtree(before)


def _session(leader: int) -> dict[int, str]:
    found = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            stat = file.read_text()
        except OSError:  # it has just ended
            continue
        state, _, _, session = fields_after_name(stat)[:4]
        if int(session) == leader and state != "Z":
            found[int(file.parent.name)] = stat[stat.index("(") + 1 : stat.rindex(")")]
    return found
