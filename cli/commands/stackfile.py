"""A folder and a stack file: `new`, `init`, `check`."""

import os
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from cli.commands import names
from cli.stackfile.first_kinds import HELP, RELEASE, StackKind
from cli.tools.errors import UsageError
from cli.tools.files import shown
from cli.tools.project import Stack
from cli.tools.verbs import Result

if TYPE_CHECKING:
    from cli.stackfile.initialize import Answers

_NEW = "new"
# What no name of a stack may have.
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")
_KNOWN_ID = (
    "the federation's id; new: make one, for the founder of a mesh (default: an exchange makes one, others get it with `fatefed peers add`)"
)
_SOURCES = "who may connect to what is published: address ranges, or `anyone` (default: a proposal in a comment, and previews warn)"
_FATE = f"of FATE, one of `fatefed releases list` (default: {RELEASE}; for a portal the last that FedLCM is known to work with)"
_NODES = "without load balancers: publish node ports, at this IP address of the nodes, which peers reach"
_RANGES = "address ranges of the cluster's pods, Services and nodes, which no peer may use (default: a proposal in a comment)"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()


def new(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="the folder to make")],
    backend: Annotated[
        str | None, typer.Option(metavar="URL", help="where states are kept, as for `pulumi login` (default: DIR/state)")
    ] = None,
    kubeconfig: Annotated[
        str | None, typer.Option(metavar="FILE", help="of your cluster (default: $KUBECONFIG, else ~/.kube/config)")
    ] = None,
) -> Result:
    """Make a folder of your own for stacks of this program: Pulumi.yaml, stacks/, .gitignore, a random passphrase (mode 0600, ignored by
    git), and env, which sets state backend, passphrase, kubeconfig and PATH in a shell. Refuses a folder that has one of them.

    Example: `fatefed new ../my-bank`
    """
    from cli.commands.next_steps import NextStep, first_steps, next_data, next_text
    from cli.stackfile.new_folder import new_folder
    from cli.tools.project import find_project

    made = new_folder(directory, backend=backend, kubeconfig=kubeconfig)
    project = find_project(made.folder)
    enter = [NextStep(f"cd {shlex.quote(str(directory))}"), NextStep(". ./env", "in each new terminal")]
    steps = [*enter, *first_steps(replace(project, named=None), _UNFIT.sub("-", made.folder.name))]
    lines = [
        f"made: {shown(made.folder)}",
        f"  state backend: {made.backend}",
        f"  kubeconfig: {made.kubeconfig}",
        f"  passphrase: {shown(made.folder / 'passphrase')}: keep a copy elsewhere; without it nobody can read the stacks' secrets",
    ]
    if made.missing:
        lines.append(f"warning: not found: {', '.join(made.missing)}; install what is missing, and add its folder to PATH in env")
    data = {"folder": str(made.folder), "backend": made.backend, "kubeconfig": made.kubeconfig, "missing": list(made.missing)}
    return Result("\n".join([*lines, next_text(steps)]), {**data, "next": next_data(steps)})


