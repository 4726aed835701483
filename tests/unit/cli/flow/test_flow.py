"""FATE-Flow's API over HTTP: errors of the protocol, against a small server; and how long a job is watched."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.flow import jobs
from cli.flow.client import Answer, Flow, FlowUnreachable
from cli.flow.jobs import Job, watched
from cli.flow.reach import at_url
from cli.tools.errors import UsageError

SLOW = threading.Event()


@contextmanager
def server(status: int = 200, text: bytes = b'{"code": 0, "message": "success"}', *, slow: bool = False) -> Iterator[tuple[str, list[Any]]]:
    """A server that gives one answer; its URL, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, dict(self.headers), self.rfile.read(int(self.headers.get("Content-Length", "0")))))
            if slow:
                SLOW.wait(5)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{running.server_port}", asked
        finally:
            running.shutdown()


def test_an_answer_has_its_code_message_and_job() -> None:
    with server(text=b'{"code": 104, "message": "no", "job_id": "1", "data": {"a": 1}}') as (url, asked):
        assert at_url(url).get("job/query", job_id="1&2") == Answer(104, "no", {"a": 1}, "1")
    assert asked[0][0] == "/v2/job/query?job_id=1%262"


def test_a_file_arrives_whole_with_its_fields_and_the_sender_is_told(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"id,x\n" + b"a,1\n" * 400_000)
    told: list[int] = []
    with server() as (url, asked):
        at_url(url).send("data/component/upload/file", {"name": "people"}, file, told.append)
    _, headers, body = asked[0]
    assert len(body) == int(headers["Content-Length"])
    assert b'name="name"\r\n\r\npeople\r\n' in body
    assert file.read_bytes() in body
    assert told[-1] == file.stat().st_size
    assert len(told) > 1


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (502, b"<html>Bad Gateway</html>", "no FATE-Flow of FATE 2.x (HTTP status 502)"),
        (200, b'["code"]', "no FATE-Flow of FATE 2.x"),
        (200, b'{"retcode": 100, "retmsg": "404 Not Found"}', "FATE 1.x answers there"),
    ],
)
def test_what_is_no_fate_flow_of_fate_2_is_said(status: int, text: bytes, reason: str) -> None:
    with server(status, text) as (url, _), pytest.raises(FlowUnreachable) as caught:
        at_url(url).get("site/info/query")
    assert reason in str(caught.value)


def test_a_port_without_server_and_a_server_that_is_silent_are_told_apart() -> None:
    with server() as (url, _):
        pass
    with pytest.raises(FlowUnreachable, match="refused"):
        at_url(url).get("site/info/query")
    with server(slow=True) as (url, _), pytest.raises(FlowUnreachable, match="no answer within 0 s"):
        Flow(at_url(url)._connect, 0.2).get("site/info/query")
    SLOW.set()


@pytest.mark.parametrize(
    "url", ["127.0.0.1:9380", "ftp://flow", "http://", "http://flow/v2", "http://flow:x", "http://[::1", "http://flow:0", "http://flow/#x"]
)
def test_what_is_no_address_of_a_server_is_wrong_usage(url: str) -> None:
    with pytest.raises(UsageError, match="must be http://HOST:PORT"):
        at_url(url)


@pytest.mark.parametrize("url", ["http://user:geheim@flow", "https://geheim@flow:9380", "http://user:geheim@[flow"])
def test_a_password_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="without user") as caught:
        at_url(url)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "port"), [("https://flow", 443), ("https://flow:8443", 8443), ("http://flow", 9380), ("http://flow:80", 80)]
)
def test_each_scheme_has_its_port_where_none_is_named(url: str, port: int) -> None:
    assert at_url(url)._connect(1).port == port


