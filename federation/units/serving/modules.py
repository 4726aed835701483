"""The modules of FATE-Serving and its exchange."""

from federation.config.modules import ModuleSpec
from federation.config.serving import ServingExchangeModulesSpec, ServingExchangeSpec, ServingSpec


def has_redis(own: ServingSpec) -> bool:
    """Whether a Redis is deployed with it."""
    return own.cache.type == "redis" and own.engines.redis is None


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


def deployed_serving_modules(own: ServingSpec | ServingExchangeSpec) -> dict[str, ModuleSpec]:
    """What the operator says of each module that is deployed."""
    unused = {"servingRedis"} if isinstance(own, ServingSpec) and not has_redis(own) else set()
    return {name: given for name, given in serving_module_specs(own).items() if given is not None and name not in unused}
