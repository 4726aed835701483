"""What `fatefed doctor` expects of a unit is what its chart makes, for every combination."""

from pathlib import Path

import pytest

from cli.doctor.snapshot import expected
from federation.units.unit import UnitPlan
from tests.support.configs import (
    BALANCED,
    EXCHANGE,
    EXTERNAL,
    LOCAL,
    OSX_LOCAL,
    RABBITMQ_MESH,
    ROLLSITE_LOCAL,
    SERVING_LOCAL,
    SERVING_WHOLE,
    SLIM_MESH,
    Case,
)
from tests.support.helm import CHARTS, helm_template
from tests.support.walk import Object, of_kind


def render(unit: UnitPlan) -> list[Object]:
    return helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain())


CASES = [EXCHANGE, EXTERNAL, LOCAL, OSX_LOCAL, RABBITMQ_MESH, ROLLSITE_LOCAL, SLIM_MESH, BALANCED, SERVING_WHOLE, SERVING_LOCAL]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_module_is_one_workload_with_its_replicas_and_claims(case: Case, tmp_path: Path) -> None:
    def change(config: dict) -> None:  # type: ignore[type-arg]
        for party in config.get("parties", {}).values():
            party["modules"] = {**party.get("modules", {}), "fateboard": {}, "client": {}}
            party["persistence"] = {"storageClass": "fast"}
        for serving in config.get("serving", {}).values():
            serving["persistence"] = {"storageClass": "fast"}

    units = case.changed(change).load(tmp_path).plan.units
    assert units
    for unit in units:
        made = {item["metadata"]["labels"]["app.kubernetes.io/name"]: item for item in of_kind(render(unit), "Deployment", "StatefulSet")}
        planned = {module.component: module for module in expected(unit)}
        assert set(made) == set(planned)
        for component, module in planned.items():
            spec = made[component]["spec"]
            templates = spec.get("volumeClaimTemplates", [])
            assert (spec["replicas"], len(templates) * spec["replicas"]) == (module.replicas, module.claims), component
            assert [template["spec"]["storageClassName"] for template in templates] == [module.storage_class] * len(templates)
            assert spec["selector"]["matchLabels"]["app.kubernetes.io/instance"] == unit.key
            assert spec["template"]["spec"]["containers"][0]["image"] == module.image


def test_consoles_hosts_are_those_of_the_ingresses(tmp_path: Path) -> None:
    def change(config: dict) -> None:  # type: ignore[type-arg]
        config["boards"] = {"kind": "ingress", "domain": "bank-a.example", "consoles": {"fateboard": {}, "notebook": {}, "rabbitmq": {}}}
        config["parties"]["9999"]["modules"] = {"fateboard": {}, "client": {}}

    unit = RABBITMQ_MESH.changed(change).load(tmp_path).plan.unit("party-9999")
    hosts = [rule["host"] for item in of_kind(render(unit), "Ingress") for rule in item["spec"]["rules"]]
    assert sorted(hosts) == sorted(unit.console_hosts.values())
    assert len(hosts) == 3
