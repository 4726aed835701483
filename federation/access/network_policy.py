"""The NetworkPolicy objects of a party or an exchange, from the same neighbours as its routes.

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
from federation.access.engine_policy import Ports, Way, driver_ports, ways_out
from federation.base import naming
from federation.base.hosts import namespace_of, nobodys
from federation.base.naming import selector
from federation.base.scalars import is_ip
from federation.catalogue.endpoints import PublishedService
from federation.catalogue.kinds import Kind
from federation.config.exchange import ExchangeSpec
from federation.config.network import Elsewhere
from federation.config.party import PartySpec, module_specs
from federation.config.stack import StackSpec
from federation.links.external_engines import external_engines
from federation.links.next_hops import Address, Neighbour, Pods, by_name_only, remote
from federation.links.partners import dials
from federation.manifests.objects import Manifest
from federation.peers.accepted import Peers

Rule = dict[str, Any]
# Where distributions run their DNS.
_DNS_NAMESPACES = ("kube-system", "openshift-dns")
# The pods of cert-manager's HTTP01 solver, and their port (pkg/issuer/acme/http of cert-manager 1.14).
ACME_SOLVER, ACME_PORT = {"acme.cert-manager.io/http01-solver": "true"}, 8089


@dataclass(frozen=True)
class Door:
    """Ports of a module that are open beyond the links: a console, or a Service that the operator shows. No sources: anyone."""

    name: str
    module: str
    ports: Ports
    sources: list[Rule]


def network_policies(
    spec: StackSpec,
    own: PartySpec | ExchangeSpec,
    key: str,
    labels: Mapping[str, str],
    hops: Iterable[Neighbour],
    doors: Iterable[Door] = (),
    behind: Iterable[Neighbour] = (),
) -> tuple[Manifest, ...]:
    """Every policy of a unit that dials these neighbours, and others from behind lbrollsite; none when they are switched off."""
    if not spec.network_policy.enabled:
        return ()
    kind: Kind = "party" if isinstance(own, PartySpec) else "exchange"
    place, dialled = Place(own.namespace, key, labels), _dialled(spec, kind, hops)
    external = external_engines(own) if isinstance(own, PartySpec) else {}
    made = [*unit_policies(spec, place, own)]
    for service in spec.federation.links.of(kind, own.federation):
        if service.endpoint in external:
            continue
        rules = [connect("from", published_sources(spec), _container_ports(spec, service, own))]
        egress = sorted(dialled.get(service.module, {}).values(), key=repr)
        made.append(place.policy(f"peers-{service.module}", selector(service.module, key), ingress=rules, egress=egress))
    if isinstance(own, PartySpec) and own.modules.lbrollsite is not None:
        egress = sorted(_dialled(spec, kind, behind).get(naming.ROLLSITE, {}).values(), key=repr)
        made.append(
            place.policy(f"peers-{naming.LBROLLSITE}", selector(naming.LBROLLSITE, key), ingress=place.own_pods("from"), egress=egress)
        )
    for door in doors:
        rules = [connect("from", door.sources, door.ports)]
        made.append(place.policy(door.name, selector(naming.kebab_case(door.module), key), ingress=rules))
    return tuple(made)


def party_doors(spec: StackSpec, own: PartySpec, deployed: frozenset[str]) -> Iterator[Door]:
    """The consoles of a party that are shown, and its modules with a Service of type NodePort or LoadBalancer."""
    ports = spec.catalogue[own.release].ports
    for name, console in CONSOLES.items():
        sources = board_sources(spec, shown(spec, own, deployed), name)
        if console.module in deployed and sources is not None:
            yield Door(f"board-{name}", console.module, (ports[console.port],), sources)
    for module, given in module_specs(own).items():
        if module in deployed and given is not None and given.service is not None and given.service.type != "ClusterIP":
            yield Door(f"service-{naming.kebab_case(module)}", module, module_ports(module, ports), [])

    if driver := driver_ports(own):
        yield Door("engine-spark", naming.FATEFLOW, driver, [])


def board_sources(spec: StackSpec, consoles: Collection[str], name: str) -> list[Rule] | None:
    """Who may open a console: those that the stack names, else any pod, because the controller's namespace is not known. None: nobody."""
    who = spec.network_policy.boards
    if name in consoles if spec.boards is not None else name in DEFAULT_CONSOLES and who is not None:
        return [{"namespaceSelector": {}}] if who is None else elsewhere(who)
    return None


