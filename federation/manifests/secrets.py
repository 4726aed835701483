"""Which entries of fate:secrets become which Secrets."""

from collections.abc import Callable, Iterable, Mapping

from federation.base import naming
from federation.chart_values.modules import SecretKey
from federation.config.credentials import Credential
from federation.config.images import ImagesSpec
from federation.config.units import AnyUnit
from federation.manifests.objects import PULL_SECRET_TYPE, SecretPlan

# Modules whose data holds the password of their clients' user, in the slot called like the module: a new one in the Secret changes nothing
# there. Redis, zookeeper and the consoles take theirs from the Secret at each start.
SERVERS = ("mysql", "rabbitmq", "postgres")


def password_sources(
    key: str, slots: Mapping[str, tuple[str, str]], credential_of: Callable[[str], Credential | None]
) -> tuple[dict[str, dict[str, str]], dict[str, SecretKey]]:
    """The Secrets of a unit's passwords, {name: {key: name under fate:secrets}}, and by slot the place of each in the namespace.

    `slots`: the Secret and the key of each; `credential_of`: the credential of a slot. A password that a Job changes has a second slot,
    `previous(slot)`, for what the server still has.
    """
    keys: dict[str, SecretKey] = {}
    sources: dict[str, dict[str, str]] = {}
    for slot, (name, entry) in slots.items():
        credential = credential_of(slot) or Credential(secret=default_secret(key, slot))
        now, before = credential.secret or credential.key, credential.previous
        for label, key_here, source in ((slot, entry, now), (previous(slot), previous(entry), before)):
            if source is None:
                continue
            if credential.kubernetes_secret is not None:
                keys[label] = SecretKey(name=credential.kubernetes_secret, key=source)
            else:
                keys[label] = SecretKey(name=name, key=key_here)
                sources.setdefault(name, {})[key_here] = source
    return sources, keys


def password_secrets(
    unit: AnyUnit, slots: Mapping[str, tuple[str, str]], credential_of: Callable[[str], Credential | None]
) -> tuple[tuple[SecretPlan, ...], dict[str, SecretKey]]:
    """The Secrets of a unit's passwords to make, and by slot the place of each in the namespace."""
    sources, keys = password_sources(unit.key, slots, credential_of)
    return tuple(SecretPlan(name, name, unit.namespace, unit.labels, "Opaque", entries) for name, entries in sources.items()), keys


def server_passwords(secrets: Iterable[SecretPlan]) -> dict[str, str]:
    """The entry of fate:secrets that holds the password of each server, by module; in a rotation the one that its data still has."""
    by_name = {secret.name: secret.sources for secret in secrets}
    places = {module: by_name.get(f"{module}-credentials", {}) for module in SERVERS}
    return {module: place.get(previous("password"), place["password"]) for module, place in places.items() if "password" in place}


def previous_passwords(secrets: Iterable[SecretPlan]) -> frozenset[str]:
    """The entries of fate:secrets whose passwords a Job replaces in their servers."""
    return frozenset(secret.sources[previous("password")] for secret in secrets if previous("password") in secret.sources)


def previous(slot: str) -> str:
    """The name of what a slot, or a key of a Secret, held before."""
    return f"previous-{slot}"


def default_secret(key: str, slot: str) -> str:
    """The name under fate:secrets of a password that the stack does not name: `party-9999-mysql-root`."""
    return f"{key}-{naming.kebab_case(slot)}"


def pull_secret(unit: AnyUnit) -> tuple[SecretPlan, ...]:
    """The registry's Secret, when its content is in fate:secrets."""
    source = unit.stack.images.pull_secret
    if source is None or source.secret is None:
        return ()
    sources = {".dockerconfigjson": source.secret}
    return (SecretPlan(naming.PULL_SECRET, naming.PULL_SECRET, unit.namespace, unit.labels, PULL_SECRET_TYPE, sources),)


def pull_secret_names(images: ImagesSpec) -> tuple[str, ...]:
    """The imagePullSecrets of every pod."""
    source = images.pull_secret
    return () if source is None else (source.kubernetes_secret or naming.PULL_SECRET,)
