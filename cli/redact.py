"""Taking secrets out of texts and objects before they leave the organization. What looks like a secret goes, whether it is one or not."""

import re
from collections.abc import Iterator
from typing import Any

REDACTED = "<redacted>"
_LONGEST = 4000  # characters of a line: tracebacks and queries are shorter, and what is shown was looked at
_WORD = r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|app[_-]?key|credentials?|authorization|cookie"
# `password=x`, `"password": "x"`, also escaped inside a JSON text, `password => x`.
_VALUE = r"""\\"(?:[^"\\]|\\(?!"))*\\" | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | (?:bearer|basic|digest)\s+[^\s,;]+ | [^\s,;&"')}\]]+"""
_NAMED = re.compile(rf"""(?ix) ( (?: {_WORD} ) [\w.-]{{0,60}} \\?["']? \s{{0,9}} (?: => | [:=] ) \s{{0,9}} ) ( {_VALUE} )""")
_OPTION = re.compile(rf"""(?ix) ( --[\w-]{{0,60}} (?: {_WORD} ) [\w-]{{0,60}} \s{{1,9}} ) ( {_VALUE} )""")
_URL = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?")
_IDENTIFIED = re.compile(r"""(?i)(identified\s+(?:with\s+\S+\s+)?by\s+)(?:"[^"]*"|'[^']*'|\S+)""")
_MYSQL = re.compile(r"(\s-p)(?!\s)[^\s]+")
_KEY_BEGINS, _KEY_ENDS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"), re.compile(r"-----END [A-Z ]*PRIVATE KEY")
_SECRET_NAME = re.compile(rf"(?i){_WORD}")
# Keys whose value names a secret without being one.
_REFERENCES = frozenset({"secretName", "credentialName", "imagePullSecrets", "tlsSecret", "kubernetesSecret", "secret", "secretKeyRef"})


def redacted_text(text: str) -> str:
    """A text without what looks like a password, a token or a private key."""
    return "\n".join(_lines(text.split("\n")))


def redacted_object(data: Any) -> Any:
    """Nested data without secrets: contents of Secrets, values under names that say so, and whatever texts hold."""
    if isinstance(data, dict):
        if data.get("kind") == "Secret":
            return {key: dict.fromkeys(value or {}, REDACTED) if key in ("data", "stringData") else value for key, value in data.items()}
        named = data.get("name")
        if isinstance(named, str) and isinstance(data.get("value"), str) and _SECRET_NAME.search(named):
            return {**{key: redacted_object(value) for key, value in data.items()}, "value": REDACTED}
        return {key: _under(key, value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [redacted_object(item) for item in data]
    return redacted_text(data) if isinstance(data, str) else data


def _under(key: Any, value: Any) -> Any:
    says_so = isinstance(value, str) and key not in _REFERENCES and _SECRET_NAME.search(str(key))
    return REDACTED if says_so else redacted_object(value)


def _lines(lines: list[str]) -> Iterator[str]:
    inside = False
    for line in lines:
        begins = _KEY_BEGINS.search(line)
        if begins and not inside:
            inside = True
            yield line[: begins.start()] + REDACTED
        elif not inside:
            yield _line(line)
        if inside and _KEY_ENDS.search(line):
            inside = False


def _line(line: str) -> str:
    line = line if len(line) <= _LONGEST else f"{line[:_LONGEST]} <cut>"
    for pattern in (_NAMED, _OPTION):
        line = pattern.sub(rf"\1{REDACTED}", line)
    line = _URL.sub(rf"\1:{REDACTED}@", line)
    line = _BEARER.sub(rf"\1 {REDACTED}", line)
    line = _IDENTIFIED.sub(rf"\1{REDACTED}", line)
    line = _MYSQL.sub(rf"\1{REDACTED}", line) if "mysql" in line else line
    return _JWT.sub(REDACTED, line)
