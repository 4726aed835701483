"""Checks of the certificates an operator provides, and what a certificate says of itself."""

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from federation.pki.keys import public_der, read_private_key

# What a certificate raises whose key or name is of a kind that is not known here.
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)

# What NIST SP 800-57 part 1 and browsers ask for at least.
_RSA_BITS, _EC_BITS = 2048, 256


def certificate_problems(certificate: str, key: str, ca: str, *, server_name: str) -> tuple[str, ...]:
    """What is wrong with a provided certificate for a server name: sentences without any secret content."""
    try:
        chain, authorities, problems = _opened(certificate, key, ca)
    except ValueError as error:
        return (str(error),)
    leaf, names = chain[0], dns_names(chain[0])
    if server_name not in names:
        held = ", ".join(names) or "no DNS name"
        problems.append(f"the certificate is not valid for {server_name}, the name that peers dial: it holds {held}")
    elif (reason := _untrusted(leaf, chain[1:], authorities, server_name)) is not None:
        problems.append(f"the CA does not trust the certificate: {reason}")
    return tuple(problems)


def client_problems(certificate: str, key: str, ca: str, *, common_name: str) -> tuple[str, ...]:
    """What is wrong with the certificate that a program shows when it calls another one: sentences without any secret content."""
    try:
        chain, authorities, problems = _opened(certificate, key, ca)
    except ValueError as error:
        return (str(error),)
    leaf = chain[0]
    names = [str(attribute.value) for attribute in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [common_name]:
        problems.append(f"the certificate is not {common_name}'s: its common name is {', '.join(names) or 'empty'}")
    verifier = PolicyBuilder().store(Store(authorities)).time(leaf.not_valid_before_utc).build_client_verifier()
    try:
        verifier.verify(leaf, chain[1:])
    except (VerificationError, InvalidSignature) as error:
        problems.append(f"the CA does not trust the certificate for calling others: {_first_line(error)}")
    return tuple(problems)


def console_problems(certificate: str, key: str, hosts: Iterable[str]) -> tuple[str, ...]:
    """What is wrong with the certificate of consoles: sentences without any secret content. Who signed it, browsers judge."""
    chain = read_certificates(certificate)
    if not chain:
        return ("certificate cannot be read: PEM certificates are expected",)
    try:
        problems = _foreign_key(chain[0], key)
    except ValueError as error:
        return (f"the key {_first_line(error)}",)
    held = ", ".join(dns_names(chain[0])) or "no DNS name"
    problems += [f"the certificate is not valid for {host}: it holds {held}" for host in hosts if not is_for(chain[0], host)]
    return tuple(problems)


def weakness(certificate: str) -> str | None:
    """Why the key of a certificate is too weak, in words; None when it is not, or when it cannot be read."""
    chain = read_certificates(certificate)
    key = chain[0].public_key() if chain else None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _RSA_BITS:
        return f"has an RSA key of {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < _EC_BITS:
        return f"has an EC key of {key.key_size} bits"
    return None


def names_of_others(certificate: str, server_name: str) -> list[str]:
    """The names of other members, or of all (`*.fraud.example`), that stand in a member's certificate."""
    chain, domain = read_certificates(certificate), server_name.partition(".")[2]
    return [name for name in (dns_names(chain[0]) if chain else []) if name != server_name and name.partition(".")[2] == domain]


def last_moment(certificate: str) -> datetime | None:
    """Until when a certificate is valid; None when it cannot be read."""
    chain = read_certificates(certificate)
    return chain[0].not_valid_after_utc if chain else None


def read_certificates(pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text; none when it cannot be read."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []


def names_callers(certificate: str) -> bool:
    """Whether who dials may show a certificate (PEM): it says nothing of what it is for, or that."""
    try:
        usage = read_certificates(certificate)[0].extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


def signer_first(authorities: str, certificate: str) -> str:
    """Authorities (PEM), beginning with one that signed a certificate or its intermediate; as they are when none did."""
    chain, loaded = read_certificates(certificate), read_certificates(authorities)
    signed = [authority for authority in loaded if any(is_issued_by(each, authority) for each in chain)]
    if not signed or loaded[0] in signed:
        return f"{authorities.rstrip()}\n"
    return "".join(
        each.public_bytes(serialization.Encoding.PEM).decode() for each in (*signed, *(one for one in loaded if one not in signed))
    )


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether an issuer's key signed a certificate."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*_UNREADABLE, InvalidSignature):
        return False
    return True


def dns_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names that a certificate holds."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        return []


def is_for(certificate: x509.Certificate, name: str) -> bool:
    """Whether a certificate is for a name; a wildcard stands for one label."""
    return bool({name, f"*.{name.partition('.')[2]}"} & set(dns_names(certificate)))


def _opened(certificate: str, key: str, ca: str) -> tuple[list[x509.Certificate], list[x509.Certificate], list[str]]:
    """A chain, its authorities, and the problem of a key that is not the first one's. ValueError, in words, when one cannot be read."""
    chain, authorities = read_certificates(certificate), read_certificates(ca)
    if unreadable := [name for name, loaded in (("certificate", chain), ("CA", authorities)) if not loaded]:
        raise ValueError(f"{' and '.join(unreadable)} cannot be read: PEM certificates are expected")
    try:
        return chain, authorities, _foreign_key(chain[0], key)
    except ValueError as error:
        raise ValueError(f"the key {_first_line(error)}") from None


def _foreign_key(leaf: x509.Certificate, key: str) -> list[str]:
    """The problem of a key that is not the certificate's own. ValueError when it is no PEM key."""
    same = public_der(leaf.public_key()) == public_der(read_private_key(key).public_key())
    return [] if same else ["the private key does not belong to the certificate"]


def _untrusted(leaf: x509.Certificate, rest: list[x509.Certificate], authorities: list[x509.Certificate], name: str) -> str | None:
    """Why the chain does not verify, at the time the leaf began to be valid: expiry is a warning, not a reason to stop."""
    verifier = PolicyBuilder().store(Store(authorities)).time(leaf.not_valid_before_utc).build_server_verifier(x509.DNSName(name))
    try:
        verifier.verify(leaf, rest)
    except (VerificationError, InvalidSignature) as error:
        return _first_line(error)
    return None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
