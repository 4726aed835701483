"""Peers at a preview: what was accepted stays in force, whatever day it is; what differs from it is refused with its place."""

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from federation.base.errors import FederationError
from federation.peers.accepted import Peers
from federation.stack.load import load_stack
from tests.support.configs import (
    BY_HAND,
    CLINIC,
    EXCHANGE,
    PENDING,
    SERVING_EXCHANGE,
    SIGNED_UNTIL,
    Case,
    key_of,
    party_descriptor,
    signed_file,
)


def problem(case: Case, folder: Path) -> str:
    """The one problem of a stack."""
    with pytest.raises(FederationError) as raised:
        case.load(folder)
    (found,) = raised.value.problems
    assert found.place.endswith("fate:peers.clinic-b.descriptor") or "peers/clinic-b.json" in found.place
    assert found.remedy
    return found.problem


def with_file(content: bytes) -> Case:
    """The exchange's stack, whose file of clinic-b was replaced after it was accepted."""
    return EXCHANGE.with_file("peers/clinic-b.json", content)


def test_a_file_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    content = signed_file(CLINIC)
    changed = content.replace(b'"payload": "ey', b'"payload": "eY')
    assert changed != content
    assert (
        problem(with_file(changed), tmp_path)
        == "peers/clinic-b.json changed since it was accepted, and is no longer a descriptor: the signature does not match the file"
    )


def test_a_newer_file_of_the_same_key_waits_for_its_acceptance(tmp_path: Path) -> None:
    moved = party_descriptor(host="203.0.113.99")
    assert problem(with_file(signed_file(moved, serial=2)), tmp_path) == "peers/clinic-b.json changed since it was accepted"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"key": key_of("mallory")}, f"is signed with the key {key_of('clinic-b')}, not with the accepted {key_of('mallory')}"),
        ({"key": None}, f"is signed with the key {key_of('clinic-b')}, not with the accepted one: there is none"),
        ({"acceptedSerial": 2}, "has the serial 1, not the accepted 2"),
        ({"acceptedSerial": None}, "has the serial 1, not the accepted one: there is none"),
        ({"key": None, "acceptedSerial": None, "unsigned": True}, "is signed, but its entry has unsigned: true"),
    ],
)
def test_what_the_stack_remembers_must_be_what_the_file_says(tmp_path: Path, entry: dict[str, Any], expected: str) -> None:
    assert problem(EXCHANGE.with_peer("clinic-b", CLINIC, **entry), tmp_path) == f"peers/clinic-b.json {expected}"


def test_a_file_that_was_read_before_must_have_the_pinned_key_of_now(tmp_path: Path) -> None:
    """What a process remembers of a file is not who it should be from."""
    file = EXCHANGE.write(tmp_path)
    assert load_stack(file).plan.states["clinic-b"] == {"state": "active"}
    file.write_text(file.read_text().replace(key_of("clinic-b"), key_of("mallory")))
    with pytest.raises(FederationError, match="not with the accepted"):
        load_stack(file)


def test_an_unsigned_peer_has_no_key(tmp_path: Path) -> None:
    with pytest.raises(FederationError, match="an unsigned peer has no key and no acceptedSerial"):
        EXCHANGE.with_peer("clinic-b", CLINIC, unsigned=True).load(tmp_path)


def test_an_unsigned_file_is_in_force_when_its_peer_says_so(tmp_path: Path) -> None:
    content = CLINIC.text().encode()
    assert EXCHANGE.with_peer_file("clinic-b", content).load(tmp_path).plan.states["clinic-b"] == {"state": "active"}
    assert problem(EXCHANGE.with_peer_file("clinic-b", content, unsigned=None), tmp_path) == "peers/clinic-b.json is not signed"


def test_a_pipe_instead_of_a_file_is_refused_and_not_read(tmp_path: Path) -> None:
    file = EXCHANGE.write(tmp_path)
    (tmp_path / "peers" / "clinic-b.json").unlink()
    os.mkfifo(tmp_path / "peers" / "clinic-b.json")
    with pytest.raises(FederationError, match="it is not a regular file"):
        load_stack(file)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (SIGNED_UNTIL - timedelta(days=31), None),
        (SIGNED_UNTIL - timedelta(days=30), f"expires on {SIGNED_UNTIL}"),
        (SIGNED_UNTIL, f"expires on {SIGNED_UNTIL}"),
        (SIGNED_UNTIL + timedelta(days=1), f"expired on {SIGNED_UNTIL}"),
        (None, None),
    ],
)
def test_an_accepted_descriptor_that_ends_is_a_warning_and_changes_nothing(tmp_path: Path, day: date | None, said: str | None) -> None:
    file = EXCHANGE.with_peer("bank-a", party_descriptor("9999", "bank-a", host="203.0.113.10"), state="retired").write(tmp_path)
    plan = load_stack(file, today=day).plan
    ends = [f"the descriptor of peer clinic-b {said}; its routes stay: ask its owner to export a new one"] if said else []
    assert [warning for warning in plan.warnings if "peer" in warning] == ends
    assert replace(plan, findings=()) == replace(load_stack(file).plan, findings=())


