"""A Pulumi project as its Pulumi.yaml describes it: which project it is, and where its stack files are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml

from federation.base.yaml_file import MISTAGGED


@dataclass(frozen=True)
class ProjectFile:
    """What a Pulumi.yaml says. `name`: None where it names none. `stacks`: the folder of the stack files, which may not exist."""

    name: str | None
    stacks: Path

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The Pulumi.yaml of a folder. OSError when it cannot be read, FileNotFoundError when there is none; ValueError for no YAML."""
        try:
            content = yaml.safe_load((folder / "Pulumi.yaml").read_text("utf-8"))
        except (yaml.YAMLError, *MISTAGGED) as error:
            raise ValueError(str(error)) from None
        settings = content if isinstance(content, dict) else {}
        return cls(settings.get("name"), folder / str(settings.get("stackConfigDir") or "."))

    def stack_file(self, stack: str) -> Path:
        """The file of a stack, by its name as Pulumi knows it."""
        return self.stacks / stack_file_name(stack)


def short_name(stack: str) -> str:
    """A stack's name without organization and project: `organization/project/stack` has the same file as `stack`."""
    return stack.rsplit("/", 1)[-1]


def stack_file_name(stack: str) -> str:
    """The name of a stack's file, by the stack's name as Pulumi knows it."""
    return f"Pulumi.{short_name(stack)}.yaml"


def stack_of_file(file: Path) -> str:
    """The stack that a file is of, by the file's name: the other way round."""
    return file.name.removeprefix("Pulumi.").removesuffix(".yaml")
