"""A star of five organizations, a cluster each, by real `pulumi up`: at each step previews list exactly what changes, and nobody else's.

Each test begins and ends with a federation that is linked, with nothing to do.
"""

import itertools
import json
import re
from typing import Any

import pytest
import yaml

from sandbox.workspace import Workspace
from tests.engine.operators import config_map, hand_over, in_a_week, republish
from tests.federations.organizations import (
    HUB,
    STAR,
    Organizations,
    configure,
    exchange,
    external,
    golden,
    listed,
    serial,
    service,
    star_rerouted,
)

pytestmark = pytest.mark.engine

HEIR, ITS_EXCHANGE = "insurer-d", "insurer-d-exchange"
MEMBERS = [name for name in STAR if name != HEIR]
# What a stack has once, whatever it deploys.
ONCE = ("pulumi:pulumi:Stack::", "pulumi:providers:", "fate:federation:Units::")
# What remembers which units a stack has.
UNITS = "update fate:federation:Units::units"
# The pod of doctor may ask whom any unit of its stack dials, so another unit's peers change it, too.
_DOCTOR = "$kubernetes:networking.k8s.io/v1:NetworkPolicy::"
HEIRS_DOCTOR = f"update fate:federation:FateParty{_DOCTOR}party-10002-policy-doctor"
EXCHANGES_DOCTOR = f"update fate:federation:Exchange{_DOCTOR}exchange-policy-doctor"


def added(*more: str) -> list[str]:
    """An exchange that comes to a stack which deploys something already."""
    return sorted([line for line in golden("star-exchange", stack="") if not line.split(" ")[1].startswith(ONCE)] + list(more))


def published(space: Workspace, unit: str) -> dict[str, Any]:
    """Where a unit's OSX is reached, as an entry of a route table."""
    (endpoint,) = space.json("pulumi", "stack", "output", "-s", space.organization)["endpoints"][unit].values()
    return {"default": [{"ip": endpoint["host"], "port": endpoint["ports"]["grpc"]}]}


def table(space: Workspace, namespace: str, name: str) -> dict[str, Any]:
    """The entries of a route table in the cluster."""
    found: dict[str, Any] = json.loads(config_map(space, namespace, name)["route_table.json"])["route_table"]
    return found


def generations(space: Workspace, namespace: str) -> dict[str, int]:
    """Each workload's generation: it counts the changes after which pods start again."""
    found = space.kubectl("get", "deployments,statefulsets", "-n", namespace)["items"]
    return {item["metadata"]["name"]: item["metadata"]["generation"] for item in found}


def test_each_first_preview_lists_exactly_the_objects_of_its_golden_list(star: Organizations) -> None:
    assert star.joins["fraud", HUB].first == golden("star-exchange", stack=HUB)
    for name, party in STAR.items():
        expected = [*golden("star-party", stack=name, party=party), *external("create", "Exchange", HUB)]
        assert star.joins["fraud", name].first == sorted(expected), name


def test_each_join_changes_the_exchange_alone_its_route_file_and_one_policy(star: Organizations) -> None:
    for name in STAR:
        join = star.joins["fraud", name]
        assert join.accepting == {HUB: sorted([*external("create", "Party", name), *star_rerouted()])}, name
        assert join.after == {}, f"{name} deployed, the exchange accepted it, and a stack is not done"


def test_the_exchange_leads_to_each_of_four_parties_and_each_party_to_the_exchange_alone(star: Organizations) -> None:
    hub = star.star[star.hub]
    routes = table(hub, "fate-exchange", "exchange-routes")
    assert routes == {party: published(star.star[name], f"party-{party}") for name, party in STAR.items()}
    assert len({json.dumps(route) for route in routes.values()}) == 4, "clusters of their own give addresses of their own"
    for name, party in STAR.items():
        own = table(star.star[name], f"fate-{party}", "osx-route-table")
        assert own.keys() == {party, "default"}, name


def test_no_pod_of_the_exchange_started_again_while_four_parties_joined(star: Organizations) -> None:
    assert generations(star.star[star.hub], "fate-exchange") == {"osx": 1}


