"""Exporting what a stack publishes: the descriptor file that peers import."""

import json
from pathlib import Path

from cli.engine import EngineError, pulumi
from cli.errors import CommandError
from cli.files import write_atomic
from cli.project import Stack
from federation.descriptor import Descriptor, parse
from federation.errors import FederationError


def export_descriptor(stack: Stack, unit: str | None = None) -> Descriptor:
    """The descriptor of one deployed party or exchange, read from the stack's outputs.

    `unit` is `exchange` or `party-<id>`; it may be absent when the stack has exactly one. FederationError when it is not
    deployed, not known, or (a defect of the program) not a valid descriptor.
    """
    published = _published(stack)
    known = ", ".join(sorted(published))
    if unit is None and len(published) > 1:
        raise CommandError(f"stack {stack.name}", f"publishes more than one descriptor: {known}", "choose one with --unit")
    chosen = unit or next(iter(published))
    if chosen not in published:
        remedy = f"choose one of {known}; a new one is there after `pulumi up`"
        raise CommandError(f"stack {stack.name}", f"has no deployed unit {chosen}", remedy)
    found = parse(json.dumps(published[chosen]).encode(), f"output descriptors.{chosen} of stack {stack.name}")
    if isinstance(found, Descriptor):
        return found
    raise FederationError(found)


def write_descriptor(descriptor: Descriptor, path: Path) -> None:
    """Write the canonical text of a descriptor. CommandError when the path cannot be written."""
    write_atomic(path, descriptor.text().encode())


def _published(stack: Stack) -> dict[str, object]:
    not_yet = CommandError(f"stack {stack.name}", "is not deployed yet, so it has no addresses to publish", "run `pulumi up` first")
    try:
        published = json.loads(pulumi(stack, "stack", "output", "descriptors", "--json"))
    except EngineError as error:
        raise (not_yet if "does not have output property" in error.output else error) from None
    if not isinstance(published, dict) or not published:
        raise not_yet
    return published
