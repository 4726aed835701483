"""Pulumi components: layout only. What they make was decided in the plan (`federation.plan`)."""

from components.external import EXTERNAL, ExternalExchange, ExternalParty, ExternalServing, ExternalServingExchange
from components.site import Site
from components.unit import UNITS, Exchange, FateParty, FateServing, ServingExchange, UnitArgs

__all__ = [
    "EXTERNAL",
    "UNITS",
    "Exchange",
    "ExternalExchange",
    "ExternalParty",
    "ExternalServing",
    "ExternalServingExchange",
    "FateParty",
    "FateServing",
    "ServingExchange",
    "Site",
    "UnitArgs",
]
