"""The link from a party's FATE-Flow to its FATE-Serving: the stack's own of the same party id, or one elsewhere by address.

Inside a stack it goes by the Service's name: FATE-Flow hands its entries to gRPC, which resolves names.
"""

from federation.base import naming
from federation.chart_values.fate import Servings, Zookeeper
from federation.chart_values.modules import SecretKey
from federation.config.credentials import Credential
from federation.config.units import PartyUnit, ServingUnit, serving_units

REGISTRY_USER = "fate"
# The slot of a party's secrets for the registry, and the Secret and key that hold it.
REGISTRY_SLOT = {"zookeeper": (f"{naming.SERVING_ZOOKEEPER}-credentials", "password")}


def party_servings(unit: PartyUnit, keys: dict[str, SecretKey]) -> Servings | None:
    """The entry in FATE-Flow's configuration; None if the party has no FATE-Serving."""
    serving, external = serving_units(unit.stack).get(unit.party), unit.spec.servings
    if serving is None and external is None:
        return None
    hosts = external.hosts if external is not None else ()
    if serving is not None:
        hosts = (_address(serving, naming.SERVING_SERVER, "servingServer"),)
    if external is None or not external.use_registry:
        return Servings(hosts=hosts)
    password = keys.get("zookeeper")
    if serving is not None:
        registry = (_address(serving, naming.SERVING_ZOOKEEPER, "servingZookeeper"),)
        return Servings(hosts=hosts, zookeeper=Zookeeper(hosts=registry, user=REGISTRY_USER, password=password))
    if external.zookeeper is None:
        raise ValueError("useRegistry without a zookeeper: the rules refuse it before")
    return Servings(hosts=hosts, zookeeper=Zookeeper(hosts=external.zookeeper.hosts, user=external.zookeeper.user, password=password))


def registry_credential(unit: PartyUnit) -> Credential | None:
    """Where the party finds the registry's password; None when it uses no registry, or one without an ACL."""
    if unit.spec.servings is None or not unit.spec.servings.use_registry:
        return None
    serving = serving_units(unit.stack).get(unit.party)
    if serving is not None:
        return serving.spec.credentials.zookeeper or Credential(secret=f"{serving.key}-zookeeper")
    return None if unit.spec.servings.zookeeper is None else unit.spec.servings.zookeeper.password


def _address(serving: ServingUnit, service: str, port: str) -> str:
    return f"{naming.inside(service, serving.namespace)}:{serving.release.ports[port]}"
