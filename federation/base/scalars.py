"""The small words of the configuration, each with its limits and where a limit comes from."""

import ipaddress
import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

# Whoever connects: said on purpose.
ANYONE = "anyone"
# RFC 1123 label, the limit of Kubernetes namespaces and Service names.
_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
# What resolvers take for an IPv4 address, in one of its old spellings: 127.1, 0x7f000001.
_NUMBER = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)$")
_DNS_NAME = re.compile(r"^(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
# Kubernetes' resource.Quantity without exponents: what operators write for cpu, memory and claims.
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$"
# Docker's reference grammar: a tag, and a sha256 digest.
_TAG = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
_DIGEST = r"^sha256:[0-9a-f]{64}$"
_ENV_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_SHA256 = r"^[0-9a-f]{64}$"
_PARTY_ID = r"^[1-9][0-9]{0,9}$"
_WORD = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,31}$"
# Segments begin with a letter or digit: the API server refuses `//`, `/./` and `/../`.
_PATH = r"^/([A-Za-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9][A-Za-z0-9._~-]*)*)?$"
_WHOLE = r"^[0-9]{1,4}$"
# Where Kubernetes mounts a volume, and a path inside one: no colon, no way out.
_MOUNT_PATH = r"^/[^:]*[^/:]$"
_SUB_PATH = r"^[^/:][^:]*$"
# Docker's reference grammar: an optional registry with its port, then a path in lower case; and a tag behind it.
_REPOSITORY = r"^([A-Za-z0-9.-]+(:[0-9]{1,5})?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*$"
_REGISTRY = r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9]+([._/-]+[a-z0-9]+)*)?/?$"
_UPSTREAM = _REPOSITORY.removesuffix("$") + ":" + _TAG.removeprefix("^")
# Behind the prefix `extra-`, within a label.
_VOLUME_NAME = r"^[a-z0-9]([-a-z0-9]{0,55}[a-z0-9])?$"
_FINGERPRINT = r"^SHA256:[A-Za-z0-9+/]{43}$"
# Of the Pulumi CLI: organization, project and stack, in full.
_STACK = r"^[A-Za-z0-9_.-]{1,100}(/[A-Za-z0-9_.-]{1,100}){2}$"
_UNIT = r"^[a-z]+(-[a-z]+)*(-[1-9][0-9]{0,9})?$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
# What MySQL takes unquoted, and what no file that holds a name has to escape.
_DATABASE = r"^[A-Za-z0-9_]{1,64}$"
_USER = r"^[A-Za-z0-9_.-]{1,32}$"
_SPARK_MASTER = r"^spark://[A-Za-z0-9.-]+:[0-9]{1,5}(,[A-Za-z0-9.-]+:[0-9]{1,5})*$"
_NAME_NODE = r"^hdfs://[A-Za-z0-9.-]+:[0-9]{1,5}$"
_FOLDER = r"^(/[A-Za-z0-9._-]+)+$"
_PROGRAM = r"^[A-Za-z0-9/._-]{1,255}$"
_REASON = r"^[^\r\n]{1,200}$"
_ORDINAL = r"^[1-9][0-9]{0,4}$"
_UID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_PORT_RANGE = r"^[0-9]{1,5}-[0-9]{1,5}$"
_FILE = r"^/[^\n:]+$"
_SQL_NAME = r"^[A-Za-z0-9_.-]{1,63}$"
_CLASS = r"^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)+$"
_URL = r"^https?://[^\s\\]+$"
_KIND = r"^[A-Z][A-Za-z0-9]{0,62}$"
# A method and a path in which `*` is one part: all else stands for itself, also inside a regular expression.
_CALL = r"^(GET|POST) (/([A-Za-z0-9][A-Za-z0-9_-]*|\*))+$"
_HOST_PORT = r"^[A-Za-z0-9.-]+:[0-9]{1,5}$"
# What a value that does not match its pattern should have been.
PATTERNS_IN_WORDS = {
    _LABEL: "a name of lower-case letters, digits and '-', at most 63 characters",
    _QUANTITY: "an amount such as 500m, 2 or 4Gi",
    _TAG: "an image tag",
    _DIGEST: "an image digest, sha256: and 64 hexadecimal digits",
    _ENV_NAME: "a name of an environment variable",
    _SHA256: "a sha256 of 64 hexadecimal digits",
    _WORD: "one plain word of at most 32 characters",
    _WHOLE: "a whole number",
    _MOUNT_PATH: "an absolute path without ':', such as /data/models",
    _SUB_PATH: "a relative path without ':', such as models/current",
    _REPOSITORY: "registry, path and name of an image, without https://, tag and digest, such as registry.example:5000/fate/mysql",
    _REGISTRY: "a registry with an optional path, without https:// and without tag, such as registry.example:5000/fate",
    _UPSTREAM: "an image as upstream names it, with its tag, such as federatedai/fateflow:1.11.2-release",
    _VOLUME_NAME: "a name of lower-case letters, digits and '-', at most 57 characters",
    _PATH: "a path such as /tools/board",
    _FINGERPRINT: "a fingerprint, SHA256: and 43 letters and digits",
    _STACK: "the full name of a stack, ORGANIZATION/PROJECT/STACK; in a file, S3 or other backend of your own ORGANIZATION is the word "
    "organization, such as organization/fate/bank-a",
    _UNIT: "a unit such as party-9999 or exchange",
    _DAY: "a day such as 2027-01-31",
    _DATABASE: "a name of letters, digits and '_'",
    _USER: "a name of letters, digits, '_', '.' and '-', at most 32 characters",
    _SPARK_MASTER: "an address such as spark://spark.bank-a.example:7077; more masters follow as ,HOST:PORT",
    _NAME_NODE: "an address with its port such as hdfs://namenode.bank-a.example:8020",
    _FOLDER: "an absolute path such as /fate",
    _PROGRAM: "a path of letters, digits, '/', '.', '_' and '-'",
    _KIND: "a kind of Kubernetes objects, such as Issuer",
    _REASON: "one line of at most 200 characters",
    _ORDINAL: "a number such as 1 or 2",
    _UID: "a UID such as 5f3c1e0a-7b1d-4c55-9a3e-2f6d8c4b7a10",
    _PORT_RANGE: "a range of ports such as 30000-32767",
    _FILE: "an absolute path without ':'",
    _SQL_NAME: "a name of letters, digits, '_', '.' and '-', at most 63 characters",
    _CLASS: "the full name of a Java class, such as com.webank.ai.fate.serving.adaptor.dataaccess.HttpAdapter",
    _CALL: "a method and a path such as POST /v1/party/*/*/*/start",
    _URL: "an address such as https://features.bank-a.example/v1",
}


