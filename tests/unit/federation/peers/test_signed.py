"""The signed file: what fits is read, what was changed is not, and no bytes whatever do more than give clear problems."""

import base64
import json
import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.base.json_document import MAX_BYTES, MAX_PROBLEMS
from federation.peers.descriptor import Descriptor
from federation.peers.signed import Received, receive, sign
from federation.pki.identity import fingerprint, load_identity, new_identity
from tests.support.configs import CLINIC, ROLLSITE_CLINIC, exchange_descriptor, identity_of, key_of, signed_file
from tests.support.stacks import REPO

SIGNED = signed_file(CLINIC)
BODIES = st.sampled_from([CLINIC, ROLLSITE_CLINIC, exchange_descriptor()])


def encoded(data: Any) -> str:
    """A part of an envelope."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(part: str) -> Any:
    """The JSON in a part."""
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed_by_hand(payload: Any, header: dict[str, Any] | None = None, organization: str = "clinic-b") -> bytes:
    """An envelope whose signature fits, whatever it holds."""
    key = load_identity(identity_of(organization))
    public = encoded(key.public_key().public_bytes_raw())
    head = {"alg": "EdDSA", "typ": "fate-descriptor+json", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": public}} | (header or {})
    parts = {"protected": encoded(head), "payload": encoded(payload)}
    signature = key.sign(f"{parts['protected']}.{parts['payload']}".encode())
    return json.dumps({**parts, "signature": encoded(signature)}).encode()


def statement(**changes: Any) -> dict[str, Any]:
    """What clinic-b signs."""
    return {"serial": 3, "notBefore": "2026-01-01", "notAfter": "2027-01-01", "descriptor": CLINIC.plain()} | changes


def test_a_signature_is_checked_once_for_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A review resolves all peers several times; another file, or the same at another place, is read anew."""
    checked = []
    monkeypatch.setattr("federation.peers.signed._fits", lambda envelope, key: checked.append(envelope) or True)
    content, other = signed_file(CLINIC, serial=77), signed_file(CLINIC, serial=78)
    first = receive(content, "once.json")
    assert receive(bytes(bytearray(content)), "once.json") is first
    assert len(checked) == 1
    assert isinstance(found := receive(other, "once.json"), Received)
    assert (found.content, len(checked)) == (other, 2)


def problem(content: bytes) -> str:
    """Why a file is refused."""
    found = receive(content, "d.json")
    assert isinstance(found, tuple), found
    assert 1 <= len(found) <= MAX_PROBLEMS
    assert all(one.place.startswith("d.json") and one.problem and one.remedy for one in found)
    return "\n".join(str(one) for one in found)


P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def x_squared(y: int) -> int:
    """From the equation of the curve (RFC 8032, section 5.1)."""
    return (y * y - 1) * pow(D * y * y + 1, -1, P) % P


def times_eight(y: int) -> int:
    """y of eight times a point."""
    for _ in range(3):
        y = (y * y + x_squared(y)) * pow(1 - D * x_squared(y) * y * y, -1, P) % P
    return y


