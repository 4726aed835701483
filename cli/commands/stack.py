"""One function per verb: from parsed arguments to what is printed and the exit status."""

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cli.commands import show
from cli.convert import report
from cli.convert.clusters import Choices
from cli.convert.files import convert_files
from cli.doctor.own.occupants import Found, look_around
from cli.keys.identity import create_identity
from cli.keys.issuers import Source
from cli.keys.passwords import give_command, init_secrets
from cli.keys.trust import init_trust, rotate, waits_for_peers
from cli.peers.accept import Review, accept, review
from cli.peers.acceptance import Terms
from cli.peers.descriptors import export_descriptor, export_unsigned, outdated_exports, remember
from cli.peers.sources import StackOutput
from cli.peers.states import State, set_state
from cli.reports import releases
from cli.reports.images import Logins, images_data, images_text, pin, pins_text
from cli.reports.rendering import access_files, render, write_rendering
from cli.stackfile.initialize import Answers, init_stack
from cli.stackfile.kinds import KINDS
from cli.stackfile.move_peers import move_peers
from cli.tools.errors import CommandError, UsageError
from cli.tools.files import shown, write_atomic
from cli.tools.kept import keep_copy
from cli.tools.kubectl import Cluster
from cli.tools.output import say
from cli.tools.project import Stack, find_project
from cli.tools.prompt import says_yes
from cli.tools.registry import Credentials, Registries
from cli.tools.text import printable
from federation.base.errors import FederationError
from federation.catalogue.releases import Release, catalogue
from federation.config.kubeconfig import read_kubeconfig
from federation.config.stack import ClusterSpec
from federation.stack.load import LoadedStack, load_stack

OK, FAILED, USAGE = 0, 1, 2
_NEW = "new"
# What `init` and `convert` write where only the operator knows better: an address and a registry of nobody.
_PLACEHOLDER = re.compile(r"\b192\.0\.2\.\d+\b|\bregistry\.[a-z0-9-]+\.example\b")


@dataclass(frozen=True)
class Result:
    """What a verb found out: as text for people, as data for programs, as exit status."""

    text: str
    data: dict[str, Any]
    code: int = OK
    # Why nothing was done, for standard error.
    refused: str = ""


def stack_of(arguments: argparse.Namespace) -> Stack:
    """The stack that -C and -s name. UsageError without one."""
    if arguments.stack is None:
        raise UsageError(f"name the stack with -s STACK{_choices(arguments)}")
    return find_project(arguments.dir).stack(arguments.stack)


def _choices(arguments: argparse.Namespace) -> str:
    """Which stacks there are, for who named none."""
    try:
        names = find_project(arguments.dir).stack_names
    except UsageError:
        return ""
    return f": {', '.join(names)}" if names else ""


def init(arguments: argparse.Namespace) -> Result:
    """Write a first stack file, stacks/Pulumi.<stack>.yaml: complete, commented, valid. Reads Pulumi.yaml."""
    stack = stack_of(arguments)
    if KINDS[arguments.kind].hub and arguments.party_id is not None:
        raise UsageError("an exchange has no party id: drop --party-id, or choose another kind")
    # Who runs the exchange of a star founds it; of a mesh everybody runs `init mesh`, so its founder says so.
    known_id = arguments.federation_id
    founds = known_id == _NEW or (known_id is None and KINDS[arguments.kind].hub)
    answers = Answers(
        kind=arguments.kind,
        organization=arguments.organization or stack.short,
        context=arguments.context or _current_context(),
        party_id=arguments.party_id or "9999",
        federation=arguments.federation,
        domain=arguments.domain,
        federation_id=str(uuid4()) if founds else known_id,
        release=arguments.release,
        computing=arguments.computing,
        engine=arguments.federation_engine,
        storage=arguments.storage,
        peers=tuple(arguments.peer),
        source_ranges=arguments.source_ranges,
        cluster_ranges=arguments.cluster_ranges,
    )
    init_stack(stack, answers, force=arguments.force)
    verbs = ["identity create", *(["trust init"] if "tls: partyCa" in stack.file.read_text("utf-8") else []), "secrets init"]
    made = [f"fatefed {verb} {stack.options}" for verb in verbs]
    which = f"is cluster.context, now {answers.context}, the cluster that you mean?" if answers.context else "cluster.context first"
    edit = f"edit it: {which} (one of `kubectl config get-contexts`); then `fatefed check {stack.options}`"
    steps = [f"pulumi stack init {stack.project.option}{stack.name}", *made, f"pulumi preview {stack.options}"]
    namespace = f"fate-{answers.party_id}"
    granted = f"`kubectl create namespace {namespace}`, then `kubectl apply -n {namespace} -f docs/rbac/namespaced.yaml`"
    first = [edit, *([f"let the cluster's administrator run {granted}"] if KINDS[arguments.kind].namespaced else [])]
    text = "\n".join([f"written: {shown(stack.file)}", "next:", *(f"  {step}" for step in (*first, *steps))])
    return Result(text, {"file": str(stack.file), "next": steps})