def test_a_new_address_is_accepted_by_its_serial_and_changes_one_route(star: Organizations) -> None:
    space, hub = star.star["bank-a"], star.star[star.hub]
    before, accepted = table(hub, "fate-exchange", "exchange-routes"), serial(hub, "bank-a")
    configure(space, "parties.9999.publish.osx.port", "19370")
    assert listed(space) == ["update fate:federation:FateParty::party-9999", service("party-9999-osx-public")]
    republish(space)
    assert listed(hub) == [], "nobody follows an address that was not accepted"
    hand_over(space, hub)
    assert serial(hub, "bank-a") > accepted
    assert listed(hub) == star_rerouted()
    hub.up()
    assert star.others() == {}
    after = table(hub, "fate-exchange", "exchange-routes")
    assert after["9999"]["default"][0]["port"] == 19370
    assert {party for party in after if after[party] != before[party]} == {"9999"}


def test_a_suspended_member_loses_its_route_at_the_exchange_and_returns_to_the_same(star: Organizations) -> None:
    hub = star.star[star.hub]
    before = config_map(hub, "fate-exchange", "exchange-routes")
    hub.fatefed("peers", "suspend", "clinic-b")
    assert listed(hub) == star_rerouted()
    hub.up()
    assert table(hub, "fate-exchange", "exchange-routes").keys() == {"9999", "10001", "10002"}
    assert star.others() == {}, "one side alone can sever"
    hub.fatefed("peers", "resume", "clinic-b")
    assert listed(hub) == star_rerouted()
    hub.up()
    assert config_map(hub, "fate-exchange", "exchange-routes") == before
    assert listed(hub) == []


def test_an_exchange_moves_to_another_organization_member_by_member(star: Organizations) -> None:
    old, heir = star.star[star.hub], star.star[HEIR]
    deployed_by(heir, exchange())
    for name in MEMBERS:
        hand_over(star.star[name], heir)
    # Its party knows whom the stack accepted, so that it could sever one; its route file stays: all go through the old exchange.
    assert listed(heir) == added(
        *external("create", "Party", *MEMBERS), "update fate:federation:FateParty::party-10002", HEIRS_DOCTOR, UNITS
    )
    heir.up()

    for name in MEMBERS:
        space, party = star.star[name], STAR[name]
        hand_over(heir, space, unit="exchange", name=ITS_EXCHANGE)
        assert listed(space) == external("create", "Exchange", ITS_EXCHANGE)
        configure(space, f"parties.{party}.exchange", ITS_EXCHANGE)
        assert listed(space) == sorted([*external("create", "Exchange", ITS_EXCHANGE), *star_rerouted(party)])
        through = f"goes through {ITS_EXCHANGE} instead of {HUB}; affects {party} <-> everyone through {ITS_EXCHANGE}"
        assert sentences(space, party) == [f"party-{party}: reload: {through}; to act: this stack"], "nobody is asked to sever it"
        space.up()
        assert table(space, f"fate-{party}", "osx-route-table")["default"] == published(heir, "exchange")
        if name == MEMBERS[0]:
            assert star.others() == {}, "both exchanges serve while members move, each when it likes"
    configure(heir, "parties.10002.exchange", "local")
    assert listed(heir) == sorted([*star_rerouted("10002"), EXCHANGES_DOCTOR])
    heir.up()
    assert table(heir, "fate-exchange", "exchange-routes").keys() == set(STAR.values())

    # The old one does not know who still uses it: its protection ends on a day that its operator names.
    refused = old.attempt("pulumi", "destroy", "--yes", "--non-interactive", "--color", "never", "-s", old.organization)
    assert (refused.returncode != 0, b"exchange-has-active-members" in refused.stdout) == (True, True)
    assert generations(old, "fate-exchange") == {"osx": 1}
    configure(old, "exchange.allowDestroyUntil", in_a_week())
    assert listed(old) == []
    old.up()
    old.run("pulumi", "destroy", "--yes", "--non-interactive", "-s", old.organization)
    assert generations(old, "fate-exchange") == {}
    star.left[old.organization] = star.star.pop(old.organization)
    star.hub = HEIR
    for name in STAR:
        space = star.star[name]
        configure(space, f"peers.{old.organization}", None)
        assert listed(space) == external("delete", "Exchange", old.organization)
        space.up()
    assert star.others() == {}


