"""A configuration some of whose fields are wrong, as far as it parsed: what rules can still check.

It lacks what is wrong, and nothing stands for it: who reads it gets `NotParsed`.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from federation.base.errors import NotParsed
from federation.base.model import Model
from federation.base.model_errors import is_model, members_of
from federation.config.stack import StackSpec


class _Lacking(dict[Any, Any]):
    """A map some of whose entries did not parse: those of these keys, or of any (None). It is not empty."""

    def __init__(self, entries: Mapping[Any, Any], keys: frozenset[str] | None) -> None:
        super().__init__(entries)
        self._keys = keys

    def __bool__(self) -> bool:
        return True

    def __missing__(self, key: object) -> Any:
        if self._keys is None or str(key) in self._keys:
            raise NotParsed(key)
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def get(self, key: Any, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


def need_every_entry(*maps: Mapping[Any, Any]) -> None:
    """For rules that conclude from missing entries of maps: NotParsed when an entry of a map did not parse."""
    if any(isinstance(entries, _Lacking) for entries in maps):
        raise NotParsed


def parsed(values: Mapping[str, Any]) -> StackSpec:
    """What parsed of a configuration that is wrong somewhere."""
    spec: StackSpec = _model(StackSpec, values)
    return spec


def _model(model: type[Model], data: object) -> Any:
    """A model with those fields that parsed, and break no rule of the model."""
    known: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        with suppress(NotParsed):
            known[name] = _field(name, field, data)
    written = {name: known[name] for name in known if isinstance(data, dict) and {name, model.model_fields[name].alias} & data.keys()}
    if _breaks_a_rule(model, written):
        mending = {name for name in written if not _breaks_a_rule(model, {other: written[other] for other in written.keys() - {name}})}
        suspects = mending or {name for name, value in known.items() if not isinstance(value, Model | dict)}
        known = {name: value for name, value in known.items() if name not in suspects}
    made = model.model_construct(written.keys() & known.keys(), **known)
    for name in model.model_fields.keys() - known.keys():
        made.__dict__.pop(name, None)
    return made


def _breaks_a_rule(model: type[Model], fields: Mapping[str, Any]) -> bool:
    try:
        model.model_validate(fields)
    except ValidationError as error:
        return any(not details["loc"] for details in error.errors(include_url=False, include_input=False))
    except NotParsed:  # the rule is about what is wrong below
        return False
    return False


def _field(name: str, field: FieldInfo, data: object) -> Any:
    annotation: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    key = field.alias if isinstance(data, dict) and field.alias in data else name
    if isinstance(data, dict) and key in data:
        return _value(annotation, data[key])
    if isinstance(data, dict) and not field.is_required():
        return field.get_default(call_default_factory=True)
    return _part(annotation, None)


def _value(annotation: Any, data: Any) -> Any:
    """A value, or as much of it as parsed. NotParsed when nothing did."""
    try:
        return TypeAdapter(annotation).validate_python(data)
    except ValidationError:
        return _part(annotation, data)


def _part(annotation: Any, data: Any) -> Any:
    """What parsed of a value that is wrong somewhere; None: it is not known whether it was meant to be there."""
    wanted = [member for member in members_of(annotation) if data is None or member is not type(None)]
    models = [member for member in wanted if is_model(member)]
    if len(models) == 1 and (isinstance(data, dict) or len(wanted) == 1):
        return _model(models[0], data)
    if get_origin(annotation) is dict:
        key_type, value_type = get_args(annotation)
        return _entries(key_type, value_type, data)
    raise NotParsed(annotation)


def _entries(key_type: Any, value_type: Any, data: object) -> dict[Any, Any]:
    """The entries of a map that parsed, each as far as it did."""
    if not isinstance(data, dict):
        return _Lacking({}, None)
    entries: dict[Any, Any] = {}
    wrong = set[str]()
    for key, value in data.items():
        try:
            entries[_value(key_type, key)] = _value(value_type, value)
        except NotParsed:
            wrong.add(str(key))
    return _Lacking(entries, frozenset(wrong)) if wrong else entries
