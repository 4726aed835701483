"""The Secrets of a party: which exist, from which entries of fate:secrets, and where each password is found."""

from federation import naming
from federation.credential_spec import Credential
from federation.external import external_engines
from federation.manifests import SecretPlan
from federation.scalars import PartyId
from federation.spec import PartySpec, StackSpec
from federation.trust import TlsPlan
from federation.unit import pull_secret
from federation.values import SecretKey

# Slot: the Secret and the key that hold its password.
_MYSQL = {"mysql": ("mysql-credentials", "password"), "mysqlRoot": ("mysql-credentials", "root-password")}
_RABBITMQ = {"rabbitmq": ("rabbitmq-credentials", "password")}
_FATEBOARD = {"fateboard": ("fateboard-credentials", "password")}
_NOTEBOOK = {"notebook": ("notebook-credentials", "password")}


def party_secrets(
    spec: StackSpec, party: PartyId, own: PartySpec, labels: dict[str, str], tls: TlsPlan | None
) -> tuple[tuple[SecretPlan, ...], dict[str, SecretKey]]:
    """The Secrets to make, and by slot the place of each password in the namespace."""
    key = naming.party_key(party)
    keys: dict[str, SecretKey] = {}
    sources: dict[str, dict[str, str]] = {}
    for slot, (name, entry) in _slots(spec, own).items():
        credential = _external(own, slot) or own.credentials.of(slot) or Credential(secret=default_secret(key, slot))
        if credential.kubernetes_secret is not None and credential.key is not None:
            keys[slot] = SecretKey(name=credential.kubernetes_secret, key=credential.key)
        elif credential.secret is not None:
            keys[slot] = SecretKey(name=name, key=entry)
            sources.setdefault(name, {})[entry] = credential.secret
    secrets = [SecretPlan(name, name, own.namespace, labels, "Opaque", found) for name, found in sources.items()]
    if tls is not None:
        certificate = {"broker.cert.pem": tls.certificate, "broker.key-pk8.pem": tls.key, "ca.cert.pem": tls.ca}
        name = naming.PULSAR_CERTIFICATE
        pkcs8 = frozenset({"broker.key-pk8.pem"})
        secrets.append(SecretPlan(name, name, own.namespace, labels, "Opaque", certificate, pkcs8, tls.annotations))
    return (*secrets, *pull_secret(spec, own.namespace, labels)), keys


def default_secret(key: str, slot: str) -> str:
    """The name under fate:secrets of a password that the stack does not name: `party-9999-mysql-root`."""
    return f"{key}-{''.join(f'-{letter.lower()}' if letter.isupper() else letter for letter in slot)}"


def provided_passwords(own: PartySpec) -> dict[str, str]:
    """The names under fate:secrets that hold a password of an external engine, which only the operator has: {name: what it is}."""
    found = {}
    for engine, external in external_engines(own).items():
        credential = _external(own, engine)
        if credential is not None and credential.secret is not None:
            found[credential.secret] = f"the password of user {external.user} of {engine} at {external.host}:{external.port}"
    return found


def _external(own: PartySpec, slot: str) -> Credential | None:
    """The password of an external engine; its slot has the engine's name."""
    credential: Credential | None = getattr(external_engines(own).get(slot), "password", None)
    return credential


def _slots(spec: StackSpec, own: PartySpec) -> dict[str, tuple[str, str]]:
    combination = spec.catalogue[own.release].combination(own.computing, own.federation, own.storage)
    needed = combination.modules if combination is not None else ()
    slots = dict(_MYSQL) if own.engines.mysql is None else {"mysql": _MYSQL["mysql"]}
    slots |= _RABBITMQ if "rabbitmq" in needed else {}
    slots |= _FATEBOARD if own.modules.fateboard is not None else {}
    return slots | (_NOTEBOOK if own.modules.client is not None else {})
