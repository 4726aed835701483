"""The organization's key pair: made once, kept under fate:secrets, known to peers by its fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass

from cli.keys.passwords import secret_path
from cli.stackfile.edit import Scalar, with_fields
from cli.tools.errors import CommandError
from cli.tools.files import shown, write_atomic
from cli.tools.kept import copy_of, keep_copy
from cli.tools.project import Stack
from cli.tools.pulumi import pulumi
from federation.pki.identity import SECRET, fingerprint, load_identity, new_identity

_PLACE = f"fate:secrets.{SECRET}"


@dataclass(frozen=True)
class Identity:
    """The key of a stack, by its fingerprint; `made` by this call."""

    key: str
    made: bool
    # The one before, by its fingerprint; None when there was none, or it was kept.
    replaced: str | None = None


def create_identity(stack: Stack, *, replace: bool = False) -> Identity:
    """Make the key of a stack that has none, or with `replace` a new one, which every peer must accept by name.

    The serial number of exports goes on from where it was. A key whose fingerprint was not written yet, because the command was
    interrupted, is the stack's. CommandError when the stack has half an identity, or a fingerprint of another key.
    """
    loaded = stack.load()
    known, has_secret = loaded.spec.identity, SECRET in loaded.source.secret_names()
    if known is not None and has_secret and not replace:
        private_key(stack, known.key)
        keep_copy(stack)
        return Identity(known.key, made=False)
    interrupted = known is None and has_secret and not loaded.spec.exported
    if (known is not None or has_secret) and not interrupted and not replace:
        there, gone = ("fate:identity", "fate:secrets.identity") if known is not None else ("fate:secrets.identity", "fate:identity")
        remedy = f"restore {gone} from a copy of the stack file; a new key (--replace) must be accepted by every peer"
        raise CommandError(shown(stack.file), f"holds {there}, but not {gone}", remedy)
    if interrupted and not replace:
        key = _fingerprint(_decrypted(stack))
    else:
        keep_copy(stack)
        private = new_identity()
        pulumi(stack, "config", "set", "--secret", "--path", secret_path(SECRET), stdin=private)
        key = _fingerprint(private)
    write_fields(stack, ("identity",), {"key": key})
    keep_copy(stack)
    return Identity(key, made=True, replaced=None if known is None else known.key)


def private_key(stack: Stack, expected: str) -> str:
    """The private key, decrypted by pulumi. CommandError when it is not the one whose fingerprint peers know."""
    pem = _decrypted(stack)
    if (actual := _fingerprint(pem)) != expected:
        problem = f"is the key {actual}, but fate:identity.key says {expected}"
        remedy = f"restore the entry that is wrong from a copy of the stack file, such as those in {shown(copy_of(stack).parent)}"
        again = f"if `fatefed identity create {stack.options} --replace` was interrupted, run it again"
        raise CommandError(_PLACE, problem, f"{remedy}; {again}")
    return pem


def _decrypted(stack: Stack) -> str:
    # `config get` ends the value with a line end of its own.
    return pulumi(stack, "config", "get", "--path", secret_path(SECRET)).strip() + "\n"


def _fingerprint(pem: str) -> str:
    """CommandError when it is no key of an organization."""
    try:
        return fingerprint(load_identity(pem).public_key())
    except ValueError as error:
        raise CommandError(_PLACE, str(error), "restore it from a copy of the stack file") from None


def write_fields(stack: Stack, path: tuple[str, ...], fields: dict[str, Scalar], drop: frozenset[str] = frozenset()) -> None:
    """Edit the stack file in place, keeping its comments."""
    write_edits(stack, {path: fields}, drop)


def write_edits(stack: Stack, edits: Mapping[tuple[str, ...], dict[str, Scalar]], drop: frozenset[str] = frozenset()) -> None:
    """The same at several paths, in one step: what was written stays readable when the command is interrupted."""
    file = stack.file.resolve()
    text = file.read_bytes().decode()
    for path, fields in edits.items():
        text = with_fields(text, path, fields, drop)
    write_atomic(file, text.encode())
