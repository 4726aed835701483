"""The plan of a party's Site Portal, and of an exchange's FML Manager."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from federation.access.consoles import console_objects, console_secret, console_values, hosts_file, port_forward, shown_access
from federation.base import naming
from federation.catalogue.kinds import Kind
from federation.catalogue.ports import chart_ports
from federation.chart_values.modules import SecretKey
from federation.chart_values.portal import Accounts, PortalDatabase, PortalModules, PortalPorts, PortalTls, PortalValues
from federation.config.credentials import Credential
from federation.config.modules import ModuleSpec, Persistence
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.units import FmlManagerUnit, PortalUnit, SitePortalUnit
from federation.links.next_hops import Address, fateflow_of
from federation.links.publishing import descriptor, services
from federation.manifests.modules import ImageUse, in_use, module_images, module_values
from federation.manifests.objects import Manifest, PodSecurity, SecretPlan
from federation.manifests.secrets import password_secrets, pull_secret
from federation.peers.accepted import Peers
from federation.peers.collaborations import groups
from federation.trust.mutual_tls import MutualTls
from federation.units.data import kept_data
from federation.units.patches import patched
from federation.units.portal.consoles import CONSOLE, shown_portal
from federation.units.portal.link import fml_manager_of, manager_links, portal_links, site_portals_of
from federation.units.portal.policies import fml_manager_policies, site_portal_policies
from federation.units.unit import ChartPlan, UnitPlan, chart_head, module_summary, own_namespace

Portal = SitePortalSpec | FmlManagerSpec
# KubeFATE's and FedLCM's names.
_DATABASES: Mapping[Kind, str] = {"sitePortal": "site_portal", "fmlManager": "fml_manager"}
_SECRETS: Mapping[Kind, str] = {"sitePortal": "site-portal-cert", "fmlManager": "fml-manager-cert"}
_POSTGRES_SECRET = f"{naming.POSTGRES}-credentials"
_MODULE = "its own module"


def plan_site_portal(unit: SitePortalUnit, peers: Peers) -> UnitPlan:
    """The plan of the Site Portal of one party of this stack."""
    manager = fml_manager_of(unit, peers)
    return _plan(unit, site_portal_policies(unit, manager), portal_links(manager, unit.spec.fml_manager), _access(unit, manager))


def plan_fml_manager(unit: FmlManagerUnit, peers: Peers) -> UnitPlan:
    """The plan of the FML Manager of this stack's exchange."""
    portals, members = site_portals_of(unit, peers), groups(unit.stack.collaborations)
    return replace(_plan(unit, fml_manager_policies(unit, portals.values()), manager_links(portals), {}), groups=members)


def _plan(unit: PortalUnit, policies: tuple[Manifest, ...], links: Mapping[str, Any], access: Mapping[str, Any]) -> UnitPlan:
    """The common part of both plans."""
    secrets, keys = portal_secrets(unit)
    values = patched(portal_values(unit, keys), unit.spec.chart_values)
    mutual, deployed = portal_tls(unit), values.modules.plain()
    certificate = SecretPlan(values.tls.secret, values.tls.secret, unit.namespace, unit.labels, "Opaque", mutual.sources)
    records = _MODULE if unit.spec.engines.postgres is None else f"{values.database.host}:{values.database.port}/{values.database.name}"
    return UnitPlan(
        key=unit.key,
        kind=unit.kind,
        party_id=unit.party_id,
        namespace=unit.namespace,
        release=unit.spec.release,
        namespace_object=own_namespace(unit, _pod_security(deployed)),
        services=services(unit),
        secrets=(*secrets, certificate, *pull_secret(unit), *console_secret(unit, values.boards)),
        routes=(),
        policies=policies,
        links=links,
        chart=ChartPlan("fate-portal", unit.namespace, values),
        console_objects=console_objects(unit, shown_portal(unit)),
        descriptor=descriptor(unit),
        modules=module_summary(deployed),
        access=access,
        images=in_use(portal_images(unit), deployed),
        tls=None,
        mutual=mutual,
        unquoted=tuple(entry for secret in secrets if secret.name == _POSTGRES_SECRET for entry in secret.sources.values()),
        data=kept_data(unit.namespace, deployed, unit.release.modules) | {"release": unit.spec.release, "records": records},
        allow_data_loss=unit.spec.allow_data_loss,
        provided={**mutual.provided, **_provided(unit.spec)},
    )


def _pod_security(modules: Mapping[str, Mapping[str, Any]]) -> PodSecurity:
    """What the namespace enforces: `restricted`, unless the operator's `chartValues` run a module as root or add capabilities."""
    rows = [module["security"] for module in modules.values()]
    return "restricted" if all(row.get("runAsUser") and not row["capabilities"] for row in rows) else "baseline"


