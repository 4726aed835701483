"""What a change of a stack does to running parties: compares what the state has recorded of each unit with the plan."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from federation.access.exposure import exposure_changes
from federation.links.pairs import affected, by_number, exchanges, through
from federation.trust.provided import provided_changes
from federation.units.data import lost_data, taken_namespaces
from federation.units.recorded import Recorded

EffectKind = Literal["reload", "cut", "open", "rolling restart", "recreate", "data loss"]
# How much each kind hurts: nothing stops; a link ends, the network opens, or pods start again; data is left behind.
SEVERITY: dict[EffectKind, int] = {"reload": 0, "cut": 1, "open": 1, "rolling restart": 1, "recreate": 1, "data loss": 2}
# Modules whose restart no peer notices.
_UNNOTICED = frozenset({"fateboard", "client", "servingAdmin"})
# States that the peer should answer by blocking this side, too.
_BLOCKED = frozenset({"suspended", "retired"})


@dataclass(frozen=True)
class Effect:
    """One thing that a change does: to which pairs of parties, how, and who must act. `more`: pairs beside those that are named."""

    unit: str
    kind: EffectKind
    what: str
    pairs: tuple[str, ...]
    acts: str
    more: int = 0

    @property
    def affects(self) -> str:
        """The pairs in words; empty: none."""
        rest = [f"and {self.more:,} more pairs"] if self.more else []
        return ", ".join([*self.pairs, *rest])

    def plain(self) -> dict[str, Any]:
        """The effect as JSON-like data."""
        return {**asdict(self), "pairs": list(self.pairs)}

    def __str__(self) -> str:
        pairs = f"; affects {self.affects}" if self.pairs else ""
        return f"{self.unit}: {self.kind}: {self.what}{pairs}; to act: {self.acts}"


@dataclass(frozen=True)
class _Change:
    """One unit as the state has recorded it, and as planned. What was not recorded counts as unchanged."""

    unit: str
    owner: str
    old: Recorded
    new: Recorded

    def before(self, key: str) -> Any:
        return self.old.get(key, self.new[key])

    @property
    def everyone(self) -> set[str]:
        """The targets of the unit, now or before; a peer behind another exchange than before counts as a changed target."""
        links = {*self.before("links"), *self.new["links"]}
        replaced = {*exchanges(links)} - {*exchanges(self.new["links"])} if exchanges(self.new["links"]) else ()
        return links - {through(exchange) for exchange in replaced}

    def effect(self, kind: EffectKind, what: str, touched: Collection[str] | None = None, acts: str | None = None) -> Effect:
        """`touched`: which links; None: all of them. `acts`: beside the owner."""
        members = self.everyone
        pairs = affected(self.unit, members if touched is None else touched, members, self.new.get("groups"))
        return Effect(self.unit, kind, what, pairs.shown, self.owner if acts is None else f"{self.owner}{acts}", pairs.more)


def stack_effects(old: Mapping[str, Recorded], new: Mapping[str, Recorded], owner: str = "this stack") -> tuple[Effect, ...]:
    """The effects on every unit of a stack."""
    before, after = ({unit: recorded.get("data", {}) for unit, recorded in side.items()} for side in (old, new))
    taken = [Effect(unit, "data loss", f"refused: {problem}", (), owner) for unit, problem in taken_namespaces(before, after)]
    others = (effect for unit in sorted({*old, *new}) for effect in effects(unit, old.get(unit), new.get(unit), owner))
    return (*taken, *others)


def effects(unit: str, old: Recorded | None, new: Recorded | None, owner: str = "this stack") -> Iterator[Effect]:
    """The effects on one unit. None: the unit does not exist. A value that was not recorded counts as unchanged."""
    if new is None and old is not None:
        yield _removed(unit, old, owner)
    if old is None or new is None:
        return
    change = _Change(unit, owner, old, new)
    yield from _moved(change)
    yield from _upgrade(change)
    yield from _restarts(change)
    yield from _scaled(change)
    yield from _published(change)
    for effect, what in exposure_changes(old, new):
        yield change.effect("open" if effect == "open" else "cut", what)
    yield from _links(change)
    yield from _certificates(change)
    yield from _trust(change)
    yield from _issued(change)
    yield from _provided(change)


def _removed(unit: str, old: Recorded, owner: str) -> Effect:
    links, data = old.get("links"), old.get("data", {})
    # For a removed unit a preview has only its recorded data (`components.stack_record`); `fatefed plan` also lists its peers.
    gone = affected(unit, ["all its peers"], (), None) if links is None else affected(unit, links, links, old.get("groups"))
    kept = (
        f": the claims of {', '.join(sorted(claims))} stay in namespace {data['namespace']}, unused"
        if (claims := data.get("claims"))
        else ""
    )
    return Effect(unit, "data loss" if kept else "cut", f"is removed{kept}", gone.shown, f"{owner}; every peer retires it", gone.more)


def _moved(change: _Change) -> Iterator[Effect]:
    """The effect on a unit's data; for a unit without data, whether it is created again in another namespace."""
    old, new = change.before("data"), change.new["data"]
    if "claims" in new:
        for lost in lost_data(old, new):
            yield change.effect("data loss", lost)
        return
    if (before := old.get("namespace", new["namespace"])) != new["namespace"]:
        yield change.effect(
            "cut", f"moves from namespace {before} to {new['namespace']}: every object is created again, and its links are down until then"
        )


