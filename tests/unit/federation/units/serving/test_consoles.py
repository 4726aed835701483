"""Pages of FATE-Serving in a browser: serving-admin by default, serving-proxy when it is named, by each kind of boards."""

from pathlib import Path
from typing import Any

import pytest

from federation.base.errors import FederationError
from federation.units.unit import UnitPlan
from tests.support.configs import SERVING, SERVING_EXCHANGE, SERVING_WHOLE, Case, Config

INGRESS: Config = {"kind": "ingress", "domain": "bank-a.example", "address": "203.0.113.7"}
KINDS: list[Config] = [
    INGRESS,
    {"kind": "httpRoute", "domain": "bank-a.example", "gateway": {"name": "web", "namespace": "gateways"}},
    {"kind": "istio", "domain": "bank-a.example"},
]
PROXY = {"consoles": {"servingProxy": {}}}


def with_boards(boards: Config, base: Case = SERVING_WHOLE, /, **changes: Any) -> Case:
    def change(config: Config) -> None:
        config["boards"] = boards
        config["serving"]["9999"].update(changes)

    return base.changed(change)


def unit(case: Case, folder: Path) -> UnitPlan:
    return case.load(folder).plan.unit("serving-9999")


def hosts(found: UnitPlan) -> dict[str, str]:
    """Host by the name of the object that shows it, whatever kind it is."""
    charted = found.chart.values.plain().get("boards", {"consoles": {}})["consoles"].values()
    typed = [board for board in found.console_objects if board.kind != "Gateway"]
    made = {board.name: (board.fields["spec"].get("hostnames") or board.fields["spec"]["hosts"])[0] for board in typed}
    return {console["object"]: console["host"] for console in charted} | made


@pytest.mark.parametrize("boards", KINDS, ids=lambda boards: boards["kind"])
def test_the_console_is_shown_by_default_and_the_address_for_applications_when_it_is_named(boards: Config, tmp_path: Path) -> None:
    assert hosts(unit(with_boards(boards), tmp_path / "a")) == {"serving-admin": "9999.serving-admin.bank-a.example"}
    assert hosts(unit(with_boards({**boards, **PROXY}), tmp_path / "b")) == {"serving-proxy": "9999.serving-proxy.bank-a.example"}


def test_the_address_for_applications_is_warned_of(tmp_path: Path) -> None:
    warnings = with_boards({**INGRESS, **PROXY}).load(tmp_path / "a").plan.warnings
    assert any(
        text.startswith("console servingProxy of FATE-Serving of party 9999 is open to everyone who can reach its address")
        for text in warnings
    )
    assert not any(
        "is open to everyone who can reach its address" in text for text in with_boards(INGRESS).load(tmp_path / "b").plan.warnings
    )


def test_access_says_where_both_are(tmp_path: Path) -> None:
    access = unit(with_boards(INGRESS), tmp_path / "a").access
    assert access["servingAdmin"]["url"] == "http://9999.serving-admin.bank-a.example/"
    assert access["servingProxy"] == {
        "url": "http://localhost:8059",
        "portForward": "kubectl -n fate-serving-9999 port-forward service/serving-proxy 8059:8059",
    }
    assert access["hostsFile"] == "203.0.113.7 9999.serving-admin.bank-a.example"
    assert set(unit(SERVING_WHOLE, tmp_path / "b").access) == {"servingProxy", "servingAdmin"}
    assert set(unit(SERVING, tmp_path / "c").access) == {"servingProxy"}


def test_one_fate_serving_may_differ(tmp_path: Path) -> None:
    own = {"servingAdmin": "none", "servingProxy": {"host": "predict.bank-a.example", "path": "/fate"}}
    found = unit(with_boards(INGRESS, boards=own), tmp_path)
    assert hosts(found) == {"serving-proxy": "predict.bank-a.example"}
    assert found.chart.values.plain()["boards"]["consoles"]["servingProxy"]["path"] == "/fate"


def test_a_certificate_of_the_stack_is_in_its_namespace_too(tmp_path: Path) -> None:
    found = unit(with_boards({**INGRESS, "tls": {"secret": "consoles"}}), tmp_path)
    assert found.console_certificate == {"tls.crt": "consoles-certificate", "tls.key": "consoles-key"}
    assert found.chart.values.plain()["boards"]["tlsSecret"] == "boards-tls"


def _opened(found: UnitPlan) -> dict[str, Any]:
    """By policy of a page: from where which ports are open."""
    rules = {policy.name: policy.fields["spec"]["ingress"][0] for policy in found.policies if "board-" in policy.name}
    return {name: (rule["from"], [port["port"] for port in rule["ports"]]) for name, rule in rules.items()}


def test_network_policies_open_what_is_shown_to_those_who_may(tmp_path: Path) -> None:
    anyone = [{"namespaceSelector": {}}]
    assert _opened(unit(SERVING_WHOLE, tmp_path / "a")) == {}
    assert _opened(unit(with_boards(INGRESS), tmp_path / "b")) == {"fate-board-serving-admin": (anyone, [8350])}
    assert _opened(unit(with_boards({**INGRESS, **PROXY}), tmp_path / "c")) == {"fate-board-serving-proxy": (anyone, [8059])}
    named = with_boards(INGRESS).changed(lambda config: config.update(networkPolicy={"boards": {"namespaces": ["ingress"]}}))
    (sources, _) = _opened(unit(named, tmp_path / "d"))["fate-board-serving-admin"]
    assert sources == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]


@pytest.mark.parametrize(
    ("case", "place", "problem"),
    [
        (with_boards(INGRESS, SERVING, boards={"servingAdmin": {}}), "serving.9999.boards.servingAdmin", "of party 9999 deploys no"),
        (
            SERVING.changed(lambda config: config["serving"]["9999"].update(boards={"servingProxy": {}})),
            "serving.9999.boards",
            "the stack shows none",
        ),
        (with_boards(INGRESS, boards={"fateboard": {}}), "serving.9999.boards.fateboard", "unknown key 'fateboard'"),
        (with_boards({**INGRESS, "consoles": {"servingAdmin": {}}}, SERVING), "boards.consoles.servingAdmin", "no party of this stack"),
        (
            with_boards(INGRESS, boards={"servingProxy": {"host": "9999.serving-admin.bank-a.example"}}),
            "serving.9999.boards.servingAdmin",
            "is already the address of servingProxy of FATE-Serving of party 9999",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told(case: Case, place: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(FederationError) as caught:
        case.load(tmp_path)
    told = [found for found in caught.value.problems if found.place.endswith(f" fate:{place}")]
    assert any(problem in found.problem for found in told), caught.value.problems


def test_an_exchange_shows_nothing_to_browsers(tmp_path: Path) -> None:
    found = SERVING_EXCHANGE.load(tmp_path).plan.unit("serving-exchange")
    assert (dict(found.access), found.console_objects, "boards" in found.chart.values.plain()) == ({}, (), False)
