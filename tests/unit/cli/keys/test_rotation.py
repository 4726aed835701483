"""`fatefed secrets rotate`: a new password in the place of one; pulumi is a stand-in that remembers what it is given."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.keys.identity import write_fields
from cli.main import main
from cli.tools.project import Stack
from tests.support.backend import backend, deploy
from tests.support.stacks import initialized


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command on bank-a's stack."""
    return (main([*arguments, "-s", "bank-a"]), *capsys.readouterr())


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stack:
    """A mesh party with MySQL and RabbitMQ that is deployed."""
    stack = initialized(tmp_path, "bank-a", kind="mesh", engine="RabbitMQ", source_ranges=("anyone",))
    monkeypatch.chdir(tmp_path)
    backend(tmp_path, monkeypatch)
    assert run(capsys, "keys", "init")[0] == 0
    deploy(stack)
    return stack


def memory(stack: Stack) -> dict[str, Any]:
    """What the stand-in remembers."""
    state: dict[str, Any] = json.loads((stack.project.folder / "backend.json").read_text())
    return state


def credential(stack: Stack, slot: str) -> dict[str, Any] | None:
    """What the stack file says of a password."""
    found = stack.load().spec.parties["9999"].credentials.of(slot)
    return None if found is None else found.model_dump(exclude_none=True)


@pytest.mark.parametrize("slot", ["mysql", "rabbitmq"])
def test_a_password_of_a_server_changes_in_two_steps(capsys: pytest.CaptureFixture[str], bank: Stack, slot: str) -> None:
    name, new = f"party-9999-{slot}", f"party-9999-{slot}-2"
    before = memory(bank)["secrets"]
    code, out, errors = run(capsys, "secrets", "rotate", name)
    assert (code, errors) == (0, "")
    assert credential(bank, slot) == {"secret": new, "previous": name}
    state = memory(bank)
    assert state["secrets"][name] == before[name]
    assert state["secrets"][new] not in before.values()
    assert state["secrets"][new] not in out + str(state["log"]), "neither printed nor an argument of a process"
    assert out.partition("next:\n")[2].splitlines()[0].startswith("  pulumi up -s bank-a ")
    assert out.partition("next:\n")[2].splitlines()[1].startswith(f"  fatefed secrets rotate {new} -s bank-a ")
    deploy(bank)
    code, out, errors = run(capsys, "secrets", "rotate", new)
    assert (code, errors) == (0, "")
    assert credential(bank, slot) == {"secret": new}
    assert memory(bank)["secrets"].keys() == {*before, new} - {name}
    assert "secrets rotate" not in out.partition("next:")[2]
    assert "nothing restarts" in out


def test_a_password_that_the_operator_gave_for_existing_data_is_changed_too(capsys: pytest.CaptureFixture[str], bank: Stack) -> None:
    write_fields(bank, ("parties", "9999", "modules", "mysql", "persistence"), {"existingClaim": "of-then"})
    assert "party-9999-mysql" in bank.load().plan.data_passwords
    code, _, errors = run(capsys, "secrets", "rotate", "party-9999-mysql")
    assert (code, errors) == (0, "")
    assert credential(bank, "mysql") == {"secret": "party-9999-mysql-2", "previous": "party-9999-mysql"}


def test_the_previous_password_stays_until_the_job_has_changed_it(capsys: pytest.CaptureFixture[str], bank: Stack) -> None:
    run(capsys, "secrets", "rotate", "party-9999-mysql")
    written = bank.file.read_bytes()

    def refused() -> bool:
        code, _, errors = run(capsys, "secrets", "rotate", "party-9999-mysql-2")
        return code == 1 and "is not changed in the server yet" in errors and bank.file.read_bytes() == written

    assert refused(), "no `pulumi up` yet"
    deploy(bank)
    export = bank.project.folder / "export.json"
    state = json.loads(export.read_text())
    [job] = [
        resource for resource in state["deployment"]["resources"] if resource["type"].endswith(":Job") and "password" in resource["urn"]
    ]
    for wrong in ({"initErrors": ["failed"]}, {"delete": True}, {"inputs": {**job["inputs"], "spec": {}}}):
        others = [resource for resource in state["deployment"]["resources"] if resource is not job]
        export.write_text(json.dumps({"deployment": {"resources": [*others, {**job, **wrong}]}}))
        assert refused(), wrong
    export.write_text(json.dumps(state))
    assert run(capsys, "secrets", "rotate", "party-9999-mysql")[0] == 0, "either name will do"


@pytest.mark.parametrize("slot", ["fateboard", "notebook"])
def test_a_password_that_only_readers_have_changes_in_one_step(capsys: pytest.CaptureFixture[str], bank: Stack, slot: str) -> None:
    name = f"party-9999-{slot}"
    before = memory(bank)["secrets"]
    report = json.loads(run(capsys, "secrets", "rotate", name, "--json")[1])
    assert (report["entry"], report["removed"]) == (f"{name}-2", name)
    assert credential(bank, slot) == {"secret": f"{name}-2"}
    assert memory(bank)["secrets"].keys() == {*before, f"{name}-2"} - {name}
    again = json.loads(run(capsys, "secrets", "rotate", f"{name}-2", "--json")[1])
    assert (again["entry"], credential(bank, slot)) == (f"{name}-3", {"secret": f"{name}-3"})


