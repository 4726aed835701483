"""The values of charts/fate-serving: FATE-Serving of a party, or (serving-proxy alone) a serving exchange."""

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import Host, Label, NonEmpty, PartyId, Port
from federation.chart_values.fate import Board, Boards
from federation.chart_values.modules import Common, Module, SecretKey


class ServingPorts(Model):
    """Ports, from the release catalogue; those of modules that are not deployed are absent."""

    serving_proxy_http: Port
    serving_proxy_inter: Port
    serving_proxy_intra: Port
    serving_server: Port | None = None
    serving_redis: Port | None = None
    serving_zookeeper: Port | None = None
    serving_admin: Port | None = None


class ServingModules(Model):
    """The modules; what is absent is not deployed. A serving exchange has serving-proxy alone."""

    serving_proxy: Module
    serving_server: Module | None = None
    serving_redis: Module | None = None
    serving_zookeeper: Module | None = None
    serving_admin: Module | None = None


class Redis(Model):
    """The cache of results."""

    host: Host
    port: Port
    password: SecretKey


class ServerSettings(Model):
    """The values in serving-server.properties."""

    model_transfer_url: NonEmpty = Field(description="Where FATE-Flow hands over models.")
    remote_results: bool = Field(description="Whether other parties' results are kept too.")
    redis: Redis | None = Field(None, description="Absent: results are kept in memory.")
    single_adaptor: NonEmpty
    batch_adaptor: NonEmpty
    adaptor_url: NonEmpty | None = None


class Registry(Model):
    """The zookeeper of this FATE-Serving and the account of its ACL."""

    user: NonEmpty
    password: SecretKey


class ServingValues(Common):
    """Values of charts/fate-serving."""

    party_id: PartyId | None = Field(None, description="Absent for an exchange.")
    release: NonEmpty = Field(description="FATE-Serving release.")
    ports: ServingPorts
    modules: ServingModules
    server: ServerSettings | None = Field(None, description="Present with servingServer.")
    registry: Registry | None = Field(None, description="Present with servingZookeeper.")
    admin: Board | None = Field(None, description="Present with servingAdmin.")
    boards: Boards | None = Field(None, description="Present when a page is shown by an Ingress.")
    routes: Label = Field(description="ConfigMap with route_table.json; the plan creates it outside the chart.")
