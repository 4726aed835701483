"""What a certificate that a server shows says of itself."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm


class UnreadableError(ValueError):
    """Bytes that are no certificate, or one of which some part cannot be read."""


def read_certificate(der: bytes) -> x509.Certificate:
    """The certificate that a server shows, of which all parts that are looked at can be read. UnreadableError when not."""
    try:
        found = x509.load_der_x509_certificate(der)
        # Each is read when it is looked at, not before.
        _ = found.issuer, found.not_valid_before_utc, found.not_valid_after_utc, names(found)
    except Exception as error:
        # Of a dozen kinds, by what is wrong.
        raise UnreadableError((str(error) or type(error).__name__).splitlines()[0][:120]) from None
    return found


def names(certificate: x509.Certificate) -> list[str]:
    """The DNS names it holds."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        return []


def holds(certificate: x509.Certificate, name: str) -> bool:
    """Whether it is for a name; a wildcard stands for one label."""
    return bool({name, f"*.{name.partition('.')[2]}"} & set(names(certificate)))


def signed_by(certificate: x509.Certificate, authority: str) -> bool:
    """Whether a CA (PEM) signed it. What that CA may sign was checked when its descriptor was accepted."""
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
