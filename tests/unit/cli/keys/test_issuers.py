"""`fatefed trust` for a party whose certificate cert-manager makes: its CA's key goes into files, once, and nowhere else."""

import re
import shlex
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cli.main import main
from federation.pki.authority import authority_certificate
from federation.pki.authority_form import authority_problems
from federation.stack.load import check_secrets
from tests.support.trust import ca_key, usage
from tests.support.trust import made as made_ca
from tests.unit.cli.keys.test_trust import home, kept, loaded, run

__all__ = ["home"]  # the fixture
ISSUER = "tls: certManager\n      issuer: {name: party-9999-ca} # who signs"


@pytest.fixture
def managed(home: Path) -> Path:
    """The project of bank-a, whose party asks cert-manager."""
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    text = file.read_text()
    assert text.count("tls: partyCa") == 1
    file.write_text(text.replace("tls: partyCa", ISSUER, 1))
    return home


def made(folder: Path) -> dict[str, str]:
    """The files of a folder."""
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def stack_file(home: Path) -> str:
    return (home / "stacks" / "Pulumi.bank-a.yaml").read_text()


def test_the_key_of_a_ca_goes_into_a_file_and_its_certificate_into_the_stack_file(
    capsys: pytest.CaptureFixture[str], managed: Path
) -> None:
    code, out, errors = run(capsys, "trust", "init", "--issuer-files", "issuer")
    assert (code, errors) == (0, "")
    assert "party 9999: made a CA" in out
    files = made(managed / "issuer")
    assert list(files) == ["party-9999-ca-1.crt", "party-9999-ca-1.key", "party-9999-ca-1.yaml"]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (managed / "issuer", *(managed / "issuer").iterdir())]
    assert modes == [0o700, 0o600, 0o600, 0o600]
    trust = loaded().spec.trust.parties["9999"]
    assert trust.authorities == {"1": files["party-9999-ca-1.crt"]}
    assert authority_problems(files["party-9999-ca-1.crt"], "9999", loaded().spec.federation.domain) == ()
    private = serialization.load_pem_private_key(files["party-9999-ca-1.key"].encode(), None)
    assert private.public_key() == x509.load_pem_x509_certificate(files["party-9999-ca-1.crt"].encode()).public_key()
    assert not (managed / "kept.json").exists(), "nothing goes into fate:secrets"
    assert "PRIVATE" not in stack_file(managed) + out
    check_secrets(loaded(), dict.fromkeys(loaded().plan.secret_names, "password"))


def test_the_printed_commands_make_the_issuer_that_the_party_names(capsys: pytest.CaptureFixture[str], managed: Path) -> None:
    out = run(capsys, "trust", "init", "--issuer-files", "a folder")[1]
    commands = [shlex.split(found) for found in re.findall(r"`(kubectl [^`]*)`", out)]
    assert commands[0] == ["kubectl", "create", "namespace", "fate-9999"]
    secret, manifest = commands[1], commands[2][-1]
    assert secret[:5] == ["kubectl", "create", "secret", "tls", "party-9999-ca"]
    options = dict(word.removeprefix("--").split("=") for word in secret[-2:])
    assert options == {"cert": "a folder/party-9999-ca-1.crt", "key": "a folder/party-9999-ca-1.key"}
    assert yaml.safe_load((managed / manifest).read_text()) == {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": {"name": "party-9999-ca", "namespace": "fate-9999"},
        "spec": {"ca": {"secretName": "party-9999-ca"}},
    }
    assert secret[5:7] == ["--namespace", "fate-9999"]


def test_a_cluster_issuers_secret_is_where_cert_manager_looks_for_it(capsys: pytest.CaptureFixture[str], managed: Path) -> None:
    file = managed / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(stack_file(managed).replace("{name: party-9999-ca}", "{name: fed, kind: ClusterIssuer}"))
    out = run(capsys, "trust", "init", "--issuer-files", "issuer")[1]
    assert "kubectl create secret tls fed --namespace cert-manager " in out
    found = yaml.safe_load(made(managed / "issuer")["party-9999-ca-1.yaml"])
    assert (found["kind"], found["metadata"]) == ("ClusterIssuer", {"name": "fed"})


