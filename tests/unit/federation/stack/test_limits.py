"""Many parties: what cannot be held is refused with the number that can, and one change touches little."""

import dataclasses
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation.base.errors import FederationError
from federation.peers.accepted import Peer, Peers
from federation.peers.descriptor import Descriptor, Trust
from federation.pki.authority import authority_certificate
from federation.stack.limits import CONFIG_MAP_BYTES, NGINX_ROUTES, oversized
from federation.stack.load import LoadedStack
from federation.stack.plan import StackPlan, plan_stack
from tests.support.configs import EXCHANGE, OSX_EXCHANGE, ROLLSITE_EXCHANGE, STAR_PARTY, Case, party_descriptor


def member(number: int, engine: str, port: int | None = None) -> Descriptor:
    """The descriptor of one of many."""
    host, nginx = (f"203.{block}.{number // 250}.{number % 250 + 1}" for block in (0, 1))
    return party_descriptor(str(20000 + number), f"member-{number}", host=host, nginx=nginx, engine=engine, port=port)


def crowd(loaded: LoadedStack, count: int, engine: str, *, long_names: bool = False) -> Peers:
    """As many accepted peers; with host names as long as they may be."""
    peers = []
    for number in range(count):
        descriptor = member(number, engine)
        if long_names:
            # The longest name there may be; with addresses, routes would have these.
            host = ".".join(["x" * 60] * 4) + f".n{number}"
            endpoint = descriptor.endpoints["rollsite"].model_copy(update={"host": host, "addresses": ()})
            descriptor = descriptor.model_copy(update={"endpoints": {"rollsite": endpoint}})
        peers.append(Peer(f"member-{number}", descriptor, "active"))
    return dataclasses.replace(loaded.peers, accepted=tuple(peers))


def place(path: object) -> str:
    """Where a problem is."""
    return f"fate:{'.'.join(path)}"  # type: ignore[arg-type]


def planned(case: Case, count: int, folder: Path, **how: bool) -> StackPlan:
    """The plan of an exchange with as many members."""
    loaded = case.load(folder)
    return plan_stack(loaded.spec, crowd(loaded, count, case.engine, **how))


def test_nginx_holds_five_hundred_routes_and_no_more(tmp_path: Path) -> None:
    assert list(oversized(planned(EXCHANGE, NGINX_ROUTES, tmp_path / "a"), place)) == []
    (problem,) = oversized(planned(EXCHANGE, NGINX_ROUTES + 1, tmp_path / "b"), place)
    assert problem.place == "fate:peers"
    assert problem.problem == "nginx of exchange would have 501 routes: FATE's router remembers 500 and loses others at random"
    assert "to at most 500 parties" in problem.remedy


@pytest.mark.parametrize("case", [ROLLSITE_EXCHANGE, OSX_EXCHANGE], ids=str)
def test_a_thousand_members_fit_where_there_is_no_nginx(case: Case, tmp_path: Path) -> None:
    plan = planned(case, 1000, tmp_path)
    assert list(oversized(plan, place)) == []
    (routes,) = plan.units[0].routes
    assert routes.fields["data"]["route_table.json"].count('"port"') >= 1000


def test_a_config_map_beyond_four_fifths_of_the_limit_is_refused_with_the_number_that_fits(tmp_path: Path) -> None:
    (problem,) = oversized(planned(ROLLSITE_EXCHANGE, 3000, tmp_path / "a", long_names=True), place)
    told = re.fullmatch(
        r"ConfigMap fate-exchange/exchange-routes would hold (\d+) bytes with routes to (\d+) parties: Kubernetes takes 1048576, "
        r"this program at most 838860, which is about (\d+) parties",
        problem.problem,
    )
    assert told is not None, problem.problem
    size, parties, fits = map(int, told.groups())
    assert size > CONFIG_MAP_BYTES * 4 // 5
    assert parties == 3001, "with the entry that leads nowhere"
    assert 0 < fits < 3000
    assert list(oversized(planned(ROLLSITE_EXCHANGE, fits - 10, tmp_path / "b", long_names=True), place)) == []
    assert list(oversized(planned(ROLLSITE_EXCHANGE, fits + 50, tmp_path / "c", long_names=True), place)) != []


def test_a_bundle_of_cas_beyond_four_fifths_of_the_limit_is_refused_with_the_number_that_fits(tmp_path: Path) -> None:
    """Kubernetes would refuse the Secret in the middle of an `up`."""
    loaded = STAR_PARTY.load(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    authority = authority_certificate(key, party="20000", domain="fraud.example", today=date(2026, 1, 1), years=5).ljust(2000, "\n")

    def trusting(count: int, authorities: int) -> StackPlan:
        peers = crowd(loaded, count, "Pulsar")
        trust = Trust.model_construct(authorities=(authority,) * authorities)
        accepted = [replace(peer, descriptor=peer.descriptor.model_copy(update={"trust": trust})) for peer in peers.accepted]
        return plan_stack(loaded.spec, replace(peers, accepted=(*accepted, *loaded.peers.accepted)))

    assert list(oversized(trusting(200, 1), place)) == []
    (problem,) = oversized(trusting(200, 2), place)
    assert (problem.place, problem.problem) == (
        "fate:peers",
        "Secret fate-9999/pulsar-cert would hold 1600000 bytes of CAs of 200 parties: Kubernetes takes 1048576, "
        "this program at most 838860, which is about 104 parties",
    )
    assert list(oversized(trusting(104, 2), place)) == []
    assert list(oversized(trusting(105, 2), place)) != []


def test_too_many_routes_are_refused_when_the_stack_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("federation.stack.limits.NGINX_ROUTES", 1)
    with pytest.raises(FederationError) as caught:
        EXCHANGE.load(tmp_path)
    (problem,) = caught.value.problems
    assert problem.place.endswith(" fate:peers")
    assert "would have 2 routes" in problem.problem


@pytest.mark.parametrize("case", [EXCHANGE, ROLLSITE_EXCHANGE, OSX_EXCHANGE], ids=str)
def test_one_changed_peer_of_many_changes_one_object_for_each_route_file_and_the_policies_that_know_it(case: Case, tmp_path: Path) -> None:
    loaded = case.load(tmp_path)
    peers = crowd(loaded, 300, case.engine)
    moved = Peer("member-7", member(999, case.engine, port=16651).model_copy(update={"party_id": "20007"}), "active")
    changed = dataclasses.replace(peers, accepted=tuple(moved if peer.name == "member-7" else peer for peer in peers.accepted))
    (before,), (after,) = plan_stack(loaded.spec, peers).units, plan_stack(loaded.spec, changed).units
    assert [a.name for a, b in zip(before.routes, after.routes, strict=True) if a != b] == ["exchange-routes"]
    policies = {a.name for a, b in zip(before.policies, after.policies, strict=True) if a != b}
    # Doctor's pod may dial whom the modules dial.
    assert policies - {"fate-doctor"} in ({"fate-peers-nginx", "fate-peers-traffic-server"}, {"fate-peers-rollsite"}, {"fate-peers-osx"})
    assert "fate-doctor" in policies
    assert dataclasses.replace(after, routes=before.routes, policies=before.policies, links=before.links) == before
