"""Refuses, in a preview already, a change of a password that its server or its readers would not follow."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import Output, ResourceHook, ResourceHookArgs, ResourceHookOptions

from components.last_messages import LastMessages
from federation.base.naming import ENTRIES
from federation.changes.passwords import Passwords, only_recorded, unsafe_changes
from federation.manifests.objects import SecretPlan


def password_guard(key: str, secret: SecretPlan, last: LastMessages) -> ResourceHook:
    """The hook of one Secret, before it is updated."""

    async def check(change: ResourceHookArgs) -> None:
        old, new = [await _passwords(inputs or {}) for inputs in (change.old_inputs, change.new_inputs)]
        for warning in only_recorded(secret, old, new):
            pulumi.log.warn(f"{key}: {warning}")
        if unsafe := list(unsafe_changes(secret, old, new)):
            problems = "".join(f"\n  fate:secrets.{problem}" for problem in unsafe)
            last.refuse(f"passwords of {key} do not change like this{problems}\n    remedy: see docs/guides/passwords.md")

    return ResourceHook(f"{key}-{secret.role}-passwords", check, opts=ResourceHookOptions(on_dry_run=True))


async def _passwords(inputs: Mapping[str, Any]) -> Passwords:
    """What the inputs of a Secret hold; its values arrive as secret outputs, and are compared only."""
    data: Any = inputs.get("data") or inputs.get("stringData") or {}
    values = await data.future() if isinstance(data, Output) else data
    notes = inputs.get("metadata", {}).get("annotations") or {}
    return Passwords(json.loads(notes.get(ENTRIES, "{}")), dict(values or {}))