def test_a_ca_is_made_once_and_no_file_is_overwritten(capsys: pytest.CaptureFixture[str], managed: Path) -> None:
    run(capsys, "trust", "init", "--issuer-files", "issuer")
    before = (stack_file(managed), made(managed / "issuer"))
    code, out, _ = run(capsys, "trust", "init", "--issuer-files", "issuer")
    assert (code, "has its CA already; Issuer party-9999-ca of cert-manager signs" in out) == (0, True)
    file = managed / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(before[0][: before[0].index("  fate:trust:")])
    without = stack_file(managed)
    code, _, errors = run(capsys, "trust", "init", "--issuer-files", "issuer")
    assert (code, "party-9999-ca-1.crt: is there already" in errors) == (1, True)
    assert (made(managed / "issuer"), stack_file(managed)) == (before[1], without)


def test_where_the_ca_comes_from_must_be_said(capsys: pytest.CaptureFixture[str], managed: Path) -> None:
    before = stack_file(managed)
    assert "its CA's key does not belong in fate:secrets" in run(capsys, "trust", "init")[2]
    (managed / "ca.crt").write_text("x")
    both = run(capsys, "trust", "init", "--issuer-files", "issuer", "--authority", "ca.crt")[2]
    assert "exclude each other" in both
    assert (stack_file(managed), (managed / "issuer").exists()) == (before, False)
    assert "and needs a CA: `fatefed trust init -s bank-a --party 9999 --issuer-files DIR`" in run(capsys, "check")[1]


def test_the_certificate_of_an_existing_ca_is_taken_if_peers_would(capsys: pytest.CaptureFixture[str], managed: Path) -> None:
    domain = loaded().spec.federation.domain
    right, wrong = (
        authority_certificate(ca_key("x"), party=party, domain=domain, today=datetime.now(UTC).date(), years=5)
        for party in ("9999", "10000")
    )
    before = stack_file(managed)
    for text, said in ((wrong, "its subject is not O=9999"), ("x", "cannot be read"), (right + ca_key("x"), "holds a private key")):
        (managed / "ca.crt").write_text(text)
        code, _, errors = run(capsys, "trust", "init", "--authority", "ca.crt")
        assert (code, said in errors) == (1, True), errors
    assert stack_file(managed) == before
    (managed / "ca.crt").write_text(right)
    code, out, _ = run(capsys, "trust", "init", "--authority", "ca.crt", "--party", "9999")
    assert (code, "party 9999: took the CA" in out, "kubectl" in out) == (0, True, False)
    assert loaded().spec.trust.parties["9999"].authorities == {"1": right}
    code, _, errors = run(capsys, "trust", "init", "--authority", "ca.crt")
    assert (code, "0 parties with tls: certManager lack theirs" in errors) == (1, True)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"extra": (x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH]), False)}, "does not have: extendedKeyUsage"),
        ({"usage": usage(digital_signature=True)}, "its key usage is not exactly keyCertSign and cRLSign"),
        ({"begins": datetime.now(UTC) - timedelta(days=9), "days": 3}, "ended on "),
        ({"begins": datetime.now(UTC) + timedelta(days=3)}, "is not valid before "),
        ({"days": 9000}, "is valid for more than 20 years"),
    ],
    ids=["a server's", "signs handshakes", "ended", "not begun", "for ever"],
)
def test_a_ca_is_given_in_the_form_that_new_peers_take(
    capsys: pytest.CaptureFixture[str], managed: Path, parts: dict[str, Any], said: str
) -> None:
    before = stack_file(managed)
    (managed / "ca.crt").write_text(made_ca(**parts))
    code, _, errors = run(capsys, "trust", "init", "--authority", "ca.crt")
    assert (code, said in errors, stack_file(managed)) == (1, True, before), errors
    (managed / "ca.crt").write_text(made_ca())
    assert run(capsys, "trust", "init", "--authority", "ca.crt")[0] == 0


def test_a_ca_of_another_form_in_the_stack_file_stays_with_a_warning(managed: Path) -> None:
    """It may have been taken before there was a rule."""
    odd = made_ca(extra=(x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH]), False))
    lines = "".join(f"            {line}\n" for line in odd.splitlines())
    head = '  fate:trust:\n    parties:\n      "9999":\n        signing: "1"\n        authorities:\n          "1": |\n'
    file = managed / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(stack_file(managed) + head + lines)
    (warning,) = (each for each in loaded().plan.warnings if "peers refuse it in a new descriptor" in each)
    assert "of party 9999: has extensions that a CA of `fatefed trust init` does not have: extendedKeyUsage" in warning
    assert warning.endswith("replace it with `fatefed trust rotate --party 9999`")


