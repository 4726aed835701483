"""Whether the route files in the cluster are the planned ones."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.doctor.live_addresses import live_address
from cli.doctor.objects import REFRESH
from cli.doctor.rows import Row
from cli.tools.kubectl import Ask, Reading
from federation.base.live import LiveValue, live_values, substitute
from federation.links.routes import route_revision
from federation.manifests.objects import Manifest
from federation.units.unit import UnitPlan

_ROLE = "here: apply docs/rbac/viewer.yaml in namespace {}, or ask someone who may read it"


def route_questions(units: list[UnitPlan]) -> Iterator[Ask]:
    """What must be known of the cluster: the route ConfigMaps by name, and the Services whose addresses they hold."""
    for unit in units:
        yield from (_place(manifest) for manifest in unit.routes)
        yield from (Ask("services", value.namespace) for value in sorted(_live(unit)))


def route_rows(units: list[UnitPlan], readings: Mapping[Ask, Reading]) -> Iterator[Row]:
    """A row for each unit: the digest that the output `routeRevision` has too, here in the plan and there in the cluster."""
    for unit in units:
        if unit.routes:
            yield _row(unit, readings)


def _row(unit: UnitPlan, readings: Mapping[Ask, Reading]) -> Row:
    check = f"{unit.key}: route files"
    for ask in route_questions([unit]):
        reading = readings[ask]
        if reading.state == "absent":
            return Row(check, "failed", f"there is no ConfigMap {ask.name}", f"here: {REFRESH}")
        if reading.state != "ok":
            return Row(check, "not readable", reading.reason, _ROLE.format(unit.namespace))
    values = {value: live_address(value, readings) for value in _live(unit)}
    if unknown := sorted(str(value) for value, address in values.items() if address is None):
        return Row(check, "failed", f"the cluster does not have {', '.join(unknown)}", f"here: {REFRESH}")
    planned = {
        manifest.role: substitute(manifest.fields, {key: address or "" for key, address in values.items()}) for manifest in unit.routes
    }
    live = {manifest.role: {"data": readings[_place(manifest)].items[0].get("data", {})} for manifest in unit.routes}
    if planned == live:
        return Row(f"{check} are as planned, routeRevision {route_revision(planned)}", "ok")
    wrong = sorted(_different(planned, live))
    problem = f"not as planned: {', '.join(wrong)}; the cluster has revision {route_revision(live)}, planned is {route_revision(planned)}"
    return Row(check, "failed", problem, f"here: {REFRESH}; `pulumi preview --refresh --diff` shows what differs")


def _different(planned: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[str]:
    for role, fields in planned.items():
        here, there = fields["data"], live[role]["data"]
        yield from (name for name in here.keys() | there.keys() if here.get(name) != there.get(name))


def _place(manifest: Manifest) -> Ask:
    return Ask("configmaps", manifest.namespace, manifest.name)


def _live(unit: UnitPlan) -> frozenset[LiveValue]:
    return live_values([manifest.fields for manifest in unit.routes])
