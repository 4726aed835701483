"""The NetworkPolicy objects of a party or an exchange, from the same next hops as its routes.

One object for all pods of the unit (each other, DNS, allowances) and one for each module that talks to peers: its published
ports, and the peers it dials. So a new peer changes those of the modules that dial it, and no object comes or goes. In a
namespace that the stack makes, one more cuts off whatever no policy names.
"""

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from federation.access.console_rows import CONSOLES, DEFAULT_CONSOLES
from federation.access.consoles import shown
from federation.access.engine_policy import EgressTarget, Ports, driver_ports, egress_targets
from federation.base import naming
from federation.base.hosts import namespace_of, nobodys
from federation.base.naming import selector
from federation.base.scalars import MANY_PEERS, is_ip
from federation.catalogue.ports import ports_of
from federation.config.modules import ModuleSpec
from federation.config.network import DnsSpec, Elsewhere, NetworkPolicySpec
from federation.config.party import module_specs
from federation.config.stack import ClusterSpec
from federation.config.units import AnyUnit, PartyUnit, TrainingUnit, units
from federation.links.external_engines import external_engines
from federation.links.next_hops import Address, NextHop, Pods, by_name_only, remote
from federation.links.partners import dials
from federation.manifests.objects import Manifest
from federation.peers.accepted import Peers

Rule = dict[str, Any]
# Where distributions run their DNS.
_DNS_NAMESPACES = ("kube-system", "openshift-dns")
# The pods of cert-manager's HTTP01 solver, and their port (pkg/issuer/acme/http of cert-manager 1.14).
ACME_SOLVER, ACME_PORT = {"acme.cert-manager.io/http01-solver": "true"}, 8089


@dataclass(frozen=True)
class IngressRule:
    """Ports of a module that are open in addition to the links: a console, or a Service outside the cluster. No sources: anyone."""

    name: str
    module: str
    ports: Ports
    sources: list[Rule]


def network_policies(
    unit: TrainingUnit, hops: Iterable[NextHop], ingress_rules: Iterable[IngressRule] = (), behind: Iterable[NextHop] | None = None
) -> tuple[Manifest, ...]:
    """Every policy of a unit that dials these next hops; none when they are switched off. `behind`: what its lbrollsite dials."""
    if not unit.stack.network_policy.enabled:
        return ()
    dialled, external = _dialled(unit, hops), external_engines(unit.spec)
    made = [*unit_policies(unit, egress_targets(unit))]
    for service in unit.published:
        if service.endpoint in external:
            continue
        ports = sorted(unit.release.ports[port.own] for port in service.ports)
        egress = sorted(dialled.get(service.module, {}).values(), key=repr)
        rules = [connect("from", published_sources(unit), ports)]
        made.append(policy(unit, f"peers-{service.module}", selector(service.module, unit.key), ingress=rules, egress=egress))
    if behind is not None:
        egress = sorted(_dialled(unit, behind).get(naming.ROLLSITE, {}).values(), key=repr)
        pods = selector(naming.LBROLLSITE, unit.key)
        made.append(policy(unit, f"peers-{naming.LBROLLSITE}", pods, ingress=own_pods(unit, "from"), egress=egress))
    return (*made, *ingress_policies(unit, ingress_rules))


def ingress_policies(unit: AnyUnit, ingress_rules: Iterable[IngressRule]) -> Iterator[Manifest]:
    """A policy for each rule."""
    for ingress_rule in ingress_rules:
        rules = [connect("from", ingress_rule.sources, ingress_rule.ports)]
        yield policy(unit, ingress_rule.name, selector(naming.kebab_case(ingress_rule.module), unit.key), ingress=rules)


def party_ingress(unit: PartyUnit, deployed: frozenset[str]) -> Iterator[IngressRule]:
    """The consoles of a party that are shown, and its modules with a Service of type NodePort or LoadBalancer."""
    ports = unit.release.ports
    for name, console in CONSOLES.items():
        sources = console_sources(unit, shown(unit, deployed), name)
        if console.module in deployed and sources is not None:
            yield IngressRule(f"board-{name}", console.module, (ports[console.port],), sources)
    yield from service_ingress({name: module for name, module in module_specs(unit.spec).items() if name in deployed}, ports)
    if driver := driver_ports(unit.spec):
        yield IngressRule("engine-spark", naming.FATEFLOW, driver, [])


def service_ingress(modules: Mapping[str, ModuleSpec | None], ports: Mapping[str, int]) -> Iterator[IngressRule]:
    """Every port of the modules whose Service the operator opens to the outside of the cluster."""
    for module, spec in modules.items():
        if spec is not None and spec.service is not None and spec.service.type != "ClusterIP":
            yield IngressRule(f"service-{naming.kebab_case(module)}", module, tuple(sorted({*ports_of([module], ports).values()})), [])


