"""`fatefed check --live`: whose the namespaces of a stack are, as far as the cluster tells. The stack's state is not asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from cli.tools.kubectl import Ask, Cluster, Reading
from federation.base import naming
from federation.base.errors import Problem
from federation.stack.load import LoadedStack
from federation.units.namespace_owner import CLAIMS, WORKLOADS, Occupants, foreign_owner, left_claims, names_of_ours, occupied
from federation.units.unit import UnitPlan


@dataclass
class Findings:
    """Problems that keep a stack out of its namespaces, and warnings to consider before it comes in."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Objection(NamedTuple):
    """The objections to a unit in its namespace: another owner, workloads that use its names, or claims that it would start with."""

    kind: Literal["owner", "workloads", "claims"]
    problem: str
    remedy: str


def look_around(loaded: LoadedStack, cluster: Cluster) -> Findings:
    """Ask the cluster about every namespace that the stack does not take over."""
    units = [unit for unit in loaded.plan.units if unit.namespace not in loaded.spec.cluster.take_over]
    answers = cluster.read(ask for unit in units for ask in asks(unit))
    findings = Findings()
    for unit in units:
        _judge(unit, answers, loaded, findings)
    return findings


def asks(unit: UnitPlan) -> list[Ask]:
    """The questions about a unit's namespace: its owner's note, then what else may be there."""
    return [Ask("configmaps", unit.namespace, naming.OWNER), *(Ask(kind, unit.namespace) for kind in (*WORKLOADS, CLAIMS))]


def objection(unit: UnitPlan, answers: Mapping[Ask, Reading]) -> Objection | None:
    """What speaks against the unit in its namespace, as far as its state is not asked."""
    there = _occupants({ask: answers[ask] for ask in asks(unit)})
    if there.note is not None and (why := foreign_owner(unit, there.note)) is not None:
        return Objection("owner", *why)
    if there.workloads:
        # Without a note: made by a version without notes, perhaps by this stack: its preview tells, which knows the state.
        why = occupied(unit, there) if there.note is None else None
        return None if why is None else Objection("workloads", *why)
    left = left_claims(unit, there)
    return None if left is None else Objection("claims", *left)


def unread(unit: UnitPlan, answers: Mapping[Ask, Reading]) -> str | None:
    """Why it is not known who uses a unit's namespace; None: it is."""
    return next((answers[ask].reason for ask in asks(unit) if answers[ask].state in ("failed", "not readable")), None)


def _judge(unit: UnitPlan, answers: Mapping[Ask, Reading], loaded: LoadedStack, findings: Findings) -> None:
    if (why := unread(unit, answers)) is not None:
        findings.warnings.append(f"{unit.key}: whether others use namespace {unit.namespace} is not known: {why}")
    against = objection(unit, answers)
    if against is None:
        return
    if against.kind == "owner":
        place = loaded.source.place_of(tuple(unit.config_path.split(".")))
        findings.problems.append(Problem(place, against.problem, against.remedy))
    else:
        findings.warnings.append(f"{unit.key}: {against.problem}; remedy: {against.remedy}")


def _occupants(answers: dict[Ask, Reading]) -> Occupants:
    items = {ask.kind: answer.items if answer.state == "ok" else () for ask, answer in answers.items()}
    notes = [item.get("data") or {} for item in items["configmaps"]]
    workloads = [name for kind in WORKLOADS for name in names_of_ours(kind, items[kind])]
    return Occupants(notes[0] if notes else None, tuple(workloads), tuple(sorted(item["metadata"]["name"] for item in items[CLAIMS])))
