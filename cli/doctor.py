"""`fatefed doctor`: whether a stack's own part of a federation works, from the cluster's answers. Pure: it asks nothing itself."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from cli.checks import Row, not_read
from cli.cluster import Object, Reading
from cli.issued import certificate_rows
from cli.questions import guarded
from cli.snapshot import (
    CERT_MANAGER_API,
    GATEWAY_API,
    INGRESS_CLASSES,
    ISTIO_API,
    SERVICES_EVERYWHERE,
    STORAGE_CLASSES,
    VERSION,
    Expected,
    Snapshot,
    UnitView,
    expected,
    gateway_of,
    name_of,
    node_ports,
    pod_amounts,
)
from cli.troubles import trouble
from federation.boards_spec import HttpRouteBoards, IngressBoards, IstioBoards
from federation.quantity import amount, shown
from federation.rules_hubs import waiting_hubs

NO_ANSWER = "check cluster.context and cluster.kubeconfig, the network, and whether your credentials are still valid"
_UP = "run `pulumi up`"
_ROLE = "apply docs/rbac/viewer.yaml in this namespace, or ask who may read it"
_CLUSTER_ROLE = "apply docs/rbac/viewer-cluster.yaml, or ask the cluster's administrator"
_STORAGE_DEFAULT, _INGRESS_DEFAULT = "storageclass.kubernetes.io/is-default-class", "ingressclass.kubernetes.io/is-default-class"


def own_rows(snapshot: Snapshot) -> list[Row]:
    """Every check of a stack's own cluster."""
    version, waiting = snapshot.readings[VERSION], [*_hubs(snapshot)]
    if version.state != "ok":
        return [Row("cluster answers", "failed", version.reason, NO_ANSWER), *waiting]
    rows = [Row(f"cluster answers: Kubernetes {snapshot.kubernetes}", "ok"), *waiting]
    for view in snapshot.units:
        rows += guarded(f"{view.unit.key}: everything is checked", _unit(view, snapshot))
    for check, found in (("storage classes", _storage_classes), ("cert-manager", _cert_manager), ("consoles", _boards)):
        rows += guarded(f"{check}: everything is checked", found(snapshot))
    return rows


def _hubs(snapshot: Snapshot) -> Iterator[Row]:
    """Units without the hub that they name: all else may be well, and no job finds a partner."""
    for hub, said in waiting_hubs(snapshot.spec, snapshot.loaded.plan.pending):
        fix = f"accept its descriptor: `fatefed peers add FILE --name {hub.peer}`, then `pulumi up`"
        yield Row(f"{hub.unit}: hub {hub.peer}", "failed", said, fix)


def _unit(view: UnitView, snapshot: Snapshot) -> Iterator[Row]:
    key, namespace = view.unit.key, view.unit.namespace
    found = view.namespace
    if found.state == "absent":
        who = _UP if snapshot.spec.cluster.makes_namespaces else f"let it be made: `kubectl create namespace {namespace}`"
        yield Row(f"{key}: namespace {namespace}", "failed", "there is none", who)
        return
    yield not_read(f"{key}: namespace {namespace}", found, _ROLE) or Row(f"{key}: namespace {namespace}", "ok")
    for module in expected(view.unit):
        yield _module(view, module)
        if module.claims or module.existing_claim:
            yield _claims(view, module)
    yield from certificate_rows(view, snapshot, _UP, _ROLE)
    yield from _quotas(view)
    yield from _addresses(view)
    yield from _node_ports(view, snapshot)
    if isinstance(snapshot.spec.boards, IngressBoards) and view.unit.board_hosts:
        yield _ingresses(view)


def _module(view: UnitView, module: Expected) -> Row:
    check = f"{view.unit.key}: module {module.component}"
    found = [item for kind in ("deployments", "statefulsets") for item in view.of_module(kind, module.component)]
    if not found:
        unread = [row for kind in ("deployments", "statefulsets") if (row := not_read(check, view.reading(kind), _ROLE)) is not None]
        return unread[0] if unread else Row(check, "failed", "it is not deployed", _UP)
    [workload, *_] = found
    ready, wanted = workload.get("status", {}).get("readyReplicas", 0), workload["spec"].get("replicas", 1)
    if wanted != module.replicas:
        return Row(check, "failed", f"it has {wanted} replicas, planned are {module.replicas}", _UP)
    if ready >= wanted:
        return Row(f"{check}, {ready} of {wanted} ready", "ok")
    pods = view.of_module("pods", module.component)
    why, fix = trouble(view.unit.namespace, module.name, pods, workload)
    return Row(check, "failed", f"{ready} of {wanted} ready: {why}", fix)