def small_order() -> set[int]:
    """y of every point of small order: of the neutral element, and of what halving it gives."""
    # y = 0 is of order 4; halved: x^2 = -y^2, so that d y^4 + 2 y^2 - 1 = 0.
    root = pow(1 + D, (P + 3) // 8, P)
    root = root if root * root % P == (1 + D) % P else root * pow(2, (P - 1) // 4, P) % P
    squares = [(-1 + sign * root) * pow(D, -1, P) % P for sign in (1, -1)]
    halves = [pow(square, (P + 3) // 8, P) for square in squares]
    halves += [half * pow(2, (P - 1) // 4, P) % P for half in halves]
    found = {0, 1, P - 1} | {sign * half % P for half in halves for sign in (1, -1) if half * half % P in squares}
    assert len(found) == 5
    assert all(times_eight(y) == 1 for y in found)
    return found


NOBODYS_KEYS = [(y | sign << 255).to_bytes(32, "little") for y in sorted(small_order()) for sign in (0, 1)]
# The same written in another way (RFC 8032 wants y below p), and a key that would be sound if it were written so.
ODD_KEYS = [(y | sign << 255).to_bytes(32, "little") for y in (P, P + 1, P + 3, 2**255 - 1) for sign in (0, 1)]


@pytest.mark.parametrize("key", [*NOBODYS_KEYS, *ODD_KEYS], ids=bytes.hex)
def test_a_key_with_which_anybody_can_sign_is_nobodys(key: bytes) -> None:
    """For some of them a signature fits that nobody made: R is the neutral element, S is 0."""
    head = {"alg": "EdDSA", "typ": "fate-descriptor+json", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": encoded(key)}}
    forged = {"protected": encoded(head), "payload": encoded(statement()), "signature": encoded(bytes([1, *bytes(63)]))}
    assert "is a weak key: anyone can sign with it" in problem(json.dumps(forged).encode())


def test_what_was_signed_is_read_again() -> None:
    found = receive(signed_file(CLINIC, serial=7, days=("2026-11-22", "2027-11-22")), "d.json")
    assert isinstance(found, Received)
    assert found.descriptor == CLINIC
    assert found.signature is not None
    assert (found.signature.key, found.signature.serial) == (key_of("clinic-b"), 7)
    assert (found.signature.not_before, found.signature.not_after) == ("2026-11-22", "2027-11-22")


def test_an_envelope_made_by_other_means_is_read() -> None:
    """The format is JWS, not what one library writes: here it is put together by hand."""
    found = receive(signed_by_hand(statement()), "d.json")
    assert isinstance(found, Received)
    assert found.descriptor == CLINIC


def test_the_file_is_flattened_jws_with_the_key_in_its_protected_header() -> None:
    envelope = json.loads(SIGNED)
    assert set(envelope) == {"payload", "protected", "signature"}
    header = decoded(envelope["protected"])
    assert (header["alg"], header["typ"], header["jwk"]["crv"], set(header["jwk"])) == (
        "EdDSA", "fate-descriptor+json", "Ed25519", {"kty", "crv", "x"},
    )  # fmt: skip
    assert decoded(envelope["payload"])["descriptor"] == CLINIC.plain()


def test_signing_is_deterministic() -> None:
    assert signed_file(CLINIC) == SIGNED
    assert signed_file(CLINIC, serial=2) != SIGNED


def test_a_file_without_envelope_is_read_as_unsigned() -> None:
    found = receive(CLINIC.text().encode(), "d.json")
    assert isinstance(found, Received)
    assert (found.descriptor, found.signature) == (CLINIC, None)


def test_every_changed_letter_of_a_signed_file_is_noticed() -> None:
    """Outside the white space: each letter of the three parts is covered by the signature, or makes it unreadable."""
    letters = [place for place, letter in enumerate(SIGNED) if letter not in b' \n{}":,']
    assert len(letters) > 1000
    for place in letters[:: len(letters) // 300]:
        changed = SIGNED[:place] + (b"A" if SIGNED[place : place + 1] != b"A" else b"B") + SIGNED[place + 1 :]
        assert isinstance(receive(changed, "d.json"), tuple), place


def test_another_bodys_payload_does_not_fit_the_signature() -> None:
    envelope = json.loads(SIGNED) | {"payload": json.loads(signed_file(exchange_descriptor()))["payload"]}
    assert "the signature does not match the file" in problem(json.dumps(envelope).encode())


def test_another_key_in_the_header_does_not_fit_the_signature() -> None:
    envelope = json.loads(SIGNED) | {"protected": json.loads(signed_file(CLINIC, signer="mallory"))["protected"]}
    assert "the signature does not match the file" in problem(json.dumps(envelope).encode())


WRONG_HEADERS: dict[str, dict[str, Any]] = {
    "no algorithm at all": {"alg": "none"},
    "a shared secret": {"alg": "HS256"},
    "another algorithm": {"alg": "ES256"},
    "another type": {"typ": "JWT"},
    "an extension": {"crit": ["b64"], "b64": False},
    "a key to fetch": {"jku": "https://mallory.example/key"},
    "a key by name": {"kid": "1"},
    "another curve": {"jwk": {"kty": "OKP", "crv": "X25519", "x": "A" * 43}},
    "a private key": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "d": "A" * 43}},
    "a key of another length": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
    "a key that is no base64url": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "+/" * 21}},
}


@pytest.mark.parametrize("header", WRONG_HEADERS.values(), ids=list(WRONG_HEADERS))
def test_only_ed25519_with_the_key_inside_is_looked_at(header: dict[str, Any]) -> None:
    assert "protected" in problem(signed_by_hand(statement(), header))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"not json", "not a whole JSON document"),
        ([], "not a JSON object"),
        (CLINIC.plain(), "unknown key"),
        (statement(serial=0), "serial"),
        (statement(serial=True), "serial"),
        (statement(serial=2**60), "serial"),
        (statement(serial="3"), "serial"),
        (statement(notAfter="2027-02-30"), "there is no day 2027-02-30"),
        (statement(notAfter="tomorrow"), "is not a day such as 2027-01-31"),
        (statement(notAfter=20270101), "notAfter"),
        (statement(notBefore="2026-01-01T00:00:00Z"), "is not a day such as 2027-01-31"),
        (statement(notBefore="2027-01-02"), "ends before it begins"),
        (statement(secretKey="x"), "looks like a secret"),
        (statement(descriptor=CLINIC.plain() | {"schemaVersion": 3}), "descriptor.schemaVersion"),
    ],
    ids=str,
)
def test_a_signature_does_not_make_a_wrong_statement_right(payload: Any, expected: str) -> None:
    assert expected in problem(signed_by_hand(payload))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"signature": None}, "signature"),
        ({"header": {"alg": "none"}}, "unknown key 'header'"),
        ({"signatures": []}, "unknown key 'signatures'"),
        ({"payload": "e30="}, "not base64url"),
        ({"payload": "e31"}, "not base64url"),
        ({"protected": "é"}, "not base64url"),
        ({"protected": "e30"}, "protected alg: alg is missing"),
        ({"signature": "AAAA"}, "the signature does not match the file"),
        ({"signature": ""}, "the signature does not match the file"),
    ],
    ids=str,
)
def test_an_envelope_is_whole_and_has_nothing_else(change: dict[str, Any], expected: str) -> None:
    envelope = {key: value for key, value in (json.loads(SIGNED) | change).items() if value is not None}
    assert expected in problem(json.dumps(envelope).encode())


