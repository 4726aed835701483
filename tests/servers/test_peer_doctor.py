"""`fatefed doctor PEER` against a real RabbitMQ: its first answer of AMQP, and another server where it should be."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from federation.peers.descriptor import Descriptor
from tests.servers.servers import RabbitMq
from tests.support.configs import RABBITMQ_CLINIC, RABBITMQ_MESH
from tests.support.peer_doctor import Answer, doctor
from tests.support.peer_servers import Nginx, fateflow, network, serve_nginx

pytestmark = pytest.mark.servers

HOST, NGINX = "rabbitmq.clinic-b.example", "203.0.113.21"


def ask(port: int, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Answer:
    """What doctor says of a clinic whose RabbitMQ is at a port."""
    with ExitStack() as until, network(monkeypatch, {HOST, NGINX}):
        body = RABBITMQ_CLINIC.plain()
        body["endpoints"]["rabbitmq"] |= {"host": HOST, "addresses": [], "ports": {"amqp": port}}
        nginx = Nginx({"10000": fateflow(), "9999": fateflow()})
        body["endpoints"]["nginx"]["ports"] = {"http": serve_nginx(nginx, until)}
        return doctor(folder, RABBITMQ_MESH.with_peer("clinic-b", Descriptor.model_validate(body)), monkeypatch, capsys, "clinic-b")


def test_a_broker_is_told_from_its_management_port(
    broker: RabbitMq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask(broker.port, tmp_path / "right", monkeypatch, capsys)
    assert (answer.wrong, answer.code) == ({}, 0)
    assert f"clinic-b: rabbitmq {HOST}:{broker.port} speaks AMQP" in {row["check"] for row in answer.rows}

    (check, row), *more = ask(broker.admin_port, tmp_path / "wrong", monkeypatch, capsys).wrong.items()
    assert (check, more) == (f"clinic-b: rabbitmq {HOST}:{broker.admin_port} speaks AMQP", [])
    assert row["problem"] == "no answer within 1 s: it waits for another protocol, or hangs"
    assert row["fix"] == "clinic-b: publish the AMQP port of rabbitmq itself"
