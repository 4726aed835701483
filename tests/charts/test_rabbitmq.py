"""RabbitMQ: its administrator, its data, its start."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.charts.cases import RABBITMQ, RABBITMQ_KEPT, container, mount
from tests.support.helm import CHARTS
from tests.support.walk import config_texts, environment, named


def test_rabbitmq_gets_its_administrator_from_the_secret_and_keeps_it_in_memory() -> None:
    found = container(RABBITMQ, "Deployment/rabbitmq/rabbitmq")
    variables = environment(found)
    assert variables["RABBITMQ_DEFAULT_USER"] == RABBITMQ.values["rabbitmq"]["user"]
    assert variables["RABBITMQ_DEFAULT_PASS"] == {"secretKeyRef": RABBITMQ.values["rabbitmq"]["password"]}
    # The image's entrypoint writes rabbitmq.conf, and RABBITMQ_GENERATED_CONFIG_DIR gets what RabbitMQ makes of it.
    _, volume = mount(found, "/etc/rabbitmq")
    assert volume["emptyDir"]["medium"] == "Memory"
    assert Path(variables["RABBITMQ_GENERATED_CONFIG_DIR"]).parent == Path("/etc/rabbitmq")
    mounted, volume = mount(found, "/etc/rabbitmq/enabled_plugins")
    assert (volume["configMap"]["name"], mounted["subPath"]) == ("rabbitmq-config", "enabled_plugins")
    plugins = config_texts(RABBITMQ.render())["rabbitmq-config/enabled_plugins"]
    assert re.fullmatch(r"\[\w+(,\w+)*\]\.\n", plugins), "an Erlang term"
    assert set(re.findall(r"\w+", plugins)) == {"rabbitmq_federation", "rabbitmq_federation_management"}
    assert {port["name"]: port["containerPort"] for port in found.spec["ports"]} == {"amqp": 5672, "admin": 15672}


def test_a_claim_makes_the_broker_a_stateful_set_that_finds_its_data_again() -> None:
    kept = container(RABBITMQ_KEPT, "StatefulSet/rabbitmq/rabbitmq")
    # RabbitMQ's database is in mnesia/NODENAME, and a node's default name has the pod's in it.
    assert environment(kept)["RABBITMQ_NODENAME"] == "rabbit@localhost"
    [claim] = named(RABBITMQ_KEPT.render(), "StatefulSet", "rabbitmq")["spec"]["volumeClaimTemplates"]
    [mounted] = [mounted for mounted in kept.spec["volumeMounts"] if mounted["name"] == claim["metadata"]["name"]]
    assert mounted["mountPath"] == "/var/lib/rabbitmq/mnesia"


@pytest.mark.parametrize(
    ("password", "starts"),
    [
        *((word, True) for word in ("plain", "a.B_9~x", "p@ss%^*+=:,/?-", "0")),
        # Seen with the entrypoint of 3.8.3: each of these would arrive as something else.
        *((word, False) for word in ("", "a#b", "$(x)", "-n", "a b", " a", 'a"b', "a\\b", "é", "a\nb", "'")),
    ],
)
def test_rabbitmq_does_not_start_with_a_password_that_its_configuration_cannot_hold(password: str, starts: bool, tmp_path: Path) -> None:
    entrypoint = tmp_path / "docker-entrypoint.sh"
    entrypoint.write_text('#!/bin/sh\necho "$@"\n')
    entrypoint.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "RABBITMQ_DEFAULT_USER": "fate", "RABBITMQ_DEFAULT_PASS": password, "LC_ALL": "C.UTF-8"}
    command = ["bash", str(CHARTS / "fate-party/files/rabbitmq-start.sh")]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == ((0, "rabbitmq-server\n") if starts else (1, ""))
    assert starts or not password.strip() or password not in run.stderr or len(password) < 3, "said in an error"


def test_the_mounted_start_script_is_the_one_tried_here() -> None:
    script = config_texts(RABBITMQ.render())["rabbitmq-config/start.sh"]
    assert script == (CHARTS / "fate-party/files/rabbitmq-start.sh").read_text()
    assert container(RABBITMQ, "Deployment/rabbitmq/rabbitmq").spec["command"] == ["bash", "/config/start.sh"]
