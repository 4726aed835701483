"""What cert-manager says of a unit's certificate. Pure: the cluster was asked before (`cli.snapshot`)."""

from collections.abc import Mapping
from typing import Any

from cli.cluster import Object
from federation.manifests import Manifest


def issuer_of(spec: Mapping[str, Any]) -> str:
    """Who signs, by the fields of a Certificate."""
    found = spec.get("issuerRef") or {}
    return f"{found.get('kind', 'Issuer')} {found.get('name', '?')}"


def ends(item: Object) -> str:
    """The last moment of what was signed; empty before that."""
    return str((item.get("status") or {}).get("notAfter") or "")


def why_not_ready(item: Object) -> str | None:
    """Why a Certificate is not signed as it is asked for now; None when it is."""
    conditions = {condition["type"]: condition for condition in (item.get("status") or {}).get("conditions") or []}
    ready = conditions.get("Ready", {})
    if not ready:
        return "cert-manager has not looked at it: is its controller running?"
    if ready.get("status") == "True" and ready.get("observedGeneration", 0) >= item["metadata"].get("generation", 0):
        return None
    asked = conditions.get("Issuing", {})
    if asked.get("status") == "False" and asked.get("message"):
        return str(asked["message"])
    return "it was asked for something else since" if ready.get("status") == "True" else str(ready.get("message", "no reason is given"))


def differs(item: Object, planned: Manifest) -> bool:
    """Whether another Certificate is in the cluster than the one that was planned."""
    return bool(item["spec"] != {**item["spec"], **planned.fields["spec"]})
