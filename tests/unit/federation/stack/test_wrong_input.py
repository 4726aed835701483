"""What an operator may get wrong: each mistake is told with its place, the problem and the remedy, all at once."""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from federation.base.errors import FederationError, Problem, escaped
from federation.config.file import StackSource
from federation.stack.load import load_stack
from tests.support.configs import (
    CLINIC,
    EGGROLL,
    EXCHANGE,
    LOCAL,
    MESH,
    PENDING,
    SERVING_EXCHANGE,
    SPARK_RABBITMQ,
    STAR_PARTY,
    Case,
    Config,
    exchange,
    exchange_descriptor,
    node_port,
    party,
    party_descriptor,
    stack,
)

Edit = Callable[[Case], Case]
# A legal stack with an exchange and a party, to which each mistake adds entries of its own.
BASE = LOCAL


@dataclass(frozen=True)
class Mistake:
    """One wrong thing: where it stands (`at`: keys as written, one below the other), and what must be said of it."""

    name: str
    edit: Edit
    at: Sequence[str]
    field: str
    problem: str
    remedy: str
    base: Case = BASE
    text: Callable[[str], str] = str

    def __str__(self) -> str:
        return self.name

    def told(self, problems: Sequence[Problem], text: str, file: Path) -> bool:
        """Whether one of the problems is this one, told completely."""
        place = f"{file}:{line_of(text, self.at)} fate:{self.field}"
        return any(p.place == place and self.problem in p.problem and self.remedy in p.remedy for p in problems)


def line_of(text: str, keys: Sequence[str]) -> int:
    """The line of a key below other keys, found by reading down the file."""
    lines, line = [line.strip().replace("'", "") for line in text.splitlines()], -1
    for key in keys:
        line = next(number for number in range(line + 1, len(lines)) if lines[number].startswith(f"{key}:"))
    return line + 1


def problems_of(file: Path) -> tuple[tuple[Problem, ...], str]:
    """The problems of a stack file, and the message that lists them."""
    with pytest.raises(FederationError) as caught:
        load_stack(file)
    return caught.value.problems, str(caught.value)


def _party(party_id: str, **changes: object) -> Edit:
    whole = party(**{"namespace": f"fate-{party_id}", "exchange": "local", **changes})  # type: ignore[arg-type]
    return lambda case: case.changed(lambda config: config["parties"].update({party_id: whole}))


def _both(*edits: Edit) -> Edit:
    def edit(case: Case) -> Case:
        for one in edits:
            case = one(case)
        return case

    return edit


def _publish(pulsar: Config, nginx: Config | None = None) -> Config:
    return {"pulsar": pulsar, "nginx": nginx or {"type": "LoadBalancer"}}


def _altered(**fields: object) -> bytes:
    return json.dumps(CLINIC.plain() | {"partyId": "20010"} | fields).encode()


def _changed(**sections: object) -> Edit:
    return lambda case: case.changed(lambda config: config.update(sections))


def _peer_file(name: str, content: bytes) -> Edit:
    return lambda case: case.with_peer_file(name, content)


def _entry(name: str, **entry: object) -> Edit:
    return lambda case: case.with_entry(name, **entry)


def _peer(name: str, party_id: str) -> Edit:
    return lambda case: case.with_peer(name, party_descriptor(party_id, name))


def _foreign(case: Case) -> Case:
    text = party_descriptor("20003").text().replace('"name": "fraud"', '"name": "credit"')
    return case.with_peer_file("stranger", text.encode())


def _descriptor_mistake(name: str, peer: str, content: bytes, where: str, problem: str, remedy: str) -> Mistake:
    field = f"peers.{peer}.descriptor (peers/{peer}.json){where}"
    return Mistake(name, _peer_file(peer, content), ("fate:peers", peer, "descriptor"), field, problem, remedy)


