"""What stacks of one owner publish to each other: a descriptor in the outputs of another stack of the same state backend.

It comes in by `fatefed peers add` only, like a file. The program reads the stack again at each preview, to say what it publishes by now.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from federation.base.errors import Problem
from federation.base.json_document import Problems
from federation.config.stack import StackSpec
from federation.peers.accepted import Peers, membership_problems
from federation.peers.descriptor import Descriptor, changes_text, differences, parse

# What pulumi prints in a secret's place.
HIDDEN = "[secret]"


@dataclass(frozen=True)
class Unread:
    """Another stack that the engine could not read, and why."""

    why: str


@dataclass(frozen=True)
class UnitDescriptor:
    """What one unit of a stack publishes."""

    unit: str
    descriptor: Descriptor


def published_unit(published: object, unit: str | None, stack: str) -> UnitDescriptor | Problems:
    """The descriptor of one unit in a stack's output `descriptors`, or why there is none. None: the stack has no such output.

    `unit` may be absent when the stack has exactly one.
    """
    place = f"stack {stack}"
    if isinstance(published, Unread):
        remedy = "name it in full, ORGANIZATION/PROJECT/STACK, and log in to the state backend that holds both stacks"
        return (Problem(place, f"cannot be read: {published.why}", remedy),)
    if published == HIDDEN:
        return (
            Problem(
                place,
                "its output `descriptors` is a secret, but a descriptor never holds a secret",
                "find out which of its values is secret",
            ),
        )
    if not isinstance(published, dict) or not published:
        problem = "publishes no descriptor: it is not deployed"
        return (Problem(place, problem, "run `pulumi up` of that stack first"),)
    known = ", ".join(sorted(published))
    if unit is None and len(published) > 1:
        return (Problem(place, f"publishes more than one descriptor: {known}", "choose one with --unit"),)
    chosen = unit or next(iter(published))
    if chosen not in published:
        return (Problem(place, f"has no deployed unit {chosen}", f"choose one of {known}; a new unit is published after `pulumi up`"),)
    descriptor = parse(json.dumps(_whole(published[chosen]), default=str).encode(), f"output descriptors.{chosen} of {place}")
    return UnitDescriptor(chosen, descriptor) if isinstance(descriptor, Descriptor) else descriptor


def source_warnings(spec: StackSpec, peers: Peers, read: Callable[[str], object], name: str) -> Iterator[str]:
    """Peers whose stack publishes something else than was accepted, or cannot be read; what was accepted stands in either case.

    `read`: the output `descriptors` of a stack as `published_unit` takes it; `name`: of this stack, for commands.
    """
    ask = cache(read)
    for peer in peers.accepted:
        entry = spec.peers[peer.name]
        if entry.stack is None or peer.state == "retired":
            continue
        unit = published_unit(ask(entry.stack), entry.unit, entry.stack)
        if isinstance(unit, UnitDescriptor):
            changes = differences(peer.descriptor, unit.descriptor)
            problems = membership_problems(unit.descriptor, spec.federation, f"stack {entry.stack}") if changes else ()
        else:
            changes, problems = (), unit
        if problems:
            problem = problems[0]
            yield f"peer {peer.name}: {problem.place} {problem.problem}; its accepted descriptor stays in force: {problem.remedy}"
        elif changes:
            yield (
                f"peer {peer.name}: stack {entry.stack} publishes a descriptor that differs from the accepted one, which stays in force "
                f"({changes_text(changes)}): to review and accept it, run `fatefed peers add --name {peer.name} -s {name}`"
            )


def _whole(data: Any) -> Any:
    """Numbers cross the engine's wire as doubles; those of a descriptor are whole."""
    if isinstance(data, dict):
        return {key: _whole(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_whole(value) for value in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data
