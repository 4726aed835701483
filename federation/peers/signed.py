"""The signed descriptor: JWS, flattened JSON (RFC 7515), EdDSA with Ed25519 (RFC 8037).

The payload is a Statement; the protected header carries the public key, so that a file is whole by itself. A signature
that fits proves that the file is as its signer made it. Who the signer is, people tell by the key's fingerprint:
`federation.peers.accepted` compares it with the accepted one.
"""

import base64
import binascii
import json
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey
from pydantic import Field, model_validator

from federation.base.errors import Problem
from federation.base.json_document import ASK, Problems, read_json
from federation.base.model import Model
from federation.base.scalars import Day, Serial
from federation.peers.descriptor import Descriptor, typed
from federation.pki.identity import fingerprint, is_sound, load_identity

# RFC 9864 prefers the name Ed25519 for what this is; EdDSA is the name that every JWS library reads.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)
ALGORITHM, TYPE = "EdDSA", "fate-descriptor+json"


class Statement(Model):
    """What is signed: a descriptor, its serial number, and the days on which it may be accepted."""

    serial: Serial = Field(description="Grows with every export; peers refuse an older one than they accepted.")
    not_before: Day = Field(description="First day (UTC) on which it may be accepted.")
    not_after: Day = Field(description="Last day (UTC) on which it may be accepted; peers that accepted it before keep it, with a warning.")
    descriptor: Descriptor

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.not_after < self.not_before:
            raise ValueError("ends before it begins: notAfter is before notBefore")
        return self


class PublicKey(Model):
    """An Ed25519 public key as a JSON Web Key (RFC 8037): no other kind, and no private part."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str = Field(description="The 32 bytes of the key, base64url.")


class Header(Model):
    """The protected header: exactly this, so that no other algorithm, key or extension is ever looked at."""

    alg: Literal["EdDSA"]
    typ: Literal["fate-descriptor+json"]
    jwk: PublicKey


class Envelope(Model):
    """The file: JWS in flattened JSON."""

    payload: str = Field(description="The Statement as JSON, base64url.")
    protected: str = Field(description="The Header as JSON, base64url.")
    signature: str = Field(description="Over `<protected>.<payload>`, base64url.")


@dataclass(frozen=True)
class Signature:
    """The fingerprint of a descriptor's signer, and the fields of its statement."""

    key: str
    serial: int
    not_before: str
    not_after: str


@dataclass(frozen=True)
class Received:
    """A descriptor file that can be read; a signature fits, or there is none."""

    content: bytes
    descriptor: Descriptor
    signature: Signature | None


def sign(descriptor: Descriptor, identity: str, serial: int, not_before: str, not_after: str) -> bytes:
    """The signed file. `identity`: the private key as PEM; ValueError, without any of it, when it is none."""
    private = load_identity(identity)
    statement = Statement(serial=serial, not_before=not_before, not_after=not_after, descriptor=descriptor)
    public = _base64url(private.public_key().public_bytes_raw())
    protected = {"alg": ALGORITHM, "typ": TYPE, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": public}}
    payload = json.dumps(statement.plain(), sort_keys=True, separators=(",", ":")).encode()
    made: dict[str, Any] = dict(jws.serialize_json({"protected": protected}, payload, OKPKey.import_key(private), [ALGORITHM]))
    return (json.dumps(made, indent=2, sort_keys=True) + "\n").encode()


# One command reads a file more than once: its signature is checked once. Whose key it must be is asked each time, in federation.peers.
@lru_cache(maxsize=4096)
def receive(content: bytes, place: str) -> Received | Problems:
    """The content of a descriptor file, or all its problems. Never raises."""
    data = read_json(content, place)
    if isinstance(data, tuple):
        return data
    if "payload" not in data:
        body = typed(data, Descriptor, place)
        return Received(content, body, None) if isinstance(body, Descriptor) else body
    envelope = typed(data, Envelope, place)
    return _opened(content, envelope, place) if isinstance(envelope, Envelope) else envelope


def _opened(content: bytes, envelope: Envelope, place: str) -> Received | Problems:
    parts = [_bytes(part) for part in (envelope.protected, envelope.payload, envelope.signature)]
    head, payload, _ = parts
    if head is None or payload is None or None in parts:
        return (Problem(place, "its parts are not base64url", ASK),)
    header = read_json(head, f"{place} protected")
    parsed_header = header if isinstance(header, tuple) else typed(header, Header, f"{place} protected")
    if isinstance(parsed_header, tuple):
        return parsed_header
    key = _key(parsed_header.jwk)
    if key is None:
        return (Problem(f"{place} protected jwk.x", "is not an Ed25519 public key", ASK),)
    if not is_sound(key.public_bytes_raw()):
        remedy = "do not use it: ask the peer to sign with a key from `fatefed identity create`"
        return (Problem(f"{place} protected jwk.x", "is a weak key: anyone can sign with it", remedy),)
    if not _fits(envelope, key):
        remedy = "do not use it: someone changed it after it was signed; ask the peer to send it again"
        return (Problem(place, "the signature does not match the file", remedy),)
    data = read_json(payload, place)
    statement = data if isinstance(data, tuple) else typed(data, Statement, place)
    if isinstance(statement, tuple):
        return statement
    signed = Signature(fingerprint(key), statement.serial, statement.not_before, statement.not_after)
    return Received(content, statement.descriptor, signed)


def _fits(envelope: Envelope, key: Ed25519PublicKey) -> bool:
    try:
        jws.deserialize_json(
            {"payload": envelope.payload, "protected": envelope.protected, "signature": envelope.signature},
            OKPKey.import_key(key),
            [ALGORITHM],
        )
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _key(jwk: PublicKey) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(_bytes(jwk.x) or b"")
    except ValueError:
        return None


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes | None:
    """Strict base64url without padding: one text for each content."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    return data if _base64url(data) == text else None
