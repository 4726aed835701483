"""`fatefed check --live`: whose the namespaces of a stack are, as far as the cluster tells. The stack's state is not asked."""

from dataclasses import dataclass, field

from cli.cluster import Ask, Cluster, Reading
from federation import naming
from federation.errors import Problem
from federation.load import LoadedStack
from federation.ownership import CLAIMS, WORKLOADS, Occupants, foreign_owner, left_claims, names_of_ours, occupied
from federation.unit import UnitPlan


@dataclass
class Found:
    """What keeps a stack out of its namespaces, and what should be thought about before it comes in."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def look_around(loaded: LoadedStack, cluster: Cluster) -> Found:
    """Ask the cluster about every namespace that the stack does not take over."""
    units = [unit for unit in loaded.plan.units if unit.namespace not in loaded.spec.cluster.take_over]
    answers = cluster.read(ask for unit in units for ask in asks(unit))
    found = Found()
    for unit in units:
        _judge(unit, {ask: answers[ask] for ask in asks(unit)}, loaded, found)
    return found


def asks(unit: UnitPlan) -> list[Ask]:
    """The questions about a unit's namespace."""
    return [Ask("configmaps", unit.namespace, naming.OWNER), *(Ask(kind, unit.namespace) for kind in (*WORKLOADS, CLAIMS))]


def _judge(unit: UnitPlan, answers: dict[Ask, Reading], loaded: LoadedStack, found: Found) -> None:
    unread = [answer.reason for answer in answers.values() if answer.state in ("failed", "not readable")]
    if unread:
        found.warnings.append(f"{unit.key}: whether others use namespace {unit.namespace} is not known: {unread[0]}")
    there = _occupants(answers)
    if there.note is None:
        # Made by a version without notes, perhaps by this stack: its preview tells, which knows the state.
        found.warnings += [f"{unit.key}: {why[0]}" for why in [occupied(unit, there)] if why is not None and there.workloads]
        found.warnings += [left for left in [left_claims(unit, there)] if left is not None and not there.workloads]
    elif (why := foreign_owner(unit, there.note)) is not None:
        found.problems.append(Problem(loaded.source.place(tuple(unit.config_path.split("."))), *why))


def _occupants(answers: dict[Ask, Reading]) -> Occupants:
    items = {ask.kind: answer.items if answer.state == "ok" else () for ask, answer in answers.items()}
    notes = [item.get("data") or {} for item in items["configmaps"]]
    workloads = [name for kind in WORKLOADS for name in names_of_ours(kind, items[kind])]
    return Occupants(notes[0] if notes else None, tuple(workloads), tuple(sorted(item["metadata"]["name"] for item in items[CLAIMS])))
