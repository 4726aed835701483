"""What a deployed party's data rests on, and the edits that would leave that data behind (invariant 9 of the design)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from federation.catalogue.releases import ModuleRow, Release
from federation.chart_values.fate import PartyValues
from federation.config.party import PartySpec

# Where a party's data is when no external engine has it.
_MODULE = "the party's own module"
# Where a unit's data may be beside its claims, and what is there.
_ELSEWHERE = {"database": "job history and model records", "files": "stored data", "records": "accounts and projects"}


def recorded_data(own: PartySpec, values: PartyValues, release: Release) -> dict[str, Any]:
    """What the state records of a party's data, for the next preview to compare: also its release, storage engine, nodes and databases."""
    datanode, nodemanager = values.modules.datanode, values.modules.nodemanager
    return kept_data(own.namespace, values.modules.plain(), release.modules) | {
        "release": release.release,
        "upgradeFrom": sorted(release.upgrade_from),
        "tables": {"FATE-Flow": release.flow_tables} | ({} if nodemanager is None else {"Eggroll": release.eggroll}),
        "storage": own.storage,
        "dataNodes": 0 if datanode is None else datanode.replicas,
        "eggrollNodes": 0 if nodemanager is None else nodemanager.replicas,
        "database": _MODULE if own.engines.mysql is None else f"{values.database.host}:{values.database.port}/{values.database.name}",
        "files": _MODULE if own.engines.hdfs is None or values.hdfs is None else values.hdfs.name_node + values.hdfs.path_prefix,
    }


def kept_data(namespace: str, modules: Mapping[str, Any], rows: Mapping[str, ModuleRow]) -> dict[str, Any]:
    """What the data of every unit rests on: its namespace and its claims. `rows`: the modules of the release, which say who has data."""
    claims = {name: _claim(module) for name, module in modules.items() if rows[name].claim is not None}
    return {
        "namespace": namespace,
        "claims": {name: claim for name, claim in claims.items() if claim},
        "withoutClaims": sorted(name for name, claim in claims.items() if not claim),
    }


def taken_namespaces(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each unit that would move into another unit's namespace, with the problem. `old`, `new`: recorded data, by unit.

    Both units' objects have the same names in Kubernetes, but other logical names in Pulumi: the API server refuses some of them, and
    Pulumi would create the others and then delete them again as the old unit's.
    """
    owners = {data["namespace"]: unit for unit, data in old.items() if "namespace" in data}
    for unit, data in sorted(new.items()):
        owner = owners.get(data["namespace"], unit)
        if owner != unit:
            yield (
                unit,
                (
                    f"namespace {data['namespace']} is {owner}'s, with its objects and data: give {unit} a namespace of its own "
                    f"({owner}'s stays in the cluster when {owner} is removed)"
                ),
            )


def refusal(config_path: str, problems: Iterable[str]) -> str:
    """The error when an edit of a unit would leave data behind."""
    lines = "".join(f"\n  fate:{config_path}: {problem}" for problem in problems)
    return f"this edit leaves data behind{lines}\n    remedy: undo it, or set {config_path}.allowDataLoss for one `pulumi up`"


def lost_data(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each way in which a change leaves data behind. What was not recorded counts as unchanged."""
    yield from _moved(old, new)
    yield from _other_release(old, new)
    before, after = old.get("claims", new["claims"]), new["claims"]
    # A module that is removed keeps its claims; one that stays but loses its claims starts empty.
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield f"claim of {name}: {_shown(before[name])} -> {_shown(after[name])}: {_why(before[name], after[name])}"
    for name in sorted(before.keys() & set(new["withoutClaims"])):
        yield f"persistence of {name} -> none: it would start empty; its claims stay, unused"
    for name in sorted(after.keys() & set(old.get("withoutClaims", ()))):
        yield f"persistence of {name}: none -> claims: it would start empty"
    for nodes, what in (("dataNodes", "HDFS data nodes: blocks"), ("eggrollNodes", "Eggroll nodes: tables")):
        if old.get(nodes, 0) > new.get(nodes, 0) > 0:
            yield f"{int(old[nodes])} -> {new[nodes]} {what} of the removed ones become unreachable"


def _claim(module: Mapping[str, Any]) -> dict[str, Any]:
    """Which claim holds a module's data, and where in it; empty without one."""
    claim = dict(module.get("claim", {}))
    return claim | {key: module[key] for key in ("existingClaim", "subPath") if key in module}


def _why(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if any(before.get(key) != after.get(key) for key in ("existingClaim", "subPath")):
        return "it would start with the data there; its own data stays, unused"
    return "Kubernetes cannot change the claims of a StatefulSet; grow each claim with kubectl"


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Changes of where a party looks for its data."""
    moved = {key: (old[key], new[key]) for key in new if key in old and old[key] != new[key]}
    if "namespace" in moved:
        before, after = moved["namespace"]
        yield f"namespace {before} -> {after}: it would start empty; its data stays in {before}"
    if "storage" in moved:
        before, after = moved["storage"]
        yield f"storage {before} -> {after}: the data in {before} stays there, unused"
    for key, what in _ELSEWHERE.items():
        if key in moved and "storage" not in moved:
            before, after = moved[key]
            yield f"{key} {before} -> {after}: it would start empty there; its {what} stay where they are"


def _other_release(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """An upgrade to a release whose programs do not know the tables in the database. This program does not migrate tables yet."""
    before, after = old.get("release"), new.get("release")
    if None in (before, after) or before == after or "upgradeFrom" not in new:
        return
    if before not in new["upgradeFrom"]:
        sources = ", ".join(new["upgradeFrom"]) or "no release"
        yield f"release {before} -> {after}: {after} cannot read data of {before}, but of {sources}"
        return
    for program, tables in new["tables"].items():
        if (had := old.get("tables", {}).get(program, tables)) != tables:
            changes = f"tables of {program} {had} -> {tables}"
            yield f"release {before} -> {after}: {changes}, which this program does not change (docs/reference/releases.md)"


def _shown(claim: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(claim.items()))
