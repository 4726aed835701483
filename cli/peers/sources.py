"""Where `peers add` reads a descriptor: from a file that a peer sent, or from another stack of one's own that publishes one."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from cli.peers.descriptors import descriptor_of_stack
from cli.tools.errors import CommandError
from cli.tools.files import shown
from cli.tools.project import Stack
from federation.base.json_document import MAX_BYTES
from federation.base.scalars import StackName
from federation.config.peers import PeerSpec


@dataclass(frozen=True)
class StackOutput:
    """Another stack of the same state backend, in full, and its unit; what is None is as fate:peers says."""

    stack: str | None = None
    unit: str | None = None


@dataclass(frozen=True)
class DescriptorSource:
    """A descriptor's bytes, and where they come from. `file`: its path; None when it is a unit of another stack."""

    place: str
    content: bytes
    file: Path | None = None
    stack: str | None = None
    unit: str | None = None


def load_descriptor(wanted: Path | StackOutput, name: str | None, peers: Mapping[str, PeerSpec], stack: Stack) -> DescriptorSource:
    """Read the file, or the other stack's output by `pulumi`. FederationError when there is no descriptor."""
    return load_file(_find(wanted, stack.file.parent)) if isinstance(wanted, Path) else _load_output(wanted, name, peers, stack)


def load_file(file: Path) -> DescriptorSource:
    """The content of a descriptor file. CommandError when it cannot be read."""
    try:
        # Reading a pipe would wait for ever.
        if not stat.S_ISREG(file.stat().st_mode):
            raise CommandError(shown(file), "cannot be read: it is not a regular file", "name the descriptor file that the peer sent")
        with file.open("rb") as opened:
            return DescriptorSource(shown(file), opened.read(MAX_BYTES + 1), file)
    except OSError as error:
        raise CommandError(shown(file), f"cannot be read: {error.strerror}", "name the descriptor file that the peer sent") from None


def _load_output(wanted: StackOutput, name: str | None, peers: Mapping[str, PeerSpec], stack: Stack) -> DescriptorSource:
    known = peers.get(name or "")
    other = wanted.stack or (known and known.stack)
    if not other:
        problem = f"peer {name} has no stack that could be read" if known else f"there is no peer {name}"
        raise CommandError("--name", problem, "name a descriptor FILE, or a stack: --from-stack ORGANIZATION/PROJECT/STACK")
    try:
        TypeAdapter(StackName).validate_python(other)
    except ValidationError:
        remedy = "write ORGANIZATION/PROJECT/STACK; in a file or S3 backend ORGANIZATION is the word organization: organization/fate/bank-a"
        raise CommandError("--from-stack", f"{other!r} is not the full name of a stack", remedy) from None
    unit = wanted.unit or (known.unit if known is not None and known.stack == other else None)
    output = descriptor_of_stack(stack, other, unit)
    return DescriptorSource(f"{output.unit} of stack {other}", output.descriptor.text().encode(), None, other, output.unit)


def _find(file: Path, folder: Path) -> Path:
    """The file as named from the working folder, or, as in the messages of a preview, from the folder of the stack file."""
    return file if file.exists() or file.is_absolute() or not (folder / file).exists() else folder / file
