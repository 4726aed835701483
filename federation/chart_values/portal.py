"""The values of charts/fate-portal: a party's Site Portal, or an FML Manager."""

from typing import Literal

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import Host, Label, NonEmpty, PartyId, Port
from federation.chart_values.fate import Boards
from federation.chart_values.modules import Common, Module, SecretKey


class PortalPorts(Model):
    """Ports, from the release catalogue; those of modules that are not deployed are absent."""

    frontend: Port | None = None
    frontend_tls: Port | None = None
    site_portal_server: Port | None = None
    fml_manager_server: Port | None = None
    postgres: Port | None = None


class PortalModules(Model):
    """The modules; what is absent is not deployed."""

    frontend: Module | None = None
    site_portal_server: Module | None = None
    fml_manager_server: Module | None = None
    postgres: Module | None = None


class PortalDatabase(Model):
    """The PostgreSQL database: of the module, or of an external server."""

    host: Host
    port: Port
    name: NonEmpty
    user: NonEmpty
    ssl_mode: Literal["require", "disable"]
    password: SecretKey


class PortalTls(Model):
    """Mutual TLS between Site Portal and FML Manager, and inside a Site Portal."""

    secret: Label = Field(description="Secret with server.crt, server.key, client.crt, client.key and ca.crt.")
    server_name: Host = Field(description="What the other side finds in server.crt.")
    caller: Host | None = Field(
        None, description="Common name of the only client that may call a Site Portal: the FML Manager's certificate."
    )


class Accounts(Model):
    """The first passwords of Site Portal's two accounts, Admin and User."""

    admin: SecretKey
    user: SecretKey


class PortalValues(Common):
    """Values of charts/fate-portal."""

    party_id: PartyId | None = Field(None, description="Absent for an FML Manager.")
    release: NonEmpty = Field(description="Release of FedLCM.")
    ports: PortalPorts
    modules: PortalModules
    database: PortalDatabase
    tls: PortalTls
    accounts: Accounts | None = Field(None, description="Present with sitePortalServer.")
    boards: Boards | None = Field(None, description="Present when the pages are shown by an Ingress.")
