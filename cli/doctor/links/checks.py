"""What a peer's answers mean: rows that name the fault, and which side has to act. Pure: it asks nothing itself."""

from collections.abc import Callable, Iterator

from cli.doctor.links.case import Case
from cli.doctor.links.http import fateflow_reply, http_rows, version_rows
from cli.doctor.links.questions import NOBODY
from cli.doctor.links.tls import tls_rows
from cli.doctor.rows import Row
from federation.base.hosts import canonical
from federation.base.scalars import is_ip


def rows_of(case: Case) -> Iterator[Row]:
    """The rows of one answer, up to the first step that failed: the next ones rest on it."""
    question = case.question
    if case.stage == "time":
        yield case.failed("every question is asked in time", (case.reason, "here: ask fewer peers at once, or give more with --timeout"))
        return
    if not is_ip(question.host):
        yield _resolved(case)
    if case.stage == "dns" or question.kind == "dns":
        return
    if not is_ip(question.host):
        elsewhere = _elsewhere(case)
        yield elsewhere
        # Whatever answers there is one of ours, and says nothing of the peer.
        if elsewhere.state == "failed":
            return
    yield _connected(case)
    if case.stage != "tcp":
        yield from PROTOCOLS[question.kind](case)


def _resolved(case: Case) -> Row:
    host, published = case.question.host, case.question.addresses
    addresses = case.answer.get("addresses", [])
    check = f"{host} resolves"
    if not addresses:
        fix = "{hop}: publish the name in DNS, or advertise an IP address; here: does this machine resolve any name?"
        return case.failed(check, ("the name does not resolve here", fix))
    if published and not set(addresses) & set(published):
        problem = f"it is at {', '.join(addresses)} now; routes lead to {', '.join(published)}, as the accepted descriptor says"
        return case.failed(check, (problem, "{hop}: export the descriptor again; here: `fatefed peers add` it, then `pulumi up`"))
    return case.ok(check)


def _elsewhere(case: Case) -> Row:
    """Whether a name leads to this stack itself: addresses in a descriptor are compared by each preview, a name only here."""
    question, check = case.question, f"{case.where} is elsewhere"
    own = ((address, case.own.owners.get((canonical(address), question.port))) for address in case.answer.get("addresses", []))
    matches = [f"it is at {address}:{question.port}, {whose}" for address, whose in own if whose is not None]
    if matches:
        problem = f"{'; '.join(matches)}: a proxy of this stack would dial itself"
        fix = (
            f"{{hop}}: let {question.host} lead to {{endpoint}} there, or export the descriptor with another host; "
            f"here: `fatefed peers suspend {case.hop}`, then `pulumi up`, until it does; does this DNS serve another network?"
        )
        return case.failed(check, (problem, fix))
    if case.own.unknown:
        fix = "here: make this stack's own names resolve, and its Services readable (docs/rbac/viewer.yaml); then ask again"
        return case.unread(check, "; ".join(case.own.unknown), fix)
    return case.ok(check)


def _connected(case: Case) -> Row:
    endpoint = case.question.endpoint
    check = f"{endpoint} {case.where} accepts connections"
    if case.stage != "tcp":
        return case.ok(check)
    if case.reason == "refused":
        fix = f"{{hop}}: is {endpoint} up, and is that its published port? if it moved, export the descriptor again"
        return case.failed(check, ("nothing listens there", fix))
    fix = "{hop}: is the host up, and does its firewall admit this side? here: is the way out open (`fatefed firewall`)?"
    return case.failed(check, (case.reason, fix))


# A SETTINGS frame of stream 0 is HTTP/2's first answer; a method frame of channel 0 with connection.start is AMQP's.
_FIRST: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "grpc": ("gRPC", lambda first: len(first) >= 9 and first[3] == 4 and first[5:9] == bytes(4)),
    "amqp": ("AMQP", lambda first: len(first) >= 11 and first[0] == 1 and first[7:11] == bytes([0, 10, 0, 10])),
}
_BEGINNINGS = {
    b"HTTP/": "HTTP/1 answers",
    b"<": "HTTP/1 answers",
    b"\x15\x03": "TLS answers",
    b"AMQP": "another version of AMQP answers",
    b"SSH-": "SSH answers",
}


def _opening(case: Case) -> Iterator[Row]:
    """What a server says first, and over gRPC whether it passes on what is for a party."""
    protocol, right = _FIRST[case.question.kind]
    check = f"{case.question.endpoint} {case.where} speaks {protocol}"
    first = bytes.fromhex(case.answer.get("first", ""))
    if right(first):
        yield case.ok(check)
        if case.question.reached is not NOBODY:
            yield from _passed_on(case)
        return
    if first:
        problem = next((words for begin, words in _BEGINNINGS.items() if first.startswith(begin)), "another protocol answers")
    else:
        problem = "the connection is closed" if case.reason in ("", "closed") else f"{case.reason}: it waits for another protocol, or hangs"
    yield case.failed(check, (problem, f"{{hop}}: publish the {protocol} port of {case.question.endpoint} itself"))


def _passed_on(case: Case) -> Iterator[Row]:
    reached, reply = case.question.reached, fateflow_reply(case)
    check = f"gRPC route to party {reached.party} at {case.where}"
    if (why := case.answer.get("uncalled")) is not None:
        yield case.unread(check, f"not asked: {why}", "here: ask from a machine that reaches the peer, without --in-cluster")
        return
    if not reply:
        # OSX tells the reason to its own log only.
        why = case.answer.get("said", "")[:160] or case.reason or f"the log of {case.question.endpoint} says why"
        fix = (
            "{hop}: is this stack's descriptor accepted there (state active)? here: are FATE-Flow and its proxy up, and open to {hop}?"
            if reached.ours
            else "{hop}: is party {party} accepted there, in state active? {owner}: is FATE-Flow up?"
        )
        yield case.failed(check, (f"FATE-Flow of party {{party}} does not answer: {why}", fix))
        return
    yield case.ok(check)
    if not reached.ours:
        yield from version_rows(case, reply)


# By protocol of a port (`Probe` of the catalogue).
PROTOCOLS: dict[str, Callable[[Case], Iterator[Row]]] = {
    "tls": tls_rows,
    "sni": tls_rows,
    "http": http_rows,
    "grpc": _opening,
    "amqp": _opening,
}
