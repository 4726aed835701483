"""Which signed files `fatefed peers add` accepts, and what the stack remembers of their signer."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cli.commands.show import review_text
from cli.peers.accept import Review, accept, review
from cli.peers.acceptance import Terms
from cli.peers.states import set_state
from cli.tools.project import Stack, find_project
from federation.base.errors import FederationError
from federation.peers.descriptor import Descriptor
from tests.support.configs import CLINIC, EXCHANGE, STAR_PARTY, key_of, serving_descriptor, serving_exchange, signed_file
from tests.support.stacks import initialized, party, project
from tests.support.trust import CN, ORG, ca, constraints, made, named, of, trusting

TODAY = date(2026, 11, 22)


@pytest.fixture
def consortium(tmp_path: Path) -> Stack:
    """An exchange without members."""
    return initialized(tmp_path / "consortium", "consortium", kind="exchange")


def file_of(folder: Path, body: dict[str, Any], **signed: Any) -> Path:
    """A signed file."""
    file = folder / "sent.json"
    file.write_bytes(signed_file(Descriptor.model_validate(body), **{"days": ("2026-11-20", "2027-11-20"), **signed}))
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
        ({"serial": 9, "days": ("2026-11-20", "9999-12-31")}, "may be accepted from 2026-11-20 to 9999-12-31, which is more than 731 days"),
        ({"serial": 9, "days": ("2026-11-22", "2028-11-23")}, "which is more than 731 days"),
    ],
)
def test_what_does_not_follow_the_accepted_one_is_refused(consortium: Stack, tmp_path: Path, signed: dict[str, Any], expected: str) -> None:
    added(consortium, file_of(tmp_path, party(), serial=4))
    assert expected in problem(consortium, file_of(tmp_path, party(host="198.51.100.21"), **signed))


@pytest.mark.parametrize(
    "days", [("2026-11-22", "2026-11-22"), ("2026-11-23", "2027-01-01"), ("2024-11-22", "2026-11-22"), ("2026-11-22", "2028-11-22")]
)
def test_the_first_and_the_last_day_count_and_clocks_may_differ(consortium: Stack, tmp_path: Path, days: tuple[str, str]) -> None:
    assert added(consortium, file_of(tmp_path, party(), days=days)).needed


def test_a_tampered_file_is_refused(consortium: Stack, tmp_path: Path) -> None:
    file = file_of(tmp_path, party())
    file.write_bytes(file.read_bytes().replace(b'"signature": "', b'"signature": "A'))
    assert "the signature does not match the file" in problem(consortium, file)


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
    with pytest.raises(FederationError, match=r"peers/clinic-b.json is not signed\n.*signed one and run .*or set unsigned: true"):
        consortium.load()
    added(consortium, file_of(tmp_path, party()))
    assert consortium.load().plan.states == {"clinic-b": {"state": "active"}}


def test_a_second_key_of_an_organization_is_a_warning(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party()))
    elsewhere = party(party_id="10001", host="198.51.100.66")
    found = review(consortium, file_of(tmp_path, elsewhere, signer="mallory"), None, Terms(TODAY))
    assert found.warnings == (f"organization clinic-b has another key here: peer clinic-b, {key_of('clinic-b')}",)
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
    assert first.warnings[0].startswith("peer clinic-b has a new key, clinic-b-serving still the old one")
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
    assert any("but only clinic-b is signed: no key proves that they have the same owner" in warning for warning in found.warnings)


def test_a_peer_set_to_pending_gets_no_route_and_stays_so(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party()))
    text = consortium.file.read_text().replace("state: active", 'state: pending\n      reason: "waits for the contract"')
    consortium.file.write_text(text)
    loaded = consortium.load()
    assert loaded.plan.states == {"clinic-b": {"state": "pending", "reason": "waits for the contract"}}
    (routes,) = (manifest.fields["data"] for manifest in loaded.plan.unit("exchange").routes)
    nowhere = "10000:\n  fateflow:\n    - host: 127.0.0.1\n      http_port: 1\n"
    assert (routes["sni.yaml"], routes["route_table.yaml"]) == ("sni: []\n", nowhere)
    found = added(consortium, file_of(tmp_path, party(host="198.51.100.21"), serial=2))
    assert (found.state, found.routes) == ("pending", ())


BEGINS = datetime(2026, 11, 1, tzinfo=UTC)


def with_authority(*authorities: str, party_id: str = "10000", **said: Any) -> dict[str, Any]:
    """The body of a party with these CAs."""
    return party(party_id=party_id, **said) | {"trust": {"authorities": list(authorities)}}


def disguised(**parts: Any) -> str:
    """A CA within its limits that a server can show as the certificate of another party."""
    name = x509.SubjectAlternativeName([x509.DNSName("9999.fraud.example")])
    return made(subject=named((ORG, "10000"), (CN, "CA")), names=limits("10000"), extra=(name, False), begins=BEGINS, days=99, **parts)


def limits(party_id: str) -> tuple[x509.NameConstraints, bool]:
    """The name constraints of a party's CA, without those of addresses."""
    return constraints(x509.DNSName(f"{party_id}.fraud.example"), of(party_id))


