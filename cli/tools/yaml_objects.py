"""One Kubernetes object as a YAML file: always the same bytes for the same object."""

import re
from typing import Any

import yaml

_FIRST = ("apiVersion", "kind", "metadata")
# What Go's YAML readers take for a number and PyYAML's writer leaves unquoted: 1e06, 0o17.
_NUMBER_ELSEWHERE = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)|0o[0-7]+")


class _Dumper(yaml.SafeDumper):
    """Long texts as blocks, nothing folded, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else ('"' if _NUMBER_ELSEWHERE.fullmatch(text) else None)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def object_text(document: dict[str, Any]) -> str:
    """The object as YAML: apiVersion, kind, metadata, then the rest by name; below that every key by name."""
    order = [*(key for key in _FIRST if key in document), *sorted(document.keys() - set(_FIRST))]
    return yaml.dump({key: _sorted(document[key]) for key in order}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


def _sorted(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data)}
    return [_sorted(item) for item in data] if isinstance(data, list | tuple) else data
