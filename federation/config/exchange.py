"""The stack file's keys of the exchange."""

from typing import ClassVar

from pydantic import Field

from federation.base.model import Model
from federation.base.scalars import Day, Label, NonEmpty, Word
from federation.config.modules import ChartValues, ExchangeModulesSpec
from federation.config.portal import FmlManagerSpec
from federation.config.publish import ExchangePublish


class ExchangeSpec(Model):
    """The hub of a star federation. It holds no key: TLS ends at the parties, and what has no tunnel is refused."""

    namespace: Label
    release: NonEmpty
    federation: Word = Field("Pulsar", description="The parties' federation engine: Pulsar, Eggroll (rollsite, FATE 1.x) or OSX (2.x).")
    allow_destroy_until: Day | None = Field(
        None, description="Last day (UTC) on which it may be destroyed although peers are active; `pulumi up` first, then `pulumi destroy`."
    )
    modules: ExchangeModulesSpec = ExchangeModulesSpec()
    fml_manager: FmlManagerSpec | None = Field(
        None, description="FML Manager next to the exchange, for Site Portals; absent: none is deployed."
    )
    chart_values: ChartValues = Field({})
    publish: ExchangePublish
    # It is a hub itself.
    hubs: ClassVar[tuple[str, ...]] = ()
