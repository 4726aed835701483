"""Limits of Pulumi, Kubernetes and FATE's proxies on the number of parties. A stack above a limit is refused before anything changes."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from federation.base.errors import Finding, PlaceOf, Problem, warning
from federation.base.naming import PULSAR_CERTIFICATE
from federation.stack.plan import StackPlan
from federation.units.unit import UnitPlan

# Kubernetes refuses a ConfigMap or a Secret whose data is larger; a fifth is left for what comes next.
CONFIG_MAP_BYTES, SHARE = 1024 * 1024, 0.8
_ALLOWED = int(CONFIG_MAP_BYTES * SHARE)
# FATE's nginx router keeps its table in an LRU cache of this size, filled anew every five seconds: with more entries, some are
# always missing (route_table.lua, FATE 1.x and 2.x).
NGINX_ROUTES = 500
# Pulumi's Python host hands all configuration to the program in one environment variable, of which Linux takes this (MAX_ARG_STRLEN):
# else `pulumi` ends with `argument list too long`.
CONFIG_BYTES, _VARIABLE = 128 * 1024, "PULUMI_CONFIG="
_JSON_ENTRY = re.compile(r' {4}"[^"]*": \{')
_MOVE = "move fate:peers into a file of its own: `fatefed peers move`"


def oversized_config(config: Mapping[str, Any], place: str) -> Iterator[Problem]:
    """A problem when Pulumi could not start with the configuration of a stack file. `config`: all that stands under `config:`."""
    if (size := _config_bytes(config, encrypted=False)) > CONFIG_BYTES:
        yield Problem(place, f"holds {size} bytes of configuration: Linux lets Pulumi hand {CONFIG_BYTES} to the program", _MOVE)


def config_warnings(config: Mapping[str, Any]) -> Iterator[Finding]:
    """The warning of a configuration that is nearly too large for Pulumi."""
    size = _config_bytes(config, encrypted=True)
    if size > CONFIG_BYTES * SHARE:
        text = f"the configuration has about {size} of the {CONFIG_BYTES} bytes that Linux lets Pulumi hand to the program:"
        yield warning("", text, _MOVE)


def _config_bytes(config: Mapping[str, Any], *, encrypted: bool) -> int:
    """The size of the variable. A secret counts with what is written of it, which is longer than what it says, or not at all."""
    try:
        handed = {str(key): _handed(value, encrypted) for key, value in config.items()}
        texts = {key: value if isinstance(value, str) else _json(value) for key, value in handed.items()}
    except (RecursionError, ValueError):  # an alias to itself, which other rules name
        return 0
    return len(_VARIABLE) + len(_json(texts).encode()) + 1


def _handed(value: Any, encrypted: bool) -> Any:
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"secure"}:
        return value["secure"] if encrypted else ""
    return {str(key): _handed(each, encrypted) for key, each in value.items()}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def oversized(plan: StackPlan, place_of: PlaceOf) -> Iterator[Problem]:
    """A problem for each object of routes or trust that would not work."""
    for unit in plan.units:
        yield from _too_many_authorities(unit, place_of)
        for manifest in unit.routes:
            files: Mapping[str, str] = manifest.fields["data"]
            yield from _too_large(unit, manifest.name, files, place_of)
            yield from _too_many(unit, files.get("route_table.yaml", ""), place_of)


def _too_large(unit: UnitPlan, name: str, files: Mapping[str, str], place_of: PlaceOf) -> Iterator[Problem]:
    size = sum(len(file.encode()) + len(text.encode()) for file, text in files.items())
    if size > _ALLOWED:
        parties = max(_entries(text) for text in files.values())
        yield Problem(
            place_of(("peers",)),
            f"ConfigMap {unit.namespace}/{name} would hold {size} bytes with routes to {parties} parties: Kubernetes takes "
            f"{CONFIG_MAP_BYTES}, this program at most {_ALLOWED}, which is about {parties * _ALLOWED // size} parties",
            "retire peers that left, or split the federation",
        )


def _too_many_authorities(unit: UnitPlan, place_of: PlaceOf) -> Iterator[Problem]:
    trusted = {} if unit.tls is None else unit.tls.trusted
    # Each twice: in the file of its party, and in the one of all.
    size, parties = 2 * sum(len(authority.encode()) for authorities in trusted.values() for authority in authorities), len(trusted)
    if size > _ALLOWED:
        yield Problem(
            place_of(("peers",)),
            f"Secret {unit.namespace}/{PULSAR_CERTIFICATE} would hold {size} bytes of CAs of {parties} parties: Kubernetes takes "
            f"{CONFIG_MAP_BYTES}, this program at most {_ALLOWED}, which is about {parties * _ALLOWED // size} parties",
            "name fate:collaborations, so that only their members' CAs are trusted; replace CAs a few at a time; or split the federation",
        )


def _too_many(unit: UnitPlan, table: str, place_of: PlaceOf) -> Iterator[Problem]:
    routes = _entries(table)
    if routes > NGINX_ROUTES:
        yield Problem(
            place_of(("peers",)),
            f"nginx of {unit.key} would have {routes} routes: FATE's router remembers {NGINX_ROUTES} and loses others at random",
            f"split the federation, to at most {NGINX_ROUTES} parties with the retired ones; rollsite and OSX have no such limit",
        )


def _entries(text: str) -> int:
    """The parties of a route file: keys without indentation in YAML, with four spaces in JSON, server names in sni.yaml."""
    return sum(
        (line[:1] not in " #s" and line.endswith(":")) or line.startswith("  - fqdn:") or _JSON_ENTRY.match(line) is not None
        for line in text.splitlines()
    )
