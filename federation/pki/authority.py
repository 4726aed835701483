"""A party's certificate authority (CA): what it may sign, and the leaf certificates it issues. `federation.pki.authority_form` judges one.

One CA for each party: path length 0, and critical name constraints that permit `DNS:<party>.<domain>` and `DirName:O=<party>` only
and exclude every IP address. OpenSSL enforces them; Java, and with it Pulsar, does not, of a CA that it trusts, so that no file with
which a broker dials holds two parties' CAs (docs/guides/trust.md). Everything here is a pure function of keys, names and the day: serial
numbers are derived and ECDSA is deterministic (RFC 6979), so that the same `pulumi up` makes the same certificate.
"""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import AfterValidator

from federation.base.naming import server_name
from federation.base.scalars import PartyId
from federation.pki.keys import public_der, read_private_key

_DAY = timedelta(days=1)
# What reading a certificate raises that is none.
UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
PEM_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
# Far more than one needs: all peers' CAs share a Secret.
MAX_BYTES = 8192
# No address may be in a certificate: permitted subtrees of names alone would leave addresses free (RFC 5280, section 4.2.1.10).
EVERY_ADDRESS = tuple(x509.IPAddress(ipaddress.ip_network(text)) for text in ("0.0.0.0/0", "::/0"))


def _one_certificate(text: str) -> str:
    """The text of exactly one certificate, in the one way in which PEM is written here."""
    if len(text) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES} bytes")
    try:
        (certificate,) = x509.load_pem_x509_certificates(text.encode())
    except UNREADABLE:
        raise ValueError("is not one PEM certificate") from None
    if (written := _pem(certificate)).strip() != text.strip():
        raise ValueError("holds more than one PEM certificate")
    return written


CertificatePem = Annotated[str, AfterValidator(_one_certificate)]


@dataclass(frozen=True)
class Period:
    """The days of one leaf certificate (UTC): valid from and to, and the first day on which an `up` makes the next one."""

    begins: date
    ends: date
    renews: date


def leaf_period(authority: str, today: date, days: int, renew_days: int) -> Period:
    """The leaf certificate that is due on a day: periods follow each other from the CA's first day on, overlapping by `renew_days`.

    The last one ends with its CA.
    """
    ca = x509.load_pem_x509_certificate(authority.encode())
    first, last = ca.not_valid_before_utc.date(), ca.not_valid_after_utc.date()
    step = timedelta(days=days - renew_days)
    begins = first + max(0, (min(today, last) - first) // step) * step
    # A day early, for clocks that run behind ours.
    return Period(max(first, begins - _DAY), min(begins + timedelta(days=days), last), min(begins + step, last))


def issue(authority: str, ca_key: str, key: str, *, party: PartyId, names: Iterable[str], period: Period) -> str:
    """The leaf certificate of a party's server key (PEM), for TLS servers and clients. ValueError when a key cannot be used."""
    ca = x509.load_pem_x509_certificate(authority.encode())
    signer, public = _signing_key(ca_key), _public_key(key)
    names = list(names)
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, party), x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = (
        _builder(subject, ca.subject, public, signer.public_key(), period.begins, period.ends)
        .serial_number(_serial(_pem(ca), public_der(public).hex(), *names, period.begins.isoformat(), period.ends.isoformat()))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False, encipherment=isinstance(public, rsa.RSAPublicKey)), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    )
    return _pem(made.sign(signer, hashes.SHA256(), ecdsa_deterministic=True))


def authority_certificate(ca_key: str, *, party: PartyId, domain: str, today: date, years: int) -> str:
    """The certificate of a party's CA for an EC key (PEM); its subject is unique to the key, so that bundles can hold several."""
    signer = _signing_key(ca_key)
    public = signer.public_key()
    label = hashlib.sha256(public_der(public)).hexdigest()[:8]
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, party),
            x509.NameAttribute(NameOID.COMMON_NAME, f"CA {label} of {server_name(party, domain)}"[:64]),
        ]
    )
    begins = today - _DAY
    made = (
        _builder(subject, subject, public, public, begins, begins + timedelta(days=365 * years + years // 4))
        .serial_number(_serial(public_der(public).hex(), begins.isoformat()))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True, encipherment=False), critical=True)
        .add_extension(
            x509.NameConstraints(permitted_subtrees=permitted_names(party, domain), excluded_subtrees=list(EVERY_ADDRESS)), critical=True
        )
    )
    return _pem(made.sign(signer, hashes.SHA256(), ecdsa_deterministic=True))


