"""The servers that the tests of a session share."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.servers.servers import MariaDb, RabbitMq, mariadb, rabbitmq


@pytest.fixture(scope="session")
def database() -> Iterator[MariaDb]:
    """One MariaDB."""
    with TemporaryDirectory() as folder, mariadb(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def broker() -> Iterator[RabbitMq]:
    """One RabbitMQ."""
    with TemporaryDirectory() as folder, rabbitmq(Path(folder)) as server:
        yield server
