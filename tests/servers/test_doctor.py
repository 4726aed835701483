"""`fatefed doctor --engines` against a real MariaDB and a real RabbitMQ: what it finds right, and each thing that is wrong."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cli.doctor.engines.checks import engine_rows
from cli.doctor.rows import Row, rows_text
from cli.tools.errors import NotReadableError
from federation.config.credentials import Credential
from federation.config.stack import StackSpec
from tests.servers.servers import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, HOST, MariaDb, RabbitMq, free_port, rabbitmq
from tests.support.configs import MYSQL, RABBITMQ, RABBITMQ_MESH, Case, external

pytestmark = pytest.mark.servers

PASSWORDS = {"database": "pa'ss\\word", "broker": ADMINISTRATOR_PASSWORD}


def spec(database: MariaDb, broker: RabbitMq, rabbitmq_user: str = ADMINISTRATOR, **mysql: object) -> StackSpec:
    """A stack with both engines on loopback, where no stack may have them: made without the rules."""
    case: Case = RABBITMQ_MESH.changed(
        lambda config: config["parties"]["9999"].update(
            engines=external(
                mysql={**MYSQL, "host": HOST, "port": database.port, **mysql},
                rabbitmq={**RABBITMQ, "host": HOST, "port": broker.port, "managementPort": broker.admin_port, "user": rabbitmq_user},
            )
        )
    )
    return StackSpec.model_validate(case.config)


def rows(spec: StackSpec, **passwords: str) -> dict[str, Row]:
    """The rows by engine and check, without what was found."""
    known = {**PASSWORDS, **passwords}

    def password(credential: Credential) -> str:
        return known[credential.secret or ""]

    found = list(engine_rows(spec, password))
    assert not [value for value in known.values() if value in rows_text(found)], "a password is shown"
    return {":".join(row.check.removeprefix("party-9999 ").split(":")[:2]): row for row in found}


@pytest.fixture(autouse=True)
def user(database: MariaDb) -> None:
    """A database and its user, as docs/reference/engines.md wants them."""
    database.sql("SET GLOBAL max_connections = 200; DROP DATABASE IF EXISTS fate_9999; CREATE DATABASE fate_9999 CHARACTER SET utf8mb4")
    database.sql("DROP USER IF EXISTS 'fate_9999'@'%'; CREATE USER 'fate_9999'@'%' IDENTIFIED BY 'pa''ss\\\\word'")
    database.sql("GRANT ALL PRIVILEGES ON `fate\\_9999`.* TO 'fate_9999'@'%'")


def test_servers_that_are_right_are_ok(database: MariaDb, broker: RabbitMq) -> None:
    found = rows(spec(database, broker))
    assert [row for row in found.values() if row.state != "ok"] == []
    assert list(found) == [
        "mysql: server is reachable", "mysql: user signs in", "mysql: version", "mysql: rights", "mysql: character set",
        "mysql: connections",
        "rabbitmq: AMQP is reachable", "rabbitmq: user is administrator", "rabbitmq: plugins",
    ]  # fmt: skip


# What breaks, and which row says what.
FAULTS: list[tuple[Callable[[MariaDb], object], str, str, str]] = [
    (
        lambda server: server.sql("ALTER DATABASE fate_9999 CHARACTER SET latin1"),
        "character set",
        "latin1 cannot store",
        "CHARACTER SET utf8mb4",
    ),
    (lambda server: server.sql("SET GLOBAL max_connections = 50"), "connections", "max_connections is 50", "150 or more"),
    (
        lambda server: server.sql("REVOKE ALTER, INDEX ON `fate\\_9999`.* FROM 'fate_9999'@'%'"),
        "rights",
        "not granted: ALTER, INDEX on fate_9999",
        "GRANT ALL PRIVILEGES ON fate_9999.*",
    ),
    (lambda server: server.sql("DROP DATABASE fate_9999"), "user signs in", "there is no database fate_9999", "CREATE DATABASE fate_9999"),
    (
        lambda server: server.sql("REVOKE ALL PRIVILEGES ON `fate\\_9999`.* FROM 'fate_9999'@'%'"),
        "user signs in",
        "may not use database fate_9999",
        "GRANT ALL PRIVILEGES",
    ),
]


@pytest.mark.parametrize(("break_it", "check", "problem", "fix"), FAULTS)
def test_what_is_wrong_with_mysql_is_said(
    database: MariaDb, broker: RabbitMq, break_it: Callable[[MariaDb], object], check: str, problem: str, fix: str
) -> None:
    break_it(database)
    row = rows(spec(database, broker))[f"mysql: {check}"]
    assert (row.state, problem in row.problem, fix in row.fix) == ("failed", True, True), row


def test_rights_of_another_database_do_not_count(database: MariaDb, broker: RabbitMq) -> None:
    database.sql("REVOKE ALL PRIVILEGES ON `fate\\_9999`.* FROM 'fate_9999'@'%'; GRANT SELECT ON fate_9999.* TO 'fate_9999'@'%'")
    database.sql("GRANT ALL PRIVILEGES ON `other`.* TO 'fate_9999'@'%'")
    assert rows(spec(database, broker))["mysql: rights"].problem.startswith("not granted: ALTER, CREATE, DELETE")
    database.sql("GRANT ALL PRIVILEGES ON `fate%`.* TO 'fate_9999'@'%'")
    assert rows(spec(database, broker))["mysql: rights"].state == "ok"


def test_a_refused_password_is_said_and_not_shown(database: MariaDb, broker: RabbitMq) -> None:
    found = rows(spec(database, broker), database="geheim-1", broker="geheim-2")
    assert found["mysql: user signs in"].problem == "user fate_9999 is refused"
    assert found["rabbitmq: user is administrator"].problem == f"user {ADMINISTRATOR} is refused"


def test_nobody_there_is_said(database: MariaDb, broker: RabbitMq) -> None:
    row = rows(spec(database, broker, port=free_port()))["mysql: server is reachable"]
    assert (row.state, "nothing listens there" in row.problem) == ("failed", True)


def test_a_password_that_cannot_be_read_fails_nothing(database: MariaDb, broker: RabbitMq) -> None:
    def unknown(credential: Credential) -> str:
        raise NotReadableError("no passphrase", "set it")

    found = list(engine_rows(spec(database, broker), unknown))
    assert {row.state for row in found} == {"ok", "not readable", "skipped"}
    assert [row.check.split(": ")[1] for row in found if row.state == "not readable"] == ["user signs in", "user is administrator"]
    assert [row.check.split(": ")[1] for row in found if row.state == "ok"] == ["server is reachable", "AMQP is reachable"]


def test_a_user_who_is_no_administrator_is_said(database: MariaDb, broker: RabbitMq) -> None:
    body = '{"password": "plain", "tags": "monitoring"}'
    assert broker.ask("/api/users/plain", ADMINISTRATOR, ADMINISTRATOR_PASSWORD, "PUT", body) in (201, 204)
    given = spec(database, broker, rabbitmq_user="plain")
    (row,) = [row for row in engine_rows(given, lambda _: "plain") if "administrator" in row.check]
    assert (row.state, row.fix) == ("failed", "rabbitmqctl set_user_tags plain administrator")


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[RabbitMq]:
    """A broker without federation."""
    with TemporaryDirectory() as folder, rabbitmq(Path(folder), "rabbitmq_management") as server:
        yield server


def test_missing_plugins_are_named(database: MariaDb, bare: RabbitMq) -> None:
    row = rows(spec(database, bare))["rabbitmq: plugins"]
    assert row.problem == "federation is not enabled"
    assert row.fix == "rabbitmq-plugins enable rabbitmq_federation rabbitmq_federation_management"
