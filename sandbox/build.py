"""Building a tool from its Go module into the user's cache: whole or not at all, by one process at a time."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox import versions
from sandbox.catalogue import PROVIDER_MODULE, Recipe
from sandbox.errors import SandboxError
from sandbox.files import locked

HEARTBEAT = 30.0  # seconds between signs of life
_LOG_TAIL = 20  # lines of the compiler shown when a build fails

Say = Callable[[str], None]


def cache_folder() -> Path:
    """Where built tools live: ${XDG_CACHE_HOME:-~/.cache}/fate-federation/tools."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base).absolute() / "fate-federation" / "tools"


def cached(recipe: Recipe) -> Path | None:
    """The built tool; None when it is not there."""
    folder = cache_folder() / recipe.key
    return folder / recipe.name if all((folder / file).is_file() for file in recipe.files) else None


def build(recipe: Recipe, say: Say) -> tuple[Path, float]:
    """Build a tool unless another process just did. Returns its path and the seconds taken.

    SandboxError when Go is missing or the build fails, with the end of the compiler's output.
    """
    cache = cache_folder()
    begun = time.monotonic()
    with locked(cache / ".lock", lambda: say(f"waiting for another build to finish before {recipe.name}")):
        if path := cached(recipe):
            return path, time.monotonic() - begun
        for leftover in cache.glob(".building-*"):  # of a build that was killed: nobody else can hold the lock
            shutil.rmtree(leftover)
        draft = Path(tempfile.mkdtemp(dir=cache, prefix=".building-"))
        try:
            draft.chmod(0o755)
            for one in (recipe, *recipe.beside):
                _compile(one, draft, say)
            _add_scripts(recipe, draft)
            shutil.rmtree(cache / recipe.key, ignore_errors=True)  # an incomplete one
            os.rename(draft, cache / recipe.key)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return cache / recipe.key / recipe.name, time.monotonic() - begun


def _compile(recipe: Recipe, target: Path, say: Say) -> None:
    flags = " ".join(["-s -w", *(f"-X {one.format(v=recipe.version)}" for one in recipe.link)])
    command = ["go", "build", "-trimpath", "-ldflags", flags, "-o", str(target / recipe.name), recipe.package]
    say(f"building {recipe.name} {recipe.version}")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fate-tools-") as scratch:
        # A copy: nothing is ever written into the repository.
        source = Path(shutil.copytree(versions.MODULES / recipe.folder, Path(scratch) / "source"))
        if recipe.name == "pulumi-resource-kubernetes":
            _embed_schema(source, recipe.version)
        environment = _go_environment() | ({"CGO_ENABLED": "0"} if recipe.static else {})
        run_with_heartbeat(command, source, recipe.name, say, environment)
    say(f"built {recipe.name} {recipe.version} in {time.monotonic() - begun:.0f} s")


def run_with_heartbeat(command: list[str], folder: Path, name: str, say: Say, environment: Mapping[str, str]) -> None:
    """Run a command that takes long, with a sign of life now and then. SandboxError, with the end of its output, when it fails."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        try:
            while process.poll() is None:
                try:
                    process.wait(timeout=HEARTBEAT)
                except subprocess.TimeoutExpired:
                    say(f"building {name} ... {time.monotonic() - begun:.0f} s")
        finally:
            if process.poll() is None:  # interrupted
                process.terminate()
                process.wait()
        if process.returncode:
            output.seek(0)
            tail = output.read().decode(errors="replace").splitlines()[-_LOG_TAIL:]
            raise SandboxError(f"building {name} failed:\n" + "\n".join(f"    {line}" for line in tail))


def _go_environment() -> dict[str, str]:
    if shutil.which("go") is None:
        raise SandboxError("no `go` on PATH to build tools with", "install Go 1.26, or the tools themselves")
    # GOFLAGS and GOWORK of the user would change what is built.
    return os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}


def _module_folder(folder: Path, module: str) -> Path:
    """Where Go keeps a module of the build list of `folder`, downloaded if need be."""
    command = ["go", "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=folder, env=_go_environment(), capture_output=True, text=True, check=False)
    try:
        return Path(json.loads(done.stdout)["Dir"])
    except (ValueError, KeyError) as error:
        raise SandboxError(f"cannot download Go module {module}: {done.stdout or done.stderr}") from error


def _embed_schema(source: Path, version: str) -> None:
    """Put beside main.go the two generated files that it embeds."""
    origin = _module_folder(source, PROVIDER_MODULE) / "cmd" / "pulumi-resource-kubernetes"
    schema = json.loads((origin / "schema.json").read_text())
    (source / "schema.json").write_text(json.dumps(schema | {"version": version}))
    shutil.copyfile(origin / "terraform-mapping.json", source / "terraform-mapping.json")


def _add_scripts(recipe: Recipe, target: Path) -> None:
    for script in recipe.scripts:
        origin = _module_folder(versions.MODULES / recipe.folder, recipe.module)
        copied = target / Path(script).name
        shutil.copyfile(origin / script, copied)
        copied.chmod(0o755)
