"""A new password in the place of one: by another entry of fate:secrets, because an entry's name is what tells its readers to restart."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cli.keys.identity import write_edits
from cli.keys.passwords import give_command, new_password, secret_path
from cli.stackfile.edit import Scalar
from cli.tools.errors import CommandError
from cli.tools.files import shown
from cli.tools.kept import copy_of, keep_copy
from cli.tools.project import Stack
from cli.tools.pulumi import pulumi
from cli.tools.state import deployed, resources
from federation.base import naming
from federation.config.credentials import Credential
from federation.config.units import PartyUnit, party_units
from federation.manifests.secrets import SERVERS
from federation.pki.identity import SECRET
from federation.stack.load import LoadedStack
from federation.stack.plan import StackPlan
from federation.units.party.secrets import party_credentials

_JOB, _OCCASION = "kubernetes:batch/v1:Job", ("spec", "template", "metadata", "annotations", "federation.fate/occasion")
_PAGE = "docs/guides/passwords.md"


@dataclass(frozen=True)
class _Reader:
    """Who has a password: what restarts with a new one, and the Job that changes it in a server; empty: nobody but the readers keeps it."""

    restarts: str
    job: str = ""


_READERS: Mapping[str, _Reader] = {
    "mysql": _Reader("FATE-Flow, and with Eggroll its managers: running jobs of FATE stop", naming.DATABASE_PASSWORD),
    "rabbitmq": _Reader("FATE-Flow, and with Eggroll its managers: running jobs of FATE stop", naming.RABBITMQ_PASSWORD),
    "fateboard": _Reader("fateboard"),
    "notebook": _Reader("the notebook"),
}


@dataclass(frozen=True)
class Rotation:
    """What `secrets rotate` wrote: the entry that is in force, the one that was removed, and what happens at `pulumi up`. Never a value."""

    entry: str
    did: str
    at_up: str
    removed: str | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON-like data."""
        return asdict(self)


@dataclass(frozen=True)
class _Slot:
    """A password of a party: where the stack file says which entry it is."""

    unit: PartyUnit
    slot: str
    credential: Credential

    @property
    def path(self) -> tuple[str, ...]:
        return (*self.unit.path, "credentials", self.slot)


def rotate_password(stack: Stack, name: str) -> Rotation:
    """The first step for an entry that is in force, or the last one for a password that a Job has changed meanwhile.

    `name`: of an entry of fate:secrets. CommandError for one that is no password of a party, and while the Job has not changed it.
    """
    loaded = stack.load()
    slots = [one for one in _slots(loaded) if name in (one.credential.secret, one.credential.previous)]
    if (refusal := _refusal(stack, loaded, slots, name)) is not None:
        raise CommandError(f"fate:secrets.{name}", *refusal)
    changing = [one for one in slots if one.credential.previous is not None]
    rotation = _finish(stack, changing) if changing else _begin(stack, loaded, slots, name)
    keep_copy(stack)
    return rotation


def unfinished(loaded: LoadedStack) -> Iterator[str]:
    """The entries of passwords that a Job changes at `pulumi up`, and whose previous ones are still kept."""
    yield from dict.fromkeys(str(one.credential.secret) for one in _slots(loaded) if one.credential.secret and one.credential.previous)


def _slots(loaded: LoadedStack) -> list[_Slot]:
    """The passwords of the parties that are entries of fate:secrets."""
    units = party_units(loaded.spec).values()
    slots = [_Slot(unit, slot, credential) for unit in units for slot, credential in party_credentials(unit).items()]
    return [slot for slot in slots if slot.credential.secret is not None]


def _refusal(stack: Stack, loaded: LoadedStack, slots: list[_Slot], name: str) -> tuple[str, str] | None:
    """Why an entry is not changed here, and what changes it."""
    plan = loaded.plan
    # A Job changes the password that a server's own data holds.
    provided = {entry: what for entry, what in plan.provided.items() if entry not in plan.data_passwords}
    known = sorted({str(one.credential.secret) for one in _slots(loaded) if one.slot in _READERS} - provided.keys())
    rows = (
        (name == SECRET, "is the key that signs your descriptors", f"`fatefed identity create {stack.options} --replace`"),
        (name in plan.trust_names, "is a key of a party's CA", f"`fatefed trust rotate {stack.options}`"),
        (name in provided, f"is {provided.get(name)}, which only its owner changes", f"{_PAGE}, External engines"),
        (any(one.slot not in _READERS for one in slots), "is the password of MySQL's root, who may sign in inside its pod only",
         f"change it in the server first: {_PAGE}, MySQL's root"),
        (not slots, "is no password of a party of this stack", f"name one of: {', '.join(known) or 'there is none'}"),
        (name not in loaded.source.secret_names(), "is missing", _remedy(stack, plan, slots, name)),
    )  # fmt: skip
    return next(((problem, remedy) for applies, problem, remedy in rows if applies), None)


