"""A failure names the hop and who has to act."""

import pytest

from cli.flow.client import STANDALONE, Answer
from cli.flow.jobs import Job, Task
from cli.verify.diagnosis import Link, of_ended, of_late, of_refused, of_site
from cli.verify.links import links_down
from tests.unit.cli.verify import answers

STAR = Link("9999", "10000", "consortium")
MESH = Link("9999", "10000")


def test_a_502_from_behind_the_own_proxy_names_the_next_hops_in_their_order() -> None:
    failure = of_refused(answers.NEXT_HOP_DOWN, STAR)
    assert "cut behind your own proxy" in failure.problem
    assert "502" in failure.problem
    assert "exchange consortium, then the proxy and FATE-Flow of party 10000" in failure.fix
    assert "exchange" not in of_refused(answers.NEXT_HOP_DOWN, MESH).fix


def test_a_party_that_no_exchange_knows_is_named_although_nobody_said_how_the_link_goes() -> None:
    failure = of_refused(answers.UNKNOWN_PARTY, Link("9999", "20000", known=False))
    assert "party 20000" in failure.problem
    assert "the exchange, if there is one" in failure.fix


@pytest.mark.parametrize("link", [STAR, MESH, None])
def test_an_own_proxy_that_does_not_answer_is_the_own_operators_to_mend(link: Link | None) -> None:
    failure = of_refused(answers.OWN_PROXY_DOWN, link)
    assert "its own proxy" in failure.problem
    assert failure.fix.startswith("you: ")


def _said(text: str, code: int = 104) -> Answer:
    return Answer(
        1002, f"('create job failed', {{'guest': {{'9999': {{'code': 0}}}}, 'host': {{'10000': {{'code': {code}, 'message': '{text}'}}}}}})"
    )


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ("Federated schedule error, 403 Client Error: Forbidden for url: x", "refuses calls to party 10000", "must not have suspended it"),
        ("Federated schedule error, 404 Client Error: Not Found for url: x", "knows no route", "must know party 10000"),
        ("Federated schedule error, Read timed out. (read timeout=10)", "swallows calls", "firewall"),
        ("Federated schedule error, 504 Server Error: Gateway Time-out", "swallows calls", "firewall"),
        ("Federated schedule error, status = StatusCode.DEADLINE_EXCEEDED", "swallows calls", "firewall"),
        ("something that nobody saw before", "no call reaches party 10000: something", "exchange consortium"),
    ],
)
def test_each_way_in_which_a_call_ends_has_its_own_words(text: str, problem: str, fix: str) -> None:
    failure = of_refused(_said(text), STAR)
    assert problem in failure.problem
    assert fix in failure.fix


def test_a_peer_that_answers_and_refuses_is_reached() -> None:
    failure = of_refused(_said("No Permission", 5005), STAR)
    assert "FATE-Flow of party 10000 was reached, and refuses" in failure.problem
    assert failure.fix == "the operator of party 10000"


def test_a_table_that_is_missing_at_the_peer_tells_its_operator_what_to_run() -> None:
    failure = of_ended(answers.HOST_TABLE_MISSING, STAR, "fatefed/sample-host")
    assert "failed at party 10000: its table fatefed/sample-host is missing" in failure.problem
    assert "the operator of party 10000: `fatefed data upload --sample host`" in failure.fix


def test_a_table_that_is_missing_here_is_not_blamed_on_the_peer() -> None:
    failure = of_ended(answers.OWN_TABLE_MISSING, STAR, "fatefed/sample-host")
    assert "the own table is gone" in failure.problem
    assert "10000" not in failure.fix


@pytest.mark.parametrize(("own", "error", "who"), [("failed", "MemoryError", "you: "), ("success", "", "the operator of party 10000: ")])
def test_a_task_that_failed_is_blamed_on_the_party_where_it_did(own: str, error: str, who: str) -> None:
    job = Job("1", "failed", 9.0, (Task("reader_0", "success", "success", ""), Task("psi_0", "failed", own, error)))
    assert of_ended(job, STAR, "fatefed/sample-host").fix.startswith(who)


def test_a_job_without_progress_names_the_brokers_link_that_is_down() -> None:
    down = links_down(answers.LINKS_DOWN, answers.WRONG_BROKER_PORT.id)
    assert down == ["RabbitMQ's link to amqp://127.0.12.3:5673: econnrefused"]
    failure = of_late(answers.WRONG_BROKER_PORT, MESH, down)
    assert failure.problem.startswith("data plane: task toy_0 waits for data of party 10000; RabbitMQ's link to amqp://127.0.12.3:5673")
    assert "is stopped" in failure.problem


def test_links_of_other_jobs_and_answers_that_are_no_json_are_no_evidence() -> None:
    assert links_down(answers.LINKS_DOWN, "202600000000000000000") == []
    assert links_down("Error: unable to perform an operation", answers.WRONG_BROKER_PORT.id) == []


def test_a_job_without_progress_is_the_data_plane_also_without_evidence() -> None:
    assert of_late(answers.WRONG_BROKER_PORT, STAR, []).problem.startswith("data plane: both parties began task toy_0")


def test_a_job_of_which_no_task_began_waits_for_cores() -> None:
    waiting = Job("1", "waiting", 60.0, (Task("toy_0", "waiting", "waiting", ""),), late=True)
    assert "free cores" in of_late(waiting, STAR, []).problem


def test_a_task_that_is_done_here_waits_for_the_peers_report() -> None:
    done = Job("1", "running", 60.0, (Task("toy_0", "running", "success", ""),), late=True)
    assert of_late(done, STAR, []).fix.startswith("the operator of party 10000: ")


def test_a_fate_flow_that_runs_alone_is_named() -> None:
    assert "federation engine" in of_site(Answer(STANDALONE, "Site is standalone")).problem


def test_what_fate_says_is_one_line_of_bounded_length() -> None:
    failure = of_refused(Answer(6000, "x\n\x1b[31m" * 5000), STAR)
    assert "\x1b" not in failure.problem
    assert len(failure.problem) < 500
