"""`fatefed status`: what a stack has in its cluster now: modules, claims, addresses. What cannot be read is said so."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from cli.doctor.live_addresses import filled
from cli.doctor.own.certificates import ends, issuer_of, why_not_ready
from cli.doctor.own.checks import NO_ANSWER
from cli.doctor.snapshot import CERTIFICATES, VERSION, Snapshot, UnitView, addresses, expected, name_of
from cli.peers.listing import peers_data, peers_part
from cli.tools.kubectl import Object, Reading
from cli.tools.page import Page, Table
from federation.base.live import live_values

Entries = list[dict[str, Any]]
_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def status_data(snapshot: Snapshot) -> dict[str, Any]:
    """The state of every unit as data; what is not readable is {"unread": why}."""
    version = snapshot.readings[VERSION]
    cluster = {"kubernetes": snapshot.kubernetes} if snapshot.reachable else {"unread": version.reason}
    units = {view.unit.key: _unit(view) for view in snapshot.units}
    return {"cluster": cluster, "units": units, "peers": peers_data(snapshot.loaded)}


def status_text(snapshot: Snapshot) -> Page:
    """The state of every unit as tables."""
    data = status_data(snapshot)
    if not snapshot.reachable:
        return Page((f"the cluster does not answer: {data['cluster']['unread']}\n    remedy: {NO_ANSWER}",))
    parts: list[str | Table] = [f"Kubernetes {snapshot.kubernetes}"]
    for view in snapshot.units:
        unit = data["units"][view.unit.key]
        parts += ["", f"{view.unit.key}: release {unit['release']}, namespace {unit['namespace']}{_how(view, unit['modules'])}"]
        sections = ("modules", "claims", "certificates", "services", "endpoints", "consoles") if view.deployed else ("claims",)
        for section in sections:
            parts += _section(section, unit[section])
    return Page((*parts, "", peers_part(snapshot.loaded)))


def _how(view: UnitView, modules: Entries | dict[str, str]) -> str:
    """How many modules of a unit are ready, as far as that is known."""
    if not view.deployed:
        return ": nothing of it runs there"
    if isinstance(modules, dict):
        return ""
    return f": {sum(module['state'] == 'ready' for module in modules)} of {len(modules)} modules ready"


def _section(name: str, content: Any) -> Sequence[str | Table]:
    if isinstance(content, dict):
        return ["", f"{name}: not readable: {content['unread']}"]
    if not content:
        return []
    head = tuple("age" if word == "since" else word for word in content[0])
    return ["", Table(head, [tuple(_age(value) if word == "since" else str(value) for word, value in one.items()) for one in content])]


def _age(since: str) -> str:
    """How long ago that was, in the largest unit of which there are two or more: `50 h`, `3 d`."""
    if not since:
        return "-"
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds())
    return next((f"{seconds // size} {unit}" for unit, size in _UNITS if seconds >= 2 * size), f"{max(seconds, 0)} s")


def _unit(view: UnitView) -> dict[str, Any]:
    return {
        "release": view.unit.release,
        "namespace": view.unit.namespace,
        "modules": _modules(view),
        "claims": _listed(view.reading("persistentvolumeclaims"), _claim),
        "certificates": _listed(view.reading(CERTIFICATES), _certificate) if view.unit.certificates else [],
        "services": _listed(view.reading("services"), _service),
        "endpoints": [*_endpoints(view)],
        # Nobody answers at the URLs of what does not run.
        "consoles": [
            {"console": name, "url": console["url"], "otherwise": console["portForward"]}
            for name, console in view.unit.access.items()
            if view.runs and isinstance(console, dict)
        ],
    }


def _modules(view: UnitView) -> Entries | dict[str, str]:
    unread = [reading for kind in ("deployments", "statefulsets") if (reading := view.reading(kind)).state != "ok"]
    if unread:
        return {"unread": unread[0].reason}
    return [_module(view, module.component, module.replicas) for module in expected(view.unit)]


def _module(view: UnitView, component: str, planned: int) -> dict[str, Any]:
    workloads = [item for kind in ("deployments", "statefulsets") for item in view.of_module(kind, component)]
    pods = view.of_module("pods", component)
    restarts = sum(container.get("restartCount", 0) for pod in pods for container in pod.get("status", {}).get("containerStatuses", []))
    ready = sum(item.get("status", {}).get("readyReplicas", 0) for item in workloads)
    images = sorted({item["spec"]["template"]["spec"]["containers"][0]["image"] for item in workloads})
    state = "absent" if not workloads else ("ready" if ready >= planned else "not ready")
    known = view.reading("pods").state == "ok"
    return {
        "module": component,
        "state": state,
        "ready": f"{ready}/{planned}",
        "restarts": restarts if known else "not readable",
        "since": max((pod["metadata"].get("creationTimestamp", "") for pod in pods), default=""),
        "image": ", ".join(images),
    }


def _endpoints(view: UnitView) -> Iterator[dict[str, Any]]:
    """The endpoints for peers, with the addresses that the cluster has assigned."""
    for name, endpoint in filled(view.unit.descriptor["endpoints"], view.readings).items():
        ports = ", ".join(f"{purpose} {port}" for purpose, port in sorted(endpoint["ports"].items()))
        host = "none yet" if live_values(endpoint["host"]) else endpoint["host"]
        yield {"endpoint": name, "host": host, "ports": ports, "tls": "TLS" if endpoint["tls"] else "no TLS"}


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
