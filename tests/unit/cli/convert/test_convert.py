"""`fatefed convert kubefate`: whole files, wrong files, and what is told of them."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.convert.claims import CLAIMS
from cli.convert.clusters import BACKENDS
from cli.convert.defaults import DEFAULTS
from cli.convert.report import secret_steps
from cli.convert.source import ClusterFile
from cli.convert.versions import TARGETS
from cli.main import main
from federation.base.errors import FederationError
from federation.catalogue.releases import catalogue
from federation.stack.load import load_stack
from tests.support.kubefate import BASES, cluster, converted, converted_text, filled, merged
from tests.support.kubefate_pages import PAGES, with_tables
from tests.support.stacks import REPO, project

FILES = sorted((Path(__file__).parent / "kubefate").glob("*.yaml"))
P = "parties/9999"
# File: unit, release, engines, topology, and peers with an address of each.
EXPECTED: dict[str, tuple[str, str, str | None, str, dict[str, str]]] = {
    "guide-describe": ("party-10000", "1.9.2", "Eggroll Eggroll Eggroll", "mesh", {"party-9999": "192.168.9.1:30091"}),
    "guide-exchange": ("exchange", "1.9.2", None, "star", {"party-9999": "192.168.9.1:30091", "party-10000": "192.168.10.1:30101"}),
    "v1.5.0-spark": ("party-9999", "1.9.2", "Spark RabbitMQ HDFS", "mesh", {"party-10000": "192.168.10.1:30104"}),
    "v1.6.0-spark-pulsar": ("party-9999", "1.9.2", "Spark Pulsar HDFS", "mesh", {"party-10000": "192.168.10.1:30109"}),
    "v1.7.2-slim": ("party-9999", "1.9.2", "Spark_local Pulsar LocalFS", "star", {"exchange": "192.168.0.1:30007"}),
    "v1.8.0-eggroll-star": ("party-9999", "1.9.2", "Eggroll Eggroll Eggroll", "star", {"exchange": "192.168.0.1:30001"}),
    "v1.9.0-external": ("party-9999", "1.9.0", "Spark Pulsar HDFS", "star", {"exchange": "192.168.0.1:30007"}),
    "v1.10.0-spark-rabbitmq": ("party-10000", "1.10.0", "Spark RabbitMQ HDFS", "mesh", {"party-9999": "rabbitmq.bank-a.example:30094"}),
    "v1.11.1-fedlcm": ("party-9999", "1.11.1", "Spark Pulsar HDFS", "star", {"exchange": "192.168.0.1:443"}),
    "v1.11.2-eggroll": ("party-9999", "1.11.2", "Eggroll Eggroll Eggroll", "mesh", {"party-10000": "192.168.10.1:30101"}),
    "v1.11.2-eggroll-lbrollsite": ("party-9999", "1.11.2", "Eggroll Eggroll Eggroll", "star",
                                   {"exchange": "192.168.0.1:30001", "exchange-2": "192.168.0.2:30001"}),
    "v1.11.2-spark-pulsar": ("party-9999", "1.11.2", "Spark Pulsar HDFS", "star", {"exchange": "192.168.0.1:30007"}),
    "v1.11.2-spark-slim": ("party-10000", "1.11.2", "Spark_local Pulsar LocalFS", "star", {"exchange": "192.168.0.1:30007"}),
    "v2.0.0-eggroll": ("party-9999", "2.0.0", "Eggroll OSX Eggroll", "mesh", {"party-10000": "192.168.10.1:30101"}),
    "v2.0.0-spark-slim": ("party-9999", "2.0.0", "Spark_local Pulsar File", "mesh", {}),
    "guide-serving-exchange": ("serving-exchange", "2.1.6", None, "star",
                               {"party-9999": "192.168.9.1:30091", "party-10000": "192.168.10.1:30101"}),
    "v1.5.0-serving": ("serving-9999", "2.1.6", None, "mesh", {"party-10000": "192.168.10.1:30106"}),
    "v2.1.6-serving": ("serving-9999", "2.1.6", None, "star", {"exchange": "192.168.0.1:30100"}),
    "v2.1.6-serving-exchange": ("serving-exchange", "2.1.6", None, "star", {"party-9999": "192.168.9.1:30096"}),
    "v1.11.2-exchange-rollsite": ("exchange", "1.11.2", None, "star",
                                  {"party-9999": "192.168.9.1:30091", "party-10000": "192.168.10.1:30101"}),
    "v1.11.2-exchange-pulsar": ("exchange", "1.11.2", None, "star",
                                {"party-9999": "192.168.9.1:30099", "party-10000": "192.168.10.1:30109"}),
}  # fmt: skip


def test_every_file_has_an_expectation() -> None:
    assert {path.stem for path in FILES} == EXPECTED.keys()
    assert len(FILES) >= 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_becomes_a_stack_that_loads_and_plans(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unit, release, engines, topology, peers = EXPECTED[path.stem]
    assert main(["convert", "kubefate", "--out", str(tmp_path), str(path)]) == 0
    printed = capsys.readouterr().out
    (written,) = tmp_path.iterdir()
    written.write_text(filled(written.read_text()))
    loaded = load_stack(written)
    plan = loaded.plan.unit(unit)
    assert [one.key for one in loaded.plan.units] == [unit]
    assert plan.release == release
    assert plan.chart.values.plain()["modules"]
    party = next(iter(loaded.spec.parties.values()), None)
    assert (None if party is None else f"{party.computing} {party.federation} {party.storage}") == engines
    assert loaded.spec.federation.topology == topology
    assert loaded.spec.peers.keys() == peers.keys()
    routes = "\n".join(str(one.fields) for one in plan.routes)
    for name, address in peers.items():
        assert address in loaded.spec.peers[name].addresses.values()
        assert address.split(":")[0] in routes
    assert f"written: {written}" in printed
    assert not re.search(r"old-[a-z]+-secret", written.read_text() + printed)


def test_the_file_says_where_values_come_from_and_what_is_missing() -> None:
    text = converted_text((FILES[0].parent / "v1.11.2-eggroll.yaml").read_text()).done.text
    assert "port: 30091 # rollsite.nodePort" in text
    assert "rollsite: 192.168.10.1:30101 # rollsite.partyList[0].partyIp" in text
    assert "To be done by hand before `pulumi up`:" in text
    old = converted(merged(BASES["old"], {"rollsite/enableTLS": True, "foo": {"bar": "x"}, "spark/worker/replicas": 3})).done.text
    said = ["# Warnings:", "chart fate v1.5.0 becomes FATE 1.9.2", "# Not carried over:", "- rollsite.enableTLS (line ",
            "- foo.bar (line ", "# Not used by KubeFATE either:", "- spark.worker.replicas: spark is not in modules"]  # fmt: skip
    assert [text for text in said if text not in old] == []


def test_the_file_is_spelled_as_pulumi_spells_it() -> None:
    for path in FILES:
        lines = converted_text(path.read_text()).done.text.splitlines()
        assert all(line.strip() for line in lines)
        assert not [line for line in lines if re.search(r"\S  +#", line)]
        assert max(map(len, lines)) <= 160


@pytest.mark.parametrize("version", ["v1.5.0", "v1.6.1", "v1.7.2", "v1.8.0"])
def test_a_release_that_is_not_deployed_becomes_a_stated_one_with_a_warning(version: str) -> None:
    result = converted(merged(BASES["old"], {"chartVersion": version}))
    assert result.at(f"{P}/release") == "1.9.2"
    assert any(f"chart fate {version} becomes FATE 1.9.2" in warning for warning in result.done.draft.warnings)
    assert "becomes FATE 1.9.2" in result.done.text


@pytest.mark.parametrize("version", ["v1.11.3", "v1.11.4"])
def test_a_later_patch_becomes_the_last_that_has_images_and_says_that_it_is_older(version: str) -> None:
    result = converted(merged(BASES["eggroll"], {"chartVersion": version}))
    assert result.at(f"{P}/release") == "1.11.2"
    assert any("OLDER than yours" in warning for warning in result.done.draft.warnings)


def test_a_release_that_is_deployed_stays_and_needs_no_warning() -> None:
    for release in [release for release in catalogue() if release.startswith("1.")]:
        result = converted(merged(BASES["eggroll"], {"chartVersion": f"v{release}"}))
        assert result.at(f"{P}/release") == release
        assert not [warning for warning in result.done.draft.warnings if "becomes" in warning]


def test_every_target_is_in_the_catalogue() -> None:
    assert len(TARGETS) >= 3
    assert {target.release for target in TARGETS} <= catalogue().keys()


def test_a_release_can_be_chosen() -> None:
    result = converted(BASES["old"], release="1.11.2")
    assert result.at(f"{P}/release") == "1.11.2"
    assert any("chosen with --release" in warning for warning in result.done.draft.warnings)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_is_a_combination_of_the_release(backend: str) -> None:
    modules = {"Eggroll": ["rollsite", "clustermanager", "nodemanager"], "RabbitMQ": ["nginx", "rabbitmq"], "Pulsar": ["nginx", "pulsar"]}
    computing, federation, storage = BACKENDS[backend]
    spark = ["spark", "hdfs"] if computing == "Spark" else []
    result = converted(cluster("fate", "v1.8.0", ["python", "mysql", *spark, *modules[federation]], backend=backend))
    assert [result.at(f"{P}/{key}") for key in ("computing", "federation", "storage")] == [computing, federation, storage]
    assert result.lost == {}


def test_spark_with_an_exchange_on_1_5_0_is_reported_and_works_now() -> None:
    star = {"nginx/exchange": {"ip": "192.0.2.5", "httpPort": 30003}, "pulsar/exchange": {"ip": "192.0.2.5", "port": 30007}}
    modules = ["python", "mysql", "spark", "hdfs", "nginx", "pulsar"]
    result = converted(merged(cluster("fate", "v1.5.0", modules, backend="spark_pulsar"), star))
    assert any("illegal in 1.5.0" in warning for warning in result.done.draft.warnings)
    assert result.at("federation/topology") == "star"
    rabbitmq = converted(merged(BASES["old-spark"], {"nginx/exchange": {"ip": "192.0.2.5"}}))
    assert "no star with RabbitMQ" in rabbitmq.lost["nginx/exchange"]
    later = converted(merged(BASES["pulsar"], star))
    assert not [warning for warning in later.done.draft.warnings if "1.5.0" in warning]


def test_what_charts_of_2_0_still_call_rollsite_becomes_osx() -> None:
    keys = {"rollsite": {"type": "NodePort", "nodePort": 30001, "resources": {"limits": {"memory": "9Gi"}},
                         "partyList": [{"partyId": 7, "partyIp": "192.0.2.7", "partyPort": 1}]}}  # fmt: skip
    result = converted(merged(cluster("fate-exchange", "v2.0.0", ["rollsite"]), keys))
    assert result.at("exchange/federation") == "OSX"
    assert result.at("exchange/publish/osx/port") == 30001
    assert result.at("exchange/modules/osx/resources/limits/memory") == "9Gi"
    assert result.at("peers/party-7/osx") == "192.0.2.7:1"
    assert any("rollsite, which FATE 2.x does not have" in warning for warning in result.done.draft.warnings)
    party = cluster(
        "fate", "v2.0.0", ["python", "mysql", "rollsite", "clustermanager", "nodemanager"], computing="Eggroll", federation="Eggroll"
    )
    assert converted(merged(party, keys)).at(f"{P}/publish/osx/port") == 30001


def test_in_a_star_the_parties_beside_the_exchange_are_not_dialled() -> None:
    keys = {
        "rollsite/exchange": {"ip": "192.0.2.5", "port": 1},
        "rollsite/partyList": [{"partyId": 7, "partyIp": "192.0.2.7", "partyPort": 1}],
    }
    result = converted(merged(BASES["eggroll"], keys))
    assert result.config["peers"].keys() == {"exchange"}
    assert "must know this party" in result.lost["rollsite/partyList/0"]


def test_an_entry_of_its_own_party_is_no_peer() -> None:
    keys = {"rollsite/partyList": [{"partyId": 9999, "partyIp": "192.0.2.9", "partyPort": 30091}]}
    result = converted(merged(BASES["eggroll"], keys))
    assert ("peers" in result.config, result.lost) == (False, {})


@pytest.mark.parametrize(("entry", "reason"), [
    ({"partyId": "x", "partyIp": "192.0.2.9", "partyPort": 1}, "not a party id"),
    ({"partyId": 5, "partyIp": "not a host", "partyPort": 1}, "not host:port"),
    ({"partyId": 5, "partyIp": "192.0.2.9"}, "partyPort is missing"),
    ({"partyId": 5, "partyPort": 1}, "partyIp is missing"),
    ({"partyIp": "192.0.2.9", "partyPort": 1}, "partyId is missing"),
])  # fmt: skip
def test_a_peer_that_cannot_be_dialled_is_listed_with_the_reason(entry: dict[str, Any], reason: str) -> None:
    result = converted(merged(BASES["eggroll"], {"rollsite/partyList": [entry]}))
    assert "peers" not in result.config
    assert reason in result.lost["rollsite/partyList/0"]


def test_a_party_listed_twice_is_dialled_at_its_first_address() -> None:
    entries = [{"partyId": 5, "partyIp": f"192.0.2.{last}", "partyPort": 1} for last in (1, 2)]
    result = converted(merged(BASES["eggroll"], {"rollsite/partyList": entries}))
    assert result.at("peers/party-5/rollsite") == "192.0.2.1:1"
    assert "twice" in result.lost["rollsite/partyList/1"]


def test_node_ports_are_advertised_at_the_given_address_or_at_a_placeholder_that_is_asked_for() -> None:
    keys = merged(BASES["eggroll"], {"rollsite/type": "NodePort"})
    asked = converted(keys)
    assert asked.at(f"{P}/publish/rollsite/advertise/host") == "192.0.2.1"
    assert any("replace 192.0.2.1" in text for text in asked.done.draft.by_hand)
    given = converted(keys, node_address="nodes.bank.example")
    assert given.at(f"{P}/publish/rollsite/advertise/host") == "nodes.bank.example"
    assert not any("replace" in text for text in given.done.draft.by_hand)


def test_the_command_line_names_organization_federation_and_domain() -> None:
    result = converted(BASES["pulsar"], organization="bank-a", federation="fraud", domain="fraud.example")
    assert (result.at("organization"), result.at("federation/name"), result.at("federation/domain")) == ("bank-a", "fraud", "fraud.example")


def test_what_is_said_of_passwords_names_the_commands_and_no_value() -> None:
    path = FILES[0].parent / "v1.5.0-spark.yaml"
    assert "old-mysql-secret" in path.read_text()
    done = converted_text(path.read_text()).done
    steps = {step.name: step for step in secret_steps(done, "fate-9999")}
    mysql = steps["party-9999-mysql"]
    assert mysql.command == "pulumi config set --secret --path 'fate:secrets.party-9999-mysql' -s fate-9999"
    assert mysql.what.startswith("the password that mysql's data on claim mysql-data holds")
    assert mysql.key == "mysql.password"
    assert steps["party-9999-rabbitmq"].command == "fatefed secrets init -s fate-9999"
    assert any("PROTECT claims mysql-data before" in text for text in done.draft.by_hand)


def test_the_certificates_are_read_from_the_secret_that_kubefate_used() -> None:
    star = {"pulsar/exchange": {"ip": "192.0.2.50", "port": 30007}, "nginx/exchange": {"ip": "192.0.2.50", "httpPort": 30003}}
    steps = {step.name: step for step in secret_steps(converted(merged(BASES["pulsar"], star)).done, "s")}
    assert steps["party-9999-key"].command == (
        r"kubectl -n fate-9999 get secret pulsar-cert -o jsonpath='{.data.broker\.key-pk8\.pem}' | base64 -d | "
        "pulumi config set --secret --path 'fate:secrets.party-9999-key' -s s"
    )


def test_a_mesh_of_pulsar_has_no_certificates_to_read_and_moves_all_at_once() -> None:
    router = {"nginx/route_table/10000/proxy": [{"host": "192.0.2.10", "http_port": 30103}]}
    brokers = {"pulsar/route_table/10000": {"host": "192.0.2.10", "port": 30104, "sslPort": 30109}}
    mesh = converted(merged(BASES["pulsar"], router | brokers))
    steps = {step.name: step for step in secret_steps(mesh.done, "s")}
    assert steps["party-9999-key"].command == "pulumi config set --secret --path 'fate:secrets.party-9999-key' -s s"
    assert [one for one in mesh.done.draft.warnings if "moves all at once" in one]
    star = {"pulsar/exchange": {"ip": "192.0.2.50", "port": 30007}, "nginx/exchange": {"ip": "192.0.2.50", "httpPort": 30003}}
    assert not [one for one in converted(merged(BASES["pulsar"], star)).done.draft.warnings if "moves all at once" in one]


WRONG = {
    "not YAML": ("a: [", ["x.yaml:1: not valid YAML"]),
    "a list": ("- a", ["x.yaml:1: is not a YAML mapping"]),
    "nothing": ("", ["x.yaml:1: is not a YAML mapping"]),
    "two documents": ("a: 1\n---\nb: 2\n", ["x.yaml:3: holds more than one document", ]),
    "a key twice": ("name: a\nname: b\n", ["x.yaml:2 name: is written twice"]),
    "an alias to itself": ("a: &a\n  b: *a\n", ["x.yaml:1: an alias leads back to itself"]),
    "a mapping as key": ("? {a: b}\n: c\n", ["x.yaml:1: a key is not a plain word"]),
    "a merge of a text": ("a:\n  <<: text\n", ["x.yaml:2: << does not name a mapping"]),
    "a date that is none": ("a: 2020-13-45\n", ["x.yaml:1 a: is not a value"]),
    "texts that are not what their tags say": (
        'a: !!timestamp x\nb: !!bool x\nc: !!int ""\nd: !!float ""\ne: !!binary aGk=\nf: !!int x\ng: !own x\nh: "\\ud800"\n',
        [f"x.yaml:{line} {key}: is not a value" for line, key in enumerate("abcdefgh", 1)],
    ),
    "nothing that is needed": ("a: 1", ["name: name is missing", "namespace: namespace is missing", "chartName: chartName is missing",
                                        "chartVersion: chartVersion is missing", "modules: modules is missing"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_no_cluster_is_refused_with_its_line(name: str) -> None:
    text, expected = WRONG[name]
    with pytest.raises(FederationError) as raised:
        converted_text(text, "x.yaml")
    printed = str(raised.value)
    assert [said for said in expected if said not in printed] == []
    assert len(raised.value.problems) == len(expected)


TAGGED = [
    "!!timestamp x", "!!timestamp 2020-01-01", "2020-01-01", "!!timestamp 2020-13-45", "!!bool x", "!!int x", '!!int ""', "!!int 0x_",
    "!!float x", '!!float ""', "!!null x", "!!binary aGk=", "!!binary '***'", "!!set {a: }", "!!omap [a: 1]", "!!pairs [a: 1]", "!!str 5",
    "!!seq x", "!!map x", "!!seq {a: 1}", "!!timestamp [x]", "!!merge x", "!!value =", "!own x", "!!python/name:os.system x", "<<", "=",
    ".nan", ".inf", "1:30", '"\\ud800"',
]  # fmt: skip


def _values(node: yaml.Node) -> Iterator[yaml.Node]:
    """Every value of a mapping or a list, and theirs."""
    if not isinstance(node, yaml.CollectionNode):
        return
    for value in (pair[1] for pair in node.value) if isinstance(node, yaml.MappingNode) else node.value:
        yield value
        yield from _values(value)


@pytest.mark.parametrize("tagged", TAGGED)
def test_a_value_with_any_tag_in_any_place_is_taken_or_refused(tagged: str) -> None:
    text = (FILES[0].parent / "v1.11.2-spark-pulsar.yaml").read_text()
    places = list(_values(yaml.compose(text)))
    assert len(places) > 50
    for node in places:
        end = "" if isinstance(node, yaml.ScalarNode) else "\n"
        with suppress(FederationError):
            converted_text(text[: node.start_mark.index] + tagged + end + text[node.end_mark.index :], "x.yaml")


def _nested(first: str, each: str) -> str:
    """Ten aliases of the line before, nine times: 10^9 values."""
    lines = [f"{name}: &{name} {each.format(', '.join([f'*{before}'] * 10))}" for before, name in pairwise("abcdefghij")]
    return "\n".join([f"a: &a {first}", *lines])


@pytest.mark.parametrize("bomb", [_nested("[x]", "[{}]"), _nested("{{k: v}}", "{{{{<<: [{}]}}}}"), "[" * 5000 + "]" * 5000])
def test_a_bomb_is_refused(bomb: str) -> None:
    with pytest.raises(FederationError):
        converted_text(bomb)


def test_anchors_and_merges_are_followed() -> None:
    text = yaml.safe_dump(BASES["eggroll"]) + (
        "x: &claims\n  nodeSelector: {disk: ssd}\n  type: NodePort\n"
        "python: {<<: *claims, type: ClusterIP}\nmysql: {<<: [*claims]}\nrollsite: &r {type: NodePort}\n"
    )
    result = converted_text(text)
    assert result.at(f"{P}/modules/fateflow/nodeSelector") == {"disk": "ssd"}
    assert result.at(f"{P}/modules/fateflow/service/type") == "ClusterIP"
    assert result.at(f"{P}/modules/mysql/service/type") == "NodePort"


def test_a_file_that_is_too_large_or_missing_is_refused(tmp_path: Path) -> None:
    big = tmp_path / "big.yaml"
    big.write_bytes(b"# " + b"x" * (1024 * 1024))
    for path, said in ((big, "larger than 1 MiB"), (tmp_path / "none.yaml", "cannot be read"), (tmp_path, "cannot be read")):
        with pytest.raises(FederationError, match=said):
            ClusterFile.read(path, "x")


WRONG_VALUES = {
    "an unknown chart": ({"chartName": "fate-cloud"}, ["chartName: unknown chart 'fate-cloud'"]),
    "an old chart": ({"chartVersion": "v1.4.5"}, ["chartVersion: v1.4.5 is older than v1.5.0"]),
    "no version": ({"chartVersion": "latest"}, ["chartVersion: 'latest' is not a version"]),
    "an unknown version": ({"chartVersion": "v1.12.0"}, ["chartVersion: release 1.12.0 is not deployed by this program"]),
    "an unknown module": ({"modules": ["python", "mongo"]}, ["modules[1]: chart fate has no module 'mongo'"]),
    "modules as text": ({"modules": "python"}, ["modules: modules is not a list"]),
    "no party id": ({"partyId": "exchange"}, ["partyId: 'exchange' is not a party id"]),
    "a namespace in capitals": ({"namespace": "FATE"}, ["namespace: 'FATE' is no name of Kubernetes"]),
    "an unknown engine": ({"computing": "Ray"}, ["computing: unknown engine 'Ray'"]),
    "engines that do not go together": ({"storage": "HDFS"}, ["computing: release 1.11.2 is not deployed as Eggroll + Eggroll + HDFS"]),
    "wrong types": ({"rollsite": {"nodePort": "high", "partyList": {"a": 1}}, "python": [], "mysql": {"password": {"a": "canary"}},
                     "persistence": "yes", "imagePullSecrets": "x", "ingress": {"fateboard": "x"}},
                    ["rollsite.nodePort: is not a whole number", "rollsite.partyList: is not a list", "python: is not a block of keys",
                     "mysql.password: is not a text", "persistence: is not true or false", "imagePullSecrets: is not a list",
                     "ingress.fateboard: is not a block of keys"]),
    "a node port outside the range": ({"rollsite": {"type": "NodePort", "nodePort": 99}}, ["rollsite.nodePort: 99 is outside"]),
    "a type that is none": ({"rollsite": {"type": "HostPort"}}, ["rollsite.type: should be"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_wrong_values_are_named_at_once_with_their_lines(name: str) -> None:
    keys, expected = WRONG_VALUES[name]
    with pytest.raises(FederationError) as raised:
        converted(merged(BASES["eggroll"], keys))
    printed = str(raised.value)
    assert [said for said in expected if said not in printed] == []
    assert len(raised.value.problems) == len(expected)
    assert all(re.match(r"cluster\.yaml:\d+ ", problem.place) for problem in raised.value.problems)
    assert "canary" not in printed


def test_an_exchange_of_two_engines_or_of_nginx_alone_is_refused() -> None:
    for modules, said in ((["rollsite", "trafficServer", "nginx"], "Eggroll and Pulsar in one"), (["nginx"], "nginx alone")):
        with pytest.raises(FederationError, match=said):
            converted(cluster("fate-exchange", "v1.11.2", modules))


def test_an_amount_that_is_none_is_not_carried() -> None:
    result = converted(merged(BASES["eggroll"], {"python/resources/requests/memory": "lots"}))
    assert "an amount" in result.lost["python/resources/requests/memory"]


def _run(tmp_path: Path, *arguments: str) -> int:
    return main(["convert", "kubefate", "--out", str(tmp_path / "stacks"), *arguments])


def test_several_files_become_several_stacks_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = FILES[0].parent
    good = [str(folder / f"{name}.yaml") for name in ("v1.11.2-eggroll", "v1.11.2-exchange-rollsite")]
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: 1")
    assert _run(tmp_path, *good, str(bad)) == 1
    assert not (tmp_path / "stacks").exists()
    assert "name is missing" in capsys.readouterr().err
    assert _run(tmp_path, *good) == 0
    assert sorted(path.name for path in (tmp_path / "stacks").iterdir()) == ["Pulumi.fate-9999.yaml", "Pulumi.fate-exchange.yaml"]


def test_two_clusters_of_one_name_and_existing_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = FILES[0].parent
    first, second = (str(folder / f"{name}.yaml") for name in ("v1.11.2-eggroll", "v1.11.2-spark-pulsar"))
    assert _run(tmp_path, first, second) == 1
    assert "fate-9999 is the name of" in capsys.readouterr().err
    assert _run(tmp_path, first) == 0
    assert _run(tmp_path, second) == 1
    assert "exists already" in capsys.readouterr().err
    assert _run(tmp_path, second, "--force") == 0
    assert "computing: Spark" in (tmp_path / "stacks" / "Pulumi.fate-9999.yaml").read_text()


def test_the_json_names_every_key_once_and_no_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = FILES[0].parent / "v1.5.0-spark.yaml"
    assert _run(tmp_path, str(path), "--json") == 0
    printed = capsys.readouterr().out
    (one,) = json.loads(printed)["converted"]
    assert (one["stack"], one["kind"], one["release"]) == ("fate-9999", "party", "1.9.2")
    keys = [entry["key"] for word in ("carried", "notCarried", "unused") for entry in one[word]]
    assert len(keys) == len(set(keys)) > 40
    assert {"key": "nginx.route_table.10000.proxy[0].host", "line": 83, "becomes": "fate:peers.party-<id>.nginx"} in one["carried"]
    assert all({"name", "what", "command", "key"} == step.keys() for step in one["secrets"])
    assert "secret" in printed
    assert not re.search(r"old-[a-z]+-secret", printed)


def test_what_was_converted_passes_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project(tmp_path)
    path = FILES[0].parent / "v1.11.2-eggroll.yaml"
    assert main(["convert", "kubefate", "--out", str(folder / "stacks"), str(path)]) == 0
    capsys.readouterr()
    assert main(["check", "-s", "fate-9999", "-C", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "is valid; 4 to do before `pulumi up`: party-9999" in printed
    assert "fatefed keys init" in printed


@pytest.mark.parametrize(
    ("name", "rows"), [("guides/from-kubefate.md", 250), ("reference/kubefate-defaults.md", len(DEFAULTS) + len(CLAIMS))]
)
def test_the_pages_show_the_rows(name: str, rows: int) -> None:
    page = (REPO / "docs" / name).read_text()
    assert with_tables(page, PAGES[name]()) == page, "run `python -m tests.support.kubefate_pages`"
    assert len(re.findall(r"^\| (?:`|fate)", page, re.M)) > rows


def test_a_front_without_exchanges_is_not_deployed() -> None:
    result = converted(BASES["balanced"])
    assert result.lost["modules/2"].startswith("it has no exchange before it")
    assert result.at("parties/9999/modules/lbrollsite") is None
    assert result.at("federation/topology") == "mesh"