def console_sources(unit: AnyUnit, consoles: Collection[str], name: str) -> list[Rule] | None:
    """The pods that may open a console: those that the stack names, else any, as the controller's namespace is unknown. None: no pod."""
    who = unit.stack.network_policy.boards
    if name in consoles if unit.stack.boards is not None else name in DEFAULT_CONSOLES and who is not None:
        return [{"namespaceSelector": {}}] if who is None else elsewhere(who)
    return None


def own_pods(unit: AnyUnit, side: str) -> list[Rule]:
    """From or to every pod of a unit."""
    return [{side: [{"podSelector": {"matchLabels": {naming.INSTANCE: unit.key}}}]}]


def policy(unit: AnyUnit, name: str, pods: Mapping[str, str], *, ingress: list[Rule], egress: list[Rule] | None = None) -> Manifest:
    """The policy `fate-<name>` for pods with these labels (none: for every pod); without `egress` it says nothing of that direction."""
    sides = {"ingress": ingress} | ({} if egress is None else {"egress": _by_ports(egress) if len(egress) > MANY_PEERS else egress})
    body = {"podSelector": {"matchLabels": dict(pods)} if pods else {}, "policyTypes": [side.title() for side in sides], **sides}
    return Manifest(
        f"policy-{name}", "networking.k8s.io/v1", "NetworkPolicy", f"fate-{name}", unit.namespace, unit.labels, {}, {"spec": body}
    )


def _by_ports(rules: Iterable[Rule]) -> list[Rule]:
    """The same rules, those to addresses at the same ports as one. A rule that is open beyond its addresses stays apart."""
    apart, by_ports = [], dict[str, Rule]()
    for rule in rules:
        if "ports" in rule and "to" in rule and all(peer.keys() == {"ipBlock"} and "except" not in peer["ipBlock"] for peer in rule["to"]):
            by_ports.setdefault(repr(rule["ports"]), {"to": [], "ports": rule["ports"]})["to"].extend(rule["to"])
        else:
            apart.append(rule)
    return [*apart, *by_ports.values()]


def unit_policies(unit: AnyUnit, engines: Iterable[EgressTarget] = ()) -> Iterator[Manifest]:
    """The policy for all pods of a unit: each other, DNS, external engines, and what the operator allows. Pods of others get nothing."""
    settings = unit.stack.network_policy
    ingress = [*own_pods(unit, "from"), *_more(settings, "ingress")]
    egress = [*own_pods(unit, "to"), _name_resolution(settings.dns), *_more(settings, "egress"), *map(outside, engines)]
    yield policy(unit, "inside", {naming.INSTANCE: unit.key}, ingress=ingress, egress=egress)
    if not is_closed(unit):
        return
    yield policy(unit, naming.DEFAULT_DENY, {}, ingress=[], egress=[])
    if unit.stack.boards is not None:
        # cert-manager answers an ACME server from a pod in the namespace of the certificate, behind the controller of the consoles.
        sources = [{"namespaceSelector": {}}] if settings.boards is None else elsewhere(settings.boards)
        yield policy(unit, "acme-solver", ACME_SOLVER, ingress=[connect("from", sources, (ACME_PORT,))], egress=[])


def is_closed(unit: AnyUnit) -> bool:
    """Whether pods that no policy selects are cut off. Not in a namespace that the stack did not make: others may use it."""
    default_deny = unit.stack.network_policy.default_deny
    return unit.stack.cluster.makes_namespaces if default_deny is None else default_deny


def doctor_policies(unit: TrainingUnit, peers: Peers) -> Iterator[Manifest]:
    """Lets the pod of `fatefed doctor PEER --in-cluster` connect to every peer that this stack dials; it runs in one unit for all units."""
    if not unit.stack.network_policy.enabled:
        return
    own = tuple(units(unit.stack))
    asked = (remote(peer) for peer in peers.accepted if peer.routed and dials(own, peer))
    rules = {repr(rule): rule for hop in asked for address in hop.endpoints.values() for rule in [towards(unit.stack.cluster, address)]}
    egress = [_name_resolution(unit.stack.network_policy.dns), *(rule for _, rule in sorted(rules.items()))]
    yield policy(unit, "doctor", {naming.MODULE: naming.DOCTOR}, ingress=[], egress=egress)


def _name_resolution(dns: DnsSpec) -> Rule:
    servers = [{"namespaceSelector": namespace_labels(name)} for name in (_DNS_NAMESPACES if dns.namespace is None else (dns.namespace,))]
    ports = [{"protocol": protocol, "port": port} for port in dns.ports for protocol in ("UDP", "TCP")]
    return {"to": [*servers, *ranges_of(dns.ranges)], "ports": ports}


