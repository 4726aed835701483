"""Every combination of engines of every release, with every device and algorithm, as it is planned.

Each is rendered by real Helm, which checks the values against the chart's strict schema, and held to the rules of every chart.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from federation.catalogue.releases import Release, catalogue
from tests.charts.cases import Case, planned
from tests.charts.test_invariants import INVARIANTS, PARTY_INVARIANTS
from tests.support import configs
from tests.support.walk import Object, containers, workloads

# A worker that the organization builds itself, where none is published; Traffic Server has no tag upstream.
OWN_WORKER = {"image": {"repository": "own/spark-worker", "tag": "py310"}}


class Rendered(Case):
    """A case that is rendered once."""

    @cache  # noqa: B019 - the cases live as long as the tests
    def render(self) -> list[Object]:
        """What helm makes of it, under the chart's strict schema."""
        return super().render()

    def __hash__(self) -> int:
        return hash(self.name)


def parties() -> Iterator[Any]:
    """One parameter for each release, combination, device and algorithm."""
    for release in catalogue().values():
        for row in release.combinations:
            for variant in release.variants:
                for algorithm in variant.algorithms:
                    engines = {"computing": row.computing, "federation": row.federation, "storage": row.storage}
                    yield pytest.param(
                        release, engines, variant.device, algorithm, id=f"{release.release} {row} {variant.device} {algorithm}"
                    )


def exchanges() -> Iterator[Any]:
    """One parameter for each release and federation engine that has an exchange."""
    for release in catalogue().values():
        for engine in release.exchanges:
            yield pytest.param(release, engine, id=f"{release.release} {engine}")


def _party(release: Release, engines: configs.Config, device: str, algorithm: str) -> configs.Case:
    modules: configs.Config = {"fateboard": {}, "client": {}}
    if engines["computing"] == "Spark" and release.modules["sparkWorker"].tag is None:
        modules["spark"] = {"worker": OWN_WORKER}
    own = configs.party(
        **engines, release=release.release, device=device, algorithm=algorithm, modules=modules, persistence={}, exchange=None
    )
    return configs.Case("a mesh", configs.stack("bank-a", topology="mesh", parties={"9999": own}))


@pytest.mark.parametrize(("release", "engines", "device", "algorithm"), list(parties()))
def test_every_party_that_a_release_can_be_upholds_the_rules(
    release: Release, engines: configs.Config, device: str, algorithm: str, rendered: list[str]
) -> None:
    plan = planned("party", _party(release, engines, device, algorithm))
    case = Rendered(f"{release.release} {' + '.join(engines.values())} {device} {algorithm}", plan.chart, plan.values)
    row = release.combination(**engines)
    assert row is not None
    _upholds(case, [*INVARIANTS, *PARTY_INVARIANTS])
    assert len(workloads(case.render())) == len({*row.modules, "fateboard", "client"}), "a workload for each module"
    suffix = "" if (device, algorithm) == ("CPU", "Basic") else f"-{(algorithm if device == 'CPU' else device).lower()}"
    [fateflow] = [found.spec["image"] for found in containers(case.render()) if found.where == "StatefulSet/python/fateflow"]
    assert f"{suffix}:" in fateflow
    rendered.append(case.name)


@pytest.mark.parametrize(("release", "engine"), list(exchanges()))
def test_every_exchange_that_a_release_has_upholds_the_rules(release: Release, engine: str, rendered: list[str]) -> None:
    stack = configs.stack("consortium", exchange=configs.exchange(federation=engine, release=release.release))
    plan = planned("exchange", configs.Case("an exchange", stack), "exchange")
    case = Rendered(f"exchange {release.release} {engine}", plan.chart, plan.values)
    _upholds(case, INVARIANTS)
    assert len(workloads(case.render())) == len(release.exchanges[engine])
    rendered.append(case.name)


def test_the_matrix_is_whole(rendered: list[str]) -> None:
    assert [row.release for row in catalogue().values()] == [
        "1.9.0",
        "1.9.1",
        "1.9.2",
        "1.10.0",
        "1.11.1",
        "1.11.2",
        "2.0.0",
        "2.1.0",
        "2.2.0",
    ]
    wanted = len(list(parties())) + len(list(exchanges()))
    assert wanted > 150
    assert len(rendered) in (0, wanted), "0 when this test is run alone"
    assert len(rendered) == len(set(rendered))


def _upholds(case: Case, rules: list[Any]) -> None:
    assert len(rules) > 10
    for rule in rules:
        rule(case)
