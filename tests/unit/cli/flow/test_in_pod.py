"""FATE-Flow in its pod: each call is a program that kubectl runs there, here a kubectl that runs it on this machine."""

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.commands import data
from cli.flow import party
from cli.flow.client import Flow, FlowUnreachable
from cli.flow.reach import in_cluster
from cli.tools import kubectl
from cli.tools.kubectl import Cluster
from cli.tools.project import Stack
from federation.base.naming import INSTANCE, MODULE
from federation.config.stack import ClusterSpec
from federation.units.unit import UnitPlan
from tests.unit.cli.flow.test_flow import server

_KUBECTL = """#!{python}
import os, sys
words = sys.argv[1:]
if "exec" not in words:
    print(open({pods!r}).read())
elif {refusal!r}:
    sys.exit({refusal!r})
else:
    assert "fate-9999" in words and "python-0" in words and "fateflow" in words
    program = words[words.index("--") + 1:]
    os.environ["POD_IP"] = "127.0.0.1"
    os.execvp(sys.executable, [sys.executable, *program[1:]])
"""


def pod(name: str, phase: str, *, ready: bool = True, ends: bool = False, **labels: str) -> Any:
    """A pod, as kubectl prints it."""
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": str(ready)}]
    metadata = {"name": name, "labels": {INSTANCE: "party-9999", MODULE: "fateflow", **labels}}
    return {
        "metadata": metadata | ({"deletionTimestamp": "2026-12-01T05:00:00Z"} if ends else {}),
        "status": {"phase": phase, "conditions": conditions},
    }


def flow(folder: Path, monkeypatch: pytest.MonkeyPatch, port: int, *pods: Any, refusal: str = "") -> Flow:
    """FATE-Flow of a cluster with these pods."""
    (folder / "pods.json").write_text(json.dumps({"items": pods}))
    kubectl = folder / "kubectl"
    kubectl.write_text(_KUBECTL.format(python=sys.executable, pods=str(folder / "pods.json"), refusal=refusal))
    kubectl.chmod(0o755)
    monkeypatch.setenv("KUBECTL", str(kubectl))
    return in_cluster(Cluster(ClusterSpec(context="lab"), folder, 30), UNIT, port)


UNIT = cast(UnitPlan, SimpleNamespace(key="party-9999", namespace="fate-9999"))
RUNNING = pod("python-0", "Running")


def port_of(url: str) -> int:
    """The port of a server."""
    return int(url.rpartition(":")[2])


def test_a_call_and_a_file_go_through_the_pod_and_the_answer_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"id,x\n" + os.urandom(3_000_000).hex().encode())
    with server(text=b'{"code": 0, "message": "' + b"x" * 200_000 + b'"}') as (url, asked):
        reached = flow(tmp_path, monkeypatch, port_of(url), RUNNING)
        assert len(reached.get("site/info/query").message) == 200_000
        assert reached.send("data/component/upload/file", {"name": "people"}, file).code == 0
    assert [path for path, _, _ in asked] == ["/v2/site/info/query?", "/v2/data/component/upload/file"]
    assert file.read_bytes() in asked[1][2]


def test_what_kubectl_says_is_the_reason_when_no_answer_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = 'Error from server (Forbidden): pods "python-0" is forbidden: User "x" cannot create resource "pods/exec"'
    reached = flow(tmp_path, monkeypatch, 1, RUNNING, refusal=refused)
    with pytest.raises(FlowUnreachable, match=r"kubectl exec: .*cannot create resource"):
        reached.get("site/info/query")


def test_a_fate_flow_that_does_not_listen_in_its_pod_is_refused_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server() as (url, _):
        pass
    with pytest.raises(FlowUnreachable, match="refused"):
        flow(tmp_path, monkeypatch, port_of(url), RUNNING).get("site/info/query")


@pytest.mark.parametrize(
    "pods", [(), (pod("python-0", "Pending"),), (pod("nginx-1", "Running", **{MODULE: "nginx"}),), (pod("python-0", "Running", ends=True),)]
)
def test_without_a_pod_that_runs_nothing_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pods: tuple[Any, ...]) -> None:
    with pytest.raises(FlowUnreachable, match="no pod of fateflow runs in namespace fate-9999"):
        flow(tmp_path, monkeypatch, 1, *pods).get("site/info/query")


@pytest.mark.parametrize("worse", [{"ends": True}, {"ready": False}])
def test_a_pod_that_ends_or_is_not_ready_is_not_asked_beside_one_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worse: Any
) -> None:
    with server() as (url, asked):
        assert flow(tmp_path, monkeypatch, port_of(url), pod("python-1", "Running", **worse), RUNNING).get("site/info/query").code == 0
    assert len(asked) == 1


def test_a_pod_that_is_not_ready_is_asked_when_it_is_the_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server() as (url, _):
        assert flow(tmp_path, monkeypatch, port_of(url), pod("python-0", "Running", ready=False)).get("site/info/query").code == 0


def test_what_kubectl_says_is_the_reason_when_it_ends_while_a_file_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"id,x\n" + b"a,1\n" * 2_000_000)
    reached = flow(tmp_path, monkeypatch, 1, RUNNING, refusal="error: unable to upgrade connection: pod does not exist")
    with pytest.raises(FlowUnreachable, match=r"kubectl exec: .*pod does not exist"):
        reached.send("data/component/upload/file", {"name": "people"}, file)


def test_a_verb_still_asks_after_a_file_that_took_hours_to_send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = SimpleNamespace(unit=UNIT, port=9380)
    loaded = SimpleNamespace(spec=SimpleNamespace(cluster=ClusterSpec(context="lab")))
    stack = cast(Stack, SimpleNamespace(load=lambda: loaded, project=SimpleNamespace(folder=tmp_path)))
    monkeypatch.setattr(party, "own_party", lambda *_: own)
    with server() as (url, _):
        flow(tmp_path, monkeypatch, port_of(url), RUNNING)
        own.port = port_of(url)
        with data._reached(stack, None, None) as reached:
            hours = time.monotonic() + 36_000
            monkeypatch.setattr(kubectl.time, "monotonic", lambda: hours)
            assert reached.flow.get("site/info/query").code == 0
