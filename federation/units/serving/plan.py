"""The plan of a party's FATE-Serving, and of a serving exchange."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from federation.access.consoles import access, board_objects, board_secret, board_values, shown_consoles
from federation.base import naming
from federation.base.scalars import PartyId
from federation.catalogue.native import SERVING_PROXY
from federation.catalogue.serving import ServingRelease, serving_catalogue
from federation.chart_values.fate import Board
from federation.chart_values.modules import Module, SecretKey
from federation.chart_values.serving import Redis, Registry, ServerSettings, ServingModules, ServingPorts, ServingValues
from federation.config.credentials import Credential
from federation.config.modules import ModuleSpec, Persistence
from federation.config.serving import ServingExchangeModulesSpec, ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec
from federation.config.units import OwnUnit
from federation.links.hops_of_serving import serving_exchange_hops, serving_hops
from federation.links.kinds.registry import route_maps
from federation.links.next_hops import links, severed
from federation.links.publishing import endpoints, service, service_ports
from federation.manifests.modules import ImageUse, image_use, in_use, module_values
from federation.manifests.objects import Manifest, SecretPlan, namespace
from federation.manifests.secrets import password_places, pull_secret, pull_secret_names
from federation.peers.accepted import Peers
from federation.peers.collaborations import groups
from federation.units.data import kept_data
from federation.units.patches import patched
from federation.units.protection import is_protected
from federation.units.serving.link import REGISTRY_USER
from federation.units.serving.policies import serving_policies
from federation.units.unit import ChartPlan, UnitPlan, module_summary

_ADMIN_USER = "admin"


def plan_serving(spec: StackSpec, party: PartyId, own: ServingSpec, peers: Peers) -> UnitPlan:
    """What is made for the FATE-Serving of one party of this stack."""
    key = naming.serving_key(party)
    labels = naming.common_labels(spec.federation.name, party)
    secrets, keys = serving_secrets(party, own, labels)
    values = patched(serving_values(spec, party, own, labels, keys), own.chart_values)
    hops, release = serving_hops(spec, party, own, peers), serving_catalogue()[own.release]
    consoles = shown_consoles(spec, party, own, release.ports, deployed_modules(own))
    secrets += board_secret(spec, own.namespace, labels, values.boards)
    return UnitPlan(
        key=key,
        kind="serving",
        party_id=party,
        namespace=own.namespace,
        release=own.release,
        namespace_object=(namespace(own.namespace, labels),) if spec.cluster.makes_namespaces else (),
        services=_services(own, key, labels),
        secrets=(*secrets, *pull_secret(spec, own.namespace, labels)),
        routes=route_maps(spec, OwnUnit(spec, "serving", party, own), labels, peers),
        policies=serving_policies(spec, party, own, key, labels, hops, deployed_modules(own)),
        links=links(*hops, own.exchange),
        severed=severed(*hops, own.exchange),
        chart=ChartPlan("fate-serving", own.namespace, values),
        descriptor=_descriptor(spec, own, {"kind": "serving", "partyId": party}),
        modules=module_summary(values.modules.plain()),
        boards=board_objects(spec, key, own.namespace, labels, consoles),
        access=access(spec, own.namespace, release.ports, consoles, deployed_modules(own), ("servingProxy", "servingAdmin")),
        images=in_use(serving_images(spec, own), values.modules.plain()),
        tls=None,
        data=kept_data(own.namespace, values.modules.plain(), release.modules) | {"release": own.release},
        allow_data_loss=own.allow_data_loss,
        provided=_provided(own),
    )


def plan_serving_exchange(spec: StackSpec, own: ServingExchangeSpec, peers: Peers, today: date | None = None) -> UnitPlan:
    """What is made for the serving exchange of this stack."""
    labels = naming.common_labels(spec.federation.name, None)
    values = patched(serving_exchange_values(spec, own, labels), own.chart_values)
    hops = serving_exchange_hops(spec, peers)
    return UnitPlan(
        key=naming.SERVING_EXCHANGE,
        kind="servingExchange",
        party_id=None,
        namespace=own.namespace,
        release=own.release,
        namespace_object=(namespace(own.namespace, labels),) if spec.cluster.makes_namespaces else (),
        services=_services(own, naming.SERVING_EXCHANGE, labels),
        secrets=pull_secret(spec, own.namespace, labels),
        routes=route_maps(spec, OwnUnit(spec, "servingExchange", None, own), labels, peers),
        policies=serving_policies(spec, None, own, naming.SERVING_EXCHANGE, labels, hops),
        links=links(*hops, None),
        severed=severed(*hops, None),
        groups=groups(spec),
        chart=ChartPlan("fate-serving", own.namespace, values),
        descriptor=_descriptor(spec, own, {"kind": "servingExchange"}),
        modules=module_summary(values.modules.plain()),
        access={},
        images=in_use(serving_images(spec, own), values.modules.plain()),
        tls=None,
        data={"namespace": own.namespace, "release": own.release},
        allow_data_loss=True,  # an exchange has no data
        protected=is_protected(own, peers, today),
    )


def serving_slots(own: ServingSpec) -> dict[str, tuple[str, str]]:
    """The passwords of a FATE-Serving: by slot the Secret and the key that hold it."""
    slots = {"redis": (f"{naming.SERVING_REDIS}-credentials", "password")} if own.cache.type == "redis" else {}
    slots |= {"zookeeper": (f"{naming.SERVING_ZOOKEEPER}-credentials", "password")} if own.modules.serving_zookeeper is not None else {}
    return slots | ({"admin": ("serving-admin-credentials", "password")} if own.modules.serving_admin is not None else {})


def serving_credential(own: ServingSpec, slot: str) -> Credential | None:
    """What the stack says of a password."""
    if slot == "redis" and own.engines.redis is not None:
        return own.engines.redis.external.password
    return own.credentials.of(slot)


def has_redis(own: ServingSpec) -> bool:
    """Whether a Redis is deployed with it."""
    return own.cache.type == "redis" and own.engines.redis is None


def serving_secrets(party: PartyId, own: ServingSpec, labels: dict[str, str]) -> tuple[tuple[SecretPlan, ...], dict[str, SecretKey]]:
    """The Secrets of passwords to make, and by slot the place of each password in the namespace."""
    sources, keys = password_places(naming.serving_key(party), serving_slots(own), lambda slot: serving_credential(own, slot))
    return tuple(SecretPlan(name, name, own.namespace, labels, "Opaque", found) for name, found in sources.items()), keys


def serving_module_specs(own: ServingSpec | ServingExchangeSpec) -> dict[str, ModuleSpec | None]:
    """What the operator says of each module, by its name in the catalogue; None: an optional one that was not asked for."""
    given = own.modules
    if isinstance(given, ServingExchangeModulesSpec):
        return {"servingProxy": given.serving_proxy}
    return {
        "servingServer": given.serving_server,
        "servingProxy": given.serving_proxy,
        "servingRedis": given.serving_redis,
        "servingZookeeper": given.serving_zookeeper,
        "servingAdmin": given.serving_admin,
    }


def deployed_modules(own: ServingSpec | ServingExchangeSpec) -> dict[str, ModuleSpec]:
    """What the operator says of each module that is deployed."""
    unused = {"servingRedis"} if isinstance(own, ServingSpec) and not has_redis(own) else set()
    return {name: given for name, given in serving_module_specs(own).items() if given is not None and name not in unused}


def serving_images(spec: StackSpec, own: ServingSpec | ServingExchangeSpec) -> dict[str, ImageUse]:
    """The images of the modules, by module."""
    rows = serving_catalogue()[own.release].modules
    return {name: image_use(rows[name], given.image, spec.images) for name, given in deployed_modules(own).items()}


def serving_exchange_values(spec: StackSpec, own: ServingExchangeSpec, labels: dict[str, str]) -> ServingValues:
    """The chart values of a serving exchange, without a patch."""
    rows = serving_catalogue()[own.release].modules
    modules = {name: module_values(rows[name], given, spec.images) for name, given in deployed_modules(own).items()}
    return _chart(spec, naming.SERVING_EXCHANGE, own.release, labels, modules)


def serving_values(spec: StackSpec, party: PartyId, own: ServingSpec, labels: dict[str, str], keys: dict[str, SecretKey]) -> ServingValues:
    """The chart values of a party's FATE-Serving, without a patch."""
    release = serving_catalogue()[own.release]
    persistence = own.persistence if isinstance(own.persistence, Persistence) else None
    modules = {name: module_values(release.modules[name], given, spec.images, persistence) for name, given in deployed_modules(own).items()}
    return _chart(spec, naming.serving_key(party), own.release, labels, modules).model_copy(
        update={
            "party_id": party,
            "server": ServerSettings(
                model_transfer_url=f"http://{_fateflow(spec, party, own)}{release.model_transfer}",
                remote_results=own.cache.remote_results,
                redis=_redis(own, release, keys),
                single_adaptor=own.adaptors.single,
                batch_adaptor=own.adaptors.batch,
                adaptor_url=own.adaptors.url,
            ),
            "registry": Registry(user=REGISTRY_USER, password=keys["zookeeper"]) if "zookeeper" in keys else None,
            "boards": board_values(spec, shown_consoles(spec, party, own, release.ports, deployed_modules(own))),
            "admin": Board(user=_ADMIN_USER, password=keys["admin"]) if "admin" in keys else None,
        }
    )


