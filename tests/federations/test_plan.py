"""`fatefed plan` against what is deployed: its exit status, Markdown and JSON, and the same sentences in the preview."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.federations.organizations import Organizations

pytestmark = pytest.mark.engine

_EVERYONE = ["9999 <-> 20000", "9999 <-> 20001"]
_MOVED = "what it publishes changes: peers dial the old address until they accept the new descriptor"
# An edit of the stack file, the exit status, and (kind, what, pairs) of each effect.
_Case = tuple[Callable[[dict[str, Any]], object], int, list[tuple[str, str, list[str]]]]
_CASES: dict[str, _Case] = {
    "nothing": (lambda config: None, 0, []),
    "a console more": (lambda config: _party(config).update(modules={"fateboard": {}}), 0, []),
    "a peer suspended": (
        lambda config: config["fate:peers"]["clinic-b"].update(state="suspended"),
        3,
        [("cut", "routes end: suspended", ["9999 <-> 20000"])],
    ),
    "another size of a module": (
        lambda config: _party(config).update(
            modules={"nginx": {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}}}}
        ),
        3,
        [("recreate", "pods of nginx restart, all at once", _EVERYONE)],
    ),
    "anyone on the network": (
        lambda config: config.update({"fate:networkPolicy": {"enabled": False}}),
        3,
        [
            (
                "open",
                "network policies are removed: anything that reaches a pod reaches all of its ports, and pods can reach everything",
                _EVERYONE,
            )
        ],
    ),
    "another port": (
        lambda config: _party(config)["publish"]["rabbitmq"].update(port=15674),
        3,
        [("cut", _MOVED, _EVERYONE)],
    ),
    "another namespace": (
        lambda config: _party(config).update(namespace="trials-elsewhere", allowDataLoss=True),
        4,
        [
            ("data loss", "namespace trials-9999 -> trials-elsewhere: it would start empty; its data stays in trials-9999", _EVERYONE),
            ("cut", _MOVED, _EVERYONE),
        ],
    ),
}


def _party(config: dict[str, Any]) -> dict[str, Any]:
    party: dict[str, Any] = config["fate:parties"]["9999"]
    return party


@pytest.mark.parametrize("edit", _CASES)
def test_a_plan_says_in_each_form_and_in_the_preview_what_an_edit_does(both: Organizations, edit: str) -> None:
    space, (change, status, expected) = both.mesh["bank-a"], _CASES[edit]
    whole = space.stack_file.read_text()
    document = yaml.safe_load(whole)
    change(document["config"])
    try:
        space.stack_file.write_text(yaml.safe_dump(document))
        if edit == "a console more":
            space.fatefed("secrets", "init")
        shown = space.attempt("fatefed", "plan", "-s", space.organization)
        data = space.attempt("fatefed", "plan", "-s", space.organization, "--json")
        preview = space.run("pulumi", "preview", "--color", "never", "-s", space.organization)
    finally:
        space.stack_file.write_text(whole)
    assert (shown.returncode, data.returncode) == (status, status)
    effects = json.loads(data.stdout)["effects"]
    assert [(effect["kind"], effect["what"], effect["pairs"]) for effect in effects] == expected
    assert rows(shown.stdout.decode()) == [[effect["unit"], effect["kind"], effect["what"], *said(effect)] for effect in effects]
    assert sentences(preview) == sorted(sentence(effect) for effect in effects)


def said(effect: dict[str, Any]) -> tuple[str, str]:
    """The pairs and who must act, as a cell each."""
    return ", ".join(effect["pairs"]) or "none", effect["acts"]


def rows(markdown: str) -> list[list[str]]:
    """The cells of a table in Markdown, without its head."""
    return [line.strip("| ").split(" | ") for line in markdown.splitlines() if line.startswith("| ")][2:]


def sentence(effect: dict[str, Any]) -> str:
    """What the preview says of an effect; it calls the organization `this stack`."""
    pairs = f"; affects {', '.join(effect['pairs'])}" if effect["pairs"] else ""
    return f"{effect['unit']}: {effect['kind']}: {effect['what']}{pairs}; to act: {effect['acts'].replace('bank-a', 'this stack', 1)}"


def sentences(preview: str) -> list[str]:
    """The effects among a preview's diagnostics."""
    diagnostics = preview.partition("Diagnostics:")[2].partition("Outputs:")[0]
    return sorted(
        re.findall(r"^    (?:warning: )?(party-9999: (?:reload|cut|open|rolling restart|recreate|data loss): .*)$", diagnostics, re.M)
    )


def test_a_plan_knows_every_unit_of_a_stack_with_an_exchange(star: Organizations) -> None:
    """What is deployed and compared is all of the state: a unit that it did not know would come out as nothing."""
    hub = star.star[star.hub]
    shown = hub.attempt("fatefed", "plan", "-s", hub.organization)
    assert (shown.returncode, "No running party is affected." in shown.stdout.decode()) == (0, True)
    hub.run("pulumi", "config", "set", "--path", "fate:exchange.modules.osx.priorityClassName", "high", "-s", hub.organization)
    try:
        shown = hub.attempt("fatefed", "plan", "-s", hub.organization)
    finally:
        hub.run("pulumi", "config", "rm", "--path", "fate:exchange.modules", "-s", hub.organization)
    assert shown.returncode == 3
    assert "| exchange | recreate | pods of osx restart, all at once | 9999 <-> 10000, 9999 <-> 10001, " in shown.stdout.decode()
