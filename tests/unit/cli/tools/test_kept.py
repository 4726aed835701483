"""What cannot be made again outlives `pulumi stack rm`; a stack that is not in a backend is said with its URL."""

import json
from pathlib import Path

import pytest

from cli.main import main
from cli.stackfile.initialize import Answers, init_stack
from cli.tools.errors import CommandError
from cli.tools.kept import copy_of, has_keys, keep_copy, refuse_to_forget
from cli.tools.project import Stack
from cli.tools.pulumi import EngineError, pulumi
from tests.support.stacks import initialized, stand_in

ANSWERS = Answers(kind="party", organization="bank-a")
KEY = "SHA256:" + "A" * 43


@pytest.fixture
def bank(tmp_path: Path) -> Stack:
    """A stack as `init` begins it, without keys."""
    return initialized(tmp_path, "bank-a", kind="party")


def keyed(stack: Stack, key: str = KEY) -> bytes:
    """Give it an identity, as `identity create` does."""
    text = stack.file.read_text().split("  fate:identity")[0].rstrip()
    stack.file.write_text(f"{text}\n  fate:identity:\n    key: {key}\n")
    return stack.file.read_bytes()


def test_a_stack_without_keys_has_no_copy(bank: Stack) -> None:
    keep_copy(bank)
    assert not copy_of(bank).exists()


@pytest.mark.parametrize("settings", ["trust: {leafDays: 90}", "identity: {serial: 1}", "secrets: {}"])
def test_settings_beside_keys_are_no_keys(bank: Stack, settings: str) -> None:
    bank.file.write_text(f"{bank.file.read_text().rstrip()}\n  fate:{settings}\n")
    assert not has_keys(bank.file)


def test_a_copy_outlives_the_stack_file_and_nothing_is_begun_anew_beside_it(bank: Stack) -> None:
    written = keyed(bank)
    keep_copy(bank)
    bank.file.unlink()
    with pytest.raises(CommandError, match="holds the keys and passwords of a stack of this name") as raised:
        init_stack(bank, ANSWERS)
    assert "cp " in str(raised.value)
    assert not bank.file.exists()
    assert copy_of(bank).read_bytes() == written
    init_stack(bank, ANSWERS, force=True)
    refuse_to_forget(bank)
    keyed(bank, "SHA256:" + "B" * 43)
    keep_copy(bank)
    kept = sorted(copy_of(bank).parent.iterdir())
    assert written in [file.read_bytes() for file in kept], "the keys of before are put aside, not overwritten"
    assert len(kept) == 2
    assert bank.project.stack_names == ["bank-a"]


def test_a_copy_with_an_identity_outlives_a_file_that_has_passwords_only(bank: Stack) -> None:
    written = keyed(bank)
    keep_copy(bank)
    text = written.decode().split("  fate:identity")[0].rstrip()
    bank.file.write_text(f"{text}\n  fate:secrets:\n    party-9999-mysql:\n      secure: v1:another\n")
    keep_copy(bank)
    assert written in [file.read_bytes() for file in copy_of(bank).parent.iterdir()]


@pytest.mark.parametrize("now", ["other: {secure: v1:a}", "mysql: {secure: v1:new}"], ids=["removed", "replaced"])
def test_a_copy_with_a_secret_that_the_file_lost_is_put_aside(bank: Stack, now: str) -> None:
    before = keyed(bank) + b"  fate:secrets:\n    mysql: {secure: v1:old}\n"
    bank.file.write_bytes(before)
    keep_copy(bank)
    bank.file.write_text(before.decode().replace("mysql: {secure: v1:old}", now))
    for _ in range(2):
        keep_copy(bank)
    assert {file.read_bytes() for file in copy_of(bank).parent.iterdir()} == {before, bank.file.read_bytes()}


def test_a_later_copy_of_the_same_keys_replaces_the_one_before(bank: Stack) -> None:
    keyed(bank)
    keep_copy(bank)
    bank.file.write_text(bank.file.read_text() + "    serial: 7\n")
    keep_copy(bank)
    assert [file.read_bytes() for file in copy_of(bank).parent.iterdir()] == [bank.file.read_bytes()]


def test_verbs_that_write_keys_keep_a_copy(bank: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in(bank.project.folder, monkeypatch, "import sys\nsys.stdin.read()\n")
    assert main(["identity", "create", "-s", "bank-a", "-C", str(bank.project.folder)]) == 0, capsys.readouterr().err
    assert copy_of(bank).read_bytes() == bank.file.read_bytes()
    assert b"fate:identity:" in copy_of(bank).read_bytes()


_NONE = "sys.exit(\"error: no stack named 'bank-a' found\")"
_BACKEND = {"user": "op", "url": "s3://user:pass@bucket/of-another"}


@pytest.mark.parametrize("known", [False, True])
def test_a_stack_that_is_not_in_the_backend_is_said_with_its_url(bank: Stack, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    if known:
        keyed(bank)
    program = f"import sys\nif sys.argv[1] == 'whoami': print({json.dumps(_BACKEND)!r})\nelse: {_NONE}\n"
    stand_in(bank.project.folder, monkeypatch, program)
    with pytest.raises(EngineError) as raised:
        pulumi(bank, "stack", "output")
    [problem] = raised.value.problems
    assert "s3://bucket/of-another" in problem.problem
    assert "pulumi stack init bank-a" in problem.remedy
    assert ("is this the backend that deployed it?" in problem.remedy) is known
    assert ("PULUMI_BACKEND_URL" in problem.remedy) is known


def test_a_copy_is_kept_of_a_stack_whose_peers_are_in_a_file_of_their_own(bank: Stack) -> None:
    """The copy lies in a folder without that file."""
    written = keyed(bank)
    (bank.file.parent / "peers").mkdir()
    (bank.file.parent / "peers" / "own.yaml").write_text("{}\n")
    bank.file.write_bytes(written + b"  fate:peersFile: peers/own.yaml\n")
    for serial in ("1", "2"):
        bank.file.write_text(f"{bank.file.read_text()}# {serial}\n")
        keep_copy(bank)
        assert copy_of(bank).read_bytes() == bank.file.read_bytes()
