"""The base of every model: frozen, strict about unknown keys, camelCase in YAML and JSON."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Discriminator
from pydantic.alias_generators import to_camel


def _form(value: Any) -> str:
    return "Map" if isinstance(value, dict | BaseModel) else "Word"


# Tells a value that is one word or a map by its form, so that only one of both is complained about. Tags: Word, Map.
BY_FORM = Discriminator(_form)


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

    @classmethod
    def written_keys(cls) -> frozenset[str]:
        """Its keys as they are written in YAML and JSON."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items())

    def by_key(self) -> dict[str, Any]:
        """Its values by their keys as they are written."""
        return {(field.alias or name): getattr(self, name) for name, field in type(self).model_fields.items()}

    def plain(self) -> dict[str, Any]:
        """The model as JSON-like data with camelCase keys; what is absent (None) is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
