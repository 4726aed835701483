"""A stack file: `init`, `check`."""

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from cli.commands import names
from cli.stackfile.first_kinds import HELP, RELEASE, Kind
from cli.tools.errors import UsageError
from cli.tools.files import shown
from cli.tools.project import Stack
from cli.tools.verbs import Result

if TYPE_CHECKING:
    from federation.stack.load import LoadedStack

_NEW = "new"
# What `init` and `convert` write where only the operator knows better: an address and a registry of nobody.
_PLACEHOLDER = re.compile(r"\b192\.0\.2\.\d+\b|\bregistry\.[a-z0-9-]+\.example\b")
_KNOWN_ID = (
    "the federation's id; new: make one, for who founds a mesh (default: an exchange makes one, others learn it by `fatefed peers add`)"
)
_SOURCES = "who may connect to what is published: address ranges, or `anyone` (default: a proposal in a comment, and previews warn)"
_RANGES = "address ranges of the cluster's pods, Services and nodes, where no peer may be (default: a proposal in a comment)"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()


def init(
    stack: Stack,
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="; ".join(f"{kind}: {what}" for kind, what in HELP.items()))],
    organization: Annotated[str | None, typer.Option(metavar="ORG", help="who owns the stack (default: the stack's name)")] = None,
    context: Annotated[
        str | None, typer.Option(help="of the kubeconfig (default: its current one, or one that is called like the organization)")
    ] = None,
    party_id: Annotated[str | None, typer.Option(metavar="ID", help="the party's id (default 9999)")] = None,
    federation: Annotated[str, typer.Option(metavar="NAME", help="the federation's name")] = "fraud",
    domain: Annotated[str, typer.Option(help="the domain under which its parties are named")] = "fraud.example",
    federation_id: Annotated[str | None, typer.Option(metavar="ID", help=_KNOWN_ID)] = None,
    release: Annotated[
        str, typer.Option(metavar="RELEASE", help="of FATE, one of `fatefed releases list`", autocompletion=names.releases)
    ] = RELEASE,
    computing: Annotated[
        str | None, typer.Option(metavar="ENGINE", help="FATE's computing engine; default: Spark, or with FATE 2.x Eggroll")
    ] = None,
    federation_engine: Annotated[
        str | None, typer.Option(metavar="ENGINE", help="FATE's federation engine; default: Pulsar, or with FATE 2.x OSX")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(metavar="ENGINE", help="FATE's storage engine; the default goes with the computing engine")
    ] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="a peer to announce: a party's exchange, else other parties; may be repeated"),
    ] = None,
    source_ranges: Annotated[str, typer.Option(metavar="CIDR,...", help=_SOURCES, show_default=False)] = "",
    cluster_ranges: Annotated[str, typer.Option(metavar="CIDR,...", help=_RANGES, show_default=False)] = "",
    force: Annotated[bool, typer.Option("--force", help="replace an existing file")] = False,
) -> Result:
    """Write a first stack file, `stacks/Pulumi.<stack>.yaml`: complete, commented, valid. Reads Pulumi.yaml.

    Example: `fatefed init party -s bank-a --party-id 9999 --peer consortium`
    """
    from cli.stackfile.initialize import Answers, init_stack
    from cli.stackfile.kinds import KINDS

    if KINDS[kind].hub and party_id is not None:
        raise UsageError("an exchange has no party id: drop --party-id, or choose another kind")
    # Who runs the exchange of a star founds it; of a mesh everybody runs `init mesh`, so its founder says so.
    founds = federation_id == _NEW or (federation_id is None and KINDS[kind].hub)
    answers = Answers(
        kind=kind,
        organization=organization or stack.short,
        context=context or _current_context(),
        party_id=party_id or "9999",
        federation=federation,
        domain=domain,
        federation_id=str(uuid4()) if founds else federation_id,
        release=release,
        computing=computing,
        engine=federation_engine,
        storage=storage,
        peers=tuple(peer or ()),
        source_ranges=_listed(source_ranges),
        cluster_ranges=_listed(cluster_ranges),
    )
    init_stack(stack, answers, force=force)
    verbs = ["identity create", *(["trust init"] if "tls: partyCa" in stack.file.read_text("utf-8") else []), "secrets init"]
    made = [f"fatefed {verb} {stack.options}" for verb in verbs]
    which = f"is cluster.context, now {answers.context}, the cluster that you mean?" if answers.context else "cluster.context first"
    edit = f"edit it: {which} (one of `kubectl config get-contexts`); then `fatefed check {stack.options}`"
    steps = [f"pulumi stack init {stack.project.option}{stack.name}", *made, f"pulumi preview {stack.options}"]
    namespace = f"fate-{answers.party_id}"
    granted = f"`kubectl create namespace {namespace}`, then `kubectl apply -n {namespace} -f docs/rbac/namespaced.yaml`"
    first = [edit, *([f"let the cluster's administrator run {granted}"] if KINDS[kind].namespaced else [])]
    text = "\n".join([f"written: {shown(stack.file)}", "next:", *(f"  {step}" for step in (*first, *steps))])
    return Result(text, {"file": str(stack.file), "next": steps})


