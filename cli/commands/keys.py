"""Secrets, signing keys and CAs: `secrets`, `identity`, `trust`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.tools.days import today
from cli.tools.errors import CommandError
from cli.tools.output import say
from cli.tools.project import Stack
from cli.tools.prompt import says_yes
from cli.tools.verbs import FAILED, USAGE, Result, group

_FOLDER = "with tls: certManager: make a CA, and write key, certificate and Issuer into this folder; no file is overwritten"
_EXISTING_AUTHORITY = "with tls: certManager: use the CA with this public certificate (PEM); its Issuer exists"
IssuerFiles = Annotated[Path | None, typer.Option(metavar="DIR", help=_FOLDER)]
Authority = Annotated[Path | None, typer.Option(metavar="FILE", help=_EXISTING_AUTHORITY)]


def secrets_init(stack: Stack) -> Result:
    """Make the passwords that are missing and write them into the stack file, encrypted by `pulumi config set --secret`; existing entries
    stay, no value is shown. Lists the certificates that only you can give.

    Example: `fatefed secrets init -s bank-a`
    """
    from cli.commands import show
    from cli.commands.next_steps import with_next
    from cli.keys.passwords import init_secrets

    report = init_secrets(stack)
    return with_next(stack, show.secrets_text(report), report.plain())


def keys_init(stack: Stack) -> Result:
    """Make what a stack lacks before its first `pulumi up`: its entry in the state backend (`pulumi stack init`), the key that signs its
    descriptors, CAs, passwords; encrypted by `pulumi config set --secret`. What is there stays. Lists what only you can give. For
    another secrets provider than a passphrase, run `pulumi stack init --secrets-provider` first.

    Example: `fatefed keys init -s bank-a`
    """
    from cli.commands import show
    from cli.commands.next_steps import with_next
    from cli.keys.first_keys import init_keys

    report = init_keys(stack, today())
    return with_next(stack, show.keys_text(report, stack), report.plain())


def secrets_rotate(
    stack: Stack,
    name: Annotated[str, typer.Argument(metavar="NAME", help="the entry of fate:secrets, such as party-9999-mysql", show_default=False)],
) -> Result:
    """Put a new random password in the place of one: writes it as another entry of fate:secrets, encrypted by `pulumi config set
    --secret`, and names that in the party's credentials; no value is shown. `pulumi up` applies it. For MySQL and RabbitMQ run this verb
    again after that: it removes the previous password, once a Job has changed it in the server. Reads the stack's state with `pulumi`.

    Example: `fatefed secrets rotate party-9999-mysql -s bank-a`
    """
    from cli.commands.next_steps import with_next
    from cli.keys.rotation import rotate_password

    rotation = rotate_password(stack, name)
    removed = [] if rotation.removed is None else [f"removed  {rotation.removed}"]
    return with_next(stack, "\n".join([rotation.did, *removed, f"at `pulumi up`: {rotation.at_up}"]), rotation.plain())


def identity_create(
    stack: Stack,
    replace: Annotated[bool, typer.Option("--replace", help="make a new key: every peer must then accept it with --key")] = False,
) -> Result:
    """Write the organization's Ed25519 key: the private part goes into fate:secrets, encrypted by `pulumi config set --secret`, its
    fingerprint into fate:identity. A key that is there stays.

    Example: `fatefed identity create -s bank-a`
    """
    from cli.commands import show
    from cli.commands.next_steps import with_next
    from cli.keys.identity import create_identity

    identity = create_identity(stack, replace=replace)
    return with_next(stack, show.identity_text(identity), {"key": identity.key, "made": identity.made})


def identity_show(stack: Stack, as_json: bool = False) -> Result:
    """Print the fingerprint that peers compare with yours. Reads the stack file; writes nothing.

    Example: `fatefed identity show -s bank-a`
    """
    identity = stack.load().spec.identity
    if identity is None:
        raise CommandError(f"stack {stack.name}", "has no key", f"make one: `fatefed identity create -s {stack.name}`")
    exported = "no descriptor was exported yet" if identity.serial is None else f"serial of the last exported descriptor: {identity.serial}"
    if not as_json:
        # Standard output is the fingerprint alone: scripts hand it on.
        say(exported, sys.stderr)
    return Result(identity.key, identity.plain())


def trust_init(
    stack: Stack,
    party: Annotated[str | None, typer.Option(metavar="ID", help="only this one (default: all)")] = None,
    issuer_files: IssuerFiles = None,
    authority: Authority = None,
) -> Result:
    """Write what parties with `tls: partyCa` lack: for each a CA, limited to the party's own names, and its server's key; the keys into
    fate:secrets, encrypted by `pulumi config set --secret`, the CA's certificate into fate:trust. What is there stays. For a party with
    `tls: certManager` the CA's key goes into DIR instead, with an Issuer for cert-manager.

    Example: `fatefed trust init -s bank-a`
    """
    from cli.commands import show
    from cli.commands.next_steps import with_next
    from cli.keys.issuers import Source
    from cli.keys.trust import init_trust

    steps = init_trust(stack, today(), Source(issuer_files, authority), party)
    text = "\n".join(show.step_text(step) for step in steps) or "no party has `tls: partyCa` or certManager with an engine that uses TLS"
    return with_next(stack, text, {"parties": {step.party: {"did": step.did, "next": list(step.next)} for step in steps}})


def trust_rotate(
    stack: Stack,
    party: Annotated[str | None, typer.Option(metavar="ID", help="the party; needed with more than one with a CA")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do the second and third step without asking")] = False,
    issuer_files: IssuerFiles = None,
    authority: Authority = None,
    issuer: Annotated[
        str | None, typer.Option(metavar="NAME", help="the next Issuer of cert-manager (default: the current name, with the CA's number)")
    ] = None,
    as_json: bool = False,
) -> Result:
    """Write the next of three steps that replace a party's CA: the new one is trusted beside the old one; it signs; the old one goes.
    Between them `pulumi up`, and peers accept the descriptor. Writes fate:secrets and fate:trust; with `tls: certManager` fate:trust, the
    party's issuer, and DIR.

    Example: `fatefed trust rotate -s bank-a --party 9999`
    """
    from cli.commands import show
    from cli.keys.issuers import Source
    from cli.keys.trust import rotate, waits_for_peers

    if waits_for_peers(stack, party) and not yes:
        question = "a peer that has not accepted the previous step loses its link: do the next step?"
        if as_json or not sys.stdin.isatty():
            refused = "nothing was written: confirm with --yes when every peer is ready"
            return Result("", {"written": False}, USAGE, refused)
        if not says_yes(question):
            return Result("nothing was written", {"written": False}, FAILED)
    step = rotate(stack, party, today(), Source(issuer_files, authority), issuer)
    return Result(show.rotation_text(step), {"party": step.party, "did": step.did, "next": list(step.next), "written": True})


KEYS = group("keys", "The identity, CAs and passwords of a stack together (init).", ("init", keys_init))
SECRETS = group("secrets", "The entries of fate:secrets (init, rotate).", ("init", secrets_init), ("rotate", secrets_rotate))
IDENTITY = group(
    "identity", "The key that signs this organization's descriptors (create, show).", ("create", identity_create), ("show", identity_show)
)
TRUST = group(
    "trust", "The certificate authorities of this stack's parties (init, rotate).", ("init", trust_init), ("rotate", trust_rotate)
)