TOGETHER = [
    Mistake("an unknown section", _changed(partys={}), ("fate:partys",), "partys", "unknown key 'partys'", "did you mean 'parties'?"),
    Mistake(
        "an unknown key",
        _party("101", relase="1.11.2"),
        ("fate:parties", "101", "relase"),
        "parties.101.relase",
        "unknown key 'relase'",
        "did you mean 'release'?",
    ),
    Mistake(
        "a party id that is not a number",
        _party("bank"),
        ("fate:parties", "bank"),
        "parties.bank",
        "a party id is a positive whole number",
        "correct the value",
    ),
    Mistake(
        "a party id written twice",
        _both(_party("102"), _party("102-again")),
        ("fate:parties", "102", "102"),
        "parties.102",
        "102 is written twice",
        "keep one of them",
        text=lambda text: text.replace("102-again:", "102:"),
    ),
    Mistake(
        "a peer with the id of an own party",
        _peer("twin", "9999"),
        ("fate:peers", "twin"),
        "peers.twin",
        "party id 9999 of peer twin already belongs to this stack",
        "agree on another one",
    ),
    Mistake(
        "two peers with one party id",
        _both(_peer("first", "20001"), _peer("second", "20001")),
        ("fate:peers", "second"),
        "peers.second",
        "party id 20001 of peer second already belongs to peer first",
        "agree on another one",
    ),
    Mistake(
        "a descriptor of another federation",
        _foreign,
        ("fate:peers", "stranger", "descriptor"),
        "peers.stranger.descriptor (peers/stranger.json)",
        "is a descriptor of federation credit (fraud.example); this stack belongs to fraud (fraud.example)",
        "use the descriptor of this federation",
    ),
    _descriptor_mistake(
        "a descriptor with a secret-like field",
        "leaky",
        _altered(endpoints={**CLINIC.plain()["endpoints"], "dbPassword": "hunter2"}),
        " endpoints.dbPassword",
        "looks like a secret",
        "must replace that secret",
    ),
    _descriptor_mistake(
        "a descriptor with a private key as a value",
        "careless",
        _altered(organization="-----BEGIN PRIVATE KEY-----\nMIIE\n"),
        " organization",
        "looks like a secret",
        "must replace that secret",
    ),
    _descriptor_mistake(
        "a descriptor with an unknown key",
        "newer",
        _altered(relaese="1.11.2"),
        " relaese",
        "unknown key 'relaese'",
        "ask the peer to export it again",
    ),
    _descriptor_mistake(
        "a descriptor of a later format",
        "later",
        _altered(schemaVersion=3, peersOf=["a"]),
        " schemaVersion",
        "is version 3 of the format, and this program reads version 2",
        "update fatefed (this program)",
    ),
    _descriptor_mistake(
        "a truncated descriptor",
        "truncated",
        CLINIC.text().encode()[:200],
        "",
        "not a whole JSON document",
        "fetch the file again: it may be truncated",
    ),
    _descriptor_mistake(
        "another file instead of a descriptor",
        "stackfile",
        b"config:\n  fate:organization: x\n",
        "",
        "not a whole JSON",
        "this is another file: ask",
    ),
    _descriptor_mistake(
        "a descriptor that is not UTF-8", "latin", b'{"organization": "caf\xe9"}', "", "not a whole JSON", "fetch the file"
    ),
    _descriptor_mistake(
        "a descriptor nested too deeply to read", "nested", b"[" * 100_000 + b"]" * 100_000, "", "not a whole JSON", "fetch the file"
    ),
    _descriptor_mistake(
        "a descriptor nested too deeply to check",
        "nested-less",
        b'{"a":' * 900 + b"1" + b"}" * 900,
        "",
        "not a whole JSON document",
        "fetch the file",
    ),
    _descriptor_mistake("a descriptor that is no object", "listed", b"[]", "", "not a JSON object", "`fatefed descriptor export`"),
    _descriptor_mistake(
        "an oversized descriptor", "large", b" " * 300_000, "", "far larger than a descriptor", "ask the peer for the output"
    ),
    _descriptor_mistake(
        "an address that carries more than an address",
        "injected",
        CLINIC.text().replace('"host": "203.0.113.20"', '"host": "fe80::1%\\n  evil: true"').replace("10000", "20010").encode(),
        " endpoints.pulsar.host",
        "is neither a host name (lower case) nor an IP address",
        "ask the peer to export it again",
    ),
    Mistake(
        "an accepted descriptor that is gone",
        _entry("gone", descriptor="peers/gone.json", sha256="0" * 64),
        ("fate:peers", "gone", "descriptor"),
        "peers.gone.descriptor",
        "the accepted descriptor peers/gone.json is gone",
        "restore the file",
    ),
    Mistake(
        "a descriptor changed since it was accepted",
        lambda case: case.with_peer("changed", party_descriptor("20002"), sha256="0" * 64),
        ("fate:peers", "changed", "descriptor"),
        "peers.changed.descriptor",
        "peers/changed.json changed since it was accepted",
        "run `fatefed peers add peers/changed.json --name changed`",
    ),
    Mistake(
        "a descriptor above the folder",
        _entry("above", descriptor="../above.json"),
        ("fate:peers", "above", "descriptor"),
        "peers.above.descriptor",
        "../above.json is outside the folder of the stack file",
        "keep descriptors in peers/",
    ),
    Mistake(
        "a descriptor by an absolute path",
        _entry("absolute", descriptor="/etc/hostname"),
        ("fate:peers", "absolute", "descriptor"),
        "peers.absolute.descriptor",
        "/etc/hostname is outside the folder of the stack file",
        "keep descriptors in peers/",
    ),
    Mistake(
        "a path that no file can have",
        _entry("no-path", descriptor="peers/\0.json"),
        ("fate:peers", "no-path", "descriptor"),
        "peers.no-path.descriptor",
        "is outside the folder of the stack file",
        "keep descriptors in peers/",
    ),
    Mistake(
        "a folder as a descriptor",
        _entry("folder", descriptor="."),
        ("fate:peers", "folder", "descriptor"),
        "peers.folder.descriptor",
        ". cannot be read: it is not a regular file",
        "name the descriptor file",
    ),
    Mistake(
        "a port that does not exist",
        _entry("typed", unsigned=True, partyId="20004", pulsar="198.51.100.4:99999", nginx="198.51.100.4:9300"),
        ("fate:peers", "typed", "pulsar"),
        "peers.typed.pulsar",
        "'198.51.100.4:99999' does not end in a port between 1 and 65535",
        "host:port of its Pulsar TLS port",
    ),
    Mistake(
        "a peer typed by hand without an address",
        _entry("half", unsigned=True, partyId="20005", nginx="198.51.100.4:9300"),
        ("fate:peers", "half"),
        "peers.half",
        "an unsigned party needs exactly nginx and pulsar, or nginx and rabbitmq, or rollsite, or osx, or servingProxy, or sitePortal, "
        "each as host:port",
        "correct the value",
    ),
    Mistake(
        "a peer without a source",
        _entry("nowhere", state="active"),
        ("fate:peers", "nowhere"),
        "peers.nowhere",
        "name a descriptor file, or a stack of your own, or set unsigned: true",
        "correct the value",
    ),
    Mistake(
        "a stack that is not named in full",
        _entry("short", stack="clinic-b"),
        ("fate:peers", "short", "stack"),
        "peers.short.stack",
        "is not the full name of a stack, ORGANIZATION/PROJECT/STACK",
        "correct the value: Another stack of the same state backend",
    ),
    Mistake(
        "addresses beside the stack that publishes them",
        _entry("both-ways", stack="organization/fate/clinic-b", unsigned=True, partyId="20006", rollsite="198.51.100.4:9370"),
        ("fate:peers", "both-ways"),
        "peers.both-ways",
        "a peer of another stack takes its addresses from it: drop partyId, rollsite",
        "correct the value",
    ),
    Mistake(
        "a key of what a stack publishes",
        _entry("keyed", stack="organization/fate/clinic-b", key="SHA256:" + "a" * 43, acceptedSerial=3),
        ("fate:peers", "keyed"),
        "peers.keyed",
        "a peer from a stack has no signature: remove key, acceptedSerial",
        "correct the value",
    ),
    Mistake(
        "a unit of no stack",
        _entry("unit-only", descriptor="peers/unit-only.json", unit="party-20007"),
        ("fate:peers", "unit-only"),
        "peers.unit-only",
        "unit needs the key stack: add stack, or remove unit",
        "correct the value",
    ),
    Mistake(
        "a unit that no stack could have",
        _entry("no-unit", stack="organization/fate/clinic-b", unit="party 1"),
        ("fate:peers", "no-unit", "unit"),
        "peers.no-unit.unit",
        "is not a unit such as party-9999 or exchange",
        "correct the value: Which unit of that stack",
    ),
    Mistake(
        "an upper-case peer name",
        _entry("Upper", descriptor="peers/upper.json"),
        ("fate:peers", "Upper"),
        "peers.Upper",
        "is not a name of lower-case letters, digits",
        "correct the value",
    ),
    Mistake(
        "an unknown release",
        _party("103", release="9.9.9"),
        ("fate:parties", "103", "release"),
        "parties.103.release",
        "unknown release 9.9.9",
        "choose one of 1.9.0, 1.9.1, 1.9.2, 1.10.0, 1.11.1, 1.11.2, 2.0.0, 2.1.0, 2.2.0",
    ),
    Mistake(
        "engines that do not go together",
        _party("104", computing="Eggroll"),
        ("fate:parties", "104", "computing"),
        "parties.104.computing",
        "release 1.11.2 is not deployed as Eggroll + Pulsar + HDFS",
        "choose one of: Eggroll + Eggroll + Eggroll; Spark + RabbitMQ + HDFS; Spark + Pulsar + HDFS; "
        "Spark_local + RabbitMQ + LocalFS; Spark_local + Pulsar + LocalFS",
    ),
    Mistake(
        "an endpoint that is not published",
        _party("120", publish={"pulsar": {"type": "LoadBalancer"}}),
        ("fate:parties", "120", "publish"),
        "parties.120.publish.nginx",
        "publish.nginx is missing",
        "a party with Pulsar publishes nginx and pulsar",
    ),
    Mistake(
        "an endpoint of another engine",
        _party("121", publish={**_publish({"type": "LoadBalancer"}), "rollsite": {"type": "LoadBalancer"}}),
        ("fate:parties", "121", "publish", "rollsite"),
        "parties.121.publish.rollsite",
        "publish.rollsite does not belong to Pulsar",
        "remove it; Pulsar publishes nginx and pulsar",
    ),
    Mistake(
        "a module of other engines",
        _party("122", modules={"rollsite": {}}),
        ("fate:parties", "122", "modules", "rollsite"),
        "parties.122.modules.rollsite",
        "module rollsite is not part of Spark + Pulsar + HDFS",
        "remove it, or choose engines that use it",
    ),
    Mistake(
        "images that FATE does not publish",
        _party("123", device="IPCL", algorithm="NN"),
        ("fate:parties", "123", "algorithm"),
        "parties.123.algorithm",
        "FATE 1.11.2 has no images for device IPCL with algorithm NN",
        "choose one of: CPU: Basic, NN, ALL; IPCL: Basic; GPU: NN, ALL",
    ),
    Mistake(
        "a party whose engine cannot talk to the others",
        _party("124", **EGGROLL),
        ("fate:parties", "124", "federation"),
        "parties.124.federation",
        "uses Eggroll, while exchange.federation of this stack uses Pulsar: they cannot talk to each other",
        "use one federation engine in a federation",
    ),
    Mistake(
        "a part of a GPU",
        _party("125", modules={"fateflow": {"resources": {"requests": {}, "limits": {"nvidia.com/gpu": "0.5"}}}}),
        ("fate:parties", "125", "modules", "fateflow", "resources", "limits", "nvidia.com/gpu"),
        "parties.125.modules.fateflow.resources.limits.nvidia.com/gpu",
        "is not a whole number",
        "correct the value: Number of NVIDIA GPUs",
    ),
    Mistake(
        "a namespace used twice",
        _party("10500", namespace="fate-9999"),
        ("fate:parties", "10500", "namespace"),
        "parties.10500.namespace",
        "namespace fate-9999 is already used by fate:parties.9999",
        "a namespace of its own",
    ),
    Mistake(
        "a NodePort that says no address",
        _party("106", publish=_publish({"type": "NodePort", "port": 30106})),
        ("fate:parties", "106", "publish", "pulsar"),
        "parties.106.publish.pulsar",
        "type NodePort has no address of its own: add advertise",
        "correct the value",
    ),
    Mistake(
        "a NodePort outside the range",
        _party("107", publish=_publish(node_port(port=6651))),
        ("fate:parties", "107", "publish", "pulsar", "port"),
        "parties.107.publish.pulsar.port",
        "6651 is outside the node port range 30000-32767",
        "correct cluster.nodePortRange",
    ),
    Mistake(
        "a NodePort used twice",
        _both(_party("108", publish=_publish(node_port(port=30108))), _party("109", publish=_publish(node_port(port=30108)))),
        ("fate:parties", "109", "publish", "pulsar", "port"),
        "parties.109.publish.pulsar.port",
        "node port 30108 is already used by parties.108.publish.pulsar",
        "choose another one",
    ),
    Mistake(
        "a NodePort without a port",
        _party("110", publish=_publish({"type": "LoadBalancer"}, node_port())),
        ("fate:parties", "110", "publish", "nginx"),
        "parties.110.publish.nginx.httpPort",
        "a NodePort in a descriptor must be fixed",
        "choose a port of 30000-32767",
    ),
    Mistake(
        "a party of a star without an exchange",
        _party("111", exchange=None),
        ("fate:parties", "111"),
        "parties.111.exchange",
        "a party of a star needs its exchange",
        "name the peer that is the exchange, or `local`",
    ),
    Mistake(
        "a party as an exchange",
        _party("112", exchange="clinic-b"),
        ("fate:parties", "112", "exchange"),
        "parties.112.exchange",
        "peer clinic-b is a party, not an exchange",
        "name the peer whose descriptor is an exchange's",
    ),
    Mistake(
        "an exchange that no peer is",
        _party("113", exchange="consortum"),
        ("fate:parties", "113", "exchange"),
        "parties.113.exchange",
        "there is no peer consortum",
        "`fatefed peers add FILE --name consortum`",
    ),
    Mistake(
        "the tag latest",
        _party("114", modules={"mysql": {"image": {"tag": "latest"}}}),
        ("fate:parties", "114", "modules", "mysql", "image", "tag"),
        "parties.114.modules.mysql.image.tag",
        "the tag 'latest' changes under a running federation",
        "correct the value",
    ),
    Mistake(
        "memory in thousandths of a byte",
        _party("115", modules={"pulsar": {"resources": {"requests": {}, "limits": {"memory": "512m"}}}}),
        ("fate:parties", "115", "modules", "pulsar", "resources", "limits", "memory"),
        "parties.115.modules.pulsar.resources.limits.memory",
        "'512m' means thousandths of a byte: write Mi or Gi",
        "correct the value",
    ),
    Mistake(
        "memory as CPU",
        _party("116", modules={"spark": {"worker": {"resources": {"requests": {}, "limits": {"cpu": "4Gi"}}}}}),
        ("fate:parties", "116", "modules", "spark", "worker", "resources", "limits", "cpu"),
        "parties.116.modules.spark.worker.resources.limits.cpu",
        "'4Gi' is not an amount of CPU",
        "correct the value",
    ),
    Mistake(
        "an environment variable that is a number",
        _party("117", modules={"fateflow": {"env": {"TZ": 5}}}),
        ("fate:parties", "117", "modules", "fateflow", "env", "TZ"),
        "parties.117.modules.fateflow.env.TZ",
        "is not text",
        "correct the value",
    ),
    Mistake(
        "source ranges without a load balancer",
        _party("118", publish=_publish({"type": "ClusterIP", "sourceRanges": ["10.0.0.0/8"]})),
        ("fate:parties", "118", "publish", "pulsar"),
        "parties.118.publish.pulsar",
        "sourceRanges only works with type LoadBalancer, not ClusterIP",
        "correct the value",
    ),
    Mistake(
        "a credential from two places",
        _party("119", credentials={"mysql": {"secret": "a", "kubernetesSecret": "b", "key": "c"}}),
        ("fate:parties", "119", "credentials", "mysql"),
        "parties.119.credentials.mysql",
        "name either secret or kubernetesSecret",
        "correct the value",
    ),
    Mistake(
        "inCluster with a context",
        _changed(cluster={"inCluster": True, "context": "bank-a"}),
        ("fate:cluster",),
        "cluster",
        "inCluster uses the pod's service account: remove context and kubeconfig",
        "correct the value",
    ),
    Mistake(
        "Traffic Server without a version",
        _changed(exchange=exchange(modules=None)),
        ("fate:exchange",),
        "exchange.modules.trafficServer.image",
        "upstream publishes federatedai/trafficserver without a version",
        "modules.trafficServer.image.digest",
    ),
]
APART = [
    Mistake(
        "namespaces created in scope namespaced",
        _changed(cluster={"scope": "namespaced", "createNamespaces": True}),
        ("fate:cluster",),
        "cluster",
        "a Namespace is a cluster-scoped object: remove createNamespaces",
        "correct the value",
    ),
    Mistake(
        "a mesh with an exchange",
        _changed(exchange=exchange()),
        ("fate:exchange",),
        "exchange",
        "a mesh has no exchange",
        "remove fate:exchange, or set federation.topology to star",
        base=MESH,
    ),
    Mistake(
        "a party of a mesh with an exchange",
        lambda case: case.changed(lambda config: config["parties"]["9999"].update(exchange="clinic-b")),
        ("fate:parties", "9999", "exchange"),
        "parties.9999.exchange",
        "a mesh has no exchange",
        "remove this line, or set federation.topology to star",
        base=MESH,
    ),
    Mistake(
        "a local exchange that is not described",
        lambda case: case.changed(lambda config: config.pop("exchange")),
        ("fate:parties", "9999", "exchange"),
        "parties.9999.exchange",
        "this stack holds no exchange",
        "add it under fate:exchange",
    ),
    Mistake(
        "a stack that deploys nothing",
        lambda case: case.changed(lambda config: config.update(parties={})),
        ("fate:parties",),
        "parties",
        "this stack deploys nothing",
        "add a party under fate:parties",
        base=STAR_PARTY,
    ),
    Mistake(
        "a star with RabbitMQ",
        lambda case: case.changed(lambda config: config["parties"].update({"9999": party(**SPARK_RABBITMQ)})),
        ("fate:parties", "9999", "federation"),
        "parties.9999.federation",
        "RabbitMQ has no default route, so it cannot be used in a star",
        "set federation.topology to mesh, or choose Pulsar or Eggroll",
        base=PENDING,
    ),
    Mistake(
        "a module of another exchange",
        _changed(exchange=exchange(modules={"trafficServer": {"image": {"tag": "9.2.0"}}, "rollsite": {}})),
        ("fate:exchange", "modules", "rollsite"),
        "exchange.modules.rollsite",
        "module rollsite is not part of an exchange for Pulsar",
        "remove it; its modules are trafficServer, nginx",
    ),
    Mistake(
        "an exchange for RabbitMQ",
        lambda case: case.changed(lambda config: (config.update(exchange=exchange() | {"federation": "RabbitMQ"}), config.pop("parties"))),
        ("fate:exchange", "federation"),
        "exchange.federation",
        "release 1.11.2 has no exchange for RabbitMQ",
        "choose one of: Pulsar, Eggroll",
        base=LOCAL.changed(lambda config: config.update(peers={}), "an exchange and a party, no peers"),
    ),
    Mistake(
        "an exchange with a wrong namespace",
        _changed(exchange=exchange("Fate Exchange")),
        ("fate:exchange", "namespace"),
        "exchange.namespace",
        "is not a name of lower-case letters, digits",
        "correct the value",
    ),
    Mistake(
        "a missing release",
        lambda case: case.changed(lambda config: config["parties"]["9999"].pop("release")),
        ("fate:parties", "9999"),
        "parties.9999.release",
        "release is missing",
        "add it: FATE release, one of the catalogue.",
    ),
    Mistake(
        "an exchange of an unknown release",
        _changed(exchange=exchange(release="9.9.9")),
        ("fate:exchange", "release"),
        "exchange.release",
        "unknown release 9.9.9",
        "choose one of 1.9.0, 1.9.1, 1.9.2, 1.10.0, 1.11.1, 1.11.2, 2.0.0, 2.1.0, 2.2.0",
    ),
]