def test_the_password_of_a_server_that_is_not_deployed_stays_because_claims_may_need_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = initialized(tmp_path, "bank-a", kind="party")
    monkeypatch.chdir(tmp_path)
    backend(tmp_path, monkeypatch)
    run(capsys, "keys", "init")
    before = stack.file.read_bytes()
    code, _, errors = run(capsys, "secrets", "rotate", "party-9999-mysql")
    assert (code, "party-9999 is not deployed" in errors, "`pulumi up -s bank-a` first" in errors) == (1, True, True)
    assert stack.file.read_bytes() == before
    assert run(capsys, "secrets", "rotate", "party-9999-fateboard")[0] == 0, "nobody but its readers keeps it"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("identity", "`fatefed identity create -s bank-a --replace`"),
        ("party-9999-mysql-root", "docs/guides/passwords.md, MySQL's root"),
        ("nobody", "name one of: party-9999-fateboard, party-9999-mysql, party-9999-notebook, party-9999-rabbitmq"),
    ],
)
def test_what_is_changed_elsewhere_is_said(capsys: pytest.CaptureFixture[str], bank: Stack, name: str, expected: str) -> None:
    before = bank.file.read_bytes()
    code, out, errors = run(capsys, "secrets", "rotate", name)
    assert (code, out, expected in errors) == (1, "", True), errors
    assert bank.file.read_bytes() == before


def without(stack: Stack, name: str) -> None:
    """The stack file loses an entry of fate:secrets."""
    line = f"    {name}: {{secure: v1:x:y}}\n"
    assert line in stack.file.read_text()
    stack.file.write_text(stack.file.read_text().replace(line, ""))


def test_a_lost_password_that_a_server_has_is_given_or_restored_and_one_that_only_readers_have_is_made(
    capsys: pytest.CaptureFixture[str], bank: Stack
) -> None:
    for slot in ("mysql", "rabbitmq", "notebook"):
        without(bank, f"party-9999-{slot}")
    write_fields(bank, ("parties", "9999", "modules", "mysql", "persistence"), {"existingClaim": "of-then"})

    def remedy(name: str) -> str:
        code, _, errors = run(capsys, "secrets", "rotate", name)
        assert (code, f"fate:secrets.{name}: is missing" in errors) == (1, True)
        return errors.partition("remedy: ")[2].strip()

    command = "pulumi config set --secret --path 'fate:secrets.{}' -s bank-a < FILE"
    what = "the password that mysql's data on claim of-then holds; on an empty claim, a new one"
    assert remedy("party-9999-mysql") == f"give {what}: `{command.format('party-9999-mysql')}`"
    make, copy = "`fatefed keys init -s bank-a`", "stacks/kept/Pulumi.bank-a.yaml"
    assert (
        remedy("party-9999-rabbitmq")
        == f"restore it from a copy of the stack file, such as {copy}; {make} makes it for a party without data"
    )
    assert remedy("party-9999-notebook") == make


def test_nobody_makes_the_previous_password_of_a_server_anew(capsys: pytest.CaptureFixture[str], bank: Stack) -> None:
    """A Job signs in with it: with another one it can change nothing."""
    assert run(capsys, "secrets", "rotate", "party-9999-mysql")[0] == 0
    without(bank, "party-9999-mysql")
    give = "pulumi config set --secret --path 'fate:secrets.party-9999-mysql' -s bank-a < FILE"
    code, out, errors = run(capsys, "keys", "init", "--json")
    assert (code, errors) == (0, "")
    secrets = json.loads(out)["secrets"]
    assert secrets["written"] == []
    [missing] = secrets["missing"]
    assert missing == {"name": "party-9999-mysql", "what": "the password that mysql has until `pulumi up` changes it", "command": give}
    assert (
        f"give the password that mysql has until `pulumi up` changes it: `{give}`"
        in run(capsys, "secrets", "rotate", "party-9999-mysql")[2]
    )


def test_a_password_of_an_external_engine_is_its_owners(capsys: pytest.CaptureFixture[str], bank: Stack) -> None:
    engine = "{host: 192.0.2.5, port: 3306, user: fate, password: {secret: theirs}, database: fate_flow}"
    text = bank.file.read_text().replace("      modules:", f"      engines: {{mysql: {{external: {engine}}}}}\n      modules:", 1)
    bank.file.write_text(text)
    bank.load()
    code, _, errors = run(capsys, "secrets", "rotate", "theirs")
    assert (code, "External engines" in errors, "which only its owner changes" in errors) == (1, True, True)
    assert "theirs" not in run(capsys, "secrets", "rotate", "nobody")[2], "no remedy names what is refused"


def test_an_entry_of_two_consoles_changes_for_both(capsys: pytest.CaptureFixture[str], bank: Stack) -> None:
    text = bank.file.read_text().replace(
        "      modules:", "      credentials: {notebook: {secret: party-9999-fateboard}}\n      modules:", 1
    )
    bank.file.write_text(text)
    assert run(capsys, "secrets", "rotate", "party-9999-fateboard")[0] == 0
    assert credential(bank, "notebook") == credential(bank, "fateboard") == {"secret": "party-9999-fateboard-2"}
    assert "party-9999-fateboard" not in memory(bank)["secrets"]
