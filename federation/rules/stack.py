"""Rules over the whole stack configuration, which no single field can check."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from federation.base.errors import Finding, Problem, of_each, warning
from federation.catalogue.kinds import KINDS
from federation.config.publish import PublishNginx
from federation.config.units import AnyUnit, PartyUnit, party_units
from federation.rules import consoles, peers, trust, values
from federation.rules.descriptors import doubt_warnings
from federation.rules.network import policy_warnings
from federation.rules.open_ports import opening_warnings
from federation.rules.releases import release_warnings
from federation.units.checked import CheckedStack, PlannedStack, Rule, Warn, of_every_party, of_every_unit, run_rules
from federation.units.hubs import hub_is_described, hub_is_of_its_kind
from federation.units.kinds.registry import kind_of
from federation.units.module_rules import module_path
from federation.units.party import engine_rules, external_rules
from federation.units.party_owner import belongs_to_its_party, ownership_warnings
from federation.units.portal.rules import portals_fit_their_fate, portals_share_no_database
from federation.units.protection import override_warnings
from federation.units.serving.rules import blocked_warnings, parties_find_their_serving, party_of_own_serving

# An override is for one occasion: what holds longer is no guard any more.
_LONGEST_OVERRIDE = timedelta(days=30)


def broken_rules(stack: CheckedStack) -> Iterator[Problem]:
    """Every problem that takes more than one field to see."""
    return run_rules(_RULES, stack)


def _of_kinds(program: str) -> Rule:
    """The rules of every kind of unit of a program, kind by kind."""

    def of_units(stack: CheckedStack) -> Iterator[Problem]:
        of_program = [unit for unit in stack.units if unit.row.program == program]
        of_program.sort(key=lambda unit: list(KINDS).index(unit.kind))
        return of_each(of_program, lambda unit: run_rules(kind_of(unit).rules, stack, unit))

    return of_units


def warnings_of(stack: PlannedStack) -> Iterator[Finding]:
    """The warnings of a valid stack."""
    return run_rules(_WARNINGS, stack)


def far_overrides(stack: CheckedStack) -> Iterator[Problem]:
    """Permissions to destroy a hub that end so late that people would forget them."""
    if stack.today is None:
        return
    last = (stack.today + _LONGEST_OVERRIDE).isoformat()
    for unit, until in of_each(stack.units, lambda unit: [(unit, getattr(unit.spec, "allow_destroy_until", None))]):
        if until is not None and until > last:
            problem = f"{until} is more than {_LONGEST_OVERRIDE.days} days ahead: the exchange would be unprotected until then"
            yield Problem(stack.at(unit, "allowDestroyUntil"), problem, f"name the day on which you will destroy it, {last} at the latest")


def _unit_warnings(program: str) -> Warn:
    """The warnings of each unit of a program."""

    def of_units(stack: PlannedStack) -> Iterator[Finding]:
        of_program = (unit for unit in stack.units if unit.row.program == program)
        return of_each(of_program, lambda unit: run_rules(kind_of(unit).warnings, stack, unit))

    return of_units


def _namespaces_are_taken_over(stack: PlannedStack) -> Iterator[Finding]:
    for namespace in stack.spec.cluster.take_over:
        text = f"cluster.takeOver takes over namespace {namespace} from any stack that deployed into it:"
        yield warning(stack.place_of(("cluster", "takeOver")), text, "remove it after this `pulumi up`")


def _something_is_deployed(stack: CheckedStack) -> Iterator[Problem]:
    spec = stack.spec
    if not (spec.parties or spec.exchange or spec.serving or spec.serving_exchange or spec.site_portal):
        remedy = "add a party under fate:parties, or an exchange under fate:exchange"
        yield Problem(stack.place_of(("parties",)), "this stack deploys nothing", remedy)


@of_every_unit
def _release_exists(stack: CheckedStack, unit: AnyUnit) -> Iterator[Problem]:
    if unit.spec.release not in unit.releases:
        yield Problem(stack.at(unit, "release"), f"unknown release {unit.spec.release}", f"choose one of {', '.join(unit.releases)}")


def _namespaces_are_used_once(stack: CheckedStack) -> Iterator[Problem]:
    used: dict[str, str] = {}
    for unit, namespace in of_each(stack.units, lambda unit: [(unit, unit.namespace)]):
        if namespace in used:
            yield Problem(
                stack.at(unit, "namespace"),
                f"namespace {namespace} is already used by {used[namespace]}",
                "give each party, each FATE-Serving, each portal and each exchange a namespace of its own",
            )
        used.setdefault(namespace, f"fate:{'.'.join(unit.path)}")


def _party_ids_are_unique(stack: CheckedStack) -> Iterator[Problem]:
    owners = dict.fromkeys(stack.spec.parties, "this stack")
    for peer in stack.peers.parties():
        party = peer.party_id or ""
        if party in owners:
            yield Problem(
                stack.place_of(("peers", peer.name)),
                f"party id {party} of peer {peer.name} already belongs to {owners[party]}",
                "party ids are unique in a federation: agree on another one",
            )
        owners.setdefault(party, f"peer {peer.name}")


def _a_mesh_has_no_exchange(stack: CheckedStack) -> Iterator[Problem]:
    if stack.spec.federation.topology == "mesh" and stack.spec.exchange is not None:
        yield Problem(stack.place_of(("exchange",)), "a mesh has no exchange", "remove fate:exchange, or set federation.topology to star")


@of_every_party
def _party_fits_the_topology(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    own, where, mesh = unit.spec, stack.at(unit, "exchange"), stack.spec.federation.topology == "mesh"
    if mesh and own.exchange is not None:
        yield Problem(where, "a mesh has no exchange", "remove this line, or set federation.topology to star")
    elif not mesh and own.exchange is None:
        remedy = "name the peer that is the exchange, or `local` when this stack holds it"
        yield Problem(where, "a party of a star needs its exchange", remedy)
    for name, key in own.exchanges.items() if not mesh else ():
        yield from hub_is_of_its_kind(stack, "exchange", name, (*unit.path, *key))


def _exchanges_are_described(stack: CheckedStack) -> Iterator[Problem]:
    parties = party_units(stack.spec).values() if stack.spec.federation.topology == "star" else ()
    named = of_each(parties, lambda unit: [(name, (*unit.path, *key)) for name, key in unit.spec.exchanges.items()])
    return of_each(named, lambda at: hub_is_described(stack, "exchange", *at))


def _node_ports_fit(stack: CheckedStack) -> Iterator[Problem]:
    used: dict[int, str] = {}
    cluster = stack.spec.cluster
    for owner, key, port in (*of_each(stack.units, _published_node_ports), *of_each(stack.units, _service_node_ports)):
        where = stack.place_of((*owner, *key))
        if port is None:
            yield Problem(where, "a NodePort in a descriptor must be fixed", f"choose a port of {cluster.node_port_range}")
        elif port not in cluster.node_ports:
            problem = f"{port} is outside the node port range {cluster.node_port_range}"
            yield Problem(where, problem, "choose a port inside it, or correct cluster.nodePortRange")
        elif port in used:
            problem = f"node port {port} is already used by {used[port]}"
            yield Problem(where, problem, "node ports are unique in a cluster: choose another one")
        else:
            used[port] = ".".join(owner)
    yield from external_rules.driver_ports_fit(stack, used)


NodePort = tuple[tuple[str, ...], tuple[str, ...], int | None]


def _published_node_ports(unit: AnyUnit) -> Iterator[NodePort]:
    """Each published node port: its owner's path, its key, and the number; None when the number is missing."""
    for name, publication in unit.spec.publish.by_endpoint.items():
        if publication.type == "NodePort":
            key = "httpPort" if isinstance(publication, PublishNginx) else "port"
            yield (*unit.path, "publish", name), (key,), publication.port_of("")


