"""Rules about FATE's engines: legal combinations, the modules and endpoints that go with them, and who can talk to whom."""

from collections.abc import Iterator, Mapping

from pydantic.alias_generators import to_camel, to_snake

from federation.base.errors import Place, Problem
from federation.base.scalars import PartyId
from federation.catalogue.endpoints import LinkRow
from federation.catalogue.kinds import KINDS, Kind
from federation.catalogue.releases import ModuleRow, Release
from federation.config.modules import ImageSpec, ModuleSpec
from federation.config.party import PartySpec, module_specs
from federation.config.publish import Publication
from federation.config.stack import StackSpec
from federation.peers.accepted import Peers
from federation.units.exchange.plan import exchange_module_specs
from federation.units.module_rules import GROUPS, broken_knobs, module_path
from federation.units.party.values import optional_modules


def broken_engine_rules(spec: StackSpec, peers: Peers, place: Place) -> tuple[Problem, ...]:
    """Every problem with engines. Parties of an unknown release or engine have other problems."""
    problems: list[Problem] = []
    for party, own in spec.parties_in_order:
        release = spec.catalogue.get(own.release)
        if release is not None:
            problems += _party(spec, party, own, release, place)
    return (
        *problems,
        *_exchange(spec, place),
        *_everyone_uses_one_engine(spec, peers, place),
        *_everyone_has_one_major(spec, peers, place),
    )


def _party(spec: StackSpec, party: PartyId, own: PartySpec, release: Release, place: Place) -> Iterator[Problem]:
    at = ("parties", party)
    combination = release.combination(own.computing, own.federation, own.storage)
    if combination is None:
        yield Problem(
            place((*at, "computing")),
            f"release {own.release} is not deployed as {own.computing} + {own.federation} + {own.storage}",
            f"choose one of: {'; '.join(str(row) for row in release.combinations)}",
        )
        return
    yield from _variant(own, release, place, at)
    allowed = {*combination.modules, *optional_modules(own, release)}
    for name in sorted(own.modules.model_fields_set):
        if not {name, *GROUPS.get(name, ())} & allowed:
            yield Problem(
                place((*at, "modules", name)), f"module {name} is not part of {combination}", "remove it, or choose engines that use it"
            )
    yield from _front(spec, own, release, place, (*at, "modules"))
    yield from broken_knobs(module_specs(own), release.modules, release, place, at)
    for name in combination.modules:
        given = module_specs(own)[name] or ModuleSpec()
        yield from _image(release.modules[name], given.image, place, (*at, "modules", *module_path(name)))
    yield from _endpoints(spec.federation.links, own.publish.given, own.federation, "party", place, at)
    need = spec.federation.links.needs.get(own.federation)
    if need is not None and not release.works(need) and (spec.federation.topology == "mesh" or spec.collaborations):
        where = ("federation", "topology") if spec.federation.topology == "mesh" else ("collaborations",)
        yield Problem(
            place(where),
            f"routes of party {party} to single peers have no effect in release {own.release}: {release.broken[need]}",
            "use a star without collaborations, another federation engine, or a release with a patch for it",
        )
    if spec.federation.topology == "star" and not spec.federation.links.star(own.federation):
        yield Problem(
            place((*at, "federation")),
            f"{own.federation} has no default route, so FATE knows no star with it",
            f"set federation.topology to mesh, or choose {' or '.join(release.exchanges)}",
        )


def _front(spec: StackSpec, own: PartySpec, release: Release, place: Place, at: tuple[str, ...]) -> Iterator[Problem]:
    """Optional modules of a star in a mesh; exchanges that lbrollsite would have twice."""
    for name in sorted(own.modules.model_fields_set & set(optional_modules(own, release))):
        if release.modules[name].topology not in (None, spec.federation.topology):
            problem = f"{name} stands before exchanges, and a mesh has none"
            yield Problem(place((*at, name)), problem, "remove it, or set federation.topology to star")
    front = own.modules.lbrollsite
    seen = {own.exchange}
    for number, exchange in enumerate(() if front is None else front.exchanges):
        if exchange in seen:
            yield Problem(place((*at, "lbrollsite", "exchanges", str(number))), f"exchange {exchange} is named twice", "remove this line")
        seen.add(exchange)


def _image(row: ModuleRow, image: ImageSpec, place: Place, at: tuple[str, ...]) -> Iterator[Problem]:
    """An image that upstream does not publish in a version must be named."""
    if row.tag is None and image.tag is None and image.digest is None:
        yield Problem(
            place((*at, "image")),
            row.unpublished or f"upstream publishes {row.image} without a version",
            f"name the tag or the digest of the image you checked: {'.'.join(at[at.index('modules') :])}.image.digest",
        )


