"""Which signed files `fatefed peers add` accepts, and what the stack remembers of their signer."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cli.acceptance import Terms
from cli.peers import Review, accept, review
from cli.project import Stack, find_project
from cli.states import set_state
from federation.descriptor import Descriptor
from federation.errors import FederationError
from tests.support.configs import CLINIC, EXCHANGE, key_of, serving_descriptor, serving_exchange, signed_file
from tests.support.stacks import initialized, party, project

TODAY = date(2026, 11, 22)


@pytest.fixture
def consortium(tmp_path: Path) -> Stack:
    """An exchange without members."""
    return initialized(tmp_path / "consortium", "consortium", kind="exchange")


def file_of(folder: Path, body: dict[str, Any], **signed: Any) -> Path:
    """A signed file."""
    file = folder / "sent.json"
    file.write_bytes(signed_file(Descriptor.model_validate(body), **signed))
    return file


def unsigned(folder: Path, body: dict[str, Any]) -> Path:
    """A file without a signature."""
    file = folder / "unsigned.json"
    file.write_text(Descriptor.model_validate(body).text())
    return file


def added(to: Stack, file: Path, terms: Terms | None = None, name: str | None = None) -> Review:
    """Accept a file."""
    found = review(to, file, name, terms or Terms(TODAY))
    accept(found)
    return found


def problem(to: Stack, file: Path, terms: Terms | None = None, name: str | None = None) -> str:
    """Why a file is refused; nothing is written then."""
    before = {path: path.read_bytes() for path in to.project.folder.rglob("*") if path.is_file()}
    with pytest.raises(FederationError) as raised:
        review(to, file, name, terms or Terms(TODAY))
    assert {path: path.read_bytes() for path in to.project.folder.rglob("*") if path.is_file()} == before
    assert all(found.place and found.problem and found.remedy for found in raised.value.problems)
    return str(raised.value)


def test_what_was_accepted_is_remembered(consortium: Stack, tmp_path: Path) -> None:
    found = added(consortium, file_of(tmp_path, party(), serial=4))
    assert (found.known_key, found.warnings) == (False, ())
    entry = consortium.load().spec.peers["clinic-b"]
    assert (entry.key, entry.accepted_serial, entry.state, entry.unsigned) == (key_of("clinic-b"), 4, "active", False)


def test_a_newer_one_of_the_same_key_is_accepted(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party(), serial=4))
    assert added(consortium, file_of(tmp_path, party(host="198.51.100.21"), serial=9)).known_key
    assert consortium.load().spec.peers["clinic-b"].accepted_serial == 9


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        ({"serial": 3}, "its serial 3 is older than the accepted 4"),
        ({"serial": 4}, "its serial 4 was accepted with another content"),
        ({"serial": 9, "signer": "mallory"}, f"is signed with {key_of('mallory')}, not with the accepted key {key_of('clinic-b')}"),
        ({"serial": 9, "days": ("2025-01-01", "2026-11-21")}, "expired on 2026-11-21"),
        ({"serial": 9, "days": ("2026-11-24", "2027-11-21")}, "is not valid before 2026-11-24"),
    ],
)
def test_what_does_not_follow_the_accepted_one_is_refused(consortium: Stack, tmp_path: Path, signed: dict[str, Any], expected: str) -> None:
    added(consortium, file_of(tmp_path, party(), serial=4))
    assert expected in problem(consortium, file_of(tmp_path, party(host="198.51.100.21"), **signed))


@pytest.mark.parametrize("days", [("2026-11-22", "2026-11-22"), ("2026-11-23", "2027-01-01"), ("2020-01-01", "2026-11-22")])
def test_the_first_and_the_last_day_count_and_clocks_may_differ(consortium: Stack, tmp_path: Path, days: tuple[str, str]) -> None:
    assert added(consortium, file_of(tmp_path, party(), days=days)).needed


def test_a_tampered_file_is_refused(consortium: Stack, tmp_path: Path) -> None:
    file = file_of(tmp_path, party())
    file.write_bytes(file.read_bytes().replace(b'"signature": "', b'"signature": "A'))
    assert "the signature does not fit the file" in problem(consortium, file)


def test_a_stranger_cannot_take_a_known_party_id_under_another_name(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party()))
    found = problem(consortium, file_of(tmp_path, party("mallory"), serial=99), name="mallory")
    assert "party id 10000 of peer mallory already belongs to peer clinic-b" in found


def test_a_server_name_of_another_party_is_refused_whoever_signs(consortium: Stack, tmp_path: Path) -> None:
    body = party("mallory", "10001")
    body["endpoints"]["pulsar"]["serverName"] = "10000.fraud.example"
    assert "serverName 10000.fraud.example instead of 10001.fraud.example" in problem(consortium, file_of(tmp_path, body))


def test_the_fingerprint_that_was_heard_must_be_the_signers(consortium: Stack, tmp_path: Path) -> None:
    file = file_of(tmp_path, party())
    assert "do not use it" in problem(consortium, file, Terms(TODAY, key=key_of("mallory")))
    assert added(consortium, file, Terms(TODAY, key=key_of("clinic-b"))).needed


def test_a_new_key_is_accepted_by_its_fingerprint_and_its_serials_begin_anew(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party(), serial=40))
    renewed = file_of(tmp_path, party(), serial=1, signer="clinic-b anew")
    assert f"accept it with --key {key_of('clinic-b anew')}" in problem(consortium, renewed)
    added(consortium, renewed, Terms(TODAY, key=key_of("clinic-b anew")))
    entry = consortium.load().spec.peers["clinic-b"]
    assert (entry.key, entry.accepted_serial) == (key_of("clinic-b anew"), 1)


def test_a_retired_party_id_belongs_to_its_key_for_ever(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party()))
    consortium.file.write_text(consortium.file.read_text().replace("state: active", "state: retired"))
    other = file_of(tmp_path, party("mallory"), serial=9)
    assert "retired" in problem(consortium, file_of(tmp_path, party(), serial=9, signer="mallory"), Terms(TODAY, key=key_of("mallory")))
    assert "already belongs to peer clinic-b" in problem(consortium, other, Terms(TODAY, key=key_of("mallory")), "newcomer")
    assert added(consortium, file_of(tmp_path, party(host="198.51.100.21"), serial=9)).state == "retired"


def test_a_key_that_was_announced_is_the_only_one_accepted(consortium: Stack, tmp_path: Path) -> None:
    """The operator heard the fingerprint before the file came."""
    text = consortium.file.read_text()
    announced = f"  fate:peers:\n    clinic-b:\n      descriptor: peers/clinic-b.json\n      key: {key_of('clinic-b')}\n"
    consortium.file.write_text(text[: text.index("  fate:peers:")] + announced)
    assert "not with the accepted key" in problem(consortium, file_of(tmp_path, party(), signer="mallory"), name="clinic-b")
    assert added(consortium, file_of(tmp_path, party()), name="clinic-b").known_key


def test_an_unsigned_file_must_be_wanted(consortium: Stack, tmp_path: Path) -> None:
    file = unsigned(tmp_path, party())
    assert "add --unsigned" in problem(consortium, file)
    found = added(consortium, file, Terms(TODAY, unsigned=True))
    assert "nothing proves who wrote it" in found.warnings[0]
    entry = consortium.load().spec.peers["clinic-b"]
    assert (entry.unsigned, entry.key, entry.accepted_serial) == (True, None, None)
    assert not review(consortium, file, None, Terms(TODAY)).needed


def test_a_signed_file_is_not_taken_for_an_unsigned_one(consortium: Stack, tmp_path: Path) -> None:
    assert "drop --unsigned" in problem(consortium, file_of(tmp_path, party()), Terms(TODAY, unsigned=True))


def test_who_signed_once_signs_always(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party()))
    assert "this peer signs with" in problem(consortium, unsigned(tmp_path, party(host="198.51.100.66")), Terms(TODAY, unsigned=True))


def test_an_unsigned_peer_becomes_a_signed_one(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, unsigned(tmp_path, party()), Terms(TODAY, unsigned=True))
    added(consortium, file_of(tmp_path, party()))
    entry = consortium.load().spec.peers["clinic-b"]
    assert (entry.unsigned, entry.key) == (False, key_of("clinic-b"))


def test_a_peer_accepted_before_descriptors_were_signed_is_told_apart(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, unsigned(tmp_path, party()), Terms(TODAY, unsigned=True))
    consortium.file.write_text(consortium.file.read_text().replace("      unsigned: true\n", ""))
    with pytest.raises(FederationError, match=r"peers/clinic-b.json is not signed\n.*signed one and run .*or say unsigned: true"):
        consortium.load()
    added(consortium, file_of(tmp_path, party()))
    assert consortium.load().plan.states == {"clinic-b": {"state": "active"}}


def test_a_second_key_of_an_organization_is_a_warning(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party()))
    elsewhere = party(party_id="10001", host="198.51.100.66")
    found = review(consortium, file_of(tmp_path, elsewhere, signer="mallory"), None, Terms(TODAY))
    assert found.warnings == (f"organization clinic-b is known here by another key: peer clinic-b, {key_of('clinic-b')}",)
    assert review(consortium, file_of(tmp_path, party(party_id="10001")), None, Terms(TODAY)).warnings == ()


@pytest.fixture
def hub(tmp_path: Path) -> Stack:
    """An exchange and a serving exchange, of which clinic-b is a member with its party."""
    case = EXCHANGE.changed(lambda config: config.update(servingExchange=serving_exchange()))
    project(tmp_path / "hub")
    case.write(tmp_path / "hub" / "stacks")
    return find_project(tmp_path / "hub").stack("consortium")


SERVING_OF_CLINIC = serving_descriptor().plain()


@pytest.mark.parametrize("state", ["active", "suspended", "retired"])
def test_the_fate_serving_of_a_known_party_is_its_owners_whatever_the_file_claims(hub: Stack, tmp_path: Path, state: str) -> None:
    set_state(hub, "clinic-b", state, None)  # type: ignore[arg-type]
    for claimed in ("clinic-b", "mallory"):
        forged = file_of(tmp_path, SERVING_OF_CLINIC | {"organization": claimed}, signer="mallory")
        found = problem(hub, forged, Terms(TODAY, key=key_of("mallory")), name="newcomer")
        assert "is FATE-Serving of party 10000, which belongs to peer clinic-b, whose key is" in found
    severed = f"peer clinic-b is {state}, but its FATE-Serving, peer clinic-b-serving, is active: set its state, too"
    assert added(hub, file_of(tmp_path, SERVING_OF_CLINIC)).warnings == (() if state == "active" else (severed,))


def test_both_units_of_an_owner_get_its_new_key_one_after_the_other(hub: Stack, tmp_path: Path) -> None:
    added(hub, file_of(tmp_path, SERVING_OF_CLINIC))
    new = Terms(TODAY, key=key_of("clinic-b anew"))
    first = added(hub, file_of(tmp_path, CLINIC.plain(), serial=1, signer="clinic-b anew"), new)
    assert first.warnings[0].startswith("peer clinic-b has a new key, clinic-b-serving still the one before")
    assert hub.load().spec.peers["clinic-b"].previous_key == key_of("clinic-b")
    added(hub, file_of(tmp_path, CLINIC.plain(), serial=2, signer="clinic-b anew"))
    assert hub.load().spec.peers["clinic-b"].previous_key == key_of("clinic-b"), "an update forgets nothing"
    assert added(hub, file_of(tmp_path, SERVING_OF_CLINIC, serial=1, signer="clinic-b anew"), new).warnings == ()
    assert not [warning for warning in hub.load().plan.warnings if "key" in warning]


def test_a_key_that_was_replaced_admits_nobody(hub: Stack, tmp_path: Path) -> None:
    """It may have been replaced because others have it."""
    new = Terms(TODAY, key=key_of("clinic-b anew"))
    added(hub, file_of(tmp_path, CLINIC.plain(), serial=1, signer="clinic-b anew"), new)
    found = problem(hub, file_of(tmp_path, SERVING_OF_CLINIC), Terms(TODAY, key=key_of("clinic-b")))
    assert f"the key of peer clinic-b before {key_of('clinic-b anew')}" in found


def test_an_unsigned_unit_of_an_owner_who_signs_is_a_warning(hub: Stack, tmp_path: Path) -> None:
    found = review(hub, unsigned(tmp_path, SERVING_OF_CLINIC), None, Terms(TODAY, unsigned=True))
    assert any("but only clinic-b is signed: no key shows that they have one owner" in warning for warning in found.warnings)


def test_a_peer_set_to_pending_gets_no_route_and_stays_so(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party()))
    text = consortium.file.read_text().replace("state: active", 'state: pending\n      reason: "waits for the contract"')
    consortium.file.write_text(text)
    loaded = consortium.load()
    assert loaded.plan.states == {"clinic-b": {"state": "pending", "reason": "waits for the contract"}}
    (routes,) = (manifest.fields["data"] for manifest in loaded.plan.unit("exchange").routes)
    nowhere = "10000:\n  fateflow:\n    - host: 127.0.0.1\n      http_port: 1\n      grpc_port: 1\n"
    assert (routes["sni.yaml"], routes["route_table.yaml"]) == ("sni: []\n", nowhere)
    found = added(consortium, file_of(tmp_path, party(host="198.51.100.21"), serial=2))
    assert (found.state, found.routes) == ("pending", ())
