"""Whose each port of a release is."""

from collections.abc import Mapping
from typing import Any

import pytest

from federation.catalogue.portal import portal_catalogue
from federation.catalogue.ports import PORTS_OF_MODULES, chart_ports, ports_of
from federation.catalogue.releases import catalogue
from federation.catalogue.serving import serving_catalogue
from federation.chart_values.fate import ExchangePorts

RELEASES: Mapping[str, Any] = {
    f"{name} {version}": release
    for name, rows in {"FATE": catalogue(), "FATE-Serving": serving_catalogue(), "FedLCM": portal_catalogue()}.items()
    for version, release in rows.items()
}


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_every_port_of_a_release_is_of_one_module_that_the_release_has(release: Any) -> None:
    modules = {*release.modules, *getattr(release, "exchange", {})}
    owners = {port: [module for module in PORTS_OF_MODULES if port in PORTS_OF_MODULES[module]] for port in release.ports}
    assert len(owners) >= 5
    assert {port: owner for port, owner in owners.items() if len(owner) != 1} == {}
    assert {port: owner for port, (owner,) in owners.items() if owner not in modules} == {}


def test_the_table_names_no_module_and_no_port_that_no_release_has() -> None:
    modules = {module for release in RELEASES.values() for module in (*release.modules, *getattr(release, "exchange", {}))}
    ports = {port for release in RELEASES.values() for port in release.ports}
    assert set(PORTS_OF_MODULES) == modules
    assert {port for row in PORTS_OF_MODULES.values() for port in row} == ports


def test_a_port_is_not_taken_for_that_of_a_module_whose_name_begins_like_its_own() -> None:
    ports = {"pulsar": 6650, "pulsarTls": 6651, "pulsarFunctions": 6750, "notebook": 20000}
    assert ports_of(["pulsar"], ports) == {"pulsar": 6650, "pulsarTls": 6651}
    assert ports_of(["client", "notebook"], ports) == {"notebook": 20000}


def test_a_chart_gets_the_ports_of_its_modules_that_it_knows() -> None:
    found = chart_ports(ExchangePorts, ("trafficServer", "nginx"), catalogue()["1.11.2"].ports)
    assert found.plain() == {"trafficServer": 4443, "nginxHttp": 9300, "nginxHealth": 9302}