def _current_context() -> str | None:
    """The context that kubectl uses now; None when there is none."""
    found = read_kubeconfig(ClusterSpec(), os.environ.get("KUBECONFIG", ""))
    return found.current if found.problem(ClusterSpec()) is None else None


def check(arguments: argparse.Namespace) -> Result:
    """Check a stack file. Reads it and its peers' descriptors, with --live also the cluster by kubectl, and the stack's outputs by
    `pulumi`, if it may, where the cluster gives the addresses of an exported descriptor; writes nothing.
    """
    stack = stack_of(arguments)
    loaded = stack.load()
    missing = _missing(loaded, stack)
    units = ", ".join(unit.key for unit in loaded.plan.units)
    around = look_around(loaded, Cluster(loaded.spec.cluster, stack.project.folder, arguments.timeout)) if arguments.live else Found()
    if around.problems:
        raise FederationError(around.problems)
    warnings = [*loaded.plan.warnings, *loaded.plan.unpinned, *outdated_exports(loaded, stack), *around.warnings]
    warnings += [*_placeholders(stack), *_nowhere(loaded, stack), *missing]
    text = f"{shown(stack.file)} is right: {units}\n{show.warnings_text(warnings)}"
    parts = [{"place": found.place, "text": found.problem.rstrip(":;"), "remedy": found.remedy} for found in loaded.plan.findings]
    keys = [unit.key for unit in loaded.plan.units]
    return Result(text.rstrip(), {"units": keys, "pending": dict(loaded.plan.pending), "warnings": warnings, "findings": parts})


def secrets_init(arguments: argparse.Namespace) -> Result:
    """Make the passwords that are missing and write them into the stack file, encrypted by `pulumi config set --secret`; existing entries
    stay, no value is shown. Lists the certificates that only you can give.
    """
    stack = stack_of(arguments)
    report = init_secrets(stack)
    keep_copy(stack)
    return Result(show.secrets_text(report, stack), report.plain())


def identity_create(arguments: argparse.Namespace) -> Result:
    """Write the organization's Ed25519 key: the private part goes into fate:secrets, encrypted by `pulumi config set --secret`, its
    fingerprint into fate:identity. A key that is there stays.
    """
    stack = stack_of(arguments)
    found = create_identity(stack, replace=arguments.replace)
    keep_copy(stack)
    return Result(show.identity_text(found, stack), {"key": found.key, "made": found.made})


def identity_show(arguments: argparse.Namespace) -> Result:
    """Print the fingerprint that peers compare with yours. Reads the stack file; writes nothing."""
    identity = stack_of(arguments).load().spec.identity
    if identity is None:
        raise CommandError(f"stack {arguments.stack}", "has no key", f"make one: `fatefed identity create -s {arguments.stack}`")
    exported = "no descriptor was exported yet" if identity.serial is None else f"serial of the last exported descriptor: {identity.serial}"
    if not arguments.json:
        # Standard output is the fingerprint alone: scripts hand it on.
        say(exported, sys.stderr)
    return Result(identity.key, identity.plain())


def trust_init(arguments: argparse.Namespace) -> Result:
    """Write what parties with `tls: partyCa` lack: for each a CA, limited to the party's own names, and its server's key; the keys into
    fate:secrets, encrypted by `pulumi config set --secret`, the CA's certificate into fate:trust. What is there stays. For a party with
    `tls: certManager` the CA's key goes into DIR instead, with an Issuer for cert-manager.
    """
    stack = stack_of(arguments)
    steps = init_trust(stack, today(), Source(arguments.issuer_files, arguments.authority), arguments.party)
    keep_copy(stack)
    text = "\n".join(show.step_text(step) for step in steps) or "no party has `tls: partyCa` or certManager with an engine that uses TLS"
    return Result(text, {"parties": {step.party: {"did": step.did, "next": list(step.next)} for step in steps}})


