"""The key of an organization, and descriptors signed with it; pulumi is a small stand-in that keeps what it is given."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.tools.days import today
from federation.peers.signed import Received, receive
from federation.pki.identity import fingerprint, load_identity
from tests.support.stacks import initialized, party, stand_in

# Keeps `config set` in a file and, as the real one does, notes the entry in the stack file.
PULUMI = """
import json, pathlib, sys
home = pathlib.Path({home!r})
kept = home / "kept.json"
stack = home / "stacks" / "Pulumi.bank-a.yaml"
entries = json.loads(kept.read_text()) if kept.exists() else {{}}
arguments = sys.argv[1:]
if arguments[:2] == ["config", "set"]:
    name = arguments[4].removeprefix("fate:secrets.")
    if "fate:secrets:" not in stack.read_text():
        stack.write_text(stack.read_text() + "  fate:secrets:\\n")
    if name not in entries:
        stack.write_text(stack.read_text() + f"    {{name}}: {{{{secure: abc}}}}\\n")
    kept.write_text(json.dumps(entries | {{name: sys.stdin.read()}}))
elif arguments[:2] == ["config", "get"]:
    print(entries[arguments[3].removeprefix("fate:secrets.")])
elif arguments[:2] == ["stack", "output"]:
    print(json.dumps({{"party-9999": {body!r}}}))
else:
    sys.exit(f"not expected: {{arguments}}")
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project folder of bank-a, entered."""
    initialized(tmp_path, "bank-a", kind="party")
    stand_in(tmp_path, monkeypatch, PULUMI.format(home=str(tmp_path), body=party("bank-a", "9999")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command on bank-a's stack."""
    return (main([*arguments, "-s", "bank-a"]), *capsys.readouterr())


def made(capsys: pytest.CaptureFixture[str]) -> str:
    """The fingerprint of a new key."""
    key: str = json.loads(run(capsys, "identity", "create", "--json")[1])["key"]
    return key


def exported(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The signature of an exported file."""
    code, _, errors = run(capsys, "descriptor", "export", "-o", "d.json", *arguments)
    assert (code, errors) == (0, "")
    found = receive(Path("d.json").read_bytes(), "d.json")
    assert isinstance(found, Received)
    assert found.descriptor.plain() == party("bank-a", "9999")
    return found.signature


def entry(home: Path) -> str:
    """The stack file."""
    return (home / "stacks" / "Pulumi.bank-a.yaml").read_text()


def test_a_key_is_made_once_and_shown_by_its_fingerprint(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    key = made(capsys)
    private = json.loads((home / "kept.json").read_text())["identity"]
    assert fingerprint(load_identity(private).public_key()) == key
    assert f'fate:identity:\n    key: "{key}"\n' in entry(home)
    code, out, _ = run(capsys, "identity", "create")
    assert (code, key in out, "is there already" in out) == (0, True, True)
    assert json.loads((home / "kept.json").read_text())["identity"] == private
    assert run(capsys, "identity", "show") == (0, f"{key}\n", "no descriptor was exported yet\n")
    exported(capsys)
    assert run(capsys, "identity", "show") == (0, f"{key}\n", "serial of the last exported descriptor: 1\n"), "scripts take the key alone"
    assert json.loads(run(capsys, "identity", "show", "--json")[1]) == {"key": key, "serial": 1}


def test_the_private_part_is_printed_nowhere(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    said = [run(capsys, "identity", "create"), run(capsys, "identity", "show"), run(capsys, "descriptor", "export", "-o", "d.json")]
    private = json.loads((home / "kept.json").read_text())["identity"]
    secret = private.splitlines()[1]
    assert len(secret) > 40
    for text in (str(said), entry(home), (home / "d.json").read_text()):
        assert secret not in text
        assert "PRIVATE KEY" not in text


def test_a_new_key_only_on_purpose(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    first = made(capsys)
    exported(capsys)
    code, out, _ = run(capsys, "identity", "create", "--replace", "--json")
    second = json.loads(out)["key"]
    assert (code, first != second) == (0, True)
    assert exported(capsys).key == second
    assert "serial: 2" in entry(home), "serials go on"
    code, out, _ = run(capsys, "identity", "create", "--replace")
    assert (code, f"it takes the place of {second}: every peer accepts your next descriptor" in out) == (0, True)


def test_half_an_identity_is_not_replaced(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    key = made(capsys)
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(entry(home).replace("    identity: {secure: abc}\n", ""))
    code, _, errors = run(capsys, "identity", "create")
    assert (code, "holds fate:identity, but not fate:secrets.identity" in errors) == (1, True)
    assert key in entry(home)


def test_the_key_of_exports_whose_fingerprint_is_gone_is_not_taken_as_new(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    key = made(capsys)
    exported(capsys)
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    head, _, rest = entry(home).partition("  fate:identity:\n")
    file.write_text(head + rest[rest.index("  fate:") :])
    assert key in entry(home), "what was exported is remembered"
    code, _, errors = run(capsys, "identity", "create")
    assert (code, "holds fate:secrets.identity, but not fate:identity" in errors) == (1, True)


def test_every_export_has_a_serial_of_its_own(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    key = made(capsys)
    assert [(exported(capsys).serial, exported(capsys).key) for _ in range(3)] == [(1, key), (3, key), (5, key)]
    assert exported(capsys, "--serial", "40").serial == 40
    assert exported(capsys).serial == 41
    code, _, errors = run(capsys, "descriptor", "export", "-o", "d.json", "--serial", "41")
    assert (code, "41 is not higher than the last one, 41" in errors) == (1, True)


def test_an_export_says_until_when_it_may_be_accepted(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    made(capsys)
    signed = exported(capsys, "--days", "10")
    assert date.fromisoformat(signed.not_after) - date.fromisoformat(signed.not_before) == timedelta(days=10)
    assert today() - date.fromisoformat(signed.not_before) <= timedelta(days=1)


@pytest.mark.parametrize(
    ("option", "number"), [("--days", 0), ("--days", -5), ("--days", 3651), ("--days", 10**9), ("--serial", 2**53), ("--serial", -1)]
)
def test_a_number_that_no_descriptor_can_have_is_refused(capsys: pytest.CaptureFixture[str], home: Path, option: str, number: int) -> None:
    made(capsys)
    code, _, errors = run(capsys, "descriptor", "export", "-o", "d.json", option, str(number))
    assert (code, Path("d.json").exists()) == (1, False)
    assert f"{option}: {number} is " in errors
    assert exported(capsys).serial == 1, "nothing was counted"


def test_without_a_key_nothing_is_exported(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, _, errors = run(capsys, "descriptor", "export", "-o", "d.json")
    assert (code, "fatefed identity create -s bank-a" in errors, Path("d.json").exists()) == (1, True, False)
    code, _, errors = run(capsys, "identity", "show")
    assert (code, "fatefed identity create -s bank-a" in errors) == (1, True)


def test_a_private_key_that_is_not_the_published_one_signs_nothing(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    first = made(capsys)
    kept = (home / "kept.json").read_text()
    run(capsys, "identity", "create", "--replace")
    (home / "kept.json").write_text(kept)
    code, _, errors = run(capsys, "descriptor", "export", "-o", "d.json")
    assert (code, f"is the key {first}, but fate:identity.key says" in errors, Path("d.json").exists()) == (1, True, False)
