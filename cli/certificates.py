"""What a certificate that a server shows says of itself."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature


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
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
