"""Exporting what a stack publishes: the signed file that peers import."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta

from cli.keys.identity import private_key, write_fields
from cli.peers.acceptance import MOST_DAYS
from cli.stackfile.edit import Scalar, with_fields
from cli.tools.days import DESCRIPTOR_DAYS
from cli.tools.errors import CommandError
from cli.tools.files import write_atomic
from cli.tools.kept import keep_copy
from cli.tools.project import Stack
from cli.tools.pulumi import SECONDS, EngineError, pulumi
from federation.base.errors import FederationError
from federation.base.scalars import LAST_SERIAL
from federation.changes.exported import Fields, exported_warnings, planned_fields
from federation.config.stack import ExportedSpec, IdentitySpec
from federation.peers.descriptor import Descriptor, field_texts
from federation.peers.other_stacks import UnitDescriptor, published_unit
from federation.peers.signed import Signature, sign
from federation.stack.load import LoadedStack

_CHECK_SECONDS = 20.0  # `check` works without a backend: it waits no longer for one


@dataclass(frozen=True)
class Export:
    """A descriptor file of a unit to be sent, and its signature; None when it is unsigned."""

    unit: str
    descriptor: Descriptor
    content: bytes
    signature: Signature | None


def export_descriptor(stack: Stack, unit: str | None, today: date, *, days: int = DESCRIPTOR_DAYS, serial: int | None = None) -> Export:
    """The signed descriptor of one deployed party or exchange. Its serial number is written into the stack file first.

    `serial`: to go on from, when the stack file lost count. FederationError when there is no key or no deployed unit.
    """
    identity = stack.load().spec.identity
    if identity is None:
        remedy = f"make one: `fatefed identity create {stack.options}`; or export with --unsigned"
        raise CommandError(f"stack {stack.name}", "has no key to sign with", remedy)
    unit_descriptor = _unit_of(stack, unit)
    number = _next(identity, serial)
    if not 1 <= days <= MOST_DAYS:
        raise CommandError(
            "--days", f"{days} is not between 1 and {MOST_DAYS}", f"leave it out for {DESCRIPTOR_DAYS}, or choose another number"
        )
    signed = Signature(identity.key, number, today.isoformat(), (today + timedelta(days=days)).isoformat())
    content = sign(unit_descriptor.descriptor, private_key(stack, identity.key), number, signed.not_before, signed.not_after)
    # First: a number that was skipped does no harm, one that is used twice does.
    write_fields(stack, ("identity",), {"serial": number})
    return Export(unit_descriptor.unit, unit_descriptor.descriptor, content, signed)


def export_unsigned(stack: Stack, unit: str | None) -> Export:
    """The same without a signature."""
    unit_descriptor = _unit_of(stack, unit)
    return Export(unit_descriptor.unit, unit_descriptor.descriptor, unit_descriptor.descriptor.text().encode(), None)


def remember(stack: Stack, export: Export) -> None:
    """Write into the stack file what was exported, so that previews say when it is out of date. CommandError when it cannot be edited."""
    path, known = ("exported", export.unit), stack.load().spec.exported.get(export.unit)
    file, signed = stack.file.resolve(), export.signature
    who: dict[str, Scalar] = {} if signed is None else {"key": signed.key, "serial": signed.serial}
    before = frozenset(() if known is None else known.fields)
    text = with_fields(file.read_bytes().decode(), (*path, "fields"), field_texts(export.descriptor.plain()), before)
    write_atomic(file, with_fields(text, path, who, ExportedSpec.written_keys() - {"fields"}).encode())
    keep_copy(stack)


def outdated_exports(loaded: LoadedStack, stack: Stack) -> Iterator[str]:
    """A warning for each exported descriptor that is out of date, by the stack file; by the stack's outputs where it does not say."""
    planned = {unit.key: planned_fields(unit) if unit.key in loaded.spec.exported else {} for unit in loaded.plan.units}
    outputs: object = None
    if any(None in fields.values() for fields in planned.values()):
        # Whoever asks may have no state backend, no passphrase, or not have deployed yet: then it stays unknown.
        with suppress(FederationError):
            outputs = _published(stack, _CHECK_SECONDS)
    published = {key: _completed(fields, published_unit(outputs, key, stack.name)) for key, fields in planned.items()}
    return exported_warnings(loaded.spec, published, stack.options)


def _completed(fields: Fields, deployed: UnitDescriptor | object) -> Fields:
    """The fields of a plan; those that it does not know as they are deployed."""
    if not isinstance(deployed, UnitDescriptor):
        return fields
    texts = field_texts(deployed.descriptor.plain())
    return {path: texts.get(path) if text is None else text for path, text in fields.items()}


def descriptor_of_stack(stack: Stack, other: str, unit: str | None = None) -> UnitDescriptor:
    """What another stack of the same state backend publishes of a unit; `other`: its full name. FederationError when there is none."""
    try:
        return _unit_of(replace(stack, name=other), unit)
    except EngineError as error:
        if any(text in error.output for text in ("no stack named", "organization name must be")):
            problem = f"is not in this state backend ({error.output.strip().removeprefix('error: ')})"
            remedy = "write ORGANIZATION/PROJECT/STACK, such as organization/fate/bank-a; `pulumi stack ls --all` lists what is there"
            raise CommandError(f"stack {other}", problem, remedy) from None
        raise


def _unit_of(stack: Stack, unit: str | None) -> UnitDescriptor:
    """One deployed party or exchange, read from the stack's outputs; `unit` may be absent when the stack has exactly one.

    FederationError when it is not deployed, not known, or (a defect of the program) not a valid descriptor.
    """
    unit_descriptor = published_unit(_published(stack), unit, stack.name)
    if isinstance(unit_descriptor, UnitDescriptor):
        return unit_descriptor
    raise FederationError(unit_descriptor)


def _next(identity: IdentitySpec, serial: int | None) -> int:
    last = identity.serial or 0
    if serial is not None and serial <= last:
        raise CommandError("--serial", f"{serial} is not higher than the last one, {last}", "leave it out, or choose a higher one")
    if serial is not None and serial > LAST_SERIAL:
        raise CommandError(
            "--serial", f"{serial} is higher than the last possible one, {LAST_SERIAL}", "leave it out, or choose a lower one"
        )
    return last + 1 if serial is None else serial


def _published(stack: Stack, seconds: float = SECONDS) -> object:
    try:
        return json.loads(pulumi(stack, "stack", "output", "descriptors", "--json", seconds=seconds))
    except EngineError as error:
        if "does not have output property" in error.output:
            return None
        raise
