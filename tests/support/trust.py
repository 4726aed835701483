"""Parties with a CA of their own, and what fate:secrets would hold of them."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from federation.authority import authority_certificate
from federation.descriptor import Descriptor
from federation.load import LoadedStack, load_stack
from tests.support.configs import DOMAIN, Case, Config

TODAY = date(2026, 11, 22)
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