def test_every_peer_has_a_state_and_what_is_not_in_force_has_a_reason(tmp_path: Path) -> None:
    case = (
        EXCHANGE.with_peer("clinic-b", CLINIC, state="suspended", reason="audit until March")
        .with_peer("hospital-c", party_descriptor("10001", "hospital-c"), state="pending", reason="contract")
        .with_peer("shop-d", party_descriptor("10002", "shop-d"), state="pending")
        .with_entry("late", descriptor="peers/late.json")
    )
    assert case.load(tmp_path).plan.states == {
        "bank-a": {"state": "active"},
        "clinic-b": {"state": "suspended", "reason": "audit until March"},
        "hospital-c": {"state": "pending", "reason": "contract"},
        "late": {
            "state": "pending",
            "reason": "peers/late.json is not there yet: when it arrives, run `fatefed peers add peers/late.json --name late`",
        },
        "shop-d": {"state": "pending", "reason": "its state is set to pending"},
    }


def test_a_pending_exchange_is_no_route(tmp_path: Path) -> None:
    loaded = PENDING.load(tmp_path)
    assert isinstance(loaded.peers, Peers)
    texts = {name: text for manifest in loaded.plan.unit("party-9999").routes for name, text in manifest.fields["data"].items()}
    assert "default" not in texts["pulsar_route_table.yaml"]
    assert texts["route_table.yaml"].endswith("default:\n  proxy:\n    - host: 127.0.0.1\n      http_port: 1\n")


@pytest.mark.parametrize("owner", ["retired", "pending"])
@pytest.mark.parametrize("state", ["active", "pending", "suspended", "retired"])
def test_a_party_id_stays_with_the_peer_that_was_accepted_first(tmp_path: Path, owner: str, state: str) -> None:
    other = party_descriptor("10000", "mallory", host="203.0.113.66")
    case = EXCHANGE.with_peer("clinic-b", CLINIC, state=owner).with_peer("mallory", other, state=state)
    with pytest.raises(FederationError, match="party id 10000 of peer mallory already belongs to peer clinic-b"):
        case.load(tmp_path)


def test_a_party_id_that_was_typed_is_taken_while_its_peer_waits(tmp_path: Path) -> None:
    case = BY_HAND.changed(lambda config: config["peers"]["old-clinic"].update(state="pending"))
    assert case.load(tmp_path / "alone").plan.states == {"old-clinic": {"state": "pending", "reason": "its state is set to pending"}}
    with pytest.raises(FederationError, match="party id 10001 of peer other already belongs to peer old-clinic"):
        case.with_peer("other", party_descriptor("10001", "other", host="203.0.113.66")).load(tmp_path / "both")


def test_who_is_only_announced_holds_no_party_id(tmp_path: Path) -> None:
    """Its file is not accepted: nobody has compared its key."""
    case = EXCHANGE.with_peer("clinic-b", CLINIC).with_file("peers/mallory.json", signed_file(party_descriptor("10000", "mallory")))
    loaded = case.with_entry("mallory", descriptor="peers/mallory.json").load(tmp_path)
    assert "was not accepted yet" in loaded.plan.pending["mallory"]
    assert loaded.plan.states["clinic-b"] == {"state": "active"}


@pytest.mark.parametrize(
    ("state", "until", "day", "protected"),
    [
        ("active", None, date(2026, 11, 22), True),
        ("active", "2026-12-01", date(2026, 12, 1), False),
        ("active", "2026-12-01", date(2026, 12, 2), True),
        ("active", "2026-12-01", None, True),
        ("suspended", None, date(2026, 11, 22), False),
        ("retired", None, date(2026, 11, 22), False),
    ],
)
def test_an_exchange_that_members_rely_on_is_protected_until_a_day(
    tmp_path: Path, state: str, until: str | None, day: date | None, protected: bool
) -> None:
    case = EXCHANGE.with_peer("clinic-b", CLINIC, state=state).changed(lambda config: config["peers"].pop("bank-a"))
    if until is not None:
        case = case.changed(lambda config: config["exchange"].update(allowDestroyUntil=until))
    plan = load_stack(case.write(tmp_path), today=day).plan
    assert plan.unit("exchange").protected == protected
    said = [warning for warning in plan.warnings if "may be destroyed until 2026-12-01, although clinic-b rely on it" in warning]
    assert len(said) == (1 if state == "active" and not protected else 0)


@pytest.mark.parametrize(("until", "day", "protected"), [(None, 22, True), ("2026-12-01", 22, False)])
def test_a_serving_exchange_is_protected_like_an_exchange(tmp_path: Path, until: str | None, day: int, protected: bool) -> None:
    case = SERVING_EXCHANGE.changed(lambda config: config["servingExchange"].update({"allowDestroyUntil": until} if until else {}))
    plan = load_stack(case.write(tmp_path), today=date(2026, 11, day)).plan
    assert plan.unit("serving-exchange").protected == protected
    said = "the serving exchange may be destroyed until 2026-12-01, although bank-a-serving, clinic-b-serving rely on it"
    assert any(warning.startswith(said) for warning in plan.warnings) is not protected
    # Members of training rely on the other exchange.
    alone = Case("alone", {**SERVING_EXCHANGE.config, "peers": {}}).with_peer("clinic-b", CLINIC)
    assert not load_stack(alone.write(tmp_path / "alone")).plan.unit("serving-exchange").protected


def test_a_day_may_be_written_without_quotes(tmp_path: Path) -> None:
    file = EXCHANGE.changed(lambda config: config["exchange"].update(allowDestroyUntil="2026-12-01")).write(tmp_path)
    file.write_text(file.read_text().replace("'2026-12-01'", "2026-12-01"))
    assert load_stack(file).spec.exchange.allow_destroy_until == "2026-12-01"  # type: ignore[union-attr]