def test_a_key_written_twice_is_refused() -> None:
    """One reader would take the first, another the last."""
    assert "a key is written twice" in problem(CLINIC.text().replace('"kind":', '"kind": "exchange", "kind":').encode())


@pytest.mark.parametrize("text", ["\ud800", "\x1b[2J", "\u202e", "\x00"])
def test_what_cannot_be_printed_is_refused_and_not_repeated(text: str) -> None:
    for plain in (CLINIC.plain() | {"organization": text}, CLINIC.plain() | {text: 1}):
        found = problem(json.dumps(plain).encode())
        assert "cannot be printed" in found
        assert text not in found


BOMBS = {
    "100 MB": b" " * 100_000_000,
    "100 MB of brackets": b"[" * 100_000_000,
    "brackets": b"[" * MAX_BYTES,
    "objects in objects": b'{"a":' * (MAX_BYTES // 5),
    "a long number": b"1" * MAX_BYTES,
    "a long text": json.dumps({"organization": "a" * (MAX_BYTES - 100)}).encode(),
    "unknown keys": json.dumps({f"k{number}": 1 for number in range(20_000)}).encode(),
    "keys like secrets": json.dumps({f"token{number}": 1 for number in range(15_000)}).encode(),
    "a long key": json.dumps({"k" * (MAX_BYTES - 100): 1}).encode(),
    "addresses": json.dumps(CLINIC.plain() | {"endpoints": {f"e{n}": {"host": "h"} for n in range(9000)}}).encode(),
    "not UTF-8": b"\xff\xfe" + b"\x00{" * 1000,
    "half a character": CLINIC.text().encode()[:-2] + b"\xc3",
}  # fmt: skip


@pytest.mark.parametrize("content", BOMBS.values(), ids=list(BOMBS))
def test_a_bomb_gives_a_short_problem(content: bytes) -> None:
    """At once: whatever work grew faster than the file would show here as minutes."""
    assert len(problem(content)) < 30_000


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_descriptor_or_give_problems(content: bytes) -> None:
    found = receive(content, "d.json")
    assert isinstance(found, tuple)
    assert found
    "".join(str(one) for one in found).encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["payload", "descriptor", "9999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(BODIES, st.data())
@settings(max_examples=300, deadline=None)
def test_any_change_of_a_descriptor_is_a_descriptor_or_gives_problems(descriptor: Descriptor, data: st.DataObject) -> None:
    """One value anywhere in a right body becomes anything that JSON can hold, in a file without and with a fitting signature."""
    body: Any = descriptor.plain()
    node, path = body, []
    while isinstance(node, dict | list) and node and data.draw(st.booleans()):
        path.append(data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node)))))
        node = node[path[-1]]
    value = data.draw(JSON)
    if path:
        target = body
        for part in path[:-1]:
            target = target[part]
        target[path[-1]] = value
    for content in (json.dumps(body).encode(), signed_by_hand(statement(descriptor=body))):
        found = receive(content, "d.json")
        if isinstance(found, Received):
            assert isinstance(receive(found.descriptor.text().encode(), "again"), Received)
        else:
            assert all(str(one).encode() for one in found)
            assert 1 <= len(found) <= MAX_PROBLEMS