class Told(Flow):
    """A FATE-Flow whose job has these states, one after the other, and the last one forever."""

    def __init__(self, *states: str | Answer | FlowUnreachable) -> None:
        self.states, self.stopped = [*states], list[str]()

    def get(self, path: str, **wanted: str) -> Answer:
        if path == "job/task/query":
            return Answer(0, "success", [{"task_name": "toy_0", "status": "running", "party_status": "running", "error_report": None}])
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state == "Ctrl-C":
            raise KeyboardInterrupt
        if isinstance(state, FlowUnreachable):
            raise state
        return state if isinstance(state, Answer) else Answer(0, "success", [{"status": state}])

    def post(self, path: str, body: Any) -> Answer:
        self.stopped.append(f"{path} {body['job_id']}")
        return Answer(0, "success")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(jobs, "_PATIENCE_SECONDS", 0.1)


@pytest.mark.parametrize("end", ["success", "failed", "canceled"])
def test_a_job_is_watched_until_it_ends_and_is_not_stopped_then(end: str) -> None:
    flow = Told("waiting", "running", end)
    job = watched(flow, "7", 60)
    assert (job.id, job.status, job.late, flow.stopped) == ("7", end, False, [])


def test_a_late_job_is_looked_at_and_then_stopped() -> None:
    flow = Told("running")
    looked: list[list[str]] = []
    job = watched(flow, "7", 0.05, lambda: looked.append([*flow.stopped]))
    assert job == Job("7", "running", job.seconds, job.tasks, late=True)
    assert looked == [[]]
    assert flow.stopped == ["job/stop 7"]


def test_ctrl_c_stops_the_job_too() -> None:
    flow = Told("running", "Ctrl-C")
    with pytest.raises(KeyboardInterrupt):
        watched(flow, "7", 60)
    assert flow.stopped == ["job/stop 7"]


def test_a_fate_flow_that_answers_no_more_while_the_job_is_stopped_changes_nothing() -> None:
    class Gone(Told):
        def post(self, path: str, body: Any) -> Answer:
            raise FlowUnreachable("refused")

    assert watched(Gone("running"), "7", 0.05).late


# What is no status of a job, and what is said of it.
UNTOLD = [
    (FlowUnreachable("refused"), "refused"),
    (Answer(1001, "database\nis away"), "FATE-Flow answers 1001: database is away"),
    (Answer(0, "success", []), "answers without the job"),
    (Answer(0, "success", None), "answers without the job"),
]


@pytest.mark.parametrize(("untold", "_reason"), UNTOLD)
def test_a_job_is_watched_on_when_fate_flow_is_silent_for_a_moment(untold: Answer | FlowUnreachable, _reason: str) -> None:
    flow = Told("running", untold, untold, "running", untold, "success")
    assert watched(flow, "7", 60).status == "success"
    assert flow.stopped == []


@pytest.mark.parametrize(("untold", "reason"), UNTOLD)
def test_a_job_of_which_fate_flow_says_nothing_any_more_is_stopped(untold: Answer | FlowUnreachable, reason: str) -> None:
    flow = Told("running", untold)
    with pytest.raises(FlowUnreachable) as caught:
        watched(flow, "7", 60)
    assert flow.stopped == ["job/stop 7"]
    assert reason in str(caught.value)
    assert "job 7" in str(caught.value)
    assert "it is stopped" in str(caught.value)


def test_a_job_that_cannot_be_stopped_is_named_with_the_command_that_stops_it() -> None:
    class Gone(Told):
        def post(self, path: str, body: Any) -> Answer:
            raise FlowUnreachable("refused")

    with pytest.raises(FlowUnreachable, match="it may still run at every party: stop it with `flow job stop -j 7`"):
        watched(Gone(FlowUnreachable("refused")), "7", 60)


@pytest.mark.parametrize("data", [None, [], {}, {"count": None}])
def test_an_answer_without_what_was_asked_for_is_said(data: Any) -> None:
    with pytest.raises(FlowUnreachable, match="answers without count"):
        Answer(0, "success", data).field("count")
