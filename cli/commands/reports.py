"""What the plan is, in many forms: `plan`, `firewall`, `topology`, `render`, `images`, `releases`."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.commands import names
from cli.tools.errors import UsageError
from cli.tools.files import shown, write_atomic
from cli.tools.output import say
from cli.tools.project import Stack
from cli.tools.verbs import Result, group

if TYPE_CHECKING:
    from cli.tools.registry import Credentials, Registries
    from federation.catalogue.releases import Release

_AGAINST = "an older stack file with its descriptors next to it (a git worktree), instead of the deployed state"
_OUT = "new, empty, or an earlier rendering, whose stale files are removed"
_SIGNED_IN = "users and passwords of registries (default: Docker's config.json of this user, then the stack's pull secret)"
_ROW = "a row of the catalogue, as in federation/catalogue/rows/fate; it may have a base"
Auth = Annotated[Path | None, typer.Option(metavar="FILE", help=_SIGNED_IN)]
Ca = Annotated[Path | None, typer.Option(metavar="FILE", help="the PEM file of a CA for registries, in addition to the machine's own CAs")]


def plan(stack: Stack, against: Annotated[Path | None, typer.Option(metavar="FILE", help=_AGAINST)] = None) -> Result:
    """Say, as Markdown, what the stack file does to running parties: which pairs, how (reload, cut, restart, data loss), who must act.
    Compares it with what the stack's state remembers (`pulumi stack export`), or with another stack file; writes nothing. Exit status: 0
    nothing stops, 3 pods restart or links are cut, 4 data is left behind.

    Example: `fatefed plan -s bank-a`
    """
    from cli.reports import changes

    impact = changes.stack_impact(stack, against)
    worst = changes.severity(impact.effects)
    data = {"effects": [effect.plain() for effect in impact.effects], "severity": worst, "unseen": list(impact.unseen)}
    return Result(changes.impact_text(impact, stack.name), data, changes.EXITS[worst])


def firewall_sheet(
    stack: Stack,
    format: Annotated[Literal["table", "csv", "markdown"], typer.Option(help="how it is printed")] = "table",
    live: Annotated[bool, typer.Option("--live", help="with the addresses that the last `pulumi up` was given")] = False,
) -> Result:
    """Print every connection that crosses the edge of the stack's cluster, for who opens firewalls: direction, hosts, ports, purpose, who
    must open it. Reads the stack file and its peers' descriptors; with --live also the stack's outputs; writes nothing.

    Example: `fatefed firewall -s bank-a --format csv > firewall.csv`
    """
    from cli.reports import firewall

    rows = firewall.firewall_sheet(stack, live=live)
    return Result(firewall.FORMATS[format](rows), {"rows": [row.plain() for row in rows]})


def draw_topology(
    stack: Stack,
    format: Annotated[
        Literal["mermaid", "html"],
        typer.Option(help="mermaid: for a Markdown page; html: a page that opens in a browser without a network"),
    ] = "mermaid",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="where to write it (default: standard output)")
    ] = None,
) -> Result:
    """Draw the federation as this stack sees it: organizations, parties and exchanges, what crosses each link, whether it is encrypted, and
    the states of peers. Reads the stack file and its peers' descriptors; writes FILE only.

    Example: `fatefed topology -s bank-a --format html -o federation.html`
    """
    from cli.reports import topology
    from federation.reports.topology import topology_of

    loaded = stack.load()
    federation = topology_of(loaded.spec, loaded.peers, loaded.plan)
    text = topology.FORMATS[format](federation)
    data = {"nodes": [asdict(node) for node in federation.nodes], "edges": [asdict(edge) for edge in federation.edges]}
    if output is None:
        return Result(text, data)
    write_atomic(output, f"{text}\n".encode())
    return Result(f"written: {shown(output)}", {**data, "file": str(output)})


def render_objects(
    out: Annotated[Path, typer.Option(metavar="DIR", help=_OUT)],
    stack: Stack | None = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="a stack file, instead of -s")] = None,
) -> Result:
    """Write every object the stack would create as `DIR/<namespace>/<kind>-<name>.yaml`, secrets as `<redacted>`, later addresses as
    `<known-after-up:...>`; how consoles are reached is in `DIR/<namespace>/access.txt`. Reads the stack file and its peers' descriptors,
    runs `helm template` ($HELM, else PATH); needs no cluster, no passphrase, no pulumi.

    Example: `fatefed render -s bank-a --out rendered`
    """
    from cli.commands import show
    from cli.reports.rendering import access_files, render, write_rendering
    from federation.stack.load import load_stack

    if config is not None and stack is None:
        loaded = load_stack(config)
    elif stack is not None and config is None:
        loaded = stack.load()
    else:
        raise UsageError("name either a stack with -s STACK, or a stack file with --config FILE")
    files = render(loaded.plan)
    write_rendering({**files, **access_files(loaded.plan)}, out)
    say(show.warnings_text(loaded.plan.warnings), sys.stderr, end="")
    return Result(f"{len(files)} objects in {out}", {"out": str(out), "files": list(files), "warnings": list(loaded.plan.warnings)})


def releases_list(stack: Stack | None = None) -> Result:
    """List every release, with its combinations of engines, devices and algorithms; with -s also the stack's own. Reads the catalogue;
    writes nothing.

    Example: `fatefed releases list`
    """
    from cli.reports import releases

    known = _known(stack)
    return Result(releases.list_text(known), releases.list_data(known))


def releases_check(file: Annotated[Path, typer.Argument(metavar="FILE", help=_ROW)]) -> Result:
    """Check a file with a release of your own: its keys, what they refer to, and that every combination can be planned. Reads the file;
    writes nothing.

    Example: `fatefed releases check stacks/releases/2.2.0-bank.yaml`
    """
    from cli.reports import releases

    text, data = releases.check(file)
    return Result(text, data)


def releases_show(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="such as 1.11.2", autocompletion=names.releases)],
    stack: Stack | None = None,
) -> Result:
    """Show one release of FATE or FATE-Serving: combinations with their modules, images, ports; with -s also one of the stack's own. Reads
    the catalogue; writes nothing.

    Example: `fatefed releases show 1.11.2`
    """
    from cli.reports import releases

    known = _known(stack)
    return Result(releases.show_text(release, known), releases.show_data(release, known))


def _known(stack: Stack | None) -> "Mapping[str, Release]":
    """The program's releases; with -s also those of the stack's own."""
    from federation.catalogue.releases import catalogue

    return catalogue() if stack is None else stack.load().spec.catalogue


def images_list(stack: Stack) -> Result:
    """List every image that the stack's nodes pull: upstream's name, to mirror it and to name its digest in fate:images.digests, and the
    reference after fate:images. Reads the stack file and its peers' descriptors; writes nothing.

    Example: `fatefed images list -s bank-a`
    """
    from cli.reports.images import images_data, images_text

    planned = stack.load().plan
    return Result(images_text(planned), images_data(planned))


def images_pin(
    stack: Stack,
    update: Annotated[bool, typer.Option("--update", help="also write the new digest if a tag moved")] = False,
    auth: Auth = None,
    ca: Ca = None,
) -> Result:
    """Ask the registries which digest each image's tag stands for, where nodes pull it, and write the digests into fate:images.digests.
    Reads $DOCKER_CONFIG/config.json for passwords, else the pull secret of the stack with `pulumi`; writes the stack file only. An image
    for several platforms is pinned with the digest for all of them.

    Example: `fatefed images pin -s bank-a`
    """
    from cli.commands.next_steps import with_next
    from cli.reports.images import Logins, pin, pins_text

    pins = pin(stack, registries(ca, Logins(stack, auth)).digest, update=update)
    return with_next(stack, pins_text(pins), pins.plain())


def registries(ca: Path | None, credentials: "Credentials") -> "Registries":
    """Registries, trusted by the machine's CAs and the one of --ca."""
    from cli.tools.registry import Registries

    if ca is not None and not ca.is_file():
        raise UsageError(f"--ca: there is no file {ca}")
    return Registries(credentials, ca)


IMAGES = group("images", "The images of a stack (list, pin).", ("list", images_list), ("pin", images_pin))
RELEASES = group(
    "releases",
    "The releases of FATE and FATE-Serving that can be deployed (list, show), and files with your own (check).",
    ("list", releases_list),
    ("check", releases_check),
    ("show", releases_show),
)
