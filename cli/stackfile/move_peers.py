"""Moving peers out of stack configuration, which Pulumi can hand to the program only up to a size, into a file of their own."""

from dataclasses import dataclass
from pathlib import Path

from cli.stackfile.edit import UNSAFE, cut
from cli.tools.errors import CommandError
from cli.tools.files import shown, write_atomic
from cli.tools.project import Stack
from federation.config.file import PeersFile, StackSource


@dataclass(frozen=True)
class Move:
    """The moved peers, and their new file."""

    file: Path
    peers: tuple[str, ...]


def move_peers(stack: Stack) -> Move:
    """Move all of fate:peers into the file that `fate:peersFile` names, by default peers/<stack>.yaml. Comments move along.

    CommandError or FederationError when nothing was written.
    """
    source = stack.source()
    text = stack.file.read_bytes().decode()
    peers = StackSource(text, "").config().get("peers")
    if not isinstance(peers, dict) or not peers:
        raise CommandError(source.place_of(("peers",)), "has no peers to move", "nothing is to be done")
    relative = source.peers_path or f"peers/{stack.short}.yaml"
    file = stack.file.parent / relative
    if source.peers_path is None and file.exists():
        raise CommandError(shown(file), "is there already", f"name it, if it is this stack's: `fate:peersFile: {relative}`; or remove it")
    rest, body = cut(text, "peers", {} if source.peers_path else {"peersFile": relative})
    before = file.read_bytes().decode() if source.peers_path else ""
    moved = before + ("\n" if before and not before.endswith("\n") else "") + body
    if PeersFile(moved, shown(file)).values != {**source.peers_file.values, **{str(name): value for name, value in peers.items()}}:
        raise CommandError(shown(file), UNSAFE, "move the peers by hand")
    # The peers' file first: were the second step to fail, the stack file would still say all.
    write_atomic(file.resolve(), moved.encode())
    write_atomic(stack.file.resolve(), rest.encode())
    return Move(file, tuple(sorted(map(str, peers))))
