"""A verb that replaces a key may be killed after any step: whatever verb runs next, the key of before is in a file."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from cli.tools.project import Stack
from tests.support.backend import backend, deploy
from tests.support.stacks import initialized


def run(*arguments: str) -> int:
    """The exit status of a command on bank-a's stack."""
    return main([*arguments, "-s", "bank-a"])


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A party with all its keys, before the second step of the replacement of its CA."""
    (home := tmp_path / "home").mkdir()
    stack = initialized(home, "bank-a", kind="party", source_ranges=("anyone",))
    monkeypatch.chdir(home)
    backend(home, monkeypatch)
    for verb in (("keys", "init"), ("trust", "rotate")):
        assert run(*verb) == 0
        deploy(stack)
    return stack


def entries(file: Path) -> set[str]:
    """The secrets, as they are encrypted, the fingerprint and the CAs' certificates of a stack file, one text each."""
    config = yaml.safe_load(file.read_text())["config"]
    authorities = config["fate:trust"]["parties"]["9999"]["authorities"]
    secrets = {name: value["secure"] for name, value in config["fate:secrets"].items()}
    return {str(item) for item in (*secrets.items(), *authorities.items(), config["fate:identity"]["key"])}


def kill_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C as soon as so many programs were run and files written."""
    steps = iter(range(1, count + 1))

    def then_stop(done: Any) -> Any:
        if next(steps) == count:
            raise KeyboardInterrupt
        return done

    run_program, replace = subprocess.run, os.replace
    monkeypatch.setattr("cli.tools.pulumi.subprocess.run", lambda *args, **options: then_stop(run_program(*args, **options)))
    monkeypatch.setattr("cli.tools.files.os.replace", lambda *paths: then_stop(replace(*paths)))


def killed_after_each_step(bank: Stack, verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Run a verb again and again on the same stack, and kill it after its first step, its second, and so on until it ends."""
    home, before = bank.project.folder, bank.project.folder.with_name("before")
    shutil.copytree(home, before)
    for count in range(1, 30):
        with monkeypatch.context() as interrupted:
            kill_after(count, interrupted)
            status = run(*verb)
        if status == 0:
            return
        yield count
        shutil.rmtree(home / "stacks")
        shutil.copytree(before, home, dirs_exist_ok=True)
    raise AssertionError("the verb never ends")


@pytest.mark.parametrize("verb", [("identity", "create", "--replace"), ("trust", "rotate", "--yes")], ids=" ".join)
@pytest.mark.parametrize("next_verb", [(), ("keys", "init"), ("secrets", "init")], ids=" ".join)
def test_a_key_that_is_being_replaced_is_not_lost_when_the_verb_is_killed(
    verb: tuple[str, ...], next_verb: tuple[str, ...], bank: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, steps = entries(bank.file), 0
    shutil.rmtree(bank.file.parent / "kept")  # made by a version that kept no copies
    assert len(before) == 11
    for steps in killed_after_each_step(bank, verb, monkeypatch):
        run(*(next_verb or verb))
        kept = set().union(*map(entries, [bank.file, *(bank.file.parent / "kept").iterdir()]))
        assert before <= kept, f"killed after step {steps}"
    assert steps > 2


def test_a_replacement_of_the_identity_that_was_killed_is_told_and_ends_when_it_is_run_again(
    bank: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = 0
    for _ in killed_after_each_step(bank, ("identity", "create", "--replace"), monkeypatch):
        capsys.readouterr()
        if run("keys", "init"):
            told += "if `fatefed identity create -s bank-a --replace` was interrupted, run it again" in capsys.readouterr().err
            assert run("identity", "create", "--replace") == 0
        assert run("keys", "init") == 0
    assert told == 1, "between the key and its fingerprint"