def _remedy(stack: Stack, plan: StackPlan, slots: list[_Slot], name: str) -> str:
    """The remedy for a missing entry: data of a server knows only the password that it was made with."""
    if name in plan.data_passwords:
        return f"give {plan.data_passwords[name]}: `{give_command(stack, name)}`"
    make = f"`fatefed keys init {stack.options}`"
    if any(one.slot in SERVERS for one in slots):
        return f"restore it from a copy of the stack file, such as {shown(copy_of(stack))}; {make} makes it for a party without data"
    return make


def _begin(stack: Stack, loaded: LoadedStack, slots: list[_Slot], name: str) -> Rotation:
    """Another entry takes its place; a server's stays, for the Job to sign in with. CommandError for a server that is not deployed."""
    state = deployed(stack)
    if absent := [one.unit.key for one in slots if _READERS[one.slot].job and one.unit.key not in state]:
        # Claims that `pulumi destroy` left know this password only.
        problem = f"{absent[0]} is not deployed, and claims of an earlier deployment may need this password"
        unused = f"`pulumi config rm --path {secret_path(name)} {stack.options}`, then `fatefed secrets init {stack.options}`"
        raise CommandError(f"fate:secrets.{name}", problem, f"`pulumi up {stack.options}` first; when it was never deployed: {unused}")
    entry = _free(name, loaded)
    pulumi(stack, "config", "set", "--secret", "--path", secret_path(entry), stdin=new_password())
    kept = any(_READERS[one.slot].job for one in slots)
    previous: dict[str, Scalar] = {"previous": name}
    write_edits(stack, {one.path: {"secret": entry, **(previous if _READERS[one.slot].job else {})} for one in slots})
    removed = None if kept else _remove(stack, name)
    restarts = "; ".join(dict.fromkeys(_READERS[one.slot].restarts for one in slots))
    job = "a Job changes it in the server, then these restart: " if kept else "these restart: "
    return Rotation(entry, f"made {entry} in the place of {name}", f"{job}{restarts}", removed)


def _finish(stack: Stack, slots: list[_Slot]) -> Rotation:
    """The Job did its work: what it needed goes."""
    for one in slots:
        _must_have_run(stack, one)
    write_edits(stack, {one.path: {} for one in slots}, frozenset({"previous"}))
    entry, previous = str(slots[0].credential.secret), str(slots[0].credential.previous)
    return Rotation(entry, f"{entry} is in force", "the Job and the previous password go; nothing restarts", _remove(stack, previous))


def _must_have_run(stack: Stack, one: _Slot) -> None:
    """CommandError unless the last `pulumi up` ran the Job to its end: else the server may still have the previous password."""
    name, entry = _READERS[one.slot].job, one.credential.entry
    for resource in resources(stack):
        inputs = resource.get("inputs") or {}
        metadata = inputs.get("metadata") or {}
        ours = (resource["type"], metadata.get("name"), metadata.get("namespace")) == (_JOB, name, one.unit.namespace)
        if ours and not resource.get("initErrors") and not resource.get("delete") and _at(inputs, _OCCASION) == entry:
            return
    problem = f"is not changed in the server yet: no Job {name} for it has ended well in namespace {one.unit.namespace}"
    raise CommandError(f"fate:secrets.{entry}", problem, f"`pulumi up {stack.options}` first")


def _at(data: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _remove(stack: Stack, name: str) -> str | None:
    """Take an entry out of fate:secrets, unless somebody reads it still."""
    loaded = stack.load()
    if name in loaded.plan.secret_names or name not in loaded.source.secret_names():
        return None
    pulumi(stack, "config", "rm", "--path", secret_path(name))
    return name


def _free(name: str, loaded: LoadedStack) -> str:
    """The next name that no entry has: party-9999-mysql, then party-9999-mysql-2."""
    counted = re.fullmatch(r"(.+)-(\d{1,4})", name)
    stem, number = (counted[1], int(counted[2])) if counted else (name, 1)
    taken = {*loaded.source.secret_names(), *loaded.plan.secret_names}
    return next(entry for count in itertools.count(number + 1) if (entry := f"{stem}-{count}") not in taken)
