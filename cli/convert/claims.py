"""Which claims KubeFATE's charts made, in which folder of each the data lies, and whether the new stack finds it there."""

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.version import Version

from cli.convert.clusters import Cluster, listed
from cli.convert.defaults import FACTS, Span
from cli.convert.draft import Draft
from cli.convert.source import Path_
from federation.base.model import Model
from federation.manifests.secrets import SERVERS

ROOT = "."  # in the words of the stack file
_OWN_SIZE = ("storageClass", "accessMode", "size")


class Claim(Model):
    """The claim of a module in a series of chart versions. `N` in a name stands for the number of the pod."""

    chart: str
    module: str
    series: Span
    name: str
    # What the claim is called that this program makes.
    ours: str
    # Whether it is a claim of a StatefulSet, which stays when the release is deleted.
    stays: bool = False
    # Folders with fixed names; empty: `subPath` says it.
    folders: str = ""
    # Why the data is not used again; empty: it is.
    unused: str = ""
    # Whether the chart mounts the claim that it makes.
    mounted: bool = True


CLAIMS = tuple(Claim(chart=chart, **{"ours": row["name"], **row}) for chart, rows in FACTS["claims"].items() for row in rows)


@dataclass(frozen=True)
class NodeManager:
    """One node manager of a chart up to 1.8: its name, folder, claim and processors of a session (None: the cluster manager's 4)."""

    name: str
    folder: str | None
    existing_claim: str | None
    processors: object


def claims_of(cluster: Cluster) -> Iterator[Claim]:
    """The claims of the modules that are deployed."""
    for row in CLAIMS:
        if row.chart == cluster.chart and cluster.version in row.series and cluster.deploys(row.module):
            yield row


def folder_of(cluster: Cluster, row: Claim) -> str:
    """Where in its claim KubeFATE kept a module's data."""
    if row.module == "nodemanager" and row.folders and (nodes := node_managers(cluster)):
        return ", ".join(node.folder or ROOT for node in nodes)
    return row.folders or str(cluster.taken(f"{row.module}.subPath") or ROOT)


def names_of(cluster: Cluster, row: Claim) -> list[str]:
    """The claims that KubeFATE used: the operator's own, or those of the chart, one for each pod."""
    own = cluster.file.get(*row.module.split("."), "existingClaim")
    if own:
        return [str(own)]
    if row.module == "nodemanager" and not row.stays:
        return [node.existing_claim or f"{node.name}-data" for node in node_managers(cluster)]
    count = cluster.taken(f"{row.module}.replicas") if "N" in row.name else 1
    return [row.name.replace("N", str(number)) for number in range(count if isinstance(count, int) else 1)]


def node_managers(cluster: Cluster) -> list[NodeManager]:
    """The node managers of charts up to 1.8: `count` of them, and up to 1.6.0 one for each entry of `list`."""
    count, processors = cluster.taken("nodemanager.count"), cluster.taken("nodemanager.sessionProcessorsPerNode")
    managers = [NodeManager(f"nodemanager-{number}", f"nodemanager-{number}", None, processors) for number in range(int(count or 0))]
    entries = listed(cluster.file.get("nodemanager", "list")) if cluster.version <= Version("1.6.0") else []
    return managers + [
        NodeManager(str(one.get("name")), one.get("subPath") or None, one.get("existingClaim") or None, one.get("sessionProcessorsPerNode"))
        for one in entries
    ]


def claims(cluster: Cluster, draft: Draft) -> None:
    """Where the new stack looks for the data that is there, and what must be done to keep it until then."""
    if not cluster.persistent:
        return
    kept, deleted, left = list[str](), list[str](), list[str]()
    for row in claims_of(cluster):
        names, at = names_of(cluster, row), cluster.at(f"{_place(cluster, row.module)}.persistence")
        own = cluster.file.get(*row.module.split("."), "existingClaim")
        if not names:
            continue
        why = row.unused if not own else ""
        if row.module == "nodemanager" and not row.stays and len(names) > 1 and not why:
            why = "a chart up to 1.8 has a claim and a folder for each node, and here one folder serves all: upload tables again"
        if why:
            left.append(f"{', '.join(names)}: {why}")
        elif own or not row.stays or row.module in SERVERS:
            # A server's is always named: that is what says that its password exists.
            _name_claim(cluster, draft, row, at, names[0])
        _name_folder(cluster, draft, row, at)
        if not why:
            (kept if own or row.stays else deleted).extend(names)
    _tell(cluster, draft, kept, deleted, left)


