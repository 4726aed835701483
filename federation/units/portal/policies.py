"""The NetworkPolicy objects of Site Portals and an FML Manager, and of the link from a Site Portal to its party's FATE-Flow."""

from collections.abc import Iterable, Iterator, Mapping

from federation.access.engine_policy import Way
from federation.access.network_policy import (
    Place,
    Rule,
    connect,
    elsewhere,
    module_ports,
    outside,
    place_of,
    published_sources,
    to_pods,
    towards,
    unit_policies,
)
from federation.base import naming
from federation.base.naming import selector
from federation.base.scalars import PartyId
from federation.catalogue.portal import portal_catalogue
from federation.config.modules import ModuleSpec
from federation.config.party import PartySpec
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.stack import StackSpec
from federation.links.next_hops import Address, Pods
from federation.manifests.objects import Manifest
from federation.units.portal.consoles import shown_portal


def site_portal_policies(
    spec: StackSpec, party: PartyId, own: SitePortalSpec, key: str, labels: Mapping[str, str], manager: Address | None
) -> tuple[Manifest, ...]:
    """Every policy of a Site Portal that registers with this FML Manager; none when they are switched off."""
    if not spec.network_policy.enabled:
        return ()
    ports, place = portal_catalogue()[own.release].ports, Place(own.namespace, key, labels)
    frontend, server = selector(naming.FRONTEND, key), selector(naming.SITE_PORTAL_SERVER, key)
    egress = [*_fateflow(spec, party, own), *map(outside, portal_ways(own))]
    egress += [] if manager is None else [towards(spec, manager)]
    made = [
        *unit_policies(spec, place),
        place.policy("peers-frontend", frontend, ingress=[connect("from", published_sources(spec), (ports["frontendTls"],))]),
        place.policy("peers-site-portal-server", server, ingress=[], egress=egress),
    ]
    who = spec.network_policy.boards
    if who is not None or shown_portal(spec, party, own):
        # The controller's namespace is not known here: any pod, until the stack names it.
        sources = [{"namespaceSelector": {}}] if who is None else elsewhere(who)
        rules = [connect("from", sources, (ports["frontend"],))]
        made.append(place.policy("board-frontend", frontend, ingress=rules))
    shown = {"frontend": own.modules.frontend, "sitePortalServer": own.modules.site_portal_server, "postgres": own.modules.postgres}
    return (*made, *_shown_services(place, shown, ports))


def fml_manager_policies(
    spec: StackSpec, own: FmlManagerSpec, key: str, labels: Mapping[str, str], portals: Iterable[Address]
) -> tuple[Manifest, ...]:
    """Every policy of an FML Manager that calls these Site Portals; none when they are switched off."""
    if not spec.network_policy.enabled:
        return ()
    ports, place = portal_catalogue()[own.release].ports, Place(own.namespace, key, labels)
    ingress = [connect("from", published_sources(spec), (ports["fmlManagerServer"],))]
    called = sorted({repr(rule): rule for rule in (towards(spec, portal) for portal in portals)}.values(), key=repr)
    server = place.policy(
        "peers-fml-manager-server",
        selector(naming.FML_MANAGER_SERVER, key),
        ingress=ingress,
        egress=[*map(outside, portal_ways(own)), *called],
    )
    shown = {"fmlManagerServer": own.modules.fml_manager_server, "postgres": own.modules.postgres}
    return (*unit_policies(spec, place), server, *_shown_services(place, shown, ports))


def fateflow_policies(spec: StackSpec, party: PartyId, own: PartySpec, key: str, labels: Mapping[str, str]) -> tuple[Manifest, ...]:
    """What lets a party's Site Portal in at its FATE-Flow."""
    portal = spec.site_portal.get(party)
    if portal is None or not spec.network_policy.enabled:
        return ()
    pods = Pods(portal.namespace, naming.site_portal_key(party), naming.SITE_PORTAL_SERVER, ())
    rules = [connect("from", [place_of(pods)], (spec.catalogue[own.release].ports["fateflowHttp"],))]
    return (Place(own.namespace, key, labels).policy("site-portal", selector(naming.FATEFLOW, key), ingress=rules),)


def portal_ways(own: SitePortalSpec | FmlManagerSpec) -> Iterator[Way]:
    """What the server of a Site Portal or an FML Manager dials outside of its stack, beside its peers."""
    if isinstance(own, SitePortalSpec) and own.fateflow is not None:
        yield Way.to("FATE-Flow", own.fateflow)
    if (postgres := own.engines.postgres) is not None:
        yield Way("PostgreSQL", postgres.external.host, (postgres.external.port,))


def _fateflow(spec: StackSpec, party: PartyId, own: SitePortalSpec) -> Iterator[Rule]:
    training = spec.parties.get(party)
    if own.fateflow is None and training is not None:
        port = spec.catalogue[training.release].ports["fateflowHttp"]
        yield to_pods(Pods(training.namespace, naming.party_key(party), naming.FATEFLOW, (port,)))


def _shown_services(place: Place, modules: Mapping[str, ModuleSpec], ports: Mapping[str, int]) -> Iterator[Manifest]:
    """The ports of modules whose Service the operator shows outside the cluster."""
    for module, given in modules.items():
        if given.service is not None and given.service.type != "ClusterIP":
            pods = naming.kebab_case(module)
            yield place.policy(f"service-{pods}", selector(pods, place.key), ingress=[connect("from", [], module_ports(module, ports))])
