"""`fatefed new`: a folder of an operator's own."""

import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import main
from cli.stackfile.new_folder import new_folder
from cli.tools.errors import CommandError
from cli.tools.files import write_atomic
from cli.tools.project import find_project
from federation.base.errors import FederationError
from tests.support.stacks import REPO

MADE = [".gitignore", "Pulumi.yaml", "docs", "env", "passphrase", "stacks", "state"]


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pulumi, kubectl and helm, found on PATH before anything else; no variable of an operator's shell."""
    folder = tmp_path / "some tools"
    folder.mkdir()
    for tool in ("pulumi", "kubectl", "helm"):
        (folder / tool).touch(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for name in ("KUBECONFIG", "PULUMI_HOME", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


def sourced(folder: Path, **before: str) -> dict[str, str]:
    """The variables of a shell that sourced the folder's env."""
    script = f". {shlex.quote(str(folder / 'env'))} && env -0"
    done = subprocess.run(["/bin/sh", "-c", script], env={"PATH": "/usr/bin:/bin", **before}, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def test_a_new_folder_is_a_project_of_this_program_that_has_no_stack_yet(tmp_path: Path) -> None:
    new_folder(tmp_path / "my bank")
    assert sorted(path.name for path in (tmp_path / "my bank").iterdir()) == MADE
    lines = (tmp_path / "my bank" / "Pulumi.yaml").read_text().splitlines()
    paths = {word: (tmp_path / "my bank" / path).resolve() for word, _, path in (line.strip().partition(": ") for line in lines) if path}
    assert (paths["main"], paths["virtualenv"]) == (REPO, Path(sys.prefix).resolve())
    others = [line for line in lines[1:] if "virtualenv" not in line]
    assert others == [line for line in (REPO / "Pulumi.yaml").read_text().splitlines() if "virtualenv" not in line]
    assert find_project(tmp_path / "my bank").stack_names == []


def test_what_a_stack_file_refers_to_is_beside_it(tmp_path: Path) -> None:
    new_folder(tmp_path / "bank")
    for name in ("stacks/stack.schema.json", "stacks/README.md", "docs"):
        assert (tmp_path / "bank" / name).resolve() == REPO / name


def test_the_passphrase_is_random_and_for_its_owner_only(tmp_path: Path) -> None:
    phrases = set()
    for name in ("a", "b"):
        new_folder(tmp_path / name)
        for file in ("passphrase", "env"):
            assert stat.S_IMODE((tmp_path / name / file).stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o700
        phrases.add((tmp_path / name / "passphrase").read_text())
    assert len(phrases) == 2
    assert all(len(phrase) >= 32 for phrase in phrases)


def test_git_sees_nothing_that_opens_a_secret(tmp_path: Path) -> None:
    new_folder(tmp_path / "bank")
    (tmp_path / "bank" / "stacks" / "Pulumi.bank.yaml").write_text("config: {}\n")
    for name in ("state/x", "stacks/kept/x", "pulumi-home/x", ".venv/x"):
        (tmp_path / "bank" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bank" / name).touch()
    git = ["git", "-C", str(tmp_path / "bank")]
    subprocess.run([*git, "init", "--quiet"], check=True)
    done = subprocess.run([*git, "ls-files", "--others", "--exclude-standard"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        ".gitignore",
        "Pulumi.yaml",
        "docs",
        *(f"stacks/{name}" for name in ("Pulumi.bank.yaml", "README.md", "stack.schema.json")),
    ]


def test_the_env_of_a_folder_takes_the_place_of_another_operators(tmp_path: Path, tools: Path) -> None:
    new_folder(tmp_path / "my bank", kubeconfig="some where/config:~/other")
    other = {"PULUMI_BACKEND_URL": "file:///other", "PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_STACK": "other", "KUBECONFIG": "/other"}
    found = sourced(tmp_path / "my bank", **other)
    assert found["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/my%20bank/state"
    assert Path(found["PULUMI_CONFIG_PASSPHRASE_FILE"]) == tmp_path / "my bank" / "passphrase"
    assert found["KUBECONFIG"] == f"{tmp_path}/some where/config:{Path('~/other').expanduser()}"
    assert not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_STACK"} & found.keys()
    assert found["PATH"].split(":") == [f"{sys.prefix}/bin", str(tools), "/usr/bin", "/bin"]


def test_the_kubeconfig_of_the_shell_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "here/config")
    assert new_folder(tmp_path / "a").kubeconfig == f"{tmp_path}/here/config"
    monkeypatch.delenv("KUBECONFIG")
    assert new_folder(tmp_path / "b").kubeconfig == str(Path("~/.kube/config").expanduser())


def test_outputs_do_not_scroll_away_what_an_update_says(tmp_path: Path) -> None:
    new_folder(tmp_path / "bank")
    assert sourced(tmp_path / "bank")["PULUMI_OPTION_SUPPRESS_OUTPUTS"] == "true"


def test_a_state_backend_elsewhere_needs_no_folder_here(tmp_path: Path) -> None:
    new_folder(tmp_path / "bank", backend="s3://states")
    assert sourced(tmp_path / "bank")["PULUMI_BACKEND_URL"] == "s3://states"
    assert not (tmp_path / "bank" / "state").exists()


def test_tools_that_are_not_there_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("cli.stackfile.new_folder._built", lambda *_: {})
    assert main(["new", "bank"]) == 0
    assert "warning: not found: pulumi, kubectl, helm;" in capsys.readouterr().out


def test_tools_that_make_tools_built_are_used_where_there_are_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "sandbox"
    script.write_text('#!/bin/sh\nprintf "export PATH=\'/built tools\':$PATH\\nexport PULUMI_HOME=%s\\n" "$3"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("cli.stackfile.new_folder._SANDBOX", script)
    new_folder(tmp_path / "bank")
    found = sourced(tmp_path / "bank")
    assert found["PATH"] == "/built tools:/usr/bin:/bin"
    assert found["PULUMI_HOME"] == str(tmp_path / "bank" / "pulumi-home")


@pytest.mark.parametrize("name", MADE)
def test_a_folder_that_has_one_of_these_files_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "notes").touch()
    (tmp_path / "bank" / name).write_text("mine")
    with pytest.raises(FederationError) as refused:
        new_folder(tmp_path / "bank")
    assert [problem.place for problem in refused.value.problems] == [os.path.join("bank", name)]
    assert sorted(path.name for path in (tmp_path / "bank").iterdir()) == sorted(["notes", name])
    assert (tmp_path / "bank" / name).read_text() == "mine"


# Four files, then three links.
@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full disk", "Ctrl-C"])
@pytest.mark.parametrize("there", [[], ["bank"], ["bank", "bank/notes"]], ids=["no folder", "an empty folder", "a folder in use"])
def test_what_cannot_be_finished_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, error: BaseException, there: list[str]
) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    before, left = sorted(tmp_path.rglob("*")), iter(range(count - 1))

    def fail(step: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object) -> object:
            if next(left, None) is None:
                raise error
            return step(*arguments)

        return run

    with monkeypatch.context() as failing:
        failing.setattr("cli.stackfile.new_folder.write_atomic", fail(write_atomic))
        failing.setattr(Path, "symlink_to", fail(Path.symlink_to))
        with pytest.raises(type(error)):
            new_folder(tmp_path / "bank")
    assert sorted(tmp_path.rglob("*")) == before
    new_folder(tmp_path / "bank")
    assert {path.name for path in (tmp_path / "bank").iterdir()} == {*MADE, *(Path(name).name for name in there if "/" in name)}


def test_a_command_without_its_program_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="has no program beside it"):
        new_folder(tmp_path / "bank", program=tmp_path)
    assert not (tmp_path / "bank").exists()


def test_what_comes_next_is_said_as_it_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "my bank", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["next"] == ["cd 'my bank'", ". ./env", "fatefed init KIND -s my-bank"]


def test_the_folder_is_shown_as_it_is_found(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "program").mkdir()
    monkeypatch.chdir(tmp_path / "program")
    assert main(["new", "../bank"]) == 0
    out = capsys.readouterr().out
    assert f"made: {tmp_path / 'bank'}\n" in out
    assert "\n  cd ../bank\n" in out