def _write(mistakes: Sequence[Mistake], folder: Path) -> tuple[Path, str]:
    case = _both(*(mistake.edit for mistake in mistakes))(mistakes[0].base)
    file = case.write(folder)
    text = file.read_text()
    for mistake in mistakes:
        text = mistake.text(text)
    file.write_text(text)
    return file, text


def test_the_stacks_that_the_mistakes_are_made_in_are_legal(tmp_path: Path) -> None:
    bases = {mistake.base.name: mistake.base for mistake in [*TOGETHER, *APART]}
    assert len(bases) == 5
    for base in bases.values():
        assert base.load(tmp_path).plan.units


@pytest.mark.parametrize("mistake", [*TOGETHER, *APART], ids=str)
def test_a_mistake_is_told_alone_with_place_problem_and_remedy(mistake: Mistake, tmp_path: Path) -> None:
    file, text = _write([mistake], tmp_path)
    problems, message = problems_of(file)
    assert mistake.told(problems, text, file), message
    assert len(problems) == 1, message
    assert message.startswith("1 problem in the configuration; nothing was changed"), message
    for part in (problems[0].place, problems[0].problem, f"remedy: {problems[0].remedy}"):
        assert escaped(part) in message


def test_all_mistakes_of_one_file_are_told_at_once(tmp_path: Path) -> None:
    file, text = _write(TOGETHER, tmp_path)
    problems, message = problems_of(file)
    untold = [mistake.name for mistake in TOGETHER if not mistake.told(problems, text, file)]
    assert not untold, message
    assert len(problems) == len(TOGETHER) > 40, message
    assert message.startswith(f"{len(TOGETHER)} problems in the configuration; nothing was changed")