def _variant(own: PartySpec, release: Release, place: Place, at: tuple[str, ...]) -> Iterator[Problem]:
    legal = {row.device: row.algorithms for row in release.variants}
    if own.algorithm not in legal.get(own.device, ()):
        images = "; ".join(f"{device}: {', '.join(algorithms)}" for device, algorithms in legal.items())
        yield Problem(
            place((*at, "device" if own.device not in legal else "algorithm")),
            f"FATE {own.release} has no images for device {own.device} with algorithm {own.algorithm}",
            f"choose one of: {images}",
        )


def _endpoints(
    links: LinkRow, given: Mapping[str, Publication], engine: str, kind: Kind, place: Place, at: tuple[str, ...]
) -> Iterator[Problem]:
    wanted = links.endpoints(kind, engine)
    for name in sorted(wanted - given.keys()):
        yield Problem(
            place((*at, "publish", name)),
            f"publish.{name} is missing",
            f"{KINDS[kind].noun} with {engine} publishes {' and '.join(sorted(wanted))}",
        )
    for name in sorted(given.keys() - wanted):
        yield Problem(
            place((*at, "publish", name)),
            f"publish.{name} does not belong to {engine}",
            f"remove it; {engine} publishes {' and '.join(sorted(wanted))}",
        )


def _exchange(spec: StackSpec, place: Place) -> Iterator[Problem]:
    own = spec.exchange
    release = None if own is None else spec.catalogue.get(own.release)
    if own is None or release is None:
        return
    if own.federation not in release.exchanges:
        yield Problem(
            place(("exchange", "federation")),
            f"release {own.release} has no exchange for {own.federation}",
            f"choose one of: {', '.join(release.exchanges)}",
        )
        return
    deployed = {to_snake(name) for name in release.exchanges[own.federation]}
    for name in sorted(own.modules.model_fields_set - deployed):
        yield Problem(
            place(("exchange", "modules", to_camel(name))),
            f"module {to_camel(name)} is not part of an exchange for {own.federation}",
            f"remove it; its modules are {', '.join(release.exchanges[own.federation])}",
        )
    yield from broken_knobs(exchange_module_specs(own), release.exchange, release, place, ("exchange",))
    for name in release.exchanges[own.federation]:
        yield from _image(release.exchange[name], exchange_module_specs(own)[name].image, place, ("exchange", "modules", name))
    yield from _endpoints(spec.federation.links, own.publish.given, own.federation, "exchange", place, ("exchange",))


def _everyone_uses_one_engine(spec: StackSpec, peers: Peers, place: Place) -> Iterator[Problem]:
    """Parties with different federation engines cannot talk, not even through an exchange."""
    used: list[tuple[tuple[str, ...], str]] = [] if spec.exchange is None else [(("exchange", "federation"), spec.exchange.federation)]
    used += [(("parties", party, "federation"), own.federation) for party, own in spec.parties_in_order]
    used += [(("peers", peer.name), peer.descriptor.engine) for peer in peers.accepted if peer.routed and peer.trains]
    # An engine that does not exist has its own problem, and nobody can be asked to use it.
    known = [(path, engine) for path, engine in used if engine in spec.federation.links.engines]
    for path, engine in known[1:]:
        first_path, first = known[0]
        if engine != first:
            yield Problem(
                place(path),
                f"uses {engine}, while {'.'.join(first_path)} of this stack uses {first}: they cannot talk to each other",
                "use one federation engine in a federation",
            )


def _everyone_has_one_major(spec: StackSpec, peers: Peers, place: Place) -> Iterator[Problem]:
    """Jobs of FATE 1.x and 2.x have different protocols, also through one exchange and with one federation engine."""
    used: list[tuple[tuple[str, ...], str]] = [] if spec.exchange is None else [(("exchange", "release"), spec.exchange.release)]
    used += [(("parties", party, "release"), own.release) for party, own in spec.parties_in_order]
    # A release that does not exist has its own problem; a peer typed by hand has none.
    known = [(path, release, str(spec.catalogue[release].major)) for path, release in used if release in spec.catalogue]
    theirs = ((peer.name, peer.descriptor.release or "") for peer in peers.accepted if peer.routed and peer.trains)
    known += [(("peers", name), release, release.split(".")[0]) for name, release in theirs if release]
    for path, release, major in known[1:]:
        first_path, first, first_major = known[0]
        if major != first_major:
            yield Problem(
                place(path),
                f"is FATE {release}, while {'.'.join(first_path[:2])} of this stack is FATE {first}: they cannot work on one job",
                "use releases of one major version in a federation",
            )
