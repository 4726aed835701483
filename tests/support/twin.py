"""The federation twin: N organizations' stacks planned in one process, linked by their descriptors, with addresses made up.

`World` does what operators do: write a stack file, run `pulumi up`, hand descriptors over. `tests.support.packets`
executes the route tables that come out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from federation.base import naming
from federation.base.live import LiveValue, live_values, substitute
from federation.catalogue.endpoints import ANY, PublishedService
from federation.catalogue.native import NATIVE
from federation.catalogue.releases import catalogue
from federation.catalogue.serving import serving_catalogue
from federation.config.exchange import ExchangeSpec
from federation.config.party import PartySpec
from federation.config.publish import Publication
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec
from federation.peers.descriptor import Descriptor, finish
from federation.stack.load import LoadedStack
from federation.stack.plan import StackPlan
from federation.units.unit import UnitPlan
from tests.support.configs import Case, Config
from tests.support.packets import NAMES, SERVING, SERVING_NAMES, Network, Outcome, Unit

# Every cluster has the same addresses inside, as clusters of strangers do: one that leaks out leads to the wrong place.
_CLUSTER_ADDRESSES = "10.96"


@dataclass
class Organization:
    """One organization: its stack file, its last plan, and the network its load balancers take addresses from."""

    case: Case
    net: str
    loaded: LoadedStack | None = None
    # What `loaded` was planned from.
    planned: Case | None = None
    units: dict[str, Unit] = field(default_factory=dict)

    @property
    def plan(self) -> StackPlan:
        """The plan of the last `up`."""
        assert self.loaded is not None, "not up yet"
        return self.loaded.plan

    @property
    def spec(self) -> StackSpec:
        """The configuration of the last `up`."""
        assert self.loaded is not None, "not up yet"
        return self.loaded.spec

    def addresses(self) -> dict[LiveValue, str]:
        """What the cluster answers for each marker of the plan."""
        services = sorted((manifest.namespace or "", manifest.name) for unit in self.plan.units for manifest in unit.services)
        found = {}
        for number, (namespace, service) in enumerate(services, 1):
            found[LiveValue(namespace, service, "clusterIP")] = f"{_CLUSTER_ADDRESSES}.0.{number}"
            found[LiveValue(namespace, service, "loadBalancer")] = f"{self.net}.{number}"
        return found


class World:
    """Organizations and what lies between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.organizations: dict[str, Organization] = {}
        self._nets = iter(f"198.18.{number}" for number in range(1, 250))
        self._ups = 0

    def join(self, name: str, config: Config) -> None:
        """A new organization with its stack file; not up yet."""
        self.organizations[name] = Organization(Case(name, config), next(self._nets))

    def change(self, name: str, change: Callable[[Config], object]) -> None:
        """Edit a stack file."""
        organization = self.organizations[name]
        organization.case = organization.case.changed(change)

    def move(self, name: str) -> None:
        """Another network: every load balancer of the organization gets a new address."""
        self.organizations[name].net = next(self._nets)

    def up(self, *names: str) -> None:
        """`pulumi up` of some stacks, or of all."""
        for name in names or self.organizations:
            organization = self.organizations[name]
            self._ups += 1
            if organization.loaded is None or organization.planned != organization.case:
                # A plan follows from its files alone: those of most stacks have not changed.
                organization.loaded, organization.planned = organization.case.load(self.folder / name), organization.case
            addresses = organization.addresses()
            units = {plan.key: plan for plan in organization.plan.units}
            organization.units = {key: unit for key, unit in organization.units.items() if key in units}
            for key, plan in units.items():
                files = {file: text for manifest in plan.routes for file, text in manifest.fields["data"].items()}
                unit = organization.units.setdefault(key, _unit(name, plan, organization.spec))
                unit.load(substitute(files, addresses))

    def descriptor(self, name: str, key: str) -> Descriptor:
        """What `fatefed descriptor export` writes."""
        organization = self.organizations[name]
        return finish(substitute(organization.plan.unit(key).descriptor, organization.addresses()))

    def hand_over(self, sender: str, receiver: str, **entry: Any) -> None:
        """Every descriptor of the sender, accepted by the receiver under the unit's name."""
        for unit in self.organizations[sender].plan.units:
            organization = self.organizations[receiver]
            said = organization.case.config.get("peers", {}).get(self.peer_name(sender, unit.key), {})
            accepted = {"state": said.get("state", "active"), **entry}
            organization.case = organization.case.with_peer(self.peer_name(sender, unit.key), self.descriptor(sender, unit.key), **accepted)

    @staticmethod
    def peer_name(sender: str, key: str) -> str:
        """The name under fate:peers: the organization's for an exchange, else with its party; of FATE-Serving, with that word."""
        if key in (naming.EXCHANGE, naming.SERVING_EXCHANGE):
            return sender if key == naming.EXCHANGE else f"{sender}-serving"
        return f"{sender}-{key.removeprefix('party-')}"

    def units(self) -> Iterator[Unit]:
        """Everything that is deployed."""
        for organization in self.organizations.values():
            yield from organization.units.values()

    def parties(self, serving: bool = False) -> dict[str, Unit]:
        """Every deployed party, or with `serving` every FATE-Serving, by id."""
        return {unit.party: unit for unit in self.units() if unit.party and (unit.engine == SERVING) is serving}

    def network(self) -> Network:
        """Who listens where, from the Services of every plan."""
        network = Network()
        for name, organization in self.organizations.items():
            addresses = organization.addresses()
            for plan in organization.plan.units:
                unit = organization.units[plan.key]
                for host_port, listener in _inside(plan, unit, addresses):
                    _claim(network.clusters, (name, *host_port), listener)
                for host_port, listener in _outside(plan, unit, organization.spec, addresses):
                    _claim(network.outside, host_port, listener)
                for service, module, port, number in _named(plan, unit):
                    network.names[name, plan.key, service, number] = (unit, module, port)
                    network.container_ports[name, plan.key, module, port] = number
                    if unit.engine == SERVING:
                        network.clusters[name, naming.inside(service, plan.namespace), number] = (unit, module, port)
                for published in _published(plan, unit):
                    for its in published.ports:
                        network.container_ports[name, plan.key, published.module, its.target] = _ports(plan)[its.own]
                network.policies.setdefault(name, []).extend(manifest.document() for manifest in plan.policies)
                network.resolved |= {host: address for host, address in _names(plan, organization.spec)}
        return network

    def faults(self, may: Iterable[tuple[str, str]], strangers: Iterable[str] = ("424242",), *, serving: bool = False) -> list[str]:
        """Every way in which the federation is not as agreed: `may` are the ordered pairs of parties that reach each other.

        Any other packet ends nowhere, at the sender or the exchange: also to a party that is gone, and to one that never was
        (`strangers`). No packet passes a third party. `serving`: the same of their FATE-Servings.
        """
        parties, network, agreed = self.parties(serving), self.network(), set(may)
        planes = {"serving"} if serving else {"control", "data"}
        assert agreed <= set(permutations(parties, 2)), "a pair of parties that are not deployed"
        faults, seen = [], 0
        for source, unit in parties.items():
            for target in {*parties, *strangers} - {source}:
                outcomes = network.outcomes(unit, target)
                assert {outcome.plane for outcome in outcomes} == planes
                right = (parties[target].organization, parties[target].key) if (source, target) in agreed else None
                faults += [f"{source} -> {target}: {_told(outcome)}" for outcome in outcomes if outcome.at != right]
                faults += [f"{source} -> {target}: loop: {_told(outcome)}" for outcome in outcomes if outcome.reason == "loop"]
                passed = {f"{unit.organization}/{unit.key}", "" if right is None else "/".join(right)}
                faults += [f"{source} -> {target}: {_strayed(outcome)}" for outcome in outcomes if _others(outcome) - passed]
                seen += len(outcomes)
        assert seen >= len(planes) * len(parties) > 0, "nothing was sent"
        return faults


