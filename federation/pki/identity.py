"""An organization's identity: an Ed25519 key pair. The private part stays under fate:secrets; peers know its fingerprint."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation.pki.keys import private_pem, public_der, read_private_key

# Of Ed25519 (RFC 8032, section 5.1): the field, and the bits of a public key that are y; the last one is the sign of x.
_P = 2**255 - 19
_Y = 2**255 - 1
# y of the eight points whose order divides 8 (Chalkias et al., Taming the Many EdDSAs, 2020); a test computes them.
_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_OF_SMALL_ORDER = frozenset({0, 1, _P - 1, _OF_ORDER_8, _P - _OF_ORDER_8})
# The entry of fate:secrets that holds the private part.
SECRET = "identity"  # noqa: S105 - a name


def new_identity() -> str:
    """A new private key, as unencrypted PKCS#8 PEM."""
    return private_pem(Ed25519PrivateKey.generate())


def load_identity(pem: str) -> Ed25519PrivateKey:
    """The private key of a PEM text. ValueError, without any of the text, for anything but an Ed25519 key."""
    key = read_private_key(pem)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("is not an Ed25519 key")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """What people compare: `SHA256:` and the base64 of the digest of the public key (DER, SubjectPublicKeyInfo).

    The same as `openssl pkey -pubout -outform DER | openssl dgst -sha256 -binary | base64`, without the padding.
    """
    return f"SHA256:{base64.b64encode(hashlib.sha256(public_der(key)).digest()).decode().rstrip('=')}"


def is_sound(key: bytes) -> bool:
    """Whether 32 bytes are a public key that somebody made: written in the one way there is, and not of small order.

    With a key of small order a signature fits that nobody made: RFC 8032 leaves that to the reader, and `cryptography` takes such keys.
    """
    y = int.from_bytes(key, "little") & _Y
    return y < _P and y not in _OF_SMALL_ORDER
