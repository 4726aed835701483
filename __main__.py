"""The Pulumi program of one organization's stack: read, plan, build, export."""

from datetime import UTC, datetime
from functools import partial

import pulumi

from components import LastMessages, Site, StackRecord, UnitArgs, external_peers, make_units, published_bodies
from components.base import refuse_self_routes, refused
from components.cluster import cluster_uids, object_providers
from components.manifests import extra_manifests
from components.namespaces import Namespaces
from components.other_stacks import published_descriptors
from components.project import project_folder, shown, stack_file
from federation.base.errors import FederationError
from federation.config.file import value_of
from federation.config.stack import StackSpec
from federation.peers.other_stacks import source_warnings
from federation.stack.load import check_secrets, expiry_warnings, load_stack, made_certificates, published_plan, weak_certificate_warnings


def main() -> None:
    """Deploy the stack. Nothing is registered before the whole configuration was checked."""
    config = pulumi.Config("fate")
    texts = {key: config.get(key) for key in StackSpec.written_keys()}
    values = {key: text if key in ("organization", "peersFile") else value_of(text) for key, text in texts.items()}
    written = {key: value for key, value in values.items() if value not in (None, {}, "")}  # Pulumi.yaml has empty defaults
    secrets: dict[str, str] = value_of(config.get("secrets")) or {}
    file = stack_file(pulumi.get_stack())
    now = datetime.now(UTC)
    stack = load_stack(file, written, shown(file), today=now.date())
    check_secrets(stack, secrets)
    plan, spec = published_plan(stack, secrets), stack.spec
    secrets |= made_certificates(stack, secrets)
    namespaces = Namespaces(spec.cluster, project_folder(file), stack.source.place_of, plan.units)
    record = StackRecord(plan, spec.cluster, cluster_uids(spec.cluster, [unit.namespace for unit in plan.units]), last := LastMessages())
    opts, retained = object_providers(spec.cluster, record)
    others = (*plan.unpinned, *source_warnings(spec, stack.peers, published_descriptors, pulumi.get_stack()))
    for warning in (*plan.warnings, *expiry_warnings(stack, secrets, now), *weak_certificate_warnings(stack, secrets), *others):
        pulumi.log.warn(warning)
    external_peers(plan.external, last, record.urn)
    sites = {unit.key: Site(unit, last, opts, record.urn, namespaces.occupancy_guard(unit, last), retained) for unit in plan.units}
    addresses = {live: address for site in sites.values() for live, address in site.addresses.items()}
    check = refuse_self_routes(plan.units, stack.peers, stack.source.place_of, addresses)
    wrapped = {name: pulumi.Output.secret(value) for name, value in secrets.items()}
    extra = extra_manifests(plan.manifests, sites.values(), opts, retained)
    args = partial(UnitArgs, sites=sites, addresses=addresses, route_check=check, secrets=wrapped, needs=extra, last=last)
    units = make_units([args(plan=unit) for unit in plan.units], opts)
    pulumi.export("descriptors", published_bodies(units, spec, pulumi.get_stack()))
    pulumi.export("endpoints", {key: unit.descriptor.apply(lambda body: body["endpoints"]) for key, unit in units.items()})
    pulumi.export("routeRevision", {key: unit.route_revision for key, unit in units.items()})
    for name, value in plan.outputs.items():
        pulumi.export(name, value)


try:
    main()
except FederationError as error:
    raise refused(error) from None
