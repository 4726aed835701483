"""What a change of a stack does to running parties, compared from facts that the stack's state remembers of each unit.

A unit's facts are digests: of what each module's pods are made from, of each link, and of what the unit publishes.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from federation.data import lost_data

Kind = Literal["reload", "cut", "restart", "data loss"]
# How much each kind hurts: nothing stops; a link ends; pods stop and start; data is left behind.
SEVERITY: dict[Kind, int] = {"reload": 0, "cut": 1, "restart": 1, "data loss": 2}
# Modules whose restart no peer notices.
_UNNOTICED = frozenset({"fateboard", "client", "servingAdmin"})
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
# What of a module's values makes no other pod.
_NOT_OF_PODS = frozenset({"replicas", "service"})

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Effect:
    """One thing that a change does: to which pairs of a unit and others, how, and who has to act."""

    unit: str
    kind: Kind
    what: str
    pairs: tuple[str, ...]
    acts: str

    def plain(self) -> dict[str, Any]:
        """The effect as JSON-like data."""
        return {**asdict(self), "pairs": list(self.pairs)}

    def __str__(self) -> str:
        pairs = f"; affects {', '.join(self.pairs)}" if self.pairs else ""
        return f"{self.unit}: {self.kind}: {self.what}{pairs}; to act: {self.acts}"


def unit_facts(
    values: Mapping[str, Any],
    links: Mapping[str, Any],
    published: Mapping[str, Any],
    data: Facts,
    trusted: Mapping[str, Any],
    issuers: Mapping[str, str],
) -> dict[str, Any]:
    """The facts of a unit.

    `values`: its chart's; `links`: whom it dials, and how; `published`: its descriptor's endpoints; `trusted`: the authorities it trusts,
    by party; `issuers`: who of cert-manager signs, by the name of a certificate.
    """
    shared = {key: value for key, value in values.items() if key not in {"modules", *_SECTIONS}}
    modules = {}
    for name, module in values["modules"].items():
        own = {key: value for key, value in module.items() if key not in _NOT_OF_PODS}
        sections = {section: values[section] for section, members in _SECTIONS.items() if name in members and section in values}
        modules[name] = _digest([own, shared, sections])
    return {
        "modules": modules,
        "replicas": {name: module["replicas"] for name, module in values["modules"].items()},
        "links": {other: _digest(link) for other, link in links.items()},
        "published": _digest(published),
        "data": dict(data),
        "trusted": {party: _digest(authorities) for party, authorities in trusted.items()},
        **({"issuers": dict(issuers)} if issuers else {}),
    }


def effects(unit: str, old: Facts | None, new: Facts | None, owner: str = "this stack") -> Iterator[Effect]:
    """What happens to one unit. None: it is not there. Facts that were not remembered count as unchanged."""
    if new is None and old is not None:
        gone = _pairs(unit, old.get("links", {}))
        yield Effect(unit, "cut", "is removed", gone, f"{owner}; every peer retires it")
    if old is None or new is None:
        return
    everyone = _pairs(unit, {**old.get("links", {}), **new["links"]})
    yield from _moved(unit, old.get("data", new["data"]), new["data"], everyone, owner)
    yield from _upgrade(unit, old.get("data", {}), new["data"], everyone, owner)
    yield from _restarts(unit, old, new, everyone, owner)
    if old.get("published", new["published"]) != new["published"]:
        acts = f"{owner} exports the descriptor again; every peer accepts it and runs `pulumi up`"
        yield Effect(unit, "cut", "what it publishes changes: peers dial the old address until they act", everyone, acts)
    yield from _links(unit, old.get("links", new["links"]), new["links"], owner)
    yield from _trust(unit, old.get("trusted", new["trusted"]), new["trusted"], owner)
    yield from _issued(unit, old.get("issuers", {}), new.get("issuers", {}), owner)


def _moved(unit: str, old: Facts, new: Facts, everyone: tuple[str, ...], owner: str) -> Iterator[Effect]:
    """What becomes of a unit's data; of one without data, whether it is made anew elsewhere."""
    if "claims" in new:
        for lost in lost_data(old, new):
            yield Effect(unit, "data loss", lost, everyone, owner)
    elif (before := old.get("namespace", new["namespace"])) != new["namespace"]:
        what = f"moves from namespace {before} to {new['namespace']}: every object is made anew, and links end until then"
        yield Effect(unit, "cut", what, everyone, owner)


