"""Rules about FATE-Serving: its links to training, to its exchange, and what its modules need of each other."""

from collections.abc import Iterator
from functools import partial

from federation.base.errors import Finding, Problem, warning
from federation.config.credentials import Credential
from federation.config.serving import MOCK_BATCH, MOCK_SINGLE
from federation.config.units import AnyServingUnit, PartyUnit, ServingUnit
from federation.units.checked import CheckedStack, PlannedStack, UnitRule, UnitWarn, of_every_party
from federation.units.hubs import hub_is_described, hub_is_of_its_kind
from federation.units.module_rules import broken_knobs
from federation.units.party_owner import party_is_linked
from federation.units.serving.modules import serving_module_specs

# serving-proxy reads its party's id as a Java int.
_LARGEST_ID = 2**31 - 1


def _id_is_read(stack: CheckedStack, unit: ServingUnit) -> Iterator[Problem]:
    if int(unit.party) > _LARGEST_ID:
        yield Problem(stack.at(unit), f"serving-proxy reads no party id above {_LARGEST_ID}", "choose another party id")


def _exchange_is_there(stack: CheckedStack, unit: ServingUnit) -> Iterator[Problem]:
    if (name := unit.spec.exchange) is not None:
        yield from hub_is_described(stack, "servingExchange", name, (*unit.path, "exchange"))
        yield from hub_is_of_its_kind(stack, "servingExchange", name, (*unit.path, "exchange"))


def _modules_fit(stack: CheckedStack, unit: ServingUnit) -> Iterator[Problem]:
    own, local = unit.spec, unit.spec.cache.type == "local"
    if own.modules.serving_admin is not None and own.modules.serving_zookeeper is None:
        problem = "the console finds its servers in ZooKeeper, and does not start without it"
        yield Problem(stack.at(unit, "modules", "servingAdmin"), problem, "add servingZookeeper: {}")
    external = own.engines.redis is not None
    if "serving_redis" in own.modules.model_fields_set and (external or local):
        why = "Redis is elsewhere (engines.redis.external)" if external else "results are kept in memory (cache.type local)"
        yield Problem(stack.at(unit, "modules", "servingRedis"), f"is not deployed: {why}", "remove it")
    if external and local:
        where = stack.at(unit, "engines", "redis")
        yield Problem(where, "is not used: results are kept in memory (cache.type local)", "remove it")
    if own.credentials.redis is not None and (external or local):
        remedy = "remove it; the password of a Redis elsewhere is engines.redis.external.password"
        yield Problem(stack.at(unit, "credentials", "redis"), "is the password of a Redis that is not deployed", remedy)


def _passwords_stay(stack: CheckedStack, unit: ServingUnit) -> Iterator[Problem]:
    own = unit.spec
    passwords: dict[tuple[str, ...], Credential | None] = {
        ("credentials", slot): own.credentials.of(slot) for slot in ("redis", "zookeeper", "admin")
    }
    if own.engines.redis is not None:
        passwords["engines", "redis", "external", "password"] = own.engines.redis.external.password
    for path, credential in passwords.items():
        if credential is not None and credential.previous is not None:
            yield Problem(stack.at(unit, *path, "previous"), "no Job changes this password", "remove this line")


def _knobs(stack: CheckedStack, unit: AnyServingUnit) -> Iterator[Problem]:
    if (release := unit.releases.get(unit.spec.release)) is not None:
        yield from broken_knobs(serving_module_specs(unit.spec), release.modules, release, stack.place_of, unit.path)


def _publishes_its_proxy(stack: CheckedStack, unit: AnyServingUnit) -> Iterator[Problem]:
    if unit.spec.publish.serving_proxy is None:
        where = stack.at(unit, "publish", "servingProxy")
        yield Problem(where, "publish.servingProxy is missing", "FATE-Serving is linked by serving-proxy: publish it")


SERVING_RULES: tuple[UnitRule, ...] = (
    partial(party_is_linked, "to get models from"),
    _id_is_read,
    _exchange_is_there,
    _modules_fit,
    _passwords_stay,
    _knobs,
    _publishes_its_proxy,
)
SERVING_EXCHANGE_RULES: tuple[UnitRule, ...] = (_publishes_its_proxy, _knobs)


