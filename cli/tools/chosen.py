"""Which stack a verb is about."""

import os
from pathlib import Path

from cli.tools.errors import UsageError
from cli.tools.files import shown
from cli.tools.project import Stack, find_project


def stack_taken(name: str | None, folder: Path | None) -> tuple[Stack, str]:
    """The stack that -s and -C name, and why this one when -s does not: Pulumi's variable, the only one of the project, or the one that
    `pulumi stack select` chose. UsageError when none of them says which.
    """
    project = find_project(folder)
    if name is not None:
        return project.stack(name), ""
    if variable := os.environ.get("PULUMI_STACK"):
        return project.stack(variable), "named by PULUMI_STACK"
    if len(names := project.stack_names) == 1:
        return project.stack(names[0]), "the only one of this project"
    from cli.tools.pulumi import selected_stack

    if selected := selected_stack(project):
        return project.stack(selected), "selected in Pulumi"
    if not names:
        raise UsageError(f"{shown(project.stacks)} has no stack file yet: name a stack with -s STACK; `fatefed init` writes its file")
    raise UsageError(f"name the stack with -s STACK, or select one with `pulumi stack select`: {', '.join(names)}")
