"""Every slot for a secret that the models of a stack file know; two stacks that fill all of them; how a secret is found again."""

import base64
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from cryptography.hazmat.primitives import serialization
from pydantic import BaseModel

from federation.config.stack import StackSpec
from tests.support.configs import SLIM_PULSAR, SLIM_RABBITMQ, Config, exchange, fml_manager, party, serving, site_portal, stack

_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.S)
_BALANCED = {"type": "LoadBalancer"}
_EXTERNAL = {"type": "External", "advertise": {"host": "203.0.113.40"}}


def _named(*slots: str, prefix: str = "own") -> Config:
    return {slot: {"secret": f"{prefix}-{slot.lower()}"} for slot in slots}


def _elsewhere(host: str, secret: str, **more: Any) -> Config:
    return {"external": {"host": f"{host}.bank-a.example", **more, "password": {"secret": secret}}}


# Passwords: of the stack's own servers, with those they had before; of servers elsewhere; of the registry and the consoles.
PASSWORDS: Config = stack(
    "canary",
    topology="mesh",
    images={"pullSecret": {"secret": "registry"}},
    boards={"kind": "ingress", "domain": "canary.example", "tls": {"secret": "consoles"}},
    parties={
        "9999": party(
            "canary-own",
            exchange=None,
            **SLIM_RABBITMQ,
            tls="none",
            modules={"fateboard": {}, "client": {}},
            servings={"useRegistry": True},
            credentials={
                **_named("mysqlRoot", "fateboard", "notebook"),
                "mysql": {"secret": "own-mysql", "previous": "own-mysql-before"},
                "rabbitmq": {"secret": "own-rabbitmq", "previous": "own-rabbitmq-before"},
            },
        ),
        "9998": party(
            "canary-elsewhere",
            exchange=None,
            **SLIM_RABBITMQ,
            tls="none",
            engines={
                "mysql": _elsewhere("db", "their-mysql", database="fate", user="fate"),
                "rabbitmq": _elsewhere("broker", "their-rabbitmq", user="fate"),
            },
            publish={"rabbitmq": _EXTERNAL, "nginx": _BALANCED},
            servings={
                "hosts": ["serving.bank-a.example:8000"],
                "useRegistry": True,
                "zookeeper": {"hosts": ["registry.bank-a.example:2181"], "user": "fate", "password": {"secret": "their-zookeeper"}},
            },
        ),
    },
    serving={
        "9999": serving(
            "canary-serving",
            modules={"servingZookeeper": {}, "servingAdmin": {}},
            credentials=_named("redis", "zookeeper", "admin", prefix="serving"),
        ),
        "9997": serving("canary-serving-elsewhere", fateflow="203.0.113.9:9380", engines={"redis": _elsewhere("cache", "their-redis")}),
    },
)
# Keys: of the organization, of a party's own CA and its server, of a server whose certificate was given.
KEYS: Config = stack(
    "canary-keys",
    topology="mesh",
    parties={
        "9999": party("canary-own-ca", exchange=None, **SLIM_PULSAR, tls="partyCa"),
        "9998": party("canary-provided", exchange=None, **SLIM_PULSAR, tls="provided"),
    },
)
_FATEFLOW = "203.0.113.9:30097"
# Of Site Portals and FML Managers: there is one FML Manager in a stack, so two stacks.
PORTALS: Config = stack(
    "canary-portals",
    exchange=exchange(
        "canary-exchange",
        federation="Eggroll",
        fmlManager=fml_manager("canary-fml-manager", credentials=_named("postgres", prefix="fml-manager")),
    ),
    sitePortal={
        "9999": site_portal("canary-portal", fateflow=_FATEFLOW, credentials=_named("postgres", "admin", "user", prefix="portal")),
        "9998": site_portal(
            "canary-portal-elsewhere",
            fateflow=_FATEFLOW,
            engines={"postgres": _elsewhere("db", "their-portal", database="portal", user="fate")},
        ),
    },
)
MANAGER: Config = stack(
    "canary-manager",
    exchange=exchange(
        "canary-exchange-2",
        federation="Eggroll",
        fmlManager=fml_manager(
            "canary-fml-manager-2", engines={"postgres": _elsewhere("db", "their-fml-manager", database="fml", user="fate")}
        ),
    ),
)
STACKS = (PASSWORDS, KEYS, PORTALS, MANAGER)


