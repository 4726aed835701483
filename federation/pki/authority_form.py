"""Which certificates are taken as a party's CA: from a descriptor, from `fatefed trust init --authority`, from `fate:trust`.

Two grades. `authority_problems`: it could sign what is not its party's, or nothing; never accepted. `form_problems`: it is not as
`fatefed trust init` makes one, and so could be more than a CA, such as a server's own certificate: a verifier uses no issuer of a
certificate that it trusts, so no name constraint counts then. Refused in a new descriptor; of one that was accepted a warning.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtensionOID, NameOID

from federation.base.naming import server_name
from federation.base.scalars import PartyId, is_dns_name, is_ip
from federation.pki.authority import EVERY_ADDRESS, MAX_BYTES, UNREADABLE, permitted_names, subject

# What `fatefed trust init` puts into a CA; the last two are hints for readers, and may be absent.
_EXTENSIONS = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.NAME_CONSTRAINTS,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
}
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_SUBJECT = [NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME]
# fate:trust.caYears goes up to here, with leap days; a day more for clocks that disagree.
MOST_YEARS = 20
_LONGEST = timedelta(days=366 * MOST_YEARS)
_SKEW = timedelta(days=1)
_EXPONENT = 65537  # of RSA keys: what every program makes; FIPS 186-5 takes no smaller one


@lru_cache(maxsize=4096)
def authority_problems(authority: str, party: PartyId, domain: str) -> tuple[str, ...]:
    """Why a certificate must not be trusted as the CA of a party: it could sign other names, or nothing. No day matters."""
    return _judged(authority, lambda ca: _problems(ca, party, domain))


@lru_cache(maxsize=4096)
def form_problems(authority: str, party: PartyId) -> tuple[str, ...]:
    """How a CA differs from what `fatefed trust init` makes, beside its limits. No day matters."""
    return _judged(authority, lambda ca: _differences(ca, party))


@lru_cache(maxsize=4096)
def excludes_addresses(authority: str) -> bool:
    """Whether a CA may sign no IP address. Those that `fatefed trust init` made before are free to, and as good for their names."""
    constraints = x509.load_pem_x509_certificate(authority.encode()).extensions.get_extension_for_class(x509.NameConstraints)
    return set(constraints.value.excluded_subtrees or ()) == set(EVERY_ADDRESS)


def day_problems(authority: str, today: date) -> tuple[str, ...]:
    """Why a CA can be used for nothing today (UTC)."""
    ca = x509.load_pem_x509_certificate(authority.encode())
    first, last = ca.not_valid_before_utc.date(), ca.not_valid_after_utc.date()
    if last < today:
        return (f"ended on {last}",)
    return (f"is not valid before {first}",) if first > today + _SKEW else ()


def accepted_authorities(certificates: str, party: PartyId, domain: str) -> tuple[str, ...]:
    """The certificates of a PEM text, if readers of a descriptor accept all of them as a party's CA: one, or while it is replaced two."""
    try:
        loaded = x509.load_pem_x509_certificates(certificates.encode())
        authorities = [each.public_bytes(serialization.Encoding.PEM).decode() for each in loaded]
        subjects = {subject(each) for each in authorities}
    except UNREADABLE:
        return ()
    right = len(authorities) in (1, 2) and len(subjects) == len(authorities) and all(len(each) <= MAX_BYTES for each in authorities)
    wrong = (problem for each in authorities for problem in (*authority_problems(each, party, domain), *form_problems(each, party)))
    return tuple(authorities) if right and next(wrong, None) is None else ()


def _judged(authority: str, judge: Callable[[x509.Certificate], Iterator[str]]) -> tuple[str, ...]:
    try:
        return tuple(judge(x509.load_pem_x509_certificate(authority.encode())))
    except UNREADABLE as error:
        return (f"cannot be read: {(str(error).splitlines() or ['?'])[0]}",)


