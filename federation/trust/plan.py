"""Certificates in a plan: which CA signs a party's, until when, whom the party trusts; and, with the secrets, the certificates."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from federation.base import naming
from federation.base.scalars import PartyId
from federation.chart_values.engines import ClientCertificates
from federation.config.party import PartySpec
from federation.config.units import PartyUnit, party_units
from federation.peers.accepted import Peers
from federation.peers.collaborations import may_talk
from federation.pki.authority import Period, ends_on, issue, leaf_period, serves, short_fingerprint, signs_for
from federation.pki.authority_form import accepted_authorities
from federation.pki.certificates import signer_first

PARTY_CA, CERT_MANAGER = "partyCa", "certManager"
# Modes in which a CA signs for one party alone, and its certificate is in fate:trust.
OWN_AUTHORITY = frozenset({PARTY_CA, CERT_MANAGER})
# An authority whose end is nearer is named in every preview: its replacement takes all peers' time.
ROTATION = timedelta(days=90)


@dataclass(frozen=True)
class Issuer:
    """The authority that signs a unit's certificate, and the entry of fate:secrets that holds its key; None: cert-manager has it."""

    certificate: str
    key: str | None
    # None: no day is known, or cert-manager signs, so nothing is signed here.
    period: Period | None


@dataclass(frozen=True)
class TlsPlan:
    """Which entries of fate:secrets hold a unit's key and certificates, and the name the certificate must carry.

    With a CA of the party's own (`own`) certificate and CA are no entries: the program makes them, under the same names. With
    cert-manager (`managed`) there is none: it makes key and certificate, the program the bundle of CAs.
    """

    party: PartyId
    certificate: str
    key: str
    ca: str
    server_name: str
    mode: str
    # None with a CA of its own that `fatefed trust init` did not make yet, and without one.
    issuer: Issuer | None
    # Authorities of this party and of those that it talks to, by party.
    trusted: Mapping[PartyId, tuple[str, ...]]
    # Whether its broker shows its certificate to those it dials, and requires one of those that dial it.
    client_certificates: ClientCertificates

    @property
    def own(self) -> bool:
        """Whether the program signs, with the party's CA."""
        return self.mode == PARTY_CA

    @property
    def managed(self) -> bool:
        """Whether cert-manager signs, with the party's CA."""
        return self.mode == CERT_MANAGER

    @property
    def provided(self) -> bool:
        """Whether somebody else signed: key, certificate and CA are given."""
        return self.mode not in OWN_AUTHORITY

    @property
    def needed(self) -> tuple[str, ...]:
        """The entries of fate:secrets that it reads."""
        if self.own:
            return (self.key, self.issuer.key if self.issuer is not None and self.issuer.key else f"{self.ca}-1")
        return (self.certificate, self.key, self.ca) if self.provided else ()

    @property
    def made(self) -> tuple[str, ...]:
        """The names under which the program makes what is not an entry."""
        return tuple(name for name in (self.certificate, *self.files.values()) if name not in self.needed)

    @property
    def files(self) -> dict[str, str]:
        """The files of CAs in the Secret, each with the name of what it holds: of all that are trusted, and of each party one.

        One file for all would not do: Java asks of a trusted CA neither its name constraints nor its path length, so that each of
        them could sign every party's name.
        """
        return {naming.ALL_AUTHORITIES: self.ca} | {
            naming.authority_file(party): self._of(party) for party in sorted({self.party, *self.trusted}, key=int)
        }

    @property
    def clusters(self) -> str:
        """The arguments of the container `clusters`: whether the broker presents its certificate, and the parties whose CA files it has."""
        trusted = sorted(self.trusted.keys() - {self.party}, key=int)
        return json.dumps({"shown": self.client_certificates != "none", "trusted": trusted}) + "\n"

    def _of(self, party: PartyId) -> str:
        return f"{self.ca}-of-{party}"

    def bundles(self, own: str) -> dict[str, str]:
        """The CAs, by the names of `files`. `own`: those of this party, beginning with the one that signs.

        Pulsar 2.10's own admin client, once it shows a certificate, reads nothing but the first one of its file (TrustManagerProxy):
        a broker whose file begins with another CA never makes its own cluster, and unloads no namespace.
        """
        each = {party: "".join(authorities) for party, authorities in self.trusted.items()} | {self.party: own}
        others = "".join(authorities for party, authorities in each.items() if party != self.party)
        return {self._of(party): authorities for party, authorities in each.items()} | {self.ca: own + others}

    @property
    def annotations(self) -> dict[str, str]:
        """The Secret's annotations, so that a preview shows a renewal, and each added or removed authority."""
        known = {party: " ".join(map(short_fingerprint, authorities)) for party, authorities in self.trusted.items()}
        period = None if self.issuer is None else self.issuer.period
        notes = {} if period is None else {naming.CERTIFICATE_UNTIL: period.ends.isoformat()}
        return notes | ({naming.TRUSTS: ", ".join(f"{party}={ca}" for party, ca in known.items())} if known else {})


def tls_plan(unit: PartyUnit, peers: Peers, today: date | None) -> TlsPlan | None:
    """The certificate of a party whose link speaks TLS."""
    if not holds_certificate(unit):
        return None
    key = naming.party_key(unit.party)
    return TlsPlan(
        party=unit.party,
        certificate=f"{key}-certificate",
        key=f"{key}-key",
        ca=f"{key}-ca",
        server_name=unit.server_name,
        mode=unit.spec.tls,
        issuer=_issuer(unit, today),
        trusted=_trusted(unit, peers),
        client_certificates=client_certificates(unit.spec),
    )