Own = PartySpec | ExchangeSpec | ServingSpec | ServingExchangeSpec


def _own(plan: UnitPlan, spec: StackSpec) -> Own:
    """What the stack file says of a unit."""
    party = plan.key.rpartition("-")[2]
    own: Own | None = {"exchange": spec.exchange, "servingExchange": spec.serving_exchange}.get(plan.kind)  # type: ignore[assignment]
    if plan.kind in ("party", "serving"):
        own = spec.parties[party] if plan.kind == "party" else spec.serving[party]
    assert own is not None
    return own


def _ports(plan: UnitPlan) -> Mapping[str, int]:
    """The ports of a unit's release."""
    return catalogue()[plan.release].ports if plan.kind in ("party", "exchange") else serving_catalogue()[plan.release].ports


def _unit(organization: str, plan: UnitPlan, spec: StackSpec) -> Unit:
    own = _own(plan, spec)
    engine = SERVING if isinstance(own, ServingSpec | ServingExchangeSpec) else own.federation
    return Unit(organization, plan.key, plan.namespace, engine, {}, {} if plan.kind == "exchange" else _ports(plan))


def _named(plan: UnitPlan, unit: Unit) -> Iterator[tuple[str, str, str, int]]:
    """The names inside a unit's namespace: Service, module, port, and its number."""
    for (service, key), (module, port) in (SERVING_NAMES if unit.engine == SERVING else NAMES).items():
        if to_camel(module.replace("-", "_")) in plan.modules and key in unit.ports:
            yield service, module, port, unit.ports[key]


