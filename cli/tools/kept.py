"""A copy of a stack file beside the stack files: `pulumi stack rm` deletes the stack file, with keys that nobody can make again.

It holds what the stack file holds, encrypted with the same key; the passphrase, or the key of the secrets provider, is elsewhere.
"""

import hashlib
from pathlib import Path

from cli.tools.errors import CommandError
from cli.tools.files import shown, write_atomic
from cli.tools.project import Stack
from federation.base.errors import FederationError
from federation.base.yaml_file import YamlFile

_FOLDER = "kept"
_DIGITS = 8


def copy_of(stack: Stack) -> Path:
    """Where the copy lies."""
    return stack.file.parent / _FOLDER / stack.file.name


def has_keys(file: Path) -> bool:
    """Whether a stack file holds what can be made only once: such a stack was in some backend before."""
    try:
        return bool(_made_once(file))
    except FederationError:
        return False


def keep_copy(stack: Stack) -> None:
    """Copy the stack file, once it has keys. A copy with a key or password that the file does not hold is put aside, never overwritten.

    Run it before a key is replaced, too: whoever is interrupted between has the one before.
    """
    copy, now = copy_of(stack), stack.file.read_bytes()
    if not has_keys(stack.file):
        return
    if copy.exists() and (before := copy.read_bytes()) != now and _holds_more(copy, stack.file):
        aside = copy.with_name(f"{copy.name}.{hashlib.sha256(before).hexdigest()[:_DIGITS]}")
        write_atomic(aside, before)
    write_atomic(copy, now, stack.file.stat().st_mode & 0o777)


def refuse_to_forget(stack: Stack) -> None:
    """CommandError when a stack file is to be begun anew, and the keys of the one before are there."""
    copy = copy_of(stack)
    if stack.file.exists() or not copy.exists():
        return
    restore = f"restore it: `cp {shown(copy)} {shown(stack.file)}`, then `pulumi stack init` if the stack was removed"
    anew = "or start over with --force, in another namespace: the data on the old claims needs the old passwords"
    raise CommandError(shown(copy), "holds the keys and passwords of a stack of this name, whose file is gone", f"{restore}; {anew}")


def _made_once(file: Path) -> dict[tuple[str, ...], object]:
    """What a stack file holds that can be made only once, by its path: secrets as they are encrypted, the identity, CAs' certificates.

    Files that it names are not read: they are not beside a copy.
    """
    config = _mapping(YamlFile.read(file).values.get("config"))
    identity, trust = _mapping(config.get("fate:identity")), _mapping(config.get("fate:trust"))
    parties = {party: _mapping(_mapping(one).get("authorities")) for party, one in _mapping(trust.get("parties")).items()}
    return {
        **({("identity",): identity["key"]} if identity.get("key") else {}),
        **{("secrets", name): value for name, value in _mapping(config.get("fate:secrets")).items()},
        **{("trust", party, number): text for party, authorities in parties.items() for number, text in authorities.items()},
    }


def _mapping(value: object) -> dict[str, object]:
    return {str(key): entry for key, entry in value.items()} if isinstance(value, dict) else {}


def _holds_more(copy: Path, file: Path) -> bool:
    """Whether a copy holds what the file does not: it is encrypted with something else, or the file lost or replaced an entry of it."""
    salts = [[YamlFile.read(one).values.get(key) for key in ("encryptionsalt", "encryptedkey")] for one in (copy, file)]
    return salts[0] != salts[1] or not _made_once(copy).items() <= _made_once(file).items()
