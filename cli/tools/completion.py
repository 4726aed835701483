"""What a shell completes: names out of the stack that the half-typed line is about. Errors stay silent: it is no place for them."""

import re
from collections.abc import Callable, Iterable

import typer

from cli.tools.chosen import stack_taken
from cli.tools.errors import UsageError
from cli.tools.project import Stack, find_project

# Shells evaluate what they are offered, and a stack file may come from somebody else.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

Complete = Callable[[typer.Context, str], list[str]]


def stacks(ctx: typer.Context, incomplete: str) -> list[str]:
    """The stacks of the project."""
    try:
        return offered(find_project(ctx.params.get("folder")).stack_names, incomplete)
    except UsageError:
        return []


def names_of(read: Callable[[Stack], Iterable[str]]) -> Complete:
    """Completes with what `read` says of the stack that the line names, or that a verb takes without a name."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            stack, _ = stack_taken(ctx.params.get("stack_name"), ctx.params.get("folder"))
            return offered(read(stack), incomplete)
        except Exception:  # a half-typed line is no place for an error
            return []

    return complete


def offered(names: Iterable[str], incomplete: str) -> list[str]:
    """Those that go on from what is typed."""
    return sorted(name for name in set(names) if name.startswith(incomplete) and _PLAIN.fullmatch(name))
