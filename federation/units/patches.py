"""Patches of chart values (`chartValues`): merged into what the plan derived, then checked against the chart's own schema."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from federation.base.errors import PlaceOf, Problem
from federation.base.model_errors import problems_of
from federation.chart_values.fate import ExchangeValues, PartyValues
from federation.chart_values.portal import PortalValues
from federation.chart_values.serving import ServingValues

AnyValues = PartyValues | ExchangeValues | ServingValues | PortalValues
Values = TypeVar("Values", PartyValues, ExchangeValues, ServingValues, PortalValues)
# The plan also makes objects outside the chart from these values: a patch would change the chart only.
_DERIVED = {
    "instance": "Services select pods by it",
    "labels": "every object has them",
    "release": "it selects the row of the catalogue",
    "partyId": "routes and certificates are made for it",
    "domain": "routes and certificates are made for it",
    "routes": "the ConfigMaps have these names",
    "imagePullSecrets": "the Secret has this name",
}


def patched(values: Values, patch: Mapping[str, Any]) -> Values:
    """The values with a patch: maps are merged, null removes a key, all else replaces. ValidationError outside the chart's schema."""
    return type(values).model_validate(_merged(values.plain(), patch)) if patch else values


def patch_problems(values: AnyValues, patch: Mapping[str, Any], place_of: PlaceOf, at: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong with a patch of these values."""
    for key in sorted(_DERIVED.keys() & patch.keys()):
        yield Problem(place_of((*at, key)), f"{key} cannot be patched: {_DERIVED[key]}", "remove this line")
    try:
        after = type(values).model_validate(_merged(values.plain(), patch))
    except ValidationError as error:
        yield from problems_of(error, type(values), lambda path: place_of((*at, *path)))
        return
    before, deployed = values.modules.plain().keys(), after.modules.plain().keys()
    for name in sorted(before ^ deployed):
        problem = f"a patch {'deploys' if name in deployed else 'removes'} no module"
        yield Problem(place_of((*at, "modules", name)), problem, "the engines and the key modules decide which modules there are")


def patched_keys(patch: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The values that a patch changes, as dotted paths."""
    for key, value in sorted(patch.items()):
        if isinstance(value, dict) and value:
            yield from patched_keys(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def _merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = {key: value for key, value in base.items() if patch.get(key, ...) is not None}
    for key, value in patch.items():
        if isinstance(value, dict):
            below = base.get(key)
            merged[key] = _merged(below if isinstance(below, dict) else {}, value)
        elif value is not None:
            merged[key] = value
    return merged
