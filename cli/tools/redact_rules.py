"""What a secret looks like in a text: names that say so, forms of tokens and keys, and the lines that belong to a name above them."""

import base64
import binascii
import re
from collections.abc import Iterator

REDACTED = "<redacted>"
_LONGEST = 4000  # characters of a line: tracebacks and queries are shorter, and what is shown was looked at
_KEYS = r"api|access|private|app|client|ssh|secret|encryption|signing|account|master|shared|storage|session"
_WORD = (
    rf"pass(?:word|wd|phrase|code)?|pwd|secret|token|(?:{_KEYS})[_-]?key|credentials?|authorization|cookie|jwt|session[_-]?id|jsessionid"
    r"|connection[_-]?string|dockerconfigjson|dockercfg|_auth"
)
# A name that says that its value is a secret; of a number and of what is below only when it ends so: `tokenSeconds` holds none.
SECRET_NAME = re.compile(rf"(?i){_WORD}|\bauth\b")
SECRET_END = re.compile(rf"(?i)(?:{_WORD})s?$")
# Names whose value names a secret without being one.
REFERENCES = frozenset(
    {
        *("secretName", "credentialName", "imagePullSecrets", "tlsSecret", "kubernetesSecret", "secret", "secretKeyRef", "secretRef"),
        *("pullSecret", "secrets", "serviceAccountToken", "privateKeySecretRef", "name", "key", "path", "optional", "mountPath"),
    }
)
OPTION = re.compile(rf"(?i)--?[\w-]{{0,60}}(?:{_WORD})[\w-]{{0,60}}")

# Quotes, also escaped in a text inside a text, in HTML and in URLs.
_QUOTE = r"""(?: \\{0,9}["'] | &quot; | &\#34; | %22 | \\u0022 )"""
_NEXT = r"""[\s"'] | $ | [\w."'-]{1,60}\s{0,3}[=:]"""
_VALUE = rf"""
    (?P<q>{_QUOTE}) (?: \\. | (?!(?P=q)) . )*? (?:(?P=q)|$)
  | (?:bearer|basic|digest|token|apikey|negotiate) \s+ [^\s,;"']+
  | (?![\[{{]) (?: [^\s"'<>,;&)}}\]] | [,;&)}}\]] (?!{_NEXT}) )+
"""
_IS = r"(?: => | -> | := | == | [:=] | %3D | %3A )"
_NAMED = re.compile(rf"(?ix) ( (?: {_WORD} | \bauth\b ) [\w.-]{{0,60}} {_QUOTE}? \s{{0,9}} {_IS} \s{{0,9}} ) (?: {_VALUE} )")
_CALLED = re.compile(r"""(?ix) ( pass(?:word|wd)? [\w.-]{0,60} (?: \s{0,3} \( \s{0,3} | [ ] ) ) (?P<q>['"]) [^'"]* (?P=q)""")
_TABBED = re.compile(rf"""(?ix) ( (?: {_WORD} ) [\w.-]{{0,60}} ["']? [ ]{{0,9}} \t \s{{0,9}} ) (?: {_VALUE} )""")
_OPTIONS = re.compile(
    rf"""(?ix) ( (?<![\w-]) --?[\w-]{{0,60}} (?: {_WORD} ) [\w-]{{0,60}} (?: ["']? \s{{0,9}} , \s{{0,9}} | \s{{1,9}} ) ) (?: {_VALUE} )"""
)
_HEADER = re.compile(r"""(?i)((?:authorization|cookie)["']?\s{0,9}[:=]\s{0,9})(?!<redacted>$)(?:"[^"]*"|'[^']*'|[^"'\n]+)""")
# A line of a file of settings: all of it that follows the name.
_SETTING = re.compile(rf"""(?ix) ^ ( \s* (?:-\s+|export\s+)? [\w./-]{{0,80}} (?:{_WORD}) [\w./-]{{0,60}} \s{{0,9}} [:=] \s{{0,9}} )
    (?! <redacted> ["'\s,;)}}\]]* $ ) [^\s"'{{\[] .* $""")
