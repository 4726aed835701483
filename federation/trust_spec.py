"""How a stack's certificates are made: lifetimes, and the certificate authorities of its parties."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from federation.authority import CertificatePem
from federation.model import Model
from federation.scalars import PartyId

# Authorities of a party are numbered: 1, and after a rotation 2.
Ordinal = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,4}$"), BeforeValidator(lambda v: str(v) if type(v) is int else v)]


class PartyTrust(Model):
    """The certificate authorities of one party; `fatefed trust init` and `fatefed trust rotate` write this."""

    authorities: dict[Ordinal, CertificatePem] = Field(description="Public certificates by number; peers trust all of them.")
    signing: Ordinal = Field(description="The one that signs; its key is fate:secrets.party-<id>-ca-<number>.")

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
    """Certificates of parties with `tls: partyCa`."""

    leaf_days: int = Field(365, ge=2, le=825, description="Days for which a server certificate is valid.")
    renew_days: int = Field(30, ge=1, description="So many days before its end, `pulumi up` makes the next one.")
    ca_years: int = Field(5, ge=1, le=20, description="Years for which `fatefed trust init` and `fatefed trust rotate` make a CA.")
    parties: dict[PartyId, PartyTrust] = Field({}, description="The authorities of each party, by its id.")

    @model_validator(mode="after")
    def _renews_within_the_lifetime(self) -> Self:
        if self.renew_days >= self.leaf_days:
            raise ValueError(f"renewDays {self.renew_days} is not less than leafDays {self.leaf_days}")
        return self
