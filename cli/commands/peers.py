"""Peers and what they get: `peers`, `descriptor`."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.commands import names
from cli.tools.days import DESCRIPTOR_DAYS, today
from cli.tools.errors import CommandError, UsageError
from cli.tools.files import shown, write_atomic
from cli.tools.output import say
from cli.tools.project import Stack
from cli.tools.prompt import says_yes
from cli.tools.verbs import FAILED, OK, USAGE, Result, group

if TYPE_CHECKING:
    from cli.peers.accept import Review
    from cli.peers.sources import StackOutput

_UNIT = "exchange, `party-<id>`, `serving-<id>`, serving-exchange, `site-portal-<id>`, fml-manager; needed when the stack has several"
_OTHER = "the stack that publishes it, one of your own in the same state backend: ORGANIZATION/PROJECT/STACK"
_OF_STACK = "with --from-stack: which unit, such as party-10000; needed when the stack has several"
_HEARD = "the fingerprint from the sender: refuse any other key, and accept a new key of a known peer"
_NAMES = "accept host names without addresses: whoever controls a name decides where pods of this stack connect"


def descriptor_export(
    stack: Stack,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="where to write it; - for standard output")],
    unit: Annotated[str | None, typer.Option(metavar="UNIT", help=_UNIT, autocompletion=names.units)] = None,
    days: Annotated[int, typer.Option(help="for how long peers may accept it")] = DESCRIPTOR_DAYS,
    serial: Annotated[int | None, typer.Option(metavar="N", help="continue from this serial number, if the stack file lost count")] = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="without a signature, for peers that cannot check one")] = False,
) -> Result:
    """Write the signed descriptor that peers import. Reads the stack's outputs and its key with `pulumi`; writes FILE, its serial number
    into fate:identity, and what it says into fate:exported, so that a preview says when it is out of date.

    Example: `fatefed descriptor export -s bank-a -o bank-a.json`
    """
    from cli.commands import show
    from cli.commands.next_steps import with_next
    from cli.peers.descriptors import export_descriptor, export_unsigned, remember

    export = export_unsigned(stack, unit) if unsigned else export_descriptor(stack, unit, today(), days=days, serial=serial)
    if output != "-":
        write_atomic(Path(output), export.content)
    # Last: what was not written is not remembered.
    remember(stack, export)
    if output == "-":
        return Result(export.content.decode().rstrip("\n"), export.descriptor.plain())
    return with_next(stack, show.export_text(export, output), show.export_data(export, output), after_up=True)


def peers_add(
    stack: Stack,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="the descriptor, from here or from the folder of the stack file", show_default=False),
    ] = None,
    from_stack: Annotated[str | None, typer.Option(metavar="STACK", help=_OTHER)] = None,
    unit: Annotated[str | None, typer.Option(metavar="UNIT", help=_OF_STACK)] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="the peer's name under fate:peers (default: the peer that has this descriptor, else its organization)",
            autocompletion=names.peers,
        ),
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="SHA256:...", help=_HEARD)] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="accept a file without a signature, whose sha256 you compared with its owner")
    ] = False,
    resolve: Annotated[bool, typer.Option("--resolve", help=_NAMES)] = False,
    yes: Annotated[bool, typer.Option("--yes", help="accept without asking; a key that is new here also needs --key")] = False,
    as_json: bool = False,
) -> Result:
    """Accept a peer's descriptor: checks its signature, shows who it is, what it says, the fingerprint of its key to compare with the peer,
    and which routes it changes, asks, then writes the descriptor beside the stack file, and its key, serial and sha256 into the stack file.
    `pulumi up` applies it. Instead of a file, --from-stack reads it with `pulumi` from the outputs of another stack of the same state
    backend, and --name alone reads that stack again.

    Example: `fatefed peers add consortium.json -s bank-a`
    """
    from cli.commands import show
    from cli.commands.next_steps import with_next
    from cli.peers.accept import accept, review
    from cli.peers.acceptance import Terms

    signed = key is not None or unsigned
    reviewed = review(stack, _source(file, from_stack, unit, name, signed=signed), name, Terms(today(), key, unsigned, resolve))
    if not reviewed.needed:
        text = f"peer {reviewed.name} was accepted with this descriptor before; there is nothing to write"
        return Result(text, {**reviewed.plain(), "accepted": True, "written": False})
    text = show.review_text(reviewed)
    if yes and key is None and reviewed.unheard_key is not None:
        # The one moment at which a stranger could slip in: --yes alone must not be it.
        problem = f"is signed with {reviewed.unheard_key}, a key that was not accepted before"
        raise CommandError(shown(file or Path()), problem, "compare it with the sender by phone, then name it: --key SHA256:...")
    if not yes and (as_json or not sys.stdin.isatty()):
        heard = "" if reviewed.unheard_key is None else " and --key, with the fingerprint from the sender,"
        refused = f"nothing was written: confirm with --yes{heard} to accept this descriptor"
        return Result(text, {**reviewed.plain(), "accepted": False, "written": False}, USAGE, refused)
    if not yes and not _agreed(text, reviewed):
        return Result("not accepted; nothing was written", {}, FAILED)
    accept(reviewed)
    head = f"{text}\n\n" if yes else ""
    return with_next(stack, head + show.written_text(reviewed), {**reviewed.plain(), "accepted": True, "written": True})


def _agreed(text: str, reviewed: "Review") -> bool:
    say(f"{text}\n")
    return says_yes(f"accept this descriptor for peer {reviewed.name}?")


def _source(file: Path | None, stack: str | None, unit: str | None, name: str | None, *, signed: bool) -> "Path | StackOutput":
    """The descriptor file, or the stack that publishes the descriptor."""
    from cli.peers.sources import StackOutput

    if file is not None and (stack or unit):
        raise UsageError("name a descriptor FILE or a stack, not both: --unit needs a stack")
    if file is not None:
        return file
    if stack is None and name is None:
        raise UsageError("name a descriptor FILE; or a stack with --from-stack; or a peer from a stack with --name")
    if signed:
        raise UsageError("a descriptor from a stack has no signature: remove --key and --unsigned, or name a descriptor FILE")
    return StackOutput(stack, unit)


Peer = Annotated[str, typer.Argument(metavar="NAME", help="the peer's name under fate:peers", autocompletion=names.peers)]
Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="why, for people; kept in the stack file and in the output `peers`")]


def peers_suspend(stack: Stack, name: Peer, reason: Reason = None) -> Result:
    """Take a peer's routes and trust away for a while: writes its state into the stack file and shows which routes that changes. `pulumi
    up` applies it; the peer is not asked.

    Example: `fatefed peers suspend clinic-b -s bank-a --reason "audit until Friday"`
    """
    return _state(stack, name, "suspended", reason)


def peers_resume(stack: Stack, name: Peer, reason: Reason = None) -> Result:
    """Give a suspended peer its routes back: writes its state into the stack file. `pulumi up` applies it.

    Example: `fatefed peers resume clinic-b -s bank-a`
    """
    return _state(stack, name, "active", reason)


def peers_retire(stack: Stack, name: Peer, reason: Reason = None) -> Result:
    """Part with a peer for good: writes its state into the stack file. Its party id stays with its key: no other peer can take it. `pulumi
    up` applies it; the peer is not asked.

    Example: `fatefed peers retire clinic-b -s bank-a --reason "contract ended"`
    """
    return _state(stack, name, "retired", reason)


def _state(stack: Stack, name: str, state: Literal["active", "suspended", "retired"], reason: str | None) -> Result:
    from cli.commands import show
    from cli.commands.next_steps import with_next
    from cli.peers.states import set_state

    result = set_state(stack, name, state, reason)
    data = {
        "name": result.name,
        "before": result.before,
        "state": result.state,
        "written": result.written,
        "routes": None if result.routes is None else [vars(change) for change in result.routes],
        "problems": [vars(problem) for problem in result.problems],
    }
    return replace(with_next(stack, show.state_text(result), data), code=FAILED if result.problems else OK)


def peers_move(stack: Stack) -> Result:
    """Move fate:peers out of the stack file into a file of its own, which fate:peersFile names: from about 450 peers on, Pulumi cannot hand
    the configuration to the program. What is deployed stays as it is.

    Example: `fatefed peers move -s bank-a`
    """
    from cli.commands.next_steps import with_next
    from cli.stackfile.move_peers import move_peers

    moved = move_peers(stack)
    text = f"{len(moved.peers)} peers moved to {shown(moved.file)}; what is deployed does not change by this"
    return with_next(stack, text, {"file": str(moved.file), "peers": list(moved.peers)})


def peers_list(stack: Stack) -> Result:
    """List every peer: what it is, whose, its state, and why; of a signed descriptor its serial, its last day, and its key's fingerprint.
    Reads the stack file and its peers' descriptors; writes nothing.

    Example: `fatefed peers list -s bank-a`
    """
    from cli.peers.listing import peers_data, peers_part
    from cli.tools.page import Page

    loaded = stack.load()
    peers = peers_data(loaded)
    return Result(Page((peers_part(loaded, signatures=True),)), {"peers": peers})


def descriptor_show(file: Annotated[Path, typer.Argument(metavar="FILE", help="a descriptor, signed or not")]) -> Result:
    """Print what a descriptor file says, before any stack accepts it: who published it, endpoints, CAs, the key that signed it, its sha256.
    A signature that does not fit is an error. Reads FILE; writes nothing.

    Example: `fatefed descriptor show consortium.json`
    """
    from cli.commands import show
    from cli.peers.sources import load_file
    from federation.base.errors import FederationError
    from federation.peers.descriptor import digest
    from federation.peers.signed import receive
    from federation.pki.authority import authority_summary

    origin = load_file(file)
    received = receive(origin.content, origin.place)
    if isinstance(received, tuple):
        raise FederationError(received)
    text = show.descriptor_text(received, [*map(authority_summary, received.descriptor.authorities)])
    signed = None if received.signature is None else asdict(received.signature)
    return Result(text, {"descriptor": received.descriptor.plain(), "signature": signed, "sha256": digest(received.content)})


DESCRIPTOR = group(
    "descriptor",
    "What this stack publishes, and what others do (export, show).",
    ("export", descriptor_export),
    ("show", descriptor_show),
)
PEERS = group(
    "peers",
    "Other organizations' parties and exchanges (list, add, suspend, resume, retire, move).",
    ("list", peers_list),
    ("add", peers_add),
    ("suspend", peers_suspend),
    ("resume", peers_resume),
    ("retire", peers_retire),
    ("move", peers_move),
)
