"""`fatefed doctor`: whether a stack's own part of a federation works, from the cluster's answers. Pure: it asks nothing itself."""

from collections.abc import Iterator, Mapping

from cli.doctor.objects import REFRESH, object_rows, replicas_remedy
from cli.doctor.own.capacity import node_port_rows, quota_rows
from cli.doctor.own.certificates import certificate_rows
from cli.doctor.own.exported import exported_rows
from cli.doctor.own.preflight import foreign_row, preflight_rows
from cli.doctor.pods import pod_diagnosis
from cli.doctor.questions import guarded
from cli.doctor.rows import CLUSTER_ROLE, ROLE, Row, not_read, skipped
from cli.doctor.snapshot import (
    CERT_MANAGER_API,
    GATEWAY_API,
    INGRESS_CLASSES,
    ISTIO_API,
    STORAGE_CLASSES,
    VERSION,
    WORKLOADS,
    Expected,
    Snapshot,
    UnitView,
    addresses,
    expected,
    gateway_of,
    name_of,
)
from cli.tools.kubectl import Reading
from federation.config.boards import HttpRouteBoards, IngressBoards, IstioBoards
from federation.units.hubs import waiting_hubs

NO_ANSWER = "check cluster.context and cluster.kubeconfig, the network, and whether your credentials are still valid"
_STORAGE_DEFAULT, _INGRESS_DEFAULT = "storageclass.kubernetes.io/is-default-class", "ingressclass.kubernetes.io/is-default-class"


def own_rows(snapshot: Snapshot) -> list[Row]:
    """Every check of a stack's own cluster; causes before what follows from them."""
    version, waiting = snapshot.readings[VERSION], [*_hubs(snapshot)]
    if version.state != "ok":
        return [Row("cluster answers", "failed", version.reason, NO_ANSWER), *waiting]
    rows = [Row(f"cluster answers: Kubernetes {snapshot.kubernetes}", "ok"), *waiting]
    for check, rule in (("storage classes", _storage_classes), ("cert-manager", _cert_manager), ("consoles", _boards)):
        rows += guarded(f"{check}: everything is checked", rule(snapshot))
    causes = {row.check: row for row in rows if row.state == "failed"}
    if snapshot.planned.unrendered:
        problem = f"{snapshot.planned.unrendered}: objects of charts are not compared"
        rows.append(Row("objects of the charts are as planned", "not readable", problem, "install helm, or name it with HELM=PATH"))
    for view in snapshot.units:
        rows += guarded(f"{view.unit.key}: everything is checked", _unit_rows(view, snapshot, causes))
    for owner, planned in snapshot.planned.objects.items():
        if owner.startswith("fate:manifests."):
            fix = "give the account the right to read these kinds"
            rows += guarded(f"{owner}: everything is checked", object_rows(owner, planned, snapshot.readings, causes, fix))
    return rows


def _hubs(snapshot: Snapshot) -> Iterator[Row]:
    """Units without the hub that they name: all else may be well, and no job finds a partner."""
    for hub, problem in waiting_hubs(snapshot.spec, snapshot.loaded.plan.pending):
        fix = f"accept its descriptor: `fatefed peers add FILE --name {hub.peer}`, then `pulumi up`"
        yield Row(f"{hub.unit}: hub {hub.peer}", "failed", problem, fix)


def _unit_rows(view: UnitView, snapshot: Snapshot, causes: Mapping[str, Row]) -> Iterator[Row]:
    if (foreign := foreign_row(view, snapshot)) is not None:
        yield from (foreign, skipped(f"{view.unit.key}: all other checks", foreign))
    else:
        yield from _unit(view, snapshot, causes) if view.deployed else preflight_rows(view, snapshot)