def portal_slots(own: Portal) -> dict[str, tuple[str, str]]:
    """The passwords of a unit: by slot the Secret and the key that hold it."""
    slots = {"postgres": (_POSTGRES_SECRET, "password")}
    if isinstance(own, SitePortalSpec):
        slots |= {name: ("site-portal-credentials", f"{name}-password") for name in ("admin", "user")}
    return slots


def portal_credential(own: Portal, slot: str) -> Credential | None:
    """The stack file's reference to a password."""
    if slot == "postgres" and own.engines.postgres is not None:
        return own.engines.postgres.external.password
    return own.credentials.of(slot)


def portal_secrets(unit: PortalUnit) -> tuple[tuple[SecretPlan, ...], dict[str, SecretKey]]:
    """The Secrets of passwords to make, and by slot the place of each password in the namespace."""
    return password_secrets(unit, portal_slots(unit.spec), lambda slot: portal_credential(unit.spec, slot))


def portal_tls(unit: PortalUnit) -> MutualTls:
    """The certificates of a Site Portal or an FML Manager."""
    domain, party = unit.stack.federation.domain, unit.party_id
    client = naming.fml_manager_name("client", domain) if party is None else naming.site_portal_name(party, "client", domain)
    return MutualTls(unit.key, unit.server_name, client)


def portal_module_specs(own: Portal) -> dict[str, ModuleSpec]:
    """The settings of each module in the stack file, by its name in the catalogue."""
    return {name: value for name, value in own.modules.by_key().items() if isinstance(value, ModuleSpec)}


def deployed_portal_modules(own: Portal) -> dict[str, ModuleSpec]:
    """The settings of each deployed module in the stack file."""
    return {name: spec for name, spec in portal_module_specs(own).items() if name != "postgres" or own.engines.postgres is None}


def portal_images(unit: PortalUnit) -> dict[str, ImageUse]:
    """The images of the modules, by module."""
    return module_images(unit.release.modules, deployed_portal_modules(unit.spec), unit.stack.images)


def portal_values(unit: PortalUnit, keys: Mapping[str, SecretKey]) -> PortalValues:
    """The chart values of a Site Portal or an FML Manager, without a patch."""
    release = unit.release
    persistence = unit.spec.persistence if isinstance(unit.spec.persistence, Persistence) else None
    specs = deployed_portal_modules(unit.spec)
    modules = {name: module_values(release.modules[name], module, unit.stack.images, persistence) for name, module in specs.items()}
    mutual = portal_tls(unit)
    caller = None if unit.party_id is None else naming.fml_manager_name("client", unit.stack.federation.domain)
    return PortalValues(
        **chart_head(unit),
        party_id=unit.party_id,
        ports=chart_ports(PortalPorts, modules, release.ports),
        modules=PortalModules.model_validate(modules),
        database=_database(unit.spec, _DATABASES[unit.kind], release.ports["postgres"], keys["postgres"]),
        tls=PortalTls(secret=_SECRETS[unit.kind], server_name=mutual.server_name, caller=caller),
        accounts=None if unit.party_id is None else Accounts(admin=keys["admin"], user=keys["user"]),
        boards=console_values(unit.stack.boards, shown_portal(unit)),
    )


def _database(own: Portal, name: str, port: int, password: SecretKey) -> PortalDatabase:
    if own.engines.postgres is None:
        return PortalDatabase(host=naming.POSTGRES, port=port, name=name, user=name, ssl_mode="disable", password=password)
    server = own.engines.postgres.external
    return PortalDatabase(
        host=server.host, port=server.port, name=server.database, user=server.user, ssl_mode=server.ssl_mode, password=password
    )


def _provided(own: Portal) -> dict[str, str]:
    """The password of an external PostgreSQL, which only the operator has."""
    postgres = own.engines.postgres
    if postgres is None or postgres.external.password.secret is None:
        return {}
    server = postgres.external
    return {str(server.password.secret): f"the password of user {server.user} of PostgreSQL at {server.host}:{server.port}"}


def _access(unit: SitePortalUnit, manager: Address | None) -> dict[str, Any]:
    """How a browser reaches the pages, and what is typed into their form, Site Configuration."""
    port = unit.release.ports["frontend"]
    typed = {"partyId": unit.party, "fateFlow": fateflow_of(unit)}
    if manager is not None:
        typed |= {"fmlManager": f"https://{manager.host}:{manager.ports['tls']}"}
        typed |= {"fmlManagerServerName": naming.fml_manager_name("server", unit.stack.federation.domain)}
    consoles = shown_portal(unit)
    return {
        CONSOLE: {
            **shown_access(unit.stack.boards, consoles.get(CONSOLE), port),
            "portForward": port_forward(unit.namespace, naming.FRONTEND, port),
            "siteConfiguration": typed,
        },
        **hosts_file(unit.stack.boards, consoles),
    }
