"""Files written whole or not at all, private ones with mode 0600, and advisory locks."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_DIR = 0o700


def write_atomic(path: Path, data: bytes | str, mode: int = PRIVATE_FILE) -> bool:
    """Put `data` at `path` in one step. False when it already held exactly that."""
    content = data.encode() if isinstance(data, str) else data
    if path.is_file() and path.read_bytes() == content:
        return False
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, mode)
        os.rename(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


def private_dir(path: Path) -> Path:
    """Make `path`, and it alone with mode 0700."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(PRIVATE_DIR)
    return path


def remove_tree(path: Path, trash: Path) -> None:
    """Delete a folder so that an interruption never leaves half of it under its own name.

    `trash` is a free name on the same file system; whatever an earlier interruption left there goes too.
    """
    shutil.rmtree(trash, ignore_errors=True)
    if path.exists():
        os.rename(path, trash)
        shutil.rmtree(trash)


@contextmanager
def locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold an exclusive lock; the kernel drops it when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
