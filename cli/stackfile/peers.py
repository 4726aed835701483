"""Where a stack keeps what it accepted of its peers: their descriptor files, and its own entry of each peer."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.stackfile.edit import Scalar, with_entry, with_fields
from cli.tools.errors import CommandError
from cli.tools.files import shown, write_atomic
from cli.tools.project import Stack
from federation.base.errors import FederationError
from federation.config.file import StackSource
from federation.peers.descriptor import Descriptor, digest


@dataclass(frozen=True)
class PeerEntry:
    """Where a stack remembers a peer: under fate:peers, or in the file that fate:peersFile names."""

    file: Path
    name: str
    elsewhere: bool

    @classmethod
    def of(cls, stack: Stack, source: StackSource, name: str) -> "PeerEntry":
        """The entry of a peer; a new one comes to the peers' file, if there is one."""
        elsewhere = source.peers_path if source.is_elsewhere(name) else None
        return cls(stack.file if elsewhere is None else stack.file.parent / elsewhere, name, elsewhere is not None)

    @property
    def shown(self) -> str:
        """As messages name it."""
        return f"{self.name} in {shown(self.file)}" if self.elsewhere else f"fate:peers.{self.name} in {shown(self.file)}"

    def edited(self, text: str, fields: Mapping[str, Scalar], drop: frozenset[str]) -> str:
        """The file's text with these fields of the entry, and without those to drop. CommandError when it cannot be edited."""
        if self.elsewhere:
            return with_entry(text, shown(self.file), (self.name,), fields, drop)
        return with_fields(text, ("peers", self.name), fields, drop)

    def write(self, fields: Mapping[str, Scalar], drop: frozenset[str]) -> None:
        """Edit the file in place, keeping its comments."""
        file = self.file.resolve()
        write_atomic(file, self.edited(file.read_bytes().decode(), fields, drop).encode())


def identifying(descriptor: Descriptor) -> dict[str, Scalar]:
    """What the entry of a severed peer remembers of its descriptor: with that the file may go."""
    party = {} if descriptor.party_id is None else {"partyId": descriptor.party_id}
    return {**party, **({} if descriptor.kind == "party" else {"kind": descriptor.kind})}


def place_of(file: Path | None, content: bytes, stack: Stack, name: str, usual: str) -> str:
    """The path, from the folder of the stack file, at which a peer's descriptor is to lie: where it is, when that is there already.
    `given`: the file; None when it came from another stack.

    Else `usual`; but below a folder of the stack's own when another file was accepted at that path: for another peer, who chose
    neither, or by another stack, since an organization in two federations has two, and a peer may have one name in both.
    """
    folder, real = stack.file.parent, file and file.resolve()
    if real is not None and real.is_relative_to(folder.resolve()):
        return real.relative_to(folder.resolve()).as_posix()
    usual = _inside(usual, folder)
    if _accepted_for_another(folder / usual, digest(content), stack, name):
        return _inside(f"peers/{stack.short}/{Path(usual).name}", folder)
    return usual


def leads_to(folder: Path, relative: str, file: Path) -> bool:
    """Whether what a stack file in a folder says is the path of a file."""
    try:
        return (folder / relative).resolve() == file.resolve()
    except (OSError, ValueError, RuntimeError):  # a NUL in the name, a loop of links
        return False


def holds(path: Path, content: bytes) -> bool:
    """Whether a file is there with just this content."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest()


def _inside(relative: str, folder: Path) -> str:
    if Path(relative).is_absolute() or not (folder / relative).parent.resolve().is_relative_to(folder.resolve()):
        raise CommandError(relative, "is outside the folder of the stack file", "keep descriptors in peers/ next to the stack file")
    return relative


def _accepted_for_another(path: Path, sha256: str, stack: Stack, name: str) -> bool:
    """Whether another peer of this stack, or another stack of the project, relies on what is in the file."""
    for file in sorted(stack.file.parent.glob("Pulumi.*.yaml")):
        own = file.resolve() == stack.file.resolve()
        try:
            peers = StackSource.read(file).config().get("peers")
        except FederationError:  # it cannot be read now: it may rely on any file
            if path.exists() and digest(path.read_bytes()) != sha256:
                return True
            continue
        for other, entry in peers.items() if isinstance(peers, dict) else ():
            fields = entry if isinstance(entry, dict) and not (own and str(other) == name) else {}
            if leads_to(file.parent, str(fields.get("descriptor", "")), path) and fields.get("sha256") not in (None, sha256):
                return True
    return False
