"""The answer to one question about a peer, and the rows it becomes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.doctor.links.own_addresses import OwnAddresses
from cli.doctor.links.questions import Question
from cli.doctor.rows import Row

# The problem, and the remedy with who has to act. Words in braces: {name} {party} {owner} {hop} {endpoint}.
Diagnosis = tuple[str, str]


@dataclass(frozen=True)
class ProbeResult:
    """A question about a peer, its answer (cli/doctor/probe.py), and what else is known."""

    subject: str
    question: Question
    answer: dict[str, Any]
    domain: str
    # Releases of FATE: of this stack's units, and of the peer by its descriptor.
    ours: tuple[str, ...]
    theirs: str | None
    now: datetime
    # Where this stack is reached itself.
    own: OwnAddresses

    @property
    def where(self) -> str:
        """Host and port."""
        host = self.question.host
        return f"{f'[{host}]' if ':' in host else host}:{self.question.port}"

    @property
    def stage(self) -> str:
        """The step at which the question failed; empty when it was answered."""
        return str((self.answer.get("failed") or {}).get("stage", ""))

    @property
    def reason(self) -> str:
        """Why it failed."""
        return str((self.answer.get("failed") or {}).get("reason", ""))

    @property
    def hop(self) -> str:
        """The peer that runs the server that was asked."""
        return self.question.hop

    def ok(self, check: str) -> Row:
        """A row without a problem."""
        return Row(f"{self.subject}: {check}", "ok")

    def unread(self, check: str, reason: str, fix: str) -> Row:
        """A row of what cannot be known from here."""
        return Row(f"{self.subject}: {check}", "not readable", reason, fix)

    def failed(self, check: str, diagnosis: Diagnosis) -> Row:
        """A row with a problem; its words are filled in."""
        target = self.question.target
        about = {"name": target.server_name, "party": target.party, "owner": target.owner or self.hop}
        words = {"endpoint": self.question.endpoint, "hop": self.hop, **about}
        problem, fix = (_filled(text, words) for text in diagnosis)
        return Row(f"{self.subject}: {check}", "failed", problem, fix)


def _filled(text: str, words: dict[str, str]) -> str:
    """Not str.format: what a server sends may hold braces."""
    for word, meaning in words.items():
        text = text.replace(f"{{{word}}}", meaning)
    return text
