"""The base of every model: frozen, strict about unknown keys, camelCase in YAML and JSON."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Discriminator
from pydantic.alias_generators import to_camel

from federation.base.errors import NotParsed


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

    if not TYPE_CHECKING:  # of mypy it would hide attributes that are none

        def __getattr__(self, name: str) -> Any:
            """What is asked for a field that it lacks: of a configuration that did not parse as a whole (`federation.config.partial`)."""
            if name in type(self).model_fields:
                raise NotParsed(name)
            return super().__getattr__(name)

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
