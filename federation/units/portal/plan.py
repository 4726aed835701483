"""The plan of a party's Site Portal, and of an exchange's FML Manager."""

from collections.abc import Mapping
from typing import Any

from federation.access.consoles import board_objects, board_secret, board_values, hosts_file, shown_access
from federation.base import naming
from federation.base.scalars import PartyId
from federation.catalogue.endpoints import PublishedService
from federation.catalogue.kinds import KINDS, Kind
from federation.catalogue.native import FML_MANAGER, SITE_PORTAL
from federation.catalogue.portal import portal_catalogue
from federation.chart_values.modules import SecretKey
from federation.chart_values.portal import Accounts, PortalDatabase, PortalModules, PortalPorts, PortalTls, PortalValues
from federation.config.credentials import Credential
from federation.config.modules import ModuleSpec, Persistence
from federation.config.portal import FmlManagerSpec, SitePortalSpec
from federation.config.stack import StackSpec
from federation.links.next_hops import Address
from federation.links.publishing import endpoints, service, service_ports
from federation.manifests.modules import ImageUse, image_use, in_use, module_values
from federation.manifests.objects import Manifest, PodSecurity, SecretPlan, namespace
from federation.manifests.secrets import password_places, pull_secret, pull_secret_names
from federation.peers.accepted import Peers
from federation.peers.collaborations import groups
from federation.trust.mutual_tls import MutualTls
from federation.units.data import kept_data
from federation.units.patches import patched
from federation.units.portal.consoles import CONSOLE, shown_portal
from federation.units.portal.link import fateflow_of, fml_manager_of, manager_links, portal_links, site_portals_of
from federation.units.portal.policies import fml_manager_policies, site_portal_policies
from federation.units.unit import ChartPlan, UnitPlan, module_summary

Portal = SitePortalSpec | FmlManagerSpec
# KubeFATE's and FedLCM's names.
_DATABASES = {"sitePortal": "site_portal", "fmlManager": "fml_manager"}
_SECRETS = {"sitePortal": "site-portal-cert", "fmlManager": "fml-manager-cert"}
_POSTGRES_SECRET = f"{naming.POSTGRES}-credentials"
_MODULE = "its own module"


def plan_site_portal(spec: StackSpec, party: PartyId, own: SitePortalSpec, peers: Peers) -> UnitPlan:
    """What is made for the Site Portal of one party of this stack."""
    key, labels = naming.site_portal_key(party), naming.common_labels(spec.federation.name, party)
    manager = fml_manager_of(spec, own, peers)
    return _unit(
        spec,
        own,
        "sitePortal",
        key=key,
        labels=labels,
        party=party,
        policies=site_portal_policies(spec, party, own, key, labels, manager),
        links=portal_links(manager, own.fml_manager),
        access=_access(spec, party, own, manager),
    )


def plan_fml_manager(spec: StackSpec, own: FmlManagerSpec, peers: Peers) -> UnitPlan:
    """What is made for the FML Manager of this stack's exchange."""
    key, labels = naming.FML_MANAGER, naming.common_labels(spec.federation.name, None)
    portals = site_portals_of(spec, peers)
    return _unit(
        spec,
        own,
        "fmlManager",
        key=key,
        labels=labels,
        party=None,
        policies=fml_manager_policies(spec, own, key, labels, portals.values()),
        links=manager_links(portals),
        access={},
    )


