"""The stack file's keys of Site Portal and FML Manager: their units, modules, databases and passwords."""

from typing import ClassVar, Literal

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import Host, HostPort, Label, Name, NonEmpty, Port, SqlName
from federation.config.credentials import Credential, Slots
from federation.config.modules import ChartValues, ModuleSpec, Persistence
from federation.config.publish import FmlManagerPublish, SitePortalPublish


class SitePortalModulesSpec(Model):
    """The modules of a Site Portal."""

    frontend: ModuleSpec = Field(ModuleSpec(), description="The pages, and the port at which an FML Manager calls.")
    site_portal_server: ModuleSpec = Field(ModuleSpec(), description="The program behind the pages; keeps uploaded data.")
    postgres: ModuleSpec = Field(ModuleSpec(), description="Its database.")


class FmlManagerModulesSpec(Model):
    """The modules of an FML Manager."""

    fml_manager_server: ModuleSpec = Field(ModuleSpec(), description="What Site Portals register with.")
    postgres: ModuleSpec = Field(ModuleSpec(), description="Its database.")


class ExternalPostgres(Model):
    """A PostgreSQL that exists already, with an empty database: the program makes its tables."""

    host: Host
    port: Port = 5432
    database: SqlName
    user: SqlName
    password: Credential
    ssl_mode: Literal["require", "disable"] = Field("require", description="require: TLS, without a check of the server's certificate.")


class PostgresEngine(Model):
    """PostgreSQL from elsewhere: the module is then not deployed."""

    external: ExternalPostgres


class PortalEngines(Model):
    """Engines of a Site Portal or an FML Manager that exist already."""

    postgres: PostgresEngine | None = None


class FmlManagerCredentials(Slots):
    """Where FML Manager's password comes from; absent: fate:secrets, under fml-manager-postgres."""

    postgres: Credential | None = None


class SitePortalCredentials(Slots):
    """Where Site Portal's passwords come from; absent: fate:secrets, under site-portal-<id>-<slot>."""

    postgres: Credential | None = None
    admin: Credential | None = Field(None, description="First password of the account Admin.")
    user: Credential | None = Field(None, description="First password of the account User.")


class FmlManagerSpec(Model):
    """FedLCM's FML Manager: through it the Site Portals of a federation invite each other into projects."""

    namespace: Label = Field(description="A namespace of its own.")
    release: NonEmpty = Field(description="Release of FedLCM.")
    persistence: Persistence | Literal["none"] = Field(
        description="`none` (projects are lost with the pod), or {storageClass, accessMode}."
    )
    allow_data_loss: bool = Field(
        False, description="Allow changes of namespace, claim or database that leave projects behind; for one `pulumi up`."
    )
    engines: PortalEngines = PortalEngines()
    modules: FmlManagerModulesSpec = FmlManagerModulesSpec()
    credentials: FmlManagerCredentials = FmlManagerCredentials()
    chart_values: ChartValues = Field({})
    publish: FmlManagerPublish
    # It is a hub itself.
    hubs: ClassVar[tuple[str, ...]] = ()


class SitePortalSpec(Model):
    """FedLCM's Site Portal of one party: data, projects and jobs in a browser."""

    namespace: Label = Field(description="A namespace of its own.")
    release: NonEmpty = Field(description="Release of FedLCM.")
    fateflow: HostPort | None = Field(
        None, description="HTTP address of the party's FATE-Flow; absent: the party of this id in this stack."
    )
    fml_manager: Name | None = Field(
        None, description="Name of the peer that is the FML Manager; `local` when this stack's exchange has it; absent: none."
    )
    persistence: Persistence | Literal["none"] = Field(
        description="`none` (uploads, projects and accounts are lost with the pod), or {storageClass, accessMode}."
    )
    allow_data_loss: bool = Field(
        False, description="Allow changes of namespace, claims or database that leave data behind; for one `pulumi up`."
    )
    engines: PortalEngines = PortalEngines()
    modules: SitePortalModulesSpec = SitePortalModulesSpec()
    credentials: SitePortalCredentials = SitePortalCredentials()
    chart_values: ChartValues = Field({})
    publish: SitePortalPublish

    @property
    def hubs(self) -> tuple[str, ...]:
        """The FML Manager that it names; `local`: this stack's own."""
        return () if self.fml_manager is None else (self.fml_manager,)
