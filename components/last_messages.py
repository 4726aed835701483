"""The last messages of a preview, where the operator looks: the effects of the change."""

import atexit
from typing import NoReturn

import pulumi

from federation.changes.effects import SEVERITY, Effect


class LastMessages:
    """Messages of hooks: a preview logs them when the program ends or a hook refuses, an update at once.

    A hook runs before the diff of its own resource is printed: what it logs itself scrolls away in `pulumi preview --diff`. Pulumi ends
    the program of a preview or update that fails, and takes no message from it any more.
    """

    def __init__(self) -> None:
        self._messages: list[tuple[int, str, str]] = []
        atexit.register(self.log)

    def effect(self, effect: Effect) -> None:
        """The effects of the change on one unit: a warning, unless nothing stops and nothing opens."""
        self._add(SEVERITY[effect.kind], effect.unit, str(effect))

    def info(self, unit: str, text: str) -> None:
        """Harmless effects on one unit."""
        self._add(0, unit, text)

    def refuse(self, reason: str) -> NoReturn:
        """End the preview or the update with a reason, beside what the change would do."""
        self.log()
        raise pulumi.RunError(reason)

    def log(self) -> None:
        """All messages that wait, the worst last; those of one unit stay in their order."""
        messages, self._messages = sorted(self._messages, key=lambda message: message[:2]), []
        for severity, _, text in messages:
            (pulumi.log.warn if severity else pulumi.log.info)(text)

    def _add(self, severity: int, unit: str, text: str) -> None:
        self._messages.append((severity, unit, text))
        if not pulumi.runtime.is_dry_run():
            self.log()