# Of one endpoint: each is a line of a route file, or a rule of a policy, of every member.
MAX_ADDRESSES = 16


def _cidr(value: str) -> str:
    try:
        ipaddress.ip_network(value)
        # Kubernetes takes neither a bare address nor a mask.
        right = re.fullmatch(r"[^/%]+/(0|[1-9][0-9]{0,2})", value) is not None
    except ValueError:
        right = False
    if not right:
        raise ValueError(f"{value!r} is not an address range such as 203.0.113.0/24, or 203.0.113.9/32 for one address")
    return value


def _id_as_text(value: Any) -> Any:
    """YAML reads an unquoted id as a number; both spellings mean the same party."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _party_id(value: str) -> str:
    if not re.fullmatch(_PARTY_ID, value):
        raise ValueError("a party id is a positive whole number of at most 10 digits, such as 9999")
    return value


def is_fingerprint(text: str) -> bool:
    """Whether the text is the fingerprint of a key."""
    return re.search(_FINGERPRINT, text) is not None and not text.endswith("\n")


@lru_cache(maxsize=8192)
def is_ip(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address. One with a zone (`fe80::1%eth0`) is not: a zone may hold any text."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address."""
    return ":" in text and is_ip(text)


def in_brackets(host: str) -> str:
    """A host as URLs and host:port have it: IPv6 addresses in brackets."""
    return f"[{host}]" if is_ipv6(host) else host


