"""Taking secrets out of texts and objects before they leave the organization. What looks like a secret goes, whether it is one or not.

By structure where there is one (objects, texts that are YAML or JSON), then by words (`cli.tools.redact_rules`).
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from cli.tools.redact_rules import HOLDS_SECRET, OPTION, REDACTED, REFERENCES, SECRET_END, SECRET_NAME, redacted_lines
from federation.base.yaml_file import FastLoader, is_bomb

# Characters of a text that is read as YAML: a configuration file is smaller, a log larger.
_MOST = 64 * 1024
# Characters of a line that is looked into, and how many brackets of it may be where an object begins.
_LONGEST, _OPENINGS = 4000, 5
# A name before a bracket.
_NAME = re.compile(r"""([\w.-]{1,80})["']?\s{0,9}[:=]\s{0,9}$""")


def redacted_text(text: str) -> str:
    """A text without what looks like a password, a token or a private key. What is YAML or JSON keeps its form."""
    return redacted_lines(_structured(text))


def redacted_object(data: Any, *, below: bool = False) -> Any:
    """Nested data without secrets: contents of Secrets, values under names that say so, and whatever texts hold.

    `below`: it stands below such a name.
    """
    if isinstance(data, dict):
        if data.get("kind") == "Secret":
            held = {key: data[key] for key in ("data", "stringData") if data.get(key)}
            hidden = {key: dict.fromkeys(value, REDACTED) if isinstance(value, dict) else REDACTED for key, value in held.items()}
            return {**{key: redacted_object(value) for key, value in data.items()}, **hidden}
        named = next((data[key] for key in ("name", "key", "Name", "Key") if isinstance(data.get(key), str)), "")
        pair = {"value", "Value"} & data.keys() if SECRET_NAME.search(named) else set()
        return {key: REDACTED if key in pair and data[key] else _under(key, value, below) for key, value in data.items()}
    if isinstance(data, list | tuple):
        named_before = [False, *(isinstance(item, str) and OPTION.fullmatch(item) is not None for item in data)]
        return [redacted_object(item, below=below or after) for item, after in zip(data, named_before, strict=False)]
    if below and isinstance(data, str | int | float) and not isinstance(data, bool):
        return REDACTED
    return redacted_text(data) if isinstance(data, str) else data


def _under(key: Any, value: Any, below: bool) -> Any:
    if key in REFERENCES:
        return redacted_object(value)
    named = SECRET_NAME if isinstance(value, str) else SECRET_END
    return redacted_object(value, below=below or named.search(str(key)) is not None)


def _structured(text: str) -> str:
    """A text without the values that structure says are secrets: its own where it is YAML, and of the JSON that its lines hold."""
    if SECRET_NAME.search(text) is None:
        return text
    cleaned = None if len(text) > _MOST or "\n" not in text else _without_secrets(text)
    named = re.compile(rf"{SECRET_NAME.pattern}|\b(?:data|stringData)\b") if HOLDS_SECRET.search(text) else SECRET_NAME
    return "\n".join(_line(line, named) for line in (cleaned or text).split("\n"))


def _line(line: str, named: re.Pattern[str]) -> str:
    """A line without the secrets of the object or the list in it, which a message or a name may precede. `named`: names of secrets."""
    end = max(line.rfind("}"), line.rfind("]")) + 1
    if not end or len(line) > _LONGEST or named.search(line) is None:
        return line
    for begin in [place for place, letter in enumerate(line[:end]) if letter in "{["][:_OPENINGS]:
        name = _NAME.search(line[:begin])
        below = name is not None and name[1] not in REFERENCES and named.search(name[1]) is not None
        if (cleaned := _without_secrets(line[begin:end], below=below)) is not None:
            return line[:begin] + cleaned + line[end:]
    return line


def _without_secrets(text: str, *, below: bool = False) -> str | None:
    """A YAML or JSON text without its secrets; None when it is neither. `below`: it stands below a name that says so."""
    try:
        # JSON may be indented by tabs, YAML may not; every place stays where it was.
        nodes = [node for node in yaml.compose_all(text.replace("\t", " "), Loader=FastLoader) if node is not None]
        spans = sorted({span for node in nodes if not is_bomb(node) for span in _secrets(node, below=below)}, reverse=True)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    for start, end in spans:
        last = "\n" if text[start:end].endswith("\n") else ""
        text = f"{text[:start]}{REDACTED}{last}{text[end:]}"
    return text


def _secrets(node: yaml.Node, *, below: bool = False) -> Iterator[tuple[int, int]]:
    """Where the secrets of a document stand: what `redacted_object` takes from the same data."""
    if isinstance(node, yaml.SequenceNode):
        before = False
        for item in node.value:
            yield from _secrets(item, below=below or before)
            before = isinstance(item, yaml.ScalarNode) and OPTION.fullmatch(item.value) is not None
    elif isinstance(node, yaml.MappingNode):
        names = {str(key.value): value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
        plain = {key: value.value for key, value in names.items() if isinstance(value, yaml.ScalarNode)}
        secret = plain.get("kind") == "Secret"
        paired = next((plain[key] for key in ("name", "key", "Name", "Key") if key in plain), "")
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            inner = secret and name in ("data", "stringData")
            inner = inner or (name in ("value", "Value") and SECRET_NAME.search(paired) is not None)
            yield from _secrets(value, below=inner or _is_below(name, value, below))
    elif below and node.value and not node.tag.endswith((":bool", ":null")):
        yield int(node.start_mark.index), int(node.end_mark.index)


def _is_below(name: str, value: yaml.Node, below: bool) -> bool:
    text = isinstance(value, yaml.ScalarNode) and not value.tag.endswith((":int", ":float"))
    return name not in REFERENCES and (below or (SECRET_NAME if text else SECRET_END).search(name) is not None)
