"""The route files of a unit, which its proxies and FATE-Flow read."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# By ConfigMap and file.
RouteFiles = dict[str, dict[str, str]]


def route_revision(files: Mapping[str, Any]) -> str:
    """The output `routeRevision` of a unit: a digest of its route ConfigMaps, {role: {"data": files}}."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]
