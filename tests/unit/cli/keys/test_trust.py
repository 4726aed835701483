"""`fatefed trust`: keys and CAs that are made once, and replaced in three steps; pulumi is a small stand-in that keeps what it is given."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cli.main import main
from cli.tools.project import find_project
from federation.stack.load import LoadedStack, check_secrets, made_certificates
from tests.support.stacks import initialized, stand_in

PULUMI = """
import json, pathlib, sys
home = pathlib.Path({home!r})
kept, stack = home / "kept.json", home / "stacks" / "Pulumi.bank-a.yaml"
entries = json.loads(kept.read_text()) if kept.exists() else {{}}
if sys.argv[1:3] == ["stack", "export"]:
    state = home / "state.json"
    print(state.read_text() if state.exists() else "{{}}")
    sys.exit()
assert sys.argv[1:5] == ["config", "set", "--secret", "--path"], sys.argv
name = sys.argv[5].removeprefix("fate:secrets.")
text = stack.read_text()
if "fate:secrets:" not in text:
    text += "  fate:secrets:\\n"
if name not in entries:
    text = text.replace("  fate:secrets:\\n", f"  fate:secrets:\\n    {{name}}: {{{{secure: abc}}}}\\n")
stack.write_text(text)
kept.write_text(json.dumps(entries | {{name: sys.stdin.read()}}))
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project folder of bank-a, entered."""
    initialized(tmp_path, "bank-a", kind="party")
    stand_in(tmp_path, monkeypatch, PULUMI.format(home=str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command on bank-a's stack."""
    return (main([*arguments, "-s", "bank-a"]), *capsys.readouterr())


def loaded() -> LoadedStack:
    """The stack as it is now."""
    return find_project().stack("bank-a").load()


def kept(home: Path) -> dict[str, str]:
    """What is under fate:secrets."""
    found: dict[str, str] = json.loads((home / "kept.json").read_text())
    return found


def certificate(home: Path) -> str:
    """What `pulumi up` would deploy now; everything about it is right."""
    secrets = dict.fromkeys(loaded().plan.secret_names, "password") | kept(home)
    check_secrets(loaded(), secrets)
    return made_certificates(loaded(), secrets)["party-9999-certificate"]


def key(home: Path, name: str) -> Any:
    """A private key under fate:secrets."""
    return serialization.load_pem_private_key(kept(home)[name].encode(), None)


