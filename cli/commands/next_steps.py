"""What is to be done next for a stack: the same for every verb, worked out from the stack file alone, without cluster and backend."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cli.keys.passwords import give_command
from cli.keys.rotation import unfinished
from cli.keys.trust import own_authorities
from cli.tools.files import shown
from cli.tools.project import Project, Stack
from cli.tools.verbs import Result
from federation.base.errors import FederationError, escaped
from federation.changes.exported import outdated, planned_fields
from federation.config.kubeconfig import read_kubeconfig
from federation.pki.identity import SECRET
from federation.stack.load import LoadedStack
from federation.trust.plan import CERT_MANAGER
from federation.units.hubs import named_hubs, waiting_hubs

# What `init` and `convert` write where only the operator knows better: an address and a registry of nobody.
_PLACEHOLDER = re.compile(r"\b192\.0\.2\.\d+\b|\bregistry\.[a-z0-9-]+\.example\b")

Group = Literal["edit", "make", "give", "accept"]
GROUPS: dict[Group, str] = {
    "edit": "edit the stack file",
    "make": "make keys and passwords",
    "give": "give what only you have",
    "accept": "accept a descriptor",
}


@dataclass(frozen=True)
class ToDo:
    """One thing to do before `pulumi up`: what, and the command that does it; no command where the stack file is to be edited.

    `warnings`: those of the plan that say the same.
    """

    group: Group
    what: str
    command: str = ""
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}: `{self.command}`" if self.command else self.what


@dataclass(frozen=True)
class NextStep:
    """A command, or an edit, and what it is for."""

    command: str
    why: str = ""


def to_do(loaded: LoadedStack, stack: Stack) -> tuple[ToDo, ...]:
    """All that is to be done before the first, or the next, `pulumi up`."""
    edits = [*placeholders(stack), *nowhere(loaded, stack), *(str(finding) for finding in loaded.plan.findings if finding.before_up)]
    return (*(ToDo("edit", text) for text in edits), *_keys(loaded, stack), *_provided_secrets(loaded, stack), *_hubs(loaded, stack))


def next_steps(stack: Stack, *, after_up: bool = False) -> tuple[NextStep, ...]:
    """The steps from here to a party that is deployed and exported, in their order. `after_up`: it runs as the stack file says."""
    if not stack.file.exists():
        return first_steps(stack.project, stack.name)
    try:
        loaded = stack.load()
    except FederationError:
        return (NextStep(f"fatefed check {stack.options}", "lists what is wrong in the stack file"),)
    return steps_after(loaded, stack, to_do(loaded, stack), after_up=after_up)


def steps_after(loaded: LoadedStack, stack: Stack, wanted: Sequence[ToDo], *, after_up: bool = False) -> tuple[NextStep, ...]:
    """The same of a stack that is loaded, and of which it is known what is to be done."""
    return (*_before_up(stack, wanted), *_up(loaded, stack, after_up=after_up and not wanted))


def first_steps(project: Project, name: str = "NAME") -> tuple[NextStep, ...]:
    """The first step of a stack without a file."""
    return (NextStep(f"fatefed init KIND {project.option}-s {name}", "KIND: party, exchange, ...: `fatefed init --help` lists them"),)


def next_text(steps: Sequence[NextStep]) -> str:
    """The steps as every verb ends with them."""
    width = max((len(step.command) for step in steps), default=0)
    lines = [f"  {step.command:{width}}{f'  # {step.why}' if step.why else ''}".rstrip() for step in steps]
    return "\n".join(["next:", *map(escaped, lines)])


def with_next(stack: Stack, text: str, data: dict[str, Any], *, after_up: bool = False) -> Result:
    """What a verb did, and after it the next steps."""
    steps = next_steps(stack, after_up=after_up)
    return Result(f"{text}\n{next_text(steps)}" if steps else text, {**data, "next": next_data(steps)})


def next_data(steps: Sequence[NextStep]) -> list[str]:
    """The same for programs: the commands."""
    return [step.command for step in steps]


def _before_up(stack: Stack, wanted: Sequence[ToDo]) -> Iterator[NextStep]:
    if edits := [one for one in wanted if one.group == "edit"]:
        count = "1 place" if len(edits) == 1 else f"{len(edits)} places"
        yield NextStep(f"edit {shown(stack.file)}", f"{count}: `fatefed check {stack.options}` lists them")
    yield from (NextStep(one.command, one.what) for one in wanted if one.group != "edit")


def _up(loaded: LoadedStack, stack: Stack, *, after_up: bool) -> Iterator[NextStep]:
    """From `pulumi up` on."""
    if not after_up:
        yield NextStep(f"pulumi up {stack.options}", "shows what changes, then asks")
    for entry in unfinished(loaded):
        yield NextStep(f"fatefed secrets rotate {entry} {stack.options}", "when that went well: removes the previous password")
    hubs = {hub.peer for hub in named_hubs(loaded.spec)}
    if any(peer.by_hand and peer.name in hubs for peer in loaded.peers.accepted):
        yield NextStep(f"pulumi stack output endpoints {stack.options}", "the addresses that the operator of the exchange asks for")
    else:
        yield from _exports(loaded, stack)
    if waiting := [name for name in loaded.peers.pending if name not in hubs]:
        yield NextStep(f"fatefed peers add FILE {stack.options}", f"when the descriptor of {' or '.join(map(escaped, waiting))} arrives")


def _exports(loaded: LoadedStack, stack: Stack) -> Iterator[NextStep]:
    """An export for each unit whose peers have no descriptor, or one that is out of date."""
    spec, several = loaded.spec, len(loaded.plan.units) > 1
    key = None if spec.identity is None else spec.identity.key
    for unit in loaded.plan.units:
        exported = spec.exported.get(unit.key)
        if exported is None or outdated(exported, key, planned_fields(unit)):
            named = f" --unit {unit.key}" if several else ""
            file = f"{stack.short}-{unit.key}.json" if several else f"{stack.short}.json"
            yield NextStep(f"fatefed descriptor export {stack.options}{named} -o {file}", "then send the file to your peers")


def _keys(loaded: LoadedStack, stack: Stack) -> Iterator[ToDo]:
    """Whatever `fatefed keys init` makes, at once; of CAs that cert-manager holds, each by itself."""
    entries, plan, spec = loaded.source.secret_names(), loaded.plan, loaded.spec
    absent = {name for name in plan.secret_names if name not in entries and name not in plan.provided}
    issuers = [unit for unit in own_authorities(spec) if unit.spec.tls == CERT_MANAGER and unit.party not in spec.trust.parties]
    lacking = any(unit.lacks_authority for unit in plan.units if unit.key not in {one.key for one in issuers})
    missing = {
        "the key that signs your descriptors": spec.identity is None or SECRET not in entries,
        "a party's CA": lacking or bool(absent & plan.trust_names),
        "passwords": bool(absent - plan.trust_names),
    }
    if any(missing.values()):
        names = ", ".join(name for name, is_missing in missing.items() if is_missing)
        yield ToDo("make", f"missing: {names}", f"fatefed keys init {stack.options}")
    for unit in issuers:
        command = f"fatefed trust init {stack.options} --party {unit.party} --issuer-files DIR"
        yield ToDo("make", f"cert-manager signs for party {unit.party}, and needs a CA", command)


def _provided_secrets(loaded: LoadedStack, stack: Stack) -> Iterator[ToDo]:
    """Entries of fate:secrets that nobody but the operator has."""
    entries, plan = loaded.source.secret_names(), loaded.plan
    for name in plan.secret_names:
        if name in plan.provided and name not in entries:
            yield ToDo("give", f"secret {name} is missing; give {plan.provided[name]}", give_command(stack, name))


def _hubs(loaded: LoadedStack, stack: Stack) -> Iterator[ToDo]:
    """Exchanges and the like that a unit of the stack names, and whose descriptor was not accepted: without them it reaches nobody."""
    folder = stack.file.parent
    # Others wait because the stack file says so.
    unaccepted = {name: loaded.plan.pending[name] for name in loaded.peers.pending}
    warnings: dict[str, tuple[str, ...]] = {}
    for hub, warning in waiting_hubs(loaded.spec, unaccepted):
        warnings[hub.peer] = (*warnings.get(hub.peer, ()), warning)
    for name, repeated in warnings.items():
        peer = loaded.spec.peers[name]
        there = peer.stack is not None or (peer.descriptor is not None and (folder / peer.descriptor).exists())
        source = f"--name {name}" if peer.stack else f"{shlex.quote(str(peer.descriptor))} --name {name}"
        what = f"{name} is pending, and without it nobody is reached"
        file = "" if there else "; FILE: the descriptor that its operator sends"
        yield ToDo("accept", f"{what}{file}", f"fatefed peers add {source if there else 'FILE'} {stack.options}", repeated)


def placeholders(stack: Stack) -> Iterator[str]:
    """A sentence for what `init` and `convert` could not know, and nobody has replaced."""
    key = ""
    for number, line in enumerate(stack.file.read_text("utf-8").splitlines(), 1):
        key = line.strip() if line.lstrip().startswith("fate:") else key
        # What was exported is remembered as it was.
        if key != "fate:exported:" and (placeholder := _PLACEHOLDER.search(line.partition("#")[0])):
            yield f"{shown(stack.file)}:{number}: {placeholder[0]} leads nowhere: replace it"


def nowhere(loaded: LoadedStack, stack: Stack) -> Iterator[str]:
    """A sentence for a kubeconfig or a context that is not there. A machine without any kubeconfig may be one that deploys nothing."""
    cluster, variable = loaded.spec.cluster, os.environ.get("KUBECONFIG", "")
    kubeconfig = read_kubeconfig(cluster, variable, stack.project.folder)
    known = not cluster.in_cluster and (kubeconfig.files or kubeconfig.broken)
    if known and (wrong := kubeconfig.problem(cluster)) is not None:
        yield f"{loaded.source.place_of(('cluster', 'context'))}: {wrong[0]}: {wrong[1]}"
