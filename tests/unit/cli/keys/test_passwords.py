"""`fatefed secrets init` makes no new password for a server that is deployed with another one."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.keys import passwords
from cli.tools.errors import CommandError
from cli.tools.project import find_project
from cli.tools.pulumi import EngineError
from tests.support.configs import PORTAL_ALONE
from tests.support.stacks import REPO, of_case


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What pulumi is asked for; `modules` is what it answers for the stack's outputs, None: not deployed."""
    seen: dict[str, Any] = {"modules": None, "set": []}

    def pulumi(stack: Any, *arguments: str, stdin: str | None = None) -> str:
        if arguments[:2] == ("stack", "output"):
            if seen["modules"] is None:
                raise EngineError(stack, arguments, "current stack does not have output property 'modules'")
            return json.dumps(seen["modules"])
        seen["set"].append(arguments[-1])
        return ""

    monkeypatch.setattr(passwords, "pulumi", pulumi)
    return seen


def test_a_stack_that_is_not_deployed_gets_its_passwords(calls: dict[str, Any]) -> None:
    report = passwords.init_secrets(find_project(REPO).stack("bank-a"))
    assert set(report.written) == {f"party-9999-{slot}" for slot in ("mysql", "mysql-root", "fateboard", "notebook")}
    assert len(calls["set"]) == 4


def test_the_lost_password_of_a_deployed_server_is_not_replaced(calls: dict[str, Any]) -> None:
    calls["modules"] = {"party-9999": {"mysql": {}}}
    with pytest.raises(CommandError, match="party-9999 is deployed with it"):
        passwords.init_secrets(find_project(REPO).stack("bank-a"))
    assert calls["set"] == []


def test_a_module_that_is_added_to_a_deployed_party_gets_its_password(calls: dict[str, Any]) -> None:
    calls["modules"] = {"party-10000": {"mysql": {}}, "party-9999": {"fateboard": {}}}
    assert "party-9999-fateboard" in passwords.init_secrets(find_project(REPO).stack("bank-a")).written


def test_the_lost_password_of_a_deployed_portals_database_is_not_replaced(calls: dict[str, Any], tmp_path: Path) -> None:
    calls["modules"] = {"site-portal-9999": {"postgres": {}}}
    with pytest.raises(CommandError, match=r"secrets\.site-portal-9999-postgres: is gone, but site-portal-9999 is deployed with it"):
        passwords.init_secrets(of_case(tmp_path, PORTAL_ALONE))
    assert calls["set"] == []
