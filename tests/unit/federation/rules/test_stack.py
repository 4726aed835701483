"""The tables of rules and warnings: every kind of unit is asked for its own, and a rule that cannot go on ends alone."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.main import main
from federation.base.errors import FederationError, Finding, NotParsed, Problem, warning
from federation.catalogue.kinds import KINDS, Kind
from federation.config.units import AnyUnit
from federation.units.checked import CheckedStack, run_rules
from federation.units.kinds.registry import UNIT_KINDS
from tests.support import stacks
from tests.support.configs import FML_MANAGER, LOCAL, PORTAL_LOCAL, ROLLSITE_MESH, SERVING, SERVING_EXCHANGE, Case, Config

_OF: dict[Kind, Case] = {
    "party": LOCAL,
    "exchange": LOCAL,
    "serving": SERVING,
    "servingExchange": SERVING_EXCHANGE,
    "sitePortal": PORTAL_LOCAL,
    "fmlManager": FML_MANAGER,
}


def _finds(stack: CheckedStack, unit: AnyUnit) -> Iterator[Problem]:
    yield Problem(stack.at(unit, "x"), f"a rule about {unit.kind}", "none")


def _warns(stack: CheckedStack, unit: AnyUnit) -> Iterator[Finding]:
    yield warning(stack.at(unit, "x"), f"a warning about {unit.kind};", "do nothing")


def test_every_kind_of_unit_has_a_stack_here() -> None:
    assert _OF.keys() == KINDS.keys() == UNIT_KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_the_rules_of_every_kind_of_unit_are_asked(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = UNIT_KINDS[kind]
    monkeypatch.setitem(UNIT_KINDS, kind, replace(row, rules=(*row.rules, _finds)))  # type: ignore[call-overload]
    with pytest.raises(FederationError) as caught:
        _OF[kind].load(tmp_path)
    assert [problem.problem for problem in caught.value.problems] == [f"a rule about {kind}"]
    assert caught.value.problems[0].severity == "problem"


@pytest.mark.parametrize("kind", KINDS)
def test_the_warnings_of_every_kind_of_unit_are_asked(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As sentences they hold the remedy; as findings they have it apart, and their place."""
    row = UNIT_KINDS[kind]
    monkeypatch.setitem(UNIT_KINDS, kind, replace(row, warnings=(*row.warnings, _warns)))  # type: ignore[call-overload]
    plan = _OF[kind].load(tmp_path).plan
    (found,) = (finding for finding in plan.findings if finding.problem == f"a warning about {kind};")
    unit = next(unit for unit in plan.units if unit.kind == kind)
    assert (found.place, found.remedy, found.severity) == (f"{'.'.join(KINDS[kind].path_of(unit.party_id))}.x", "do nothing", "warning")
    assert f"a warning about {kind}; do nothing" in plan.warnings


def test_every_warning_has_a_place_and_ends_where_its_remedy_begins(tmp_path: Path) -> None:
    cases: list[Case] = [LOCAL, SERVING, PORTAL_LOCAL, FML_MANAGER]
    found = [finding for number, case in enumerate(cases) for finding in case.load(tmp_path / str(number)).plan.findings]
    assert len(found) > 5
    for finding in found:
        assert finding.place
        assert bool(finding.remedy) == (finding.problem[-1] in ":;"), finding


def test_check_as_json_has_each_finding_with_its_place_and_its_remedy_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = stacks.project(tmp_path)
    ROLLSITE_MESH.write(project / "stacks")
    stacks.stack(project, "bank-a", ROLLSITE_MESH.text())
    assert main(["check", "-s", "bank-a", "-C", str(project), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {
        "place": "parties.9999.federation",
        "text": "party 9999 exchanges data without encryption, as FATE's Eggroll does by itself",
        "remedy": "keep it inside a private network",
    } in data["findings"]
    assert len(data["findings"]) < len(data["warnings"])


def test_a_rule_that_comes_to_what_did_not_parse_ends_alone() -> None:
    def ends() -> Iterator[Finding]:
        yield warning("a", "before")
        raise NotParsed("tls")

    def goes_on() -> Iterator[Finding]:
        yield warning("b", "after")

    assert [finding.problem for finding in run_rules((ends, goes_on))] == ["before", "after"]


def test_what_a_plan_says_does_not_depend_on_the_file(tmp_path: Path) -> None:
    def later(config: Config) -> None:
        config["cluster"] = {"ranges": []}

    assert LOCAL.load(tmp_path / "a").plan.findings == LOCAL.changed(later).load(tmp_path / "b").plan.findings
