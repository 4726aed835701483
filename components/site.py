"""The place of one party or exchange in a cluster: its namespace and the Services whose addresses others need."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi import Output, ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions, ResourceOptions
from pulumi.output import Unknown

from components.base import FederationComponent
from components.last_messages import LastMessages
from federation.base.live import LiveValue
from federation.units.data import lost_data, refusal
from federation.units.unit import UnitPlan


class Site(FederationComponent):
    """Namespace and Services of one unit, made before any route, so that units of one stack can route to each other.

    Publishes `addresses`: the cluster address and, where there is one, the load balancer's address of each Service.
    """

    addresses: dict[LiveValue, Output[str]]

    def __init__(
        self,
        plan: UnitPlan,
        last: LastMessages,
        opts: ResourceOptions | None = None,
        gate: Output[Any] | None = None,
        occupancy_guard: ResourceHook | None = None,
        retained: pulumi.ProviderResource | None = None,
    ) -> None:
        """`retained`: the provider of the namespace.

        `occupancy_guard`: refuses a namespace that others use; asked when the state does not know the unit.
        """
        keeps = [] if plan.allow_data_loss else [_keeps_data(plan.key, plan.config_path, last)]
        hooks = ResourceHookBinding(before_create=[] if occupancy_guard is None else [occupancy_guard], before_update=[*keeps])
        guarded = ResourceOptions(hooks=hooks)
        super().__init__("Site", plan.key, ResourceOptions.merge(opts, guarded), plan.data, gate)
        # A namespace holds its party's claims: destroying or renaming a stack must not delete data (invariant 9).
        namespace = [self.create(manifest, retain_on_delete=True, provider=retained) for manifest in plan.namespace_object]
        # Before all else of the unit: where another stack's note is, the API server refuses this one.
        self.namespace = [*namespace, *(self.create(manifest, depends_on=namespace) for manifest in plan.owner)]
        self.addresses = {}
        for manifest in plan.services:
            service = self.create(manifest, depends_on=self.namespace)
            self._add(LiveValue(plan.namespace, manifest.name, "clusterIP"), service.spec, _cluster_address)
            # Only an address that is awaited: another may come minutes later, and nobody asks for it.
            if "pulumi.com/waitFor" in manifest.annotations:
                self._add(LiveValue(plan.namespace, manifest.name, "loadBalancer"), service.status, _load_balancer_address)
        self.register_outputs({"addresses": {str(value): address for value, address in self.addresses.items()}})

    def _add(self, live: LiveValue, source: Output[Any], address: Callable[[Any], str]) -> None:
        """Read an address back. A preview that cannot know it yet shows the marker in its place."""

        def read(value: Any) -> str:
            text = "" if isinstance(value, Unknown) or value is None else address(value)
            if not text and not pulumi.runtime.is_dry_run():
                raise pulumi.RunError(
                    f"Service {live.namespace}/{live.service} has no {live.field} yet: run `pulumi refresh`, then `pulumi up`"
                )
            return text or str(live)

        self.addresses[live] = source.apply(read, run_with_unknowns=True)


def _keeps_data(key: str, config_path: str, last: LastMessages) -> ResourceHook:
    """Refuses, in a preview already, an edit that would leave a unit's data behind: where the state holds no `StackRecord` yet."""

    def check(change: ResourceHookArgs) -> None:
        if problems := list(lost_data(change.old_inputs or {}, change.new_inputs or {})):
            last.refuse(refusal(config_path, problems))

    return ResourceHook(f"{key}-keeps-data", check, opts=ResourceHookOptions(on_dry_run=True))


def _cluster_address(spec: Mapping[str, Any]) -> str:
    address = spec.get("clusterIP")
    return address if isinstance(address, str) else ""


def _load_balancer_address(status: Mapping[str, Any]) -> str:
    ingress = (status.get("loadBalancer") or {}).get("ingress")
    return (ingress[0].get("ip") or ingress[0].get("hostname") or "") if ingress else ""
