"""How a stack's certificates are made: lifetimes, and the certificate authorities of its parties."""

from typing import Self

from pydantic import Field, model_validator

from federation.base.model import Model
from federation.base.scalars import Domain, Label, ObjectKind, Ordinal, PartyId
from federation.pki.authority import CertificatePem

# cert-manager's own group, in which kinds are known.
CERT_MANAGER_GROUP = "cert-manager.io"


class CertificateIssuer(Model):
    """Who signs the certificate of a party with `tls: certManager`."""

    name: Label = Field(description="The name of the Issuer: in the party's namespace, or with kind ClusterIssuer in the cluster.")
    kind: ObjectKind = Field("Issuer", description="Issuer or ClusterIssuer; a kind of its own with another group.")
    group: Domain = Field(CERT_MANAGER_GROUP, description="Another one: of an issuer that was added to cert-manager.")

    @model_validator(mode="after")
    def _is_known_to_cert_manager(self) -> Self:
        if self.group == CERT_MANAGER_GROUP and self.kind not in ("Issuer", "ClusterIssuer"):
            raise ValueError(f"kind: {self.group} has no {self.kind}: Issuer or ClusterIssuer, or name another group")
        return self


class PartyTrust(Model):
    """The certificate authorities of one party; `fatefed trust init` and `fatefed trust rotate` write this."""

    authorities: dict[Ordinal, CertificatePem] = Field(description="Public certificates by number; peers trust all of them.")
    signing: Ordinal = Field(
        description="The one that signs; its key is fate:secrets.party-<id>-ca-<number>, or cert-manager's Issuer has it."
    )

    @model_validator(mode="after")
    def _who_signs_is_there(self) -> Self:
        if self.signing not in self.authorities:
            raise ValueError(f"signing: there is no authority {self.signing}; there are {', '.join(self.authorities) or 'none'}")
        if len(self.authorities) > 2:
            raise ValueError("more than two authorities: finish one rotation before the next (`fatefed trust rotate`)")
        return self

    @property
    def in_order(self) -> list[str]:
        """The certificates by number, oldest first."""
        return [self.authorities[number] for number in sorted(self.authorities, key=int)]


class TrustSpec(Model):
    """Certificates of parties with `tls: partyCa` or `tls: certManager`."""

    leaf_days: int = Field(365, ge=2, le=825, description="Days for which a server certificate is valid.")
    renew_days: int = Field(30, ge=1, description="`pulumi up`, or cert-manager, makes the next one this many days before the end.")
    ca_years: int = Field(5, ge=1, le=20, description="Years for which `fatefed trust init` and `fatefed trust rotate` make a CA.")
    parties: dict[PartyId, PartyTrust] = Field({}, description="The authorities of each party, by its id.")

    @model_validator(mode="after")
    def _renews_within_the_lifetime(self) -> Self:
        if self.renew_days >= self.leaf_days:
            raise ValueError(f"renewDays {self.renew_days} is not less than leafDays {self.leaf_days}")
        return self