def _unit(view: UnitView, snapshot: Snapshot, causes: Mapping[str, Row]) -> Iterator[Row]:
    """`causes`: what failed of the whole cluster, by its check."""
    key, namespace = view.unit.key, view.unit.namespace
    yield not_read(f"{key}: namespace {namespace}", view.namespace, ROLE) or Row(f"{key}: namespace {namespace}", "ok")
    quotas = [*quota_rows(view)]
    yield from quotas
    certificates = [*certificate_rows(view, snapshot, REFRESH, ROLE)]
    yield from certificates
    unsigned = next((row for row in certificates if row.state == "failed"), None)
    if unsigned is not None and not view.runs:
        # The first `pulumi up` ended while it waited: what comes after the certificate was never made.
        yield skipped(f"{key}: modules and the other objects", unsigned)
        return
    short = next((row for row in quotas if row.state == "failed"), None)
    for module in expected(view.unit):
        claims = _claims(view, module, causes) if module.claims or module.existing_claim else None
        if claims is not None:
            yield claims
        yield _module(view, module, claims, short)
    yield from _addresses(view)
    yield from exported_rows(view, snapshot)
    ports = [*node_port_rows(view, snapshot)]
    yield from (row for _, row in ports)
    causes = {**causes, **{f"{key}: Service {service}": row for service, row in ports if row.state == "failed"}}
    yield from object_rows(key, snapshot.planned.objects.get(key, ()), snapshot.readings, causes, ROLE)
    if snapshot.planned.unrendered and isinstance(snapshot.spec.boards, IngressBoards) and view.unit.console_hosts:
        yield _ingresses(view)


def _module(view: UnitView, module: Expected, claims: Row | None, quota: Row | None) -> Row:
    """`claims`: the row of its claims; `quota`: of one that is too small."""
    check = f"{view.unit.key}: module {module.component}"
    workloads = [item for kind in WORKLOADS for item in view.of_module(kind, module.component)]
    if not workloads:
        unread = [row for kind in WORKLOADS if (row := not_read(check, view.reading(kind), ROLE)) is not None]
        return unread[0] if unread else Row(check, "failed", "it is not deployed", REFRESH)
    [workload, *_] = workloads
    ready, wanted = workload.get("status", {}).get("readyReplicas", 0), workload["spec"].get("replicas", 1)
    if wanted != module.replicas:
        fix = replicas_remedy(workload, view.unit.namespace, module.name, module.replicas)
        return Row(check, "failed", f"it has {wanted} replicas, planned are {module.replicas}", fix)
    if ready >= wanted:
        return Row(f"{check}, {ready} of {wanted} ready", "ok")
    pods = view.of_module("pods", module.component)
    if quota is not None and len(pods) < wanted:
        return skipped(check, quota)
    if claims is not None and claims.state != "ok":
        return skipped(check, claims)
    why, fix = pod_diagnosis(view.unit.namespace, module.name, pods, workload)
    return Row(check, "failed", f"{ready} of {wanted} ready: {why}", fix)


def _claims(view: UnitView, module: Expected, causes: Mapping[str, Row]) -> Row:
    check = f"{view.unit.key}: claims of {module.component}"
    reading = view.reading("persistentvolumeclaims")
    if (unread := not_read(check, reading, ROLE)) is not None:
        return unread
    if module.existing_claim:
        claims, count = [item for item in reading.items if name_of(item) == module.existing_claim], 1
    else:
        claims, count = view.of_module("persistentvolumeclaims", module.component), module.claims
    open_ones = [name_of(item) for item in claims if item.get("status", {}).get("phase") != "Bound"]
    cause = causes.get(_class_check("storage class", module.storage_class))
    if cause is not None and module.claims and (open_ones or len(claims) < count):
        return skipped(check, cause)
    if len(claims) < count:
        fix = f"make claim {module.existing_claim}" if module.existing_claim else REFRESH
        return Row(check, "failed", f"{count} planned, {len(claims)} there", fix)
    if open_ones:
        fix = f"`kubectl -n {view.unit.namespace} describe pvc {open_ones[0]}` says why; often the storage class, or a full store"
        return Row(check, "failed", f"not bound: {', '.join(open_ones)}", fix)
    return Row(f"{check}, {len(claims)} bound", "ok")


