"""`fatefed doctor` run on a stack of the tests, with a cluster that has what was planned."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main
from tests.support import stacks
from tests.support.configs import Case
from tests.support.kubectl import FakeKubectl

SECONDS = 6.0


@dataclass(frozen=True)
class Answer:
    """What doctor said: the exit status, its rows, and how long it took."""

    code: int
    rows: list[dict[str, str]]
    seconds: float

    @property
    def wrong(self) -> dict[str, dict[str, str]]:
        """The rows to act on, by check."""
        return {row["check"]: row for row in self.rows if row["state"] not in ("ok", "skipped")}

    @property
    def skipped(self) -> dict[str, str]:
        """Which check waits for which."""
        return {row["check"]: row["problem"] for row in self.rows if row["state"] == "skipped"}


def doctor(
    folder: Path,
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *arguments: str,
    cluster: Callable[[FakeKubectl], object] = lambda kubectl: None,
) -> Answer:
    """Runs `fatefed doctor` with these arguments; `cluster` changes what the cluster has."""
    name = case.config["organization"]
    project = stacks.project(folder / "project")
    case.write(project / "stacks")
    kubectl = FakeKubectl(folder, stacks.stack(project, name, case.text()).load().plan)
    cluster(kubectl)
    kubectl.write()
    monkeypatch.setenv("KUBECTL", str(kubectl.program))
    began = time.monotonic()
    code = main(["doctor", *arguments, "-s", name, "-C", str(project), "--json", "--timeout", str(SECONDS)])
    return Answer(code, json.loads(capsys.readouterr().out)["rows"], time.monotonic() - began)
