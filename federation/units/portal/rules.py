"""Rules about Site Portals and FML Managers: their links, their databases, and what goes with what."""

from collections.abc import Iterator

from federation.base.errors import Paths, Place, Problem
from federation.base.hosts import is_own
from federation.base.scalars import PartyId
from federation.catalogue.portal import portal_catalogue
from federation.config.credentials import Credential
from federation.config.modules import ModuleSpec
from federation.config.portal import SitePortalSpec
from federation.config.publish import Publication
from federation.config.stack import StackSpec
from federation.peers.accepted import Peers
from federation.units.hubs import hub_is_described, hub_is_of_its_kind
from federation.units.module_rules import broken_knobs
from federation.units.party_owner import belongs_to_its_party
from federation.units.portal.plan import Portal, deployed_modules, portal_module_specs

_MANAGER = ("exchange", "fmlManager")


def broken_portal_rules(spec: StackSpec, peers: Peers, place: Place, left_out: Paths) -> tuple[Problem, ...]:
    """Every problem with Site Portals and the FML Manager. `left_out`: see `federation.stack.plan.check_stack`."""
    problems = [*belongs_to_its_party("sitePortal", spec, peers, place), *_nothing_is_shared(spec, place)]
    for party, own in spec.site_portals_in_order:
        at = ("sitePortal", party)
        problems += [*_training(spec, party, own, place, left_out), *_manager(spec, party, own, peers, place, left_out)]
        problems += [*_modules(at, own, place), *_publishes(at, "sitePortal", own.publish.site_portal, place)]
    if spec.fml_manager is not None:
        problems += _modules(_MANAGER, spec.fml_manager, place)
        problems += _publishes(_MANAGER, "fmlManager", spec.fml_manager.publish.fml_manager, place)
    return tuple(problems)


def portal_warnings(spec: StackSpec) -> Iterator[str]:
    """What an operator should know of portals that are otherwise right."""
    for name, own in _units(spec):
        modules = deployed_modules(own)
        for row in portal_catalogue()[own.release].uncertain:
            of_release = {module for module, given in modules.items() if given.image.tag is None and given.image.digest is None}
            if of_release & set(row.modules):
                yield f"{name}, FedLCM {own.release}: {row.says}"
        if own.engines.postgres is not None and own.engines.postgres.external.ssl_mode == "disable":
            yield f"{name} sends its database password and data in plain text (engines.postgres.external.sslMode: disable)"
    for party, portal in spec.site_portals_in_order:
        training, release = spec.parties.get(party), portal_catalogue()[portal.release]
        if training is not None and training.release not in release.fate:
            known = f"FATE {training.release} (known: {', '.join(release.fate)})"
            yield f"the Site Portal of party {party}: FedLCM {portal.release} is not known to work with {known}"


def _units(spec: StackSpec) -> Iterator[tuple[str, Portal]]:
    if spec.fml_manager is not None:
        yield "the FML Manager", spec.fml_manager
    yield from ((f"the Site Portal of party {party}", own) for party, own in spec.site_portals_in_order)


def _training(spec: StackSpec, party: PartyId, own: SitePortalSpec, place: Place, left_out: Paths) -> Iterator[Problem]:
    """It has one training party: this stack's of the same id, or one elsewhere by its address."""
    where, training = place(("sitePortal", party, "fateflow")), spec.parties.get(party)
    here = training is not None or bool({("parties",), ("parties", party)} & left_out)
    if own.fateflow is not None and training is not None:
        problem = f"party {party} is in this stack, and its FATE-Flow is linked without an address"
        yield Problem(where, problem, "remove this line, or correct the party id")
    if own.fateflow is None and not here:
        problem = f"this stack has no party {party} for it to run jobs on"
        yield Problem(where, problem, "describe the party under fate:parties, or name the address of its FATE-Flow: fateflow: HOST:9380")
    row, release = portal_catalogue().get(own.release), None if training is None else spec.catalogue.get(training.release)
    if row is not None and release is not None and release.major != row.fate_major:
        problem = f"calls FATE-Flow's API of FATE {row.fate_major}.x, and party {party} has FATE {release.release}"
        yield Problem(place(("sitePortal", party, "release")), problem, "remove this Site Portal")


def _manager(spec: StackSpec, party: PartyId, own: SitePortalSpec, peers: Peers, place: Place, left_out: Paths) -> Iterator[Problem]:
    if own.fml_manager is not None:
        where = place(("sitePortal", party, "fmlManager"))
        yield from hub_is_described(spec, "fmlManager", own.fml_manager, where, left_out)
        yield from hub_is_of_its_kind(peers, "fmlManager", own.fml_manager, where)


def _modules(at: tuple[str, ...], own: Portal, place: Place) -> Iterator[Problem]:
    specs: dict[str, ModuleSpec | None] = {**portal_module_specs(own)}
    if own.engines.postgres is not None:
        here = (*at, "engines", "postgres", "external")
        if "postgres" in own.modules.model_fields_set:
            yield Problem(
                place((*at, "modules", "postgres")), "is not deployed: PostgreSQL is elsewhere (engines.postgres.external)", "remove it"
            )
        if own.credentials.postgres is not None:
            remedy = "remove it; the password of one elsewhere is engines.postgres.external.password"
            yield Problem(place((*at, "credentials", "postgres")), "is the password of a PostgreSQL that is not deployed", remedy)
        if is_own(host := own.engines.postgres.external.host):
            problem = f"{host} is each pod itself, not the machine you have in mind"
            yield Problem(place((*here, "host")), problem, "write an address that the cluster's pods can reach")
    for path, credential in _credentials(own).items():
        if credential is not None and credential.previous is not None:
            yield Problem(place((*at, *path, "previous")), "no Job changes this password", "remove this line")
    if (release := portal_catalogue().get(own.release)) is not None:
        yield from broken_knobs(specs, release.modules, release, place, at)


def _credentials(own: Portal) -> dict[tuple[str, ...], Credential | None]:
    given = own.credentials
    found: dict[tuple[str, ...], Credential | None] = {("credentials", slot): given.of(slot) for slot in type(given).model_fields}
    if own.engines.postgres is not None:
        found["engines", "postgres", "external", "password"] = own.engines.postgres.external.password
    return found


def _publishes(at: tuple[str, ...], endpoint: str, given: Publication | None, place: Place) -> Iterator[Problem]:
    where = (*at, "publish", endpoint)
    if given is None:
        remedy = "publish it; type ClusterIP is for the inside of a cluster alone"
        yield Problem(place(where), f"publish.{endpoint} is missing: Site Portals and FML Managers call each other", remedy)
    elif given.type == "External":
        yield Problem(place((*where, "type")), f"{endpoint} is deployed by this stack, so a Service publishes it", _CHOOSE)


_CHOOSE = "choose LoadBalancer, NodePort or ClusterIP"


def _nothing_is_shared(spec: StackSpec, place: Place) -> Iterator[Problem]:
    """Two programs in one database would take each other's tables for their own."""
    used: dict[tuple[str, int, str], str] = {}
    units: list[tuple[tuple[str, ...], Portal]] = [(("sitePortal", party), own) for party, own in spec.site_portals_in_order]
    units += [] if spec.fml_manager is None else [(_MANAGER, spec.fml_manager)]
    for at, own in units:
        if own.engines.postgres is None:
            continue
        found = own.engines.postgres.external
        key = (found.host, found.port, found.database)
        if key in used:
            remedy = "give each a database of its own"
            yield Problem(place((*at, "engines", "postgres")), f"fate:{used[key]} uses this database already", remedy)
        used.setdefault(key, ".".join(at))