def test_no_message_repeats_what_looks_like_a_secret(tmp_path: Path) -> None:
    leaky = [mistake for mistake in TOGETHER if "a descriptor with a secret-like" in mistake.name or "private key" in mistake.name]
    assert len(leaky) == 2
    file, _ = _write(leaky, tmp_path)
    _, message = problems_of(file)
    assert "looks like a secret" in message
    assert "hunter2" not in message
    assert "BEGIN PRIVATE KEY" not in message


def test_a_misspelt_section_is_told_also_when_the_engine_gives_the_values(tmp_path: Path) -> None:
    file = STAR_PARTY.changed(lambda config: config.update(partys={})).write(tmp_path)
    with pytest.raises(FederationError, match="unknown key 'partys'"):
        load_stack(file, STAR_PARTY.config)


def test_values_of_the_engine_win_over_those_in_the_file(tmp_path: Path) -> None:
    file = STAR_PARTY.write(tmp_path)
    loaded = load_stack(file, {**STAR_PARTY.config, "organization": "other"})
    assert loaded.plan.organization == "other"


WRONG_KEYS = {
    "empty": ("fate:peers:", "has no value", "give it one, or remove the key: Other organizations' parties and exchanges, by name."),
    "a text": ("fate:peers: hub", "is not a map (key: value)", "correct the value: Other organizations' parties and exchanges, by name."),
    "a misspelt module key": (
        "fate:parties: {'9999': {modules: {fateboard: {replicaz: 2}}}}",
        "unknown key 'replicaz'",
        "did you mean 'replicas'?",
    ),
    "secrets as a text": (
        "fate:secrets: hunter2",
        "is not a map (key: value)",
        "remove it, and write each secret: `pulumi config set --secret --path 'fate:secrets.NAME'`",
    ),
}


