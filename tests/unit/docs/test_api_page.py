"""docs/reference/api.md: the names that it promises are there and typed, and its blocks do what it says.

The block that runs Pulumi is run by tests/engine/test_api.py, with a cluster.
"""

import importlib
import inspect
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from pulumi import automation

from tests.support.api_page import BLOCKS, NAMES
from tests.support.configs import STAR_PARTY
from tests.support.stacks import REPO, project


def _run(code: str, folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((sys.executable, "-c", code, name), cwd=folder, capture_output=True, text=True, check=False)


def test_the_names_of_the_api_are_there_and_typed() -> None:
    assert len(NAMES) > 10
    for name in NAMES:
        module, _, attribute = name.rpartition(".")
        promised = getattr(importlib.import_module(module), attribute)
        assert (REPO / module.split(".")[0] / "py.typed").is_file(), name
        if inspect.isfunction(promised):
            signature = inspect.signature(promised)
            assert signature.return_annotation is not inspect.Signature.empty, name
            assert all(parameter.annotation is not inspect.Parameter.empty for parameter in signature.parameters.values()), name


def test_a_program_loads_a_stack_and_reads_its_plan_and_calls_a_verb(tmp_path: Path) -> None:
    STAR_PARTY.with_entry("clinic-b", descriptor="peers/clinic-b.json").write(project(tmp_path) / "stacks")
    read, _, verb = BLOCKS
    done = _run(f"{read}\nassert 'pulumi' not in sys.modules\n{verb}", tmp_path, "bank-a")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    first, second, *sheet = done.stdout.splitlines()
    assert first == "party-9999: release 1.11.2, namespace fate-9999, 8 modules"
    assert second.startswith("clinic-b is pending: ")
    assert {line.split()[0] for line in sheet} == {"in", "out"}


def test_a_program_hears_every_problem_at_once(tmp_path: Path) -> None:
    case = STAR_PARTY.changed(lambda config: (config["parties"]["9999"].update(release="9.9.9"), config.update(colour="red")))
    case.write(project(tmp_path) / "stacks")
    done = _run(BLOCKS[0], tmp_path, "bank-a")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert len(lines) >= 2
    assert all("fate:" in line and "; remedy: " in line for line in lines)


@pytest.mark.parametrize(
    ("summary", "stops"), [({"create": 3, "same": 1}, False), ({"same": 1, "delete": 1}, True), ({"replace": 1}, True)]
)
def test_a_program_stops_where_a_preview_deletes(summary: dict[str, int], stops: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = SimpleNamespace(preview=lambda **_: SimpleNamespace(change_summary=summary))
    monkeypatch.setattr(automation, "select_stack", lambda name, work_dir: stack)
    with pytest.raises(SystemExit, match="deletes") if stops else nullcontext():
        exec(BLOCKS[1], {"sys": sys, "name": "bank-a", "project": REPO})


def test_the_blocks_pass_mypy_in_strict_mode(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text("\n".join(BLOCKS))
    checked = (sys.executable, "-m", "mypy", "--config-file", str(REPO / "pyproject.toml"), str(tmp_path / "example.py"))
    done = subprocess.run(checked, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