def trust_rotate(arguments: argparse.Namespace) -> Result:
    """Write the next of three steps that replace a party's CA: the new one is trusted beside the old one; it signs; the old one goes.
    Between them `pulumi up`, and peers accept the descriptor. Writes fate:secrets and fate:trust; with `tls: certManager` fate:trust, the
    party's issuer, and DIR.
    """
    stack = stack_of(arguments)
    if waits_for_peers(stack, arguments.party) and not arguments.yes:
        question = "a peer that did not accept the step before loses its link: do the next step?"
        if arguments.json or not sys.stdin.isatty():
            said = "nothing was written: there is nobody to ask; add --yes when every peer is ready"
            return Result("", {"written": False}, USAGE, said)
        if not says_yes(question):
            return Result("nothing was written", {"written": False}, FAILED)
    step = rotate(stack, arguments.party, today(), Source(arguments.issuer_files, arguments.authority), arguments.issuer)
    keep_copy(stack)
    return Result(show.step_text(step), {"party": step.party, "did": step.did, "next": list(step.next), "written": True})


def descriptor_export(arguments: argparse.Namespace) -> Result:
    """Write the signed descriptor that peers import. Reads the stack's outputs and its key with `pulumi`; writes FILE, its serial number
    into fate:identity, and what it says into fate:exported, so that a preview says when it is out of date.
    """
    stack = stack_of(arguments)
    if arguments.unsigned:
        export = export_unsigned(stack, arguments.unit)
    else:
        export = export_descriptor(stack, arguments.unit, today(), days=arguments.days, serial=arguments.serial)
    if arguments.output != "-":
        write_atomic(Path(arguments.output), export.content)
    # Last: what was not written is not remembered.
    remember(stack, export)
    keep_copy(stack)
    if arguments.output == "-":
        return Result(export.content.decode().rstrip("\n"), export.descriptor.plain())
    return Result(show.export_text(export, arguments.output), show.export_data(export, arguments.output))


def peers_add(arguments: argparse.Namespace) -> Result:
    """Accept a peer's descriptor: checks its signature, shows who it is, what it says, the fingerprint of its key to compare with the peer,
    and which routes it changes, asks, then writes the descriptor beside the stack file, and its key, serial and sha256 into the stack file.
    `pulumi up` applies it. Instead of a file, --from-stack reads it with `pulumi` from the outputs of another stack of the same state
    backend, and --name alone reads that stack again.
    """
    terms = Terms(today(), arguments.key, arguments.unsigned, arguments.resolve)
    found = review(stack_of(arguments), _given(arguments), arguments.name, terms)
    if not found.needed:
        text = f"peer {found.name} was accepted with this descriptor already; nothing to write"
        return Result(text, {**found.plain(), "accepted": True, "written": False})
    text = show.review_text(found)
    if arguments.yes and arguments.key is None and found.unheard_key is not None:
        # The one moment at which a stranger could slip in: --yes alone must not be it.
        problem = f"is signed with {found.unheard_key}, a key that was not accepted before"
        raise CommandError(shown(arguments.file), problem, "compare it with the sender by phone, then name it: --key SHA256:...")
    if not arguments.yes and (arguments.json or not sys.stdin.isatty()):
        key = "" if found.unheard_key is None else " and --key, with the fingerprint that the sender told you,"
        said = f"nothing was written: there is nobody to ask; add --yes{key} to accept this descriptor"
        return Result(text, {**found.plain(), "accepted": False, "written": False}, USAGE, said)
    if not arguments.yes and not _agreed(text, found):
        return Result("not accepted; nothing was written", {}, FAILED)
    accept(found)
    head = f"{text}\n\n" if arguments.yes else ""
    return Result(
        head + show.written_text(found), {**found.plain(), "accepted": True, "written": True, "next": show.applied_by(found.stack)}
    )


def _given(arguments: argparse.Namespace) -> Path | StackOutput:
    """The descriptor file, or the stack that publishes the descriptor."""
    file: Path | None = arguments.file
    stack, unit = arguments.from_stack, arguments.unit
    if file is not None and (stack or unit):
        raise UsageError("name a descriptor FILE or a stack, not both: --unit is one of a stack's")
    if file is not None:
        return file
    if stack is None and arguments.name is None:
        raise UsageError("name a descriptor FILE; or a stack with --from-stack; or with --name a peer whose stack is to be read again")
    if arguments.key or arguments.unsigned:
        raise UsageError("what a stack publishes is not signed: drop --key and --unsigned, or name a descriptor FILE")
    return StackOutput(stack, unit)


