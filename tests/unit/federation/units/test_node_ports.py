"""Node ports that a Service of somebody else has."""

from pathlib import Path
from typing import Any

from federation.units.node_ports import node_ports, taken_node_ports
from tests.support.configs import NODE_PORTS


def service(namespace: str, *ports: int) -> dict[str, Any]:
    """A Service as kubectl returns it; one without node ports has none of that key."""
    entries = [{"port": 80, "nodePort": port} for port in ports] or [{"port": 80}]
    return {"metadata": {"namespace": namespace, "name": "theirs"}, "spec": {"ports": entries}}


def test_a_node_port_of_anothers_service_is_a_problem_of_the_unit_that_wants_it(tmp_path: Path) -> None:
    (unit,) = NODE_PORTS.load(tmp_path).plan.units
    port, name = sorted(node_ports(unit).items())[0]
    headless = {"metadata": {"namespace": "others", "name": "headless"}, "spec": {"clusterIP": "None"}}
    ((found, problem, remedy),) = taken_node_ports([unit], [service("others"), headless, service("others", 1, port)])
    assert found is unit
    assert problem == f"Service {name} of {unit.key} cannot get node port {port}: Service others/theirs of this cluster has it"
    assert remedy == "choose another port, and export the descriptor again"


def test_the_units_own_services_have_their_node_ports_and_others_in_its_namespace_have_theirs(tmp_path: Path) -> None:
    (unit,) = NODE_PORTS.load(tmp_path).plan.units
    port = next(iter(node_ports(unit)))
    theirs, elsewhere = service(unit.namespace, port), service("others", port)
    ours = [(manifest.name, dict(manifest.labels)) for manifest in unit.services if manifest.fields["spec"].get("type") == "NodePort"]
    assert ours
    # One that this edit removes has the labels, one that the stack takes over has the name.
    for name, labels in [*ours, ("rollsite-public", ours[0][1]), (ours[0][0], {"owner": "kubefate"}), ("rollsite", {"owner": "kubefate"})]:
        own = service(unit.namespace, port)
        own["metadata"] |= {"name": name, "labels": labels}
        assert list(taken_node_ports([unit], [own, service("others", 1)])) == [], name
        assert len(list(taken_node_ports([unit], [own, elsewhere]))) == 1
    ((_, problem, _),) = taken_node_ports([unit], [theirs])
    assert f"Service {unit.namespace}/theirs of this cluster has it" in problem
    foreign = {**elsewhere, "metadata": {"namespace": "others", "name": ours[0][0], "labels": ours[0][1]}}
    assert len(list(taken_node_ports([unit], [foreign]))) == 1, "another stack's Service has the same labels"
