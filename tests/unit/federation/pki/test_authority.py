"""A party's CA and what it issues: limited to the party's own names, the same each time, renewed in time; real handshakes."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from federation.peers.descriptor import Trust, typed
from federation.pki.authority import EVERY_ADDRESS, Period, authority_certificate, ends_on, issue, leaf_period, signs_for
from federation.pki.authority_form import accepted_authorities, authority_problems, day_problems, excludes_addresses, form_problems
from tests.support.trust import CN, ORG, constraints, made, named, of, usage

DOMAIN = "fraud.example"
TODAY = datetime.now(UTC).date()
NOW = Period(TODAY - timedelta(days=1), TODAY + timedelta(days=30), TODAY + timedelta(days=20))


def pem(key: Any) -> str:
    """A private key."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(*form).decode())


@cache
def ca_key(party: str) -> str:
    """The key of a party's CA."""
    return pem(ec.generate_private_key(ec.SECP256R1()))


@cache
def ca(party: str) -> str:
    """The CA of a party, made today."""
    return authority_certificate(ca_key(party), party=party, domain=DOMAIN, today=TODAY, years=5)


@cache
def server_key() -> str:
    """A server's key."""
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def leaf(signer: str, *names: str, party: str | None = None, period: Period = NOW) -> str:
    """A certificate that the CA of a party issues, for whatever it is told."""
    return issue(ca(signer), ca_key(signer), server_key(), party=party or signer, names=names, period=period)


def test_a_ca_of_ours_is_accepted_for_its_own_party_only() -> None:
    assert authority_problems(ca("9999"), "9999", DOMAIN) == ()
    for party, domain in (("10000", DOMAIN), ("999", DOMAIN), ("9999", "other.example"), ("9999", "example")):
        assert any("name constraints" in problem for problem in authority_problems(ca("9999"), party, domain)), (party, domain)


def altered(*changes: tuple[int, int]) -> str:
    """The CA of 9999 with other bytes."""
    der = bytearray(x509.load_pem_x509_certificate(ca("9999").encode()).public_bytes(serialization.Encoding.DER))
    for at, value in changes:
        der[at % len(der)] = value
    return ssl.DER_cert_to_PEM_cert(bytes(der))


def test_a_certificate_of_a_version_that_does_not_exist_is_no_certificate() -> None:
    """The library has an exception of its own for it, which is no ValueError."""
    der = x509.load_pem_x509_certificate(ca("9999").encode()).public_bytes(serialization.Encoding.DER)
    at = der.index(bytes([0xA0, 3, 2, 1, 2])) + 4
    with pytest.raises(ValidationError, match="is not one PEM certificate"):
        Trust.model_validate({"authorities": [altered((at, 7))]})
    assert authority_problems(altered((at, 7)), "9999", DOMAIN)[0].startswith("cannot be read")


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=3))
def test_whatever_bytes_are_sent_as_a_ca_they_are_refused_in_words(changes: list[tuple[int, int]]) -> None:
    text = altered(*changes)
    found = typed({"authorities": [text]}, Trust, "here")
    assert isinstance(found, Trust) or "PEM certificate" in found[0].problem
    assert text == ca("9999") or authority_problems(text, "9999", DOMAIN)


def test_a_certificate_far_larger_than_a_ca_is_refused() -> None:
    """All peers' CAs share one Secret."""
    large = made(extra=(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"x" * 8000), False))
    with pytest.raises(ValidationError, match="is larger than 8192 bytes"):
        Trust.model_validate({"authorities": [large]})


def test_a_ca_has_path_length_0_and_critical_constraints() -> None:
    found = x509.load_pem_x509_certificate(ca("9999").encode())
    basic = found.extensions.get_extension_for_class(x509.BasicConstraints)
    names = found.extensions.get_extension_for_class(x509.NameConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length, names.critical) == (True, True, 0, True)
    permitted = [
        name.value if isinstance(name, x509.DNSName) else name.value.rfc4514_string() for name in names.value.permitted_subtrees or ()
    ]
    assert permitted == ["9999.fraud.example", "O=9999"]
    assert (found.not_valid_after_utc - found.not_valid_before_utc).days in range(5 * 365, 5 * 366 + 3)


