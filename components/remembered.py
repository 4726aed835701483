"""What a stack as a whole remembers of its units' data. A unit's own component cannot see another one, nor its own end."""

import pulumi
from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions, ResourceOptions

from components.base import FederationComponent
from federation.data import lost_data, refusal, taken_namespaces
from federation.impact import SEVERITY, effects
from federation.plan import StackPlan


class Units(FederationComponent):
    """Holds nothing. The provider and all Sites wait for it, so that nothing is touched, and nothing forgotten, when it refuses."""

    def __init__(self, plan: StackPlan) -> None:
        told = ResourceOptions(hooks=ResourceHookBinding(before_update=[_refuses_and_says(plan)]))
        super().__init__("Units", "units", told, {unit.key: dict(unit.data) for unit in plan.units})
        self.register_outputs({})


def _refuses_and_says(plan: StackPlan) -> ResourceHook:
    """Refuses what would leave data behind, and a unit in the namespace of another one; says what becomes of a unit that goes."""

    def check(change: ResourceHookArgs) -> None:
        old, new = change.old_inputs or {}, change.new_inputs or {}
        problems = [f"{unit}: {problem}" for unit, problem in taken_namespaces(old, new)]
        for unit in plan.units:
            if unit.key in old and not unit.allow_data_loss and (lost := list(lost_data(old[unit.key], new[unit.key]))):
                problems.append(refusal(unit.config_path, lost))
        if problems:
            raise pulumi.RunError("\n".join(problems))
        for key in sorted(old.keys() - new.keys()):
            for effect in effects(key, {"data": old[key]}, None):
                (pulumi.log.warn if SEVERITY[effect.kind] else pulumi.log.info)(str(effect))

    return ResourceHook("units-remembered", check, opts=ResourceHookOptions(on_dry_run=True))
