"""Rules about FATE-Serving: its links to training, to its exchange, and what its modules need of each other."""

from collections.abc import Iterator

from federation.base.errors import Problem, of_each
from federation.catalogue.serving import serving_catalogue
from federation.config.credentials import Credential
from federation.config.serving import MOCK_BATCH, MOCK_SINGLE
from federation.config.stack import StackSpec
from federation.config.units import AnyServingUnit, PartyUnit, ServingUnit, party_units
from federation.peers.accepted import Peers
from federation.units.checked import CheckedStack, UnitRule
from federation.units.hubs import hub_is_described, hub_is_of_its_kind
from federation.units.module_rules import broken_knobs
from federation.units.party_owner import party_is_linked
from federation.units.serving.modules import serving_module_specs

# serving-proxy reads its party's id as a Java int.
_LARGEST_ID = 2**31 - 1


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


def _party_is_linked(stack: CheckedStack, unit: ServingUnit) -> Iterator[Problem]:
    return party_is_linked(stack, unit, "to get models from")


def _id_is_read(stack: CheckedStack, unit: ServingUnit) -> Iterator[Problem]:
    if int(unit.party) > _LARGEST_ID:
        yield Problem(stack.place(unit.path), f"serving-proxy reads no party id above {_LARGEST_ID}", "choose another party id")


def _exchange_is_there(stack: CheckedStack, unit: ServingUnit) -> Iterator[Problem]:
    if (name := unit.spec.exchange) is not None:
        yield from hub_is_described(stack, "servingExchange", name, (*unit.path, "exchange"))
        yield from hub_is_of_its_kind(stack, "servingExchange", name, (*unit.path, "exchange"))


def _modules_fit(stack: CheckedStack, unit: ServingUnit) -> Iterator[Problem]:
    own, local = unit.spec, unit.spec.cache.type == "local"
    if own.modules.serving_admin is not None and own.modules.serving_zookeeper is None:
        problem = "the console finds its servers in zookeeper, and does not start without one"
        yield Problem(stack.place((*unit.path, "modules", "servingAdmin")), problem, "add servingZookeeper: {}")
    external = own.engines.redis is not None
    if "serving_redis" in own.modules.model_fields_set and (external or local):
        why = "Redis is elsewhere (engines.redis.external)" if external else "results are kept in memory (cache.type local)"
        yield Problem(stack.place((*unit.path, "modules", "servingRedis")), f"is not deployed: {why}", "remove it")
    if external and local:
        where = stack.place((*unit.path, "engines", "redis"))
        yield Problem(where, "is not used: results are kept in memory (cache.type local)", "remove it")
    if own.credentials.redis is not None and (external or local):
        remedy = "remove it; the password of a Redis elsewhere is engines.redis.external.password"
        yield Problem(stack.place((*unit.path, "credentials", "redis")), "is the password of a Redis that is not deployed", remedy)


def _passwords_stay(stack: CheckedStack, unit: ServingUnit) -> Iterator[Problem]:
    own = unit.spec
    passwords: dict[tuple[str, ...], Credential | None] = {
        ("credentials", slot): own.credentials.of(slot) for slot in ("redis", "zookeeper", "admin")
    }
    if own.engines.redis is not None:
        passwords["engines", "redis", "external", "password"] = own.engines.redis.external.password
    for path, credential in passwords.items():
        if credential is not None and credential.previous is not None:
            yield Problem(stack.place((*unit.path, *path, "previous")), "no Job changes this password", "remove this line")


def _knobs(stack: CheckedStack, unit: AnyServingUnit) -> Iterator[Problem]:
    if (release := unit.releases.get(unit.spec.release)) is not None:
        yield from broken_knobs(serving_module_specs(unit.spec), release.modules, release, stack.place, unit.path)


def _publishes_its_proxy(stack: CheckedStack, unit: AnyServingUnit) -> Iterator[Problem]:
    if unit.spec.publish.serving_proxy is None:
        where = stack.place((*unit.path, "publish", "servingProxy"))
        yield Problem(where, "publish.servingProxy is missing", "FATE-Serving is linked by serving-proxy: publish it")


SERVING_RULES: tuple[UnitRule, ...] = (
    _party_is_linked,
    _id_is_read,
    _exchange_is_there,
    _modules_fit,
    _passwords_stay,
    _knobs,
    _publishes_its_proxy,
)
SERVING_EXCHANGE_RULES: tuple[UnitRule, ...] = (_publishes_its_proxy, _knobs)


def parties_find_their_serving(stack: CheckedStack) -> Iterator[Problem]:
    """What a party says of its FATE-Serving fits to what this stack holds."""
    return of_each(party_units(stack.spec).values(), lambda unit: _servings(stack, unit))


def _servings(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    given, party, at = unit.spec.servings, unit.party, (*unit.path, "servings")
    if given is None:
        return
    serving = stack.spec.serving.get(party)
    here = serving is not None
    if here and given.hosts:
        problem = f"FATE-Serving of party {party} is in this stack, and is linked without an address"
        yield Problem(stack.place((*at, "hosts")), problem, "remove this line, or the entry under fate:serving")
    if not here and not given.hosts and not given.use_registry:
        remedy = f"name host:port of serving-server, or describe FATE-Serving under fate:serving.{party}"
        yield Problem(stack.place((*at, "hosts")), "says nothing of where FATE-Serving is", remedy)
    if here and given.zookeeper is not None:
        problem = "this stack's FATE-Serving has a zookeeper of its own"
        yield Problem(stack.place((*at, "zookeeper")), problem, "remove it: useRegistry: true is enough")
    if given.use_registry and serving is not None and serving.modules.serving_zookeeper is None:
        remedy = f"add serving.{party}.modules.servingZookeeper: {{}}, or remove useRegistry"
        yield Problem(stack.place((*at, "useRegistry")), f"FATE-Serving of party {party} has no zookeeper", remedy)
    if given.use_registry and not here and given.zookeeper is None:
        where = stack.place((*at, "useRegistry"))
        yield Problem(where, "no zookeeper is named", "add zookeeper: {hosts: [HOST:2181]}, or remove useRegistry")
    if given.zookeeper is not None and given.zookeeper.password is not None and given.zookeeper.password.previous is not None:
        where = stack.place((*at, "zookeeper", "password", "previous"))
        yield Problem(where, "no Job changes this password", "remove this line")
    if not given.use_registry and given.zookeeper is not None:
        yield Problem(stack.place((*at, "zookeeper")), "is not used without useRegistry", "add useRegistry: true, or remove it")


def party_of_own_serving(stack: CheckedStack) -> Iterator[Problem]:
    """The party whose FATE-Serving is here belongs to this organization: from another of its stacks, with the same key."""
    own = frozenset(stack.spec.serving)
    for peer in stack.peers.parties():
        if peer.party_id not in own or (peer.by_hand and peer.key is None):
            continue
        ours, identity = peer.by_hand or peer.descriptor.organization == stack.spec.organization, stack.spec.identity
        if not ours or (peer.key is not None and identity is not None and peer.key != identity.key):
            who = peer.descriptor.organization if peer.key is None else f"{peer.descriptor.organization}, {peer.key}"
            problem = f"is party {peer.party_id} of {who}, whose FATE-Serving is in this stack"
            remedy = (
                "correct the party id under fate:serving; stacks of one organization have one key (fate:identity, fate:secrets.identity)"
            )
            yield Problem(stack.place(("peers", peer.name)), problem, remedy)


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
