"""Results as an operator reads them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cli.commands.next_steps import GROUPS, NextStep, ToDo, next_text
from cli.keys.first_keys import KeysReport
from cli.keys.identity import Identity
from cli.keys.passwords import SecretsReport
from cli.keys.trust import Step
from cli.peers.accept import Review
from cli.peers.descriptors import Export
from cli.peers.states import StateChange
from cli.tools.files import shown
from cli.tools.project import Stack
from cli.tools.text import printable
from federation.base.errors import escaped
from federation.peers.descriptor import Descriptor, digest
from federation.peers.signed import Received
from federation.pki.authority import AuthorityFacts
from federation.stack.load import LoadedStack


def review_text(found: Review) -> str:
    """Who a descriptor is from, what it says, and what accepting it would change."""
    learned = "" if found.learned is None else " (new to this stack: it would be written to fate:federation.id)"
    who, *said = _described(found.descriptor, found.authorities, learned)
    lines = [f"peer {found.name}: {who}", *said, *_who_signed(found), f"  sha256: {found.sha256}", *_changes(found)]
    for change in found.routes:
        lines += ["", f"routes of {change.unit} would change:", *(f"  {line}" for line in change.diff.splitlines())]
    if not found.routes:
        lines += ["", "no route of this stack would change"]
    for unit in dict.fromkeys(change.unit for change in found.connections):
        lines += ["", f"what network policies of {unit} permit would change:"]
        lines += [f"  {change.effect}: {change.what}" for change in found.connections if change.unit == unit]
    lines += [f"warning: {escaped(warning)}" for warning in found.warnings]
    return printable("\n".join(lines))


def descriptor_text(received: Received, authorities: Sequence[AuthorityFacts]) -> str:
    """Who a descriptor says that it is from, what it says, and with which key it is signed."""
    signed = received.signature
    lines = _described(received.descriptor, authorities)
    if signed is None:
        lines.append("  not signed")
    else:
        lines += [f"  key: {signed.key}", f"  serial: {signed.serial}, valid from {signed.not_before} to {signed.not_after}"]
    return printable("\n".join([*lines, f"  sha256: {digest(received.content)}"]))


def _described(descriptor: Descriptor, authorities: Sequence[AuthorityFacts], learned: str = "") -> list[str]:
    of = descriptor.federation
    return [
        f"{descriptor.title.removeprefix('the ')} of {descriptor.organization}, federation {of.name} ({of.domain})",
        *(() if of.id is None else (f"  id of the federation: {of.id}{learned}",)),
        f"  release: {descriptor.release}" + (f", {descriptor.backends}" if descriptor.backends else ""),
        *(f"  {name}: {_endpoint(endpoint)}" for name, endpoint in sorted(descriptor.plain()["endpoints"].items())),
        *(f"  CA: {escaped(one.subject)}, from {one.first} to {one.last}, SHA-256 {one.sha256}" for one in authorities),
    ]


def check_text(loaded: LoadedStack, stack: Stack, wanted: Sequence[ToDo], others: Iterable[str], steps: Sequence[NextStep]) -> str:
    """Whether a stack may be deployed as it is: what is to be done first, by what it takes, and what else is to be known."""
    units, file = ", ".join(unit.key for unit in loaded.plan.units), shown(stack.file)
    lines = [f"{file} is valid; {len(wanted)} to do before `pulumi up`: {units}" if wanted else f"{file} is right: {units}"]
    for group, title in GROUPS.items():
        if mine := [str(one) for one in wanted if one.group == group]:
            lines += [f"{title}:", *(f"  {escaped(text)}" for text in mine)]
    return "\n".join([*lines, *warnings_text(others).splitlines(), next_text(steps)])


def identity_text(found: Identity) -> str:
    """The fingerprint, and what it is for."""
    made = "made" if found.made else "is there already"
    lines = [
        f"the key that signs your descriptors {made}: {found.key}",
        "read this fingerprint to your peers by phone or in person: they compare it when they accept your descriptor",
    ]
    if found.replaced is not None:
        lines.append(f"it takes the place of {found.replaced}: every peer accepts your next descriptor with --key {found.key}")
    return "\n".join(lines)


def export_text(export: Export, path: str) -> str:
    """What was written, and what to do with it."""
    if (signed := export.signature) is None:
        said = f"unsigned, sha256 {digest(export.content)}: tell your peers the sha256 over another channel"
    else:
        said = f"serial {signed.serial}, until {signed.not_after}, signed with {signed.key}"
    return f"written: {path} ({said})\nsend it to your peers; they accept it with `fatefed peers add`"


def export_data(export: Export, path: str) -> dict[str, Any]:
    """The same for programs."""
    signed = None if export.signature is None else asdict(export.signature)
    return {"file": path, "sha256": digest(export.content), "signature": signed, "descriptor": export.descriptor.plain()}


def state_text(found: StateChange) -> str:
    """A peer's new state, what it changes, or what keeps that from being applied."""
    said = f"peer {found.name}: {found.before} -> {found.state}" if found.written else f"peer {found.name} is {found.state} already"
    if found.problems:
        lines = [said if found.written else f"{said}; nothing to write", "", "pulumi refuses the stack file until you correct this:"]
        lines += [f"  {number}. {problem}" for number, problem in enumerate(found.problems, 1)]
        return "\n".join([*lines, ""])
    if not found.written:
        return f"{said}; nothing to write"
    lines = [said]
    if found.routes is None:
        return "\n".join([*lines, "the stack file had problems before: the preview shows which routes change", ""])
    for change in found.routes:
        lines += ["", f"routes of {change.unit} will change:", *(f"  {line}" for line in change.diff.splitlines())]
    lines += [] if found.routes else ["no route of this stack will change"]
    return "\n".join([*lines, ""])


