"""Files written whole or not at all."""

import os
import tempfile
from pathlib import Path

from cli.tools.errors import CommandError
from federation.base.errors import escaped

_NEW_FILE = 0o644


def write_atomic(path: Path, content: bytes, mode: int | None = None) -> None:
    """Put the content at a path in one step; an existing file keeps its mode unless one is given. CommandError when that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = mode or (path.stat().st_mode & 0o777 if path.exists() else _NEW_FILE)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(draft, mode)
        os.replace(draft, path)
    except BaseException as error:
        Path(draft).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def shown(path: Path) -> str:
    """The path as a user would type it: relative to the working folder when it is below it. One line, whoever named the file."""
    relative = os.path.relpath(path)
    return escaped(str(path) if relative.startswith("..") else relative)


def _unwritable(path: Path, error: OSError) -> CommandError:
    return CommandError(shown(path), f"cannot be written: {error.strerror}", "choose a path that you may write to")
