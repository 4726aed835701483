"""Rules about FATE-Serving: its links to training, to its exchange, and what its modules need of each other."""

from collections.abc import Iterator

from federation.base.errors import Paths, Place, Problem
from federation.base.scalars import PartyId
from federation.catalogue.serving import serving_catalogue
from federation.config.credentials import Credential
from federation.config.serving import MOCK_BATCH, MOCK_SINGLE, ServingSpec
from federation.config.stack import StackSpec
from federation.peers.accepted import Peers
from federation.units.hubs import hub_is_described, hub_is_of_its_kind
from federation.units.module_rules import broken_knobs
from federation.units.party_owner import belongs_to_its_party
from federation.units.serving.plan import serving_module_specs

# serving-proxy reads its party's id as a Java int.
_LARGEST_ID = 2**31 - 1


def broken_serving_rules(spec: StackSpec, peers: Peers, place: Place, left_out: Paths) -> tuple[Problem, ...]:
    """Every problem with FATE-Serving. `left_out`: see `federation.stack.plan.check_stack`."""
    problems = [
        *belongs_to_its_party("serving", spec, peers, place),
        *_party_of_own_serving(spec, peers, place),
        *_serving_exchange(spec, place),
    ]
    for party, own in spec.servings_in_order:
        problems += [*_training(spec, party, own, place, left_out), *_exchange(spec, party, own, peers, place, left_out)]
        problems += [*_modules(party, own, place), *_publishes_its_proxy(("serving", party), own.publish.serving_proxy, place)]
    for party, _ in spec.parties_in_order:
        problems += _servings(spec, party, place, left_out)
    return tuple(problems)


def serving_warnings(spec: StackSpec) -> Iterator[str]:
    """What an operator should know of a FATE-Serving that is otherwise right."""
    for party, own in spec.servings_in_order:
        if {own.adaptors.single, own.adaptors.batch} & {MOCK_SINGLE, MOCK_BATCH}:
            yield (
                f"serving {party} invents the features it predicts from (FATE-Serving's mock adaptors): "
                f"name your own in serving.{party}.adaptors before anybody relies on a prediction"
            )
        yield f"serving {party} exchanges features and results with peers without encryption: keep it inside a private network"
        training, release = spec.parties.get(party), serving_catalogue()[own.release]
        if training is not None and training.release not in release.fate:
            known = ", ".join(release.fate) or "none that is deployed here"
            yield (
                f"serving {party}: FATE-Flow of FATE {training.release} is not known to publish models to FATE-Serving {own.release} "
                f"(known: {known})"
            )


def _training(spec: StackSpec, party: PartyId, own: ServingSpec, place: Place, left_out: Paths) -> Iterator[Problem]:
    """It has one training party: this stack's of the same id, or one elsewhere by its address."""
    where = place(("serving", party, "fateflow"))
    here = party in spec.parties or bool({("parties",), ("parties", party)} & left_out)
    if own.fateflow is not None and party in spec.parties:
        problem = f"party {party} is in this stack, and its FATE-Flow is linked without an address"
        yield Problem(where, problem, "remove this line, or correct the party id")
    if own.fateflow is None and not here:
        problem = f"this stack has no party {party} to get models from"
        yield Problem(where, problem, "describe the party under fate:parties, or name the address of its FATE-Flow: fateflow: HOST:9380")
    if int(party) > _LARGEST_ID:
        yield Problem(place(("serving", party)), f"serving-proxy reads no party id above {_LARGEST_ID}", "choose another party id")


def _servings(spec: StackSpec, party: PartyId, place: Place, left_out: Paths) -> Iterator[Problem]:
    """What a party says of its FATE-Serving fits to what this stack holds."""
    given, serving = spec.parties[party].servings, spec.serving.get(party)
    here = serving is not None or bool({("serving",), ("serving", party)} & left_out)
    if given is None:
        return
    at = ("parties", party, "servings")
    if here and given.hosts:
        problem = f"FATE-Serving of party {party} is in this stack, and is linked without an address"
        yield Problem(place((*at, "hosts")), problem, "remove this line, or the entry under fate:serving")
    if not here and not given.hosts and not given.use_registry:
        remedy = f"name host:port of serving-server, or describe FATE-Serving under fate:serving.{party}"
        yield Problem(place((*at, "hosts")), "says nothing of where FATE-Serving is", remedy)
    if here and given.zookeeper is not None:
        yield Problem(
            place((*at, "zookeeper")), "this stack's FATE-Serving has a zookeeper of its own", "remove it: useRegistry: true is enough"
        )
    if given.use_registry and serving is not None and serving.modules.serving_zookeeper is None:
        remedy = f"add serving.{party}.modules.servingZookeeper: {{}}, or remove useRegistry"
        yield Problem(place((*at, "useRegistry")), f"FATE-Serving of party {party} has no zookeeper", remedy)
    if given.use_registry and not here and given.zookeeper is None:
        yield Problem(place((*at, "useRegistry")), "no zookeeper is named", "add zookeeper: {hosts: [HOST:2181]}, or remove useRegistry")
    if given.zookeeper is not None and given.zookeeper.password is not None and given.zookeeper.password.previous is not None:
        yield Problem(place((*at, "zookeeper", "password", "previous")), "no Job changes this password", "remove this line")
    if not given.use_registry and given.zookeeper is not None:
        yield Problem(place((*at, "zookeeper")), "is not used without useRegistry", "add useRegistry: true, or remove it")