def _unit(
    spec: StackSpec,
    own: Portal,
    kind: Kind,
    *,
    key: str,
    labels: dict[str, str],
    party: PartyId | None,
    policies: tuple[Manifest, ...],
    links: Mapping[str, Any],
    access: Mapping[str, Any],
) -> UnitPlan:
    """What both have in common."""
    secrets, keys = portal_secrets(key, own, labels)
    values = patched(portal_values(spec, party, own, labels, keys), own.chart_values)
    mutual, deployed = portal_tls(spec, party), values.modules.plain()
    certificate = SecretPlan(values.tls.secret, values.tls.secret, own.namespace, labels, "Opaque", mutual.sources)
    consoles = shown_portal(spec, party, own) if isinstance(own, SitePortalSpec) and party is not None else {}
    records = _MODULE if own.engines.postgres is None else f"{values.database.host}:{values.database.port}/{values.database.name}"
    return UnitPlan(
        key=key,
        kind=kind,
        party_id=party,
        namespace=own.namespace,
        release=own.release,
        namespace_object=(namespace(own.namespace, labels, _pod_security(deployed)),) if spec.cluster.makes_namespaces else (),
        services=_services(own, key, labels),
        secrets=(
            *secrets,
            certificate,
            *pull_secret(spec, own.namespace, labels),
            *board_secret(spec, own.namespace, labels, values.boards),
        ),
        routes=(),
        policies=policies,
        links=links,
        groups=groups(spec) if kind == "fmlManager" else None,
        chart=ChartPlan("fate-portal", own.namespace, values),
        boards=board_objects(spec, key, own.namespace, labels, consoles),
        descriptor=_descriptor(spec, own, kind, party),
        modules=module_summary(deployed),
        access=access,
        images=in_use(portal_images(spec, own), deployed),
        tls=None,
        mutual=mutual,
        unquoted=tuple(entry for secret in secrets if secret.name == _POSTGRES_SECRET for entry in secret.sources.values()),
        data=kept_data(own.namespace, deployed, portal_catalogue()[own.release].modules) | {"release": own.release, "records": records},
        allow_data_loss=own.allow_data_loss,
        provided={**mutual.provided, **_provided(own)},
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
    """What the stack says of a password."""
    if slot == "postgres" and own.engines.postgres is not None:
        return own.engines.postgres.external.password
    return own.credentials.of(slot)


def portal_secrets(key: str, own: Portal, labels: dict[str, str]) -> tuple[tuple[SecretPlan, ...], dict[str, SecretKey]]:
    """The Secrets of passwords to make, and by slot the place of each password in the namespace."""
    sources, keys = password_places(key, portal_slots(own), lambda slot: portal_credential(own, slot))
    return tuple(SecretPlan(name, name, own.namespace, labels, "Opaque", found) for name, found in sources.items()), keys


def portal_tls(spec: StackSpec, party: PartyId | None) -> MutualTls:
    """The certificates of a Site Portal, or (no party) of an FML Manager."""
    domain = spec.federation.domain
    if party is None:
        return MutualTls(naming.FML_MANAGER, naming.fml_manager_name("server", domain), naming.fml_manager_name("client", domain))
    names = (naming.site_portal_name(party, "server", domain), naming.site_portal_name(party, "client", domain))
    return MutualTls(naming.site_portal_key(party), *names)


def portal_module_specs(own: Portal) -> dict[str, ModuleSpec]:
    """What the operator says of each module, by its name in the catalogue."""
    return {name: value for name, value in own.modules.by_key().items() if isinstance(value, ModuleSpec)}


def deployed_modules(own: Portal) -> dict[str, ModuleSpec]:
    """What the operator says of each module that is deployed."""
    return {name: given for name, given in portal_module_specs(own).items() if name != "postgres" or own.engines.postgres is None}


def portal_images(spec: StackSpec, own: Portal) -> dict[str, ImageUse]:
    """The images of the modules, by module."""
    rows = portal_catalogue()[own.release].modules
    return {name: image_use(rows[name], given.image, spec.images) for name, given in deployed_modules(own).items()}


def portal_values(
    spec: StackSpec, party: PartyId | None, own: Portal, labels: dict[str, str], keys: Mapping[str, SecretKey]
) -> PortalValues:
    """The chart values of a Site Portal, or (no party) of an FML Manager; without a patch."""
    release, kind = portal_catalogue()[own.release], "fmlManager" if party is None else "sitePortal"
    persistence = own.persistence if isinstance(own.persistence, Persistence) else None
    given = deployed_modules(own)
    modules = {name: module_values(release.modules[name], module, spec.images, persistence) for name, module in given.items()}
    mutual = portal_tls(spec, party)
    caller = None if party is None else naming.fml_manager_name("client", spec.federation.domain)
    return PortalValues(
        instance=mutual.key,
        labels=labels,
        image_pull_policy=spec.images.pull_policy,
        image_pull_secrets=pull_secret_names(spec),
        party_id=party,
        release=own.release,
        ports=PortalPorts.model_validate({name: port for name, port in release.ports.items() if name.startswith(tuple(modules))}),
        modules=PortalModules.model_validate(modules),
        database=_database(own, _DATABASES[kind], release.ports["postgres"], keys["postgres"]),
        tls=PortalTls(secret=_SECRETS[kind], server_name=mutual.server_name, caller=caller),
        accounts=None if party is None else Accounts(admin=keys["admin"], user=keys["user"]),
        boards=board_values(spec, shown_portal(spec, party, own)) if isinstance(own, SitePortalSpec) and party is not None else None,
    )


def _database(own: Portal, name: str, port: int, password: SecretKey) -> PortalDatabase:
    if own.engines.postgres is None:
        return PortalDatabase(host=naming.POSTGRES, port=port, name=name, user=name, ssl_mode="disable", password=password)
    found = own.engines.postgres.external
    return PortalDatabase(
        host=found.host, port=found.port, name=found.database, user=found.user, ssl_mode=found.ssl_mode, password=password
    )


def _provided(own: Portal) -> dict[str, str]:
    """The password of an external PostgreSQL, which only the operator has."""
    given = own.engines.postgres
    if given is None or given.external.password.secret is None:
        return {}
    found = given.external
    return {str(found.password.secret): f"the password of user {found.user} of PostgreSQL at {found.host}:{found.port}"}


def _published(own: Portal) -> PublishedService:
    return SITE_PORTAL if isinstance(own, SitePortalSpec) else FML_MANAGER


def _services(own: Portal, key: str, labels: dict[str, str]) -> tuple[Manifest, ...]:
    published = _published(own)
    publication = own.publish.of(published.endpoint)
    dialled = service_ports(published, publication, portal_catalogue()[own.release].ports)
    return (service(published, publication, dialled, key, own.namespace, labels),)


def _descriptor(spec: StackSpec, own: Portal, kind: Kind, party: PartyId | None) -> dict[str, Any]:
    ports, name = portal_catalogue()[own.release].ports, KINDS[kind].server_name_of(party, spec.federation.domain)
    return {
        **spec.federation.membership,
        "kind": kind,
        **({} if party is None else {"partyId": party}),
        "organization": spec.organization,
        "release": own.release,
        "endpoints": endpoints((_published(own),), own.publish, own.namespace, ports, name),
    }


def _access(spec: StackSpec, party: PartyId, own: SitePortalSpec, manager: Address | None) -> dict[str, Any]:
    """How a browser reaches the pages, and what is typed into their form, Site Configuration."""
    port = portal_catalogue()[own.release].ports["frontend"]
    typed = {"partyId": party, "fateFlow": fateflow_of(spec, party, own)}
    if manager is not None:
        typed |= {"fmlManager": f"https://{manager.host}:{manager.ports['tls']}"}
        typed |= {"fmlManagerServerName": naming.fml_manager_name("server", spec.federation.domain)}
    consoles = shown_portal(spec, party, own)
    return {
        CONSOLE: {
            **shown_access(spec, consoles.get(CONSOLE), port),
            "portForward": f"kubectl -n {own.namespace} port-forward service/{naming.FRONTEND} {port}:{port}",
            "siteConfiguration": typed,
        },
        **hosts_file(spec, consoles),
    }