@pytest.mark.parametrize(("line", "problem", "remedy"), WRONG_KEYS.values(), ids=list(WRONG_KEYS))
def test_a_key_with_a_wrong_value_is_told_the_same_whether_the_engine_gives_the_values_or_not(
    line: str, problem: str, remedy: str, tmp_path: Path
) -> None:
    file, key = tmp_path / "Pulumi.bank-a.yaml", line.partition(":")[2].partition(":")[0]
    others = {name: value for name, value in STAR_PARTY.config.items() if name != key}
    file.write_text(yaml.safe_dump({"config": {f"fate:{name}": value for name, value in others.items()}}) + f"  {line}\n")
    # The engine says "" of a key without a value, which the program takes for an absent one.
    written = {name: value for name, value in StackSource.read(file, "x").config().items() if value is not None}
    place = f"{file}:{len(file.read_text().splitlines())} fate:{key}"
    for config in (None, written):
        with pytest.raises(FederationError) as caught:
            load_stack(file, config)
        assert (problem, remedy) in [(one.problem, one.remedy) for one in caught.value.problems if one.place.startswith(place)]
    assert "hunter2" not in str(caught.value)


BROKEN_FILES = {
    "a tab": (b"config:\n\tfate:organization: x\n", ":2", "cannot start any token"),
    "a list": (b"- config\n", "", "not a YAML mapping"),
    "a list as config": (b"config: [a, b]\n", ":1", "config: is not a mapping"),
    "a text as config": (b"config: text\n", ":1", "config: is not a mapping"),
    "a date that does not exist": (b"config:\n  fate:organization: 2024-13-45\n", "", "not valid YAML: month must be in 1..12"),
    "a mapping as a key": (b"config:\n  fate:peers: {[a]: b}\n", ":2", "found unhashable key"),
    "a Python object": (b"config:\n  fate:peers: !!python/object:os.x {}\n", ":2", "could not determine a constructor"),
    "a tag that says what is not there": (b"config:\n  fate:organization: !!timestamp x\n", "", "a value does not match its tag (!!)"),
    "another such tag": (b"config:\n  fate:organization: !!bool x\n", "", "a value does not match its tag (!!)"),
    "nesting without end": (b"config: " + b"[" * 5000 + b"]" * 5000, "", "maximum recursion depth exceeded"),
    "a file that is not UTF-8": (b"config:\n  fate:organization: b\xe4nk\n", ":2", "is not UTF-8: byte 0xe4"),
    "an oversized file": (b"# " + b"x" * 1024 * 1024, "", "larger than 1 MiB"),
}


