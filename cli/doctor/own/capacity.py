"""Whether a unit fits into its cluster: quotas and node ports; and how large it is. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from cli.doctor.objects import REFRESH
from cli.doctor.rows import CLUSTER_ROLE, ROLE, Row, not_read
from cli.doctor.snapshot import SERVICES_EVERYWHERE, Snapshot, UnitView, expected, name_of, pod_amounts
from cli.tools.kubectl import Object
from federation.base.quantity import amount, shown
from federation.units.node_ports import node_ports
from federation.units.unit import UnitPlan


def needed(unit: UnitPlan) -> dict[str, Decimal]:
    """What a unit asks of its cluster, by the names that quotas have for it."""
    balanced = sum(manifest.fields["spec"]["type"] == "LoadBalancer" for manifest in unit.services)
    return _sum([*(module.amounts for module in expected(unit)), {"services.loadbalancers": Decimal(balanced)}])


def size(unit: UnitPlan) -> str:
    """How large a unit is, in words."""
    asked = needed(unit)
    words = [f"{_shown(asked['pods'], 'pods')} pods"]
    words += [
        f"{_shown(asked[what], what)} {name}" for what, name in (("requests.cpu", "CPU"), ("requests.memory", "memory")) if what in asked
    ]
    if "requests.storage" in asked:
        words.append(
            f"{_shown(asked['persistentvolumeclaims'], 'pieces')} claims of {_shown(asked['requests.storage'], 'storage')} together"
        )
    return ", ".join(words)


def quota_rows(view: UnitView) -> Iterator[Row]:
    """Whether the plan fits into each quota, beside the pods of others in the namespace."""
    reading = view.reading("resourcequotas")
    if (unread := not_read(f"{view.unit.key}: quotas", reading, ROLE)) is not None:
        yield unread
        return
    asked, others = needed(view.unit), _sum(pod_amounts(pod) for pod in view.foreign_pods())
    for quota in reading.items:
        check = f"{view.unit.key}: quota {name_of(quota)}"
        if quota.get("spec", {}).get("scopes") or quota.get("spec", {}).get("scopeSelector"):
            yield Row(f"{check}, for some pods only: not checked", "ok")
            continue
        short = [
            f"{what}: planned {_shown(asked[what], what)}{_beside(others.get(what), what)}, allowed {_shown(amount(hard), what)}"
            for what, hard in sorted((quota["spec"].get("hard") or {}).items())
            if what in asked and asked[what] + others.get(what, Decimal(0)) > amount(hard)
        ]
        fix = "ask for a larger quota, or lower modules.<module>.resources and replicas"
        yield Row(check, "failed", "; ".join(short), fix) if short else Row(check, "ok")


def node_port_rows(view: UnitView, snapshot: Snapshot) -> Iterator[tuple[str, Row]]:
    """Whether a unit has its node ports; before it is deployed, whether they are free. Each with the name of its Service."""
    own, everywhere = view.reading("services"), snapshot.readings.get(SERVICES_EVERYWHERE)
    if everywhere is None or (view.deployed and own.state != "ok"):
        return
    held = {port["nodePort"] for item in own.items for port in item["spec"].get("ports", []) if "nodePort" in port}
    compared = {name_of(document) for document in snapshot.planned.objects.get(view.unit.key, ()) if document["kind"] == "Service"}
    for port, service in sorted(node_ports(view.unit).items()):
        check = f"{view.unit.key}: node port {port} of {service}"
        owners = [f"{item['metadata']['namespace']}/{name_of(item)}" for item in everywhere.items if _has_node_port(item, port)]
        owners = [owner for owner in owners if owner != f"{view.unit.namespace}/{service}"]
        range_fix = "if the API server calls the port out of range, correct cluster.nodePortRange"
        if view.deployed and port in held:
            yield service, Row(check, "ok")
        elif owners:
            yield (
                service,
                Row(check, "failed", f"Service {owners[0]} has it", "choose another port, and export the descriptor again"),
            )
        elif view.deployed and service in compared:
            yield service, Row(check, "skipped", f"waits for: {view.unit.key}: Service {service}")
        elif view.deployed:
            whether = "" if everywhere.state == "ok" else "; whether another one does is not readable"
            yield service, Row(check, "failed", f"the Service does not have it{whether}", f"{REFRESH}; {range_fix}")
        elif everywhere.state != "ok":
            yield service, Row(check, "not readable", f"whether another Service has it: {everywhere.reason}", CLUSTER_ROLE)
        else:
            yield service, Row(f"{check} is free", "ok")


def _has_node_port(item: Object, port: int) -> bool:
    return any(entry.get("nodePort") == port for entry in item["spec"].get("ports", []))


def _sum(amounts: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for one in amounts:
        for what, number in one.items():
            total[what] = total.get(what, Decimal(0)) + number
    return total


def _shown(number: Decimal, what: str) -> str:
    return shown(number, memory="memory" in what or "storage" in what)


def _beside(number: Decimal | None, what: str) -> str:
    return "" if not number else f" beside {_shown(number, what)} of others"
