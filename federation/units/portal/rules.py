"""Rules about Site Portals and FML Managers: their links, their databases, and what goes with what."""

from collections.abc import Iterator

from federation.base.errors import Problem, of_each
from federation.base.hosts import is_own
from federation.catalogue.portal import portal_catalogue
from federation.config.credentials import Credential
from federation.config.stack import StackSpec
from federation.config.units import PortalUnit, SitePortalUnit, fml_manager_unit, site_portal_units
from federation.units.checked import CheckedStack, UnitRule
from federation.units.hubs import hub_is_described, hub_is_of_its_kind
from federation.units.module_rules import broken_knobs
from federation.units.party_owner import party_is_linked
from federation.units.portal.plan import Portal, deployed_modules, portal_module_specs


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


def _party_is_linked(stack: CheckedStack, unit: SitePortalUnit) -> Iterator[Problem]:
    return party_is_linked(stack, unit, "for it to run jobs on")


def _calls_its_fate(stack: CheckedStack, unit: SitePortalUnit) -> Iterator[Problem]:
    training, row = stack.spec.parties.get(unit.party), unit.releases.get(unit.spec.release)
    release = None if training is None else stack.spec.catalogue.get(training.release)
    if row is not None and release is not None and release.major != row.fate_major:
        problem = f"calls FATE-Flow's API of FATE {row.fate_major}.x, and party {unit.party} has FATE {release.release}"
        yield Problem(stack.place((*unit.path, "release")), problem, "remove this Site Portal")


def _manager_is_there(stack: CheckedStack, unit: SitePortalUnit) -> Iterator[Problem]:
    if (name := unit.spec.fml_manager) is not None:
        yield from hub_is_described(stack, "fmlManager", name, (*unit.path, "fmlManager"))
        yield from hub_is_of_its_kind(stack, "fmlManager", name, (*unit.path, "fmlManager"))


def _postgres_is_elsewhere(stack: CheckedStack, unit: PortalUnit) -> Iterator[Problem]:
    own = unit.spec
    if own.engines.postgres is None:
        return
    if "postgres" in own.modules.model_fields_set:
        problem = "is not deployed: PostgreSQL is elsewhere (engines.postgres.external)"
        yield Problem(stack.place((*unit.path, "modules", "postgres")), problem, "remove it")
    if own.credentials.postgres is not None:
        remedy = "remove it; the password of one elsewhere is engines.postgres.external.password"
        where = stack.place((*unit.path, "credentials", "postgres"))
        yield Problem(where, "is the password of a PostgreSQL that is not deployed", remedy)
    if is_own(host := own.engines.postgres.external.host):
        where = stack.place((*unit.path, "engines", "postgres", "external", "host"))
        problem = f"{host} is each pod itself, not the machine you have in mind"
        yield Problem(where, problem, "write an address that the cluster's pods can reach")


def _passwords_stay(stack: CheckedStack, unit: PortalUnit) -> Iterator[Problem]:
    for path, credential in _credentials(unit.spec).items():
        if credential is not None and credential.previous is not None:
            yield Problem(stack.place((*unit.path, *path, "previous")), "no Job changes this password", "remove this line")


def _credentials(own: Portal) -> dict[tuple[str, ...], Credential | None]:
    given = own.credentials
    found: dict[tuple[str, ...], Credential | None] = {("credentials", slot): given.of(slot) for slot in type(given).model_fields}
    if own.engines.postgres is not None:
        found["engines", "postgres", "external", "password"] = own.engines.postgres.external.password
    return found


def _knobs(stack: CheckedStack, unit: PortalUnit) -> Iterator[Problem]:
    if (release := unit.releases.get(unit.spec.release)) is not None:
        yield from broken_knobs({**portal_module_specs(unit.spec)}, release.modules, release, stack.place, unit.path)


def _publishes(stack: CheckedStack, unit: PortalUnit) -> Iterator[Problem]:
    endpoint, given = unit.kind, unit.spec.publish.given.get(unit.kind)
    where = (*unit.path, "publish", endpoint)
    if given is None:
        remedy = "publish it; type ClusterIP is for the inside of a cluster alone"
        yield Problem(stack.place(where), f"publish.{endpoint} is missing: Site Portals and FML Managers call each other", remedy)
    elif given.type == "External":
        problem = f"{endpoint} is deployed by this stack, so a Service publishes it"
        yield Problem(stack.place((*where, "type")), problem, "choose LoadBalancer, NodePort or ClusterIP")


FML_MANAGER_RULES: tuple[UnitRule, ...] = (_postgres_is_elsewhere, _passwords_stay, _knobs, _publishes)
SITE_PORTAL_RULES: tuple[UnitRule, ...] = (_party_is_linked, _calls_its_fate, _manager_is_there, *FML_MANAGER_RULES)


def portals_share_no_database(stack: CheckedStack) -> Iterator[Problem]:
    """Two programs in one database would take each other's tables for their own."""
    used: dict[tuple[str, int, str], str] = {}
    portals: tuple[PortalUnit, ...] = (*site_portal_units(stack.spec).values(), *filter(None, (fml_manager_unit(stack.spec),)))
    for unit, key in of_each(portals, _database):
        if key in used:
            remedy, where = "give each a database of its own", stack.place((*unit.path, "engines", "postgres"))
            yield Problem(where, f"fate:{used[key]} uses this database already", remedy)
        used.setdefault(key, ".".join(unit.path))


def _database(unit: PortalUnit) -> Iterator[tuple[PortalUnit, tuple[str, int, str]]]:
    if (postgres := unit.spec.engines.postgres) is not None:
        yield unit, (postgres.external.host, postgres.external.port, postgres.external.database)
