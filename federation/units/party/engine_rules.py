"""Rules about FATE's engines: legal combinations, the modules and endpoints that go with them, and who can talk to whom."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from pydantic.alias_generators import to_camel, to_snake

from federation.base.errors import Problem, of_each
from federation.catalogue.kinds import KINDS
from federation.catalogue.releases import ModuleRow
from federation.config.datasets import dataset_volumes, mount_path
from federation.config.modules import ModuleSpec
from federation.config.party import module_specs
from federation.config.units import ExchangeUnit, PartyUnit, TrainingUnit, combination_of, exchange_unit, party_units
from federation.units.checked import CheckedStack, UnitRule, run_rules
from federation.units.exchange.plan import exchange_module_specs
from federation.units.module_rules import GROUPS, broken_knobs, clashes, module_path
from federation.units.party.values import optional_modules


def has_known_engines(unit: PartyUnit) -> bool:
    """Whether the catalogue has its release with its engines. If not, another rule reports that, and no rule here reports more."""
    return unit.spec.release in unit.releases and combination_of(unit) is not None


def _engines(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    own = unit.spec
    if has_known_engines(unit):
        yield from run_rules(_OF_KNOWN_ENGINES, stack, unit)
    elif own.release in unit.releases:
        yield Problem(
            stack.at(unit, "computing"),
            f"release {own.release} is not deployed as {own.computing} + {own.federation} + {own.storage}",
            f"choose one of: {'; '.join(str(row) for row in unit.release.combinations)}",
        )


def _modules(unit: PartyUnit) -> tuple[str, ...]:
    combination = combination_of(unit)
    return () if combination is None else combination.modules


def _variant(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    own, legal = unit.spec, {row.device: row.algorithms for row in unit.release.variants}
    if own.algorithm not in legal.get(own.device, ()):
        images = "; ".join(f"{device}: {', '.join(algorithms)}" for device, algorithms in legal.items())
        yield Problem(
            stack.at(unit, "device" if own.device not in legal else "algorithm"),
            f"FATE {own.release} has no images for device {own.device} with algorithm {own.algorithm}",
            f"choose one of: {images}",
        )


def _modules_are_deployed(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    allowed = {*_modules(unit), *optional_modules(unit.spec, unit.release)}
    for name in sorted(unit.spec.modules.model_fields_set):
        if not {name, *GROUPS.get(name, ())} & allowed:
            where = stack.at(unit, "modules", name)
            yield Problem(where, f"module {name} is not part of {combination_of(unit)}", "remove it, or choose engines that use it")


def _front(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """Optional modules of a star in a mesh."""
    for name in sorted(unit.spec.modules.model_fields_set & set(optional_modules(unit.spec, unit.release))):
        if unit.release.modules[name].topology not in (None, stack.spec.federation.topology):
            problem = f"{name} is for exchanges, and a mesh has none"
            yield Problem(stack.at(unit, "modules", name), problem, "remove it, or set federation.topology to star")


def _exchanges_are_named_once(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """Exchanges that lbrollsite would get twice."""
    front = unit.spec.modules.lbrollsite
    seen = {unit.spec.exchange}
    for number, exchange in enumerate(() if front is None else front.exchanges):
        if exchange in seen:
            where = stack.at(unit, "modules", "lbrollsite", "exchanges", str(number))
            yield Problem(where, f"exchange {exchange} is named twice", "remove this line")
        seen.add(exchange)


class _Part(NamedTuple):
    """What the modules of a unit are by the stack file, what they are in the catalogue, and which of them are deployed."""

    specs: Mapping[str, ModuleSpec | None]
    rows: Mapping[str, ModuleRow]
    deployed: tuple[str, ...]


def _part(unit: PartyUnit) -> _Part:
    return _Part(module_specs(unit.spec), unit.release.modules, _modules(unit))


def _part_of_exchange(unit: ExchangeUnit) -> _Part:
    return _Part(exchange_module_specs(unit.spec), unit.release.exchange, unit.release.exchanges[unit.spec.federation])


def _knobs(part: Callable[[Any], _Part], stack: CheckedStack, unit: PartyUnit | ExchangeUnit) -> Iterator[Problem]:
    return broken_knobs(part(unit).specs, part(unit).rows, unit.release, stack.place_of, unit.path)


def _datasets(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """Data sets that hide what the program mounts in FATE-Flow, or each other, or volumes of its own settings."""
    volumes = unit.spec.modules.fateflow.volumes
    paths = {name: volume.mount_path for name, volume in volumes.items()}
    sets = {volume: name for name, volume in zip(unit.spec.datasets, dataset_volumes(unit.spec.datasets), strict=True)}
    seen = {f"dataset {name}": mount_path(name, dataset) for name, dataset in sorted(unit.spec.datasets.items())}
    for volume in sorted(sets.keys() & volumes.keys()):
        problem = f"modules.fateflow.volumes has a volume {volume}, which is the name of this one"
        yield Problem(stack.at(unit, "datasets", sets[volume]), problem, "rename one of them")
    for volume, problem in clashes({**paths, **seen}, unit.release.modules["fateflow"]):
        if volume in seen:
            yield Problem(stack.at(unit, "datasets", volume.partition(" ")[2]), problem, "choose another path")


def _images(part: Callable[[Any], _Part], stack: CheckedStack, unit: PartyUnit | ExchangeUnit) -> Iterator[Problem]:
    """An image that upstream does not publish in a version must be named."""
    specs, rows, deployed = part(unit)

    def of(name: str) -> Iterator[Problem]:
        row, image, at = rows[name], (specs[name] or ModuleSpec()).image, ("modules", *module_path(name), "image")
        if row.tag is None and image.tag is None and image.digest is None:
            problem = row.unpublished or f"upstream publishes {row.image} without a version"
            remedy = f"name the tag or the digest of the image you checked: {'.'.join(at)}.digest"
            yield Problem(stack.at(unit, *at), problem, remedy)

    return of_each(deployed, of)


def _endpoints(stack: CheckedStack, unit: PartyUnit | ExchangeUnit) -> Iterator[Problem]:
    """Refuses endpoints in `publish` that the engine does not have, and missing ones."""
    publications, engine, kind = unit.spec.publish.by_endpoint, unit.spec.federation, unit.kind
    wanted = stack.spec.federation.links.endpoints(kind, engine)
    for name in sorted(wanted - publications.keys()):
        yield Problem(
            stack.at(unit, "publish", name),
            f"publish.{name} is missing",
            f"{KINDS[kind].noun} with {engine} publishes {' and '.join(sorted(wanted))}",
        )
    for name in sorted(publications.keys() - wanted):
        yield Problem(
            stack.at(unit, "publish", name),
            f"publish.{name} does not belong to {engine}",
            f"remove it; {engine} publishes {' and '.join(sorted(wanted))}",
        )


def _routes_to_peers_work(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    release, mesh = unit.release, stack.spec.federation.topology == "mesh"
    need = stack.spec.federation.links.needs.get(unit.spec.federation)
    if need is not None and not release.works(need) and (mesh or stack.spec.collaborations):
        yield Problem(
            stack.place_of(("federation", "topology") if mesh else ("collaborations",)),
            f"routes of party {unit.party} to single peers have no effect in release {unit.spec.release}: {release.broken[need]}",
            "use a star without collaborations, another federation engine, or a release with a patch for it",
        )


def _star_has_a_default_route(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    engine = unit.spec.federation
    if stack.spec.federation.topology == "star" and not stack.spec.federation.links.star(engine):
        yield Problem(
            stack.at(unit, "federation"),
            f"{engine} has no default route, so it cannot be used in a star",
            f"set federation.topology to mesh, or choose {' or '.join(unit.release.exchanges)}",
        )


_OF_KNOWN_ENGINES = (
    _variant,
    _modules_are_deployed,
    _front,
    _exchanges_are_named_once,
    partial(_knobs, _part),
    _datasets,
    partial(_images, _part),
    _endpoints,
    _routes_to_peers_work,
    _star_has_a_default_route,
)
PARTY_RULES: tuple[UnitRule, ...] = (_engines,)


def _exchange(stack: CheckedStack, unit: ExchangeUnit) -> Iterator[Problem]:
    release, engine = unit.releases.get(unit.spec.release), unit.spec.federation
    if release is None:
        return
    if engine not in release.exchanges:
        yield Problem(
            stack.at(unit, "federation"),
            f"release {unit.spec.release} has no exchange for {engine}",
            f"choose one of: {', '.join(release.exchanges)}",
        )
        return
    yield from run_rules(_OF_KNOWN_EXCHANGES, stack, unit)


def _modules_of_an_exchange(stack: CheckedStack, unit: ExchangeUnit) -> Iterator[Problem]:
    engine, deployed = unit.spec.federation, unit.release.exchanges[unit.spec.federation]
    for name in sorted(unit.spec.modules.model_fields_set - set(map(to_snake, deployed))):
        yield Problem(
            stack.at(unit, "modules", to_camel(name)),
            f"module {to_camel(name)} is not part of an exchange for {engine}",
            f"remove it; its modules are {', '.join(deployed)}",
        )


_OF_KNOWN_EXCHANGES = (_modules_of_an_exchange, partial(_knobs, _part_of_exchange), partial(_images, _part_of_exchange), _endpoints)
EXCHANGE_RULES: tuple[UnitRule, ...] = (_exchange,)


def everyone_uses_one_engine(stack: CheckedStack) -> Iterator[Problem]:
    """Parties with different federation engines cannot talk, not even through an exchange."""
    used = [*of_each(_training(stack), lambda unit: [((*unit.path, "federation"), unit.spec.federation)])]
    used += [(("peers", peer.name), peer.descriptor.engine) for peer in stack.peers.accepted if peer.routed and peer.trains]
    # An engine that does not exist has its own problem, and nobody can be asked to use it.
    known = [(path, engine) for path, engine in used if engine in stack.spec.federation.links.engines]
    for path, engine in known[1:]:
        first_path, first = known[0]
        if engine != first:
            yield Problem(
                stack.place_of(path),
                f"uses {engine}, while {'.'.join(first_path)} of this stack uses {first}: they cannot talk to each other",
                "use one federation engine in a federation",
            )


def everyone_has_one_major(stack: CheckedStack) -> Iterator[Problem]:
    """Jobs of FATE 1.x and 2.x have different protocols, also through one exchange and with one federation engine."""
    used = [*of_each(_training(stack), lambda unit: [((*unit.path, "release"), unit.spec.release)])]
    # A release that does not exist has its own problem; a peer typed by hand has none.
    known = [(path, release, str(stack.spec.catalogue[release].major)) for path, release in used if release in stack.spec.catalogue]
    theirs = ((peer.name, peer.descriptor.release or "") for peer in stack.peers.accepted if peer.routed and peer.trains)
    known += [(("peers", name), release, release.split(".")[0]) for name, release in theirs if release]
    for path, release, major in known[1:]:
        first_path, first, first_major = known[0]
        if major != first_major:
            yield Problem(
                stack.place_of(path),
                f"is FATE {release}, while {'.'.join(first_path[:2])} of this stack is FATE {first}: they cannot work on one job",
                "use releases of one major version in a federation",
            )


def _training(stack: CheckedStack) -> Iterator[TrainingUnit]:
    """The exchange and the parties of a stack."""
    yield from filter(None, (exchange_unit(stack.spec),))
    yield from party_units(stack.spec).values()