def slots(model: type[BaseModel] = StackSpec, path: str = "") -> frozenset[str]:
    """The place of everything in a stack file that names an entry of fate:secrets."""
    if _names_an_entry(model):
        return frozenset({path})
    found: set[str] = set()
    for name, field in model.model_fields.items():
        for inner, below in _models(field.annotation):
            found |= slots(inner, f"{path}.{field.alias or name}{below}".removeprefix("."))
    return frozenset(found)


def filled(value: Any, path: str = "") -> dict[str, set[str]]:
    """The slots that a configuration fills, each with the names it gives."""
    found: dict[str, set[str]] = {}
    if isinstance(value, BaseModel) and _names_an_entry(type(value)):
        names = {getattr(value, name, None) for name in ("secret", "previous")}
        return {path: {name for name in names if name is not None}}
    if isinstance(value, BaseModel):
        inner = {
            f"{path}.{field.alias or name}".removeprefix("."): getattr(value, name) for name, field in type(value).model_fields.items()
        }
        for key, entry in inner.items():
            _merge(found, filled(entry, key))
    elif isinstance(value, Mapping):
        for entry in value.values():
            _merge(found, filled(entry, f"{path}.*"))
    return {slot: names for slot, names in found.items() if names}


def _names_an_entry(model: type[BaseModel]) -> bool:
    """Models with a field `secret` that says so; in a module's volume it is a Secret that exists already."""
    field = model.model_fields.get("secret")
    return field is not None and "fate:secrets" in (field.description or "")


def mentions(model: type[BaseModel] = StackSpec, seen: frozenset[type] = frozenset()) -> frozenset[str]:
    """Every field, as Model.field, that is called `secret`, or speaks of fate:secrets in its description."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        if name == "secret" or "fate:secrets" in (field.description or ""):
            found.add(f"{model.__name__}.{name}")
        for inner, _ in _models(field.annotation):
            if inner not in seen:
                found |= mentions(inner, seen | {model})
    return frozenset(found)


def canary(name: str) -> str:
    """A password that is found again."""
    return f"canary-{name}-{secrets.token_hex(12)}"


def marks(entry: str) -> frozenset[str]:
    """What of an entry of fate:secrets must not be readable anywhere: a canary, or each line of a key; nothing of a certificate."""
    keys = _KEY.findall(entry)
    found = {
        line for key in keys for text in (key, *_spellings(key)) for line in text.splitlines() if len(line) > 20 and "-----" not in line
    }
    found |= set(re.findall(r"canary-[a-z0-9-]+", entry))
    assert found or "BEGIN CERTIFICATE" in entry, "a secret that could not be found again"
    return frozenset(found).union(*(_encodings(mark) for mark in found))


def _spellings(key: str) -> Iterator[str]:
    """The same key in other formats."""
    loaded = serialization.load_pem_private_key(key.encode(), password=None)
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        try:
            yield loaded.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
        except ValueError:  # a kind of key that this format does not know
            continue


def _encodings(mark: str) -> frozenset[str]:
    """The mark in base64, wherever in a longer text it begins: what does not depend on its neighbours."""
    encoded = {offset: base64.b64encode(b"\0" * offset + mark.encode()).decode() for offset in range(3)}
    return frozenset(text[4 if offset else 0 : len(text) // 4 * 4 - 4] for offset, text in encoded.items())


def _models(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """The models in a type, each with what stands for the keys of a map on the way."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ""
    below = ".*" if get_origin(annotation) is dict else ""
    for argument in get_args(annotation):
        for model, deeper in _models(argument):
            yield model, f"{below}{deeper}"


def _merge(found: dict[str, set[str]], more: Mapping[str, set[str]]) -> None:
    for slot, names in more.items():
        found[slot] = found.get(slot, set()) | names
