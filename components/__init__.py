"""Pulumi components: layout only. What they make was decided in the plan (`federation.plan`)."""

from components.external import ExternalExchange, ExternalParty
from components.site import Site
from components.unit import Exchange, FateParty, UnitArgs

__all__ = ["Exchange", "ExternalExchange", "ExternalParty", "FateParty", "Site", "UnitArgs"]
