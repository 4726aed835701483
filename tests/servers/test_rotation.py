"""The Jobs that change a password in its server, run against a real MariaDB and a real RabbitMQ."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.jobs import run
from tests.servers.servers import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, HOST, MariaDb, RabbitMq, free_port
from tests.support.configs import RABBITMQ_MESH, STAR_PARTY, Case

pytestmark = pytest.mark.servers

OLD = "the first one"
# What a shell, SQL, JSON, printf, sed or HTTP might trip over.
AWKWARD = [
    "plain",
    "quo'te",
    'dou"ble',
    "back\\slash\\",
    "$HOME `id` $(id)",
    "%s %n 100%",
    "a;b|c&d",
    "ünïcödé 密码",
    "-e --help",
    "#{x}",
    "n'ew\\'",
]

Rotation = Callable[[str, str], subprocess.CompletedProcess[str]]


def rotating(case: Case, slot: str) -> Case:
    """A stack whose password becomes another entry."""
    credential = {"secret": "the-new-entry", "previous": f"party-9999-{slot}"}
    return case.changed(lambda config: config["parties"]["9999"].update(credentials={slot: credential}))


@pytest.fixture
def mysql(database: MariaDb, tmp_path: Path) -> Rotation:
    """The user of the module mysql, with the first password, and the Job that changes it."""
    database.sql(f"DROP USER IF EXISTS 'fate'@'%'; CREATE USER 'fate'@'%' IDENTIFIED BY '{OLD}'")
    (plan,) = rotating(STAR_PARTY, "mysql").load(tmp_path / "stack").plan.unit("party-9999").jobs
    place = {"MYSQL_HOST": HOST, "MYSQL_PORT": str(database.port)}

    def rotate(new: str, previous: str, **instead: str) -> subprocess.CompletedProcess[str]:
        secrets = {"mysql-credentials/password": new, "mysql-credentials/previous-password": previous}
        return run(plan, tmp_path / "job", secrets, **{**place, **instead})

    return rotate


@pytest.fixture
def admin(broker: RabbitMq, tmp_path: Path) -> Rotation:
    """The administrator of the module rabbitmq, with the first password, and the Job that changes it."""
    (plan,) = rotating(RABBITMQ_MESH, "rabbitmq").load(tmp_path / "stack").plan.unit("party-9999").jobs
    place = {"RABBITMQ_HOST": HOST, "RABBITMQ_ADMIN_PORT": str(broker.admin_port)}

    def rotate(new: str, previous: str, **instead: str) -> subprocess.CompletedProcess[str]:
        secrets = {"rabbitmq-credentials/password": new, "rabbitmq-credentials/previous-password": previous}
        return run(plan, tmp_path / "job", secrets, **{**place, **instead})

    return rotate


def test_every_password_of_mysql_can_be_reached_and_left(mysql: Rotation, database: MariaDb) -> None:
    for previous, new in zip([OLD, *AWKWARD], AWKWARD, strict=False):
        done = mysql(new, previous)
        assert done.returncode == 0, (new, done.stderr)
        assert database.accepts("fate", new), new
        assert not database.accepts("fate", previous), previous
        assert new not in done.stdout + done.stderr


def test_every_password_of_rabbitmq_can_be_reached_and_left(admin: Rotation, broker: RabbitMq) -> None:
    for previous, new in zip([OLD, *AWKWARD], [*AWKWARD, OLD], strict=True):
        done = admin(new, previous)
        assert done.returncode == 0, (new, done.stderr)
        assert broker.accepts(ADMINISTRATOR, new), new
        assert not broker.accepts(ADMINISTRATOR, previous), previous
        assert new not in done.stdout + done.stderr
    assert OLD == ADMINISTRATOR_PASSWORD


def test_a_job_that_runs_again_leaves_the_new_password_alone(mysql: Rotation, database: MariaDb, admin: Rotation, broker: RabbitMq) -> None:
    assert mysql("second", OLD).returncode == 0
    again = mysql("second", OLD)
    assert (again.returncode, "already" in again.stdout) == (0, True)
    assert database.accepts("fate", "second")
    assert admin("second", OLD).returncode == 0
    again = admin("second", OLD)
    assert (again.returncode, "already" in again.stdout) == (0, True)
    assert admin(OLD, "second").returncode == 0


def test_a_server_that_knows_neither_password_is_said_and_left_alone(
    mysql: Rotation, database: MariaDb, admin: Rotation, broker: RabbitMq
) -> None:
    for done in (mysql("geheim", "wrong"), admin("geheim", "wrong")):
        assert done.returncode == 1
        assert "has neither the new password nor the previous one" in done.stderr
        assert "geheim" not in done.stdout + done.stderr
    assert database.accepts("fate", OLD)
    assert broker.accepts(ADMINISTRATOR, ADMINISTRATOR_PASSWORD)


def test_a_server_that_does_not_answer_is_said(mysql: Rotation, admin: Rotation) -> None:
    nowhere = str(free_port())
    for done in (mysql("new", OLD, MYSQL_PORT=nowhere), admin("new", OLD, RABBITMQ_ADMIN_PORT=nowhere)):  # type: ignore[call-arg]
        assert done.returncode == 1
        assert f"no answer from 127.0.0.1:{nowhere}" in done.stderr


def test_what_mysql_says_of_a_refused_change_does_not_show_the_password(mysql: Rotation, database: MariaDb) -> None:
    database.sql("SET GLOBAL read_only = 1")
    try:
        done = mysql("geheim", OLD)
    finally:
        database.sql("SET GLOBAL read_only = 0")
    assert done.returncode == 1
    assert "could not be changed: ERROR 1290" in done.stderr
    assert "geheim" not in done.stdout + done.stderr
    assert database.accepts("fate", OLD)
