"""All that a new stack needs before it can be deployed: its entry in the state backend, its identity, CAs and passwords."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from cli.keys.identity import Identity, create_identity
from cli.keys.issuers import Source
from cli.keys.passwords import SecretsReport, init_secrets
from cli.keys.trust import Step, init_trust, own_authorities
from cli.tools.kept import has_keys
from cli.tools.project import Stack
from cli.tools.pulumi import EngineError, pulumi
from federation.trust.plan import CERT_MANAGER


@dataclass(frozen=True)
class KeysReport:
    """What `keys init` made, and what was there. `stack_made`: the backend did not have the stack."""

    stack_made: bool
    identity: Identity
    authorities: tuple[Step, ...]
    secrets: SecretsReport
    # Parties whose CA cert-manager holds: their operator makes or names it.
    issuers: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON-like data."""
        parties = {step.party: {"did": step.did, "next": list(step.next)} for step in self.authorities}
        identity = {"key": self.identity.key, "made": self.identity.made}
        made = {"stackMade": self.stack_made, "identity": identity, "parties": parties, "issuers": list(self.issuers)}
        return {**made, "secrets": self.secrets.plain()}


def init_keys(stack: Stack, today: date) -> KeysReport:
    """Make what is missing, nothing twice. FederationError when the configuration is wrong: then not even the stack is made."""
    spec = stack.load().spec
    parties = own_authorities(spec)
    waiting = [unit.party for unit in parties if unit.spec.tls == CERT_MANAGER and unit.party not in spec.trust.parties]
    made = _in_backend(stack)
    identity = create_identity(stack)
    steps = [step for unit in parties if unit.party not in waiting for step in init_trust(stack, today, Source(), unit.party)]
    return KeysReport(made, identity, tuple(steps), init_secrets(stack), tuple(waiting))


def _in_backend(stack: Stack) -> bool:
    """Whether the stack had to be made. A stack file with keys was in a backend before: a second one would own the same objects."""
    try:
        pulumi(stack, "stack", "output", "--json")
    except EngineError as error:
        if not error.unknown_stack or has_keys(stack.file):
            raise
        pulumi(stack, "stack", "init")
        return True
    return False