OWN = x509.DNSName("9999.fraud.example")
NOT_ACCEPTED: dict[str, tuple[Callable[[], str], str]] = {
    "no constraints": (lambda: made(names=None), "name constraints"),
    "constraints that readers may ignore": (lambda: made(names=(constraints(OWN, of("9999"))[0], False)), "name constraints"),
    "only the names of servers": (lambda: made(names=constraints(OWN)), "name constraints"),
    "only the subject": (lambda: made(names=constraints(of("9999"))), "name constraints"),
    "the whole domain": (lambda: made(names=constraints(x509.DNSName(DOMAIN), of("9999"))), "name constraints"),
    "every name": (lambda: made(names=constraints(x509.DNSName(""), of("9999"))), "name constraints"),
    "below the name only": (lambda: made(names=constraints(x509.DNSName(".9999.fraud.example"), of("9999"))), "name constraints"),
    "another party too": (lambda: made(names=constraints(OWN, of("9999"), x509.DNSName("10000.fraud.example"))), "name constraints"),
    "another subject too": (lambda: made(names=constraints(OWN, of("9999"), of("10000"))), "name constraints"),
    "a name taken out": (lambda: made(names=constraints(OWN, of("9999"), excluded=[x509.DNSName("a.b")])), "name constraints"),
    "a CA that makes CAs": (lambda: made(basic=(x509.BasicConstraints(ca=True, path_length=1), True)), "path length 0"),
    "a CA without a limit": (lambda: made(basic=(x509.BasicConstraints(ca=True, path_length=None), True)), "path length 0"),
    "a limit that readers may ignore": (lambda: made(basic=(x509.BasicConstraints(ca=True, path_length=0), False)), "path length 0"),
    "no CA": (lambda: made(basic=(x509.BasicConstraints(ca=False, path_length=None), True)), "path length 0"),
    "no usage": (lambda: made(usage=None), "may not sign certificates"),
    "another party's subject": (
        lambda: made(subject=x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "10000")])), "its subject is not O=9999"
    ),
    "no subject": (lambda: made(subject=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")])), "its subject is not O=9999"),
    "signed by somebody else": (lambda: made(signer=ec.generate_private_key(ec.SECP256R1())), "is not self-signed"),
    "a short key": (lambda: made(key=rsa.generate_private_key(public_exponent=65537, key_size=1024)), "its key is neither"),
    "an unusual curve": (lambda: made(key=ec.generate_private_key(ec.SECP256K1())), "its key is neither"),
    "an unknown critical extension": (
        lambda: made(extra=(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)),
        "has unknown critical extensions: 1.2.3.4"
    ),
    "a server's certificate": (lambda: leaf("9999", "9999.fraud.example"), "path length 0"),
    "no certificate": (lambda: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_ACCEPTED)
def test_an_importer_refuses_any_other_ca(name: str) -> None:
    build, expected = NOT_ACCEPTED[name]
    assert any(expected in problem for problem in authority_problems(build(), "9999", DOMAIN))


def test_a_ca_of_another_program_with_the_same_limits_is_accepted() -> None:
    assert authority_problems(made(), "9999", DOMAIN) == ()
    assert authority_problems(made(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)), "9999", DOMAIN) == ()
    for right in (made(), made(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)), ca("9999")):
        assert form_problems(right, "9999") == ()