def is_dns_name(text: str) -> bool:
    """Whether the text is a host name in lower case."""
    return _DNS_NAME.fullmatch(text) is not None


def _address(value: str) -> str:
    if not is_ip(value):
        raise ValueError(f"{value!r} is not an IP address")
    return value


def _host(value: str) -> str:
    if not is_ip(value) and (not _DNS_NAME.fullmatch(value) or _NUMBER.search(value)):
        raise ValueError(f"{value!r} is neither a host name (lower case) nor an IP address")
    return value


def _domain(value: str) -> str:
    if not _DNS_NAME.fullmatch(value) or "." not in value or _NUMBER.search(value):
        raise ValueError(f"{value!r} is not a domain name such as fraud.example")
    return value


def _host_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if "/" in value:
        raise ValueError(f"{value!r} is not HOST:PORT: write it without https:// and without a path")
    if ":" in host or is_ipv6(value):
        raise ValueError(f"{value!r} holds an IPv6 address, which cannot be typed: write a host name, such as pulsar.bank-a.example:6651")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError(f"{value!r} does not end in a port between 1 and 65535")
    _host(host)
    return value


def _cpu(value: str) -> str:
    if not re.fullmatch(r"[0-9]+m|[0-9]+(\.[0-9]+)?", value):
        raise ValueError(f"{value!r} is not an amount of CPU: write cores such as 2 or 1.5, or millicores such as 500m")
    return value


def _bytes(value: str) -> str:
    if value.endswith("m"):
        raise ValueError(f"{value!r} means thousandths of a byte: write Mi or Gi")
    return value


def _stays_inside(value: str) -> str:
    if ".." in value.split("/"):
        raise ValueError(f"{value!r} leads out of its volume: write a path without '..'")
    return value


def _not_latest(value: str) -> str:
    if value == "latest":
        raise ValueError("the tag 'latest' changes under a running federation; name a version or a digest")
    return value


def _day(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"there is no day {value}") from None
    return value


def _day_as_text(value: Any) -> Any:
    """YAML reads an unquoted day as a date."""
    return value.isoformat() if type(value) is date else value


def _word_as_list(value: Any) -> Any:
    if isinstance(value, str) and value != ANYONE:
        raise ValueError(f"{value!r} is neither a list of address ranges nor the word {ANYONE}")
    return (ANYONE,) if value == ANYONE else value


def _range_or_anyone(value: str) -> str:
    return value if value == ANYONE else _cidr(value)


def _anyone_alone(value: tuple[str, ...]) -> tuple[str, ...]:
    if ANYONE in value and len(value) > 1:
        raise ValueError(f"{ANYONE} says that no address range limits who connects: write it alone, or drop it")
    return value


def limits_of(sources: Iterable[str]) -> tuple[str, ...]:
    """The address ranges of SourceRanges; none for `anyone`."""
    return tuple(source for source in sources if source != ANYONE)


