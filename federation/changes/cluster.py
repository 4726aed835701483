"""Which cluster a stack is deployed in. A kubeconfig does not say: contexts, paths and addresses may lead elsewhere tomorrow."""

from collections.abc import Mapping

from federation.config.kubeconfig import Kubeconfig
from federation.config.stack import ClusterSpec

# UIDs of objects that live as long as their cluster, by the object's name.
Uids = Mapping[str, str]


def unpinned_cluster(spec: ClusterSpec, uids: Uids) -> str | None:
    """The error when the kubeconfig leads to another cluster than `cluster.uid`; None: it does not, or there is no `cluster.uid`."""
    if spec.uid is None or spec.uid in uids.values():
        return None
    name, uid = min(uids.items())
    problem = f"{name} has the UID {uid} there, and fate:cluster.uid is {spec.uid}"
    return _elsewhere(spec, problem, "choose the context or kubeconfig of that cluster, or correct fate:cluster.uid")


def unreachable_cluster(spec: ClusterSpec, kubeconfig: Kubeconfig) -> str:
    """The error when the API server does not answer. Otherwise Pulumi would advise to remove its objects from the state."""
    problem_and_remedy = None if spec.in_cluster else kubeconfig.problem(spec)
    server = "" if spec.in_cluster else kubeconfig.server(spec)
    where = f" at {server}" if server else ""
    problem, remedy = problem_and_remedy or (
        f"the API server{where} does not answer, or refuses the credentials",
        f"run `kubectl{_option(spec)} get --raw /version` to see why; often the network is down, or a token expired: renew it",
    )
    return f"fate:cluster: {_shown(spec)} cannot be used; nothing was changed: {problem}\n    remedy: {remedy}"


def other_cluster(spec: ClusterSpec, recorded: Uids, current: Uids) -> str | None:
    """The error when the kubeconfig leads to another cluster than the stack's; None: it does not, or `cluster.uid` allows the move."""
    changed = _changed(recorded, current)
    if changed is None or spec.uid is not None:
        return None
    name, before, uid = changed
    problem = f"{name} has the UID {uid} there, and {before} where this stack is deployed"
    return _elsewhere(
        spec,
        problem,
        f"choose its context or kubeconfig; to move the stack (docs/guides/state.md, Move to another cluster), set fate:cluster.uid: {uid}",
    )


def moved_cluster(recorded: Uids, current: Uids) -> str | None:
    """The effect on each unit of a stack that moves to the cluster in `cluster.uid`; None: it does not move."""
    changed = _changed(recorded, current)
    if changed is None:
        return None
    name, before, uid = changed
    return f"{name} had the UID {before}, and now {uid}: its objects and data in the other cluster stay there"


def _elsewhere(spec: ClusterSpec, problem: str, remedy: str) -> str:
    return f"fate:cluster: {_shown(spec)} leads to another cluster: {problem}\n    remedy: {remedy}"


def _changed(recorded: Uids, current: Uids) -> tuple[str, str, str] | None:
    """The first object whose UID differs from the recorded one, the recorded UID and the current one. None: none differs.

    Objects that only one side has are not compared: `scope` or the namespaces changed.
    """
    changed = [(name, recorded[name], uid) for name, uid in sorted(current.items()) if recorded.get(name, uid) != uid]
    return changed[0] if changed else None


def _option(spec: ClusterSpec) -> str:
    options = [("kubeconfig", spec.kubeconfig), ("context", spec.context)]
    return "".join(f" --{name}={value}" for name, value in options if value is not None)


def _shown(spec: ClusterSpec) -> str:
    """Which cluster the stack's file names."""
    if spec.in_cluster:
        return "inCluster"
    keys = [f"{key} {value}" for key, value in (("kubeconfig", spec.kubeconfig), ("context", spec.context)) if value is not None]
    return ", ".join(keys) or "the kubeconfig's current context"
