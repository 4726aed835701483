"""A folder of an operator's own: a Pulumi project whose program is this checkout, a state backend, a passphrase, and a file to source."""

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cli.tools.errors import CommandError
from cli.tools.files import shown, write_atomic
from federation.base.errors import FederationError, Problem

PROGRAM = Path(__file__).resolve().parents[2]
_TOOLS = ("pulumi", "kubectl", "helm")
# Set where pulumi was built from source, which downloads no provider: its PULUMI_HOME has to hold one.
_BUILT = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
# What an editor, a reader of the stack files' comments, and messages that name a page look for.
_LINKS = ("stacks/stack.schema.json", "stacks/README.md", "docs")
_SANDBOX = Path(sys.prefix) / "bin" / "sandbox"
_PULUMI_HOME = "pulumi-home"
_BYTES = 32
_PRIVATE, _PUBLIC = 0o600, 0o644


@dataclass(frozen=True)
class NewFolder:
    """What was made. `missing`: tools that are not there yet."""

    folder: Path
    kubeconfig: str
    backend: str
    missing: tuple[str, ...]


def new_folder(folder: Path, *, backend: str | None = None, kubeconfig: str | None = None, program: Path = PROGRAM) -> NewFolder:
    """Make the folder. `backend`: a URL as PULUMI_BACKEND_URL takes it (default: the folder's own `state/`); `kubeconfig`: one file, or
    several as in KUBECONFIG. FederationError when one of the files is there already. All of it is made, or nothing stays.
    """
    folder = Path(os.path.normpath(folder.absolute()))
    home = folder.resolve()
    _must_be_free(folder)
    project = _project(program, home)
    config = os.pathsep.join(str(Path(path).expanduser().absolute()) for path in _kubeconfig(kubeconfig).split(os.pathsep) if path)
    url = backend or (home / "state").as_uri()
    with ExitStack() as undo:
        for path in (folder, folder / "stacks", folder / "stacks" / "peers", *([] if backend else [folder / "state"])):
            _private_folder(path, undo)
        if not (folder / _PULUMI_HOME).exists():
            undo.callback(shutil.rmtree, folder / _PULUMI_HOME, ignore_errors=True)
        variables = {
            **_tools(home / _PULUMI_HOME),
            "PULUMI_BACKEND_URL": url,
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(home / "passphrase"),
            "KUBECONFIG": config,
            "PULUMI_OPTION_SUPPRESS_OUTPUTS": "true",  # `pulumi stack output` prints them
        }
        texts = {
            ".gitignore": (files("cli.stackfile").joinpath("new.gitignore").read_bytes(), _PUBLIC),
            "Pulumi.yaml": (project.encode(), _PUBLIC),
            "passphrase": (secrets.token_urlsafe(_BYTES).encode(), _PRIVATE),
            "env": (_env(variables).encode(), _PRIVATE),
        }
        for name, (content, mode) in texts.items():
            undo.callback((folder / name).unlink, missing_ok=True)
            write_atomic(folder / name, content, mode)
        for name in _LINKS:
            (folder / name).symlink_to(os.path.relpath(program / name, (home / name).parent))
            undo.callback((folder / name).unlink)
        undo.pop_all()
    return NewFolder(folder, config, url, tuple(tool for tool in _TOOLS if shutil.which(tool, path=variables["PATH"]) is None))


def _must_be_free(folder: Path) -> None:
    there = [name for name in ("Pulumi.yaml", "stacks", "docs", ".gitignore", "passphrase", "env", "state") if (folder / name).exists()]
    if there:
        remedy = "choose another folder: what is there may be a stack's only copy"
        raise FederationError([Problem(shown(folder / name), "exists already", remedy) for name in there])


def _project(program: Path, home: Path) -> str:
    """The Pulumi.yaml of the program for a folder elsewhere; its paths are relative, so that both folders may move together."""
    try:
        text = (program / "Pulumi.yaml").read_text("utf-8")
    except OSError:
        remedy = "run the `fatefed` of a checkout: `make setup` in it installs .venv/bin/fatefed"
        raise CommandError(shown(program / "Pulumi.yaml"), "is not there: this `fatefed` has no program beside it", remedy) from None
    environment = f"virtualenv: {os.path.relpath(sys.prefix, home)}"
    return f"main: {os.path.relpath(program, home)}\n" + re.sub(r"virtualenv: .*", lambda _: environment, text)


def _kubeconfig(asked: str | None) -> str:
    return asked or os.environ.get("KUBECONFIG") or "~/.kube/config"


def _tools(pulumi_home: Path) -> dict[str, str]:
    """Variables with which pulumi, kubectl, helm and this `fatefed` are found; where one is not on PATH, those that `make tools` built."""
    own = Path(sys.prefix) / "bin"
    where = {tool: shutil.which(tool) for tool in _TOOLS}
    if (None in where.values() or _BUILT in os.environ) and (built := _built(pulumi_home)):
        return built
    path = [own, *(Path(tool).absolute().parent for tool in where.values() if tool)]
    home = os.environ.get("PULUMI_HOME")
    return {"PATH": os.pathsep.join(dict.fromkeys(map(str, path))), **({"PULUMI_HOME": home} if home else {})}


def _built(pulumi_home: Path) -> dict[str, str]:
    """What the sandbox says of the tools that it built; nothing while it has built none."""
    try:
        command = [str(_SANDBOX), "env", "--pulumi-home", str(pulumi_home)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return {}
    words = [word for line in done.stdout.splitlines() for word in shlex.split(line)]
    variables = dict(word.split("=", 1) for word in words if "=" in word)
    return {**variables, "PATH": variables["PATH"].removesuffix(os.environ.get("PATH", "")).rstrip(os.pathsep)}


def _env(variables: dict[str, str]) -> str:
    path = f'export PATH={shlex.quote(variables["PATH"])}:"$PATH"'
    exports = [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items()) if name != "PATH"]
    head = "# For each new terminal: `. ./env`. It names paths of this machine, so git ignores it."
    return "\n".join([head, "unset PULUMI_CONFIG_PASSPHRASE PULUMI_STACK", *exports, path, ""])


def _private_folder(path: Path, undo: ExitStack) -> None:
    """For its owner's eyes only; `undo` removes what had to be made."""
    for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
        try:
            missing.mkdir(mode=0o700 if missing == path else 0o777)
        except OSError as error:
            raise CommandError(shown(missing), f"cannot be made: {error.strerror}", "choose a folder that you may write to") from None
        undo.callback(missing.rmdir)
