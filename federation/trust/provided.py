"""Certificates that an operator provides: their public part, which the state records, and the effects of a change.

Only the running program decrypts their values: `fatefed plan` does not know them. What is not known counts as unchanged.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from federation.pki.authority import short_digest
from federation.pki.certificates import is_issued_by, read_certificates

RecordedCertificates = Mapping[str, Mapping[str, Any]]
# What cryptography raises for a certificate whose type of key or name it does not know.
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)
# Of an authority's digest: as many as of a certificate's.
_DIGITS = 16


@dataclass(frozen=True)
class Reader:
    """A reader of a provided certificate: its name, when it reads a new one, and what the owner must do for that."""

    certificate: str
    takes: str
    acts: str = ""


_AT_START = "no pod restarts, and programs read it only when they start"
_RESTART = " restarts them after `pulumi up` (`kubectl rollout restart deployment,statefulset` in its namespace)"
# By what it is for: the servers of a party, the two sides of a portal, and consoles.
READERS: Mapping[str, Reader] = {
    "pulsar": Reader("its certificate", "Pulsar reads it within 5 minutes; no pod restarts"),
    "server": Reader("its server certificate", _AT_START, _RESTART),
    "client": Reader("its client certificate", _AT_START, _RESTART),
    "consoles": Reader("the certificate of its consoles", "their controller loads it; no pod restarts"),
}


@dataclass(frozen=True)
class Entries:
    """The entries of fate:secrets that hold a certificate and the CAs beside it; those of consoles have none."""

    certificate: str
    authorities: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        """Both."""
        return (self.certificate,) if self.authorities is None else (self.certificate, self.authorities)


@dataclass(frozen=True)
class Consequence:
    """The effect of another certificate; `everyone`: on every link of the unit. `acts`: what someone must do, beside `pulumi up`."""

    effect: Literal["reload", "cut"]
    what: str
    everyone: bool
    acts: str = ""


def recorded_certificates(
    entries: Mapping[str, Entries], secrets: Mapping[str, str], published: tuple[str, ...] = ()
) -> dict[str, dict[str, Any]]:
    """Of each certificate: its digest, its last day, who signed it, and the authorities beside it. Never anything of a private key.

    `published`: the authorities in the unit's descriptor.
    """
    recorded = {}
    for role, names in entries.items():
        chain = read_certificates(secrets[names.certificate])
        authorities = [] if names.authorities is None else read_certificates(secrets[names.authorities])
        if chain:
            recorded[role] = {
                "certificate": short_digest(chain[0]),
                "until": chain[0].not_valid_after_utc.date().isoformat(),
                "signer": _signer(chain, authorities),
                "authorities": {_authority(one): _name(one) for one in authorities},
                "told": [short_digest(one) for pem in published for one in read_certificates(pem)],
            }
    return recorded


def provided_changes(old: RecordedCertificates, new: RecordedCertificates) -> Iterator[Consequence]:
    """The effects on certificates that are in both."""
    for role in (role for role in READERS if role in old and role in new):
        yield from _changes(READERS[role], old[role], new[role])


def _changes(reader: Reader, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Consequence]:
    before, after = old["authorities"], new["authorities"]
    if old["certificate"] != new["certificate"]:
        what = f"{reader.certificate} changes: it is valid until {new['until']}, so far until {old['until']}; {reader.takes}"
        yield Consequence("reload", what, everyone=False, acts=reader.acts)
    if old["signer"] != new["signer"]:
        by, so_far = (after.get(new["signer"], "an unknown CA"), before.get(old["signer"], "an unknown CA"))
        trusts = "has accepted it, from the descriptor" if new["told"] else "has it in its own fate:secrets, beside the old one"
        what = f"another CA signs {reader.certificate}, {by}, so far {so_far}: peers that do not trust it refuse the certificate"
        yield Consequence("cut", what, everyone=True, acts=f"; before: every peer {trusts}")
    rows: tuple[tuple[Literal["reload", "cut"], str, list[str]], ...] = (
        ("reload", "certificates of {} become trusted", [name for key, name in after.items() if key not in before]),
        ("cut", "certificates of {} are no longer trusted", [name for key, name in before.items() if key not in after]),
    )
    for effect, what, names in rows:
        if names:
            yield Consequence(effect, what.format(", ".join(sorted(names))), everyone=True, acts=reader.acts)
    if old["told"] != new["told"]:
        acts = " exports the descriptor again; every peer accepts it and runs `pulumi up`"
        yield Consequence("reload", "the CAs in its descriptor change", everyone=True, acts=acts)


def _signer(chain: list[x509.Certificate], authorities: list[x509.Certificate]) -> str:
    """The authority at which a chain ends; empty when it ends at none of them."""
    current, rest = chain[0], chain[1:]
    for _ in chain:
        for authority in authorities:
            if is_issued_by(current, authority):
                return _authority(authority)
        above = next((one for one in rest if is_issued_by(current, one)), None)
        if above is None:
            return ""
        current = above
    return ""


def _authority(certificate: x509.Certificate) -> str:
    """The identity of an authority: its name and public key. A reissued certificate with both is the same authority to its readers."""
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    try:
        known = certificate.subject.public_bytes() + certificate.public_key().public_bytes(*form)
    except _UNREADABLE:
        return short_digest(certificate)
    return hashlib.sha256(known).hexdigest()[:_DIGITS]


def _name(certificate: x509.Certificate) -> str:
    """An authority as people know it: its subject, and the beginning of its SHA-256."""
    try:
        subject = "".join(letter if letter.isprintable() else "?" for letter in certificate.subject.rfc4514_string())
    except _UNREADABLE:
        subject = ""
    return f"{subject or 'a CA without a name'} ({short_digest(certificate)})"
