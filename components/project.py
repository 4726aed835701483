"""Where the stack file stands: beside it are the peers' descriptors, and its lines are shown in errors."""

import os
from pathlib import Path

import pulumi

from federation.base.errors import FederationError, Problem
from federation.config.project import ProjectFile, stack_file_name


def stack_file(stack: str) -> Path:
    """`<project>/<stackConfigDir>/Pulumi.<stack>.yaml` of the project Pulumi was started in.

    A current language host says where the project is. Older ones (before 3.155) do not: then it is looked for from the
    folder Pulumi was started in upwards, and FATE_PROJECT_DIR names it where `pulumi -C` was used.
    FederationError when it is not found.
    """
    for project in _candidates():
        try:
            project_file = ProjectFile.read(project)
        except (OSError, ValueError):
            continue
        file = project_file.stack_file(stack)
        if project_file.name == pulumi.get_project() and file.is_file():
            return file
    remedy = "run pulumi in the project's folder, or set FATE_PROJECT_DIR to it"
    raise FederationError([Problem(stack_file_name(stack), "the stack's file was not found", remedy)])


def project_folder(file: Path) -> Path:
    """The folder of the project that a stack file belongs to: from there paths in a stack file are meant."""
    return next(folder for folder in file.parents if (folder / "Pulumi.yaml").is_file())


def _candidates() -> list[Path]:
    # Declared `str`, but None under a host that does not send it.
    root: str | None = pulumi.runtime.get_root_directory()
    named = [path for path in (root, os.environ.get("FATE_PROJECT_DIR")) if path]
    started = Path(os.environ.get("PWD", ".")).resolve()
    return [*(Path(path) for path in named), started, *started.parents, Path.cwd()]


def shown(file: Path) -> str:
    """The file as a user would type it: relative to the folder Pulumi was started in, when it is below."""
    relative = Path(os.path.relpath(file, os.environ.get("PWD", ".")))
    return str(file if ".." in relative.parts else relative)
