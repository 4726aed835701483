"""Several `cluster.yaml`s at once: each becomes a stack file of its own, all or none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.convert.clusters import Choices
from cli.convert.convert import Conversion, convert
from cli.convert.source import ClusterFile
from cli.tools.errors import CommandError
from cli.tools.files import shown, write_atomic
from federation.base.errors import FederationError, Problem


@dataclass(frozen=True)
class Written:
    """A conversion and the file that holds it."""

    done: Conversion
    file: Path

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.done.cluster.name


def convert_files(paths: Sequence[Path], out: Path, choices: Choices, *, force: bool = False) -> tuple[Written, ...]:
    """Convert each file and write `Pulumi.<name>.yaml` into a folder. FederationError with the problems of all; then nothing is written."""
    problems: list[Problem] = []
    written: list[Written] = []
    for path in paths:
        try:
            done = convert(ClusterFile.read(path, shown(path)), choices)
        except FederationError as error:
            problems += error.problems
        else:
            written.append(Written(done, out / f"Pulumi.{done.cluster.name}.yaml"))
    problems += _clashes(written, force)
    if problems:
        raise FederationError(problems)
    for one in written:
        write_atomic(one.file, one.done.text.encode())
    return tuple(written)


def _clashes(written: Iterable[Written], force: bool) -> list[Problem]:
    """Two clusters of one name, and files that exist."""
    problems: list[Problem] = []
    sources: dict[Path, str] = {}
    for one in written:
        name = one.done.cluster.file.name
        if one.file in sources:
            problems.append(
                Problem(f"{name} name", f"{one.stack} is the name of {sources[one.file]} too", "each cluster is a stack: rename one")
            )
        elif one.file.exists() and not force:
            problems += CommandError(shown(one.file), "exists already", "choose another --out, or replace it with --force").problems
        sources.setdefault(one.file, name)
    return problems
