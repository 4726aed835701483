"""`fatefed check --live`: a namespace of others is refused before a preview, and claims that are left are said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from tests.support import stacks
from tests.support.configs import STAR_PARTY
from tests.support.kubectl import FORBIDDEN, Answers, FakeKubectl

NOTE, CLAIMS = "configmaps/fate-9999/fate-owner", "persistentvolumeclaims/fate-9999"
Check = Callable[[Callable[[Answers], None]], tuple[int, dict[str, Any]]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """`check --live` of a party with claims, deployed and well, after a change of what its cluster answers."""
    case = STAR_PARTY.changed(lambda config: config["parties"]["9999"].update(persistence={"storageClass": "fast"}))
    stack = stacks.of_case(tmp_path / "project", case)
    kubectl = FakeKubectl(tmp_path, stack.load().plan)
    monkeypatch.setenv("KUBECTL", str(kubectl.program))

    def run(change: Callable[[Answers], None]) -> tuple[int, dict[str, Any]]:
        kubectl.answers[NOTE] = note("bank-a")
        change(kubectl.answers)
        kubectl.write()
        code = main(["check", "--live", "-s", "bank-a", "-C", str(stack.project.folder), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def note(organization: str) -> dict[str, Any]:
    return {"data": {"organization": organization, "stack": organization, "unit": "party-9999"}}


def emptied(answers: Answers) -> None:
    for kind in ("deployments", "statefulsets"):
        answers[f"{kind}/fate-9999"] = []
    answers.pop(NOTE, None)


def about_the_cluster(data: dict[str, Any]) -> list[str]:
    return [warning for warning in data["warnings"] if "namespace fate-9999" in warning]


def test_ones_own_namespace_says_nothing(check: Check) -> None:
    code, data = check(lambda _: None)
    assert (code, about_the_cluster(data)) == (0, [])


def test_the_namespace_of_another_stack_is_refused(check: Check) -> None:
    code, data = check(lambda answers: answers.update({NOTE: note("bank-x")}))
    [problem] = data["problems"]
    assert code == 1
    assert problem["place"].endswith("fate:parties.9999")
    assert problem["problem"] == "namespace fate-9999 belongs to stack bank-x of organization bank-x (party-9999)"
    assert "a namespace of its own" in problem["remedy"]


def test_objects_without_a_note_are_said(check: Check) -> None:
    code, data = check(lambda answers: answers.pop(NOTE))
    [said] = about_the_cluster(data)
    assert code == 0
    assert "holds deployment " in said


def test_claims_are_said_where_nothing_else_is_left(check: Check) -> None:
    def destroyed(answers: Answers) -> None:
        emptied(answers)
        assert any(item["metadata"]["name"] == "data-mysql-0" for item in answers[CLAIMS])

    code, data = check(destroyed)
    [said] = about_the_cluster(data)
    assert code == 0
    assert "claims that no deployment of this state owns" in said
    assert "data-mysql-0" in said


@pytest.mark.parametrize("kind", [NOTE, CLAIMS])
def test_what_may_not_be_read_is_said(check: Check, kind: str) -> None:
    code, data = check(lambda answers: answers.update({kind: FORBIDDEN.format(kind)}))
    [said] = about_the_cluster(data)[:1]
    assert code == 0
    assert "whether others use namespace fate-9999 is not known" in said