@of_every_party
def parties_find_their_serving(stack: CheckedStack, unit: PartyUnit) -> Iterator[Problem]:
    """What a party says of its FATE-Serving fits to what this stack holds."""
    servings, party, at = unit.spec.servings, unit.party, (*unit.path, "servings")
    if servings is None:
        return
    serving = stack.spec.serving.get(party)
    here = serving is not None
    if here and servings.hosts:
        problem = f"FATE-Serving of party {party} is in this stack, so it needs no address"
        yield Problem(stack.place_of((*at, "hosts")), problem, "remove this line, or the entry under fate:serving")
    if not here and not servings.hosts and not servings.use_registry:
        remedy = f"name host:port of serving-server, or describe FATE-Serving under fate:serving.{party}"
        yield Problem(stack.place_of((*at, "hosts")), "the address of FATE-Serving is missing", remedy)
    if here and servings.zookeeper is not None:
        problem = "this stack's FATE-Serving has a zookeeper of its own"
        yield Problem(stack.place_of((*at, "zookeeper")), problem, "remove it: useRegistry: true is enough")
    if servings.use_registry and serving is not None and serving.modules.serving_zookeeper is None:
        remedy = f"add serving.{party}.modules.servingZookeeper: {{}}, or remove useRegistry"
        yield Problem(stack.place_of((*at, "useRegistry")), f"FATE-Serving of party {party} has no zookeeper", remedy)
    if servings.use_registry and not here and servings.zookeeper is None:
        where = stack.place_of((*at, "useRegistry"))
        yield Problem(where, "no zookeeper is named", "add zookeeper: {hosts: [HOST:2181]}, or remove useRegistry")
    if servings.zookeeper is not None and servings.zookeeper.password is not None and servings.zookeeper.password.previous is not None:
        yield Problem(stack.place_of((*at, "zookeeper", "password", "previous")), "no Job changes this password", "remove this line")
    if not servings.use_registry and servings.zookeeper is not None:
        yield Problem(stack.place_of((*at, "zookeeper")), "is not used without useRegistry", "add useRegistry: true, or remove it")


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
            yield Problem(stack.place_of(("peers", peer.name)), problem, remedy)


def _features_are_invented(stack: PlannedStack, unit: ServingUnit) -> Iterator[Finding]:
    if {unit.spec.adaptors.single, unit.spec.adaptors.batch} & {MOCK_SINGLE, MOCK_BATCH}:
        text = f"serving {unit.party} predicts from made-up features (FATE-Serving's mock adaptors):"
        remedy = f"name your own in serving.{unit.party}.adaptors before anyone relies on a prediction"
        yield warning(stack.at(unit, "adaptors"), text, remedy)


def _in_the_clear(stack: PlannedStack, unit: ServingUnit) -> Iterator[Finding]:
    text = f"serving {unit.party} exchanges features and results with peers without encryption:"
    yield warning(stack.at(unit), text, "keep it inside a private network")


def _release_is_not_known_to_fit(stack: PlannedStack, unit: ServingUnit) -> Iterator[Finding]:
    training, release = stack.spec.parties.get(unit.party), unit.release
    if training is not None and training.release not in release.fate:
        known = ", ".join(release.fate) or "none that is deployed here"
        yield warning(
            stack.at(unit, "release"),
            f"serving {unit.party}: FATE-Flow of FATE {training.release} is not known to publish models "
            f"to FATE-Serving {unit.spec.release} (known: {known})",
        )


SERVING_WARNINGS: tuple[UnitWarn, ...] = (_features_are_invented, _in_the_clear, _release_is_not_known_to_fit)


def blocked_warnings(stack: PlannedStack) -> Iterator[Finding]:
    """FATE-Servings that this stack still reaches, although their parties are blocked: each is a peer of its own."""
    servings = {peer.party_id: peer for peer in stack.peers.parties("serving")}
    through = any(own.exchange is not None for own in stack.spec.serving.values())
    for peer in stack.peers.parties():
        serving, blocked = servings.get(peer.party_id), peer.state in ("suspended", "retired")
        where, title = stack.place_of(("peers", peer.name)), f"peer {peer.name} is {peer.state}, but its FATE-Serving"
        if blocked and serving is not None and serving.routed:
            yield warning(where, f"{title}, peer {serving.name}, is active:", "set its state, too")
        elif blocked and serving is None and through:
            yield warning(where, f"{title} is reached through the serving exchange:", "accept its descriptor, and set its state, too")
