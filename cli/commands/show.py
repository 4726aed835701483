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
from federation.pki.authority import AuthoritySummary
from federation.stack.load import LoadedStack


def review_text(review: Review) -> str:
    """Who a descriptor is from, what it says, and what accepting it would change."""
    learned = "" if review.learned is None else " (new to this stack: it would be written to fate:federation.id)"
    who, *description = _described(review.descriptor, review.authorities, learned)
    lines = [f"peer {review.name}: {who}", *description, *_who_signed(review), f"  sha256: {review.sha256}", *_changes(review)]
    for change in review.routes:
        lines += ["", f"routes of {change.unit} would change:", *(f"  {line}" for line in change.diff.splitlines())]
    if not review.routes:
        lines += ["", "no route of this stack would change"]
    for unit in dict.fromkeys(change.unit for change in review.connections):
        lines += ["", f"what network policies of {unit} permit would change:"]
        lines += [f"  {change.effect}: {change.what}" for change in review.connections if change.unit == unit]
    lines += [f"warning: {escaped(warning)}" for warning in review.warnings]
    return printable("\n".join(lines))


def descriptor_text(received: Received, authorities: Sequence[AuthoritySummary]) -> str:
    """Who a descriptor says that it is from, what it says, and with which key it is signed."""
    signed = received.signature
    lines = _described(received.descriptor, authorities)
    if signed is None:
        lines.append("  not signed")
    else:
        lines += [f"  key: {signed.key}", f"  serial: {signed.serial}, valid from {signed.not_before} to {signed.not_after}"]
    return printable("\n".join([*lines, f"  sha256: {digest(received.content)}"]))


def _described(descriptor: Descriptor, authorities: Sequence[AuthoritySummary], learned: str = "") -> list[str]:
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
    repeated = {warning for one in wanted for warning in one.warnings}
    new = warnings_text(text for text in others if text not in repeated)
    return "\n".join([*lines, *new.splitlines(), next_text(steps)])


def identity_text(identity: Identity) -> str:
    """The fingerprint, and what it is for."""
    made = "made" if identity.made else "is there already"
    lines = [
        f"the key that signs your descriptors {made}: {identity.key}",
        "read this fingerprint to your peers by phone or in person: they compare it when they accept your descriptor",
    ]
    if identity.replaced is not None:
        lines.append(f"it takes the place of {identity.replaced}: every peer accepts your next descriptor with --key {identity.key}")
    return "\n".join(lines)


def export_text(export: Export, path: str) -> str:
    """What was written, and what to do with it."""
    if (signed := export.signature) is None:
        summary = f"unsigned, sha256 {digest(export.content)}: tell your peers the sha256 over another channel"
    else:
        summary = f"serial {signed.serial}, until {signed.not_after}, signed with {signed.key}"
    return f"written: {path} ({summary})\nsend it to your peers; they accept it with `fatefed peers add`"


def export_data(export: Export, path: str) -> dict[str, Any]:
    """The same for programs."""
    signed = None if export.signature is None else asdict(export.signature)
    return {"file": path, "sha256": digest(export.content), "signature": signed, "descriptor": export.descriptor.plain()}


def state_text(result: StateChange) -> str:
    """A peer's new state, what it changes, or what keeps that from being applied."""
    head = f"peer {result.name}: {result.before} -> {result.state}" if result.written else f"peer {result.name} is {result.state} already"
    if result.problems:
        lines = [head if result.written else f"{head}; nothing to write", "", "pulumi refuses the stack file until you correct this:"]
        lines += [f"  {number}. {problem}" for number, problem in enumerate(result.problems, 1)]
        return "\n".join([*lines, ""])
    if not result.written:
        return f"{head}; nothing to write"
    lines = [head]
    if result.routes is None:
        return "\n".join([*lines, "the stack file had problems before: the preview shows which routes change", ""])
    for change in result.routes:
        lines += ["", f"routes of {change.unit} will change:", *(f"  {line}" for line in change.diff.splitlines())]
    lines += [] if result.routes else ["no route of this stack will change"]
    return "\n".join([*lines, ""])


def step_text(step: Step) -> str:
    """What was done for a party's CA, and what belongs to it."""
    return "\n".join([f"party {step.party}: {step.did}", *(f"  then: {line}" for line in step.next)])


def rotation_text(step: Step) -> str:
    """One of the steps that replace a party's CA, and what comes before the next of them."""
    return "\n".join([f"party {step.party}: {step.did}", "next:", *(f"  {line}" for line in step.next)])


def _who_signed(review: Review) -> list[str]:
    if review.origin.stack is not None:
        where = f"unit {review.origin.unit} of stack {review.origin.stack}"
        return [f"  not signed: read from {where}; anyone who can write to this state backend can change it"]
    if (signed := review.signature) is None:
        return ["  not signed"]
    known = "the key accepted before" if review.known_key else "a key that was not accepted before: compare it with the sender by phone"
    if review.key_of and not review.known_key:
        known = f"the key of peer {', '.join(review.key_of)}, not accepted before for this one: compare it with the sender by phone"
    days = f"valid from {signed.not_before} to {signed.not_after}" + ("" if review.age is None else f", signed {_ago(review.age)}")
    compare = "" if review.known_key else "; the sender's `fatefed identity show` prints the latest serial: compare it, too"
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
    if report.namespaces:
        lines.append(
            f"if {' or '.join(report.namespaces)} holds claims of an earlier deployment, their data knows only the passwords of then: "
            "`fatefed check --live` lists them; restore those passwords before `pulumi up` (docs/guides/state.md, Namespace ownership)"
        )
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


def _changes(review: Review) -> list[str]:
    if review.previous is None:
        return ["", f"first descriptor of {review.name}; it would be {review.state}"]
    if not review.changes:
        return ["", f"has the same content as the accepted one; {review.name} stays {review.state}"]
    head = ["", f"changes against the accepted one; {review.name} stays {review.state}:"]
    return head + [f"  {change.field}: {change.old or '(absent)'} -> {change.new or '(absent)'}" for change in review.changes]


def _endpoint(endpoint: Mapping[str, Any]) -> str:
    ports = ", ".join(f"{purpose} {port}" for purpose, port in sorted(endpoint["ports"].items()))
    addresses = [address for address in endpoint["addresses"] if address != endpoint["host"]]
    known = f" ({', '.join(addresses)})" if addresses else ""
    name = f", TLS as {endpoint['serverName']}" if endpoint.get("serverName") else (", TLS" if endpoint["tls"] else ", no TLS")
    return f"{endpoint['host']}{known}: {ports}{name}"


def written_text(review: Review) -> str:
    """What `peers add` wrote."""
    folder = review.stack.file.parent
    return f"accepted: {shown(folder / review.path)}, {review.entry.shown}"
