"""What a peer's answers mean: rows that name the fault, and which side has to act. Pure: it asks nothing itself."""

from collections.abc import Callable, Iterator

from cli.doctor.links.http import fateflow_reply, http_rows, version_rows
from cli.doctor.links.probe_result import ProbeResult
from cli.doctor.links.questions import NOBODY
from cli.doctor.links.tls import tls_rows
from cli.doctor.rows import Row
from federation.base.hosts import canonical
from federation.base.scalars import is_ip


def rows_of(result: ProbeResult) -> Iterator[Row]:
    """The rows of one answer, up to the first step that failed: the next ones rest on it."""
    question = result.question
    if result.stage == "time":
        yield result.failed(
            "every question is asked in time", (result.reason, "here: ask fewer peers at once, or give more with --timeout")
        )
        return
    if not is_ip(question.host):
        yield _resolved(result)
    if result.stage == "dns" or question.kind == "dns":
        return
    if not is_ip(question.host):
        elsewhere = _elsewhere(result)
        yield elsewhere
        # Whatever answers there is one of ours, and says nothing of the peer.
        if elsewhere.state == "failed":
            return
    yield _connected(result)
    if result.stage != "tcp":
        yield from PROTOCOLS[question.kind](result)


def _resolved(result: ProbeResult) -> Row:
    host, published = result.question.host, result.question.addresses
    addresses = result.answer.get("addresses", [])
    check = f"{host} resolves"
    if not addresses:
        fix = "{hop}: publish the name in DNS, or advertise an IP address; here: does this machine resolve any name?"
        return result.failed(check, ("the name does not resolve here", fix))
    if published and not set(addresses) & set(published):
        problem = f"it is at {', '.join(addresses)} now; routes lead to {', '.join(published)}, as the accepted descriptor says"
        return result.failed(check, (problem, "{hop}: export the descriptor again; here: `fatefed peers add` it, then `pulumi up`"))
    return result.ok(check)


def _elsewhere(result: ProbeResult) -> Row:
    """Whether a name leads to this stack itself: addresses in a descriptor are compared by each preview, a name only here."""
    question, check = result.question, f"{result.where} is elsewhere"
    own = ((address, result.own.owners.get((canonical(address), question.port))) for address in result.answer.get("addresses", []))
    matches = [f"it is at {address}:{question.port}, {whose}" for address, whose in own if whose is not None]
    if matches:
        problem = f"{'; '.join(matches)}: a proxy of this stack would dial itself"
        fix = (
            f"{{hop}}: let {question.host} lead to {{endpoint}} there, or export the descriptor with another host; "
            f"here: `fatefed peers suspend {result.hop}`, then `pulumi up`, until it does; does this DNS serve another network?"
        )
        return result.failed(check, (problem, fix))
    if result.own.unknown:
        fix = "here: make this stack's own names resolve, and its Services readable (docs/rbac/viewer.yaml); then ask again"
        return result.unread(check, "; ".join(result.own.unknown), fix)
    return result.ok(check)


def _connected(result: ProbeResult) -> Row:
    endpoint = result.question.endpoint
    check = f"{endpoint} {result.where} accepts connections"
    if result.stage != "tcp":
        return result.ok(check)
    if result.reason == "refused":
        fix = f"{{hop}}: is {endpoint} up, and is that its published port? if it moved, export the descriptor again"
        return result.failed(check, ("nothing listens there", fix))
    fix = "{hop}: is the host up, and does its firewall admit this side? here: is the way out open (`fatefed firewall`)?"
    return result.failed(check, (result.reason, fix))


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


def _opening(result: ProbeResult) -> Iterator[Row]:
    """What a server says first, and over gRPC whether it passes on what is for a party."""
    protocol, right = _FIRST[result.question.kind]
    check = f"{result.question.endpoint} {result.where} speaks {protocol}"
    first = bytes.fromhex(result.answer.get("first", ""))
    if right(first):
        yield result.ok(check)
        if result.question.target is not NOBODY:
            yield from _passed_on(result)
        return
    if first:
        problem = next((words for begin, words in _BEGINNINGS.items() if first.startswith(begin)), "another protocol answers")
    else:
        problem = (
            "the connection is closed" if result.reason in ("", "closed") else f"{result.reason}: it waits for another protocol, or hangs"
        )
    yield result.failed(check, (problem, f"{{hop}}: publish the {protocol} port of {result.question.endpoint} itself"))


def _passed_on(result: ProbeResult) -> Iterator[Row]:
    target, reply = result.question.target, fateflow_reply(result)
    check = f"gRPC route to party {target.party} at {result.where}"
    if (why := result.answer.get("uncalled")) is not None:
        yield result.unread(check, f"not asked: {why}", "here: ask from a machine that reaches the peer, without --in-cluster")
        return
    if not reply:
        # OSX tells the reason to its own log only.
        why = result.answer.get("said", "")[:160] or result.reason or f"the log of {result.question.endpoint} says why"
        fix = (
            "{hop}: is this stack's descriptor accepted there (state active)? here: are FATE-Flow and its proxy up, and open to {hop}?"
            if target.ours
            else "{hop}: is party {party} accepted there, in state active? {owner}: is FATE-Flow up?"
        )
        yield result.failed(check, (f"FATE-Flow of party {{party}} does not answer: {why}", fix))
        return
    yield result.ok(check)
    if not target.ours:
        yield from version_rows(result, reply)


# By protocol of a port (`Probe` of the catalogue).
PROTOCOLS: dict[str, Callable[[ProbeResult], Iterator[Row]]] = {
    "tls": tls_rows,
    "sni": tls_rows,
    "http": http_rows,
    "grpc": _opening,
    "amqp": _opening,
}
