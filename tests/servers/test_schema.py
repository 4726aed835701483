"""The Job that makes Eggroll's tables in an external database, run against a real MariaDB."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.jobs import run
from tests.servers.servers import HOST, MariaDb, free_port
from tests.support.configs import EXTERNAL, EXTERNAL_EGGROLL, Case, Config

pytestmark = pytest.mark.servers

PASSWORD = "sch'ema\\ \"$x;"
TABLES = {
    "node_resource", "processor_resource", "server_node", "session_main", "session_option", "session_processor", "session_ranks",
    "store_locator", "store_option", "store_partition",
}  # fmt: skip
OF_2_5 = {"node_resource", "processor_resource", "session_ranks"}

Job = Callable[..., subprocess.CompletedProcess[str]]


def released(release: str) -> Case:
    """The party with an external MySQL, in another release."""
    return EXTERNAL_EGGROLL.changed(lambda config: config["parties"]["9999"].update(release=release))


@pytest.fixture
def job(database: MariaDb, tmp_path: Path) -> Job:
    """An empty database with its user, and the schema Job of a stack, pointed at it."""
    database.sql("DROP DATABASE IF EXISTS fate_9999; CREATE DATABASE fate_9999 CHARACTER SET utf8mb4; DROP USER IF EXISTS 'fate_9999'@'%';")
    escaped = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    database.sql(f"CREATE USER 'fate_9999'@'%' IDENTIFIED BY '{escaped}'; GRANT ALL PRIVILEGES ON fate_9999.* TO 'fate_9999'@'%'")

    def job(case: Case = EXTERNAL_EGGROLL, password: str = PASSWORD, **instead: str) -> subprocess.CompletedProcess[str]:
        (plan,) = case.load(tmp_path / "stack").plan.unit("party-9999").jobs
        where = {"MYSQL_HOST": HOST, "MYSQL_PORT": str(database.port), **instead}
        return run(plan, tmp_path / "job", {"mysql-credentials/password": password}, **where)

    return job


def tables(database: MariaDb) -> set[str]:
    """The tables that are there."""
    return {name for (name,) in database.sql("SHOW TABLES", "fate_9999")}


@pytest.mark.parametrize(("release", "expected"), [("1.11.2", TABLES), ("1.11.1", TABLES - OF_2_5), ("1.9.0", TABLES - OF_2_5)])
def test_the_tables_of_the_release_are_made(job: Job, database: MariaDb, release: str, expected: set[str]) -> None:
    done = job(released(release))
    assert done.returncode == 0, done.stderr
    assert tables(database) == expected
    columns = [name for name, *_ in database.sql("SHOW COLUMNS FROM session_processor", "fate_9999")]
    assert ("processor_option" in columns) is (release == "1.11.2")


def test_a_second_run_changes_nothing(job: Job, database: MariaDb) -> None:
    assert job().returncode == 0
    database.sql("INSERT INTO server_node (host, port, node_type, status) VALUES ('one', 1, 'NODE_MANAGER', 'HEALTHY')", "fate_9999")
    before = (
        database.sql("SELECT * FROM server_node", "fate_9999"),
        [database.sql(f"SHOW CREATE TABLE {name}", "fate_9999") for name in TABLES],
    )
    again = job()
    assert again.returncode == 0, again.stderr
    after = (
        database.sql("SELECT * FROM server_node", "fate_9999"),
        [database.sql(f"SHOW CREATE TABLE {name}", "fate_9999") for name in TABLES],
    )
    assert after == before
    assert before[0]


def test_a_database_of_eggroll_2_4_gets_what_2_5_needs(job: Job, database: MariaDb) -> None:
    assert job(released("1.11.1")).returncode == 0
    database.sql("INSERT INTO session_processor (session_id, server_node_id, processor_type) VALUES ('kept', 1, 'x')", "fate_9999")
    assert job().returncode == 0
    assert tables(database) == TABLES
    assert database.sql("SELECT session_id, processor_option FROM session_processor", "fate_9999") == [["kept", "NULL"]]


def test_without_eggroll_it_only_looks_whether_the_database_can_be_used(job: Job, database: MariaDb) -> None:
    done = job(EXTERNAL)
    assert done.returncode == 0, done.stderr
    assert tables(database) == set()


def _revoke(database: MariaDb) -> None:
    database.sql("REVOKE CREATE, DROP, ALTER, INDEX ON fate_9999.* FROM 'fate_9999'@'%'")


def _drop(database: MariaDb) -> None:
    database.sql("DROP DATABASE fate_9999")


def _nothing(database: MariaDb) -> None:
    pass


@pytest.mark.parametrize(
    ("break_it", "settings", "said"),
    [
        (_nothing, {"password": "geheim"}, "user fate_9999 is refused at 127.0.0.1:"),
        (_revoke, {}, "lacks a right in database fate_9999 of 127.0.0.1:"),
        (_drop, {}, "there is no database fate_9999 of 127.0.0.1:"),
        (_nothing, {"MYSQL_DATABASE": "mysql"}, "user fate_9999 may not use database mysql"),
        (_nothing, {"MYSQL_PORT": str(free_port())}, "no answer from database fate_9999 of 127.0.0.1:"),
    ],
)
def test_what_is_wrong_is_said_and_the_job_fails(
    job: Job, database: MariaDb, break_it: Callable[[MariaDb], None], settings: Config, said: str
) -> None:
    break_it(database)
    done = job(**settings)
    assert done.returncode == 1
    assert said in done.stderr
    assert "geheim" not in done.stdout + done.stderr
