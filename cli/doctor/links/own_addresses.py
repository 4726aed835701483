"""Where this stack is reached itself: a peer's name that leads there would have a proxy dial itself, and routes never show it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.doctor.links.questions import Question
from cli.doctor.snapshot import addresses, name_of
from cli.tools.kubectl import Ask, Object, Reading
from federation.base.hosts import canonical
from federation.base.live import live_values
from federation.base.scalars import is_ip
from federation.stack.load import LoadedStack

# A Service without an address of its own (headless) has this in its place.
_HEADLESS = "None"
# The addresses of some names, each resolved; a name that is not known has none.
Resolve = Callable[[list[str]], Mapping[str, list[str]]]


@dataclass(frozen=True)
class OwnAddresses:
    """Addresses and ports of this stack, each with whose it is; and in words what of them is not known."""

    owners: Mapping[tuple[str, int], str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def own_asks(loaded: LoadedStack) -> Iterator[Ask]:
    """What must be known of the cluster: the addresses that it gave to Services in this stack's namespaces."""
    yield from (Ask("services", unit.namespace) for unit in loaded.plan.units)


def own_questions(loaded: LoadedStack) -> list[Question]:
    """The names that this stack advertises, to be resolved where the peers' names are."""
    published = _published(loaded)
    return list(dict.fromkeys(Question("here", endpoint, "dns", host, port) for _, endpoint, host, port, _ in published if not is_ip(host)))


def own_addresses(
    loaded: LoadedStack, answers: Mapping[Question, Mapping[str, Any]], readings: Mapping[Ask, Reading], resolve: Resolve
) -> OwnAddresses:
    """Where peers, or pods, reach this stack. `answers`: to `own_questions`; `resolve`: for names that the cluster gave."""
    owners: dict[tuple[str, int], str] = {}
    unknown = []
    for unit, endpoint, host, port, beside in _published(loaded):
        known = [host] if is_ip(host) else answers.get(Question("here", endpoint, "dns", host, port), {}).get("addresses", [])
        if not known and not beside:
            unknown.append(f"{host}, which {unit}'s {endpoint} advertises, does not resolve")
        owners |= {(canonical(address), port): f"what {unit}'s {endpoint} advertises" for address in (*known, *beside)}
    asks = list(dict.fromkeys(own_asks(loaded)))
    unknown += [
        f"Services of namespace {ask.namespace} cannot be read: {readings[ask].reason}" for ask in asks if readings[ask].state != "ok"
    ]
    services = [(f"Service {ask.namespace}/{name_of(service)} here", service) for ask in asks for service in readings[ask].items]
    names = sorted({host for _, service in services for host in _hosts(service) if not is_ip(host)})
    resolved = resolve(names) if names else {}
    unknown += [f"{name}, a load balancer of this stack, does not resolve" for name in names if not resolved.get(name)]
    for whose, service in services:
        for address in (address for host in _hosts(service) for address in ([host] if is_ip(host) else resolved.get(host, []))):
            owners |= {(canonical(address), port["port"]): whose for port in service["spec"].get("ports", [])}
    return OwnAddresses(owners, tuple(dict.fromkeys(unknown)))


def _published(loaded: LoadedStack) -> Iterator[tuple[str, str, str, int, tuple[str, ...]]]:
    """What the descriptors of this stack say without asking its cluster: unit, endpoint, host, port, and addresses beside the host."""
    for unit in loaded.plan.units:
        for name, endpoint in unit.descriptor["endpoints"].items():
            if not live_values(endpoint["host"]):
                yield from ((unit.key, name, endpoint["host"], port, tuple(endpoint["addresses"])) for port in endpoint["ports"].values())


def _hosts(service: Object) -> list[str]:
    """The addresses of a Service: in its cluster, and of its load balancer."""
    spec = service["spec"]
    hosts = [*(spec.get("clusterIPs") or [spec.get("clusterIP")]), *addresses(service)]
    return [host for host in hosts if host and host != _HEADLESS]
