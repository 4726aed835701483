"""Finding each tool on PATH or in the cache, building what is missing, and the environment to run them in."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from sandbox import build, versions
from sandbox.catalogue import recipes
from sandbox.errors import SandboxError
from sandbox.state import COMPONENTS

COMMANDS = ("kubectl", "helm", "pulumi")  # what tools_env puts on PATH
PROVIDER_TOOL = "pulumi-resource-kubernetes"
CLIENT_TOOLS = (*COMMANDS, PROVIDER_TOOL)  # what `ensure` must have got before tools_env
_VERSION_COMMANDS = {
    "pulumi": ("version",),
    "kubectl": ("version", "--client", "-o", "json"),
    "helm": ("version", "--short"),
}
_VERSION_TIMEOUT = 20.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The tool that will be used. `path` is None where pulumi itself supplies it; `seconds` is what getting it took."""

    name: str
    path: Path | None
    why: str
    seconds: float = 0.0


def ensure(names: Iterable[str], say: build.Say) -> list[Choice]:
    """Find the tools, building those that are missing; progress goes to `say`."""
    chosen = []
    for name in names:
        begun = time.monotonic()
        choice = find(name)
        if choice is None:
            path, _ = build.build(recipes()[name], say)
            why = f"built: {_why_not_on_path(name)}"
            choice = Choice(name=name, path=path, why=why, seconds=time.monotonic() - begun)
        chosen.append(choice)
    return chosen


def find(name: str) -> Choice | None:
    """The tool, found but not built; None when it must be built. SandboxError for an unknown name."""
    if name not in recipes():
        raise SandboxError(f"no tool is called {name}", f"tools: {', '.join(recipes())}")
    begun = time.monotonic()
    if name == PROVIDER_TOOL and official_pulumi():
        return Choice(name=name, path=None, why="the pulumi on PATH installs its own")
    if name in _VERSION_COMMANDS and not _unfit(name) and (path := _on_path(name)):
        why = f"on PATH, version {versions.show(_version(name, path) or (0, 0, 0))}"
        return Choice(name=name, path=path, why=why, seconds=time.monotonic() - begun)
    if path := build.cached(recipes()[name]):
        why = f"built before: {_why_not_on_path(name)}"
        return Choice(name=name, path=path, why=why, seconds=time.monotonic() - begun)
    return None


def tool_path(name: str) -> Path:
    """The executable of a tool; SandboxError when it was not built yet, or when pulumi installs it itself."""
    choice = _built(name)
    if choice.path is None:
        raise SandboxError(f"{name} is not ours: {choice.why}")
    return choice.path


def tools_env(pulumi_home: Path | None = None) -> dict[str, str]:
    """Variables to run pulumi, kubectl and helm with: PATH (virtual environment, tools, the caller's) and Pulumi's own.

    They are the difference to os.environ. `pulumi_home` becomes PULUMI_HOME and, where the provider is ours, gets it
    installed. SandboxError when a tool was not built yet.
    """
    path = [Path(sys.prefix) / "bin", *(tool_path(name).parent for name in COMMANDS)]
    variables = {
        "PATH": os.pathsep.join([*dict.fromkeys(map(str, path)), os.environ.get("PATH", os.defpath)]),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_OPTION_SUPPRESS_OUTPUTS": "true",  # `pulumi stack output` prints them
    }
    if not official_pulumi():
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    if pulumi_home is not None:
        install_provider(pulumi_home)
        variables["PULUMI_HOME"] = str(pulumi_home)
    return variables


def install_provider(pulumi_home: Path) -> Path | None:
    """Give a PULUMI_HOME the built Kubernetes provider, as a link. None, and nothing done, under an official pulumi.

    Pulumi looks for the SDK's version by the folder's name. It then asks the provider itself, and warns that this one is older.
    """
    source = _built(PROVIDER_TOOL).path
    if source is None:
        return None
    folder = pulumi_home / "plugins" / f"resource-kubernetes-v{version('pulumi-kubernetes')}"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    if not target.exists() or target.resolve() != source.resolve():
        draft = folder / f".{source.name}.{os.getpid()}"
        draft.unlink(missing_ok=True)
        draft.symlink_to(source)
        os.rename(draft, target)
    return target


def official_pulumi() -> bool:
    """Whether PATH has a pulumi that will do, together with its Python language host."""
    return not _unfit("pulumi")


def control_plane() -> dict[str, Path]:
    """The executables of a cluster's components. SandboxError when one was not built yet."""
    return {name: tool_path(name) for name in COMPONENTS}


def _built(name: str) -> Choice:
    if (choice := find(name)) is None:
        raise SandboxError(f"{name} is not built yet", "run `sandbox tools`")
    return choice


def _why_not_on_path(name: str) -> str:
    return _unfit(name) if name in _VERSION_COMMANDS else "always the version that was tried"


def _unfit(name: str) -> str:
    """Why the tool on PATH will not do; empty when it will."""
    path = _on_path(name)
    if path is None:
        return "not on PATH"
    version = _version(name, path)
    if version is None:
        return f"{path} tells no version"
    server = versions.parse(recipes()["kube-apiserver"].version) or (0, 0, 0)
    if name == "kubectl" and not versions.kubectl_will_do(version, server):
        return f"{path} is {versions.show(version)}, more than one minor from {versions.show(server)}"
    if name == "helm" and not versions.helm_will_do(version):
        return f"{path} is {versions.show(version)}, not {versions.HELM_MAJOR}.x"
    if name == "pulumi" and not versions.pulumi_will_do(version):
        return f"{path} is {versions.show(version)}, older than {versions.show(versions.MINIMUM_PULUMI)}"
    if name == "pulumi" and _on_path("pulumi-language-python") is None:
        return f"{path} has no pulumi-language-python beside it"
    return ""


def _on_path(name: str) -> Path | None:
    """The first on PATH that is not one of ours (a caller may run inside `sandbox env`)."""
    ours = str(build.cache_folder())
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if not folder.startswith(ours)]
    program = shutil.which(name, path=os.pathsep.join(folders))
    return Path(program).absolute() if program else None


@cache
def _version(name: str, path: Path) -> versions.Version | None:
    command = [str(path), *_VERSION_COMMANDS[name]]
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_VERSION_TIMEOUT, env=env, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return versions.kubectl_version(done.stdout) if name == "kubectl" else versions.parse(done.stdout)