def init(
    stack: Stack,
    kind: Annotated[StackKind, typer.Argument(metavar="KIND", help="; ".join(f"{kind}: {what}" for kind, what in HELP.items()))],
    organization: Annotated[str | None, typer.Option(metavar="ORG", help="who owns the stack (default: the stack's name)")] = None,
    context: Annotated[
        str | None, typer.Option(help="of the kubeconfig (default: its current one, or one that is called like the organization)")
    ] = None,
    party_id: Annotated[str | None, typer.Option(metavar="ID", help="the party's id (default 9999)")] = None,
    federation: Annotated[str, typer.Option(metavar="NAME", help="the federation's name")] = "fraud",
    domain: Annotated[str, typer.Option(help="the domain under which its parties are named")] = "fraud.example",
    federation_id: Annotated[str | None, typer.Option(metavar="ID", help=_KNOWN_ID)] = None,
    release: Annotated[str, typer.Option(metavar="RELEASE", help=_FATE, autocompletion=names.releases, show_default=False)] = "",
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
    node_address: Annotated[str | None, typer.Option(metavar="IP", help=_NODES)] = None,
    force: Annotated[bool, typer.Option("--force", help="replace an existing file")] = False,
) -> Result:
    """Write a first stack file, `stacks/Pulumi.<stack>.yaml`: complete, commented, valid. Reads Pulumi.yaml.

    Example: `fatefed init party -s bank-a --party-id 9999 --peer consortium`
    """
    from cli.commands.next_steps import next_data, next_steps, next_text
    from cli.stackfile.initialize import Answers, init_stack
    from cli.stackfile.kinds import FIRST_STACKS
    from cli.stackfile.new_folder import PROGRAM

    if FIRST_STACKS[kind].hub and party_id is not None:
        raise UsageError("an exchange has no party id: drop --party-id, or choose another kind")
    # Who runs the exchange of a star founds it; of a mesh everybody runs `init mesh`, so its founder says so.
    founds = federation_id == _NEW or (federation_id is None and FIRST_STACKS[kind].hub)
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
        node_address=node_address,
    )
    init_stack(stack, answers, force=force)
    steps = next_steps(stack)
    lines = [f"written: {shown(stack.file)}, for {_of_whom(answers)}"]
    if FIRST_STACKS[kind].namespaced:
        namespace = f"fate-{answers.party_id}"
        lines.append("first let the cluster's administrator run:")
        role = shown(PROGRAM / "docs" / "rbac" / "namespaced.yaml")
        lines += [f"  kubectl create namespace {namespace}", f"  kubectl apply -n {namespace} -f {shlex.quote(role)}"]
    return Result("\n".join([*lines, next_text(steps)]), {"file": str(stack.file), "next": next_data(steps)})


def _of_whom(answers: "Answers") -> str:
    """What a party, its federation and its cluster are called: a wrong guess here is found late, at the exchange."""
    party = "" if answers.row.hub else f"party {answers.party_id} of "
    context = answers.context or f"{answers.organization}, a guess: there is no kubeconfig with a current context"
    return f"{party}federation {answers.federation} ({answers.domain}); cluster.context: {context}"


def _current_context() -> str | None:
    """The context that kubectl uses now; None when there is none."""
    from federation.config.kubeconfig import read_kubeconfig
    from federation.config.stack import ClusterSpec

    kubeconfig = read_kubeconfig(ClusterSpec(), os.environ.get("KUBECONFIG", ""))
    return kubeconfig.current if kubeconfig.problem(ClusterSpec()) is None else None


def check(
    stack: Stack,
    live: Annotated[
        bool, typer.Option("--live", help="also ask the cluster for the owners and the contents of the stack's namespaces")
    ] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="for all questions together")] = 30,
) -> Result:
    """Check a stack file. Reads it and its peers' descriptors, with --live also the cluster by kubectl, and the stack's outputs by
    `pulumi`, if it may, where the cluster gives the addresses of an exported descriptor; writes nothing.

    Example: `fatefed check -s bank-a --live`
    """
    from cli.commands import show
    from cli.commands.next_steps import next_data, steps_after, to_do
    from cli.doctor.own.occupants import Findings, look_around
    from cli.peers.descriptors import outdated_exports
    from cli.tools.kubectl import Cluster
    from federation.base.errors import FederationError

    loaded = stack.load()
    around = look_around(loaded, Cluster(loaded.spec.cluster, stack.project.folder, timeout)) if live else Findings()
    if around.problems:
        raise FederationError(around.problems)
    wanted = to_do(loaded, stack)
    others = [str(finding) for finding in loaded.plan.findings if not finding.before_up]
    others += [*loaded.plan.unpinned, *outdated_exports(loaded, stack), *around.warnings]
    parts = [{"place": finding.place, "text": finding.problem.rstrip(":;"), "remedy": finding.remedy} for finding in loaded.plan.findings]
    steps = steps_after(loaded, stack, wanted)
    data = {
        "units": [unit.key for unit in loaded.plan.units],
        "pending": dict(loaded.plan.pending),
        "warnings": [*others, *map(str, wanted)],
        "findings": parts,
        "todo": [{"group": one.group, "what": one.what, "command": one.command} for one in wanted],
        "next": next_data(steps),
    }
    return Result(show.check_text(loaded, stack, wanted, others, steps), data)
