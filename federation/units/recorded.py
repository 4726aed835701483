"""What a stack's state records of each unit, so that the next preview can say what a change does: mostly digests, no secret."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from federation.trust.plan import TlsPlan

Recorded = Mapping[str, Any]
# Which modules' pods a section of the chart's values is part of; a section that is not here is part of all.
_SECTIONS: dict[str, tuple[str, ...]] = {
    "board": ("fateboard",),
    "database": ("fateflow", "mysql", "clustermanager", "nodemanager", "rollsite", "sitePortalServer", "fmlManagerServer", "postgres"),
    "boards": (),
    "notebookPassword": ("client",),
    "spark": ("fateflow",),
    "hdfs": ("fateflow",),
    "standalone": ("fateflow",),
    "pulsar": ("fateflow", "pulsar"),
    "rabbitmq": ("fateflow", "rabbitmq"),
    "osx": ("fateflow", "osx"),
    "eggroll": ("fateflow", "mysql", "clustermanager", "nodemanager", "rollsite", "osx"),
    "servings": ("fateflow", "client"),
    "server": ("servingServer", "servingRedis"),
    "registry": ("servingServer", "servingProxy", "servingAdmin"),
    "admin": ("servingAdmin",),
    "accounts": ("sitePortalServer",),
    "tls": ("frontend", "sitePortalServer", "fmlManagerServer"),
}
# A part of a section that other modules of it do not read.
_PARTS: dict[str, tuple[str, str]] = {"pulsar": ("broker", "pulsar")}
# Whose pods say which entry a password comes from, by slot; a slot that is not here is said by all.
_PASSWORDS: dict[str, tuple[str, ...]] = {
    "mysql": ("fateflow", "clustermanager", "nodemanager"),
    "rabbitmq": ("fateflow", "nodemanager"),
    "fateboard": ("fateboard",),
    "notebook": ("client",),
}
# What of a module's values makes no other pod.
_NOT_OF_PODS = frozenset({"replicas", "service"})
# Deployments of the charts that start new pods before old ones end; in all others, all pods end first (FATE's modules work alone).
_SURGE = frozenset({"lbrollsite", "servingProxy"})
# StatefulSets that may have several pods, which start again one after another.
_IN_TURN = frozenset({"nodemanager", "datanode"})


def recorded_workloads(values: Mapping[str, Any]) -> dict[str, Any]:
    """What each module's pods are made from, how many there are, and which start again one after another. `values`: the chart's."""
    shared = {key: value for key, value in values.items() if key not in {"modules", *_SECTIONS}}
    modules = {}
    for name, module in values["modules"].items():
        own = {key: value for key, value in module.items() if key not in _NOT_OF_PODS}
        sections = {
            section: _read(section, values, name) for section, members in _SECTIONS.items() if name in members and section in values
        }
        if "passwords" in shared:
            shared["passwords"] = {slot: entry for slot, entry in values["passwords"].items() if name in _PASSWORDS.get(slot, (name,))}
        modules[name] = digest([own, shared, sections])
    return {
        "modules": modules,
        "replicas": {name: module["replicas"] for name, module in values["modules"].items()},
        "rolling": sorted(name for name, module in values["modules"].items() if _rolls(name, module)),
    }


def _read(section: str, values: Mapping[str, Any], name: str) -> Any:
    """What a module reads of a section."""
    part, owner = _PARTS.get(section, ("", name))
    return values[section] if owner == name else {key: value for key, value in values[section].items() if key != part}


def _rolls(name: str, module: Mapping[str, Any]) -> bool:
    """Whether some pods of a module serve while others start again. `module`: its chart values."""
    return name in _SURGE or (name in _IN_TURN and module["replicas"] > 1)


def recorded_links(links: Mapping[str, Any], blocked: Mapping[str, str], groups: Sequence[Sequence[str]] | None) -> dict[str, Any]:
    """The peers that a unit dials, with a digest of each link; the blocked ones, with the reason; for a hub, the groups that may talk."""
    dialled = {other: digest(link) for other, link in links.items()}
    return {"links": dialled, "severed": dict(blocked), **({} if groups is None else {"groups": [list(group) for group in groups]})}


def recorded_trust(tls: TlsPlan | None) -> dict[str, Any]:
    """The authorities that a unit trusts, by party; those of its own; and which one signs its certificate."""
    if tls is None:
        return {"trusted": {}, "authorities": [], "signer": ""}
    trusted = {party: digest(authorities) for party, authorities in tls.trusted.items() if party != tls.party}
    # Without an issuer: a CA of its own that is not made yet, or whoever signed what is provided.
    signer = ("somebody else" if tls.provided else "none yet") if tls.issuer is None else digest(tls.issuer.certificate)
    return {"trusted": trusted, "authorities": [digest(own) for own in tls.trusted.get(tls.party, ())], "signer": signer}


def digest(data: Any) -> str:
    """A short digest of JSON-like data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=repr).encode()).hexdigest()[:12]
