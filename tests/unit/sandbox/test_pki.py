"""The certificates that the sandbox and the demo make."""

import datetime
import ipaddress
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from sandbox import pki
from sandbox.files import write_atomic


@pytest.fixture(scope="module")
def authority() -> pki.Authority:
    return pki.new_authority("test CA", organization="consortium", kind="rsa-2048")


def names_of(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


def test_a_leaf_verifies_against_its_authority_for_each_of_its_names(authority: pki.Authority) -> None:
    leaf = pki.issue(authority, pki.new_key().public_key(), "a.example", names=["a.example", "127.0.0.1"], usages=["server"])
    policy = PolicyBuilder().store(Store([authority.certificate]))
    assert policy.build_server_verifier(x509.DNSName("a.example")).verify(leaf, [])
    assert policy.build_server_verifier(x509.IPAddress(ipaddress.ip_address("127.0.0.1"))).verify(leaf, [])
    with pytest.raises(x509.verification.VerificationError):
        policy.build_server_verifier(x509.DNSName("b.example")).verify(leaf, [])


def test_a_leaf_has_the_names_that_it_is_issued_for_and_serves_and_calls_unless_told_otherwise(authority: pki.Authority) -> None:
    key = pki.new_key("rsa-2048")
    leaf = pki.issue(authority, key.public_key(), "9999.fate.example", organization="bank-a", names=["9999.fate.example"], days=30)
    assert leaf.public_key() == key.public_key()
    assert names_of(leaf) == ["9999.fate.example"]
    assert leaf.subject.rfc4514_string() == "CN=9999.fate.example,O=bank-a"
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc < datetime.timedelta(days=31)


@pytest.mark.parametrize(
    ("kind", "form", "header"),
    [
        ("rsa-2048", "pkcs8", "BEGIN PRIVATE KEY"),
        ("rsa-2048", "traditional", "BEGIN RSA PRIVATE KEY"),
        ("ec-p256", "pkcs8", "BEGIN PRIVATE KEY"),
        ("ec-p256", "traditional", "BEGIN EC PRIVATE KEY"),
    ],
)
def test_keys_are_written_in_both_forms_and_read_back(kind: pki.KeyKind, form: str, header: str) -> None:
    key = pki.new_key(kind)
    text = pki.key_pem(key, "pkcs8" if form == "pkcs8" else "traditional")
    assert header in text.decode()
    read = load_pem_private_key(text, password=None)
    assert isinstance(read, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    assert read.public_key() == key.public_key()
    assert isinstance(key, rsa.RSAPrivateKey) == (kind == "rsa-2048")


def test_an_authority_survives_being_written_and_signs_leaves_only(authority: pki.Authority) -> None:
    again = x509.load_pem_x509_certificate(pki.pem(authority.certificate))
    assert again == authority.certificate
    constraints = again.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)


def test_private_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_text("old")
    path.chmod(0o644)
    write_atomic(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["a.key"]
