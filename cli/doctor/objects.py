"""Whether the objects in the cluster are the planned ones: what is missing, what somebody changed, and which remedy works."""

from collections.abc import Iterator, Mapping, Sequence

from cli.doctor.comparison import Difference, differences, other_managers
from cli.doctor.live_addresses import filled
from cli.doctor.planned import question
from cli.doctor.rows import Row, not_read, skipped
from cli.doctor.snapshot import name_of
from cli.tools.kubectl import Ask, Object, Reading

REFRESH = "run `pulumi up --refresh`: a plain `pulumi up` does not notice manual changes"
_SHOWN = 3
_NO_TYPE = "the server doesn't have a resource type"


def object_rows(
    owner: str, planned: Sequence[Object], readings: Mapping[Ask, Reading], causes: Mapping[str, Row], role: str
) -> Iterator[Row]:
    """A row for each kind of an owner's objects that are as planned, and one for each object that is not.

    `causes`: rows that failed, by the check that waits for them: of an object, or that the cluster knows a kind.
    """
    kinds: dict[str, list[Object]] = {}
    for document in planned:
        kinds.setdefault(document["kind"], []).append(document)
    for kind, documents in kinds.items():
        check = f"{owner}: {len(documents)} of kind {kind} as planned"
        reading = next((readings[question(one)] for one in documents if readings[question(one)].state not in ("ok", "absent")), None)
        if (cause := causes.get(f"the cluster knows {kind}")) is not None:
            yield skipped(check, cause)
        elif reading is not None and _NO_TYPE in reading.reason:
            yield Row(check, "skipped", f"waits for: the cluster knows {kind}")
        elif reading is not None and (unread := not_read(check, reading, role)) is not None:
            yield unread
        else:
            wrong = [row for one in documents if (row := _row(owner, one, readings)) is not None]
            yield from (skipped(row.check, causes[row.check]) if row.check in causes else row for row in wrong or [Row(check, "ok")])


def _row(owner: str, planned: Object, readings: Mapping[Ask, Reading]) -> Row | None:
    """What is wrong with one object; None: nothing, or a workload that is absent, which is a row of its module."""
    check, ask = f"{owner}: {planned['kind']} {name_of(planned)}", question(planned)
    item = next((one for one in readings[ask].items if name_of(one) == name_of(planned)), None)
    if item is None:
        return None if ask.kind in ("deployments", "statefulsets") else Row(check, "failed", "there is none", REFRESH)
    if not (fields := differences(filled(planned, readings), item)):
        return None
    rest = [f"and {len(fields) - _SHOWN} more"] if len(fields) > _SHOWN else []
    text = "; ".join([*map(str, fields[:_SHOWN]), *rest])
    return Row(check, "failed", f"not as planned: {text}", remedy(item, fields))


def remedy(item: Object, fields: Sequence[Difference]) -> str:
    """The fix for changed fields, by who changed them."""
    others = sorted({manager for one in fields for manager in other_managers(item, one.path)})
    if not others:
        return REFRESH
    return f"{REFRESH}; it ends with a conflict while field manager {', '.join(others)} holds the field: make that program release it first"


def replicas_remedy(item: Object, namespace: str, module: str, planned: int) -> str:
    """What brings back the number of replicas: what scaled a workload goes on owning that field, whatever Pulumi does."""
    kind = "statefulset" if item.get("kind") == "StatefulSet" else "deployment"
    undo = f"`kubectl -n {namespace} scale {kind}/{name_of(item)} --replicas={planned}`"
    keep = f"write modules.{module}.replicas"
    owners = other_managers(item, ("spec", "replicas"))
    if any("kube-controller-manager" in owner for owner in owners):
        return f"an autoscaler set it: delete the HorizontalPodAutoscaler, then {undo}"
    if owners:
        conflict = "`pulumi up --refresh` ends with a conflict"
        return f"{', '.join(owners)} set it, and {conflict}: undo it by {undo}; to keep it, {keep}, and scale to that number"
    return f"{REFRESH}; scaled by kubectl, it ends with a conflict: then {undo}"
