"""Keys, certificate authorities and certificates, in memory: of the control planes, and of tests."""

import datetime
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
KeyKind = Literal["ec-p256", "rsa-2048"]
Usage = Literal["server", "client"]

_USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
_BACKDATE = datetime.timedelta(minutes=5)  # for clocks that run behind ours


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority that signs leaves only (path length 0)."""

    key: PrivateKey
    certificate: x509.Certificate


def new_key(kind: KeyKind = "ec-p256") -> PrivateKey:
    """Make a private key. EC takes under a millisecond, RSA about 0.1 s."""
    if kind == "ec-p256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_pem(key: PrivateKey, form: Literal["pkcs8", "traditional"] = "pkcs8") -> bytes:
    """Encode without a passphrase. `traditional` is PKCS#1 for RSA and SEC 1 for EC."""
    formats = serialization.PrivateFormat
    chosen = formats.PKCS8 if form == "pkcs8" else formats.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, chosen, serialization.NoEncryption())


def public_pem(key: PrivateKey) -> bytes:
    """Encode the public half."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def pem(certificate: x509.Certificate) -> bytes:
    """Encode a certificate."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def new_authority(common_name: str, *, organization: str = "", kind: KeyKind = "ec-p256") -> Authority:
    """Make a self-signed CA."""
    key = new_key(kind)
    name = _name(common_name, organization)
    builder = _builder(name, name, key.public_key(), key.public_key(), 3650)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return Authority(key=key, certificate=builder.sign(key, hashes.SHA256()))


def issue(
    authority: Authority,
    public_key: PublicKey,
    common_name: str,
    *,
    organization: str = "",
    names: Sequence[str] = (),
    usages: Iterable[Usage] = ("server", "client"),
    days: int = 365,
) -> x509.Certificate:
    """Sign a leaf certificate. `names` become the alternative names: IP addresses as such, all others as DNS names."""
    subject = _name(common_name, organization)
    issuer = authority.certificate
    builder = _builder(subject, issuer.subject, public_key, authority.key.public_key(), days)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    encipherment = isinstance(public_key, rsa.RSAPublicKey)
    builder = builder.add_extension(_key_usage(key_encipherment=encipherment), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([_USAGES[usage] for usage in usages]), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def _name(common_name: str, organization: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: PublicKey, issuer_key: PublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _key_usage(*, signs_certificates: bool = False, key_encipherment: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