def holds_certificate(unit: PartyUnit) -> bool:
    """Whether a party's link speaks TLS with a certificate from here; an external broker has its own, an unknown engine no link."""
    external = unit.spec.engines.by_key()
    return any(service.tls and external.get(service.endpoint) is None for service in unit.published)


def checks_names(unit: PartyUnit) -> bool:
    """Whether a party's broker compares names in certificates: where one CA signs for several parties, nothing else tells them apart."""
    return holds_certificate(unit) and unit.spec.tls not in OWN_AUTHORITY


def client_certificates(own: PartySpec) -> ClientCertificates:
    """How a party's broker treats client certificates.

    One that a CA of the party's own signed is always shown, for peers that require it. One that is provided may be for servers only:
    peers of KubeFATE, which ask for none, refuse a wrong one that is shown.
    """
    if own.publish.pulsar is not None and own.publish.pulsar.client_certificates == "required":
        return "required"
    return "shown" if own.tls in OWN_AUTHORITY else "none"


def without_authority(unit: PartyUnit, peers: Peers) -> Iterator[str]:
    """The senders to a party whose brokers no CA identifies: peers by name, parties of the stack by id."""
    groups = unit.stack.collaborations
    for party, other in party_units(unit.stack).items():
        if party != unit.party and other.spec.tls not in OWN_AUTHORITY and may_talk(groups, unit.party, party):
            yield f"party {party}"
    for peer in peers.parties():
        if peer.routed and not peer.descriptor.authorities and may_talk(groups, unit.party, peer.party_id or ""):
            yield f"peer {peer.name}"


def authorities_of(unit: PartyUnit) -> tuple[str, ...]:
    """The certificates of a party's own CA, oldest first; more than one while it is replaced."""
    trust = unit.stack.trust.parties.get(unit.party)
    return tuple(trust.in_order) if unit.spec.tls in OWN_AUTHORITY and trust is not None and holds_certificate(unit) else ()


def certificates(tls: TlsPlan, secrets: Mapping[str, str]) -> dict[str, str]:
    """What the program makes for a unit, by the names of TlsPlan: its certificate, and all authorities that it trusts."""
    signer = tls.issuer
    if tls.provided:
        return tls.bundles(signer_first(secrets[tls.ca], secrets[tls.certificate]))
    if signer is None:
        return {}
    own = (signer.certificate, *(other for other in tls.trusted.get(tls.party, ()) if other != signer.certificate))
    bundles = tls.bundles("".join(own))
    if tls.managed:
        return bundles
    if signer.key is None or signer.period is None:
        return {}
    leaf = issue(signer.certificate, secrets[signer.key], secrets[tls.key], party=tls.party, names=[tls.server_name], period=signer.period)
    return {tls.certificate: leaf, **bundles}


def provided_authorities(tls: TlsPlan, secrets: Mapping[str, str], domain: str) -> tuple[str, ...]:
    """The public certificates of a provided CA that is this party's alone; one that signs for others, too, peers refuse."""
    return accepted_authorities(secrets[tls.ca], tls.party, domain) if tls.provided else ()


def key_problems(tls: TlsPlan, secrets: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The reasons why a party with its own CA cannot get a certificate: the path in the stack file, and the problem."""
    if tls.provided:
        return
    if tls.issuer is None:
        yield ("trust", "parties", tls.party), "is missing: the public certificate of the party's CA"
        return
    if tls.issuer.key is None:
        return
    for name, usable in ((tls.issuer.key, partial(signs_for, tls.issuer.certificate)), (tls.key, serves)):
        try:
            usable(secrets[name])
        except ValueError as error:
            yield ("secrets", name), str(error)


def renewal_due(tls: TlsPlan) -> dict[str, str]:
    """The output `renewalDue`: from which day on `pulumi up` makes the next certificate, and when its CA ends.

    cert-manager makes the next certificate by itself, so that there is no such day.
    """
    if tls.issuer is None or (tls.own and tls.issuer.period is None):
        return {}
    due = {} if tls.issuer.period is None else {"certificate": tls.issuer.period.renews.isoformat()}
    return due | {"authority": ends_on(tls.issuer.certificate).isoformat()}


def _issuer(unit: PartyUnit, today: date | None) -> Issuer | None:
    trust = unit.stack.trust.parties.get(unit.party)
    if unit.spec.tls not in OWN_AUTHORITY or trust is None:
        return None
    certificate = trust.authorities[trust.signing]
    if unit.spec.tls == CERT_MANAGER:
        return Issuer(certificate, None, None)
    period = None if today is None else leaf_period(certificate, today, unit.stack.trust.leaf_days, unit.stack.trust.renew_days)
    return Issuer(certificate, f"{naming.party_key(unit.party)}-ca-{trust.signing}", period)


def _trusted(unit: PartyUnit, peers: Peers) -> dict[PartyId, tuple[str, ...]]:
    authorities = {party: authorities_of(other) for party, other in party_units(unit.stack).items()}
    authorities |= {peer.party_id: peer.descriptor.authorities for peer in peers.parties() if peer.routed and peer.party_id is not None}
    groups = unit.stack.collaborations
    known = (other for other in sorted(authorities, key=int) if authorities[other])
    return {other: authorities[other] for other in known if other == unit.party or may_talk(groups, unit.party, other)}
