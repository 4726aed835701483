"""Who reaches a published nginx, or that of an exchange, can ask what partners ask, and nothing else of FATE-Flow's API.

The rendered files of a party and of an exchange, in a real nginx: see tests/traffic/router.py.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from federation.units.unit import UnitPlan
from tests.support.configs import FILE_PULSAR, RELEASE, RELEASE_2, Case, exchange, exchange_descriptor, party, party_descriptor, stack
from tests.support.helm import CHARTS, helm_template
from tests.support.partner_calls import CLIENT_PATHS, JOB, Call, calls_1, calls_2
from tests.support.walk import named
from tests.traffic.router import LOOPBACK, FateFlow, Router, fate_flow, router

pytestmark = pytest.mark.traffic
CALLS = {RELEASE: calls_1(), RELEASE_2: calls_2()}
BODY = b'{"job_id": "1"}'
# By the release of a party: a call that passes.
PASSES = {RELEASE: f"/v1/party/{JOB}/host/9999/start", RELEASE_2: "/v2/partner/job/start"}
ROUTING = "dest-party-id: 9999\r\nservice: fateflow\r\n"
# What could be read in one way by nginx and in another by FATE-Flow; {p}: a path that passes, {v}: v1 or v2. Some begin with a path
# that passes, some would be one if they were decoded, folded or joined.
PATHS = (
    "/{v}/job/submit", "/{v}/partner/../job/list/query", "{p}/../../../../../../../{v}/job/submit", "{p}/..", "{p}/.", "{p}/", "{p}//",
    "/{p}", "/.{p}", "/x/..{p}", "/./{v}/job/submit", "//{v}//job/submit", "{p}/%2e%2e/%2e%2e/{v}/job/submit", "{p}%2f..%2f..%2fjob",
    "{p}%00", "{p}%0d%0aX:%20y", "{p}%3f", "{p}%23", "{p}%20", "{p};/../../job/submit", "{p};a=b",
    "{p}?x=1", "{p}?", "{p}#x", "{p}?/../../job/submit",
    "{p}%252e%252e/job", "{p}\\..\\..\\job", "{p}%5c..%5cjob", "{p}/%c0%ae%c0%ae/job", "{p}\x00", "{p}\t", "{p}\x0b", "{p}\u00e9", "{P}",
    "/{V}/job/submit", "/{v}%2fpartner/job/create", "/%76{n}/job/submit", "/{v}/%70artner/job/create", "http://x/{v}/job/submit",
    "http://x{p}/../job/submit", "http://x/?{p}", "http:/{p}", "*", "x{p}", "{p}x y", "/{v}/job/submit {p}", "{p} /{v}/job/submit",
    "/{v}/party/../host/9999/start", "/{v}/party/%2e%2e/%2e%2e/job/start", "/{v}/party/a%2fb/host/9999/start", "/{v}/party/1/host/./start",
    "/{v}/party/1;x/host/9999/start", "/{v}/party/1/host//start", "/{v}/model/load/do/../../job/submit", "/{v}/job/submit?{p}",
    "/{v}/job/submit#{p}", "/{v}/job/submit;{p}", "/{v}/job/submit%00{p}",
)  # fmt: skip
METHODS = ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "post", "POST2", "PRI", "PROPFIND")


@dataclass(frozen=True)
class Chain:
    """An exchange's nginx before a party's, before its FATE-Flow."""

    release: str
    exchange: Router
    party: Router
    fate_flow: FateFlow

    def routers(self) -> tuple[Router, Router]:
        """Where an outsider may ask."""
        return self.party, self.exchange

    def text(self, template: str) -> str:
        """A path of `PATHS` for this release."""
        passes, version = PASSES[self.release], PASSES[self.release][1:3]
        values = {"p": passes, "P": passes.upper(), "v": version, "V": version.upper(), "n": version[1:]}
        return re.sub(r"\{(\w)\}", lambda match: values[match[1]], template)


def files_of(unit: UnitPlan) -> tuple[dict[str, str], str]:
    """The files of nginx's ConfigMap, and its route table."""
    rendered = named(helm_template(CHARTS / unit.chart.chart, unit.chart.values.plain()), "ConfigMap", "nginx-config")
    (table,) = [text for manifest in unit.routes for file, text in manifest.fields["data"].items() if file == "route_table.yaml"]
    return rendered["data"], table


