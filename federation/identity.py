"""An organization's identity: an Ed25519 key pair. The private part stays under fate:secrets; peers know its fingerprint."""

import base64
import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# The entry of fate:secrets that holds the private part.
SECRET = "identity"  # noqa: S105 - a name


def new_identity() -> str:
    """A new private key, as unencrypted PKCS#8 PEM."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(*form).decode()


def load_identity(pem: str) -> Ed25519PrivateKey:
    """The private key of a PEM text. ValueError, without any of the text, for anything but an Ed25519 key."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is not an unencrypted PEM private key") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("is not an Ed25519 key")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """What people compare: `SHA256:` and the base64 of the digest of the public key (DER, SubjectPublicKeyInfo).

    The same as `openssl pkey -pubout -outform DER | openssl dgst -sha256 -binary | base64`, without the padding.
    """
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"SHA256:{base64.b64encode(hashlib.sha256(der).digest()).decode().rstrip('=')}"
