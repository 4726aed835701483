"""The base of every model: frozen, strict about unknown keys, camelCase in YAML and JSON."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Plain data that cannot change after it was read."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    def plain(self) -> dict[str, Any]:
        """The model as JSON-like data with camelCase keys; what is absent (None) is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
