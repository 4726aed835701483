"""The NetworkPolicy objects of FATE-Serving and its exchange, and of the link between a party's FATE-Flow and its FATE-Serving."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from federation.access.console_rows import CONSOLES
from federation.access.consoles import shown
from federation.access.engine_policy import EgressTarget
from federation.access.network_policy import (
    Rule,
    connect,
    console_sources,
    ingress_policies,
    outside,
    policy,
    policy_peer,
    published_sources,
    service_ingress,
    to_pods,
    towards,
    unit_policies,
)
from federation.base import naming
from federation.base.naming import selector
from federation.config.units import AnyServingUnit, PartyUnit, ServingUnit, party_units, serving_units
from federation.links.hops_of_serving import dialled
from federation.links.next_hops import Hops, Pods
from federation.manifests.objects import Manifest
from federation.units.serving.modules import deployed_serving_modules


def serving_policies(unit: AnyServingUnit, hops: Hops) -> tuple[Manifest, ...]:
    """Every policy of a FATE-Serving or its exchange that dials these hops; none when they are switched off."""
    if not unit.stack.network_policy.enabled:
        return ()
    ports, proxy = unit.release.ports, selector(naming.SERVING_PROXY, unit.key)
    # In a star many parties are reached through one exchange: each rule once.
    egress = sorted({repr(rule): rule for rule in (towards(unit.stack.cluster, hop) for hop in dialled(hops))}.values(), key=repr)
    ingress = [connect("from", published_sources(unit), (ports["servingProxyInter"],))]
    return (*unit_policies(unit), policy(unit, "peers-serving-proxy", proxy, ingress=ingress, egress=egress))


def of_a_party(unit: ServingUnit) -> tuple[Manifest, ...]:
    """The policies of a party's FATE-Serving beside its links: to its FATE-Flow and to servers outside the stack, and for its consoles."""
    return (*_training(unit), *_consoles(unit)) if unit.stack.network_policy.enabled else ()


def training_policies(unit: PartyUnit) -> tuple[Manifest, ...]:
    """The policies of a party's FATE-Flow for its FATE-Serving."""
    serving, external = serving_units(unit.stack).get(unit.party), unit.spec.servings
    if not unit.stack.network_policy.enabled or (serving is None and external is None):
        return ()
    ingress, egress = list[Rule](), list[Rule]()
    if serving is not None:
        ports = serving.release.ports
        server = _pods(serving.namespace, serving.key, naming.SERVING_SERVER, ports["servingServer"])
        ingress.append(connect("from", [policy_peer(server)], (unit.release.ports["fateflowHttp"],)))
        egress.append(to_pods(server))
        if external is not None and external.use_registry:
            egress.append(to_pods(_pods(serving.namespace, serving.key, naming.SERVING_ZOOKEEPER, ports["servingZookeeper"])))
    else:
        egress += map(outside, training_targets(unit))
    return (policy(unit, "serving", selector(naming.FATEFLOW, unit.key), ingress=ingress, egress=egress),)


def training_targets(unit: PartyUnit) -> Iterator[EgressTarget]:
    """The targets of a party's FATE-Flow for a FATE-Serving in another stack."""
    external = unit.spec.servings
    if external is None or unit.party in unit.stack.serving:
        return
    yield from (EgressTarget.to("FATE-Serving", address) for address in external.hosts)
    yield from (EgressTarget.to("ZooKeeper", address) for address in (external.zookeeper.hosts if external.zookeeper else ()))


def serving_targets(unit: ServingUnit) -> Iterator[EgressTarget]:
    """The targets of serving-server outside its stack."""
    if unit.party not in unit.stack.parties and unit.spec.fateflow is not None:
        yield EgressTarget.to("FATE-Flow", unit.spec.fateflow)
    if unit.spec.engines.redis is not None:
        yield EgressTarget("Redis", unit.spec.engines.redis.external.host, (unit.spec.engines.redis.external.port,))
    if unit.spec.adaptors.url is not None:
        url = urlsplit(unit.spec.adaptors.url)
        yield EgressTarget("adaptor", url.hostname, (url.port or (443 if url.scheme == "https" else 80),))


def _training(unit: ServingUnit) -> Iterator[Manifest]:
    training, ports = party_units(unit.stack).get(unit.party), unit.release.ports
    ingress, egress = list[Rule](), list[Rule]()
    if training is not None:
        fateflow = _pods(training.namespace, training.key, naming.FATEFLOW, training.release.ports["fateflowHttp"])
        ingress.append(connect("from", [policy_peer(fateflow)], (ports["servingServer"],)))
        egress.append(to_pods(fateflow))
        if unit.spec.modules.serving_zookeeper is not None:
            rules = [connect("from", [policy_peer(fateflow)], (ports["servingZookeeper"],))]
            yield policy(unit, "registry", selector(naming.SERVING_ZOOKEEPER, unit.key), ingress=rules)
    egress += map(outside, serving_targets(unit))
    yield policy(unit, "training", selector(naming.SERVING_SERVER, unit.key), ingress=ingress, egress=egress)
    modules = unit.spec.modules
    shown_modules = {"servingServer": modules.serving_server, "servingProxy": modules.serving_proxy, "servingAdmin": modules.serving_admin}
    yield from ingress_policies(unit, service_ingress(shown_modules, ports))


def _consoles(unit: ServingUnit) -> Iterator[Manifest]:
    """The pages that are shown, and those with a sign-in for whoever may open consoles."""
    deployed, ports = deployed_serving_modules(unit.spec), unit.release.ports
    for name, console in CONSOLES.items():
        sources = console_sources(unit, shown(unit, deployed), name)
        if console.module in deployed and sources is not None:
            rules = [connect("from", sources, (ports[console.port],))]
            yield policy(unit, f"board-{console.component}", selector(console.component, unit.key), ingress=rules)


def _pods(namespace: str, key: str, module: str, port: int) -> Pods:
    return Pods(namespace, key, module, (port,))
