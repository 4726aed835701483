"""What a preview warns of: ports that nothing in the stack keeps to known callers, and what whoever reaches one can do there."""

from collections.abc import Iterator

from federation.base.scalars import ANYONE
from federation.catalogue.links import exposed
from federation.config.modules import ModuleSpec
from federation.config.stack import StackSpec
from federation.config.units import AnyUnit, units
from federation.units.kinds.registry import kind_of
from federation.units.module_rules import module_path

# By type of Service: where it is reached, and what narrows that.
_PLACES = {
    "LoadBalancer": ("load balancers", "name the addresses that may connect in its sourceRanges"),
    "NodePort": ("nodes", "let networkPolicy.publishedFrom or a firewall name the addresses that may connect"),
}


def opening_warnings(spec: StackSpec) -> Iterator[str]:
    """A sentence for each unit, and one for each of its modules whose Service leads outside."""
    for unit in units(spec):
        where = ".".join(unit.path)
        if not (spec.network_policy.enabled and spec.network_policy.published_from):
            yield from _published(unit, where)
        for name, service in _shown(unit):
            at = f"{where}.modules.{'.'.join(module_path(name))}.service makes {name} reachable"
            if service == "NodePort":
                yield f"{at} at every node of the cluster: write sourceRanges: {ANYONE} if that is wanted"
            else:
                yield f"{at} for everyone who reaches its load balancer: name sourceRanges, or write sourceRanges: {ANYONE}"


def _published(unit: AnyUnit, where: str) -> Iterator[str]:
    """What is published without a word on who may connect."""
    opened = {name: found.type for name, found in unit.spec.publish.given.items() if found.type in _PLACES and not found.source_ranges}
    if not opened:
        return
    # FATE's proxies do not ask who calls (docs/network.md, Limits of the native link).
    whose = "" if unit.row.of_a_party else " of every member"
    places = [_PLACES[kind] for kind in _PLACES if kind in opened.values()]
    deeds = " and ".join(f"{exposed(unit.kind, name).format(whose=whose)} ({name})" for name in opened)
    yield (
        f"{where}.publish is open to anyone: whoever reaches its {' or '.join(place for place, _ in places)} can {deeds}; "
        f"{', or '.join(remedy for _, remedy in places)}, or write sourceRanges: {ANYONE} if that is wanted"
    )


def _shown(unit: AnyUnit) -> Iterator[tuple[str, str]]:
    """The modules with a Service outside of the cluster that no source range limits, and its type."""
    kind = kind_of(unit)
    deployed = kind.deployed(unit)
    for name, given in kind.module_specs(unit).items():
        service = (given or ModuleSpec()).service
        if service is not None and service.type != "ClusterIP" and not service.source_ranges and name in deployed:
            yield name, service.type