def outside(target: EgressTarget) -> Rule:
    """The rule for an engine or server outside the stack. A policy cannot hold a name: for a name its ports are open to every address."""
    return connect("to", [] if target.address is None else ranges_of([single(target.address)]), target.ports)


def _more(settings: NetworkPolicySpec, side: str) -> Iterator[Rule]:
    allowances = settings.ingress if side == "ingress" else settings.egress
    for _, allowance in sorted(allowances.items()):
        yield connect("from" if side == "ingress" else "to", elsewhere(allowance), allowance.ports)


def published_sources(unit: AnyUnit) -> list[Rule]:
    """Who may connect to published ports; empty: anyone. Units of this stack come from their own namespaces."""
    ranges = unit.stack.network_policy.published_from
    namespaces = sorted({other.namespace for other in units(unit.stack)})
    return [] if not ranges else [*ranges_of(ranges), *({"namespaceSelector": namespace_labels(name)} for name in namespaces)]


def _dialled(unit: TrainingUnit, hops: Iterable[NextHop]) -> dict[str, dict[str, Rule]]:
    """For each module the rules of what it dials, each once: in a star many parties are reached through one exchange."""
    rules: dict[str, dict[str, Rule]] = {}
    for hop in hops:
        for endpoint, address in hop.endpoints.items() if hop.routed else ():
            rule = towards(unit.stack.cluster, address)
            rules.setdefault(unit.links.dialler(unit.kind, endpoint), {})[repr(rule)] = rule
    return rules


def towards(cluster: ClusterSpec, address: Address) -> Rule:
    """An endpoint of a unit or a peer. A policy holds no names: the port of one without addresses is open outside of this cluster."""
    if address.pods is not None:
        return to_pods(address.pods)
    policy_peers = beyond_the_cluster(cluster, address.host) if by_name_only(address) else ranges_of(map(single, ip_addresses(address)))
    return connect("to", policy_peers, sorted(address.ports.values()))


def to_pods(pods: Pods) -> Rule:
    """The pods of a module of this stack, at their ports."""
    return connect("to", [policy_peer(pods)], sorted(pods.ports))


def policy_peer(pods: Pods) -> Rule:
    """The pods of a module, as a NetworkPolicyPeer."""
    return {"namespaceSelector": namespace_labels(pods.namespace), "podSelector": {"matchLabels": selector(pods.module, pods.instance)}}


def beyond_the_cluster(cluster: ClusterSpec, host: str) -> list[Rule]:
    """Each address that a peer's name may resolve to: none of `cluster.ranges` or reserved ranges; the namespace of a typed Service."""
    typed = namespace_of(host) if "svc" in host.split(".") else None
    policy_peers = [{"ipBlock": {"cidr": cidr, "except": _closed(cluster, cidr)}} for cidr in ("0.0.0.0/0", "::/0")]
    return [*policy_peers, *([] if typed is None else [{"namespaceSelector": namespace_labels(typed)}])]


def _closed(cluster: ClusterSpec, cidr: str) -> list[str]:
    version = ipaddress.ip_network(cidr).version
    return sorted({*nobodys(version), *(network for network in cluster.ranges if ipaddress.ip_network(network).version == version)})


def ip_addresses(address: Address) -> tuple[str, ...]:
    """The IP addresses of an endpoint; none when only its name is known."""
    return tuple(sorted({*address.addresses, *([address.host] if is_ip(address.host) else [])}))


def connect(side: str, policy_peers: list[Rule], ports: Iterable[int | range]) -> Rule:
    """A rule for these NetworkPolicyPeers; without any it holds for everyone."""
    where = {side: policy_peers} if policy_peers else {}
    return {**where, "ports": [{"protocol": "TCP", **_port(port)} for port in ports]}


def _port(port: int | range) -> Rule:
    return {"port": port} if isinstance(port, int) else {"port": port[0], "endPort": port[-1]}


def single(ip: str) -> str:
    """One address as a range."""
    return f"{ip}/{128 if ':' in ip else 32}"


def elsewhere(who: Elsewhere) -> list[Rule]:
    """Pods and addresses that the operator names."""
    return [*({"namespaceSelector": namespace_labels(name)} for name in sorted(set(who.namespaces))), *ranges_of(who.ranges)]


def ranges_of(ranges: Iterable[str]) -> list[Rule]:
    """Address ranges, as NetworkPolicyPeers."""
    return [{"ipBlock": {"cidr": cidr}} for cidr in sorted(set(ranges))]


def namespace_labels(name: str) -> Rule:
    """The selector of one namespace."""
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}
