"""The NetworkPolicy objects of Site Portals and an FML Manager, and of the link from a Site Portal to its party's FATE-Flow."""

from collections.abc import Iterable, Iterator

from federation.access.engine_policy import EgressTarget
from federation.access.network_policy import (
    Rule,
    connect,
    elsewhere,
    ingress_policies,
    outside,
    policy,
    policy_peer,
    published_sources,
    service_ingress,
    to_pods,
    towards,
    unit_policies,
)
from federation.base import naming
from federation.base.naming import selector
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.units import FmlManagerUnit, PartyUnit, SitePortalUnit, party_units
from federation.links.next_hops import Address, Pods
from federation.manifests.objects import Manifest
from federation.units.portal.consoles import shown_portal


def site_portal_policies(unit: SitePortalUnit, manager: Address | None) -> tuple[Manifest, ...]:
    """Every policy of a Site Portal that registers with this FML Manager; none when they are switched off."""
    if not unit.stack.network_policy.enabled:
        return ()
    ports = unit.release.ports
    frontend, server = selector(naming.FRONTEND, unit.key), selector(naming.SITE_PORTAL_SERVER, unit.key)
    egress = [*_fateflow(unit), *map(outside, portal_targets(unit.spec))]
    egress += [] if manager is None else [towards(unit.stack.cluster, manager)]
    made = [
        *unit_policies(unit),
        policy(unit, "peers-frontend", frontend, ingress=[connect("from", published_sources(unit), (ports["frontendTls"],))]),
        policy(unit, "peers-site-portal-server", server, ingress=[], egress=egress),
    ]
    who = unit.stack.network_policy.boards
    if who is not None or shown_portal(unit):
        # The controller's namespace is not known here: any pod, until the stack names it.
        sources = [{"namespaceSelector": {}}] if who is None else elsewhere(who)
        rules = [connect("from", sources, (ports["frontend"],))]
        made.append(policy(unit, "board-frontend", frontend, ingress=rules))
    shown = {
        "frontend": unit.spec.modules.frontend,
        "sitePortalServer": unit.spec.modules.site_portal_server,
        "postgres": unit.spec.modules.postgres,
    }
    return (*made, *ingress_policies(unit, service_ingress(shown, ports)))


def fml_manager_policies(unit: FmlManagerUnit, portals: Iterable[Address]) -> tuple[Manifest, ...]:
    """Every policy of an FML Manager that calls these Site Portals; none when they are switched off."""
    if not unit.stack.network_policy.enabled:
        return ()
    ports = unit.release.ports
    ingress = [connect("from", published_sources(unit), (ports["fmlManagerServer"],))]
    called = sorted({repr(rule): rule for rule in (towards(unit.stack.cluster, portal) for portal in portals)}.values(), key=repr)
    server = policy(
        unit,
        "peers-fml-manager-server",
        selector(naming.FML_MANAGER_SERVER, unit.key),
        ingress=ingress,
        egress=[*map(outside, portal_targets(unit.spec)), *called],
    )
    shown = {"fmlManagerServer": unit.spec.modules.fml_manager_server, "postgres": unit.spec.modules.postgres}
    return (*unit_policies(unit), server, *ingress_policies(unit, service_ingress(shown, ports)))


def fateflow_policies(unit: PartyUnit) -> tuple[Manifest, ...]:
    """The policy that lets a party's Site Portal connect to its FATE-Flow."""
    portal = unit.stack.site_portal.get(unit.party)
    if portal is None or not unit.stack.network_policy.enabled:
        return ()
    pods = Pods(portal.namespace, naming.site_portal_key(unit.party), naming.SITE_PORTAL_SERVER, ())
    rules = [connect("from", [policy_peer(pods)], (unit.release.ports["fateflowHttp"],))]
    return (policy(unit, "site-portal", selector(naming.FATEFLOW, unit.key), ingress=rules),)


def portal_targets(own: SitePortalSpec | FmlManagerSpec) -> Iterator[EgressTarget]:
    """The targets of a Site Portal's or FML Manager's server outside its stack, beside its peers."""
    if isinstance(own, SitePortalSpec) and own.fateflow is not None:
        yield EgressTarget.to("FATE-Flow", own.fateflow)
    if (postgres := own.engines.postgres) is not None:
        yield EgressTarget("PostgreSQL", postgres.external.host, (postgres.external.port,))


def _fateflow(unit: SitePortalUnit) -> Iterator[Rule]:
    training = party_units(unit.stack).get(unit.party)
    if unit.spec.fateflow is None and training is not None:
        yield to_pods(Pods(training.namespace, training.key, naming.FATEFLOW, (training.release.ports["fateflowHttp"],)))
