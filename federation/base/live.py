"""Values that exist only after an apply: the addresses of Services. In a plan each is a marker inside plain text.

A plan stays printable, diffable and free of Pulumi: components replace the markers with what the cluster answers,
and `fatefed render` leaves them in place.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MARKER = re.compile(r"<known-after-up:([a-z0-9-]+)/([a-z0-9-]+)\.(clusterIP|loadBalancer)>")


@dataclass(frozen=True, order=True)
class LiveValue:
    """One address of a Service: its clusterIP, or the first address its load balancer was given."""

    namespace: str
    service: str
    field: str

    def __str__(self) -> str:
        return f"<known-after-up:{self.namespace}/{self.service}.{self.field}>"


def live_values(data: Any) -> frozenset[LiveValue]:
    """Every marker in a text or in nested dicts, lists and tuples of texts."""
    return frozenset(LiveValue(namespace, service, field) for text in _texts(data) for namespace, service, field in _MARKER.findall(text))


def substitute(data: Any, values: Mapping[LiveValue, str]) -> Any:
    """A copy of the data with each marker replaced. KeyError for a marker without a value."""
    if isinstance(data, str):
        return _MARKER.sub(lambda match: values[LiveValue(match[1], match[2], match[3])], data)
    if isinstance(data, Mapping):
        return {key: substitute(value, values) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [substitute(value, values) for value in data]
    return data


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _texts(value)
