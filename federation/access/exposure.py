"""Who may connect to a unit, and where its pods may connect to, as far as the operator decides it: recorded, and compared.

Connections to peers are not part of this record, because they change with the links. The exception is a peer that is known by host name
only: a network policy cannot hold a name, so the peer's port opens to every address, and the peer chooses that port.
"""

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from federation.base import naming
from federation.base.scalars import ANYONE
from federation.manifests.objects import Manifest

ANY_POD = "any pod of the cluster"
_NAMESPACE = "namespace "
# What a unit's pods are to each other; an earlier version let in the whole namespace.
OWN_PODS, OWN_NAMESPACE = "pods of its own unit", "pods of its own namespace"
# Policies of pods that live for a minute: they follow who may open consoles and whom the modules dial, which is said of these.
_FOLLOWING = ("policy-acme-solver", "policy-doctor")
# How far a Service of a type is reached from.
_REACH = {"ClusterIP": 0, "NodePort": 1, "LoadBalancer": 2}
# What the program itself writes into a Service.
_OWN_ANNOTATIONS = "pulumi.com/"

Recorded = Mapping[str, Any]
# One of the two effects of a policy (`federation.changes.effects`), and what happens.
Change = tuple[str, str]
_CLOSING: Mapping[tuple[bool, bool], tuple[Change, ...]] = {
    (False, True): (("cut", "pods of the namespace that no network policy selects lose all connections, in and out"),),
    (True, False): (
        ("open", "pods of the namespace that no network policy selects can connect to anything, and anything can connect to them"),
    ),
}


def recorded_exposure(policies: Iterable[Manifest], services: Iterable[Manifest], modules: Mapping[str, Any]) -> dict[str, Any]:
    """What the state records: who may connect to which ports, and the Services. `modules`: their chart values."""
    made = tuple(policies)
    closed = any(policy.role == f"policy-{naming.DEFAULT_DENY}" for policy in made)
    return {"policies": bool(made), "closed": closed, "allowed": _allowed(made), "services": dict(sorted(_services(services, modules)))}


def exposure_changes(old: Recorded, new: Recorded) -> Iterator[Change]:
    """The connections that become narrower or wider. A value that was not recorded counts as unchanged."""
    before, after = old.get("policies", new["policies"]), new["policies"]
    if before and not after:
        yield "open", "network policies are removed: anything that reaches a pod reaches all of its ports, and pods can reach everything"
    elif after and not before:
        yield "cut", "network policies are added: they block all traffic that no link and no allowance needs"
    else:
        # Versions that did not record this closed no namespace.
        yield from _CLOSING.get((old.get("closed", False if old else new["closed"]), new["closed"]), ())
        yield from _changed(old.get("allowed", new["allowed"]), new["allowed"])
    services = old.get("services", new["services"])
    for name in sorted(services.keys() & new["services"].keys()):
        yield from _service_changes(name, services[name], new["services"][name])
    for name in sorted(new["services"].keys() - services.keys()):
        made = new["services"][name]
        if _REACH[made["type"]]:
            yield "open", f"Service {name} is new, a {made['type']}: it can be reached from outside the cluster{_by_whom(made)}"


def connection_changes(old: Iterable[Manifest], new: Iterable[Manifest]) -> Iterator[Change]:
    """The changed permissions of a unit's policies, its own targets included."""
    yield from _changed(_allowed(old, dialled=True), _allowed(new, dialled=True))


def _allowed(policies: Iterable[Manifest], *, dialled: bool = False) -> dict[str, dict[str, list[str]]]:
    """The far ends that may connect at each port, {sentence: {port: far ends}}. `dialled`: also the unit's own targets among its peers."""
    by_sentence: dict[str, dict[str, set[str]]] = {}
    for policy in policies:
        if policy.role in _FOLLOWING:
            continue
        spec = policy.fields["spec"]
        pods = spec["podSelector"].get("matchLabels", {}).get(naming.MODULE, "every pod")
        of_peers = policy.role.startswith("policy-peers-")
        for side in ("ingress", "egress"):
            what = f"connect to {pods}" if side == "ingress" else f"be reached by {pods}"
            for rule in spec.get(side, ()):
                if side == "egress" and of_peers and not dialled and not _is_open(rule):
                    continue
                for port in _ports(rule):
                    by_sentence.setdefault(what, {}).setdefault(port, set()).update(_far_ends(rule, "from" if side == "ingress" else "to"))
    return {what: {port: sorted(far_ends) for port, far_ends in sorted(ports.items())} for what, ports in sorted(by_sentence.items())}


def _is_open(rule: Mapping[str, Any]) -> bool:
    """Whether a rule of egress leads anywhere: to a peer that is known by name only."""
    return any("except" in policy_peer.get("ipBlock", {}) for policy_peer in rule.get("to", ()))


def _ports(rule: Mapping[str, Any]) -> list[str]:
    """The ports of a rule; UDP and TCP of one number are one."""
    if "ports" not in rule:
        return ["any port"]
    return sorted({f"{port['port']}-{port['endPort']}" if "endPort" in port else str(port["port"]) for port in rule["ports"]})


