"""Rules about certificates: modes that fit the engines, and authorities that can sign for their own party only."""

from collections.abc import Iterator
from datetime import date

from federation.base.errors import Finding, Problem, of_each, warning
from federation.base.scalars import PartyId
from federation.config.units import PartyUnit, party_units
from federation.peers.collaborations import may_talk
from federation.pki.authority import ends_on, subject
from federation.pki.authority_form import authority_problems
from federation.trust.plan import CERT_MANAGER, PARTY_CA, ROTATION, TlsPlan, client_certificates, holds_certificate, without_authority
from federation.units.checked import CheckedStack, PlannedStack, of_every_party, run_rules


def certificates_fit(stack: CheckedStack) -> Iterator[Problem]:
    """A problem for each TLS mode that does not fit the engine. Another rule reports unknown engines."""
    return of_each(party_units(stack.spec).values(), lambda unit: run_rules((_issuer_fits, _engine_needs_a_certificate), stack, unit))


def _engine_needs_a_certificate(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    engine = unit.spec.federation
    if unit.spec.tls == "none" and stack.spec.federation.links.tls(engine):
        remedy = f"choose {PARTY_CA} (`fatefed trust init` makes it), or provided"
        yield Problem(stack.at(unit, "tls"), f"{engine} finds its peers by TLS server name, so it needs TLS", remedy)


def authorities_are_of_parties(stack: CheckedStack) -> Iterator[Problem]:
    """A problem for each CA that can sign for another party, or whose party is not in this stack."""
    return of_each(sorted(stack.spec.trust.parties, key=int), lambda party: _authorities(stack, party))


def _authorities(stack: CheckedStack, party: PartyId) -> Iterator[Problem]:
    at = ("trust", "parties", party)
    if party not in stack.spec.parties:
        remedy = "add it under fate:parties, or correct the party id; of a party that is gone for good, remove this entry"
        yield Problem(stack.place_of(at), f"party {party} is not a party of this stack", remedy)
    authorities = stack.spec.trust.parties[party].authorities
    for number, authority in authorities.items():
        for problem in authority_problems(authority, party, stack.spec.federation.domain):
            yield Problem(stack.place_of((*at, "authorities", number)), problem, "restore what `fatefed trust init` wrote")
    if len({_subject(authority) for authority in authorities.values()}) < len(authorities):
        yield Problem(stack.place_of(at), "its CAs have the same subject: readers cannot tell them apart", "make a new one")


@of_every_party
def callers_have_authorities(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """The parties that cannot send to a party that requires certificates."""
    required = client_certificates(unit.spec) == "required" and holds_certificate(unit)
    if required and (callers := [*without_authority(unit, stack.peers)]):
        problem = f"would refuse {', '.join(callers)}: this stack has no CA to check their certificates"
        remedy = "ask the owner for a descriptor with a CA of the party's own (tls: partyCa); suspend peers without one; or choose optional"
        yield Problem(stack.at(unit, "publish", "pulsar", "clientCertificates"), problem, remedy)


def _issuer_fits(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """A problem when a party uses cert-manager without an Issuer or without a link that needs a certificate, or names an unused Issuer."""
    own, where = unit.spec, stack.at(unit, "issuer")
    if own.tls != CERT_MANAGER:
        if own.issuer is not None:
            yield Problem(where, f"tls: {own.tls} uses no issuer", f"remove it, or choose tls: {CERT_MANAGER}")
        return
    if own.issuer is None:
        remedy = f"name the issuer, such as {{name: party-{unit.party}-ca}}: an Issuer of cert-manager in the party's namespace"
        yield Problem(where, f"is missing: tls: {CERT_MANAGER} needs an issuer", remedy)
    links = stack.spec.federation.links
    if own.federation in links.engines and not holds_certificate(unit):
        why = "is external and has its own certificate" if links.tls(own.federation) else "has no TLS"
        yield Problem(
            stack.at(unit, "tls"), f"{own.federation} {why}: there is no certificate for cert-manager to sign", "remove tls and issuer"
        )


def trust_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """Warnings of certificates that are valid today and expire soon."""
    for plan in stack.plans.values():
        if stack.today is not None and plan.tls is not None:
            yield from _ends_soon(stack, plan.tls, stack.today)
            yield from _is_not_trusted(stack, plan.tls) if not plan.tls.provided else ()


def _ends_soon(stack: PlannedStack, tls: TlsPlan, today: date) -> Iterator[Finding]:
    if tls.issuer is not None and (last := ends_on(tls.issuer.certificate)) - today < ROTATION:
        text = f"the CA of party {tls.party} {'ended' if last < today else 'ends'} on {last}:"
        yield warning(stack.place_of(("trust", "parties", tls.party)), text, f"replace it with `fatefed trust rotate --party {tls.party}`")
    for peer in stack.ready.parties():
        if peer.routed and peer.party_id in tls.trusted and (last := max(map(ends_on, peer.descriptor.authorities))) - today < ROTATION:
            text = f"the CA of party {peer.party_id} (peer {peer.name}) {'ended' if last < today else 'ends'} on {last}:"
            yield warning(stack.place_of(("peers", peer.name)), text, "ask its owner for a descriptor with the next CA")


def _is_not_trusted(stack: PlannedStack, tls: TlsPlan) -> Iterator[Finding]:
    at = ("parties", tls.party)
    for peer in stack.ready.parties():
        if peer.routed and not peer.descriptor.authorities and may_talk(stack.spec.collaborations, tls.party, peer.party_id or ""):
            text = f"peer {peer.name} publishes no CA, so party {tls.party} refuses its certificate:"
            yield warning(stack.place_of(("peers", peer.name)), text, f"ask its owner for one (tls: {PARTY_CA})")
    if tls.client_certificates == "shown" and not [*without_authority(party_units(stack.spec)[tls.party], stack.ready)]:
        yield warning(
            stack.place_of((*at, "publish", "pulsar")),
            f"any client that reaches the Pulsar of party {tls.party}, a suspended peer included, may read and write there:",
            f"set parties.{tls.party}.publish.pulsar.clientCertificates to required, no active peer lacks a CA (docs/guides/trust.md)",
        )
    if not tls.trusted.keys() - {tls.party}:
        yield warning(
            stack.place_of(at),
            f"party {tls.party} trusts no other party's CA, so none can send it data:",
            "accept the descriptors of the parties it works with (`fatefed peers add`), also in a star; only active ones are trusted",
        )


def _subject(authority: str) -> str:
    try:
        return subject(authority)
    except ValueError:
        return authority
