"""The node ports that a unit was given, and whether another Service of the cluster has them already."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
    """Unit, problem and remedy for each node port that a Service outside of the units' namespaces has. `services`: of the whole cluster."""
    units = [*units]
    own = {unit.namespace for unit in units}
    owners = {
        port["nodePort"]: f"{service['metadata']['namespace']}/{service['metadata']['name']}"
        for service in services
        if service["metadata"]["namespace"] not in own
        for port in service["spec"].get("ports") or ()
        if "nodePort" in port
    }
    for unit in units:
        for port, name in sorted(node_ports(unit).items()):
            if port in owners:
                problem = f"Service {name} of {unit.key} cannot get node port {port}: Service {owners[port]} of this cluster has it"
                yield unit, problem, "choose another port, and export the descriptor again"