def _upgrade(change: _Change) -> Iterator[Effect]:
    """A change of the release; `_restarts` reports its restarts."""
    before, after = change.before("data").get("release"), change.new["data"].get("release")
    if before is not None and before != after:
        why = f"release {before} -> {after}: end running jobs and dump the database before (docs/reference/releases.md)"
        yield change.effect("recreate", why)


def _restarts(change: _Change) -> Iterator[Effect]:
    before, after, rolling = change.before("modules"), change.new["modules"], change.new["rolling"]
    changed = {name for name in after if name in before and before[name] != after[name]}
    rows: tuple[tuple[EffectKind, Collection[str], str], ...] = (
        ("recreate", changed - {*rolling}, "pods of {} restart, all at once"),
        ("rolling restart", changed & {*rolling}, "pods of {} restart one after another"),
        ("cut", before.keys() - after.keys(), "{} is removed"),
    )
    for kind, names, what in rows:
        if noticed := sorted(set(names) - _UNNOTICED):
            yield change.effect(kind, what.format(", ".join(noticed)))
        if unnoticed := sorted(set(names) & _UNNOTICED):
            yield change.effect("reload", what.format(", ".join(unnoticed)), ())


def _scaled(change: _Change) -> Iterator[Effect]:
    before, after = change.before("replicas"), change.new["replicas"]
    for name in sorted(before.keys() & after.keys()):
        what = f"pods of {name}: {int(before[name])} -> {int(after[name])}"
        if after[name] < before[name]:
            yield change.effect("recreate", f"{what}: the work on the others is lost")
        elif after[name] > before[name]:
            yield change.effect("reload", what, ())


def _published(change: _Change) -> Iterator[Effect]:
    acts = " exports the descriptor again; every peer accepts it and runs `pulumi up`"
    if change.before("published") != change.new["published"]:
        yield change.effect("cut", "what it publishes changes: peers dial the old address until they accept the new descriptor", None, acts)
    if change.before("identity") != change.new["identity"]:
        yield change.effect("reload", "its descriptor names another organization or federation", None, acts)
    if change.before("boards") != change.new["boards"]:
        yield change.effect("reload", "the addresses of its consoles change", ())
    if shown := sorted(change.new["consoles"].keys() - change.before("consoles").keys()):
        yield change.effect("open", f"browsers can now reach more consoles: {', '.join(shown)}", ())


def _links(change: _Change) -> Iterator[Effect]:
    before, after = change.before("links"), change.new["links"]
    moved = {name for name in after if name in before and before[name] != after[name]}
    old, new = exchanges(before), exchanges(after)
    rerouted = old != new and bool(old and new)
    if rerouted:
        what = f"goes through {' and '.join(new)} instead of {' and '.join(old)}"
        yield change.effect("reload", what, {*map(through, new), *moved})
    elif moved:
        yield change.effect("reload", "routes lead elsewhere", moved)
    hubs = {through(exchange) for exchange in (*old, *new)} if rerouted else set()
    if added := after.keys() - before.keys() - hubs:
        back = added & change.old.get("severed", {}).keys()
        for touched, what, acts in (
            (added - back, "new routes", "; the other side accepts this stack's descriptor"),
            (back, "routes come back", "; the other side resumes it, if it suspended it"),
        ):
            if touched:
                yield change.effect("reload", f"{what}{_to(change, touched)}", touched, acts)
    gone = before.keys() - after.keys() - hubs
    # In a star the default route leads to every party that has no entry.
    kept = gone - change.new["severed"].keys() if new else set()
    yield from _by_default(change, kept, " and ".join(new))
    yield from _ended(change, gone - kept)


