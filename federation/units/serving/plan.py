"""The plan of a party's FATE-Serving, and of a serving exchange."""

from collections.abc import Mapping
from datetime import date

from federation.access.consoles import access, console_objects, console_secret, console_values, shown_consoles
from federation.base import naming
from federation.catalogue.ports import chart_ports
from federation.catalogue.serving import ServingRelease
from federation.chart_values.fate import Board
from federation.chart_values.modules import Module, SecretKey
from federation.chart_values.serving import Redis, Registry, ServerSettings, ServingModules, ServingPorts, ServingValues
from federation.config.credentials import Credential
from federation.config.modules import Persistence
from federation.config.serving import ServingSpec
from federation.config.units import AnyServingUnit, ServingExchangeUnit, ServingUnit
from federation.links.hops_of_serving import serving_exchange_hops, serving_hops
from federation.links.kinds.registry import route_maps
from federation.links.next_hops import blocked, fateflow_of, links
from federation.links.publishing import descriptor, services
from federation.manifests.modules import ImageUse, in_use, module_images, module_values
from federation.manifests.objects import SecretPlan
from federation.manifests.secrets import password_secrets, pull_secret
from federation.peers.accepted import Peers
from federation.peers.collaborations import groups
from federation.units.data import kept_data
from federation.units.patches import patched
from federation.units.protection import is_protected
from federation.units.serving.link import REGISTRY_USER
from federation.units.serving.modules import deployed_serving_modules
from federation.units.serving.policies import of_a_party, serving_policies
from federation.units.unit import ChartPlan, UnitPlan, chart_head, module_summary, own_namespace

_ADMIN_USER = "admin"


def plan_serving(unit: ServingUnit, peers: Peers) -> UnitPlan:
    """The plan of the FATE-Serving of one party of this stack."""
    secrets, keys = serving_secrets(unit)
    values = patched(serving_values(unit, keys), unit.spec.chart_values)
    hops, deployed = serving_hops(unit, peers), deployed_serving_modules(unit.spec)
    consoles = shown_consoles(unit, deployed)
    secrets += console_secret(unit, values.boards)
    return UnitPlan(
        key=unit.key,
        kind=unit.kind,
        party_id=unit.party_id,
        namespace=unit.namespace,
        release=unit.spec.release,
        namespace_object=own_namespace(unit),
        services=services(unit),
        secrets=(*secrets, *pull_secret(unit)),
        routes=route_maps(unit, peers),
        policies=(*serving_policies(unit, hops), *of_a_party(unit)),
        links=links(*hops, unit.spec.exchange),
        blocked=blocked(*hops, unit.spec.exchange),
        chart=ChartPlan("fate-serving", unit.namespace, values),
        descriptor=descriptor(unit),
        modules=module_summary(values.modules.plain()),
        console_objects=console_objects(unit, consoles),
        access=access(unit, consoles, deployed, ("servingProxy", "servingAdmin")),
        images=in_use(serving_images(unit), values.modules.plain()),
        tls=None,
        data=kept_data(unit.namespace, values.modules.plain(), unit.release.modules) | {"release": unit.spec.release},
        allow_data_loss=unit.spec.allow_data_loss,
        provided=_provided(unit.spec),
    )


def plan_serving_exchange(unit: ServingExchangeUnit, peers: Peers, today: date | None = None) -> UnitPlan:
    """The plan of this stack's serving exchange."""
    values = patched(serving_exchange_values(unit), unit.spec.chart_values)
    hops = serving_exchange_hops(unit, peers)
    return UnitPlan(
        key=unit.key,
        kind=unit.kind,
        party_id=unit.party_id,
        namespace=unit.namespace,
        release=unit.spec.release,
        namespace_object=own_namespace(unit),
        services=services(unit),
        secrets=pull_secret(unit),
        routes=route_maps(unit, peers),
        policies=serving_policies(unit, hops),
        links=links(*hops, None),
        blocked=blocked(*hops, None),
        groups=groups(unit.stack.collaborations),
        chart=ChartPlan("fate-serving", unit.namespace, values),
        descriptor=descriptor(unit),
        modules=module_summary(values.modules.plain()),
        access={},
        images=in_use(serving_images(unit), values.modules.plain()),
        tls=None,
        data={"namespace": unit.namespace, "release": unit.spec.release},
        allow_data_loss=True,  # an exchange has no data
        protected=is_protected(unit, peers, today),
    )