def test_an_issuer_of_another_kind_brings_its_ca(capsys: pytest.CaptureFixture[str], managed: Path) -> None:
    other = "{name: fed, kind: AWSPCAIssuer, group: awspca.cert-manager.io}"
    file = managed / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(stack_file(managed).replace("{name: party-9999-ca}", other))
    code, _, errors = run(capsys, "trust", "init", "--issuer-files", "issuer")
    assert (code, "name the public certificate of its CA with --authority FILE" in errors) == (1, True)
    assert not (managed / "issuer").exists()


def test_a_ca_is_replaced_in_three_steps_by_another_issuer(capsys: pytest.CaptureFixture[str], managed: Path) -> None:
    run(capsys, "trust", "init", "--issuer-files", "issuer")
    assert "its CA's key does not belong in fate:secrets" in run(capsys, "trust", "rotate")[2]
    code, out, _ = run(capsys, "trust", "rotate", "--issuer-files", "issuer")
    assert (code, "step 1 of 3: authority 2 is now trusted; authority 1 still signs" in out) == (0, True)
    assert "kubectl create secret tls party-9999-ca-2 --namespace fate-9999" in out
    assert yaml.safe_load(made(managed / "issuer")["party-9999-ca-2.yaml"])["metadata"]["name"] == "party-9999-ca-2"
    assert signer() == ("1", "party-9999-ca", ["1", "2"])
    code, _, errors = run(capsys, "trust", "rotate")
    assert (code, "confirm with --yes when every peer is ready" in errors) == (2, True)
    assert "has its next CA already" in run(capsys, "trust", "rotate", "--yes", "--issuer-files", "issuer")[2]
    code, out, _ = run(capsys, "trust", "rotate", "--yes")
    assert (code, "step 2 of 3: authority 2 signs, by Issuer party-9999-ca-2" in out) == (0, True)
    assert signer() == ("2", "party-9999-ca-2", ["1", "2"])
    assert "# who signs" in stack_file(managed), "comments stay"
    assert "signs already" in run(capsys, "trust", "rotate", "--yes", "--issuer", "x")[2]
    code, out, _ = run(capsys, "trust", "rotate", "--yes")
    assert (code, "step 3 of 3: authority 1 is no longer trusted" in out) == (0, True)
    assert signer() == ("2", "party-9999-ca-2", ["2"])
    assert "party-9999-ca-3" in run(capsys, "trust", "rotate", "--issuer-files", "issuer")[1]
    assert not (managed / "kept.json").exists()


def test_the_next_issuer_may_have_any_name(capsys: pytest.CaptureFixture[str], managed: Path) -> None:
    run(capsys, "trust", "init", "--issuer-files", "issuer")
    out = run(capsys, "trust", "rotate", "--issuer-files", "issuer", "--issuer", "next")[1]
    assert "`fatefed trust rotate -s bank-a --party 9999 --issuer next` again" in out
    assert "kubectl create secret tls next " in out
    run(capsys, "trust", "rotate", "--yes", "--issuer", "next")
    assert signer() == ("2", "next", ["1", "2"])


def signer() -> tuple[str, str, list[str]]:
    """Which authority signs, who of cert-manager does it, and which are published."""
    spec = loaded().spec
    trust, issuer = spec.trust.parties["9999"], spec.parties["9999"].issuer
    assert issuer is not None
    return trust.signing, issuer.name, list(trust.authorities)


def test_who_signs_with_a_key_in_the_stack_file_names_no_issuer(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    run(capsys, "trust", "init")
    code, _, errors = run(capsys, "trust", "rotate", "--issuer-files", "issuer")
    assert (code, "leave out --issuer-files, --authority and --issuer" in errors) == (1, True)
    assert not (home / "issuer").exists()


def test_keys_of_the_mode_before_are_named_to_be_forgotten(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    run(capsys, "trust", "init")
    file = home / "stacks" / "Pulumi.bank-a.yaml"
    file.write_text(stack_file(home).replace("tls: partyCa", ISSUER, 1))
    out = run(capsys, "trust", "init")[1]
    assert set(kept(home)) == {"party-9999-ca-1", "party-9999-key"}
    for name in kept(home):
        assert f"`pulumi config rm --path 'fate:secrets.{name}' -s bank-a`" in out


def test_help_says_what_goes_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", "init", "--help"]) == 0
    assert "--issuer-files DIR" in capsys.readouterr().out
