"""Warnings about ports that the stack opens to every caller, with what a caller can do there."""

from collections.abc import Iterator

from federation.base.errors import Finding, warning
from federation.base.scalars import ANYONE
from federation.catalogue.links import exposed
from federation.config.modules import ModuleSpec
from federation.config.units import AnyUnit
from federation.units.checked import PlannedStack
from federation.units.kinds.registry import kind_of
from federation.units.module_rules import module_path

# By type of Service: where it is reached, and what narrows that.
_REACHED_AT = {
    "LoadBalancer": ("load balancers", "name the addresses that may connect in its sourceRanges"),
    "NodePort": ("nodes", "let networkPolicy.publishedFrom or a firewall name the addresses that may connect"),
}


def opening_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """A sentence for each unit, and one for each of its modules whose Service leads outside."""
    for unit in stack.units:
        if not (stack.spec.network_policy.enabled and stack.spec.network_policy.published_from):
            yield from _published(stack, unit)
        for name, service in _shown(unit):
            path = (*unit.path, "modules", *module_path(name), "service")
            at = f"{'.'.join(path)} makes {name} reachable"
            if service == "NodePort":
                yield warning(
                    stack.place_of(path),
                    f"{at} on every node of the cluster:",
                    f"write sourceRanges: {ANYONE} if that is intended",
                    before_up=True,
                )
            else:
                text = f"{at} for everyone who can reach its load balancer:"
                yield warning(stack.place_of(path), text, f"name sourceRanges, or write sourceRanges: {ANYONE}", before_up=True)


def _published(stack: PlannedStack, unit: AnyUnit) -> Iterator[Finding]:
    """What is published without sourceRanges."""
    opened = {
        name: publication.type
        for name, publication in unit.spec.publish.by_endpoint.items()
        if publication.type in _REACHED_AT and not publication.source_ranges
    }
    if not opened:
        return
    # FATE's proxies do not ask who calls (docs/guides/network.md, Limits of the native link).
    whose, path = "" if unit.row.of_a_party else " of every member", (*unit.path, "publish")
    reached_at = [_REACHED_AT[service_type] for service_type in _REACHED_AT if service_type in opened.values()]
    deeds = " and ".join(f"{exposed(unit.kind, name).format(whose=whose)} ({name})" for name in opened)
    yield warning(
        stack.place_of(path),
        f"{'.'.join(path)} is open to anyone: a client that reaches its {' or '.join(target for target, _ in reached_at)} can {deeds};",
        f"{', or '.join(remedy for _, remedy in reached_at)}, or write sourceRanges: {ANYONE} if that is intended",
        before_up=True,
    )


def _shown(unit: AnyUnit) -> Iterator[tuple[str, str]]:
    """The modules whose Service is reachable from outside the cluster without source ranges, each with the type of its Service."""
    kind = kind_of(unit)
    deployed = kind.deployed(unit)
    for name, spec in kind.module_specs(unit).items():
        service = (spec or ModuleSpec()).service
        if service is not None and service.type != "ClusterIP" and not service.source_ranges and name in deployed:
            yield name, service.type
