"""Reading a cluster by kubectl: no Secret is asked for, and each answer is ok, absent, failed or not readable.

Nothing is written but the Job of `doctor --in-cluster` (cli/doctor/links/job.py), which is deleted again.
"""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from socket import socket
from tempfile import TemporaryFile
from typing import IO, Any, Literal

from cli.tools.errors import CommandError
from cli.tools.progress import waits_for, waits_no_more
from federation.config.kubeconfig import read_kubeconfig
from federation.config.kubectl import environment, kubectl
from federation.config.stack import ClusterSpec

Object = dict[str, Any]
_CALL_SECONDS = 10.0  # one answer of an API server that is well takes far less than a second
_AT_ONCE = 4
_LONGEST_REASON = 300
# Of which it matters who wrote a field.
_COMPARED = frozenset({"configmaps", "deployments", "ingresses", "networkpolicies", "services", "statefulsets"})


@dataclass(frozen=True)
class Ask:
    """What is asked for: all objects of a kind in a namespace (None: everywhere, or not namespaced), one by name, or a raw path."""

    kind: str
    namespace: str | None = None
    name: str | None = None

    @property
    def arguments(self) -> list[str]:
        """Kubectl's arguments."""
        if self.kind.startswith("/"):
            return ["get", "--raw", self.kind]
        place = ["--all-namespaces"] if self.namespace is None else ["--namespace", self.namespace]
        named = [] if self.name is None else [self.name]
        whose = ["--show-managed-fields"] if self.kind in _COMPARED and self.namespace is not None else []
        return ["get", self.kind, *named, *([] if self.namespace is None and named else place), "--output", "json", *whose]


@dataclass(frozen=True)
class Right:
    """What the own account wants to do: a verb and a kind, in a namespace (None: not namespaced)."""

    verb: str
    kind: str
    namespace: str | None = None

    @property
    def arguments(self) -> list[str]:
        """Kubectl's arguments."""
        return ["auth", "can-i", self.verb, self.kind, *([] if self.namespace is None else ["--namespace", self.namespace])]

    def __str__(self) -> str:
        return f"{self.verb} {self.kind}"


@dataclass(frozen=True)
class Reading:
    """One answer; `reason` says why it is not ok."""

    state: Literal["ok", "absent", "failed", "not readable"]
    items: tuple[Object, ...] = ()
    reason: str = ""


