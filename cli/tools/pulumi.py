"""Running `pulumi` for what only it can do: encrypting a value, reading a stack's outputs."""

import json
import os
import re
import shutil
import subprocess

from cli.tools.errors import CommandError
from cli.tools.files import shown
from cli.tools.kept import has_keys
from cli.tools.progress import waits_for
from cli.tools.project import Project, Stack
from federation.config.project import short_name

SECONDS = 120.0
_SELECTED_SECONDS = 10.0
# The organization of every stack in a backend that has no organizations: a folder, a bucket.
_NO_ORGANIZATION = "organization"
_VARIABLES = "PULUMI_CONFIG_PASSPHRASE_FILE or PULUMI_CONFIG_PASSPHRASE"
# What pulumi says, the problem in our words, and the remedy.
_KNOWN = (
    ("unable to read PULUMI_CONFIG_PASSPHRASE_FILE", "the file of the passphrase cannot be read", "correct PULUMI_CONFIG_PASSPHRASE_FILE"),
    ("passphrase must be set", "the passphrase of the stack's secrets is not set", f"set {_VARIABLES}"),
    ("incorrect passphrase", "the passphrase is not the one of this stack", f"correct {_VARIABLES}"),
    ("PULUMI_ACCESS_TOKEN", "there is no state backend", "log in to one: `pulumi login URL`, or set PULUMI_BACKEND_URL"),
)


class EngineError(CommandError):
    """pulumi ended with an error; `output` is what it said."""

    def __init__(self, stack: Stack, arguments: tuple[str, ...], output: str) -> None:
        self.output = output
        place = f"`pulumi {' '.join(arguments)}` (stack {stack.name})"
        self.unknown_stack = "no stack named" in output
        if self.unknown_stack:
            super().__init__(place, *_unknown_stack(stack))
            return
        for sign, problem, remedy in _KNOWN:
            if sign in output:
                super().__init__(place, problem, remedy)
                return
        super().__init__(place, output.strip() or "failed without a message", "correct that, and run the command again")


def pulumi(stack: Stack, *arguments: str, stdin: str | None = None, seconds: float = SECONDS) -> str:
    """What `pulumi` prints for a stack; `stdin` goes to its standard input. CommandError when it is missing, fails or takes longer."""
    program = shutil.which("pulumi")
    if program is None:
        remedy = 'install it (https://www.pulumi.com/docs/install/), or in the sandbox: `eval "$(sandbox env)"`'
        raise CommandError("pulumi", "not found on PATH", remedy)
    command = [program, *arguments, "--stack", stack.name, "--cwd", str(stack.project.folder), "--non-interactive", "--color", "never"]
    waits_for(f"pulumi {' '.join(arguments[:2])}")
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(command, input=stdin or "", capture_output=True, text=True, timeout=seconds, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise EngineError(stack, arguments, f"no answer within {seconds:.0f} s") from None
    if done.returncode != 0:
        output = done.stderr or done.stdout
        raise EngineError(stack, arguments, output.replace(stdin, "<redacted>") if stdin else output)
    return done.stdout


def selected_stack(project: Project) -> str | None:
    """The stack that `pulumi stack select` chose for this project and backend; None when there is none, or pulumi does not tell."""
    where = [] if project.named is None else ["--cwd", str(project.named)]
    command = ["pulumi", "stack", "--show-name", "--fully-qualify-stack-names", "--non-interactive", "--color", "never", *where]
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SELECTED_SECONDS,
            env=environment,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    name = done.stdout.strip()
    return (short_name(name) if name.startswith(f"{_NO_ORGANIZATION}/") else name) or None


def _unknown_stack(stack: Stack) -> tuple[str, str]:
    """That the backend has no such stack, and what to do: one with keys was made in some backend, and must not get a second owner."""
    backend, make = _backend(), f"`pulumi stack init {stack.name}`"
    if not has_keys(stack.file):
        return f"the stack does not exist in {backend} yet", f"create it: {make}"
    return (
        f"the stack does not exist in {backend}, though {shown(stack.file)} has its keys",
        "is this the backend that deployed it? If not, choose that one: `pulumi login URL`, or PULUMI_BACKEND_URL. If it never "
        f"was in any, or its state is lost (docs/guides/state.md, Backup and restore): {make}; two states would both own the same objects",
    )


def _backend() -> str:
    """The backend in use, as messages name it; without the credentials that its URL may hold."""
    try:
        done = subprocess.run(
            ["pulumi", "whoami", "--verbose", "--json"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        url = str(json.loads(done.stdout)["url"])
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
        return "this backend"
    return f"the backend {re.sub('//[^/@]*@', '//', url)}"