@pytest.mark.parametrize(("content", "line", "problem"), BROKEN_FILES.values(), ids=list(BROKEN_FILES))
def test_a_file_that_is_no_stack_file_is_told_in_one_problem(content: bytes, line: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.bank-a.yaml"
    file.write_bytes(content)
    problems, message = problems_of(file)
    assert len(problems) == 1, message
    assert problems[0].place == f"{file}{line}", message
    assert problem in problems[0].problem, message
    assert problems[0].remedy


INDENTED = {
    "one blank too many": ("      release:", "       release:", "check the indentation of this line and of the one above"),
    "two blanks too few": ("      computing:", "    computing:", "check the indentation of this line and of the one above"),
    "a tab": ("      release:", "\trelease:", "replace the tab by blanks"),
    "a list that stays open": ("      release: 1.11.2", "      release: [1.11.2", "close the list with ]"),
    "a text with a colon": ("  fate:organization: bank-a", "  fate:organization: bank: a", "write a text that holds `: ` in quotes"),
}


@pytest.mark.parametrize(("right", "wrong", "remedy"), INDENTED.values(), ids=list(INDENTED))
def test_a_slip_in_yaml_is_told_near_its_line_with_what_to_look_for(right: str, wrong: str, remedy: str, tmp_path: Path) -> None:
    file = STAR_PARTY.write(tmp_path)
    text = re.sub(r"^( *)'?\"?(\d+)'?\"?:", r'\1"\2":', file.read_text(), flags=re.M)
    assert text.count(f"\n{right}") == 1
    file.write_text(text.replace(f"\n{right}", f"\n{wrong}"))
    (problem,), _ = problems_of(file)
    line = text.split("\n").index(next(one for one in text.split("\n") if one.startswith(right))) + 1
    assert abs(int(problem.place.rpartition(":")[2]) - line) <= 1, problem
    assert remedy in problem.remedy


@pytest.mark.parametrize(("written", "meant"), [("Nodeport", "NodePort"), ("loadbalancer", "LoadBalancer"), ("ClusterIp", "ClusterIP")])
def test_a_word_that_is_nearly_one_of_a_few_is_guessed(written: str, meant: str, tmp_path: Path) -> None:
    file = STAR_PARTY.changed(lambda config: config["parties"]["9999"]["publish"]["pulsar"].update(type=written)).write(tmp_path)
    (problem,), _ = problems_of(file)
    assert problem.remedy == f"did you mean {meant!r}?"


@pytest.mark.parametrize("written", ["x", 7, "NodePort" * 100])
def test_what_is_no_word_of_a_few_is_not_guessed(written: object, tmp_path: Path) -> None:
    file = STAR_PARTY.changed(lambda config: config["parties"]["9999"]["publish"]["pulsar"].update(type=written)).write(tmp_path)
    (problem,), message = problems_of(file)
    assert problem.remedy.startswith("correct the value")
    assert "NodePortNodePort" not in message


def test_a_path_that_pulumi_config_set_took_for_a_key_is_recognised(tmp_path: Path) -> None:
    file = STAR_PARTY.write(tmp_path)
    file.write_text(file.read_text() + "  fate:parties.9999.modules.spark.workers: 3\n")
    (problem,), _ = problems_of(file)
    command = "`pulumi config set --path 'fate:parties.9999.modules.spark.workers' VALUE`"
    assert problem.remedy == f"remove this line, and set the value with --path: {command}"


def test_an_alias_to_itself_ends_in_problems_not_in_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.bank-a.yaml"
    file.write_text("config:\n  fate:peers: &a {b: *a}\n")
    problems, message = problems_of(file)
    assert "organization is missing" in message
    assert problems


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("fat:peers", "fate:peers"),
        ("peers", "fate:peers"),
        ("fates:secrets", "fate:secrets"),
        ("other", "add the prefix fate:"),
        ("Fate:trust", "fate:trust"),
    ],
)
def test_a_section_under_a_misspelled_key_is_not_left_out_in_silence(key: str, meant: str, tmp_path: Path) -> None:
    file = EXCHANGE.write(tmp_path)
    file.write_text(file.read_text() + f"  {key}: {{}}\n")
    (problem,), message = problems_of(file)
    assert problem.place.endswith(f":{len(file.read_text().splitlines())} {key}")
    assert meant in message


