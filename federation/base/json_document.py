"""A JSON document that a stranger sent: bounded, strict, and free of secrets before anything looks at its meaning."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from federation.base.errors import Problem, escaped

# A descriptor is about 1 KiB, with certificates a few more; what is much larger is not one, and is refused unread.
MAX_BYTES = 256 * 1024
# The payload of a signed descriptor with certificates is the longest text.
_MAX_TEXT = 64 * 1024
# Of a problem's sentence: it may quote what was sent.
_MAX_SENTENCE = 300
_SECRET_LIKE = re.compile(r"passw|secret|token|privatekey|private_key|credential|apikey|api_key|keytab", re.IGNORECASE)
# More is noise: the first few tell what kind of file it is.
MAX_PROBLEMS = 20
ASK = "ask the peer for the output of `fatefed descriptor export`"
AGAIN = "ask the peer to export it again, with `fatefed descriptor export`"
# How JSON begins, and a file that lost all of it; what to do when the rest is not JSON.
_BEGINNINGS = (b"{", b"[", b"")
_AGAIN = "fetch the file again: it may be truncated, or its lines were wrapped on the way"

Problems = tuple[Problem, ...]


def read_json(content: bytes, place: str) -> dict[str, Any] | Problems:
    """The object that the bytes hold, or all that speaks against reading them. Never raises, and takes well under a second."""
    if len(content) > MAX_BYTES:
        return (Problem(place, f"{len(content)} bytes is far more than a descriptor", ASK),)
    try:
        data = json.loads(content.decode("utf-8"), object_pairs_hook=_without_repetition, parse_constant=_no_constant)
        secrets = sorted(_secret_like(data))
        unreadable = next(_unreadable(data), None)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        remedy = _AGAIN if content.lstrip()[:1] in _BEGINNINGS else f"this is another file: {ASK}"
        return (Problem(place, f"not a whole JSON document ({_reason(error)})", remedy),)
    if not isinstance(data, dict):
        return (Problem(place, "not a JSON object", ASK),)
    if unreadable is not None:
        return (Problem(place, unreadable, ASK),)
    remedy = "tell the peer, who must replace that secret; do not use this file"
    return bounded(Problem(f"{place} {path}", "looks like a secret; a descriptor never holds one", remedy) for path in secrets) or data


def bounded(problems: Iterable[Problem]) -> Problems:
    """The first few problems, none of them long."""
    return tuple(Problem(_short(p.place), _short(p.problem), _short(p.remedy)) for p in itertools.islice(problems, MAX_PROBLEMS))


def _short(sentence: str) -> str:
    # Keys of what was sent are part of places.
    return escaped(sentence if len(sentence) <= _MAX_SENTENCE else f"{sentence[:_MAX_SENTENCE]}...")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers could take two values of one key: one signature would then cover two meanings."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is written twice")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _unreadable(data: Any) -> Iterator[str]:
    """What nobody could read on a terminal; line ends are those of certificates."""
    for text in _texts(data):
        if len(text) > _MAX_TEXT:
            yield f"a text of {len(text)} characters: no descriptor needs one that long"
        elif not text.replace("\n", "").isprintable():
            yield "holds characters that cannot be printed"


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)


def _secret_like(data: Any, path: str = "") -> set[str]:
    if isinstance(data, dict):
        named = {f"{path}{key}" for key in data if _SECRET_LIKE.search(str(key))}
        return named.union(*(_secret_like(value, f"{path}{key}.") for key, value in data.items())) if data else named
    if isinstance(data, list):
        return set().union(*(_secret_like(value, f"{path}{index}.") for index, value in enumerate(data)))
    return {path.rstrip(".")} if isinstance(data, str) and "PRIVATE KEY" in data else set()
