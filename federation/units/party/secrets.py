"""The Secrets of a party: which exist, from which entries of fate:secrets, and where each password is found."""

import json

from federation.base import naming
from federation.chart_values.modules import SecretKey
from federation.config.credentials import Credential
from federation.config.party import PartySpec
from federation.config.units import PartyUnit, combination_of
from federation.links.external_engines import external_engines
from federation.manifests.objects import SecretPlan
from federation.manifests.secrets import default_secret, password_secrets, password_sources, pull_secret
from federation.trust.plan import TlsPlan
from federation.units.serving.link import REGISTRY_SLOT, registry_credential

# Slot: the Secret and the key that hold its password.
_SECRET_KEYS = {
    "mysql": ("mysql-credentials", "password"),
    "mysqlRoot": ("mysql-credentials", "root-password"),
    "rabbitmq": ("rabbitmq-credentials", "password"),
    "fateboard": ("fateboard-credentials", "password"),
    "notebook": ("notebook-credentials", "password"),
}
# The engine whose password a Secret holds.
_ENGINES = {"mysql-credentials": "mysql", "rabbitmq-credentials": "rabbitmq"}


def party_secrets(unit: PartyUnit, tls: TlsPlan | None) -> tuple[tuple[SecretPlan, ...], dict[str, SecretKey]]:
    """The Secrets to make, and by slot the place of each password in the namespace."""
    credentials = party_credentials(unit)
    sources, keys = password_sources(unit.key, {slot: _SECRET_KEYS[slot] for slot in credentials}, credentials.get)
    secrets = [_passwords(unit, name, entries) for name, entries in sources.items()]
    if (registry := registry_credential(unit)) is not None:
        registry_secrets, registry_keys = password_secrets(unit, REGISTRY_SLOT, lambda _: registry)
        keys |= registry_keys
        secrets += registry_secrets
    if tls is not None:
        # With cert-manager the server's own certificate and key are in a Secret that it makes.
        certificate = {} if tls.managed else {"broker.cert.pem": tls.certificate, "broker.key-pk8.pem": tls.key}
        name = naming.PULSAR_CERTIFICATE
        pkcs8 = frozenset(certificate) & {"broker.key-pk8.pem"}
        entries = {**certificate, **tls.files}
        secrets.append(SecretPlan(name, name, unit.namespace, unit.labels, "Opaque", entries, pkcs8, tls.annotations))
    return (*secrets, *pull_secret(unit)), keys


def _passwords(unit: PartyUnit, name: str, sources: dict[str, str]) -> SecretPlan:
    """A Secret of passwords, which says which entries they are."""
    return SecretPlan(
        name,
        name,
        unit.namespace,
        unit.labels,
        "Opaque",
        sources,
        annotations={naming.ENTRIES: json.dumps(dict(sorted(sources.items())))},
        passwords=True,
        own_server=_external(unit.spec, _ENGINES.get(name, "")) is None,
    )


def party_credentials(unit: PartyUnit) -> dict[str, Credential]:
    """Where each password of a party comes from, by slot."""
    return {
        slot: _external(unit.spec, slot) or unit.spec.credentials.of(slot) or Credential(secret=default_secret(unit.key, slot))
        for slot in _slots(unit)
    }


def password_entries(unit: PartyUnit) -> dict[str, str]:
    """Which entry each password is, by slot, where it is not the one by default."""
    by_default = {slot: default_secret(unit.key, slot) for slot in _SECRET_KEYS}
    return {slot: credential.entry for slot, credential in party_credentials(unit).items() if credential.entry != by_default[slot]}


def provided_passwords(own: PartySpec) -> dict[str, str]:
    """The names under fate:secrets that hold a password of an external engine, which only the operator has: {name: what it is}."""
    passwords = {}
    for engine, external in external_engines(own).items():
        credential = _external(own, engine)
        if credential is not None and credential.secret is not None:
            passwords[credential.secret] = f"the password of user {external.user} of {engine} at {external.host}:{external.port}"
    return passwords


def _external(own: PartySpec, slot: str) -> Credential | None:
    """The password of an external engine; its slot has the engine's name."""
    credential: Credential | None = getattr(external_engines(own).get(slot), "password", None)
    return credential


def _slots(unit: PartyUnit) -> tuple[str, ...]:
    combination = combination_of(unit)
    needed = combination.modules if combination is not None else ()
    wanted = {
        "mysql": True,
        "mysqlRoot": unit.spec.engines.mysql is None,
        "rabbitmq": "rabbitmq" in needed,
        "fateboard": unit.spec.modules.fateboard is not None,
        "notebook": unit.spec.modules.client is not None,
    }
    return tuple(slot for slot, is_wanted in wanted.items() if is_wanted)