def _claims(view: UnitView, module: Expected) -> Row:
    check = f"{view.unit.key}: claims of {module.component}"
    reading = view.reading("persistentvolumeclaims")
    if (unread := not_read(check, reading, _ROLE)) is not None:
        return unread
    if module.existing_claim:
        found, count = [item for item in reading.items if name_of(item) == module.existing_claim], 1
    else:
        found, count = view.of_module("persistentvolumeclaims", module.component), module.claims
    if len(found) < count:
        fix = f"make claim {module.existing_claim}" if module.existing_claim else _UP
        return Row(check, "failed", f"{count} planned, {len(found)} there", fix)
    open_ones = [name_of(item) for item in found if item.get("status", {}).get("phase") != "Bound"]
    if open_ones:
        fix = f"`kubectl -n {view.unit.namespace} describe pvc {open_ones[0]}` says why; often the storage class, or a full store"
        return Row(check, "failed", f"not bound: {', '.join(open_ones)}", fix)
    return Row(f"{check}, {len(found)} bound", "ok")


def _quotas(view: UnitView) -> Iterator[Row]:
    """Whether the plan fits into each quota, beside the pods of others in the namespace."""
    reading = view.reading("resourcequotas")
    if (unread := not_read(f"{view.unit.key}: quotas", reading, _ROLE)) is not None:
        yield unread
        return
    balanced = sum(manifest.fields["spec"]["type"] == "LoadBalancer" for manifest in view.unit.services)
    needed = _sum([*(module.amounts for module in expected(view.unit)), {"services.loadbalancers": Decimal(balanced)}])
    others = _sum(pod_amounts(pod) for pod in view.foreign_pods())
    for quota in reading.items:
        check = f"{view.unit.key}: quota {name_of(quota)}"
        if quota.get("spec", {}).get("scopes") or quota.get("spec", {}).get("scopeSelector"):
            yield Row(f"{check}, for some pods only: not checked", "ok")
            continue
        short = [
            f"{what}: planned {_shown(needed[what], what)}{_beside(others.get(what), what)}, allowed {_shown(amount(hard), what)}"
            for what, hard in sorted((quota["spec"].get("hard") or {}).items())
            if what in needed and needed[what] + others.get(what, Decimal(0)) > amount(hard)
        ]
        fix = "let the quota be raised, or lower modules.<module>.resources and replicas"
        yield Row(check, "failed", "; ".join(short), fix) if short else Row(check, "ok")


def _addresses(view: UnitView) -> Iterator[Row]:
    reading = view.reading("services")
    if (unread := not_read(f"{view.unit.key}: Services", reading, _ROLE)) is not None:
        yield unread
        return
    live = {name_of(item): item for item in reading.items}
    published = {manifest.name for manifest in view.unit.services}
    balanced = {name for name, item in live.items() if item["spec"].get("type") == "LoadBalancer"}
    for name in sorted(published | balanced):
        check = f"{view.unit.key}: Service {name}"
        if name not in live:
            yield Row(check, "failed", "there is none", _UP)
        elif name in balanced and not (found := addresses(live[name])):
            fix = "the cluster's load balancer gives it none: is there a controller, and has its pool room? `kubectl describe` says"
            yield Row(check, "failed", "its load balancer has no address", fix)
        else:
            yield Row(f"{check} at {', '.join(found)}" if name in balanced else check, "ok")


def _node_ports(view: UnitView, snapshot: Snapshot) -> Iterator[Row]:
    own = view.reading("services")
    if own.state != "ok":
        return
    held = {port["nodePort"] for item in own.items for port in item["spec"].get("ports", []) if "nodePort" in port}
    for port, service in sorted(node_ports(view.unit).items()):
        check = f"{view.unit.key}: node port {port} of {service}"
        if port in held:
            yield Row(check, "ok")
            continue
        everywhere = snapshot.readings[SERVICES_EVERYWHERE]
        owners = [f"{item['metadata']['namespace']}/{name_of(item)}" for item in everywhere.items if _has_node_port(item, port)]
        fix = f"{_UP}; if the API server calls the port out of range, correct cluster.nodePortRange"
        if owners:
            yield Row(check, "failed", f"{owners[0]} has it", "choose another port, and export the descriptor again")
        elif everywhere.state != "ok":
            yield Row(check, "failed", "the Service does not have it; whether another one does is not readable", fix)
        else:
            yield Row(check, "failed", "the Service does not have it", fix)


