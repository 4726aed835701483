"""Plans a release in every combination that it claims to support, to prove that each can be planned."""

import itertools
from collections.abc import Iterator
from typing import Any

from federation.base.errors import FederationError, Problem
from federation.catalogue.links import LINKS, LinkName
from federation.catalogue.releases import CombinationRow, ModuleRow, Release, VariantRow, catalogue
from federation.config.stack import StackSpec
from federation.peers.accepted import Peers
from federation.stack.plan import check_stack, plan_stack
from federation.units.checked import CheckedStack
from federation.units.module_rules import module_path

_NOBODY = Peers((), {})
# A release brings FATE's own proxies: what it can be deployed as is tried with them.
_LINK: LinkName = "native"


def trial_plans(release: Release, name: str) -> int:
    """How many stacks were planned: each combination with each device and algorithm, in a star and in a mesh.

    FederationError with what kept one from being planned.
    """
    releases = {**catalogue(), release.release: release}
    problems, planned = dict[Problem, None](), 0
    for what, config in _trials(release):
        spec = StackSpec.model_validate(config).with_catalogue(releases)
        broken = check_stack(CheckedStack(spec, _NOBODY, lambda path, what=what: f"{name} {what}: {'.'.join(path)}"))  # type: ignore[misc]
        problems |= dict.fromkeys(broken)
        if not broken:
            plan_stack(spec, _NOBODY)
            planned += 1
    if problems or not planned:
        raise FederationError([*problems] or [Problem(name, "there is no combination", "write combinations, or name a base that has some")])
    return planned


def _trials(release: Release) -> Iterator[tuple[str, dict[str, Any]]]:
    variants = [(row, word) for row in release.variants for word in row.algorithms]
    for row, (variant, algorithm), topology in itertools.product(release.combinations, variants, ("star", "mesh")):
        hub = row.federation in release.exchanges
        need = LINKS[_LINK].needs.get(row.federation)
        direct = need is None or release.works(need)
        if hub if topology == "star" else direct:
            yield f"{row}, {variant.device} {algorithm}, {topology}", _stack(release, row, variant, algorithm, topology)


def _stack(release: Release, row: CombinationRow, variant: VariantRow, algorithm: str, topology: str) -> dict[str, Any]:
    """A stack of one party, and its exchange in a star; it names the images that the release does not."""
    link, published = LINKS[_LINK], {"type": "LoadBalancer"}
    party = {
        "namespace": "party",
        "release": release.release,
        "computing": row.computing,
        "federation": row.federation,
        "storage": row.storage,
        "algorithm": algorithm,
        "device": variant.device,
        "persistence": {},
        "modules": {**_optional(release, row, topology), **_named(release.modules, row.modules)},
        "publish": dict.fromkeys(link.endpoints("party", row.federation), published),
    }
    stack = {
        "organization": "trial",
        "federation": {"name": "trial", "domain": "trial.example", "topology": topology, "link": _LINK},
        "parties": {"9999": party},
    }
    if topology == "star":
        party["exchange"] = "local"
        stack["exchange"] = {
            "namespace": "exchange",
            "release": release.release,
            "federation": row.federation,
            "modules": _named(release.exchange, release.exchanges[row.federation]),
            "publish": dict.fromkeys(link.endpoints("exchange", row.federation), published),
        }
    return stack


def _optional(release: Release, combination: CombinationRow, topology: str) -> dict[str, Any]:
    return {
        name: {}
        for name, row in release.modules.items()
        if row.optional and row.federation in (None, combination.federation) and row.topology in (None, topology)
    }


def _named(rows: dict[str, ModuleRow], names: tuple[str, ...]) -> dict[str, Any]:
    """Settings of the modules whose image the stack must name."""
    settings: dict[str, Any] = {}
    for name in names:
        if rows[name].tag is None:
            *groups, last = module_path(name)
            branch = settings
            for group in groups:
                branch = branch.setdefault(group, {})
            branch[last] = {"image": {"tag": "trial"}}
    return settings
