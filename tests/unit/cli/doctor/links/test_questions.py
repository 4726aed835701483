"""Whom doctor asks about a peer: those whom units of this stack dial for it, at every address that routes name."""

from pathlib import Path

from cli.doctor.links.job import asking_unit
from cli.doctor.links.questions import hops, questions
from federation.peers.descriptor import Descriptor
from tests.support.configs import CLINIC, EVERY_CASE, EXCHANGE, LOCAL, MESH, PORTAL, Case, portal_descriptor


def test_whoever_is_asked_about_a_peer_is_dialled_by_a_unit_of_this_stack(tmp_path: Path) -> None:
    asked = 0
    for number, case in enumerate(EVERY_CASE):
        loaded = case.load(tmp_path / str(number))
        dialled = {whom.removeprefix("everyone through ") for unit in loaded.plan.units for whom in unit.links}
        for peer in (peer for peer in loaded.peers.accepted if peer.routed and peer.name not in loaded.plan.pending):
            for hop in (hop.peer for hop in hops(loaded.spec, loaded.peers, peer)):
                assert not hop.routed or {hop.name, hop.party_id} & dialled, (str(case), peer.name, hop.name)
                asked += hop.routed
    assert asked > 50


def test_a_site_portal_of_others_is_not_asked_through_the_fml_manager_that_ours_names(tmp_path: Path) -> None:
    theirs = portal_descriptor()
    loaded = PORTAL.with_peer("clinic-b-site-portal", theirs).load(tmp_path)
    assert theirs.kind == "sitePortal"
    assert any(unit.kind == "sitePortal" and unit.links for unit in loaded.plan.units), "ours names an FML Manager"
    found = {peer.name: [hop.peer.name for hop in hops(loaded.spec, loaded.peers, peer)] for peer in loaded.peers.accepted}
    assert found.pop("clinic-b-site-portal") == []
    assert found == {name: [name] for name in found}
    assert "consortium-fml-manager" in found


def test_nginx_is_asked_at_each_of_its_ipv4_addresses_and_a_broker_at_one(tmp_path: Path) -> None:
    body = CLINIC.plain()
    addresses = ["203.0.113.21", "203.0.113.22", "2001:db8::21"]
    body["endpoints"] = {name: endpoint | {"host": addresses[0], "addresses": addresses} for name, endpoint in body["endpoints"].items()}
    loaded = Case("several addresses", {**MESH.config, "peers": {}}).with_peer("clinic-b", Descriptor.model_validate(body)).load(tmp_path)
    (peer,) = loaded.peers.accepted
    (hop,) = hops(loaded.spec, loaded.peers, peer)
    asked = {(question.endpoint, question.host) for question in questions(loaded, hop)}
    assert asked == {("nginx", "203.0.113.21"), ("nginx", "203.0.113.22"), ("pulsar", "203.0.113.21")}


def test_the_job_runs_beside_a_party_and_beside_the_exchange_only_without_one(tmp_path: Path) -> None:
    local = LOCAL.load(tmp_path / "local")
    assert {unit.kind for unit in local.plan.units} == {"exchange", "party"}
    assert asking_unit(local).kind == "party"
    assert asking_unit(EXCHANGE.load(tmp_path / "exchange")).kind == "exchange"