def _has_node_port(item: Object, port: int) -> bool:
    return any(found.get("nodePort") == port for found in item["spec"].get("ports", []))


def _ingresses(view: UnitView) -> Row:
    check = f"{view.unit.key}: Ingresses of {', '.join(view.unit.board_hosts)}"
    reading = view.reading("ingresses")
    if (unread := not_read(check, reading, _ROLE)) is not None:
        return unread
    live = {rule.get("host") for item in reading.items for rule in item["spec"].get("rules", [])}
    missing = [host for host in view.unit.board_hosts.values() if host not in live]
    return Row(check, "failed", f"no Ingress for {', '.join(missing)}", _UP) if missing else Row(check, "ok")


def _storage_classes(snapshot: Snapshot) -> Iterator[Row]:
    wanted = {module.storage_class for view in snapshot.units for module in expected(view.unit) if module.claims}
    for name in sorted(wanted, key=str):
        yield _class("storage class", name, snapshot.readings[STORAGE_CLASSES], _STORAGE_DEFAULT, "persistence.storageClass")


def _class(what: str, name: str | None, reading: Reading, default: str, key: str) -> Row:
    check = f"{what} {name}" if name else f"default {what}"
    if (unread := not_read(check, reading, _CLUSTER_ROLE)) is not None:
        return unread
    names = [name_of(item) for item in reading.items]
    marked = [name_of(item) for item in reading.items if (item["metadata"].get("annotations") or {}).get(default) == "true"]
    if name in names or (name is None and marked):
        return Row(check, "ok")
    return Row(check, "failed", f"there is none; there are: {', '.join(names) or 'none at all'}", f"correct {key}, or let it be made")


def _cert_manager(snapshot: Snapshot) -> Iterator[Row]:
    if any(view.unit.certificates for view in snapshot.units):
        fix = "let cert-manager be installed, or choose another `tls` (docs/trust.md)"
        yield _defined("Certificate", snapshot.readings[CERT_MANAGER_API], fix)


def _boards(snapshot: Snapshot) -> Iterator[Row]:
    boards = snapshot.spec.boards
    match boards:
        case IngressBoards():
            yield _class("ingress class", boards.class_name, snapshot.readings[INGRESS_CLASSES], _INGRESS_DEFAULT, "boards.className")
        case HttpRouteBoards():
            known = _defined("HTTPRoute", snapshot.readings[GATEWAY_API], "let Gateway API be installed, or choose another boards.kind")
            yield known
            if known.state == "ok":
                yield _gateway(boards, snapshot.readings[gateway_of(boards)])
        case IstioBoards():
            yield _defined("VirtualService", snapshot.readings[ISTIO_API], "let Istio be installed, or choose another boards.kind")


def _defined(kind: str, reading: Reading, fix: str) -> Row:
    check = f"the cluster knows {kind}"
    kinds = [resource.get("kind") for item in reading.items for resource in item.get("resources", [])]
    if reading.state == "absent" or (reading.state == "ok" and kind not in kinds):
        return Row(check, "failed", "its definition is not installed", fix)
    return not_read(check, reading, _CLUSTER_ROLE) or Row(check, "ok")


def _gateway(boards: HttpRouteBoards, reading: Reading) -> Row:
    check = f"Gateway {boards.gateway.name} in namespace {boards.gateway.namespace}"
    if reading.state == "absent":
        return Row(check, "failed", "there is none", "correct boards.gateway, or let it be made")
    return not_read(check, reading, _CLUSTER_ROLE) or Row(check, "ok")


def addresses(service: Object) -> list[str]:
    """The addresses of a Service's load balancer."""
    found = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or []
    return [entry.get("ip") or entry.get("hostname") or "" for entry in found]


def _sum(amounts: Iterable[Any]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for one in amounts:
        for what, number in one.items():
            total[what] = total.get(what, Decimal(0)) + number
    return total


def _shown(number: Decimal, what: str) -> str:
    return shown(number, memory="memory" in what or "storage" in what)


def _beside(number: Decimal | None, what: str) -> str:
    return "" if not number else f" beside {_shown(number, what)} of others"
