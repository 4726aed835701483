"""Changes of passwords that would lock a party out of its own servers, or that the programs that use them would not notice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from federation.manifests.objects import SecretPlan
from federation.manifests.secrets import previous

# Secrets whose password a server of the party keeps, too: {Secret: {key: slot}}.
_SERVERS = {"mysql-credentials": {"password": "mysql", "root-password": "mysqlRoot"}, "rabbitmq-credentials": {"password": "rabbitmq"}}


@dataclass(frozen=True)
class Passwords:
    """The content of a Secret by key: the entry of fate:secrets, and the value in any encoding, which is only compared."""

    entries: Mapping[str, str]
    values: Mapping[str, str]


def unsafe_changes(secret: SecretPlan, old: Passwords, new: Passwords) -> Iterator[str]:
    """A sentence for each password that cannot change like this. It begins with the entry of fate:secrets and shows no value."""
    kept = _SERVERS.get(secret.name, {}) if secret.own_server else {}
    for key, entry in sorted(new.entries.items()):
        before, after = old.values.get(key), new.values.get(key)
        if key.startswith(previous("")) or before is None or before == after:
            continue
        known = {before, old.values.get(previous(key), before)}
        if old.entries.get(key) == entry:
            yield f"{entry}: its value changed under the same name, so its readers would not restart: write the new one under another name"
        elif kept.get(key, "mysqlRoot") != "mysqlRoot" and new.values.get(previous(key)) not in known:
            yield f"{entry}: {kept[key]} would keep the old password: name its entry in credentials.{kept[key]}.previous"


def only_recorded(secret: SecretPlan, old: Passwords, new: Passwords) -> Iterator[str]:
    """A warning for a password that changes in the Secret only: MySQL's root may sign in inside its pod only, where no Job runs."""
    key = "root-password"
    if secret.own_server and key in old.values and old.values[key] != new.values.get(key):
        yield (
            f"{new.entries.get(key)}: root's password changes in the Secret only; change it in the server yourself: "
            "ALTER USER 'root'@'localhost', in the pod of mysql (docs/guides/passwords.md)"
        )
