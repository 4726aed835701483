"""`fatefed init`: every file it writes is valid, explained, and what the examples in stacks/ are."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from cli.errors import CommandError, UsageError
from cli.initialize import KINDS, Answers, Kind, init_stack, stack_text
from cli.project import find_project
from federation.errors import FederationError
from federation.load import load_stack
from federation.spec import StackSpec
from tests.support.stacks import EXAMPLES, REPO, initialized, project

ORGANIZATIONS = {
    "consortium": Answers(kind="exchange", organization="consortium", peers=("bank-a", "clinic-b")),
    "bank-a": Answers(kind="party", organization="bank-a", party_id="9999"),
    "clinic-b": Answers(kind="party", organization="clinic-b", party_id="10000"),
}


def test_there_is_a_template_for_each_kind() -> None:
    assert tuple(KINDS) == get_args(Kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_stack_file_loads_without_a_problem(tmp_path: Path, kind: Kind) -> None:
    plan = initialized(tmp_path, "org-1", kind=kind).load().plan
    assert [unit.kind for unit in plan.units] == ["exchange" if kind == "exchange" else "party"]
    assert all("is not there yet" in reason for reason in plan.pending.values())
    assert len(plan.pending) == (0 if kind in ("exchange", "external") else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_a_new_stack_file_is_explained(kind: Kind) -> None:
    lines = stack_text(Answers(kind=kind, organization="org-1")).splitlines()
    keys = [number for number, line in enumerate(lines) if re.match(r"\s+[\w:\"-]+:", line)]
    assert len(keys) > 15
    unexplained = [lines[number] for number in keys if " # " not in lines[number] and not lines[number - 1].lstrip().startswith("# ")]
    assert unexplained == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_stack_file_names_its_schema_first(kind: Kind) -> None:
    assert stack_text(Answers(kind=kind, organization="org-1")).startswith("# yaml-language-server: $schema=stack.schema.json\n")
    assert "$" not in stack_text(Answers(kind=kind, organization="org-1")).split("\n", 1)[1]


def test_only_the_namespaced_kind_makes_no_namespace(tmp_path: Path) -> None:
    made = {kind: initialized(tmp_path, "org-1", kind=kind).load().plan.units[0].namespace_object for kind in KINDS}
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
        assert len(plan.units) == 1
        assert set(yaml.safe_load(path.read_text())) == {"config"}
        assert not re.search(r"secure:|encryptionsalt|fate:secrets:", path.read_text())


def test_the_examples_wait_for_each_other() -> None:
    pending = {path.name: sorted(load_stack(path).plan.pending) for path in EXAMPLES}
    assert list(pending.values()) == [["consortium"], ["consortium"], ["bank-a", "clinic-b"]]


def test_the_readme_of_stacks_names_every_key() -> None:
    text = (REPO / "stacks" / "README.md").read_text()
    keys = _keys(StackSpec)
    assert len(keys) > 50
    # Kubernetes' own fields are not ours to explain.
    kubernetes = {"operator", "value", "effect", "cpu", "memory"}
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
    return [model for argument in get_args(annotation) for model in _models(argument)]


def test_fatefed_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli", "init", "party", "-s", "bank-a", "-C", str(project(tmp_path)), "--json"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "stacks" / "Pulumi.bank-a.yaml").is_file()
