"""What stands in the way of a unit's first `pulumi up`: asked before it, so that it need not fail half way."""

from collections.abc import Iterator
from dataclasses import replace

from cli.doctor.own.capacity import node_port_rows, quota_rows, size
from cli.doctor.own.occupants import objection, unread
from cli.doctor.planned import planned_objects, resource
from cli.doctor.rows import ROLE, Row, skipped
from cli.doctor.snapshot import Snapshot, UnitView, look
from cli.tools.kubectl import Cluster, Right
from federation.config.stack import ClusterSpec
from federation.stack.load import LoadedStack
from federation.units.namespace_owner import granted

# What an apply asks the API server for, and what a later one does.
_VERBS = ("create", "patch", "delete")
_IMAGES = "`fatefed doctor --images` asks the registries"


def examine(loaded: LoadedStack, cluster: Cluster, more: tuple[str, ...] = ()) -> Snapshot:
    """Everything that `doctor` judges: the cluster's objects beside the planned ones, and rights where nothing is deployed yet."""
    snapshot = look(loaded, cluster, more, planned_objects(loaded.plan))
    wanted = [right for view in snapshot.units if not view.deployed for right in _rights(view, snapshot)]
    return replace(snapshot, rights=cluster.may(wanted))


def preflight_rows(view: UnitView, snapshot: Snapshot) -> Iterator[Row]:
    """The checks of a unit that is not deployed. That it is not fails, and says what to do when all others are right."""
    key, absent, cluster = view.unit.key, view.namespace.state == "absent", snapshot.spec.cluster
    deployed, others_make_it = _deployed(view, cluster), absent and not cluster.makes_namespaces
    if others_make_it:
        yield deployed
    yield Row(f"{key}: size: {size(view.unit)}", "ok")
    if not absent:
        yield from _occupant_rows(view, snapshot)
        yield from quota_rows(view)
    yield from (row for _, row in node_port_rows(view, snapshot))
    rights = f"{key}: rights of this account in namespace {view.unit.namespace}"
    yield skipped(rights, deployed) if others_make_it else _right_row(rights, view, snapshot)
    if not others_make_it:
        yield deployed


def foreign_row(view: UnitView, snapshot: Snapshot) -> Row | None:
    """That the namespace of a unit is another stack's: then nothing else that is there says anything of the unit."""
    if view.namespace.state == "absent" or view.unit.namespace in snapshot.spec.cluster.take_over:
        return None
    against = objection(view.unit, snapshot.readings)
    return None if against is None or against.kind != "owner" else Row(_ours(view), "failed", against.problem, against.remedy)


def _occupant_rows(view: UnitView, snapshot: Snapshot) -> Iterator[Row]:
    """Whether anything is in the namespace that a first `pulumi up` would meet."""
    if view.unit.namespace in snapshot.spec.cluster.take_over:
        return
    against, why = objection(view.unit, snapshot.readings), unread(view.unit, snapshot.readings)
    if against is not None:
        check = f"{view.unit.key}: no claims of an earlier deployment" if against.kind == "claims" else _ours(view)
        yield Row(check, "failed", against.problem, against.remedy)
    elif why is not None:
        yield Row(_ours(view), "not readable", why, ROLE)
    else:
        yield Row(_ours(view), "ok")


def _ours(view: UnitView) -> str:
    return f"{view.unit.key}: namespace {view.unit.namespace} is free for it"


def _deployed(view: UnitView, cluster: ClusterSpec) -> Row:
    namespace, key = view.unit.namespace, view.unit.key
    if view.namespace.state != "absent":
        fix = f"run `pulumi up` when the other checks are right ({_IMAGES}); if it was deployed before: `pulumi up --refresh`"
        return Row(f"{key}: is deployed", "failed", f"nothing of it runs in namespace {namespace}", fix)
    make = f"`kubectl create namespace {namespace}`"
    if cluster.scope == "namespaced":
        fix = granted(namespace)
    elif not cluster.makes_namespaces:
        fix = f"let it be made: {make}"
    else:
        fix = f"run `pulumi up`, which makes it, when the other checks are right ({_IMAGES}); if it was there before: `pulumi up --refresh`"
    return Row(f"{key}: namespace {namespace}", "failed", "there is none", fix)


def _rights(view: UnitView, snapshot: Snapshot) -> list[Right]:
    """What `pulumi up` will ask of the API server for a unit."""
    documents = snapshot.planned.objects.get(view.unit.key, ())
    kinds = {resource(document) for document in documents if document["kind"] != "Namespace"} | {"secrets"}
    rights = [Right(verb, kind, view.unit.namespace) for kind in sorted(kinds) for verb in _VERBS]
    return [*rights, *([Right("create", "namespaces")] if view.unit.namespace_object else [])]


def _right_row(check: str, view: UnitView, snapshot: Snapshot) -> Row:
    answers = {right: snapshot.rights[right] for right in _rights(view, snapshot)}
    if lacking := [str(right) for right, answer in answers.items() if answer.state == "not readable"]:
        role = f"let the administrator apply docs/rbac/namespaced.yaml in namespace {view.unit.namespace}"
        other = "use the account that runs `pulumi up`"
        fewer = "`scope: namespaced` (docs/guides/state.md)"
        fix = f"{role}, or {other}" if snapshot.spec.cluster.scope == "namespaced" else f"{other}, or {fewer}"
        return Row(check, "failed", f"it may not {', '.join(lacking)}", fix)
    if unknown := [answer.reason for answer in answers.values() if answer.state != "ok"]:
        return Row(check, "not readable", unknown[0], "`kubectl auth can-i --list` says more")
    return Row(check, "ok")
