"""The project folder and a stack in it: where the files are."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.tools.days import today
from cli.tools.errors import CommandError, UsageError
from cli.tools.files import shown
from cli.tools.progress import waits_for
from federation.base.errors import FederationError
from federation.config.project import ProjectFile, short_name, stack_file_name, stack_of_file

if TYPE_CHECKING:
    from federation.config.file import StackSource
    from federation.stack.load import LoadedStack

# Pulumi's rule for stack names.
_STACK_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True)
class Project:
    """A folder with a Pulumi.yaml, and the folder of its stack files."""

    folder: Path
    stacks: Path
    # As the user named it with -C; None: found from the working folder.
    named: Path | None = None

    @property
    def option(self) -> str:
        """What a command needs to find this project from where this one was typed, with a blank behind it."""
        return "" if self.named is None else f"-C {shlex.quote(str(self.named))} "

    @property
    def stack_names(self) -> list[str]:
        """Of every stack file."""
        return sorted(stack_of_file(file) for file in self.stacks.glob("Pulumi.*.yaml"))

    def stack(self, name: str) -> "Stack":
        """A stack by its name, whether its file exists or not. UsageError for what cannot be a stack's name."""
        parts = name.split("/")
        if len(parts) > 3 or not all(map(_STACK_NAME.fullmatch, parts)):
            raise UsageError(f"{name!r} is not a stack name: letters, digits, dots, dashes and underscores")
        return Stack(self, name, self.stacks / stack_file_name(name))


@dataclass(frozen=True)
class Stack:
    """One organization's stack: its name as Pulumi knows it, and its file."""

    project: Project
    name: str
    file: Path

    @property
    def short(self) -> str:
        """Its name without organization and project, as in the name of its file."""
        return short_name(self.name)

    @property
    def options(self) -> str:
        """What a command of `pulumi` or `fatefed` needs to be about this stack, typed where this one was."""
        return f"{self.project.option}-s {self.name}"

    def source(self) -> "StackSource":
        """The stack file as it is written. FederationError when it cannot be read, or says a key twice."""
        from federation.config.file import StackSource

        source = StackSource.read(self.file, shown(self.file))
        if repeated := source.duplicates():
            raise FederationError(repeated)
        return source

    def load(self) -> "LoadedStack":
        """The stack, read, checked and planned. FederationError with every problem."""
        from federation.stack.load import load_stack

        if not self.file.exists():
            remedy = f"check the stack's name and the folder; stacks here: {', '.join(self.project.stack_names) or 'none'}"
            raise CommandError(shown(self.file), "cannot be read: there is no such file", remedy)
        waits_for(f"planning {shown(self.file)}")
        return load_stack(self.file, name=shown(self.file), today=today())


def find_project(folder: Path | None = None) -> Project:
    """The project in a folder; without one, the nearest project from the working folder upwards. UsageError when there is none."""
    candidates = [folder] if folder is not None else [Path.cwd(), *Path.cwd().parents]
    for candidate in candidates:
        try:
            project = ProjectFile.read(candidate)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise UsageError(f"{shown(candidate / 'Pulumi.yaml')} cannot be read: {' '.join(str(error).split())}") from None
        return Project(candidate.absolute(), project.stacks.absolute(), folder)
    where = shown(folder) if folder is not None else "this folder or above it"
    raise UsageError(f"there is no Pulumi.yaml in {where}: run in the project's folder, or name it with -C")