def test_an_exchange_beside_a_party_moves_away_and_the_party_stays(star: Organizations) -> None:
    """The way back: the organization that was destroyed deploys again, and its heir drops `fate:exchange` from a stack that goes on."""
    if star.hub != HEIR:
        test_an_exchange_moves_to_another_organization_member_by_member(star)
    heir, new = star.star[HEIR], star.left[HUB]
    configure(new, "exchange.allowDestroyUntil", None)
    hand_over(heir, new, unit="party-10002", name=HEIR)
    assert listed(new) == sorted([*golden("star-exchange", stack=HUB), *external("create", "Party", *STAR)])
    new.up()
    star.star[HUB] = new
    for name, party in STAR.items():
        space = star.star[name]
        hand_over(new, space)
        configure(space, f"parties.{party}.exchange", HUB)
        doctors = [EXCHANGES_DOCTOR] if name == HEIR else []
        assert listed(space) == sorted([*external("create", "Exchange", HUB), *star_rerouted(party), *doctors])
        space.up()
        assert table(space, f"fate-{party}", "osx-route-table")["default"] == published(new, "exchange")
    star.hub = HUB

    whole = heir.stack_file.read_text()
    deployed_by(heir, None, *MEMBERS)
    without = heir.stack_file.read_text()
    refused = heir.attempt("pulumi", "preview", "--non-interactive", "--color", "never", "-s", HEIR)
    assert (refused.returncode != 0, b"is protected" in refused.stdout) == (True, True)
    told = heir.attempt("fatefed", "plan", "-s", HEIR)
    assert told.returncode == 3
    pairs = ", ".join(f"{one} <-> {other}" for one, other in itertools.combinations(STAR.values(), 2))
    assert f"| exchange | cut | is removed | {pairs} |" in told.stdout.decode()
    heir.stack_file.write_text(whole)
    configure(heir, "exchange.allowDestroyUntil", in_a_week())
    heir.up()
    heir.stack_file.write_text(without)
    gone = [line.replace("create ", "delete ", 1) for line in added(*external("create", "Party", *MEMBERS))]
    assert listed(heir) == sorted([*gone, "update fate:federation:FateParty::party-10002", HEIRS_DOCTOR, UNITS])
    heir.up()
    assert generations(heir, "fate-exchange") == {}
    assert generations(heir, "fate-10002") == {"mysql": 1, "osx": 1, "python": 1}, "the party did not start again"
    for name in MEMBERS:
        space = star.star[name]
        configure(space, f"peers.{ITS_EXCHANGE}", None)
        assert listed(space) == external("delete", "Exchange", ITS_EXCHANGE)
        space.up()
    assert star.others() == {}


def sentences(space: Workspace, party: str) -> list[str]:
    """The effects on a party among a preview's diagnostics."""
    preview = space.run("pulumi", "preview", "--color", "never", "-s", space.organization)
    diagnostics = preview.partition("Diagnostics:")[2].partition("Outputs:")[0]
    return re.findall(rf"^    (?:warning: )?(party-{party}: .*)$", diagnostics, re.M)


def deployed_by(space: Workspace, section: dict[str, Any] | None, *without: str) -> None:
    """Write the section `fate:exchange` into a stack file; None: take it out, and these peers."""
    document = yaml.safe_load(space.stack_file.read_text())
    config = document["config"]
    config["fate:exchange"] = section
    if section is None:
        del config["fate:exchange"]
    config["fate:peers"] = {name: peer for name, peer in config["fate:peers"].items() if name not in without}
    space.stack_file.write_text(yaml.safe_dump(document))
