"""What a stack says of FATE-Serving: its modules and settings. The units themselves are in `federation.spec`."""

from typing import Literal

from pydantic import Field

from federation.model import Model
from federation.module_spec import ModuleSpec
from federation.scalars import ClassName, Url

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
