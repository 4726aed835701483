"""One operator's working folder in the demo: a project, a state backend, a passphrase, a kubeconfig, and commands run in it."""

import json
import os
import re
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import state
from sandbox.errors import SandboxError
from sandbox.files import private_dir, write_atomic
from sandbox.tools import tools_env

REPO = Path(__file__).resolve().parent.parent
_UP_MINUTES = 10
_SHOWN = 4000  # characters of a failed command


@dataclass(frozen=True)
class Workspace:
    """The folder `.demo/<organization>/`; the stack is called like the organization."""

    organization: str
    folder: Path
    kubeconfig: Path

    def prepare(self) -> None:
        """Make what is missing: project file, stack file and its peers, passphrase, backend, env file, stack."""
        for name in ("", "stacks", "stacks/peers", "state", "pulumi-home"):
            private_dir(self.folder / name)
        up = os.path.relpath(REPO, self.folder)
        project = (REPO / "Pulumi.yaml").read_text("utf-8")
        project = re.sub(r"virtualenv: .*", f"virtualenv: {up}/.venv", project)
        write_atomic(self.folder / "Pulumi.yaml", f"main: {up}\n{project}".encode())
        if not self.stack_file.exists():
            example = (REPO / "stacks" / self.stack_file.name).read_text("utf-8")
            write_atomic(self.stack_file, self._with_ranges(example).encode())
        if not self._passphrase.exists():
            write_atomic(self._passphrase, secrets.token_urlsafe(32).encode())
        write_atomic(self.folder / "env", self._env_file().encode())
        if self.organization not in {stack["name"].rsplit("/", 1)[-1] for stack in self.json("pulumi", "stack", "ls")}:
            self.run("pulumi", "stack", "init", self.organization)
        self.run("pulumi", "stack", "select", self.organization)

    def _with_ranges(self, example: str) -> str:
        """The example with the addresses of the own cluster in the place of those that it proposes."""
        own = state.load(self.kubeconfig.parent.parent, self.kubeconfig.parent.name)
        ranges = "" if own is None else f"ranges: [{own.pod_cidr}, {own.service_cidr}]"
        return re.sub(r"# ranges: \[[^]]*\]", ranges, example) if ranges else example

    @property
    def stack_file(self) -> Path:
        """The stack's configuration file."""
        return self.folder / "stacks" / f"Pulumi.{self.organization}.yaml"

    @property
    def _passphrase(self) -> Path:
        return self.folder / "passphrase"

    def variables(self) -> dict[str, str]:
        """What this operator's shell has beside the machine's own environment."""
        return {
            **tools_env(self.folder / "pulumi-home"),
            "PULUMI_BACKEND_URL": (self.folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._passphrase),
            "KUBECONFIG": str(self.kubeconfig),
        }

    def run(self, *command: str, stdin: bytes | None = None) -> str:
        """Run a command as this operator; its standard output. SandboxError with what it printed when it fails."""
        done = self.attempt(*command, stdin=stdin)
        if done.returncode != 0:
            shown = f"{done.stdout.decode(errors='replace')}\n{done.stderr.decode(errors='replace')}".strip()
            raise SandboxError(f"{self.organization}: `{' '.join(command)}` ended with {done.returncode}:\n{_what_went_wrong(shown)}")
        return done.stdout.decode()

    def attempt(self, *command: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run a command as this operator, whatever it ends with."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "KUBECONFIG"))}
        variables = {**environment, **self.variables(), "PWD": str(self.folder)}
        where = {"cwd": self.folder, "env": variables}
        return subprocess.run(command, input=stdin or b"", capture_output=True, timeout=_UP_MINUTES * 60, check=False, **where)  # type: ignore[call-overload, no-any-return]

    def json(self, *command: str) -> Any:
        """What a command prints with --json."""
        return json.loads(self.run(*command, "--json"))

    def fatefed(self, *arguments: str) -> str:
        """Run fatefed on this operator's stack."""
        return self.run("fatefed", *arguments, "-s", self.organization)

    def up(self) -> dict[str, int]:
        """`pulumi up`; how many resources had which operation."""
        printed = self.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", "-s", self.organization)
        return {
            word: int(count)
            for sign, count, word in re.findall(r"^\s+([+~-]*)\s*(\d+) (created|updated|deleted|replaced|unchanged)", printed, re.M)
        }

    def preview(self) -> list[tuple[str, str, str]]:
        """`pulumi preview`: (operation, type, name) of each resource that would change."""
        steps = self.json("pulumi", "preview", "-s", self.organization)["steps"]
        return [(step["op"], *_type_and_name(step["urn"])) for step in steps if step["op"] not in ("same", "read")]

    def set_secret(self, name: str, content: bytes) -> None:
        """Put an entry into fate:secrets, encrypted."""
        self.run("pulumi", "config", "set", "--secret", "--path", f"fate:secrets.{name}", "-s", self.organization, stdin=content)

    def has_secret(self, name: str) -> bool:
        """Whether the stack file already holds an entry of fate:secrets."""
        return re.search(rf"^\s+{re.escape(name)}:", self.stack_file.read_text("utf-8"), re.M) is not None

    def kubectl(self, *arguments: str) -> Any:
        """What kubectl answers, from JSON."""
        return json.loads(self.run("kubectl", *arguments, "-o", "json"))

    def _env_file(self) -> str:
        lines = [f"export {name}={_quoted(value)}" for name, value in sorted(self.variables().items()) if name != "PATH"]
        path = tools_env()["PATH"].removesuffix(os.environ.get("PATH", ""))
        return "\n".join(
            [f"# Source this file to go on by hand as {self.organization}.", *lines, f'export PATH={_quoted(path)}"$PATH"', ""]
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _type_and_name(urn: str) -> tuple[str, str]:
    kind, name = urn.split("::", 3)[2:]
    return kind.rsplit("$", 1)[-1], name


def _what_went_wrong(shown: str) -> str:
    """The end of what a command printed, below every error that stands further up: outputs of a stack may follow those."""
    end = shown[-_SHOWN:]
    errors = dict.fromkeys(line.strip() for line in shown[:-_SHOWN].splitlines() if re.search(r"\berror:", line))
    return "\n".join([*errors, end])