_NETRC = re.compile(r"(?i)(\blogin\s+\S+\s+password\s+)\S+")
_SET_PASSWORD = re.compile(r"""(?i)(set\s+password\s+for\s+\S+\s{0,9}=\s{0,9})(?:"[^"]*"|'[^']*'|\S+)""")
_BY_NAME = (_HEADER, _NAMED, _CALLED, _TABBED, _OPTIONS, _SETTING, _NETRC, _SET_PASSWORD)
_IDENTIFIED = re.compile(r"""(?i)(identified\s+(?:with\s+\S+\s+)?(?:by|as)\s+)(?:"[^"]*"|'[^']*'|\S+)""")
_PORT = r"\d{1,5}(?:[/?#\s]|$)"
_URL = re.compile(rf"""(://[^\s/:@"'<>]*):(?!{_PORT})[^\s"'<>]*@""")
_DSN = re.compile(r"""(\b[\w.-]{1,60}):[^\s@/"']+(@(?:tcp|unix)\()""")
# Programs that take a password without a name before it.
_PROGRAMS = re.compile(
    r"""(?x) ( \bsshpass\s+-p\s* | \b(?:docker|podman|registry|oc|az)\s+login\b.*?\s-p[\s=]* | \bredis-cli\b.*?\s-a\s+
    | \brabbitmqctl\b.*?\s(?:add_user|change_password|authenticate_user)\s+\S+\s+ | \bhtpasswd\s+-\S*b\S*\s+(?:\S+\s+)?\S+\s+
    | \b(?:curl|wget)\b.*?\s(?:-u|--user)[\s=]*["']?[^\s:"']+: | \bmysql\w*\b.*?\s-p(?=\S) ) ["']?[^\s"']+"""
)
_XML = re.compile(
    rf"(?is)(<([\w:.-]{{0,60}}(?:{_WORD})[\w:.-]{{0,60}})(?:\s[^<>]{{0,400}})?>)(?:<!\[CDATA\[.{{0,4000}}?\]\]>|[^<]{{1,4000}})(?=\s*</\2)"
)
_XML_PAIR = re.compile(rf"(?is)(<name>[^<]{{0,200}}(?:{_WORD})[^<]{{0,100}}</name>\s*<value>)[^<]*")
_TRIPLE = re.compile(rf"""(?is)((?:{_WORD})[\w.-]{{0,60}}\s{{0,9}}=\s{{0,9}})(\"\"\"|\'\'\').*?\2""")
_TOKENS = re.compile(
    r"""(?x) \b(?: gh[opsur]_[A-Za-z0-9]{20,} | github_pat_\w{20,} | gl(?:pat|rt|dt|cbt)-[\w-]{16,} | (?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}
    | xox[abeoprs]-[\w-]{10,} | sk-[\w-]{20,} | sk_live_\w{16,} | AIza[\w-]{30,} | ya29\.[\w-]{20,} | hv[bsr]\.[\w-]{20,}
    | npm_[A-Za-z0-9]{30,} | pypi-[\w-]{30,} | dckr_pat_[\w-]{20,} | dop_v1_\w{30,} | SG\.[\w-]{16,}\.[\w-]{16,} | pul-[0-9a-f]{40}
    | AGE-SECRET-KEY-1\w{20,} | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)* )
    | \$(?:1|2[abxy]?|5|6|7|y|apr1|argon2id?|scrypt)\$[^\s"',:]{8,}"""
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_BASE64 = re.compile(r"(?<![\w+/])[A-Za-z0-9+/_-]{40,}(?:(?:\\n|\r?\n[ \t]*)[A-Za-z0-9+/_-]{2,})*={0,2}")
# A private key's DER: a sequence that begins with its version, where a certificate and a public key have a sequence.
_DER = re.compile(rb"(?s)\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01[\x00\x01][\x02\x04\x30]")
_KEY_BEGINS, _KEY_ENDS = re.compile(r"-{4,5} ?BEGIN [A-Z0-9 ]*PRIVATE KEY"), re.compile(r"-{4,5} ?END [A-Z0-9 ]*PRIVATE KEY")

_LEAD = r"(?P<lead> (?:\[pod/[^\]]*\][ ])? ) (?P<indent>\s*(?:-\s+)*)"
HOLDS_SECRET = re.compile(r"""\bkind\W{1,5}Secret\b""")
_HEAD = re.compile(rf"""(?ix) ^ {_LEAD} (?:\?\s+)? ["']?
    (?P<name> --?[\w-]{{0,60}}(?:{_WORD})[\w-]{{0,60}} | [\w./-]{{0,80}} (?:{_WORD}) [\w./-]{{0,60}} | stringData | data ) ["']? \s{{0,9}}
    (?: [:=] \s* (?P<mark> (?:[!&]\S+\s*)* (?:[|>][-+\d]*)? | \\ | \[ )? \s* (?:\#.*)? )? $""")
_CHILD = re.compile(r"""(?x) ^ (?P<start> \s* (?:-\s+)* ["']? (?P<name>[\w./-]+) ["']? \s* : \s+ ) (?P<value>\S.*) $""")
_PAIR = re.compile(rf"""(?ix) ^ {_LEAD} name \s* : \s* ["']? [\w.-]{{0,80}} (?:{_WORD})""")


def redacted_lines(text: str) -> str:
    """A text without what looks like a secret, by its words alone."""
    for whole in (_XML, _XML_PAIR, _TRIPLE):
        text = whole.sub(rf"\g<1>{REDACTED}", text)
    holds = HOLDS_SECRET.search(text) is not None
    text = "\n".join(_line(line) for line in _below_names(_without_keys(text.split("\n")), holds))
    return _BASE64.sub(_unless_private, text)


def _unless_private(match: re.Match[str]) -> str:
    """What base64 holds, unless it is a private key, in PEM or DER."""
    encoded = re.sub(r"\\n|\s", "", match[0]).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        plain = base64.b64decode(encoded[: len(encoded) // 4 * 4])
    except (binascii.Error, ValueError):
        return match[0]
    return REDACTED if b"PRIVATE KEY" in plain or _DER.match(plain) else match[0]


def _without_keys(lines: list[str]) -> Iterator[str]:
    """The lines without private keys in PEM; one that does not end takes the rest with it."""
    inside = False
    for line in lines:
        begins = _KEY_BEGINS.search(line)
        if begins and not inside:
            inside = True
            yield line[: begins.start()] + REDACTED
        elif not inside:
            yield line
        if inside and _KEY_ENDS.search(line):
            inside = False


def _below_names(lines: Iterator[str], secret: bool) -> Iterator[str]:
    """The lines without values that stand below their name: block scalars, lists, values of a pair, arguments of an option.

    `secret`: the text holds a Secret of Kubernetes, whose data have any names.
    """
    above: re.Match[str] | None = None
    for line in lines:
        if above is not None:
            kept = _below(line, above)
            if kept is not None:
                yield kept
                above = None if _ends(above, line) else above
                continue
        known = secret or SECRET_NAME.search(line) is not None
        above = _HEAD.match(line) or _PAIR.match(line) if known else None
        above = None if above is not None and above.groupdict().get("name") == "data" and not secret else above
        yield line


def _ends(above: re.Match[str], line: str) -> bool:
    """Whether nothing below the line belongs to the name any more: an option has one argument, and a line goes on by a backslash."""
    if above.re is _PAIR or above["name"].startswith("-"):
        return True
    return above["mark"] == "\\" and not line.endswith("\\")


def _below(line: str, above: re.Match[str]) -> str | None:
    """A line below a name, without its value; None when it does not belong there."""
    rest = line.removeprefix(above["lead"])
    child, deep, edge = _CHILD.match(rest), len(rest) - len(rest.lstrip()), len(above["indent"])
    hidden = None if child is None else f"{above['lead']}{child['start']}{REDACTED}"
    if above.re is _PAIR:
        return hidden if child is not None and child["name"] == "value" else None
    name, mark = above["name"], above["mark"] or ""
    if name.startswith("-"):
        edge -= len("- ")
    same = deep == edge and rest.lstrip().startswith(("-", ":", "]"))
    if rest.strip() and not (deep > edge or same or mark == "\\"):
        return None
    if name in REFERENCES and not mark:
        return None
    if child is not None and "|" not in mark and ">" not in mark:
        return line if child["name"] in REFERENCES or child["value"][0] in "{[" else hidden
    if not rest.strip() or rest.strip() in ("]", ":") or rest.rstrip().endswith(":"):
        return line
    return f"{above['lead']}{rest[:deep]}{REDACTED}"


def _line(line: str) -> str:
    line = line if len(line) <= _LONGEST else f"{line[:_LONGEST]} <cut>"
    if "@" in line:
        line = _URL.sub(rf"\1:{REDACTED}@", line)
        line = _DSN.sub(rf"\1:{REDACTED}\2", line)
    for pattern in (*(_BY_NAME if SECRET_NAME.search(line) else ()), _IDENTIFIED, _PROGRAMS):
        line = pattern.sub(rf"\g<1>{REDACTED}", line)
    line = _BEARER.sub(rf"\1 {REDACTED}", line)
    return _TOKENS.sub(REDACTED, line)
