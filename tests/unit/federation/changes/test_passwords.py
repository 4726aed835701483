"""Which changes of passwords are refused: those that a server or a reader would not follow."""

from pathlib import Path

import pytest

from federation.changes.passwords import Passwords, only_recorded, unsafe_changes
from federation.manifests.objects import SecretPlan
from tests.support.configs import EXTERNAL, EXTERNAL_RABBITMQ, RABBITMQ_MESH, STAR_PARTY, Case

OLD = Passwords({"password": "one", "root-password": "root"}, {"password": "AAA", "root-password": "RRR"})
ROTATING = Passwords(
    {"password": "two", "previous-password": "one", "root-password": "root"},
    {"password": "BBB", "previous-password": "AAA", "root-password": "RRR"},
)


def secret(name: str = "mysql-credentials", own_server: bool = True) -> SecretPlan:
    """A Secret of passwords."""
    return SecretPlan(name, name, "fate-9999", {}, "Opaque", {}, passwords=True, own_server=own_server)


def changed(passwords: Passwords, entries: dict[str, str], values: dict[str, str]) -> Passwords:
    """The same with other entries and values."""
    return Passwords({**passwords.entries, **entries}, {**passwords.values, **values})


def said(old: Passwords, new: Passwords, secret: SecretPlan) -> list[str]:
    """What is refused."""
    return list(unsafe_changes(secret, old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, OLD),
        (OLD, ROTATING),
        (ROTATING, Passwords({"password": "two", "root-password": "root"}, {"password": "BBB", "root-password": "RRR"})),
        # An update that failed after the Secret: the server may still have the one before.
        (ROTATING, changed(ROTATING, {"password": "three"}, {"password": "CCC"})),
        (ROTATING, changed(ROTATING, {"password": "one", "previous-password": "two"}, {"password": "AAA", "previous-password": "BBB"})),
        (Passwords({}, {}), OLD),
        # A state from before the annotation.
        (Passwords({}, OLD.values), OLD),
    ],
)
def test_a_change_that_everybody_follows_is_not_refused(old: Passwords, new: Passwords) -> None:
    assert said(old, new, secret()) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (OLD, changed(OLD, {"password": "two"}, {"password": "BBB"}), "two: mysql would keep the old password: name its entry in "),
        (OLD, changed(OLD, {}, {"password": "BBB"}), "one: its value changed under the same name"),
        (OLD, changed(ROTATING, {}, {"previous-password": "XXX"}), "two: mysql would keep the old password"),
        (Passwords({}, OLD.values), changed(OLD, {}, {"password": "BBB"}), "one: mysql would keep the old password"),
        (OLD, changed(OLD, {}, {"root-password": "SSS"}), "root: its value changed under the same name"),
    ],
)
def test_a_change_that_locks_somebody_out_is_refused(old: Passwords, new: Passwords, problem: str) -> None:
    (found,) = said(old, new, secret())
    assert found.startswith(problem)
    assert not {"AAA", "BBB", "XXX", "SSS"} & set(found.replace(":", " ").split())


@pytest.mark.parametrize("plan", [secret("fateboard-credentials", False), secret(own_server=False)], ids=["fateboard", "external MySQL"])
def test_a_password_that_no_server_of_ours_keeps_only_needs_another_entry(plan: SecretPlan) -> None:
    assert said(OLD, changed(OLD, {"password": "two"}, {"password": "BBB"}), plan) == []
    (found,) = said(OLD, changed(OLD, {}, {"password": "BBB"}), plan)
    assert found.startswith("one: its value changed under the same name")


@pytest.mark.parametrize(
    ("case", "own"),
    [
        (STAR_PARTY, {"mysql-credentials": True}),
        (EXTERNAL, {"mysql-credentials": False}),
        (RABBITMQ_MESH, {"mysql-credentials": True, "rabbitmq-credentials": True}),
        (EXTERNAL_RABBITMQ, {"mysql-credentials": False, "rabbitmq-credentials": False}),
    ],
    ids=str,
)
def test_the_plan_says_whose_server_it_is(case: Case, own: dict[str, bool], tmp_path: Path) -> None:
    secrets = case.load(tmp_path).plan.unit("party-9999").secrets
    assert {plan.name: plan.own_server for plan in secrets if plan.passwords} == own
    assert {plan.name for plan in secrets if not plan.passwords} <= {"pulsar-cert"}


def test_a_root_password_that_only_the_secret_follows_is_said() -> None:
    recorded = changed(OLD, {"root-password": "root-2"}, {"root-password": "SSS"})
    assert said(OLD, recorded, secret()) == []
    (warning,) = only_recorded(secret(), OLD, recorded)
    assert warning.startswith("root-2: root's password changes in the Secret only")
    assert list(only_recorded(secret(), OLD, ROTATING)) == []
    assert list(only_recorded(secret(), Passwords({}, {}), OLD)) == []


def test_a_secret_says_which_entries_it_holds(tmp_path: Path) -> None:
    secrets = {plan.name: plan for plan in STAR_PARTY.load(tmp_path).plan.unit("party-9999").secrets}
    assert secrets["mysql-credentials"].metadata["annotations"] == {
        "federation.fate/entries": '{"password": "party-9999-mysql", "root-password": "party-9999-mysql-root"}'
    }
