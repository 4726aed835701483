"""Rules about Site Portals and FML Managers: their links, their databases, and what goes with what."""

from collections.abc import Iterator
from functools import partial

from federation.base.errors import Finding, Problem, of_each, warning
from federation.base.hosts import is_own
from federation.config.credentials import Credential
from federation.config.units import PortalUnit, SitePortalUnit, fml_manager_unit, site_portal_units
from federation.units.checked import CheckedStack, PlannedStack, UnitRule, UnitWarn
from federation.units.hubs import hub_is_described, hub_is_of_its_kind
from federation.units.module_rules import broken_knobs
from federation.units.party_owner import party_is_linked
from federation.units.portal.plan import Portal, deployed_portal_modules, portal_module_specs


def _calls_its_fate(stack: CheckedStack, unit: SitePortalUnit) -> Iterator[Problem]:
    training, row = stack.spec.parties.get(unit.party), unit.releases.get(unit.spec.release)
    release = None if training is None else stack.spec.catalogue.get(training.release)
    if row is not None and release is not None and release.major != row.fate_major:
        problem = f"calls FATE-Flow's API of FATE {row.fate_major}.x, and party {unit.party} has FATE {release.release}"
        yield Problem(stack.at(unit, "release"), problem, "remove this Site Portal")


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
        yield Problem(stack.at(unit, "modules", "postgres"), problem, "remove it")
    if own.credentials.postgres is not None:
        remedy = "remove it; the password of one elsewhere is engines.postgres.external.password"
        where = stack.at(unit, "credentials", "postgres")
        yield Problem(where, "is the password of a PostgreSQL that is not deployed", remedy)
    if is_own(host := own.engines.postgres.external.host):
        where = stack.at(unit, "engines", "postgres", "external", "host")
        problem = f"{host} means the pod itself, not your machine"
        yield Problem(where, problem, "write an address that the cluster's pods can reach")


def _passwords_stay(stack: CheckedStack, unit: PortalUnit) -> Iterator[Problem]:
    for path, credential in _credentials(unit.spec).items():
        if credential is not None and credential.previous is not None:
            yield Problem(stack.at(unit, *path, "previous"), "no Job changes this password", "remove this line")


def _credentials(own: Portal) -> dict[tuple[str, ...], Credential | None]:
    credentials = own.credentials
    by_path: dict[tuple[str, ...], Credential | None] = {
        ("credentials", slot): credentials.of(slot) for slot in type(credentials).model_fields
    }
    if own.engines.postgres is not None:
        by_path["engines", "postgres", "external", "password"] = own.engines.postgres.external.password
    return by_path


def _knobs(stack: CheckedStack, unit: PortalUnit) -> Iterator[Problem]:
    if (release := unit.releases.get(unit.spec.release)) is not None:
        yield from broken_knobs({**portal_module_specs(unit.spec)}, release.modules, release, stack.place_of, unit.path)


def _publishes(stack: CheckedStack, unit: PortalUnit) -> Iterator[Problem]:
    endpoint, publication = unit.kind, unit.spec.publish.by_endpoint.get(unit.kind)
    where = (*unit.path, "publish", endpoint)
    if publication is None:
        remedy = "publish it; type ClusterIP only works inside one cluster"
        yield Problem(stack.place_of(where), f"publish.{endpoint} is missing: Site Portals and FML Managers call each other", remedy)
    elif publication.type == "External":
        problem = f"{endpoint} is deployed by this stack, so a Service publishes it"
        yield Problem(stack.place_of((*where, "type")), problem, "choose LoadBalancer, NodePort or ClusterIP")


FML_MANAGER_RULES: tuple[UnitRule, ...] = (_postgres_is_elsewhere, _passwords_stay, _knobs, _publishes)
SITE_PORTAL_RULES: tuple[UnitRule, ...] = (
    partial(party_is_linked, "for it to run jobs on"),
    _calls_its_fate,
    _manager_is_there,
    *FML_MANAGER_RULES,
)


def _release_is_uncertain(stack: PlannedStack, unit: PortalUnit) -> Iterator[Finding]:
    modules = deployed_portal_modules(unit.spec)
    of_release = {module for module, spec in modules.items() if spec.image.tag is None and spec.image.digest is None}
    for row in unit.release.uncertain:
        if of_release & set(row.modules):
            yield warning(stack.at(unit, "release"), f"{unit.title}, FedLCM {unit.spec.release}: {row.says}")


def _database_in_the_clear(stack: PlannedStack, unit: PortalUnit) -> Iterator[Finding]:
    postgres, at = unit.spec.engines.postgres, ("engines", "postgres", "external", "sslMode")
    if postgres is not None and postgres.external.ssl_mode == "disable":
        text = f"{unit.title} sends its database password and data in plain text ({'.'.join(at)}: disable)"
        yield warning(stack.at(unit, *at), text)


PORTAL_WARNINGS: tuple[UnitWarn, ...] = (_release_is_uncertain, _database_in_the_clear)


def portals_fit_their_fate(stack: PlannedStack) -> Iterator[Finding]:
    """Releases of FedLCM and of FATE that nobody saw work together."""
    for party, unit in site_portal_units(stack.spec).items():
        training, release = stack.spec.parties.get(party), unit.release
        if training is not None and training.release not in release.fate:
            known = f"FATE {training.release} (known: {', '.join(release.fate)})"
            text = f"{unit.title}: FedLCM {unit.spec.release} is not known to work with {known}"
            yield warning(stack.at(unit, "release"), text)


def portals_share_no_database(stack: CheckedStack) -> Iterator[Problem]:
    """Two programs in one database would take each other's tables for their own."""
    used: dict[tuple[str, int, str], str] = {}
    portals: tuple[PortalUnit, ...] = (*site_portal_units(stack.spec).values(), *filter(None, (fml_manager_unit(stack.spec),)))
    for unit, key in of_each(portals, _database):
        if key in used:
            remedy, where = "give each its own database", stack.at(unit, "engines", "postgres")
            yield Problem(where, f"fate:{used[key]} uses this database already", remedy)
        used.setdefault(key, ".".join(unit.path))


def _database(unit: PortalUnit) -> Iterator[tuple[PortalUnit, tuple[str, int, str]]]:
    if (postgres := unit.spec.engines.postgres) is not None:
        yield unit, (postgres.external.host, postgres.external.port, postgres.external.database)
