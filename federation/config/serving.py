"""The stack file's keys of FATE-Serving and its exchange: units, modules and settings."""

from typing import ClassVar, Literal

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import ClassName, Day, Host, HostPort, Label, Name, NonEmpty, Port, Url
from federation.config.boards import ServingBoardsSpec
from federation.config.credentials import Credential, Slots
from federation.config.modules import ChartValues, ModuleSpec, Persistence
from federation.config.publish import ServingPublish

_ADAPTORS = "com.webank.ai.fate.serving.adaptor.dataaccess"
MOCK_SINGLE, MOCK_BATCH = f"{_ADAPTORS}.MockAdapter", f"{_ADAPTORS}.MockBatchAdapter"


class ServingModulesSpec(Model):
    """The modules of a party's FATE-Serving: zookeeper and admin when they are named."""

    serving_server: ModuleSpec = Field(ModuleSpec(), description="Holds the models and predicts.")
    serving_proxy: ModuleSpec = Field(ModuleSpec(), description="Talks to applications and to other parties.")
    serving_redis: ModuleSpec = Field(ModuleSpec(), description="Cache of results.")
    serving_zookeeper: ModuleSpec | None = Field(None, description="Registry of models; without it, routes and addresses are files.")
    serving_admin: ModuleSpec | None = Field(None, description="Console; needs servingZookeeper.")


class ServingExchangeModulesSpec(Model):
    """The module of a serving exchange."""

    serving_proxy: ModuleSpec = Field(ModuleSpec(), description="Passes requests on between parties.")


class CacheSpec(Model):
    """Where serving-server keeps results."""

    type: Literal["redis", "local"] = Field("redis", description="redis: outlives a restart; local: in serving-server's memory.")
    remote_results: bool = Field(False, description="Keep other parties' results too (remoteModelInferenceResultCacheSwitch).")


class AdaptorsSpec(Model):
    """Where serving-server gets the features of a sample: FATE-Serving's adaptors, which are Java classes in its image."""

    single: ClassName = Field(MOCK_SINGLE, description="Class for one sample. The default invents features.")
    batch: ClassName = Field(MOCK_BATCH, description="Class for many samples. The default invents features.")
    url: Url | None = Field(None, description="What HttpAdapter asks: http.adapter.url.")


class ServingCredentials(Slots):
    """Where FATE-Serving's passwords come from; absent: fate:secrets, under serving-<id>-<slot>."""

    redis: Credential | None = None
    zookeeper: Credential | None = None
    admin: Credential | None = None


class ExternalRedis(Model):
    """A Redis that exists already."""

    host: Host
    port: Port = 6379
    password: Credential


class RedisEngine(Model):
    """Redis from elsewhere: the module is then not deployed."""

    external: ExternalRedis


class ServingEngines(Model):
    """Engines of FATE-Serving that exist already."""

    redis: RedisEngine | None = None


class ServingSpec(Model):
    """FATE-Serving of one party: predictions with the models that the party trained."""

    namespace: Label = Field(description="A namespace of its own.")
    release: NonEmpty = Field(description="FATE-Serving release, one of the catalogue.")
    fateflow: HostPort | None = Field(
        None, description="HTTP address of the party's FATE-Flow; absent: the party of this id in this stack."
    )
    exchange: Name | None = Field(
        None, description="Name of the peer that is the serving exchange; `local` when this stack holds it; absent: directly to peers."
    )
    persistence: Persistence | Literal["none"] = Field(description="`none` (models are lost with the pod), or {storageClass, accessMode}.")
    allow_data_loss: bool = Field(False, description="Allow changes of namespace or claims that leave models behind; for one `pulumi up`.")
    cache: CacheSpec = CacheSpec()
    adaptors: AdaptorsSpec = AdaptorsSpec()
    engines: ServingEngines = ServingEngines()
    modules: ServingModulesSpec = ServingModulesSpec()
    credentials: ServingCredentials = ServingCredentials()
    boards: ServingBoardsSpec = Field(ServingBoardsSpec(), description="What is different from fate:boards for its pages.")
    chart_values: ChartValues = Field({})
    publish: ServingPublish

    @property
    def hubs(self) -> tuple[str, ...]:
        """The serving exchange that it names; `local`: this stack's own."""
        return () if self.exchange is None else (self.exchange,)


class ServingExchangeSpec(Model):
    """The hub between the FATE-Servings of parties: a serving-proxy alone."""

    namespace: Label
    release: NonEmpty = Field(description="FATE-Serving release, one of the catalogue.")
    allow_destroy_until: Day | None = Field(
        None, description="Last day (UTC) on which it may be destroyed although peers are active; `pulumi up` first, then `pulumi destroy`."
    )
    modules: ServingExchangeModulesSpec = ServingExchangeModulesSpec()
    chart_values: ChartValues = Field({})
    publish: ServingPublish
    # It is a hub itself.
    hubs: ClassVar[tuple[str, ...]] = ()
