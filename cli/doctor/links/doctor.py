"""`fatefed doctor PEER`: everything that can be known of the link to a peer, from the stack's files and from what servers answer."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from cli.doctor.links.checks import rows_of
from cli.doctor.links.http import release_rows
from cli.doctor.links.own_addresses import OwnAddresses, own_questions
from cli.doctor.links.probe_result import ProbeResult
from cli.doctor.links.questions import Hop, Question, hops, questions
from cli.doctor.questions import guarded
from cli.doctor.rows import Row, skipped
from cli.tools.errors import CommandError, FailedError
from federation.base.scalars import is_ip
from federation.catalogue.kinds import KINDS, Kind
from federation.peers.accepted import Peer
from federation.stack.load import LoadedStack
from federation.units.unit import UnitPlan

# Answers to questions (cli/doctor/probe.py), in their order.
Prober = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
Now = Callable[[], datetime]
# Where this stack is reached itself, by the answers to its own names; it may wait for the cluster.
Own = Callable[[Mapping[Question, Mapping[str, Any]]], OwnAddresses]


def chosen(loaded: LoadedStack, names: Iterable[str], *, every: bool) -> list[str]:
    """The peers to ask about; `every`: all active ones. CommandError for a name that is none."""
    known = {*loaded.spec.peers}
    for name in names:
        if name not in known:
            raise CommandError(f"peer {name}", "is not in fate:peers", f"name one of: {', '.join(sorted(known)) or 'there is none'}")
    active = [peer.name for peer in loaded.peers.accepted if peer.routed] if every else []
    return list(dict.fromkeys([*names, *sorted(active)]))


def dialling_units(loaded: LoadedStack, names: Iterable[str]) -> list[UnitPlan]:
    """The units of this stack that have routes to peers of these kinds."""
    programs = {KINDS[peer.kind].program for peer in loaded.peers.accepted if peer.name in set(names)}
    return [unit for unit in loaded.plan.units if KINDS[unit.kind].program in programs]


def peer_rows(loaded: LoadedStack, names: list[str], probe: Prober, now: Now, own: Own) -> list[Row]:
    """The rows of some peers. Each server is asked each question once, all at the same time. `probe` may raise FailedError."""
    # An exchange before the peers behind it: what fails of it is its own row.
    names = sorted(names, key=lambda name: (peer := _accepted(loaded, name)) is None or KINDS[peer.kind].of_a_party)
    wanted = [(name, hop, question) for name in names for hop in _hops(loaded, name) for question in questions(loaded, hop)]
    named = any(not is_ip(question.host) for _, _, question in wanted)
    asked = list(dict.fromkeys([*(question for _, _, question in wanted), *(own_questions(loaded) if named else [])]))
    rows: list[Row] = []
    before: dict[tuple[str, str], Row] = {}
    unasked: Row | None = None
    try:
        plain_answers = probe([{"id": str(number), **question.plain} for number, question in enumerate(asked)])
    except FailedError as error:
        plain_answers, unasked = [], Row("the questions run inside the cluster", "failed", error.problem, error.fix)
        rows.append(unasked)
    answers = dict(zip(asked, plain_answers, strict=False))
    moment = now()
    ours = own(answers) if named and answers else OwnAddresses()
    for name in names:
        about = [*_known(loaded, name, moment.date()), *_once("", name, _hubs(loaded, name), before)]
        for owner, hop, question in wanted:
            if owner != name:
                continue
            result = _result(loaded, name, hop, question, answers.get(question, {}), moment, ours)
            if unasked is not None:
                about.append(skipped(f"{result.subject}: {question.endpoint} {result.where}", unasked))
                continue
            judged = guarded(f"{result.subject}: {question.endpoint} {result.where}", rows_of(result))
            about += _once("" if result.stage == "time" else result.hop, result.subject, judged, before)
        rows += _distinct(about)
    return rows


def _result(
    loaded: LoadedStack, name: str, hop: Hop, question: Question, answer: dict[str, Any], moment: datetime, own: OwnAddresses
) -> ProbeResult:
    peer = _accepted(loaded, name)
    return ProbeResult(
        subject=name if hop.peer.name == name else f"{name} through {hop.peer.name}",
        question=question,
        answer=answer,
        domain=loaded.spec.federation.domain,
        ours=_releases(loaded, "party"),
        theirs=None if peer is None else peer.descriptor.release,
        now=moment,
        own=own,
    )


def _hops(loaded: LoadedStack, name: str) -> list[Hop]:
    """The servers to ask about a peer: none for a peer without routes."""
    peer = _accepted(loaded, name)
    if peer is None or not peer.routed:
        return []
    return [hop for hop in hops(loaded.spec, loaded.peers, peer) if hop.peer.routed]


def _known(loaded: LoadedStack, name: str, today: date) -> Iterator[Row]:
    """What the stack's own files say of a peer."""
    peer, check = _accepted(loaded, name), f"{name}: is accepted and active here"
    if peer is None:
        yield Row(check, "failed", f"pending: {loaded.peers.pending[name]}", "here: `fatefed peers add` its descriptor, then `pulumi up`")
        return
    if not peer.routed:
        problem = f"it is {peer.state} here" + (f": {peer.reason}" if peer.reason else "")
        remedy = f"here: `fatefed peers resume {name}`, then `pulumi up`, if the reason is over"
        yield Row(check, "failed", problem, remedy if peer.state != "retired" else "here: a retired peer cannot become active again")
        return
    yield Row(check, "ok")
    yield from _descriptor(peer, today)
    if peer.descriptor.release is not None:
        releases = _releases(loaded, peer.kind)
        yield from release_rows(f"{name}: release in its descriptor", name, releases, peer.descriptor.release)
    yield from _dialled(loaded, peer)