FOREIGN_NAME = x509.SubjectAlternativeName([x509.DNSName("10000.fraud.example")])
NOBODYS = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
URL = [x509.UniformResourceIdentifier("http://shop-c.example/ca")]
# As CAs of other programs are, or an attacker's: within the limits of names, and more than a CA, or less.
NOT_AS_MADE: dict[str, tuple[Callable[[], str], str]] = {
    "another party's name": (lambda: made(extra=(FOREIGN_NAME, False)), "does not have: subjectAltName"),
    "a server's usage": (lambda: made(extra=(x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH]), False)), "extendedKeyUsage (2.5.29.37)"),
    "where to ask": (
        lambda: made(extra=(x509.AuthorityInformationAccess([x509.AccessDescription(x509.OID_OCSP, URL[0])]), False)), "authorityInfoAccess"
    ),
    "where revocations are": (
        lambda: made(extra=(x509.CRLDistributionPoints([x509.DistributionPoint(URL, None, None, None)]), False)), "cRLDistributionPoints"
    ),
    "an extension of nobody": (lambda: made(extra=(NOBODYS, False)), "1.2.3.4"),
    "signs handshakes": (lambda: made(usage=usage(digital_signature=True)), "its key usage is not exactly keyCertSign and cRLSign"),
    "takes keys": (lambda: made(usage=usage(key_encipherment=True)), "its key usage is not exactly keyCertSign and cRLSign"),
    "signs no revocations": (lambda: made(usage=usage(crl_sign=False)), "its key usage is not exactly keyCertSign and cRLSign"),
    "a host as common name": (lambda: made(subject=named((ORG, "9999"), (CN, "10000.fraud.example"))), "example' is a host name"),
    "a wildcard as common name": (lambda: made(subject=named((ORG, "9999"), (CN, "*.Fraud.example"))), "is a host name"),
    "an address as common name": (lambda: made(subject=named((ORG, "9999"), (CN, "203.0.113.20"))), "is a host name"),
    "a line of the terminal": (lambda: made(subject=named((ORG, "9999"), (CN, "CA\naccepted"))), "cannot be printed"),
    "no common name": (lambda: made(subject=named((ORG, "9999"))), "its subject is not O=9999, CN=..., and nothing else"),
    "two common names": (lambda: made(subject=named((ORG, "9999"), (CN, "CA"), (CN, "10000.fraud.example"))), "its subject is not O=9999"),
    "another order": (lambda: made(subject=named((CN, "CA"), (ORG, "9999"))), "its subject is not O=9999"),
    "a country": (lambda: made(subject=named((x509.NameOID.COUNTRY_NAME, "DE"), (ORG, "9999"), (CN, "CA"))), "its subject is not O=9999"),
    "for four centuries": (lambda: made(days=400 * 365), "is valid for more than 20 years"),
    "a tiny exponent": (lambda: made(key=rsa.generate_private_key(public_exponent=3, key_size=2048)), "has an exponent below 65537"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_AS_MADE)
def test_a_newcomers_ca_is_just_what_trust_init_makes(name: str) -> None:
    build, expected = NOT_AS_MADE[name]
    assert authority_problems(text := build(), "9999", DOMAIN) == (), "its limits are right"
    assert any(expected in problem for problem in form_problems(text, "9999")), form_problems(text, "9999")


def test_a_provided_ca_that_readers_would_refuse_is_not_published() -> None:
    assert accepted_authorities(made(), "9999", DOMAIN)
    assert accepted_authorities(made(extra=(FOREIGN_NAME, False)), "9999", DOMAIN) == ()


def test_a_ca_may_exclude_every_address_or_none_and_ours_excludes_them() -> None:
    """Those that were made before excluded none, and last for five years."""
    four, six = EVERY_ADDRESS
    both, none = (made(names=constraints(OWN, of("9999"), excluded=excluded)) for excluded in ([four, six], None))
    assert [authority_problems(each, "9999", DOMAIN) for each in (both, none)] == [(), ()]
    assert [excludes_addresses(each) for each in (ca("9999"), both, none)] == [True, True, False]
    for odd in ([four], [six], [x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))], [four, six, x509.DNSName("a.b")]):
        assert "name constraints" in authority_problems(made(names=constraints(OWN, of("9999"), excluded=odd)), "9999", DOMAIN)[0]


@pytest.mark.parametrize(
    ("days", "expected"), [((-9, 9), ()), ((1, 9), ()), ((2, 9), ("is not valid before",)), ((-9, 0), ()), ((-9, -1), ("ended on",))]
)
def test_the_days_of_a_ca_count_with_a_day_for_other_clocks(days: tuple[int, int], expected: tuple[str, ...]) -> None:
    begins, ends = (datetime.now(UTC) + timedelta(days=number) for number in days)
    found = day_problems(made(begins=begins, days=(ends - begins).days), datetime.now(UTC).date())
    assert len(found) == len(expected)
    assert all(start in problem for start, problem in zip(expected, found, strict=True))


def test_the_same_day_makes_the_same_certificate() -> None:
    assert leaf("9999", "9999.fraud.example") == leaf("9999", "9999.fraud.example")
    later = Period(NOW.begins, NOW.ends + timedelta(days=1), NOW.renews)
    found = {leaf("9999", "9999.fraud.example"), leaf("9999", "a.9999.fraud.example"), leaf("9999", "9999.fraud.example", period=later)}
    assert len(found) == 3
    assert len({x509.load_pem_x509_certificate(text.encode()).serial_number for text in found}) == 3


