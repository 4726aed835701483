"""The stack file's settings of all images: registry, pull secret, policy and digests."""

from typing import Literal, Self

from pydantic import Field, model_validator

from federation.base.model import Model
from federation.base.scalars import Digest, Label, NonEmpty, Registry, Upstream


class PullSecret(Model):
    """Where the registry's credentials come from: a dockerconfigjson in fate:secrets, or an existing Secret."""

    secret: NonEmpty | None = Field(None, description="Name under fate:secrets; its value is a dockerconfigjson document.")
    kubernetes_secret: Label | None = Field(None, description="Name of a Secret that exists in every namespace of this stack.")

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if (self.secret is None) == (self.kubernetes_secret is None):
            raise ValueError("name either secret or kubernetesSecret")
        return self


class ImagesSpec(Model):
    """One switch for every image of this stack."""

    registry: Registry | None = Field(None, description="Registry and path that replace the upstream ones.")
    pull_secret: PullSecret | None = None
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    digests: dict[Upstream, Digest] = Field({}, description="Digests by upstream's repository:tag (`fatefed images list`).")