@given(BODIES, st.integers(1, 2**53 - 1), st.dates())
@settings(max_examples=50, deadline=None)
def test_whatever_is_signed_is_read_again(descriptor: Descriptor, serial: int, day: Any) -> None:
    found = receive(sign(descriptor, identity_of("x"), serial, day.isoformat(), day.isoformat()), "d.json")
    assert isinstance(found, Received)
    assert found.signature is not None
    assert (found.descriptor, found.signature.serial, found.signature.not_after) == (descriptor, serial, day.isoformat())


def test_the_published_schema_fits_what_is_written_and_nothing_more() -> None:
    schema = json.loads((REPO / "docs/reference/descriptor.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    file = jsonschema.Draft7Validator(schema)
    envelope = json.loads(SIGNED)
    for right in (envelope, CLINIC.plain(), exchange_descriptor().plain()):
        file.validate(right)
        assert not file.is_valid(right | {"extra": 1})
    for part, name in (("payload", "Statement"), ("protected", "Header")):
        inside = jsonschema.Draft7Validator({**schema, "anyOf": [{"$ref": f"#/$defs/{name}"}]})
        inside.validate(decoded(envelope[part]))
        assert not inside.is_valid(decoded(envelope[part]) | {"extra": 1})


def test_the_page_about_the_descriptor_names_every_field() -> None:
    page = (REPO / "docs/reference/descriptor.md").read_text()
    schema = json.loads((REPO / "docs/reference/descriptor.schema.json").read_text())
    fields = {name for model in schema["$defs"].values() for name in model.get("properties", {})}
    assert len(fields) > 20
    assert sorted(name for name in fields if not re.search(rf"[`.]{name}\b", page)) == []


def test_a_fingerprint_is_of_the_public_key_and_differs_between_keys() -> None:
    one, other = (load_identity(new_identity()).public_key() for _ in range(2))
    assert fingerprint(one) == fingerprint(one) != fingerprint(other)
    assert len(fingerprint(one)) == len("SHA256:") + 43


def test_a_fingerprint_can_be_computed_with_openssl() -> None:
    """`openssl pkey -pubout -outform DER | openssl dgst -sha256 -binary | base64` of a fixed key."""
    assert key_of("clinic-b") == "SHA256:pYjDnWmr5cstKhp/pvsiW6g5jOKWKBUaAWnFoFf8nI0"


@pytest.mark.parametrize("pem", ["", "x", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_signs_nothing_and_is_not_repeated(pem: str) -> None:
    with pytest.raises(ValueError, match="is not an unencrypted PEM private key") as raised:
        sign(CLINIC, pem, 1, "2026-01-01", "2027-01-01")
    assert "MIIE" not in str(raised.value)


def test_another_kind_of_key_signs_nothing() -> None:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    with pytest.raises(ValueError, match="is not an Ed25519 key"):
        sign(CLINIC, ec.generate_private_key(ec.SECP256R1()).private_bytes(*form).decode(), 1, "2026-01-01", "2027-01-01")