def _far_ends(rule: Mapping[str, Any], side: str) -> Iterator[str]:
    for policy_peer in rule.get(side, ()):
        yield _far_end(policy_peer)
    if side not in rule:
        yield ANYONE


def _far_end(policy_peer: Mapping[str, Any]) -> str:
    if "except" in policy_peer.get("ipBlock", {}):
        return ANYONE
    if "ipBlock" in policy_peer:
        return str(policy_peer["ipBlock"]["cidr"])
    if "namespaceSelector" not in policy_peer:
        return OWN_PODS
    labels = policy_peer["namespaceSelector"].get("matchLabels", {})
    if not labels:
        return ANY_POD
    pods = policy_peer.get("podSelector", {}).get("matchLabels", {}).get(naming.MODULE)
    return f"{_NAMESPACE}{', '.join(labels.values())}" + (f" ({pods})" if pods else "")


def _changed(old: Mapping[str, Mapping[str, Sequence[str]]], new: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[Change]:
    """One sentence for all ports of a module that change alike."""
    for what in sorted({*old, *new}):
        before, after = old.get(what, {}), new.get(what, {})
        alike: dict[Change, list[str]] = {}
        for port in sorted({*before, *after}, key=_by_number):
            for effect, who in _between(before.get(port, ()), after.get(port, ())):
                alike.setdefault((effect, who), []).append(port)
        for (effect, who), ports in alike.items():
            yield effect, f"{who} may {'no longer ' if effect == 'cut' else ''}{what} at {', '.join(ports)}"


def _between(before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    """The callers that can no longer connect, and the new callers."""
    if kept_out := list(_without(before, after)):
        yield "cut", ", ".join(kept_out)
    if let_in := list(_without(after, before)):
        yield "open", ", ".join(let_in)


def _without(far_ends: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """The far ends that no other covers, nor all others together; of one that others cover in part, which parts those are."""
    together = [*others, *_joined(others)]
    for far_end in far_ends:
        if not any(_covers(other, far_end) for other in together):
            inside = [other for other in others if _covers(far_end, other)]
            yield f"{far_end} but {' and '.join(inside)}" if inside else far_end


def _joined(far_ends: Sequence[str]) -> Iterator[str]:
    """Adjacent address ranges, joined to one range."""
    networks = [ipaddress.ip_network(far_end) for far_end in far_ends if "/" in far_end and " " not in far_end]
    for version in (4, 6):
        yield from map(str, ipaddress.collapse_addresses(network for network in networks if network.version == version))  # type: ignore[type-var]  # of one version


def _covers(wide: str, narrow: str) -> bool:
    """Whether one far end is all inside another."""
    if wide in (narrow, ANYONE) or (wide, narrow) == (OWN_NAMESPACE, OWN_PODS):
        return True
    if narrow.startswith(_NAMESPACE):
        return wide == ANY_POD or (wide.startswith(_NAMESPACE) and narrow.startswith(f"{wide} ("))
    try:
        inner, outer = ipaddress.ip_network(narrow), ipaddress.ip_network(wide)
    except ValueError:
        return False
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # of one version


def _services(manifests: Iterable[Manifest], modules: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Typed Services by name, and what the operator says of the chart's, by module."""
    for manifest in manifests:
        spec = manifest.fields["spec"]
        notes = {key: value for key, value in manifest.annotations.items() if not key.startswith(_OWN_ANNOTATIONS)}
        yield manifest.name, _service(spec["type"], spec.get("loadBalancerSourceRanges"), [notes, spec.get("loadBalancerIP")])
    for name, module in modules.items():
        service = module.get("service") or {}
        settings = [service.get(key) for key in ("annotations", "loadBalancerIP", "nodePorts")]
        yield f"of {name}", _service(service.get("type", "ClusterIP"), service.get("sourceRanges"), settings)


def _service(service_type: str, ranges: Sequence[str] | None, settings: Any) -> dict[str, Any]:
    sources = {"from": sorted(ranges or [ANYONE])} if service_type == "LoadBalancer" else {}
    return {"type": service_type, **sources, "settings": json.dumps(settings, sort_keys=True)}


def _service_changes(name: str, old: Recorded, new: Recorded) -> Iterator[Change]:
    before, after = old["type"], new["type"]
    if before != after:
        change = f"Service {name}: {before} -> {after}"
        if _REACH[before]:
            yield "cut", f"{change}: clients outside the cluster can no longer connect the old way"
        if _REACH[after] > _REACH[before]:
            yield "open", f"{change}: it can be reached from outside the cluster" + _by_whom(new)
        return
    if old["settings"] != new["settings"]:
        yield "cut", f"Service {name}: its address, node port or annotations change: it may get another load balancer, with other clients"
    for effect, who in _between(old.get("from", ()), new.get("from", ())):
        yield effect, f"{who} may {'no longer ' if effect == 'cut' else ''}connect to the load balancer of Service {name}"


def _by_whom(service: Recorded) -> str:
    sources = service.get("from", [ANYONE])
    return "" if service["type"] != "LoadBalancer" else f", at its load balancer by {', '.join(sources)}"


def _by_number(port: str) -> tuple[int, str]:
    number = port.partition("-")[0]
    return (int(number), port) if number.isdigit() else (0, port)
