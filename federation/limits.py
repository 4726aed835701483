"""How many parties a stack can route to: what Kubernetes and FATE's proxies can hold. More is refused before anything is touched."""

from collections.abc import Iterator, Mapping

from federation.errors import Problem
from federation.peers import Place
from federation.plan import StackPlan
from federation.unit import UnitPlan

# Kubernetes refuses a ConfigMap whose data is larger; a fifth is left for what comes next.
CONFIG_MAP_BYTES, SHARE = 1024 * 1024, 0.8
# FATE's nginx router keeps its table in an LRU cache of this size, filled anew every five seconds: with more entries, some are
# always missing (route_table.lua, FATE 1.x and 2.x).
NGINX_ROUTES = 500


def oversized_routes(plan: StackPlan, place: Place) -> Iterator[Problem]:
    """A problem for each route object that would not work."""
    for unit in plan.units:
        for manifest in unit.routes:
            files: Mapping[str, str] = manifest.fields["data"]
            yield from _too_large(unit, manifest.name, files, place)
            yield from _too_many(unit, files.get("route_table.yaml", ""), place)


def _too_large(unit: UnitPlan, name: str, files: Mapping[str, str], place: Place) -> Iterator[Problem]:
    size, allowed = sum(len(file.encode()) + len(text.encode()) for file, text in files.items()), int(CONFIG_MAP_BYTES * SHARE)
    if size > allowed:
        parties = max(_entries(text) for text in files.values())
        yield Problem(
            place(("peers",)),
            f"ConfigMap {unit.namespace}/{name} would hold {size} bytes with routes to {parties} parties: Kubernetes takes "
            f"{CONFIG_MAP_BYTES}, this program at most {allowed}, which is about {parties * allowed // size} parties",
            "retire peers that left, or split the federation",
        )


def _too_many(unit: UnitPlan, table: str, place: Place) -> Iterator[Problem]:
    found = _entries(table)
    if found > NGINX_ROUTES:
        yield Problem(
            place(("peers",)),
            f"nginx of {unit.key} would have {found} routes: FATE's router remembers {NGINX_ROUTES} and loses the rest at random",
            f"keep to {NGINX_ROUTES} parties: remove peers that are retired, or split the federation; rollsite and OSX have no such limit",
        )


def _entries(text: str) -> int:
    """The parties of a route file: keys without indentation in YAML, with four spaces in JSON, server names in sni.yaml."""
    return sum(
        (line[:1] not in " #s" and line.endswith(":")) or (line.startswith('    "') and line.endswith("{")) or line.startswith("  - fqdn:")
        for line in text.splitlines()
    )
