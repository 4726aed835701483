"""Parties with a CA of their own, and what fate:secrets would hold of them."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from federation.peers.descriptor import Descriptor
from federation.pki.authority import authority_certificate
from federation.stack.load import LoadedStack, load_stack
from tests.support.configs import DOMAIN, Case, Config

TODAY = date(2026, 11, 22)
ORG, CN = x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME
ISSUER = {"name": "party-9999-ca"}


def pem(key: Any) -> str:
    """A private key."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(*form).decode())


@cache
def ca_key(party: str, number: str = "1") -> str:
    """The key of a party's CA."""
    return pem(ec.generate_private_key(ec.SECP256R1()))


@cache
def ca(party: str, number: str = "1", domain: str = DOMAIN) -> str:
    """A CA of a party."""
    return authority_certificate(ca_key(party, number), party=party, domain=domain, today=TODAY, years=5)


@cache
def server_key(party: str) -> str:
    """The key of a party's server."""
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def trusting(case: Case, *parties: str, signing: str = "1", authorities: tuple[str, ...] = ("1",), **lifetimes: int) -> Case:
    """The case, whose parties have CAs of their own."""

    def change(config: Config) -> None:
        for party in parties:
            config["parties"][party]["tls"] = "partyCa"
        made = {party: {"signing": signing, "authorities": {number: ca(party, number) for number in authorities}} for party in parties}
        config["trust"] = {**lifetimes, "parties": made}

    return case.changed(change)


def managed(case: Case, issuer: Config | None = None, **trust: Any) -> Case:
    """The case, whose party 9999 asks cert-manager; its CA is known."""
    return trusting(case, "9999", **trust).changed(
        lambda config: config["parties"]["9999"].update(tls="certManager", issuer=issuer or ISSUER)
    )


def with_ca(descriptor: Descriptor, *authorities: str) -> Descriptor:
    """The descriptor of a party with a CA of its own."""
    party = descriptor.party_id or ""
    return Descriptor.model_validate(descriptor.plain() | {"trust": {"authorities": list(authorities or (ca(party),))}})


def secrets_of(loaded: LoadedStack) -> dict[str, str]:
    """What fate:secrets holds of parties with CAs of their own, and made-up passwords."""
    found = dict.fromkeys(loaded.plan.secret_names, "password")
    for unit in loaded.plan.units:
        if unit.tls is not None and unit.tls.own:
            party = unit.tls.party
            found[f"party-{party}-key"] = server_key(party)
            found |= {f"party-{party}-ca-{number}": ca_key(party, number) for number in ("1", "2") if f"party-{party}-ca-{number}" in found}
    return found


def load(case: Case, folder: Path, today: date | None = TODAY) -> LoadedStack:
    """The plan of a case on a day."""
    return load_stack(case.write(folder), today=today)


def annotations(loaded: LoadedStack, unit: str = "party-9999") -> dict[str, str]:
    """What the Secret of the certificate says in clear."""
    (found,) = [secret for secret in loaded.plan.unit(unit).secrets if secret.name == "pulsar-cert"]
    return dict(found.metadata.get("annotations", {}))


def made(**changes: Any) -> str:
    """A CA as another program might make it; `changes` replaces or drops (None) its parts."""
    key = changes.get("key") or ec.generate_private_key(ec.SECP256R1())
    organization = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "9999")])
    permitted = [x509.DNSName("9999.fraud.example"), x509.DirectoryName(organization)]
    usage = dict.fromkeys(["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"], False)
    usage |= {"key_cert_sign": True, "crl_sign": True, "encipher_only": False, "decipher_only": False}
    parts: dict[str, Any] = {
        "basic": (x509.BasicConstraints(ca=True, path_length=0), True),
        "usage": (x509.KeyUsage(**usage), True),
        "names": (x509.NameConstraints(permitted, None), True),
        "subject": x509.Name([*organization, x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")]),
        "extra": None,
        "hash": hashes.SHA256(),
    } | changes
    builder = x509.CertificateBuilder().subject_name(parts["subject"]).issuer_name(parts.get("issuer") or parts["subject"])
    begins = parts.get("begins") or datetime.now(UTC) - timedelta(hours=1)
    builder = (
        builder.public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=parts.get("days") or 9))
    )
    for extension in ("basic", "usage", "names", "extra"):
        if parts[extension] is not None:
            builder = builder.add_extension(parts[extension][0], critical=parts[extension][1])
    signed = builder.sign(parts.get("signer") or key, parts["hash"])
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def constraints(*permitted: x509.GeneralName, excluded: list[x509.GeneralName] | None = None) -> tuple[x509.NameConstraints, bool]:
    """Critical name constraints."""
    return x509.NameConstraints(list(permitted) or None, excluded), True


def of(organization: str) -> x509.DirectoryName:
    """The directory name of an organization."""
    return x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization)]))


def named(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    """A subject."""
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])


def usage(**more: bool) -> tuple[x509.KeyUsage, bool]:
    """Critical key usage of a CA, with more or less than one has."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    none = dict.fromkeys((*names, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**none | {"key_cert_sign": True, "crl_sign": True} | more), True
