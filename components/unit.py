"""One deployed unit, such as a party: Secrets, route tables and workloads, laid out from its plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pulumi
from pulumi import Input, Output, Resource, ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions, ResourceOptions

from components.base import Addresses, FederationComponent, fill
from components.last_messages import LastMessages
from components.objects import KubernetesObject, Rendered
from components.passwords import password_guard
from components.site import Site
from federation.base import naming
from federation.base.live import live_values
from federation.catalogue.kinds import KINDS
from federation.changes.effects import effects
from federation.links.routes import route_revision
from federation.manifests.jobs import JobPlan
from federation.manifests.objects import SecretPlan
from federation.peers.descriptor import finish
from federation.pki.keys import pkcs8
from federation.units.unit import ChartPlan, UnitPlan

_CHARTS = Path(__file__).resolve().parent.parent / "charts"


@dataclass(frozen=True, kw_only=True)
class UnitArgs:
    """What a unit is made from: its plan, the sites of all units by key, and what only the engine knows."""

    plan: UnitPlan
    sites: Mapping[str, Site]
    addresses: Addresses
    secrets: Mapping[str, Output[str]]
    last: LastMessages
    # Fails when a peer turns out to be at an address of this stack: until it is there, nothing of a unit is changed.
    route_check: Output[Any] | None = None
    # What must be there before workloads: the stack's own objects, such as claims and service accounts.
    needs: Sequence[Rendered] = ()

    @property
    def site(self) -> Site:
        """The unit's own."""
        return self.sites[self.plan.key]

    @property
    def gate(self) -> Output[Any]:
        """There once no Site refused and no peer is at an address of this stack: until then the state records what was deployed."""
        return Output.all(*(site.urn for site in self.sites.values()), *([] if self.route_check is None else [self.route_check]))


class Unit(FederationComponent):
    """One unit of the stack in a namespace of its own; its type says of which kind.

    Children: Secrets, route ConfigMaps, network policies, Certificates of cert-manager, Jobs, one Chart, custom resources that show
    consoles.
    """

    descriptor: Output[dict[str, Any]]
    route_revision: Output[str]
    # Whether this update makes it; known when `resources` are.
    new: bool
    # What it has in its cluster.
    resources: Output[list[Resource]]

    def __init__(self, args: UnitArgs, opts: ResourceOptions | None = None) -> None:
        plan = args.plan
        self._protected, self._last, self.new = plan.protected, args.last, False
        hooks = ResourceHookBinding(
            before_update=[_says_what_it_does(plan.key, args.last)], after_create=[self._notes_that_it_is_new(plan.key)]
        )
        super().__init__(
            KINDS[plan.kind].component, plan.key, ResourceOptions.merge(opts, ResourceOptions(hooks=hooks)), plan.recorded, args.gate
        )
        secrets = [self._secret(secret, args) for secret in plan.secrets]
        files = {manifest.role: fill(manifest.fields, args.addresses) for manifest in plan.routes}
        routes = [self.create(manifest, _fields(files[manifest.role]), depends_on=args.site.namespace) for manifest in plan.routes]
        policies = [self.create(manifest, depends_on=args.site.namespace) for manifest in plan.policies]
        # Certificates wait for the stack's own manifests (one may be the Issuer); pods wait for certificates.
        issued = [self.create(manifest, depends_on=[*args.site.namespace, *args.needs]) for manifest in plan.certificates]
        needs = [*args.site.namespace, *args.needs, *secrets, *routes, *policies, *issued]
        jobs = [self._job(job, needs) for job in plan.jobs]
        rendered: Output[Any] = self._chart(plan.chart, [*needs, *jobs]).resources
        consoles = [self.create(console, depends_on=args.site.namespace) for console in plan.console_objects]
        # A dependency on a chart is none on its objects.
        self.resources = rendered.apply(lambda objects: [*secrets, *routes, *policies, *issued, *jobs, *consoles, *objects])
        self.descriptor = Output.from_input(fill(plan.descriptor, args.addresses)).apply(_published)
        self.route_revision = Output.all(**files).apply(route_revision)
        self.register_outputs({"descriptor": self.descriptor, "routeRevision": self.route_revision})

    def keep(self, everything: Output[list[Resource]]) -> None:
        """Nothing of the stack is deleted while others rely on this unit; `everything`: what the stack has in its cluster."""
        if self._protected is not None:
            ActiveMembers(self.name, ResourceOptions(parent=self, protect=self._protected, depends_on=everything))

    def _notes_that_it_is_new(self, key: str) -> ResourceHook:
        """Not in a preview, which makes nothing."""

        def take_note(_: ResourceHookArgs) -> None:
            self.new = True

        return ResourceHook(f"{key}-is-new", take_note)

    def _secret(self, secret: SecretPlan, args: UnitArgs) -> KubernetesObject:
        values = {
            key: args.secrets[name].apply(pkcs8) if key in secret.pkcs8 else args.secrets[name] for key, name in secret.sources.items()
        }
        hidden = ResourceOptions(additional_secret_outputs=["data", "stringData"])
        opts = ResourceOptions(parent=self, depends_on=args.site.namespace, hooks=_hooks(self.name, secret, self._last))
        fields = {"metadata": secret.metadata, "type": secret.type, "stringData": Output.secret(values)}
        return KubernetesObject(f"{self.name}-{secret.role}", "v1", "Secret", fields, ResourceOptions.merge(opts, hidden))

    def _job(self, plan: JobPlan, needs: list[Any]) -> pulumi.Resource:
        """A Job with its files; the chart comes after its end."""
        return self.create(plan.job, depends_on=[self.create(plan.files, depends_on=needs), *needs])

    def _chart(self, chart: ChartPlan, needs: list[Any]) -> Rendered:
        """The one chart: values are plain and complete, so that a preview shows every object."""
        inputs = {"chart": str(_CHARTS / chart.chart), "namespace": chart.namespace, "values": chart.values.plain()}
        return Rendered("kubernetes:helm.sh/v4:Chart", self.name, inputs, ResourceOptions(parent=self, depends_on=needs))