def test_a_ca_and_a_server_key_are_made_once(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, out, errors = run(capsys, "trust", "init")
    assert (code, errors) == (0, "")
    assert "party 9999: made a CA and a server key" in out
    assert isinstance(key(home, "party-9999-ca-1"), ec.EllipticCurvePrivateKey)
    assert isinstance(key(home, "party-9999-key"), rsa.RSAPrivateKey)
    trust = loaded().spec.trust.parties["9999"]
    assert (trust.signing, list(trust.authorities)) == ("1", ["1"])
    assert "BEGIN CERTIFICATE" in certificate(home)
    before, secrets = (home / "stacks" / "Pulumi.bank-a.yaml").read_text(), kept(home)
    assert "has its CA and its server key already" in run(capsys, "trust", "init")[1]
    assert ((home / "stacks" / "Pulumi.bank-a.yaml").read_text(), kept(home)) == (before, secrets)


def test_no_private_key_is_printed_or_written_in_clear(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    said = str([run(capsys, "trust", "init"), run(capsys, "trust", "init", "--json"), run(capsys, "trust", "rotate")])
    text = (home / "stacks" / "Pulumi.bank-a.yaml").read_text()
    assert len(kept(home)) == 3
    for secret in kept(home).values():
        assert not any(line in said or line in text for line in secret.splitlines()[1:-1])
    assert "PRIVATE KEY" not in said + text


def test_a_comment_of_the_stack_file_survives(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    before = (home / "stacks" / "Pulumi.bank-a.yaml").read_text().splitlines()
    run(capsys, "trust", "init")
    after = (home / "stacks" / "Pulumi.bank-a.yaml").read_text().splitlines()
    assert [line for line in before if line not in after] == []


def test_a_ca_is_replaced_in_three_steps_and_each_works(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    run(capsys, "trust", "init")
    first, server = certificate(home), kept(home)["party-9999-key"]
    code, out, _ = run(capsys, "trust", "rotate")
    assert (code, "step 1 of 3" in out, "descriptor export" in out) == (0, True, True)
    assert (loaded().spec.trust.parties["9999"].signing, list(loaded().spec.trust.parties["9999"].authorities)) == ("1", ["1", "2"])
    assert certificate(home) == first, "the old one still signs"
    code, out, _ = run(capsys, "trust", "rotate", "--party", "9999", "--yes")
    assert (code, "step 2 of 3" in out) == (0, True)
    assert loaded().spec.trust.parties["9999"].signing == "2"
    assert certificate(home) != first
    assert kept(home)["party-9999-key"] != server, "a new server key, too"
    code, out, _ = run(capsys, "trust", "rotate", "--yes")
    assert (code, "step 3 of 3" in out, "pulumi config rm" in out) == (0, True, True)
    assert list(loaded().spec.trust.parties["9999"].authorities) == ["2"]
    assert certificate(home)
    assert "step 1 of 3: authority 3 is now trusted; authority 2 still signs" in run(capsys, "trust", "rotate")[1]


def test_no_step_is_done_before_the_one_before_is_deployed(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    run(capsys, "trust", "init")
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    for step in (1, 2, 3):
        deploy(home)
        assert f"step {step} of 3" in run(capsys, "trust", "rotate", "--yes")[1]
        written = file.read_text()
        if step < 3:
            code, out, errors = run(capsys, "trust", "rotate", "--yes")
            assert (code, out) == (1, "")
            assert "party 9999: the previous step is not deployed yet" in errors
            assert "`pulumi up -s bank-a` first" in errors
        assert file.read_text() == written


def deploy(home: Path) -> None:
    """What the state remembers after a `pulumi up`."""
    urn = "urn:pulumi:bank-a::fate::fate:federation:FateParty::party-9999"
    facts = {unit.key: unit.recorded for unit in loaded().plan.units}["party-9999"]
    resource = {"urn": urn, "type": "fate:federation:FateParty", "inputs": facts}
    (home / "state.json").write_text(json.dumps({"deployment": {"resources": [resource]}}))


def test_the_steps_that_wait_for_peers_are_asked_for(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    run(capsys, "trust", "init")
    run(capsys, "trust", "rotate")
    before = (home / "stacks" / "Pulumi.bank-a.yaml").read_text()
    code, _, errors = run(capsys, "trust", "rotate")
    assert (code, "confirm with --yes when every peer is ready" in errors) == (2, True)
    assert (home / "stacks" / "Pulumi.bank-a.yaml").read_text() == before


@pytest.mark.parametrize(
    ("gone", "expected"), [("secret", "is gone, but its certificate is there"), ("trust", "is there, but its certificate is gone")]
)
def test_half_a_ca_that_peers_may_know_is_not_replaced(capsys: pytest.CaptureFixture[str], home: Path, gone: str, expected: str) -> None:
    run(capsys, "trust", "init")
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    text = file.read_text()
    if gone == "secret":
        file.write_text(text.replace("    party-9999-ca-1: {secure: abc}\n", ""))
    else:
        file.write_text(f"{text[: text.index('  fate:trust:')]}  fate:exported: {{party-9999: {{serial: 1, fields: {{}}}}}}\n")
    before = file.read_text()
    code, _, errors = run(capsys, "trust", "init")
    assert (code, expected in errors, file.read_text() == before) == (1, True, True)


def test_a_rotation_needs_a_ca(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert "make one: `fatefed trust init -s bank-a`" in run(capsys, "trust", "rotate")[2]
    assert "party 4711 has no CA of its own" in run(capsys, "trust", "rotate", "--party", "4711")[2]
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(file.read_text().replace("tls: partyCa", "tls: provided"))
    assert "no party has `tls: partyCa`" in run(capsys, "trust", "init")[1]


def test_check_and_secrets_init_say_what_trust_init_would_make(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, out, _ = run(capsys, "check")
    assert (code, "a party's CA, passwords: `fatefed keys init -s bank-a`" in out) == (0, True)
    run(capsys, "trust", "init")
    assert "CA is missing" not in run(capsys, "check")[1]


def test_a_ca_lasts_as_long_as_the_stack_says(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(file.read_text() + "  fate:trust:\n    caYears: 2 # short\n")
    run(capsys, "trust", "init")
    assert "caYears: 2 # short" in file.read_text()
    ends = loaded().plan.outputs["renewalDue"]["party-9999"]["authority"]
    assert int(ends[:4]) - datetime.now(UTC).year == 2
