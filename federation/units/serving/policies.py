"""The NetworkPolicy objects of FATE-Serving and its exchange, and of the link between a party's FATE-Flow and its FATE-Serving."""

from collections.abc import Collection, Iterator, Mapping
from urllib.parse import urlsplit

from federation.access.console_rows import CONSOLES
from federation.access.consoles import shown
from federation.access.engine_policy import Way
from federation.access.network_policy import (
    Place,
    Rule,
    board_sources,
    connect,
    module_ports,
    outside,
    place_of,
    published_sources,
    to_pods,
    towards,
    unit_policies,
)
from federation.base import naming
from federation.base.naming import selector
from federation.base.scalars import PartyId
from federation.catalogue.serving import serving_catalogue
from federation.config.party import PartySpec
from federation.config.serving import ServingExchangeSpec, ServingSpec
from federation.config.stack import StackSpec
from federation.links.hops_of_serving import dialled
from federation.links.next_hops import Hops, Pods
from federation.manifests.objects import Manifest


def serving_policies(
    spec: StackSpec,
    party: PartyId | None,
    own: ServingSpec | ServingExchangeSpec,
    key: str,
    labels: Mapping[str, str],
    hops: Hops,
    deployed: Collection[str] = (),
) -> tuple[Manifest, ...]:
    """Every policy of a FATE-Serving or its exchange that dials these hops; none when they are switched off. `deployed`: its modules."""
    if not spec.network_policy.enabled:
        return ()
    ports = serving_catalogue()[own.release].ports
    place, proxy = Place(own.namespace, key, labels), selector(naming.SERVING_PROXY, key)
    # In a star many parties are reached through one exchange: each rule once.
    egress = sorted({repr(rule): rule for rule in (towards(spec, hop) for hop in dialled(hops))}.values(), key=repr)
    ingress = [connect("from", published_sources(spec), (ports["servingProxyInter"],))]
    made = [*unit_policies(spec, place), place.policy("peers-serving-proxy", proxy, ingress=ingress, egress=egress)]
    if isinstance(own, ServingSpec) and party is not None:
        made += [*_of_a_party(spec, party, own, place, ports), *_consoles(spec, own, place, ports, deployed)]
    return tuple(made)


def training_policies(
    spec: StackSpec, party: PartyId, own: PartySpec, key: str, labels: Mapping[str, str], fateflow: str
) -> tuple[Manifest, ...]:
    """What FATE-Flow of a party needs for its FATE-Serving. `fateflow`: the module of its pods."""
    serving, given = spec.serving.get(party), own.servings
    if not spec.network_policy.enabled or (serving is None and given is None):
        return ()
    ingress, egress = list[Rule](), list[Rule]()
    if serving is not None:
        ports = serving_catalogue()[serving.release].ports
        server = _pods(serving.namespace, naming.serving_key(party), naming.SERVING_SERVER, ports["servingServer"])
        ingress.append(connect("from", [place_of(server)], (spec.catalogue[own.release].ports["fateflowHttp"],)))
        egress.append(to_pods(server))
        if given is not None and given.use_registry:
            egress.append(to_pods(_pods(serving.namespace, naming.serving_key(party), naming.SERVING_ZOOKEEPER, ports["servingZookeeper"])))
    else:
        egress += map(outside, training_ways(spec, party, own))
    place = Place(own.namespace, key, labels)
    return (place.policy("serving", selector(fateflow, key), ingress=ingress, egress=egress),)


def training_ways(spec: StackSpec, party: PartyId, own: PartySpec) -> Iterator[Way]:
    """What FATE-Flow of a party dials for a FATE-Serving that is not in its stack."""
    given = own.servings
    if given is None or party in spec.serving:
        return
    yield from (Way.to("FATE-Serving", address) for address in given.hosts)
    yield from (Way.to("ZooKeeper", address) for address in (given.zookeeper.hosts if given.zookeeper else ()))


def serving_ways(spec: StackSpec, party: PartyId, own: ServingSpec) -> Iterator[Way]:
    """What serving-server dials outside of its stack."""
    if party not in spec.parties and own.fateflow is not None:
        yield Way.to("FATE-Flow", own.fateflow)
    if own.engines.redis is not None:
        yield Way("Redis", own.engines.redis.external.host, (own.engines.redis.external.port,))
    if own.adaptors.url is not None:
        url = urlsplit(own.adaptors.url)
        yield Way("adaptor", url.hostname, (url.port or (443 if url.scheme == "https" else 80),))


def _of_a_party(spec: StackSpec, party: PartyId, own: ServingSpec, place: Place, ports: Mapping[str, int]) -> Iterator[Manifest]:
    training = spec.parties.get(party)
    ingress, egress = list[Rule](), list[Rule]()
    if training is not None:
        http = spec.catalogue[training.release].ports["fateflowHttp"]
        fateflow = _pods(training.namespace, naming.party_key(party), naming.FATEFLOW, http)
        ingress.append(connect("from", [place_of(fateflow)], (ports["servingServer"],)))
        egress.append(to_pods(fateflow))
        if own.modules.serving_zookeeper is not None:
            rules = [connect("from", [place_of(fateflow)], (ports["servingZookeeper"],))]
            yield place.policy("registry", selector(naming.SERVING_ZOOKEEPER, place.key), ingress=rules)
    egress += map(outside, serving_ways(spec, party, own))
    yield place.policy("training", selector(naming.SERVING_SERVER, place.key), ingress=ingress, egress=egress)
    for module, name in (("servingServer", "serving_server"), ("servingProxy", "serving_proxy"), ("servingAdmin", "serving_admin")):
        given = getattr(own.modules, name)
        if given is not None and given.service is not None and given.service.type != "ClusterIP":
            pods = f"serving-{name.removeprefix('serving_')}"
            yield place.policy(f"service-{pods}", selector(pods, place.key), ingress=[connect("from", [], module_ports(module, ports))])


def _consoles(spec: StackSpec, own: ServingSpec, place: Place, ports: Mapping[str, int], deployed: Collection[str]) -> Iterator[Manifest]:
    """The pages that are shown, and those with a sign-in for whoever may open consoles."""
    for name, console in CONSOLES.items():
        sources = board_sources(spec, shown(spec, own, deployed), name)
        if console.module in deployed and sources is not None:
            rules = [connect("from", sources, (ports[console.port],))]
            yield place.policy(f"board-{console.component}", selector(console.component, place.key), ingress=rules)


def _pods(namespace: str, key: str, module: str, port: int) -> Pods:
    return Pods(namespace, key, module, (port,))