def is_signed_by(certificate: str, authority: str) -> bool:
    """Whether the first certificate of a PEM text is signed by an authority."""
    ca = x509.load_pem_x509_certificate(authority.encode())
    try:
        x509.load_pem_x509_certificates(certificate.encode())[0].verify_directly_issued_by(ca)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def ends_on(certificate: str) -> date:
    """The last day (UTC) of the first certificate of a PEM text."""
    return x509.load_pem_x509_certificates(certificate.encode())[0].not_valid_after_utc.date()


def short_fingerprint(certificate: str) -> str:
    """The first 16 digits of a certificate's SHA-256: enough to see in a preview which one it is."""
    return short_digest(x509.load_pem_x509_certificate(certificate.encode()))


def short_digest(certificate: x509.Certificate) -> str:
    """The same of one that was read."""
    return certificate.fingerprint(hashes.SHA256()).hex()[:16]


def subject(certificate: str) -> str:
    """The subject of a certificate, as RFC 4514 writes it."""
    return x509.load_pem_x509_certificate(certificate.encode()).subject.rfc4514_string()


def permitted_names(party: PartyId, domain: str) -> list[x509.GeneralName]:
    """What a party's CA may sign."""
    organization = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, party)])
    return [x509.DNSName(server_name(party, domain)), x509.DirectoryName(organization)]


def key_digest(certificate: str) -> str:
    """The SHA-256 of the public key of a certificate: the same in every certificate for that key."""
    return hashlib.sha256(public_der(x509.load_pem_x509_certificate(certificate.encode()).public_key())).hexdigest()


@dataclass(frozen=True)
class AuthoritySummary:
    """What people see of a CA: its subject, its first and last day (UTC), and its SHA-256, which previews shorten."""

    subject: str
    first: str
    last: str
    sha256: str


def authority_summary(certificate: str) -> AuthoritySummary:
    """The same of a PEM text."""
    ca = x509.load_pem_x509_certificate(certificate.encode())
    first, last = ca.not_valid_before_utc.date(), ca.not_valid_after_utc.date()
    digest = ca.fingerprint(hashes.SHA256()).hex()
    return AuthoritySummary(ca.subject.rfc4514_string(), first.isoformat(), last.isoformat(), digest)


def signs_for(authority: str, ca_key: str) -> None:
    """ValueError unless a private key is that of a CA."""
    if public_der(_signing_key(ca_key).public_key()) != public_der(x509.load_pem_x509_certificate(authority.encode()).public_key()):
        raise ValueError("is not the key of the authority that signs")


def serves(key: str) -> None:
    """ValueError unless a server can use a private key: Pulsar before 3.2 reads RSA keys only (apache/pulsar#21599)."""
    if not isinstance(_public_key(key), rsa.RSAPublicKey):
        raise ValueError("is not an RSA key: Pulsar reads no other")


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: CertificatePublicKeyTypes,
    issuer_key: ec.EllipticCurvePublicKey,
    begins: date,
    ends: date,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .not_valid_before(datetime.combine(begins, time(), UTC))
        .not_valid_after(datetime.combine(ends, time(23, 59, 59), UTC))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(*, signs: bool, encipherment: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _serial(*parts: str) -> int:
    """Unique to what is certified, and never 0; 19 octets, of which RFC 5280 allows 20."""
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:19]) | 1


def _signing_key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = read_private_key(pem)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("is not an EC key: only an EC signature is the same each time")
    return key


def _public_key(pem: str) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    key = read_private_key(pem)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("is neither an RSA nor an EC key")
    return key.public_key()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