def test_only_the_key_of_a_ca_signs_for_it() -> None:
    signs_for(ca("9999"), ca_key("9999"))
    for wrong in (ca_key("10000"), server_key(), "x", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(ValueError, match="is not") as raised:
            signs_for(ca("9999"), wrong)
        assert "MIIE" not in str(raised.value)


START = date(2026, 11, 21)


@cache
def ca_of_2026() -> str:
    """A CA that begins on a known day, for five years."""
    return authority_certificate(ca_key("9999"), party="9999", domain=DOMAIN, today=START + timedelta(days=1), years=5)


@pytest.mark.parametrize(
    ("today", "begins", "ends", "renews"),
    [
        ("2026-11-22", "2026-11-21", "2027-11-21", "2027-10-22"),
        ("2027-10-21", "2026-11-21", "2027-11-21", "2027-10-22"),
        ("2027-10-22", "2027-10-21", "2028-10-21", "2028-09-21"),
        ("2020-01-01", "2026-11-21", "2027-11-21", "2027-10-22"),
        ("2031-11-20", "2031-06-22", "2031-11-21", "2031-11-21"),
        ("2099-01-01", "2031-06-22", "2031-11-21", "2031-11-21"),
    ],
)
def test_a_certificate_is_renewed_before_it_ends_and_none_outlives_its_ca(today: str, begins: str, ends: str, renews: str) -> None:
    period = leaf_period(ca_of_2026(), date.fromisoformat(today), 365, 30)
    assert tuple(day.isoformat() for day in (period.begins, period.ends, period.renews)) == (begins, ends, renews)
    assert ends_on(issue(ca_of_2026(), ca_key("9999"), server_key(), party="9999", names=["x"], period=period)) == period.ends


@given(st.dates(START, date(2031, 11, 21)), st.integers(2, 825), st.data())
@settings(max_examples=200, deadline=None)
def test_on_each_day_the_certificate_that_is_due_is_valid(today: date, days: int, data: st.DataObject) -> None:
    """And stays so: nothing changes until the day on which it is renewed, when it is still valid."""
    renew = data.draw(st.integers(1, days - 1))
    period = leaf_period(ca_of_2026(), today, days, renew)
    assert START <= period.begins <= today <= period.ends
    assert period.renews <= period.ends
    assert today < period.renews or period.renews == period.ends == ends_on(ca_of_2026())
    before_renewal = data.draw(st.dates(today, max(today, period.renews - timedelta(days=1))))
    assert leaf_period(ca_of_2026(), before_renewal, days, renew) == period


def handshake(server: str, trusted: str, name: str, folder: Path, key: str = "") -> str:
    """A real TLS connection to a server with this certificate by a client that trusts these CAs and dials this name: `ok`, or why not."""
    for file, text in (("cert.pem", server), ("key.pem", key or server_key()), ("ca.pem", trusted)):
        (folder / file).write_text(text)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(theirs, server_side=True) as tls:
                tls.sendall(b"hello")
        except (ssl.SSLError, OSError):
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        with client.wrap_socket(ours, server_hostname=name) as tls:
            return "ok" if tls.recv(5) == b"hello" else "no answer"
    except ssl.SSLError as error:
        return str(error)
    finally:
        ours.close()
        thread.join(10)


def test_the_right_name_is_accepted_also_among_many_cas(tmp_path: Path) -> None:
    bundle = ca("10000") + ca("9999") + ca("10001")
    assert handshake(leaf("9999", "9999.fraud.example"), bundle, "9999.fraud.example", tmp_path) == "ok"
    assert handshake(leaf("10000", "10000.fraud.example"), bundle, "10000.fraud.example", tmp_path) == "ok"


@pytest.mark.parametrize(
    ("server", "dialled", "expected"),
    [
        (lambda: leaf("9999", "9999.fraud.example"), "10000.fraud.example", "Hostname mismatch"),
        (lambda: leaf("10000", "9999.fraud.example"), "9999.fraud.example", "permitted subtree violation"),
        (lambda: leaf("10000", "9999.fraud.example", party="9999"), "9999.fraud.example", "permitted subtree violation"),
        (lambda: leaf("10000", "10000.fraud.example", party="9999"), "10000.fraud.example", "permitted subtree violation"),
        (lambda: leaf("4711", "4711.fraud.example"), "4711.fraud.example", "unable to get local issuer certificate"),
        (
            lambda: leaf("9999", "9999.fraud.example", period=Period(TODAY - timedelta(days=9), TODAY - timedelta(days=5), TODAY)),
            "9999.fraud.example",
            "certificate has expired",
        ),
        (
            lambda: leaf("9999", "9999.fraud.example", period=Period(TODAY + timedelta(days=5), TODAY + timedelta(days=9), TODAY)),
            "9999.fraud.example",
            "not yet valid",
        ),
    ],
    ids=["another name", "another CA's name", "another CA's name and subject", "another subject", "a foreign CA", "expired", "too early"],
)
def test_anything_else_is_refused_in_a_real_handshake(server: Callable[[], str], dialled: str, expected: str, tmp_path: Path) -> None:
    assert expected in handshake(server(), ca("9999") + ca("10000"), dialled, tmp_path)


def test_a_ca_without_limits_would_be_trusted_for_every_name(tmp_path: Path) -> None:
    """Why an importer refuses one: beside it, limits of the others are worth nothing."""
    key = ec.generate_private_key(ec.SECP256R1())
    free = made(key=key, names=None)
    forged = issue(free, pem(key), server_key(), party="10000", names=["10000.fraud.example"], period=NOW)
    assert handshake(forged, ca("10000") + free, "10000.fraud.example", tmp_path) == "ok"


def test_a_ca_shown_as_a_servers_certificate_has_no_issuer_whose_limits_count(tmp_path: Path) -> None:
    """Why an importer refuses more than the limits: OpenSSL trusts it for the name of 10000."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    disguised = made(key=key, usage=usage(digital_signature=True), extra=(FOREIGN_NAME, False))
    assert handshake(disguised, ca("10000") + disguised, "10000.fraud.example", tmp_path, pem(key)) == "ok"
    assert authority_problems(disguised, "9999", DOMAIN) == ()
    assert len(form_problems(disguised, "9999")) == 2


def test_a_ca_signs_no_address(tmp_path: Path) -> None:
    """Names alone would leave addresses free: proxies that dial one would take the certificate of any accepted party."""
    key = ec.generate_private_key(ec.SECP256R1())
    free = made(key=key)
    for authority, signer, said in ((ca("9999"), ca_key("9999"), "excluded subtree violation"), (free, pem(key), "ok")):
        text = with_address(authority, signer)
        assert said in handshake(text, authority, "203.0.113.20", tmp_path), said


def with_address(authority: str, signer: str) -> str:
    """A leaf certificate of party 9999 for an IP address."""
    issuer, private = x509.load_pem_x509_certificate(authority.encode()), serialization.load_pem_private_key(signer.encode(), None)
    public = serialization.load_pem_private_key(server_key().encode(), None).public_key()
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("203.0.113.20"))])
    begins = datetime.now(UTC) - timedelta(hours=1)
    builder = x509.CertificateBuilder(issuer.subject, named((ORG, "9999"), (CN, "x")), public, 8, begins, begins + timedelta(days=2))  # type: ignore[arg-type]
    leaf = builder.add_extension(names, critical=False).sign(private, hashes.SHA256())  # type: ignore[arg-type]
    return leaf.public_bytes(serialization.Encoding.PEM).decode()


def test_one_ca_below_another_is_refused(tmp_path: Path) -> None:
    """Path length 0: a CA that was signed by a party's CA signs nothing that anybody believes."""
    below = ec.generate_private_key(ec.SECP256R1())
    root = x509.load_pem_x509_certificate(ca("9999").encode())
    signer = serialization.load_pem_private_key(ca_key("9999").encode(), None)
    intermediate = made(key=below, signer=signer, issuer=root.subject, names=None)
    forged = issue(intermediate, pem(below), server_key(), party="9999", names=["9999.fraud.example"], period=NOW)
    assert "path length constraint exceeded" in handshake(forged + intermediate, ca("9999"), "9999.fraud.example", tmp_path)
