"""Keys of any kind as they are written: private ones as PEM, public ones as DER. No error holds any of a key's text."""

from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes


@lru_cache(maxsize=16)
def read_private_key(pem: str) -> PrivateKeyTypes:
    """The key of a PEM text. ValueError for what is none, or is encrypted.

    Reading one of RSA takes 40 ms, because OpenSSL checks its primes: the same text is read once.
    """
    try:
        return serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause may quote the key: it is dropped on purpose.
        raise ValueError("is not an unencrypted PEM private key") from None


def private_pem(key: PrivateKeyTypes) -> str:
    """A private key as unencrypted PKCS#8 PEM, the only form Pulsar reads."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form).decode()


def pkcs8(pem: str) -> str:
    """The same of a PEM text in another form. ValueError when it is no PEM key."""
    return private_pem(read_private_key(pem))


def public_der(key: PublicKeyTypes) -> bytes:
    """A public key as DER (SubjectPublicKeyInfo), by which keys are compared and fingerprints are made."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
