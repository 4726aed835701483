"""What a stack deploys of a party's Pulsar, by its plan and chart, and the container beside the broker, run on this machine."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from federation.stack.load import check_secrets, made_certificates
from tests.pulsar.brokers import HOST, TENANT, Broker, client
from tests.support.configs import Case
from tests.support.helm import CHARTS, helm_template
from tests.support.trust import load, secrets_of
from tests.support.walk import config_texts, named

# An interval of the script in these tests, and how long a message may take.
INTERVAL, SECONDS = "0.5", 20.0


@dataclass(frozen=True)
class Deployed:
    """Configuration, Secret, the container beside the broker, the route table, and the file beside it."""

    configuration: str
    certificates: dict[str, str]
    command: tuple[str, ...]
    script: str
    routes: str
    trust: str


def deployed(case: Case, own: str, folder: Path, addresses: Mapping[str, str], given: Mapping[str, str] = MappingProxyType({})) -> Deployed:
    """Of a party. `addresses`: where on this machine that is what the stack's peers publish; no stack accepts a loopback address.

    `given`: what fate:secrets has of certificates that are provided.
    """
    loaded = load(case, folder / "stack")
    unit, secrets = loaded.plan.unit(f"party-{own}"), {**secrets_of(loaded), **given}
    check_secrets(loaded, secrets)
    secrets |= made_certificates(loaded, secrets)
    (secret,) = [secret for secret in unit.secrets if secret.name == "pulsar-cert"]
    objects = helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain(), unit.namespace, unit.key)
    texts = config_texts(objects)
    _, container = named(objects, "StatefulSet", "pulsar")["spec"]["template"]["spec"]["containers"]
    (files,) = [manifest.fields["data"] for manifest in unit.routes if manifest.name == "pulsar-route-table"]
    here = re.compile("|".join(map(re.escape, addresses)) or r"(?!)")
    return Deployed(
        texts["pulsar-config/standalone.conf"],
        {key: secrets[source] for key, source in secret.sources.items()},
        tuple(container["command"]),
        texts["pulsar-config/pulsar-clusters.py"],
        here.sub(lambda found: addresses[found[0]], files["pulsar_route_table.yaml"]),
        files["pulsar_trust.json"],
    )


def publish(table: Path, given: Deployed) -> str:
    """The mounted files change; the route table."""
    for file, text in ((table.with_name("pulsar_trust.json"), given.trust), (table, given.routes)):
        new = table.with_name("new")
        new.write_text(text)
        new.rename(file)
    return given.routes


@dataclass
class Keeper:
    """The container beside the broker."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        """What it said."""
        return self.log.read_text()


@contextmanager
def keeper(given: Deployed, folder: Path, table: Path, broker: Broker, admin_port: int | None = None) -> Iterator[Keeper]:
    """The rendered command, with this machine's paths and ports; another `admin_port`: beside no broker."""
    script = folder / "pulsar-clusters.py"
    script.write_text(given.script)
    python, path, address, *rest, routes, trust = given.command
    assert (python, path, address, routes, trust) == (
        "python3", "/scripts/pulsar-clusters.py", "127.0.0.1:8080", "/routes/pulsar_route_table.yaml", "/routes/pulsar_trust.json",
    )  # fmt: skip
    beside = table.with_name("pulsar_trust.json")
    command = [sys.executable, "-I", str(script), f"{HOST}:{admin_port or broker.admin_port}", *rest, str(table), str(beside)]
    log = folder / "keeper.log"
    with log.open("wb") as output:
        environment = {"INTERVAL": INTERVAL, "ALIVE": str(folder / "alive"), "CERTIFICATES": str(broker.folder)}
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Keeper(process, log)
    finally:
        process.kill()
        process.wait(10)


class Topic:
    """A task that sends from 9999 to another party, and who receives at which broker."""

    def __init__(self, brokers: Mapping[str, Broker], job: str, to: str, *at: str, by: str = "9999") -> None:
        self.job, self.name = job, f"guest-{by}-host-{to}"
        address = f"persistent://{TENANT}/{job}/{self.name}"
        self._producer = brokers[by].client.create_producer(address)
        self._consumers = {party_id: brokers[party_id].client.subscribe(address, "fate") for party_id in at}

    def send(self, text: str) -> None:
        """To the own broker."""
        self._producer.send(text.encode())

    def received(self, at: str, seconds: float = SECONDS) -> str | None:
        """The next message that arrives at a broker; None when none does."""
        try:
            message = self._consumers[at].receive(int(seconds * 1000))
        except client().Timeout:
            return None
        self._consumers[at].acknowledge(message)
        text: str = message.data().decode()
        return text

    def passes(self, text: str, at: str) -> bool:
        """Whether a message arrives."""
        self.send(text)
        return self.received(at) == text
