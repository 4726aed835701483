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
# What resolvers take for an IPv4 address, in one of its old spellings: 127.1, 0x7f000001.
_NUMBER = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)$")
_DNS_NAME = re.compile(r"^(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
_PARTY_ID = r"^[1-9][0-9]{0,9}$"
_FINGERPRINT = r"^SHA256:[A-Za-z0-9+/]{43}$"
# Docker's reference grammar: an optional registry with its port, then a path in lower case; and a tag behind it.
_REPOSITORY = r"^([A-Za-z0-9.-]+(:[0-9]{1,5})?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*$"
_TAG = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
# What a value that does not match its pattern should have been; each scalar below says it beside its pattern.
PATTERNS_IN_WORDS: dict[str, str] = {}


def _text(pattern: str, words: str) -> StringConstraints:
    """The constraint of a text that matches a pattern; `words`: what it is."""
    PATTERNS_IN_WORDS[pattern] = words
    return StringConstraints(pattern=pattern)


# Of one endpoint: each is a line of a route file, or a rule of a policy, of every member.
MAX_ADDRESSES = 16
# With more of them, a stack writes its peers closer together: Pulumi and Kubernetes pay for each resource and for each byte.
MANY_PEERS = 100


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
        raise ValueError(f"{ANYONE} means no limit: write it without address ranges, or remove it")
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
EnvName = Annotated[str, _text(r"^[A-Za-z_][A-Za-z0-9_]*$", "a name of an environment variable")]
# The pattern is for the JSON schemas only; _party_id says it in words.
PartyId = Annotated[str, Field(json_schema_extra={"pattern": _PARTY_ID}), BeforeValidator(_id_as_text), AfterValidator(_party_id)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
IpAddress = Annotated[str, AfterValidator(_address)]
Host = Annotated[str, AfterValidator(_host)]
Domain = Annotated[str, AfterValidator(_domain)]
# RFC 1123 label, the limit of Kubernetes namespaces and Service names.
_LABEL_IN_WORDS = "a name of lower-case letters, digits and '-', at most 63 characters"
Label = Annotated[str, _text(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", _LABEL_IN_WORDS)]
Name = Label
# Kubernetes' resource.Quantity without exponents: what operators write for cpu, memory and claims.
_AMOUNT = _text(r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$", "an amount such as 500m, 2 or 4Gi")
Quantity = Annotated[str, _AMOUNT, BeforeValidator(_id_as_text)]
Cpu = Annotated[Quantity, AfterValidator(_cpu)]
# Kubernetes counts devices whole; as a text, like all quantities.
Devices = Annotated[str, _text(r"^[0-9]{1,4}$", "a whole number"), BeforeValidator(_id_as_text)]
Bytes = Annotated[Quantity, AfterValidator(_bytes)]
# The pattern is for the JSON schemas only; _host_port says it in words.
_HOST_PORT = Field(json_schema_extra={"pattern": r"^[A-Za-z0-9.-]+:[0-9]{1,5}$"}, description="host:port")
HostPort = Annotated[str, _HOST_PORT, AfterValidator(_host_port)]
Tag = Annotated[str, _text(_TAG, "an image tag"), AfterValidator(_not_latest)]
Digest = Annotated[str, _text(r"^sha256:[0-9a-f]{64}$", "an image digest, sha256: and 64 hexadecimal digits")]
Sha256 = Annotated[str, _text(r"^[0-9a-f]{64}$", "a sha256 of 64 hexadecimal digits")]
# Where Kubernetes mounts a volume, and a path inside one: no colon, no way out.
_MOUNTED = _text(r"^/[^:]*[^/:]$", "an absolute path without ':', such as /data/models")
MountPath = Annotated[str, _MOUNTED, AfterValidator(_stays_inside)]
# What an NFS server exports: also all of it, with a slash at the end as the server writes it.
ExportPath = Annotated[str, _text(r"^/[^\x00-\x1f\x7f]*$", "an absolute path without control characters, such as /export/scans")]
_INSIDE = _text(r"^[^/:][^:]*$", "a relative path without ':', such as models/current")
SubPath = Annotated[str, _INSIDE, AfterValidator(_stays_inside)]
_NAMED = "registry, path and name of an image, without https://, tag and digest, such as registry.example:5000/fate/mysql"
Repository = Annotated[str, _text(_REPOSITORY, _NAMED)]
_PREFIX = "a registry with an optional path, without https:// and without tag, such as registry.example:5000/fate"
Registry = Annotated[str, _text(r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9]+([._/-]+[a-z0-9]+)*)?/?$", _PREFIX)]
_TAGGED = "an image as upstream names it, with its tag, such as federatedai/fateflow:1.11.2-release"
Upstream = Annotated[str, _text(_REPOSITORY.removesuffix("$") + ":" + _TAG.removeprefix("^"), _TAGGED)]
# Behind the prefix `extra-`, within a label.
_EXTRA = "a name of lower-case letters, digits and '-', at most 57 characters"
VolumeName = Annotated[str, _text(r"^[a-z0-9]([-a-z0-9]{0,55}[a-z0-9])?$", _EXTRA)]
# Behind `extra-dataset-`.
_DATASET = "a name of lower-case letters, digits and '-', at most 49 characters"
DatasetName = Annotated[str, _text(r"^[a-z0-9]([-a-z0-9]{0,47}[a-z0-9])?$", _DATASET)]
# Of the Pulumi CLI: organization, project and stack, in full.
_IN_FULL = (
    "the full name of a stack, ORGANIZATION/PROJECT/STACK; in a file, S3 or other backend of your own ORGANIZATION is the word "
    "organization, such as organization/fate/bank-a"
)
StackName = Annotated[str, _text(r"^[A-Za-z0-9_.-]{1,100}(/[A-Za-z0-9_.-]{1,100}){2}$", _IN_FULL)]
UnitKey = Annotated[str, _text(r"^[a-z]+(-[a-z]+)*(-[1-9][0-9]{0,9})?$", "a unit such as party-9999 or exchange")]
Fingerprint = Annotated[str, _text(_FINGERPRINT, "a fingerprint, SHA256: and 43 letters and digits")]
# JSON's numbers are exact up to here.
LAST_SERIAL = 2**53 - 1
Serial = Annotated[int, Field(strict=True, ge=1, le=LAST_SERIAL)]
# In UTC, ISO 8601; texts compare as days do.
_DATE = _text(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "a day such as 2027-01-31")
Day = Annotated[str, _DATE, BeforeValidator(_day_as_text), AfterValidator(_day)]
# A version or the name of an engine as a peer writes it: too short and too plain for a key, and one line.
Word = Annotated[str, _text(r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,31}$", "one plain word of at most 32 characters")]
# Segments begin with a letter or digit: the API server refuses `//`, `/./` and `/../`.
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._~-]*"
UrlPath = Annotated[str, _text(rf"^/({_SEGMENT}(/{_SEGMENT})*)?$", "a path such as /tools/board")]
# What MySQL takes unquoted, and what no file that holds a name has to escape.
DatabaseName = Annotated[str, _text(r"^[A-Za-z0-9_]{1,64}$", "a name of letters, digits and '_'")]
UserName = Annotated[str, _text(r"^[A-Za-z0-9_.-]{1,32}$", "a name of letters, digits, '_', '.' and '-', at most 32 characters")]
_MASTERS = "an address such as spark://spark.bank-a.example:7077; more masters follow as ,HOST:PORT"
SparkMaster = Annotated[str, _text(r"^spark://[A-Za-z0-9.-]+:[0-9]{1,5}(,[A-Za-z0-9.-]+:[0-9]{1,5})*$", _MASTERS)]
_NAME_NODE = "an address with its port such as hdfs://namenode.bank-a.example:8020"
NameNode = Annotated[str, _text(r"^hdfs://[A-Za-z0-9.-]+:[0-9]{1,5}$", _NAME_NODE)]
Folder = Annotated[str, _text(r"^(/[A-Za-z0-9._-]+)+$", "an absolute path such as /fate")]
ProgramPath = Annotated[str, _text(r"^[A-Za-z0-9/._-]{1,255}$", "a path of letters, digits, '/', '.', '_' and '-'")]
# Why a peer is in its state.
Reason = Annotated[str, _text(r"^[^\r\n]{1,200}$", "one line of at most 200 characters")]
# Authorities of a party are numbered: 1, and after a rotation 2.
Ordinal = Annotated[str, _text(r"^[1-9][0-9]{0,4}$", "a number such as 1 or 2"), BeforeValidator(_id_as_text)]
ObjectKind = Annotated[str, _text(r"^[A-Z][A-Za-z0-9]{0,62}$", "a kind of Kubernetes objects, such as Issuer")]
_UID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
Uid = Annotated[str, _text(_UID, "a UID such as 5f3c1e0a-7b1d-4c55-9a3e-2f6d8c4b7a10")]
PortRange = Annotated[str, _text(r"^[0-9]{1,5}-[0-9]{1,5}$", "a range of ports such as 30000-32767")]
ImageFile = Annotated[str, _text(r"^/[^\n:]+$", "an absolute path without ':'")]
# Site Portal and FML Manager hand user and database to PostgreSQL in one line without quotes.
SqlName = Annotated[str, _text(r"^[A-Za-z0-9_.-]{1,63}$", "a name of letters, digits, '_', '.' and '-', at most 63 characters")]
# Both end up in a .properties file, one line each.
_CLASS = "the full name of a Java class, such as com.webank.ai.fate.serving.adaptor.dataaccess.HttpAdapter"
ClassName = Annotated[str, _text(r"^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)+$", _CLASS)]
Url = Annotated[str, _text(r"^https?://[^\s\\]+$", "an address such as https://features.bank-a.example/v1")]
# A method and a path in which `*` is one part: all else stands for itself, also inside a regular expression.
_CALL = r"^(GET|POST) (/([A-Za-z0-9][A-Za-z0-9_-]*|\*))+$"
PartnerCall = Annotated[str, _text(_CALL, "a method and a path such as POST /v1/party/*/*/*/start")]
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
