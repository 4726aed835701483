"""The entries of fate:secrets: passwords that fatefed can make, and files that only the operator has."""

import json
import re
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from cli.tools.errors import CommandError
from cli.tools.kept import keep_copy
from cli.tools.project import Stack
from cli.tools.pulumi import EngineError, pulumi
from federation.manifests.secrets import SERVERS, server_passwords
from federation.stack.plan import StackPlan

_BYTES = 24  # 32 URL-safe characters
_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class MissingSecret:
    """An entry that only the operator can give: what it is, and the command to give it."""

    name: str
    what: str
    command: str


@dataclass(frozen=True)
class SecretsReport:
    """What `secrets init` did: names only, never a value."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    missing: tuple[MissingSecret, ...]
    # Keys that `fatefed trust init` makes.
    unmade: tuple[str, ...] = ()
    # Namespaces of servers with a new password: data that is there already, such as after `pulumi destroy`, knows only that of then.
    namespaces: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As JSON-like data."""
        return asdict(self)


def init_secrets(stack: Stack) -> SecretsReport:
    """Write every password the plan wants and the stack file lacks, encrypted; nothing is overwritten.

    FederationError when the configuration is wrong; CommandError when pulumi cannot encrypt (no stack, no passphrase).
    """
    loaded = stack.load()
    present, provided = loaded.source.secret_names(), loaded.plan.provided
    absent = [name for name in loaded.plan.secret_names if name not in present]
    written = [name for name in absent if name not in provided and name not in loaded.plan.trust_names]
    if written:
        _must_not_be_in_use(stack, loaded.plan, written)
    for name in written:
        pulumi(stack, "config", "set", "--secret", "--path", secret_path(name), stdin=new_password())
    keep_copy(stack)
    missing = [MissingSecret(name, provided[name], give_command(stack, name)) for name in absent if name in provided]
    unmade = [name for name in absent if name in loaded.plan.trust_names]
    kept = [name for name in loaded.plan.secret_names if name in present]
    new = {unit.namespace for unit in loaded.plan.units if {*server_passwords(unit.secrets).values()} & {*written}}
    return SecretsReport(tuple(written), tuple(kept), tuple(missing), tuple(unmade), tuple(sorted(new)))


def _must_not_be_in_use(stack: Stack, plan: StackPlan, names: list[str]) -> None:
    """CommandError for the lost password of a deployed server: a new one in its Secret would lock everything else out."""
    try:
        deployed: dict[str, dict[str, Any]] = json.loads(pulumi(stack, "stack", "output", "modules", "--json"))
    except EngineError:
        return  # not deployed; anything else shows when the first password is written
    for unit in plan.units:
        for secret in unit.secrets:
            module = secret.name.removesuffix("-credentials")
            lost = sorted(set(secret.sources.values()) & set(names))
            if module in SERVERS and module in deployed.get(unit.key, {}) and lost:
                remedy = (
                    "restore the entry from a copy of the stack file, or read it from that Secret: with a new one clients cannot sign in"
                )
                raise CommandError(f"fate:secrets.{lost[0]}", f"is gone, but {unit.key} is deployed with it (Secret {secret.name})", remedy)


def new_password() -> str:
    """32 random URL-safe characters; the first is a letter or a digit, so that no program takes it for an option."""
    while not (password := secrets.token_urlsafe(_BYTES))[0].isalnum():
        pass
    return password


def secret_path(name: str) -> str:
    """The path of an entry of fate:secrets, as `pulumi config set --path` reads it."""
    if _SIMPLE.fullmatch(name):
        return f"fate:secrets.{name}"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'fate:secrets["{escaped}"]'


def give_command(stack: Stack, name: str) -> str:
    """The command that puts a file into fate:secrets."""
    return f"pulumi config set --secret --path '{secret_path(name)}' {stack.options} < FILE"
