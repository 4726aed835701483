"""What the state of a stack remembers of its units."""

import json
from collections.abc import Mapping
from typing import Any

from cli.tools.project import Stack
from cli.tools.pulumi import pulumi
from federation.base import naming
from federation.catalogue.kinds import KINDS

_TYPES = frozenset(naming.COMPONENT_PACKAGE + row.component for row in KINDS.values())


def deployed(stack: Stack) -> dict[str, Mapping[str, Any]]:
    """The facts that the state remembers, by unit; none of a stack that was never deployed."""
    units = [resource for resource in resources(stack) if resource["type"] in _TYPES]
    return {resource["urn"].rpartition("::")[2]: resource.get("inputs") or {} for resource in units}


def resources(stack: Stack) -> list[dict[str, Any]]:
    """All that the state holds; secrets in it are encrypted."""
    deployment = json.loads(pulumi(stack, "stack", "export")).get("deployment") or {}
    return list(deployment.get("resources") or [])
