"""Live values: markers inside plain text, found and replaced."""

from pathlib import Path

import pytest

from federation.base.live import LiveValue, live_values, substitute
from tests.support.configs import LOCAL

NGINX = LiveValue("fate-9999", "nginx", "clusterIP")
PUBLIC = LiveValue("fate-9999", "pulsar-public-tls", "loadBalancer")


def test_a_marker_reads_as_what_it_stands_for() -> None:
    assert str(NGINX) == "<known-after-up:fate-9999/nginx.clusterIP>"


def test_markers_are_found_wherever_text_is() -> None:
    data = {"a": [f"x {NGINX}:9300 {PUBLIC}"], "b": {"c": (str(NGINX),)}, "n": 5, "none": None}
    assert live_values(data) == {NGINX, PUBLIC}
    assert live_values("plain") == frozenset()
    assert live_values({"<known-after-up:a/b.clusterIP>": 1}) == frozenset(), "keys are names, not addresses"


def test_each_marker_is_replaced_and_nothing_else() -> None:
    data = {"a": [f"x {NGINX}:9300 {PUBLIC}, again {NGINX}"], "n": 5, "b": True, "none": None}
    filled = substitute(data, {NGINX: "10.0.0.1", PUBLIC: "203.0.113.1"})
    assert filled == {"a": ["x 10.0.0.1:9300 203.0.113.1, again 10.0.0.1"], "n": 5, "b": True, "none": None}
    assert live_values(data) == {NGINX, PUBLIC}, "the plan itself stays as it was"


def test_a_replacement_is_not_read_as_a_marker_or_a_pattern() -> None:
    assert substitute(str(NGINX), {NGINX: r"\1 \g<0>"}) == r"\1 \g<0>"
    assert substitute(str(NGINX), {NGINX: str(PUBLIC)}) == str(PUBLIC)


def test_a_marker_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        substitute(str(NGINX), {PUBLIC: "203.0.113.1"})


def test_values_sort_by_namespace_service_and_field() -> None:
    assert sorted([PUBLIC, NGINX]) == [NGINX, PUBLIC]


def test_every_marker_of_a_plan_names_a_service_of_the_same_plan(tmp_path: Path) -> None:
    plan = LOCAL.load(tmp_path).plan
    wanted = live_values([[unit.descriptor, [route.fields for route in unit.routes]] for unit in plan.units])
    services = {(service.namespace, service.name): service.fields["spec"]["type"] for unit in plan.units for service in unit.services}
    assert len(wanted) > 5
    assert {(live.namespace, live.service) for live in wanted} <= set(services)
    balanced = [live for live in wanted if live.field == "loadBalancer"]
    assert balanced
    assert all(services[live.namespace, live.service] == "LoadBalancer" for live in balanced)


def test_no_chart_value_holds_a_marker(tmp_path: Path) -> None:
    units = LOCAL.load(tmp_path).plan.units
    assert len(units) == 2
    for unit in units:
        assert not live_values(unit.chart.values.plain()), unit.key
