"""`fatefed init`: every file it writes is valid, explained, and what the examples in stacks/ are."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from cli.stackfile import initialize
from cli.stackfile.initialize import Answers, init_stack, stack_text
from cli.stackfile.kinds import FIRST_STACKS, StackKind
from cli.stackfile.templates import PARTS
from cli.tools.errors import CommandError, UsageError
from cli.tools.project import find_project
from federation.base.errors import FederationError
from federation.config.stack import StackSpec
from federation.config.units import units
from federation.stack.load import load_stack
from tests.support.stacks import EXAMPLES, REPO, initialized, project

# From where members and peers of the examples connect.
SOURCES = ("198.51.100.0/24", "203.0.113.0/24")
ORGANIZATIONS = {
    "consortium": Answers(kind="exchange", organization="consortium", peers=("bank-a", "clinic-b"), source_ranges=SOURCES),
    "bank-a": Answers(kind="party", organization="bank-a", party_id="9999", source_ranges=SOURCES),
    "clinic-b": Answers(kind="party", organization="clinic-b", party_id="10000", source_ranges=SOURCES),
    "insurer-c": Answers(kind="serving", organization="insurer-c", party_id="10001", source_ranges=SOURCES),
    "clinic-d": Answers(kind="portal", organization="clinic-d", party_id="10002", source_ranges=SOURCES),
}


# What was asked for, and the engines that come of it.
ENGINES = [
    ({}, "Spark Pulsar HDFS"),
    ({"computing": "Eggroll"}, "Eggroll Eggroll Eggroll"),
    ({"engine": "Eggroll"}, "Eggroll Eggroll Eggroll"),
    ({"storage": "Eggroll"}, "Eggroll Eggroll Eggroll"),
    ({"computing": "Spark"}, "Spark Pulsar HDFS"),
    ({"computing": "Spark_local"}, "Spark_local Pulsar LocalFS"),
    ({"storage": "LocalFS"}, "Spark_local Pulsar LocalFS"),
    ({"computing": "Spark", "engine": "Pulsar", "storage": "HDFS"}, "Spark Pulsar HDFS"),
]
MESH_ENGINES = [
    ({"engine": "RabbitMQ"}, "Spark RabbitMQ HDFS"),
    ({"engine": "RabbitMQ", "computing": "Spark_local"}, "Spark_local RabbitMQ LocalFS"),
    ({"engine": "RabbitMQ", "storage": "LocalFS"}, "Spark_local RabbitMQ LocalFS"),
]
BEGINNINGS = [
    pytest.param(kind, asked, expected, id=f"{kind} {' '.join(asked.values()) or 'nothing'}")
    for kind in FIRST_STACKS
    if kind != "exchange"
    for asked, expected in (*ENGINES, *(MESH_ENGINES if kind == "mesh" else ()))
]


@pytest.mark.parametrize(("kind", "asked", "expected"), BEGINNINGS)
def test_a_new_party_has_the_engines_that_were_asked_for_and_what_goes_with_them(
    tmp_path: Path, kind: StackKind, asked: dict[str, str], expected: str
) -> None:
    loaded = initialized(tmp_path, "org-1", kind=kind, **asked).load()
    party = loaded.spec.parties["9999"]
    assert f"{party.computing} {party.federation} {party.storage}" == expected
    endpoints = {"Pulsar": {"pulsar", "nginx"}, "RabbitMQ": {"rabbitmq", "nginx"}, "Eggroll": {"rollsite"}}[party.federation]
    assert set(party.publish.by_endpoint) == endpoints
    assert {"fateboard", "client"} < set(loaded.plan.unit("party-9999").modules)
    _is_explained(stack_text(Answers(kind=kind, organization="org-1", **asked)))


@pytest.mark.parametrize("engine", ["Pulsar", "Eggroll"])
def test_a_new_exchange_has_the_engine_that_was_asked_for(tmp_path: Path, engine: str) -> None:
    loaded = initialized(tmp_path, "org-1", kind="exchange", engine=engine).load()
    unit = loaded.plan.unit("exchange")
    assert set(unit.modules) == {"Pulsar": {"trafficServer", "nginx"}, "Eggroll": {"rollsite"}}[engine]
    _is_explained(stack_text(Answers(kind="exchange", organization="org-1", engine=engine)))


@pytest.mark.parametrize("kind", FIRST_STACKS)
@pytest.mark.parametrize("engine", ["Pulsar", "Eggroll"])
def test_without_load_balancers_everything_is_published_at_the_address_of_the_nodes(tmp_path: Path, kind: StackKind, engine: str) -> None:
    answers: dict[str, Any] = {"kind": kind, "engine": engine, "source_ranges": ("anyone",), "node_address": "203.0.113.9"}
    loaded = initialized(tmp_path, "org-1", **answers).load()
    publications = [publication for unit in units(loaded.spec) for publication in unit.spec.publish.by_endpoint.values()]
    assert len(publications) >= 1
    assert {publication.type for publication in publications} == {"NodePort"}
    assert {publication.advertise.host for publication in publications if publication.advertise} == {"203.0.113.9"}
    assert not [finding for finding in loaded.plan.findings if finding.before_up]
    _is_explained(stack_text(Answers(organization="org-1", **answers)))


def test_an_exchange_and_a_party_of_one_cluster_have_node_ports_of_their_own() -> None:
    ports = [
        re.findall(r"^ +(?:p|httpP)ort: (\d+)", stack_text(Answers(kind=kind, organization="a", node_address="203.0.113.9")), re.M)
        for kind in ("exchange", "party")
    ]
    assert [len(each) for each in ports] == [2, 2]
    assert len({*ports[0], *ports[1]}) == 4


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"node_address": "nodes.example"}, "--node-address"),
        ({"node_address": "203.0.113.9", "source_ranges": ("198.51.100.0/24",)}, "--source-ranges"),
    ],
)
def test_what_a_node_port_cannot_do_is_refused(asked: dict[str, Any], place: str) -> None:
    with pytest.raises(FederationError) as refused:
        stack_text(Answers(kind="party", organization="org-1", **asked))
    assert [problem.place for problem in refused.value.problems] == [place]


# What is beside a party was made for FATE 1.x: who asks for another release is warned.
@pytest.mark.parametrize(
    ("kind", "release"),
    [*((kind, "") for kind in FIRST_STACKS), *((kind, "2.2.0") for kind, row in FIRST_STACKS.items() if row.beside is None)],
)
def test_init_writes_nothing_that_its_own_check_doubts(tmp_path: Path, kind: StackKind, release: str) -> None:
    text = "\n".join(initialized(tmp_path, "org-1", kind=kind, release=release).load().plan.warnings)
    assert "is open to anyone" in text
    assert "is not known" not in text
    assert "not known to work" not in text


def test_a_new_portal_has_the_last_release_of_fate_that_fedlcm_is_known_to_work_with(tmp_path: Path) -> None:
    spec = initialized(tmp_path, "org-1", kind="portal").load().spec
    assert [party.release for party in spec.parties.values()] == ["1.11.1"]
    asked = initialized(tmp_path, "org-2", kind="portal", release="1.11.2").load().spec
    assert [party.release for party in asked.parties.values()] == ["1.11.2"]


def test_an_exchange_typed_by_hand_with_rollsite_is_routed_to_at_once(tmp_path: Path) -> None:
    unit = initialized(tmp_path, "org-1", kind="external", engine="Eggroll").load().plan.unit("party-9999")
    assert '"ip": "192.0.2.10",\n          "port": 9370' in unit.routes[0].fields["data"]["route_table.json"]


@pytest.mark.parametrize(
    ("answers", "problem", "remedy"),
    [
        ({"kind": "party", "engine": "RabbitMQ"}, "not deployed as RabbitMQ in a star", "Eggroll + Eggroll; Spark + Pulsar + HDFS"),
        ({"kind": "exchange", "engine": "RabbitMQ"}, "not deployed as RabbitMQ in a star", "Spark + Pulsar + HDFS"),
        ({"kind": "mesh", "computing": "Eggroll", "engine": "Pulsar"}, "as Eggroll + Pulsar in a mesh", "Spark + RabbitMQ + HDFS"),
        ({"kind": "mesh", "computing": "spark"}, "not deployed as spark in a mesh", "Spark_local + RabbitMQ + LocalFS"),
    ],
)  # fmt: skip
def test_engines_that_do_not_go_together_are_refused_with_those_that_do(answers: dict[str, Any], problem: str, remedy: str) -> None:
    with pytest.raises(FederationError) as raised:
        stack_text(Answers(organization="org-1", **answers))
    (found,) = raised.value.problems
    assert problem in found.problem
    assert remedy in found.remedy
    assert ("RabbitMQ" in found.remedy) == (answers["kind"] == "mesh")


@pytest.mark.parametrize("asked", [{"computing": "Spark"}, {"storage": "HDFS"}])
def test_an_exchange_neither_computes_nor_stores(asked: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="neither computes nor stores"):
        stack_text(Answers(kind="exchange", organization="org-1", **asked))


def test_there_is_a_template_for_each_kind() -> None:
    assert tuple(FIRST_STACKS) == get_args(StackKind)


class Asked(dict[str, str]):
    """The parts of the template, and which of them were asked for."""

    def __init__(self) -> None:
        super().__init__(PARTS)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)


def test_every_part_of_the_template_is_in_some_stack_file(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Asked()
    monkeypatch.setattr(initialize, "PARTS", parts)
    ranges, federation = ("10.0.0.0/8",), "5f3c1e0a-7b1d-4c55-9a3e-2f6d8c4b7a10"
    for kind in FIRST_STACKS:
        for engine in ("Pulsar", "Eggroll"):
            stack_text(Answers(kind=kind, organization="bank-a", engine=engine))
    stack_text(Answers(kind="external", organization="bank-a", release="2.1.0", engine="OSX"))
    stack_text(Answers(kind="party", organization="bank-a", release="2.1.0", computing="Spark"))
    stack_text(Answers(kind="exchange", organization="bank-a", release="2.1.0", engine="OSX"))
    stack_text(Answers(kind="mesh", organization="bank-a", release="1.9.2", cluster_ranges=ranges, federation_id=federation))
    stack_text(Answers(kind="party", organization="bank-a", node_address="203.0.113.9"))
    assert len(parts) > 20
    assert parts.names == parts.keys()


@pytest.mark.parametrize("kind", FIRST_STACKS)
def test_a_new_stack_file_loads_without_a_problem(tmp_path: Path, kind: StackKind) -> None:
    plan = initialized(tmp_path, "org-1", kind=kind).load().plan
    expected = {"exchange": ["exchange"], "serving": ["party", "serving"], "portal": ["party", "sitePortal"]}
    assert [unit.kind for unit in plan.units] == expected.get(kind, ["party"])
    assert all("is not there yet" in reason for reason in plan.pending.values())
    assert len(plan.pending) == (0 if kind in ("exchange", "external") else 1)


@pytest.mark.parametrize("kind", FIRST_STACKS)
def test_every_key_of_a_new_stack_file_is_explained(kind: StackKind) -> None:
    _is_explained(stack_text(Answers(kind=kind, organization="org-1")))


def _is_explained(text: str) -> None:
    assert "$" not in text.split("\n", 1)[1]
    lines = text.splitlines()
    keys = [number for number, line in enumerate(lines) if re.match(r"\s+[\w:\"-]+:", line)]
    assert len(keys) > 15
    unexplained = [lines[number] for number in keys if " # " not in lines[number] and not lines[number - 1].lstrip().startswith("# ")]
    assert unexplained == []


@pytest.mark.parametrize("kind", FIRST_STACKS)
def test_a_new_stack_file_names_its_schema_first(kind: StackKind) -> None:
    assert stack_text(Answers(kind=kind, organization="org-1")).startswith("# yaml-language-server: $schema=stack.schema.json\n")
    assert "$" not in stack_text(Answers(kind=kind, organization="org-1")).split("\n", 1)[1]


def test_only_the_namespaced_kind_makes_no_namespace(tmp_path: Path) -> None:
    made = {kind: initialized(tmp_path, "org-1", kind=kind).load().plan.units[0].namespace_object for kind in FIRST_STACKS}
    assert {kind for kind, objects in made.items() if not objects} == {"namespaced"}


def test_an_external_exchange_is_routed_to_at_once(tmp_path: Path) -> None:
    unit = initialized(tmp_path, "org-1", kind="external").load().plan.unit("party-9999")
    assert "192.0.2.10:443" in str([manifest.fields for manifest in unit.routes])


@pytest.mark.parametrize("word", ["no", "0123", "null", "12e3", "on"])
def test_a_name_that_yaml_takes_for_something_else_is_quoted(tmp_path: Path, word: str) -> None:
    stack = initialized(tmp_path, word, kind="party", peers=(word,), federation=word)
    loaded = stack.load()
    assert (loaded.spec.organization, loaded.spec.federation.name, *loaded.spec.peers) == (word, word, word)


def test_every_wrong_answer_is_named() -> None:
    with pytest.raises(FederationError) as raised:
        stack_text(Answers(kind="party", organization="Bank A", party_id="x", federation="a\nb: c", domain="nodots", peers=("../x",)))
    assert [problem.place for problem in raised.value.problems] == ["--organization", "--federation", "--domain", "--party-id", "--peer"]


def test_a_party_has_one_exchange() -> None:
    with pytest.raises(UsageError, match="one peer"):
        stack_text(Answers(kind="party", organization="a", peers=("b", "c")))


def test_an_existing_file_is_replaced_only_on_demand(tmp_path: Path) -> None:
    stack = find_project(project(tmp_path)).stack("org-1")
    stack.file.write_text("mine")
    with pytest.raises(CommandError, match="exists already"):
        init_stack(stack, ORGANIZATIONS["bank-a"])
    assert stack.file.read_text() == "mine"
    init_stack(stack, ORGANIZATIONS["bank-a"], force=True)
    assert stack.load().spec.organization == "bank-a"


@pytest.mark.parametrize("organization", ORGANIZATIONS)
def test_the_examples_are_what_init_writes(organization: str) -> None:
    assert (REPO / "stacks" / f"Pulumi.{organization}.yaml").read_text() == stack_text(ORGANIZATIONS[organization])


def test_the_examples_load_and_hold_no_secret() -> None:
    assert [path.name for path in EXAMPLES] == [f"Pulumi.{name}.yaml" for name in sorted(ORGANIZATIONS)]
    for path in EXAMPLES:
        plan = load_stack(path).plan
        assert [unit.kind for unit in plan.units] in (["party"], ["exchange"], ["party", "serving"], ["party", "sitePortal"])
        assert set(yaml.safe_load(path.read_text())) == {"config"}
        assert not re.search(r"secure:|encryptionsalt|fate:secrets:", path.read_text())


def test_the_examples_wait_for_each_other() -> None:
    pending = {path.name: sorted(load_stack(path).plan.pending) for path in EXAMPLES}
    assert list(pending.values()) == [["consortium"], ["consortium"], ["consortium"], ["bank-a", "clinic-b"], ["consortium"]]


def test_the_readme_of_stacks_names_every_key() -> None:
    text = (REPO / "stacks" / "README.md").read_text()
    keys = _keys(StackSpec)
    assert len(keys) > 50
    # Kubernetes' own fields are not ours to explain.
    kubernetes = {"cpu", "memory"}
    assert sorted(key for key in keys - kubernetes if not re.search(rf"\b{key}\b", text)) == []


def _keys(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        for inner in _models(field.annotation):
            found |= _keys(inner)
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument) if model.__module__ != "federation.base.pods"]


def test_fatefed_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli", "init", "party", "-s", "bank-a", "-C", str(project(tmp_path)), "--json"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "stacks" / "Pulumi.bank-a.yaml").is_file()


@pytest.mark.parametrize(
    ("answers", "engines"),
    [
        ({"kind": "party"}, "Eggroll + OSX + Eggroll"),
        ({"kind": "mesh", "computing": "Eggroll", "engine": "OSX"}, "Eggroll + OSX + Eggroll"),
        ({"kind": "external", "engine": "OSX"}, "Eggroll + OSX + Eggroll"),
        ({"kind": "namespaced", "computing": "Standalone"}, "Standalone + OSX + Standalone"),
        ({"kind": "party", "engine": "Pulsar", "storage": "File"}, "Spark_local + Pulsar + File"),
        ({"kind": "mesh", "computing": "Spark", "engine": "RabbitMQ"}, "Spark + RabbitMQ + HDFS"),
        ({"kind": "party", "computing": "Spark", "engine": "OSX"}, "Spark + OSX + HDFS"),
    ],
    ids=str,
)
def test_a_new_stack_of_fate_2_loads_without_a_problem_and_explains_every_key(
    tmp_path: Path, answers: dict[str, Any], engines: str
) -> None:
    stack = initialized(tmp_path, "org-1", release="2.2.0", **answers)
    (unit,) = stack.load().plan.units
    assert unit.release == "2.2.0"
    assert " + ".join(unit.descriptor["backends"].values()) == engines
    lines = [line for line in stack.file.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) > 20
    assert not [line for line in lines if "$" in line]


def test_a_new_exchange_of_fate_2_loads_without_a_problem(tmp_path: Path) -> None:
    (unit,) = initialized(tmp_path, "org-1", kind="exchange", release="2.2.0", engine="OSX").load().plan.units
    assert (unit.release, set(unit.descriptor["endpoints"])) == ("2.2.0", {"osx"})


def test_a_new_stack_of_a_release_that_does_not_exist_is_refused() -> None:
    with pytest.raises(FederationError) as caught:
        stack_text(Answers(kind="party", organization="org-1", release="2.3.0"))
    (problem,) = caught.value.problems
    assert (problem.place, problem.problem) == ("--release", "unknown release 2.3.0")


@pytest.mark.parametrize("kind", FIRST_STACKS)
def test_who_may_connect_and_the_cluster_s_addresses_are_written_as_asked_and_proposed_otherwise(tmp_path: Path, kind: StackKind) -> None:
    silent = initialized(tmp_path, "silent", kind=kind).load()
    assert [warning for warning in silent.plan.warnings if "is open to anyone" in warning]
    assert "    # ranges: [" in stack_text(Answers(kind=kind, organization="org-1"))
    assert "# sourceRanges: [" in stack_text(Answers(kind=kind, organization="org-1"))
    for name, sources in (("known", ("203.0.113.0/24", "2001:db8::/32")), ("anyone", ("anyone",))):
        told = initialized(tmp_path, name, kind=kind, source_ranges=sources, cluster_ranges=("10.244.0.0/16", "10.96.0.0/12")).load()
        assert told.spec.cluster.ranges == ("10.244.0.0/16", "10.96.0.0/12")
        found = [publication.source_ranges for unit in units(told.spec) for publication in unit.spec.publish.by_endpoint.values()]
        assert set(found) == {sources}
        assert not [warning for warning in told.plan.warnings if "open to anyone" in warning]


def test_the_examples_say_who_may_connect() -> None:
    assert not [warning for path in EXAMPLES for warning in load_stack(path).plan.warnings if "open to anyone" in warning]


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"source_ranges": ("203.0.113.7",)}, "--source-ranges"),
        ({"source_ranges": ("anyone", "203.0.113.0/24")}, "--source-ranges"),
        ({"cluster_ranges": ("anyone",)}, "--cluster-ranges"),
        ({"cluster_ranges": ("10.0.0.0/40",)}, "--cluster-ranges"),
    ],
)
def test_what_is_no_address_range_is_refused_where_it_was_said(asked: dict[str, Any], place: str) -> None:
    with pytest.raises(FederationError) as refused:
        stack_text(Answers(kind="party", organization="org-1", **asked))
    assert [problem.place for problem in refused.value.problems] == [place]
