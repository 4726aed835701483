"""The blast radius: which pairs a change affects, how, and who must act; and the status that CI reads."""

import itertools
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from cli.main import main
from cli.reports import changes as impact
from cli.tools.project import find_project
from federation.catalogue.kinds import KINDS, Kind
from federation.changes.effects import SEVERITY, Effect, effects, stack_effects
from federation.links.pairs import affected
from federation.peers.descriptor import Descriptor
from federation.peers.signed import Received, receive
from tests.support.configs import (
    BALANCED,
    CLINIC,
    EXCHANGE,
    MESH,
    MESH_OF_TWO,
    NODE_PORTS,
    OSX_CLINIC,
    OSX_MESH,
    OSX_STAR,
    PORTAL,
    SERVING,
    SERVING_EXCHANGE,
    SERVING_STAR,
    STAR_PARTY,
    Case,
    Config,
    exchange_descriptor,
    node_port,
    party_descriptor,
    serving_descriptor,
)
from tests.support.stacks import project
from tests.support.trust import trusting, with_ca

HOSPITAL = party_descriptor("10001", "hospital-c", host="203.0.113.30", nginx="203.0.113.31")


def found(before: Case, after: Case, folder: Path) -> list[Effect]:
    """The effects of an edit on the one unit of a stack."""
    (old,), (new,) = (case.load(folder / str(number)).plan.units for number, case in enumerate((before, after)))
    # As the state returns it.
    return list(effects(new.key, json.loads(json.dumps(old.recorded)), new.recorded))