Cidr = Annotated[str, AfterValidator(_cidr)]
# Address ranges, or the word `anyone`, which becomes a tuple of that word: no limit, on purpose. Empty: nothing was said.
SourceRanges = Annotated[
    tuple[Annotated[str, AfterValidator(_range_or_anyone)], ...],
    Field(json_schema_extra={"type": ["array", "string"], "pattern": f"^{ANYONE}$"}),
    BeforeValidator(_word_as_list),
    AfterValidator(_anyone_alone),
]
# The pattern is for the JSON schemas only; _party_id says it in words.
EnvName = Annotated[str, StringConstraints(pattern=_ENV_NAME)]
PartyId = Annotated[str, Field(json_schema_extra={"pattern": _PARTY_ID}), BeforeValidator(_id_as_text), AfterValidator(_party_id)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
IpAddress = Annotated[str, AfterValidator(_address)]
Host = Annotated[str, AfterValidator(_host)]
Domain = Annotated[str, AfterValidator(_domain)]
Label = Annotated[str, StringConstraints(pattern=_LABEL)]
Name = Label
Quantity = Annotated[str, StringConstraints(pattern=_QUANTITY), BeforeValidator(_id_as_text)]
Cpu = Annotated[Quantity, AfterValidator(_cpu)]
# Kubernetes counts devices whole; as a text, like all quantities.
Devices = Annotated[str, StringConstraints(pattern=_WHOLE), BeforeValidator(_id_as_text)]
Bytes = Annotated[Quantity, AfterValidator(_bytes)]
# The pattern is for the JSON schemas only; _host_port says it in words.
HostPort = Annotated[str, Field(json_schema_extra={"pattern": _HOST_PORT}, description="host:port"), AfterValidator(_host_port)]
Tag = Annotated[str, StringConstraints(pattern=_TAG), AfterValidator(_not_latest)]
Digest = Annotated[str, StringConstraints(pattern=_DIGEST)]
Sha256 = Annotated[str, StringConstraints(pattern=_SHA256)]
MountPath = Annotated[str, StringConstraints(pattern=_MOUNT_PATH), AfterValidator(_stays_inside)]
SubPath = Annotated[str, StringConstraints(pattern=_SUB_PATH), AfterValidator(_stays_inside)]
Repository = Annotated[str, StringConstraints(pattern=_REPOSITORY)]
Registry = Annotated[str, StringConstraints(pattern=_REGISTRY)]
Upstream = Annotated[str, StringConstraints(pattern=_UPSTREAM)]
VolumeName = Annotated[str, StringConstraints(pattern=_VOLUME_NAME)]
StackName = Annotated[str, StringConstraints(pattern=_STACK)]
UnitKey = Annotated[str, StringConstraints(pattern=_UNIT)]
Fingerprint = Annotated[str, StringConstraints(pattern=_FINGERPRINT)]
# JSON's numbers are exact up to here.
LAST_SERIAL = 2**53 - 1
Serial = Annotated[int, Field(strict=True, ge=1, le=LAST_SERIAL)]
# In UTC, ISO 8601; texts compare as days do.
Day = Annotated[str, StringConstraints(pattern=_DAY), BeforeValidator(_day_as_text), AfterValidator(_day)]
# A version or the name of an engine as a peer writes it: too short and too plain for a key, and one line.
Word = Annotated[str, StringConstraints(pattern=_WORD)]
UrlPath = Annotated[str, StringConstraints(pattern=_PATH)]
DatabaseName = Annotated[str, StringConstraints(pattern=_DATABASE)]
UserName = Annotated[str, StringConstraints(pattern=_USER)]
SparkMaster = Annotated[str, StringConstraints(pattern=_SPARK_MASTER)]
NameNode = Annotated[str, StringConstraints(pattern=_NAME_NODE)]
Folder = Annotated[str, StringConstraints(pattern=_FOLDER)]
ProgramPath = Annotated[str, StringConstraints(pattern=_PROGRAM)]
# Why a peer is in its state.
Reason = Annotated[str, StringConstraints(pattern=_REASON)]
# Authorities of a party are numbered: 1, and after a rotation 2.
Ordinal = Annotated[str, StringConstraints(pattern=_ORDINAL), BeforeValidator(_id_as_text)]
ObjectKind = Annotated[str, StringConstraints(pattern=_KIND)]
Uid = Annotated[str, StringConstraints(pattern=_UID)]
PortRange = Annotated[str, StringConstraints(pattern=_PORT_RANGE)]
ImageFile = Annotated[str, StringConstraints(pattern=_FILE)]
# Site Portal and FML Manager hand user and database to PostgreSQL in one line without quotes.
SqlName = Annotated[str, StringConstraints(pattern=_SQL_NAME)]
# Both end up in a .properties file, one line each.
ClassName = Annotated[str, StringConstraints(pattern=_CLASS)]
Url = Annotated[str, StringConstraints(pattern=_URL)]
PartnerCall = Annotated[str, StringConstraints(pattern=_CALL)]
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