def _descriptor(peer: Peer, today: date) -> Iterator[Row]:
    if peer.not_after is None:
        return
    check = f"{peer.name}: descriptor is valid until {peer.not_after}"
    fix = f"{peer.name}: export a new descriptor; here: `fatefed peers add` it"
    yield Row(check, "failed", "it ended", fix) if peer.not_after < today.isoformat() else Row(check, "ok")


def _dialled(loaded: LoadedStack, peer: Peer) -> Iterator[Row]:
    """That nobody dials the peer."""
    if not hops(loaded.spec, loaded.peers, peer):
        fix = "here: accept its exchange's descriptor, or name both in one of fate:collaborations, if they are to work together"
        yield Row(
            f"{peer.name}: a unit of this stack dials it", "failed", "none does: no accepted exchange, or no common collaboration", fix
        )


def _hubs(loaded: LoadedStack, name: str) -> Iterator[Row]:
    """Exchanges that an active peer is reached through, and that get no routes."""
    peer = _accepted(loaded, name)
    for hop in hops(loaded.spec, loaded.peers, peer) if peer is not None and peer.routed else ():
        if not hop.peer.routed:
            fix = f"here: `fatefed peers resume {hop.peer.name}`, then `pulumi up`"
            yield Row(f"{name}: exchange {hop.peer.name} is active here", "failed", f"it is {hop.peer.state}", fix)


def _releases(loaded: LoadedStack, kind: Kind) -> tuple[str, ...]:
    return tuple(sorted({unit.release for unit in loaded.plan.units if KINDS[unit.kind].program == KINDS[kind].program}))


def _accepted(loaded: LoadedStack, name: str) -> Peer | None:
    return next((peer for peer in loaded.peers.accepted if peer.name == name), None)


def _once(hop: str, subject: str, rows: Iterable[Row], before: dict[tuple[str, str], Row]) -> Iterator[Row]:
    """The rows; a fault of a hop that failed for another peer already is skipped for this one. `before`: those, which grow."""
    for row in rows:
        first = before.setdefault((hop, row.check.removeprefix(subject)), row) if row.state == "failed" else row
        yield row if first.check == row.check else skipped(row.check, first)


def _distinct(rows: Iterable[Row]) -> list[Row]:
    """Each check once; several questions to one port begin alike, and a fault counts."""
    by_check: dict[str, Row] = {}
    for row in rows:
        if row.check not in by_check or row.state == "failed":
            by_check[row.check] = row
    return list(by_check.values())


def now() -> datetime:
    """The time here."""
    return datetime.now(UTC)
