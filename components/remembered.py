"""What a stack as a whole remembers: which units it has, and where. A unit's own component cannot see another one, nor its own end."""

import pulumi
from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions, ResourceOptions

from components.base import FederationComponent
from federation.data import taken_namespaces
from federation.impact import SEVERITY, effects
from federation.plan import StackPlan


class Units(FederationComponent):
    """Holds nothing. The provider waits for it, so that no object is touched when it refuses."""

    def __init__(self, plan: StackPlan) -> None:
        told = ResourceOptions(hooks=ResourceHookBinding(before_update=[_refuses_and_says()]))
        super().__init__("Units", "units", told, plan.remembered)
        self.register_outputs({})


def _refuses_and_says() -> ResourceHook:
    """Refuses a unit in the namespace of another one, and says what becomes of a unit that goes."""

    def check(change: ResourceHookArgs) -> None:
        old, new = change.old_inputs or {}, change.new_inputs or {}
        if found := list(taken_namespaces(old, new)):
            raise pulumi.RunError("\n".join(f"{unit}: {problem}" for unit, problem in found))
        for unit in sorted(old.keys() - new.keys()):
            for effect in effects(unit, {"data": old[unit]}, None):
                (pulumi.log.warn if SEVERITY[effect.kind] else pulumi.log.info)(str(effect))

    return ResourceHook("units-remembered", check, opts=ResourceHookOptions(on_dry_run=True))
