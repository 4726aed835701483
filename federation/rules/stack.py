"""Rules over the whole stack configuration: what no single field can know. Each returns its problems."""

from collections.abc import Iterator
from datetime import date, timedelta

from federation.base.errors import Paths, Place, Problem
from federation.config.publish import Publication, PublishNginx
from federation.config.stack import StackSpec
from federation.config.units import units
from federation.peers.accepted import Peers
from federation.rules.consoles import broken_board_rules
from federation.rules.peers import broken_peer_rules
from federation.rules.trust import broken_caller_rules, broken_trust_rules
from federation.rules.values import broken_plan_rules
from federation.units.hubs import hub_is_described, hub_is_of_its_kind
from federation.units.kinds.registry import kind_of
from federation.units.module_rules import module_path
from federation.units.party.engine_rules import broken_engine_rules
from federation.units.party.external_rules import broken_external_rules, driver_ports_fit
from federation.units.portal.rules import broken_portal_rules
from federation.units.serving.rules import broken_serving_rules

# An override is for one occasion: what holds longer is no guard any more.
_LONGEST_OVERRIDE = timedelta(days=30)


def broken_rules(spec: StackSpec, peers: Peers, place: Place, left_out: Paths = frozenset()) -> tuple[Problem, ...]:
    """Every problem of a stack that no field shows by itself. `left_out`: see `federation.stack.plan.check_stack`."""
    rules = (
        _releases_exist,
        _namespaces_are_used_once,
        _party_ids_are_unique,
        _topology_fits,
        _node_ports_fit,
    )
    found = tuple(problem for rule in rules for problem in rule(spec, peers, place))
    found += (*broken_engine_rules(spec, peers, place), *broken_board_rules(spec, place, left_out))
    found += tuple(broken_peer_rules(spec, peers, place))
    found += (*broken_external_rules(spec, peers, place), *broken_plan_rules(spec, place))
    found += tuple(broken_trust_rules(spec, place, left_out))
    found += tuple(broken_caller_rules(spec, peers, place))
    found += (*broken_serving_rules(spec, peers, place, left_out), *broken_portal_rules(spec, peers, place, left_out))
    return (*_something_is_deployed(spec, place, left_out), *found, *_exchanges_are_described(spec, place, left_out))


def far_overrides(spec: StackSpec, today: date, place: Place) -> Iterator[Problem]:
    """Permissions to destroy a hub that would be forgotten before they end."""
    last = (today + _LONGEST_OVERRIDE).isoformat()
    for key, hub in (("exchange", spec.exchange), ("servingExchange", spec.serving_exchange)):
        until = None if hub is None else hub.allow_destroy_until
        if until is not None and until > last:
            problem = f"{until} is more than {_LONGEST_OVERRIDE.days} days ahead: nothing would protect the exchange until then"
            yield Problem(place((key, "allowDestroyUntil")), problem, f"name the day by which it will be gone, {last} at the latest")


def _something_is_deployed(spec: StackSpec, place: Place, left_out: Paths) -> Iterator[Problem]:
    units = spec.parties or spec.exchange or spec.serving or spec.serving_exchange or spec.site_portal
    if not units and not {"parties", "exchange", "serving", "servingExchange", "sitePortal"} & {path[0] for path in left_out}:
        yield Problem(
            place(("parties",)), "this stack deploys nothing", "describe a party under fate:parties, or an exchange under fate:exchange"
        )


def _releases_exist(spec: StackSpec, peers: Peers, place: Place) -> Iterator[Problem]:
    for unit in units(spec):
        own = unit.spec
        known = kind_of(unit).releases(spec)
        if own.release not in known:
            yield Problem(place((*unit.path, "release")), f"unknown release {own.release}", f"choose one of {', '.join(known)}")


