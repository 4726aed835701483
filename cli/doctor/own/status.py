"""`fatefed status`: what a stack has in its cluster now: modules, claims, addresses. What cannot be read is said so."""

from collections.abc import Callable, Sequence
from typing import Any

from cli.doctor.own.certificates import ends, issuer_of, why_not_ready
from cli.doctor.own.checks import NO_ANSWER
from cli.doctor.snapshot import CERTIFICATES, VERSION, Snapshot, UnitView, addresses, expected, name_of
from cli.tools.kubectl import Object, Reading
from cli.tools.page import Page, Table

Entries = list[dict[str, Any]]


def status_data(snapshot: Snapshot) -> dict[str, Any]:
    """The state of every unit as data; what is not readable is {"unread": why}."""
    version = snapshot.readings[VERSION]
    cluster = {"kubernetes": snapshot.kubernetes} if snapshot.reachable else {"unread": version.reason}
    return {"cluster": cluster, "units": {view.unit.key: _unit(view) for view in snapshot.units}}


def status_text(snapshot: Snapshot) -> Page:
    """The state of every unit as tables."""
    data = status_data(snapshot)
    if not snapshot.reachable:
        return Page((f"the cluster does not answer: {data['cluster']['unread']}\n    remedy: {NO_ANSWER}",))
    parts: list[str | Table] = [f"Kubernetes {snapshot.kubernetes}"]
    for key, unit in data["units"].items():
        parts += ["", f"{key}: release {unit['release']}, namespace {unit['namespace']}"]
        for section in ("modules", "claims", "certificates", "services", "consoles"):
            parts += _section(section, unit[section])
    return Page(tuple(parts))


def _section(name: str, found: Any) -> Sequence[str | Table]:
    if isinstance(found, dict):
        return ["", f"{name}: not readable: {found['unread']}"]
    if not found:
        return []
    return ["", Table(tuple(found[0]), [tuple(map(str, entry.values())) for entry in found])]


def _unit(view: UnitView) -> dict[str, Any]:
    return {
        "release": view.unit.release,
        "namespace": view.unit.namespace,
        "modules": _modules(view),
        "claims": _listed(view.reading("persistentvolumeclaims"), _claim),
        "certificates": _listed(view.reading(CERTIFICATES), _certificate) if view.unit.certificates else [],
        "services": _listed(view.reading("services"), _service),
        "consoles": [
            {"console": name, "url": console["url"], "otherwise": console["portForward"]}
            for name, console in view.unit.access.items()
            if isinstance(console, dict) and view.runs
        ],
    }


def _modules(view: UnitView) -> Entries | dict[str, str]:
    unread = [reading for kind in ("deployments", "statefulsets") if (reading := view.reading(kind)).state != "ok"]
    if unread:
        return {"unread": unread[0].reason}
    return [_module(view, module.component, module.replicas) for module in expected(view.unit)]


def _module(view: UnitView, component: str, planned: int) -> dict[str, Any]:
    found = [item for kind in ("deployments", "statefulsets") for item in view.of_module(kind, component)]
    pods = view.of_module("pods", component)
    restarts = sum(container.get("restartCount", 0) for pod in pods for container in pod.get("status", {}).get("containerStatuses", []))
    ready = sum(item.get("status", {}).get("readyReplicas", 0) for item in found)
    images = sorted({item["spec"]["template"]["spec"]["containers"][0]["image"] for item in found})
    state = "absent" if not found else ("ready" if ready >= planned else "not ready")
    known = view.reading("pods").state == "ok"
    return {
        "module": component,
        "state": state,
        "ready": f"{ready}/{planned}",
        "restarts": restarts if known else "not readable",
        "image": ", ".join(images),
    }


def _listed(reading: Reading, entry: Callable[[Object], dict[str, Any]]) -> Entries | dict[str, str]:
    return [entry(item) for item in sorted(reading.items, key=name_of)] if reading.state == "ok" else {"unread": reading.reason}


def _claim(item: Object) -> dict[str, Any]:
    status, spec = item.get("status", {}), item["spec"]
    size = (status.get("capacity") or {}).get("storage") or spec["resources"]["requests"]["storage"]
    return {"claim": name_of(item), "state": status.get("phase", "unknown"), "size": size, "class": spec.get("storageClassName", "")}


def _certificate(item: Object) -> dict[str, Any]:
    state = "signed" if why_not_ready(item) is None else "not signed"
    return {"certificate": name_of(item), "state": state, "issuer": issuer_of(item["spec"]), "until": ends(item) or "-"}


def _service(item: Object) -> dict[str, Any]:
    spec = item["spec"]
    kind = spec.get("type", "ClusterIP")
    reached = ", ".join(addresses(item)) or "none yet" if kind == "LoadBalancer" else spec.get("clusterIP", "")
    ports = [f"{port['port']}{':' + str(port['nodePort']) if 'nodePort' in port else ''}" for port in spec.get("ports", [])]
    return {"service": name_of(item), "type": kind, "address": reached, "ports": ",".join(ports)}
