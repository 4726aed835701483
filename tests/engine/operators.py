"""Operators of the engine tests: a workspace each, on clusters of their own, with certificates of one federation CA."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from sandbox import pki
from sandbox.workspace import Workspace

DOMAIN = "fraud.example"
PUBLISHED = {"type": "LoadBalancer"}
# Kubernetes gives node ports below 30086 to no Service that did not ask for them (the static band of its range). A test that asks
# for another port fails when a load balancer of an earlier test got that one by chance.
STATIC_NODE_PORTS = range(30000, 30086)
# A star, and an exchange typed by hand that its parties use.
FEDERATION = {"name": "fraud", "domain": DOMAIN, "topology": "star", "link": "native"}
HUB = {"unsigned": True, "trafficServer": "198.51.100.4:443", "nginx": "198.51.100.4:9300"}
# Peers of these tests are at private addresses, some of them in the same cluster: these are nobody's.
OWN_RANGES = ["192.0.2.0/24"]
PASSWORDS = ("mysql", "mysql-root", "fateboard", "notebook")


@dataclass
class Federation:
    """The three operators, linked, and what was seen on the way."""

    consortium: Workspace
    bank: Workspace
    clinic: Workspace
    passwords: dict[str, str] = field(default_factory=dict)
    first_previews: dict[str, str] = field(default_factory=dict)
    linking: list[tuple[str, str, str]] = field(default_factory=list)
    trusting: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    routes_uid: tuple[str, str] = ("", "")

    @property
    def all(self) -> tuple[Workspace, Workspace, Workspace]:
        """Every operator."""
        return self.consortium, self.bank, self.clinic


def operator(
    organization: str, folder: Path, kubeconfig: Path, config: Mapping[str, Any] | None = None, home: str | None = None
) -> Workspace:
    """A prepared workspace; `config` replaces the repository's example stack (values under `fate:`).

    `home`: the organization whose project the stack is in, when the stack is not called like it.
    """
    space = Workspace(organization, folder / (home or organization), kubeconfig)
    if config is not None:
        space.stack_file.parent.mkdir(parents=True, exist_ok=True)
        config = {**config, "cluster": {"ranges": OWN_RANGES, **config.get("cluster", {})}}
        space.stack_file.write_text(yaml.safe_dump({"config": {f"fate:{key}": value for key, value in config.items()}}))
    space.prepare()
    return space


def republish(space: Workspace) -> None:
    """`pulumi up` of an edit of one published Service.

    The provider may remember the Service as it was a moment before its own change: an API server's cache answers it. The next preview
    then lists the same update again, and a second `pulumi up` changes nothing (docs/guides/state.md).
    """
    space.up()
    if [kind for _, kind, _ in space.preview()] == ["kubernetes:core/v1:Service"]:
        space.up()
        assert space.preview() == []


def spark_party(namespace: str, exchange: str = "hub") -> dict[str, Any]:
    """A party with Spark, Pulsar and HDFS, with every optional module, publishing by load balancers."""
    return {
        "namespace": namespace,
        "release": "1.11.2",
        "computing": "Spark",
        "federation": "Pulsar",
        "storage": "HDFS",
        "exchange": exchange,
        "persistence": {},
        "modules": {"fateboard": {}, "client": {}},
        "publish": {"pulsar": PUBLISHED, "nginx": PUBLISHED},
    }


def give_secrets(space: Workspace, authority: pki.Authority, units: Mapping[str, str]) -> dict[str, str]:
    """Give a stack its keys, certificates ({unit key: server name}) and passwords; the passwords that were given."""
    for unit, server_name in units.items():
        key = pki.new_key("rsa-2048")
        certificate = pki.issue(authority, key.public_key(), server_name, names=[server_name])
        # PKCS#1 on purpose: the program must turn it into the PKCS#8 that Pulsar reads.
        space.set_secret(f"{unit}-key", pki.key_pem(key, "traditional"))
        space.set_secret(f"{unit}-certificate", pki.pem(certificate))
        space.set_secret(f"{unit}-ca", pki.pem(authority.certificate))
    return give_passwords(space, *units)


def give_passwords(space: Workspace, *units: str) -> dict[str, str]:
    """Give a stack the passwords of its parties; what was given."""
    parties = [unit for unit in units if unit.startswith("party-")]
    passwords = {f"{unit}-{slot}": f"canary-{space.organization}-{unit}-{slot}" for unit in parties for slot in PASSWORDS}
    for name, value in passwords.items():
        space.set_secret(name, value.encode())
    return passwords


def in_a_week() -> str:
    """A day by which an exchange may be destroyed."""
    return (datetime.now(UTC).date() + timedelta(days=7)).isoformat()


def hand_over(sender: Workspace, receiver: Workspace, unit: str | None = None, name: str | None = None) -> None:
    """Export the sender's descriptor, signed, and let the receiver accept it by the fingerprint that the sender tells.

    `unit`: which one, when the sender has several; `name`: the peer's, when it is not the sender's stack's.
    """
    key, name = identity(sender), name or sender.organization
    file = receiver.folder / "received.json"
    sender.fatefed("descriptor", "export", "-o", str(file), *(["--unit", unit] if unit else []))
    receiver.fatefed("peers", "add", str(file), "--name", name, "--key", key, "--yes")


def identity(space: Workspace) -> str:
    """The fingerprint of an operator's key, which is made if need be."""
    key: str = space.json("fatefed", "identity", "create", "-s", space.organization)["key"]
    return key


def config_map(space: Workspace, namespace: str, name: str) -> dict[str, str]:
    """The data of a ConfigMap in the cluster."""
    data: dict[str, str] = space.kubectl("get", "configmap", name, "-n", namespace)["data"]
    return data


def objects(changes: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The changes of a preview that touch the cluster: without components and the stack's outputs."""
    return [change for change in changes if change[1].startswith("kubernetes:")]
