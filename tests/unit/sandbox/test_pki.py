"""The certificates that the sandbox and the demo make."""

import datetime
import ipaddress
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from sandbox import pki


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


def test_the_signer_decides_what_a_request_gets(authority: pki.Authority) -> None:
    key = pki.new_key("rsa-2048")
    request = pki.new_csr(key, "consortium", organization="consortium", names=["*.example"])
    leaf = pki.sign_csr(pki.pem(request), authority, ["9999.fate.example"], organization="bank-a", days=30)
    assert leaf.public_key() == key.public_key()
    assert names_of(leaf) == ["9999.fate.example"]
    assert leaf.subject.rfc4514_string() == "CN=9999.fate.example,O=bank-a"
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc < datetime.timedelta(days=31)


def test_a_request_that_its_own_key_did_not_sign_is_refused(authority: pki.Authority) -> None:
    der = bytearray(pki.new_csr(pki.new_key("rsa-2048"), "a").public_bytes(Encoding.DER))
    der[-1] ^= 1
    with pytest.raises(pki.PkiError, match="not signed by the key"):
        pki.sign_csr(x509.load_der_x509_csr(bytes(der)), authority, ["a"])


def test_a_certificate_without_names_is_refused(authority: pki.Authority) -> None:
    with pytest.raises(pki.PkiError, match="at least one name"):
        pki.sign_csr(pki.new_csr(pki.new_key(), "a"), authority, [])


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
    assert pki.load_key(text).public_key() == key.public_key()
    assert isinstance(key, rsa.RSAPrivateKey) == (kind == "rsa-2048")


def test_an_authority_survives_being_written_and_signs_leaves_only(authority: pki.Authority) -> None:
    again = pki.load_authority(pki.pem(authority.certificate), pki.key_pem(authority.key))
    assert again.certificate == authority.certificate
    constraints = again.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)


def test_private_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_text("old")
    path.chmod(0o644)
    pki.write_private(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["a.key"]
