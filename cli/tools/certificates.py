"""What a certificate that a server shows says of itself."""

from cryptography import x509

from federation.pki.certificates import dns_names


class UnreadableError(ValueError):
    """Bytes that are no certificate, or one of which some part cannot be read."""


def read_certificate(der: bytes) -> x509.Certificate:
    """The certificate that a server shows, of which all parts that are looked at can be read. UnreadableError when not."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Each is read when it is looked at, not before.
        _ = certificate.issuer, certificate.not_valid_before_utc, certificate.not_valid_after_utc, dns_names(certificate)
    except Exception as error:
        # Of a dozen kinds, by what is wrong.
        raise UnreadableError((str(error) or type(error).__name__).splitlines()[0][:120]) from None
    return certificate