def step_text(step: Step) -> str:
    """What was done for a party's CA, and what belongs to it."""
    return "\n".join([f"party {step.party}: {step.did}", *(f"  then: {line}" for line in step.next)])


def rotation_text(step: Step) -> str:
    """One of the steps that replace a party's CA, and what comes before the next of them."""
    return "\n".join([f"party {step.party}: {step.did}", "next:", *(f"  {line}" for line in step.next)])


def _who_signed(found: Review) -> list[str]:
    if found.origin.stack is not None:
        where = f"unit {found.origin.unit} of stack {found.origin.stack}"
        return [f"  not signed: read from {where}; anyone who can write to this state backend can change it"]
    if (signed := found.signature) is None:
        return ["  not signed"]
    known = "the key accepted before" if found.known_key else "a key that was not accepted before: compare it with the sender by phone"
    if found.key_of and not found.known_key:
        known = f"the key of peer {', '.join(found.key_of)}, not accepted before for this one: compare it with the sender by phone"
    days = f"valid from {signed.not_before} to {signed.not_after}" + ("" if found.age is None else f", signed {_ago(found.age)}")
    compare = "" if found.known_key else "; the sender's `fatefed identity show` prints the latest serial: compare it, too"
    return [f"  key: {signed.key} ({known})", f"  serial: {signed.serial}, {days}{compare}"]


def _ago(days: int) -> str:
    return "today" if days <= 0 else f"{days} day{'s' if days > 1 else ''} ago"


def keys_text(report: KeysReport, stack: Stack) -> str:
    """What `keys init` made, and what was there."""
    made = "made in the state backend" if report.stack_made else "is in the state backend already"
    lines = [f"stack {stack.name} {made}", identity_text(report.identity), *map(step_text, report.authorities)]
    return "\n".join([*lines, secrets_text(report.secrets)])


def secrets_text(report: SecretsReport) -> str:
    """What `secrets init` did, and what only the operator can give."""
    lines = [*(f"written  {name}" for name in report.written), *(f"kept     {name}" for name in report.kept)]
    if not lines:
        lines = ["no password is missing"]
    if report.missing:
        lines += ["", "still missing; only you have them (this replaces an existing entry):"]
        lines += [line for one in report.missing for line in (f"  {one.what}:", f"    {one.command}")]
    if report.unmade:
        lines += ["", f"{' and '.join(report.unmade)} to be made"]
    elif not report.missing:
        lines.append("all secrets are there")
    return "\n".join(lines)


def warnings_text(warnings: Iterable[str]) -> str:
    """Each warning on a line of its own."""
    return "".join(f"warning: {escaped(warning)}\n" for warning in warnings)


def _changes(found: Review) -> list[str]:
    if found.previous is None:
        return ["", f"first descriptor of {found.name}; it would be {found.state}"]
    if not found.changes:
        return ["", f"has the same content as the accepted one; {found.name} stays {found.state}"]
    head = ["", f"changes against the accepted one; {found.name} stays {found.state}:"]
    return head + [f"  {change.field}: {change.old or '(absent)'} -> {change.new or '(absent)'}" for change in found.changes]


def _endpoint(endpoint: Mapping[str, Any]) -> str:
    ports = ", ".join(f"{purpose} {port}" for purpose, port in sorted(endpoint["ports"].items()))
    addresses = [address for address in endpoint["addresses"] if address != endpoint["host"]]
    known = f" ({', '.join(addresses)})" if addresses else ""
    name = f", TLS as {endpoint['serverName']}" if endpoint.get("serverName") else (", TLS" if endpoint["tls"] else ", no TLS")
    return f"{endpoint['host']}{known}: {ports}{name}"


def written_text(found: Review) -> str:
    """What `peers add` wrote."""
    folder = found.stack.file.parent
    return f"accepted: {shown(folder / found.path)}, {found.entry.shown}"
