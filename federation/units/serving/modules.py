"""The modules of FATE-Serving and its exchange."""

from federation.config.modules import ModuleSpec
from federation.config.serving import ServingExchangeModulesSpec, ServingExchangeSpec, ServingSpec


def has_redis(own: ServingSpec) -> bool:
    """Whether a Redis is deployed with it."""
    return own.cache.type == "redis" and own.engines.redis is None


def serving_module_specs(own: ServingSpec | ServingExchangeSpec) -> dict[str, ModuleSpec | None]:
    """The settings of each module in the stack file, by its name in the catalogue; None: an optional module that the file does not name."""
    modules = own.modules
    if isinstance(modules, ServingExchangeModulesSpec):
        return {"servingProxy": modules.serving_proxy}
    return {
        "servingServer": modules.serving_server,
        "servingProxy": modules.serving_proxy,
        "servingRedis": modules.serving_redis,
        "servingZookeeper": modules.serving_zookeeper,
        "servingAdmin": modules.serving_admin,
    }


def deployed_serving_modules(own: ServingSpec | ServingExchangeSpec) -> dict[str, ModuleSpec]:
    """The settings of each deployed module in the stack file."""
    unused = {"servingRedis"} if isinstance(own, ServingSpec) and not has_redis(own) else set()
    return {name: spec for name, spec in serving_module_specs(own).items() if spec is not None and name not in unused}