def _service_node_ports(unit: AnyUnit) -> Iterator[NodePort]:
    for name, spec in kind_of(unit).module_specs(unit).items():
        if spec is not None and spec.service is not None:
            owner = (*unit.path, "modules", *module_path(name), "service")
            yield from ((owner, ("nodePorts", port), number) for port, number in sorted(spec.service.node_ports.items()))


# In the order in which problems are told.
_RULES: tuple[Rule, ...] = (
    _something_is_deployed,
    _release_exists,
    _namespaces_are_used_once,
    _party_ids_are_unique,
    _a_mesh_has_no_exchange,
    _party_fits_the_topology,
    _node_ports_fit,
    _of_kinds("FATE"),
    engine_rules.everyone_uses_one_engine,
    engine_rules.everyone_has_one_major,
    consoles.differs_from_the_stack,
    consoles.own_consoles_are_deployed,
    consoles.consoles_are_deployed,
    consoles.site_portal_is_there,
    consoles.hosts_are_used_once,
    peers.peers_are_outside,
    peers.peers_are_beyond_the_cluster,
    peers.peers_are_elsewhere,
    external_rules.exchange_has_no_engines,
    external_rules.publications_fit,
    external_rules.engines_are_not_shared,
    external_rules.external_engines_fit,
    values.patches_fit,
    values.digests_are_used,
    trust.certificates_fit,
    trust.authorities_are_of_parties,
    trust.callers_have_authorities,
    partial(belongs_to_its_party, "serving", "FATE-Serving"),
    party_of_own_serving,
    _of_kinds("FATE-Serving"),
    parties_find_their_serving,
    partial(belongs_to_its_party, "sitePortal", "Site Portal"),
    portals_share_no_database,
    _of_kinds("FedLCM"),
    _exchanges_are_described,
    far_overrides,
)
# The same of warnings. First of all: who has no hub reaches nobody, and all else may look well.
_WARNINGS: tuple[Warn, ...] = (
    peers.pending_warnings,
    peers.collaboration_warnings,
    _namespaces_are_taken_over,
    _unit_warnings("FATE"),
    opening_warnings,
    policy_warnings,
    consoles.console_warnings,
    release_warnings,
    _unit_warnings("FATE-Serving"),
    blocked_warnings,
    _unit_warnings("FedLCM"),
    portals_fit_their_fate,
    ownership_warnings,
    peers.unreadable_file_warnings,
    peers.address_warnings,
    doubt_warnings,
    peers.unused_warnings,
    peers.advertise_warnings,
    peers.expiry_warnings,
    override_warnings,
    trust.trust_warnings,
)
