"""Real Pulsar brokers on loopback, with the configuration and certificates that a stack deploys, and what FATE-Flow does with them.

`make pulsar` fetches them: the broker's jars, and the client that FATE pins.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import yaml

HOST, TENANT, OWN_CLUSTER = "127.0.0.1", "fl-tenant", "standalone"
POM = Path(__file__).with_name("pom.xml")
VERSION = re.findall(r"<version>([\d.]+)</version>", POM.read_text())[0]
INSTALLED = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fate-federation" / f"pulsar-{VERSION}"
START_SECONDS = 90.0
# Of certificates; 300 where it is deployed.
REFRESH_SECONDS = 2
# Packages of the JDK that Pulsar 2.10 looks into, on Java 17; its own start script opens them too.
_OPENED = (
    "java.base/java.lang", "java.base/java.io", "java.base/java.util", "java.base/java.util.zip", "java.base/java.nio",
    "java.base/jdk.internal.misc", "java.base/sun.net", "java.management/sun.management", "jdk.management/com.sun.management.internal",
)  # fmt: skip
_PORTS = ("brokerServicePort", "brokerServicePortTls", "webServicePort", "webServicePortTls")
_SMALL = ("-Xms96m", "-Xmx320m", "-XX:MaxDirectMemorySize=384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def client() -> Any:
    """FATE's own client library for Pulsar."""
    folder = str(INSTALLED / "client")
    if folder not in sys.path:
        sys.path.append(folder)
    import pulsar  # type: ignore[import-not-found]

    return pulsar


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(holds: Callable[[], Any], seconds: float = 20.0) -> bool:
    """Whether it came to hold in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


class RefusedError(AssertionError):
    """An answer of the admin API that is no success."""

    def __init__(self, status: int, *said: object) -> None:
        super().__init__(status, *said)
        self.status = status


@dataclass(frozen=True)
class Broker:
    """A running broker: its folder, plaintext, TLS and admin ports, and a client of its own party."""

    folder: Path
    port: int
    tls_port: int
    admin_port: int
    client: Any

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and answer of the admin API."""
        connection = HTTPConnection(HOST, self.admin_port, timeout=30)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, f"/admin/v2/{path}", sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def done(self, method: str, path: str, body: object = None) -> Any:
        """The answer, which is a success; else RefusedError."""
        status, answer = self.ask(method, path, body)
        if not 200 <= status < 300:
            raise RefusedError(status, method, path, answer)
        return answer

    def mount(self, certificates: Mapping[str, str]) -> None:
        """The files of a Secret, as kubelet refreshes them."""
        for name, text in certificates.items():
            (self.folder / "new").write_text(text)
            (self.folder / "new").rename(self.folder / name)
        for old in self.folder.glob("ca*.cert.pem"):
            if old.name not in certificates:
                old.unlink()

    def clusters(self) -> set[str]:
        """The clusters that it knows, without its own."""
        return set(self.done("GET", "clusters")) - {OWN_CLUSTER}

    def allowed(self) -> set[str]:
        """Those that FATE's tenant may replicate to."""
        return set(self.done("GET", f"tenants/{TENANT}")["allowedClusters"]) - {OWN_CLUSTER}

    def replication(self, job: str) -> set[str]:
        """Those that a job's namespace replicates to."""
        return set(self.done("GET", f"namespaces/{TENANT}/{job}/replication")) - {OWN_CLUSTER}

    def connection(self, job: str, topic: str, cluster: str) -> str | None:
        """The connection by which a topic is replicated to a cluster, as the broker prints it."""
        found = self.done("GET", f"persistent/{TENANT}/{job}/{topic}/stats")["replication"].get(cluster, {})
        return found["outboundConnection"] if found.get("connected") else None


