"""The node ports that a unit was given, and whether another Service of the cluster has them already."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from federation.base import naming
from federation.units.unit import UnitPlan


def node_ports(unit: UnitPlan) -> dict[int, str]:
    """The node ports that a unit was given, each with its Service."""
    service_ports = {
        port["nodePort"]: manifest.name
        for manifest in unit.services
        for port in manifest.fields["spec"]["ports"]
        if port.get("nodePort") is not None
    }
    modules: dict[str, dict[str, Any]] = unit.chart.values.plain()["modules"]
    module_ports = {name: (values.get("service") or {}).get("nodePorts") or {} for name, values in modules.items()}
    return service_ports | {port: name for name, ports in module_ports.items() for port in ports.values()}


def taken_node_ports(units: Iterable[UnitPlan], services: Iterable[Mapping[str, Any]]) -> Iterator[tuple[UnitPlan, str, str]]:
    """Unit, problem and remedy for each node port that a Service has which is not of these units. `services`: of the whole cluster."""
    units = [*units]
    owners = {
        port["nodePort"]: f"{service['metadata']['namespace']}/{service['metadata']['name']}"
        for service in services
        if not _is_of(units, service["metadata"])
        for port in service["spec"].get("ports") or ()
        if "nodePort" in port
    }
    for unit in units:
        for port, name in sorted(node_ports(unit).items()):
            if port in owners:
                problem = f"Service {name} of {unit.key} cannot get node port {port}: Service {owners[port]} of this cluster has it"
                yield unit, problem, "choose another port, and export the descriptor again"


def _is_of(units: Iterable[UnitPlan], metadata: Mapping[str, Any]) -> bool:
    """Whether a Service is one of a unit, by its namespace and its labels, or becomes one of it, by its name (`takeOver`)."""
    labels = (metadata.get("labels") or {}).items()
    for unit in (unit for unit in units if unit.namespace == metadata["namespace"]):
        names = {*naming.CHART_OBJECTS, *(manifest.name for manifest in unit.services)}
        if metadata["name"] in names or labels >= {(naming.PART_OF, "fate"), (naming.MANAGED_BY, "pulumi")}:
            return True
    return False