def test_keys_of_others_are_left_to_them(tmp_path: Path) -> None:
    file = EXCHANGE.write(tmp_path)
    file.write_text(file.read_text() + "  kubernetes:cluster: a\n  pulumi:tags: {a: b}\n  aws:region: x\n  'a:b:peer': 1\n")
    assert load_stack(file).spec.peers


def test_a_stack_file_that_is_missing_is_told(tmp_path: Path) -> None:
    problems, message = problems_of(tmp_path / "Pulumi.nobody.yaml")
    assert len(problems) == 1
    assert "cannot be read" in message
    assert "check the stack's name" in message


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "stacks", tmp_path / "outside.json"
    outside.write_text(CLINIC.text())
    (folder / "peers").mkdir(parents=True)
    (folder / "peers" / "linked.json").symlink_to(outside)
    file = LOCAL.with_entry("linked", descriptor="peers/linked.json").write(folder)
    _, message = problems_of(file)
    assert "peers/linked.json is outside the folder of the stack file" in message


@pytest.mark.parametrize("named", [{"peersFile": "x.yaml"}, {"releases": ["x.yaml"]}, {"manifests": {"x": "x.yaml"}}], ids=list)
def test_a_pipe_is_not_waited_for_and_what_is_far_too_large_is_not_read(named: Config, tmp_path: Path) -> None:
    file = MESH.changed(lambda config: config.update(named)).write(tmp_path)
    os.mkfifo(tmp_path / "x.yaml")
    assert "cannot be read: it is not a regular file" in problems_of(file)[1]
    (tmp_path / "x.yaml").unlink()
    with (tmp_path / "x.yaml").open("wb") as sparse:
        sparse.truncate(2**40)
    assert "larger than " in problems_of(file)[1]


def test_a_wrong_entry_is_not_missed_by_the_rules_about_other_entries(tmp_path: Path) -> None:
    wrong = stack("bank-a", parties={"9999": party()}, peers={"consortium": {"descriptor": "peers/x.json", "state": "asleep"}})
    problems, message = problems_of(Case("wrong peer", wrong).write(tmp_path))
    assert [problem.place.split()[-1] for problem in problems] == ["fate:peers.consortium.state"], message


def test_a_wrong_organization_name_hides_no_other_problem(tmp_path: Path) -> None:
    case = BASE.changed(lambda config: (config.update(organization="Bank A"), config["parties"]["9999"].update(release="9.9.9")))
    _, message = problems_of(case.write(tmp_path))
    assert "fate:organization: is not a name of lower-case letters, digits" in message
    assert "unknown release 9.9.9" in message


