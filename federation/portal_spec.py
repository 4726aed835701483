"""What a stack says of Site Portal and FML Manager: modules, database, passwords. The units themselves are in `federation.spec`."""

from typing import Literal

from pydantic import Field

from federation.credential_spec import Credential
from federation.model import Model
from federation.module_spec import ModuleSpec
from federation.scalars import Host, Port, SqlName


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


class FmlManagerCredentials(Model):
    """Where FML Manager's password comes from; absent: fate:secrets, under fml-manager-postgres."""

    postgres: Credential | None = None

    def of(self, slot: str) -> Credential | None:
        """What was given for a slot."""
        return {"postgres": self.postgres}[slot]


class SitePortalCredentials(Model):
    """Where Site Portal's passwords come from; absent: fate:secrets, under site-portal-<id>-<slot>."""

    postgres: Credential | None = None
    admin: Credential | None = Field(None, description="First password of the account Admin.")
    user: Credential | None = Field(None, description="First password of the account User.")

    def of(self, slot: str) -> Credential | None:
        """What was given for a slot."""
        return {"postgres": self.postgres, "admin": self.admin, "user": self.user}[slot]
