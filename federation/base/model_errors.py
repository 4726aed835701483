"""pydantic's errors as problems an operator can act on: place, problem, remedy."""

import difflib
import re
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from federation.base.errors import Problem
from federation.base.scalars import PATTERNS_IN_WORDS

Path = tuple[str, ...]


# Of what is compared with the words that are allowed: none is longer.
_LONGEST_WORD = 40

# What pydantic says in words of its own, by its type of error.
_IN_WORDS = {
    "literal_error": "should be {expected}",
    "string_type": "is not text: put a number, or a word such as yes, in quotes",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_parsing_size": "is too large",
    "int_from_float": "is not a whole number",
    "bool_type": "is not true or false",
    "bool_parsing": "is not true or false",
    "greater_than_equal": "should be at least {ge}",
    "less_than_equal": "should be at most {le}",
    "string_too_short": "is empty",
    "too_short": "should have at least {min_length}, not {actual_length}",
    "too_long": "should have at most {max_length}, not {actual_length}",
    "tuple_type": "is not a list",
    "list_type": "is not a list",
    "dict_type": "is not a map (key: value)",
    "model_type": "is not a map (key: value)",
    "model_attributes_type": "is not a map (key: value)",
}


def problems_of(
    error: ValidationError, model: type[BaseModel], place_of: Callable[[Path], str], limit: int | None = None
) -> tuple[Problem, ...]:
    """The errors of a validation, in the order of the document, at the place the caller knows for its path; all, or the first few."""
    errors = error.errors(include_url=False)
    above: set[Path] | None = None
    problems: list[Problem] = []
    for details in errors:
        if details["type"] == "literal_error":
            # `a word, or a map`: who wrote a map with a mistake in it did not mean the word.
            above = _above(errors, model) if above is None else above
            if real_path(details["loc"], model) in above:
                continue
        problems.append(_problem(details, model, place_of))
        if len(problems) == limit:
            break
    return tuple(problems)


def _above(errors: Sequence[Any], model: type[BaseModel]) -> set[Path]:
    """Every path that is above another one at which something is wrong."""
    paths = {real_path(details["loc"], model) for details in errors}
    return {path[:length] for path in paths for length in range(len(path))}


def has_path(path: Path, model: type[BaseModel]) -> bool:
    """Whether a document of this model may have something at a path."""
    return not {path[-1], "*"}.isdisjoint(keys_at(path[:-1], model))


def keys_at(path: Sequence[str], model: type[BaseModel]) -> list[str]:
    """The keys a document of this model may have at a path, in the order of the fields; ['*'] where it is a map or a list."""
    annotations: list[Any] = [model]
    for part in path:
        annotations = [child for annotation in annotations for child in _step(annotation, part)]
    return list(dict.fromkeys(key for annotation in annotations for key in _keys(annotation)))


def _problem(details: Any, model: type[BaseModel], place_of: Callable[[Path], str]) -> Problem:
    path = real_path(details["loc"], model)
    message = str(details["msg"]).removeprefix("Value error, ")
    if details["type"] in _IN_WORDS:
        message = _IN_WORDS[details["type"]].format(**details.get("ctx", {}))
    if words := PATTERNS_IN_WORDS.get(details.get("ctx", {}).get("pattern", "")):
        message = f"is not {words}"
    if details["type"] == "extra_forbidden":
        path = (*real_path(details["loc"][:-1], model), str(details["loc"][-1]))
        return Problem(place_of(path), f"unknown key {path[-1]!r}", _spelling(path, model))
    if details["type"] == "invalid_key":
        problem = "has a key that is not text: YAML reads on and yes as true, and digits as a number"
        return Problem(place_of(real_path(details["loc"][:-1], model)), problem, "put the key in quotes, or correct it")
    if details["type"] == "union_tag_invalid":
        tag, kinds = details["ctx"]["discriminator"].strip("'"), details["ctx"]["expected_tags"].replace("'", "")
        return Problem(place_of((*path, tag)), f"{details['ctx']['tag']!r} is none of {kinds}", "correct the value")
    if details["type"] == "union_tag_not_found":
        tag = details["ctx"]["discriminator"].strip("'")
        return Problem(place_of((*path, tag)), f"{tag} is missing", f"add it{_about(path, model)}")
    if details["type"] == "missing":
        return Problem(place_of(path), f"{path[-1]} is missing", f"add it{_about(path, model)}")
    if details["input"] is None:
        return Problem(place_of(path), "has no value", f"give it one, or remove the key{_about(path, model)}")
    if details["type"] == "literal_error" and (meant := _meant(details["input"], details["ctx"]["expected"])):
        return Problem(place_of(path), message, f"did you mean {meant!r}?")
    return Problem(place_of(path), message, f"correct the value{_about(path, model)}")


def _meant(written: Any, expected: str) -> str | None:
    """Which of the words that pydantic lists (`'NodePort' or 'ClusterIP'`) a text resembles, whatever its case."""
    words = {word.lower(): word for word in re.findall(r"'([^']*)'", expected)}
    close = difflib.get_close_matches(written.lower(), words, n=1) if isinstance(written, str) and len(written) <= _LONGEST_WORD else []
    return words[close[0]] if close else None


def real_path(loc: Sequence[Any], model: type[BaseModel]) -> Path:
    """The path in the document: without the names pydantic adds for union members and dict keys."""
    path: list[str] = []
    for part in loc:
        if part == "[key]":
            continue
        if {"*", str(part)} & set(keys_at(path, model)):
            path.append(str(part))
    return tuple(path)


def members_of(annotation: Any) -> Iterator[Any]:
    """What a value of a type may be, one by one: of a union its members."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from members_of(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from members_of(member)
    else:
        yield annotation


def is_model(annotation: Any) -> bool:
    """Whether a type is a model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _step(annotation: Any, part: str) -> Iterator[Any]:
    for member in members_of(annotation):
        if is_model(member):
            yield from (field.annotation for name, field in member.model_fields.items() if part in (name, field.alias))
        elif get_origin(member) is dict:
            yield get_args(member)[1]
        elif get_origin(member) in (tuple, list):
            yield get_args(member)[0]


def _keys(annotation: Any) -> Iterator[str]:
    for member in members_of(annotation):
        if is_model(member):
            yield from (field.alias or name for name, field in member.model_fields.items())
        elif get_origin(member) in (dict, tuple, list):
            yield "*"


def _spelling(path: Path, model: type[BaseModel]) -> str:
    known = sorted({*keys_at(path[:-1], model)} - {"*"})
    if len(path) == 1 and (section := path[0].partition("."))[1] and section[0] in known:
        return f"remove this line, and set the value with --path: `pulumi config set --path 'fate:{path[0]}' VALUE`"
    close = difflib.get_close_matches(path[-1], known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"remove it; known keys here: {', '.join(known)}"


def _about(path: Path, model: type[BaseModel]) -> str:
    """The description of the field at a path, or of the map or list whose plain item is there, as the tail of a sentence."""
    annotations: list[Any] = [model]
    for part in path[:-1]:
        annotations = [child for annotation in annotations for child in _step(annotation, part)]
    for annotation in annotations:
        for member in members_of(annotation):
            if is_model(member):
                for name, field in member.model_fields.items():
                    if path and path[-1] in (name, field.alias) and field.description:
                        return f": {field.description}"
    items = [child for annotation in annotations for child in _step(annotation, path[-1])] if path else []
    plain = items and not any(is_model(member) for item in items for member in members_of(item))
    return _about(path[:-1], model) if plain and "*" in keys_at(path[:-1], model) else ""
