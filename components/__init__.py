"""Pulumi components: layout only. What they make was decided in the plan (`federation.stack.plan`)."""

# ruff: noqa: E402
import gc

# Almost nothing that is imported and planned becomes garbage, and Python looks for it so often that this takes 4 % of a preview.
gc.set_threshold(50_000, 20, 20)

from components.exported import compared_with_exports, published_bodies
from components.external import external_peers
from components.last_messages import LastMessages
from components.site import Site
from components.stack_record import StackRecord
from components.unit import Unit, UnitArgs, make_units

__all__ = [
    "LastMessages",
    "Site",
    "StackRecord",
    "Unit",
    "UnitArgs",
    "compared_with_exports",
    "external_peers",
    "make_units",
    "published_bodies",
]