def peers_suspend(arguments: argparse.Namespace) -> Result:
    """Take a peer's routes and trust away for a while: writes its state into the stack file and shows which routes that changes. `pulumi
    up` applies it; the peer is not asked.
    """
    return _peers_state(arguments, "suspended")


def peers_resume(arguments: argparse.Namespace) -> Result:
    """Give a suspended peer its routes back: writes its state into the stack file. `pulumi up` applies it."""
    return _peers_state(arguments, "active")


def peers_retire(arguments: argparse.Namespace) -> Result:
    """Part with a peer for good: writes its state into the stack file. Its party id stays with its key: no other peer can take it. `pulumi
    up` applies it; the peer is not asked.
    """
    return _peers_state(arguments, "retired")


def _peers_state(arguments: argparse.Namespace, state: State) -> Result:
    stack = stack_of(arguments)
    found = set_state(stack, arguments.name, state, arguments.reason)
    following = show.applied_by(stack, "--diff")
    data = {
        "name": found.name,
        "before": found.before,
        "state": found.state,
        "written": found.written,
        "routes": None if found.routes is None else [vars(change) for change in found.routes],
        "problems": [vars(problem) for problem in found.problems],
        "next": following,
    }
    return Result(show.state_text(found, following), data, FAILED if found.problems else OK)


def peers_move(arguments: argparse.Namespace) -> Result:
    """Move fate:peers out of the stack file into a file of its own, which fate:peersFile names: from about 450 peers on, Pulumi cannot hand
    the configuration to the program. What is deployed stays as it is.
    """
    stack = stack_of(arguments)
    moved = move_peers(stack)
    following = f"pulumi preview {stack.options}"
    text = f"{len(moved.peers)} peers moved to {shown(moved.file)}\nnext: `{following}`: nothing changes by this"
    return Result(text, {"file": str(moved.file), "peers": list(moved.peers), "next": [following]})


def render_objects(arguments: argparse.Namespace) -> Result:
    """Write every object the stack would create as DIR/<namespace>/<kind>-<name>.yaml, secrets as <redacted>, later addresses as
    <known-after-up:...>; how consoles are reached is in DIR/<namespace>/access.txt. Reads the stack file and its peers' descriptors, runs
    `helm template` ($HELM, else PATH); needs no cluster, no passphrase, no pulumi.
    """
    if (arguments.config is None) == (arguments.stack is None):
        raise UsageError("name either a stack with -s STACK, or a stack file with --config FILE")
    loaded = stack_of(arguments).load() if arguments.config is None else load_stack(arguments.config)
    files = render(loaded.plan)
    write_rendering({**files, **access_files(loaded.plan)}, arguments.out)
    say(show.warnings_text(loaded.plan.warnings), sys.stderr, end="")
    text = f"{len(files)} objects in {arguments.out}"
    return Result(text, {"out": str(arguments.out), "files": list(files), "warnings": list(loaded.plan.warnings)})


def releases_list(arguments: argparse.Namespace) -> Result:
    """List every release, with its combinations of engines, devices and algorithms; with -s also the stack's own. Reads the catalogue;
    writes nothing.
    """
    known = _releases(arguments)
    return Result(releases.list_text(known), releases.list_data(known))


def releases_check(arguments: argparse.Namespace) -> Result:
    """Check a file with a release of your own: its keys, what they refer to, and that every combination can be planned. Reads the file;
    writes nothing.
    """
    text, data = releases.check(arguments.file)
    return Result(text, data)


def releases_show(arguments: argparse.Namespace) -> Result:
    """Show one release of FATE or FATE-Serving: combinations with their modules, images, ports; with -s also one of the stack's own. Reads
    the catalogue; writes nothing.
    """
    known = _releases(arguments)
    return Result(releases.show_text(arguments.release, known), releases.show_data(arguments.release, known))


def _releases(arguments: argparse.Namespace) -> Mapping[str, Release]:
    """The program's releases; with -s also those of the stack's own."""
    return catalogue() if arguments.stack is None else stack_of(arguments).load().spec.catalogue