def test_a_ca_that_could_pass_for_another_party_is_refused_before_anything_is_written(consortium: Stack, tmp_path: Path) -> None:
    found = problem(consortium, file_of(tmp_path, with_authority(disguised())))
    assert "sent.json trust.authorities.0: CA " in found
    assert ": has extensions that a CA of `fatefed trust init` does not have: subjectAltName" in found


@pytest.mark.parametrize("days", [(-9, -3), (3, 9)])
def test_a_ca_that_is_not_valid_today_is_refused(consortium: Stack, tmp_path: Path, days: tuple[int, int]) -> None:
    begins = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) + timedelta(days=days[0])
    off = made(subject=named((ORG, "10000"), (CN, "CA")), names=limits("10000"), begins=begins, days=days[1] - days[0])
    said = "ended on" if days[1] < 0 else "is not valid before"
    assert said in problem(consortium, file_of(tmp_path, with_authority(off)))


def test_what_was_accepted_before_a_rule_came_stays_with_a_warning(
    consortium: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 4: no rule that comes later cuts a federation that runs, nor keeps it from its peers' new addresses."""
    old = with_authority(disguised())
    old["endpoints"]["pulsar"] |= {"host": "fate.clinic-b.local"}
    with monkeypatch.context() as before:
        before.setattr("cli.peers.acceptance.newcomer_problems", lambda *_: ())
        added(consortium, file_of(tmp_path, old))
    said = [warning for warning in consortium.load().plan.warnings if "it was accepted before, so it stays" in warning]
    assert [warning.partition(": ")[0] for warning in said] == ["peer clinic-b trust.authorities.0", "peer clinic-b endpoints.pulsar"]
    old["endpoints"]["nginx"] |= {"host": "198.51.100.21", "addresses": ["198.51.100.21"]}
    again = added(consortium, file_of(tmp_path, old, serial=2))
    assert [change.object for change in again.routes] == ["exchange-routes"]
    new = old | with_authority(disguised())
    new["endpoints"]["pulsar"] |= {"host": "fate2.clinic-b.local"}
    newer = problem(consortium, file_of(tmp_path, new, serial=3))
    assert ("subjectAltName" in newer, "fate2.clinic-b.local is not the same host in every network" in newer) == (True, True)


def test_nobody_comes_in_the_name_of_this_stacks_own_organization(consortium: Stack, tmp_path: Path) -> None:
    twin = file_of(tmp_path, party("consortium"), signer="mallory")
    found = problem(consortium, twin)
    assert f"is in the name of this stack's own organization, consortium, and signed with another key, {key_of('mallory')}" in found
    text = consortium.file.read_text().replace("config:\n", f'config:\n  fate:identity: {{key: "{key_of("consortium")}"}}\n')
    consortium.file.write_text(text)
    assert "own organization" in problem(consortium, twin)
    own = added(consortium, file_of(tmp_path, party("consortium")))
    assert own.warnings == ("it is in the name of this stack's own organization, consortium",)


def test_an_old_file_of_who_is_new_here_is_told_by_its_age_and_serial(consortium: Stack, tmp_path: Path) -> None:
    """Its owner may have replaced it, because somebody else has its CA's key."""
    old = {"days": ("2026-01-26", "2027-01-26"), "serial": 4}
    found = review(consortium, file_of(tmp_path, party(), **old), None, Terms(TODAY))
    assert found.warnings[0].startswith("it was signed 300 days ago: ask its owner by phone whether serial 4 is the latest")
    text = review_text(found)
    assert "  serial: 4, valid from 2026-01-26 to 2027-01-26, signed 300 days ago; the sender's `fatefed identity show` prints" in text
    fresh = added(consortium, file_of(tmp_path, party()))
    assert fresh.warnings == ()
    assert "signed 2 days ago" in review_text(fresh)
    known = review(consortium, file_of(tmp_path, party(), **{**old, "serial": 9}), None, Terms(TODAY))
    assert known.warnings == (), "a known peer's serial says whether it is old"


def test_a_key_that_is_another_peers_already_is_said(consortium: Stack, tmp_path: Path) -> None:
    added(consortium, file_of(tmp_path, party()))
    second = review(consortium, file_of(tmp_path, party(party_id="10001", host="198.51.100.66")), None, Terms(TODAY))
    assert (second.key_of, second.warnings) == (("clinic-b",), ())
    assert "(the key of peer clinic-b, not accepted before for this one" in review_text(second)
    foreign = file_of(tmp_path, party("shop-c", "10001", "198.51.100.66"), signer="clinic-b")
    (warning,) = review(consortium, foreign, None, Terms(TODAY)).warnings
    assert warning.startswith("its key is that of peer clinic-b of clinic-b: either both are one organization, or shop-c did not")


def test_the_first_review_shows_the_ca_and_what_opens(consortium: Stack, tmp_path: Path) -> None:
    authority = ca("10000")
    found = review(consortium, file_of(tmp_path, with_authority(authority)), None, Terms(TODAY))
    facts = x509.load_pem_x509_certificate(authority.encode())
    text = review_text(found)
    assert f"SHA-256 {facts.fingerprint(hashes.SHA256()).hex()}" in text
    assert f"from {facts.not_valid_before_utc.date()} to {facts.not_valid_after_utc.date()}" in text
    assert f"  CA: {facts.subject.rfc4514_string()}, " in text
    opened = [change.what for change in found.connections if change.effect == "open"]
    assert opened == [
        "198.51.100.20/32 may be reached by nginx at 9300",
        "198.51.100.20/32 may be reached by traffic-server at 6651",
    ]
    assert all(f"  open: {what}" in text for what in opened)
    assert found.plain()["authorities"] == [
        {
            "sha256": facts.fingerprint(hashes.SHA256()).hex(),
            "subject": facts.subject.rfc4514_string(),
            "from": facts.not_valid_before_utc.date().isoformat(),
            "to": facts.not_valid_after_utc.date().isoformat(),
        }
    ]


def test_a_ca_that_ends_soon_is_said_in_the_review(tmp_path: Path) -> None:
    """And of an accepted peer one that ended, when its next file still has it."""
    project(tmp_path / "bank")
    trusting(STAR_PARTY, "9999").write(tmp_path / "bank" / "stacks")
    bank = find_project(tmp_path / "bank").stack("bank-a")
    ending = made(subject=named((ORG, "10000"), (CN, "CA")), names=limits("10000"), begins=BEGINS, days=40)
    found = added(bank, file_of(tmp_path, with_authority(ending)))
    assert any("the CA of party 10000 (peer clinic-b) ends on 2026-12-11" in warning for warning in found.warnings)
    assert any(warning.startswith("its CA may sign for IP addresses") for warning in found.warnings)


def test_one_key_in_the_cas_of_two_parties_is_said(consortium: Stack, tmp_path: Path) -> None:
    """Whoever has it can be both."""
    key = ec.generate_private_key(ec.SECP256R1())
    mine, theirs = (
        made(key=key, subject=named((ORG, each), (CN, "CA")), names=limits(each), begins=BEGINS, days=99) for each in ("10000", "10001")
    )
    clinic = added(consortium, file_of(tmp_path, with_authority(mine)))
    assert not any("share one key" in warning for warning in clinic.warnings)
    shop = file_of(tmp_path, party("shop-c", "10001", "198.51.100.66") | {"trust": {"authorities": [theirs]}})
    found = review(consortium, shop, None, Terms(TODAY))
    assert any(
        "the CAs of party 10000 (peer clinic-b) and party 10001 (peer shop-c) share one key" in warning for warning in found.warnings
    )
