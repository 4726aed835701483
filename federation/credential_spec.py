"""Where passwords come from: by reference, never by value."""

from typing import Self

from pydantic import Field, model_validator

from federation.model import Model
from federation.scalars import Label, NonEmpty


class Credential(Model):
    """A secret by reference: an entry of fate:secrets, or a key of a Secret that already exists in the namespace."""

    secret: NonEmpty | None = Field(None, description="Name under fate:secrets.")
    kubernetes_secret: Label | None = Field(None, description="Name of a Secret that exists in the namespace.")
    key: NonEmpty | None = Field(None, description="Key inside kubernetesSecret.")

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if (self.secret is None) == (self.kubernetes_secret is None):
            raise ValueError("name either secret or kubernetesSecret")
        if (self.kubernetes_secret is None) != (self.key is None):
            raise ValueError("kubernetesSecret and key go together")
        return self


class Credentials(Model):
    """Where a party's passwords come from; absent: fate:secrets, under party-<id>-<slot>."""

    mysql: Credential | None = None
    mysql_root: Credential | None = None
    fateboard: Credential | None = None
    notebook: Credential | None = None
    rabbitmq: Credential | None = None

    def of(self, slot: str) -> Credential | None:
        """What was given for a slot, by its name in YAML."""
        return {(field.alias or name): getattr(self, name) for name, field in type(self).model_fields.items()}[slot]  # type: ignore[no-any-return]