def images_list(arguments: argparse.Namespace) -> Result:
    """List every image that the stack's nodes pull: upstream's name, to mirror it and to name its digest in fate:images.digests, and the
    reference after fate:images. Reads the stack file and its peers' descriptors; writes nothing.
    """
    plan = stack_of(arguments).load().plan
    return Result(images_text(plan), images_data(plan))


def images_pin(arguments: argparse.Namespace) -> Result:
    """Ask the registries which digest each image's tag stands for, where nodes pull it, and write the digests into fate:images.digests.
    Reads $DOCKER_CONFIG/config.json for passwords, else the pull secret of the stack with `pulumi`; writes the stack file only. An image
    for several platforms is pinned with the digest for all of them.
    """
    stack = stack_of(arguments)
    pins = pin(stack, registries_of(arguments, Logins(stack, arguments.auth)).digest, update=arguments.update)
    return Result(pins_text(pins, stack), pins.plain())


def registries_of(arguments: argparse.Namespace, credentials: Credentials) -> Registries:
    """Registries, trusted by the machine's CAs and the one of --ca."""
    if arguments.ca is not None and not arguments.ca.is_file():
        raise UsageError(f"--ca: there is no file {arguments.ca}")
    return Registries(credentials, arguments.ca)


def today() -> date:
    """The day, in UTC."""
    return datetime.now(UTC).date()


def convert_kubefate(arguments: argparse.Namespace) -> Result:
    """Write DIR/Pulumi.<name>.yaml for each cluster.yaml of KubeFATE (charts fate, fate-exchange, fate-serving; v1.5.0 and up), with the
    same meaning. One cluster is one stack. Lists what could not be carried over, in the file too, and the commands that give the passwords,
    none of which is written. Nothing is written when a file is wrong.
    """
    choices = Choices(
        organization=arguments.organization,
        federation=arguments.federation,
        domain=arguments.domain,
        node_address=arguments.node_address,
        release=arguments.release,
    )
    written = convert_files(arguments.files, arguments.out, choices, force=arguments.force)
    text = "\n\n".join(report.as_text(one.done, shown(one.file), one.stack) for one in written)
    return Result(printable(text), {"converted": [report.as_data(one.done, str(one.file), one.stack) for one in written]})


def _agreed(text: str, found: Review) -> bool:
    say(f"{text}\n")
    return says_yes(f"accept this descriptor for peer {found.name}?")


def _placeholders(stack: Stack) -> Iterator[str]:
    """A warning for what `init` and `convert` could not know, and nobody has replaced."""
    key = ""
    for number, line in enumerate(stack.file.read_text("utf-8").splitlines(), 1):
        key = line.strip() if line.lstrip().startswith("fate:") else key
        # What was exported is remembered as it was.
        if key != "fate:exported:" and (found := _PLACEHOLDER.search(line.partition("#")[0])):
            yield f"{shown(stack.file)}:{number}: {found[0]} leads nowhere: replace it"


def _nowhere(loaded: LoadedStack, stack: Stack) -> Iterator[str]:
    """A warning for a kubeconfig or a context that is not there. A machine without any kubeconfig may be one that deploys nothing."""
    cluster, variable = loaded.spec.cluster, os.environ.get("KUBECONFIG", "")
    found = read_kubeconfig(cluster, variable, stack.project.folder)
    known = not cluster.in_cluster and (found.files or found.broken)
    if known and (wrong := found.problem(cluster)) is not None:
        yield f"{loaded.source.place(('cluster', 'context'))}: {wrong[0]}: {wrong[1]}"


def _missing(loaded: LoadedStack, stack: Stack) -> list[str]:
    """A warning for what `pulumi up` will ask of fate:secrets."""
    given, plan = loaded.source.secret_names(), loaded.plan
    absent = [name for name in plan.secret_names if name not in given]
    keys = [name for name in absent if name in plan.trust_names] + [unit.key for unit in plan.units if unit.lacks_authority]
    passwords = [name for name in absent if name not in plan.trust_names and name not in plan.provided]
    made = [f"passwords are missing: `fatefed secrets init {stack.options}`"] if passwords else []
    made += [f"a party's CA is missing: `fatefed trust init {stack.options}`"] if keys else []
    return made + [
        f"secret {name} is missing; give {plan.provided[name]}: `{give_command(stack, name)}`" for name in absent if name in plan.provided
    ]
