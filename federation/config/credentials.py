"""Where passwords come from: by reference, never by value."""

from typing import Self

from pydantic import Field, model_validator

from federation.base.model import Model
from federation.base.scalars import Label, NonEmpty


class Credential(Model):
    """A secret by reference: an entry of fate:secrets, or a key of a Secret that already exists in the namespace."""

    secret: NonEmpty | None = Field(None, description="Name under fate:secrets.")
    kubernetes_secret: Label | None = Field(None, description="Name of a Secret that exists in the namespace.")
    key: NonEmpty | None = Field(None, description="Key inside kubernetesSecret.")
    previous: NonEmpty | None = Field(
        None,
        description="MySQL and RabbitMQ: the entry that held the password before (a name under fate:secrets, or a key inside "
        "kubernetesSecret). A Job changes it in the server; remove this line afterwards.",
    )

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if (self.secret is None) == (self.kubernetes_secret is None):
            raise ValueError("name either secret or kubernetesSecret")
        if (self.kubernetes_secret is None) != (self.key is None):
            raise ValueError("kubernetesSecret and key go together")
        return self

    @model_validator(mode="after")
    def _the_previous_entry_is_another_one(self) -> Self:
        if self.previous is not None and self.previous in (self.secret, self.key):
            raise ValueError(f"previous names the same entry: write the new password under a name other than {self.previous}")
        return self

    @property
    def entry(self) -> str:
        """Which entry the password is, as one word: a name under fate:secrets, or SECRET/KEY. Never a value."""
        return self.secret or f"{self.kubernetes_secret}/{self.key}"


class Slots(Model):
    """Where the passwords of a unit come from, by slot."""

    def of(self, slot: str) -> Credential | None:
        """The reference in a slot, by the slot's name in YAML."""
        credential: Credential | None = self.by_key()[slot]
        return credential


class Credentials(Slots):
    """Where a party's passwords come from; absent: fate:secrets, under party-<id>-<slot>."""

    mysql: Credential | None = None
    mysql_root: Credential | None = None
    fateboard: Credential | None = None
    notebook: Credential | None = None
    rabbitmq: Credential | None = None