def _published(plan: UnitPlan, unit: Unit) -> tuple[PublishedService, ...]:
    return NATIVE.of(plan.kind, ANY if unit.engine == SERVING else unit.engine)


def _others(outcome: Outcome) -> set[str]:
    """The parties on the way. Only an exchange may see a packet between sender and target."""
    places = [place.rpartition("/")[0] for place in outcome.way]
    return {place for place in places if not place.endswith(("/exchange", "/serving-exchange"))}


def _strayed(outcome: Outcome) -> str:
    return f"through a third party: {_told(outcome)}"


def _told(outcome: Outcome) -> str:
    end = outcome.reason or f"delivered to {outcome.at}"
    return f"{outcome.plane} ({outcome.wire}) {' > '.join(outcome.way)}: {end}"


def _inside(plan: UnitPlan, unit: Unit, addresses: dict[LiveValue, str]) -> Iterator[tuple[tuple[str, int], tuple[Unit, str, str]]]:
    for manifest in plan.services:
        spec = manifest.fields["spec"]
        host = addresses[LiveValue(plan.namespace, manifest.name, "clusterIP")]
        for port in spec["ports"]:
            yield (host, port["port"]), (unit, spec["selector"]["app.kubernetes.io/name"], port["targetPort"])


def _outside(
    plan: UnitPlan, unit: Unit, spec: StackSpec, addresses: dict[LiveValue, str]
) -> Iterator[tuple[tuple[str, int], tuple[Unit, str, str]]]:
    """Published Services at the addresses their owner gives them: load balancers, or nodes."""
    own = _own(plan, spec)
    for manifest in plan.services:
        service = manifest.fields["spec"]
        if service["type"] == "ClusterIP":
            continue
        publication = _publication(manifest.name, own.publish.by_endpoint)
        hosts = [addresses[LiveValue(plan.namespace, manifest.name, "loadBalancer")]]
        if publication.advertise is not None:
            hosts = [publication.advertise.host, *publication.advertise.addresses]
        for host in dict.fromkeys(hosts):
            for port in service["ports"]:
                listener = (unit, service["selector"]["app.kubernetes.io/name"], port["targetPort"])
                yield (host, port.get("nodePort", port["port"])), listener


def _names(plan: UnitPlan, spec: StackSpec) -> Iterator[tuple[str, str]]:
    """What DNS answers for names that are advertised with addresses."""
    for publication in _own(plan, spec).publish.by_endpoint.values():
        if publication.advertise is not None and publication.advertise.addresses:
            yield publication.advertise.host, publication.advertise.addresses[0]


def _publication(service: str, given: dict[str, Publication]) -> Publication:
    """What the stack says of a published Service: `pulsar-public-tls` is the endpoint pulsar."""
    (endpoint,) = (name for name in given if service.replace("-", "").startswith(name.lower()))
    return given[endpoint]


def _claim(places: dict[Any, Any], place: tuple[Any, ...], listener: tuple[Unit, str, str]) -> None:
    assert places.setdefault(place, listener) == listener, f"two listen at {place}"


def unfilled(world: World) -> list[str]:
    """Markers that are still in a route file."""
    return [str(value) for unit in world.units() for value in live_values(unit.files)]


def follow(world: World, old: str, heir: str, *, peer: str, hub: str, members: str) -> Iterator[str]:
    """Everyone leaves a hub for its heir, which is up already, and the old one goes; after each step, what has been done.

    `peer`: what members call the heir; `hub`, `members`: the keys of a stack under which hubs and those who name one stand.
    """
    known = {name: list(one.case.config.get(members, {})) for name, one in world.organizations.items()}
    for name in known.keys() - {heir}:
        world.hand_over(name, heir)
        world.hand_over(heir, name)
    world.up()
    yield "two hubs, and all members use the old one"
    for name, parties in known.items():
        for party in parties:
            use = "local" if name == heir else peer
            world.change(name, lambda config, party=party, use=use: config[members][party].update(exchange=use))
        world.up(name)
        yield f"{name} has moved, some have not"
    if known[old]:
        world.change(old, lambda config: config.pop(hub))
        world.up(old)
    else:
        del world.organizations[old]
    yield "the old hub is gone"
