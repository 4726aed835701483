"""Rules about certificates: modes that fit the engines, and authorities that can sign for their own party only."""

from collections.abc import Iterator

from federation.authority import authority_problems, subject
from federation.errors import Problem
from federation.links import LINKS
from federation.peers import Place
from federation.spec import StackSpec
from federation.trust import PARTY_CA


def broken_trust_rules(spec: StackSpec, place: Place) -> Iterator[Problem]:
    """Every problem with modes and authorities. Parties of an unknown engine have other problems."""
    for party, own in spec.parties_in_order:
        where = place(("parties", party, "tls"))
        if own.tls == "certManager":
            yield Problem(where, "certManager is not built yet", f"choose {PARTY_CA}, or provided with certificates that cert-manager made")
        elif own.tls == "none" and own.federation in LINKS and LINKS[own.federation].tls:
            remedy = f"choose {PARTY_CA} (`fatefed trust init` makes it), or provided"
            yield Problem(where, f"{own.federation} finds its peers by TLS server name, so it cannot go without", remedy)
    for party, trust in sorted(spec.trust.parties.items(), key=lambda item: int(item[0])):
        at = ("trust", "parties", party)
        if party not in spec.parties:
            yield Problem(place(at), f"party {party} is no party of this stack", "remove it, or correct the party id")
        for number, authority in trust.authorities.items():
            for problem in authority_problems(authority, party, spec.federation.domain):
                yield Problem(place((*at, "authorities", number)), problem, "restore what `fatefed trust init` wrote")
        if len({_subject(authority) for authority in trust.authorities.values()}) < len(trust.authorities):
            yield Problem(place(at), "its authorities have one subject: readers could not tell them apart", "make one anew")


def _subject(authority: str) -> str:
    try:
        return subject(authority)
    except ValueError:
        return authority
