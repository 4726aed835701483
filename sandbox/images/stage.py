"""Fills one layer in a mount namespace of its own: `unshare --mount python -m sandbox.images.stage LAYER FOLDER LOWER...`.

LOWER: the unpacked layers below, from the highest. The layer's files end in FOLDER/files; the last line of trouble is on stderr.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.images.recipes import LAYERS, SUITE, Layer

FILES = Path(__file__).with_name("files")
SITE = "usr/local/lib/python3.11/dist-packages"
_FILES_OF_PACKAGES = ("doc", "info", "lintian", "locale", "man")  # below /usr/share: not in a test image
_DROPPED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/*", "var/log/apt", "var/log/*.log", "var/lib/apt/*")


def main() -> None:
    """Fill the layer that the command line names."""
    os.umask(0o022)
    name, folder, *lower = sys.argv[1:]
    _fill(name, Path(folder), [Path(one) for one in lower])


def _fill(name: str, folder: Path, lower: Sequence[Path]) -> None:
    layer, files = LAYERS[name], folder / "files"
    if not lower:
        _debian(files, layer.packages)
    else:
        root, work = folder / "root", folder / "work"
        for made in (files, work, root):
            made.mkdir()
        below = ":".join(map(str, lower))
        _run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={below},upperdir={files},workdir={work}", str(root))
        _run("mount", "-t", "proc", "proc", str(root / "proc"))
        _add(layer, FILES / name, root)
        _run("umount", str(root / "proc"))
        _run("umount", str(root))
    for pattern in (*_DROPPED, *layer.drop):
        for path in list(files.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


def _debian(root: Path, packages: Sequence[str]) -> None:
    """Debian's essential packages, from where this machine takes its own."""
    about = ("Origin: Debian", f"Codename: {SUITE}", "Created-By: Packages")
    sources = _output("apt-get", "indextargets", "--format", f"deb $(REPO_URI) {SUITE} $(COMPONENT)", *about)
    if not sources:
        raise SystemExit(f"this machine has no package lists of Debian {SUITE}: run apt-get update on a machine that runs it")
    # Packages are unpacked without waiting for the disk: half a root is never used.
    options = ["force-unsafe-io", *(f"path-exclude=/usr/share/{one}/*" for one in _FILES_OF_PACKAGES)]
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=essential",
        f"--include={','.join(packages)}",
        *(f"--dpkgopt={one}" for one in options),
        SUITE,
        str(root),
        "-",
    ]
    subprocess.run(command, input="\n".join(sources), text=True, check=True)


def _add(layer: Layer, files: Path, root: Path) -> None:
    for user, number in layer.users.items():
        _chroot(root, f"groupadd --system --gid {number} {user} && useradd --system --uid {number} --gid {user} --no-create-home {user}")
    if layer.packages:
        _install(root, layer.packages)
    if layer.requirements:
        requirements = Path(__file__).with_name(layer.requirements)
        # Without isolation: what builds the one source package is pinned with this environment, too.
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--no-build-isolation", "--no-compile")
        _run(*pip, "--root-user-action=ignore", "--target", str(root / SITE), "--requirement", str(requirements))
    if layer.jars:
        copy = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
        pom = Path(__file__).with_name(layer.jars)
        _run("mvn", "--quiet", "--batch-mode", "--file", str(pom), copy, "-DincludeScope=runtime", f"-DoutputDirectory={root / 'jars'}")
    for source in sorted(path for path in files.rglob("*") if path.is_file()):
        target = root / source.relative_to(files)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)
    if layer.setup:
        _chroot(root, layer.setup)


def _install(root: Path, packages: Sequence[str]) -> None:
    """Debian's packages, by this machine's apt with its lists, into the root."""
    policy = root / "usr/sbin/policy-rc.d"  # no service starts
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    (root / "var/cache/apt/archives/partial").mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State": root / "var/lib/apt",
        "Dir::State::lists": "/var/lib/apt/lists",
        "Dir::State::status": root / "var/lib/dpkg/status",
        "Dir::Cache": root / "var/cache/apt",
        "Dir::Log": root / "var/log/apt",
        "DPkg::Chroot-Directory": root,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Dpkg::Use-Pty": "false",
    }
    settings = [f"--option={name}={value}" for name, value in options.items()]
    _run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "--quiet", *settings, "install", *packages)
    policy.unlink()


def _chroot(root: Path, script: str) -> None:
    _run("chroot", str(root), "env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-euc", script)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def _output(*command: str) -> list[str]:
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.splitlines()


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{error.cmd[0]} ended with status {error.returncode}") from None
