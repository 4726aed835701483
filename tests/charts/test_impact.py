"""What a change is said to restart is what its rendered pods say: never less, and for usual edits not more."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from federation.base.naming import kebab_case
from federation.changes.effects import effects
from federation.units.unit import UnitPlan
from tests.support.configs import (
    BALANCED,
    NODE_PORTS,
    OSX_STAR,
    PORTAL_LOCAL,
    RABBITMQ_MESH,
    ROLLSITE_STAR,
    SERVING_WHOLE,
    Case,
    Config,
)
from tests.support.helm import CHARTS, helm_template
from tests.support.walk import workloads

Edit = Callable[[Config], object]
LABELS = {"spark-master": "sparkMaster", "spark-worker": "sparkWorker"}


def _modules(**changes: Any) -> Edit:
    return lambda config: config["parties"]["9999"].setdefault("modules", {}).update(changes)


def _images(**changes: Any) -> Edit:
    return lambda config: config.update(images=changes)


def _credentials(slot: str) -> Edit:
    return lambda config: config["parties"]["9999"].update(credentials={slot: {"secret": "other"}})


_SMALLER = {"requests": {}, "limits": {"cpu": "2", "memory": "4Gi"}}
EDITS: list[tuple[Case, str, Edit]] = [
    (NODE_PORTS, "another image of nginx", _modules(nginx={"image": {"tag": "other"}})),
    (NODE_PORTS, "more memory for MySQL", _modules(mysql={"resources": {"requests": {}, "limits": {"memory": "3Gi"}}})),
    (NODE_PORTS, "a variable of FATE-Flow", _modules(fateflow={"env": {"A": "b"}})),
    (NODE_PORTS, "another image of fateboard", _modules(fateboard={"image": {"tag": "other"}})),
    (NODE_PORTS, "more Spark workers", _modules(spark={"workers": 4})),
    (NODE_PORTS, "another registry", _images(registry="registry.example/fate")),
    (NODE_PORTS, "another password of MySQL", _credentials("mysql")),
    (NODE_PORTS, "another password of the notebook", _credentials("notebook")),
    (ROLLSITE_STAR, "another password of MySQL with Eggroll", _credentials("mysql")),
    (RABBITMQ_MESH, "another password of RabbitMQ", _credentials("rabbitmq")),
    (ROLLSITE_STAR, "a variable of rollsite", _modules(rollsite={"env": {"A": "b"}})),
    (BALANCED, "a variable of lbrollsite", _modules(lbrollsite={"exchanges": ["consortium-2"], "env": {"A": "b"}})),
    (RABBITMQ_MESH, "another image of RabbitMQ", _modules(rabbitmq={"image": {"tag": "other"}})),
    (OSX_STAR, "wider: more memory for OSX", _modules(osx={"resources": {"requests": {"memory": "9Gi"}, "limits": {"memory": "9Gi"}}})),
    # Sections of a chart's values that reach further than one module: more may be named than restarts.
    (ROLLSITE_STAR, "wider: more Eggroll nodes", _modules(nodemanager={"replicas": 4})),
    (NODE_PORTS, "wider: a smaller Spark worker", _modules(spark={"worker": {"resources": _SMALLER}})),
]  # fmt: skip


def rendered(unit: UnitPlan) -> dict[str, Any]:
    """The pod templates of a unit, by module."""
    found = {}
    for item in workloads(helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain())):
        template = item["spec"]["template"]
        name = template["metadata"]["labels"]["app.kubernetes.io/name"]
        found[LABELS.get(name, name)] = template
    return found


@pytest.mark.parametrize(("case", "name", "edit"), EDITS, ids=[name for _, name, _ in EDITS])
def test_what_is_said_to_restart_is_what_has_other_pods(case: Case, name: str, edit: Edit, tmp_path: Path) -> None:
    before = case.load(tmp_path / "before").plan.unit("party-9999")
    after = case.changed(edit).load(tmp_path / "after").plan.unit("party-9999")
    old, new = rendered(before), rendered(after)
    restarted = {module for module in old if old[module] != new[module]}
    assert restarted, "an edit that changes no pod"
    told: set[str] = set()
    for effect in effects(before.key, before.recorded, after.recorded):
        if effect.what.startswith("pods of ") and " restart" in effect.what:
            told |= set(effect.what.removeprefix("pods of ").partition(" restart")[0].split(", "))
    assert restarted <= told
    if not name.startswith("wider"):
        assert told == restarted


def _kept(section: str) -> Edit:
    return lambda config: [unit.update(persistence={}) for unit in config[section].values()]


# Every workload of the charts of parties, FATE-Serving and portals, with and without claims, and some in several pods.
ROLLING: list[tuple[Case, Edit, set[str]]] = [
    (NODE_PORTS, _modules(client={}), {"datanode"}),
    (BALANCED, _kept("parties"), {"lbrollsite"}),
    (ROLLSITE_STAR, _modules(nodemanager={"replicas": 2}), {"nodemanager"}),
    (RABBITMQ_MESH, _kept("parties"), {"datanode"}),
    (OSX_STAR, _kept("parties"), set()),
    (SERVING_WHOLE, _kept("serving"), {"servingProxy"}),
    (PORTAL_LOCAL, _kept("sitePortal"), set()),
]  # fmt: skip


@pytest.mark.parametrize(("case", "edit", "expected"), ROLLING, ids=[case.name for case, *_ in ROLLING])
def test_pods_said_to_start_again_one_after_another_are_those_of_rolling_workloads(
    case: Case, edit: Edit, expected: set[str], tmp_path: Path
) -> None:
    seen = set()
    for unit in case.changed(edit).load(tmp_path).plan.units:
        modules = {kebab_case(module): module for module in unit.modules}
        found = workloads(helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain()))
        rolling = {modules[item["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]] for item in found if goes_on(item)}
        assert len(found) >= len(modules) > 0
        assert rolling == set(unit.recorded["rolling"]), unit.key
        seen |= rolling
    assert expected <= seen


def goes_on(item: dict[str, Any]) -> bool:
    """Whether some pods of a workload serve while others start again, by Kubernetes' defaults for what it does not say."""
    spec = item["spec"]
    key = "strategy" if item["kind"] == "Deployment" else "updateStrategy"
    rolls = spec.get(key, {}).get("type", "RollingUpdate") == "RollingUpdate"
    return rolls and (item["kind"] == "Deployment" or spec["replicas"] > 1)