def led_to(table: str, party: str, service: str, port: int) -> str:
    """The table with another address for one entry."""
    entry = rf"(^{party}:\n(?:  .*\n)*?  {service}:\n    - host: )\S+(\n      http_port: )\d+"
    changed, count = re.subn(entry, rf"\g<1>{LOOPBACK}\g<2>{port}", table, flags=re.MULTILINE)
    assert count == 1
    return changed


@pytest.fixture(scope="module", params=[RELEASE, RELEASE_2])
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One for each major version of FATE."""
    folder: Path = tmp_path_factory.mktemp("nginx")
    engines = FILE_PULSAR if request.param == RELEASE_2 else {}
    bank = Case("", stack("bank-a", parties={"9999": party(release=request.param, **engines)}))
    bank = bank.with_peer("consortium", exchange_descriptor(release=request.param))
    consortium = Case("", stack("consortium", exchange=exchange(release=request.param)))
    consortium = consortium.with_peer("bank-a", party_descriptor("9999", "bank-a", release=request.param))
    with ExitStack() as until:
        behind = until.enter_context(fate_flow())
        files, table = files_of(bank.load(folder / "bank-a").plan.unit("party-9999"))
        own = until.enter_context(router(folder / "party", files, led_to(table, "9999", "fateflow", behind.port)))
        files, table = files_of(consortium.load(folder / "consortium").plan.unit("exchange"))
        hub = until.enter_context(router(folder / "exchange", files, led_to(table, "9999", "fateflow", own.port)))
        yield Chain(request.param, hub, own, behind)


def request_of(call: Call, body: bytes = BODY) -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in call.headers)
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    return f"{call.method} {call.path} HTTP/1.1\r\nHost: nginx:9300\r\n{headers}{length}\r\n".encode() + body


def status(answer: bytes) -> str:
    return answer[9:12].decode() if answer.startswith(b"HTTP/1.1 ") else ""


def refused(chain: Chain, raw: bytes, what: str) -> None:
    """Neither nginx lets it through, and FATE-Flow hears nothing."""
    for asked in chain.routers():
        chain.fate_flow.arrived.clear()
        answer = asked.ask(raw)
        assert not chain.fate_flow.arrived, f"{what} arrived: {chain.fate_flow.arrived}"
        assert status(answer) in ("403", "400", "405", "501", "505", ""), f"{what}: {answer[:80]!r}"


def test_every_call_of_a_partner_arrives_as_it_was_sent(chain: Chain) -> None:
    calls = CALLS[chain.release]
    assert len(calls) >= 18
    for asked in chain.routers():
        for call in calls:
            chain.fate_flow.arrived.clear()
            answer = asked.ask(request_of(call))
            assert status(answer) == "200", f"{call}: {answer[:200]!r}"
            (arrived,) = chain.fate_flow.arrived
            assert arrived.line.rsplit(" ", 1)[0] == str(call)
            assert arrived.body == BODY
            assert {name: arrived.headers.get(name.lower()) for name, _ in call.headers} == dict(call.headers)


def test_the_question_of_doctor_arrives(chain: Chain) -> None:
    from cli.doctor.links.questions import _FATEFLOW

    asked = _FATEFLOW[chain.release[0]]
    assert status(chain.exchange.ask(request_of(Call(asked["path"], CALLS[chain.release][0].headers, asked["method"])))) == "200"


@pytest.mark.parametrize("asked", CLIENT_PATHS)
def test_what_clients_ask_is_refused(chain: Chain, asked: str) -> None:
    method, path = asked.split(" ")
    refused(chain, request_of(Call(path, CALLS[chain.release][0].headers, method)), asked)
    answer = chain.party.ask(request_of(Call(path, CALLS[chain.release][0].headers, method)))
    assert status(answer) == "403"


@pytest.mark.parametrize("path", PATHS, ids=ascii)
def test_no_spelling_of_a_path_gets_past_the_list(chain: Chain, path: str) -> None:
    raw = f"POST {chain.text(path)} HTTP/1.1\r\nHost: x\r\n{ROUTING}Content-Length: 0\r\nConnection: close\r\n\r\n"
    refused(chain, raw.encode("latin-1"), path)


@pytest.mark.parametrize("method", METHODS)
def test_partners_only_post(chain: Chain, method: str) -> None:
    raw = f"{method} {PASSES[chain.release]} HTTP/1.1\r\nHost: x\r\n{ROUTING}Content-Length: 0\r\nConnection: close\r\n\r\n"
    refused(chain, raw.encode(), method)


@pytest.mark.parametrize(
    "first",
    [
        "POST {p}",
        "POST {p} HTTP/0.9",
        "GET /",
        "POST {p} HTTP/2.0",
        "PRI * HTTP/2.0",
        "CONNECT fateflow:9380 HTTP/1.1",
        "POST {p} HTTPS/1.1",
    ],
)
def test_other_versions_of_http_are_refused(chain: Chain, first: str) -> None:
    refused(chain, f"{chain.text(first)}\r\nHost: x\r\n{ROUTING}Content-Length: 0\r\n\r\nSM\r\n\r\n".encode(), first)


def hidden(chain: Chain) -> bytes:
    """A request that must never be read as one."""
    return chain.text(f"GET /{{v}}/job/list/query HTTP/1.1\r\nHost: x\r\n{ROUTING}\r\n").encode()


# By what it tries: the headers of a request that passes, and its body; {h}: the hidden request.
SMUGGLED = {
    "a length and chunks": ("Content-Length: {l}\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n{h}"),
    "chunks and a short length": ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n{h}"),
    "chunks of another spelling": ("Content-Length: {l}\r\nTransfer-Encoding: xchunked\r\n", b"0\r\n\r\n{h}"),
    "chunks behind a tabulator": ("Content-Length: {l}\r\nTransfer-Encoding:\tchunked\r\n", b"0\r\n\r\n{h}"),
    "chunks with an underscore": ("Content-Length: {l}\r\nTransfer_Encoding: chunked\r\n", b"0\r\n\r\n{h}"),
    "a length with an underscore": ("Content-Length: {l}\r\nContent_Length: 0\r\n", b"{h}"),
    "two lengths": ("Content-Length: {l}\r\nContent-Length: 0\r\n", b"{h}"),
    "a folded header": ("Content-Length: {l}\r\nX: a\r\n Content-Length: 0\r\n", b"{h}"),
    "a bare line feed": ("Content-Length: {l}\r\nX: a\nContent-Length: 0\r\n", b"{h}"),
    "a length with a sign": ("Content-Length: +{l}\r\n", b"{h}"),
    "an upgrade to HTTP/2": (
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: {l}\r\n",
        b"{h}",
    ),
    "a kept connection": ("Connection: keep-alive\r\nContent-Length: 0\r\n", b"{h}"),
    "an expectation": ("Expect: 100-continue\r\nContent-Length: {l}\r\n", b"{h}"),
    "another path in a header": ("X-Original-URL: /v2/job/submit\r\nX-HTTP-Method-Override: GET\r\nContent-Length: {l}\r\n", b"{h}"),
}  # fmt: skip


@pytest.mark.parametrize("name", SMUGGLED)
def test_no_request_hides_behind_one_that_passes(chain: Chain, name: str) -> None:
    headers, template = SMUGGLED[name]
    body = template.replace(b"{h}", hidden(chain))
    first = f"POST {PASSES[chain.release]} HTTP/1.1\r\nHost: x\r\n{ROUTING}".encode()
    for asked in chain.routers():
        chain.fate_flow.arrived.clear()
        asked.ask(first + headers.replace("{l}", str(len(body))).encode() + b"\r\n" + body)
        for arrived in chain.fate_flow.arrived:
            assert arrived.line.rsplit(" ", 1)[0] == f"POST {PASSES[chain.release]}"
            assert not {"transfer-encoding", "transfer_encoding", "content_length", "upgrade"} & arrived.headers.keys()
        assert len(chain.fate_flow.arrived) <= 1


def test_calls_of_another_major_version_are_refused(chain: Chain) -> None:
    (others,) = [calls for release, calls in CALLS.items() if release != chain.release]
    for call in others:
        refused(chain, request_of(call), str(call))


def test_probes_are_answered_and_nothing_else_beside_them(chain: Chain) -> None:
    for asked in chain.routers():
        answer = asked.ask(b"GET /test HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", asked.health)
        assert (status(answer), answer[-3:]) == ("200", b"ok\n")
        raw = request_of(CALLS[chain.release][0])
        assert status(asked.ask(raw, asked.health)) == "404"
