"""Building the test images into the user's cache: layer by layer, whole or not at all, by one process at a time."""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from sandbox.build import Say, cache_folder, run_with_heartbeat
from sandbox.errors import SandboxError
from sandbox.files import locked
from sandbox.images.archive import write_archive
from sandbox.images.recipes import IMAGES, LAYERS, PYTHON, REGISTRY, TestImage, line_of

_HERE = Path(__file__).parent
# program -> Debian package. The compilers are for packages of Python that PyPI has as source only.
_PROGRAMS = {"mmdebstrap": "mmdebstrap", "apt-get": "apt", "unshare": "util-linux", "tar": "tar", "gcc": "gcc", "g++": "g++"}


def folder() -> Path:
    """Where archives lie: ${XDG_CACHE_HOME:-~/.cache}/fate-federation/images/NAME-HASH.tar; layers in a folder beside them."""
    return cache_folder().with_name("images")


def ensure(say: Say, images: Iterable[TestImage] = IMAGES) -> list[Path]:
    """The archives of the images, built unless they are there. SandboxError, with the end of the output, when one cannot be."""
    images = list(images)
    if all(archive_of(image).is_file() for image in images):
        return [archive_of(image) for image in images]
    _refuse_unfit()
    with locked(folder() / ".lock", lambda: say("waiting for another build of images to finish")):
        for leftover in folder().glob(".building-*"):  # of a build that was killed: nobody else can hold the lock
            shutil.rmtree(leftover)
        if not all(_layer_path(name).is_file() for image in images for name in line_of(image.layer)):
            _update_lists(say)
        for image in images:
            if not archive_of(image).is_file():
                layers = [_layer(name, say) for name in line_of(image.layer)]
                write_archive(archive_of(image), image.described(), layers)
                forget(archive_of(image))
                say(f"built {image.name}: {archive_of(image).stat().st_size / 2**20:.0f} MiB")
    return [archive_of(image) for image in images]


def archive_of(image: TestImage) -> Path:
    """Where the archive lies; its name changes with the recipe."""
    name = image.name.replace(":", "-")
    return folder() / f"{name}-{_hash(repr(image), REGISTRY, key_of(image.layer))}.tar"


def key_of(layer: str) -> str:
    """What a layer is built from, and all below it, as a hash of 12 digits: rows, files of ours, and how they are built."""
    row = LAYERS[layer]
    inputs = [_HERE / name for name in ("stage.py", row.requirements, row.jars) if name]
    inputs += sorted(path for path in (_HERE / "files" / layer).rglob("*") if path.is_file())
    contents = [f"{path.relative_to(_HERE)} {path.stat().st_mode & 0o100} {_hash(path.read_text())}" for path in inputs]
    return _hash(repr(row), *contents, key_of(row.parent) if row.parent else "")


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _layer_path(name: str) -> Path:
    return folder() / "layers" / f"{name}-{key_of(name)}.tar"


def _layer(name: str, say: Say) -> Path:
    """The tar of a layer, built unless it is there; those below it are."""
    target = _layer_path(name)
    if target.is_file():
        return target
    begun = time.monotonic()
    say(f"building layer {name}")
    target.parent.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder(), prefix=".building-"))
    try:
        draft.chmod(0o755)
        lower = [_unpacked(below, draft / below) for below in reversed(line_of(name)[:-1])]
        command = [sys.executable, "-m", "sandbox.images.stage", name, str(draft), *map(str, lower)]
        run_with_heartbeat(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", *command],
            _HERE.parents[1],
            f"layer {name}",
            say,
            os.environ | {"LC_ALL": "C.UTF-8"},
        )
        _mark_removed(draft / "files")
        packed = draft / "layer.tar"
        tar = [
            "tar",
            "--create",
            f"--file={packed}",
            "--format=posix",
            "--sort=name",
            "--numeric-owner",
            f"--directory={draft / 'files'}",
            ".",
        ]
        subprocess.run(tar, check=True)
        packed.rename(target)
    finally:
        shutil.rmtree(draft)
    forget(target)
    say(f"built layer {name} in {time.monotonic() - begun:.0f} s: {target.stat().st_size / 2**20:.0f} MiB")
    return target


def _unpacked(layer: str, place: Path) -> Path:
    place.mkdir()
    subprocess.run(["tar", "--extract", f"--file={_layer_path(layer)}", f"--directory={place}", "--numeric-owner"], check=True)
    return place


def _mark_removed(files: Path) -> None:
    """Write what a layer removed from those below it as an image says it, not as the overlay file system does."""
    for path in files.rglob("*"):
        about = path.lstat()
        if stat.S_ISCHR(about.st_mode) and about.st_rdev == 0:
            path.unlink()
            path.with_name(f".wh.{path.name}").touch()
        elif stat.S_ISDIR(about.st_mode) and "trusted.overlay.opaque" in os.listxattr(path):
            (path / ".wh..wh..opq").touch()


def forget(kept: Path) -> None:
    """Delete what an older recipe made under the same name."""
    name = kept.name.rpartition("-")[0]
    for old in kept.parent.glob(f"{name}-????????????.tar"):
        if old != kept:
            old.unlink()


def _refuse_unfit() -> None:
    if os.geteuid() != 0:
        raise SandboxError("images are built by root only, because packages are installed in them", "run it as root")
    if sys.version_info[:2] != PYTHON:
        raise SandboxError(
            f"images hold Python {PYTHON[0]}.{PYTHON[1]}, and this is {sys.version.split()[0]}", "make .venv with that version"
        )
    missing = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        missing.append(f"python{PYTHON[0]}.{PYTHON[1]}-dev")
    if missing:
        raise SandboxError(f"missing: {', '.join(missing)}", f"apt-get install {' '.join(missing)}")


def _update_lists(say: Say) -> None:
    """Renew this machine's package lists: old ones name versions that the archive no longer has."""
    done = subprocess.run(["apt-get", "update", "--quiet"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:  # of a source that Debian's packages do not come from, perhaps
        say(f"apt-get update ended with {done.returncode}; going on with the lists that are there: {done.stderr.strip()[-300:]}")
