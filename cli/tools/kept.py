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
# What a stack file holds that can be made only once: any secret, and these fields. Others there are settings.
_ONCE = {"fate:identity": "key", "fate:trust": "parties"}
_DIGITS = 8


def copy_of(stack: Stack) -> Path:
    """Where the copy lies."""
    return stack.file.parent / _FOLDER / stack.file.name


def has_keys(file: Path) -> bool:
    """Whether a stack file holds what can be made only once: such a stack was in some backend before."""
    try:
        config = _config(file)
    except FederationError:
        return False
    parts = ((config.get(key), name) for key, name in _ONCE.items())
    return bool(config.get("fate:secrets")) or any(isinstance(part, dict) and part.get(name) for part, name in parts)


def keep_copy(stack: Stack) -> None:
    """Copy the stack file, once it has keys. A copy with the keys of another stack of this name is put aside, never overwritten."""
    copy, now = copy_of(stack), stack.file.read_bytes()
    if not has_keys(stack.file):
        return
    if copy.exists() and (before := copy.read_bytes()) != now and _of_another(copy, stack.file):
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


def _config(file: Path) -> dict[str, object]:
    """What stands under `config:`. Files that it names are not read: they are not beside a copy."""
    config = YamlFile.read(file).values.get("config")
    return config if isinstance(config, dict) else {}


def _of_another(copy: Path, file: Path) -> bool:
    """Whether a copy holds the keys of another stack: encrypted with something else, or with an identity that the file lacks."""
    salts = [[YamlFile.read(one).values.get(key) for key in ("encryptionsalt", "encryptedkey")] for one in (copy, file)]
    entries = [_config(one).get("fate:identity") for one in (copy, file)]
    before, now = (entry.get("key") if isinstance(entry, dict) else None for entry in entries)
    return salts[0] != salts[1] or before not in (None, now)