def module_ports(module: str, ports: Mapping[str, int]) -> tuple[int, ...]:
    """The ports of a module of the catalogue, whose names begin with the module's (the notebook is client's)."""
    prefix = {"client": "notebook"}.get(module, module)
    return tuple(sorted({port for name, port in ports.items() if name.startswith(prefix)}))


@dataclass(frozen=True)
class Place:
    """Where policies are made."""

    namespace: str
    key: str
    labels: Mapping[str, str]

    def own_pods(self, side: str) -> list[Rule]:
        """From or to every pod of the unit."""
        return [{side: [{"podSelector": {"matchLabels": {naming.INSTANCE: self.key}}}]}]

    def policy(self, name: str, pods: Mapping[str, str], *, ingress: list[Rule], egress: list[Rule] | None = None) -> Manifest:
        """The policy `fate-<name>` for pods with these labels (none: for every pod); without `egress` it says nothing of that direction."""
        sides = {"ingress": ingress} | ({} if egress is None else {"egress": egress})
        body = {"podSelector": {"matchLabels": dict(pods)} if pods else {}, "policyTypes": [side.title() for side in sides], **sides}
        return Manifest(
            f"policy-{name}", "networking.k8s.io/v1", "NetworkPolicy", f"fate-{name}", self.namespace, self.labels, {}, {"spec": body}
        )


def unit_policies(spec: StackSpec, place: Place, own: PartySpec | ExchangeSpec | None = None) -> Iterator[Manifest]:
    """Of all pods of a unit: each other, name resolution, external engines, and what the operator allows; and of all others: nothing."""
    ingress = [*place.own_pods("from"), *_more(spec, "ingress")]
    egress = [*place.own_pods("to"), _name_resolution(spec), *_more(spec, "egress"), *_engines(spec, own)]
    yield place.policy("inside", {naming.INSTANCE: place.key}, ingress=ingress, egress=egress)
    if not is_closed(spec):
        return
    yield place.policy(naming.DEFAULT_DENY, {}, ingress=[], egress=[])
    if spec.boards is not None:
        # cert-manager answers an ACME server from a pod in the namespace of the certificate, behind the controller of the consoles.
        who = spec.network_policy.boards
        sources = [{"namespaceSelector": {}}] if who is None else elsewhere(who)
        yield place.policy("acme-solver", ACME_SOLVER, ingress=[connect("from", sources, (ACME_PORT,))], egress=[])


def is_closed(spec: StackSpec) -> bool:
    """Whether a pod that no policy names is cut off: others may live in a namespace that the stack did not make."""
    said = spec.network_policy.default_deny
    return spec.cluster.makes_namespaces if said is None else said


def doctor_policies(
    spec: StackSpec, own: PartySpec | ExchangeSpec, key: str, labels: Mapping[str, str], peers: Peers
) -> Iterator[Manifest]:
    """What lets the pod of `fatefed doctor PEER --in-cluster` ask every peer that this stack dials; it runs beside one of them for all."""
    if not spec.network_policy.enabled:
        return
    asked = (remote(peer) for peer in peers.accepted if peer.routed and dials(spec, peer))
    rules = {repr(rule): rule for hop in asked for address in hop.endpoints.values() for rule in [towards(spec, address)]}
    egress = [_name_resolution(spec), *(rule for _, rule in sorted(rules.items()))]
    yield Place(own.namespace, key, labels).policy("doctor", {naming.MODULE: naming.DOCTOR}, ingress=[], egress=egress)


def _name_resolution(spec: StackSpec) -> Rule:
    dns = spec.network_policy.dns
    servers = [{"namespaceSelector": namespace_labels(name)} for name in (_DNS_NAMESPACES if dns.namespace is None else (dns.namespace,))]
    ports = [{"protocol": protocol, "port": port} for port in dns.ports for protocol in ("UDP", "TCP")]
    return {"to": [*servers, *ranges_of(dns.ranges)], "ports": ports}


def _engines(spec: StackSpec, own: PartySpec | ExchangeSpec | None) -> Iterator[Rule]:
    """The external engines of a party: by address, or their ports anywhere."""
    yield from map(outside, ways_out(spec, own) if isinstance(own, PartySpec) else ())


def outside(way: Way) -> Rule:
    """To an engine or server outside of the stack: by address; a policy holds no names, so the ports of one are open anywhere."""
    return connect("to", [] if way.address is None else ranges_of([single(way.address)]), way.ports)