def _says_what_it_does(key: str, last: LastMessages) -> ResourceHook:
    """Says in the preview which pairs of parties a change affects, how, and who must act."""

    def say(change: ResourceHookArgs) -> None:
        for effect in effects(key, change.old_inputs or {}, change.new_inputs or {}):
            last.effect(effect)

    return ResourceHook(f"{key}-says-what-it-does", say, opts=ResourceHookOptions(on_dry_run=True))


class ActiveMembers(FederationComponent):
    """Holds nothing. Protected while parties of other organizations rely on the exchange, it keeps the stack from being destroyed.

    It depends on everything, so that it would be the first to be deleted: when that is refused, everything else is still there, also
    without a preview. Not the exchange's own objects: a protected object could not be removed by an upgrade either.
    """

    def __init__(self, exchange: str, opts: ResourceOptions) -> None:
        super().__init__("ActiveMembers", f"{exchange}-has-active-members", opts)
        self.register_outputs({})


def make_units(arguments: Sequence[UnitArgs], opts: ResourceOptions) -> dict[str, Unit]:
    """All units of a stack, by key, and what keeps them from being destroyed while others rely on one."""
    units: dict[str, Unit] = {args.plan.key: Unit(args, opts) for args in arguments}
    groups = {id(group): group for args in arguments for group in args.needs}.values()
    made = Output.all(*(unit.resources for unit in units.values()), *(group.resources for group in groups))
    everything = made.apply(lambda resources: [*(args.site for args in arguments), *chain.from_iterable(resources)])
    for unit in units.values():
        unit.keep(everything)
    return units


def _hooks(unit: str, secret: SecretPlan, last: LastMessages) -> ResourceHookBinding | None:
    """Refuses wrong changes of passwords and reports a renewed certificate: a preview does not show the values themselves."""
    if secret.passwords:
        return ResourceHookBinding(before_update=[password_guard(unit, secret, last)])
    if naming.CERTIFICATE_UNTIL not in secret.annotations:
        return None

    def say(change: ResourceHookArgs) -> None:
        old, new = (_until(inputs) for inputs in (change.old_inputs, change.new_inputs))
        if old != new:
            last.info(unit, f"the certificate of {unit} is renewed: until {new}, so far until {old}; Pulsar reads it within 5 minutes")

    hook = ResourceHook(f"{unit}-{secret.role}-renewal", say, opts=ResourceHookOptions(on_dry_run=True))
    return ResourceHookBinding(before_update=[hook])


def _until(inputs: Mapping[str, Any] | None) -> str | None:
    annotations = ((inputs or {}).get("metadata") or {}).get("annotations") or {}
    return annotations.get(naming.CERTIFICATE_UNTIL)


def _published(body: Mapping[str, Any]) -> dict[str, Any]:
    """The descriptor of a body; a preview that does not know an address yet shows the body with its markers."""
    return dict(body) if live_values(body) else finish(body).plain()


def _fields(data: Input[Any]) -> Mapping[str, Input[Any]]:
    fields: Any = data
    return {"data": fields.apply(lambda filled: filled["data"])} if isinstance(fields, Output) else fields