def test_a_descriptor_never_accepted_and_missing_is_pending_without_a_route(tmp_path: Path) -> None:
    plan = PENDING.load(tmp_path).plan
    assert set(plan.pending) == {"consortium"}
    assert plan.warnings == (
        "party-9999 reaches no one through its exchange: peer consortium is pending: peers/consortium.json is not there yet: "
        "when it arrives, run `fatefed peers add peers/consortium.json --name consortium`",
    )
    texts = {name: text for manifest in plan.unit("party-9999").routes for name, text in manifest.fields["data"].items()}
    assert json.loads(texts.pop("pulsar_trust.json"))["trusted"] == []
    assert set(texts) == {"pulsar_route_table.yaml", "route_table.yaml"}
    assert all(text.count("\n9999:") + text.startswith("9999:") == 1 for text in texts.values()), texts
    assert not [name for name, text in texts.items() if "consortium" in text], texts
    assert texts["route_table.yaml"].endswith("default:\n  proxy:\n    - host: 127.0.0.1\n      http_port: 1\n")
    assert "default" not in texts["pulsar_route_table.yaml"]
    assert plan.external == ()


def test_a_descriptor_that_is_there_but_was_never_accepted_is_pending(tmp_path: Path) -> None:
    case = PENDING.with_file("peers/consortium.json", exchange_descriptor().text().encode())
    plan = case.load(tmp_path).plan
    assert plan.pending == {
        "consortium": "peers/consortium.json was not accepted yet: run `fatefed peers add peers/consortium.json --name consortium`"
    }
    accepted = replace(case, config=PENDING.config).with_peer("consortium", exchange_descriptor()).load(tmp_path).plan
    assert accepted.pending == {}


def test_of_very_many_problems_the_first_are_told_and_all_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.bank-a.yaml"
    file.write_text("config:\n" + "".join(f"  fate:x{number}: 1\n" for number in range(3000)))
    _, message = problems_of(file)
    assert message.startswith("3003 problems in the configuration; nothing was changed\n  1. ")
    assert message.endswith("\n  and 2953 more: correct these first")
    assert message.count("remedy: ") == 50


def test_very_many_missing_files_are_counted_too(tmp_path: Path) -> None:
    case = BASE
    for number in range(60):
        case = case.with_entry(f"peer-{number}", descriptor=f"peers/{number}.json", sha256="0" * 64)
    problems, message = problems_of(case.write(tmp_path))
    assert len(problems) == 60, "programs get all of them"
    assert message.endswith("\n  and 10 more: correct these first")


def test_a_permission_to_destroy_ends_within_thirty_days(tmp_path: Path) -> None:
    """A guard that is lifted for ever is none; without a day nothing can be said."""
    for base, section in ((EXCHANGE, "exchange"), (SERVING_EXCHANGE, "servingExchange")):
        for until, refused in (("2026-12-22", False), ("2026-12-23", True), ("2999-12-31", True)):
            case = base.changed(lambda config, until=until, section=section: config[section].update(allowDestroyUntil=until))
            file = case.write(tmp_path / section / until)
            load_stack(file)
            if not refused:
                load_stack(file, today=date(2026, 11, 22))
                continue
            with pytest.raises(FederationError) as caught:
                load_stack(file, today=date(2026, 11, 22))
            (problem,) = caught.value.problems
            assert f"fate:{section}.allowDestroyUntil" in problem.place
            assert f"{until} is more than 30 days ahead" in problem.problem
            assert "2026-12-22 at the latest" in problem.remedy


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("[2001:db8::1]:6651", "holds an IPv6 address, which cannot be typed: write a host name"),
        ("2001:db8::1", "holds an IPv6 address, which cannot be typed"),
        ("https://pulsar.example:6651", "is not HOST:PORT: write it without https://"),
        ("pulsar.example", "does not end in a port between 1 and 65535"),
        ("Pulsar.example:6651", "is neither a host name (lower case) nor an IP address"),
    ],
)
def test_an_address_typed_by_hand_is_refused_with_what_to_write(address: str, said: str, tmp_path: Path) -> None:
    case = EXCHANGE.with_entry("typed", unsigned=True, partyId="10009", pulsar=address, nginx="198.51.100.5:9300")
    (problem,), _ = problems_of(case.write(tmp_path))
    assert said in problem.problem


def test_an_exchange_in_a_mesh_is_of_no_use_and_named(tmp_path: Path) -> None:
    """By its descriptor or by hand; one that is retired says nothing."""
    said = "is an exchange, but a mesh has none: this stack does not dial it; retire it"
    typed = {"unsigned": True, "trafficServer": "hub.example:443", "nginx": "198.51.100.9:9300"}
    case = MESH.with_peer("hub", exchange_descriptor()).with_entry("old-hub", **typed)
    found = [warning for warning in case.load(tmp_path / "active").plan.warnings if "is an exchange" in warning]
    assert [warning.partition(" is ")[0] for warning in found] == ["peer hub", "peer old-hub"]
    assert all(said in warning for warning in found)
    left = MESH.with_peer("hub", exchange_descriptor(), state="retired")
    assert not [warning for warning in left.load(tmp_path / "left").plan.warnings if "is an exchange" in warning]
    star = STAR_PARTY.load(tmp_path / "star").plan.warnings
    assert not [warning for warning in star if "is an exchange" in warning]


@pytest.mark.parametrize("text", ["", "encryptionsalt: v1:x\n", "config:\n", "config: {}\n"])
def test_the_file_that_pulumi_makes_in_the_place_of_a_renamed_one_is_told_as_that(tmp_path: Path, text: str) -> None:
    (tmp_path / "Pulumi.bank-a.yaml").write_text(text)
    with pytest.raises(FederationError) as raised:
        load_stack(tmp_path / "Pulumi.bank-a.yaml", name="Pulumi.bank-a.yaml")
    [problem] = raised.value.problems
    assert (problem.place, "was its file renamed?" in problem.remedy) == ("Pulumi.bank-a.yaml", True)