def _chart(spec: StackSpec, key: str, release: str, labels: dict[str, str], modules: Mapping[str, Module]) -> ServingValues:
    """The values that FATE-Serving and a serving exchange have in common."""
    known = ServingPorts.written_keys()
    ports = {name: port for name, port in serving_catalogue()[release].ports.items() if name in known and name.startswith(tuple(modules))}
    return ServingValues(
        instance=key,
        labels=labels,
        image_pull_policy=spec.images.pull_policy,
        image_pull_secrets=pull_secret_names(spec),
        release=release,
        ports=ServingPorts.model_validate(ports),
        modules=ServingModules.model_validate(dict(modules)),
        routes=naming.SERVING_ROUTES,
    )


def _fateflow(spec: StackSpec, party: PartyId, own: ServingSpec) -> str:
    """host:port of the HTTP API of the party's FATE-Flow."""
    if own.fateflow is not None:
        return own.fateflow
    training = spec.parties[party]
    return f"{naming.inside(naming.FATEFLOW_SERVICE, training.namespace)}:{spec.catalogue[training.release].ports['fateflowHttp']}"


def _redis(own: ServingSpec, release: ServingRelease, keys: dict[str, SecretKey]) -> Redis | None:
    if own.cache.type != "redis":
        return None
    if own.engines.redis is None:
        return Redis(host=naming.SERVING_REDIS, port=release.ports["servingRedis"], password=keys["redis"])
    external = own.engines.redis.external
    return Redis(host=external.host, port=external.port, password=keys["redis"])


def _provided(own: ServingSpec) -> dict[str, str]:
    external = None if own.engines.redis is None else own.engines.redis.external
    if external is None or external.password.secret is None:
        return {}
    return {external.password.secret: f"the password of the Redis at {external.host}"}


def _services(own: ServingSpec | ServingExchangeSpec, key: str, labels: dict[str, str]) -> tuple[Manifest, ...]:
    ports = serving_catalogue()[own.release].ports
    publication = own.publish.of(SERVING_PROXY.endpoint)
    return (service(SERVING_PROXY, publication, service_ports(SERVING_PROXY, publication, ports), key, own.namespace, labels),)


def _descriptor(spec: StackSpec, own: ServingSpec | ServingExchangeSpec, head: Mapping[str, Any]) -> dict[str, Any]:
    ports = serving_catalogue()[own.release].ports
    return {
        **spec.federation.membership,
        **head,
        "organization": spec.organization,
        "release": own.release,
        "endpoints": endpoints((SERVING_PROXY,), own.publish, own.namespace, ports, spec.federation.domain),
    }