def _namespaces_are_used_once(spec: StackSpec, peers: Peers, place: Place) -> Iterator[Problem]:
    used: dict[str, str] = {}
    for unit in units(spec):
        own = unit.spec
        if own.namespace in used:
            yield Problem(
                place((*unit.path, "namespace")),
                f"namespace {own.namespace} is already used by {used[own.namespace]}",
                "give each party, each FATE-Serving, each portal and each exchange a namespace of its own",
            )
        used.setdefault(own.namespace, f"fate:{'.'.join(unit.path)}")


def _party_ids_are_unique(spec: StackSpec, peers: Peers, place: Place) -> Iterator[Problem]:
    owners = dict.fromkeys(spec.parties, "this stack")
    for peer in peers.parties():
        party = peer.party_id or ""
        if party in owners:
            yield Problem(
                place(("peers", peer.name)),
                f"party id {party} of peer {peer.name} already belongs to {owners[party]}",
                "party ids are unique in a federation: agree on another one",
            )
        owners.setdefault(party, f"peer {peer.name}")


def _topology_fits(spec: StackSpec, peers: Peers, place: Place) -> Iterator[Problem]:
    mesh = spec.federation.topology == "mesh"
    if mesh and spec.exchange is not None:
        yield Problem(place(("exchange",)), "a mesh has no exchange", "drop fate:exchange, or set federation.topology to star")
    for party, own in spec.parties_in_order:
        where = place(("parties", party, "exchange"))
        if mesh and own.exchange is not None:
            yield Problem(where, "a mesh has no exchange", "drop this line, or set federation.topology to star")
        elif not mesh and own.exchange is None:
            yield Problem(
                where, "a party of a star needs its exchange", "name the peer that is the exchange, or `local` when this stack holds it"
            )
        for name, key in own.exchanges.items() if not mesh else ():
            yield from hub_is_of_its_kind(peers, "exchange", name, place(("parties", party, *key)))


def _exchanges_are_described(spec: StackSpec, place: Place, left_out: Paths) -> Iterator[Problem]:
    for party, own in spec.parties_in_order:
        for name, key in own.exchanges.items() if spec.federation.topology == "star" else ():
            yield from hub_is_described(spec, "exchange", name, place(("parties", party, *key)), left_out)


def _node_ports_fit(spec: StackSpec, peers: Peers, place: Place) -> Iterator[Problem]:
    used: dict[int, str] = {}
    for owner, key, port in (*_published_node_ports(spec), *_service_node_ports(spec)):
        where = place((*owner, *key))
        if port is None:
            yield Problem(where, "a NodePort that peers are told must be fixed", f"choose a port of {spec.cluster.node_port_range}")
        elif port not in spec.cluster.node_ports:
            yield Problem(
                where,
                f"{port} is outside the node port range {spec.cluster.node_port_range}",
                "choose a port inside it, or correct cluster.nodePortRange",
            )
        elif port in used:
            yield Problem(
                where, f"node port {port} is already used by {used[port]}", "node ports are unique in a cluster: choose another one"
            )
        else:
            used[port] = ".".join(owner)
    yield from driver_ports_fit(spec, used, place)


NodePort = tuple[tuple[str, ...], tuple[str, ...], int | None]


def _published_node_ports(spec: StackSpec) -> Iterator[NodePort]:
    """Whose, under which key, and the number, None when it is missing."""
    for path, publication in _publications(spec):
        if publication.type == "NodePort":
            key = "httpPort" if isinstance(publication, PublishNginx) else "port"
            yield path, (key,), publication.port_of("")


def _service_node_ports(spec: StackSpec) -> Iterator[NodePort]:
    for unit in units(spec):
        for name, given in kind_of(unit).module_specs(unit.spec).items():
            if given is not None and given.service is not None:
                owner = (*unit.path, "modules", *module_path(name), "service")
                yield from ((owner, ("nodePorts", port), number) for port, number in sorted(given.service.node_ports.items()))


def _publications(spec: StackSpec) -> Iterator[tuple[tuple[str, ...], Publication]]:
    for unit in units(spec):
        yield from (((*unit.path, "publish", name), publication) for name, publication in unit.spec.publish.given.items())