def serving_slots(own: ServingSpec) -> dict[str, tuple[str, str]]:
    """The passwords of a FATE-Serving: by slot the Secret and the key that hold it."""
    slots = {"redis": (f"{naming.SERVING_REDIS}-credentials", "password")} if own.cache.type == "redis" else {}
    slots |= {"zookeeper": (f"{naming.SERVING_ZOOKEEPER}-credentials", "password")} if own.modules.serving_zookeeper is not None else {}
    return slots | ({"admin": ("serving-admin-credentials", "password")} if own.modules.serving_admin is not None else {})


def serving_credential(own: ServingSpec, slot: str) -> Credential | None:
    """The stack file's reference to a password."""
    if slot == "redis" and own.engines.redis is not None:
        return own.engines.redis.external.password
    return own.credentials.of(slot)


def serving_secrets(unit: ServingUnit) -> tuple[tuple[SecretPlan, ...], dict[str, SecretKey]]:
    """The Secrets of passwords to make, and by slot the place of each password in the namespace."""
    return password_secrets(unit, serving_slots(unit.spec), lambda slot: serving_credential(unit.spec, slot))


def serving_images(unit: AnyServingUnit) -> dict[str, ImageUse]:
    """The images of the modules, by module."""
    return module_images(unit.release.modules, deployed_serving_modules(unit.spec), unit.stack.images)


def serving_exchange_values(unit: ServingExchangeUnit) -> ServingValues:
    """The chart values of a serving exchange, without a patch."""
    rows = unit.release.modules
    modules = {name: module_values(rows[name], spec, unit.stack.images) for name, spec in deployed_serving_modules(unit.spec).items()}
    return _chart(unit, modules)


def serving_values(unit: ServingUnit, keys: dict[str, SecretKey]) -> ServingValues:
    """The chart values of a party's FATE-Serving, without a patch."""
    release = unit.release
    persistence = unit.spec.persistence if isinstance(unit.spec.persistence, Persistence) else None
    modules = {
        name: module_values(release.modules[name], spec, unit.stack.images, persistence)
        for name, spec in deployed_serving_modules(unit.spec).items()
    }
    return _chart(unit, modules).model_copy(
        update={
            "party_id": unit.party,
            "server": ServerSettings(
                model_transfer_url=f"http://{fateflow_of(unit)}{release.model_transfer}",
                remote_results=unit.spec.cache.remote_results,
                redis=_redis(unit.spec, release, keys),
                single_adaptor=unit.spec.adaptors.single,
                batch_adaptor=unit.spec.adaptors.batch,
                adaptor_url=unit.spec.adaptors.url,
            ),
            "registry": Registry(user=REGISTRY_USER, password=keys["zookeeper"]) if "zookeeper" in keys else None,
            "boards": console_values(unit.stack.boards, shown_consoles(unit, deployed_serving_modules(unit.spec))),
            "admin": Board(user=_ADMIN_USER, password=keys["admin"]) if "admin" in keys else None,
        }
    )


def _chart(unit: AnyServingUnit, modules: Mapping[str, Module]) -> ServingValues:
    """The values that FATE-Serving and a serving exchange have in common."""
    return ServingValues(
        **chart_head(unit),
        ports=chart_ports(ServingPorts, modules, unit.release.ports),
        modules=ServingModules.model_validate(dict(modules)),
        routes=naming.SERVING_ROUTES,
    )


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