def _more(spec: StackSpec, side: str) -> Iterator[Rule]:
    given = spec.network_policy.ingress if side == "ingress" else spec.network_policy.egress
    for _, allowance in sorted(given.items()):
        yield connect("from" if side == "ingress" else "to", elsewhere(allowance), allowance.ports)


def published_sources(spec: StackSpec) -> list[Rule]:
    """Who may connect to published ports; empty: anyone. Units of this stack come from their own namespaces."""
    ranges = spec.network_policy.published_from
    units = sorted(
        {
            *(own.namespace for units in (spec.parties, spec.serving, spec.site_portal) for own in units.values()),
            *(hub.namespace for hub in (spec.exchange, spec.serving_exchange, spec.fml_manager) if hub is not None),
        }
    )
    return [] if not ranges else [*ranges_of(ranges), *({"namespaceSelector": namespace_labels(name)} for name in units)]


def _dialled(spec: StackSpec, kind: Kind, hops: Iterable[Neighbour]) -> dict[str, dict[str, Rule]]:
    """For each module the rules of what it dials, each once: in a star many parties are reached through one exchange."""
    found: dict[str, dict[str, Rule]] = {}
    for hop in hops:
        for endpoint, address in hop.endpoints.items() if hop.routed else ():
            rule = towards(spec, address)
            found.setdefault(spec.federation.links.dialler(kind, endpoint), {})[repr(rule)] = rule
    return found


def towards(spec: StackSpec, address: Address) -> Rule:
    """An endpoint of a unit or a peer. A policy holds no names: the port of one without addresses is open outside of this cluster."""
    if address.pods is not None:
        return to_pods(address.pods)
    places = beyond_the_cluster(spec, address.host) if by_name_only(address) else ranges_of(map(single, ip_addresses(address)))
    return connect("to", places, sorted(address.ports.values()))


def to_pods(pods: Pods) -> Rule:
    """The pods of a module of this stack, at their ports."""
    return connect("to", [place_of(pods)], sorted(pods.ports))


def place_of(pods: Pods) -> Rule:
    """Where the pods of a module are."""
    return {"namespaceSelector": namespace_labels(pods.namespace), "podSelector": {"matchLabels": selector(pods.module, pods.instance)}}


def beyond_the_cluster(spec: StackSpec, host: str) -> list[Rule]:
    """Everywhere that a peer of this name may be: not in `cluster.ranges`, unless the operator typed a Service, nor where nobody is."""
    typed = namespace_of(host) if "svc" in host.split(".") else None
    places = [{"ipBlock": {"cidr": cidr, "except": _closed(spec, cidr)}} for cidr in ("0.0.0.0/0", "::/0")]
    return [*places, *([] if typed is None else [{"namespaceSelector": namespace_labels(typed)}])]


def _closed(spec: StackSpec, cidr: str) -> list[str]:
    version = ipaddress.ip_network(cidr).version
    return sorted({*nobodys(version), *(found for found in spec.cluster.ranges if ipaddress.ip_network(found).version == version)})


def ip_addresses(address: Address) -> tuple[str, ...]:
    """The IP addresses of an endpoint; none when only its name is known."""
    return tuple(sorted({*address.addresses, *([address.host] if is_ip(address.host) else [])}))


def connect(side: str, places: list[Rule], ports: Iterable[int | range]) -> Rule:
    """A rule; without places it holds for everyone."""
    where = {side: places} if places else {}
    return {**where, "ports": [{"protocol": "TCP", **_port(port)} for port in ports]}


def _port(port: int | range) -> Rule:
    return {"port": port} if isinstance(port, int) else {"port": port[0], "endPort": port[-1]}


def single(ip: str) -> str:
    """One address as a range."""
    return f"{ip}/{128 if ':' in ip else 32}"


def _container_ports(spec: StackSpec, service: PublishedService, own: PartySpec | ExchangeSpec) -> list[int]:
    release = spec.catalogue[own.release].ports
    return sorted(release[port.own] for port in service.ports)


def elsewhere(who: Elsewhere) -> list[Rule]:
    """Pods and addresses that the operator names."""
    return [*({"namespaceSelector": namespace_labels(name)} for name in sorted(set(who.namespaces))), *ranges_of(who.ranges)]


def ranges_of(ranges: Iterable[str]) -> list[Rule]:
    """Address ranges as places."""
    return [{"ipBlock": {"cidr": cidr}} for cidr in sorted(set(ranges))]


def namespace_labels(name: str) -> Rule:
    """The selector of one namespace."""
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}
