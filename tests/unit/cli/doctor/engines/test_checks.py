"""`fatefed doctor --engines` without any server: causes first, and what rests on them is skipped."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.doctor.engines.checks import engine_rows
from cli.doctor.rows import Row
from cli.main import main
from federation.config.credentials import Credential
from federation.config.stack import StackSpec
from tests.support import stacks
from tests.support.configs import EXTERNAL_EGGROLL, HDFS, MYSQL, PULSAR, RABBITMQ, RABBITMQ_MESH, SPARK, STAR_PARTY, Case, external

GONE = "gone.invalid"


def rows(case: Case, **engines: object) -> list[Row]:
    """Made without the rules: no stack may have engines on loopback."""
    given = case.changed(lambda config: config["parties"]["9999"].update(engines=external(**engines)))

    def password(credential: Credential) -> str:
        return "x"

    return list(engine_rows(StackSpec.model_validate(given.config), password))


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port of this machine where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def states(found: list[Row]) -> dict[str, str]:
    return {row.check.removeprefix("party-9999 "): row.problem if row.state == "skipped" else row.state for row in found}


def test_a_name_that_is_not_known_is_the_one_row_to_act_on() -> None:
    found = rows(RABBITMQ_MESH, mysql={**MYSQL, "host": GONE}, rabbitmq={**RABBITMQ, "host": GONE})
    waits, signs_in = f"waits for: party-9999 mysql: {GONE} resolves", "waits for: party-9999 mysql: user signs in"
    assert states(found) == {
        f"mysql: {GONE} resolves": "failed",
        "mysql: server is reachable": waits,
        "mysql: user signs in": "waits for: party-9999 mysql: server is reachable",
        **dict.fromkeys(("mysql: version", "mysql: rights", "mysql: character set", "mysql: connections"), signs_in),
        f"rabbitmq: {GONE} resolves": "failed",
        "rabbitmq: AMQP is reachable": f"waits for: party-9999 rabbitmq: {GONE} resolves",
        "rabbitmq: user is administrator": f"waits for: party-9999 rabbitmq: {GONE} resolves",
        "rabbitmq: plugins": "waits for: party-9999 rabbitmq: user is administrator",
    }
    assert (found[0].problem, f"correct {GONE}" in found[0].fix) == ("this machine cannot resolve that name", True)


def test_the_servers_of_spark_hdfs_and_pulsar_wait_for_their_names() -> None:
    spark, hdfs = {**SPARK, "master": f"spark://{GONE}:7077"}, {**HDFS, "nameNode": f"hdfs://{GONE}:8020"}
    found = states(rows(STAR_PARTY, spark=spark, hdfs=hdfs, pulsar={**PULSAR, "host": GONE}))
    for engine in ("spark", "hdfs", "pulsar"):
        of_engine = {check: state for check, state in found.items() if check.startswith(f"{engine}: ")}
        assert len(of_engine) >= 4
        assert [check for check, state in of_engine.items() if state == "failed"] == [f"{engine}: {GONE} resolves"]
        assert "ok" not in of_engine.values()


def test_a_server_that_does_not_listen_needs_no_name_and_is_one_row(refusing: int) -> None:
    found = states(rows(RABBITMQ_MESH, mysql={**MYSQL, "host": "127.0.0.1", "port": refusing}))
    assert {check for check, state in found.items() if state == "failed"} == {"mysql: server is reachable"}
    assert len([state for state in found.values() if state.startswith("waits for: ")]) == 5


def test_no_remedy_points_at_another_row_and_the_verdict_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = EXTERNAL_EGGROLL.changed(lambda config: config["parties"]["9999"].update(engines=external(mysql={**MYSQL, "host": GONE})))
    stack = stacks.of_case(tmp_path / "project", case)
    where = ["-s", stack.name, "-C", str(stack.project.folder)]
    assert main(["doctor", "--engines", *where]) == 1
    text = capsys.readouterr().out
    assert "row above" not in text
    assert text.splitlines()[-1] == f"first to fix: party-9999 mysql: {GONE} resolves; 0 ok, 1 failed, 6 skipped, 0 not readable"
    assert main(["doctor", "--engines", *where, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == text.splitlines()[-1]