@contextmanager
def broker(folder: Path, configuration: str, certificates: Mapping[str, str]) -> Iterator[Broker]:
    """A broker with the `standalone.conf` of a stack, and the files of its Secret; on other ports, on loopback only."""
    java = shutil.which("java")
    if java is None or not (INSTALLED / "lib").is_dir():
        pytest.fail("Pulsar is missing: make pulsar", pytrace=False)
    folder.mkdir(parents=True)
    for name, text in certificates.items():
        (folder / name).write_text(text)
    ports = {key: free_port() for key in (*_PORTS, "zookeeper", "bookkeeper")}
    (folder / "standalone.conf").write_text(_local(configuration, folder, ports))
    places = {"--zookeeper-dir": folder / "zookeeper", "--zookeeper-port": ports["zookeeper"], "--bookkeeper-dir": folder / "bookkeeper",
              "--bookkeeper-port": ports["bookkeeper"], "--config": folder / "standalone.conf"}  # fmt: skip
    command = [java, *_SMALL, *(word for opened in _OPENED for word in ("--add-opens", f"{opened}=ALL-UNNAMED"))]
    (folder / "hosts").write_text(f"{HOST} localhost {socket.gethostname()} {_advertised(configuration)}\n")
    command += [f"-Djdk.net.hosts.file={folder / 'hosts'}"] if _advertised(configuration) else []
    command += ["-Dio.netty.tryReflectionSetAccessible=true", "-cp", f"{INSTALLED}/lib/*", "org.apache.pulsar.PulsarStandaloneStarter"]
    command += ["--no-functions-worker", "--no-stream-storage", *(str(word) for pair in places.items() for word in pair)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        made = client()
        quiet = made.ConsoleLogger(made.LoggerLevel.Error)
        own = made.Client(f"pulsar://{HOST}:{ports['brokerServicePort']}", logger=quiet)
        found = Broker(folder, ports["brokerServicePort"], ports["brokerServicePortTls"], ports["webServicePort"], own)
        try:
            assert eventually(lambda: process.poll() is not None or _ready(found), START_SECONDS), (folder / "log").read_text()[-3000:]
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            yield found
        finally:
            own.close()
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def _advertised(configuration: str) -> str:
    """The name of itself that the pod's /etc/hosts knows; empty: none."""
    return re.findall(r"^advertisedAddress=(.*)$", configuration, re.M)[0]


def _ready(found: Broker) -> bool:
    """What the pod's readiness probe asks."""
    try:
        return found.ask("GET", f"clusters/{OWN_CLUSTER}")[0] == 200
    except OSError:
        return False


def _local(configuration: str, folder: Path, ports: Mapping[str, int]) -> str:
    """The same configuration for this machine: ports, folder, address."""
    lines = []
    for line in configuration.splitlines():
        key, equals, value = line.partition("=")
        if key in ports:
            value = str(ports[key])
        elif key == "bindAddress" or (key == "advertisedAddress" and not value):
            value = HOST
        elif key == "tlsCertRefreshCheckDurationSec":
            value = str(REFRESH_SECONDS)
        lines.append(f"{key}{equals}{value.replace('/opt/pulsar/certs', str(folder))}")
    missing = set(_PORTS) - {line.partition("=")[0] for line in lines}
    assert not missing, f"no TLS in this configuration: {missing}"
    return "\n".join(lines) + "\n"


class FateFlow:
    """What a task of FATE does before it sends something to another party, call by call (pyfate 2.2.0, PulsarFederation)."""

    def __init__(self, own: Broker, party: str) -> None:
        self._broker, self._party = own, party
        if own.ask("GET", f"tenants/{TENANT}")[0] == 404:
            own.done("PUT", f"tenants/{TENANT}", {"adminRoles": [], "allowedClusters": [OWN_CLUSTER]})

    def task(self, job: str, routes: str, *parties: str) -> None:
        """Clusters, tenant and namespace of a job with these parties, by a route table (YAML)."""
        ask, done = self._broker.ask, self._broker.done
        table = yaml.safe_load(routes)
        for party in parties:
            _, cluster = ask("GET", f"clusters/{party}")
            if not cluster.get("brokerServiceUrl") and not cluster.get("brokerServiceUrlTls"):
                entry = _cluster(table, party)
                if ask("PUT", f"clusters/{party}", entry)[0] >= 300:
                    done("POST", f"clusters/{party}", entry)
            allowed = done("GET", f"tenants/{TENANT}")["allowedClusters"]
            if party not in allowed:
                done("POST", f"tenants/{TENANT}", {"adminRoles": [], "allowedClusters": [*allowed, party]})
            if f"{TENANT}/{job}" not in done("GET", f"namespaces/{TENANT}"):
                done("PUT", f"namespaces/{TENANT}/{job}", {"replication_clusters": [OWN_CLUSTER, party]})
                done("POST", f"namespaces/{TENANT}/{job}/retention", {"retentionTimeInMinutes": 3, "retentionSizeInMB": -1})
                continue
            named = done("GET", f"namespaces/{TENANT}/{job}/replication")
            if party not in named:
                done("POST", f"namespaces/{TENANT}/{job}/replication", [*named, party])

    def receives(self, job: str) -> None:
        """The namespace of a job at the other end."""
        self._broker.done("PUT", f"namespaces/{TENANT}/{job}", {"replication_clusters": [OWN_CLUSTER]})
        self._broker.done("POST", f"namespaces/{TENANT}/{job}/retention", {"retentionTimeInMinutes": 3, "retentionSizeInMB": -1})


def _cluster(table: Mapping[Any, Any], party: str) -> dict[str, Any]:
    entry = table.get(int(party))
    if entry is None:
        default = table["default"]
        host, port, tls, proxy = f"{party}.{default['domain']}", default["brokerPort"], default["brokerSslPort"], default["proxy"]
    else:
        host, port, tls, proxy = (entry[key] for key in ("host", "port", "sslPort", "proxy"))
    return {
        "serviceUrl": "",
        "serviceUrlTls": "",
        "brokerServiceUrl": f"pulsar://{host}:{port}",
        "brokerServiceUrlTls": f"pulsar+ssl://{host}:{tls}",
        "peerClusterNames": [],
        "proxyServiceUrl": f"pulsar+ssl://{proxy}" if proxy else "",
        "proxyProtocol": "SNI",
    }