def _exchange(spec: StackSpec, party: PartyId, own: ServingSpec, peers: Peers, place: Place, left_out: Paths) -> Iterator[Problem]:
    if own.exchange is not None:
        where = place(("serving", party, "exchange"))
        yield from hub_is_described(spec, "servingExchange", own.exchange, where, left_out)
        yield from hub_is_of_its_kind(peers, "servingExchange", own.exchange, where)


def _modules(party: PartyId, own: ServingSpec, place: Place) -> Iterator[Problem]:
    at = ("serving", party)
    specs = serving_module_specs(own)
    if own.modules.serving_admin is not None and own.modules.serving_zookeeper is None:
        problem = "the console finds its servers in zookeeper, and does not start without one"
        yield Problem(place((*at, "modules", "servingAdmin")), problem, "add servingZookeeper: {}")
    external = own.engines.redis is not None
    if "serving_redis" in own.modules.model_fields_set and (external or own.cache.type == "local"):
        why = "Redis is elsewhere (engines.redis.external)" if external else "results are kept in memory (cache.type local)"
        yield Problem(place((*at, "modules", "servingRedis")), f"is not deployed: {why}", "remove it")
    if external and own.cache.type == "local":
        yield Problem(place((*at, "engines", "redis")), "is not used: results are kept in memory (cache.type local)", "remove it")
    if own.credentials.redis is not None and (external or own.cache.type == "local"):
        remedy = "remove it; the password of a Redis elsewhere is engines.redis.external.password"
        yield Problem(place((*at, "credentials", "redis")), "is the password of a Redis that is not deployed", remedy)
    passwords: dict[tuple[str, ...], Credential | None] = {
        ("credentials", slot): own.credentials.of(slot) for slot in ("redis", "zookeeper", "admin")
    }
    if own.engines.redis is not None:
        passwords["engines", "redis", "external", "password"] = own.engines.redis.external.password
    for path, credential in passwords.items():
        if credential is not None and credential.previous is not None:
            yield Problem(place((*at, *path, "previous")), "no Job changes this password", "remove this line")
    if (release := serving_catalogue().get(own.release)) is not None:
        yield from broken_knobs(specs, release.modules, release, place, at)


def _serving_exchange(spec: StackSpec, place: Place) -> Iterator[Problem]:
    own = spec.serving_exchange
    if own is None:
        return
    yield from _publishes_its_proxy(("servingExchange",), own.publish.serving_proxy, place)
    if (release := serving_catalogue().get(own.release)) is not None:
        yield from broken_knobs(serving_module_specs(own), release.modules, release, place, ("servingExchange",))


def _publishes_its_proxy(at: tuple[str, ...], given: object, place: Place) -> Iterator[Problem]:
    if given is None:
        where = place((*at, "publish", "servingProxy"))
        yield Problem(where, "publish.servingProxy is missing", "FATE-Serving is linked by serving-proxy: publish it")


def _party_of_own_serving(spec: StackSpec, peers: Peers, place: Place) -> Iterator[Problem]:
    """The party whose FATE-Serving is here belongs to this organization: from another of its stacks, with the same key."""
    for peer in peers.parties():
        if peer.party_id not in spec.serving or (peer.by_hand and peer.key is None):
            continue
        ours = peer.by_hand or peer.descriptor.organization == spec.organization
        if not ours or (peer.key is not None and spec.identity is not None and peer.key != spec.identity.key):
            who = peer.descriptor.organization if peer.key is None else f"{peer.descriptor.organization}, {peer.key}"
            problem = f"is party {peer.party_id} of {who}, whose FATE-Serving is in this stack"
            remedy = (
                "correct the party id under fate:serving; stacks of one organization have one key (fate:identity, fate:secrets.identity)"
            )
            yield Problem(place(("peers", peer.name)), problem, remedy)


def severed_warnings(spec: StackSpec, peers: Peers) -> Iterator[str]:
    """FATE-Servings that this stack still reaches, although their parties are severed: each is a peer of its own."""
    servings = {peer.party_id: peer for peer in peers.parties("serving")}
    through = any(own.exchange is not None for own in spec.serving.values())
    for peer in peers.parties():
        serving, severed = servings.get(peer.party_id), peer.state in ("suspended", "retired")
        if severed and serving is not None and serving.routed:
            yield f"peer {peer.name} is {peer.state}, but its FATE-Serving, peer {serving.name}, is active: set its state, too"
        elif severed and serving is None and through:
            yield (
                f"peer {peer.name} is {peer.state}, but its FATE-Serving is reached through the serving exchange: accept its descriptor, "
                "and set its state, too"
            )
