"""What a deployed party's data rests on, and the edits that would leave that data behind (invariant 9 of the design)."""

from collections.abc import Iterator, Mapping
from typing import Any

from federation.values import PartyValues


def data_facts(namespace: str, storage: str, values: PartyValues) -> dict[str, Any]:
    """What is remembered in the stack's state and compared at the next preview: namespace, storage engine, claims, nodes."""
    modules = {name: module for name, module in values.modules.plain().items() if "claim" in module}
    datanode, nodemanager = values.modules.datanode, values.modules.nodemanager
    return {
        "namespace": namespace,
        "storage": storage,
        "claims": {name: module["claim"] for name, module in modules.items()},
        "dataNodes": 0 if datanode is None else datanode.replicas,
        "eggrollNodes": 0 if nodemanager is None else nodemanager.replicas,
    }


def lost_data(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each way in which a change leaves data behind. Facts that were not remembered count as unchanged."""
    if old.get("namespace", new["namespace"]) != new["namespace"]:
        yield f"namespace {old['namespace']} -> {new['namespace']}: the party would start empty, its data stays in {old['namespace']}"
    before, after = old.get("claims", new["claims"]), new["claims"]
    # A module that goes as a whole keeps its claims; one that stays without them starts empty.
    for name in sorted(before.keys() | after.keys()):
        if name in before and name in after and before[name] != after[name]:
            yield (
                f"claim of {name}: {_shown(before[name])} -> {_shown(after[name])}: Kubernetes changes no claim of a StatefulSet; "
                "grow the claims themselves with kubectl"
            )
    if before and not after:
        yield f"persistence -> none: {', '.join(sorted(before))} would start empty, and their claims stay unused"
    if after and not before and "claims" in old:
        yield f"persistence none -> claims: {', '.join(sorted(after))} would start empty"
    if old.get("storage", new["storage"]) != new["storage"]:
        yield f"storage {old['storage']} -> {new['storage']}: what is stored in {old['storage']} stays there, unused"
    for nodes, what in (("dataNodes", "HDFS data nodes: blocks"), ("eggrollNodes", "Eggroll nodes: tables")):
        if old.get(nodes, 0) > new[nodes] > 0:
            yield f"{int(old[nodes])} -> {new[nodes]} {what} of the removed ones become unreachable"


def _shown(claim: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(claim.items()))