def _upgrade(unit: str, old: Facts, new: Facts, everyone: tuple[str, ...], owner: str) -> Iterator[Effect]:
    """Another release, beside the restarts that it means."""
    if (before := old.get("release")) is not None and before != new.get("release"):
        what = f"release {before} -> {new['release']}: end running jobs and dump the database before (docs/releases.md)"
        yield Effect(unit, "restart", what, everyone, owner)


def _restarts(unit: str, old: Facts, new: Facts, everyone: tuple[str, ...], owner: str) -> Iterator[Effect]:
    before, after = old.get("modules", new["modules"]), new["modules"]
    changed = [name for name in after if name in before and before[name] != after[name]]
    gone = [name for name in before if name not in after]
    for noticed in (True, False):
        restarted = sorted(name for name in changed if (name not in _UNNOTICED) is noticed)
        removed = sorted(name for name in gone if (name not in _UNNOTICED) is noticed)
        what = [f"pods of {', '.join(restarted)} stop and start again"] if restarted else []
        what += [f"{', '.join(removed)} is removed"] if removed else []
        if what:
            kind: Kind = "restart" if noticed else "reload"
            yield Effect(unit, kind, "; ".join(what), everyone if noticed else (), owner)


def _links(unit: str, before: Mapping[str, Any], after: Mapping[str, Any], owner: str) -> Iterator[Effect]:
    added, gone = sorted(after.keys() - before.keys(), key=_by_number), sorted(before.keys() - after.keys(), key=_by_number)
    moved = sorted((name for name in after if name in before and before[name] != after[name]), key=_by_number)
    if added:
        acts = f"{owner}; the other side accepts this stack's descriptor"
        yield Effect(unit, "reload", "new routes", tuple(_pair(unit, other) for other in added), acts)
    if moved:
        yield Effect(unit, "reload", "routes lead elsewhere", tuple(_pair(unit, other) for other in moved), owner)
    if gone:
        acts = f"{owner}; the other side should suspend or retire {unit} too"
        yield Effect(unit, "cut", "routes end", tuple(_pair(unit, other) for other in gone), acts)


def _trust(unit: str, before: Mapping[str, Any], after: Mapping[str, Any], owner: str) -> Iterator[Effect]:
    own = unit.removeprefix("party-")
    gone, added = before.keys() - after.keys() - {own}, after.keys() - before.keys() - {own}
    changed = {party for party in before.keys() & after.keys() if before[party] != after[party]}
    rows: tuple[tuple[Kind, str, Collection[str]], ...] = (
        ("cut", "certificates of these parties are no longer trusted", gone),
        ("reload", "certificates of these parties are trusted from now on", added),
        ("reload", "the authorities of these parties change", changed),
    )
    for kind, what, parties in rows:
        if parties:
            yield Effect(unit, kind, what, tuple(_pair(unit, party) for party in sorted(parties, key=_by_number)), owner)


def _issued(unit: str, before: Mapping[str, str], after: Mapping[str, str], owner: str) -> Iterator[Effect]:
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            what = f"certificate {name} is issued anew by {after[name]}, so far by {before[name]}; Pulsar takes it within 5 minutes"
            yield Effect(unit, "reload", what, (), owner)


def _pairs(unit: str, links: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_pair(unit, other) for other in sorted(links, key=_by_number))


def _pair(unit: str, other: str) -> str:
    return f"{unit.removeprefix('party-')} <-> {other}"


def _by_number(name: str) -> tuple[int, str]:
    return (int(name), name) if name.isdigit() else (0, name)


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=repr).encode()).hexdigest()[:12]
