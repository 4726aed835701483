"""What a TLS handshake with a peer's broker, directly or through an exchange, says: route, authority, name, days."""

import base64
from collections.abc import Iterator

from cryptography import x509

from cli.doctor.links.probe_result import Diagnosis, ProbeResult
from cli.doctor.rows import Row
from cli.tools.certificates import UnreadableError, read_certificate
from federation.base.naming import proxy_name
from federation.pki.certificates import dns_names, is_for, is_issued_by, read_certificates

_NO_TUNNEL: Diagnosis = (
    "the exchange has no SNI entry for {name}",
    "{hop}: accept the descriptor of party {party} (state active), then `pulumi up`; Traffic Server takes it some 15 s later",
)
# By the probe's reason: of Traffic Server, which passes on by name, and of a broker.
_ROUTED: dict[str, Diagnosis] = {
    "handshake refused": _NO_TUNNEL,
    "closed": (
        "the exchange has an SNI entry for {name}, but nothing answers behind it",
        "{owner}: is Pulsar up at the published address, and does the firewall admit the exchange? {hop}: is its SNI entry up to date?",
    ),
    "no TLS": ("it does not speak TLS", "{hop}: publish Traffic Server's TLS port"),
}
_DIRECT: dict[str, Diagnosis] = {
    "handshake refused": ("the server refuses the handshake for {name}", "{owner}: has {endpoint} a certificate? its log says why"),
    "closed": ("the server closes the connection in the handshake", "{owner}: is that the TLS port of {endpoint}? its log says why"),
    "no TLS": ("it does not speak TLS", "{owner}: publish the TLS port of {endpoint} (Pulsar's is 6651, 6650 is plain)"),
}


def tls_rows(result: ProbeResult) -> Iterator[Row]:
    """The rows of a handshake."""
    target, routed = result.question.target, result.question.kind == "sni"
    check = f"{'SNI route' if routed else 'TLS'} of {target.server_name} at {result.where}"
    if result.reason:
        yield result.failed(check, (_ROUTED if routed else _DIRECT).get(result.reason, (result.reason, "{hop}: its log says why")))
        return
    try:
        certificate = read_certificate(base64.b64decode(result.answer["certificate"]))
    except UnreadableError as error:
        yield result.failed(
            check,
            (f"its certificate cannot be read: {error}", "{owner}: serve another one for {name}; {hop}: which other server has this name?"),
        )
        return
    if routed and not is_for(certificate, target.server_name) and proxy_name(result.domain) in dns_names(certificate):
        # KubeFATE's Traffic Server has a certificate of its own, for what it does not pass on.
        yield result.failed(check, _NO_TUNNEL)
        return
    yield result.ok(check)
    yield _authority(result, certificate)
    yield _name(result, certificate)
    yield _days(result, certificate)


def _authority(result: ProbeResult, certificate: x509.Certificate) -> Row:
    target, issuer = result.question.target, certificate.issuer.rfc4514_string()[:120] or "nobody"
    check = f"certificate of {target.server_name} is signed by its CA"
    if not target.authorities:
        return result.ok(f"certificate of {target.server_name} is issued by {issuer}: that must be the federation's CA")
    if any(is_issued_by(certificate, each) for authority in target.authorities for each in read_certificates(authority)):
        return result.ok(check)
    if target.ours:
        return result.failed(
            check, (f"a CA that is not in fate:trust signed it: {issuer}", "here: run `pulumi up`; {hop}: which other server has {name}?")
        )
    fix = "{owner}: serve a certificate of the published CA, or export the descriptor with the new CA; here: accept it"
    return result.failed(check, (f"a CA that is not in the accepted descriptor signed it: {issuer}", fix))


def _name(result: ProbeResult, certificate: x509.Certificate) -> Row:
    check = f"certificate is for {result.question.target.server_name}"
    if is_for(certificate, result.question.target.server_name):
        return result.ok(check)
    held = ", ".join(dns_names(certificate)[:5]) or "no name"
    return result.failed(check, (f"it is for {held}", "{owner}: serve one for {name}; {hop}: does its route lead to party {party}?"))


def _days(result: ProbeResult, certificate: x509.Certificate) -> Row:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    check = f"certificate of {result.question.target.server_name} is valid today"
    if result.now > ends:
        return result.failed(check, (f"it ended on {ends:%Y-%m-%d %H:%M} UTC", "{owner}: renew it with `pulumi up`, or provide a new one"))
    if result.now < begins:
        return result.failed(check, (f"it begins on {begins:%Y-%m-%d %H:%M} UTC only", "{owner}, here: check both clocks, or wait"))
    return result.ok(f"{check}, until {ends:%Y-%m-%d}")
