"""The names that the packet model of the federation twin takes for granted are those of a party's Services."""

from pathlib import Path

import pytest

from federation.catalogue.releases import catalogue
from federation.catalogue.serving import serving_catalogue
from federation.units.namespace_owner import CLAIM_NAMES
from federation.units.unit import UnitPlan
from tests.charts.cases import ALL
from tests.charts.cases import Case as ChartCase
from tests.support.configs import OSX_STAR, RABBITMQ_MESH, ROLLSITE_STAR, SERVING_WHOLE, STAR_PARTY, Case
from tests.support.helm import CHARTS, helm_template
from tests.support.packets import NAMES, PROXIES, SERVING_NAMES
from tests.support.walk import of_kind

PARTIES = {"Pulsar": STAR_PARTY, "RabbitMQ": RABBITMQ_MESH, "Eggroll": ROLLSITE_STAR, "OSX": OSX_STAR}


@pytest.mark.parametrize("case", PARTIES.values(), ids=PARTIES.keys())
def test_each_name_leads_to_the_module_and_port_that_the_twin_believes(case: Case, tmp_path: Path) -> None:
    unit = case.load(tmp_path).plan.unit("party-9999")
    released = catalogue()[unit.release].ports
    believed = {(name, released[key]): target for (name, key), target in NAMES.items() if target[0] in unit.modules}
    assert len(believed) >= 3, "FATE-Flow twice, and a proxy"
    ports = service_ports(unit)
    assert {place: ports.get(place) for place in believed} == believed


def test_each_name_of_fate_serving_leads_to_the_module_and_port_that_the_twin_believes(tmp_path: Path) -> None:
    (unit, *_) = [unit for unit in SERVING_WHOLE.load(tmp_path).plan.units if unit.kind == "serving"]
    released = serving_catalogue()[unit.release].ports
    believed = {(name, released[key]): target for (name, key), target in SERVING_NAMES.items()}
    assert len(believed) == 3
    ports = service_ports(unit)
    assert {place: ports.get(place) for place in believed} == believed


def service_ports(unit: UnitPlan) -> dict[tuple[str, int], tuple[str, str]]:
    """The module and the port behind each port of each Service of a unit."""
    charted = of_kind(helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain()), "Service")
    return {
        (service["metadata"]["name"], port["port"]): (service["spec"]["selector"]["app.kubernetes.io/name"], port["targetPort"])
        for service in (*charted, *(manifest.document() for manifest in unit.services))
        for port in service["spec"]["ports"]
    }


def test_every_module_of_a_name_is_one_that_the_twin_executes() -> None:
    assert {module for module, _ in (*NAMES.values(), *SERVING_NAMES.values())} <= PROXIES.keys()


@pytest.mark.parametrize("case", ALL, ids=str)
def test_claims_that_an_earlier_deployment_left_are_known_by_the_names_that_the_charts_give(case: ChartCase) -> None:
    sets = of_kind(case.render(), "StatefulSet")
    made = {
        f"{claim['metadata']['name']}-{item['metadata']['name']}" for item in sets for claim in item["spec"].get("volumeClaimTemplates", [])
    }
    claiming = [name for name, module in case.values["modules"].items() if "claim" in module and "existingClaim" not in module]
    assert made == {CLAIM_NAMES[name] for name in claiming}