def _addresses(view: UnitView) -> Iterator[Row]:
    """Of load balancers; that a Service is there is looked at with all objects."""
    reading = view.reading("services")
    if (unread := not_read(f"{view.unit.key}: Services", reading, ROLE)) is not None:
        yield unread
        return
    for item in sorted(reading.items, key=name_of):
        check = f"{view.unit.key}: Service {name_of(item)}"
        if item["spec"].get("type") != "LoadBalancer":
            continue
        if hosts := addresses(item):
            yield Row(f"{check} at {', '.join(hosts)}", "ok")
        else:
            fix = "the load balancer's controller gave it none: is there one, and has its pool free addresses? see `kubectl describe`"
            yield Row(check, "failed", "its load balancer has no address", fix)


def _ingresses(view: UnitView) -> Row:
    check = f"{view.unit.key}: Ingresses of {', '.join(view.unit.console_hosts)}"
    reading = view.reading("ingresses")
    if (unread := not_read(check, reading, ROLE)) is not None:
        return unread
    live = {rule.get("host") for item in reading.items for rule in item["spec"].get("rules", [])}
    missing = [host for host in view.unit.console_hosts.values() if host not in live]
    return Row(check, "failed", f"no Ingress for {', '.join(missing)}", REFRESH) if missing else Row(check, "ok")


def _storage_classes(snapshot: Snapshot) -> Iterator[Row]:
    wanted = {module.storage_class for view in snapshot.units for module in expected(view.unit) if module.claims}
    for name in sorted(wanted, key=str):
        yield _class("storage class", name, snapshot.readings[STORAGE_CLASSES], _STORAGE_DEFAULT, "persistence.storageClass")


def _class(what: str, name: str | None, reading: Reading, default: str, key: str) -> Row:
    check = _class_check(what, name)
    if (unread := not_read(check, reading, CLUSTER_ROLE)) is not None:
        return unread
    names = [name_of(item) for item in reading.items]
    marked = [name_of(item) for item in reading.items if (item["metadata"].get("annotations") or {}).get(default) == "true"]
    if name in names or (name is None and marked):
        return Row(check, "ok")
    return Row(
        check, "failed", f"there is none; there are: {', '.join(names) or 'none at all'}", f"correct {key}, or ask for it to be created"
    )


def _class_check(what: str, name: str | None) -> str:
    return f"{what} {name}" if name else f"default {what}"


def _cert_manager(snapshot: Snapshot) -> Iterator[Row]:
    if any(view.unit.certificates for view in snapshot.units):
        fix = "ask for cert-manager to be installed, or choose another `tls` (docs/guides/trust.md)"
        yield _defined("Certificate", snapshot.readings[CERT_MANAGER_API], fix)


def _boards(snapshot: Snapshot) -> Iterator[Row]:
    boards = snapshot.spec.boards
    match boards:
        case IngressBoards():
            yield _class("ingress class", boards.class_name, snapshot.readings[INGRESS_CLASSES], _INGRESS_DEFAULT, "boards.className")
        case HttpRouteBoards():
            known = _defined(
                "HTTPRoute", snapshot.readings[GATEWAY_API], "ask for Gateway API to be installed, or choose another boards.kind"
            )
            yield known
            if known.state == "ok":
                yield _gateway(boards, snapshot.readings[gateway_of(boards)])
        case IstioBoards():
            yield _defined("VirtualService", snapshot.readings[ISTIO_API], "ask for Istio to be installed, or choose another boards.kind")


def _defined(kind: str, reading: Reading, fix: str) -> Row:
    check = f"the cluster knows {kind}"
    kinds = [resource.get("kind") for item in reading.items for resource in item.get("resources", [])]
    if reading.state == "absent" or (reading.state == "ok" and kind not in kinds):
        return Row(check, "failed", "its definition is not installed", fix)
    return not_read(check, reading, CLUSTER_ROLE) or Row(check, "ok")


def _gateway(boards: HttpRouteBoards, reading: Reading) -> Row:
    check = f"Gateway {boards.gateway.name} in namespace {boards.gateway.namespace}"
    if reading.state == "absent":
        return Row(check, "failed", "there is none", "correct boards.gateway, or ask for it to be created")
    return not_read(check, reading, CLUSTER_ROLE) or Row(check, "ok")
