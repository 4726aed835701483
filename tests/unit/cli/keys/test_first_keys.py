"""`fatefed keys init`: all keys of a new stack at once; pulumi is a stand-in that remembers what it is given."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from tests.support.backend import backend
from tests.support.kubefate import BASES, Keys, merged
from tests.support.stacks import initialized, project


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command on bank-a's stack."""
    return (main([*arguments, "-s", "bank-a"]), *capsys.readouterr())


def begun(folder: Path, monkeypatch: pytest.MonkeyPatch, **answers: Any) -> Path:
    """The project folder of bank-a, entered; what the backend remembers."""
    initialized(folder, "bank-a", **{"kind": "party", **answers})
    monkeypatch.chdir(folder)
    return backend(folder, monkeypatch)


def test_one_command_makes_the_stack_and_all_its_keys(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = begun(tmp_path, monkeypatch)
    code, out, errors = run(capsys, "keys", "init")
    assert (code, errors) == (0, "")
    state = json.loads(memory.read_text())
    assert state["stacks"] == ["bank-a"]
    passwords = {f"party-9999-{slot}" for slot in ("mysql", "mysql-root", "fateboard", "notebook")}
    assert state["secrets"].keys() == {"identity", "party-9999-ca-1", "party-9999-key", *passwords}
    assert "stack bank-a made in the state backend" in out
    assert f"made: {json.loads(run(capsys, 'identity', 'show', '--json')[1])['key']}" in out
    assert "party 9999: made a CA and a server key" in out
    told = [line for value in state["secrets"].values() for line in value.splitlines() if "-----" not in line]
    assert len(told) > 10
    assert "if fate-9999 holds claims of an earlier deployment, their data knows only the passwords of then" in out
    assert not [line for line in told if line in out or line in str(state["log"])], "no secret is printed, nor an argument of a process"
    assert (tmp_path / "stacks" / "kept" / "Pulumi.bank-a.yaml").read_bytes() == (tmp_path / "stacks" / "Pulumi.bank-a.yaml").read_bytes()


def test_a_second_time_it_changes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = begun(tmp_path, monkeypatch)
    first = run(capsys, "keys", "init")[1]
    file, secrets = (tmp_path / "stacks" / "Pulumi.bank-a.yaml").read_bytes(), json.loads(memory.read_text())["secrets"]
    code, out, _ = run(capsys, "keys", "init")
    assert (code, "stack bank-a is in the state backend already" in out, "has its CA and its server key already" in out) == (0, True, True)
    assert json.loads(memory.read_text())["secrets"] == secrets
    assert (tmp_path / "stacks" / "Pulumi.bank-a.yaml").read_bytes() == file
    assert out.partition("next:")[2] == first.partition("next:")[2]
    assert "claims of an earlier deployment" not in out, "no password is new"


def test_only_what_is_missing_is_made(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = begun(tmp_path, monkeypatch)
    run(capsys, "keys", "init")
    before = json.loads(memory.read_text())["secrets"]
    file = tmp_path / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(file.read_text().replace("    party-9999-fateboard: {secure: v1:x:y}\n", ""))
    report = json.loads(run(capsys, "keys", "init", "--json")[1])
    assert (report["secrets"]["written"], report["stackMade"], report["identity"]["made"]) == (["party-9999-fateboard"], False, False)
    after = json.loads(memory.read_text())["secrets"]
    assert {name for name in before if before[name] != after[name]} == {"party-9999-fateboard"}


def test_a_stack_with_keys_is_not_made_in_a_second_backend(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = begun(tmp_path, monkeypatch)
    run(capsys, "keys", "init")
    memory.unlink()
    code, out, errors = run(capsys, "keys", "init")
    assert (code, out, "is this the backend that deployed it?" in errors) == (1, "", True)
    assert json.loads(memory.read_text())["stacks"] == []


def test_a_wrong_stack_file_makes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = begun(tmp_path, monkeypatch)
    file = tmp_path / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(file.read_text().replace("topology: star", "topology: ring"))
    code, _, errors = run(capsys, "keys", "init")
    assert (code, "topology" in errors, memory.exists()) == (1, True, False)


def test_what_only_the_operator_has_is_listed_with_its_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path, monkeypatch, kind="external")
    out = run(capsys, "keys", "init")[1]
    for name in ("ca", "certificate", "key"):
        assert f"pulumi config set --secret --path 'fate:secrets.party-9999-{name}' -s bank-a < FILE" in out


def test_a_ca_that_cert_manager_holds_is_left_to_trust_init(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = begun(tmp_path, monkeypatch)
    file = tmp_path / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(file.read_text().replace("tls: partyCa", "issuer: {name: my-ca}\n      tls: certManager"))
    code, out, errors = run(capsys, "keys", "init")
    assert (code, errors) == (0, "")
    assert "fatefed trust init -s bank-a --party 9999 --issuer-files DIR" in out
    assert "identity" in json.loads(memory.read_text())["secrets"]
    assert run(capsys, "trust", "init", "--party", "9999", "--issuer-files", "issuer")[0] == 0
    assert "--issuer-files" not in run(capsys, "keys", "init")[1]


def test_an_exchange_gets_its_identity(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = begun(tmp_path, monkeypatch, kind="exchange")
    assert run(capsys, "keys", "init")[0] == 0
    assert json.loads(memory.read_text())["secrets"].keys() == {"identity"}


@pytest.mark.parametrize(("keys", "claim"), [
    ({"mysql": {"existingClaim": "nfs-mysql", "password": "of-then"}}, "nfs-mysql"),
    ({}, "data-mysql-0"),
    ({"chartVersion": "v1.8.0", "backend": "eggroll"}, "mysql-data"),
], ids=["named", "found again by its name", "of an old chart"])  # fmt: skip
def test_convert_check_and_keys_init_ask_for_the_password_that_kubefates_data_holds(
    keys: Keys, claim: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project(tmp_path))
    memory = backend(tmp_path, monkeypatch)
    (tmp_path / "cluster.yaml").write_text(yaml.safe_dump(merged(BASES["eggroll"], {"name": "bank-a", "persistence": True, **keys})))
    assert main(["convert", "kubefate", "--out", "stacks", "cluster.yaml"]) == 0
    asked = f"the password that mysql's data on claim {claim} holds"
    command = "pulumi config set --secret --path 'fate:secrets.party-9999-mysql' -s bank-a"
    report = capsys.readouterr().out
    assert (asked in report, command in report) == (True, True)
    for verb in (["check"], ["keys", "init"], ["check"], ["secrets", "init"]):
        code, out, errors = run(capsys, *verb)
        assert (code, errors, asked in out, f"{command} < FILE" in out) == (0, "", True, True), verb
    assert {name for name in json.loads(memory.read_text())["secrets"] if "mysql" in name} == {"party-9999-mysql-root"}


def interrupt_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C as soon as pulumi has written so many times."""
    run_program, writes = subprocess.run, iter(range(1, count + 1))

    def run_and_stop(command: list[str], **options: Any) -> Any:
        done = run_program(command, **options)
        if command[1:3] in (["stack", "init"], ["config", "set"]) and next(writes) == count:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr("cli.tools.pulumi.subprocess.run", run_and_stop)


# One for `stack init`, and one for each of its seven secrets.
@pytest.mark.parametrize("count", range(1, 9))
def test_when_it_is_interrupted_running_it_again_finishes_what_was_begun(
    count: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = begun(tmp_path, monkeypatch)
    with monkeypatch.context() as interrupted:
        interrupt_after(count, interrupted)
        assert "interrupted" in run(capsys, "keys", "init")[2]
    before = json.loads(memory.read_text())["secrets"]
    assert len(before) == count - 1
    code, _, errors = run(capsys, "keys", "init")
    assert (code, errors) == (0, "")
    after = json.loads(memory.read_text())["secrets"]
    assert (len(after), {name: after[name] for name in before}) == (7, before), "nothing that was made is made again"
    assert run(capsys, "check", "--json")[1].count("fatefed keys init") == 0
    stacks = tmp_path / "stacks"
    assert (stacks / "kept" / "Pulumi.bank-a.yaml").read_bytes() == (stacks / "Pulumi.bank-a.yaml").read_bytes()
    assert len([*(stacks / "kept").iterdir()]) == 1, "a copy without the identity is not another stack's"


def test_what_is_made_is_copied_before_the_next_step(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path, monkeypatch)
    with monkeypatch.context() as interrupted:
        interrupt_after(6, interrupted)  # in the passwords
        run(capsys, "keys", "init")
    copy = (tmp_path / "stacks" / "kept" / "Pulumi.bank-a.yaml").read_text()
    for part in ("fate:identity:", "    identity: {secure:", "party-9999-ca-1: {secure:", "party-9999-key: {secure:", "BEGIN CERTIFICATE"):
        assert part in copy
