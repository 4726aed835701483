"""What the state records of a stack as a whole: its cluster and the data of its units.

The component of a unit sees no other unit, and runs no more when it is removed itself.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import Output, ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions, ResourceOptions

from components.base import FederationComponent
from components.last_messages import LastMessages
from federation.changes.cluster import moved_cluster, other_cluster
from federation.changes.effects import effects
from federation.config.stack import ClusterSpec
from federation.stack.plan import StackPlan
from federation.units.data import lost_data, refusal, taken_namespaces

# Beside the units, whose keys name a party or an exchange.
_CLUSTER = "cluster"


class StackRecord(FederationComponent):
    """Has no objects. The providers and all Sites wait for it: when it refuses, nothing is touched and nothing leaves the state.

    In every stack's state its type is `Units`.
    """

    def __init__(self, plan: StackPlan, cluster: ClusterSpec, uids: Output[dict[str, str]], last: LastMessages) -> None:
        """`uids`: of the cluster that the kubeconfig leads to."""
        hooked = ResourceOptions(hooks=ResourceHookBinding(before_update=[_refuses_and_says(plan, cluster, last)]))
        super().__init__("Units", "units", hooked, {unit.key: dict(unit.data) for unit in plan.units} | {_CLUSTER: uids})
        self.register_outputs({})


def _refuses_and_says(plan: StackPlan, cluster: ClusterSpec, last: LastMessages) -> ResourceHook:
    """Refuses another cluster, lost data, and a unit in the namespace of another one; says what becomes of a unit that goes."""

    def check(change: ResourceHookArgs) -> None:
        old, new = dict(change.old_inputs or {}), dict(change.new_inputs or {})
        here, there = old.pop(_CLUSTER, {}), new.pop(_CLUSTER)
        if other := other_cluster(cluster, here, there):
            raise pulumi.RunError(other)
        problems = [f"{unit}: {problem}" for unit, problem in taken_namespaces(old, new)]
        moved = moved_cluster(here, there)
        for unit in plan.units:
            if (
                unit.key in old
                and not unit.allow_data_loss
                and (lost := [*_stays(moved, unit.data), *lost_data(old[unit.key], new[unit.key])])
            ):
                problems.append(refusal(unit.config_path, lost))
        if problems:
            raise pulumi.RunError("\n".join(problems))
        if moved:
            pulumi.log.warn(f"this stack moves to another cluster: {moved}; run `pulumi refresh` first, or nothing is made here")
        for key in sorted(old.keys() - new.keys()):
            for effect in effects(key, {"data": old[key]}, None):
                last.effect(effect)

    return ResourceHook("units-remembered", check, opts=ResourceHookOptions(on_dry_run=True))


def _stays(moved: str | None, data: Mapping[str, Any]) -> list[str]:
    """What a move leaves behind of a unit that has data."""
    return [moved] if moved and data.get("claims") else []