def _by_default(change: _Change, unnamed: Collection[str], default: str) -> Iterator[Effect]:
    """Parties that are no longer named: in a star the default reaches them, so it is no longer blocked."""
    if unnamed:
        yield change.effect("reload", f"routes to {_named(unnamed)} lead through {default}, as to everyone: no longer known", unnamed)
    blocked, known = change.old.get("severed", {}), {*change.new["links"], *change.new["severed"]}
    reasons: dict[str, set[str]] = {}
    for name in blocked.keys() - known - {through(exchange) for exchange in exchanges(blocked)}:
        reasons.setdefault(blocked[name], set()).add(name)
    for reason, names in sorted(reasons.items()):
        free = ", and any key may claim the party id" if reason == "retired" else ""
        if default:
            what = f"routes to {_named(names)} lead through {default} again, as to everyone: so far {reason}, and now unknown{free}"
            yield change.effect("open", what, names)
        elif free:
            yield change.effect("reload", f"{_named(names)}, so far {reason}, is no longer known{free}", ())


def _ended(change: _Change, gone: Collection[str]) -> Iterator[Effect]:
    """Routes that end, by the reason: the other side is asked to act only if this one blocked them on purpose."""
    reasons: dict[str, set[str]] = {}
    for name in gone:
        reasons.setdefault(change.new["severed"].get(name, ""), set()).add(name)
    for reason, names in sorted(reasons.items()):
        acts = f"; the other side should suspend or retire {change.unit} too" if reason in _BLOCKED else ""
        yield change.effect("cut", f"routes{_to(change, names)} end{f': {reason}' if reason else ''}", names, acts)


def _to(change: _Change, names: Collection[str]) -> str:
    """The targets of routes: a hub's pairs alone do not show them."""
    if change.new.get("groups") is None:
        return ""
    return f" to {_named(names)}"


def _named(names: Collection[str]) -> str:
    ordered = sorted(names, key=by_number)
    return ", ".join(ordered[:3]) + (f" and {len(ordered) - 3:,} more" if len(ordered) > 3 else "")


def _certificates(change: _Change) -> Iterator[Effect]:
    """The unit's own certificate: which CA signs it, and which CAs its descriptor holds."""
    before, after = change.before("signer"), change.new["signer"]
    export = " exports the descriptor again; every peer accepts it and runs `pulumi up`"
    if before != after and after in change.before("authorities"):
        yield change.effect("reload", "its next CA signs its certificate, which Pulsar reads within 5 minutes; no pod restarts")
        yield change.effect(
            "cut", "peers that have not accepted its next CA refuse its certificate", None, "; before: every peer has accepted it"
        )
    elif before != after:
        yield change.effect("cut", "another CA signs its certificate: peers refuse it until they accept that CA", None, export)
    if change.before("authorities") != change.new["authorities"] and (before == after or after in change.before("authorities")):
        yield change.effect("reload", "the CAs in its descriptor change", None, export)


def _trust(change: _Change) -> Iterator[Effect]:
    before, after = change.before("trusted"), change.new["trusted"]
    # Earlier versions recorded the party itself, too.
    own = {change.unit.removeprefix("party-")}
    rows: tuple[tuple[EffectKind, str, Collection[str]], ...] = (
        ("cut", "certificates of these parties are no longer trusted", before.keys() - after.keys() - own),
        ("reload", "certificates of these parties become trusted", after.keys() - before.keys() - own),
        (
            "reload",
            "the authorities of these parties change",
            {party for party in before.keys() & after.keys() if before[party] != after[party]},
        ),
    )
    for kind, what, parties in rows:
        if parties:
            yield change.effect(kind, what, parties)


def _issued(change: _Change) -> Iterator[Effect]:
    before, after = change.old.get("issuers", {}), change.new.get("issuers", {})
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            what = f"certificate {name} is issued again, now by {after[name]}, so far by {before[name]}; Pulsar reads it within 5 minutes"
            yield change.effect("reload", what, ())


def _provided(change: _Change) -> Iterator[Effect]:
    """Certificates that the operator provides. Only the running program sees them, so both sides may lack them here."""
    for certificate in provided_changes(change.old.get("provided", {}), change.new.get("provided", {})):
        yield change.effect(certificate.effect, certificate.what, None if certificate.everyone else (), certificate.acts)
