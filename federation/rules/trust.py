"""Rules about certificates: modes that fit the engines, and authorities that can sign for their own party only."""

from collections.abc import Iterator

from federation.base.errors import Problem, of_each
from federation.base.scalars import PartyId
from federation.config.units import PartyUnit, party_units
from federation.pki.authority import subject
from federation.pki.authority_form import authority_problems
from federation.trust.plan import CERT_MANAGER, PARTY_CA, client_certificates, holds_certificate, without_authority
from federation.units.checked import CheckedStack, found_by


def certificates_fit(stack: CheckedStack) -> Iterator[Problem]:
    """Modes that fit the engines. Parties of an unknown engine have other problems."""
    return of_each(party_units(stack.spec).values(), lambda unit: found_by((_issuer_fits, _engine_needs_a_certificate), stack, unit))


def _engine_needs_a_certificate(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    engine = unit.spec.federation
    if unit.spec.tls == "none" and stack.spec.federation.links.tls(engine):
        remedy = f"choose {PARTY_CA} (`fatefed trust init` makes it), or provided"
        where = stack.place((*unit.path, "tls"))
        yield Problem(where, f"{engine} finds its peers by TLS server name, so it cannot go without", remedy)


def authorities_are_of_parties(stack: CheckedStack) -> Iterator[Problem]:
    """Authorities that can sign for their own party, which is one of this stack."""
    parties = sorted(stack.spec.trust.parties, key=int)
    return of_each(parties, lambda party: found_by((_is_of_this_stack, _signs_for_its_party, _can_be_told_apart), stack, party))


def _is_of_this_stack(stack: CheckedStack, party: PartyId) -> Iterator[Problem]:
    if party not in stack.spec.parties:
        remedy = "describe it under fate:parties, or correct the party id; of a party that is gone for good, remove this entry"
        yield Problem(stack.place(("trust", "parties", party)), f"party {party} is no party of this stack", remedy)


def _signs_for_its_party(stack: CheckedStack, party: PartyId) -> Iterator[Problem]:
    for number, authority in stack.spec.trust.parties[party].authorities.items():
        for problem in authority_problems(authority, party, stack.spec.federation.domain):
            where = stack.place(("trust", "parties", party, "authorities", number))
            yield Problem(where, problem, "restore what `fatefed trust init` wrote")


def _can_be_told_apart(stack: CheckedStack, party: PartyId) -> Iterator[Problem]:
    authorities = stack.spec.trust.parties[party].authorities
    if len({_subject(authority) for authority in authorities.values()}) < len(authorities):
        where = stack.place(("trust", "parties", party))
        yield Problem(where, "its authorities have one subject: readers could not tell them apart", "make one anew")


def callers_have_authorities(stack: CheckedStack) -> Iterator[Problem]:
    """Who could send nothing to a party that requires certificates."""
    return of_each(party_units(stack.spec).values(), lambda unit: _callers_have_authorities(stack, unit))


def _callers_have_authorities(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    required = client_certificates(unit.spec) == "required" and holds_certificate(unit)
    if required and (found := [*without_authority(unit, stack.peers)]):
        problem = f"would refuse {', '.join(found)}: no CA is known by which a certificate could be checked"
        remedy = "ask the owner for a descriptor with a CA of the party's own (tls: partyCa); suspend who has none; or choose optional"
        yield Problem(stack.place((*unit.path, "publish", "pulsar", "clientCertificates")), problem, remedy)


def _issuer_fits(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """An Issuer of cert-manager is named where it signs, and nowhere else."""
    own, where = unit.spec, stack.place((*unit.path, "issuer"))
    if own.tls != CERT_MANAGER:
        if own.issuer is not None:
            yield Problem(where, f"tls: {own.tls} asks no issuer", f"remove it, or choose tls: {CERT_MANAGER}")
        return
    if own.issuer is None:
        remedy = f"name who signs, such as {{name: party-{unit.party}-ca}}: an Issuer of cert-manager in the party's namespace"
        yield Problem(where, f"is missing: tls: {CERT_MANAGER} needs an issuer", remedy)
    links = stack.spec.federation.links
    if own.federation in links.engines and not holds_certificate(unit):
        why = "is external, so that it has a certificate of its own" if links.tls(own.federation) else "has no TLS"
        where = stack.place((*unit.path, "tls"))
        yield Problem(where, f"{own.federation} {why}: cert-manager would sign for nobody", "remove tls and issuer")


def _subject(authority: str) -> str:
    try:
        return subject(authority)
    except ValueError:
        return authority
