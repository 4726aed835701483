"""Passwords that data on existing claims holds are the operator's to give: with another one the server refuses every client."""

from pathlib import Path
from typing import Any

import pytest

from federation.stack.load import LoadedStack, missing_secrets
from tests.support.configs import FML_MANAGER, PORTAL_ALONE, RABBITMQ_MESH, SERVING_WHOLE, STAR_PARTY, Case, Config

# A case, where a unit of it stands below `fate:`, a module that has data, and the entry of the password in that data; "": none is in it.
_SERVERS = [
    (STAR_PARTY, "parties/9999", "mysql", "party-9999-mysql"),
    (RABBITMQ_MESH, "parties/9999", "rabbitmq", "party-9999-rabbitmq"),
    (PORTAL_ALONE, "sitePortal/9999", "postgres", "site-portal-9999-postgres"),
    (FML_MANAGER, "exchange/fmlManager", "postgres", "fml-manager-postgres"),
    (STAR_PARTY, "parties/9999", "pulsar", ""),
    (SERVING_WHOLE, "serving/9999", "servingRedis", ""),
    (SERVING_WHOLE, "serving/9999", "servingZookeeper", ""),
]


def on_an_existing_claim(case: Case, unit: str, module: str, **changes: Any) -> Case:
    """The case with data of a module on a claim that is there already."""

    def change(config: Config) -> None:
        node = config
        for key in unit.split("/"):
            node = node[key]
        node.update({"persistence": {}} | changes)
        node.setdefault("modules", {}).setdefault(module, {})["persistence"] = {"existingClaim": "of-then"}

    return case.changed(change)


def asked_for(loaded: LoadedStack) -> dict[str, str]:
    """What the operator is asked for, and is not without an existing claim: {entry: what it is}."""
    return {entry: what for entry, what in loaded.plan.provided.items() if "data on claim" in what}


@pytest.mark.parametrize(("case", "unit", "module", "entry"), _SERVERS, ids=lambda value: str(value))
def test_only_the_password_that_a_servers_data_holds_is_asked_for(case: Case, unit: str, module: str, entry: str, tmp_path: Path) -> None:
    assert asked_for(case.load(tmp_path / "before")) == {}
    loaded = on_an_existing_claim(case, unit, module).load(tmp_path)
    what = f"the password that {module}'s data on claim of-then holds; on an empty claim, a new one"
    assert asked_for(loaded) == ({entry: what} if entry else {})
    remedies = {problem.problem: problem.remedy for problem in missing_secrets(loaded, frozenset())}
    for name in loaded.plan.secret_names:
        assert (f"give {what}" in remedies[f"secret {name} is missing"]) == (name == entry)


def test_in_a_rotation_it_is_the_previous_password(tmp_path: Path) -> None:
    slots = {"mysql": {"secret": "new", "previous": "old"}}
    loaded = on_an_existing_claim(STAR_PARTY, "parties/9999", "mysql", credentials=slots).load(tmp_path)
    assert list(asked_for(loaded)) == ["old"]


def test_a_password_in_a_secret_of_the_namespace_is_not_asked_for(tmp_path: Path) -> None:
    slots = {"mysql": {"kubernetesSecret": "ours", "key": "password"}}
    assert asked_for(on_an_existing_claim(STAR_PARTY, "parties/9999", "mysql", credentials=slots).load(tmp_path)) == {}