class Cluster:
    """The cluster of a stack, as kubectl reaches it, within a number of seconds for everything."""

    def __init__(self, spec: ClusterSpec, folder: Path, seconds: float) -> None:
        """`folder`: of the project, from where a relative kubeconfig is meant. `seconds`: may be inf. CommandError without kubectl."""
        command = kubectl(spec, os.environ)
        if command is None:
            remedy = "install it (https://kubernetes.io/docs/tasks/tools/), or name it with KUBECTL=PATH"
            raise CommandError("kubectl", "not found on PATH", remedy)
        self._command, self._spec = command, spec
        self._folder = folder
        self._deadline = time.monotonic() + seconds
        self._environment = environment(spec, os.environ)

    def read(self, asks: Iterable[Ask]) -> dict[Ask, Reading]:
        """The answer to each question, several at once."""
        wanted = list(dict.fromkeys(asks))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(wanted, pool.map(self._ask, wanted), strict=True))

    def explained(self, reading: Reading) -> Reading:
        """An answer; of a failed one also what is wrong in the kubeconfig, of which kubectl says less."""
        if reading.state != "failed" or self._spec.in_cluster:
            return reading
        wrong = read_kubeconfig(self._spec, self._environment.get("KUBECONFIG", ""), self._folder).problem(self._spec)
        return reading if wrong is None else replace(reading, reason=f"{reading.reason}; {wrong[0]}: {wrong[1]}")

    def may(self, rights: Iterable[Right]) -> dict[Right, Reading]:
        """Whether the own account has each right: ok, "not readable" when the API server says no, or failed."""
        wanted = list(dict.fromkeys(rights))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(wanted, pool.map(self._may, wanted), strict=True))

    def logs(self, namespace: str, pod: str, lines: int) -> str:
        """The last lines of every container of a pod, or why there are none."""
        done = self._run(["logs", pod, "--namespace", namespace, "--all-containers", "--prefix", f"--tail={lines}"])
        return done if isinstance(done, str) else f"{done.state}: {done.reason}\n"

    def lines(self, arguments: Sequence[str]) -> Iterator[str]:
        """Each line that kubectl prints, when it comes, however long that takes; it ends with whoever reads. CommandError when it fails."""
        command = [*self._command, *arguments]
        waits_no_more()
        with TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=self._folder, env=self._environment
                )
            except OSError as error:
                raise CommandError("kubectl", f"cannot be run: {error.strerror}", "correct KUBECTL, or PATH") from None
            with process:
                try:
                    yield from (line.decode(errors="replace").rstrip("\r\n") for line in process.stdout or ())
                except BaseException:
                    process.terminate()
                    raise
            if process.returncode != 0:
                errors.seek(0)
                refusal = self.explained(_refusal(errors.read().decode(errors="replace"), ""))
                raise CommandError(f"kubectl {arguments[0]}", refusal.reason, "`fatefed doctor` says how the cluster and its modules are")

    def started(self, arguments: Sequence[str], ends: socket, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        """A running kubectl whose standard input and output are one socket. CommandError when it cannot be run."""
        try:
            return subprocess.Popen(
                [*self._command, *arguments],
                stdin=ends.fileno(),
                stdout=ends.fileno(),
                stderr=errors,
                cwd=self._folder,
                env=self._environment,
            )
        except OSError as error:
            raise CommandError("kubectl", f"cannot be run: {error.strerror}", "correct KUBECTL, or PATH") from None

    def typed(self, arguments: Sequence[str]) -> str:
        """The command as an operator types it, with the stack's context and kubeconfig."""
        return shlex.join([*self._command, *arguments])

    def output(self, namespace: str, pod: str) -> str | Reading:
        """What a pod printed, or why that is not known."""
        return self._run(["logs", pod, "--namespace", namespace])

    def inside(self, namespace: str, pod: str, container: str, program: Sequence[str]) -> str | Reading:
        """What a program prints that is run in a container, or why that is not known."""
        return self._run(["exec", pod, "--namespace", namespace, "--container", container], program=["--", *program])

    def create(self, item: Object) -> Reading | None:
        """Make an object. None when it is made, else why not."""
        done = self._run(["create", "--filename", "-", "--output", "name"], json.dumps(item).encode())
        return None if isinstance(done, str) else done

    def delete(self, kind: str, namespace: str, name: str) -> Reading | None:
        """Delete an object with all that it owns, without waiting for the end. None when that is accepted, else why not."""
        done = self._run(["delete", kind, name, "--namespace", namespace, "--cascade=background", "--wait=false", "--ignore-not-found"])
        return None if isinstance(done, str) else done

    def client_version(self) -> str:
        """Kubectl's own version."""
        done = self._run(["version", "--client", "--output", "json"])
        return json.loads(done)["clientVersion"]["gitVersion"] if isinstance(done, str) else done.reason

    def _ask(self, ask: Ask) -> Reading:
        done = self._run(ask.arguments)
        if isinstance(done, Reading):
            return done
        try:
            answer = json.loads(done)
        except ValueError:
            return Reading("failed", reason="kubectl's answer is not JSON")
        return Reading("ok", tuple(answer["items"]) if "items" in answer else (answer,))

    def _may(self, right: Right) -> Reading:
        done = self._run(right.arguments)
        return done if isinstance(done, Reading) else Reading("ok")

    def _run(self, arguments: list[str], stdin: bytes = b"", program: Sequence[str] = ()) -> str | Reading:
        """What kubectl prints; a reading that is not ok when it fails or takes too long."""
        left = min(_CALL_SECONDS, self._deadline - time.monotonic())
        if left <= 0:
            return Reading("failed", reason="not asked: the time is over; allow more with --timeout")
        command = [*self._command, *arguments, f"--request-timeout={max(1, round(left))}s", *program]
        waits_for(f"kubectl {' '.join([word for word in arguments if not word.startswith('-')][:2])}")
        try:
            # A hanging TLS handshake or a plugin for credentials ends with the process only.
            done = subprocess.run(
                command,
                input=stdin,
                capture_output=True,
                timeout=left + 1,
                cwd=self._folder,
                env=self._environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Reading("failed", reason=f"no answer within {left:.0f} s")
        except OSError as error:
            return Reading("failed", reason=f"kubectl cannot be run: {error.strerror}")
        if done.returncode == 0:
            return done.stdout.decode(errors="replace")
        return _refusal(done.stderr.decode(errors="replace"), done.stdout.decode(errors="replace").strip())


def _refusal(errors: str, printed: str) -> Reading:
    if printed.startswith("no"):  # the answer of `auth can-i`
        return Reading("not readable", reason=printed)
    lines = [line for line in errors.splitlines() if line.strip()]
    reason = (lines or ["kubectl failed without a message"])[-1].strip()[:_LONGEST_REASON]
    if "(NotFound)" in errors:
        return Reading("absent", reason=reason)
    if "(Forbidden)" in errors:
        return Reading("not readable", reason=reason)
    return Reading("failed", reason=reason)
