"""Published ports that nothing keeps to known callers: one sentence for each unit, until the stack says who may connect, or anyone."""

from pathlib import Path
from typing import Any

import pytest

from federation.base.errors import FederationError
from federation.config.units import units
from federation.stack.load import LoadedStack
from tests.support.configs import EVERY_CASE, EXCHANGE, LOCAL, MESH, OSX_STAR, SERVING_EXCHANGE, STAR_PARTY, Case, Config, node_port

_IS_OPEN = ".publish is open to anyone: "


def said(case: Case, folder: Path) -> list[str]:
    """The warnings of what is published."""
    return [warning for warning in case.load(folder).plan.warnings if _IS_OPEN in warning]


def publications(config: Config) -> list[Config]:
    """Everything that a stack publishes."""
    found = [config[key] for key in ("exchange", "servingExchange") if key in config]
    found += [own for key in ("parties", "serving", "sitePortal") for own in config.get(key, {}).values()]
    found += [own["fmlManager"] for own in found if "fmlManager" in own and isinstance(own["fmlManager"], dict)]
    return [publication for own in found for publication in own["publish"].values()]


def with_sources(sources: Any) -> Any:
    """An edit that says the same of everything that is published."""

    def edit(config: Config) -> None:
        found = publications(config)
        assert found
        for publication in found:
            publication["sourceRanges"] = sources

    return edit


def opened(loaded: LoadedStack) -> set[str]:
    """The units with a Service that leads outside of the cluster."""
    return {
        ".".join(unit.path)
        for unit in units(loaded.spec)
        if any(publication.type in ("LoadBalancer", "NodePort") for publication in unit.spec.publish.by_endpoint.values())
    }


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_each_unit_that_is_open_to_anyone_is_named_in_one_sentence(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path / "as-it-is")
    quiet = case.changed(with_sources([]))
    assert sorted(warning.partition(_IS_OPEN)[0] for warning in said(quiet, tmp_path / "quiet")) == sorted(opened(loaded))


@pytest.mark.parametrize("case", EVERY_CASE, ids=str)
def test_who_says_that_anyone_may_connect_is_not_warned_and_no_object_changes(case: Case, tmp_path: Path) -> None:
    silent, on_purpose = case.changed(with_sources([])), case.changed(with_sources("anyone"))
    assert said(on_purpose, tmp_path / "on-purpose") == []
    services = [
        [manifest.document() for unit in each.load(tmp_path / name).plan.units for manifest in unit.services]
        for name, each in (("silent", silent), ("on-purpose", on_purpose))
    ]
    assert services[0]
    assert services[0] == services[1]


def test_the_sentence_names_place_deeds_and_remedy(tmp_path: Path) -> None:
    assert said(STAR_PARTY.changed(with_sources([])), tmp_path / "party") == [
        "parties.9999.publish is open to anyone: a client that reaches its load balancers can open connections to Pulsar (pulsar) "
        "and send FATE-Flow what partners send it (nginx); name the addresses that may connect in its sourceRanges, "
        "or write sourceRanges: anyone if that is intended"
    ]
    (told,) = said(EXCHANGE.changed(with_sources([])), tmp_path / "exchange")
    assert "send FATE-Flow of every member what partners send it (nginx)" in told
    (told,) = said(OSX_STAR.changed(with_sources([])), tmp_path / "osx")
    assert "without a password: read files of its pod, run code there" in told
    (told,) = said(SERVING_EXCHANGE.changed(with_sources([])), tmp_path / "serving")
    assert "ask for predictions of every model of every member (servingProxy)" in told


def test_node_ports_have_other_remedies_than_load_balancers(tmp_path: Path) -> None:
    """kube-proxy applies loadBalancerSourceRanges to the load balancer's address only."""
    mixed = STAR_PARTY.changed(lambda config: config["parties"]["9999"]["publish"].update(pulsar=node_port(port=30651)))
    mixed = mixed.changed(with_sources([]))
    (told,) = said(mixed, tmp_path / "a")
    assert "a client that reaches its load balancers or nodes can" in told
    assert "in its sourceRanges, or let networkPolicy.publishedFrom or a firewall name the addresses that may connect, or write" in told
    mixed = mixed.changed(lambda config: config["parties"]["9999"]["publish"]["nginx"].update(sourceRanges=["203.0.113.0/24"]))
    (told,) = said(mixed, tmp_path / "b")
    assert "a client that reaches its nodes can open connections to Pulsar (pulsar); let networkPolicy.publishedFrom or" in told
    with pytest.raises(FederationError, match=r"limit node ports with networkPolicy\.publishedFrom or a firewall"):
        mixed.changed(with_sources(["203.0.113.0/24"])).load(tmp_path / "c")


def test_policies_that_keep_published_ports_to_known_sources_are_enough_while_they_are_on(tmp_path: Path) -> None:
    narrow = {"publishedFrom": ["203.0.113.0/24"]}
    case = LOCAL.changed(with_sources([]))
    assert len(said(case, tmp_path / "open")) > 1
    assert said(case.changed(lambda config: config.update(networkPolicy=narrow)), tmp_path / "narrow") == []
    off = case.changed(lambda config: config.update(networkPolicy={**narrow, "enabled": False}))
    assert said(off, tmp_path / "off") == said(case, tmp_path / "again")


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        (["anyone", "203.0.113.0/24"], "anyone means no limit: write it without address ranges, or remove it"),
        ("everyone", "'everyone' is neither a list of address ranges nor the word anyone"),
        ("203.0.113.0/24", "'203.0.113.0/24' is neither a list of address ranges nor the word anyone"),
        (["0.0.0.0"], "'0.0.0.0' is not an address range"),
    ],
)
def test_who_may_connect_is_ranges_or_one_word(sources: Any, problem: str, tmp_path: Path) -> None:
    with pytest.raises(FederationError) as refused:
        MESH.changed(with_sources(sources)).load(tmp_path)
    assert {problem in found.problem for found in refused.value.problems} == {True}