def told(before: Case, after: Case, folder: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Kind and pairs of each effect."""
    return [(effect.kind, effect.pairs) for effect in found(before, after, folder)]


def test_nothing_changed_affects_nobody(tmp_path: Path) -> None:
    assert told(NODE_PORTS, NODE_PORTS, tmp_path) == []


def test_a_new_member_is_a_reload_of_its_own_pair(tmp_path: Path) -> None:
    joined = EXCHANGE.with_peer("hospital-c", HOSPITAL)
    (effect,) = found(EXCHANGE, joined, tmp_path / "a")
    assert (effect.kind, effect.what, effect.pairs) == ("reload", "new routes to 10001", ("9999 <-> 10001", "10000 <-> 10001"))
    assert told(MESH, MESH.with_peer("hospital-c", HOSPITAL), tmp_path / "b") == [("reload", ("9999 <-> 10001",))]


def test_a_member_that_moved_is_a_reload_and_a_suspended_one_is_cut(tmp_path: Path) -> None:
    assert told(EXCHANGE, EXCHANGE.with_peer("clinic-b", party_descriptor(port=32010)), tmp_path / "a") == [("reload", ("9999 <-> 10000",))]
    suspended = EXCHANGE.changed(lambda config: config["peers"]["clinic-b"].update(state="suspended"))
    (effect,) = found(EXCHANGE, suspended, tmp_path / "b")
    assert (effect.kind, effect.what, effect.pairs) == ("cut", "routes to 10000 end: suspended", ("9999 <-> 10000",))
    assert effect.acts == "this stack; the other side should suspend or retire exchange too"
    star = STAR_PARTY.with_peer("clinic-b", party_descriptor())
    severed = star.changed(lambda config: config["peers"]["clinic-b"].update(state="suspended"))
    assert told(star, severed, tmp_path / "c") == [("cut", ("9999 <-> 10000",))]


def test_a_restart_affects_every_pair_and_that_of_a_console_none(tmp_path: Path) -> None:
    def edit(module: str) -> Case:
        return NODE_PORTS.changed(
            lambda config: config["parties"]["9999"].update(modules={"fateboard": {}, "client": {}, module: {"image": {"tag": "other"}}})
        )

    (effect,) = found(NODE_PORTS, edit("nginx"), tmp_path / "a")
    assert (effect.kind, effect.what) == ("recreate", "pods of nginx restart, all at once")
    assert effect.pairs == ("9999 <-> everyone through consortium",)
    (effect,) = found(NODE_PORTS, edit("fateboard"), tmp_path / "b")
    assert (effect.kind, effect.pairs) == ("reload", ())


def test_another_published_port_cuts_until_the_peers_act(tmp_path: Path) -> None:
    def edit(config: Config) -> None:
        config["parties"]["9999"]["publish"]["pulsar"] = node_port(port=30777)

    (effect,) = found(NODE_PORTS, NODE_PORTS.changed(edit), tmp_path)
    assert effect.kind == "cut"
    assert "every peer accepts it" in effect.acts


def test_data_that_is_left_behind_is_said(tmp_path: Path) -> None:
    def edit(config: Config) -> None:
        config["parties"]["9999"].update(persistence="none", allowDataLoss=True)

    kinds = [effect.kind for effect in found(NODE_PORTS, NODE_PORTS.changed(edit), tmp_path)]
    assert kinds[0] == "data loss"
    assert "recreate" in kinds


def test_another_release_is_said_beside_the_restarts_that_it_means(tmp_path: Path) -> None:
    def released(release: str) -> Case:
        return NODE_PORTS.changed(lambda config: config["parties"]["9999"].update(release=release))

    upgrade, restart, *_ = found(released("1.11.1"), released("1.11.2"), tmp_path / "a")
    assert upgrade.what.startswith("release 1.11.1 -> 1.11.2: end running jobs and dump the database before")
    assert (upgrade.kind, restart.kind, upgrade.pairs) == ("recreate", "recreate", restart.pairs)
    back = found(released("1.11.2"), released("1.11.1"), tmp_path / "b")
    assert [effect.kind for effect in back][:3] == ["data loss", "recreate", "recreate"]
    assert back[0].what.startswith("release 1.11.2 -> 1.11.1: 1.11.1 cannot read data of 1.11.2")


def test_a_unit_that_is_new_affects_nobody_and_one_that_goes_cuts_its_pairs(tmp_path: Path) -> None:
    facts = EXCHANGE.load(tmp_path).plan.unit("exchange").recorded
    assert list(effects("exchange", None, facts)) == []
    (effect,) = effects("exchange", facts, None)
    assert (effect.kind, effect.pairs) == ("cut", ("9999 <-> 10000",))


def test_of_a_unit_whose_links_are_not_remembered_all_pairs_end_when_it_goes(tmp_path: Path) -> None:
    """A preview of its removal: without a word on pairs it would read as if nobody noticed."""
    facts = MESH.load(tmp_path).plan.unit("party-9999").recorded
    (effect,) = effects("party-9999", {"data": facts["data"]}, None)
    assert (effect.kind, effect.affects) == ("cut", "9999 <-> all its peers")
    (effect,) = effects("party-9999", facts, None)
    assert effect.affects == "9999 <-> 10000"


def test_an_authority_that_is_not_trusted_any_more_cuts_its_pair(tmp_path: Path) -> None:
    """In a star a member's descriptor gives trust alone: without this, its suspension would affect nobody."""
    star = trusting(STAR_PARTY, "9999").with_peer("clinic-b", with_ca(CLINIC))
    suspended = star.changed(lambda config: config["peers"]["clinic-b"].update(state="suspended"))
    (one,) = [effect for effect in found(star, suspended, tmp_path / "a") if "trusted" in effect.what]
    assert (one.kind, one.pairs) == ("cut", ("9999 <-> 10000",))
    (one,) = [effect for effect in found(suspended, star, tmp_path / "b") if "trusted" in effect.what]
    assert (one.kind, one.pairs) == ("reload", ("9999 <-> 10000",))


def test_an_exchange_that_moves_to_another_namespace_cuts_its_members(tmp_path: Path) -> None:
    def publish(config: Config) -> None:
        config["exchange"]["publish"] = {"trafficServer": node_port(port=30443), "nginx": node_port(httpPort=30930)}

    before = EXCHANGE.changed(publish)
    (effect,) = found(before, before.changed(lambda config: config["exchange"].update(namespace="other")), tmp_path)
    assert (effect.kind, effect.pairs) == ("cut", ("9999 <-> 10000",))
    assert effect.what.startswith("moves from namespace fate-exchange to other")


@pytest.mark.parametrize("case", [STAR_PARTY, EXCHANGE, SERVING, SERVING_EXCHANGE], ids=str)
def test_the_deployed_state_of_every_kind_of_unit_is_compared(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = case.load(tmp_path / "old").plan.units
    resources = [
        {"type": f"fate:federation:{KINDS[unit.kind].component}", "urn": f"urn:pulumi:s::p::t::{unit.key}", "inputs": unit.recorded}
        for unit in units
    ]
    state = json.dumps({"deployment": {"resources": [{"type": "pulumi:pulumi:Stack", "urn": "urn:s"}, *resources]}})
    monkeypatch.setattr("cli.tools.state.pulumi", lambda stack, *command: state)
    stack = find_project(project(tmp_path)).stack(case.write(tmp_path / "stacks").stem.removeprefix("Pulumi."))
    assert impact.stack_impact(stack).effects == ()
    other = json.dumps({"deployment": {"resources": [{**one, "inputs": {**one["inputs"], "links": {"77": "1"}}} for one in resources]}})
    monkeypatch.setattr("cli.tools.state.pulumi", lambda stack, *command: other)
    assert {effect.unit for effect in impact.stack_impact(stack).effects} == {unit.key for unit in units}


def test_every_kind_of_unit_has_a_component() -> None:
    assert set(KINDS) == set(get_args(Kind))


def test_facts_that_were_not_remembered_count_as_unchanged(tmp_path: Path) -> None:
    facts = STAR_PARTY.load(tmp_path).plan.unit("party-9999").recorded
    assert list(effects("party-9999", {}, facts)) == []


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        (lambda config: None, 0),
        (lambda config: config["peers"].pop("clinic-b"), 3),
        (lambda config: config["exchange"].update(modules={"trafficServer": {"image": {"tag": "9.2.1"}}}), 3),
    ],
    ids=["nothing", "a peer less", "another image"],
)
def test_the_exit_status_tells_ci_whether_anything_stops(
    edit: object, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = EXCHANGE.write(project(tmp_path / "old") / "stacks")
    EXCHANGE.changed(edit).write(project(tmp_path / "new") / "stacks")  # type: ignore[arg-type]
    command = ["plan", "-s", "consortium", "-C", str(tmp_path / "new"), "--against", str(old)]
    assert main(command) == status
    text = capsys.readouterr().out
    assert text.startswith("### consortium: " + ("nothing stops" if status == 0 else "pods restart, links are cut or the network opens"))
    assert main([*command, "--json"]) == status
    assert len(json.loads(capsys.readouterr().out)["effects"]) == (0 if status == 0 else 1)


def _policy(**settings: object) -> Callable[[Config], object]:
    return lambda config: config.update(networkPolicy=settings)


def _publication(**settings: object) -> Callable[[Config], object]:
    return lambda config: config["parties"]["9999"]["publish"]["pulsar"].update(settings)


OPENED = "network policies are removed: anything that reaches a pod reaches all of its ports, and pods can reach everything"
# Two edits of a mesh, from the first to the second: the kind and the beginning of what is said.
EXPOSURES: dict[str, tuple[Callable[[Config], object], Callable[[Config], object], list[tuple[str, str]]]] = {
    "fewer may connect": (
        _policy(),
        _policy(publishedFrom=["192.0.2.0/24"]),
        [
            ("cut", "anyone but 192.0.2.0/24 and namespace fate-9999 may no longer connect to nginx at 9300"),
            ("cut", "anyone but 192.0.2.0/24 and namespace fate-9999 may no longer connect to pulsar at 6651"),
        ],
    ),
    "more may connect": (
        _policy(publishedFrom=["192.0.2.0/24"]),
        _policy(publishedFrom=["192.0.2.0/23"]),
        [
            ("open", "192.0.2.0/23 but 192.0.2.0/24 may connect to nginx at 9300"),
            ("open", "192.0.2.0/23 but 192.0.2.0/24 may connect to pulsar at 6651"),
        ],
    ),
    "policies are switched off": (_policy(), _policy(enabled=False), [("open", OPENED)]),
    "policies are switched on": (_policy(enabled=False), _policy(), [("cut", "network policies are added: ")]),
    "pods reach more": (
        _policy(),
        _policy(egress={"mirror": {"ranges": ["192.0.2.10/32"], "ports": [443]}}),
        [("open", "192.0.2.10/32 may be reached by every pod at 443")],
    ),
    "name servers elsewhere": (
        _policy(),
        _policy(dns={"namespace": "kube-system"}),
        [("cut", "namespace openshift-dns may no longer be reached by every pod at 53")],
    ),
    "only pods that a policy names": (
        _policy(defaultDeny=False),
        _policy(),
        [("cut", "pods of the namespace that no network policy selects lose all connections, in and out")],
    ),
    "every pod of the namespace": (
        _policy(),
        _policy(defaultDeny=False),
        [("open", "pods of the namespace that no network policy selects can connect to anything, and anything can connect to them")],
    ),
    "one that monitors": (
        _policy(),
        _policy(ingress={"monitoring": {"namespaces": ["monitoring"], "ports": [8081]}}),
        [("open", "namespace monitoring may connect to every pod at 8081")],
    ),
    "fewer at the load balancer": (
        _publication(),
        _publication(sourceRanges=["192.0.2.0/24"]),
        [("cut", "anyone but 192.0.2.0/24 may no longer connect to the load balancer of Service pulsar-public-tls")],
    ),
    "others at the load balancer": (
        _publication(sourceRanges=["192.0.2.0/24"]),
        _publication(sourceRanges=["198.51.100.0/24"]),
        [("cut", "192.0.2.0/24 may no longer connect"), ("open", "198.51.100.0/24 may connect to the load balancer")],
    ),
    "another kind of load balancer": (
        _publication(),
        _publication(annotations={"example/internal": "true"}),
        [("cut", "Service pulsar-public-tls: its address, node port or annotations change")],
    ),
    "a load balancer beside the node ports": (
        _publication(port=30651, advertise={"host": "203.0.113.9"}, type="NodePort"),
        _publication(port=30651, advertise={"host": "203.0.113.9"}, sourceRanges=["192.0.2.0/24"]),
        [
            ("cut", "Service pulsar-public-tls: NodePort -> LoadBalancer: clients outside the cluster can no longer connect the old way"),
            ("open", "Service pulsar-public-tls: NodePort -> LoadBalancer: it can be reached from outside the cluster"),
        ],
    ),
    "the same address by node ports": (
        _publication(port=30651, advertise={"host": "203.0.113.9"}),
        _publication(port=30651, advertise={"host": "203.0.113.9"}, type="NodePort"),
        [("cut", "Service pulsar-public-tls: LoadBalancer -> NodePort")],
    ),
    "a module on node ports": (
        _policy(),
        lambda config: config["parties"]["9999"].update(modules={"mysql": {"service": {"type": "NodePort"}}}),
        [
            ("open", "anyone may connect to mysql at 3306"),
            ("open", "Service of mysql: ClusterIP -> NodePort: it can be reached from outside"),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPOSURES)
def test_who_is_kept_out_and_who_is_let_in_is_said(name: str, tmp_path: Path) -> None:
    first, second, expected = EXPOSURES[name]
    effects_seen = found(MESH.changed(first), MESH.changed(second), tmp_path)
    said = [(effect.kind, effect.what) for effect in effects_seen]
    assert [kind for kind, _ in said] == [kind for kind, _ in expected], said
    assert all(what.startswith(beginning) for (_, what), (_, beginning) in zip(said, expected, strict=True)), said
    assert {effect.pairs for effect in effects_seen} == {("9999 <-> 10000",)}
    assert all(SEVERITY[effect.kind] == 1 for effect in effects_seen)


@pytest.mark.parametrize(("kind", "by"), [("LoadBalancer", ", at its load balancer by anyone"), ("NodePort", "")])
def test_a_module_that_comes_with_a_service_for_others_opens_it_without_policies_too(kind: str, by: str, tmp_path: Path) -> None:
    open_house = MESH.changed(_policy(enabled=False))
    come = open_house.changed(lambda config: config["parties"]["9999"].update(modules={"client": {"service": {"type": kind}}}))
    (effect,) = found(open_house, come, tmp_path / "a")
    assert effect.kind == "open"
    assert effect.what == f"Service of client is new, a {kind}: it can be reached from outside the cluster{by}"
    inside = open_house.changed(lambda config: config["parties"]["9999"].update(modules={"client": {}}))
    assert told(open_house, inside, tmp_path / "b") == []


def test_a_console_that_browsers_reach_from_now_on_is_opened_where_policies_let_the_controller_in_before(tmp_path: Path) -> None:
    def shown(config: Config) -> None:
        config["boards"] = {"kind": "ingress", "domain": "bank-a.example"}

    hidden = MESH.changed(_policy(boards={"namespaces": ["ingress-nginx"]})).changed(
        lambda config: config["parties"]["9999"].update(modules={"fateboard": {}})
    )
    seen = {(effect.kind, effect.what) for effect in found(hidden, hidden.changed(shown), tmp_path / "a")}
    assert ("open", "browsers can now reach more consoles: fateboard") in seen
    assert {effect.kind for effect in found(hidden.changed(shown), hidden, tmp_path / "b")} == {"reload"}


def test_a_range_in_two_halves_is_the_same_range(tmp_path: Path) -> None:
    whole = MESH.changed(_policy(publishedFrom=["192.0.2.0/24", "2001:db8::/32"]))
    halves = MESH.changed(_policy(publishedFrom=["192.0.2.0/25", "192.0.2.128/25", "2001:db8::/33", "2001:db8:8000::/33"]))
    assert (told(whole, halves, tmp_path / "a"), told(halves, whole, tmp_path / "b")) == ([], [])
    lacking = MESH.changed(_policy(publishedFrom=["192.0.2.0/25", "2001:db8::/32"]))
    assert {kind for kind, _ in told(whole, lacking, tmp_path / "c")} == {"cut"}


def test_what_only_follows_a_peer_is_no_opening(tmp_path: Path) -> None:
    """A new peer may be dialled from now on: that is its link, and `reload` says it."""
    assert {effect.kind for effect in found(MESH, MESH.with_peer("hospital-c", HOSPITAL), tmp_path)} == {"reload"}


@pytest.mark.parametrize(("case", "name"), [(OSX_MESH, "osx"), (SERVING_EXCHANGE, "servingProxy"), (PORTAL, "fmlManager")], ids=str)
def test_a_peer_that_goes_by_a_name_opens_its_port_to_everyone(case: Case, name: str, tmp_path: Path) -> None:
    """A policy holds no names: without a word, whoever owns the peer could let our pods dial any machine at a port of his choice."""
    peer, entry = next((peer, entry) for peer, entry in case.config["peers"].items() if name in _endpoints(case, entry))
    body = json.loads(json.dumps(_body(case, entry)))
    (purpose,) = body["endpoints"][name]["ports"]
    body["endpoints"][name].update(host="peer.example", addresses=[], ports={purpose: 2222})
    named = case.with_peer(peer, Descriptor.model_validate(body))
    old, new = ({unit.key: unit.recorded for unit in read.load(tmp_path / str(n)).plan.units} for n, read in enumerate((case, named)))
    (opens,) = [effect for effect in stack_effects(old, new) if effect.kind == "open"]
    assert opens.what.startswith("anyone may be reached by ")
    assert opens.what.endswith(" at 2222")
    back = [effect.what for effect in stack_effects(new, old) if effect.kind == "cut"]
    assert back == [opens.what.replace(" may ", " may no longer ")]


def _body(case: Case, entry: Mapping[str, Any]) -> dict[str, Any]:
    received = receive(case.files[entry["descriptor"]], "")
    assert isinstance(received, Received)
    return received.descriptor.plain()


def _endpoints(case: Case, entry: Mapping[str, Any]) -> Collection[str]:
    return _body(case, entry)["endpoints"] if "descriptor" in entry else ()


def test_the_three_steps_of_a_rotation_are_told_with_the_real_pairs_and_who_acts(tmp_path: Path) -> None:
    both = ("1", "2")
    steps = [
        trusting(MESH, "9999"),
        trusting(MESH, "9999", authorities=both),
        trusting(MESH, "9999", authorities=both, signing="2"),
        trusting(MESH, "9999", authorities=("2",), signing="2"),
    ]
    pair, told_on = ("9999 <-> 10000",), "this stack exports the descriptor again; every peer accepts it and runs `pulumi up`"
    changes = [found(*step, tmp_path / str(number)) for number, step in enumerate(itertools.pairwise(steps))]
    for published in (changes[0], changes[2]):
        assert [(effect.kind, effect.what, effect.pairs, effect.acts) for effect in published] == [
            ("reload", "the CAs in its descriptor change", pair, told_on)
        ]
    assert [(effect.kind, effect.what, effect.pairs) for effect in changes[1]] == [
        ("reload", "its next CA signs its certificate, which Pulsar reads within 5 minutes; no pod restarts", pair),
        ("cut", "peers that have not accepted its next CA refuse its certificate", pair),
    ]
    assert changes[1][1].acts == "this stack; before: every peer has accepted it"


def test_another_way_to_a_certificate_cuts_until_peers_accept_its_ca(tmp_path: Path) -> None:
    own, not_yet = trusting(MESH, "9999"), MESH.changed(lambda config: config["parties"]["9999"].update(tls="partyCa"))
    for number, (before, after) in enumerate(((MESH, own), (own, MESH), (MESH, not_yet))):
        restart, effect = sorted(found(before, after, tmp_path / str(number)), key=lambda effect: effect.kind == "cut")
        assert "pulsar" in restart.what, "it shows its certificate from now on, or no longer"
        assert "fateflow" not in restart.what
        assert (effect.kind, effect.pairs) == ("cut", ("9999 <-> 10000",))
        assert effect.what == "another CA signs its certificate: peers refuse it until they accept that CA"
        assert "every peer accepts it" in effect.acts


def test_a_party_that_goes_through_another_exchange_is_a_reload_and_asks_nobody_to_sever_it(tmp_path: Path) -> None:
    both = STAR_PARTY.with_peer("newhub", exchange_descriptor("hospital-c", host="198.51.100.44", nginx="198.51.100.45"))
    moved = both.changed(lambda config: config["parties"]["9999"].update(exchange="newhub"))
    (effect,) = found(both, moved, tmp_path / "a")
    assert (effect.kind, effect.what, effect.pairs, effect.acts) == (
        "reload",
        "goes through newhub instead of consortium",
        ("9999 <-> everyone through newhub",),
        "this stack",
    )
    # Partners by name go the same way, and are the same effect.
    together = {"fraud": ["9999", "10000"]}
    named, there = (case.changed(lambda config: config.update(collaborations=together)) for case in (both, moved))
    (effect,) = found(named, there, tmp_path / "b")
    assert (effect.kind, effect.pairs) == ("reload", ("9999 <-> 10000",))


def test_only_for_a_severed_peer_the_other_side_is_asked_to_sever_too(tmp_path: Path) -> None:
    asked = "this stack; the other side should suspend or retire party-9999 too"
    edits: dict[str, tuple[Callable[[Config], object], str, str]] = {
        "suspended": (lambda config: config["peers"]["clinic-b"].update(state="suspended"), "routes end: suspended", asked),
        "retired": (lambda config: config["peers"]["clinic-b"].update(state="retired"), "routes end: retired", asked),
        "waiting": (lambda config: config["peers"]["clinic-b"].update(state="pending"), "routes end: pending", "this stack"),
        "apart": (
            lambda config: config.update(collaborations={"fraud": ["9999", "10001"]}),
            "routes end: no common collaboration",
            "this stack",
        ),
        "gone": (lambda config: config["peers"].pop("clinic-b"), "routes end", "this stack"),
    }
    for name, (edit, what, acts) in edits.items():
        (effect,) = found(MESH, MESH.changed(edit), tmp_path / name)
        assert (effect.kind, effect.what, effect.acts) == ("cut", what, acts), name
    (effect,) = found(MESH.changed(edits["suspended"][0]), MESH, tmp_path / "back")
    assert (effect.kind, effect.what) == ("reload", "routes come back")
    severed = STAR_PARTY.changed(lambda config: config["peers"]["consortium"].update(state="suspended"))
    (effect,) = found(STAR_PARTY, severed, tmp_path / "hub")
    assert (effect.kind, effect.pairs, effect.acts) == ("cut", ("9999 <-> everyone through consortium",), asked)


@pytest.mark.parametrize("state", ["suspended", "retired", "pending"])
@pytest.mark.parametrize(
    ("star", "peer", "descriptor"),
    [
        (STAR_PARTY, "clinic-b", CLINIC),
        (OSX_STAR, "clinic-b", OSX_CLINIC),
        (SERVING_STAR, "hospital-c-serving", serving_descriptor("10001", "hospital-c")),
    ],
    ids=["Pulsar", "OSX", "FATE-Serving"],
)
def test_a_severed_peer_whose_entry_goes_is_reached_again_through_the_exchange(
    star: Case, peer: str, descriptor: Descriptor, state: str, tmp_path: Path
) -> None:
    """Its entry kept the default from leading to it."""
    old, new = (_stack_of(case, tmp_path / str(n)) for n, case in enumerate((star.with_peer(peer, descriptor, state=state), star)))
    (effect,) = stack_effects(old, new)
    unit = "serving-9999" if descriptor.kind == "serving" else "party-9999"
    (hub,) = {link.removeprefix("everyone through ") for link in new[unit]["links"] if link.startswith("everyone")}  # type: ignore[attr-defined]
    said = f"routes to {descriptor.party_id} lead through {hub} again, as to everyone: so far {state}, and now unknown"
    assert (effect.unit, effect.kind) == (unit, "open")
    assert effect.what == said + (", and any key may claim the party id" if state == "retired" else "")
    assert effect.affects.endswith(f"9999 <-> {descriptor.party_id}")


def test_an_active_member_whose_entry_goes_is_not_cut_off_where_the_exchange_leads_to_it(tmp_path: Path) -> None:
    (effect,) = found(STAR_PARTY.with_peer("clinic-b", CLINIC), STAR_PARTY, tmp_path / "star")
    said = "routes to 10000 lead through consortium, as to everyone: no longer known"
    assert (effect.kind, effect.what, effect.pairs) == ("reload", said, ("9999 <-> 10000",))
    two = MESH.with_peer("hospital-c", HOSPITAL)
    assert told(two, MESH, tmp_path / "mesh") == [("cut", ("9999 <-> 10001",))]


def test_a_retired_member_that_is_forgotten_sets_its_id_free_and_is_said_to(tmp_path: Path) -> None:
    gone = EXCHANGE.with_peer("hospital-c", HOSPITAL, state="retired")
    (effect,) = found(gone, EXCHANGE, tmp_path)
    said = "10001, so far retired, is no longer known, and any key may claim the party id"
    assert (effect.kind, effect.what, effect.pairs) == ("reload", said, ())


def test_an_exchange_affects_the_pairs_of_its_members_that_may_talk(tmp_path: Path) -> None:
    three = EXCHANGE.with_peer("hospital-c", HOSPITAL)

    def image(config: Config) -> None:
        config["exchange"]["modules"]["nginx"] = {"image": {"tag": "other"}}

    (effect,) = found(three, three.changed(image), tmp_path / "a")
    assert effect.pairs == ("9999 <-> 10000", "9999 <-> 10001", "10000 <-> 10001")
    some = three.changed(lambda config: config.update(collaborations={"a": ["9999", "10000"], "b": ["9999", "10001"]}))
    (effect,) = found(some, some.changed(image), tmp_path / "b")
    assert effect.pairs == ("9999 <-> 10000", "9999 <-> 10001")
    alone = EXCHANGE.changed(lambda config: config["peers"].pop("clinic-b"))
    (effect,) = found(alone, alone.changed(image), tmp_path / "c")
    assert effect.pairs == ("exchange <-> 9999",)


def test_of_a_thousand_members_the_first_pairs_are_named_and_the_others_counted() -> None:
    members = set(map(str, range(1, 1001)))
    everyone = affected("exchange", members, members, ())
    assert (everyone.shown[:2], len(everyone.shown), everyone.more) == (("1 <-> 2", "1 <-> 3"), 10, 1000 * 999 // 2 - 10)
    one = affected("exchange", {"500"}, members, ())
    assert (one.shown[:2], one.more) == (("1 <-> 500", "2 <-> 500"), 999 - 10)
    halves = (tuple(map(str, range(1, 501))), tuple(map(str, range(500, 1001))))
    assert affected("exchange", members, members, halves).more == 500 * 499 // 2 + 501 * 500 // 2 - 10
    assert affected("party-1", members - {"1"}, members, None).more == 999 - 10
    facts = {"modules": {"osx": "1"}, "links": dict.fromkeys(members, "1"), "groups": []}
    effect = Effect("exchange", "cut", "is removed", everyone.shown, "this stack", everyone.more)
    assert next(effects("exchange", facts, None)) == replace(effect, acts="this stack; every peer retires it")
    assert "1 <-> 11, and 499,490 more pairs; to act" in str(effect)


def test_pods_that_start_again_one_after_another_are_a_rolling_restart(tmp_path: Path) -> None:
    def image(config: Config) -> None:
        config["parties"]["9999"]["modules"]["lbrollsite"]["image"] = {"tag": "other"}

    (effect,) = found(BALANCED, BALANCED.changed(image), tmp_path)
    assert (effect.kind, effect.what) == ("rolling restart", "pods of lbrollsite restart one after another")


def test_fewer_pods_end_what_runs_in_them(tmp_path: Path) -> None:
    def pods(number: int) -> Case:
        return MESH.changed(lambda config: config["parties"]["9999"].update(chartValues={"modules": {"nginx": {"replicas": number}}}))

    (effect,) = found(pods(2), pods(1), tmp_path / "a")
    assert (effect.kind, effect.what) == ("recreate", "pods of nginx: 2 -> 1: the work on the others is lost")
    (effect,) = found(pods(1), pods(2), tmp_path / "b")
    assert (effect.kind, effect.what) == ("reload", "pods of nginx: 1 -> 2")


def _stack_of(case: Case, folder: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(json.dumps({unit.key: unit.recorded for unit in case.load(folder).plan.units}))
    return found


TWO_KEPT = MESH_OF_TWO.changed(lambda config: [party.update(persistence={}) for party in config["parties"].values()])


def test_a_party_with_claims_that_is_removed_leaves_its_data_behind(tmp_path: Path) -> None:
    left = TWO_KEPT.changed(lambda config: config["parties"].pop("9998"))
    effect, *others = stack_effects(_stack_of(TWO_KEPT, tmp_path / "old"), _stack_of(left, tmp_path / "new"))
    kept = "is removed: the claims of datanode, fateflow, mysql, namenode, pulsar stay in namespace fate-9998, unused"
    assert (effect.unit, effect.kind, effect.what) == ("party-9998", "data loss", kept)
    assert effect.pairs == ("9998 <-> 9999", "9998 <-> 10000")
    assert {other.kind for other in others} == {"cut"}


def test_a_unit_in_the_namespace_of_another_one_is_named_before_all_else(tmp_path: Path) -> None:
    before = _stack_of(TWO_KEPT, tmp_path / "old")

    def renamed(config: Config) -> None:
        config["parties"]["9997"] = config["parties"].pop("9998")

    first, *_ = stack_effects(before, _stack_of(TWO_KEPT.changed(renamed), tmp_path / "renamed"))
    assert (first.unit, first.kind) == ("party-9997", "data loss")
    assert first.what.startswith("refused: namespace fate-9998 is party-9998's, with its objects and data: give party-9997 a namespace")

    def swapped(config: Config) -> None:
        for party, other in (("9998", "9999"), ("9999", "9998")):
            config["parties"][party]["namespace"] = f"fate-{other}"

    found_ = stack_effects(before, _stack_of(TWO_KEPT.changed(swapped), tmp_path / "swapped"))
    assert [effect.unit for effect in found_ if effect.what.startswith("refused")] == ["party-9998", "party-9999"]
    moved = TWO_KEPT.changed(lambda config: config["parties"]["9998"].update(namespace="elsewhere"))
    assert not [effect for effect in stack_effects(before, _stack_of(moved, tmp_path / "moved")) if effect.what.startswith("refused")]
