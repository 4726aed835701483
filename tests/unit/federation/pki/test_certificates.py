"""Provided certificates: keys in the form Pulsar reads, and every reason why a certificate would not work."""

import base64
import datetime
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from federation.base.errors import FederationError
from federation.pki.certificates import certificate_problems
from federation.pki.keys import pkcs8
from federation.stack.load import check_secrets, missing_secrets, weak_certificate_warnings
from tests.support.configs import STAR_PARTY

NAME = "9999.fraud.example"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Provided:
    """Certificate, key and CA as PEM texts."""

    certificate: str
    key: str
    ca: str

    def problems(self, name: str = NAME) -> tuple[str, ...]:
        """What is wrong with them, after checking that it quotes no key."""
        found = certificate_problems(self.certificate, self.key, self.ca, server_name=name)
        assert not quotes(" ".join(found), self.key)
        return found


def quotes(message: str, key: str) -> bool:
    """Whether a message holds a piece of a key's text."""
    lines = [line for line in key.splitlines() if len(line) > 8 and "-----" not in line]
    return any(line[start : start + 8] in message for line in lines for start in range(0, len(line) - 8, 4))


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """One RSA key for all tests: making it is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Key, form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8, password: bytes | None = None) -> str:
    """A private key as PEM."""
    locked = serialization.NoEncryption() if password is None else serialization.BestAvailableEncryption(password)
    return key.private_bytes(serialization.Encoding.PEM, form, locked).decode()


def signed(
    subject: str, key: Key, issuer: str, by: Key, names: tuple[str, ...] = (), *, authority: bool = False, age: int = 1, days: int = 100
) -> x509.Certificate:
    """A certificate, `age` days old and valid for `days`."""
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=age)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if authority:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    return builder.sign(by, hashes.SHA256())


def text(certificate: x509.Certificate) -> str:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


CA_KEY, KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
CA = signed("federation CA", CA_KEY, "federation CA", CA_KEY, authority=True)
GOOD = Provided(text(signed(NAME, KEY, "federation CA", CA_KEY, (NAME,))), pem(KEY), text(CA))


def test_a_certificate_of_the_federation_s_ca_for_its_name_has_no_problem() -> None:
    assert GOOD.problems() == ()


@pytest.mark.parametrize("key", [rsa_key, lambda: KEY], ids=["RSA", "EC"])
def test_a_key_in_its_traditional_form_becomes_pkcs8(key: "object") -> None:
    private = key()  # type: ignore[operator]
    traditional = pem(private, serialization.PrivateFormat.TraditionalOpenSSL)
    assert "-----BEGIN PRIVATE KEY-----" not in traditional
    converted = pkcs8(traditional)
    assert converted.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert converted == pem(private)
    assert pkcs8(converted) == converted


def test_a_traditional_key_fits_its_certificate() -> None:
    certificate = text(signed(NAME, rsa_key(), "federation CA", CA_KEY, (NAME,)))
    assert Provided(certificate, pem(rsa_key(), serialization.PrivateFormat.TraditionalOpenSSL), text(CA)).problems() == ()


GARBAGE = {
    "nothing": "",
    "text": "hunter2-hunter2-hunter2",
    "half a key": pem(KEY)[:100],
    "a key that is locked": pem(KEY, password=b"hunter2"),
    "a certificate": text(CA),
    "base64 of nothing": "-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(b"hunter2" * 20).decode() + "\n-----END PRIVATE KEY-----\n",
    "no ASCII": "-----BEGIN PRIVATE KEY-----\né\udcff\n-----END PRIVATE KEY-----\n",
}


@pytest.mark.parametrize("key", GARBAGE.values(), ids=list(GARBAGE))
def test_what_is_no_key_is_told_without_quoting_it(key: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is tested
        pkcs8(key)
    assert not quotes(str(caught.value), key)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__
    (problem,) = replace(GOOD, key=key).problems()
    assert "the key is not an unencrypted PEM private key" in problem


@pytest.mark.parametrize("garbage", ["", "text", text(CA)[:200], GARBAGE["base64 of nothing"].replace("PRIVATE KEY", "CERTIFICATE")])
def test_what_is_no_certificate_is_told(garbage: str) -> None:
    for provided in (replace(GOOD, certificate=garbage), replace(GOOD, ca=garbage)):
        (problem,) = provided.problems()
        assert "cannot be read" in problem


def test_a_key_of_another_certificate_is_told() -> None:
    assert replace(GOOD, key=pem(OTHER)).problems() == ("the private key does not belong to the certificate",)


def test_a_key_given_as_a_certificate_is_never_quoted() -> None:
    (problem,) = certificate_problems(pem(KEY), pem(KEY), text(CA), server_name=NAME)
    assert not quotes(problem, pem(KEY))


def test_a_certificate_for_another_name_is_told_with_both_names() -> None:
    (problem,) = GOOD.problems("10000.fraud.example")
    assert problem == ("the certificate is not valid for 10000.fraud.example, the name that peers dial: it holds 9999.fraud.example")


def test_a_certificate_without_a_name_is_told() -> None:
    (problem,) = replace(GOOD, certificate=text(signed(NAME, KEY, "federation CA", CA_KEY))).problems()
    assert problem.endswith("it holds no DNS name")


def test_a_certificate_of_a_foreign_ca_is_told() -> None:
    foreign = signed("foreign CA", OTHER, "foreign CA", OTHER, authority=True)
    (problem,) = replace(GOOD, ca=text(foreign)).problems()
    assert problem.startswith("the CA does not trust the certificate:")


def test_a_ca_with_the_right_name_and_another_key_is_told() -> None:
    impostor = signed("federation CA", OTHER, "federation CA", OTHER, authority=True)
    (problem,) = replace(GOOD, ca=text(impostor)).problems()
    assert problem.startswith("the CA does not trust the certificate:")


def test_a_wrong_key_and_a_wrong_name_are_told_together() -> None:
    assert len(replace(GOOD, key=pem(OTHER)).problems("10000.fraud.example")) == 2


def test_an_intermediate_after_the_certificate_is_followed() -> None:
    middle = signed("middle CA", OTHER, "federation CA", CA_KEY, authority=True)
    leaf = text(signed(NAME, KEY, "middle CA", OTHER, (NAME,)))
    assert replace(GOOD, certificate=leaf + text(middle)).problems() == ()
    assert len(replace(GOOD, certificate=leaf).problems()) == 1


def test_a_bundle_of_authorities_may_hold_more_than_the_own_one() -> None:
    foreign = signed("foreign CA", OTHER, "foreign CA", OTHER, authority=True)
    assert replace(GOOD, ca=text(foreign) + text(CA)).problems() == ()


def test_an_expired_certificate_is_no_reason_to_stop() -> None:
    ca = signed("federation CA", CA_KEY, "federation CA", CA_KEY, authority=True, age=900, days=1000)
    old = signed(NAME, KEY, "federation CA", CA_KEY, (NAME,), age=400, days=30)
    assert Provided(text(old), pem(KEY), text(ca)).problems() == ()


SECRETS = {
    "party-9999-certificate": GOOD.certificate,
    "party-9999-key": GOOD.key,
    "party-9999-ca": GOOD.ca,
    "party-9999-mysql": "a",
    "party-9999-mysql-root": "b",
}


def test_a_stack_with_all_its_secrets_is_ready(tmp_path: Path) -> None:
    loaded = STAR_PARTY.load(tmp_path)
    assert set(loaded.plan.secret_names) == set(SECRETS)
    check_secrets(loaded, SECRETS)


def test_every_missing_secret_is_told_with_the_way_to_give_it(tmp_path: Path) -> None:
    loaded = STAR_PARTY.load(tmp_path)
    problems = missing_secrets(loaded, frozenset())
    assert {problem.problem for problem in problems} == {f"secret {name} is missing" for name in SECRETS}
    for problem in problems:
        name = problem.problem.split()[1]
        assert problem.place.endswith(f"fate:secrets.{name}")
        if name.endswith(("certificate", "key", "ca")):
            assert f"`pulumi config set --secret --path 'fate:secrets.{name}' < FILE`" in problem.remedy
        else:
            assert problem.remedy == "run `fatefed keys init`"


@pytest.mark.parametrize("value", ["", " \n", None, 12345, {"canary": "canary"}, ["canary"]], ids=repr)
@pytest.mark.parametrize("name", ["party-9999-mysql", "party-9999-certificate"])
def test_a_secret_that_is_empty_or_no_text_is_refused_unquoted(name: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(FederationError) as caught:
        check_secrets(STAR_PARTY.load(tmp_path), {**SECRETS, name: value})
    (problem,) = caught.value.problems
    assert problem.place.endswith(f"fate:secrets.{name}")
    assert problem.problem == f"secret {name} is empty or not text"
    assert ("keys init" in problem.remedy) != (f"--path 'fate:secrets.{name}' < FILE" in problem.remedy)
    assert "canary" not in str(caught.value)


def test_missing_secrets_and_wrong_certificates_are_told_together(tmp_path: Path) -> None:
    loaded = STAR_PARTY.load(tmp_path)
    given = {**SECRETS, "party-9999-key": pem(OTHER)}
    del given["party-9999-mysql"]
    with pytest.raises(FederationError) as caught:
        check_secrets(loaded, given)
    problems = caught.value.problems
    assert [problem.problem for problem in problems] == [
        "secret party-9999-mysql is missing",
        "the private key does not belong to the certificate",
    ]
    assert problems[1].place.endswith("fate:secrets.party-9999-certificate")
    assert NAME in problems[1].remedy
    assert not quotes(str(caught.value), pem(OTHER))


SHARED = (NAME, "10000.fraud.example", "*.fraud.example", "bank-a.example", "www.9999.fraud.example", "localhost")


@pytest.mark.parametrize(
    ("key", "names", "expected"),
    [
        (lambda: KEY, (NAME, "bank-a.example", "www.9999.fraud.example"), []),
        (rsa_key, (NAME,), []),
        (
            lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024),
            (NAME,),
            ["has an RSA key of 1024 bits: provide one with"],
        ),
        (lambda: ec.generate_private_key(ec.SECP224R1()), (NAME,), ["has an EC key of 224 bits"]),
        (lambda: KEY, SHARED, ["is for 10000.fraud.example, *.fraud.example, too: the holder of its key can impersonate them"]),
    ],
    ids=["its own names", "a usual key", "a short key", "a short curve", "names of all"],
)
def test_a_certificate_that_works_and_protects_little_is_a_warning(
    key: Any, names: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    loaded = STAR_PARTY.load(tmp_path)
    given = {name: "x" for name in loaded.plan.secret_names} | {"party-9999-certificate": text(signed(NAME, key(), "CA", CA_KEY, names))}
    found = weak_certificate_warnings(loaded, given)
    assert len(found) == len(expected)
    assert all(part in warning for part, warning in zip(expected, found, strict=True))
    assert all(warning.startswith(f"the certificate of {NAME} (fate:secrets.party-9999-certificate) ") for warning in found)
