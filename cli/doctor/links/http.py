"""What FATE's nginx answers over HTTP: whether it has a route to a party, its clock, and the release of the FATE-Flow behind it."""

import json
from base64 import b64decode
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from packaging.version import InvalidVersion, Version

from cli.doctor.links.packet import body
from cli.doctor.links.probe_result import Diagnosis, ProbeResult
from cli.doctor.rows import Row

# Beyond it a certificate that is new on one side may not be valid yet on the other.
CLOCK_SECONDS = 30
_PORT = "{hop}: publish nginx's HTTP port (9300)"
_NOBODY: tuple[Diagnosis, Diagnosis] = (
    (
        "its nginx has a route to party {party}, but nothing answers behind it",
        "{owner}: is FATE-Flow up? {hop}: is party {party} suspended there, or its route out of date?",
    ),
    (
        "its nginx has a route to party {party} of this stack, but nothing answers behind it: suspended there, or at an old address",
        "{hop}: is party {party} suspended, or its descriptor out of date? here: are nginx and FATE-Flow up, and open to {hop}?",
    ),
)
_REFUSED = ("its nginx does not forward FATE-Flow's calls", "{hop}: is a proxy or another configuration before its nginx?")
# By HTTP status of FATE's nginx; of a party elsewhere, and of one of this stack.
_REFUSALS: dict[int, tuple[Diagnosis, Diagnosis]] = {
    500: (
        ("its nginx has no route to party {party}", "{hop}: is party {party} accepted there, in state active? then `pulumi up`"),
        (
            "its nginx has no route to party {party} of this stack: it does not know it, or removed it",
            "here: send the descriptor (`fatefed descriptor export`); {hop}: accept it (state active), then `pulumi up`",
        ),
    ),
    403: (_REFUSED, _REFUSED),
    502: _NOBODY,
    503: _NOBODY,
    504: _NOBODY,
}
_SILENT = {"closed": "the connection is closed", "no HTTP": "it does not speak HTTP"}


def http_rows(result: ProbeResult) -> Iterator[Row]:
    """The rows of a request that nginx passes on to FATE-Flow."""
    target = result.question.target
    check = f"HTTP route to party {target.party} at {result.where}"
    if result.reason:
        yield result.failed(check, (_SILENT.get(result.reason, result.reason), _PORT))
        return
    yield from _clock(result)
    status, reply = int(result.answer["status"]), fateflow_reply(result)
    if status in _REFUSALS:
        yield result.failed(check, _REFUSALS[status][target.ours])
    elif not reply:
        server = str(result.answer["headers"].get("server", "of no name"))[:80]
        yield result.failed(check, (f"that is not FATE's nginx: HTTP {status} of server {server}", _PORT))
    else:
        yield result.ok(check)
        if not target.ours:
            yield from version_rows(result, reply)


def _clock(result: ProbeResult) -> Iterator[Row]:
    try:
        ahead = parsedate_to_datetime(result.answer["headers"]["date"]).timestamp() - float(result.answer["at"])
    except (KeyError, ValueError):
        return
    check = f"clock of {result.question.endpoint} {result.where}"
    if abs(ahead) <= CLOCK_SECONDS:
        yield result.ok(check)
        return
    problem = f"it is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the one here"
    yield result.failed(check, (problem, "{hop}, here: compare both clocks with a time server; set up NTP on the wrong one"))


def version_rows(result: ProbeResult, reply: dict[str, Any]) -> Iterator[Row]:
    """Whether the release that FATE-Flow tells is the published one, and fits."""
    check = f"release that FATE-Flow of party {result.question.target.party} reports"
    major = "1" if "retcode" in reply else "2"
    data = reply.get("data")
    version = data.get("FATE") if isinstance(data, dict) else None
    if major != result.question.fateflow:
        problem = f"it is FATE {major}.x, here is {', '.join(result.ours)}: they do not work together"
        yield result.failed(check, (problem, "{owner}, here: agree on one release, and upgrade the older one"))
    elif not isinstance(version, str):
        return  # FATE 2.x does not tell, and 1.x may want a signature
    elif result.theirs is None:
        yield from release_rows(f"{result.subject}: {check}", result.question.target.owner, result.ours, version)
    elif version == result.theirs:
        yield result.ok(f"{check}: {version}")
    else:
        problem = f"it says {version[:40]!r}, the accepted descriptor says {result.theirs}"
        yield result.failed(check, (problem, "{owner}: export the descriptor again; here: accept it"))


def release_rows(check: str, owner: str, ours: tuple[str, ...], theirs: str) -> Iterator[Row]:
    """Whether releases of FATE, or of FATE-Serving, work together: those of one minor version do."""
    other = [own for own in ours if _minor(own) != _minor(theirs)]
    if not other:
        yield Row(f"{check}: {theirs}", "ok")
        return
    problem = f"theirs is {theirs}, here is {', '.join(other)}: two minor versions do not work together"
    yield Row(check, "failed", problem, f"{owner}, here: agree on one release, and upgrade the older one")


def _minor(release: str) -> tuple[int, ...] | str:
    try:
        return Version(release).release[:2]
    except InvalidVersion:
        return release


def fateflow_reply(result: ProbeResult) -> dict[str, Any]:
    """What FATE-Flow answered; empty when somebody else did. 1.x and 2.x name their code otherwise."""
    try:
        message = result.answer.get("message")
        reply = json.loads(result.answer.get("body", "") if message is None else body(b64decode(message)))
    except ValueError:
        return {}
    return reply if isinstance(reply, dict) and {"retcode", "code"} & reply.keys() else {}