def _place(cluster: Cluster, module: str) -> str:
    return "modules.fateflow" if module == "python" else f"modules.{module}"


def _name_claim(cluster: Cluster, draft: Draft, row: Claim, at: Path_, name: str) -> None:
    """Use a claim that exists. It keeps its class, mode and size, so the file's are not carried."""
    word = tuple(row.module.split("."))
    if not cluster.file.get(*word, "existingClaim"):
        note = "the claim that KubeFATE's chart made" + (
            "; it says, too, that its data has a password" if row.stays else ": see above how to keep it"
        )
        draft.put((*at, "existingClaim"), name, None, note)
    for key in _OWN_SIZE:
        draft.puts.pop((*at, key), None)
        if cluster.file.get(*word, key) not in (None, ""):
            draft.lose((*word, key), f"claim {name} exists already, and keeps its own")


def _name_folder(cluster: Cluster, draft: Draft, row: Claim, at: Path_) -> None:
    """Say where in the claim the data lies, where this program would look elsewhere."""
    if row.unused or row.folders == ROOT:
        return
    if row.module == "nodemanager" and not row.stays:
        nodes = node_managers(cluster)
        if len(nodes) == 1:
            draft.put((*at, "subPath"), nodes[0].folder or ROOT, None, "the node's own folder in KubeFATE")
    elif not row.folders and cluster.taken(f"{row.module}.subPath") is None:
        note = f"KubeFATE mounts the claim's root: block {row.module} has no subPath"
        draft.put((*at, "subPath"), ROOT, None, note)


def count_node_managers(cluster: Cluster, draft: Draft) -> None:
    """One number of equal node managers, for which charts up to 1.8 have blocks of their own."""
    if cluster.version >= Version("1.9") or not cluster.deploys("nodemanager"):
        return
    nodes, at = node_managers(cluster), cluster.at("modules.nodemanager")
    origin = next((path for path in (("nodemanager", "count"), ("nodemanager", "list")) if cluster.file.get(*path)), None)
    if not nodes:
        draft.warn("KubeFATE deployed no node manager: block nodemanager has neither count nor list; one is deployed here")
    draft.put((*at, "replicas"), max(1, len(nodes)), origin, "" if origin else "KubeFATE's default")
    draft.read |= {("nodemanager", "count")}
    processors = {node.processors for node in nodes}
    entries = listed(cluster.file.get("nodemanager", "list"))
    if len(processors) == 1 and (*at, "sessionProcessorsPerNode") not in draft.puts and (one := processors.pop()) is not None:
        draft.put((*at, "sessionProcessorsPerNode"), one, ("nodemanager", "list") if entries else None)
    for number, entry in enumerate(entries if cluster.version <= Version("1.6.0") else []):
        path = ("nodemanager", "list", str(number))
        draft.read |= {
            (*path, key) for key in ("name", "sessionProcessorsPerNode", *(("existingClaim", "subPath") if cluster.persistent else ()))
        }
        for key in ("nodeSelector", *_OWN_SIZE, "subPath", "existingClaim"):
            if entry.get(key) and (*path, key) not in draft.read:
                draft.lose((*path, key), "all node managers are alike here: write it under nodemanager, for all of them")
        if len(processors) > 1 and entry.get("sessionProcessorsPerNode") is not None:
            draft.lose((*path, "sessionProcessorsPerNode"), "all node managers are alike here, and these differ")


def _tell(cluster: Cluster, draft: Draft, kept: list[str], deleted: list[str], left: list[str]) -> None:
    if kept:
        draft.ask(
            f"existing data: claims {', '.join(kept)} are found again, in the same folders: remove the old cluster, but not its claims"
        )
    if deleted:
        draft.ask(
            f"existing data: PROTECT claims {', '.join(deleted)} before you delete the old cluster: they belong to its helm release, and "
            "`kubefate cluster delete` deletes them. Set their volumes to Retain, and make the claims again on them: "
            "docs/guides/from-kubefate.md#claims-that-go-with-the-release. To start empty instead, remove the lines existingClaim"
        )
    for text in left:
        draft.warn(f"existing data that is not found again: {text}")