def _problems(ca: x509.Certificate, party: PartyId, domain: str) -> Iterator[str]:
    name = server_name(party, domain)
    if not _is_signed_by_itself(ca):
        yield "is not self-signed with SHA-256 or better"
    if (weak := _weakness(ca.public_key())) is not None:
        yield weak
    if [attribute.value for attribute in ca.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] != [party]:
        yield f"its subject is not O={party}"
    if not _holds(ca, x509.BasicConstraints, lambda constraints: constraints.ca and constraints.path_length == 0):
        yield "is not a CA with path length 0 (critical): it could sign other CAs"
    if not _holds(ca, x509.KeyUsage, lambda usage: usage.key_cert_sign):
        yield "may not sign certificates (critical key usage)"
    if not _holds(ca, x509.NameConstraints, lambda constraints: _limits(constraints, set(permitted_names(party, domain)))):
        yield (
            f"lacks the critical name constraints that permit DNS:{name} and DirName:O={party} only, and exclude no name: "
            "it could sign other parties' names"
        )
    if unknown := sorted(
        extension.oid.dotted_string for extension in ca.extensions if extension.critical and extension.oid not in _EXTENSIONS
    ):
        yield f"has unknown critical extensions: {', '.join(unknown)}"


def _differences(ca: x509.Certificate, party: PartyId) -> Iterator[str]:
    if [attribute.oid for attribute in ca.subject] != _SUBJECT or any(len(part) != 1 for part in ca.subject.rdns):
        yield f"its subject is not O={party}, CN=..., and nothing else"
    names = [str(attribute.value) for attribute in ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if any(not name.isprintable() for name in names):
        yield "its common name holds characters that cannot be printed"
    if like_hosts := [name for name in names if _names_a_host(name)]:
        yield f"its common name {like_hosts[0]!r} is a host name: a server could present this CA as its own certificate"
    if not _holds(ca, x509.KeyUsage, lambda usage: usage.crl_sign and not any(getattr(usage, each) for each in _NO_CA_DOES)):
        yield "its key usage is not exactly keyCertSign and cRLSign: a server could present this CA as its own certificate"
    if more := sorted(_name_of(extension.oid) for extension in ca.extensions if extension.oid not in _EXTENSIONS):
        yield f"has extensions that a CA of `fatefed trust init` does not have: {', '.join(more)}"
    key = ca.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.public_numbers().e < _EXPONENT:
        yield f"its RSA key has an exponent below {_EXPONENT}"
    if ca.not_valid_after_utc - ca.not_valid_before_utc > _LONGEST:
        yield f"is valid for more than {MOST_YEARS} years, from {ca.not_valid_before_utc.date()} to {ca.not_valid_after_utc.date()}"


# Attributes of x509.KeyUsage; encipher_only and decipher_only are undefined without key_agreement.
_NO_CA_DOES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")


def _limits(constraints: x509.NameConstraints, permitted: set[x509.GeneralName]) -> bool:
    """Whether names are limited so; addresses are excluded from 2026 on, which narrows what was permitted before."""
    return set(constraints.permitted_subtrees or ()) == permitted and set(constraints.excluded_subtrees or ()) in (
        set(),
        set(EVERY_ADDRESS),
    )


def _names_a_host(text: str) -> bool:
    """Whether a verifier that looks into a subject could take it for a host: by name, wildcard or address."""
    name = text.strip().lower().removeprefix("*.").rstrip(".")
    return is_ip(name) or ("." in name and is_dns_name(name))


def _name_of(oid: x509.ObjectIdentifier) -> str:
    """As OpenSSL calls an extension, where the library knows it."""
    known = oid._name
    return oid.dotted_string if known == "Unknown OID" else f"{known} ({oid.dotted_string})"


def _holds(ca: x509.Certificate, kind: type[x509.ExtensionType], right: Callable[[Any], object]) -> bool:
    try:
        extension = ca.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return False
    return extension.critical and bool(right(extension.value))


def _is_signed_by_itself(ca: x509.Certificate) -> bool:
    if not isinstance(ca.signature_hash_algorithm, _HASHES):
        return False
    try:
        ca.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _weakness(key: CertificatePublicKeyTypes) -> str | None:
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return None
    if isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 8192:
        return None
    return "its key is neither EC P-256 or P-384 nor RSA of 2048 bits or more"
