"""Rules about certificates: modes that fit the engines, and authorities that can sign for their own party only."""

from collections.abc import Iterator

from federation.base.errors import Paths, Place, Problem
from federation.config.party import PartySpec
from federation.config.stack import StackSpec
from federation.peers.accepted import Peers
from federation.pki.authority import subject
from federation.pki.authority_form import authority_problems
from federation.trust.plan import CERT_MANAGER, PARTY_CA, client_certificates, holds_certificate, without_authority


def broken_trust_rules(spec: StackSpec, place: Place, left_out: Paths) -> Iterator[Problem]:
    """Every problem with modes and authorities. Parties of an unknown engine have other problems, and so have those that are left out."""
    for party, own in spec.parties_in_order:
        where = place(("parties", party, "tls"))
        yield from _issuer_fits(spec, party, own, place)
        if own.tls == "none" and spec.federation.links.tls(own.federation):
            remedy = f"choose {PARTY_CA} (`fatefed trust init` makes it), or provided"
            yield Problem(where, f"{own.federation} finds its peers by TLS server name, so it cannot go without", remedy)
    for party, trust in sorted(spec.trust.parties.items(), key=lambda item: int(item[0])):
        at = ("trust", "parties", party)
        if party not in spec.parties and not {("parties",), ("parties", party)} & left_out:
            remedy = "describe it under fate:parties, or correct the party id; of a party that is gone for good, remove this entry"
            yield Problem(place(at), f"party {party} is no party of this stack", remedy)
        for number, authority in trust.authorities.items():
            for problem in authority_problems(authority, party, spec.federation.domain):
                yield Problem(place((*at, "authorities", number)), problem, "restore what `fatefed trust init` wrote")
        if len({_subject(authority) for authority in trust.authorities.values()}) < len(trust.authorities):
            yield Problem(place(at), "its authorities have one subject: readers could not tell them apart", "make one anew")


def broken_caller_rules(spec: StackSpec, peers: Peers, place: Place) -> Iterator[Problem]:
    """Who could send nothing to a party that requires certificates."""
    for party, own in spec.parties_in_order:
        if client_certificates(own) == "required" and holds_certificate(spec, own) and (found := [*without_authority(spec, party, peers)]):
            problem = f"would refuse {', '.join(found)}: no CA is known by which a certificate could be checked"
            remedy = "ask the owner for a descriptor with a CA of the party's own (tls: partyCa); suspend who has none; or choose optional"
            yield Problem(place(("parties", party, "publish", "pulsar", "clientCertificates")), problem, remedy)


def _issuer_fits(spec: StackSpec, party: str, own: PartySpec, place: Place) -> Iterator[Problem]:
    """An Issuer of cert-manager is named where it signs, and nowhere else."""
    where = place(("parties", party, "issuer"))
    if own.tls != CERT_MANAGER:
        if own.issuer is not None:
            yield Problem(where, f"tls: {own.tls} asks no issuer", f"remove it, or choose tls: {CERT_MANAGER}")
        return
    if own.issuer is None:
        remedy = f"name who signs, such as {{name: party-{party}-ca}}: an Issuer of cert-manager in the party's namespace"
        yield Problem(where, f"is missing: tls: {CERT_MANAGER} needs an issuer", remedy)
    links = spec.federation.links
    if own.federation in links.engines and not holds_certificate(spec, own):
        why = "is external, so that it has a certificate of its own" if links.tls(own.federation) else "has no TLS"
        yield Problem(
            place(("parties", party, "tls")), f"{own.federation} {why}: cert-manager would sign for nobody", "remove tls and issuer"
        )


def _subject(authority: str) -> str:
    try:
        return subject(authority)
    except ValueError:
        return authority
