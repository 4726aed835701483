"""What a change does stands last in a preview, and is said at once in an update."""

import pulumi
import pytest

from components.last_messages import LastMessages
from federation.changes.effects import Effect

RESTART = Effect("party-9999", "rolling restart", "pods of nodemanager restart one after another", (), "bank-a")
SCALED = Effect("party-9999", "reload", "pods of sparkWorker: 2 -> 3", (), "bank-a")
LOST = Effect("party-10000", "data loss", "is removed", (), "bank-a")
EARLIER = Effect("exchange", "cut", "routes to 9999 end", (), "bank-a")


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine is told."""
    lines: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text: lines.append(f"info: {text}"))
    monkeypatch.setattr(pulumi.log, "warn", lambda text: lines.append(f"warning: {text}"))
    return lines


def test_a_preview_keeps_effects_to_its_end_where_the_worst_stands_last(logged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    last = LastMessages()
    for effect in (LOST, RESTART, SCALED, EARLIER):
        last.effect(effect)
    last.info("party-10000", "the certificate of party-10000 is renewed")
    assert logged == []
    last.log()
    assert logged == [
        "info: the certificate of party-10000 is renewed",
        f"info: {SCALED}",
        f"warning: {EARLIER}",
        f"warning: {RESTART}",
        f"warning: {LOST}",
    ]
    last.log()
    assert len(logged) == 5, "each message is logged once"


def test_a_refusal_stands_beside_what_the_change_would_do(logged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi ends the program of a refused preview: nothing of it runs any more."""
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    last = LastMessages()
    last.effect(LOST)
    with pytest.raises(pulumi.RunError, match="this edit leaves data behind"):
        last.refuse("this edit leaves data behind")
    assert logged == [f"warning: {LOST}"]


def test_an_update_says_effects_at_once_because_it_may_fail(logged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    last = LastMessages()
    last.effect(RESTART)
    last.info("party-9999", "the certificate of party-9999 is renewed")
    assert logged == [f"warning: {RESTART}", "info: the certificate of party-9999 is renewed"]
    last.log()
    assert len(logged) == 2