def _current_context() -> str | None:
    """The context that kubectl uses now; None when there is none."""
    from federation.config.kubeconfig import read_kubeconfig
    from federation.config.stack import ClusterSpec

    found = read_kubeconfig(ClusterSpec(), os.environ.get("KUBECONFIG", ""))
    return found.current if found.problem(ClusterSpec()) is None else None


def check(
    stack: Stack,
    live: Annotated[
        bool, typer.Option("--live", help="ask the cluster, too, whose the stack's namespaces are, and what is left in them")
    ] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="for all questions together")] = 30,
) -> Result:
    """Check a stack file. Reads it and its peers' descriptors, with --live also the cluster by kubectl, and the stack's outputs by
    `pulumi`, if it may, where the cluster gives the addresses of an exported descriptor; writes nothing.

    Example: `fatefed check -s bank-a --live`
    """
    from cli.commands import show
    from cli.doctor.own.occupants import Found, look_around
    from cli.peers.descriptors import outdated_exports
    from cli.tools.kubectl import Cluster
    from federation.base.errors import FederationError

    loaded = stack.load()
    missing = _missing(loaded, stack)
    units = ", ".join(unit.key for unit in loaded.plan.units)
    around = look_around(loaded, Cluster(loaded.spec.cluster, stack.project.folder, timeout)) if live else Found()
    if around.problems:
        raise FederationError(around.problems)
    warnings = [*loaded.plan.warnings, *loaded.plan.unpinned, *outdated_exports(loaded, stack), *around.warnings]
    warnings += [*_placeholders(stack), *_nowhere(loaded, stack), *missing]
    text = f"{shown(stack.file)} is right: {units}\n{show.warnings_text(warnings)}"
    parts = [{"place": found.place, "text": found.problem.rstrip(":;"), "remedy": found.remedy} for found in loaded.plan.findings]
    keys = [unit.key for unit in loaded.plan.units]
    return Result(text.rstrip(), {"units": keys, "pending": dict(loaded.plan.pending), "warnings": warnings, "findings": parts})


def _placeholders(stack: Stack) -> Iterator[str]:
    """A warning for what `init` and `convert` could not know, and nobody has replaced."""
    key = ""
    for number, line in enumerate(stack.file.read_text("utf-8").splitlines(), 1):
        key = line.strip() if line.lstrip().startswith("fate:") else key
        # What was exported is remembered as it was.
        if key != "fate:exported:" and (found := _PLACEHOLDER.search(line.partition("#")[0])):
            yield f"{shown(stack.file)}:{number}: {found[0]} leads nowhere: replace it"


def _nowhere(loaded: "LoadedStack", stack: Stack) -> Iterator[str]:
    """A warning for a kubeconfig or a context that is not there. A machine without any kubeconfig may be one that deploys nothing."""
    from federation.config.kubeconfig import read_kubeconfig

    cluster, variable = loaded.spec.cluster, os.environ.get("KUBECONFIG", "")
    found = read_kubeconfig(cluster, variable, stack.project.folder)
    known = not cluster.in_cluster and (found.files or found.broken)
    if known and (wrong := found.problem(cluster)) is not None:
        yield f"{loaded.source.place(('cluster', 'context'))}: {wrong[0]}: {wrong[1]}"


def _missing(loaded: "LoadedStack", stack: Stack) -> list[str]:
    """A warning for what `pulumi up` will ask of fate:secrets."""
    from cli.keys.passwords import give_command

    given, plan = loaded.source.secret_names(), loaded.plan
    absent = [name for name in plan.secret_names if name not in given]
    keys = [name for name in absent if name in plan.trust_names] + [unit.key for unit in plan.units if unit.lacks_authority]
    passwords = [name for name in absent if name not in plan.trust_names and name not in plan.provided]
    made = [f"passwords are missing: `fatefed secrets init {stack.options}`"] if passwords else []
    made += [f"a party's CA is missing: `fatefed trust init {stack.options}`"] if keys else []
    return made + [
        f"secret {name} is missing; give {plan.provided[name]}: `{give_command(stack, name)}`" for name in absent if name in plan.provided
    ]
